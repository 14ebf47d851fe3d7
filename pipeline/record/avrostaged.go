package record

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/twmb/avro"
	"github.com/twmb/avro/ocf"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources/zstd"
)

// batchAvro is the schema of archived staged records. It goes into every file's header; the reader knows it by formatKey,
// so a change of it is a new format. From datasets on a datum is the staged record without its first two bytes.
const batchAvro = `{"type":"record","name":"Batch","namespace":"fieldgate","fields":[` +
	`{"name":"shard","type":"long"},` +
	`{"name":"sequence","type":"string","doc":"decimal, up to 192 bits"},` +
	`{"name":"datasets","type":{"type":"array","items":{"type":"record","name":"Dataset","fields":[` +
	`{"name":"tenant","type":"string"},` +
	`{"name":"namespace","type":"string"},` +
	`{"name":"metric","type":"string"},` +
	`{"name":"generation","type":"long"},` +
	`{"name":"events","type":"long"},` +
	`{"name":"bytes","type":"long","doc":"of its events here"},` +
	`{"name":"min_ts","type":{"type":"long","logicalType":"timestamp-micros"}},` +
	`{"name":"max_ts","type":{"type":"long","logicalType":"timestamp-micros"}},` +
	`{"name":"oldest_received_at","type":{"type":"long","logicalType":"timestamp-micros"}}]}}},` +
	`{"name":"names","type":{"type":"array","items":"string"},"doc":"of fields"},` +
	`{"name":"shapes","type":{"type":"array","items":{"type":"array","items":"int"}},"doc":"each a list of indexes of names"},` +
	`{"name":"events","type":{"type":"array","items":{"type":"record","name":"Event","fields":[` +
	`{"name":"dataset","type":"int","doc":"index"},` +
	`{"name":"shape","type":"int","doc":"index"},` +
	`{"name":"ts","type":"long","doc":"microseconds, less those of the event before; of the first, since 1970 UTC"},` +
	`{"name":"received_at","type":"long","doc":"likewise"},` +
	`{"name":"id","type":{"type":"fixed","name":"Id","size":16}},` +
	`{"name":"hash","type":["null","Id"],"doc":"null if it is the id"},` +
	`{"name":"values","type":{"type":"array","items":["long","double","boolean","string",` +
	`{"type":"record","name":"Json","fields":[{"name":"json","type":"string"}]}]},"doc":"of the names of the shape"}]}}}]}`

// Keys of the file header's metadata.
const (
	formatKey  = "fieldgate.format"
	summaryKey = "fieldgate.summary"
)

// stagedFormat is the value of formatKey.
const stagedFormat = "2"

// Branches of the union of an event's hash in batchAvro, as the bytes that a long of their number is.
const (
	branchNoHash = 2 * iota
	branchHash
)

// Branches of the union of values in batchAvro, and in the schema of the first format, likewise.
const (
	branchInt = 2 * iota
	branchNumber
	branchBool
	branchText
	branchJSON
)

const (
	// avroBlockBytes is the size of a block before compression at most, if no record is larger.
	avroBlockBytes = 64 << 10

	// maxSummaryBytes is where a file is full for the sake of its summary. The library refuses headers of more than 1 MB
	// a value, and one staged record may add 500 datasets of 1 KB.
	maxSummaryBytes = 256 << 10
)

// domainSync begins the hash that makes a file's sync marker.
const domainSync = "fieldgate sync 2\n"

// StagedWriter makes archive objects of staged records: Avro object container files, compressed with zstd, one Avro record
// a staged record, as it stands in the log. Each begins with a Summary of what it holds. The same records give the same
// bytes. It is for one goroutine.
type StagedWriter struct {
	schema  *avro.Schema
	codec   ocf.Codec // which the header names
	zstd    *zstd.Encoder
	sync    [16]byte
	blocks  []byte // as they stand in the object
	block   []byte // the next one, not yet compressed
	packed  []byte // compressed
	records int    // in block
	summary summaryBuilder

	// About the record that is added.
	datasets []DatasetSummary
	decoder  StagedDecoder
	encoder  StagedEncoder
}

// NewStagedWriter makes a writer without records.
func NewStagedWriter() (*StagedWriter, error) {
	parsed, err := avro.Parse(batchAvro)
	if err != nil {
		return nil, fmt.Errorf("parse schema of staged archive: %w", err)
	}
	encoder, err := zstd.NewEncoder()
	if err != nil {
		return nil, err
	}
	codec, err := ocf.ZstdCodec(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("make zstd codec: %w", err)
	}
	return &StagedWriter{schema: parsed, codec: codec, zstd: encoder}, nil
}

