package nearline

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// selectRows gives the rows of a segment that lie past the watermarks and that
// the filter lets through, or some more of the latter: nil is all rows. ok is
// false if there are none.
func (t *Tail) selectRows(s *segment, past sources.Watermarks, filter sources.Filter) (rows []uint32, ok bool) {
	b := s.batch
	if !b.Times.Overlaps(filter.Bounds) {
		return nil, false
	}
	var tests []func(r int) bool
	found := false // by an index
	for i := range filter.Columns {
		f := &filter.Columns[i]
		c, says := columnFor(b, f)
		switch {
		case !says:
			continue
		case c == nil:
			return nil, false // it is null in all rows
		}
		test := matcher(c, f)
		if !rare(b.Rows, fewPass, test) {
			continue // the statement has the condition too, and tests it faster
		}
		if !found {
			if rows, found = t.lookUp(s, c, f); found {
				continue
			}
		}
		tests = append(tests, test)
	}
	if narrow := len(tests) > 0 || found; filter.Bounds.Min > b.Times.Min || filter.Bounds.Max < b.Times.Max {
		inTime := func(r int) bool { return filter.Bounds.Contains(b.TS[r]) }
		if narrow || rare(b.Rows, 2, inTime) {
			tests = append(tests, inTime)
		}
	}
	if past != nil {
		tests = append(tests, func(r int) bool { return !covered(&b.Positions[r], past) })
	}
	if len(tests) == 0 {
		return rows, !found || len(rows) > 0
	}
	if found {
		rows = slices.DeleteFunc(rows, func(r uint32) bool { return !allHold(tests, int(r)) })
		return rows, len(rows) > 0
	}
	for r := range b.Rows {
		if allHold(tests, r) {
			rows = append(rows, uint32(r))
		}
	}
	return rows, len(rows) > 0
}

func allHold(tests []func(r int) bool, r int) bool {
	for _, test := range tests {
		if !test(r) {
			return false
		}
	}
	return true
}

// fewPass is of how many rows one passes a condition on a column, or fewer, for it to
// be tested here.
const fewPass = 8

// rare says that at most one of so many rows of a sample pass a test: then a list of
// those is worth its making.
func rare(rows, of int, test func(r int) bool) bool {
	const sample = 64
	step := rows/sample | 1 // odd, since devices often take turns
	passed, looked := 0, 0
	for r := 0; r < rows; r += step {
		looked++
		if test(r) {
			passed++
		}
	}
	return of*passed <= looked
}

// columnFor finds the column of a filter: nil if the batch has none. The filter
// says nothing of a batch that has another column beside it.
func columnFor(b *sources.Batch, f *sources.ColumnFilter) (c *sources.Column, says bool) {
	for i := range b.Columns {
		switch name := b.Columns[i].Name; {
		case name == f.Column:
			c = &b.Columns[i]
		case slices.Contains(f.Others, name):
			return nil, false
		}
	}
	return c, true
}

// matcher tests rows of a column.
func matcher(c *sources.Column, f *sources.ColumnFilter) func(r int) bool {
	if f.Texts != nil {
		return func(r int) bool { return c.IsValid(r) && isOneOf(textOf(c, r), f.Texts) }
	}
	return func(r int) bool {
		n := numberOf(c, r)
		return c.IsValid(r) && f.Min <= n && n <= f.Max
	}
}

func textOf(c *sources.Column, r int) []byte { return c.Text[c.Offsets[r]:c.Offsets[r+1]] }

func isOneOf(text []byte, texts []string) bool {
	for _, t := range texts {
		if string(text) == t {
			return true
		}
	}
	return false
}

// numberOf is a number as a double, an integer rounded to the nearest.
func numberOf(c *sources.Column, r int) float64 {
	if c.Kind == schema.KindNumber {
		return c.Nums[r]
	}
	return float64(c.Ints[r])
}

// compareRows orders rows of a column by value.
func compareRows(c *sources.Column, a, b uint32) int {
	if c.Kind == schema.KindText || c.Kind == schema.KindJSON {
		return bytes.Compare(textOf(c, int(a)), textOf(c, int(b)))
	}
	return cmp.Compare(numberOf(c, int(a)), numberOf(c, int(b)))
}

// Select gives the rows of a batch that a filter lets through, or some more: nil
// is all rows. ok is false if there are none.
func Select(b *sources.Batch, filter sources.Filter) (rows []uint32, ok bool) {
	return (*Tail)(nil).selectRows(&segment{batch: b}, nil, filter)
}
