package planner

import "github.com/fieldgate/fieldgate/sources"

// FirstRows says that the plan gives the first rows of one scan, newest first or
// in no order at all: SELECT … FROM metric WHERE … [ORDER BY timestamp DESC, …]
// LIMIT n. Such a plan is the same as one over the newest part of the scan's times
// and, if that gives fewer rows, then over the part before it for the rest, and so
// on; so an engine need not have everything at hand before it begins.
func (p *Plan) FirstRows() (scan *MetricScan, limit int64, ok bool) {
	q := p.Query
	if len(p.Metrics) != 1 || len(p.Catalogs) > 0 || len(q.CTEs) > 0 || q.SetOp != nil || q.Values != nil || len(q.From) != 1 ||
		q.Aggregated || q.GroupBy != nil || q.GroupingSets != nil || q.Having != nil || q.Distinct || q.DistinctOn != nil || q.Ties || q.Guarded {
		return nil, 0, false
	}
	scan, ok = q.From[0].(*MetricScan)
	if !ok || scan != p.Metrics[0] || !q.newestFirst(scan) {
		return nil, 0, false
	}
	if limit, ok = constantCount(q.Limit); !ok || limit < 0 {
		return nil, 0, false
	}
	if skipped, isConstant := constantCount(q.Offset); q.Offset != nil && (!isConstant || skipped != 0) {
		return nil, 0, false
	}
	ownExprs(q, func(e Expr) {
		walk(e, func(e Expr) bool {
			switch e := e.(type) {
			case *WindowCall, *Subquery, *Aggregate:
				ok = false
			case *Func:
				ok = ok && !e.Proc.ReturnsSet
			}
			return ok
		})
	})
	return scan, limit, ok
}

// newestFirst says that rows of a later time come first, or that the order is all
// the same.
func (q *Query) newestFirst(scan *MetricScan) bool {
	if len(q.OrderBy) == 0 {
		return true
	}
	key := q.OrderBy[0]
	e := key.Expr
	if o, ok := e.(*Output); ok {
		e = q.Targets[o.Index].Expr
	}
	c, ok := e.(*Column)
	return ok && key.Desc && c.Relation == Relation(scan) && scan.Fields[c.Index].Builtin == sources.ColumnTS
}

// constantCount is the value of a constant LIMIT or OFFSET.
func constantCount(e Expr) (int64, bool) {
	c, ok := e.(*Const)
	if !ok || c.Null {
		return 0, false
	}
	return c.Value.Int, true
}
