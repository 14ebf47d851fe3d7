package duckdb

import (
	"fmt"
	"math"
	"slices"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// chunkReader shows DuckDB's chunks as the planner's. Values of fixed width and
// texts stay where DuckDB has them.
type chunkReader struct {
	chunk   planner.Chunk
	columns []columnReader
}

// columnReader reads one column, or the elements of one.
type columnReader struct {
	t     planner.Type
	scale int16 // of DECIMAL; -1: the numeric is text
	elem  *columnReader
	// The headers of values that cannot be shown in place, used again for every
	// chunk.
	bytes    [][]byte
	uuids    [][16]byte
	numerics []planner.Numeric
	list     planner.ListVector
}

func newChunkReader(result *bindings.Result, columns []planner.ResultColumn) (chunkReader, error) {
	r := chunkReader{columns: make([]columnReader, len(columns))}
	r.chunk.Columns = make([]planner.Vector, len(columns))
	// A result without columns has one here, which only counts rows.
	if n := int(bindings.ColumnCount(result)); n != max(1, len(columns)) {
		return r, fmt.Errorf("the engine gives %d columns for %d", n, len(columns))
	}
	for i, c := range columns {
		t := bindings.ColumnLogicalType(result, bindings.IdxT(i))
		reader, err := newColumnReader(c.T, t)
		bindings.DestroyLogicalType(&t)
		if err != nil {
			return r, fmt.Errorf("column %d (%s): %w", i+1, c.Name, err)
		}
		r.columns[i] = reader
	}
	return r, nil
}

func newColumnReader(t planner.Type, actual bindings.LogicalType) (columnReader, error) {
	r := columnReader{t: t}
	id := bindings.GetTypeId(actual)
	if elem := postgres.ElemOf(t.OID); elem != 0 && isList(t.OID) {
		if id == bindings.TypeVarchar {
			return r, nil // of any shape: its text
		}
		if id != bindings.TypeList {
			return r, fmt.Errorf("type %d for %s", id, t.OID)
		}
		child := bindings.ListTypeChildType(actual)
		defer bindings.DestroyLogicalType(&child)
		e, err := newColumnReader(planner.Type{OID: elem, Typmod: t.Typmod}, child)
		r.elem = &e
		return r, err
	}
	want := typeNumber(physical(t.OID))
	if t.OID == postgres.NumericOID {
		r.scale = -1
		if id == bindings.TypeDecimal {
			r.scale = int16(bindings.DecimalScale(actual))
			if w := bindings.DecimalWidth(actual); w != decimalWidth {
				return r, fmt.Errorf("decimal of width %d for numeric", w)
			}
			return r, nil
		}
	}
	if id != want {
		return r, fmt.Errorf("type %d for %s", id, t.OID)
	}
	return r, nil
}

func (r *chunkReader) read(chunk bindings.DataChunk) *planner.Chunk {
	r.chunk.Rows = int(bindings.DataChunkGetSize(chunk))
	for i := range r.columns {
		v := bindings.DataChunkGetVector(chunk, bindings.IdxT(i))
		r.columns[i].read(&r.chunk.Columns[i], v, r.chunk.Rows)
	}
	return &r.chunk
}

func (r *columnReader) read(out *planner.Vector, v bindings.Vector, rows int) {
	*out = planner.Vector{T: r.t, Valid: validity(v, rows)}
	if r.elem != nil {
		r.readList(out, v, rows)
		return
	}
	switch physical(r.t.OID) {
	case "BOOLEAN":
		out.Bools = values[bool](v, rows)
	case "SMALLINT":
		out.Int16s = values[int16](v, rows)
	case "INTEGER":
		out.Int32s = values[int32](v, rows)
	case "DATE":
		out.Int32s = values[int32](v, rows)
		lowerInfinity(out.Int32s, -math.MaxInt32, postgres.DateNegativeInfinity)
	case "BIGINT", "TIME":
		out.Int64s = values[int64](v, rows)
	case "TIMESTAMP":
		out.Int64s = values[int64](v, rows)
		lowerInfinity(out.Int64s, -math.MaxInt64, postgres.TimestampNegativeInfinity)
	case "FLOAT":
		out.Float32s = values[float32](v, rows)
	case "DOUBLE":
		out.Float64s = values[float64](v, rows)
	case "INTERVAL":
		out.Intervals = values[planner.Interval](v, rows)
	case "UUID":
		r.uuids = r.uuids[:0]
		for _, h := range values[hugeint](v, rows) {
			r.uuids = append(r.uuids, h.uuidBytes())
		}
		out.UUIDs = r.uuids
	default:
		if r.t.OID == postgres.NumericOID && r.scale >= 0 {
			r.numerics = r.numerics[:0]
			for _, h := range values[hugeint](v, rows) {
				r.numerics = append(r.numerics, planner.Numeric{Hi: h.hi, Lo: h.lo, Scale: r.scale})
			}
			out.Numerics = r.numerics
			return
		}
		r.readBytes(out, v, rows)
	}
}

// lowerInfinity turns DuckDB's negative infinity into PostgreSQL's; the positive
// ones are the same number.
func lowerInfinity[T int32 | int64](vs []T, duckdb, postgres T) {
	for i, v := range vs {
		if v == duckdb {
			vs[i] = postgres
		}
	}
}

func (r *columnReader) readBytes(out *planner.Vector, v bindings.Vector, rows int) {
	texts := values[text](v, rows)
	r.bytes = slices.Grow(r.bytes[:0], rows)
	for i := range texts {
		if isValid(out.Valid, i) {
			r.bytes = append(r.bytes, texts[i].bytes())
		} else {
			r.bytes = append(r.bytes, nil)
		}
	}
	out.Bytes = r.bytes
}

func (r *columnReader) readList(out *planner.Vector, v bindings.Vector, rows int) {
	r.list.Offsets, r.list.Lengths = r.list.Offsets[:0], r.list.Lengths[:0]
	for i, e := range values[listEntry](v, rows) {
		if !isValid(out.Valid, i) {
			e = listEntry{}
		}
		r.list.Offsets = append(r.list.Offsets, e.offset)
		r.list.Lengths = append(r.list.Lengths, e.length)
	}
	size := int(bindings.ListVectorGetSize(v))
	r.elem.read(&r.list.Elems, bindings.ListVectorGetChild(v), size)
	out.Lists = &r.list
}
