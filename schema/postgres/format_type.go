package postgres

import (
	"strconv"
	"strings"
)

// typmodHeader is what PostgreSQL adds to the modifiers of numeric, varchar and bpchar (VARHDRSZ in its source).
const typmodHeader = 4

// String is the type's name in messages, as PostgreSQL's format_type_be prints it: "integer", "character", "text[]".
func (o OID) String() string { return formatType(o, -1, false) }

// FormatType is what format_type(oid, typmod) answers: "character varying(10)", "numeric(10,2)",
// "timestamp with time zone", "integer[]". A typmod of -1 is none, for which character reads "bpchar".
func FormatType(oid OID, typmod int32) string { return formatType(oid, typmod, true) }

func formatType(oid OID, typmod int32, typmodGiven bool) string {
	if oid == 0 {
		return "-"
	}
	t, ok := TypeByOID(oid)
	if !ok {
		return "???"
	}
	suffix := ""
	if t.IsArray() && t.Layout.Storage != 'p' {
		elem, ok := TypeByOID(t.Elem)
		if !ok {
			return "???[]"
		}
		t, suffix = elem, "[]"
	}
	return formatScalarType(t, typmod, typmodGiven) + suffix
}

func formatScalarType(t *Type, typmod int32, typmodGiven bool) string {
	mod := FormatTypmod(t.OID, typmod)
	switch t.OID {
	case BitOID, BPCharOID:
		// Without a length both names would mean a length of one; the catalog names do not.
		switch {
		case typmod < 0 && typmodGiven && t.OID == BitOID:
			return `"bit"`
		case typmod < 0 && typmodGiven:
			return "bpchar"
		case t.OID == BitOID:
			return "bit" + mod
		}
		return "character" + mod
	case BoolOID:
		return "boolean"
	case Float4OID:
		return "real"
	case Float8OID:
		return "double precision"
	case Int2OID:
		return "smallint"
	case Int4OID:
		return "integer"
	case Int8OID:
		return "bigint"
	case TimeOID, TimestampOID, TimeTZOID, TimestampTZOID:
		name := strings.TrimSuffix(t.Name, "tz")
		if mod == "" {
			mod = " without time zone"
			if name != t.Name {
				mod = " with time zone"
			}
		}
		return name + mod
	case VarbitOID:
		return "bit varying" + mod
	case VarcharOID:
		return "character varying" + mod
	}
	name := quoteTypeName(t.Name)
	if t.Namespace != "" {
		name = t.Namespace + "." + name
	}
	return name + mod
}

// quoteTypeName quotes the three names of built-in types that are also words of the grammar.
func quoteTypeName(name string) string {
	switch name {
	case "any", "bit", "char":
		return `"` + name + `"`
	}
	return name
}

// FormatTypmod is a type modifier as it follows the type's name, what the type's typmodout function prints:
// "(10,2)", "(3) with time zone", " day to second(3)"; empty for none.
func FormatTypmod(oid OID, typmod int32) string {
	if typmod < 0 {
		return ""
	}
	switch oid {
	case BPCharOID, VarcharOID:
		if typmod > typmodHeader {
			return "(" + strconv.Itoa(int(typmod-typmodHeader)) + ")"
		}
	case BitOID, VarbitOID:
		return "(" + strconv.Itoa(int(typmod)) + ")"
	case NumericOID:
		if typmod >= typmodHeader {
			precision, scale := NumericTypmod(typmod)
			return "(" + strconv.Itoa(precision) + "," + strconv.Itoa(scale) + ")"
		}
	case TimeOID, TimestampOID:
		return "(" + strconv.Itoa(int(typmod)) + ") without time zone"
	case TimeTZOID, TimestampTZOID:
		return "(" + strconv.Itoa(int(typmod)) + ") with time zone"
	case IntervalOID:
		return formatIntervalTypmod(typmod)
	}
	return ""
}

// NumericTypmod takes numeric's modifier apart. The scale is negative where the column rounds left of the point.
func NumericTypmod(typmod int32) (precision, scale int) {
	m := typmod - typmodHeader
	return int(m>>16) & 0xffff, int(m&0x7ff^1024) - 1024
}

// MakeNumericTypmod is the modifier of numeric(precision, scale).
func MakeNumericTypmod(precision, scale int) int32 {
	return int32(precision)<<16 | int32(scale)&0x7ff + typmodHeader
}

// The bits of interval's modifier that name fields, from PostgreSQL's datetime.h: 1 << MONTH and so on.
const (
	intervalMonth  = 1 << 1
	intervalYear   = 1 << 2
	intervalDay    = 1 << 3
	intervalHour   = 1 << 10
	intervalMinute = 1 << 11
	intervalSecond = 1 << 12

	intervalFullRange     = 0x7fff
	intervalFullPrecision = 0xffff
)

// intervalFieldNames are the restrictions an interval type can have, in words.
var intervalFieldNames = map[int32]string{
	intervalYear:                 " year",
	intervalMonth:                " month",
	intervalDay:                  " day",
	intervalHour:                 " hour",
	intervalMinute:               " minute",
	intervalSecond:               " second",
	intervalYear | intervalMonth: " year to month",
	intervalDay | intervalHour:   " day to hour",
	intervalDay | intervalHour | intervalMinute:                  " day to minute",
	intervalDay | intervalHour | intervalMinute | intervalSecond: " day to second",
	intervalHour | intervalMinute:                                " hour to minute",
	intervalHour | intervalMinute | intervalSecond:               " hour to second",
	intervalMinute | intervalSecond:                              " minute to second",
}

func formatIntervalTypmod(typmod int32) string {
	fields, precision := typmod>>16&intervalFullRange, typmod&intervalFullPrecision
	s := intervalFieldNames[fields]
	if precision != intervalFullPrecision {
		s += "(" + strconv.Itoa(int(precision)) + ")"
	}
	return s
}
