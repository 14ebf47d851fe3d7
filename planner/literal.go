package planner

import (
	"math"
	"strconv"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// constant binds a literal. Quoted text has no type yet.
func (b *binder) constant(c *pgquery.A_Const) (Expr, error) {
	if c.Isnull {
		return &Const{T: plainType(postgres.UnknownOID), Null: true, at: c.Location}, nil
	}
	switch v := c.Val.(type) {
	case *pgquery.A_Const_Ival:
		return intConst(postgres.Int4OID, int64(v.Ival.Ival)), nil
	case *pgquery.A_Const_Fval:
		return b.number(v.Fval.Fval, c.Location)
	case *pgquery.A_Const_Boolval:
		return boolConst(v.Boolval.Boolval), nil
	case *pgquery.A_Const_Sval:
		return &Const{T: plainType(postgres.UnknownOID), Value: postgres.TextDatum(v.Sval.Sval), at: c.Location}, nil
	case *pgquery.A_Const_Bsval:
		text := &Const{T: plainType(postgres.UnknownOID), Value: postgres.TextDatum(v.Bsval.Bsval), at: c.Location}
		return b.literal(text, plainType(postgres.BitOID))
	}
	return nil, unsupported(c.Location, "this literal")
}

// number is a number that is no int4: a bigint if it is one, else a numeric.
func (b *binder) number(text string, at int32) (Expr, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		oid := postgres.Int8OID
		if n >= math.MinInt32 && n <= math.MaxInt32 {
			oid = postgres.Int4OID
		}
		return intConst(oid, n), nil
	}
	unknown := &Const{T: plainType(postgres.UnknownOID), Value: postgres.TextDatum(text), at: at}
	return b.literal(unknown, plainType(postgres.NumericOID))
}

func intConst(oid postgres.OID, n int64) *Const {
	return &Const{T: plainType(oid), Value: postgres.IntDatum(n)}
}

func boolConst(v bool) *Const {
	return &Const{T: plainType(postgres.BoolOID), Value: postgres.BoolDatum(v)}
}

func textConst(oid postgres.OID, text string) *Const {
	return &Const{T: plainType(oid), Value: postgres.TextDatum(text)}
}

func nullConst(t Type) *Const { return &Const{T: t, Null: true} }

// literal reads an untyped literal as a value of a type.
func (b *binder) literal(c *Const, t Type) (Expr, error) {
	if c.Null {
		return &Const{T: t, Null: true, at: c.at}, nil
	}
	if isObjectType(t.OID) {
		return b.objectLiteral(c, t)
	}
	if isObjectType(postgres.ElemOf(t.OID)) {
		return b.objectsLiteral(c, t)
	}
	if k, ok := postgres.TypeByOID(t.OID); !ok || k.Kind == postgres.PseudoType {
		return nil, errorAt(c.at, pgerrcode.IndeterminateDatatype, "could not determine the type of a literal that is used as %s", t.OID)
	}
	value, err := postgres.ParseLiteral(t.OID, t.Typmod, c.Value.Str, b.env.values)
	if err != nil {
		return nil, faultAt(c.at, err)
	}
	return &Const{T: t, Value: value, at: c.at}, nil
}
