package planner

import (
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// A row of a table has the table's own type. Here it is a record all the same, and what
// shows its type (a result's description, pg_typeof) is told of the table.

// presence is a column that is NULL where an outer join has found no row for a whole
// row: the time of an event, or a constant that a query in FROM gets for it. Nil: there
// is none.
func (b *binder) presence(row *Row) Expr {
	switch scan := row.Whole.(type) {
	case *MetricScan:
		for _, e := range row.Elems {
			if c, ok := e.(*Column); ok && c.Relation == row.Whole && scan.Fields[c.Index].Builtin == sources.ColumnTS {
				return c
			}
		}
	case *SubqueryScan:
		q := scan.Query
		switch {
		case q.Guarded || len(scan.Cols) != len(q.Targets):
			return nil
		case q.SetOp != nil || q.Values != nil:
			inner := b.newSubqueryScan(q, "rows", scan.Lateral)
			q = &Query{From: []FromItem{inner}}
			for i, c := range scan.Cols {
				q.Targets = append(q.Targets, Target{Expr: &Column{T: c.T, Relation: inner, Index: i, at: nowhere}, Name: c.Name})
			}
			scan.Query = q
		}
		scan.Cols = append(scan.Cols, RelationColumn{Name: "present", T: boolType(), Hidden: true})
		q.Targets = append(q.Targets, Target{Expr: boolConst(true), Name: "present"})
		return &Column{T: boolType(), Relation: scan, Index: len(scan.Cols) - 1, at: nowhere}
	}
	return nil
}

// rowType is the type of the table whose rows, or arrays of them, e gives; 0: none.
func rowType(e Expr) uint32 {
	switch e := e.(type) {
	case *Row:
		return e.RowType
	case *Column:
		switch r := e.Relation.(type) {
		case *SubqueryScan:
			return targetRowType(r.Query, e.Index)
		case *CTEScan:
			return targetRowType(r.CTE.Query, e.Index)
		}
	case *Coalesce:
		return commonRowType(e.Args)
	case *Case:
		results := make([]Expr, 0, len(e.Whens)+1)
		for _, w := range e.Whens {
			results = append(results, w.Result)
		}
		if e.Else != nil {
			results = append(results, e.Else)
		}
		return commonRowType(results)
	case *Array:
		return arrayOfRows(commonRowType(e.Elems))
	case *Aggregate:
		if e.T.OID == postgres.RecordArrayOID && len(e.Args) == 1 {
			return arrayOfRows(rowType(e.Args[0]))
		}
	case *Subquery:
		switch e.Kind {
		case SubqueryScalar:
			return targetRowType(e.Query, 0)
		case SubqueryArray:
			return arrayOfRows(targetRowType(e.Query, 0))
		}
	}
	return 0
}

// commonRowType is the type of the table whose rows all of the expressions give.
func commonRowType(exprs []Expr) uint32 {
	common := uint32(0)
	for i, e := range exprs {
		t := rowType(e)
		if c, ok := e.(*Const); ok && c.Null && common != 0 {
			continue
		}
		if i > 0 && t != common {
			return 0
		}
		common = t
	}
	return common
}

func arrayOfRows(row uint32) uint32 {
	if row == 0 {
		return 0
	}
	return row - schema.RowTypeOID(0) + schema.RowArrayOID(0)
}

func targetRowType(q *Query, i int) uint32 {
	for q != nil && q.SetOp != nil {
		q = q.SetOp.Left
	}
	if q == nil || q.Values != nil || i >= len(q.Targets) {
		return 0
	}
	return rowType(q.Targets[i].Expr)
}
