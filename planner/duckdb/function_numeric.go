package duckdb

import (
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

func (c *call) decimal(i int) decimal    { return parseDecimal(c.text(i)) }
func (c *call) setDecimal(d decimal)     { c.isSet, c.result.text = true, d.append(c.result.text) }
func (c *call) decimals(i int) []decimal { return listOf(c, i, parseDecimal) }

// setChecked sets a value that has no more digits than there may be.
func (c *call) setChecked(d decimal) error {
	d, err := d.checked()
	if err == nil {
		c.setDecimal(d)
	}
	return err
}

// numericFunctions compute with numerics as text; see physical.go.
func numericFunctions() definitions {
	two := func(op func(a, b decimal) (decimal, error)) func(c *call) error {
		return func(c *call) error {
			d, err := op(c.decimal(0), c.decimal(1))
			if err == nil {
				err = c.setChecked(d)
			}
			return err
		}
	}
	always := func(op func(a, b decimal) decimal) func(c *call) error {
		return two(func(a, b decimal) (decimal, error) { return op(a, b), nil })
	}
	one := func(op func(a decimal) decimal) func(c *call) error {
		return func(c *call) error { c.setDecimal(op(c.decimal(0))); return nil }
	}
	oneFallible := func(op func(a decimal) (decimal, error)) func(c *call) error {
		return func(c *call) error {
			d, err := op(c.decimal(0))
			if err == nil {
				err = c.setChecked(d)
			}
			return err
		}
	}
	return definitions{
		"fg_numeric_add(VARCHAR, VARCHAR) VARCHAR": always(decimal.add),
		"fg_numeric_sub(VARCHAR, VARCHAR) VARCHAR": always(func(a, b decimal) decimal { return a.add(b.neg()) }),
		"fg_numeric_mul(VARCHAR, VARCHAR) VARCHAR": always(decimal.mul),
		"fg_numeric_div(VARCHAR, VARCHAR) VARCHAR": two(decimal.div),
		"fg_numeric_mod(VARCHAR, VARCHAR) VARCHAR": two(decimal.mod),
		"fg_numeric_quo(VARCHAR, VARCHAR) VARCHAR": two(decimal.quo),
		"fg_numeric_gcd(VARCHAR, VARCHAR) VARCHAR": always(gcd),
		"fg_numeric_lcm(VARCHAR, VARCHAR) VARCHAR": always(lcm),
		"fg_numeric_neg(VARCHAR) VARCHAR":          one(decimal.neg),
		"fg_numeric_abs(VARCHAR) VARCHAR":          one(decimal.abs),
		"fg_numeric_floor(VARCHAR) VARCHAR":        one(decimal.floor),
		"fg_numeric_ceil(VARCHAR) VARCHAR":         one(decimal.ceil),
		"fg_numeric_trim(VARCHAR) VARCHAR":         one(decimal.trim),
		"fg_numeric_sign(VARCHAR) VARCHAR": one(func(a decimal) decimal {
			if a.special == notANumber {
				return a
			}
			return intDecimal(int64(a.sign()))
		}),
		"fg_numeric_factorial(BIGINT) VARCHAR": func(c *call) error {
			switch n := c.int8(0); {
			case n < 0:
				return errorf(pgerrcode.NumericValueOutOfRange, "factorial of a negative number is undefined")
			case n > maxFactorial:
				return errNumericOverflow()
			default:
				c.setDecimal(decimal{n: new(big.Int).MulRange(1, n)})
			}
			return nil
		},
		"fg_numeric_series(VARCHAR, VARCHAR, VARCHAR) VARCHAR[]": numericSeries,
		"fg_numeric_sqrt(VARCHAR) VARCHAR":                       oneFallible(decimal.sqrt),
		"fg_numeric_exp(VARCHAR) VARCHAR":                        oneFallible(decimal.exp),
		"fg_numeric_ln(VARCHAR) VARCHAR":                         oneFallible(decimal.ln),
		"fg_numeric_log(VARCHAR, VARCHAR) VARCHAR":               two(decimal.log),
		"fg_numeric_power(VARCHAR, VARCHAR) VARCHAR":             two(decimal.power),
		"fg_numeric_round(VARCHAR, INTEGER) VARCHAR": func(c *call) error {
			return c.setChecked(c.decimal(0).round(int(c.int4(1))))
		},
		"fg_numeric_trunc(VARCHAR, INTEGER) VARCHAR": func(c *call) error {
			c.setDecimal(c.decimal(0).trunc(int(c.int4(1))))
			return nil
		},
		"fg_numeric_key(VARCHAR) BLOB": func(c *call) error {
			c.isSet, c.result.text = true, c.decimal(0).key(c.result.text)
			return nil
		},
		"fg_numeric_scale(VARCHAR) INTEGER": func(c *call) error {
			if d := c.decimal(0); d.special == finite {
				c.setInt4(int32(d.scale))
			}
			return nil
		},
		"fg_numeric_min_scale(VARCHAR) INTEGER": func(c *call) error {
			if d := c.decimal(0); d.special == finite {
				c.setInt4(int32(d.trim().scale))
			}
			return nil
		},
		"fg_numeric_greatest(VARCHAR[]) VARCHAR": extreme(1),
		"fg_numeric_least(VARCHAR[]) VARCHAR":    extreme(-1),
		"fg_numeric_sum(VARCHAR[]) VARCHAR":      sumDecimals,
		"fg_numeric_squares(VARCHAR[]) VARCHAR": func(c *call) error {
			sum := intDecimal(0)
			for _, d := range c.decimals(0) {
				sum = sum.add(d.mul(d))
			}
			c.setDecimal(sum)
			return nil
		},
		"fg_numeric_variance(BIGINT, VARCHAR, VARCHAR, BOOLEAN, BOOLEAN) VARCHAR": variance,
	}
}

// numericConversions have forms that give NULL for what they refuse.
func numericConversions() definitions {
	return definitions{
		"fg_numeric_of_float8(DOUBLE) VARCHAR": func(c *call) error {
			c.setDecimal(floatDecimal(c.float8(0), float8DecimalDigits))
			return nil
		},
		"fg_numeric_of_float4(FLOAT) VARCHAR": func(c *call) error {
			c.setDecimal(floatDecimal(float64(arg[float32](c, 0)), float4DecimalDigits))
			return nil
		},
		"fg_float8_of_numeric(VARCHAR) DOUBLE": func(c *call) error {
			f, err := decimalFloat(c.text(0), 64, "double precision")
			if err == nil {
				c.setFloat8(f)
			}
			return err
		},
		"fg_float4_of_numeric(VARCHAR) FLOAT": func(c *call) error {
			f, err := decimalFloat(c.text(0), 32, "real")
			if err == nil {
				c.setFloat4(float32(f))
			}
			return err
		},
		"fg_int2_of_numeric(VARCHAR) SMALLINT": func(c *call) error {
			n, err := decimalInt(c.decimal(0), 16, "smallint")
			if err == nil {
				c.setInt2(int16(n))
			}
			return err
		},
		"fg_int4_of_numeric(VARCHAR) INTEGER": func(c *call) error {
			n, err := decimalInt(c.decimal(0), 32, "integer")
			if err == nil {
				c.setInt4(int32(n))
			}
			return err
		},
		"fg_int8_of_numeric(VARCHAR) BIGINT": func(c *call) error {
			n, err := decimalInt(c.decimal(0), 64, "bigint")
			if err == nil {
				c.setInt8(n)
			}
			return err
		},
		"fg_numeric_typmod(VARCHAR, INTEGER, INTEGER) VARCHAR": func(c *call) error {
			d, err := applyPrecision(c.decimal(0), int(c.int4(1)), int(c.int4(2)))
			if err == nil {
				c.setDecimal(d)
			}
			return err
		},
		"fg_numeric_distance(VARCHAR) VARCHAR": func(c *call) error {
			d, err := windowDistance(c.decimal(0))
			if err == nil {
				c.setDecimal(d)
			}
			return err
		},
		"fg_numeric_in(VARCHAR) VARCHAR": func(c *call) error {
			d, err := postgres.ParseLiteral(postgres.NumericOID, -1, c.text(0), postgres.Env{})
			if err == nil {
				c.setText(d.Str)
			}
			return err
		},
	}
}

// Where infinity and NaN stand among numerics of at most 18 whole digits to which an
// offset of as many is added: further away than that reaches.
const (
	distanceInfinity = 10_000_000_000_000_000_000
	distanceNaN      = 30_000_000_000_000_000_000
	distanceDigits   = 18
)

// windowDistance is a numeric as a decimal of one scale to which the offset of a RANGE is
// added, refused where it has too many digits for that.
func windowDistance(d decimal) (decimal, error) {
	far := func(n uint64) decimal { return decimal{n: new(big.Int).SetUint64(n)} }
	switch d.special {
	case notANumber:
		return decimal{n: new(big.Int).Mul(big.NewInt(distanceNaN/10), bigTen)}, nil
	case positiveInfinity:
		return far(distanceInfinity), nil
	case negativeInfinity:
		return far(distanceInfinity).neg(), nil
	}
	if d = d.trim(); d.scale > maxScale || d.abs().cmp(intDecimal(pow10(distanceDigits))) >= 0 {
		return decimal{}, unsupported("RANGE with an offset over numeric values of more than %d digits before or behind the point", distanceDigits)
	}
	return d, nil
}

// The digits that a float keeps as a numeric (DBL_DIG and FLT_DIG).
const (
	float8DecimalDigits = 15
	float4DecimalDigits = 6
)

func floatDecimal(f float64, digits int) decimal {
	switch {
	case math.IsNaN(f):
		return decimal{special: notANumber}
	case math.IsInf(f, 0):
		return infinity(int(math.Copysign(1, f)))
	}
	text := strconv.FormatFloat(f, 'e', digits-1, 64)
	mantissa, exponent := text, 0
	for i := range text {
		if text[i] == 'e' {
			mantissa = text[:i]
			exponent, _ = strconv.Atoi(text[i+1:]) // written by FormatFloat
		}
	}
	d := parseDecimal(mantissa).trim()
	d.scale -= exponent
	if d.scale < 0 {
		d = decimal{n: new(big.Int).Mul(d.n, tenTo(-d.scale))}
	}
	return d
}

func decimalFloat(text string, bits int, typ string) (float64, error) {
	f, err := strconv.ParseFloat(text, bits)
	if err != nil {
		return 0, errorf(pgerrcode.NumericValueOutOfRange, "%q is out of range for type %s", text, typ)
	}
	return f, nil
}

func decimalInt(d decimal, bits int, typ string) (int64, error) {
	switch d.special {
	case notANumber:
		return 0, errorf(pgerrcode.FeatureNotSupported, "cannot convert NaN to %s", typ)
	case positiveInfinity, negativeInfinity:
		return 0, errorf(pgerrcode.FeatureNotSupported, "cannot convert infinity to %s", typ)
	}
	n := d.round(0).n
	if !n.IsInt64() || n.Int64() > 1<<(bits-1)-1 || n.Int64() < -1<<(bits-1) {
		return 0, errorf(pgerrcode.NumericValueOutOfRange, "%s out of range", typ)
	}
	return n.Int64(), nil
}

// applyPrecision rounds to numeric(precision, scale).
func applyPrecision(d decimal, precision, scale int) (decimal, error) {
	overflow := func(detail string) error {
		e := errorf(pgerrcode.NumericValueOutOfRange, "numeric field overflow")
		e.Detail = detail
		return e
	}
	field := fmt.Sprintf("A field with precision %d, scale %d", precision, scale)
	switch d.special {
	case notANumber:
		return d, nil
	case positiveInfinity, negativeInfinity:
		return d, overflow(field + " cannot hold an infinite value.")
	}
	d = d.round(scale)
	limit := intDecimal(1)
	if whole := precision - scale; whole >= 0 {
		limit.n = tenTo(whole)
	} else {
		limit.scale = -whole
	}
	if d.abs().cmp(limit) >= 0 {
		bound := "1"
		if precision != scale {
			bound = fmt.Sprintf("10^%d", precision-scale)
		}
		return d, overflow(field + " must round to an absolute value less than " + bound + ".")
	}
	return d, nil
}

// maxFactorial is the number whose factorial still fits.
const maxFactorial = 32177

// numericSeries is generate_series of numerics, with a step.
func numericSeries(c *call) error {
	bounds := [3]decimal{}
	for i, name := range []string{"start value", "stop value", "step size"} {
		bounds[i] = c.decimal(i)
		switch bounds[i].special {
		case finite:
		case notANumber:
			return errorf(pgerrcode.InvalidParameterValue, "%s cannot be NaN", name)
		default:
			return errorf(pgerrcode.InvalidParameterValue, "%s cannot be infinity", name)
		}
	}
	at, stop, step := bounds[0], bounds[1], bounds[2]
	if step.sign() == 0 || step.n.Sign() == 0 {
		return errorf(pgerrcode.InvalidParameterValue, "step size cannot equal zero")
	}
	list, size := [][]byte{}, 0
	for ; at.cmp(stop)*step.n.Sign() <= 0; at = at.add(step) {
		text := at.append(nil)
		if size += len(text); size > maxResult {
			return tooLarge()
		}
		list = append(list, text)
	}
	c.setList(list)
	return nil
}

func gcd(a, b decimal) decimal {
	s, ok := specials(a, b, func(special, special) decimal { return decimal{special: notANumber} })
	if ok {
		return s
	}
	x, y, scale := aligned(a, b)
	return decimal{n: new(big.Int).GCD(nil, nil, new(big.Int).Abs(x), new(big.Int).Abs(y)), scale: scale}
}

func lcm(a, b decimal) decimal {
	g := gcd(a, b)
	if g.special != finite {
		return g
	}
	x, y, scale := aligned(a, b)
	if g.n.Sign() == 0 {
		return decimal{n: new(big.Int), scale: scale}
	}
	n := new(big.Int).Mul(x, new(big.Int).Quo(y, g.n))
	return decimal{n: n.Abs(n), scale: scale}
}

func extreme(sign int) func(c *call) error {
	return func(c *call) error {
		var best decimal
		for i, d := range c.decimals(0) {
			if i == 0 || d.cmp(best)*sign > 0 {
				best = d
			}
			c.isSet = true
		}
		if c.isSet {
			c.setDecimal(best)
		}
		return nil
	}
}

func sumDecimals(c *call) error {
	ds := c.decimals(0)
	if len(ds) == 0 {
		return nil
	}
	sum := ds[0]
	for _, d := range ds[1:] {
		sum = sum.add(d)
	}
	c.setDecimal(sum)
	return nil
}

// variance computes variances and deviations from the number of values, their
// sum and that of their squares (numeric_stddev_internal in numeric.c).
func variance(c *call) error {
	n, sum, squares := c.int8(0), c.decimal(1), c.decimal(2)
	sample, root := c.boolean(3), c.boolean(4)
	if n == 0 || sample && n == 1 {
		return nil
	}
	if sum.special != finite || squares.special != finite {
		c.setDecimal(decimal{special: notANumber})
		return nil
	}
	numerator := intDecimal(n).mul(squares).add(sum.mul(sum).neg())
	if numerator.sign() <= 0 {
		c.setDecimal(intDecimal(0))
		return nil
	}
	divisor := intDecimal(n).mul(intDecimal(n))
	if sample {
		divisor = intDecimal(n).mul(intDecimal(n - 1))
	}
	scale := divScale(numerator, divisor)
	out := numerator.divTo(divisor, scale)
	if root {
		out = out.sqrtTo(scale)
	}
	c.setDecimal(out)
	return nil
}
