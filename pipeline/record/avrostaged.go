package record

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/avro"
	"github.com/twmb/avro/ocf"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// stagedAvro is the schema of archived staged events. It goes into every file's header; the reader knows it by
// formatKey, so a change of it is a new format.
const stagedAvro = `{"type":"record","name":"Event","namespace":"fieldgate","fields":[` +
	`{"name":"shard","type":"long"},` +
	`{"name":"sequence","type":"string","doc":"decimal, up to 192 bits"},` +
	`{"name":"index","type":"long"},` +
	`{"name":"tenant","type":"string"},` +
	`{"name":"namespace","type":"string"},` +
	`{"name":"metric","type":"string"},` +
	`{"name":"generation","type":"long"},` +
	`{"name":"ts","type":{"type":"long","logicalType":"timestamp-micros"}},` +
	`{"name":"received_at","type":{"type":"long","logicalType":"timestamp-micros"}},` +
	`{"name":"id","type":{"type":"fixed","name":"Id","size":16}},` +
	`{"name":"hash","type":"Id"},` +
	`{"name":"fields","type":{"type":"map","values":["long","double","boolean","string",` +
	`{"type":"record","name":"Json","fields":[{"name":"json","type":"string"}]}]}}]}`

// Keys of the file header's metadata.
const (
	formatKey  = "fieldgate.format"
	summaryKey = "fieldgate.summary"
)

// stagedFormat is the value of formatKey.
const stagedFormat = "1"

// Branches of the union of field values in stagedAvro.
const (
	branchInt = iota
	branchNumber
	branchBool
	branchText
	branchJSON
)

const (
	// avroBlockBytes is the size of a block before compression: large enough for zstd to find what repeats, and small
	// enough to be one zstd block (64 KB at the fastest level), which is compressed without a copy of its history.
	avroBlockBytes = 60 << 10

	// maxSummaryBytes is where a file is full for the sake of its summary. The library refuses headers of more than 1 MB
	// a value, and one staged record may add 500 datasets of 1 KB.
	maxSummaryBytes = 256 << 10
)

// domainSync begins the hash that makes a file's sync marker.
const domainSync = "fieldgate sync 1\n"

// StagedWriter makes archive objects of staged events: Avro object container files, compressed with zstd, one Avro record
// an event. Each begins with a Summary of what it holds. The same events give the same bytes. It is for one goroutine.
type StagedWriter struct {
	schema  *avro.Schema
	codec   ocf.Codec
	out     *ocf.Writer // nil before the first event
	sync    [16]byte
	body    bytes.Buffer // header without summary, then blocks
	header  int          // length of that header
	pending int          // bytes of events not yet in body
	datum   []byte
	summary summaryBuilder

	sequence     stream.Sequence
	sequenceText []byte
}

// NewStagedWriter makes a writer without events.
func NewStagedWriter() (*StagedWriter, error) {
	parsed, err := avro.Parse(stagedAvro)
	if err != nil {
		return nil, fmt.Errorf("parse schema of staged archive: %w", err)
	}
	codec, err := ocf.ZstdCodec([]zstd.EOption{zstd.WithEncoderLevel(zstd.SpeedFastest)}, nil)
	if err != nil {
		return nil, fmt.Errorf("make zstd codec: %w", err)
	}
	return &StagedWriter{schema: parsed, codec: codec}, nil
}

// Add adds an event that stands at a position. Events of one object come in the order of their positions.
func (w *StagedWriter) Add(pos stream.Position, e *schema.Event) error {
	if w.out == nil {
		if err := w.begin(pos); err != nil {
			return err
		}
	}
	w.datum = w.appendDatum(w.datum[:0], pos, e)
	before := w.body.Len()
	if _, err := w.out.Write(w.datum); err != nil {
		return fmt.Errorf("write archived event: %w", err)
	}
	w.pending += len(w.datum)
	if w.body.Len() != before {
		w.pending = 0
	}
	w.summary.add(e, len(w.datum))
	return nil
}

// begin starts an object whose first event stands at pos.
func (w *StagedWriter) begin(pos stream.Position) error {
	seed := append([]byte(nil), domainSync...)
	seed = binary.BigEndian.AppendUint64(seed, uint64(pos.Shard))
	seed = pos.Seq.AppendBinary(seed)
	w.sync = digest(binary.BigEndian.AppendUint32(seed, pos.Index))
	out, err := w.writer(&w.body)
	if err != nil {
		return err
	}
	w.out, w.header = out, w.body.Len()
	return nil
}

