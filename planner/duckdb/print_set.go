package duckdb

import (
	"strings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// setOperation prints UNION, INTERSECT and EXCEPT.
func (p *printer) setOperation(q *planner.Query, want []int) body {
	left := p.query(q.SetOp.Left, want)
	right := p.query(q.SetOp.Right, want)
	for i := range q.Targets {
		if l, r := q.SetOp.Left.Targets, q.SetOp.Right.Targets; i < len(l) && i < len(r) {
			p.sameRows(l[i].Expr, r[i].Expr)
		}
	}
	if want == nil {
		left, right = p.alike(q, left, right)
	}
	keyword := map[planner.SetOpKind]string{
		planner.Union: " UNION ", planner.Intersect: " INTERSECT ", planner.Except: " EXCEPT ",
	}[q.SetOp.Kind]
	keys, keyed := p.rowKeys(q, left.scales)
	b := body{scales: left.scales}
	switch {
	case keyed && q.SetOp.Kind != planner.Union:
		b.sql = p.byKeys(q, left.sql, right.sql, keys)
	case keyed && !q.SetOp.All:
		b.sql = "SELECT DISTINCT ON (" + keys + ") * FROM ((" + left.sql + ") UNION ALL (" + right.sql + "))"
	case q.SetOp.All:
		b.sql = "(" + left.sql + ")" + keyword + "ALL (" + right.sql + ")"
	default:
		b.sql = "(" + left.sql + ")" + keyword + "(" + right.sql + ")"
	}
	if len(q.OrderBy) > 0 {
		b.sql = "SELECT * FROM (" + b.sql + ")"
	}
	b.sql += p.orderBy(q, b.scales) + p.limit(q)
	return b
}

func elementOrSelf(oid postgres.OID) postgres.OID {
	if elem := postgres.ElemOf(oid); elem != 0 {
		return elem
	}
	return oid
}

// rowKeys are what the rows of a set operation are compared by; keyed says that this is
// not the rows themselves.
func (p *printer) rowKeys(q *planner.Query, scales []int) (keys string, keyed bool) {
	var list []string
	for i, t := range q.Targets {
		if q.SetOp.All && q.SetOp.Kind == planner.Union {
			return "", false
		}
		p.comparable(t.Expr.Type())
		e := printed{outputName(i), scales[i]}
		k := p.key(t.Expr.Type(), e)
		if p.recursive == q {
			// DuckDB wants a plain UNION. Rows are the same here if their texts are: SEARCH and CYCLE make them of columns that are there, too.
			if k != e.sql && elementOrSelf(t.Expr.Type().OID) != postgres.RecordOID {
				p.fail(unsupported("UNION in a recursive query over type %s", t.Expr.Type().OID))
			}
			continue
		}
		keyed = keyed || k != e.sql
		list = append(list, k)
	}
	return strings.Join(list, ", "), keyed
}

// byKeys prints INTERSECT and EXCEPT of rows that are compared by keys. Each row of the left
// side is counted among those of its key and held against how many the right side has.
func (p *printer) byKeys(q *planner.Query, left, right, keys string) string {
	condition := map[bool]map[planner.SetOpKind]string{
		false: {planner.Intersect: "place = 1 AND others > 0", planner.Except: "place = 1 AND others = 0"},
		true:  {planner.Intersect: "place <= others", planner.Except: "place > others"},
	}[q.SetOp.All][q.SetOp.Kind]
	var outputs []string
	for i := range q.Targets {
		outputs = append(outputs, outputName(i))
	}
	return "SELECT " + strings.Join(outputs, ", ") + " FROM (SELECT *, row_number() OVER (PARTITION BY " + keys + ", other) AS place, " +
		"count(*) FILTER (WHERE other) OVER (PARTITION BY " + keys + ") AS others " +
		"FROM (SELECT *, false AS other FROM (" + left + ") UNION ALL SELECT *, true AS other FROM (" + right + "))) WHERE NOT other AND " + condition
}

// alike brings the columns of both sides into common forms.
func (p *printer) alike(q *planner.Query, left, right body) (l, r body) {
	want := make([]int, len(left.scales))
	for i := range left.scales {
		want[i] = left.scales[i]
		if left.scales[i] != right.scales[i] {
			want[i] = asText
		}
	}
	return p.reform(q.SetOp.Left, left, want), p.reform(q.SetOp.Right, right, want)
}

// reform wraps a printed query so that its columns have the wanted forms.
func (p *printer) reform(q *planner.Query, b body, want []int) body {
	same := true
	var outputs []string
	for i := range q.Targets {
		c := outputName(i)
		if b.scales[i] != want[i] {
			same = false
		}
		outputs = append(outputs, p.inForm(q.Targets[i].Expr.Type(), printed{c, b.scales[i]}, want[i]).sql+" AS "+c)
	}
	if same {
		return b
	}
	return body{"SELECT " + strings.Join(outputs, ", ") + " FROM (" + b.sql + ")", want}
}

// values prints a VALUES list, with ORDER BY and LIMIT if it has them.
func (p *printer) values(q *planner.Query, want []int) body {
	shown := q.Targets
	rows := make([][]printed, len(q.Values))
	for i, row := range q.Values {
		for _, e := range row {
			rows[i] = append(rows[i], p.expr(e))
		}
	}
	b := body{scales: make([]int, len(shown))}
	var outputs []string
	for c, t := range shown {
		column := make([]printed, len(rows))
		for i := range rows {
			p.sameRows(q.Values[0][c], q.Values[i][c])
			column[i] = rows[i][c]
		}
		column = p.common(t.Expr.Type(), column)
		for i := range rows {
			rows[i][c] = p.wanted(t.Expr.Type(), column[i], want, c)
		}
		b.scales[c] = rows[0][c].scale
		outputs = append(outputs, p.output(t.Expr.Type(), printed{columnName(c), b.scales[c]})+" AS "+outputName(c))
	}
	var lines []string
	for _, row := range rows {
		var cells []string
		for _, cell := range row {
			cells = append(cells, cell.sql)
		}
		lines = append(lines, "("+strings.Join(cells, ", ")+")")
	}
	var names []string
	for c := range shown {
		names = append(names, columnName(c))
	}
	b.sql = "SELECT " + strings.Join(outputs, ", ") + " FROM (VALUES " + strings.Join(lines, ", ") + ") v(" + strings.Join(names, ", ") + ")"
	if len(q.OrderBy) > 0 {
		b.sql = "SELECT * FROM (" + b.sql + ")"
	}
	b.sql += p.orderBy(q, b.scales) + p.limit(q)
	return b
}
