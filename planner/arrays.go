package planner

import (
	"slices"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// array binds ARRAY[...]; elem is the element type that a cast around it asks
// for, or 0.
func (b *binder) array(sc *scope, n *pgquery.A_ArrayExpr, elem postgres.OID) (Expr, error) {
	elems := make([]Expr, len(n.Elements))
	nested := false
	for i, node := range n.Elements {
		var err error
		if inner := node.GetAArrayExpr(); inner != nil {
			nested = true
			elems[i], err = b.array(sc, inner, elem)
		} else {
			elems[i], err = b.expr(sc, node)
		}
		if err != nil {
			return nil, err
		}
		nested = nested || isArray(elems[i].Type().OID)
	}
	if elem != 0 {
		return b.arrayOf(elems, n, elem, nested)
	}
	if len(elems) == 0 {
		return nil, errorAt(n.Location, pgerrcode.IndeterminateDatatype, "cannot determine type of empty array").
			withHint("Explicitly cast to the desired type, for example ARRAY[]::integer[].")
	}
	elems, common, err := b.coerceAll(elems, locateAll(n.Elements), "ARRAY")
	if err != nil {
		return nil, err
	}
	oid := common.OID
	if !nested {
		if oid = postgres.ArrayOf(common.OID); oid == 0 {
			return nil, errorAt(n.Location, pgerrcode.UndefinedObject, "could not find array type for data type %s", common.OID)
		}
	}
	return &Array{T: Type{OID: oid, Typmod: common.Typmod}, Elems: elems}, nil
}

// isArray says that arrays of a type's values are arrays of more dimensions. The
// vectors of the catalog are values of their own.
func isArray(oid postgres.OID) bool {
	return postgres.ElemOf(oid) != 0 && oid != postgres.Int2VectorOID && oid != postgres.OIDVectorOID
}

// arrayOf converts the elements to the type that a cast asks for.
func (b *binder) arrayOf(elems []Expr, n *pgquery.A_ArrayExpr, elem postgres.OID, nested bool) (Expr, error) {
	t := plainType(postgres.ArrayOf(elem))
	target := plainType(elem)
	if nested {
		target = t
	}
	for i := range elems {
		var err error
		if elems[i], err = b.coerce(elems[i], target, postgres.Explicit, locate(n.Elements[i])); err != nil {
			return nil, err
		}
	}
	return &Array{T: t, Elems: elems}, nil
}

// indirection binds what follows an expression: subscripts, and columns of rows.
func (b *binder) indirection(sc *scope, n *pgquery.A_Indirection) (Expr, error) {
	// (t).x is t.x where t is a relation.
	if ref := n.Arg.GetColumnRef(); ref != nil && n.Indirection[0].GetString_() != nil {
		parts, star := nameParts(ref.Fields)
		column := false
		if len(parts) == 1 {
			e, err := b.declaredColumn(sc, parts[0], ref.Location)
			column = e != nil || err != nil
		}
		if !star && !column {
			if it, err := b.itemOf(sc, parts, ref.Location); err == nil {
				e, err := b.columnNamed(it, n.Indirection[0].GetString_().Sval, ref.Location)
				if e == nil || err != nil {
					return nil, firstError(err, b.missingColumn([]*item{it}, it.name, n.Indirection[0].GetString_().Sval, ref.Location))
				}
				return b.subscripts(sc, e, n.Indirection[1:], ref.Location)
			}
		}
	}
	arg, err := b.expr(sc, n.Arg)
	if err != nil {
		return nil, err
	}
	return b.subscripts(sc, arg, n.Indirection, locate(n.Arg))
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *binder) subscripts(sc *scope, arg Expr, nodes []*pgquery.Node, at int32) (Expr, error) {
	for i, node := range nodes {
		sub := node.GetAIndices()
		if row, ok := arg.(*Row); ok && sub == nil && row.Names != nil {
			name := node.GetString_().GetSval()
			n := slices.Index(row.Names, name)
			if n < 0 {
				return nil, errorAt(at, pgerrcode.UndefinedColumn, "column %q not found in data type record", name)
			}
			return b.subscripts(sc, row.Elems[n], nodes[i+1:], at)
		}
		if sub == nil {
			if t, ok := postgres.TypeByOID(arg.Type().OID); ok && t.Kind != postgres.CompositeType && t.OID != postgres.RecordOID {
				return nil, errorAt(at, pgerrcode.WrongObjectType, "column notation .%s applied to type %s, which is not a composite type",
					node.GetString_().GetSval(), arg.Type().OID)
			}
			return nil, unsupported(at, "a column of a composite value")
		}
		oid := postgres.BaseOf(arg.Type().OID)
		var err error
		switch {
		case oid == postgres.JSONBOID && !sub.IsSlice:
			end := i + 1
			for end < len(nodes) && nodes[end].GetAIndices() != nil && !nodes[end].GetAIndices().IsSlice {
				end++
			}
			if arg, err = b.jsonSubscripts(sc, arg, nodes[i:end], at); err != nil {
				return nil, err
			}
			return b.subscripts(sc, arg, nodes[end:], at)
		case i > 0:
			return nil, unsupported(at, "more than one array subscript")
		case postgres.ElemOf(oid) == 0:
			return nil, errorAt(at, pgerrcode.DatatypeMismatch, "cannot subscript type %s because it does not support subscripting", oid)
		default:
			arg, err = b.subscript(sc, arg, sub, at)
		}
		if err != nil {
			return nil, err
		}
	}
	return arg, nil
}

// subscript binds a[i] and a[i:j].
func (b *binder) subscript(sc *scope, arg Expr, n *pgquery.A_Indices, at int32) (Expr, error) {
	elem := postgres.ElemOf(postgres.BaseOf(arg.Type().OID))
	s := &Subscript{T: Type{OID: elem, Typmod: arg.Type().Typmod}, Arg: arg, Slice: n.IsSlice}
	if n.IsSlice {
		s.T = arg.Type()
	}
	bound := func(node *pgquery.Node) (Expr, error) {
		if node == nil {
			return nil, nil
		}
		e, err := b.expr(sc, node)
		if err != nil {
			return nil, err
		}
		if from := e.Type().OID; from != postgres.UnknownOID && !postgres.CanCoerce(from, postgres.Int4OID, postgres.Assignment) {
			return nil, errorAt(locate(node), pgerrcode.DatatypeMismatch, "array subscript must have type integer")
		}
		return b.coerce(e, plainType(postgres.Int4OID), postgres.Assignment, locate(node))
	}
	var err error
	if !n.IsSlice {
		s.Index, err = bound(n.Uidx)
		return s, err
	}
	if n.Lidx == nil || n.Uidx == nil {
		return nil, unsupported(at, "an array slice without both bounds")
	}
	if s.Index, err = bound(n.Lidx); err != nil {
		return nil, err
	}
	s.Upper, err = bound(n.Uidx)
	return s, err
}

// jsonSubscripts binds j[x][y]: one path of texts and numbers.
func (b *binder) jsonSubscripts(sc *scope, arg Expr, nodes []*pgquery.Node, at int32) (Expr, error) {
	path := &Array{T: plainType(postgres.TextArrayOID)}
	for _, node := range nodes {
		step, err := b.jsonSubscript(sc, node.GetAIndices().Uidx)
		if err != nil {
			return nil, err
		}
		path.Elems = append(path.Elems, step)
	}
	return b.operatorCall("#>", arg, path, at, at, at)
}

func (b *binder) jsonSubscript(sc *scope, node *pgquery.Node) (Expr, error) {
	index, err := b.expr(sc, node)
	if err != nil {
		return nil, err
	}
	text := plainType(postgres.TextOID)
	switch oid := index.Type().OID; {
	case oid == postgres.Int4OID || canCoerce(oid, postgres.Int4OID):
		if index, err = b.coerce(index, plainType(postgres.Int4OID), postgres.Implicit, locate(node)); err != nil {
			return nil, err
		}
		return &Cast{T: text, Arg: index, Explicit: true}, nil
	case oid == postgres.UnknownOID || canCoerce(oid, postgres.TextOID):
		return b.coerce(index, text, postgres.Implicit, locate(node))
	}
	return nil, errorAt(locate(node), pgerrcode.DatatypeMismatch, "subscript type %s is not supported", index.Type().OID).
		withHint("jsonb subscript must be coercible to either integer or text.")
}

// canCoerce says that there is an implicit conversion between two types, which are
// not unknown.
func canCoerce(from, to postgres.OID) bool {
	return from != postgres.UnknownOID && postgres.CanCoerce(from, to, postgres.Implicit)
}
