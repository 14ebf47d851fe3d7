package duckdb

import (
	"math/big"
	"strings"

	"github.com/jackc/pgerrcode"
)

// decimal is a value of PostgreSQL's numeric: n / 10^scale, where scale counts
// the digits shown, or one of the special values.
type decimal struct {
	n       *big.Int
	scale   int
	special special
}

type special byte

const (
	finite special = iota
	negativeInfinity
	positiveInfinity
	notANumber
)

// The constants of PostgreSQL's numeric.c and numeric.h.
const (
	minSignificantDigits = 16 // NUMERIC_MIN_SIG_DIGITS
	maxDisplayScale      = 1000
	baseDigits           = 4 // DEC_DIGITS: its digits are base 10000
)

//nolint:gochecknoglobals // constants that Go cannot declare
var (
	bigTen    = big.NewInt(10)
	tenPowers = func() (powers [64]*big.Int) {
		powers[0] = big.NewInt(1)
		for i := 1; i < len(powers); i++ {
			powers[i] = new(big.Int).Mul(powers[i-1], bigTen)
		}
		return powers
	}()
)

// tenTo is 10^k; the result must not be written to.
func tenTo(k int) *big.Int {
	if k < len(tenPowers) {
		return tenPowers[k]
	}
	return new(big.Int).Exp(bigTen, big.NewInt(int64(k)), nil)
}

// parseDecimal reads a numeric as PostgreSQL prints it.
func parseDecimal(text string) decimal {
	switch text {
	case "NaN":
		return decimal{special: notANumber}
	case "Infinity":
		return decimal{special: positiveInfinity}
	case "-Infinity":
		return decimal{special: negativeInfinity}
	}
	scale := 0
	if i := strings.IndexByte(text, '.'); i >= 0 {
		scale = len(text) - i - 1
		text = text[:i] + text[i+1:]
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return decimal{special: notANumber}
	}
	return decimal{n: n, scale: scale}
}

func intDecimal(n int64) decimal { return decimal{n: big.NewInt(n)} }

// append prints d.
func (d decimal) append(dst []byte) []byte {
	switch d.special {
	case notANumber:
		return append(dst, "NaN"...)
	case positiveInfinity:
		return append(dst, "Infinity"...)
	case negativeInfinity:
		return append(dst, "-Infinity"...)
	}
	from := len(dst)
	dst = d.n.Append(dst, 10)
	if d.scale == 0 {
		return dst
	}
	digits := from
	if d.n.Sign() < 0 {
		digits++
	}
	if missing := d.scale + 1 - (len(dst) - digits); missing > 0 {
		zeros := strings.Repeat("0", missing)
		tail := string(dst[digits:])
		dst = append(append(dst[:digits], zeros...), tail...)
	}
	point := len(dst) - d.scale
	dst = append(dst, 0)
	copy(dst[point+1:], dst[point:])
	dst[point] = '.'
	return dst
}

func (d decimal) sign() int {
	switch d.special {
	case finite:
		return d.n.Sign()
	case negativeInfinity:
		return -1
	}
	return 1
}

// at is d with a scale that is at least its own.
func (d decimal) at(scale int) *big.Int {
	if scale == d.scale {
		return d.n
	}
	return new(big.Int).Mul(d.n, tenTo(scale-d.scale))
}

func aligned(a, b decimal) (x, y *big.Int, scale int) {
	scale = max(a.scale, b.scale)
	return a.at(scale), b.at(scale), scale
}

// specials computes what no digits are needed for; ok is false if both are finite.
func specials(a, b decimal, infinities func(a, b special) decimal) (d decimal, ok bool) {
	switch {
	case a.special == finite && b.special == finite:
		return d, false
	case a.special == notANumber || b.special == notANumber:
		return decimal{special: notANumber}, true
	}
	return infinities(a.special, b.special), true
}

func (d decimal) add(b decimal) decimal {
	s, ok := specials(d, b, func(x, y special) decimal {
		switch {
		case x == finite:
			return decimal{special: y}
		case y == finite || x == y:
			return decimal{special: x}
		}
		return decimal{special: notANumber}
	})
	if ok {
		return s
	}
	x, y, scale := aligned(d, b)
	return decimal{n: new(big.Int).Add(x, y), scale: scale}
}

func (d decimal) neg() decimal {
	switch d.special {
	case finite:
		return decimal{n: new(big.Int).Neg(d.n), scale: d.scale}
	case negativeInfinity:
		return decimal{special: positiveInfinity}
	case positiveInfinity:
		return decimal{special: negativeInfinity}
	}
	return d
}

