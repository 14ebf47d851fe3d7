package nearline

import (
	"cmp"
	"slices"
	"sync"

	"github.com/fieldgate/fieldgate/sources"
)

// indexAfter is how often a column of a segment is searched before it gets an
// index: making one costs about as much as a hundred searches without.
const indexAfter = 8

// indexBytes is what an index takes a row.
const indexBytes = 4

// indexes find rows of a segment by the value of a column. They are made when a
// column is searched again and again, and only ever of a few columns.
type indexes struct {
	mu sync.Mutex
	// searched counts the searches of a column that has no index.
	searched map[string]int
	// rows are a column's rows that have a value, in the order of those.
	rows map[string][]uint32
	// dropped: the segment has left the tail, and what is made now is nobody's.
	dropped bool
	bytes   int64
}

// lookUp finds the rows that a filter lets through by the column's index, in
// order, if it has one or is worth one.
func (t *Tail) lookUp(s *segment, c *sources.Column, f *sources.ColumnFilter) (rows []uint32, ok bool) {
	if s.indexes == nil {
		return nil, false
	}
	sorted, made := s.indexes.of(c)
	t.memory.add(made)
	if sorted == nil {
		return nil, false
	}
	if f.Texts == nil {
		from, _ := slices.BinarySearchFunc(sorted, f.Min, func(r uint32, v float64) int { return cmp.Compare(numberOf(c, int(r)), v) })
		to := from
		for to < len(sorted) && numberOf(c, int(sorted[to])) <= f.Max {
			to++
		}
		rows = slices.Clone(sorted[from:to])
	}
	for i, text := range f.Texts {
		if slices.Contains(f.Texts[:i], text) {
			continue
		}
		from, _ := slices.BinarySearchFunc(sorted, text, func(r uint32, v string) int { return compareText(textOf(c, int(r)), v) })
		for to := from; to < len(sorted) && string(textOf(c, int(sorted[to]))) == text; to++ {
			rows = append(rows, sorted[to])
		}
	}
	slices.Sort(rows)
	return rows, true
}

func compareText(text []byte, v string) int {
	switch {
	case string(text) < v:
		return -1
	case string(text) > v:
		return 1
	}
	return 0
}

// of is the index of a column; nil: it has none yet. made are the bytes of one
// that was made just now.
func (x *indexes) of(c *sources.Column) (sorted []uint32, made int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if sorted, ok := x.rows[c.Name]; ok {
		return sorted, 0
	}
	if x.searched == nil {
		x.searched, x.rows = map[string]int{}, map[string][]uint32{}
	}
	x.searched[c.Name]++
	if x.dropped || x.searched[c.Name] <= indexAfter {
		return nil, 0
	}
	sorted = make([]uint32, 0, c.Count())
	for r := range uint32(len(c.Valid) * 64) {
		if c.IsValid(int(r)) {
			sorted = append(sorted, r)
		}
	}
	slices.SortStableFunc(sorted, func(a, b uint32) int { return compareRows(c, a, b) })
	x.rows[c.Name] = sorted
	made = indexBytes * int64(len(sorted))
	x.bytes += made
	return sorted, made
}

// drop says that the segment leaves the tail, and gives what its indexes take.
func (x *indexes) drop() int64 {
	if x == nil {
		return 0
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.dropped = true
	return x.bytes
}
