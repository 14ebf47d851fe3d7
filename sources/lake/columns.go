package lake

import (
	"bytes"
	"cmp"
	"math"
	"math/bits"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// maxOwnColumns is how many undeclared names get columns of their own in a file:
// 200 make writing eight times slower, and few readers ask for the rare ones.
const maxOwnColumns = 64

// maxExactInt is the greatest integer up to which a double cannot be told from the
// integer: as text it has an exponent from here on, and as a numeric it has 15 digits.
const maxExactInt = 1e15 - 1

// fileRows are the rows of a file, in its order.
type fileRows struct {
	batches []*sources.Batch
	order   []Row
	// taken has, by batch, a bit for each row that is in the file; nil if none is.
	taken [][]uint64
}

func newFileRows(batches []*sources.Batch, order []Row) *fileRows {
	f := &fileRows{batches: batches, order: order, taken: make([][]uint64, len(batches))}
	for _, r := range order {
		t := f.taken[r.Batch]
		if t == nil {
			t = make([]uint64, (batches[r.Batch].Rows+63)/64)
			f.taken[r.Batch] = t
		}
		t[r.Row/64] |= 1 << (r.Row % 64)
	}
	return f
}

// count is the number of the file's rows that have a value in a batch's column.
func (f *fileRows) count(batch int, c *sources.Column) int {
	n := 0
	for i, taken := range f.taken[batch] {
		n += bits.OnesCount64(taken & c.Valid[i])
	}
	return n
}

// outColumn is one field column of a file: the batch columns it is made of, one
// a batch, nil where the batch has none.
type outColumn struct {
	sent string
	kind schema.Kind
	name string
	from []*sources.Column
	// present counts the file's rows that have a value in it.
	present int
	// ints, of a KindNumber column, are integers written as doubles.
	ints []*sources.Column
}

// layout decides the columns of a file.
type layout struct {
	own  []outColumn // sorted by physical name
	more []outColumn // those in _more, sorted
}

// sentName gathers what a file has of one sent name.
type sentName struct {
	name    string
	present int // rows that have it
	kinds   map[schema.Kind]*outColumn
}

// names gathers what the file has, by sent name.
func (f *fileRows) names() map[string]*sentName {
	names := map[string]*sentName{}
	for b, batch := range f.batches {
		for i := range batch.Columns {
			c := &batch.Columns[i]
			if n := f.count(b, c); n > 0 {
				nameOf(names, c.Sent).add(b, len(f.batches), c, n)
			}
		}
	}
	return names
}

// planLayout gives own columns to the declared names and to the most present
// others.
func planLayout(f *fileRows, declared map[string]bool) layout {
	names := f.names()
	ranked := make([]*sentName, 0, len(names))
	for _, n := range names {
		n.unifyNumbers(f)
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

func nameOf(names map[string]*sentName, sent string) *sentName {
	n := names[sent]
	if n == nil {
		n = &sentName{name: sent, kinds: map[schema.Kind]*outColumn{}}
		names[sent] = n
	}
	return n
}

func (n *sentName) add(batch, batches int, c *sources.Column, count int) {
	out := n.kinds[c.Kind]
	if out == nil {
		out = &outColumn{sent: c.Sent, kind: c.Kind, name: c.Name, from: make([]*sources.Column, batches)}
		n.kinds[c.Kind] = out
	}
	out.from[batch] = c
	out.present += count
	n.present += count
}

// unifyNumbers writes integers into the column of doubles if the file has both
// of the name and every integer reads as the double does: nobody can see it, and a
// reader needs no coalesce.
func (n *sentName) unifyNumbers(f *fileRows) {
	ints, nums := n.kinds[schema.KindInt], n.kinds[schema.KindNumber]
	if ints == nil || nums == nil {
		return
	}
	for b, c := range ints.from {
		if c == nil {
			continue
		}
		for r, v := range c.Ints {
			inexact := v > maxExactInt || v < -maxExactInt
			if inexact && f.taken[b][r/64]&c.Valid[r/64]&(1<<(r%64)) != 0 {
				return
			}
		}
	}
	nums.ints = ints.from
	nums.present += ints.present
	delete(n.kinds, schema.KindInt)
}

// number reads row r of a KindNumber column as a double.
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

// integer reads row r of a KindInt or KindBool column.
func (c *outColumn) integer(r Row) (int64, bool) {
	if from := c.from[r.Batch]; from != nil && from.IsValid(int(r.Row)) {
		return from.Ints[r.Row], true
	}
	return 0, false
}

// text reads row r of a KindText or KindJSON column.
func (c *outColumn) text(r Row) ([]byte, bool) {
	if from := c.from[r.Batch]; from != nil && from.IsValid(int(r.Row)) {
		return from.Text[from.Offsets[r.Row]:from.Offsets[r.Row+1]], true
	}
	return nil, false
}

// hasZero says that a text in the batches of a KindText column has U+0000.
func (c *outColumn) hasZero() bool {
	return c.kind == schema.KindText && slices.ContainsFunc(c.from, func(from *sources.Column) bool {
		return from != nil && bytes.IndexByte(from.Text, 0) >= 0
	})
}

// longest is the length in bytes of the longest text in the batches of a KindText
// or KindJSON column.
func (c *outColumn) longest() int {
	most := 0
	for _, from := range c.from {
		if from == nil {
			continue
		}
		for i := 1; i < len(from.Offsets); i++ {
			most = max(most, int(from.Offsets[i]-from.Offsets[i-1]))
		}
	}
	return most
}

// stats find the least and greatest value of a numeric column.
type stats struct {
	ints [2]int64
	nums [2]float64
	seen bool
}

func (s *stats) addInt(v int64) {
	if !s.seen {
		s.ints, s.seen = [2]int64{v, v}, true
	}
	s.ints[0], s.ints[1] = min(s.ints[0], v), max(s.ints[1], v)
}

func (s *stats) addNum(v float64) {
	if !s.seen {
		s.nums, s.seen = [2]float64{v, v}, true
	}
	s.nums[0], s.nums[1] = min(s.nums[0], v), max(s.nums[1], v)
}

// of gives the bounds as doubles, and false for a column that has none, or none
// that JSON can hold.
func (s *stats) of(kind schema.Kind) (sources.Stats, bool) {
	switch {
	case !s.seen:
		return sources.Stats{}, false
	case kind == schema.KindInt:
		return sources.Stats{Min: atMost(s.ints[0]), Max: atLeast(s.ints[1])}, true
	default:
		finite := !math.IsInf(s.nums[0], 0) && !math.IsInf(s.nums[1], 0) && !math.IsNaN(s.nums[0])
		return sources.Stats{Min: s.nums[0], Max: s.nums[1]}, finite
	}
}

// twoTo63 is the first double that no int64 equals.
const twoTo63 = 1 << 63

// atMost is the greatest double that is no greater than v.
func atMost(v int64) float64 {
	f := float64(v)
	if f >= twoTo63 || int64(f) > v {
		return math.Nextafter(f, math.Inf(-1))
	}
	return f
}

// atLeast is the least double that is no less than v.
func atLeast(v int64) float64 {
	f := float64(v)
	if f < twoTo63 && int64(f) < v {
		return math.Nextafter(f, math.Inf(1))
	}
	return f
}
