package duckdb

import (
	"math"
	"math/big"

	"github.com/jackc/pgerrcode"
)

// Logarithms, exponentials and powers of numeric: computed with some digits more
// than are shown, whose number follows numeric.c.

const (
	log10OfE = 0.434294481903252 // numeric.c's own constant
	// maxResultWeight bounds how many digits before the point a result may have
	// (NUMERIC_MAX_RESULT_SCALE).
	maxResultWeight = 2000
	guardDigits     = 24
	bitsPerDigit    = 3.3219280948873626
)

func errNumericOverflow() error {
	return errorf(pgerrcode.NumericValueOutOfRange, "value overflows numeric format")
}

// binary is d with precision for digits decimal ones.
func (d decimal) binary(digits int) *big.Float {
	prec := uint(float64(digits)*bitsPerDigit) + 64
	n := new(big.Float).SetPrec(prec).SetInt(d.n)
	return n.Quo(n, new(big.Float).SetPrec(prec).SetInt(tenTo(d.scale)))
}

// decimalOf rounds to a scale.
func decimalOf(f *big.Float, scale int) decimal {
	scaled := new(big.Float).SetPrec(f.Prec()).Mul(f, new(big.Float).SetPrec(f.Prec()).SetInt(tenTo(scale+1)))
	n, _ := scaled.Int(nil)
	return decimal{n: n, scale: scale + 1}.round(scale)
}

