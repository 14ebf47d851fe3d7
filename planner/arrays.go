package planner

import (
	"slices"
	"strconv"

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

// subscripts binds what follows an expression: as long as nodes are left, the
// subscripts that belong together, or a field.
func (b *binder) subscripts(sc *scope, arg Expr, nodes []*pgquery.Node, at int32) (Expr, error) {
	if len(nodes) == 0 {
		return arg, nil
	}
	if nodes[0].GetAIndices() == nil {
		field, err := b.rowField(arg, nodes[0].GetString_().GetSval(), at)
		if err != nil {
			return nil, err
		}
		return b.subscripts(sc, field, nodes[1:], at)
	}
	oid := postgres.BaseOf(arg.Type().OID)
	isJSON := oid == postgres.JSONBOID && !nodes[0].GetAIndices().IsSlice
	end := 1
	for end < len(nodes) && nodes[end].GetAIndices() != nil && (!isJSON || !nodes[end].GetAIndices().IsSlice) {
		end++
	}
	var err error
	switch {
	case isJSON:
		arg, err = b.jsonSubscripts(sc, arg, nodes[:end], at)
	case postgres.ElemOf(oid) == 0:
		err = errorAt(at, pgerrcode.DatatypeMismatch, "cannot subscript type %s because it does not support subscripting", oid)
	default:
		arg, err = b.subscript(sc, arg, nodes[:end])
	}
	if err != nil {
		return nil, err
	}
	return b.subscripts(sc, arg, nodes[end:], at)
}

// rowOf finds the row that a value of type record is; nil: it cannot be told.
func rowOf(e Expr) *Row {
	switch e := e.(type) {
	case *Row:
		return e
	case *Column:
		var q *Query
		switch r := e.Relation.(type) {
		case *SubqueryScan:
			q = r.Query
		case *CTEScan:
			q = r.CTE.Query
		}
		for q != nil && q.SetOp != nil {
			q = q.SetOp.Left
		}
		if q != nil && q.Values != nil && len(q.Values) > 0 {
			return rowOf(q.Values[0][e.Index])
		}
		if q != nil && e.Index < len(q.Targets) {
			return rowOf(q.Targets[e.Index].Expr)
		}
	}
	return nil
}

// fieldName is what a row's field is called.
func fieldName(row *Row, i int) string {
	if row == nil || row.Names == nil {
		return "f" + strconv.Itoa(i+1)
	}
	return row.Names[i]
}

// rowField is a named field of a row.
func (b *binder) rowField(arg Expr, name string, at int32) (Expr, error) {
	if row := rowOf(arg); row != nil {
		for i, e := range row.Elems {
			if fieldName(row, i) != name {
				continue
			}
			if arg == Expr(row) {
				return e, nil
			}
			return &RecordField{T: e.Type(), Arg: arg, Index: i}, nil
		}
		return nil, errorAt(at, pgerrcode.UndefinedColumn, "could not identify column %q in record data type", name)
	}
	if t, ok := postgres.TypeByOID(arg.Type().OID); ok && t.Kind != postgres.CompositeType && t.OID != postgres.RecordOID {
		return nil, errorAt(at, pgerrcode.WrongObjectType, "column notation .%s applied to type %s, which is not a composite type", name, arg.Type().OID)
	}
	return nil, unsupported(at, "a column of a composite value")
}

// maxSubscripts is MAXDIM of PostgreSQL.
const maxSubscripts = 6

// subscript binds a[i] and a[i:j], with as many subscripts as follow each other. If
// one is a slice all are, from 1 where one bound stands alone.
func (b *binder) subscript(sc *scope, arg Expr, nodes []*pgquery.Node) (Expr, error) {
	if len(nodes) > maxSubscripts {
		return nil, errorf(pgerrcode.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)", len(nodes), maxSubscripts)
	}
	oid := postgres.BaseOf(arg.Type().OID)
	elem := postgres.ElemOf(oid)
	s := &Subscript{T: Type{OID: elem, Typmod: arg.Type().Typmod}, Arg: arg}
	s.Slice = slices.ContainsFunc(nodes, func(n *pgquery.Node) bool { return n.GetAIndices().IsSlice })
	if s.Slice {
		s.T = Type{OID: oid, Typmod: arg.Type().Typmod}
		if !isArray(oid) {
			s.T.OID = postgres.ArrayOf(elem) // a part of a vector is no vector
		}
	}
	for _, node := range nodes {
		n := node.GetAIndices()
		index, err := b.subscriptBound(sc, n.Uidx)
		if err != nil {
			return nil, err
		}
		if !s.Slice {
			s.Index = append(s.Index, index)
			continue
		}
		lower, err := b.subscriptBound(sc, n.Lidx)
		if err != nil {
			return nil, err
		}
		if !n.IsSlice {
			lower = &Const{T: plainType(postgres.Int4OID), Value: postgres.IntDatum(1), at: nowhere}
		}
		s.Index, s.Upper = append(s.Index, lower), append(s.Upper, index)
	}
	return s, nil
}

// subscriptBound binds one bound; nil: it is not given.
func (b *binder) subscriptBound(sc *scope, node *pgquery.Node) (Expr, error) {
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
