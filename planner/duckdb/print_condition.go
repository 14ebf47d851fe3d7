package duckdb

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// condition prints what is true, false or unknown.
func (p *printer) condition(e planner.Expr) printed {
	switch e := e.(type) {
	case *planner.Logic:
		return p.logic(e)
	case *planner.IsNull:
		if e.Arg.Type().OID == postgres.RecordOID {
			return printed{sql: fmt.Sprintf("coalesce(fg_record_all(%s, %t), %t)", p.expr(e.Arg).sql, !e.Not, !e.Not)}
		}
		test := " IS NULL)"
		if e.Not {
			test = " IS NOT NULL)"
		}
		return printed{sql: "(" + p.expr(e.Arg).sql + test}
	case *planner.IsBool:
		return p.isBool(e)
	case *planner.IsDistinct:
		l, r := p.sides(e.Left.Type(), p.expr(e.Left), e.Right.Type(), p.expr(e.Right))
		test := " IS DISTINCT FROM "
		if e.Not {
			test = " IS NOT DISTINCT FROM "
		}
		return printed{sql: "(" + l + test + r + ")"}
	case *planner.In:
		return p.in(e)
	case *planner.Quantified:
		return p.quantified(e)
	case *planner.RowCompare:
		return p.rowCompare(e)
	}
	return p.fail(unsupported("condition %T", e))
}

func (p *printer) logic(e *planner.Logic) printed {
	out := p.logicUnsealed(e)
	if p.sealed[e] {
		out.sql = "(" + out.sql + " IS NOT DISTINCT FROM true)"
	}
	return out
}

func (p *printer) logicUnsealed(e *planner.Logic) printed {
	if e.Kind == planner.Not {
		return printed{sql: "(NOT " + p.expr(e.Args[0]).sql + ")"}
	}
	word, decided, goesOn := " AND ", "false", " IS NOT FALSE"
	if e.Kind == planner.Or {
		word, decided, goesOn = " OR ", "true", " IS NOT TRUE"
	}
	var safe, risky []string
	for _, arg := range p.reachedBy(e.Args, goesOn) {
		if sql := arg.sql; mayRaise.MatchString(sql) {
			risky = append(risky, sql)
		} else {
			safe = append(safe, sql)
		}
	}
	if len(risky) == 0 || len(e.Args) == 1 {
		return printed{sql: "(" + strings.Join(append(safe, risky...), word) + ")"}
	}
	return printed{sql: "(" + strings.Join(append(safe, guarded(safe, risky, word, decided)), word) + ")"}
}

// mayRaise finds the functions that fail for some values. What users write to
// keep those values away (x <> 0 AND 1 / x > 2) has to be evaluated before.
var mayRaise = regexp.MustCompile(`fg_(div|mod)_|_in\(|fg_(int[248]|float[48])_of_|fg_numeric_(div|mod|quo|sqrt|exp|ln|log|power)|` +
	`fg_array_|fg_(sqrt|ln|log10|power|exp|asin|acos|raise|chr|to_date|to_timestamp|jsonb_scalar|json_array_length|json_keys|json_elements|interval_div)\b`)

// guarded prints the operands of AND or OR that may fail so that they are
// evaluated only where those before them do not decide. DuckDB orders operands
// by what it thinks they cost, and evaluates all of them outside of WHERE.
func guarded(safe, risky []string, word, decided string) string {
	not := "NOT "
	if decided == "true" {
		not = ""
	}
	var b strings.Builder
	b.WriteString("(CASE")
	if len(safe) > 0 {
		b.WriteString(" WHEN " + not + "(" + strings.Join(safe, word) + ") THEN " + decided)
	}
	for _, r := range risky[:len(risky)-1] {
		b.WriteString(" WHEN " + not + r + " THEN " + decided)
	}
	b.WriteString(" ELSE (" + strings.Join(risky, word) + ") END)")
	return b.String()
}

func (p *printer) isBool(e *planner.IsBool) printed {
	arg := p.expr(e.Arg).sql
	not := ""
	if e.Not {
		not = "NOT "
	}
	switch e.Test {
	case planner.IsTrue:
		return printed{sql: "(" + arg + truth(e.Not) + "true)"}
	case planner.IsFalse:
		return printed{sql: "(" + arg + truth(e.Not) + "false)"}
	default:
		return printed{sql: "(" + arg + " IS " + not + "NULL)"}
	}
}

// in prints IN over a list. Comparisons that DuckDB makes as PostgreSQL does
// stay an IN; others are spelled out.
func (p *printer) in(e *planner.In) printed {
	left := p.expr(e.Left)
	lt := e.Left.Type()
	plain := !hasKey(lt.OID)
	var items, tests []string
	for _, x := range e.List {
		item := p.expr(x)
		plain = plain && x.Type().OID == lt.OID
		items = append(items, item.sql)
		tests = append(tests, p.apply(e.Operator, lt, left, x.Type(), item).sql)
	}
	if plain {
		p.comparable(lt)
		not := ""
		if e.Not {
			not = " NOT"
		}
		return printed{sql: "(" + left.sql + not + " IN (" + strings.Join(items, ", ") + "))"}
	}
	word := " OR "
	if e.Not {
		word = " AND "
	}
	return printed{sql: "(" + strings.Join(tests, word) + ")"}
}

