package planner

import (
	"slices"

	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

func (v *viewBuilder) subLink(n *pgquery.Node, x *pgquery.SubLink) (*viewExpr, error) {
	q, err := v.query(x.Subselect.GetSelectStmt(), nil)
	if err != nil {
		return nil, err
	}
	e := &viewExpr{kind: queryView, t: v.trace.types[n], query: q}
	switch x.SubLinkType {
	case pgquery.SubLinkType_EXISTS_SUBLINK:
		e.subquery = SubqueryExists
		return e, nil
	case pgquery.SubLinkType_EXPR_SUBLINK:
		e.subquery = SubqueryScalar
		return e, nil
	case pgquery.SubLinkType_ARRAY_SUBLINK:
		e.subquery = SubqueryArray
		return e, nil
	case pgquery.SubLinkType_ALL_SUBLINK:
		e.subquery = SubqueryAll
	default:
		e.subquery = SubqueryAny
	}
	e.name = "="
	if parts, _ := nameParts(x.OperName); len(parts) > 0 {
		e.name = parts[len(parts)-1]
	}
	left, err := v.expr(x.Testexpr)
	if err != nil {
		return nil, err
	}
	e.args = []*viewExpr{left}
	if left.kind == rowView {
		e.args = left.args
	}
	columns := outputs(v.trace.queries[x.Subselect.GetSelectStmt()])
	for i := range e.args {
		op, err := postgres.ResolveOperator(e.name, e.args[i].t.OID, columns[i].T.OID)
		if err != nil {
			return nil, err
		}
		if e.args[i], err = v.coerce(e.args[i], plainType(op.LeftType), true); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// call is a function, aggregate or window function, or a cast written as one.
func (v *viewBuilder) call(n *pgquery.Node, x *pgquery.FuncCall) (*viewExpr, error) {
	c := v.trace.calls[x]
	if c == nil {
		return nil, noForm(n)
	}
	given := x.Args
	if x.AggWithinGroup {
		for _, s := range x.AggOrder {
			given = append(given[:len(given):len(given)], s.GetSortBy().Node)
		}
	}
	args := make([]*viewExpr, len(given))
	for i, node := range given {
		if named := node.GetNamedArgExpr(); named != nil {
			node = named.Arg
		}
		var err error
		if args[i], err = v.expr(node); err != nil {
			return nil, err
		}
	}
	if c.proc.Proc == nil {
		return v.coerce(args[0], plainType(c.proc.Ret), false)
	}
	for param, t := range c.proc.ArgTypes {
		i := param
		if c.proc.ArgOrder != nil {
			i = c.proc.ArgOrder[param]
		}
		if i < 0 || i >= len(args) {
			continue
		}
		var err error
		if args[i], err = v.coerce(args[i], plainType(t), true); err != nil {
			return nil, err
		}
	}
	e := &viewExpr{
		kind: callView, t: v.trace.types[n], name: c.proc.Proc.Name, args: args, argNames: c.names, variadic: x.FuncVariadic,
		star: x.AggStar, distinct: x.AggDistinct,
	}
	if from := c.proc.VariadicFrom; from >= 0 && !x.FuncVariadic && from < len(args) {
		elem := c.proc.ArgTypes[from]
		if array := postgres.ArrayOf(elem); array != 0 && !declaredAny(c.proc.Proc) {
			rest := &viewExpr{kind: arrayView, t: plainType(array), args: args[from:]}
			e.args, e.variadic = append(slices.Clone(args[:from]), rest), true
		}
	}
	if x.Funcformat == pgquery.CoercionForm_COERCE_SQL_SYNTAX {
		e.kind = syntaxView
	}
	var err error
	if x.AggFilter != nil {
		if e.filter, err = v.condition(x.AggFilter); err != nil {
			return nil, err
		}
	}
	if c.proc.Aggregate != nil {
		e.kind = aggregateView
		if e.within = x.AggWithinGroup; e.within {
			e.order, err = v.sorts(nil, x.AggOrder, false)
			for i := range e.order {
				e.order[i].expr = args[len(x.Args)+i]
			}
			e.args = e.args[:len(x.Args)]
		} else {
			e.order, err = v.sorts(nil, x.AggOrder, false)
		}
		if err != nil {
			return nil, err
		}
	}
	if x.Over != nil {
		e.kind = windowView
		e.window, err = v.window(x.Over)
	}
	return e, err
}

// declaredAny says that the function's variadic parameters are of any type, and so not
// collected in an array.
func declaredAny(p *postgres.Proc) bool {
	return len(p.Args) > 0 && p.Args[len(p.Args)-1] == postgres.AnyOID
}