// exponential is e to the power of x.
func exponential(x *big.Float) *big.Float {
	prec := x.Prec()
	// x is halved until it is small, the series summed, and the sum squared back.
	halvings := max(0, x.MantExp(nil)+8)
	r := new(big.Float).SetPrec(prec + uint(halvings)).Set(x)
	r.SetMantExp(r, -halvings)
	sum := new(big.Float).SetPrec(r.Prec()).SetInt64(1)
	term := new(big.Float).SetPrec(r.Prec()).SetInt64(1)
	for i := int64(1); ; i++ {
		term.Mul(term, r)
		term.Quo(term, new(big.Float).SetPrec(r.Prec()).SetInt64(i))
		if term.Sign() == 0 || term.MantExp(nil) < sum.MantExp(nil)-int(r.Prec()) {
			break
		}
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// logarithm is the natural logarithm of a positive x.
func logarithm(x *big.Float) *big.Float {
	prec := x.Prec()
	mantissa := new(big.Float)
	exponent := x.MantExp(mantissa)
	m, _ := mantissa.Float64()
	y := new(big.Float).SetPrec(prec).SetFloat64(math.Log(m) + float64(exponent)*math.Ln2)
	// Newton's steps on exp double the digits each time.
	for digits := uint(40); ; digits *= 2 {
		e := exponential(new(big.Float).SetPrec(prec).Neg(y))
		e.Mul(e, x).Sub(e, big.NewFloat(1))
		y.Add(y, e)
		if digits > prec {
			return y
		}
	}
}

// lnWeight estimates the place of the first digit of a logarithm
// (estimate_ln_dweight in numeric.c).
func (d decimal) lnWeight() int {
	if d.sign() <= 0 {
		return 0
	}
	one := intDecimal(1)
	low, high := decimal{n: big.NewInt(9), scale: 1}, decimal{n: big.NewInt(11), scale: 1}
	if d.cmp(low) >= 0 && d.cmp(high) <= 0 {
		x := d.add(one.neg())
		if x.n.Sign() == 0 {
			return 0
		}
		w, digit := x.weight()
		return w*baseDigits + int(math.Log10(float64(digit)))
	}
	f, exponent := d.leading()
	ln := math.Log(f) + float64(exponent)*math.Ln10
	return int(math.Log10(math.Abs(ln)))
}

// leading is d as f * 10^exponent with as many digits as a float holds.
func (d decimal) leading() (f float64, exponent int) {
	text := new(big.Int).Abs(d.n).Text(10)
	exponent = len(text) - d.scale
	kept := min(len(text), 17)
	n, _ := new(big.Float).SetInt(parseDecimal(text[:kept]).n).Float64()
	return n / math.Pow(10, float64(kept)), exponent
}

func errTooManyDigits() error { return unsupported("a logarithm or power of so many digits") }

func shownScale(scale int, scales ...int) int {
	for _, s := range scales {
		scale = max(scale, s)
	}
	return min(max(scale, 0), maxDisplayScale)
}

func (d decimal) exp() (decimal, error) {
	switch d.special {
	case notANumber, positiveInfinity:
		return d, nil
	case negativeInfinity:
		return intDecimal(0), nil
	}
	f, exponent := d.leading()
	value := f * math.Pow(10, float64(min(exponent, 300))) * float64(d.sign())
	weight := math.Max(-maxResultWeight, math.Min(value*log10OfE, maxResultWeight))
	scale := shownScale(minSignificantDigits-int(weight), d.scale)
	switch {
	case value > 3*maxResultWeight:
		return decimal{}, errNumericOverflow()
	case value < -3*maxResultWeight:
		return decimal{n: new(big.Int), scale: scale}, nil
	}
	return decimalOf(exponential(d.binary(scale+int(math.Abs(weight))+guardDigits)), scale), nil
}

func (d decimal) checkLogarithm() error {
	switch {
	case d.special != notANumber && d.sign() == 0:
		return errorf(pgerrcode.InvalidArgumentForLogarithm, "cannot take logarithm of zero")
	case d.special != notANumber && d.sign() < 0:
		return errorf(pgerrcode.InvalidArgumentForLogarithm, "cannot take logarithm of a negative number")
	}
	return nil
}

func (d decimal) ln() (decimal, error) {
	if err := d.checkLogarithm(); err != nil || d.special != finite {
		return d, err
	}
	scale := shownScale(minSignificantDigits-d.lnWeight(), d.scale)
	if d.n.BitLen() > maxExactBits/8 {
		return d, errTooManyDigits()
	}
	return decimalOf(logarithm(d.binary(scale+len(d.n.Text(10))+guardDigits)), scale), nil
}

// log is the logarithm of x to the base d.
func (d decimal) log(x decimal) (decimal, error) {
	if d.special == notANumber || x.special == notANumber {
		return decimal{special: notANumber}, nil
	}
	if err := d.checkLogarithm(); err != nil {
		return d, err
	}
	if err := x.checkLogarithm(); err != nil {
		return d, err
	}
	switch {
	case d.special != finite && x.special != finite:
		return decimal{special: notANumber}, nil
	case d.special != finite:
		return intDecimal(0), nil
	case x.special != finite:
		return x, nil
	}
	scale := shownScale(minSignificantDigits-(x.lnWeight()-d.lnWeight()), d.scale, x.scale)
	digits := scale + len(d.n.Text(10)) + len(x.n.Text(10)) + guardDigits
	if digits > maxDigits {
		return d, errTooManyDigits()
	}
	base := logarithm(d.binary(digits))
	if base.Sign() == 0 {
		return d, errDivisionByZero()
	}
	return decimalOf(base.Quo(logarithm(x.binary(digits)), base), scale), nil
}

// power raises d to e.
func (d decimal) power(e decimal) (decimal, error) {
	if d.special != finite || e.special != finite {
		return d.infinitePower(e)
	}
	exponent := e.trim()
	whole := exponent.scale == 0
	switch {
	case d.n.Sign() == 0 && e.n.Sign() < 0:
		return d, errorf(pgerrcode.InvalidArgumentForPowerFunction, "zero raised to a negative power is undefined")
	case d.n.Sign() < 0 && !whole:
		return d, errorf(pgerrcode.InvalidArgumentForPowerFunction, "a negative number raised to a non-integer power yields a complex result")
	case whole && exponent.n.IsInt64() && exponent.n.Int64() >= math.MinInt32 && exponent.n.Int64() <= math.MaxInt32:
		return d.wholePower(exponent.n.Int64())
	case d.n.Sign() == 0:
		return decimal{n: new(big.Int), scale: minSignificantDigits}, nil
	}
	out, err := d.abs().fractionalPower(e)
	if d.n.Sign() < 0 && exponent.n.Bit(0) == 1 {
		out = out.neg()
	}
	return out, err
}

// infinitePower raises where one of both is not finite: as POSIX's pow, but that
// there is no negative zero.
func (d decimal) infinitePower(e decimal) (decimal, error) {
	one := intDecimal(1)
	isOne := func(x decimal) bool { return x.special == finite && x.cmp(one) == 0 }
	isZero := func(x decimal) bool { return x.special == finite && x.n.Sign() == 0 }
	switch {
	case isZero(e), isOne(d):
		return one, nil
	case d.special == notANumber || e.special == notANumber:
		return decimal{special: notANumber}, nil
	case isZero(d) && e.sign() < 0:
		return d, errorf(pgerrcode.InvalidArgumentForPowerFunction, "zero raised to a negative power is undefined")
	case d.sign() < 0 && e.special == finite && e.trim().scale > 0:
		return d, errorf(pgerrcode.InvalidArgumentForPowerFunction, "a negative number raised to a non-integer power yields a complex result")
	case isZero(d):
		return intDecimal(0), nil
	case e.special != finite && d.special == finite && isOne(d.abs()):
		return one, nil
	case e.special != finite && (d.abs().cmp(one) > 0) == (e.sign() > 0):
		return infinity(1), nil
	case e.special != finite, e.sign() < 0:
		return intDecimal(0), nil
	case d.sign() < 0 && e.trim().n.Bit(0) == 1:
		return infinity(-1), nil
	}
	return infinity(1), nil
}

// Powers are multiplied out up to an exponent and a length of the result; what
// needs more digits than maxDigits is refused, as nothing interrupts it.
const (
	maxExactPower = 1000
	maxExactBits  = 1 << 19
	maxDigits     = 20_000
)

func (d decimal) wholePower(n int64) (decimal, error) {
	scale := shownScale(minSignificantDigits, d.scale)
	switch {
	case d.n.Sign() == 0 && n > 0:
		return decimal{n: new(big.Int), scale: scale}, nil
	case abs(n) > maxExactPower && (d.scale > 0 || n < 0) || int64(d.n.BitLen()+d.scale)*abs(n) > maxExactBits:
		return d.greatPower(n, scale)
	}
	power := decimal{n: new(big.Int).Exp(d.n, big.NewInt(abs(n)), nil), scale: d.scale * int(abs(n))}
	if n >= 0 {
		return power.round(scale), nil
	}
	return intDecimal(1).divTo(power, scale), nil
}

func (d decimal) greatPower(n int64, scale int) (decimal, error) {
	f, exponent := d.leading()
	weight := (math.Log10(f) + float64(exponent)) * float64(n)
	switch {
	case weight > maxWeight:
		return d, errNumericOverflow()
	case weight < -float64(scale)-guardDigits:
		return decimal{n: new(big.Int), scale: scale}, nil
	}
	digits := scale + int(math.Abs(weight)) + len(d.n.Text(10)) + guardDigits
	if digits > maxDigits {
		return d, errTooManyDigits()
	}
	x := logarithm(d.abs().binary(digits))
	out := decimalOf(exponential(x.Mul(x, new(big.Float).SetInt64(n))), scale)
	if d.n.Sign() < 0 && n%2 != 0 {
		out = out.neg()
	}
	return out, nil
}

func (d decimal) fractionalPower(e decimal) (decimal, error) {
	low := len(d.n.Text(10)) + len(e.n.Text(10)) + guardDigits
	if low > maxDigits {
		return d, errTooManyDigits()
	}
	// The estimate has eight digits, as in numeric.c: they decide the scale.
	estimateScale := max(8-d.lnWeight(), 0)
	product := decimalOf(logarithm(d.binary(low)), estimateScale).mul(e).round(estimateScale)
	estimate, _ := product.binary(low).Float64()
	if math.Abs(estimate) > maxResultWeight*3.01 {
		if estimate > 0 {
			return d, errNumericOverflow()
		}
		return decimal{n: new(big.Int), scale: maxDisplayScale}, nil
	}
	weight := estimate * log10OfE
	scale := shownScale(minSignificantDigits-int(weight), d.scale, e.scale)
	digits := scale + int(math.Abs(weight)) + low
	x := logarithm(d.binary(digits))
	return decimalOf(exponential(x.Mul(x, e.binary(digits))), scale), nil
}