func (d decimal) abs() decimal {
	if d.sign() < 0 {
		return d.neg()
	}
	return d
}

func infinity(sign int) decimal {
	switch {
	case sign < 0:
		return decimal{special: negativeInfinity}
	case sign > 0:
		return decimal{special: positiveInfinity}
	}
	return decimal{special: notANumber}
}

func (d decimal) mul(b decimal) decimal {
	s, ok := specials(d, b, func(special, special) decimal { return infinity(d.sign() * b.sign()) })
	if ok {
		return s
	}
	out := decimal{n: new(big.Int).Mul(d.n, b.n), scale: d.scale + b.scale}
	if out.scale > maxStoredScale {
		return out.round(maxStoredScale)
	}
	return out
}

func errDivisionByZero() error { return errorf(pgerrcode.DivisionByZero, "division by zero") }

// weight is the place of the first digit of base 10000, and that digit
// (select_div_scale in numeric.c).
func (d decimal) weight() (weight int, digit int64) {
	if d.n.Sign() == 0 {
		return 0, 0
	}
	exponent := len(d.n.Text(10)) - d.scale - 1
	if d.n.Sign() < 0 {
		exponent--
	}
	weight = exponent / baseDigits
	if exponent < 0 && exponent%baseDigits != 0 {
		weight--
	}
	first := new(big.Int).Abs(d.n)
	if shift := d.scale + weight*baseDigits; shift >= 0 {
		first.Quo(first, tenTo(shift))
	} else {
		first.Mul(first, tenTo(-shift))
	}
	return weight, first.Int64()
}

// divScale is the number of digits a quotient shows.
func divScale(a, b decimal) int {
	w1, d1 := a.weight()
	w2, d2 := b.weight()
	w := w1 - w2
	if d1 <= d2 {
		w--
	}
	return min(max(minSignificantDigits-w*baseDigits, a.scale, b.scale, 0), maxDisplayScale)
}

func (d decimal) div(b decimal) (decimal, error) {
	if b.special == finite && b.n.Sign() == 0 && d.special != notANumber {
		return decimal{}, errDivisionByZero()
	}
	s, ok := specials(d, b, func(x, y special) decimal {
		switch {
		case x != finite && y != finite:
			return decimal{special: notANumber}
		case y != finite:
			return intDecimal(0)
		}
		return infinity(d.sign() * b.sign())
	})
	if ok {
		return s, nil
	}
	return d.divTo(b, divScale(d, b)), nil
}

// divTo divides to a scale, rounding half away from zero.
func (d decimal) divTo(b decimal, scale int) decimal {
	n, m := d.n, b.n
	if shift := scale + b.scale - d.scale; shift >= 0 {
		n = new(big.Int).Mul(n, tenTo(shift))
	} else {
		m = new(big.Int).Mul(m, tenTo(-shift))
	}
	return decimal{n: quoRound(n, m), scale: scale}
}

// quoRound is n / m, rounded half away from zero.
func quoRound(n, m *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(n, m, new(big.Int))
	r.Abs(r).Lsh(r, 1)
	if r.CmpAbs(m) >= 0 {
		q.Add(q, big.NewInt(int64(n.Sign()*m.Sign())))
	}
	return q
}

// mod is the remainder of the division cut towards zero.
func (d decimal) mod(b decimal) (decimal, error) {
	if b.special == finite && b.n.Sign() == 0 && d.special != notANumber {
		return decimal{}, errDivisionByZero()
	}
	s, ok := specials(d, b, func(x, _ special) decimal {
		if x != finite {
			return decimal{special: notANumber}
		}
		return d
	})
	if ok {
		return s, nil
	}
	x, y, scale := aligned(d, b)
	return decimal{n: new(big.Int).Rem(x, y), scale: scale}, nil
}

// quo is the whole quotient.
func (d decimal) quo(b decimal) (decimal, error) {
	if d.special != finite || b.special != finite {
		return d.div(b)
	}
	if b.n.Sign() == 0 {
		return decimal{}, errDivisionByZero()
	}
	x, y, _ := aligned(d, b)
	return decimal{n: new(big.Int).Quo(x, y)}, nil
}

const (
	// maxStoredScale bounds the digits behind the point (NUMERIC_DSCALE_MAX).
	maxStoredScale = 16383
	// maxWeight bounds those before it (NUMERIC_WEIGHT_MAX).
	maxWeight = 131072
)

