package planner

import (
	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// expr binds an expression. A literal or parameter that nothing gave a type yet
// comes back as unknown.
func (b *binder) expr(sc *scope, n *pgquery.Node) (Expr, error) {
	if b.stopped != nil {
		if err := b.stopped(); err != nil {
			return nil, err
		}
	}
	e, err := b.plainExpr(sc, n)
	if b.trace != nil && err == nil {
		b.trace.types[n] = e.Type()
	}
	return e, err
}

func (b *binder) plainExpr(sc *scope, n *pgquery.Node) (Expr, error) {
	switch n := n.GetNode().(type) {
	case *pgquery.Node_ColumnRef:
		return b.columnRef(sc, n.ColumnRef)
	case *pgquery.Node_AConst:
		return b.constant(n.AConst)
	case *pgquery.Node_ParamRef:
		return b.param(n.ParamRef)
	case *pgquery.Node_AExpr:
		return b.operation(sc, n.AExpr)
	case *pgquery.Node_BoolExpr:
		return b.logic(sc, n.BoolExpr)
	case *pgquery.Node_FuncCall:
		return b.call(sc, n.FuncCall)
	case *pgquery.Node_TypeCast:
		return b.typeCast(sc, n.TypeCast)
	case *pgquery.Node_CaseExpr:
		return b.caseExpr(sc, n.CaseExpr)
	case *pgquery.Node_NullTest:
		return b.nullTest(sc, n.NullTest)
	case *pgquery.Node_BooleanTest:
		return b.booleanTest(sc, n.BooleanTest)
	case *pgquery.Node_SubLink:
		return b.subLink(sc, n.SubLink)
	case *pgquery.Node_CollateClause:
		return b.collate(sc, n.CollateClause)
	}
	return b.rareExpr(sc, n)
}

// rareExpr binds the rest, and refuses what is on no list.
func (b *binder) rareExpr(sc *scope, n *pgquery.Node) (Expr, error) {
	switch n := n.GetNode().(type) {
	case *pgquery.Node_CoalesceExpr:
		args, t, err := b.alternatives(sc, n.CoalesceExpr.Args, "COALESCE")
		return &Coalesce{T: t, Args: args}, err
	case *pgquery.Node_MinMaxExpr:
		return b.minMax(sc, n.MinMaxExpr)
	case *pgquery.Node_RowExpr:
		elems, err := b.exprs(sc, n.RowExpr.Args)
		return &Row{Elems: elems}, err
	case *pgquery.Node_AArrayExpr:
		return b.array(sc, n.AArrayExpr, 0)
	case *pgquery.Node_AIndirection:
		return b.indirection(sc, n.AIndirection)
	case *pgquery.Node_SqlvalueFunction:
		if sc.clause == inConversion {
			return nil, errorAt(n.SqlvalueFunction.Location, pgerrcode.InvalidObjectDefinition, "a conversion must be immutable")
		}
		return b.sqlValue(n.SqlvalueFunction)
	case *pgquery.Node_GroupingFunc:
		return b.grouping(sc, n.GroupingFunc)
	case *pgquery.Node_SetToDefault:
		return nil, errorAt(n.SetToDefault.Location, pgerrcode.SyntaxError, "DEFAULT is not allowed in this context")
	}
	return nil, unsupported(locate(n), "%s", nodeName(n))
}

func (b *binder) exprs(sc *scope, nodes []*pgquery.Node) ([]Expr, error) {
	out := make([]Expr, len(nodes))
	for i, n := range nodes {
		var err error
		if out[i], err = b.expr(sc, n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// logic binds AND, OR and NOT.
func (b *binder) logic(sc *scope, n *pgquery.BoolExpr) (Expr, error) {
	kind, name := And, "AND"
	switch n.Boolop {
	case pgquery.BoolExprType_OR_EXPR:
		kind, name = Or, "OR"
	case pgquery.BoolExprType_NOT_EXPR:
		kind, name = Not, "NOT"
	}
	args, err := b.exprs(sc, n.Args)
	if err != nil {
		return nil, err
	}
	for i := range args {
		if args[i], err = b.coerceBool(args[i], name, locate(n.Args[i])); err != nil {
			return nil, err
		}
	}
	return &Logic{Kind: kind, Args: args}, nil
}

// alternatives binds expressions of which one is the value, in their common type.
func (b *binder) alternatives(sc *scope, nodes []*pgquery.Node, context string) ([]Expr, Type, error) {
	args, err := b.exprs(sc, nodes)
	if err != nil {
		return nil, Type{}, err
	}
	return b.coerceAll(args, locateAll(nodes), context)
}

func (b *binder) minMax(sc *scope, n *pgquery.MinMaxExpr) (Expr, error) {
	greatest, context := n.Op == pgquery.MinMaxOp_IS_GREATEST, "LEAST"
	if greatest {
		context = "GREATEST"
	}
	args, t, err := b.alternatives(sc, n.Args, context)
	if err != nil {
		return nil, err
	}
	if err := postgres.CheckOrderable(t.OID); err != nil {
		return nil, errorAt(n.Location, pgerrcode.UndefinedFunction, "could not identify a comparison function for type %s", t.OID)
	}
	return &MinMax{T: t, Greatest: greatest, Args: args}, nil
}

// nullTest binds IS [NOT] NULL; of a row it asks about every column.
func (b *binder) nullTest(sc *scope, n *pgquery.NullTest) (Expr, error) {
	arg, err := b.expr(sc, n.Arg)
	if err != nil {
		return nil, err
	}
	not := n.Nulltesttype == pgquery.NullTestType_IS_NOT_NULL
	row, ok := arg.(*Row)
	if !ok {
		arg, err = b.resolve(arg)
		return &IsNull{Arg: arg, Not: not}, err
	}
	if len(row.Elems) == 0 {
		return boolConst(true), nil
	}
	tests := make([]Expr, 0, len(row.Elems))
	for _, e := range row.Elems {
		if e, err = b.resolve(e); err != nil {
			return nil, err
		}
		tests = append(tests, &IsNull{Arg: e, Not: not})
	}
	return conjunction(tests), nil
}

var booleanTests = map[pgquery.BoolTestType]struct {
	test BoolTest
	not  bool
	name string
}{
	pgquery.BoolTestType_IS_TRUE:        {IsTrue, false, "IS TRUE"},
	pgquery.BoolTestType_IS_NOT_TRUE:    {IsTrue, true, "IS NOT TRUE"},
	pgquery.BoolTestType_IS_FALSE:       {IsFalse, false, "IS FALSE"},
	pgquery.BoolTestType_IS_NOT_FALSE:   {IsFalse, true, "IS NOT FALSE"},
	pgquery.BoolTestType_IS_UNKNOWN:     {IsUnknown, false, "IS UNKNOWN"},
	pgquery.BoolTestType_IS_NOT_UNKNOWN: {IsUnknown, true, "IS NOT UNKNOWN"},
}

func (b *binder) booleanTest(sc *scope, n *pgquery.BooleanTest) (Expr, error) {
	t, ok := booleanTests[n.Booltesttype]
	if !ok {
		return nil, unsupported(n.Location, "this boolean test")
	}
	arg, err := b.expr(sc, n.Arg)
	if err != nil {
		return nil, err
	}
	arg, err = b.coerceBool(arg, t.name, locate(n.Arg))
	return &IsBool{Arg: arg, Test: t.test, Not: t.not}, err
}

// typeCast binds CAST, :: and typed literals.
func (b *binder) typeCast(sc *scope, n *pgquery.TypeCast) (Expr, error) {
	t, err := b.typeName(n.TypeName)
	if err != nil {
		if row := b.rowNamed(n.TypeName); row != nil {
			return b.castToRow(sc, row, n)
		}
		return nil, err
	}
	if elem := postgres.ElemOf(t.OID); elem != 0 {
		if list := n.Arg.GetAArrayExpr(); list != nil {
			arg, err := b.array(sc, list, elem)
			if err != nil {
				return nil, err
			}
			return b.castTo(arg, t, n)
		}
	}
	arg, err := b.expr(sc, n.Arg)
	if err != nil {
		return nil, err
	}
	return b.castTo(arg, t, n)
}

func (b *binder) castTo(arg Expr, t Type, n *pgquery.TypeCast) (Expr, error) {
	at := n.Location
	if at < 0 {
		at = locate(n.Arg)
	}
	if row, ok := arg.(*Row); ok && category(t.OID) != postgres.StringCategory && t.OID != postgres.RecordOID {
		return nil, unsupported(at, "a cast of a row of %d columns to %s", len(row.Elems), t.OID)
	}
	return b.coerce(arg, t, postgres.Explicit, at)
}

// collate accepts the collations that order as the engine does, by bytes.
func (b *binder) collate(sc *scope, n *pgquery.CollateClause) (Expr, error) {
	parts, _ := nameParts(n.Collname)
	switch name := parts[len(parts)-1]; {
	case len(parts) > 1 && parts[len(parts)-2] != schemaCatalog,
		name != "C" && name != "POSIX" && name != "default" && name != "ucs_basic" && name != "C.utf8":
		return nil, missingCollation(dotted(parts), n.Location)
	}
	arg, err := b.expr(sc, n.Arg)
	if err != nil {
		return nil, err
	}
	if arg, err = b.resolve(arg); err != nil {
		return nil, err
	}
	if t, ok := postgres.TypeByOID(arg.Type().OID); ok && t.Collation == 0 {
		return nil, errorAt(n.Location, pgerrcode.DatatypeMismatch, "collations are not supported by type %s", t.OID)
	}
	return arg, nil
}
