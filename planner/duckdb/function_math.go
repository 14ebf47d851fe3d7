package duckdb

import (
	"math"

	"github.com/jackc/pgerrcode"
)

// mathFunctions are those that put values into buckets.
func mathFunctions() definitions {
	return definitions{
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
			switch nan, infinite := notANumber, func(d decimal) bool { return d.special != finite }; {
			case c.int4(3) <= 0: // said below
			case x.special == nan || low.special == nan || high.special == nan:
				return errorf(pgerrcode.InvalidArgumentForWidthBucketFunction, "operand, lower bound, and upper bound cannot be NaN")
			case infinite(low) || infinite(high):
				return errorf(pgerrcode.InvalidArgumentForWidthBucketFunction, "lower and upper bounds must be finite")
			}
			return bucket(c, c.int4(3), x.cmp(low), x.cmp(high), low.cmp(high), func(n int32) int32 {
				q, err := x.add(low.neg()).mul(intDecimal(int64(n))).quo(high.add(low.neg()))
				if err != nil {
					return 0
				}
				return int32(q.n.Int64()) + 1
			})
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
