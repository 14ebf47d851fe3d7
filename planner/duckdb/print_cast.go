package duckdb

import (
	"fmt"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

func (p *printer) castExpr(e *planner.Cast) printed {
	if c, ok := e.Arg.(*planner.Const); ok && c.Null {
		return p.null(e.T)
	}
	args, nodes := []printed{p.expr(e.Arg)}, []planner.Expr{e.Arg}
	return p.shared(args, nodes, func() printed { return p.cast(args[0], e.Arg.Type(), e.T, e.Explicit, false) })
}

// cast converts a printed expression as PostgreSQL's cast does. With try, what
// the cast refuses is NULL.
func (p *printer) cast(arg printed, from, to planner.Type, explicit, try bool) printed {
	if physical(to.OID) == "" {
		return p.fail(unsupported("type %s", to.OID))
	}
	if from.OID != to.OID {
		from.OID = postgres.BaseOf(from.OID)
	}
	if to.OID == postgres.BitOID && (from.OID == postgres.Int4OID || from.OID == postgres.Int8OID) {
		return bitsOfIntSQL(arg, to)
	}
	out := arg
	modifies := to.Typmod >= 0 && from.Typmod != to.Typmod
	if from.OID != to.OID || modifies && postgres.ElemOf(to.OID) != 0 {
		out = p.convert(arg, from, to, explicit, try)
	}
	if modifies || to.Typmod >= 0 && from.OID != to.OID {
		out = p.applyTypmod(out, to, explicit, try)
	}
	return out
}

func (p *printer) convert(arg printed, from, to planner.Type, explicit, try bool) printed {
	s := &site{
		p: p, args: []printed{arg}, types: []planner.Type{from}, nodes: []planner.Expr{nil}, ret: planner.Type{OID: to.OID, Typmod: -1},
		try: try, explicit: explicit,
	}
	if entry, ok := printings().casts[castPair{from.OID, to.OID}]; ok {
		return entry(s)
	}
	fromElem, toElem := postgres.ElemOf(from.OID), postgres.ElemOf(to.OID)
	switch {
	case postgres.BaseOf(to.OID) == from.OID && from.OID != to.OID:
		return intoDomain(arg, to.OID)
	case fromElem != 0 && toElem != 0:
		return p.castArray(arg, from, to, explicit, try)
	case fromElem != 0 && isString(to.OID):
		return printed{sql: s.textOfArray()}
	case toElem != 0 && isString(from.OID):
		return p.arrayOfText(arg, to, try)
	case postgres.BinaryCoercible(from.OID, to.OID) && physical(from.OID) == physical(to.OID):
		return arg
	case isRegistered(from.OID) && to.OID == postgres.OIDOID, from.OID == postgres.OIDOID && isRegistered(to.OID):
		return arg
	}
	return s.refuse("cast from %s to %s", from.OID, to.OID)
}

// intoDomain checks what becomes a value of a domain.
func intoDomain(arg printed, domain postgres.OID) printed {
	t, _ := postgres.TypeByOID(domain)
	constraint, fails := "cardinal_number_domain_check", arg.sql+" < 0"
	switch {
	case !planner.HasCheck(domain):
		return arg
	case t.Name == "yes_or_no":
		constraint, fails = "yes_or_no_check", arg.sql+" NOT IN ('YES', 'NO')"
	}
	message := fmt.Sprintf("value for domain %s violates check constraint \"%s\"", domain, constraint)
	return printed{sql: unlessFailed(arg.sql, fails, raise(pgerrcode.CheckViolation, message))}
}

// castElements converts a list element by element.
func (p *printer) castElements(list printed, from postgres.OID, to planner.Type, explicit, try bool) printed {
	toElem := planner.Type{OID: postgres.ElemOf(to.OID), Typmod: to.Typmod}
	fromElem := planner.Type{OID: from, Typmod: -1}
	if from == toElem.OID && to.Typmod < 0 {
		return list
	}
	name := p.name("e")
	e := p.cast(printed{name, textScale(fromElem)}, fromElem, toElem, explicit, try)
	return printed{sql: transform(list.sql, name, p.inForm(toElem, e, textScale(toElem)).sql)}
}

// storeVarchar refuses what is longer than the type allows; spaces beyond that are cut.
func (p *printer) storeVarchar(arg printed, t planner.Type, try bool) printed {
	name, n := p.name("e"), t.Typmod-4
	tooLong := "NULL"
	if !try {
		tooLong = "CAST(" + raise(pgerrcode.StringDataRightTruncationDataException, "value too long for type "+postgres.FormatType(t.OID, t.Typmod)) + " AS VARCHAR)"
	}
	return printed{sql: fmt.Sprintf("list_extract(list_transform([%s], lambda %s: CASE WHEN rtrim(substr(%s, %d), ' ') = '' THEN left(%s, %d) WHEN %s IS NOT NULL THEN %s END), 1)",
		arg.sql, name, name, n+1, name, n, name, tooLong)}
}

// applyTypmod cuts, pads or rounds to a type's modifier.
func (p *printer) applyTypmod(arg printed, t planner.Type, explicit, try bool) printed {
	switch t.OID {
	case postgres.VarcharOID, postgres.BPCharOID:
		n := t.Typmod - 4
		if t.OID == postgres.BPCharOID {
			return printed{sql: fmt.Sprintf("rpad(%s, %d, ' ')", arg.sql, n)}
		}
		if !explicit {
			return p.storeVarchar(arg, t, try)
		}
		return printed{sql: fmt.Sprintf("left(%s, %d)", arg.sql, n)}
	case postgres.BitOID:
		return printed{sql: fmt.Sprintf("rpad(%s, %d, '0')", arg.sql, t.Typmod)}
	case postgres.VarbitOID:
		return printed{sql: fmt.Sprintf("left(%s, %d)", arg.sql, t.Typmod)}
	case postgres.NumericOID:
		return p.numericTypmod(arg, t.Typmod, try)
	case postgres.TimestampOID, postgres.TimestampTZOID, postgres.TimeOID:
		return p.timeTypmod(arg, t)
	case postgres.TimeTZOID:
		if t.Typmod >= 6 {
			return arg
		}
		return p.roundTimeTZ(arg, t)
	}
	if postgres.ElemOf(t.OID) != 0 {
		return arg
	}
	if t.OID == postgres.IntervalOID && postgres.FormatTypmod(t.OID, t.Typmod) == "" {
		return arg
	}
	return p.fail(unsupported("type %s", postgres.FormatType(t.OID, t.Typmod)))
}

// numericTypmod rounds to numeric(precision, scale) and checks the range.
func (p *printer) numericTypmod(arg printed, typmod int32, try bool) printed {
	precision, scale := postgres.NumericTypmod(typmod)
	function := "fg_numeric_typmod"
	if try {
		function = "fg_try_numeric_typmod"
	}
	text := fmt.Sprintf("%s(%s, %d, %d)", function, p.rescale(arg, asText).sql, precision, scale)
	if arg.scale == asText || scale < 0 || scale > precision || scale > maxScale || precision-scale > decimalWidth-maxScale {
		return printed{text, asText}
	}
	rounded := p.rescale(arg, scale).sql
	// DuckDB would bring decimals of different scales to one that loses digits.
	decimal := func(text string) string { return fmt.Sprintf("CAST(%s AS DECIMAL(%d,%d))", text, decimalWidth, scale) }
	most := "1"
	if precision != scale {
		most = fmt.Sprintf("10^%d", precision-scale)
	}
	otherwise := decimal(raise(pgerrcode.NumericValueOutOfRange, raisedMessage(&planner.Error{
		Message: "numeric field overflow",
		Detail:  fmt.Sprintf("A field with precision %d, scale %d must round to an absolute value less than %s.", precision, scale, most),
	})))
	if try {
		otherwise = "NULL"
	}
	limit := decimal("'1" + strings.Repeat("0", precision-scale) + "'")
	return printed{fmt.Sprintf("(CASE WHEN abs(%s) < %s OR (%s) IS NULL THEN %s ELSE %s END)", rounded, limit, rounded, rounded, otherwise), scale}
}

// timeTypmod rounds to a number of fractional digits, half away from zero.
func (p *printer) timeTypmod(arg printed, t planner.Type) printed {
	if t.Typmod >= 6 {
		return arg
	}
	unit := int64(1)
	for range 6 - t.Typmod {
		unit *= 10
	}
	if t.OID == postgres.TimeOID {
		return printed{sql: fmt.Sprintf("fg_time_round(%s, CAST(%d AS BIGINT))", arg.sql, unit)}
	}
	return printed{sql: fmt.Sprintf("fg_timestamp_round(%s, CAST(%d AS BIGINT))", arg.sql, unit)}
}
