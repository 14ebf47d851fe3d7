package postgres

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// The widths from which PostgreSQL prints a float in exponent form, and its digits when told to print fewer than all
// (DBL_DIG and FLT_DIG).
const (
	float8Digits = 15
	float4Digits = 6
)

// AppendFloat8 appends the shortest text that reads as the same float8: 1, 0.1, 1e+15, 1e-05, Infinity, NaN.
func AppendFloat8(dst []byte, f float64) []byte { return appendShortest(dst, f, 64, float8Digits) }

// AppendFloat4 appends the shortest text that reads as the same float4.
func AppendFloat4(dst []byte, f float32) []byte {
	return appendShortest(dst, float64(f), 32, float4Digits)
}

// appendFloat honours the setting extra_float_digits.
func appendFloat(dst []byte, f float64, bitSize, digits, extra int) []byte {
	if extra > 0 {
		return appendShortest(dst, f, bitSize, digits)
	}
	if out, ok := appendNonFinite(dst, f); ok {
		return out
	}
	digits = max(digits+extra, 1)
	var buf [40]byte
	return layOut(dst, strconv.AppendFloat(buf[:0], f, 'e', digits-1, bitSize), digits)
}

func appendNonFinite(dst []byte, f float64) ([]byte, bool) {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...), true
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...), true
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...), true
	}
	return dst, false
}

func appendShortest(dst []byte, f float64, bitSize, digits int) []byte {
	if i := int64(f); float64(i) == f && i > -100_000 && i < 100_000 && (i != 0 || !math.Signbit(f)) {
		return strconv.AppendInt(dst, i, 10)
	}
	if out, ok := appendNonFinite(dst, f); ok {
		return out
	}
	var buf [40]byte
	e := strconv.AppendFloat(buf[:0], f, 'e', -1, bitSize)
	if limit := float64(1 << 53); math.Abs(f) >= limit || bitSize == 32 && math.Abs(f) >= 1<<24 {
		e = avoidMidpoint(e, f, bitSize)
	}
	return layOut(dst, e, digits)
}

// avoidMidpoint replaces a shortest form that lies exactly between two floats, and reads as f only because ties go to
// even, by the next longer one: PostgreSQL trusts no reader with such ties. They are integers all, so only large floats
// can have such a form.
func avoidMidpoint(e []byte, f float64, bitSize int) []byte {
	for prec := mantissaLen(e); isMidpoint(e, f, bitSize) && prec < 17; prec++ {
		e = strconv.AppendFloat(e[:0], f, 'e', prec, bitSize)
	}
	return e
}

// mantissaLen is the number of digits in a number of 'e' form.
func mantissaLen(e []byte) int {
	n := 0
	for _, c := range e {
		if c == 'e' {
			break
		}
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}

func isMidpoint(e []byte, f float64, bitSize int) bool {
	text, ok := new(big.Rat).SetString(string(e))
	if !ok {
		return false
	}
	for _, neighbour := range [2]float64{math.Inf(1), math.Inf(-1)} {
		n := math.Nextafter(f, neighbour)
		if bitSize == 32 {
			n = float64(math.Nextafter32(float32(f), float32(neighbour)))
		}
		if math.IsInf(n, 0) {
			continue
		}
		sum := new(big.Rat).SetFloat64(f)
		sum.Add(sum, new(big.Rat).SetFloat64(n))
		if sum.Quo(sum, big.NewRat(2, 1)).Cmp(text) == 0 {
			return true
		}
	}
	return false
}

// layOut writes a number given in 'e' form as C's %g does: fixed unless the exponent is below -4 or at least digits.
func layOut(dst, e []byte, digits int) []byte {
	if e[0] == '-' {
		dst, e = append(dst, '-'), e[1:]
	}
	var mantissa [24]byte
	m := mantissa[:0]
	i := 0
	for ; e[i] != 'e'; i++ {
		if e[i] != '.' {
			m = append(m, e[i])
		}
	}
	exp := 0
	for _, c := range e[i+2:] {
		exp = exp*10 + int(c-'0')
	}
	if e[i+1] == '-' {
		exp = -exp
	}
	for len(m) > 1 && m[len(m)-1] == '0' {
		m = m[:len(m)-1]
	}
	switch {
	case exp < -4 || exp >= digits:
		dst = append(dst, m[0])
		if len(m) > 1 {
			dst = append(append(dst, '.'), m[1:]...)
		}
		sign := byte('+')
		if exp < 0 {
			sign, exp = '-', -exp
		}
		dst = append(dst, 'e', sign)
		if exp < 10 {
			dst = append(dst, '0')
		}
		return strconv.AppendInt(dst, int64(exp), 10)
	case exp < 0:
		dst = append(dst, '0', '.')
		for ; exp < -1; exp++ {
			dst = append(dst, '0')
		}
		return append(dst, m...)
	case len(m) <= exp+1:
		dst = append(dst, m...)
		for n := len(m); n <= exp; n++ {
			dst = append(dst, '0')
		}
		return dst
	}
	dst = append(dst, m[:exp+1]...)
	return append(append(dst, '.'), m[exp+1:]...)
}

// AppendNumeric appends a decimal given as a 128-bit integer (hi signed, lo the lower half) and the digits after its
// point, all of which are printed.
func AppendNumeric(dst []byte, hi int64, lo uint64, scale int) []byte {
	h := uint64(hi)
	if hi < 0 {
		dst = append(dst, '-')
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		h, _ = bits.Sub64(0, h, borrow)
	}
	var buf [40]byte // 2^127 has 39 digits
	i := len(buf)
	for h != 0 {
		const chunk = 1e19
		var r uint64
		h, r = h/chunk, h%chunk
		lo, r = bits.Div64(r, lo, chunk)
		for range 19 {
			i--
			buf[i] = byte('0' + r%10)
			r /= 10
		}
	}
	for lo != 0 || i == len(buf) {
		i--
		buf[i] = byte('0' + lo%10)
		lo /= 10
	}
	digits := buf[i:]
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	if scale <= 0 {
		return append(dst, digits...)
	}
	if whole := len(digits) - scale; whole > 0 {
		dst = append(dst, digits[:whole]...)
		return append(append(dst, '.'), digits[whole:]...)
	}
	dst = append(dst, '0', '.')
	for n := len(digits); n < scale; n++ {
		dst = append(dst, '0')
	}
	return append(dst, digits...)
}
