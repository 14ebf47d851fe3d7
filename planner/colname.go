package planner

import (
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// How well a name suits: a cast's type name gives way to better ones.
const (
	noName = iota
	weakName
	strongName
)

// columnName is the output name of an expression without alias, as PostgreSQL's
// FigureColname picks it.
func (b *binder) columnName(n *pgquery.Node) string {
	name, strength := b.suggestName(n)
	if strength == noName {
		return "?column?"
	}
	return name
}

func (b *binder) suggestName(n *pgquery.Node) (string, int) {
	switch n := n.GetNode().(type) {
	case *pgquery.Node_ColumnRef:
		if parts, _ := nameParts(n.ColumnRef.Fields); len(parts) > 0 {
			return parts[len(parts)-1], strongName
		}
	case *pgquery.Node_AIndirection:
		for i := len(n.AIndirection.Indirection) - 1; i >= 0; i-- {
			if s := n.AIndirection.Indirection[i].GetString_(); s != nil {
				return s.Sval, strongName
			}
		}
		return b.suggestName(n.AIndirection.Arg)
	case *pgquery.Node_FuncCall:
		parts, _ := nameParts(n.FuncCall.Funcname)
		return parts[len(parts)-1], strongName
	case *pgquery.Node_AExpr:
		if n.AExpr.Kind == pgquery.A_Expr_Kind_AEXPR_NULLIF {
			return "nullif", strongName
		}
	case *pgquery.Node_TypeCast:
		if name, strength := b.suggestName(n.TypeCast.Arg); strength == strongName {
			return name, strength
		}
		parts, _ := nameParts(n.TypeCast.TypeName.Names)
		return parts[len(parts)-1], weakName
	case *pgquery.Node_CollateClause:
		return b.suggestName(n.CollateClause.Arg)
	case *pgquery.Node_SubLink:
		return b.subLinkName(n.SubLink)
	case *pgquery.Node_CaseExpr:
		if name, strength := b.suggestName(n.CaseExpr.Defresult); strength == strongName {
			return name, strength
		}
		return "case", weakName
	}
	return constructName(n)
}

// subLinkName is that of the one column of a scalar query.
func (b *binder) subLinkName(n *pgquery.SubLink) (string, int) {
	switch n.SubLinkType {
	case pgquery.SubLinkType_EXISTS_SUBLINK:
		return "exists", strongName
	case pgquery.SubLinkType_ARRAY_SUBLINK:
		return "array", strongName
	case pgquery.SubLinkType_EXPR_SUBLINK:
		if q, ok := b.scalars[n]; ok {
			return q.Targets[0].Name, strongName
		}
	}
	return "", noName
}

// constructName names what the grammar and not the catalog has a word for.
func constructName(n *pgquery.Node) (string, int) {
	switch n := n.GetNode().(type) {
	case *pgquery.Node_GroupingFunc:
		return "grouping", strongName
	case *pgquery.Node_AArrayExpr:
		return "array", strongName
	case *pgquery.Node_RowExpr:
		return "row", strongName
	case *pgquery.Node_CoalesceExpr:
		return "coalesce", strongName
	case *pgquery.Node_MinMaxExpr:
		if n.MinMaxExpr.Op == pgquery.MinMaxOp_IS_GREATEST {
			return "greatest", strongName
		}
		return "least", strongName
	case *pgquery.Node_SqlvalueFunction:
		name := strings.ToLower(strings.TrimPrefix(n.SqlvalueFunction.Op.String(), "SVFOP_"))
		return strings.TrimSuffix(name, "_n"), strongName
	}
	return "", noName
}