// writer makes a container writer, which writes its header at once.
func (w *StagedWriter) writer(to *bytes.Buffer, meta ...ocf.WriterOpt) (*ocf.Writer, error) {
	out, err := ocf.NewWriter(to, w.schema, append(meta, ocf.WithCodec(ocf.NopCloser(w.codec)), ocf.WithSyncMarker(w.sync),
		ocf.WithBlockBytes(avroBlockBytes))...)
	if err != nil {
		return nil, fmt.Errorf("begin archive object: %w", err)
	}
	return out, nil
}

// Len is the number of events added.
func (w *StagedWriter) Len() int64 { return w.summary.events }

// Size is about the size of the object so far, in bytes, a little more for what is not yet compressed.
func (w *StagedWriter) Size() int { return w.body.Len() + w.pending + w.summary.size }

// Full says that no further staged record should be added, whatever the size: the summary has grown too long.
func (w *StagedWriter) Full() bool { return w.summary.size > maxSummaryBytes }

// Finish gives the object and its summary, and begins anew. The bytes are the caller's.
func (w *StagedWriter) Finish() ([]byte, Summary, error) {
	if w.out == nil {
		if err := w.begin(stream.Position{}); err != nil {
			return nil, Summary{}, err
		}
	}
	if err := w.out.Close(); err != nil {
		return nil, Summary{}, fmt.Errorf("end archive object: %w", err)
	}
	summary := w.summary.build()
	var head bytes.Buffer
	// The header stands first and knows all, so it is made again once all is known. One key an option: a map of several
	// would come in any order.
	format := ocf.WithMetadata(map[string][]byte{formatKey: []byte(stagedFormat)})
	about := ocf.WithMetadata(map[string][]byte{summaryKey: summary.appendBinary(nil)})
	if _, err := w.writer(&head, format, about); err != nil {
		return nil, Summary{}, err
	}
	object := append(head.Bytes(), w.body.Bytes()[w.header:]...)
	w.Reset()
	return object, summary, nil
}

// Reset forgets all events.
func (w *StagedWriter) Reset() {
	w.out, w.header, w.pending = nil, 0, 0
	w.body.Reset()
	w.summary = summaryBuilder{}
}

// appendDatum appends the event as the Avro record of stagedAvro (Avro specification, "Binary encoding").
func (w *StagedWriter) appendDatum(dst []byte, pos stream.Position, e *schema.Event) []byte {
	if w.sequenceText == nil || pos.Seq != w.sequence {
		w.sequence, w.sequenceText = pos.Seq, []byte(pos.Seq.String())
	}
	dst = binary.AppendVarint(dst, int64(pos.Shard))
	dst = appendAvroText(dst, w.sequenceText)
	dst = binary.AppendVarint(dst, int64(pos.Index))
	dst = appendAvroText(dst, e.Dataset.Tenant)
	dst = appendAvroText(dst, e.Dataset.Namespace)
	dst = appendAvroText(dst, e.Dataset.Metric)
	dst = binary.AppendVarint(dst, int64(e.Dataset.Generation))
	dst = binary.AppendVarint(dst, e.Time)
	dst = binary.AppendVarint(dst, e.ReceivedAt)
	dst = append(dst, e.ID[:]...)
	dst = append(dst, e.Hash[:]...)
	if len(e.Values) > 0 {
		dst = binary.AppendVarint(dst, int64(len(e.Values)))
	}
	for i := range e.Values {
		v := &e.Values[i]
		dst = appendAvroText(dst, v.Name)
		switch v.Kind {
		case schema.KindInt:
			dst = binary.AppendVarint(binary.AppendVarint(dst, branchInt), v.Int)
		case schema.KindNumber:
			dst = binary.LittleEndian.AppendUint64(binary.AppendVarint(dst, branchNumber), math.Float64bits(v.Num))
		case schema.KindBool:
			dst = append(binary.AppendVarint(dst, branchBool), byte(v.Int))
		case schema.KindText:
			dst = appendAvroText(binary.AppendVarint(dst, branchText), v.Text)
		case schema.KindJSON:
			dst = appendAvroText(binary.AppendVarint(dst, branchJSON), v.Text)
		}
	}
	return append(dst, 0) // ends the map
}

func appendAvroText[T ~string | ~[]byte](dst []byte, text T) []byte {
	return append(binary.AppendVarint(dst, int64(len(text))), text...)
}
