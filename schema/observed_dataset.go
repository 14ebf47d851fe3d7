package schema

import (
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// kindSet is a set of kinds, one bit each in the order of Kinds.
type kindSet uint8

func kindBit(k Kind) kindSet {
	for i, known := range Kinds {
		if k == known {
			return 1 << i
		}
	}
	return 0
}

func (s kindSet) kinds() []Kind {
	out := make([]Kind, 0, len(Kinds))
	for i, k := range Kinds {
		if s&(1<<i) != 0 {
			out = append(out, k)
		}
	}
	return out
}

func kindsOf(list []Kind) kindSet {
	var s kindSet
	for _, k := range list {
		s |= kindBit(k)
	}
	return s
}

// typeOfKind is the type of an undeclared name whose first value has the kind.
func typeOfKind(k Kind) Type {
	switch k {
	case KindInt:
		return Type{Name: "bigint"}
	case KindNumber:
		return Type{Name: "double precision"}
	case KindBool:
		return Type{Name: "boolean"}
	case KindJSON:
		return Type{Name: "jsonb"}
	case KindText:
	}
	return Type{Name: "text"}
}

// settle is the type of an undeclared name after the kinds were seen: nothing
// but bigint ever changes.
func settle(t Type, kinds kindSet) Type {
	if t.Name == "bigint" && kinds&kindBit(KindNumber) != 0 {
		return Type{Name: "double precision"}
	}
	return t
}

// fieldSet is the names of a dataset. It is immutable; appending to list leaves
// what readers of an older set see.
type fieldSet struct {
	byName map[string]fieldEntry
	list   []ObservedField
	// full: names that are not listed are not to be.
	full bool
}

type fieldEntry struct {
	kinds kindSet
	index int
}

// lacks says that the set does not have the value's name and kind and could.
func (s *fieldSet) lacks(v *Value) bool {
	e, ok := s.byName[v.Name]
	if !ok {
		return !s.full
	}
	return e.kinds&kindBit(v.Kind) == 0
}

// observedDataset is what was seen of one dataset.
type observedDataset struct {
	name Dataset
	// fields is replaced whole by who holds mu.
	fields atomic.Pointer[fieldSet]
	// shapes are the names and kinds of a few events that were noted: most events
	// have those of an earlier one, and then no name is looked up. It is replaced
	// whole by who holds mu.
	shapes atomic.Pointer[[]observedShape]
	// seen: this process noted an event.
	seen atomic.Bool
	// events counts what is not in stored yet. first and last are arrival times
	// in microseconds, of all.
	events      atomic.Int64
	first, last atomic.Int64

	mu sync.Mutex // guards what follows
	// news: fields may have what stored has not, or the dataset is not stored.
	news bool
	// stored is what the KV has, as last read or written.
	stored storedDataset

	// io is held during reads and writes of the KV; readAt is used within.
	io     gate
	readAt time.Time
}

// storedDataset is what the KV has of a dataset.
type storedDataset struct {
	version uint64 // of the document of counts, 0 if there is none
	events  int64
	chunks  []fieldChunk
}

func newObservedDataset(ds Dataset) *observedDataset {
	d := &observedDataset{
		name: Dataset{
			Tenant:     strings.Clone(ds.Tenant),
			Namespace:  strings.Clone(ds.Namespace),
			Metric:     strings.Clone(ds.Metric),
			Generation: ds.Generation,
		},
		io: newGate(),
	}
	d.fields.Store(&fieldSet{byName: map[string]fieldEntry{}})
	d.first.Store(math.MaxInt64)
	d.last.Store(math.MinInt64)
	return d
}

// count counts one event that arrived at a time.
func (d *observedDataset) count(at int64) {
	d.events.Add(1)
	d.widen(at, at)
}

// widen makes first and last hold the range.
func (d *observedDataset) widen(first, last int64) {
	for {
		seen := d.first.Load()
		if first >= seen || d.first.CompareAndSwap(seen, first) {
			break
		}
	}
	for {
		seen := d.last.Load()
		if last <= seen || d.last.CompareAndSwap(seen, last) {
			break
		}
	}
}

// learn takes the event's names and kinds, up to limit names, and counts in news
// if any was new. It counts before it shows them: who finds a name known finds
// it counted.
func (d *observedDataset) learn(e *Event, limit int, news *atomic.Uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.fields.Load()
	b := old.builder(limit)
	for i := range e.Values {
		if v := &e.Values[i]; old.lacks(v) {
			b.add(ObservedField{
				Sent:      v.Name,
				Type:      typeOfKind(v.Kind),
				FirstSeen: time.UnixMicro(e.ReceivedAt).UTC(),
			}, kindBit(v.Kind))
		}
	}
	if b.changed || !d.seen.Load() {
		d.news = true
		news.Add(1)
	}
	d.fields.Store(b.set())
	d.seen.Store(true)
}

// hasNews says that names or kinds are not stored yet.
func (d *observedDataset) hasNews() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.news
}

// isDirty says that anything is not stored yet.
func (d *observedDataset) isDirty() bool {
	return d.hasNews() || d.events.Load() != 0
}

// metric gives the counts, stored and not; seen is false for a dataset that was
// only asked for.
func (d *observedDataset) metric() (m ObservedMetric, seen bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	events := d.stored.events + d.events.Load()
	if d.stored.version == 0 && events == 0 {
		return ObservedMetric{}, false
	}
	return ObservedMetric{
		Sent:      d.name.Metric,
		Events:    events,
		FirstSeen: time.UnixMicro(d.first.Load()).UTC(),
		LastSeen:  time.UnixMicro(d.last.Load()).UTC(),
	}, true
}

// fieldSetBuilder makes the next fieldSet.
type fieldSetBuilder struct {
	old     *fieldSet
	byName  map[string]fieldEntry
	list    []ObservedField
	limit   int
	shared  bool // list still shares its elements with old
	changed bool
}

func (s *fieldSet) builder(limit int) *fieldSetBuilder {
	return &fieldSetBuilder{old: s, list: s.list, limit: limit, shared: true}
}

func (b *fieldSetBuilder) find(name string) (fieldEntry, bool) {
	byName := b.byName
	if byName == nil {
		byName = b.old.byName
	}
	e, ok := byName[name]
	return e, ok
}

// add takes a name with kinds. Of a name that is there the kinds are joined.
func (b *fieldSetBuilder) add(f ObservedField, kinds kindSet) {
	e, known := b.find(f.Sent)
	if known && e.kinds|kinds == e.kinds || !known && len(b.list) >= b.limit {
		return
	}
	if b.byName == nil {
		b.byName = make(map[string]fieldEntry, len(b.old.byName)+1)
		for name, e := range b.old.byName {
			b.byName[name] = e
		}
	}
	b.changed = true
	if !known {
		f.Sent = strings.Clone(f.Sent)
		f.Type, f.Kinds, f.Order = settle(f.Type, kinds), kinds.kinds(), len(b.list)
		b.byName[f.Sent] = fieldEntry{kinds: kinds, index: len(b.list)}
		b.list = append(b.list, f)
		return
	}
	if b.shared {
		b.list, b.shared = slices.Clone(b.list), false
	}
	e.kinds |= kinds
	b.byName[f.Sent] = e
	at := &b.list[e.index]
	at.Type, at.Kinds = settle(at.Type, e.kinds), e.kinds.kinds()
}

func (b *fieldSetBuilder) set() *fieldSet {
	if !b.changed {
		same := *b.old
		same.full = len(b.list) >= b.limit
		return &same
	}
	return &fieldSet{byName: b.byName, list: b.list, full: len(b.list) >= b.limit}
}
