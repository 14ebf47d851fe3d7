package duckdb

import (
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// fromWhere prints FROM and WHERE. Set-returning functions of the select list, which the binder puts into FROM, run over the
// rows that WHERE leaves. Where ORDER BY says nothing of their results, position is a last key for it, which keeps those of
// one row together and in order, as they are in PostgreSQL, that sorts first.
func (p *printer) fromWhere(q *planner.Query) (text, position string) {
	items := q.From
	var listed *planner.FunctionScan
	ordered := false
	if last := len(items) - 1; last > 0 {
		if s, ok := items[last].(*planner.FunctionScan); ok && s.Listed {
			ordered = sortedBefore(q, s)
			if ordered || p.expands(s, items[:last]) {
				items, listed = items[:last], s
			}
		}
	}
	text = p.from(items)
	condition := ""
	if q.Where != nil {
		condition = p.where(q)
	}
	text += p.guardWhere(q, condition)
	if listed != nil {
		text = " FROM " + p.expansion(strings.TrimPrefix(text, " FROM "), items, listed)
	}
	if ordered {
		name := p.relations[listed].name
		position = p.name("t")
		text = " FROM (SELECT *, row_number() OVER () AS " + position + text + ") AS " + name
		position = name + "." + position
	}
	return text, position
}

// sortedBefore says that PostgreSQL sorts the rows of q before the set-returning functions of its select list run over them.
func sortedBefore(q *planner.Query, s *planner.FunctionScan) bool {
	if len(q.OrderBy) == 0 || q.Aggregated || q.Distinct || len(q.DistinctOn) > 0 || q.Ties {
		return false
	}
	for _, k := range q.OrderBy {
		e := k.Expr
		if o, ok := e.(*planner.Output); ok {
			e = q.Targets[o.Index].Expr
		}
		if s.ReadBy(e) {
			return false
		}
	}
	return true
}

func (p *printer) from(items []planner.FromItem) string {
	if len(items) == 0 {
		return ""
	}
	var out []string
	for i, item := range items {
		if s, ok := item.(*planner.FunctionScan); ok && p.expands(s, items[:i]) {
			out = []string{p.expansion(strings.Join(out, ", "), items[:i], s)}
			continue
		}
		out = append(out, p.fromItem(item))
	}
	return " FROM " + strings.Join(out, ", ")
}

func (p *printer) fromItem(item planner.FromItem) string {
	switch item := item.(type) {
	case *planner.Join:
		return p.join(item)
	case *planner.MetricScan:
		return p.metricScan(item)
	case *planner.CatalogScan:
		return p.catalogScan(item)
	case *planner.SubqueryScan:
		b := p.query(item.Query, nil)
		lateral := ""
		if item.Lateral {
			lateral = "LATERAL "
		}
		return lateral + "(" + b.sql + ") AS " + p.declare(item, b.scales)
	case *planner.CTEScan:
		w := p.ctes[item.CTE]
		return w.name + " AS " + p.declare(item, w.columns)
	case *planner.FunctionScan:
		return p.functionScan(item)
	}
	p.fail(unsupported("this item of FROM"))
	return ""
}

// declare names a relation and its columns: t1(c1, c2).
func (p *printer) declare(r planner.Relation, scales []int) string {
	name := p.name("t")
	p.relations[r] = relation{name: name, columns: scales}
	return name + columnList(len(r.Columns()))
}

// columnList is the list of columns behind a relation's name.
func columnList(n int) string {
	if n == 0 {
		return ""
	}
	names := make([]string, n)
	for i := range names {
		names[i] = columnName(i)
	}
	return "(" + strings.Join(names, ", ") + ")"
}

func (p *printer) join(j *planner.Join) string {
	var pending []*planner.Subquery
	if j.Kind != planner.InnerJoin {
		pending = planner.Subqueries(j.On)
	}
	left, pending := p.joinSide(j.Left, j.Right, pending)
	if s, ok := j.Right.(*planner.FunctionScan); ok && j.Kind == planner.InnerJoin && isTrue(j.On) && p.expands(s, []planner.FromItem{j.Left}) {
		return p.expansion(left, []planner.FromItem{j.Left}, s)
	}
	if s, ok := j.Right.(*planner.FunctionScan); ok && j.Kind == planner.LeftJoin && isTrue(j.On) && p.expands(s, []planner.FromItem{j.Left}) {
		p.nullableSides(j)
		return p.expansion(left, []planner.FromItem{j.Left}, s, "unnest([true])")
	}
	right, rest := p.joinSide(j.Right, j.Left, pending)
	p.nullableSides(j)
	keyword := map[planner.JoinKind]string{
		planner.InnerJoin: " JOIN ", planner.LeftJoin: " LEFT JOIN ", planner.RightJoin: " RIGHT JOIN ", planner.FullJoin: " FULL JOIN ",
	}[j.Kind]
	if _, ok := j.Right.(*planner.Join); ok && len(rest) == len(pending) {
		right = "(" + right + ")"
	}
	if j.On == nil {
		if j.Kind == planner.InnerJoin {
			return left + " CROSS JOIN " + right
		}
		return left + keyword + right + " ON true"
	}
	p.seal(j.On)
	switch {
	case len(rest) == 0 || j.Kind == planner.FullJoin:
	case j.Kind == planner.RightJoin:
		return right + p.joinRows(left, j.Left, j.On)
	default:
		return left + p.joinRows(right, j.Right, j.On)
	}
	return left + keyword + right + " ON " + p.expr(j.On).sql
}

// isTrue says that a condition lets everything through.
func isTrue(e planner.Expr) bool {
	c, ok := e.(*planner.Const)
	return e == nil || ok && !c.Null && c.Value.Kind == postgres.BoolKind && c.Value.Int != 0
}

// catalogScan reads rows that the planner computed.
func (p *printer) catalogScan(s *planner.CatalogScan) string {
	source := newCatalogSource(s)
	scales := make([]int, len(s.Cols))
	columns := make([]string, len(s.Cols))
	isEmpty := source.rows() == 0
	for i, c := range s.Cols {
		scales[i] = textScale(c.T)
		name, kind := columnName(i), source.names[i].kind
		t := physical(c.T.OID)
		if t == "" {
			t = kind
		}
		switch {
		case isEmpty:
			columns[i] = "CAST(NULL AS " + t + ") AS " + name
		case t != kind:
			columns[i] = "CAST(" + name + " AS " + t + ") AS " + name
		default:
			columns[i] = name
		}
	}
	from := " WHERE false" // which the engine sees before it plans joins
	if !isEmpty {
		from = " FROM " + p.registerRows(source)
	}
	return "(SELECT " + strings.Join(columns, ", ") + from + ") AS " + p.declare(s, scales)
}

// functionScan reads a set-returning function: the elements of a list.
func (p *printer) functionScan(s *planner.FunctionScan) string {
	if from, ok := p.integerSeries(s); ok {
		return from
	}
	sets, scales := p.setColumns(s)
	for i := range sets {
		sets[i] += " AS " + columnName(i)
	}
	lateral := ""
	if s.Lateral {
		lateral = "LATERAL "
	}
	return lateral + "(SELECT " + strings.Join(sets, ", ") + ") AS " + p.declare(s, scales)
}

// setColumns are the columns of a set-returning function, for a select list.
func (p *printer) setColumns(s *planner.FunctionScan) (columns []string, scales []int) {
	scales = make([]int, len(s.Cols))
	if s.Call.Proc.Name == "_pg_expandarray" {
		array := s.Call.Args[0]
		list := p.items(array.Type(), p.expr(array))
		return []string{"unnest(" + list + ")", "unnest(CAST(range(1, len(" + list + ") + 1) AS INTEGER[]))"}, scales
	}
	n := len(s.Cols)
	if s.Ordinality {
		n--
	}
	var lengths []string
	for i, call := range s.Calls() {
		list := p.setReturning(call)
		columns = append(columns, "unnest("+list.sql+")")
		lengths = append(lengths, "len("+list.sql+")")
		if call.T.OID == postgres.NumericOID {
			scales[i] = list.scale
		}
	}
	if values, ok := eachValues(s.Call.Proc.Name); ok {
		columns = append(columns, "unnest("+values+"("+p.expr(s.Call.Args[0]).sql+"))")
	}
	if n != len(columns) {
		p.fail(unsupported("function %s with several result columns", s.Call.Proc.Name))
	}
	if s.Ordinality {
		columns = append(columns, "unnest(range(1, greatest("+strings.Join(lengths, ", ")+") + 1))")
	}
	return columns, scales
}

// eachValues is the function that gives the second column of json_each and its
// like; the first is the function's own list.
func eachValues(name string) (function string, ok bool) {
	switch name {
	case "json_each", "jsonb_each":
		return "fg_json_values", true
	case "json_each_text", "jsonb_each_text":
		return "fg_json_values_text", true
	}
	return "", false
}

// integerSeries prints generate_series over constant integers as DuckDB's table
// function, which makes its rows one by one.
func (p *printer) integerSeries(s *planner.FunctionScan) (from string, ok bool) {
	if s.Call.Proc.Name != "generate_series" || s.Ordinality || len(s.More) > 0 || s.Call.T.OID != postgres.Int4OID && s.Call.T.OID != postgres.Int8OID {
		return "", false
	}
	args := make([]string, len(s.Call.Args))
	for i, a := range s.Call.Args {
		n, ok := constantInt(a)
		if !ok || i == 2 && n == 0 {
			return "", false
		}
		args[i] = strconv.FormatInt(n, 10)
	}
	series := "generate_series(" + strings.Join(args, ", ") + ")"
	return "(SELECT CAST(generate_series AS " + physical(s.Call.T.OID) + ") AS c1 FROM " + series + ") AS " + p.declare(s, make([]int, 1)), true
}
