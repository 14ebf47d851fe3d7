package duckdb

import (
	"context"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// catalogRows are columns of a computed relation as they are, which need no DuckDB:
// clients read whole relations, and it would copy each value twice.
type catalogRows struct {
	source *catalogSource
	// places are the columns of the relation that are shown.
	places []int
	// part is the next part to show, from its row next on.
	part, next int
	chunk      planner.Chunk
}

var _ planner.Rows = (*catalogRows)(nil)

// shownRows are at most in a chunk: wide relations then need little memory.
const shownRows = 256

// plainCatalog is the result of a plan that shows columns of one computed relation.
func plainCatalog(plan *planner.Plan) (*catalogRows, bool) {
	q := plan.Query
	if len(q.From) != 1 || !isTargetsOnly(q) || len(q.Targets) != len(plan.Columns) {
		return nil, false
	}
	scan, ok := q.From[0].(*planner.CatalogScan)
	if !ok || scan.Rows == nil {
		return nil, false
	}
	r := &catalogRows{source: newCatalogSource(scan)}
	r.chunk.Columns = make([]planner.Vector, len(q.Targets))
	for i, t := range q.Targets {
		c, ok := t.Expr.(*planner.Column)
		if !ok || c.Relation != planner.Relation(scan) || !r.source.shows(c.Index, c.T.OID) {
			return nil, false
		}
		r.places = append(r.places, c.Index)
		r.chunk.Columns[i] = planner.Vector{T: plan.Columns[i].T}
	}
	return r, true
}

// shows says that the values of a column are those of the type without a cast, and
// no arrays.
func (c *catalogSource) shows(column int, oid postgres.OID) bool {
	switch c.names[column].kind {
	case "BOOLEAN", "SMALLINT", "INTEGER", "BIGINT":
		return physical(oid) == c.names[column].kind
	case "VARCHAR":
		return isPlainText(oid)
	}
	return false
}

// isPlainText says that a type is one of those whose values are any texts.
func isPlainText(oid postgres.OID) bool {
	switch postgres.BaseOf(oid) {
	case postgres.TextOID, postgres.VarcharOID, postgres.NameOID:
		return true
	}
	return false
}

// Next returns the next rows; what it returned before is no longer valid.
func (r *catalogRows) Next(ctx context.Context) (*planner.Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.part == len(r.source.parts) {
		return nil, nil
	}
	part := &r.source.parts[r.part]
	n := min(part.Len()-r.next, shownRows)
	run := catalogRun{first: r.next, n: n}
	if part.Rows != nil {
		run.choose(part.Rows[r.next : r.next+n])
	}
	r.chunk.Rows = n
	for i, column := range r.places {
		run.values = part.Block.Column(column)
		run.show(&r.chunk.Columns[i], r.source.names[column].kind)
	}
	if r.next += n; r.next == part.Len() {
		r.part, r.next = r.part+1, 0
	}
	return &r.chunk, nil
}

// Close does nothing: there is nothing to free.
func (r *catalogRows) Close() error { return nil }

// show makes a vector of the run, in the memory of the one before.
func (r *catalogRun) show(v *planner.Vector, kind string) {
	v.Same = r.values.Same
	v.Valid = resized(v.Valid, (r.n+63)/64)
	clear(v.Valid)
	r.markValid(v.Valid)
	switch kind {
	case "BOOLEAN":
		v.Bools = resized(v.Bools, r.n)
		r.each(func(at, row int) { v.Bools[at] = r.values.Ints[row] != 0 })
	case "SMALLINT":
		v.Int16s = resized(v.Int16s, r.n)
		showNumbers(r, v.Int16s)
	case "INTEGER":
		v.Int32s = resized(v.Int32s, r.n)
		showNumbers(r, v.Int32s)
	case "BIGINT":
		v.Int64s = resized(v.Int64s, r.n)
		showNumbers(r, v.Int64s)
	case "VARCHAR":
		v.Bytes = resized(v.Bytes, r.n)
		text, offsets := r.values.Text, r.values.Offsets
		r.each(func(at, row int) { v.Bytes[at] = text[offsets[row]:offsets[row+1]] })
	}
}

func showNumbers[T int16 | int32 | int64](r *catalogRun, out []T) {
	r.each(func(at, row int) { out[at] = T(r.values.Ints[row]) })
}

// resized is a slice of n elements, in the same memory if that is enough.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
