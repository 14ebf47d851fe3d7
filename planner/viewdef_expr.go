package planner

import (
	"strconv"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// expr makes the expression of a node as it is, without what its place asks of it.
func (v *viewBuilder) expr(n *pgquery.Node) (*viewExpr, error) {
	switch x := n.GetNode().(type) {
	case *pgquery.Node_ColumnRef:
		c, ok := v.trace.columns[x.ColumnRef.Location]
		if !ok {
			return nil, noForm(n)
		}
		e, err := v.column(c)
		if err == nil && c.name != "" {
			e.t = v.trace.types[n]
		}
		return e, err
	case *pgquery.Node_AConst:
		e, err := v.b.constant(x.AConst)
		if err != nil {
			return nil, err
		}
		return constantOf(e.(*Const)), nil
	case *pgquery.Node_AExpr:
		return v.operation(n, x.AExpr)
	case *pgquery.Node_BoolExpr:
		return v.logic(x.BoolExpr)
	case *pgquery.Node_FuncCall:
		return v.call(n, x.FuncCall)
	case *pgquery.Node_TypeCast:
		return v.cast(n, x.TypeCast)
	case *pgquery.Node_CaseExpr:
		return v.caseExpr(n, x.CaseExpr)
	case *pgquery.Node_NullTest:
		if x.NullTest.Arg.GetRowExpr() != nil {
			return nil, noForm(n)
		}
		arg, err := v.resolved(x.NullTest.Arg)
		words := "IS NULL"
		if x.NullTest.Nulltesttype == pgquery.NullTestType_IS_NOT_NULL {
			words = "IS NOT NULL"
		}
		return &viewExpr{kind: testView, t: boolType(), name: words, args: []*viewExpr{arg}, explicitly: true}, err
	case *pgquery.Node_BooleanTest:
		arg, err := v.exprAs(x.BooleanTest.Arg, boolType())
		return &viewExpr{kind: testView, t: boolType(), name: booleanTests[x.BooleanTest.Booltesttype].name, args: []*viewExpr{arg}}, err
	case *pgquery.Node_SubLink:
		return v.subLink(n, x.SubLink)
	case *pgquery.Node_CollateClause:
		parts, _ := nameParts(x.CollateClause.Collname)
		arg, err := v.resolved(x.CollateClause.Arg)
		return &viewExpr{kind: collateView, t: v.trace.types[n], name: parts[len(parts)-1], args: []*viewExpr{arg}}, err
	}
	return v.rareExpr(n)
}

func (v *viewBuilder) rareExpr(n *pgquery.Node) (*viewExpr, error) {
	t := v.trace.types[n]
	keyword := func(name string, nodes []*pgquery.Node) (*viewExpr, error) {
		args, err := v.exprsAs(nodes, t)
		return &viewExpr{kind: keywordCallView, t: t, name: name, args: args}, err
	}
	switch x := n.GetNode().(type) {
	case *pgquery.Node_CoalesceExpr:
		return keyword("COALESCE", x.CoalesceExpr.Args)
	case *pgquery.Node_MinMaxExpr:
		if x.MinMaxExpr.Op == pgquery.MinMaxOp_IS_GREATEST {
			return keyword("GREATEST", x.MinMaxExpr.Args)
		}
		return keyword("LEAST", x.MinMaxExpr.Args)
	case *pgquery.Node_GroupingFunc:
		e := &viewExpr{kind: keywordCallView, t: plainType(postgres.Int4OID), name: "GROUPING"}
		for _, arg := range x.GroupingFunc.Args {
			a, err := v.expr(arg)
			if err != nil {
				return nil, err
			}
			e.args = append(e.args, a)
		}
		return e, nil
	case *pgquery.Node_RowExpr:
		e := &viewExpr{kind: rowView, t: plainType(postgres.RecordOID)}
		for _, arg := range x.RowExpr.Args {
			a, err := v.expr(arg)
			if err != nil {
				return nil, err
			}
			e.args = append(e.args, a)
		}
		return e, nil
	case *pgquery.Node_AArrayExpr:
		return v.array(x.AArrayExpr, t)
	case *pgquery.Node_AIndirection:
		return v.subscripts(n, x.AIndirection, t)
	case *pgquery.Node_SqlvalueFunction:
		return &viewExpr{kind: wordView, t: t, name: sqlValueText(x.SqlvalueFunction)}, nil
	}
	return nil, noForm(n)
}

// sqlValueText is the SQL of CURRENT_DATE and its like.
func sqlValueText(n *pgquery.SQLValueFunction) string {
	name := strings.TrimPrefix(n.Op.String(), "SVFOP_")
	if plain, digits := strings.CutSuffix(name, "_N"); digits {
		return plain + "(" + strconv.Itoa(int(n.Typmod)) + ")"
	}
	return name
}

// resolved is the expression, text if it has no type.
func (v *viewBuilder) resolved(n *pgquery.Node) (*viewExpr, error) {
	e, err := v.expr(n)
	if err != nil || !e.isUntyped() {
		return e, err
	}
	return v.coerce(e, plainType(postgres.TextOID), true)
}

func (v *viewBuilder) exprAs(n *pgquery.Node, t Type) (*viewExpr, error) {
	e, err := v.expr(n)
	if err != nil {
		return nil, err
	}
	return v.coerce(e, t, true)
}

func (v *viewBuilder) exprsAs(nodes []*pgquery.Node, t Type) ([]*viewExpr, error) {
	out := make([]*viewExpr, len(nodes))
	for i, n := range nodes {
		var err error
		if out[i], err = v.exprAs(n, t); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// coerce puts a cast around an expression of another type.
func (v *viewBuilder) coerce(e *viewExpr, t Type, implicit bool) (*viewExpr, error) {
	if e.isUntyped() {
		switch {
		case t.OID == postgres.UnknownOID || t.OID == postgres.AnyOID:
			return e, nil
		case isAnyType(t.OID) || t.OID == postgres.RecordOID:
			t = plainType(postgres.TextOID)
		}
		plain := t
		if t.OID != postgres.IntervalOID {
			plain = plainType(t.OID)
		}
		c, err := v.b.literal(e.value, plain)
		if err != nil {
			return nil, err
		}
		value, ok := c.(*Const)
		if !ok {
			return nil, errNoViewForm
		}
		e = constantOf(value)
		if t == plain {
			return e, nil
		}
		return &viewExpr{kind: castView, t: t, args: []*viewExpr{e}, implicit: implicit}, nil
	}
	if e.t.OID == t.OID && (t.Typmod < 0 || t.Typmod == e.t.Typmod) || isAnyType(t.OID) || t.OID == postgres.RecordOID {
		return e, nil
	}
	return &viewExpr{kind: castView, t: t, args: []*viewExpr{e}, implicit: implicit}, nil
}

func (v *viewBuilder) cast(n *pgquery.Node, c *pgquery.TypeCast) (*viewExpr, error) {
	t := v.trace.types[n]
	if list := c.Arg.GetAArrayExpr(); list != nil && postgres.ElemOf(t.OID) != 0 {
		return v.array(list, plainType(t.OID))
	}
	e, err := v.expr(c.Arg)
	if err != nil {
		return nil, err
	}
	return v.coerce(e, t, false)
}

func (v *viewBuilder) logic(n *pgquery.BoolExpr) (*viewExpr, error) {
	e := &viewExpr{kind: boolView, t: boolType(), name: "AND"}
	switch n.Boolop {
	case pgquery.BoolExprType_OR_EXPR:
		e.name = "OR"
	case pgquery.BoolExprType_NOT_EXPR:
		e.name = "NOT"
	}
	var err error
	e.args, err = v.exprsAs(n.Args, boolType())
	return e, err
}

func (v *viewBuilder) array(n *pgquery.A_ArrayExpr, t Type) (*viewExpr, error) {
	e := &viewExpr{kind: arrayView, t: t}
	elem := plainType(postgres.ElemOf(t.OID))
	for _, node := range n.Elements {
		var a *viewExpr
		var err error
		if inner := node.GetAArrayExpr(); inner != nil {
			a, err = v.array(inner, t)
		} else if a, err = v.expr(node); err == nil && postgres.ElemOf(a.t.OID) == 0 {
			a, err = v.coerce(a, elem, true)
		}
		if err != nil {
			return nil, err
		}
		e.args = append(e.args, a)
	}
	return e, nil
}

func (v *viewBuilder) subscripts(n *pgquery.Node, ind *pgquery.A_Indirection, t Type) (*viewExpr, error) {
	arg, err := v.expr(ind.Arg)
	if err != nil {
		return nil, err
	}
	index := plainType(postgres.Int4OID)
	if arg.t.OID == postgres.JSONBOID {
		index = plainType(postgres.TextOID)
	}
	e := &viewExpr{kind: subscriptView, t: t, args: []*viewExpr{arg}}
	bound := func(n *pgquery.Node) (*viewExpr, error) {
		if n == nil {
			return nil, nil
		}
		return v.exprAs(n, index)
	}
	for _, node := range ind.Indirection {
		i := node.GetAIndices()
		if i == nil {
			return nil, noForm(n)
		}
		lower, upper := i.Lidx, i.Uidx
		if !i.IsSlice {
			lower, upper = i.Uidx, nil
		}
		l, err := bound(lower)
		if err != nil {
			return nil, err
		}
		u, err := bound(upper)
		if err != nil {
			return nil, err
		}
		e.slice = e.slice || i.IsSlice
		e.args, e.upper = append(e.args, l), append(e.upper, u)
	}
	return e, nil
}

func (v *viewBuilder) caseExpr(n *pgquery.Node, c *pgquery.CaseExpr) (*viewExpr, error) {
	t := v.trace.types[n]
	e := &viewExpr{kind: caseView, t: t}
	var arg *viewExpr
	var err error
	if c.Arg != nil {
		if arg, err = v.resolved(c.Arg); err != nil {
			return nil, err
		}
		e.upper = []*viewExpr{arg}
	}
	for _, node := range c.Args {
		when := node.GetCaseWhen()
		cond, err := v.expr(when.Expr)
		if err != nil {
			return nil, err
		}
		want := boolType()
		if arg != nil {
			r, err := postgres.ResolveOperator("=", arg.t.OID, cond.t.OID)
			if err != nil {
				return nil, err
			}
			want = plainType(r.RightType)
		}
		if cond, err = v.coerce(cond, want, true); err != nil {
			return nil, err
		}
		result, err := v.exprAs(when.Result, t)
		if err != nil {
			return nil, err
		}
		e.args = append(e.args, cond, result)
	}
	other := constantOf(nullConst(t))
	if c.Defresult != nil {
		if other, err = v.exprAs(c.Defresult, t); err != nil {
			return nil, err
		}
	}
	e.args = append(e.args, other)
	return e, nil
}
