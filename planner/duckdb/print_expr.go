package duckdb

import (
	"fmt"
	"strings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// expr prints an expression. Among the outputs of a grouping query a key whose
// equal values can look different is taken out of its group.
func (p *printer) expr(e planner.Expr) printed {
	for _, k := range p.named {
		if planner.SameExpr(k.expr, e) {
			if p.groups[k.text.sql] {
				return printed{"any_value(" + k.text.sql + ")", k.text.scale}
			}
			return k.text
		}
	}
	if len(p.groups) > 0 && hasKey(e.Type().OID) {
		groups := p.groups
		p.groups = nil
		plain := p.plain(e)
		p.groups = groups
		if p.groups[plain.sql] {
			return printed{"any_value(" + plain.sql + ")", plain.scale}
		}
	}
	return p.plain(e)
}

func (p *printer) plain(e planner.Expr) printed {
	if p.err == nil && p.stopped != nil {
		p.err = p.stopped()
	}
	if p.err != nil {
		return p.fail(p.err)
	}
	return p.bounded(p.node(e))
}

func (p *printer) node(e planner.Expr) printed {
	switch e := e.(type) {
	case *planner.Const:
		return p.constant(e)
	case *planner.ParamRef:
		return p.null(e.T)
	case *planner.Column:
		return p.column(e)
	case *planner.SentValue:
		if p.value == nil {
			return p.null(e.T)
		}
		return p.value(e.T)
	case *planner.Func:
		return p.function(e)
	case *planner.CatalogCall:
		return p.catalogCall(e)
	case *planner.Op:
		return p.operator(e)
	case *planner.Cast:
		return p.castExpr(e)
	case *planner.Logic, *planner.IsNull, *planner.IsBool, *planner.IsDistinct, *planner.In, *planner.Quantified,
		*planner.RowCompare:
		return p.condition(e)
	case *planner.Case:
		return p.caseExpr(e)
	case *planner.Coalesce:
		es := p.common(e.Args[0].Type(), p.reachedBy(e.Args, " IS NULL"))
		return printed{"coalesce(" + join(es) + ")", es[0].scale}
	case *planner.MinMax:
		return p.minMax(e)
	case *planner.NullIf:
		args := p.exprs([]planner.Expr{e.Left, e.Right})
		return p.shared(args, []planner.Expr{e.Left, e.Right}, func() printed {
			l, r := p.common2(e.Left.Type(), args[0], args[1])
			equal := p.apply(e.Operator, e.Left.Type(), l, e.Right.Type(), r)
			return printed{"(CASE WHEN " + equal.sql + " THEN NULL ELSE " + args[0].sql + " END)", args[0].scale}
		})
	case *planner.Array:
		return p.array(e)
	case *planner.Subscript:
		return p.subscript(e)
	case *planner.Subquery:
		if value, ok := p.computed[e]; ok {
			return value
		}
		return p.subquery(e)
	case *planner.Aggregate:
		return p.aggregate(e)
	case *planner.WindowCall:
		return p.windowCall(e)
	case *planner.Grouping:
		var args []string
		for _, a := range e.Args {
			args = append(args, p.key(a.Type(), p.plain(a)))
		}
		return printed{sql: "CAST(GROUPING(" + strings.Join(args, ", ") + ") AS INTEGER)"}
	case *planner.Row:
		return p.row(e)
	case *planner.RecordField:
		return p.keptValue(e.T, fmt.Sprintf("list_extract(fg_array_items(%s), %d)", p.expr(e.Arg).sql, recordParts*e.Index+recordParts))
	case *planner.JSONField:
		return p.jsonField(e)
	}
	return p.fail(unsupported("expression %T", e))
}

func (p *printer) column(c *planner.Column) printed {
	if w := p.within; w != nil && c.Relation == w.scan {
		if out := p.field(&w.scan.Fields[c.Index], w.scan, w.branch); out.scale != absent {
			return out
		}
		return p.null(c.T)
	}
	if p.absent[c.Relation] {
		return p.null(c.T)
	}
	r, ok := p.relations[c.Relation]
	if !ok {
		return p.fail(fmt.Errorf("column of a relation that is not in scope: %s", c.Relation.Label()))
	}
	out := printed{sql: p.guardColumn(c, r.column(c.Index))}
	if c.Index < len(r.columns) {
		out.scale = r.columns[c.Index]
	}
	return out
}

func (p *printer) common2(t planner.Type, a, b printed) (l, r printed) {
	out := p.common(t, []printed{a, b})
	return out[0], out[1]
}

func (p *printer) exprs(es []planner.Expr) []printed {
	out := make([]printed, len(es))
	for i, e := range es {
		out[i] = p.expr(e)
	}
	return out
}

func join(es []printed) string {
	texts := make([]string, len(es))
	for i, e := range es {
		texts[i] = e.sql
	}
	return strings.Join(texts, ", ")
}

// extreme is the greatest or least of values by their keys; of equal ones the first.
func (p *printer) extreme(name string, t planner.Type, es []printed) string {
	keyed := make([]string, len(es))
	differ := false
	for i, e := range es {
		key, rank := p.innerKey(t, e), i
		differ = differ || key != e.sql
		if name == "greatest" {
			rank = -i
		}
		keyed[i] = fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN struct_pack(k := %s, i := %d, v := %s) END", e.sql, key, rank, e.sql)
	}
	if !differ {
		return name + "(" + join(es) + ")"
	}
	return "struct_extract(" + name + "(" + strings.Join(keyed, ", ") + "), 'v')"
}

func (p *printer) caseExpr(e *planner.Case) printed {
	conditions, results := make([]string, 0, len(e.Whens)), make([]printed, 0, len(e.Whens)+1)
	outer := p.reach
	for _, w := range e.Whens {
		condition := p.expr(w.Cond).sql
		conditions = append(conditions, condition)
		results = append(results, p.reached("("+condition+")", func() printed { return p.expr(w.Result) }))
		p.reach = append(p.reach[:len(p.reach):len(p.reach)], "("+condition+" IS NOT TRUE)")
	}
	if e.Else != nil {
		results = append(results, p.expr(e.Else))
	}
	p.reach = outer
	results = p.common(e.T, results)
	var b strings.Builder
	b.WriteString("(CASE")
	for i, condition := range conditions {
		b.WriteString(" WHEN " + condition + " THEN " + results[i].sql)
	}
	if e.Else != nil {
		b.WriteString(" ELSE " + results[len(results)-1].sql)
	}
	b.WriteString(" END)")
	return printed{b.String(), results[0].scale}
}

// minMax prints GREATEST and LEAST. Numerics that are text are compared by key.
func (p *printer) minMax(e *planner.MinMax) printed {
	p.orderable(e.T)
	name := "least"
	if e.Greatest {
		name = "greatest"
	}
	es := p.common(e.T, p.exprs(e.Args))
	if e.T.OID != postgres.NumericOID {
		return printed{p.extreme(name, e.T, es), es[0].scale}
	}
	if es[0].scale != asText {
		return printed{name + "(" + join(es) + ")", es[0].scale}
	}
	return printed{"fg_numeric_" + name + "([" + join(es) + "])", asText}
}

func (p *printer) subquery(e *planner.Subquery) printed {
	switch e.Kind {
	case planner.SubqueryExists:
		return printed{sql: "EXISTS (" + p.guardedSubquery(e.Query, nil, false).sql + ")"}
	case planner.SubqueryScalar:
		// DuckDB would compute it for all rows, also where a CASE keeps them away.
		if value := e.Query.RowValue(); value != nil {
			return p.expr(value)
		}
		many := !returnsOne(e.Query)
		b := p.guardedSubquery(e.Query, nil, many)
		if many && len(p.reach) > 0 && len(planner.OuterRelations(e.Query)) == 0 {
			return printed{p.onlyRow(b.sql), b.scales[0]}
		}
		return printed{"(" + b.sql + ")", b.scales[0]}
	case planner.SubqueryArray:
		t := e.Query.Targets[0].Expr.Type()
		if t.OID == e.T.OID {
			return printed{"fg_array_accumulate(ARRAY(" + p.guardedSubquery(e.Query, []int{asText}, false).sql + "))", asText}
		}
		list := "ARRAY(" + p.guardedSubquery(e.Query, []int{textScale(t)}, false).sql + ")"
		if isVector(t.OID) {
			return printed{p.shapedVectors(t.OID, list), asText}
		}
		return printed{sql: list}
	default:
		return p.quantifiedSubquery(e)
	}
}

// quantifiedSubquery prints = ANY (IN) and its like. Sides whose values have
// keys are compared by them.
func (p *printer) quantifiedSubquery(e *planner.Subquery) printed {
	operator := e.Operators[0].Name
	if !isComparison(operator) || len(e.Left) > 1 && operator != "=" && operator != "<>" {
		return p.fail(unsupported("operator %s with a subquery", operator))
	}
	left := make([]printed, len(e.Left))
	want := make([]int, len(e.Left))
	for i, l := range e.Left {
		left[i] = p.expr(l)
		if t := l.Type(); t.OID == postgres.NumericOID || postgres.ElemOf(t.OID) != 0 {
			left[i] = p.inForm(t, left[i], asText)
			want[i] = asText
		}
	}
	b := p.guardedSubquery(e.Query, want, false)
	var lefts, rights []string
	for i, t := range e.Query.Targets {
		l, r := p.sides(e.Left[i].Type(), left[i], t.Expr.Type(), printed{outputName(i), b.scales[i]})
		lefts, rights = append(lefts, l), append(rights, r)
	}
	side := lefts[0]
	if len(lefts) > 1 {
		side = "(" + strings.Join(lefts, ", ") + ")"
	}
	query := "(SELECT " + strings.Join(rights, ", ") + " FROM (" + b.sql + "))"
	if len(lefts) > 1 {
		not := ""
		switch {
		case operator == "=" && e.Kind == planner.SubqueryAny:
		case operator == "<>" && e.Kind == planner.SubqueryAll:
			not = " NOT"
		default:
			return p.fail(unsupported("operator %s of rows with a subquery", operator))
		}
		return printed{sql: "(" + side + not + " IN " + query + ")"}
	}
	quantifier := " ANY "
	if e.Kind == planner.SubqueryAll {
		quantifier = " ALL "
	}
	return printed{sql: "(" + side + " " + operator + quantifier + query + ")"}
}

func isComparison(operator string) bool {
	switch operator {
	case "=", "<>", "<", "<=", ">", ">=":
		return true
	}
	return false
}

// sides are both operands of a comparison as DuckDB compares them.
func (p *printer) sides(lt planner.Type, l printed, rt planner.Type, r printed) (left, right string) {
	p.comparable(lt)
	p.comparable(rt)
	if lt.OID == postgres.NumericOID && rt.OID == postgres.NumericOID && l.scale != r.scale {
		scale := max(l.scale, r.scale)
		if l.scale == asText || r.scale == asText {
			scale = asText
		}
		l, r = p.rescale(l, scale), p.rescale(r, scale)
	}
	if l.scale != r.scale && postgres.ElemOf(lt.OID) != 0 && postgres.ElemOf(rt.OID) != 0 {
		l, r = p.shaped(lt, l), p.shaped(rt, r)
	}
	l, r = p.sameZone(l, r, lt, rt)
	return p.key(lt, l), p.key(rt, r)
}
