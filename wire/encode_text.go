package wire

import (
	"encoding/hex"
	"strconv"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// textEncoder chooses how a type prints under a session's settings. What PostgreSQL
// prints by default has a function of its own; the other styles take the general
// one.
func textEncoder(oid postgres.OID, env *postgres.Env) encodeFunc {
	if isVector(oid) {
		return vectorText
	}
	if elem := postgres.ElemOf(oid); elem != 0 {
		return arrayText(textEncoder(elem, env))
	}
	iso := env.DateFormat == postgres.ISODates
	switch oid {
	case postgres.BoolOID:
		return boolText
	case postgres.Int2OID:
		return int2Text
	case postgres.Int4OID:
		return int4Text
	case postgres.Int8OID, postgres.OIDOID, postgres.XIDOID, postgres.CIDOID:
		return int8Text
	case postgres.RegtypeOID:
		return regtypeText
	case postgres.RegprocOID, postgres.RegclassOID, postgres.RegnamespaceOID, postgres.RegroleOID:
		return regText
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
	return bytesText
}

// bytesText serves every type whose values come as their text.
func bytesText(dst []byte, v *planner.Vector, row int) []byte { return append(dst, v.Bytes[row]...) }

func boolText(dst []byte, v *planner.Vector, row int) []byte {
	if v.Bools[row] {
		return append(dst, 't')
	}
	return append(dst, 'f')
}

func int2Text(dst []byte, v *planner.Vector, row int) []byte {
	return strconv.AppendInt(dst, int64(v.Int16s[row]), 10)
}

func int4Text(dst []byte, v *planner.Vector, row int) []byte {
	return strconv.AppendInt(dst, int64(v.Int32s[row]), 10)
}

func int8Text(dst []byte, v *planner.Vector, row int) []byte {
	return strconv.AppendInt(dst, v.Int64s[row], 10)
}

// regText prints the name that an OID stands for, where the planner gives it, and
// else its number, which every input of such a type takes.
func regText(dst []byte, v *planner.Vector, row int) []byte {
	if v.Bytes != nil {
		return append(dst, v.Bytes[row]...)
	}
	return strconv.AppendInt(dst, v.Int64s[row], 10)
}

// regtypeText prints a type's name; of what is none, the number.
func regtypeText(dst []byte, v *planner.Vector, row int) []byte {
	oid := postgres.OID(v.Int64s[row])
	if oid == 0 {
		return append(dst, '-')
	}
	if _, ok := postgres.TypeByOID(oid); !ok {
		return strconv.AppendUint(dst, uint64(oid), 10)
	}
	return append(dst, oid.String()...)
}

func float4Text(dst []byte, v *planner.Vector, row int) []byte {
	return postgres.AppendFloat4(dst, v.Float32s[row])
}

func float8Text(dst []byte, v *planner.Vector, row int) []byte {
	return postgres.AppendFloat8(dst, v.Float64s[row])
}

func float4Rounded(env *postgres.Env) encodeFunc {
	return func(dst []byte, v *planner.Vector, row int) []byte {
		return postgres.AppendText(dst, postgres.Float4OID, postgres.FloatDatum(float64(v.Float32s[row])), *env)
	}
}

func float8Rounded(env *postgres.Env) encodeFunc {
	return func(dst []byte, v *planner.Vector, row int) []byte {
		return postgres.AppendText(dst, postgres.Float8OID, postgres.FloatDatum(v.Float64s[row]), *env)
	}
}

// numericText takes the text of those that are too large for planner.Numeric.
func numericText(dst []byte, v *planner.Vector, row int) []byte {
	if v.Numerics == nil {
		return append(dst, v.Bytes[row]...)
	}
	n := &v.Numerics[row]
	return postgres.AppendNumeric(dst, n.Hi, n.Lo, int(n.Scale))
}

func dateText(dst []byte, v *planner.Vector, row int) []byte {
	return postgres.AppendDate(dst, int64(v.Int32s[row]))
}

func dateStyled(env *postgres.Env) encodeFunc {
	return func(dst []byte, v *planner.Vector, row int) []byte {
		d := postgres.Datum{Kind: postgres.DateKind, Int: int64(v.Int32s[row])}
		return postgres.AppendText(dst, postgres.DateOID, d, *env)
	}
}

func timeText(dst []byte, v *planner.Vector, row int) []byte {
	return postgres.AppendTime(dst, v.Int64s[row])
}

func timestampText(dst []byte, v *planner.Vector, row int) []byte {
	return postgres.AppendTimestamp(dst, v.Int64s[row])
}

func timestampTZText(env *postgres.Env) encodeFunc {
	zone := env.Zone
	return func(dst []byte, v *planner.Vector, row int) []byte {
		return postgres.AppendTimestampTZ(dst, v.Int64s[row], zone)
	}
}

func timestampStyled(oid postgres.OID, env *postgres.Env) encodeFunc {
	return func(dst []byte, v *planner.Vector, row int) []byte {
		return postgres.AppendText(dst, oid, postgres.TimestampDatum(v.Int64s[row]), *env)
	}
}

func intervalText(env *postgres.Env) encodeFunc {
	style := env.IntervalStyle
	return func(dst []byte, v *planner.Vector, row int) []byte {
		i := &v.Intervals[row]
		return postgres.AppendInterval(dst, i.Months, i.Days, i.Micros, style)
	}
}

func uuidText(dst []byte, v *planner.Vector, row int) []byte {
	u := &v.UUIDs[row]
	dst = hex.AppendEncode(dst, u[:4])
	dst = hex.AppendEncode(append(dst, '-'), u[4:6])
	dst = hex.AppendEncode(append(dst, '-'), u[6:8])
	dst = hex.AppendEncode(append(dst, '-'), u[8:10])
	return hex.AppendEncode(append(dst, '-'), u[10:])
}

func byteaText(dst []byte, v *planner.Vector, row int) []byte {
	return hex.AppendEncode(append(dst, '\\', 'x'), v.Bytes[row])
}

func byteaEscaped(env *postgres.Env) encodeFunc {
	return func(dst []byte, v *planner.Vector, row int) []byte {
		d := postgres.Datum{Kind: postgres.BytesKind, Str: string(v.Bytes[row])}
		return postgres.AppendText(dst, postgres.ByteaOID, d, *env)
	}
}
