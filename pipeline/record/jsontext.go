package record

import (
	"math"
	"strconv"

	"github.com/fieldgate/fieldgate/schema"
)

const hexDigits = "0123456789abcdef"

// appendCompact appends JSON text without its white space and with every string in its one shortest form, so that one
// array has one text however it was written; numbers stay as they were written. text passed the lexer.
func appendCompact(dst, text []byte) []byte {
	var plain []byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		if isSpace(c) {
			continue
		}
		if c != '"' {
			dst = append(dst, c)
			continue
		}
		end, escaped, _ := scanString(text, i+1)
		if escaped {
			plain = appendUnescaped(plain[:0], text[i+1:end])
			dst = appendQuoted(dst, plain)
		} else {
			dst = append(dst, text[i:end+1]...)
		}
		i = end
	}
	return dst
}

// appendQuoted appends text as a JSON string that escapes only what it must, as RFC 8785 (3.2.2.2) does.
func appendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	from := 0
	for i, c := range text {
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(dst, text[from:]...), '"')
}

// AppendEvent appends values as one JSON object with a member for each, under its flattened name: what is known of an
// event whose own bytes are gone. Flattening it gives the same values again, but that numbers kept as text become text.
func AppendEvent(dst []byte, values []schema.Value) []byte {
	dst = append(dst, '{')
	for i := range values {
		v := &values[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, []byte(v.Name))
		dst = append(dst, ':')
		switch v.Kind {
		case schema.KindInt:
			dst = strconv.AppendInt(dst, v.Int, 10)
		case schema.KindNumber:
			dst = appendNumber(dst, v.Num)
		case schema.KindBool:
			dst = strconv.AppendBool(dst, v.Int != 0)
		case schema.KindText:
			dst = appendQuoted(dst, v.Text)
		case schema.KindJSON:
			dst = append(dst, v.Text...)
		}
	}
	return append(dst, '}')
}

// appendNumber appends the shortest form of f that is read as a KindNumber again: an integer gets an exponent or a
// fraction, lest it become a KindInt.
func appendNumber(dst []byte, f float64) []byte {
	from := len(dst)
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for _, c := range dst[from:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, '.', '0')
}
