package duckdb

import (
	"context"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// constantRow is a result of one row, or of none, that needs no DuckDB.
type constantRow struct {
	chunk *planner.Chunk // nil: there is none, or it was given
}

var _ planner.Rows = (*constantRow)(nil)

// Next returns the row once.
func (r *constantRow) Next(context.Context) (*planner.Chunk, error) {
	c := r.chunk
	r.chunk = nil
	return c, nil
}

// Close does nothing: there is nothing to free.
func (r *constantRow) Close() error { return nil }

// constants is the result of a query that the binder has computed already, such as
// SELECT 1 or SELECT $1::text, as pools and drivers ask in passing: DuckDB would
// take longer to read its text than all else of the statement takes.
func constants(q *planner.Query) (*constantRow, bool) {
	if len(q.From) > 0 || !isTargetsOnly(q) {
		return nil, false
	}
	c := &planner.Chunk{Rows: 1, Columns: make([]planner.Vector, len(q.Targets))}
	for i, t := range q.Targets {
		value, ok := t.Expr.(*planner.Const)
		if !ok {
			return nil, false
		}
		if c.Columns[i], ok = constantVector(value); !ok {
			return nil, false
		}
	}
	return &constantRow{chunk: c}, true
}

// isTargetsOnly says that a query is targets of what is in FROM and nothing else.
func isTargetsOnly(q *planner.Query) bool {
	return len(q.Targets) > 0 && q.Where == nil && q.SetOp == nil && q.Values == nil &&
		!q.Aggregated && q.Having == nil && q.GroupingSets == nil && !q.Distinct && q.DistinctOn == nil &&
		q.OrderBy == nil && q.Limit == nil && q.Offset == nil
}

// constantVector is a column of one row. Types whose vectors take more than the
// value itself are left to DuckDB.
func constantVector(c *planner.Const) (planner.Vector, bool) {
	v, d := planner.Vector{T: c.T}, c.Value
	if c.Null {
		v.Valid, d = []uint64{0}, postgres.Datum{}
	}
	var kind postgres.Kind
	switch c.T.OID {
	case postgres.BoolOID:
		kind, v.Bools = postgres.BoolKind, []bool{d.Int != 0}
	case postgres.Int2OID:
		kind, v.Int16s = postgres.IntKind, []int16{int16(d.Int)}
	case postgres.Int4OID:
		kind, v.Int32s = postgres.IntKind, []int32{int32(d.Int)}
	case postgres.Int8OID, postgres.OIDOID:
		kind, v.Int64s = postgres.IntKind, []int64{d.Int}
	case postgres.Float4OID:
		kind, v.Float32s = postgres.FloatKind, []float32{float32(d.Float)}
	case postgres.Float8OID:
		kind, v.Float64s = postgres.FloatKind, []float64{d.Float}
	case postgres.DateOID:
		kind, v.Int32s = postgres.DateKind, []int32{int32(d.Int)}
	case postgres.TimeOID:
		kind, v.Int64s = postgres.TimeKind, []int64{d.Int}
	case postgres.TimestampOID, postgres.TimestampTZOID:
		kind, v.Int64s = postgres.TimestampKind, []int64{d.Int}
	case postgres.IntervalOID:
		kind, v.Intervals = postgres.IntervalKind, []planner.Interval{{Months: d.Months, Days: d.Days, Micros: d.Int}}
	case postgres.TextOID, postgres.VarcharOID, postgres.NameOID, postgres.JSONOID, postgres.JSONBOID:
		kind, v.Bytes = postgres.TextKind, [][]byte{[]byte(d.Str)}
	case postgres.NumericOID:
		kind, v.Bytes = postgres.NumericKind, [][]byte{[]byte(d.Str)}
	case postgres.ByteaOID:
		kind, v.Bytes = postgres.BytesKind, [][]byte{[]byte(d.Str)}
	default:
		return planner.Vector{}, false
	}
	return v, c.Null || d.Kind == kind
}
