package postgres

import (
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

// jsonbVersion is the byte before the text in jsonb's binary form.
const jsonbVersion = 1

// HasBinary says whether values of a type have a binary form here: [AppendBinary] and [DecodeBinary] know it.
func HasBinary(oid OID) bool {
	oid = BaseOf(oid)
	if elem := ElemOf(oid); elem != 0 {
		return canParse(elem)
	}
	return canParse(oid) || oid == UnknownOID
}

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
		if oid == JSONBOID {
			dst = append(dst, jsonbVersion)
		}
		if oid == CharOID && d.Str == "" {
			return append(dst, 0)
		}
		return append(dst, d.Str...)
	case BytesKind, UUIDKind:
		return append(dst, d.Str...)
	case NumericKind:
		return AppendBinaryNumeric(dst, d.Str)
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

// AppendBinaryNumeric appends a numeric given by its text, which must be as PostgreSQL prints it: digits in base 10000
// without the zeros at either end, and how many decimal digits follow the point.
func AppendBinaryNumeric(dst []byte, text string) []byte {
	special := func(sign uint16, scale byte) []byte {
		return append(binary.BigEndian.AppendUint16(append(dst, 0, 0, 0, 0), sign), 0, scale)
	}
	sign := uint16(numericPositive)
	switch text {
	case "NaN":
		return special(numericNaN, 0)
	case "Infinity":
		return special(numericInfinity, numericInfinityScale)
	case "-Infinity":
		return special(numericNegativeInfinity, numericInfinityScale)
	}
	if text[0] == '-' {
		sign, text = numericNegative, text[1:]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	whole = strings.TrimLeft(whole, "0")
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	weight := (len(whole)+3)/4 - 1
	// The groups are counted from the point, so the first and the last may be short.
	first, last, at := -1, -1, 0
	group := func(digits string, pad int) {
		n := uint16(0)
		for _, c := range []byte(digits) {
			n = n*10 + uint16(c-'0')
		}
		for range pad {
			n *= 10
		}
		if n != 0 {
			if first < 0 {
				first = at
			}
			last = at
		}
		dst = binary.BigEndian.AppendUint16(dst, n)
		at++
	}
	for head := (len(whole)+3)%4 + 1; whole != ""; head = 4 {
		group(whole[:head], 0)
		whole = whole[head:]
	}
	for rest := fraction; rest != ""; {
		n := min(4, len(rest))
		group(rest[:n], 4-n)
		rest = rest[n:]
	}
	count := 0
	if first < 0 {
		sign, weight, dst = numericPositive, 0, dst[:start+8]
	} else {
		count = last - first + 1
		weight -= first
		copy(dst[start+8:], dst[start+8+2*first:start+8+2*(last+1)])
		dst = dst[:start+8+2*count]
	}
	binary.BigEndian.PutUint16(dst[start:], uint16(count))
	binary.BigEndian.PutUint16(dst[start+2:], uint16(weight))
	binary.BigEndian.PutUint16(dst[start+4:], sign)
	binary.BigEndian.PutUint16(dst[start+6:], uint16(len(fraction)))
	return dst
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
