package postgres

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"
)

// The words of numeric's binary form that say what the number is.
const (
	numericPositive         = 0x0000
	numericNegative         = 0x4000
	numericNaN              = 0xc000
	numericInfinity         = 0xd000
	numericNegativeInfinity = 0xf000

	numericInfinityScale = 32 // means nothing, but is what PostgreSQL sends
)

// float8NaN is the NaN of C; Go's has another bit set.
const float8NaN = 0x7ff8 << 48

// jsonVersion is the byte before the text in the binary forms of jsonb and jsonpath.
const jsonVersion = 1

// AppendBinary appends a value of a type in the form its send function gives it, without a length. NULL has none;
// nothing is appended for it.
func AppendBinary(dst []byte, oid OID, d Datum) []byte { return appendBinary(dst, BaseOf(oid), &d) }

func appendBinary(dst []byte, oid OID, d *Datum) []byte {
	switch d.Kind {
	case BoolKind:
		return append(dst, byte(d.Int))
	case IntKind:
		switch oid {
		case Int2OID:
			return binary.BigEndian.AppendUint16(dst, uint16(d.Int))
		case Int8OID:
			return binary.BigEndian.AppendUint64(dst, uint64(d.Int))
		}
		return binary.BigEndian.AppendUint32(dst, uint32(d.Int))
	case FloatKind:
		if oid == Float4OID {
			return binary.BigEndian.AppendUint32(dst, math.Float32bits(float32(d.Float)))
		}
		if math.IsNaN(d.Float) {
			return binary.BigEndian.AppendUint64(dst, float8NaN)
		}
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(d.Float))
	case TextKind:
		if oid == JSONBOID || oid == JSONPathOID {
			dst = append(dst, jsonVersion)
		}
		if oid == CharOID {
			return AppendBinaryChar(dst, d.Str)
		}
		switch oid {
		case BitOID, VarbitOID:
			return appendBinaryBits(dst, d.Str)
		case TIDOID:
			return appendBinaryTID(dst, d.Str)
		case InetOID, CidrOID:
			return appendBinaryInet(dst, oid, d.Str)
		case MACAddrOID, MACAddr8OID:
			return appendBinaryMAC(dst, oid, d.Str)
		case TSVectorOID:
			return appendBinaryTSVector(dst, d.Str)
		case TSQueryOID:
			return appendBinaryTSQuery(dst, d.Str)
		}
		if _, _, ok := RangeTypeOf(oid); ok {
			return appendBinaryRanges(dst, oid, d.Str)
		}
		return append(dst, d.Str...)
	case BytesKind, UUIDKind:
		return append(dst, d.Str...)
	case NumericKind:
		return AppendBinaryNumeric(dst, []byte(d.Str))
	case DateKind:
		return AppendBinaryDate(dst, d.Int)
	case TimeKind:
		return binary.BigEndian.AppendUint64(dst, uint64(d.Int))
	case TimeTZKind:
		dst = binary.BigEndian.AppendUint64(dst, uint64(d.Int))
		return binary.BigEndian.AppendUint32(dst, uint32(-d.Zone))
	case TimestampKind:
		return AppendBinaryTimestamp(dst, d.Int)
	case IntervalKind:
		return AppendBinaryInterval(dst, d.Months, d.Days, d.Int)
	case ArrayKind:
		return appendBinaryArray(dst, d.Array)
	case RecordKind:
		return appendBinaryRecord(dst, d.Record)
	}
	return dst
}

// AppendBinaryDate appends a date, given in days since 1970: PostgreSQL counts from 2000.
func AppendBinaryDate(dst []byte, days int64) []byte {
	if days != DateInfinity && days != DateNegativeInfinity {
		days -= epochDays
	}
	return binary.BigEndian.AppendUint32(dst, uint32(days))
}

// AppendBinaryTimestamp appends a timestamp, with or without zone, given in microseconds since 1970.
func AppendBinaryTimestamp(dst []byte, micros int64) []byte {
	if micros != TimestampInfinity && micros != TimestampNegativeInfinity {
		micros -= epochMicros
	}
	return binary.BigEndian.AppendUint64(dst, uint64(micros))
}

// AppendBinaryInterval appends an interval.
func AppendBinaryInterval(dst []byte, months, days int32, micros int64) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(micros))
	dst = binary.BigEndian.AppendUint32(dst, uint32(days))
	return binary.BigEndian.AppendUint32(dst, uint32(months))
}

