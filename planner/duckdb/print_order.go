package duckdb

import (
	"fmt"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// key is what an expression is compared, ordered and grouped by: itself, but for
// types whose values can be equal and yet look different.
func (p *printer) key(t planner.Type, e printed) string {
	switch {
	case t.OID == postgres.NumericOID && e.scale == asText:
		return "fg_numeric_key(" + e.sql + ")"
	case t.OID == postgres.BPCharOID:
		return "rtrim(" + e.sql + ", ' ')"
	case t.OID == postgres.JSONBOID:
		return "fg_jsonb_key(" + e.sql + ")"
	case t.OID == postgres.InetOID || t.OID == postgres.CidrOID:
		return "fg_inet_key(" + e.sql + ")"
	case t.OID == postgres.TimeTZOID:
		return "fg_timetz_key(" + e.sql + ")"
	case t.OID == postgres.RecordOID:
		return "fg_record_key(" + e.sql + ")"
	case postgres.ElemOf(t.OID) != 0:
		return p.arrayKey(t, e)
	}
	if _, _, ok := postgres.RangeTypeOf(t.OID); ok {
		return fmt.Sprintf("fg_range_key(%d, %s)", t.OID, e.sql)
	}
	return e.sql
}

// hasKey says that key may differ from the value.
func hasKey(oid postgres.OID) bool {
	switch oid {
	case postgres.NumericOID, postgres.BPCharOID, postgres.JSONBOID, postgres.TimeTZOID, postgres.RecordOID, postgres.InetOID, postgres.CidrOID:
		return true
	}
	_, _, isRange := postgres.RangeTypeOf(oid)
	return isRange || postgres.ElemOf(oid) != 0
}

// comparable refuses the types that have an order or equality in PostgreSQL
// which the engine does not have.
func (p *printer) comparable(t planner.Type) {
	if t.OID == postgres.XMLOID {
		p.fail(unsupported("comparing values of type %s", t.OID))
	}
}

// orderable refuses those that have equality here and no order.
func (p *printer) orderable(t planner.Type) {
	p.comparable(t)
	oid := t.OID
	if elem := postgres.ElemOf(oid); elem != 0 {
		oid = elem
	}
	switch oid {
	case postgres.TSVectorOID, postgres.TSQueryOID:
		p.fail(unsupported("ordering values of type %s", t.OID))
	}
}

func (p *printer) keys(es []planner.Expr) string {
	var out []string
	for _, e := range es {
		p.comparable(e.Type())
		out = append(out, p.key(e.Type(), p.expr(e)))
	}
	return strings.Join(out, ", ")
}

// namedKey is a key of GROUP BY in whose text names stand that each printing makes
// anew, those of lambdas and of what queries read. DuckDB knows the key again by its text alone.
type namedKey struct {
	expr planner.Expr
	text printed
}

// grouping prints GROUP BY and notes which keys have to be taken out of their
// group to be shown.
func (p *printer) grouping(q *planner.Query) string {
	if !q.Aggregated {
		return ""
	}
	groups := map[string]bool{}
	p.named = nil
	list := func(es []planner.Expr) string {
		var out []string
		for _, e := range es {
			p.comparable(e.Type())
			s := p.expr(e)
			if strings.Contains(s.sql, "lambda ") || len(planner.Subqueries(e)) > 0 {
				p.named = append(p.named, namedKey{e, s})
			}
			k := p.key(e.Type(), s)
			if k != s.sql {
				groups[s.sql] = true
			}
			out = append(out, k)
		}
		return strings.Join(out, ", ")
	}
	text := ""
	switch {
	case q.GroupingSets != nil:
		var sets []string
		for _, s := range q.GroupingSets {
			sets = append(sets, "("+list(s)+")")
		}
		text = " GROUP BY GROUPING SETS (" + strings.Join(sets, ", ") + ")"
	case len(q.GroupBy) > 0:
		text = " GROUP BY " + list(q.GroupBy)
	default:
		// A query that groups without keys and shows no aggregate (HAVING alone)
		// still is one row.
		text = " GROUP BY ()"
	}
	p.groups = groups
	return text
}

func (p *printer) orderBy(q *planner.Query, scales []int) string {
	var out []string
	for _, k := range q.OrderBy {
		out = append(out, p.orderKey(q, k, scales))
	}
	if len(out) == 0 {
		return ""
	}
	return " ORDER BY " + strings.Join(out, ", ")
}

// orderKey prints a key of a query's ORDER BY. What orders a DISTINCT or a set
// operation is their outputs, by name; elsewhere an output whose key is not
// itself is printed again, as DuckDB knows its name only where it stands alone.
func (p *printer) orderKey(q *planner.Query, k planner.SortKey, scales []int) string {
	named := q.Distinct || q.SetOp != nil || q.Values != nil
	o, isOutput := k.Expr.(*planner.Output)
	if t := k.Expr.Type(); isFloat(t.OID) && !named && q.Limit == nil {
		e := k.Expr
		if isOutput {
			e = q.Targets[o.Index].Expr
		}
		return p.sortKey(k, apartFromZero(t, p.expr(e)))
	}
	switch {
	case isOutput && (named || o.Index < len(scales) && !hasKey(k.Expr.Type().OID)):
		return p.sortKey(k, printed{outputName(o.Index), scales[o.Index]})
	case isOutput:
		return p.sortKey(k, p.expr(q.Targets[o.Index].Expr))
	case named:
		return p.sortKey(k, p.outputOf(q, k.Expr))
	}
	return p.sortKey(k, p.expr(k.Expr))
}

// apartFromZero is a float as a key of its own: DuckDB, when it sorts all rows, takes a
// column that is a key from what it has sorted by, where -0 is 0.
func apartFromZero(t planner.Type, e printed) printed {
	if !isFloat(t.OID) {
		return e
	}
	return printed{sql: "(" + e.sql + " + 0)"}
}

func isFloat(oid postgres.OID) bool { return oid == postgres.Float4OID || oid == postgres.Float8OID }

// sortKey prints one key, whose expression is printed already.
func (p *printer) sortKey(k planner.SortKey, e printed) string {
	t := k.Expr.Type()
	p.orderable(t)
	direction, nulls := " ASC", " NULLS LAST"
	if k.Desc {
		direction = " DESC"
	}
	if k.NullsFirst {
		nulls = " NULLS FIRST"
	}
	return p.key(t, e) + direction + nulls
}

// outputOf finds the output that prints as an expression does.
func (p *printer) outputOf(q *planner.Query, x planner.Expr) printed {
	e := p.expr(x)
	for i, t := range q.Targets {
		if t.Expr == x || p.expr(t.Expr).sql == e.sql {
			return printed{outputName(i), e.scale}
		}
	}
	return p.fail(errorf(pgerrcode.InvalidColumnReference, "for SELECT DISTINCT, ORDER BY expressions must appear in select list"))
}
