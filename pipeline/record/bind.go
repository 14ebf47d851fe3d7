package record

import (
	"bytes"
	"slices"
	"strings"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/fieldgate/fieldgate/schema"
)

const (
	metricKey    = "metrictype" // what gives the metric when no metric key of the tenant does
	timestampKey = "timestamp"  // what gives the time when no timestamp alias does

	// MaxMetricBytes is the longest sent metric name.
	MaxMetricBytes = 1 << 10

	// maxUndeclared bounds how many undeclared metrics a Binder remembers.
	maxUndeclared = 4096
)

// Binder decides metric and time of a tenant's events as one version of its schema says: the only two things decided at
// write. It holds the version in a form made for that. A Binder is for one goroutine.
type Binder struct {
	snapshot   *schema.Snapshot
	keys       []lookup            // that may give the metric, in order
	declared   map[string]*binding // by sent name
	undeclared *simplelru.LRU[string, *binding]
	last       *binding // the one found last, which mostly is wanted again; or nil
}

// binding is how events of one sent metric name are bound.
type binding struct {
	dataset  schema.Dataset
	times    []lookup // fields that may give the time, in order
	patterns []timePattern
	metric   *schema.Metric // nil if nobody declared it
	rules    []schema.Rule
}

// Bound is what Bind decided.
type Bound struct {
	Dataset schema.Dataset
	// Metric is the declared metric that the dataset belongs to, or nil.
	Metric *schema.Metric
	// Time is in microseconds since 1970 UTC. OwnTime says that it is the event's, not that of its arrival.
	Time    int64
	OwnTime bool
}

// NewBinder prepares a version of a tenant's schema.
func NewBinder(snapshot *schema.Snapshot) *Binder {
	b := &Binder{snapshot: snapshot, declared: make(map[string]*binding, len(snapshot.Metrics))}
	b.keys = lookupsOf(b.metricKeys())
	// The size is a constant above zero: the one error New has cannot be.
	b.undeclared, _ = simplelru.NewLRU[string, *binding](maxUndeclared, nil)
	for _, m := range snapshot.Metrics {
		for _, sent := range append([]string{m.Name}, m.Aliases...) {
			if _, taken := b.declared[sent]; !taken {
				b.declared[sent] = b.binding(sent, m)
			}
		}
	}
	return b
}

func (b *Binder) binding(sent string, m *schema.Metric) *binding {
	n := &binding{dataset: b.snapshot.Dataset(sent), metric: m}
	if m != nil {
		sent = m.Name
	}
	n.rules = b.snapshot.RulesOf(sent)
	var times, patterns []string
	if m != nil {
		times = append(times, m.TimestampAliases...)
		patterns = append(patterns, m.TimestampPatterns...)
	}
	n.times = lookupsOf(append(append(times, b.snapshot.TimestampAliases...), timestampKey))
	for _, name := range append(patterns, b.snapshot.TimestampPatterns...) {
		if p, err := timePatternOf(name); err == nil {
			n.patterns = append(n.patterns, p)
		}
	}
	return n
}

// Snapshot is the version that the Binder binds by.
func (b *Binder) Snapshot() *schema.Snapshot { return b.snapshot }

// Bind decides the metric and the time of an event: of its values, as Flatten gave them, the metric of the request's
// URL ("" if there was none) and the arrival in microseconds since 1970 UTC. An event that cannot be bound is a
// *Malformed.
func (b *Binder) Bind(values []schema.Value, urlMetric string, arrivedAt int64) (Bound, error) {
	n, err := b.bindMetric(values, urlMetric)
	if err == nil {
		n, err = b.follow(n, values)
	}
	if err != nil {
		return Bound{}, err
	}
	if n.metric == nil && b.snapshot.RejectUndeclared {
		return Bound{}, malformed("metric undeclared: nobody declared %s, and this tenant refuses such metrics", quoted(n.dataset.Metric))
	}
	bound := Bound{Dataset: n.dataset, Metric: n.metric, Time: arrivedAt}
	for i := range n.times {
		v := n.times[i].in(values)
		if v == nil {
			continue
		}
		t, ok := readTime(v, n.patterns)
		if !ok {
			return Bound{}, malformed("time unreadable: %s is %s", quoted(v.Name), quoted(appendValueText(nil, v)))
		}
		bound.Time, bound.OwnTime = t, true
		return bound, nil
	}
	if n.metric != nil && n.metric.RejectMissingTime {
		return Bound{}, malformed("time missing: the event has none of %s, and the metric refuses such events", quotedList(n.timeNames()))
	}
	return bound, nil
}

