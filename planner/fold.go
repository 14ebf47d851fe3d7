package planner

import (
	"slices"
	"strconv"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// fold computes what bounds on time and widths of constants are made of: casts
// among numbers and among dates and times, and date arithmetic. What it does not
// know, or what could overflow, stays for the engine.
func (b *binder) fold(e Expr, at int32) (Expr, error) {
	args := children(e)
	if isStrict(e) && slices.ContainsFunc(args, isNullConst) && !slices.ContainsFunc(args, mayFail) {
		return nullConst(e.Type()), nil
	}
	values := make([]*Const, 0, len(args))
	for _, arg := range args {
		if arg == nil {
			continue
		}
		c, ok := arg.(*Const)
		if !ok {
			return e, nil
		}
		values = append(values, c)
	}
	switch e := e.(type) {
	case *Cast:
		return b.foldCast(e, values[0], at)
	case *Op:
		if p, ok := postgres.ProcByOID(e.Operator.Code); ok {
			return b.foldCall(e, p, values), nil
		}
	case *Func:
		return b.foldCall(e, e.Proc, values), nil
	}
	return e, nil
}

// isStrict says that a call is of a function or an operator that gives NULL for a NULL, without being called.
func isStrict(e Expr) bool {
	switch e := e.(type) {
	case *Func:
		return e.Proc.Strict && !e.Proc.ReturnsSet && e.Proc.Kind == postgres.FunctionProc
	case *Op:
		p, ok := postgres.ProcByOID(e.Operator.Code)
		return ok && p.Strict && !p.ReturnsSet
	}
	return false
}

func isNullConst(e Expr) bool {
	c, ok := e.(*Const)
	return ok && c.Null
}

// mayFail says that an argument has a call over constants, which PostgreSQL computes beforehand even where it then
// computes nothing else of the argument.
func mayFail(e Expr) bool {
	return e != nil && contains(e, func(e Expr) bool {
		if c, ok := e.(*Column); ok {
			return onlyValue(c) != nil
		}
		parts := children(e)
		return len(parts) > 0 && !slices.ContainsFunc(parts, func(part Expr) bool { return part != nil && !isConst(part) })
	})
}

func isConst(e Expr) bool {
	_, ok := e.(*Const)
	return ok
}

// foldCast converts a constant; a text becomes a value as a literal would.
func (b *binder) foldCast(e *Cast, c *Const, at int32) (Expr, error) {
	if c.Null {
		return &Const{T: e.T, Null: true, at: at}, nil
	}
	if isObjectType(e.T.OID) {
		return b.foldObjectCast(e, c, at)
	}
	if isObjectType(postgres.ElemOf(e.T.OID)) && category(c.T.OID) == postgres.StringCategory {
		return b.objectsLiteral(&Const{T: c.T, Value: c.Value, at: at}, e.T)
	}
	if category(c.T.OID) == postgres.StringCategory && e.Explicit && isFoldedText(e.T.OID) {
		value, err := postgres.ParseLiteral(e.T.OID, e.T.Typmod, c.Value.Str, b.env.values)
		if err != nil {
			return nil, faultAt(at, err)
		}
		return &Const{T: e.T, Value: value, at: at}, nil
	}
	if e.T.Typmod >= 0 {
		return e, nil
	}
	if value, ok := b.convert(c.Value, c.T.OID, e.T.OID); ok {
		return &Const{T: e.T, Value: value, at: at}, nil
	}
	return e, nil
}

// isFoldedText says whether text is read as the type while binding: where bounds
// and names need it.
func isFoldedText(oid postgres.OID) bool {
	switch oid {
	case postgres.DateOID, postgres.TimestampOID, postgres.TimestampTZOID, postgres.IntervalOID,
		postgres.Int2OID, postgres.Int4OID, postgres.Int8OID, postgres.Float8OID, postgres.BoolOID, postgres.OIDOID:
		return true
	}
	return false
}

// convert makes a constant of one type one of another.
func (b *binder) convert(v postgres.Datum, from, to postgres.OID) (postgres.Datum, bool) {
	switch from {
	case postgres.Int2OID, postgres.Int4OID, postgres.Int8OID:
		switch to {
		case postgres.Int2OID:
			return v, v.Int == int64(int16(v.Int))
		case postgres.Int4OID:
			return v, v.Int == int64(int32(v.Int))
		case postgres.Int8OID:
			return v, true
		case postgres.OIDOID:
			return v, v.Int == int64(uint32(v.Int))
		case postgres.Float8OID:
			return postgres.FloatDatum(float64(v.Int)), true
		case postgres.NumericOID:
			return postgres.Datum{Kind: postgres.NumericKind, Str: strconv.FormatInt(v.Int, 10)}, true
		case postgres.TextOID, postgres.VarcharOID:
			return postgres.TextDatum(strconv.FormatInt(v.Int, 10)), true
		}
	case postgres.NumericOID:
		if to == postgres.Float8OID {
			f, err := strconv.ParseFloat(v.Str, 64)
			return postgres.FloatDatum(f), err == nil
		}
	case postgres.DateOID, postgres.TimestampOID, postgres.TimestampTZOID:
		return b.convertTime(v, from, to)
	case postgres.TextOID, postgres.VarcharOID, postgres.NameOID:
		return v, to == postgres.TextOID || to == postgres.VarcharOID
	}
	return postgres.Datum{}, false
}

// foldCall computes an immutable call over constants, if it is a known one.
func (b *binder) foldCall(e Expr, p *postgres.Proc, args []*Const) Expr {
	f, ok := foldedCalls[p.Name]
	if !ok || len(args) != len(p.Args) {
		return e
	}
	for _, arg := range args {
		if arg.Null {
			return nullConst(e.Type())
		}
	}
	if value, ok := f(b, args); ok {
		return &Const{T: e.Type(), Value: value, at: nowhere}
	}
	return e
}

// joinTexts is || of texts and integers.
func joinTexts(b *binder, args []*Const) (postgres.Datum, bool) {
	joined := ""
	for _, arg := range args {
		v := arg.Value
		if v.Kind == postgres.IntKind {
			v, _ = b.convert(v, arg.T.OID, postgres.TextOID)
		}
		if v.Kind != postgres.TextKind || arg.T.OID == postgres.BPCharOID || arg.T.OID == postgres.InetOID {
			return postgres.Datum{}, false
		}
		joined += v.Str
	}
	return postgres.TextDatum(joined), true
}
