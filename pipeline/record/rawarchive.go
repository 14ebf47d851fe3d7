package record

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	unzstd "github.com/klauspost/compress/zstd"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/sources/zstd"
)

// rawFrameBytes is the size of a zstd frame before compression, about: what repeats is looked for within it, and at this
// size the object is no larger than as one frame.
const rawFrameBytes = 512 << 10

// RawWriter makes archive objects of raw records: NDJSON, compressed with zstd, one line an event with all that its
// record knew of it. The event stands in the line as it was sent, byte for byte; one that has line breaks of its own
// stands there as base64. It is for one goroutine.
type RawWriter struct {
	zstd   *zstd.Encoder
	frames []byte // as they stand in the object
	lines  []byte // of the next frame
	head   []byte // of the lines of a record
	events int64
}

// NewRawWriter makes a writer without events.
func NewRawWriter() (*RawWriter, error) {
	e, err := zstd.NewEncoder()
	if err != nil {
		return nil, err
	}
	return &RawWriter{zstd: e}, nil
}

// Add adds a record that stands at a sequence of a shard.
func (w *RawWriter) Add(shard stream.ShardID, seq stream.Sequence, r *Raw) {
	head := w.head[:0]
	head = append(head, `{"shard":`...)
	head = strconv.AppendUint(head, uint64(shard), 10)
	head = append(head, `,"seq":"`...)
	head = append(head, seq.String()...)
	head = append(head, `","tenant":`...)
	head = appendQuoted(head, []byte(r.Tenant))
	head = append(head, `,"namespace":`...)
	head = appendQuoted(head, []byte(r.Namespace))
	head = append(head, `,"schema":`...)
	head = strconv.AppendUint(head, r.SchemaVersion, 10)
	head = append(head, `,"arrived_at":`...)
	head = strconv.AppendInt(head, r.ArrivedAt, 10)
	head = append(head, `,"receipt":`...)
	head = appendQuoted(head, []byte(r.Receipt))
	head = append(head, `,"metric":`...)
	head = appendQuoted(head, []byte(r.Metric))
	head = append(head, `,"index":`...)
	w.head = head
	for i, event := range r.Events {
		lines := w.lines
		lines = append(lines, head...)
		lines = strconv.AppendUint(lines, uint64(r.Indexes[i]), 10)
		if bytes.IndexByte(event, '\n') < 0 {
			lines = append(append(lines, `,"event":`...), event...)
		} else {
			lines = append(lines, `,"event_base64":"`...)
			lines = append(base64.StdEncoding.AppendEncode(lines, event), '"')
		}
		lines = append(lines, '}', '\n')
		w.lines = lines
		if len(w.lines) >= rawFrameBytes {
			w.endFrame()
		}
	}
	w.events += int64(len(r.Events))
}

// endFrame compresses the lines.
func (w *RawWriter) endFrame() {
	w.frames = w.zstd.Append(w.frames, w.lines)
	w.lines = w.lines[:0]
}

// Len is the number of events added.
func (w *RawWriter) Len() int64 { return w.events }

// Size is about the size of the object so far, in bytes; the lines of the next frame are not in it.
func (w *RawWriter) Size() int { return len(w.frames) }

// Finish gives the object and begins anew. The bytes are the caller's.
func (w *RawWriter) Finish() []byte {
	w.endFrame()
	object := bytes.Clone(w.frames)
	w.Reset()
	return object
}

// Reset forgets all events.
func (w *RawWriter) Reset() {
	w.frames, w.lines, w.events = w.frames[:0], w.lines[:0], 0
}

// rawLine is a line of the raw archive.
type rawLine struct {
	Shard       stream.ShardID  `json:"shard"`
	Seq         stream.Sequence `json:"seq"`
	Tenant      string          `json:"tenant"`
	Namespace   string          `json:"namespace"`
	Schema      uint64          `json:"schema"`
	ArrivedAt   int64           `json:"arrived_at"`
	Receipt     string          `json:"receipt"`
	Metric      string          `json:"metric"`
	Index       uint32          `json:"index"`
	Event       json.RawMessage `json:"event"`
	EventBase64 []byte          `json:"event_base64"`
}

// RawReader reads the archive objects of RawWriter.
type RawReader struct {
	zstd  *unzstd.Decoder
	lines *bufio.Reader
	next  *rawLine // read ahead, the first of the next record
}

// NewRawReader reads an object. Close the reader.
func NewRawReader(r io.Reader) (*RawReader, error) {
	d, err := unzstd.NewReader(r, unzstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("make zstd decoder: %w", err)
	}
	return &RawReader{zstd: d, lines: bufio.NewReaderSize(d, 64<<10)}, nil
}

// Close releases the reader's buffers. The io.Reader is the caller's.
func (r *RawReader) Close() { r.zstd.Close() }

// Next reads the next record. io.EOF is the end of the object.
func (r *RawReader) Next() (stream.ShardID, stream.Sequence, *Raw, error) {
	first := r.next
	if first == nil {
		var err error
		if first, err = r.line(); err != nil {
			return 0, stream.Sequence{}, nil, err
		}
	}
	raw := &Raw{
		Tenant: first.Tenant, SchemaVersion: first.Schema, ArrivedAt: first.ArrivedAt, Receipt: first.Receipt,
		Metric: first.Metric, Namespace: first.Namespace,
	}
	for l := first; ; {
		event := []byte(l.Event)
		if l.EventBase64 != nil {
			event = l.EventBase64
		}
		raw.Events = append(raw.Events, event)
		raw.Indexes = append(raw.Indexes, l.Index)
		var err error
		l, err = r.line()
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, stream.Sequence{}, nil, err
		}
		if r.next = l; l == nil || l.Shard != first.Shard || l.Seq != first.Seq {
			return first.Shard, first.Seq, raw, nil
		}
	}
}

// line reads a line; io.EOF and nil at the end of the object.
func (r *RawReader) line() (*rawLine, error) {
	text, err := r.lines.ReadBytes('\n')
	if errors.Is(err, io.EOF) && len(text) == 0 {
		return nil, io.EOF
	}
	if err != nil {
		return nil, fmt.Errorf("%w: read line of archive object: %w", ErrCorrupt, err)
	}
	var l rawLine
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf("%w: line of archive object: %w", ErrCorrupt, err)
	}
	return &l, nil
}
