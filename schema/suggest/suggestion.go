package suggest

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fieldgate/fieldgate/schema"
)

// Suggestion is something that an owner may want to declare.
type Suggestion struct {
	// ID is the tenant's number of it, and stays.
	ID   int64
	Kind string
	// Metric is the table; Field is the field that it is about, if any.
	Metric, Field string
	// Sent is the sent name of the metric or the field, or a name that was asked for.
	Sent string
	// Type and Convert are what would be declared; "" if nothing.
	Type, Convert string
	// Confidence is between 0 and 1.
	Confidence float64
	Evidence   json.RawMessage
	CreatedAt  time.Time
}

// The states of a suggestion.
const (
	stateOpen      = ""
	StateAccepted  = "accepted"
	StateDismissed = "dismissed"
)

var (
	// ErrNotFound says that no suggestion has the number.
	ErrNotFound = errors.New("no such suggestion")
	// ErrAnswered says that a suggestion was accepted or dismissed before.
	ErrAnswered = errors.New("the suggestion is answered already")
	// ErrNothing says that a suggestion says nothing that could be declared.
	ErrNothing = errors.New("the suggestion has nothing to accept")
)

// identity is what a suggestion is about: there is one of it, whatever it says.
type identity struct {
	Class      string `json:"class"`
	Metric     string `json:"metric"`
	Generation uint32 `json:"generation,omitempty"`
	Sent       string `json:"name,omitempty"`
	// Value is the kind of value that is new.
	Value string `json:"value,omitempty"`
}

// The classes of suggestions: an alias was perhaps a field before more was known.
const (
	classMetric  = "metric"
	className    = "name"
	classType    = "type"
	classCasts   = "casts"
	classMissing = "missing"
)

// document is a suggestion as it is stored, under suggestions/<tenant>/<n>.
type document struct {
	Format     int             `json:"format"`
	About      identity        `json:"about"`
	Kind       string          `json:"kind"`
	Metric     string          `json:"metric"`
	Field      string          `json:"field,omitempty"`
	Sent       string          `json:"sent_name,omitempty"`
	Type       string          `json:"type,omitempty"`
	Convert    string          `json:"convert,omitempty"`
	Confidence float64         `json:"confidence"`
	Evidence   json.RawMessage `json:"evidence,omitempty"`
	CreatedAt  time.Time       `json:"created_at"`
	State      string          `json:"state,omitempty"`
	AnsweredBy string          `json:"answered_by,omitempty"`
	AnsweredAt *time.Time      `json:"answered_at,omitempty"`
	// Notified says that it was sent to the tenant's webhook, or needs not be.
	Notified bool `json:"notified,omitempty"`

	number  int64
	version uint64
}

const (
	documentFormat = 1
	keyPrefix      = "suggestions/"
	pageSize       = 200
)

func folder(tenant string) string { return keyPrefix + tenant + "/" }

func key(tenant string, number int64) string { return fmt.Sprintf("%s%020d", folder(tenant), number) }

func decode(item schema.Item, prefix string) (*document, error) {
	var d document
	if err := json.Unmarshal(item.Value, &d); err != nil {
		return nil, fmt.Errorf("decode %s: %w", item.Key, err)
	}
	if d.Format != documentFormat {
		return nil, fmt.Errorf("decode %s: format %d is not known here", item.Key, d.Format)
	}
	if _, err := fmt.Sscanf(item.Key[len(prefix):], "%d", &d.number); err != nil {
		return nil, fmt.Errorf("decode %s: %w", item.Key, err)
	}
	d.version = item.Version
	return &d, nil
}

func (d *document) suggestion() Suggestion {
	return Suggestion{
		ID: d.number, Kind: d.Kind, Metric: d.Metric, Field: d.Field, Sent: d.Sent, Type: d.Type, Convert: d.Convert, Confidence: d.Confidence,
		Evidence: d.Evidence, CreatedAt: d.CreatedAt,
	}
}

// take has the document say what a proposal says, and whether that is worth
// writing: evidence alone is, when there is twice as much of it.
func (d *document) take(p *proposal, evidence json.RawMessage) bool {
	differs := d.Kind != p.Kind || d.Metric != p.Metric || d.Field != p.Field || d.Type != p.Type || d.Convert != p.Convert || isMore(d.Evidence, evidence)
	d.Kind, d.Metric, d.Field, d.Sent, d.Type, d.Convert, d.Confidence = p.Kind, p.Metric, p.Field, p.Sent, p.Type, p.Convert, p.Confidence
	d.Evidence = evidence
	return differs
}

// isMore says that evidence is of twice as many events as before.
func isMore(before, now json.RawMessage) bool {
	var b, n struct{ Events, Asked int64 }
	if json.Unmarshal(before, &b) != nil || json.Unmarshal(now, &n) != nil {
		return true
	}
	return n.Events >= 2*b.Events && n.Events > 0 || n.Asked != b.Asked
}
