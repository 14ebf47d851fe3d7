package postgres

import (
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"
)

// ParseLiteral reads the text of a literal as 'text'::type(typmod) does: by the type's input function, then cut to the
// modifier as an explicit cast cuts (-1 is no modifier). Arrays are read element by element. The error is an [*Error]:
// 22P02, 22007, 22008 or 22003 for text that is no such value, 0A000 for a type whose input is not known here.
func ParseLiteral(oid OID, typmod int32, text string, env Env) (Datum, error) {
	return parseLiteral(BaseOf(oid), typmod, text, &env)
}

func parseLiteral(oid OID, typmod int32, text string, env *Env) (Datum, error) {
	switch oid {
	case DateOID:
		return parseDate(text, env)
	case TimestampOID, TimestampTZOID:
		return parseTimestamp(oid, text, typmod, env)
	case TimeOID, TimeTZOID:
		return parseTime(oid, text, typmod, env)
	case IntervalOID:
		return parseInterval(text, typmod, env)
	case Int2VectorOID, OIDVectorOID:
		return parseVector(oid, text)
	}
	if _, _, ok := RangeTypeOf(oid); ok {
		s, err := parseRanges(oid, text, env)
		if err != nil {
			return Datum{}, err
		}
		return TextDatum(string(AppendRanges(nil, oid, s, DefaultEnv()))), nil
	}
	if elem := ElemOf(oid); elem != 0 {
		t, ok := TypeByOID(elem)
		if !ok || !canParse(elem) {
			return Datum{}, noInput(oid)
		}
		return parseArray(text, elem, t.Delim, func(item string) (Datum, error) {
			return parseLiteral(elem, typmod, item, env)
		})
	}
	return parseScalar(oid, typmod, text)
}

// parseScalar reads the types that depend on no setting.
func parseScalar(oid OID, typmod int32, text string) (d Datum, err error) {
	switch oid {
	case BoolOID:
		b, err := parseBool(text)
		return BoolDatum(b), err
	case Int2OID, Int4OID, Int8OID:
		d.Kind = IntKind
		d.Int, err = parseInt(oid, intBits(oid), text)
	case OIDOID:
		d.Kind = IntKind
		d.Int, err = parseOID(text)
	case XIDOID, CIDOID:
		return IntDatum(int64(parseCounter(text))), nil
	case TIDOID:
		d.Kind = TextKind
		d.Str, err = parseTID(text)
	case Float4OID, Float8OID:
		d.Kind = FloatKind
		d.Float, err = parseFloat(oid, floatBits(oid), text)
	case NumericOID:
		d.Kind = NumericKind
		d.Str, err = parseNumeric(text, typmod)
	case ByteaOID:
		d.Kind = BytesKind
		d.Str, err = parseBytea(text)
	case UUIDOID:
		d.Kind = UUIDKind
		d.Str, err = parseUUID(text)
	case JSONOID:
		return TextDatum(text), ValidateJSON(text)
	case JSONBOID:
		b, err := AppendJSONB(nil, text)
		return TextDatum(string(b)), err
	case BitOID, VarbitOID:
		s, err := parseBits(oid, typmod, text)
		return TextDatum(s), err
	case JSONPathOID:
		path, err := ParseJSONPath(text)
		if err != nil {
			return Datum{}, err
		}
		return TextDatum(string(path.Append(nil))), nil
	case InetOID, CidrOID:
		n, err := ParseInet(oid, text)
		if err != nil {
			return Datum{}, err
		}
		return TextDatum(string(n.Append(nil, oid))), nil
	case MACAddrOID, MACAddr8OID:
		b, err := ParseMAC(oid, text)
		return TextDatum(string(AppendMAC(nil, b))), err
	case TSVectorOID:
		v, err := ParseTSVector(text)
		return TextDatum(string(v.Append(nil))), err
	case TSQueryOID:
		q, err := ParseTSQuery(text)
		return TextDatum(q.String()), err
	case VarcharOID, BPCharOID:
		return TextDatum(cutLength(oid, typmod, text)), nil
	case NameOID:
		return TextDatum(cutName(text)), nil
	case CharOID:
		return TextDatum(parseChar(text)), nil
	case TextOID, UnknownOID, CStringOID:
		return TextDatum(text), nil
	default:
		return Datum{}, noInput(oid)
	}
	return d, err
}

func noInput(oid OID) *Error {
	return errorf(pgerrcode.FeatureNotSupported, "reading text as type %s is not supported", oid)
}

