package duckdb

import (
	"bytes"
	"slices"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// catalogSource reads the rows of a computed relation, those selected or all.
type catalogSource struct {
	names []sourceColumn
	parts []planner.CatalogPart
	// ends are how many rows there are up to the end of each part.
	ends []int
	// ordered: they are to be read in their order.
	ordered bool
}

func newCatalogSource(s *planner.CatalogScan) *catalogSource {
	c := &catalogSource{parts: s.Parts, ends: make([]int, len(s.Parts)), ordered: s.Ordered}
	count := 0
	for i := range s.Parts {
		count += s.Parts[i].Len()
		c.ends[i] = count
	}
	for i, col := range s.Cols {
		kind := physical(col.T.OID)
		if postgres.ElemOf(col.T.OID) != 0 && kind != "VARCHAR[]" {
			kind = "BIGINT[]"
		}
		switch kind {
		case "BOOLEAN", "SMALLINT", "INTEGER", "BIGINT", "DATE", "TIME", "TIMESTAMP", "FLOAT", "DOUBLE", "VARCHAR[]", "BIGINT[]":
		default:
			kind = "VARCHAR" // the type's text, which is cast where it is read
		}
		c.names = append(c.names, sourceColumn{columnName(i), kind})
	}
	return c
}

func (c *catalogSource) columns() []sourceColumn { return c.names }

func (c *catalogSource) rows() int {
	if len(c.ends) == 0 {
		return 0
	}
	return c.ends[len(c.ends)-1]
}

func (c *catalogSource) pieces() int { return (c.rows() + vectorSize - 1) / vectorSize }

// threads is one if the rows are to stay in their order: the engine keeps what one
// thread reads as that thread read it, as long as it neither joins nor sorts.
func (c *catalogSource) threads() int {
	if c.ordered {
		return 1
	}
	return max(1, c.pieces())
}

func (c *catalogSource) fill(piece, column int, into bindings.Vector) int {
	from := piece * vectorSize
	n := min(c.rows()-from, vectorSize)
	if column < 0 || n == 0 {
		return n
	}
	var few [maxRuns]catalogRun
	runs := c.runs(few[:0], from, n, column)
	kind := c.names[column].kind
	if kind == "VARCHAR" && areSame(runs) {
		v := bindings.CreateVarchar(runs[0].values.TextAt(0))
		bindings.VectorReferenceValue(into, v)
		bindings.DestroyValue(&v)
		return n
	}
	valid := writableValidity(into, n)
	clear(valid)
	for i := range runs {
		runs[i].markValid(valid)
	}
	switch kind {
	case "BOOLEAN":
		dst := values[bool](into, n)
		for i := range runs {
			runs[i].each(func(at, row int) { dst[at] = runs[i].values.Ints[row] != 0 })
		}
	case "SMALLINT":
		fillNumbers[int16](runs, ints, into, n)
	case "INTEGER", "DATE":
		fillNumbers[int32](runs, ints, into, n)
	case "BIGINT", "TIMESTAMP", "TIME":
		fillNumbers[int64](runs, ints, into, n)
	case "FLOAT":
		fillNumbers[float32](runs, nums, into, n)
	case "DOUBLE":
		fillNumbers[float64](runs, nums, into, n)
	case "VARCHAR[]":
		fillTextLists(runs, into, n)
	case "BIGINT[]":
		fillIntegerLists(runs, into, n)
	default:
		for i := range runs {
			runs[i].fillTexts(into)
		}
	}
	return n
}

// catalogRun is rows of one part: rows at to at+n of those that are read together.
type catalogRun struct {
	values *sources.CatalogValues
	// chosen are the rows in the part's block, or nil: n rows from first on.
	chosen       []uint32
	first, at, n int
}

// maxRuns is how many runs rows that are read together mostly are, at most.
const maxRuns = 64

// runs appends the n rows of a column from the one at from on.
func (c *catalogSource) runs(runs []catalogRun, from, n, column int) []catalogRun {
	i, _ := slices.BinarySearch(c.ends, from+1)
	for at := 0; at < n; i++ {
		part := &c.parts[i]
		skip := from + at - (c.ends[i] - part.Len())
		run := catalogRun{values: part.Block.Column(column), first: skip, at: at, n: min(part.Len()-skip, n-at)}
		if part.Rows != nil {
			run.choose(part.Rows[skip : skip+run.n])
		}
		runs = append(runs, run)
		at += run.n
	}
	return runs
}

// choose makes it a run of the rows.
func (r *catalogRun) choose(rows []uint32) {
	r.first = int(rows[0])
	for i, row := range rows {
		if int(row) != r.first+i {
			r.chosen = rows // they do not follow each other
			return
		}
	}
}

// each visits the rows: where they go, and where they stand in the values.
func (r *catalogRun) each(visit func(at, row int)) {
	for i := range r.n {
		visit(r.at+i, r.row(i))
	}
}

// row is where row i stands in the values.
func (r *catalogRun) row(i int) int {
	if r.values.Same {
		return 0
	}
	return r.place(i)
}

// place is where row i stands in the part's block.
func (r *catalogRun) place(i int) int {
	if r.chosen != nil {
		return int(r.chosen[i])
	}
	return r.first + i
}

// markValid sets the bits of the rows that have a value.
func (r *catalogRun) markValid(valid []uint64) {
	for i := range r.n {
		if row := r.row(i); r.values.Valid[row>>6]&(1<<(row&63)) != 0 {
			at := r.at + i
			valid[at>>6] |= 1 << (at & 63)
		}
	}
}

// areSame says that all rows have one value, and that this is no NULL.
func areSame(runs []catalogRun) bool {
	first := runs[0].values
	for i := range runs {
		v := runs[i].values
		if !v.Same || !v.IsValid(0) || v != first && !bytes.Equal(v.BytesAt(0), first.BytesAt(0)) {
			return false
		}
	}
	return true
}

func ints(v *sources.CatalogValues) []int64   { return v.Ints }
func nums(v *sources.CatalogValues) []float64 { return v.Nums }

func fillNumbers[T int16 | int32 | int64 | float32 | float64, S int64 | float64](runs []catalogRun, of func(*sources.CatalogValues) []S, into bindings.Vector, n int) {
	dst := values[T](into, n)
	for i := range runs {
		from := of(runs[i].values)
		runs[i].each(func(at, row int) { dst[at] = T(from[row]) })
	}
}

func (r *catalogRun) fillTexts(into bindings.Vector) {
	v := r.values
	switch {
	case v.Same:
		repeatString(into, r.at, r.n, v.BytesAt(0))
	case r.chosen != nil:
		assignChosen(into, r.at, r.chosen, v.Offsets, v.Text)
	default:
		assignStrings(into, r.at, r.n, v.Offsets[r.first:r.first+r.n+1], v.Text, nil)
	}
}

func fillTextLists(runs []catalogRun, into bindings.Vector, n int) {
	c := call{result: result{offsets: []uint32{0}}}
	var elems [][]byte
	for i := range runs {
		runs[i].each(func(_, row int) {
			elems = elems[:0]
			for _, e := range runs[i].values.Texts[row] {
				elems = append(elems, bytesOf(e))
			}
			c.setList(elems)
		})
	}
	c.result.assignLists(into, n)
}

func fillIntegerLists(runs []catalogRun, into bindings.Vector, n int) {
	entries := values[listEntry](into, n)
	var all []int64
	for i := range runs {
		runs[i].each(func(at, row int) {
			list := runs[i].values.Lists[row]
			entries[at] = listEntry{uint64(len(all)), uint64(len(list))}
			all = append(all, list...)
		})
	}
	size := bindings.IdxT(len(all))
	// Both only fail for a vector that is no list.
	_ = bindings.ListVectorReserve(into, size)
	_ = bindings.ListVectorSetSize(into, size)
	copy(values[int64](bindings.ListVectorGetChild(into), len(all)), all)
}
