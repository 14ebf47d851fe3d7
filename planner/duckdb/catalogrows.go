package duckdb

import (
	"context"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// catalogRows are rows of a computed relation, with what catalogExprs compute of them,
// which need no DuckDB: clients read whole relations, and it would copy each value twice.
type catalogRows struct {
	source  *catalogSource
	targets []catalogTarget
	// exprs are all of the expressions, with those that they are made of.
	exprs []*catalogExpr
	// where is the condition that rows are shown under; nil: none.
	where *catalogExpr
	// part is the next part to show, from its row next on.
	part, next int
	// places, at and values are memory for the rows of a run.
	places []uint32
	at     catalogRow
	values []catalogValue
	chunk  planner.Chunk
}

// catalogTarget is a column that is shown: one of the relation, or an expression.
type catalogTarget struct {
	column int
	expr   *catalogExpr // nil: the column
	kind   string       // of DuckDB's type
}

var _ planner.Rows = (*catalogRows)(nil)

// shownRows are at most in a chunk: wide relations then need little memory.
const shownRows = 256

// plainCatalog is the result of a plan that reads one computed relation row by row.
func plainCatalog(plan *planner.Plan) (*catalogRows, bool) {
	q := *plan.Query
	q.Where = nil
	if len(q.From) != 1 || !isTargetsOnly(&q) || len(q.Targets) != len(plan.Columns) {
		return nil, false
	}
	scan, ok := q.From[0].(*planner.CatalogScan)
	if !ok || scan.Rows == nil {
		return nil, false
	}
	r := &catalogRows{source: newCatalogSource(scan)}
	compiler := &catalogCompiler{source: r.source, scan: scan, absent: plan.Absent}
	if plan.Query.Where != nil {
		if r.where, ok = compiler.compile(plan.Query.Where); !ok {
			return nil, false
		}
	}
	r.chunk.Columns = make([]planner.Vector, len(q.Targets))
	for i, t := range q.Targets {
		oid := plan.Columns[i].T.OID
		target := catalogTarget{kind: physical(oid)}
		if c, ok := t.Expr.(*planner.Column); ok && c.Relation == planner.Relation(scan) && r.source.shows(c.Index, oid) {
			target.column = c.Index
		} else if target.expr, ok = compiler.compile(t.Expr); !ok || target.expr.isText && !isPlainText(oid) {
			return nil, false
		}
		r.targets = append(r.targets, target)
		r.chunk.Columns[i] = planner.Vector{T: plan.Columns[i].T}
	}
	r.exprs = compiler.made
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
	for r.part < len(r.source.parts) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part := &r.source.parts[r.part]
		if r.next == 0 {
			for _, e := range r.exprs {
				e.enter(part)
			}
		}
		n := min(part.Len()-r.next, shownRows)
		run := catalogRun{first: r.next, n: n}
		if part.Rows != nil {
			run.choose(part.Rows[r.next : r.next+n])
		}
		if r.next += n; r.next == part.Len() {
			r.part, r.next = r.part+1, 0
		}
		if err := r.filter(&run); err != nil {
			return nil, asError(err)
		}
		if run.n == 0 {
			continue
		}
		r.chunk.Rows = run.n
		for i := range r.targets {
			if err := r.show(part, &run, i); err != nil {
				return nil, asError(err)
			}
		}
		return &r.chunk, nil
	}
	return nil, nil
}

// filter leaves in a run the rows that the condition holds for.
func (r *catalogRows) filter(run *catalogRun) error {
	if r.where == nil || run.n == 0 {
		return nil
	}
	if r.where.same {
		r.at = catalogRow{run.place(0)}
		holds, err := r.where.isTrue(&r.at)
		if err == nil && !holds {
			run.n = 0
		}
		return err
	}
	r.places = r.places[:0]
	for i := range run.n {
		r.at.place = run.place(i)
		holds, err := r.where.isTrue(&r.at)
		if err != nil {
			return err
		}
		if holds {
			r.places = append(r.places, uint32(r.at.place))
		}
	}
	if run.n = len(r.places); run.n > 0 {
		run.chosen = nil
		run.choose(r.places)
	}
	return nil
}

// show makes the vector of a target from a run of a part.
func (r *catalogRows) show(part *planner.CatalogPart, run *catalogRun, i int) error {
	t, v := &r.targets[i], &r.chunk.Columns[i]
	if t.expr == nil {
		run.values = part.Block.Column(t.column)
		run.show(v, t.kind)
		return nil
	}
	v.Valid = resized(v.Valid, (run.n+63)/64)
	clear(v.Valid)
	r.values = resized(r.values, run.n)
	if v.Same = t.expr.same; v.Same {
		r.at = catalogRow{run.place(0)}
		value, err := t.expr.of(&r.at)
		if err != nil {
			return err
		}
		for row := range r.values {
			r.values[row] = value
		}
	} else if err := r.compute(t.expr, run); err != nil {
		return err
	}
	r.setVector(v, t.kind)
	return nil
}

// compute computes an expression at each row of a run.
func (r *catalogRows) compute(e *catalogExpr, run *catalogRun) (err error) {
	for row := range r.values {
		r.at.place = run.place(row)
		if r.values[row], err = e.compute(&r.at); err != nil {
			return err
		}
	}
	return nil
}

// setVector sets the rows of a vector to the values.
func (r *catalogRows) setVector(v *planner.Vector, kind string) {
	for row := range r.values {
		if !r.values[row].null {
			v.Valid[row>>6] |= 1 << (row & 63)
		}
	}
	switch n := len(r.values); kind {
	case "BOOLEAN":
		v.Bools = resized(v.Bools, n)
		for row := range r.values {
			v.Bools[row] = r.values[row].n != 0
		}
	case "SMALLINT":
		v.Int16s = resized(v.Int16s, n)
		setNumbers(v.Int16s, r.values)
	case "INTEGER":
		v.Int32s = resized(v.Int32s, n)
		setNumbers(v.Int32s, r.values)
	case "BIGINT":
		v.Int64s = resized(v.Int64s, n)
		setNumbers(v.Int64s, r.values)
	default:
		v.Bytes = resized(v.Bytes, n)
		for row := range r.values {
			v.Bytes[row] = bytesOf(r.values[row].text)
		}
	}
}

func setNumbers[T int16 | int32 | int64](out []T, values []catalogValue) {
	for i := range values {
		out[i] = T(values[i].n)
	}
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
