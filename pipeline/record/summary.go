package record

import (
	"encoding/base64"
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

// summaryBuilder collects a Summary record by record.
type summaryBuilder struct {
	events int64
	list   []DatasetSummary
	byName map[schema.Dataset]int
	size   int // of the Summary in bytes, at most
}

// add counts an event that takes so many bytes.
func (d *DatasetSummary) add(e *schema.Event, bytes int) {
	d.Events++
	d.Bytes += int64(bytes)
	d.MinTime, d.MaxTime = min(d.MinTime, e.Time), max(d.MaxTime, e.Time)
	d.OldestReceivedAt = min(d.OldestReceivedAt, e.ReceivedAt)
}

// datasetBytes is what the summary of a dataset takes at most.
func datasetBytes(ds *schema.Dataset) int {
	return len(ds.Tenant) + len(ds.Namespace) + len(ds.Metric) + 9*binary.MaxVarintLen64
}

// add counts the events that a staged record has of a dataset.
func (b *summaryBuilder) add(more *DatasetSummary) {
	b.events += more.Events
	at, ok := b.byName[more.Dataset]
	if !ok {
		if b.byName == nil {
			b.byName = make(map[schema.Dataset]int)
		}
		b.byName[more.Dataset] = len(b.list)
		b.list = append(b.list, *more)
		b.size += datasetBytes(&more.Dataset)
		return
	}
	d := &b.list[at]
	d.Events += more.Events
	d.Bytes += more.Bytes
	d.MinTime, d.MaxTime = min(d.MinTime, more.MinTime), max(d.MaxTime, more.MaxTime)
	d.OldestReceivedAt = min(d.OldestReceivedAt, more.OldestReceivedAt)
}

// appendAvro appends the summary as it stands in a staged record.
func (d *DatasetSummary) appendAvro(dst []byte) []byte {
	dst = appendAvroText(dst, d.Dataset.Tenant)
	dst = appendAvroText(dst, d.Dataset.Namespace)
	dst = appendAvroText(dst, d.Dataset.Metric)
	for _, n := range []int64{int64(d.Dataset.Generation), d.Events, d.Bytes, d.MinTime, d.MaxTime, d.OldestReceivedAt} {
		dst = binary.AppendVarint(dst, n)
	}
	return dst
}

// readAvro reads what appendAvro appends. Texts that are equal to those that d has stay as they are.
func (d *DatasetSummary) readAvro(in *decoder) {
	for _, text := range []*string{&d.Dataset.Tenant, &d.Dataset.Namespace, &d.Dataset.Metric} {
		if b := in.avroText(); string(b) != *text {
			*text = string(b)
		}
	}
	d.Dataset.Generation = in.avroUint32()
	for _, n := range []*int64{&d.Events, &d.Bytes, &d.MinTime, &d.MaxTime, &d.OldestReceivedAt} {
		*n = in.varint()
	}
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

// appendText appends the summary as it stands in a header: readers of other makers take all metadata for text.
func (s *Summary) appendText(dst []byte) []byte {
	return base64.StdEncoding.AppendEncode(dst, s.appendBinary(nil))
}

// decodeSummary reads the metadata of a header: base64, or the bytes themselves, as earlier objects have it.
func decodeSummary(data []byte) (Summary, error) {
	if len(data) > 0 && data[0] != summaryVersion {
		decoded, err := base64.StdEncoding.AppendDecode(nil, data)
		if err != nil {
			return Summary{}, fmt.Errorf("%w: summary: %w", ErrCorrupt, err)
		}
		data = decoded
	}

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
