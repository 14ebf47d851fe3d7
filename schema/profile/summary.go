package profile

import (
	"math"
	"slices"
	"time"

	"github.com/fieldgate/fieldgate/schema"
)

// Summary is what was counted of a dataset.
type Summary struct {
	Events int64
	Fields []Field
	// Rows are a sample of the events. Shapes of events that are rare have a greater
	// share of it than of the events.
	Rows     []Row
	together [][]uint64
}

// Field is a sent name.
type Field struct {
	Sent string
	// Kinds are those that were sent, in the order of schema.Kinds.
	Kinds   []Kind
	Numbers Numbers
}

// Row is an event of the sample.
type Row struct {
	// Time is the event's, in microseconds since 1970 UTC.
	Time int64
	// Values has the numbers, by a field's place in the Summary; NaN: none.
	Values []float64
}

// Kind is what a field's values of one kind are like.
type Kind struct {
	Kind   schema.Kind
	Events int64
	// FirstSeen and LastSeen are arrival times.
	FirstSeen, LastSeen time.Time
	// Distinct is about how many different values there were.
	Distinct int64
	// Min and Max are as PostgreSQL writes values; texts are cut to 64 bytes. JSON and
	// texts that all have U+0000 have none, which Bounded says.
	Min, Max string
	Bounded  bool
	casts    []castCount
	sizes    magnitudes
}

// Castable counts the values that cast to each type. Types to which none does
// are left out, and text, to which all do but those with U+0000.
func (k *Kind) Castable() map[string]int64 {
	out := map[string]int64{}
	for _, c := range k.casts {
		for i, t := range castTypes {
			if c.set&(1<<i) != 0 {
				out[t] += c.n
			}
		}
	}
	return out
}

// CastFailures is how many values a field of a type reads as NULL, because
// PostgreSQL would refuse the cast. Where it is not known what the precision of a
// numeric refuses, that is not counted, and it is not exact.
func (k *Kind) CastFailures(t schema.Type) (n int64, exact bool) {
	i := slices.Index(castTypes[:], t.Name)
	cast := int64(0)
	for _, c := range k.casts {
		text := i < 0 && c.set != castNoText // also varchar
		if text || i >= 0 && c.set&(1<<i) != 0 {
			cast += c.n
		}
	}
	if i < 0 {
		return k.Events - cast, true
	}
	if t.Name != "numeric" || t.Precision == 0 {
		return k.Events - cast, true
	}
	over, exact := k.sizes.overflows(t.Precision, t.Scale, cast)
	return k.Events - cast + over, exact
}

// CastFailures is how many values of all kinds are known to be read as NULL by a
// field of a type.
func (f *Field) CastFailures(t schema.Type) int64 {
	failed := int64(0)
	for i := range f.Kinds {
		n, _ := f.Kinds[i].CastFailures(t)
		failed += n
	}
	return failed
}

// Events counts the events that had the name.
func (f *Field) Events() int64 {
	n := int64(0)
	for i := range f.Kinds {
		n += f.Kinds[i].Events
	}
	return n
}

// ByName has the fields by their names.
func (s *Summary) ByName() map[string]*Field {
	out := make(map[string]*Field, len(s.Fields))
	for i := range s.Fields {
		out[s.Fields[i].Sent] = &s.Fields[i]
	}
	return out
}

// Kind finds what a kind's values are like; nil if none was counted.
func (f *Field) Kind(k schema.Kind) *Kind {
	if f == nil {
		return nil
	}
	for i := range f.Kinds {
		if f.Kinds[i].Kind == k {
			return &f.Kinds[i]
		}
	}
	return nil
}

// Together says that two fields came in one event, or that this is not known.
func (s *Summary) Together(a, b int) bool {
	if s.together == nil {
		return true
	}
	return a >= maxTogether || b >= maxTogether || s.together[a][b/64]>>(b%64)&1 != 0
}

// merger makes a Summary of profiles.
type merger struct {
	events   int64
	names    []*merged
	byName   map[string]int
	together [][]uint64
	rows     []Row
}

type merged struct {
	sent    string
	kinds   [len(schema.Kinds)]*kind
	numbers Numbers
}

func newMerger() *merger { return &merger{byName: map[string]int{}} }

// add takes a profile, of which nothing is kept.
func (m *merger) add(l *live) {
	m.events += l.events
	places := make([]int, len(l.names))
	for i, n := range l.names {
		at, ok := m.byName[n.sent]
		if !ok {
			at = len(m.names)
			m.byName[n.sent] = at
			m.names = append(m.names, &merged{sent: n.sent})
			m.together = append(m.together, make([]uint64, maxTogether/64))
		}
		places[i] = at
		of := m.names[at]
		for k, from := range n.kinds {
			if from == nil || from.events == 0 {
				continue
			}
			if of.kinds[k] == nil {
				of.kinds[k] = &kind{kind: from.kind}
			}
			of.kinds[k].merge(from)
		}
		if n.numbers != nil {
			of.numbers.merge(n.numbers.numbers())
		}
	}
	for i, n := range l.names {
		for j := range min(len(l.names), maxTogether) {
			if n.together[j/64]>>(j%64)&1 != 0 && places[j] < maxTogether {
				m.together[places[i]][places[j]/64] |= 1 << (places[j] % 64)
			}
		}
	}
	for row, r := range l.sample.rows {
		values := make([]float64, 0, len(m.names))
		for i, n := range l.names {
			if n.numbers == nil {
				continue
			}
			for len(values) <= places[i] {
				values = append(values, math.NaN())
			}
			values[places[i]] = float64(n.numbers.column[row])
		}
		m.rows = append(m.rows, Row{Time: r.time, Values: values})
	}
}

func (m *merger) summary() *Summary {
	s := &Summary{Events: m.events, Rows: m.rows, together: m.together}
	for _, n := range m.names {
		f := Field{Sent: n.sent, Numbers: n.numbers}
		for _, k := range n.kinds {
			if k == nil {
				continue
			}
			low, high := k.text()
			f.Kinds = append(f.Kinds, Kind{
				Kind: k.kind, Events: k.events, FirstSeen: time.UnixMicro(k.firstSeen).UTC(), LastSeen: time.UnixMicro(k.lastSeen).UTC(),
				Distinct: k.distinct.estimate(), Min: low, Max: high, Bounded: k.kind != schema.KindJSON && (k.kind != schema.KindText || k.edges.texts), casts: k.casts, sizes: k.sizes,
			})
		}
		s.Fields = append(s.Fields, f)
	}
	for i := range s.Rows {
		for len(s.Rows[i].Values) < len(s.Fields) {
			s.Rows[i].Values = append(s.Rows[i].Values, math.NaN())
		}
	}
	return s
}
