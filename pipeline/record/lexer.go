package record

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// The reasons why a text is not JSON (RFC 8259) as the lexer finds them. They are constant so that looking costs
// nothing; who reports them adds where.
const (
	faultEnd       = "unexpected end of text"
	faultValue     = "a value was expected"
	faultKey       = "a member name in double quotes was expected"
	faultColon     = "a colon was expected after the member name"
	faultMember    = "a comma or } was expected"
	faultElement   = "a comma or ] was expected"
	faultControl   = "control character in a string"
	faultEscape    = "invalid escape in a string"
	faultSurrogate = "lone surrogate in a \\u escape"
	faultUTF8      = "invalid UTF-8"
	faultNumber    = "invalid number"
	faultTrailing  = "text after the event"
	faultObject    = "not a JSON object"
)

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// skipSpace gives the index of the first byte at or after i that is not JSON white space.
func skipSpace(data []byte, i int) int {
	for i < len(data) && isSpace(data[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c <= ' ' && (c == ' ' || c == '\n' || c == '\t' || c == '\r') }

// scanString finds the end of the string whose first byte after the opening quote is data[i]. It gives the index of the
// closing quote and whether the string has escapes, or a fault and where.
func scanString(data []byte, i int) (end int, escaped bool, fault string) {
	start := i
	var seen uint64 // every byte passed, or-ed: the high bits tell whether there was one beyond ASCII
	for {
		for i+8 <= len(data) {
			word := binary.LittleEndian.Uint64(data[i:])
			quote := word ^ '"'*lowBits
			slash := word ^ '\\'*lowBits
			// The lowest bit that is set marks the first byte that is a quote, a backslash or below 0x20 (the
			// subtractions borrow upwards only).
			stop := ((quote-lowBits)&^quote | (slash-lowBits)&^slash | (word-0x20*lowBits)&^word) & highBits
			seen |= word
			if stop != 0 {
				i += bits.TrailingZeros64(stop) >> 3
				break
			}
			i += 8
		}
		for i < len(data) && data[i] != '"' && data[i] != '\\' && data[i] >= 0x20 {
			seen |= uint64(data[i])
			i++
		}
		if i >= len(data) {
			return i, escaped, faultEnd
		}
		switch data[i] {
		case '"':
			if seen&highBits != 0 && !utf8.Valid(data[start:i]) {
				return i, escaped, faultUTF8
			}
			return i, escaped, ""
		case '\\':
			escaped = true
			n, fault := scanEscape(data[i:])
			if fault != "" {
				return i, escaped, fault
			}
			i += n
		default:
			return i, escaped, faultControl
		}
	}
}

// scanEscape gives the length of the escape, with its backslash, that data begins with; of a surrogate pair both.
func scanEscape(data []byte) (length int, fault string) {
	if len(data) < 2 {
		return 0, faultEnd
	}
	switch data[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, ""
	case 'u':
	default:
		return 0, faultEscape
	}
	unit, fault := hexUnit(data)
	if fault != "" {
		return 0, fault
	}
	if unit < 0xD800 || unit > 0xDFFF {
		return 6, ""
	}
	if unit > 0xDBFF || len(data) < 8 || data[6] != '\\' || data[7] != 'u' {
		return 0, faultSurrogate
	}
	low, fault := hexUnit(data[6:])
	if fault != "" {
		return 0, fault
	}
	if low < 0xDC00 || low > 0xDFFF {
		return 0, faultSurrogate
	}
	return 12, ""
}

// hexUnit reads the four digits of the \u escape that data begins with.
func hexUnit(data []byte) (unit rune, fault string) {
	if len(data) < 6 {
		return 0, faultEnd
	}
	for _, c := range data[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, faultEscape
		}
		unit = unit<<4 | rune(c)
	}
	return unit, ""
}

// appendUnescaped appends what the inside of a string stands for. text passed scanString.
func appendUnescaped(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		c := text[i]
		if c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		switch text[i+1] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			unit, _ := hexUnit(text[i:])
			if unit >= 0xD800 && unit <= 0xDFFF {
				low, _ := hexUnit(text[i+6:])
				unit = 0x10000 + (unit-0xD800)<<10 + (low - 0xDC00)
				i += 6
			}
			dst = utf8.AppendRune(dst, unit)
			i += 4
		default:
			dst = append(dst, text[i+1])
		}
		i += 2
	}
	return dst
}

// unescapedLen is the length of what appendUnescaped would append.
func unescapedLen(text []byte) int {
	n := 0
	for i := 0; i < len(text); n++ {
		if text[i] != '\\' {
			i++
			continue
		}
		if text[i+1] != 'u' {
			i += 2
			continue
		}
		unit, _ := hexUnit(text[i:])
		if unit >= 0xD800 && unit <= 0xDFFF {
			n += 3 // beyond the basic plane: 4 bytes
			i += 12
			continue
		}
		n += utf8.RuneLen(unit) - 1
		i += 6
	}
	return n
}

// scanNumber finds the end of the number that begins at data[i], and whether it has neither fraction nor exponent.
func scanNumber(data []byte, i int) (end int, integer bool, fault string) {
	if i < len(data) && data[i] == '-' {
		i++
	}
	first := i
	i = skipDigits(data, i)
	if i == first {
		return i, false, faultNumber
	}
	if data[first] == '0' && i > first+1 {
		return first, false, faultNumber
	}
	integer = true
	if i < len(data) && data[i] == '.' {
		integer = false
		fraction := i + 1
		if i = skipDigits(data, fraction); i == fraction {
			return i, false, faultNumber
		}
	}
	if i < len(data) && (data[i] == 'e' || data[i] == 'E') {
		integer = false
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		exponent := i
		if i = skipDigits(data, exponent); i == exponent {
			return i, false, faultNumber
		}
	}
	return i, integer, ""
}

func skipDigits(data []byte, i int) int {
	for i < len(data) && data[i]-'0' <= 9 {
		i++
	}
	return i
}

// scanLiteral finds the end of the true, false or null that begins at data[i].
func scanLiteral(data []byte, i int) (end int, fault string) {
	var word string
	switch data[i] {
	case 't':
		word = "true"
	case 'f':
		word = "false"
	case 'n':
		word = "null"
	default:
		return i, faultValue
	}
	if len(data)-i < len(word) || string(data[i:i+len(word)]) != word {
		return i, faultValue
	}
	return i + len(word), ""
}
