package planner

import (
	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// coerce converts e to a type as PostgreSQL's coerce_to_target_type does: a
// literal is read by the type's input function, an undecided parameter takes the
// type, all else gets a Cast where pg_cast has one for the context.
func (b *binder) coerce(e Expr, t Type, context postgres.CoercionContext, at int32) (Expr, error) {
	from := e.Type()
	if from.OID == postgres.UnknownOID && t.OID == postgres.AnyEnumOID {
		return nil, errorAt(at, pgerrcode.CannotCoerce, "cannot cast type %s to %s", from.OID, t.OID)
	}
	if base := postgres.BaseOf(t.OID); base != t.OID && from.OID != t.OID && (from.OID != postgres.UnknownOID || HasCheck(t.OID)) {
		domain, _ := postgres.TypeByOID(t.OID)
		if from.OID != postgres.UnknownOID && from.OID != base && !postgres.CanCoerce(from.OID, base, context) {
			return nil, errorAt(at, pgerrcode.CannotCoerce, "cannot cast type %s to %s", from.OID, t.OID)
		}
		value, err := b.coerce(e, Type{OID: base, Typmod: domain.BaseTypmod}, context, at)
		return &Cast{T: t, Arg: value, Explicit: context == postgres.Explicit}, err
	}
	if from.OID == postgres.UnknownOID {
		return b.coerceUnknown(e, t, context, at)
	}
	if from.OID == t.OID && (t.Typmod < 0 || t.Typmod == from.Typmod) {
		return e, nil
	}
	if from.OID != t.OID && !postgres.CanCoerce(from.OID, t.OID, context) {
		return nil, errorAt(at, pgerrcode.CannotCoerce, "cannot cast type %s to %s", from.OID, t.OID)
	}
	if postgres.BaseOf(from.OID) != from.OID && t.OID == postgres.BaseOf(from.OID) && t.Typmod < 0 {
		return &Cast{T: t, Arg: e}, nil
	}
	if t.OID == postgres.RecordOID || isAnyType(t.OID) {
		return e, nil // which keeps its own type
	}
	if category(t.OID) == postgres.StringCategory {
		if text, ok := b.objectText(e); ok {
			return b.coerce(text, t, context, at)
		}
	}
	if call, ok := b.objectOf(e, t); ok {
		return call, nil
	}
	cast := &Cast{T: t, Arg: e, Explicit: context == postgres.Explicit}
	return b.fold(cast, at)
}

// HasCheck says that values of a domain meet a condition (information_schema.sql of
// PostgreSQL).
func HasCheck(domain postgres.OID) bool {
	t, ok := postgres.TypeByOID(domain)
	return ok && t.Namespace == schemaInformation && (t.Name == "cardinal_number" || t.Name == "yes_or_no")
}

// isAnyType says that a type stands for those of arguments.
func isAnyType(oid postgres.OID) bool {
	switch oid {
	case postgres.AnyOID, postgres.AnyElementOID, postgres.AnyNonArrayOID, postgres.AnyArrayOID, postgres.AnyEnumOID, postgres.AnyRangeOID,
		postgres.AnyMultirangeOID, postgres.AnyCompatibleOID, postgres.AnyCompatibleArrayOID, postgres.AnyCompatibleNonArrayOID,
		postgres.AnyCompatibleRangeOID, postgres.AnyCompatibleMultirangeOID:
		return true
	}
	return false
}

func category(oid postgres.OID) postgres.Category {
	c, _ := postgres.CategoryOf(oid)
	return c
}

// coerceUnknown gives a literal, a parameter or a NULL without a type one.
func (b *binder) coerceUnknown(e Expr, t Type, context postgres.CoercionContext, at int32) (Expr, error) {
	switch e := e.(type) {
	case *Const:
		switch t.OID {
		case postgres.AnyElementOID, postgres.AnyNonArrayOID, postgres.AnyCompatibleOID, postgres.AnyCompatibleNonArrayOID:
			if context == postgres.Explicit {
				return e, nil // which is a literal without a type all the same
			}
		case postgres.AnyOID, postgres.UnknownOID:
			t = plainType(postgres.TextOID)
		}
		return b.literal(e, t)
	case *ParamRef:
		if t.OID == postgres.AnyOID {
			t = plainType(postgres.TextOID)
		}
		decided, err := b.params.decide(e, t.OID)
		if err != nil || t.Typmod < 0 {
			return decided, err
		}
		return &Cast{T: t, Arg: decided, Explicit: context == postgres.Explicit}, nil
	}
	if t.OID == postgres.UnknownOID {
		return e, nil
	}
	return nil, errorAt(at, pgerrcode.CannotCoerce, "cannot cast type %s to %s", e.Type().OID, t.OID)
}

// coerceBool converts the condition of a clause, which must be a boolean.
func (b *binder) coerceBool(e Expr, clause string, at int32) (Expr, error) {
	return b.coerceTo(e, postgres.BoolOID, clause, at)
}

// coerceTo converts the argument of a clause to the type it must have.
func (b *binder) coerceTo(e Expr, oid postgres.OID, clause string, at int32) (Expr, error) {
	if from := e.Type().OID; from != postgres.UnknownOID && !postgres.CanCoerce(from, oid, postgres.Implicit) {
		return nil, errorAt(at, pgerrcode.DatatypeMismatch, "argument of %s must be type %s, not type %s", clause, oid, from)
	}
	return b.coerce(e, plainType(oid), postgres.Implicit, at)
}

// coerceAll converts alternatives to the type that they come to.
func (b *binder) coerceAll(exprs []Expr, places []int32, context string) ([]Expr, Type, error) {
	types := make([]postgres.OID, len(exprs))
	for i, e := range exprs {
		types[i] = e.Type().OID
	}
	common, err := postgres.SelectCommonType(types, context)
	if err != nil {
		return nil, Type{}, faultAt(places[faultyArg(err)], err)
	}
	t := Type{OID: common, Typmod: commonTypmod(common, exprs...)}
	out := make([]Expr, len(exprs))
	for i, e := range exprs {
		if out[i], err = b.coerce(e, t, postgres.Implicit, places[i]); err != nil {
			return nil, Type{}, err
		}
	}
	return out, t, nil
}

// commonTypmod is the modifier that all of the expressions have, else -1.
func commonTypmod(common postgres.OID, exprs ...Expr) int32 {
	for _, e := range exprs {
		if t := e.Type(); t.OID != common || t.Typmod != exprs[0].Type().Typmod {
			return -1
		}
	}
	return exprs[0].Type().Typmod
}

// resolve gives an expression that is still without a type the type text.
func (b *binder) resolve(e Expr) (Expr, error) {
	if row, ok := e.(*Row); ok {
		return b.resolveRow(row)
	}
	if e.Type().OID != postgres.UnknownOID {
		return e, nil
	}
	return b.coerceUnknown(e, plainType(postgres.TextOID), postgres.Implicit, nowhere)
}

// resolveRow gives the undecided parameters in a row that is a value a type. Literals
// stay of type unknown, as PostgreSQL leaves them.
func (b *binder) resolveRow(row *Row) (Expr, error) {
	for i, e := range row.Elems {
		if _, ok := e.(*Const); ok {
			continue
		}
		var err error
		if row.Elems[i], err = b.resolve(e); err != nil {
			return nil, err
		}
	}
	return row, nil
}
