package duckdb

import (
	"strings"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Values of numeric have two forms in DuckDB. Where the scale that PostgreSQL
// would show is the same for every row, they are DECIMAL(38, scale), which is
// fast. Where it differs from row to row (a quotient, an average, text that was
// read), they are PostgreSQL's own text, and functions of ours compute with it
// exactly. The form of each expression is known when it is printed.
//
// Arrays have two forms as well. Those of one dimension whose subscripts begin at 1
// are lists. Where the shape may be another (text that was read, ARRAY[[1], [2]], a
// slice of such) they are PostgreSQL's text, with the elements as they print when
// nothing is set.
const (
	decimalWidth = 38
	// maxScale bounds the scale of decimals, so that whole parts of 20 digits,
	// which bigint sums reach, still fit.
	maxScale = 18
	// asText is the scale of numerics, and of arrays, that are text.
	asText = -1
)

// physical is DuckDB's type for values of a scalar type; "" if the engine has
// none. A numeric is VARCHAR unless it has a fixed scale.
func physical(oid postgres.OID) string {
	switch oid {
	case postgres.BoolOID:
		return "BOOLEAN"
	case postgres.Int2OID:
		return "SMALLINT"
	case postgres.Int4OID:
		return "INTEGER"
	case postgres.Int8OID, postgres.OIDOID, postgres.XIDOID, postgres.CIDOID:
		return "BIGINT"
	case postgres.Float4OID:
		return "FLOAT"
	case postgres.Float8OID:
		return "DOUBLE"
	case postgres.NumericOID, postgres.TextOID, postgres.VarcharOID, postgres.BPCharOID, postgres.NameOID, postgres.CharOID,
		postgres.JSONOID, postgres.JSONBOID, postgres.UnknownOID, postgres.CStringOID, postgres.PgNodeTreeOID,
		postgres.TimeTZOID, postgres.TSVectorOID, postgres.TSQueryOID, postgres.RecordOID, postgres.ACLItemOID, postgres.InetOID, postgres.CidrOID, postgres.MACAddrOID, postgres.MACAddr8OID, postgres.JSONPathOID, postgres.TIDOID, postgres.VoidOID, postgres.AnyArrayOID:
		return "VARCHAR"
	case postgres.ByteaOID:
		return "BLOB"
	case postgres.DateOID:
		return "DATE"
	case postgres.TimeOID:
		return "TIME"
	case postgres.TimestampOID, postgres.TimestampTZOID:
		return "TIMESTAMP"
	case postgres.IntervalOID:
		return "INTERVAL"
	case postgres.UUIDOID:
		return "UUID"
	}
	if isRegistered(oid) {
		return "BIGINT"
	}
	if elem := postgres.ElemOf(oid); elem != 0 && isList(oid) {
		switch p := physical(elem); {
		case isVector(elem):
			return "VARCHAR"
		case p != "" && !isList(elem):
			return p + "[]"
		}
		return ""
	}
	switch t, ok := postgres.TypeByOID(oid); {
	case ok && t.Kind == postgres.DomainType:
		return physical(postgres.BaseOf(oid))
	case ok && (t.Kind == postgres.BaseType || t.Kind == postgres.RangeType || t.Kind == postgres.MultirangeType):
		return "VARCHAR" // of which there are no values but NULL, since nothing reads any
	}
	return ""
}

// isList says that values of an array type are lists. int2vector and oidvector,
// which only the catalog has, are.
func isList(oid postgres.OID) bool { return postgres.ElemOf(oid) != 0 }

// isRegistered says that a type is one of the reg* types, numbers that print as
// names.
func isRegistered(oid postgres.OID) bool {
	switch oid {
	case postgres.RegprocOID, postgres.RegprocedureOID, postgres.RegoperOID, postgres.RegoperatorOID, postgres.RegclassOID,
		postgres.RegtypeOID, postgres.RegroleOID, postgres.RegnamespaceOID, postgres.RegcollationOID,
		postgres.RegconfigOID, postgres.RegdictionaryOID:
		return true
	}
	return false
}

// quoteString writes a string literal.
func quoteString(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// quoteName writes an identifier.
func quoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// classOfText reads the class off the front of an error's text, where the
// interface gives the text alone.
func classOfText(message string) bindings.ErrorType {
	class, _, _ := strings.Cut(message, " Error: ")
	switch class {
	case "Out of Range":
		return bindings.ErrorTypeOutOfRange
	case "Conversion":
		return bindings.ErrorTypeConversion
	case "Decimal":
		return bindings.ErrorTypeDecimal
	case "Divide by Zero":
		return bindings.ErrorTypeDivideByZero
	case "Invalid Input":
		return bindings.ErrorTypeInvalidInput
	case "IO":
		return bindings.ErrorTypeErrorIO
	case "Out of Memory":
		return bindings.ErrorTypeOutOfMemory
	case "INTERRUPT", "Interrupt":
		return bindings.ErrorTypeInterrupt
	}
	return bindings.ErrorTypeInvalid
}