// follow is where the first rule of the metric that the event meets sends it: the
// rules of that other metric do not count. An error says that it is one by rule.
func (b *Binder) follow(n *binding, values []schema.Value) (*binding, error) {
	for _, r := range n.rules {
		switch {
		case find(values, r.Sent) == nil:
		case r.To == "":
			return nil, malformed("error by rule: events of %s that have %s are errors", quoted(r.Metric), quoted(r.Sent))
		default:
			return b.named(r.To), nil
		}
	}
	return n, nil
}

// Metric is the sent metric name of an event that need not be in order otherwise: the one it names, if that can be
// known, else the URL's, which may be "".
func (b *Binder) Metric(values []schema.Value, urlMetric string) string {
	if n, err := b.bindMetric(values, urlMetric); err == nil {
		return n.dataset.Metric
	}
	return urlMetric
}

// bindMetric finds the event's metric: that of the first metric key it has, else of metrictype, else of the URL.
func (b *Binder) bindMetric(values []schema.Value, urlMetric string) (*binding, error) {
	v := (*schema.Value)(nil)
	for i := range b.keys {
		if v = b.keys[i].in(values); v != nil {
			break
		}
	}
	if v == nil {
		if urlMetric == "" {
			return nil, malformed("metric missing: no %s in the event and no metric in the URL", quotedList(b.metricKeys()))
		}
		return b.named(urlMetric), nil
	}
	var number [32]byte
	text := v.Text
	switch v.Kind {
	case schema.KindText:
	case schema.KindInt, schema.KindNumber:
		text = appendNumberText(number[:0], v)
	default:
		return nil, malformed("metric unreadable: %s is neither text nor a number", quoted(v.Name))
	}
	if len(text) == 0 || len(text) > MaxMetricBytes {
		return nil, malformed("metric unreadable: %s has %d bytes, a metric name has 1 to %d", quoted(v.Name), len(text), MaxMetricBytes)
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, malformed("metric unreadable: %s has U+0000, which no name in SQL has", quoted(v.Name))
	}
	return b.named(textOf(text)), nil
}

// named finds the binding of a sent metric name, which is not kept.
func (b *Binder) named(sent string) *binding {
	if b.last == nil || b.last.dataset.Metric != sent {
		b.last = b.find(sent)
	}
	return b.last
}

// find is named for another name than the last.
func (b *Binder) find(sent string) *binding {
	if n, ok := b.declared[sent]; ok {
		return n
	}
	if n, ok := b.undeclared.Get(sent); ok {
		return n
	}
	name := strings.Clone(sent)
	n := b.binding(name, nil)
	b.undeclared.Add(name, n)
	return n
}

// metricKeys are the names that can give the metric, in order.
func (b *Binder) metricKeys() []string {
	return append(slices.Clone(b.snapshot.MetricKeys), metricKey)
}

// timeNames are the fields that may give the time, for a reason.
func (n *binding) timeNames() []string {
	names := make([]string, len(n.times))
	for i := range n.times {
		names[i] = n.times[i].name
	}
	return names
}

func quotedList(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = quoted(name)
	}
	return strings.Join(list, ", ")
}

// appendValueText appends a value as it reads in a message.
func appendValueText(dst []byte, v *schema.Value) []byte {
	switch v.Kind {
	case schema.KindInt, schema.KindNumber:
		return appendNumberText(dst, v)
	case schema.KindBool:
		if v.Int != 0 {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	default:
		return append(dst, v.Text...)
	}
}

// maxBinders is how many versions Binders keeps ready.
const maxBinders = 256

// Binders keeps a Binder for each version of each tenant's schema that is in use. It is for one goroutine.
type Binders struct {
	ready *simplelru.LRU[version, *Binder]
}

type version struct {
	tenant string
	number uint64
}

// NewBinders makes an empty Binders.
func NewBinders() *Binders {
	// The size is a constant above zero: the one error New has cannot be.
	ready, _ := simplelru.NewLRU[version, *Binder](maxBinders, nil)
	return &Binders{ready: ready}
}

// Get gives the Binder of a version, if it is ready: the caller then need not load the snapshot.
func (b *Binders) Get(tenant string, number uint64) (*Binder, bool) {
	return b.ready.Get(version{tenant, number})
}

// Add prepares a version and keeps it.
func (b *Binders) Add(snapshot *schema.Snapshot) *Binder {
	n := NewBinder(snapshot)
	b.ready.Add(version{snapshot.Tenant, snapshot.Version}, n)
	return n
}
