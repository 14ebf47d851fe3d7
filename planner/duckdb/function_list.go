package duckdb

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
)

// arithmeticFunctions are those of scalar.c.
const arithmeticFunctions = `
fg_add_float8(DOUBLE, DOUBLE) DOUBLE
fg_sub_float8(DOUBLE, DOUBLE) DOUBLE
fg_mul_float8(DOUBLE, DOUBLE) DOUBLE
fg_div_float8(DOUBLE, DOUBLE) DOUBLE
fg_first(DOUBLE, DOUBLE) DOUBLE
fg_line(DOUBLE, SMALLINT) DOUBLE
fg_add_float4(FLOAT, FLOAT) FLOAT
fg_sub_float4(FLOAT, FLOAT) FLOAT
fg_mul_float4(FLOAT, FLOAT) FLOAT
fg_div_float4(FLOAT, FLOAT) FLOAT
fg_div_int2(SMALLINT, SMALLINT) SMALLINT
fg_div_int4(INTEGER, INTEGER) INTEGER
fg_div_int8(BIGINT, BIGINT) BIGINT
fg_mod_int2(SMALLINT, SMALLINT) SMALLINT
fg_mod_int4(INTEGER, INTEGER) INTEGER
fg_mod_int8(BIGINT, BIGINT) BIGINT
fg_sin(DOUBLE) DOUBLE
fg_cos(DOUBLE) DOUBLE
fg_tan(DOUBLE) DOUBLE
fg_cot(DOUBLE) DOUBLE
fg_asin(DOUBLE) DOUBLE
fg_acos(DOUBLE) DOUBLE
fg_sinh(DOUBLE) DOUBLE
fg_cosh(DOUBLE) DOUBLE
fg_asinh(DOUBLE) DOUBLE
fg_acosh(DOUBLE) DOUBLE
fg_atanh(DOUBLE) DOUBLE
fg_sind(DOUBLE) DOUBLE
fg_cosd(DOUBLE) DOUBLE
fg_tand(DOUBLE) DOUBLE
fg_cotd(DOUBLE) DOUBLE
fg_asind(DOUBLE) DOUBLE
fg_acosd(DOUBLE) DOUBLE
fg_atand(DOUBLE) DOUBLE
fg_atan2d(DOUBLE, DOUBLE) DOUBLE
fg_float8_sign(DOUBLE) DOUBLE
fg_degrees(DOUBLE) DOUBLE
fg_radians(DOUBLE) DOUBLE
fg_sqrt(DOUBLE) DOUBLE
fg_exp(DOUBLE) DOUBLE
fg_ln(DOUBLE) DOUBLE
fg_log10(DOUBLE) DOUBLE
fg_power(DOUBLE, DOUBLE) DOUBLE
fg_shl_int2(SMALLINT, INTEGER) SMALLINT
fg_shl_int4(INTEGER, INTEGER) INTEGER
fg_shl_int8(BIGINT, INTEGER) BIGINT
fg_shr_int2(SMALLINT, INTEGER) SMALLINT
fg_shr_int4(INTEGER, INTEGER) INTEGER
fg_shr_int8(BIGINT, INTEGER) BIGINT
fg_certain(DOUBLE) DOUBLE
fg_moderate(DOUBLE) DOUBLE
fg_round_even(DOUBLE) DOUBLE
fg_int2_of_float8(DOUBLE) SMALLINT
fg_int4_of_float8(DOUBLE) INTEGER
fg_int8_of_float8(DOUBLE) BIGINT
fg_int2_of_float4(FLOAT) SMALLINT
fg_int4_of_float4(FLOAT) INTEGER
fg_int8_of_float4(FLOAT) BIGINT
fg_float4_of_float8(DOUBLE) FLOAT
fg_try_int2_of_float8(DOUBLE) SMALLINT
fg_try_int4_of_float8(DOUBLE) INTEGER
fg_try_int8_of_float8(DOUBLE) BIGINT
fg_try_int2_of_float4(FLOAT) SMALLINT
fg_try_int4_of_float4(FLOAT) INTEGER
fg_try_int8_of_float4(FLOAT) BIGINT
fg_try_float4_of_float8(DOUBLE) FLOAT
fg_timestamp_field(INTEGER, TIMESTAMP) BIGINT
fg_interval_field(INTEGER, INTERVAL) BIGINT
`

// functions are all functions of ours, built once.
var functions = sync.OnceValues(func() ([]*function, error) { //nolint:gochecknoglobals // a lookup table
	var out []*function
	var errs []error
	add := func(signature string, eval func(c *call) error) {
		f, err := parseFunction(signature, eval)
		errs = append(errs, err)
		out = append(out, f)
	}
	for signature := range strings.SplitSeq(strings.TrimSpace(arithmeticFunctions), "\n") {
		add(signature, nil)
	}
	for _, d := range []definitions{
		numericFunctions(), mathFunctions(), textFunctions(), byteFunctions(), partFunctions(), patternFunctions(),
		zoneFunctions(), timeFunctions(), datePartFunctions(), timeTZFunctions(), intervalFunctions(), makeFunctions(), formatFunctions(), outputFunctions(), styledFunctions(),
		jsonFunctions(), pathFunctions(), textSearchFunctions(), inetFunctions(), macFunctions(), rangeFunctions(), bitFunctions(), shapedFunctions(), recordFunctions(), catalogFunctions(), supportFunctions(),
	} {
		for _, signature := range slices.Sorted(maps.Keys(d)) {
			add(signature, d[signature])
		}
	}
	for _, d := range []definitions{numericConversions(), inputFunctions()} {
		for _, signature := range slices.Sorted(maps.Keys(d)) {
			eval := d[signature]
			add(signature, eval)
			add(tryName(signature), func(c *call) error {
				if err := eval(c); err != nil {
					c.isSet = false
				}
				return nil
			})
		}
	}
	add("fg_raise(VARCHAR, VARCHAR) VARCHAR", func(c *call) error {
		return errorf(strings.Clone(c.text(0)), "%s", c.text(1))
	})
	return out, errors.Join(errs...)
})

// tryName is the name of the form that gives NULL for what it refuses.
func tryName(name string) string { return "fg_try_" + strings.TrimPrefix(name, "fg_") }
