package planner

// A cursor that was declared without a word on scrolling can scroll where that is
// cheap, as in PostgreSQL: where the plan on top can run backward
// (ExecSupportsBackwardScan), and here as long as its rows fit in memory.

// scrollsByItself says that PostgreSQL's plan of a query runs backward: a sort on
// top, or a scan of one relation.
func scrollsByItself(q *Query) bool {
	if q.SetOp != nil || q.Aggregated || q.Distinct || q.DistinctOn != nil || hasWindow(q) {
		return false
	}
	if len(q.OrderBy) > 0 {
		return true
	}
	if q.Values != nil {
		return len(q.Values) > 1 // one row is no scan
	}
	if len(q.From) != 1 {
		return false
	}
	switch from := q.From[0].(type) {
	case *Join:
		return false
	case *SubqueryScan:
		return scrollsByItself(from.Query)
	}
	return true
}

func hasWindow(q *Query) bool {
	for _, t := range q.Targets {
		if contains(t.Expr, func(e Expr) bool {
			_, is := e.(*WindowCall)
			return is
		}) {
			return true
		}
	}
	return false
}
