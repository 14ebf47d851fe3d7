package planner

import (
	"fmt"
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// Format prints a bound query as text, a line a part, for tests. Columns
// are written label.name, implicit casts x::type, explicit ones CAST(x AS type).
func Format(q *Query) string {
	f := &formatter{}
	f.query(q)
	return f.b.String()
}

// formatter indents nested queries.
type formatter struct {
	b      strings.Builder
	indent int
}

func (f *formatter) line(format string, args ...any) {
	f.b.WriteString(strings.Repeat("  ", f.indent))
	fmt.Fprintf(&f.b, format, args...)
	f.b.WriteByte('\n')
}

// nested prints what is inside a part, one level deeper.
func (f *formatter) nested(inner func()) {
	f.indent++
	inner()
	f.indent--
}

func (f *formatter) query(q *Query) {
	for _, c := range q.CTEs {
		kind := ""
		if c.Recursive {
			kind += " recursive"
		}
		if c.Materialized {
			kind += " materialized"
		}
		f.line("with%s %s", kind, c.Label)
		f.nested(func() { f.query(c.Query) })
	}
	switch {
	case q.SetOp != nil:
		all := ""
		if q.SetOp.All {
			all = " all"
		}
		f.line("%s%s", strings.ToLower(q.SetOp.Kind.String()), all)
		f.targets(q)
		f.nested(func() { f.query(q.SetOp.Left) })
		f.nested(func() { f.query(q.SetOp.Right) })
	case q.Values != nil:
		f.line("values")
		f.targets(q)
		for _, row := range q.Values {
			f.line("  (%s)", f.list(row))
		}
	default:
		f.line("%s", selectWord(q))
		f.targets(q)
		f.clauses(q)
	}
	f.list1("order by", formatOrder(f, q.OrderBy))
	f.one("limit", q.Limit)
	f.one("offset", q.Offset)
}

func selectWord(q *Query) string {
	switch {
	case q.DistinctOn != nil:
		return "select distinct on"
	case q.Distinct:
		return "select distinct"
	case q.Aggregated:
		return "select aggregated"
	}
	return "select"
}

func (f *formatter) targets(q *Query) {
	for _, t := range q.Targets {
		f.line("  %s %s = %s", quoteName(t.Name), typeText(t.Expr.Type()), f.expr(t.Expr))
	}
}

func (f *formatter) clauses(q *Query) {
	for _, from := range q.From {
		f.line("from")
		f.nested(func() { f.from(from) })
	}
	f.one("where", q.Where)
	if q.GroupingSets != nil {
		sets := make([]string, len(q.GroupingSets))
		for i, set := range q.GroupingSets {
			sets[i] = "(" + f.list(set) + ")"
		}
		f.line("grouping sets %s", strings.Join(sets, " "))
	} else {
		f.list1("group by", f.list(q.GroupBy))
	}
	f.one("having", q.Having)
	f.list1("distinct on", f.list(q.DistinctOn))
}

func (f *formatter) one(word string, e Expr) {
	if e != nil {
		f.line("%s %s", word, f.expr(e))
	}
}

func (f *formatter) list1(word, list string) {
	if list != "" {
		f.line("%s %s", word, list)
	}
}

func (f *formatter) list(exprs []Expr) string {
	out := make([]string, len(exprs))
	for i, e := range exprs {
		out[i] = f.expr(e)
	}
	return strings.Join(out, ", ")
}

var joinWords = map[JoinKind]string{InnerJoin: "join", LeftJoin: "left join", RightJoin: "right join", FullJoin: "full join"}

func (f *formatter) from(item FromItem) {
	switch item := item.(type) {
	case *Join:
		f.line("%s", joinWords[item.Kind])
		f.nested(func() {
			f.from(item.Left)
			f.from(item.Right)
			f.one("on", item.On)
		})
	case *MetricScan:
		f.line("metric %s as %s%s", quoteName(item.Name), quoteName(item.RelationLabel), formatBounds(item))
		f.nested(func() {
			for _, field := range item.Fields {
				f.line("%s", f.field(field))
			}
		})
	case *CatalogScan:
		f.line("catalog %d as %s", item.Relation.OID(), quoteName(item.RelationLabel))
	case *SubqueryScan:
		f.line("%ssubquery %s", lateralWord(item.Lateral), quoteName(item.RelationLabel))
		f.nested(func() { f.query(item.Query) })
	case *CTEScan:
		f.line("cte %s as %s", quoteName(item.CTE.Label), quoteName(item.RelationLabel))
	case *FunctionScan:
		ordinality := ""
		if item.Ordinality {
			ordinality = " with ordinality"
		}
		calls := f.expr(item.Call)
		for _, more := range item.More {
			calls += ", " + f.expr(more)
		}
		f.line("%sfunction %s as %s%s", lateralWord(item.Lateral), calls, quoteName(item.RelationLabel), ordinality)
	}
}

func lateralWord(lateral bool) string {
	if lateral {
		return "lateral "
	}
	return ""
}

func formatBounds(s *MetricScan) string {
	var b strings.Builder
	env, unbounded := postgres.DefaultEnv(), sources.Unbounded()
	if s.Bounds.Min != unbounded.Min {
		b.WriteString(" from " + momentText(s.Bounds.Min, env))
	}
	if s.Bounds.Max != unbounded.Max {
		b.WriteString(" to " + momentText(s.Bounds.Max, env))
	}
	for _, p := range s.Filters {
		b.WriteString(" prune " + filterText(&p))
	}
	return b.String()
}

func (f *formatter) field(field ScanField) string {
	var b strings.Builder
	b.WriteString(quoteName(field.Name) + " " + typeText(field.T))
	if field.Builtin != "" {
		b.WriteString(" builtin " + field.Builtin)
	}
	for i, s := range field.Sources {
		b.WriteString([]string{" from ", ", "}[min(i, 1)] + quoteName(s.Sent))
		if s.Convert != nil {
			b.WriteString(" by " + f.expr(s.Convert))
		}
	}
	return b.String()
}

func formatOrder(f *formatter, keys []SortKey) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = f.expr(k.Expr)
		if k.Desc {
			out[i] += " desc"
		}
		if k.NullsFirst != k.Desc {
			out[i] += map[bool]string{true: " nulls first", false: " nulls last"}[k.NullsFirst]
		}
	}
	return strings.Join(out, ", ")
}
