package planner

import (
	"strconv"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// AppendFunc appends the value of one row of a vector, which is not NULL.
type AppendFunc func(dst []byte, v *Vector, row int) []byte

// TextOf chooses how a type prints under a session's settings: once a result for
// each column, so that a value costs no more than its text. What PostgreSQL prints
// by default has a function of its own; the other styles take the general one. One
// goroutine may use what it returns.
func TextOf(oid postgres.OID, env *postgres.Env) AppendFunc {
	oid = postgres.BaseOf(oid)
	if oid == postgres.Int2VectorOID || oid == postgres.OIDVectorOID {
		return vectorText
	}
	if elem := postgres.ElemOf(oid); elem != 0 {
		return shapedText(oid, arrayText(TextOf(elem, env)), env)
	}
	iso := env.DateFormat == postgres.ISODates
	switch oid {
	case postgres.RecordOID:
		return keptText(oid, env)
	case postgres.BoolOID:
		return boolText
	case postgres.Int2OID:
		return int2Text
	case postgres.Int4OID:
		return int4Text
	case postgres.Int8OID, postgres.OIDOID, postgres.XIDOID, postgres.CIDOID:
		return int8Text
	case postgres.RegprocOID, postgres.RegconfigOID, postgres.RegdictionaryOID:
		return regText(oid)
	case postgres.RegclassOID, postgres.RegnamespaceOID, postgres.RegroleOID, postgres.RegprocedureOID, postgres.RegoperOID,
		postgres.RegoperatorOID, postgres.RegcollationOID, postgres.RegtypeOID:
		return nameText
	case postgres.Float4OID:
		if env.ExtraFloatDigits <= 0 {
			return float4Rounded(env)
		}
		return float4Text
	case postgres.Float8OID:
		if env.ExtraFloatDigits <= 0 {
			return float8Rounded(env)
		}
		return float8Text
	case postgres.NumericOID:
		return numericText
	case postgres.DateOID:
		if !iso {
			return dateStyled(env)
		}
		return dateText
	case postgres.TimeOID:
		return timeText
	case postgres.TimestampOID:
		if !iso {
			return timestampStyled(oid, env)
		}
		return timestampText
	case postgres.TimestampTZOID:
		if !iso {
			return timestampStyled(oid, env)
		}
		return timestampTZText(env)
	case postgres.IntervalOID:
		return intervalText(env)
	case postgres.UUIDOID:
		return uuidText
	case postgres.ByteaOID:
		if env.ByteaEscape {
			return byteaEscaped(env)
		}
		return byteaText
	}
	if _, _, ok := postgres.RangeTypeOf(oid); ok {
		return keptText(oid, env)
	}
	return bytesText
}

// keptText prints values that come as their text under the settings.
func keptText(oid postgres.OID, env *postgres.Env) AppendFunc {
	return func(dst []byte, v *Vector, row int) []byte {
		return postgres.AppendText(dst, oid, KeptDatum(oid, v.Bytes[row]), *env)
	}
}

// bytesText serves every type whose values come as their text.
func bytesText(dst []byte, v *Vector, row int) []byte { return append(dst, v.Bytes[row]...) }

func boolText(dst []byte, v *Vector, row int) []byte {
	if v.Bools[row] {
		return append(dst, 't')
	}
	return append(dst, 'f')
}

func int2Text(dst []byte, v *Vector, row int) []byte {
	return strconv.AppendInt(dst, int64(v.Int16s[row]), 10)
}

func int4Text(dst []byte, v *Vector, row int) []byte {
	return strconv.AppendInt(dst, int64(v.Int32s[row]), 10)
}

func int8Text(dst []byte, v *Vector, row int) []byte {
	return strconv.AppendInt(dst, v.Int64s[row], 10)
}

// regText prints what PostgreSQL's own functions, text search configurations and dictionaries are called.
func regText(oid postgres.OID) AppendFunc {
	return func(dst []byte, v *Vector, row int) []byte {
		return postgres.AppendRegistered(dst, oid, postgres.OID(v.Int64s[row]))
	}
}

// nameText prints the name that a result's rows give beside the number.
func nameText(dst []byte, v *Vector, row int) []byte {
	if v.Bytes == nil {
		return strconv.AppendInt(dst, v.Int64s[row], 10)
	}
	return append(dst, v.Bytes[row]...)
}

func float4Text(dst []byte, v *Vector, row int) []byte {
	return postgres.AppendFloat4(dst, v.Float32s[row])
}

func float8Text(dst []byte, v *Vector, row int) []byte {
	return postgres.AppendFloat8(dst, v.Float64s[row])
}

func float4Rounded(env *postgres.Env) AppendFunc {
	return func(dst []byte, v *Vector, row int) []byte {
		return postgres.AppendText(dst, postgres.Float4OID, postgres.FloatDatum(float64(v.Float32s[row])), *env)
	}
}

func float8Rounded(env *postgres.Env) AppendFunc {
	return func(dst []byte, v *Vector, row int) []byte {
		return postgres.AppendText(dst, postgres.Float8OID, postgres.FloatDatum(v.Float64s[row]), *env)
	}
}

// numericText takes the text of those that are too large for Numeric.
func numericText(dst []byte, v *Vector, row int) []byte {
	if v.Numerics == nil {
		return append(dst, v.Bytes[row]...)
	}
	n := &v.Numerics[row]
	return postgres.AppendNumeric(dst, n.Hi, n.Lo, int(n.Scale))
}

func dateText(dst []byte, v *Vector, row int) []byte {
	return postgres.AppendDate(dst, int64(v.Int32s[row]))
}

func dateStyled(env *postgres.Env) AppendFunc {
	return func(dst []byte, v *Vector, row int) []byte {
		d := postgres.Datum{Kind: postgres.DateKind, Int: int64(v.Int32s[row])}
		return postgres.AppendText(dst, postgres.DateOID, d, *env)
	}
}

func timeText(dst []byte, v *Vector, row int) []byte {
	return postgres.AppendTime(dst, v.Int64s[row])
}

func timestampText(dst []byte, v *Vector, row int) []byte {
	return postgres.AppendTimestamp(dst, v.Int64s[row])
}

func timestampTZText(env *postgres.Env) AppendFunc {
	zone := env.Zone
	return func(dst []byte, v *Vector, row int) []byte {
		return postgres.AppendTimestampTZ(dst, v.Int64s[row], zone)
	}
}

func timestampStyled(oid postgres.OID, env *postgres.Env) AppendFunc {
	return func(dst []byte, v *Vector, row int) []byte {
		return postgres.AppendText(dst, oid, postgres.TimestampDatum(v.Int64s[row]), *env)
	}
}

func intervalText(env *postgres.Env) AppendFunc {
	style := env.IntervalStyle
	return func(dst []byte, v *Vector, row int) []byte {
		i := &v.Intervals[row]
		return postgres.AppendInterval(dst, i.Months, i.Days, i.Micros, style)
	}
}

func uuidText(dst []byte, v *Vector, row int) []byte {
	return postgres.AppendUUID(dst, v.UUIDs[row])
}

func byteaText(dst []byte, v *Vector, row int) []byte {
	return postgres.AppendByteaHex(dst, v.Bytes[row])
}

func byteaEscaped(env *postgres.Env) AppendFunc {
	return func(dst []byte, v *Vector, row int) []byte {
		d := postgres.Datum{Kind: postgres.BytesKind, Str: string(v.Bytes[row])}
		return postgres.AppendText(dst, postgres.ByteaOID, d, *env)
	}
}

// delimiter stands between the elements of the arrays that are sent (typdelim).
const delimiter = ','

// shapedText prints an array that comes as its text, as the engine gives those of
// several dimensions, and leaves other arrays to list.
func shapedText(oid postgres.OID, list AppendFunc, env *postgres.Env) AppendFunc {
	kept := isPrintedAsKept(postgres.ElemOf(oid))
	return func(dst []byte, v *Vector, row int) []byte {
		switch {
		case v.Lists != nil:
			return list(dst, v, row)
		case kept:
			return append(dst, v.Bytes[row]...)
		}
		return postgres.AppendText(dst, oid, KeptDatum(oid, v.Bytes[row]), *env)
	}
}

// isPrintedAsKept says that what a type's output prints is the text that its values
// are kept in, whatever is set.
func isPrintedAsKept(oid postgres.OID) bool {
	switch oid {
	case postgres.TextOID, postgres.VarcharOID, postgres.NameOID, postgres.Int2OID, postgres.Int4OID, postgres.Int8OID, postgres.OIDOID:
		return true
	}
	return false
}

// KeptDatum reads a value that an engine gave as its text; see postgres.ParseKept.
func KeptDatum(oid postgres.OID, text []byte) postgres.Datum {
	d, err := postgres.ParseKept(oid, string(text))
	if err != nil {
		panic(err) // no engine gives such
	}
	return d
}

// arrayText is array_out of PostgreSQL: elements in braces, NULL bare, quoted
// where they could be read as something else.
func arrayText(elem AppendFunc) AppendFunc {
	var item []byte
	return func(dst []byte, v *Vector, row int) []byte {
		l := v.Lists
		dst = append(dst, '{')
		from := l.Offsets[row]
		for i := from; i < from+l.Lengths[row]; i++ {
			if i > from {
				dst = append(dst, delimiter)
			}
			if at := int(i); l.Elems.IsNull(at) {
				dst = append(dst, "NULL"...)
			} else {
				item = elem(item[:0], &l.Elems, at)
				dst = postgres.AppendArrayItem(dst, item, delimiter)
			}
		}
		return append(dst, '}')
	}
}

// vectorText is int2vectorout and oidvectorout: numbers and spaces.
func vectorText(dst []byte, v *Vector, row int) []byte {
	l := v.Lists
	from := l.Offsets[row]
	for i := from; i < from+l.Lengths[row]; i++ {
		if i > from {
			dst = append(dst, ' ')
		}
		if l.Elems.Int16s != nil {
			dst = int2Text(dst, &l.Elems, int(i))
		} else {
			dst = int8Text(dst, &l.Elems, int(i))
		}
	}
	return dst
}
