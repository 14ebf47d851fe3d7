package planner

import (
	"errors"

	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// locate is where an expression begins in the text, as PostgreSQL's exprLocation
// finds it: the leftmost of its own place and its operands'.
func locate(n *pgquery.Node) int32 {
	switch n := n.GetNode().(type) {
	case *pgquery.Node_AExpr:
		return leftmost(n.AExpr.Location, locate(n.AExpr.Lexpr))
	case *pgquery.Node_BoolExpr:
		if len(n.BoolExpr.Args) > 1 {
			return leftmost(n.BoolExpr.Location, locate(n.BoolExpr.Args[0]))
		}
		return n.BoolExpr.Location
	case *pgquery.Node_TypeCast:
		if c := n.TypeCast.Arg.GetAConst(); c.GetSval() != nil {
			return c.Location // the literal is all that is left of it
		}
		return leftmost(leftmost(locate(n.TypeCast.Arg), n.TypeCast.TypeName.GetLocation()), n.TypeCast.Location)
	case *pgquery.Node_FuncCall:
		return locateCall(n.FuncCall)
	case *pgquery.Node_NullTest:
		return leftmost(n.NullTest.Location, locate(n.NullTest.Arg))
	case *pgquery.Node_BooleanTest:
		return leftmost(n.BooleanTest.Location, locate(n.BooleanTest.Arg))
	case *pgquery.Node_CollateClause:
		return leftmost(n.CollateClause.Location, locate(n.CollateClause.Arg))
	case *pgquery.Node_SubLink:
		return leftmost(n.SubLink.Location, locate(n.SubLink.Testexpr))
	case *pgquery.Node_AIndirection:
		return locate(n.AIndirection.Arg)
	case *pgquery.Node_List:
		if len(n.List.Items) > 0 {
			return locate(n.List.Items[0])
		}
		return nowhere
	}
	return ownLocation(n)
}

func locateCall(c *pgquery.FuncCall) int32 {
	at := c.Location
	for _, arg := range c.Args {
		at = leftmost(at, locate(arg))
	}
	return at
}

// ownLocation is the place that a node itself carries.
func ownLocation(n *pgquery.Node) int32 {
	if n.GetNode() == nil {
		return nowhere
	}
	m := n.ProtoReflect()
	inner := m.Get(m.WhichOneof(m.Descriptor().Oneofs().Get(0))).Message()
	if f := inner.Descriptor().Fields().ByName("location"); f != nil {
		return int32(inner.Get(f).Int())
	}
	return nowhere
}

func leftmost(a, b int32) int32 {
	switch {
	case a < 0:
		return b
	case b < 0:
		return a
	}
	return min(a, b)
}

func locateAll(nodes []*pgquery.Node) []int32 {
	out := make([]int32, len(nodes))
	for i, n := range nodes {
		out[i] = locate(n)
	}
	return out
}

// faultyArg is which of several alternatives an error is about.
func faultyArg(err error) int {
	var known *postgres.Error
	if errors.As(err, &known) {
		return known.Arg
	}
	return 0
}
