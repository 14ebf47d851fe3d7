package record

import (
	"encoding/binary"
	"fmt"

	"github.com/fieldgate/fieldgate/schema"
)

// summaryVersion is the first byte of a Summary.
const summaryVersion = 1

// Summary says what an archive object of staged events holds, so that compaction can decide without reading them.
type Summary struct {
	Events   int64
	Datasets []DatasetSummary // in the order of their first events
}

// DatasetSummary is the part of a Summary for one dataset. Times are in microseconds since 1970 UTC.
type DatasetSummary struct {
	Dataset          schema.Dataset
	Events           int64
	Bytes            int64 // of the events before compression
	MinTime, MaxTime int64
	OldestReceivedAt int64
}

// summaryBuilder collects a Summary event by event.
type summaryBuilder struct {
	events int64
	list   []DatasetSummary
	byName map[schema.Dataset]int
	last   int
	size   int // of the Summary in bytes, at most
}

func (b *summaryBuilder) add(e *schema.Event, bytes int) {
	b.events++
	d := b.entry(e)
	d.Events++
	d.Bytes += int64(bytes)
	d.MinTime, d.MaxTime = min(d.MinTime, e.Time), max(d.MaxTime, e.Time)
	d.OldestReceivedAt = min(d.OldestReceivedAt, e.ReceivedAt)
}

func (b *summaryBuilder) entry(e *schema.Event) *DatasetSummary {
	if len(b.list) > 0 && b.list[b.last].Dataset == e.Dataset {
		return &b.list[b.last]
	}
	at, ok := b.byName[e.Dataset]
	if !ok {
		if b.byName == nil {
			b.byName = make(map[schema.Dataset]int)
		}
		at = len(b.list)
		b.byName[e.Dataset] = at
		b.list = append(b.list, DatasetSummary{Dataset: e.Dataset, MinTime: e.Time, MaxTime: e.Time, OldestReceivedAt: e.ReceivedAt})
		b.size += len(e.Dataset.Tenant) + len(e.Dataset.Namespace) + len(e.Dataset.Metric) + 9*binary.MaxVarintLen64
	}
	b.last = at
	return &b.list[at]
}

func (b *summaryBuilder) build() Summary { return Summary{Events: b.events, Datasets: b.list} }

func (s *Summary) appendBinary(dst []byte) []byte {
	dst = append(dst, summaryVersion)
	dst = binary.AppendUvarint(dst, uint64(s.Events))
	dst = binary.AppendUvarint(dst, uint64(len(s.Datasets)))
	for i := range s.Datasets {
		d := &s.Datasets[i]
		dst = appendBytes(dst, d.Dataset.Tenant)
		dst = appendBytes(dst, d.Dataset.Namespace)
		dst = appendBytes(dst, d.Dataset.Metric)
		dst = binary.AppendUvarint(dst, uint64(d.Dataset.Generation))
		dst = binary.AppendUvarint(dst, uint64(d.Events))
		dst = binary.AppendUvarint(dst, uint64(d.Bytes))
		dst = binary.AppendVarint(dst, d.MinTime)
		dst = binary.AppendVarint(dst, d.MaxTime)
		dst = binary.AppendVarint(dst, d.OldestReceivedAt)
	}
	return dst
}

func decodeSummary(data []byte) (Summary, error) {
	var s Summary
	if len(data) == 0 {
		return s, fmt.Errorf("%w: archive object without a summary", ErrCorrupt)
	}
	if data[0] != summaryVersion {
		return s, fmt.Errorf("%w: summary of version %d", ErrVersion, data[0])
	}
	in := decoder{data: data[1:], ok: true}
	s.Events = int64(in.uvarint())
	for range in.count(9) {
		var d DatasetSummary
		d.Dataset.Tenant = in.keep("")
		d.Dataset.Namespace = in.keep("")
		d.Dataset.Metric = in.keep("")
		d.Dataset.Generation = in.uint32()
		d.Events = int64(in.uvarint())
		d.Bytes = int64(in.uvarint())
		d.MinTime, d.MaxTime = in.varint(), in.varint()
		d.OldestReceivedAt = in.varint()
		s.Datasets = append(s.Datasets, d)
	}
	return s, in.end("summary")
}
