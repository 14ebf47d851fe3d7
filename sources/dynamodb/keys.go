package dynamodb

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// Partitions of a table of rows, or of that of the index of late rows. A
// dataset's name is in front of them: see datasetKey.
const (
	indexSuffix       = "#index"
	datasetsPartition = "#datasets"
	weeksPartition    = "#weeks"
	ownerPartition    = "#owner"
)

// The first byte of the sort keys of a dataset's index.
const (
	absentByte = 0
	hourByte   = 1
)

// Lengths of parts of sort keys.
const (
	timeBytes     = 8
	idBytes       = len(schema.ID{})
	positionBytes = 8 + stream.SequenceBytes + 4
	rowKeyBytes   = timeBytes + idBytes + positionBytes
	hourKeyBytes  = 1 + timeBytes + 8 + 1
)

// datasetKey names a dataset: tenant#namespace#generation#metric, the namespace
// escaped. Only the metric may have the mark in it, and nothing follows it.
func datasetKey(ds *schema.Dataset) string {
	return ds.Tenant + "#" + sources.EscapeName(ds.Namespace) + "#" + strconv.FormatUint(uint64(ds.Generation), 10) + "#" + ds.Metric
}

// parseDatasetKey is the inverse of datasetKey.
func parseDatasetKey(key string) (schema.Dataset, error) {
	parts := strings.SplitN(key, "#", 4)
	if len(parts) != 4 {
		return schema.Dataset{}, fmt.Errorf("dataset key %q: %d parts, want 4", key, len(parts))
	}
	generation, err := strconv.ParseUint(parts[2], 10, 32)
	if err != nil {
		return schema.Dataset{}, fmt.Errorf("dataset key %q: %w", key, err)
	}
	namespace, err := sources.UnescapeName(parts[1])
	if err != nil {
		return schema.Dataset{}, fmt.Errorf("dataset key %q: %w", key, err)
	}
	return schema.Dataset{Tenant: parts[0], Namespace: namespace, Metric: parts[3], Generation: uint32(generation)}, nil
}

// datasetItem notes that a table has rows of a dataset. The name can be longer than
// a sort key may be.
func datasetItem(dataset string) item {
	sum := sha256.Sum256([]byte(dataset))
	return item{attrPartition: blob([]byte(datasetsPartition)), attrSort: blob(sum[:]), attrValue: blob([]byte(dataset))}
}

// absentKey is that of the document of the times that nearline lacks.
func absentKey(dataset string) item {
	return item{attrPartition: blob(indexPartition(dataset)), attrSort: blob([]byte{absentByte})}
}

// indexPartition is that of a dataset's index.
func indexPartition(dataset string) []byte { return []byte(dataset + indexSuffix) }

// bucketPartition is that of a dataset's rows in a bucket. Its last byte but one
// is a mark, which that of no other partition is.
func bucketPartition(dataset string, bucket byte) []byte { return append([]byte(dataset+"#"), bucket) }

// bucketOf is the bucket of an id among 2^bits.
func bucketOf(id *schema.ID, bits uint8) byte { return id[len(id)-1] & (1<<bits - 1) }

// appendTime appends a time so that the order of the bytes is that of the times.
func appendTime(dst []byte, t int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(t)^(1<<63))
}

func timeAt(b []byte) int64 { return int64(binary.BigEndian.Uint64(b) ^ (1 << 63)) }

// rowKey is the sort key of a row: time, id, position.
func rowKey(e *schema.Event, at *stream.Position) []byte {
	b := make([]byte, 0, rowKeyBytes)
	b = append(appendTime(b, e.Time), e.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(at.Shard))
	b = at.Seq.AppendBinary(b)
	return binary.BigEndian.AppendUint32(b, at.Index)
}

// parseRowKey is the inverse of rowKey.
func parseRowKey(b []byte, e *schema.Event, at *stream.Position) error {
	if len(b) != rowKeyBytes {
		return fmt.Errorf("row key of %d bytes, want %d", len(b), rowKeyBytes)
	}
	e.Time = timeAt(b)
	copy(e.ID[:], b[timeBytes:])
	b = b[timeBytes+idBytes:]
	at.Shard = stream.ShardID(binary.BigEndian.Uint64(b))
	seq, err := stream.DecodeSequence(b[8 : 8+stream.SequenceBytes])
	if err != nil {
		return err
	}
	at.Seq, at.Index = seq, binary.BigEndian.Uint32(b[8+stream.SequenceBytes:])
	return nil
}

// rowRange are the least and the greatest sort key of rows within bounds.
func rowRange(b sources.Bounds) (from, to []byte) {
	to = appendTime(make([]byte, 0, rowKeyBytes), b.Max)
	for len(to) < rowKeyBytes {
		to = append(to, math.MaxUint8)
	}
	return appendTime(nil, b.Min), to
}

// hourKey is the sort key of an entry of a dataset's index.
func hourKey(hour int64, shard stream.ShardID, bits uint8) []byte {
	b := append(make([]byte, 0, hourKeyBytes), hourByte)
	b = binary.BigEndian.AppendUint64(appendTime(b, hour), uint64(shard))
	return append(b, bits)
}

// parseHourKey is the inverse of hourKey.
func parseHourKey(b []byte) (hour int64, shard stream.ShardID, bits uint8, err error) {
	if len(b) != hourKeyBytes || b[0] != hourByte {
		return 0, 0, 0, fmt.Errorf("index key %x is not of this version", b)
	}
	return timeAt(b[1:]), stream.ShardID(binary.BigEndian.Uint64(b[1+timeBytes:])), b[hourKeyBytes-1], nil
}

// hourRange are the least and the greatest sort key of entries that bounds touch.
func (p *place) hourRange(b sources.Bounds) (from, to []byte) {
	return hourKey(p.hourOf(b.Min), 0, 0), hourKey(p.hourOf(b.Max), math.MaxUint64, math.MaxUint8)
}
