package lake

import (
	"cmp"
	"math"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// maxOwnColumns is how many undeclared names get columns of their own in a file:
// 200 make writing eight times slower, and few readers ask for the rare ones.
const maxOwnColumns = 64

// maxExactInt is the greatest integer up to which a double holds every one.
const maxExactInt = 1 << 53

// Row is a row of a list of batches.
type Row struct {
	Batch, Row uint32
}

// outColumn is one field column of a file: the batch columns it is made of, one
// a batch, nil where the batch has none.
type outColumn struct {
	sent string
	kind schema.Kind
	name string
	from []*sources.Column
	// ints, of a KindNumber column, are integers written as doubles.
	ints []*sources.Column
}

// layout decides the columns of a file.
type layout struct {
	own  []outColumn // sorted by physical name
	more []outColumn // those in _more, sorted
}

// sentName gathers what the batches have of one sent name.
type sentName struct {
	name    string
	present int
	kinds   map[schema.Kind]*outColumn
}

// planLayout gives own columns to the declared names and to the most present
// others. Presence counts the rows of the whole batches, whether the file takes
// all of them or not; it only ranks.
func planLayout(batches []*sources.Batch, declared map[string]bool) layout {
	names := map[string]*sentName{}
	for b, batch := range batches {
		for i := range batch.Columns {
			c := &batch.Columns[i]
			n := names[c.Sent]
			if n == nil {
				n = &sentName{name: c.Sent, kinds: map[schema.Kind]*outColumn{}}
				names[c.Sent] = n
			}
			out := n.kinds[c.Kind]
			if out == nil {
				out = &outColumn{sent: c.Sent, kind: c.Kind, name: c.Name, from: make([]*sources.Column, len(batches))}
				n.kinds[c.Kind] = out
			}
			out.from[b] = c
			n.present += c.Count()
		}
	}
	ranked := make([]*sentName, 0, len(names))
	for _, n := range names {
		n.unifyNumbers()
		ranked = append(ranked, n)
	}
	slices.SortFunc(ranked, func(a, b *sentName) int {
		return cmp.Or(cmp.Compare(b.present, a.present), cmp.Compare(a.name, b.name))
	})
	var l layout
	others := 0
	for _, n := range ranked {
		own := declared[n.name]
		if !own && others < maxOwnColumns {
			own = true
			others++
		}
		for _, out := range n.kinds {
			if own {
				l.own = append(l.own, *out)
			} else {
				l.more = append(l.more, *out)
			}
		}
	}
	byName := func(a, b outColumn) int { return cmp.Compare(a.name, b.name) }
	slices.SortFunc(l.own, byName)
	slices.SortFunc(l.more, byName)
	return l
}

// unifyNumbers writes integers into the column of doubles if the name has both
// kinds and every integer is exact in a double: nobody can see it, and a reader
// needs no coalesce.
func (n *sentName) unifyNumbers() {
	ints, nums := n.kinds[schema.KindInt], n.kinds[schema.KindNumber]
	if ints == nil || nums == nil {
		return
	}
	for _, c := range ints.from {
		if c == nil {
			continue
		}
		for _, v := range c.Ints {
			if v > maxExactInt || v < -maxExactInt {
				return
			}
		}
	}
	nums.ints = ints.from
	delete(n.kinds, schema.KindInt)
}

// number reads row r as a double: of the column itself or of its integers.
func (c *outColumn) number(r Row) (float64, bool) {
	if from := c.from[r.Batch]; from != nil && from.IsValid(int(r.Row)) {
		return from.Nums[r.Row], true
	}
	if c.ints != nil {
		if from := c.ints[r.Batch]; from != nil && from.IsValid(int(r.Row)) {
			return float64(from.Ints[r.Row]), true
		}
	}
	return 0, false
}

// stats finds the least and greatest value of a numeric column.
func (c *outColumn) stats(order []Row) (sources.Stats, bool) {
	s := sources.Stats{Min: math.Inf(1), Max: math.Inf(-1)}
	for _, r := range order {
		var v float64
		var ok bool
		switch c.kind {
		case schema.KindNumber:
			v, ok = c.number(r)
		case schema.KindInt:
			if from := c.from[r.Batch]; from != nil && from.IsValid(int(r.Row)) {
				v, ok = float64(from.Ints[r.Row]), true
			}
		default:
			return s, false
		}
		if ok {
			s.Min, s.Max = min(s.Min, v), max(s.Max, v)
		}
	}
	return s, s.Min <= s.Max
}
