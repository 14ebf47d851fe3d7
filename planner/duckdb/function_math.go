package duckdb

import (
	"math"
	"math/big"

	"github.com/jackc/pgerrcode"
)

// mathFunctions are those of float8 with PostgreSQL's errors (float.c), and some
// of numeric.
func mathFunctions() definitions {
	one := func(f func(x float64) (float64, error)) func(c *call) error {
		return func(c *call) error {
			v, err := f(c.float8(0))
			if err == nil {
				c.setFloat8(v)
			}
			return err
		}
	}
	// finiteIn refuses infinite arguments, as trigonometry does.
	finiteIn := func(f func(x float64) float64) func(c *call) error {
		return one(func(x float64) (float64, error) {
			if math.IsInf(x, 0) {
				return 0, errorf(pgerrcode.NumericValueOutOfRange, "input is out of range")
			}
			return f(x), nil
		})
	}
	arc := func(f func(x float64) float64) func(c *call) error {
		return one(func(x float64) (float64, error) {
			if x < -1 || x > 1 {
				return 0, errorf(pgerrcode.NumericValueOutOfRange, "input is out of range")
			}
			return f(x), nil
		})
	}
	logarithm := func(f func(x float64) float64) func(c *call) error {
		return one(func(x float64) (float64, error) {
			switch {
			case x == 0:
				return 0, errorf(pgerrcode.InvalidArgumentForLogarithm, "cannot take logarithm of zero")
			case x < 0:
				return 0, errorf(pgerrcode.InvalidArgumentForLogarithm, "cannot take logarithm of a negative number")
			}
			return f(x), nil
		})
	}
	return definitions{
		"fg_sin(DOUBLE) DOUBLE":  finiteIn(math.Sin),
		"fg_cos(DOUBLE) DOUBLE":  finiteIn(math.Cos),
		"fg_tan(DOUBLE) DOUBLE":  finiteIn(math.Tan),
		"fg_cot(DOUBLE) DOUBLE":  finiteIn(func(x float64) float64 { return 1 / math.Tan(x) }),
		"fg_asin(DOUBLE) DOUBLE": arc(math.Asin),
		"fg_acos(DOUBLE) DOUBLE": arc(math.Acos),
		"fg_sinh(DOUBLE) DOUBLE": one(func(x float64) (float64, error) { return math.Sinh(x), nil }),
		"fg_cosh(DOUBLE) DOUBLE": one(func(x float64) (float64, error) { return math.Cosh(x), nil }),
		"fg_float8_sign(DOUBLE) DOUBLE": one(func(x float64) (float64, error) {
			switch {
			case x > 0:
				return 1, nil
			case x < 0:
				return -1, nil
			}
			return 0, nil
		}),
		"fg_sqrt(DOUBLE) DOUBLE": one(func(x float64) (float64, error) {
			if x < 0 {
				return 0, errorf(pgerrcode.InvalidArgumentForPowerFunction, "cannot take square root of a negative number")
			}
			return math.Sqrt(x), nil
		}),
		"fg_exp(DOUBLE) DOUBLE": one(func(x float64) (float64, error) {
			v := math.Exp(x)
			return v, floatRange(v, math.IsInf(x, 1), math.IsInf(x, -1))
		}),
		"fg_ln(DOUBLE) DOUBLE":            logarithm(math.Log),
		"fg_log10(DOUBLE) DOUBLE":         logarithm(math.Log10),
		"fg_power(DOUBLE, DOUBLE) DOUBLE": powerOfFloats,
		"fg_width_bucket(DOUBLE, DOUBLE, DOUBLE, INTEGER) INTEGER": func(c *call) error {
			low, high := c.float8(1), c.float8(2)
			if math.IsNaN(c.float8(0)) || math.IsNaN(low) || math.IsNaN(high) {
				return errorf(pgerrcode.InvalidArgumentForWidthBucketFunction, "operand, lower bound, and upper bound cannot be NaN")
			}
			if math.IsInf(low, 0) || math.IsInf(high, 0) {
				return errorf(pgerrcode.InvalidArgumentForWidthBucketFunction, "lower and upper bounds must be finite")
			}
			return bucket(c, c.int4(3), compareFloats(c.float8(0), low), compareFloats(c.float8(0), high), compareFloats(low, high), func(n int32) int32 {
				return int32(float64(n)*((c.float8(0)-low)/(high-low))) + 1
			})
		},
		"fg_numeric_width_bucket(VARCHAR, VARCHAR, VARCHAR, INTEGER) INTEGER": func(c *call) error {
			x, low, high := c.decimal(0), c.decimal(1), c.decimal(2)
			if x.special != finite || low.special != finite || high.special != finite {
				return unsupported("width_bucket() of numeric values that are not finite")
			}
			return bucket(c, c.int4(3), x.cmp(low), x.cmp(high), low.cmp(high), func(n int32) int32 {
				q, err := x.add(low.neg()).mul(intDecimal(int64(n))).quo(high.add(low.neg()))
				if err != nil {
					return 0
				}
				return int32(q.n.Int64()) + 1
			})
		},
		"fg_numeric_power(VARCHAR, VARCHAR) VARCHAR": func(c *call) error {
			d, err := c.decimal(0).power(c.decimal(1))
			if err == nil {
				c.setDecimal(d)
			}
			return err
		},
	}
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// bucket is width_bucket, given how the operand and the bounds compare.
func bucket(c *call, count int32, toLow, toHigh, bounds int, inside func(count int32) int32) error {
	switch {
	case count <= 0:
		return errorf(pgerrcode.InvalidArgumentForWidthBucketFunction, "count must be greater than zero")
	case bounds == 0:
		return errorf(pgerrcode.InvalidArgumentForWidthBucketFunction, "lower bound cannot equal upper bound")
	case bounds < 0 && toLow < 0, bounds > 0 && toLow > 0:
		c.setInt4(0)
	case bounds < 0 && toHigh >= 0, bounds > 0 && toHigh <= 0:
		c.setInt4(count + 1)
	default:
		c.setInt4(inside(count))
	}
	return nil
}

// floatRange checks a result: infinite or zero only if the argument allows it.
func floatRange(v float64, mayOverflow, mayUnderflow bool) error {
	switch {
	case math.IsInf(v, 0) && !mayOverflow:
		return errorf(pgerrcode.NumericValueOutOfRange, "value out of range: overflow")
	case v == 0 && !mayUnderflow:
		return errorf(pgerrcode.NumericValueOutOfRange, "value out of range: underflow")
	}
	return nil
}

// powerOfFloats is dpow in float.c.
func powerOfFloats(c *call) error {
	x, y := c.float8(0), c.float8(1)
	switch {
	case x == 0 && y < 0:
		return errorf(pgerrcode.InvalidArgumentForPowerFunction, "zero raised to a negative power is undefined")
	case x < 0 && y != math.Floor(y):
		return errorf(pgerrcode.InvalidArgumentForPowerFunction, "a negative number raised to a non-integer power yields a complex result")
	}
	v := math.Pow(x, y)
	infinite := math.IsInf(x, 0) || math.IsInf(y, 0)
	if err := floatRange(v, infinite, infinite || x == 0); err != nil {
		return err
	}
	c.setFloat8(v)
	return nil
}

// power raises to a whole power, exactly while it is positive (power_var_int in
// numeric.c). Others are refused.
func (d decimal) power(e decimal) (decimal, error) {
	if d.special != finite || e.special != finite {
		return decimal{}, unsupported("power() of numeric values that are not finite")
	}
	exponent := e.trim()
	if exponent.scale != 0 || !exponent.n.IsInt64() {
		return decimal{}, unsupported("power() of numeric with a fraction in the exponent")
	}
	n := exponent.n.Int64()
	switch {
	case d.n.Sign() == 0 && n < 0:
		return decimal{}, errorf(pgerrcode.InvalidArgumentForPowerFunction, "zero raised to a negative power is undefined")
	case n < -maxPower || n > maxPower:
		return decimal{}, unsupported("power() of numeric with so great an exponent")
	}
	scale := powerScale(d, n, e.scale)
	if n >= 0 {
		out := decimal{n: new(big.Int).Exp(d.n, big.NewInt(n), nil), scale: d.scale * int(n)}
		return out.round(scale), nil
	}
	divisor := decimal{n: new(big.Int).Exp(d.n, big.NewInt(-n), nil), scale: d.scale * int(-n)}
	return intDecimal(1).divTo(divisor, scale), nil
}

// maxPower bounds the exponents that are computed exactly.
const maxPower = 1000

// powerScale is the number of digits a power shows: 16 significant ones, and no
// fewer than the arguments have.
func powerScale(d decimal, n int64, exponentScale int) int {
	if d.n.Sign() == 0 {
		return max(minSignificantDigits, d.scale, exponentScale)
	}
	f, _ := new(big.Float).SetInt(new(big.Int).Abs(d.n)).Float64()
	weight := int((math.Log10(f) - float64(d.scale)) * float64(n))
	return min(max(minSignificantDigits-weight, d.scale, exponentScale, 0), maxDisplayScale)
}
