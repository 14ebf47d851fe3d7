package planner

import (
	"slices"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

const (
	// typmodHeader is what PostgreSQL adds to lengths and precisions (VARHDRSZ).
	typmodHeader = 4
	// maxLength is the longest varchar(n) (MaxAttrSize).
	maxLength = 10485760
	// maxSeconds is the finest fraction of a second, in digits.
	maxSeconds = 6
	// The parts of interval's modifier when nothing is asked for.
	intervalFullRange     = 0x7fff
	intervalFullPrecision = 0xffff
)

// typeName finds a type and its modifier.
func (b *binder) typeName(n *pgquery.TypeName) (Type, error) {
	parts, _ := nameParts(n.Names)
	if n.Setof || n.PctType {
		return Type{}, unsupported(n.Location, "SETOF or %%TYPE")
	}
	if err := b.checkQualified(parts, nowhere); err != nil {
		return Type{}, err
	}
	t, err := findType(parts, n.Location)
	if err != nil {
		return Type{}, err
	}
	mod, err := typmod(t, n)
	if err != nil {
		return Type{}, err
	}
	oid := t.OID
	if len(n.ArrayBounds) > 0 {
		if oid = t.Array; oid == 0 {
			return Type{}, errorAt(n.Location, pgerrcode.UndefinedObject, "could not find array type for data type %s", t.OID)
		}
	}
	return Type{OID: oid, Typmod: mod}, nil
}

func findType(parts []string, at int32) (*postgres.Type, error) {
	namespace, name := schemaCatalog, parts[len(parts)-1]
	if len(parts) > 1 {
		namespace = parts[len(parts)-2]
	}
	if t, ok := postgres.TypeByQualifiedName(namespace, name); ok {
		return t, nil
	}
	if len(parts) > 1 && !isSchema(namespace) {
		return nil, errorAt(at, pgerrcode.InvalidSchemaName, "schema %q does not exist", namespace)
	}
	return nil, errorAt(at, pgerrcode.UndefinedObject, "type \"%s\" does not exist", dotted(parts))
}

// typmod reads the modifiers in parentheses after a type's name.
func typmod(t *postgres.Type, n *pgquery.TypeName) (int32, error) {
	if len(n.Typmods) == 0 {
		return -1, nil
	}
	mods := make([]int32, 0, len(n.Typmods))
	for _, m := range n.Typmods {
		c, ok := m.GetAConst().GetVal().(*pgquery.A_Const_Ival)
		if !ok {
			return 0, errorAt(n.Location, pgerrcode.SyntaxError, "type modifiers must be simple constants or identifiers")
		}
		mods = append(mods, c.Ival.Ival)
	}
	switch t.OID {
	case postgres.NumericOID:
		return numericTypmod(mods, n.Location)
	case postgres.VarcharOID, postgres.BPCharOID:
		return lengthTypmod(t.Name, mods, typmodHeader, n.Location)
	case postgres.BitOID, postgres.VarbitOID:
		return lengthTypmod(t.Name, mods, 0, n.Location)
	case postgres.TimestampOID, postgres.TimestampTZOID, postgres.TimeOID, postgres.TimeTZOID:
		if len(mods) == 1 && mods[0] >= 0 {
			return min(mods[0], maxSeconds), nil
		}
	case postgres.IntervalOID:
		return intervalTypmod(mods), nil
	default:
		return 0, errorAt(n.Location, pgerrcode.SyntaxError, "type modifier is not allowed for type \"%s\"", t.Name)
	}
	return 0, errorAt(n.Location, pgerrcode.InvalidParameterValue, "invalid type modifier")
}

func numericTypmod(mods []int32, at int32) (int32, error) {
	const maxPrecision, maxScale = 1000, 1000
	switch {
	case len(mods) > 2:
		return 0, errorAt(at, pgerrcode.InvalidParameterValue, "invalid NUMERIC type modifier")
	case mods[0] < 1 || mods[0] > maxPrecision:
		return 0, errorAt(at, pgerrcode.InvalidParameterValue, "NUMERIC precision %d must be between 1 and %d", mods[0], maxPrecision)
	case len(mods) == 1:
		return postgres.MakeNumericTypmod(int(mods[0]), 0), nil
	case mods[1] < -maxScale || mods[1] > maxScale:
		return 0, errorAt(at, pgerrcode.InvalidParameterValue, "NUMERIC scale %d must be between %d and %d", mods[1], -maxScale, maxScale)
	}
	return postgres.MakeNumericTypmod(int(mods[0]), int(mods[1])), nil
}

func lengthTypmod(name string, mods []int32, header, at int32) (int32, error) {
	switch {
	case len(mods) != 1:
		return 0, errorAt(at, pgerrcode.InvalidParameterValue, "invalid type modifier")
	case mods[0] < 1:
		return 0, errorAt(at, pgerrcode.InvalidParameterValue, "length for type %s must be at least 1", name)
	case mods[0] > maxLength:
		return 0, errorAt(at, pgerrcode.InvalidParameterValue, "length for type %s cannot exceed %d", name, maxLength)
	}
	return mods[0] + header, nil
}

// intervalTypmod packs the fields that the parser gives, and a precision.
func intervalTypmod(mods []int32) int32 {
	precision := int32(intervalFullPrecision)
	if len(mods) > 1 {
		precision = min(mods[1], maxSeconds)
	}
	if mods[0] == intervalFullRange && precision == intervalFullPrecision {
		return -1
	}
	return mods[0]<<16 | precision
}

// isObjectType says whether a literal of the type names an object of the catalog.
func isObjectType(oid postgres.OID) bool {
	return slices.Contains([]postgres.OID{
		postgres.RegclassOID, postgres.RegtypeOID, postgres.RegprocOID, postgres.RegprocedureOID,
		postgres.RegnamespaceOID, postgres.RegroleOID, postgres.RegoperOID, postgres.RegoperatorOID, postgres.RegcollationOID,
		postgres.RegconfigOID, postgres.RegdictionaryOID,
	}, oid)
}
