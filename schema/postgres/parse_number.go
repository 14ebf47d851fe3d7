package postgres

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"
)

// spaces are what PostgreSQL's input functions skip (C's isspace).
const spaces = " \t\n\v\f\r"

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func badSyntax(oid OID, text string) *Error {
	return errorf(pgerrcode.InvalidTextRepresentation, `invalid input syntax for type %s: "%s"`, oid, text)
}

// parseInt reads an int2, int4 or int8. As in PostgreSQL the digits overflow before what follows them is looked at, but
// for the one number whose negative is in range.
func parseInt(oid OID, bitSize int, text string) (int64, error) {
	s := strings.TrimLeft(text, spaces)
	neg := strings.HasPrefix(s, "-")
	if neg || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	outOfRange := func() error {
		return errorf(pgerrcode.NumericValueOutOfRange, `value "%s" is out of range for type %s`, text, oid)
	}
	limit := uint64(1) << (bitSize - 1)
	var n uint64
	i := 0
	for ; i < len(s) && isDigit(s[i]); i++ {
		digit := uint64(s[i] - '0')
		if n > (limit-digit)/10 {
			return 0, outOfRange()
		}
		n = n*10 + digit
	}
	switch {
	case i == 0 || strings.TrimLeft(s[i:], spaces) != "":
		return 0, badSyntax(oid, text)
	case neg:
		return -int64(n), nil
	case n == limit:
		return 0, outOfRange()
	}
	return int64(n), nil
}

// parseOID reads an oid, for which a negative number means its 32 bits.
func parseOID(text string) (int64, error) {
	s := strings.Trim(text, spaces)
	digits := strings.TrimLeft(s, "+-")
	if digits == "" || len(s)-len(digits) > 1 || strings.TrimLeft(digits, "0123456789") != "" {
		return 0, badSyntax(OIDOID, text)
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > math.MaxUint32 || n < math.MinInt32 {
		return 0, errorf(pgerrcode.NumericValueOutOfRange, `value "%s" is out of range for type %s`, text, OIDOID)
	}
	return int64(uint32(n)), nil
}

// parseFloat reads a float4 or float8 as C's strtod does, hexadecimal form included. A number out of range is one before
// what follows it is looked at.
func parseFloat(oid OID, bitSize int, text string) (float64, error) {
	s := strings.TrimLeft(text, spaces)
	n := floatPrefix(s)
	if n == 0 {
		return 0, badSyntax(oid, text)
	}
	number := s[:n]
	f, err := parseFloatPrefix(number, bitSize)
	if errors.Is(err, strconv.ErrRange) || f == 0 && hasNonZeroDigit(number) {
		if oid == Float4OID {
			number = text
		}
		return 0, errorf(pgerrcode.NumericValueOutOfRange, `"%s" is out of range for type %s`, number, oid)
	}
	if err != nil || strings.TrimLeft(s[n:], spaces) != "" {
		return 0, badSyntax(oid, text)
	}
	return f, nil
}

// floatPrefix is how much of a text C's strtod takes for a number, 0 if nothing.
func floatPrefix(s string) int {
	n := 0
	if s != "" && (s[0] == '-' || s[0] == '+') {
		n++
	}
	lower := lowerASCII(s[n:])
	for _, word := range [...]string{"infinity", "inf", "nan"} {
		if strings.HasPrefix(lower, word) {
			return n + len(word)
		}
	}
	if strings.HasPrefix(lower, "0x") {
		if digits := mantissaPrefix(lower[2:], isHexDigit); digits > 0 {
			n += 2 + digits
			return n + exponentPrefix(s[n:], 'p')
		}
	}
	digits := mantissaPrefix(lower, isDigit)
	if digits == 0 {
		return 0
	}
	n += digits
	return n + exponentPrefix(s[n:], 'e')
}

// mantissaPrefix is the length of digits with at most one point among them, 0 if there is no digit.
func mantissaPrefix(s string, is func(byte) bool) int {
	whole := countWhile(s, is)
	if whole == len(s) || s[whole] != '.' {
		return whole
	}
	fraction := countWhile(s[whole+1:], is)
	if whole+fraction == 0 {
		return 0
	}
	return whole + 1 + fraction
}

func exponentPrefix(s string, letter byte) int {
	if s == "" || s[0]|0x20 != letter {
		return 0
	}
	n := 1
	if n < len(s) && (s[n] == '-' || s[n] == '+') {
		n++
	}
	if digits := countWhile(s[n:], isDigit); digits > 0 {
		return n + digits
	}
	return 0
}

func isHexDigit(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// parseFloatPrefix parses what floatPrefix found: Go knows no sign of NaN and wants an exponent after hexadecimal digits.
func parseFloatPrefix(s string, bitSize int) (float64, error) {
	switch lower := lowerASCII(s); {
	case strings.HasSuffix(lower, "nan"):
		s = "nan"
	case strings.ContainsRune(lower, 'x') && !strings.ContainsRune(lower, 'p'):
		s += "p0"
	}
	return strconv.ParseFloat(s, bitSize)
}

// hasNonZeroDigit says whether the mantissa of a number is anything but zero.
func hasNonZeroDigit(s string) bool {
	if strings.HasSuffix(lowerASCII(s), "nan") {
		return false
	}
	hex := strings.ContainsAny(s, "xX")
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '1' && c <= '9':
			return true
		case c == 'p' || c == 'P', !hex && (c == 'e' || c == 'E'):
			return false
		case hex && isHexDigit(c) && c != '0':
			return true
		}
	}
	return false
}

// parseBool takes any unambiguous beginning of true, false, yes, no, on and off, and 1 and 0.
func parseBool(text string) (bool, error) {
	s := strings.ToLower(strings.Trim(text, spaces))
	if s != "" {
		for _, word := range [...]string{"true", "yes", "on", "1"} {
			if strings.HasPrefix(word, s) && s != "o" {
				return true, nil
			}
		}
		for _, word := range [...]string{"false", "no", "off", "0"} {
			if strings.HasPrefix(word, s) && s != "o" {
				return false, nil
			}
		}
	}
	return false, badSyntax(BoolOID, text)
}
