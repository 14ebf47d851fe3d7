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

	"github.com/klauspost/compress/zstd"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// rawWindow is how far back zstd looks for what repeats in the raw archive. The encoder keeps several times as much.
const rawWindow = 512 << 10

// RawWriter makes archive objects of raw records: NDJSON, compressed with zstd, one line an event with all that its
// record knew of it. The event stands in the line as it was sent, byte for byte; one that has line breaks of its own
// stands there as base64. It is for one goroutine.
type RawWriter struct {
	zstd   *zstd.Encoder
	out    bytes.Buffer
	line   []byte
	events int64
	begun  bool
}

// NewRawWriter makes a writer without events.
func NewRawWriter() (*RawWriter, error) {
	// One at a time, so that the encoder starts no goroutines.
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(rawWindow))
	if err != nil {
		return nil, fmt.Errorf("make zstd encoder: %w", err)
	}
	return &RawWriter{zstd: e}, nil
}

// Add adds a record that stands at a sequence of a shard.
func (w *RawWriter) Add(shard stream.ShardID, seq stream.Sequence, r *Raw) error {
	if !w.begun {
		w.zstd.Reset(&w.out)
		w.begun = true
	}
	line := w.line[:0]
	line = append(line, `{"shard":`...)
	line = strconv.AppendUint(line, uint64(shard), 10)
	line = append(line, `,"seq":"`...)
	line = append(line, seq.String()...)
	line = append(line, `","tenant":`...)
	line = appendQuoted(line, []byte(r.Tenant))
	line = append(line, `,"namespace":`...)
	line = appendQuoted(line, []byte(r.Namespace))
	line = append(line, `,"schema":`...)
	line = strconv.AppendUint(line, r.SchemaVersion, 10)
	line = append(line, `,"arrived_at":`...)
	line = strconv.AppendInt(line, r.ArrivedAt, 10)
	line = append(line, `,"receipt":`...)
	line = appendQuoted(line, []byte(r.Receipt))
	line = append(line, `,"metric":`...)
	line = appendQuoted(line, []byte(r.Metric))
	line = append(line, `,"index":`...)
	same := len(line)
	for i, event := range r.Events {
		line = strconv.AppendUint(line[:same], uint64(r.Indexes[i]), 10)
		if bytes.IndexByte(event, '\n') < 0 {
			line = append(append(line, `,"event":`...), event...)
		} else {
			line = append(line, `,"event_base64":"`...)
			line = append(base64.StdEncoding.AppendEncode(line, event), '"')
		}
		line = append(line, '}', '\n')
		if _, err := w.zstd.Write(line); err != nil {
			return fmt.Errorf("write archived event: %w", err)
		}
	}
	w.line = line
	w.events += int64(len(r.Events))
	return nil
}

// Len is the number of events added.
func (w *RawWriter) Len() int64 { return w.events }

// Size is about the size of the object so far, in bytes; what the encoder still holds is not in it.
func (w *RawWriter) Size() int { return w.out.Len() }

// Finish gives the object and begins anew. The bytes are the caller's.
func (w *RawWriter) Finish() ([]byte, error) {
	if !w.begun {
		w.zstd.Reset(&w.out)
	}
	if err := w.zstd.Close(); err != nil {
		return nil, fmt.Errorf("end archive object: %w", err)
	}
	object := bytes.Clone(w.out.Bytes())
	w.Reset()
	return object, nil
}

// Reset forgets all events.
func (w *RawWriter) Reset() {
	w.out.Reset()
	w.events, w.begun = 0, false
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
	zstd  *zstd.Decoder
	lines *bufio.Reader
	next  *rawLine // read ahead, the first of the next record
}

// NewRawReader reads an object. Close the reader.
func NewRawReader(r io.Reader) (*RawReader, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
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
