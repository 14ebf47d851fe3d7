package lake

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
)

// The shape of a row is which names it has. Devices of one generation send the
// same names, so a dataset has a few shapes, each of many rows. A column that is
// NULL in every other row takes an engine five to nine times as long to read as
// a full one, and a name that a file does not have takes no time at all. So rows
// are put by their shapes: large ones have files of their own, and in a row
// group rows of one shape stand together. A field of several sources then is
// mostly a plain column.

const (
	// shapeNames is how many names tell shapes apart: the bits of a word.
	shapeNames = 64
	// rareShare is where a name stops to tell shapes that get files of their own:
	// one row in so many that has it, or that lacks it, may be chance.
	rareShare = 16
	// minPieceRows is how many rows a file of one shape has at least.
	minPieceRows = rowGroupRows / 4
	// maxPieces is how many files one stretch of time is divided into at most. A
	// narrow query reads all of them.
	maxPieces = 4
	// minGroupRows is how many rows a full row group of a piece has at least.
	minGroupRows = 20_480
)

// shape has a bit for each name that tells shapes apart. The highest bits are of
// the names that divide the rows most evenly.
type shape uint64

const everyName = ^shape(0)

// shapes are those of a file's rows.
type shapes struct {
	// of has, by batch and row, which names a row has; those of names make its shape.
	of    [][]shape
	names shape
	// counts are the rows of each shape; there is but one if no name is missing in
	// some rows and present in others.
	counts map[shape]int
}

// at is the shape of a row.
func (s *shapes) at(r Row) shape { return s.of[r.Batch][r.Row] & s.names }

// shapesOf tells shapes by the names that at least one row in rare has, and one
// in rare lacks; all rows have one shape if there is no such name.
func shapesOf(f *fileRows, rare int) *shapes {
	least := max(1, len(f.order)/rare)
	var names []*sentName
	for _, n := range f.names() {
		if n.present >= least && n.present <= len(f.order)-least {
			names = append(names, n)
		}
	}
	s := &shapes{names: everyName, counts: map[shape]int{}}
	if len(names) == 0 {
		return s
	}
	uneven := func(n *sentName) int { return max(2*n.present-len(f.order), len(f.order)-2*n.present) }
	slices.SortFunc(names, func(a, b *sentName) int {
		return cmp.Or(cmp.Compare(uneven(a), uneven(b)), cmp.Compare(a.name, b.name))
	})
	names = names[:min(shapeNames, len(names))]
	s.of = make([][]shape, len(f.batches))
	for b, taken := range f.taken {
		if taken == nil {
			continue
		}
		s.of[b] = make([]shape, f.batches[b].Rows)
		for i, n := range names {
			n.mark(b, taken, s.of[b], 1<<(shapeNames-1-i))
		}
	}
	for _, r := range f.order {
		s.counts[s.at(r)]++
	}
	return s
}

// mark sets a bit of every taken row of a batch that has the name.
func (n *sentName) mark(batch int, taken []uint64, of []shape, bit shape) {
	for _, c := range n.kinds {
		from := c.from[batch]
		if from == nil {
			continue
		}
		for w, word := range taken {
			for has := word & from.Valid[w]; has != 0; has &= has - 1 {
				of[w*64+bits.TrailingZeros64(has)] |= bit
			}
		}
	}
}

// pieces divides the rows of a stretch of time into those of files: one for each
// of the shapes with many rows, and one for all others. It keeps their order.
func pieces(f *fileRows) [][]Row {
	if len(f.order) < 2*minPieceRows {
		return [][]Row{f.order}
	}
	s := shapesOf(f, rareShare)
	large, left := s.large(len(f.order))
	if left > 0 && len(s.counts) > 1 {
		s.tellBy(f, s.alternatives(f))
		if fewer, rest := s.large(len(f.order)); rest < left {
			large = fewer
		} else {
			s.names = everyName
		}
	}
	if len(large) == 0 {
		return [][]Row{f.order}
	}
	place := map[shape]int{}
	for i, one := range large {
		place[one] = i + 1
	}
	divided := make([][]Row, len(large)+1) // the first has the other shapes
	for _, r := range f.order {
		at := place[s.at(r)]
		divided[at] = append(divided[at], r)
	}
	return slices.DeleteFunc(divided, func(rows []Row) bool { return len(rows) == 0 })
}

// sampledRows is how many rows tell which names are alternatives.
const sampledRows = 4096

// alternatives are the bits of names that hardly ever come together with some other
// one, as the names that generations of devices have for one field do. Names that
// come with any of them, as an alarm does, make shapes too many and no field plainer.
func (s *shapes) alternatives(f *fileRows) shape {
	var present [shapeNames]int
	var together [shapeNames][shapeNames]int
	for i := 0; i < len(f.order); i += 1 + len(f.order)/sampledRows {
		for a := uint64(s.at(f.order[i])); a != 0; a &= a - 1 {
			at := bits.TrailingZeros64(a)
			present[at]++
			for b := a & (a - 1); b != 0; b &= b - 1 {
				together[at][bits.TrailingZeros64(b)]++
			}
		}
	}
	var out shape
	for a := range present {
		for b := a + 1; b < shapeNames; b++ {
			if least := min(present[a], present[b]); least > 0 && together[a][b]*rareShare < least {
				out |= 1<<a | 1<<b
			}
		}
	}
	return out
}

// tellBy counts the shapes anew, told by names of these bits alone.
func (s *shapes) tellBy(f *fileRows, names shape) {
	s.names = names
	clear(s.counts)
	for _, r := range f.order {
		s.counts[s.at(r)]++
	}
}

// large are the shapes that get a file of their own, those with most rows first, and
// how many rows are left over: none, enough for a file, or all.
func (s *shapes) large(rows int) (large []shape, left int) {
	for one, n := range s.counts {
		if n >= minPieceRows {
			large = append(large, one)
		}
	}
	slices.SortFunc(large, func(a, b shape) int { return cmp.Or(cmp.Compare(s.counts[b], s.counts[a]), cmp.Compare(a, b)) })
	left = rows
	for _, one := range large {
		left -= s.counts[one]
	}
	for len(large) > 0 && (left > 0 && (left < minPieceRows || len(large) == maxPieces) || len(large) > maxPieces) {
		left += s.counts[large[len(large)-1]]
		large = large[:len(large)-1]
	}
	if left == 0 && len(large) == 1 {
		return nil, rows
	}
	return large, left
}

// groupRows is how many rows a row group has, where that many files have the rows
// of one stretch of time: a narrow query reads a row group of each.
func groupRows(pieces int) int { return max(minGroupRows, rowGroupRows/pieces) }

// gather puts the rows of each row group by their shapes, and else leaves them as
// they stand.
func (f *fileRows) gather(perGroup int) {
	s := shapesOf(f, max(1, len(f.order)))
	if len(s.counts) < 2 {
		return
	}
	place := make(map[shape]int, len(s.counts))
	for i, one := range slices.Sorted(maps.Keys(s.counts)) {
		place[one] = i
	}
	gathered := make([]Row, len(f.order))
	places, next := make([]int, min(perGroup, len(f.order))), make([]int, len(place)+1)
	for from := 0; from < len(f.order); from += perGroup {
		group := f.order[from:min(from+perGroup, len(f.order))]
		clear(next)
		for i, r := range group {
			places[i] = place[s.at(r)]
			next[places[i]+1]++
		}
		for i := 1; i < len(next); i++ {
			next[i] += next[i-1]
		}
		for i, r := range group {
			gathered[from+next[places[i]]] = r
			next[places[i]]++
		}
	}
	f.order = gathered
}
