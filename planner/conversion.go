package planner

import (
	"errors"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// CheckConversion says why expr cannot be a source's conversion for a field of
// type t: an *Error, with a position in expr.
func CheckConversion(expr string, t schema.Type) error {
	_, err := bindConversion(expr, fieldType(t))
	return err
}

// conversion is a source's conversion, and the type of the field it is for.
type conversion struct {
	expr string
	t    Type
}

// conversion binds one, or finds it bound; the tree is shared and never changed.
func (p *Planner) conversion(c conversion) (Expr, error) {
	if e, ok := p.conversions.Get(c); ok {
		return e, nil
	}
	e, err := bindConversion(c.expr, c.t)
	if err == nil {
		p.conversions.Add(c, e)
	}
	return e, err
}

// bindConversion binds a source's conversion: an immutable scalar expression over
// `value`, which is a double precision for a numeric field and of the field's own
// type for any other. Its result becomes the field's type.
func bindConversion(expr string, t Type) (Expr, error) {
	n, err := parseExpr(expr)
	if err != nil {
		return nil, shiftPosition(placeError(err, conversionPrefix+expr))
	}
	input := Type{OID: t.OID, Typmod: -1}
	if category, _ := postgres.CategoryOf(t.OID); category == postgres.NumericCategory {
		input.OID = postgres.Float8OID
	}
	b := newBinder(&lookup{}, &environment{values: postgres.DefaultEnv()}, &parameters{values: []*Const{}})
	sc := newScope(nil)
	sc.clause, sc.value = inConversion, &SentValue{T: input}
	e, err := b.expr(sc, n)
	if err == nil {
		e, err = b.resolve(e)
	}
	if err == nil {
		err = checkConversion(e, t)
	}
	if err == nil {
		e, err = b.coerce(e, t, postgres.Explicit, locate(n))
	}
	if err != nil {
		return nil, shiftPosition(placeError(err, conversionPrefix+expr))
	}
	return e, nil
}

// conversionPrefix is what parseExpr puts before an expression.
const conversionPrefix = "SELECT "

// shiftPosition makes an error's position count in the expression alone.
func shiftPosition(err error) error {
	var e *Error
	if errors.As(err, &e) && e.Position > int32(len(conversionPrefix)) {
		e.Position -= int32(len(conversionPrefix))
	}
	return err
}

// checkConversion refuses what would make a stored value read differently from
// one time to another, and what cannot become the field's type.
func checkConversion(e Expr, t Type) error {
	if !postgres.CanCoerce(e.Type().OID, t.OID, postgres.Explicit) {
		return errorf(pgerrcode.DatatypeMismatch, "the conversion gives type %s, which cannot become %s", e.Type().OID, t.OID)
	}
	var err error
	walk(e, func(e Expr) bool {
		switch e := e.(type) {
		case *Subquery:
			err = unsupported(nowhere, "a subquery in a conversion")
		case *Func:
			err = checkImmutable(e.Proc)
		case *Op:
			if p, ok := postgres.ProcByOID(e.Operator.Code); ok {
				err = checkImmutable(p)
			}
		}
		return err == nil
	})
	return err
}

func checkImmutable(p *postgres.Proc) error {
	if p.Volatility == postgres.Immutable {
		return nil
	}
	return errorf(pgerrcode.InvalidObjectDefinition, "a conversion must be immutable, and function %s is not", p.Name)
}
