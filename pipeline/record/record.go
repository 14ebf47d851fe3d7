// Package record says what an event is in bytes at every step from the request body to the archive: it splits a body
// into events (Splitter), flattens an event (Flattener), decides its metric and time (Binder), gives it its identity
// (Identify), and encodes what the streams and the archive hold: raw records (Raw), staged records (StagedEncoder), and
// their archive objects (RawWriter, StagedWriter).
//
// Everything here is a pure function of its arguments, so that a retry or a replay gives the same bytes; the formats are
// described in docs/format/records.md and every later version reads them. Logs, buckets, HTTP and the order of the
// stages are for others.
//
// The path from body to staged record is hot. It builds no maps, allocates nothing per value, and hands out slices of
// the bytes it was given: each type says how long they may be kept.
package record

import "fmt"

// Malformed says why an event cannot be stored as a row. It is the sender's fault and becomes an error row of kind
// malformed. The reason names what is wrong in the event's own words, for its sender to read.
type Malformed struct {
	Reason string
}

func (m *Malformed) Error() string { return "malformed event: " + m.Reason }

func malformed(format string, args ...any) *Malformed {
	return &Malformed{Reason: fmt.Sprintf(format, args...)}
}

// maxQuoted bounds how much of a sent text a reason repeats.
const maxQuoted = 100

// quoted is a sent text for a reason: quoted, and cut if it is long.
func quoted[T ~string | ~[]byte](text T) string {
	if len(text) > maxQuoted {
		return fmt.Sprintf("%q…", text[:maxQuoted])
	}
	return fmt.Sprintf("%q", text)
}
