package duckdb

import (
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/sources"
)

// boundsConditions limit the time where the data may lie outside the bounds.
func boundsConditions(bounds, data sources.Bounds, column string) []string {
	var out []string
	if bounds.Min > data.Min {
		out = append(out, column+" >= "+timestampLiteral(bounds.Min))
	}
	if bounds.Max < data.Max {
		out = append(out, column+" <= "+timestampLiteral(bounds.Max))
	}
	return out
}

// asked are the times that a query asks for by comparing its one scan's time with
// constants. DuckDB takes such conditions to the files, so the scan needs none of
// its own, and the statement's text is the same for other times.
func asked(q *planner.Query, s *planner.MetricScan) sources.Bounds {
	bounds := sources.Unbounded()
	if q == nil {
		return bounds
	}
	if scan, ok := onlyScan(q); !ok || scan != s {
		return bounds
	}
	for _, e := range planner.Conjuncts(q.Where) {
		if b, ok := comparedTimes(e, s); ok {
			bounds = bounds.Intersect(b)
		}
	}
	return bounds
}

// comparedTimes are those for which a comparison of a scan's time with a constant is
// true.
func comparedTimes(e planner.Expr, s *planner.MetricScan) (sources.Bounds, bool) {
	bounds := sources.Unbounded()
	op, ok := e.(*planner.Op)
	if !ok {
		return bounds, false
	}
	column, isColumn := op.Left.(*planner.Column)
	c, isConst := op.Right.(*planner.Const)
	if !isColumn || !isConst || column.Relation != planner.Relation(s) || s.Fields[column.Index].Builtin != sources.ColumnTS ||
		c.T.OID != column.T.OID || !canHoist(c) {
		return bounds, false
	}
	switch at := c.Value.Int; op.Operator.Name {
	case "=":
		bounds = sources.Bounds{Min: at, Max: at}
	case ">=":
		bounds.Min = at
	case ">":
		bounds.Min = at + 1 // the greatest number is infinity, which canHoist refuses
	case "<=":
		bounds.Max = at
	case "<":
		bounds.Max = at - 1
	default:
		return bounds, false
	}
	return bounds, true
}
