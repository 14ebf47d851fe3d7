package duckdb

import (
	"bytes"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// batchSource reads rows of batches; its columns are physical ones, NULL in a
// batch that has no column of the name.
type batchSource struct {
	names []sourceColumn
	// constants are the last columns: each has its value in every row.
	constants []*planner.Const
	all       []batchPiece
	count     int
}

// batchPiece is the rows from..to of a batch, or those of selected from..to.
type batchPiece struct {
	batch    *sources.Batch
	columns  []*sources.Column // by column of the source; nil: a builtin, or absent
	selected []uint32
	from, to int
}

func newBatchSource(columns []string, constants []*planner.Const) *batchSource {
	s := &batchSource{constants: constants}
	for _, c := range columns {
		s.names = append(s.names, sourceColumn{c, physicalType(c)})
	}
	for i, c := range constants {
		s.names = append(s.names, sourceColumn{constantName(i), physical(c.T.OID)})
	}
	return s
}

// physicalType is DuckDB's type of a physical column.
func physicalType(column string) string {
	switch column {
	case sources.ColumnTS, sources.ColumnReceivedAt:
		return "TIMESTAMP"
	case sources.ColumnID, sources.ColumnHash:
		return "UUID"
	}
	switch schema.Kind(column[0]) {
	case schema.KindInt:
		return "BIGINT"
	case schema.KindNumber:
		return "DOUBLE"
	case schema.KindBool:
		return "BOOLEAN"
	default:
		return "VARCHAR"
	}
}

// add puts rows of a batch into the source: those selected, or all if it is nil.
func (s *batchSource) add(b *sources.Batch, selected []uint32) {
	rows := b.Rows
	if selected != nil {
		rows = len(selected)
	}
	columns := make([]*sources.Column, len(s.names))
	for i, name := range s.names {
		for j := range b.Columns {
			if b.Columns[j].Name == name.name {
				columns[i] = &b.Columns[j]
			}
		}
	}
	for from := 0; from < rows; from += vectorSize {
		s.all = append(s.all, batchPiece{b, columns, selected, from, min(rows, from+vectorSize)})
	}
	s.count += rows
}

func (s *batchSource) columns() []sourceColumn { return s.names }
func (s *batchSource) rows() int               { return s.count }
func (s *batchSource) pieces() int             { return len(s.all) }
func (s *batchSource) threads() int            { return max(1, len(s.all)) }

func (s *batchSource) fill(piece, column int, into bindings.Vector) int {
	p := &s.all[piece]
	n := p.to - p.from
	if column < 0 {
		return n
	}
	if i := column - (len(s.names) - len(s.constants)); i >= 0 {
		fillConstant(into, n, s.constants[i])
		return n
	}
	switch s.names[column].name {
	case sources.ColumnTS:
		pick(values[int64](into, n), p.batch.TS, p)
	case sources.ColumnReceivedAt:
		pick(values[int64](into, n), p.batch.ReceivedAt, p)
	case sources.ColumnID:
		p.fillIDs(into, p.batch.IDs)
	case sources.ColumnHash:
		p.fillIDs(into, p.batch.Hashes)
	default:
		p.fillColumn(into, p.columns[column])
	}
	return n
}

// row is the row of the batch at place i of the piece.
func (p *batchPiece) row(i int) int {
	if p.selected != nil {
		return int(p.selected[p.from+i])
	}
	return p.from + i
}

func pick[T any](dst, src []T, p *batchPiece) {
	if p.selected == nil {
		copy(dst, src[p.from:p.to])
		return
	}
	for i := range dst {
		dst[i] = src[p.selected[p.from+i]]
	}
}

func (p *batchPiece) fillIDs(into bindings.Vector, ids []schema.ID) {
	dst := values[hugeint](into, p.to-p.from)
	for i := range dst {
		dst[i] = hugeintOfUUID(ids[p.row(i)])
	}
}

func (p *batchPiece) fillColumn(into bindings.Vector, c *sources.Column) {
	n := p.to - p.from
	valid := writableValidity(into, n)
	clear(valid)
	if c == nil {
		return
	}
	for i := range n {
		if c.IsValid(p.row(i)) {
			valid[i>>6] |= 1 << (i & 63)
		}
	}
	switch c.Kind {
	case schema.KindInt:
		pick(values[int64](into, n), c.Ints, p)
	case schema.KindBool:
		dst := values[bool](into, n)
		for i := range dst {
			dst[i] = c.Ints[p.row(i)] != 0
		}
	case schema.KindNumber:
		pick(values[float64](into, n), c.Nums, p)
	default:
		if c.Kind == schema.KindText {
			p.leaveOutZeros(c, valid)
		}
		p.fillTexts(into, c, valid)
	}
}

// leaveOutZeros makes the texts NULL that have U+0000, which no text of PostgreSQL's has.
func (p *batchPiece) leaveOutZeros(c *sources.Column, valid []uint64) {
	if p.selected == nil && bytes.IndexByte(c.Text[c.Offsets[p.from]:c.Offsets[p.to]], 0) < 0 {
		return
	}
	for i := range p.to - p.from {
		if r := p.row(i); bytes.IndexByte(c.Text[c.Offsets[r]:c.Offsets[r+1]], 0) >= 0 {
			valid[i>>6] &^= 1 << (i & 63)
		}
	}
}

func (p *batchPiece) fillTexts(into bindings.Vector, c *sources.Column, valid []uint64) {
	n := p.to - p.from
	if p.selected == nil {
		assignStrings(into, 0, n, c.Offsets[p.from:p.to+1], c.Text, valid)
		return
	}
	offsets := make([]uint32, 1, n+1)
	var text []byte
	for i := range n {
		if r := p.row(i); c.IsValid(r) {
			text = append(text, c.Text[c.Offsets[r]:c.Offsets[r+1]]...)
		}
		offsets = append(offsets, uint32(len(text)))
	}
	assignStrings(into, 0, n, offsets, text, valid)
}
