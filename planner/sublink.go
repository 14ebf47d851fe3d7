package planner

import (
	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// subLink binds a query in an expression.
func (b *binder) subLink(sc *scope, n *pgquery.SubLink) (Expr, error) {
	q, err := b.subselect(sc, n.Subselect)
	if err != nil {
		return nil, err
	}
	switch n.SubLinkType {
	case pgquery.SubLinkType_EXISTS_SUBLINK:
		return &Subquery{T: plainType(postgres.BoolOID), Kind: SubqueryExists, Query: q}, nil
	case pgquery.SubLinkType_EXPR_SUBLINK:
		t, err := onlyColumn(q, n.Location)
		b.scalars[n] = q
		return &Subquery{T: t, Kind: SubqueryScalar, Query: q}, err
	case pgquery.SubLinkType_ARRAY_SUBLINK:
		t, err := onlyColumn(q, n.Location)
		if err != nil {
			return nil, err
		}
		oid := t.OID
		if !isArray(oid) {
			if oid = postgres.ArrayOf(t.OID); oid == 0 {
				return nil, errorAt(n.Location, pgerrcode.UndefinedObject, "could not find array type for data type %s", t.OID)
			}
		}
		return &Subquery{T: Type{OID: oid, Typmod: t.Typmod}, Kind: SubqueryArray, Query: q}, nil
	case pgquery.SubLinkType_ANY_SUBLINK:
		return b.compareSubquery(sc, n, q, SubqueryAny)
	case pgquery.SubLinkType_ALL_SUBLINK:
		return b.compareSubquery(sc, n, q, SubqueryAll)
	}
	return nil, unsupported(n.Location, "this kind of subquery")
}

// onlyColumn is the type of the one column that a scalar query has.
func onlyColumn(q *Query, at int32) (Type, error) {
	columns := outputs(q)
	if len(columns) != 1 {
		return Type{}, errorAt(at, pgerrcode.SyntaxError, "subquery must return only one column")
	}
	return columns[0].T, nil
}

// compareSubquery binds left op ANY|ALL (query); IN is = ANY.
func (b *binder) compareSubquery(sc *scope, n *pgquery.SubLink, q *Query, kind SubqueryKind) (Expr, error) {
	name := "="
	if parts, _ := nameParts(n.OperName); len(parts) > 0 {
		name = parts[len(parts)-1]
	}
	left, err := b.expr(sc, n.Testexpr)
	if err != nil {
		return nil, err
	}
	lefts := []Expr{left}
	if row, ok := left.(*Row); ok {
		lefts = row.Elems
	}
	columns := outputs(q)
	switch {
	case len(lefts) < len(columns):
		return nil, errorAt(n.Location, pgerrcode.SyntaxError, "subquery has too many columns")
	case len(lefts) > len(columns):
		return nil, errorAt(n.Location, pgerrcode.SyntaxError, "subquery has too few columns")
	case len(lefts) > 1 && (kind == SubqueryAny && name != "=" || kind == SubqueryAll && name != "<>"):
		return nil, unsupported(n.Location, "comparing a row by %s with a subquery", name)
	}
	s := &Subquery{T: plainType(postgres.BoolOID), Kind: kind, Query: q}
	wanted := make([]Type, len(columns))
	for i, c := range columns {
		r, err := postgres.ResolveOperator(name, lefts[i].Type().OID, c.T.OID)
		if err != nil {
			return nil, faultAt(n.Location, err)
		}
		if r.ResultType != postgres.BoolOID {
			return nil, errorAt(n.Location, pgerrcode.DatatypeMismatch, "row comparison operator must yield type boolean, not type %s", r.ResultType)
		}
		l, err := b.coerce(lefts[i], plainType(r.LeftType), postgres.Implicit, locate(n.Testexpr))
		if err != nil {
			return nil, err
		}
		s.Left, s.Operators = append(s.Left, l), append(s.Operators, r.Operator)
		wanted[i] = c.T
		if c.T.OID != r.RightType {
			wanted[i] = plainType(r.RightType)
		}
	}
	s.Query, err = b.convertOutputs(q, wanted, n.Location)
	return s, err
}

// convertOutputs makes a query's outputs have the types, around it if need be.
func (b *binder) convertOutputs(q *Query, types []Type, at int32) (*Query, error) {
	same := true
	for i, c := range outputs(q) {
		same = same && c.T == types[i]
	}
	if same {
		return q, nil
	}
	scan := b.newSubqueryScan(q, "converted", false)
	outer := &Query{From: []FromItem{scan}}
	for i, c := range scan.Cols {
		e, err := b.coerce(&Column{T: c.T, Relation: scan, Index: i}, types[i], postgres.Implicit, at)
		if err != nil {
			return nil, err
		}
		outer.Targets = append(outer.Targets, Target{Expr: e, Name: c.Name})
	}
	return outer, nil
}
