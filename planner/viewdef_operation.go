package planner

import (
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// binary is an operation on two expressions, which get the types that it takes.
func (v *viewBuilder) binary(name string, l, r *viewExpr) (*viewExpr, error) {
	e := &viewExpr{kind: opView, name: name}
	left := postgres.OID(0)
	if l != nil {
		left = l.t.OID
	}
	op, err := postgres.ResolveOperator(name, left, r.t.OID)
	if err != nil {
		return nil, err
	}
	e.t = plainType(op.ResultType)
	if l != nil {
		if l, err = v.coerce(l, plainType(op.LeftType), true); err != nil {
			return nil, err
		}
		e.args = []*viewExpr{l}
	}
	r, err = v.coerce(r, plainType(op.RightType), true)
	e.args = append(e.args, r)
	return e, err
}

// rows compares rows: by = and <> column by column.
func (v *viewBuilder) rows(name string, left, right []*viewExpr) (*viewExpr, error) {
	if len(left) != len(right) {
		return nil, errNoViewForm
	}
	pairs := make([]*viewExpr, len(left))
	for i := range left {
		var err error
		if pairs[i], err = v.binary(name, left[i], right[i]); err != nil {
			return nil, err
		}
	}
	switch {
	case len(pairs) == 1:
		return pairs[0], nil
	case name == "=":
		return &viewExpr{kind: boolView, t: boolType(), name: "AND", args: pairs}, nil
	case name == "<>":
		return &viewExpr{kind: boolView, t: boolType(), name: "OR", args: pairs}, nil
	}
	l, r := &viewExpr{kind: rowView}, &viewExpr{kind: rowView}
	for _, p := range pairs {
		l.args, r.args = append(l.args, p.args[0]), append(r.args, p.args[1])
	}
	return &viewExpr{kind: rowCompareView, t: boolType(), name: name, args: []*viewExpr{l, r}}, nil
}

func (v *viewBuilder) pair(name string, l, r *viewExpr) (*viewExpr, error) {
	if l.kind == rowView && r.kind == rowView {
		return v.rows(name, l.args, r.args)
	}
	return v.binary(name, l, r)
}

func negation(e *viewExpr) *viewExpr {
	return &viewExpr{kind: boolView, t: boolType(), name: "NOT", args: []*viewExpr{e}}
}

func (v *viewBuilder) operation(n *pgquery.Node, x *pgquery.A_Expr) (*viewExpr, error) {
	name, err := operatorName(x)
	if err != nil {
		return nil, err
	}
	var l, r *viewExpr
	if x.Lexpr != nil {
		if l, err = v.expr(x.Lexpr); err != nil {
			return nil, err
		}
	}
	if x.Rexpr.GetList() == nil {
		if r, err = v.expr(x.Rexpr); err != nil {
			return nil, err
		}
	}
	switch x.Kind {
	case pgquery.A_Expr_Kind_AEXPR_OP, pgquery.A_Expr_Kind_AEXPR_LIKE, pgquery.A_Expr_Kind_AEXPR_ILIKE, pgquery.A_Expr_Kind_AEXPR_SIMILAR:
		if l != nil {
			return v.pair(name, l, r)
		}
		return v.binary(name, nil, r)
	case pgquery.A_Expr_Kind_AEXPR_OP_ANY, pgquery.A_Expr_Kind_AEXPR_OP_ALL:
		return v.arrayOperation(name, l, r, x.Kind == pgquery.A_Expr_Kind_AEXPR_OP_ANY)
	case pgquery.A_Expr_Kind_AEXPR_DISTINCT, pgquery.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		if l.kind == rowView {
			return nil, noForm(n)
		}
		e, err := v.binary("=", l, r)
		if err != nil {
			return nil, err
		}
		e.kind, e.name = distinctView, "IS DISTINCT FROM"
		if x.Kind == pgquery.A_Expr_Kind_AEXPR_NOT_DISTINCT {
			e = negation(e)
		}
		return e, nil
	case pgquery.A_Expr_Kind_AEXPR_NULLIF:
		e, err := v.binary("=", l, r)
		if err != nil {
			return nil, err
		}
		e.kind, e.name, e.t = keywordCallView, "NULLIF", e.args[0].t
		return e, nil
	case pgquery.A_Expr_Kind_AEXPR_IN:
		return v.in(l, x.Rexpr.GetList().Items, name)
	}
	return v.between(x, l)
}

func (v *viewBuilder) arrayOperation(name string, l, r *viewExpr, some bool) (*viewExpr, error) {
	op, err := postgres.ResolveArrayOperator(name, l.t.OID, r.t.OID)
	if err != nil {
		return nil, err
	}
	if l, err = v.coerce(l, plainType(op.LeftType), true); err != nil {
		return nil, err
	}
	if r, err = v.coerce(r, plainType(op.RightType), true); err != nil {
		return nil, err
	}
	if some {
		name += " ANY"
	} else {
		name += " ALL"
	}
	return &viewExpr{kind: arrayOpView, t: boolType(), name: name, args: []*viewExpr{l, r}}, nil
}

// in is IN over a list: over an array of what are no columns, if there are several.
func (v *viewBuilder) in(l *viewExpr, nodes []*pgquery.Node, name string) (*viewExpr, error) {
	var together, alone, all []*viewExpr
	types := []postgres.OID{l.t.OID}
	for _, n := range nodes {
		e, err := v.expr(n)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
		if l.kind == rowView || hasViewColumn(e) {
			alone = append(alone, e)
		} else {
			together, types = append(together, e), append(types, e.t.OID)
		}
	}
	var tests []*viewExpr
	common, err := postgres.SelectCommonType(types, "IN")
	array := postgres.ArrayOf(common)
	if len(together) > 1 && err == nil && array != 0 {
		list := &viewExpr{kind: arrayView, t: plainType(array)}
		for _, e := range together {
			if e, err = v.coerce(e, plainType(common), true); err != nil {
				return nil, err
			}
			list.args = append(list.args, e)
		}
		test, err := v.arrayOperation(name, l, list, name == "=")
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	} else {
		alone = all
	}
	for _, e := range alone {
		test, err := v.pair(name, l, e)
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	if len(tests) == 1 {
		return tests[0], nil
	}
	word := "OR"
	if name == "<>" {
		word = "AND"
	}
	return &viewExpr{kind: boolView, t: boolType(), name: word, args: tests}, nil
}

func hasViewColumn(e *viewExpr) bool {
	if e == nil {
		return false
	}
	if e.kind == varView {
		return true
	}
	for _, a := range e.args {
		if hasViewColumn(a) {
			return true
		}
	}
	return false
}

func (v *viewBuilder) between(x *pgquery.A_Expr, value *viewExpr) (*viewExpr, error) {
	ends := x.Rexpr.GetList().GetItems()
	if len(ends) != 2 {
		return nil, errNoViewForm
	}
	low, err := v.expr(ends[0])
	if err != nil {
		return nil, err
	}
	high, err := v.expr(ends[1])
	if err != nil {
		return nil, err
	}
	not := x.Kind == pgquery.A_Expr_Kind_AEXPR_NOT_BETWEEN || x.Kind == pgquery.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM
	within := func(low, high *viewExpr) (*viewExpr, error) {
		lowName, highName, word := ">=", "<=", "AND"
		if not {
			lowName, highName, word = "<", ">", "OR"
		}
		l, err := v.binary(lowName, value, low)
		if err != nil {
			return nil, err
		}
		h, err := v.binary(highName, value, high)
		return &viewExpr{kind: boolView, t: boolType(), name: word, args: []*viewExpr{l, h}}, err
	}
	e, err := within(low, high)
	if err != nil || x.Kind == pgquery.A_Expr_Kind_AEXPR_BETWEEN || x.Kind == pgquery.A_Expr_Kind_AEXPR_NOT_BETWEEN {
		return e, err
	}
	swapped, err := within(high, low)
	word := "OR"
	if not {
		word = "AND"
	}
	return &viewExpr{kind: boolView, t: boolType(), name: word, args: []*viewExpr{e, swapped}}, err
}
