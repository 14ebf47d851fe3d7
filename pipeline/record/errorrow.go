package record

import (
	"encoding/base64"
	"encoding/binary"
	"time"
	"unicode/utf8"

	"github.com/fieldgate/fieldgate/schema"
)

// The kinds of errors.stream: whose fault an error row is.
const (
	KindMalformed = "malformed" // the sender's
	KindCommit    = "commit"    // ours
	KindConflict  = "conflict"  // another event has the identity
)

// Failure is an event that became an error row instead of a row.
type Failure struct {
	// Dataset is the one of the tenant's error rows.
	Dataset schema.Dataset
	// Stage is where it failed: raw, staging or batch.
	Stage  string
	Kind   string
	Reason string
	// Event is the event's exact bytes, or AppendEvent's where those are gone.
	Event []byte
	// Receipt is that of the request and Index the event's in it. Without a receipt the index means nothing.
	Receipt string
	Index   uint32
	// Metric is the sent name, "" if it is not known.
	Metric string
	// ReceivedAt is the event's arrival and HandledAt the moment it failed, in microseconds since 1970 UTC.
	ReceivedAt int64
	HandledAt  int64
}

// handledLayout keeps microseconds, as timestamps do.
const handledLayout = "2006-01-02T15:04:05.000000Z07:00"

// NewError makes the row of errors.stream for a failure. The row's time is the event's arrival. Its identity comes from
// what failed, where, and as what, never from HandledAt or the wording of the reason, so that an event that is handled
// again after a crash gives the same row.
func NewError(f *Failure) schema.Event {
	id := f.identity()
	text := func(name, value string) schema.Value {
		return schema.Value{Name: name, Kind: schema.KindText, Text: []byte(value)}
	}
	values := make([]schema.Value, 0, 9) // by name
	if utf8.Valid(f.Event) {
		values = append(values, text("event", string(f.Event)))
	}
	values = append(values,
		text("event_bytes", base64.StdEncoding.EncodeToString(f.Event)),
		text("handled_at", time.UnixMicro(f.HandledAt).UTC().Format(handledLayout)))
	if f.Receipt != "" {
		values = append(values, schema.Value{Name: "index", Kind: schema.KindInt, Int: int64(f.Index)})
	}
	values = append(values, text("kind", f.Kind))
	if f.Metric != "" {
		values = append(values, text("metric", f.Metric))
	}
	values = append(values, text("reason", f.Reason))
	if f.Receipt != "" {
		values = append(values, text("receipt", f.Receipt))
	}
	values = append(values, text("stage", f.Stage))
	return schema.Event{
		Dataset: f.Dataset, Time: f.ReceivedAt, ReceivedAt: f.ReceivedAt, ID: id, Hash: id, Values: values,
	}
}

func (f *Failure) identity() schema.ID {
	buf := append([]byte(nil), domainError...)
	buf = appendBytes(buf, f.Stage)
	buf = appendBytes(buf, f.Kind)
	buf = appendBytes(buf, f.Receipt)
	buf = binary.AppendUvarint(buf, uint64(f.Index))
	buf = appendBytes(buf, f.Metric)
	return digest(append(buf, f.Event...))
}
