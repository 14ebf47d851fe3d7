package profile

import (
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/fieldgate/fieldgate/schema"
)

const (
	// maxNames is how many names of a dataset have a profile: the first seen.
	maxNames = 2000
	// maxTogether is how many of them it is remembered of which came together.
	maxTogether = 256
	// maxShapes is how many shapes of events are remembered.
	maxShapes = 8
)

// live is the profile of one dataset's events in one shard, as they come.
type live struct {
	dataset schema.Dataset
	// stored is used by the shard's goroutine alone.
	stored storedProfile
	// used orders the profiles of a shard by when an event last came.
	used uint64

	mu     sync.Mutex // guards what follows
	events int64
	names  []*name
	byName map[string]*name
	shapes []*shape
	sample sample
	dirty  bool
	// scratch is the shape of an event that is not remembered.
	scratch shape
}

// name is what a dataset's values under a name are like.
type name struct {
	sent  string
	index int
	// kinds are in the order of schema.Kinds; nil: none was sent.
	kinds   [len(schema.Kinds)]*kind
	numbers *running // nil: no number was sent
	// together has a bit for each of the first names that came in one event with it.
	together [maxTogether / 64]uint64
}

// shape is the names and kinds of an event's values, found.
type shape struct {
	fields []shapeField
}

type shapeField struct {
	sent  string
	kind  schema.Kind
	name  *name // nil: it has no profile
	value *kind
}

func newLive(ds schema.Dataset) *live {
	return &live{
		dataset: schema.Dataset{
			Tenant: strings.Clone(ds.Tenant), Namespace: strings.Clone(ds.Namespace),
			Metric: strings.Clone(ds.Metric), Generation: ds.Generation,
		},
		byName: map[string]*name{},
		sample: newSample(),
	}
}

// note takes an event. Nothing of it is kept.
func (l *live) note(e *schema.Event, casts *castCache) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events++
	l.dirty = true
	sh, stratum := l.shapeOf(e.Values)
	for i := range sh.fields {
		f := &sh.fields[i]
		if f.name == nil {
			continue
		}
		v := &e.Values[i]
		f.value.note(v, e.ReceivedAt, casts)
		if x, ok := numberOf(v); ok && f.name.numbers != nil {
			f.name.numbers.add(x)
		}
	}
	priority := readUint64(e.Hash[:8])
	if priority < l.sample.limits[stratum] {
		l.take(sh, e, l.sample.place(sampleRow{priority: priority, time: e.Time, stratum: uint8(stratum)}))
	}
}

// numberOf is a value as a number, if it is one.
func numberOf(v *schema.Value) (float64, bool) {
	switch v.Kind {
	case schema.KindInt:
		return float64(v.Int), true
	case schema.KindNumber:
		return v.Num, true
	default:
		return 0, false
	}
}

// take puts an event's numbers into a row of the sample.
func (l *live) take(sh *shape, e *schema.Event, row int) {
	for _, n := range l.names {
		if n.numbers != nil {
			n.numbers.column[row] = float32(math.NaN())
		}
	}
	for i := range sh.fields {
		n := sh.fields[i].name
		if n == nil || n.numbers == nil {
			continue
		}
		if x, ok := numberOf(&e.Values[i]); ok && math.Abs(x) <= math.MaxFloat32 {
			n.numbers.column[row] = float32(x)
		}
	}
}

// shapeOf finds or makes the shape of values, and the stratum of the sample that
// it belongs to.
func (l *live) shapeOf(values []schema.Value) (*shape, int) {
	for i, sh := range l.shapes {
		if sh.matches(values) {
			return sh, i
		}
	}
	sh := &l.scratch
	if len(l.shapes) < maxShapes {
		sh = &shape{}
		l.shapes = append(l.shapes, sh)
	}
	l.fill(sh, values)
	for i, known := range l.shapes {
		if known == sh {
			return sh, i
		}
	}
	return sh, maxShapes
}

func (sh *shape) matches(values []schema.Value) bool {
	if len(sh.fields) != len(values) {
		return false
	}
	for i := range values {
		if f, v := &sh.fields[i], &values[i]; f.kind != v.Kind || f.sent != v.Name {
			return false
		}
	}
	return true
}

// fill makes sh the shape of values, and notes which names came together.
func (l *live) fill(sh *shape, values []schema.Value) {
	sh.fields = sh.fields[:0]
	var present [maxTogether / 64]uint64
	for i := range values {
		v := &values[i]
		f := shapeField{sent: v.Name, kind: v.Kind}
		var n *name
		if schema.CanBeNamed(v.Name) {
			n = l.nameOf(v.Name)
		}
		if n != nil {
			f.sent, f.name, f.value = n.sent, n, n.kindOf(v.Kind)
			if n.index < maxTogether {
				present[n.index/64] |= 1 << (n.index % 64)
			}
		} else if sh != &l.scratch {
			f.sent = strings.Clone(v.Name)
		}
		sh.fields = append(sh.fields, f)
	}
	for i := range sh.fields {
		if n := sh.fields[i].name; n != nil {
			for w := range present {
				n.together[w] |= present[w]
			}
		}
	}
}

// nameOf finds or makes a name; nil if there are too many.
func (l *live) nameOf(sent string) *name {
	if n, ok := l.byName[sent]; ok {
		return n
	}
	if len(l.names) >= maxNames {
		return nil
	}
	n := &name{sent: strings.Clone(sent), index: len(l.names)}
	l.names = append(l.names, n)
	l.byName[n.sent] = n
	return n
}

func (n *name) kindOf(k schema.Kind) *kind {
	i := slices.Index(schema.Kinds[:], k)
	if n.kinds[i] == nil {
		n.kinds[i] = &kind{kind: k}
	}
	if (k == schema.KindInt || k == schema.KindNumber) && n.numbers == nil {
		n.numbers = newRunning()
	}
	return n.kinds[i]
}

// bytes is about what the profile takes in memory.
func (l *live) bytes() int {
	const perProfile, perName, perKind, perNumbers, perSize = 8 << 10, 200, 264, 128 + 4*sampleRows, 12
	total := perProfile
	for _, n := range l.names {
		total += perName + len(n.sent)
		for _, k := range n.kinds {
			if k != nil {
				total += perKind + k.distinct.bytes() + perSize*len(k.sizes.of) + cap(k.latest.text)
			}
		}
		if n.numbers != nil {
			total += perNumbers
		}
	}
	return total
}