// AppendBinaryNumeric appends a numeric given by its text, which must be as PostgreSQL prints it: groups of four decimal
// digits without zero groups at either end, and how many digits follow the point.
func AppendBinaryNumeric(dst, text []byte) []byte {
	switch string(text) {
	case "NaN":
		return appendNumericHeader(dst, numericNaN, 0)
	case "Infinity":
		return appendNumericHeader(dst, numericInfinity, numericInfinityScale)
	case "-Infinity":
		return appendNumericHeader(dst, numericNegativeInfinity, numericInfinityScale)
	}
	sign := uint16(numericPositive)
	if len(text) > 0 && text[0] == '-' {
		sign, text = numericNegative, text[1:]
	}
	whole, fraction, _ := bytes.Cut(text, []byte{'.'})
	whole = bytes.TrimLeft(whole, "0")
	scale := len(fraction)
	groups := (len(whole) + 3) / 4
	weight := groups - 1

	at := len(dst)
	dst = appendNumericHeader(dst, sign, scale)
	first := len(dst)
	for i := range groups {
		from := len(whole) - 4*(groups-i)
		dst = appendGroup(dst, whole[max(from, 0):from+4], 0)
	}
	for len(fraction) > 0 {
		n := min(4, len(fraction))
		dst = appendGroup(dst, fraction[:n], 4-n)
		fraction = fraction[n:]
	}
	for len(dst) > first && dst[len(dst)-1] == 0 && dst[len(dst)-2] == 0 {
		dst = dst[:len(dst)-2]
	}
	zeros := 0
	for first+2*zeros < len(dst) && dst[first+2*zeros] == 0 && dst[first+2*zeros+1] == 0 {
		zeros++
	}
	dst = append(dst[:first], dst[first+2*zeros:]...)
	weight -= zeros
	count := (len(dst) - first) / 2
	if count == 0 {
		weight, sign = 0, numericPositive
	}
	binary.BigEndian.PutUint16(dst[at:], uint16(count))
	binary.BigEndian.PutUint16(dst[at+2:], uint16(weight))
	binary.BigEndian.PutUint16(dst[at+4:], sign)
	return dst
}

// appendNumericHeader leaves the count of groups and the weight of the first at 0.
func appendNumericHeader(dst []byte, sign uint16, scale int) []byte {
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = binary.BigEndian.AppendUint16(dst, sign)
	return binary.BigEndian.AppendUint16(dst, uint16(min(scale, math.MaxInt16)))
}

// appendGroup appends up to four digits as one group, zeros more to their right.
func appendGroup(dst, digits []byte, zeros int) []byte {
	var n uint16
	for _, c := range digits {
		n = 10*n + uint16(c-'0')
	}
	for range zeros {
		n *= 10
	}
	return binary.BigEndian.AppendUint16(dst, n)
}

func appendBinaryArray(dst []byte, a *Array) []byte {
	hasNull := uint32(0)
	for i := range a.Items {
		if a.Items[i].Kind == NullKind {
			hasNull = 1
		}
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(a.Dims)))
	dst = binary.BigEndian.AppendUint32(dst, hasNull)
	dst = binary.BigEndian.AppendUint32(dst, uint32(a.Elem))
	for _, d := range a.Dims {
		dst = binary.BigEndian.AppendUint32(dst, uint32(d.Len))
		dst = binary.BigEndian.AppendUint32(dst, uint32(d.Lower))
	}
	elem := BaseOf(a.Elem)
	for i := range a.Items {
		if a.Items[i].Kind == NullKind {
			dst = binary.BigEndian.AppendUint32(dst, math.MaxUint32)
			continue
		}
		start := len(dst)
		dst = appendBinary(append(dst, 0, 0, 0, 0), elem, &a.Items[i])
		binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	}
	return dst
}

// validText checks what a client sent for text.
func validText(b []byte) (string, error) {
	for i := 0; i < len(b); {
		if b[i] == 0 {
			return "", badEncoding(b[i : i+1])
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return "", badEncoding(b[i:min(i+utf8Len(b[i]), len(b))])
		}
		i += size
	}
	return string(b), nil
}

// utf8Len is how many bytes a first byte promises.
func utf8Len(first byte) int {
	switch {
	case first >= 0xf0 && first < 0xf8:
		return 4
	case first >= 0xe0 && first < 0xf0:
		return 3
	case first >= 0xc0 && first < 0xe0:
		return 2
	}
	return 1
}

func badEncoding(b []byte) *Error {
	var s strings.Builder
	for i, c := range b {
		if i > 0 {
			s.WriteByte(' ')
		}
		s.WriteString("0x")
		s.WriteByte(hexDigits[c>>4])
		s.WriteByte(hexDigits[c&15])
	}
	return errorf(pgerrcode.CharacterNotInRepertoire, `invalid byte sequence for encoding "UTF8": %s`, s.String())
}

// AppendBinaryChar appends the byte of a "char" in its text form.
func AppendBinaryChar(dst []byte, text string) []byte {
	if b, ok := octalByte(text); ok {
		return append(dst, b)
	}
	if text == "" {
		return append(dst, 0)
	}
	return append(dst, text[0])
}