// checked refuses a value that has too many digits before the point.
func (d decimal) checked() (decimal, error) {
	if d.special != finite || float64(d.n.BitLen()) < (maxWeight-1)*bitsPerDigit {
		return d, nil
	}
	if len(new(big.Int).Abs(d.n).Text(10))-d.scale > maxWeight {
		return d, errNumericOverflow()
	}
	return d, nil
}

// round rounds half away from zero to scale digits, to tens if it is negative.
func (d decimal) round(scale int) decimal {
	return d.cut(scale, quoRound)
}

func (d decimal) trunc(scale int) decimal {
	return d.cut(scale, func(n, m *big.Int) *big.Int { return new(big.Int).Quo(n, m) })
}

func (d decimal) cut(scale int, quo func(n, m *big.Int) *big.Int) decimal {
	if d.special != finite {
		return d
	}
	scale = max(-maxWeight-1, min(scale, maxStoredScale))
	if scale >= d.scale {
		return decimal{n: d.at(scale), scale: scale}
	}
	n := quo(d.n, tenTo(d.scale-scale))
	if scale < 0 {
		n = new(big.Int).Mul(n, tenTo(-scale))
	}
	return decimal{n: n, scale: max(scale, 0)}
}

func (d decimal) floor() decimal {
	if d.special != finite {
		return d
	}
	// Euclidean division rounds down for a positive divisor.
	return decimal{n: new(big.Int).Div(d.n, tenTo(d.scale))}
}

func (d decimal) ceil() decimal { return d.neg().floor().neg() }

// sqrt is the square root to as many digits as PostgreSQL shows.
func (d decimal) sqrt() (decimal, error) {
	switch {
	case d.special == notANumber || d.special == positiveInfinity:
		return d, nil
	case d.sign() < 0:
		return decimal{}, errorf(pgerrcode.InvalidArgumentForPowerFunction, "cannot take square root of a negative number")
	}
	w, _ := d.weight()
	scale := min(max(minSignificantDigits-((w+1)*baseDigits/2-1), d.scale, 0), maxDisplayScale)
	return d.sqrtTo(scale), nil
}

func (d decimal) sqrtTo(scale int) decimal {
	// The root of n*10^(2k) is that of n times 10^k; one digit more decides the
	// rounding.
	n := d.n
	if shift := 2*(scale+1) - d.scale; shift >= 0 {
		n = new(big.Int).Mul(n, tenTo(shift))
	} else {
		n = new(big.Int).Quo(n, tenTo(-shift))
	}
	return decimal{n: new(big.Int).Sqrt(n), scale: scale + 1}.round(scale)
}

// trim drops zeros at the end of the fraction.
func (d decimal) trim() decimal {
	if d.special != finite {
		return d
	}
	n, r := new(big.Int).Set(d.n), new(big.Int)
	scale := d.scale
	for q := new(big.Int); scale > 0; scale-- {
		if q.QuoRem(n, bigTen, r); r.Sign() != 0 {
			break
		}
		n.Set(q)
	}
	return decimal{n: n, scale: scale}
}

func (d decimal) cmp(b decimal) int {
	if d.special != finite || b.special != finite {
		return rank(d) - rank(b)
	}
	x, y, _ := aligned(d, b)
	return x.Cmp(y)
}

// rank orders the special values around the finite ones.
func rank(d decimal) int {
	switch d.special {
	case negativeInfinity:
		return -1
	case positiveInfinity:
		return 1
	case notANumber:
		return 2
	}
	return 0
}

// The first byte of a key.
const (
	keyNegativeInfinity = iota
	keyNegative
	keyZero
	keyPositive
	keyPositiveInfinity
	keyNotANumber
)

const (
	exponentBias  = 1 << 20
	keyTerminator = 0xff
)

// key is bytes that sort as the values do and are equal where these are.
func (d decimal) key(dst []byte) []byte {
	switch d.special {
	case negativeInfinity:
		return append(dst, keyNegativeInfinity)
	case positiveInfinity:
		return append(dst, keyPositiveInfinity)
	case notANumber:
		return append(dst, keyNotANumber)
	}
	if d.n.Sign() == 0 {
		return append(dst, keyZero)
	}
	negative := d.n.Sign() < 0
	digits := new(big.Int).Abs(d.n).Append(nil, 10)
	exponent := len(digits) - d.scale + exponentBias
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	if !negative {
		dst = append(dst, keyPositive, byte(exponent>>16), byte(exponent>>8), byte(exponent))
		return append(dst, digits...)
	}
	dst = append(dst, keyNegative, ^byte(exponent>>16), ^byte(exponent>>8), ^byte(exponent))
	for _, c := range digits {
		dst = append(dst, ^c)
	}
	return append(dst, keyTerminator)
}