// canParse says whether values of a scalar type can be read from text here.
func canParse(oid OID) bool {
	switch BaseOf(oid) {
	case BoolOID, Int2OID, Int4OID, Int8OID, OIDOID, XIDOID, CIDOID, TIDOID, Float4OID, Float8OID, NumericOID, ByteaOID, UUIDOID, JSONOID, JSONBOID, JSONPathOID, BitOID, VarbitOID,
		VarcharOID, BPCharOID, NameOID, CharOID, TextOID, CStringOID, TSVectorOID, TSQueryOID, InetOID, CidrOID, MACAddrOID, MACAddr8OID,
		DateOID, TimeOID, TimeTZOID, TimestampOID, TimestampTZOID, IntervalOID, Int2VectorOID, OIDVectorOID:
		return true
	}
	_, _, ok := RangeTypeOf(oid)
	return ok
}

func intBits(oid OID) int {
	switch oid {
	case Int2OID:
		return 16
	case Int4OID:
		return 32
	}
	return 64
}

func floatBits(oid OID) int {
	if oid == Float4OID {
		return 32
	}
	return 64
}

// parseVector reads the numbers of an int2vector or oidvector, which have spaces between them and count from 0.
func parseVector(oid OID, text string) (Datum, error) {
	elem := ElemOf(oid)
	a := &Array{Elem: elem}
	for word := range strings.FieldsSeq(text) {
		d, err := parseScalar(elem, -1, word)
		if err != nil {
			return Datum{}, err
		}
		a.Items = append(a.Items, d)
	}
	if a.Items != nil {
		a.Dims = []Dimension{{Len: len(a.Items)}}
	}
	return Datum{Kind: ArrayKind, Array: a}, nil
}

// AppendText appends a value of a type as PostgreSQL's output function prints it with the session's settings.
// NULL has no text; nothing is appended for it.
func AppendText(dst []byte, oid OID, d Datum, env Env) []byte {
	return appendText(dst, BaseOf(oid), &d, &env)
}

func appendText(dst []byte, oid OID, d *Datum, env *Env) []byte {
	switch d.Kind {
	case BoolKind:
		if d.Int != 0 {
			return append(dst, 't')
		}
		return append(dst, 'f')
	case IntKind:
		switch oid {
		case RegtypeOID, RegprocOID, RegconfigOID, RegdictionaryOID:
			return AppendRegistered(dst, oid, OID(d.Int))
		}
		return strconv.AppendInt(dst, d.Int, 10)
	case FloatKind:
		if oid == Float4OID {
			return appendFloat(dst, d.Float, 32, float4Digits, env.ExtraFloatDigits)
		}
		return appendFloat(dst, d.Float, 64, float8Digits, env.ExtraFloatDigits)
	case TextKind, NumericKind:
		if isTimeRange(oid) {
			return appendStyledRanges(dst, oid, d.Str, env)
		}
		return append(dst, d.Str...)
	case BytesKind:
		if env.ByteaEscape {
			return appendByteaEscape(dst, d.Str)
		}
		return AppendByteaHex(dst, []byte(d.Str))
	case DateKind:
		return appendDate(dst, d.Int, env)
	case TimeKind:
		return AppendTime(dst, d.Int)
	case TimeTZKind:
		return AppendTimeTZ(dst, d.Int, int(d.Zone))
	case TimestampKind:
		return appendTimestamp(dst, d.Int, oid == TimestampTZOID, env)
	case IntervalKind:
		return AppendInterval(dst, d.Months, d.Days, d.Int, env.IntervalStyle)
	case UUIDKind:
		return AppendUUID(dst, [16]byte([]byte(d.Str)))
	case ArrayKind:
		return appendArrayText(dst, oid, d.Array, env)
	case RecordKind:
		return appendRecord(dst, d.Record, env)
	}
	return dst
}

func appendArrayText(dst []byte, oid OID, a *Array, env *Env) []byte {
	if oid == Int2VectorOID || oid == OIDVectorOID {
		for i := range a.Items {
			if i > 0 {
				dst = append(dst, ' ')
			}
			dst = appendText(dst, a.Elem, &a.Items[i], env)
		}
		return dst
	}
	delim := byte(',')
	if t, ok := TypeByOID(a.Elem); ok {
		delim = t.Delim
	}
	elem := BaseOf(a.Elem)
	return appendArray(dst, a, delim, func(dst []byte, d *Datum) []byte { return appendText(dst, elem, d, env) })
}
