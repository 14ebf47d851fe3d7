package planner

import "fmt"

// estimate is what EXPLAIN expects of a plan. Clients read it: postgres_fdw asks for
// it to decide what to send, others show the rows. The rows of a scan are those of
// what it opens; what other conditions than the time's leave is not estimated. Costs
// are in PostgreSQL's units, with its default prices of a page and a row.
type estimate struct {
	cost        float64
	rows, width int64
}

// What PostgreSQL takes for granted where it knows nothing (costsize.c, selfuncs.h).
const (
	pageBytes      = 8192
	pageCost       = 1.0
	rowCost        = 0.01
	unknownRows    = 1000
	unknownGroups  = 200
	unknownBytes   = 32 // of a value
	rowOfNoColumns = 0.01
)

func (e estimate) String() string {
	return fmt.Sprintf("(cost=0.00..%.2f rows=%d width=%d)", e.cost, e.rows, e.width)
}

func (e estimate) add(node *group) {
	node.add("Startup Cost", costValue(0))
	node.add("Total Cost", costValue(e.cost))
	node.add("Plan Rows", e.rows)
	node.add("Plan Width", e.width)
}

// estimate is that of the statement, which costs what its scans do and its rows.
func (r *explainReport) estimate() estimate {
	e := estimate{rows: queryRows(r.plan.Query), cost: rowOfNoColumns}
	for _, m := range r.plan.Metrics {
		e.cost += scanEstimate(m).cost
	}
	if len(r.plan.Metrics) > 0 {
		e.cost += float64(e.rows) * rowCost
	}
	for _, c := range r.plan.Columns {
		e.width += typeWidth(c.T)
	}
	return e
}

func scanEstimate(m *MetricScan) estimate {
	var e estimate
	for _, d := range m.Splits {
		c := countSplits(d)
		e.rows += c.Rows
		e.cost += float64(c.BytesRead)/pageBytes*pageCost + float64(c.Rows)*rowCost
	}
	for _, c := range m.Columns() {
		e.width += typeWidth(c.T)
	}
	return e
}

func typeWidth(t Type) int64 {
	if n := int64(ResultColumn{T: t}.Size()); n > 0 {
		return n
	}
	return unknownBytes
}

// queryRows is how many rows a query may give.
func queryRows(q *Query) int64 {
	rows := int64(1)
	switch {
	case q.SetOp != nil:
		rows = queryRows(q.SetOp.Left)
		if q.SetOp.Kind == Union {
			rows += queryRows(q.SetOp.Right)
		}
	case q.Values != nil:
		rows = int64(len(q.Values))
	default:
		for _, f := range q.From {
			rows = max(rows, fromRows(f))
		}
	}
	switch {
	case q.Aggregated && len(q.GroupBy) == 0 && q.GroupingSets == nil:
		rows = 1
	case q.Aggregated || q.Distinct || q.DistinctOn != nil:
		rows = min(rows, unknownGroups)
	}
	if limit, ok := constantCount(q.Limit); ok {
		rows = min(rows, limit)
	}
	return rows
}

// fromRows is how many rows a query reads from an item; a join has those of its
// larger side, as where one side refers to the other.
func fromRows(f FromItem) int64 {
	switch f := f.(type) {
	case *Join:
		return max(fromRows(f.Left), fromRows(f.Right))
	case *MetricScan:
		return scanEstimate(f).rows
	case *SubqueryScan:
		return queryRows(f.Query)
	}
	return unknownRows
}
