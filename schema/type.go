package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// The limits of modifiers, from PostgreSQL's numeric.h and htup_details.h.
const (
	maxNumericPrecision = 1000
	minNumericScale     = -1000
	maxNumericScale     = 1000
	maxVarchar          = 10485760
	// maxFloat4 and maxFloat8 are the precisions p of float(p), in bits.
	maxFloat4 = 24
	maxFloat8 = 53
)

// fieldTypes are the types that a field can have, by canonical name.
var fieldTypes = map[string]postgres.OID{
	"boolean":          postgres.BoolOID,
	"smallint":         postgres.Int2OID,
	"integer":          postgres.Int4OID,
	"bigint":           postgres.Int8OID,
	"real":             postgres.Float4OID,
	"double precision": postgres.Float8OID,
	"numeric":          postgres.NumericOID,
	"text":             postgres.TextOID,
	"varchar":          postgres.VarcharOID,
	"timestamptz":      postgres.TimestampTZOID,
	"timestamp":        postgres.TimestampOID,
	"date":             postgres.DateOID,
	"time":             postgres.TimeOID,
	"interval":         postgres.IntervalOID,
	"uuid":             postgres.UUIDOID,
	"bytea":            postgres.ByteaOID,
	"json":             postgres.JSONOID,
	"jsonb":            postgres.JSONBOID,
}

// String is the type as SQL writes it, and what ParseType reads: "numeric(10,2)".
func (t Type) String() string {
	switch {
	case t.Precision == 0:
		return t.Name
	case t.Name == "numeric":
		return fmt.Sprintf("numeric(%d,%d)", t.Precision, t.Scale)
	}
	return fmt.Sprintf("%s(%d)", t.Name, t.Precision)
}

// OID is the type's number in PostgreSQL, 0 if no field can have the type.
func (t Type) OID() postgres.OID { return fieldTypes[t.Name] }

// IsNumber says that values of the type are numbers.
func (t Type) IsNumber() bool {
	switch t.OID() {
	case postgres.Int2OID, postgres.Int4OID, postgres.Int8OID, postgres.Float4OID, postgres.Float8OID, postgres.NumericOID:
		return true
	}
	return false
}

// Typmod is PostgreSQL's modifier of the type, -1 for none.
func (t Type) Typmod() int32 {
	switch {
	case t.Precision == 0:
		return -1
	case t.Name == "numeric":
		return postgres.MakeNumericTypmod(t.Precision, t.Scale)
	}
	const header = 4 // VARHDRSZ, which PostgreSQL adds to a length
	return int32(t.Precision) + header
}

// ParseType reads a type by any name that PostgreSQL has for it: "float8",
// "character varying(20)", "timestamp with time zone". The error is an *Invalid,
// which wraps ErrUnknownType if no field can have a type of that name.
func ParseType(text string) (Type, error) {
	where := fmt.Sprintf("type %q", text)
	name, modifiers, err := splitType(where, text)
	if err != nil {
		return Type{}, err
	}
	if name == "float" && len(modifiers) > 0 {
		return floatOfBits(where, modifiers)
	}
	oid := postgres.OID(0)
	if t, ok := postgres.TypeByName(name); ok {
		oid = t.OID
	}
	t, ok := typeOfOID(oid)
	if !ok {
		return Type{}, unknownType(where)
	}
	switch len(modifiers) {
	case 0:
		return t, nil
	case 1:
		t.Precision = modifiers[0]
	case 2:
		t.Precision, t.Scale = modifiers[0], modifiers[1]
	}
	if len(modifiers) > 2 || len(modifiers) == 2 && t.Name != "numeric" || t.Precision == 0 {
		return Type{}, &Invalid{Where: where, Reason: "its modifiers are not those of " + t.Name}
	}
	return t, t.check(where)
}

// check says why no field can have the type.
func (t Type) check(where string) error {
	oid := t.OID()
	switch {
	case oid == 0:
		return unknownType(where)
	case t.Precision == 0 && t.Scale == 0:
		return nil
	case oid == postgres.NumericOID:
		if t.Precision < 1 || t.Precision > maxNumericPrecision {
			return &Invalid{Where: where, Reason: fmt.Sprintf("the precision of numeric is between 1 and %d", maxNumericPrecision)}
		}
		if t.Scale < minNumericScale || t.Scale > maxNumericScale {
			return &Invalid{Where: where, Reason: fmt.Sprintf("the scale of numeric is between %d and %d", minNumericScale, maxNumericScale)}
		}
		return nil
	case oid == postgres.VarcharOID && t.Scale == 0:
		if t.Precision < 1 || t.Precision > maxVarchar {
			return &Invalid{Where: where, Reason: fmt.Sprintf("the length of varchar is between 1 and %d", maxVarchar)}
		}
		return nil
	}
	return &Invalid{Where: where, Reason: t.Name + " takes no modifier here"}
}

func unknownType(where string) error {
	return &Invalid{
		Where:  where,
		Reason: "no field can have this type",
		Hint: "The types are boolean, smallint, integer, bigint, real, double precision, numeric, text, varchar, " +
			"timestamptz, timestamp, date, time, interval, uuid, bytea, json and jsonb.",
		Err: ErrUnknownType,
	}
}

func typeOfOID(oid postgres.OID) (Type, bool) {
	for name, known := range fieldTypes {
		if known == oid {
			return Type{Name: name}, true
		}
	}
	return Type{}, false
}

// splitType takes "timestamp (3) with time zone" apart into the name in lower
// case with single spaces and the modifiers.
func splitType(where, text string) (name string, modifiers []int, err error) {
	malformed := &Invalid{Where: where, Reason: "it is not written as a type"}
	before, rest, has := strings.Cut(text, "(")
	if !has {
		return strings.ToLower(strings.Join(strings.Fields(text), " ")), nil, nil
	}
	inside, after, closed := strings.Cut(rest, ")")
	if !closed || strings.ContainsAny(after, "()") {
		return "", nil, malformed
	}
	for _, m := range strings.Split(inside, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(m))
		if err != nil {
			return "", nil, malformed
		}
		modifiers = append(modifiers, n)
	}
	words := slices.Concat(strings.Fields(before), strings.Fields(after))
	return strings.ToLower(strings.Join(words, " ")), modifiers, nil
}

// floatOfBits is float(p), as PostgreSQL's grammar reads it.
func floatOfBits(where string, modifiers []int) (Type, error) {
	switch p := modifiers[0]; {
	case len(modifiers) == 1 && p >= 1 && p <= maxFloat4:
		return Type{Name: "real"}, nil
	case len(modifiers) == 1 && p > maxFloat4 && p <= maxFloat8:
		return Type{Name: "double precision"}, nil
	}
	return Type{}, &Invalid{Where: where, Reason: fmt.Sprintf("the precision of float is between 1 and %d bits", maxFloat8)}
}
