package schema

import (
	"cmp"
	"encoding/hex"
)

// Kind is the kind of a sent value, the first letter of its physical column.
// The kind is decided by the value alone, never by what is declared.
type Kind byte

// The kinds of design section 4.
const (
	KindInt    Kind = 'i' // a number without fraction or exponent that fits 64 bits
	KindNumber Kind = 'n' // another number that a double holds exactly as written
	KindBool   Kind = 'b'
	KindText   Kind = 's' // text, and numbers that neither an int64 nor a double holds
	KindJSON   Kind = 'j' // an array or an empty object, as JSON text
)

// Kinds lists every kind in the order in which a source coalesces them.
var Kinds = [...]Kind{KindInt, KindNumber, KindBool, KindText, KindJSON}

// Name is the kind in words, as views have it.
func (k Kind) Name() string {
	switch k {
	case KindInt:
		return "integer"
	case KindNumber:
		return "number"
	case KindBool:
		return "boolean"
	case KindJSON:
		return "json"
	case KindText:
	}
	return "text"
}

// Value is one field of an event under the name the device sent.
type Value struct {
	Name string
	Kind Kind
	// Int holds a KindInt; a KindBool is 0 or 1.
	Int int64
	// Num holds a KindNumber.
	Num float64
	// Text holds a KindText or KindJSON. It is valid UTF-8. Whoever decodes an
	// event says how long Text may be kept.
	Text []byte
}

// ID is 128 bits of a hash: an event's identity within its dataset and time, or
// the hash of its canonical form.
type ID [16]byte

func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Compare orders ids by their bytes.
func (id ID) Compare(other ID) int { return cmp.Compare(string(id[:]), string(other[:])) }

// Dataset names the rows of one sent metric name in one generation: the unit of
// storage. It is comparable and serves as a map key.
type Dataset struct {
	Tenant string
	// Namespace is "" for what devices sent, NamespaceErrors for error rows, and
	// else the name of a replay's target.
	Namespace string
	// Metric is the sent metric name.
	Metric string
	// Generation counts the DROP TABLEs of the name.
	Generation uint32
}

// NamespaceErrors holds a tenant's error rows, in the one dataset whose metric
// is ErrorMetric: the table errors.stream.
const (
	NamespaceErrors = "errors"
	ErrorMetric     = "stream"
)

// ErrorDataset is the dataset behind errors.stream of one tenant.
func ErrorDataset(tenant string) Dataset {
	return Dataset{Tenant: tenant, Namespace: NamespaceErrors, Metric: ErrorMetric}
}

// Event is one event as the staged stream, the archive and the stores hold it:
// metric and time decided, fields flattened and kinded, nothing renamed.
type Event struct {
	Dataset Dataset
	// Time is the event's time and ReceivedAt the arrival at ingest, both in
	// microseconds since 1970 UTC.
	Time       int64
	ReceivedAt int64
	// ID identifies the event within dataset and time; Hash is 128 bits of the
	// canonical event. Equal ID and Hash: a duplicate. Equal ID, other Hash: a
	// conflict, the first wins.
	ID   ID
	Hash ID
	// Values are the fields, ordered by name. Names are unique.
	Values []Value
}
