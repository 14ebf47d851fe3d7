package postgres

import (
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"
)

// DecodeBinary reads a value in the form its type's receive function takes, which may not be longer or shorter than it
// says. The error is an [*Error]: 22P03 for a form that is no such value, 08P01 for one that ends too soon, 0A000 for a
// type whose binary form is not known here, and those of [ParseLiteral] where the value is text.
func DecodeBinary(oid OID, b []byte) (Datum, error) {
	r := binaryReader{rest: b}
	d, err := r.value(BaseOf(oid))
	switch {
	case err != nil:
		return Datum{}, err
	case r.short:
		return Datum{}, errorf(pgerrcode.ProtocolViolation, "insufficient data left in message")
	case len(r.rest) > 0:
		return Datum{}, errorf(pgerrcode.InvalidBinaryRepresentation, "incorrect binary data format")
	}
	return d, nil
}

// A binaryReader takes big-endian integers off a message; past the end they are zero and short is set.
type binaryReader struct {
	rest  []byte
	short bool
}

func (r *binaryReader) take(n int) []byte {
	if n > len(r.rest) {
		r.short, r.rest = true, nil
		return make([]byte, min(n, 16))
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *binaryReader) all() []byte {
	b := r.rest
	r.rest = nil
	return b
}

func (r *binaryReader) int16() int16 { return int16(binary.BigEndian.Uint16(r.take(2))) }
func (r *binaryReader) int32() int32 { return int32(binary.BigEndian.Uint32(r.take(4))) }
func (r *binaryReader) int64() int64 { return int64(binary.BigEndian.Uint64(r.take(8))) }

func (r *binaryReader) value(oid OID) (Datum, error) {
	switch oid {
	case BoolOID:
		return BoolDatum(r.take(1)[0] != 0), nil
	case Int2OID:
		return IntDatum(int64(r.int16())), nil
	case Int4OID:
		return IntDatum(int64(r.int32())), nil
	case Int8OID:
		return IntDatum(r.int64()), nil
	case OIDOID, RegprocOID, RegprocedureOID, RegoperOID, RegoperatorOID, RegclassOID, RegtypeOID, RegroleOID, RegnamespaceOID, RegcollationOID,
		RegconfigOID, RegdictionaryOID:
		return IntDatum(int64(uint32(r.int32()))), nil
	case Float4OID:
		return FloatDatum(float64(math.Float32frombits(uint32(r.int32())))), nil
	case Float8OID:
		return FloatDatum(math.Float64frombits(uint64(r.int64()))), nil
	case NumericOID:
		return r.numeric()
	case ByteaOID:
		return Datum{Kind: BytesKind, Str: string(r.all())}, nil
	case UUIDOID:
		return Datum{Kind: UUIDKind, Str: string(r.take(16))}, nil
	case DateOID, TimestampOID, TimestampTZOID, TimeOID, TimeTZOID, IntervalOID:
		return r.dateTime(oid)
	case InetOID, CidrOID:
		return r.inet(oid)
	case MACAddrOID, MACAddr8OID:
		return r.mac(oid), nil
	case BitOID, VarbitOID:
		return r.bits()
	case TSVectorOID:
		return r.tsvector()
	case TSQueryOID:
		return r.tsquery()
	}
	if _, _, ok := RangeTypeOf(oid); ok {
		return r.ranges(oid)
	}
	if elem := ElemOf(oid); elem != 0 && canParse(elem) {
		return r.array(elem)
	}
	return r.text(oid)
}

// text reads the types whose binary form is their text.
func (r *binaryReader) text(oid OID) (Datum, error) {
	switch oid {
	case CharOID:
		b := r.take(1)[0]
		if b >= utf8.RuneSelf {
			return Datum{}, errorf(pgerrcode.FeatureNotSupported, "a byte of type %s beyond ASCII is not supported", oid)
		}
		return TextDatum(charText(b)), nil
	case JSONBOID, JSONPathOID:
		if version := r.take(1)[0]; version != jsonVersion && !r.short {
			return Datum{}, errorf(pgerrcode.InternalError, "unsupported %s version number %d", oid, version)
		}
	case TextOID, VarcharOID, BPCharOID, NameOID, UnknownOID, CStringOID, JSONOID:
	default:
		return Datum{}, errorf(pgerrcode.FeatureNotSupported, "reading the binary form of type %s is not supported", oid)
	}
	s, err := validText(r.all())
	if err != nil {
		return Datum{}, err
	}
	if oid == NameOID && len(s) > maxNameLen {
		return Datum{}, errorf(pgerrcode.NameTooLong, "identifier too long").withDetail("Identifier must be less than %d characters.", maxNameLen+1)
	}
	return parseScalar(oid, -1, s)
}

func (r *binaryReader) dateTime(oid OID) (Datum, error) {
	switch oid {
	case DateOID:
		days := int64(r.int32())
		if days != DateInfinity && days != DateNegativeInfinity {
			if days += epochDays; days < minDate || days >= endDate {
				return Datum{}, errorf(pgerrcode.DatetimeFieldOverflow, "date out of range")
			}
		}
		return Datum{Kind: DateKind, Int: days}, nil
	case TimeOID, TimeTZOID:
		d := Datum{Kind: TimeKind, Int: r.int64()}
		if d.Int < 0 || d.Int > microsPerDay {
			return Datum{}, errorf(pgerrcode.DatetimeFieldOverflow, "time out of range")
		}
		if oid == TimeTZOID {
			d.Kind, d.Zone = TimeTZKind, -r.int32()
			if d.Zone <= -maxZone || d.Zone >= maxZone {
				return Datum{}, errorf(pgerrcode.InvalidTimeZoneDisplacementValue, "time zone displacement out of range")
			}
		}
		return d, nil
	case IntervalOID:
		d := Datum{Kind: IntervalKind, Int: r.int64()}
		d.Days, d.Months = r.int32(), r.int32()
		return d, nil
	}
	micros := r.int64()
	if micros != TimestampInfinity && micros != TimestampNegativeInfinity {
		if micros < minTimestamp-epochMicros || micros >= TimestampInfinity-epochMicros {
			return Datum{}, errorf(pgerrcode.DatetimeFieldOverflow, "timestamp out of range")
		}
		micros += epochMicros
	}
	return TimestampDatum(micros), nil
}

// maxZone is the offset, in seconds, that no time's zone reaches.
const maxZone = 16 * 3600

func (r *binaryReader) numeric() (Datum, error) {
	count, weight, sign, scale := int(uint16(r.int16())), int(r.int16()), uint16(r.int16()), int(uint16(r.int16()))
	d := Datum{Kind: NumericKind}
	bad := func(what string) (Datum, error) {
		return Datum{}, errorf(pgerrcode.InvalidBinaryRepresentation, `invalid %s in external "numeric" value`, what)
	}
	switch sign {
	case numericPositive, numericNegative:
	case numericNaN:
		d.Str = "NaN"
	case numericInfinity:
		d.Str = "Infinity"
	case numericNegativeInfinity:
		d.Str = "-Infinity"
	default:
		return bad("sign")
	}
	if scale > numericMaxScale {
		return bad("scale")
	}
	digits := make([]byte, 0, 4*min(count, len(r.rest)/2))
	for range count {
		n := r.int16()
		if r.short {
			return d, nil
		}
		if n < 0 || n >= 10000 {
			return bad("digit")
		}
		digits = append(digits, byte('0'+n/1000), byte('0'+n/100%10), byte('0'+n/10%10), byte('0'+n%10))
	}
	if d.Str != "" {
		return d, nil
	}
	// The digits stand for a whole number of 4*(weight+1) digits and what follows it; the scale cuts or fills it.
	n := decimal{neg: sign == numericNegative, digits: string(digits), scale: 4 * (count - weight - 1)}
	if n.scale < 0 {
		n.digits += strings.Repeat("0", -n.scale)
		n.scale = 0
	}
	if n.digits = strings.TrimLeft(n.digits, "0"); n.digits == "" {
		n.neg = false
	}
	n.truncate(scale)
	d.Str = n.String()
	return d, nil
}

// truncate sets the scale and drops the digits that it leaves no room for.
func (d *decimal) truncate(scale int) {
	switch cut := d.scale - scale; {
	case d.digits == "":
	case cut <= 0:
		d.digits += strings.Repeat("0", -cut)
	case cut >= len(d.digits):
		d.digits, d.neg = "", false
	default:
		d.digits = d.digits[:len(d.digits)-cut]
	}
	d.scale = scale
}

func (r *binaryReader) array(elem OID) (Datum, error) {
	dims, flags, sent := r.int32(), r.int32(), OID(r.int32())
	switch {
	case dims < 0:
		return Datum{}, errorf(pgerrcode.InvalidBinaryRepresentation, "invalid number of dimensions: %d", dims)
	case dims > maxArrayDims:
		return Datum{}, tooManyDims(int(dims))
	case flags != 0 && flags != 1:
		return Datum{}, errorf(pgerrcode.InvalidBinaryRepresentation, "invalid array flags")
	case sent != elem && !r.short:
		return Datum{}, errorf(pgerrcode.DatatypeMismatch, "binary data has array element type %d (%s) instead of expected %d (%s)", sent, sent, elem, elem)
	}
	a := &Array{Elem: elem}
	count := 1
	for range dims {
		d := Dimension{Len: int(r.int32()), Lower: int(r.int32())}
		if d.Len < 0 || d.Len > maxArrayItems || count*d.Len > maxArrayItems {
			return Datum{}, errorf(pgerrcode.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", maxArrayItems)
		}
		count *= d.Len
		a.Dims = append(a.Dims, d)
	}
	if dims == 0 || count == 0 {
		a.Dims = nil
		return Datum{Kind: ArrayKind, Array: a}, nil
	}
	base := BaseOf(elem)
	a.Items = make([]Datum, 0, min(count, len(r.rest)/4))
	for range count {
		size := r.int32()
		if r.short {
			break
		}
		if size < -1 || int(size) > len(r.rest) {
			return Datum{}, errorf(pgerrcode.InvalidBinaryRepresentation, "insufficient data left in message")
		}
		var d Datum
		if size >= 0 {
			item := binaryReader{rest: r.take(int(size))}
			var err error
			if d, err = item.value(base); err != nil {
				return Datum{}, err
			}
			if item.short || len(item.rest) > 0 {
				return Datum{}, errorf(pgerrcode.InvalidBinaryRepresentation, "improper binary format in array element %d", len(a.Items)+1)
			}
		}
		a.Items = append(a.Items, d)
	}
	return Datum{Kind: ArrayKind, Array: a}, nil
}
