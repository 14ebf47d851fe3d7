package postgres

import (
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"
)

// The limits of numeric: digits before the point and after it.
const (
	numericMaxWhole = 131072
	numericMaxScale = 16383
	maxExponent     = 1<<30 - 1 // as written
)

// A decimal is a finite numeric: digits times ten to the power of minus scale.
type decimal struct {
	neg    bool
	digits string // without leading zeros; empty for zero
	scale  int    // digits printed after the point; only a rounded intermediate has less than 0
}

// parseNumeric reads a numeric and returns it as PostgreSQL prints it, with all the digits after the point that it was
// given, rounded to the type modifier if there is one.
func parseNumeric(text string, typmod int32) (string, error) {
	s := strings.Trim(text, spaces)
	switch strings.ToLower(s) {
	case "nan":
		return "NaN", nil
	case "inf", "+inf", "infinity", "+infinity":
		return "Infinity", checkInfiniteTypmod(typmod)
	case "-inf", "-infinity":
		return "-Infinity", checkInfiniteTypmod(typmod)
	}
	d, ok, err := parseDecimal(s)
	if !ok {
		return "", badSyntax(NumericOID, text)
	}
	if err == nil {
		err = d.applyTypmod(typmod)
	}
	if err != nil {
		return "", err
	}
	return d.String(), nil
}

// parseDecimal reads [sign] digits [. digits] [e [sign] digits]. Not ok is a syntax error, err a number too large.
func parseDecimal(s string) (d decimal, ok bool, err error) {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		d.neg, s = s[0] == '-', s[1:]
	}
	mantissa, exponent, hasExponent := s, "", false
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent, hasExponent = s[:i], strings.TrimLeft(s[i+1:], spaces), true
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole == "" && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return d, false, nil
	}
	exp := 0
	if hasExponent {
		n := exponentPrefix("e"+exponent, 'e')
		if n == 0 {
			return d, false, nil
		}
		var convErr error
		if exp, convErr = strconv.Atoi(exponent[:n-1]); convErr != nil || exp > maxExponent || exp < -maxExponent {
			return d, true, numericOverflow()
		}
		if n-1 < len(exponent) {
			return d, false, nil
		}
	}
	d.digits = strings.TrimLeft(whole+fraction, "0")
	d.scale = len(fraction) - exp
	if d.digits == "" {
		d.neg = false
		d.scale = max(d.scale, 0)
	}
	if d.scale > numericMaxScale || len(d.digits)-d.scale > numericMaxWhole {
		return d, true, numericOverflow()
	}
	if d.scale < 0 {
		d.digits += strings.Repeat("0", -d.scale)
		d.scale = 0
	}
	return d, true, nil
}

func numericOverflow() *Error {
	return errorf(pgerrcode.NumericValueOutOfRange, "value overflows numeric format")
}

func allDigits(s string) bool { return strings.TrimLeft(s, "0123456789") == "" }

func checkInfiniteTypmod(typmod int32) error {
	if typmod < typmodHeader {
		return nil
	}
	precision, scale := NumericTypmod(typmod)
	return errorf(pgerrcode.NumericValueOutOfRange, "numeric field overflow").
		withDetail("A field with precision %d, scale %d cannot hold an infinite value.", precision, scale)
}

// applyTypmod rounds to the scale of numeric(p,s), half away from zero, and checks the precision.
func (d *decimal) applyTypmod(typmod int32) error {
	if typmod < typmodHeader {
		return nil
	}
	precision, scale := NumericTypmod(typmod)
	d.round(scale)
	whole := len(d.digits) - d.scale
	if d.digits != "" && whole > precision-scale {
		limit := "1"
		if precision != scale {
			limit = "10^" + strconv.Itoa(precision-scale)
		}
		return errorf(pgerrcode.NumericValueOutOfRange, "numeric field overflow").
			withDetail("A field with precision %d, scale %d must round to an absolute value less than %s.", precision, scale, limit)
	}
	return nil
}

// round sets the scale, half away from zero. A negative scale leaves zeros before the point.
func (d *decimal) round(scale int) {
	cut := d.scale - scale
	switch {
	case cut <= 0:
		if d.digits != "" {
			d.digits += strings.Repeat("0", -cut)
		}
	case cut > len(d.digits):
		d.digits = ""
	default:
		up := d.digits[len(d.digits)-cut] >= '5'
		d.digits = d.digits[:len(d.digits)-cut]
		if up {
			d.digits = increment(d.digits)
		}
	}
	d.scale = scale
	if scale < 0 {
		if d.digits != "" {
			d.digits += strings.Repeat("0", -scale)
		}
		d.scale = 0
	}
	if d.digits = strings.TrimLeft(d.digits, "0"); d.digits == "" {
		d.neg = false
	}
}

// increment adds one to a string of digits.
func increment(digits string) string {
	b := []byte(digits)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < '9' {
			b[i]++
			return string(b)
		}
		b[i] = '0'
	}
	return "1" + string(b)
}

// String prints the number as numeric_out does.
func (d *decimal) String() string {
	var b strings.Builder
	if d.neg {
		b.WriteByte('-')
	}
	whole := len(d.digits) - d.scale
	switch {
	case whole > 0:
		b.WriteString(d.digits[:whole])
	default:
		b.WriteByte('0')
	}
	if d.scale > 0 {
		b.WriteByte('.')
		for range -whole {
			b.WriteByte('0')
		}
		b.WriteString(d.digits[max(whole, 0):])
	}
	return b.String()
}
