package kinesis

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the format's checksum
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// magic begins an aggregated record ("KPL Aggregated Record Format", in the
// documentation of the Kinesis Producer Library). A message in protobuf follows,
// and its MD5.
const magic = "\xf3\x89\x9a\xc2"

// Fields of the messages.
const (
	fieldPartitionKey = 1 // of AggregatedRecord: table of texts
	fieldHashKey      = 2 // table of texts, decimal
	fieldRecord       = 3
	fieldKeyIndex     = 1 // of Record
	fieldHashIndex    = 2
	fieldData         = 3
)

// entryOverhead is what an entry adds to a record at most, beside its data: its
// keys in the tables and its tags and lengths.
const entryOverhead = 96

// errNotAggregated says that a record is not in the format: it is an entry itself.
var errNotAggregated = errors.New("not an aggregated record")

// hashKey is the place of a hash in Kinesis' range of 128 bits.
func hashKey(hash uint64) stream.Sequence { return stream.Sequence{0, hash, 0} }

// partitionKey is what readers of the stream see of a hash.
func partitionKey(hash uint64) string { return strconv.FormatUint(hash, 16) }

// appendAggregated appends a record of entries in the format. Each hash is in the
// tables once.
func appendAggregated(dst []byte, entries []stream.Entry) []byte {
	dst = append(dst, magic...)
	start := len(dst)
	var hashes []uint64
	indexes := make([]uint64, len(entries))
	for i := range entries {
		known := -1
		for j, h := range hashes {
			if h == entries[i].Hash {
				known = j
			}
		}
		if known < 0 {
			known = len(hashes)
			hashes = append(hashes, entries[i].Hash)
		}
		indexes[i] = uint64(known)
	}
	for _, h := range hashes {
		dst = protowire.AppendTag(dst, fieldPartitionKey, protowire.BytesType)
		dst = protowire.AppendString(dst, partitionKey(h))
	}
	for _, h := range hashes {
		dst = protowire.AppendTag(dst, fieldHashKey, protowire.BytesType)
		dst = protowire.AppendString(dst, hashKey(h).String())
	}
	for i := range entries {
		index, data := indexes[i], entries[i].Data
		size := 2*(1+protowire.SizeVarint(index)) + 1 + protowire.SizeBytes(len(data))
		dst = protowire.AppendTag(dst, fieldRecord, protowire.BytesType)
		dst = protowire.AppendVarint(dst, uint64(size))
		dst = protowire.AppendTag(dst, fieldKeyIndex, protowire.VarintType)
		dst = protowire.AppendVarint(dst, index)
		dst = protowire.AppendTag(dst, fieldHashIndex, protowire.VarintType)
		dst = protowire.AppendVarint(dst, index)
		dst = protowire.AppendTag(dst, fieldData, protowire.BytesType)
		dst = protowire.AppendBytes(dst, data)
	}
	sum := md5.Sum(dst[start:]) //nolint:gosec // the format's checksum
	return append(dst, sum[:]...)
}

// part is an entry of an aggregated record.
type part struct {
	hashKey stream.Sequence // in Kinesis' range
	data    []byte          // of the record's bytes
}

// parse reads an aggregated record. errNotAggregated if it is none: the magic or
// the checksum is missing.
func parse(data []byte) ([]part, error) {
	end := len(data) - md5.Size
	if end < len(magic) || string(data[:len(magic)]) != magic {
		return nil, errNotAggregated
	}
	message := data[len(magic):end]
	if sum := md5.Sum(message); !bytes.Equal(sum[:], data[end:]) { //nolint:gosec // the format's checksum
		return nil, errNotAggregated
	}
	var m aggregated
	if err := m.parse(message); err != nil {
		return nil, fmt.Errorf("read aggregated record: %w", err)
	}
	parts := make([]part, 0, len(m.records))
	for _, r := range m.records {
		key, err := m.hashKeyOf(r)
		if err != nil {
			return nil, fmt.Errorf("read aggregated record: %w", err)
		}
		parts = append(parts, part{hashKey: key, data: r.data})
	}
	return parts, nil
}

// aggregated is AggregatedRecord.
type aggregated struct {
	partitionKeys, hashKeys [][]byte
	records                 []subRecord
}

// subRecord is Record.
type subRecord struct {
	key, hash uint64
	hasHash   bool
	data      []byte
}

func (m *aggregated) parse(data []byte) error {
	return eachField(data, func(field protowire.Number, _ uint64, value []byte) error {
		switch field {
		case fieldPartitionKey:
			m.partitionKeys = append(m.partitionKeys, value)
		case fieldHashKey:
			m.hashKeys = append(m.hashKeys, value)
		case fieldRecord:
			var r subRecord
			if err := r.parse(value); err != nil {
				return err
			}
			m.records = append(m.records, r)
		}
		return nil
	})
}

func (r *subRecord) parse(data []byte) error {
	return eachField(data, func(field protowire.Number, number uint64, value []byte) error {
		switch field {
		case fieldKeyIndex:
			r.key = number
		case fieldHashIndex:
			r.hash, r.hasHash = number, true
		case fieldData:
			r.data = value
		}
		return nil
	})
}

// eachField visits the fields of a message: numbers, or bytes.
func eachField(data []byte, visit func(field protowire.Number, number uint64, value []byte) error) error {
	for len(data) > 0 {
		field, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		var number uint64
		var value []byte
		switch kind {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(data)
		case protowire.BytesType:
			value, n = protowire.ConsumeBytes(data)
		default:
			n = protowire.ConsumeFieldValue(field, kind, data)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		if err := visit(field, number, value); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// hashKeyOf is where a record belongs: at its explicit hash key, else at the MD5
// of its partition key.
func (m *aggregated) hashKeyOf(r subRecord) (stream.Sequence, error) {
	if r.hasHash {
		if r.hash >= uint64(len(m.hashKeys)) {
			return stream.Sequence{}, fmt.Errorf("hash key %d of %d", r.hash, len(m.hashKeys))
		}
		return stream.ParseSequence(string(m.hashKeys[r.hash]))
	}
	if r.key >= uint64(len(m.partitionKeys)) {
		return stream.Sequence{}, fmt.Errorf("partition key %d of %d", r.key, len(m.partitionKeys))
	}
	sum := md5.Sum(m.partitionKeys[r.key]) //nolint:gosec // Kinesis hashes partition keys by it
	return stream.DecodeSequence(append(make([]byte, stream.SequenceBytes-md5.Size), sum[:]...))
}
