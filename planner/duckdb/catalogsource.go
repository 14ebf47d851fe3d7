package duckdb

import (
	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// catalogSource reads the rows of a computed relation, those selected or all.
type catalogSource struct {
	names    []sourceColumn
	data     sources.CatalogRows
	selected []uint32
	count    int
}

func newCatalogSource(s *planner.CatalogScan) *catalogSource {
	c := &catalogSource{data: s.Rows, selected: s.Select}
	switch {
	case s.Select != nil:
		c.count = len(s.Select)
	case s.Rows != nil:
		c.count = s.Rows.Len()
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
func (c *catalogSource) rows() int               { return c.count }
func (c *catalogSource) pieces() int             { return (c.count + vectorSize - 1) / vectorSize }

func (c *catalogSource) fill(piece, column int, into bindings.Vector) int {
	from := piece * vectorSize
	n := min(c.count-from, vectorSize)
	if column < 0 {
		return n
	}
	p := c.piece(from, n, column)
	valid := p.fillValid(into)
	switch c.names[column].kind {
	case "BOOLEAN":
		dst := values[bool](into, n)
		for i := range dst {
			dst[i] = p.values.Ints[p.row(i)] != 0
		}
	case "SMALLINT":
		fillNumbers[int16](&p, p.values.Ints, into)
	case "INTEGER", "DATE":
		fillNumbers[int32](&p, p.values.Ints, into)
	case "BIGINT", "TIMESTAMP", "TIME":
		fillNumbers[int64](&p, p.values.Ints, into)
	case "FLOAT":
		fillNumbers[float32](&p, p.values.Nums, into)
	case "DOUBLE":
		fillNumbers[float64](&p, p.values.Nums, into)
	case "VARCHAR[]":
		p.fillTextLists(into)
	case "BIGINT[]":
		p.fillIntegerLists(into)
	default:
		p.fillTexts(into, valid)
	}
	return n
}

// piece is n of the rows of a column, from the one at from on.
func (c *catalogSource) piece(from, n, column int) catalogPiece {
	p := catalogPiece{values: c.data.Column(column), from: from, n: n}
	if c.selected != nil {
		p.choose(c.selected[from : from+n])
	}
	return p
}

// catalogPiece is n rows of a column: those selected, or those from from on.
type catalogPiece struct {
	values   *sources.CatalogValues
	selected []uint32
	from, n  int
}

// choose makes it a piece of the selected rows, which are in order.
func (p *catalogPiece) choose(rows []uint32) {
	if first := int(rows[0]); int(rows[len(rows)-1])-first == len(rows)-1 {
		p.from = first // they follow each other
		return
	}
	p.selected = rows
}

func (p *catalogPiece) row(i int) int {
	if p.selected != nil {
		return int(p.selected[i])
	}
	return p.from + i
}

// fillValid marks the rows that have a value.
func (p *catalogPiece) fillValid(into bindings.Vector) []uint64 {
	valid := writableValidity(into, p.n)
	p.markValid(valid)
	return valid
}

// markValid is fillValid into words of a bitmap.
func (p *catalogPiece) markValid(valid []uint64) {
	if p.selected == nil {
		words, shift := p.values.Valid[p.from/64:], p.from%64
		for i := range valid {
			valid[i] = words[i] >> shift
			if i+1 < len(words) {
				valid[i] |= words[i+1] << (64 - shift)
			}
		}
		return
	}
	clear(valid)
	for i := range p.n {
		if p.values.IsValid(p.row(i)) {
			valid[i>>6] |= 1 << (i & 63)
		}
	}
}

func fillNumbers[T int16 | int32 | int64 | float32 | float64, S int64 | float64](p *catalogPiece, from []S, into bindings.Vector) {
	dst := values[T](into, p.n)
	for i := range dst {
		dst[i] = T(from[p.row(i)])
	}
}

func (p *catalogPiece) fillTexts(into bindings.Vector, valid []uint64) {
	v := p.values
	if p.selected == nil {
		assignStrings(into, 0, p.n, v.Offsets[p.from:p.from+p.n+1], v.Text, valid)
		return
	}
	offsets := make([]uint32, 1, p.n+1)
	size := uint32(0)
	for _, r := range p.selected {
		size += v.Offsets[r+1] - v.Offsets[r]
	}
	text := make([]byte, 0, size)
	for i := range p.n {
		r := p.row(i)
		text = append(text, v.Text[v.Offsets[r]:v.Offsets[r+1]]...)
		offsets = append(offsets, uint32(len(text)))
	}
	assignStrings(into, 0, p.n, offsets, text, valid)
}

func (p *catalogPiece) fillTextLists(into bindings.Vector) {
	c := call{result: result{offsets: []uint32{0}}}
	for i := range p.n {
		list := p.values.Texts[p.row(i)]
		elems := make([][]byte, len(list))
		for j, e := range list {
			elems[j] = append(make([]byte, 0, len(e)), e...)
		}
		c.setList(elems)
	}
	c.result.assignLists(into, p.n)
}

func (p *catalogPiece) fillIntegerLists(into bindings.Vector) {
	entries := values[listEntry](into, p.n)
	var all []int64
	for i := range p.n {
		list := p.values.Lists[p.row(i)]
		entries[i] = listEntry{uint64(len(all)), uint64(len(list))}
		all = append(all, list...)
	}
	size := bindings.IdxT(len(all))
	// Both only fail for a vector that is no list.
	_ = bindings.ListVectorReserve(into, size)
	_ = bindings.ListVectorSetSize(into, size)
	copy(values[int64](bindings.ListVectorGetChild(into), len(all)), all)
}