// Add adds a staged record of the log, of which nothing is kept. Records of one object come in the order of the log. One
// that cannot be added, ErrCorrupt or ErrVersion, leaves the object as it was.
func (w *StagedWriter) Add(shard stream.ShardID, seq stream.Sequence, data []byte) error {
	datum, err := w.datumOf(data)
	if err != nil {
		return err
	}
	if err := w.readDatasets(datum); err != nil {
		return err
	}
	if w.empty() {
		w.begin(shard, seq)
	}
	if w.records > 0 && len(w.block)+len(datum) > avroBlockBytes {
		w.endBlock()
	}
	w.block = binary.AppendVarint(w.block, int64(shard))
	w.block = append(appendAvroText(w.block, seq.String()), datum...)
	w.records++
	for i := range w.datasets {
		w.summary.add(&w.datasets[i])
	}
	return nil
}

// datumOf is the Avro part of a record; one of the first version is made anew for it.
func (w *StagedWriter) datumOf(data []byte) ([]byte, error) {
	version, err := stagedVersionOf(data)
	if err != nil {
		return nil, err
	}
	if version == stagedVersion1 {
		w.encoder.Reset()
		err := w.decoder.Decode(data, func(_ uint32, e *schema.Event) bool {
			w.encoder.Add(e)
			return true
		})
		if err != nil {
			return nil, err
		}
		data = w.encoder.Bytes()
	}
	return data[stagedHead:], nil
}

// readDatasets reads what a record says of its datasets.
func (w *StagedWriter) readDatasets(datum []byte) error {
	in := decoder{data: datum, ok: true}
	w.datasets = w.datasets[:0]
	count := in.avroCount(minStagedDataset)
	for i := range count {
		var d DatasetSummary
		if i < cap(w.datasets) {
			d.Dataset = w.datasets[:i+1][i].Dataset
		}
		d.readAvro(&in)
		w.datasets = append(w.datasets, d)
	}
	in.endArray(count)
	if !in.ok {
		return fmt.Errorf("%w: staged record whose datasets cannot be read", ErrCorrupt)
	}
	return nil
}

func (w *StagedWriter) empty() bool { return w.records == 0 && len(w.blocks) == 0 }

// begin starts an object whose first record stands there.
func (w *StagedWriter) begin(shard stream.ShardID, seq stream.Sequence) {
	seed := append([]byte(nil), domainSync...)
	seed = binary.BigEndian.AppendUint64(seed, uint64(shard))
	w.sync = digest(seq.AppendBinary(seed))
}

// endBlock compresses the block.
func (w *StagedWriter) endBlock() {
	w.packed = w.zstd.Append(w.packed[:0], w.block)
	w.blocks = binary.AppendVarint(w.blocks, int64(w.records))
	w.blocks = appendAvroText(w.blocks, w.packed)
	w.blocks = append(w.blocks, w.sync[:]...)
	w.block, w.records = w.block[:0], 0
}

// Len is the number of events added.
func (w *StagedWriter) Len() int64 { return w.summary.events }

// Size is about the size of the object so far, in bytes, a little more for what is not yet compressed.
func (w *StagedWriter) Size() int { return len(w.blocks) + len(w.block) + w.summary.size }

// Full says that no further staged record should be added, whatever the size: the summary has grown too long.
func (w *StagedWriter) Full() bool { return w.summary.size > maxSummaryBytes }

// Finish gives the object and its summary, and begins anew. The bytes are the caller's.
func (w *StagedWriter) Finish() ([]byte, Summary, error) {
	if w.empty() {
		w.begin(0, stream.Sequence{})
	}
	if w.records > 0 {
		w.endBlock()
	}
	summary := w.summary.build()
	// One key an option: a map of several would come in any order.
	format := ocf.WithMetadata(map[string][]byte{formatKey: []byte(stagedFormat)})
	about := ocf.WithMetadata(map[string][]byte{summaryKey: summary.appendText(nil)})
	var object bytes.Buffer
	// A container writer writes the header at once. It is let go of without a block.
	if _, err := ocf.NewWriter(&object, w.schema, format, about, ocf.WithCodec(ocf.NopCloser(w.codec)), ocf.WithSyncMarker(w.sync)); err != nil {
		return nil, Summary{}, fmt.Errorf("write header of archive object: %w", err)
	}
	object.Write(w.blocks)
	w.Reset()
	return object.Bytes(), summary, nil
}

// Reset forgets all records.
func (w *StagedWriter) Reset() {
	w.blocks, w.block, w.records = w.blocks[:0], w.block[:0], 0
	w.summary = summaryBuilder{}
}

func appendAvroText[T ~string | ~[]byte](dst []byte, text T) []byte {
	return append(binary.AppendVarint(dst, int64(len(text))), text...)
}