// quantified prints ANY and ALL over an array. A constant array of values that
// compare alike becomes an IN.
func (p *printer) quantified(e *planner.Quantified) printed {
	elem := planner.Type{OID: postgres.ElemOf(e.Array.Type().OID), Typmod: -1}
	if elem.OID == 0 {
		return p.fail(unsupported("operator %s over type %s", e.Operator.Name, e.Array.Type().OID))
	}
	left := p.expr(e.Left)
	if c, ok := e.Array.(*planner.Const); ok && !c.Null && e.Operator.Name == "=" && !e.All && e.Left.Type().OID == elem.OID && !hasKey(elem.OID) {
		if items := c.Value.Array.Items; len(items) > 0 {
			p.comparable(elem)
			var list []string
			for i := range items {
				list = append(list, p.datum(elem.OID, &items[i]).sql)
			}
			return printed{sql: "(" + left.sql + " IN (" + strings.Join(list, ", ") + "))"}
		}
	}
	list := p.items(e.Array.Type(), p.expr(e.Array))
	if in, ok := p.elementOf(e, left, list, elem); ok {
		return in
	}
	name := p.name("e")
	test := p.apply(e.Operator, e.Left.Type(), left, elem, printed{name, textScale(elem)})
	results := transform(list, name, test.sql)
	decides, otherwise := "true", "false"
	if e.All {
		decides, otherwise = "false", "true"
	}
	// A NULL on the left makes every result NULL, but not that of no elements.
	return printed{sql: "(CASE WHEN " + list + " IS NULL THEN NULL WHEN list_contains(" + results + ", " + decides + ") THEN " + decides +
		" WHEN list_count(" + results + ") < len(" + list + ") THEN NULL ELSE " + otherwise + " END)"}
}

// elementOf prints = ANY and <> ALL of values that compare alike by a search of
// the list. It needs no lambda, and so can refer to enclosing queries, which a
// lambda in DuckDB cannot.
func (p *printer) elementOf(e *planner.Quantified, left printed, list string, elem planner.Type) (in printed, ok bool) {
	if (e.Operator.Name != "=" || e.All) && (e.Operator.Name != "<>" || !e.All) || hasKey(elem.OID) || physical(e.Left.Type().OID) != physical(elem.OID) {
		return printed{}, false
	}
	p.comparable(elem)
	return printed{sql: fmt.Sprintf(
		"(CASE WHEN len(%[1]s) = 0 THEN %[3]t WHEN %[2]s IS NULL OR %[1]s IS NULL THEN NULL WHEN list_contains(%[1]s, %[2]s) THEN %[4]t WHEN list_count(%[1]s) < len(%[1]s) THEN NULL ELSE %[3]t END)",
		list, left.sql, e.All, !e.All,
	)}, true
}

// transform applies a printed expression over name to the elements of a list.
func transform(list, name, expression string) string {
	if expression == name {
		return list
	}
	return "list_transform(" + list + ", lambda " + name + ": " + expression + ")"
}

// rowCompare spells out the comparison of two rows: by the first column in which
// they differ.
func (p *printer) rowCompare(e *planner.RowCompare) printed {
	compare := func(i int, name string) string {
		o := e.Operators[i]
		if o.Name != name {
			o = sameTypes(o, name)
		}
		if o == nil {
			return p.fail(unsupported("comparing rows by %s", e.Name)).sql
		}
		return p.apply(o, e.Left[i].Type(), p.expr(e.Left[i]), e.Right[i].Type(), p.expr(e.Right[i])).sql
	}
	last := len(e.Left) - 1
	if e.Name == "=" || e.Name == "<>" {
		word := " AND "
		if e.Name == "<>" {
			word = " OR "
		}
		tests := make([]string, 0, len(e.Left))
		for i := range e.Left {
			tests = append(tests, compare(i, e.Name))
		}
		return printed{sql: "(" + strings.Join(tests, word) + ")"}
	}
	strict := e.Name[:1]
	text := compare(last, e.Name)
	for i := last - 1; i >= 0; i-- {
		text = "(CASE WHEN " + compare(i, "<>") + " THEN " + compare(i, strict) + " WHEN " + compare(i, "=") + " THEN " + text + " END)"
	}
	return printed{sql: text}
}

// sameTypes finds the operator of another name over o's operands.
func sameTypes(o *postgres.Operator, name string) *postgres.Operator {
	for _, other := range postgres.OperatorsByName(name, o.Kind) {
		if other.Left == o.Left && other.Right == o.Right {
			return other
		}
	}
	return nil
}

// truth compares with a truth value so that NULL is neither.
func truth(not bool) string {
	if not {
		return " IS DISTINCT FROM "
	}
	return " IS NOT DISTINCT FROM "
}
