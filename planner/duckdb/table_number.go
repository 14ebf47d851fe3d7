package duckdb

import (
	"fmt"
)

const (
	integers = "int2 int4 int8"
	floats   = "float4 float8"
)

// addNumbers: arithmetic on integers and floats. DuckDB checks the range of
// integer sums and products itself; the rest is scalar.c's.
func (t *tables) addNumbers() {
	eachPair(integers, func(a, b string) {
		wide := max(a, b)
		for _, o := range []string{"+", "-", "*"} {
			t.operator(sig(o, a, b), template("("+widen("$1", a, wide)+" "+o+" "+widen("$2", b, wide)+")"))
		}
		t.operator(sig("/", a, b), template(fmt.Sprintf("fg_div_%s(%s, %s)", wide, widen("$1", a, wide), widen("$2", b, wide))))
	})
	each(integers, func(a string) {
		mod := template("fg_mod_" + a + "($1, $2)")
		t.operator(sig("%", a, a), mod)
		t.function(sig("mod", a, a), mod)
		// Written out, so that an overflow names the type.
		minus := "(CAST(0 AS " + map[string]string{"int2": "SMALLINT", "int4": "INTEGER", "int8": "BIGINT"}[a] + ") - $1)"
		t.both(sig("-", a), a+"um", template(minus))
		t.operator(sig("+", a), template("$1"))
		abs := template("abs($1)")
		t.operator(sig("@", a), abs)
		t.function(sig("abs", a), abs)
		for _, o := range []string{"&", "|"} {
			t.operator(sig(o, a, a), template("($1 "+o+" $2)"))
		}
		t.operator(sig("#", a, a), template("xor($1, $2)"))
		t.operator(sig("~", a), template("(~$1)"))
		t.operator(sig("<<", a, "int4"), template("fg_shl_"+a+"($1, $2)"))
		t.operator(sig(">>", a, "int4"), template("fg_shr_"+a+"($1, $2)"))
	})
	eachPair(floats, func(a, b string) {
		wide := max(a, b)
		for o, f := range map[string]string{"+": "add", "-": "sub", "*": "mul", "/": "div"} {
			t.operator(sig(o, a, b), template(fmt.Sprintf("fg_%s_%s(%s, %s)", f, wide, widen("$1", a, wide), widen("$2", b, wide))))
		}
	})
	each(floats, func(a string) {
		t.operator(sig("-", a), template("(-$1)"))
		t.operator(sig("+", a), template("$1"))
		t.operator(sig("@", a), template("abs($1)"))
		t.function(sig("abs", a), template("abs($1)"))
	})
	each("gcd lcm", func(f string) {
		each("int4 int8", func(a string) {
			p := map[string]string{"int4": "INTEGER", "int8": "BIGINT"}[a]
			t.function(sig(f, a, a), template("CAST("+f+"(CAST($1 AS HUGEINT), CAST($2 AS HUGEINT)) AS "+p+")"))
		})
	})
}

// widen casts an argument to the wider of two types.
func widen(arg, from, to string) string {
	if from == to {
		return arg
	}
	return "CAST(" + arg + " AS " + map[string]string{"int4": "INTEGER", "int8": "BIGINT", "float8": "DOUBLE"}[to] + ")"
}

// addMath: functions of floats.
func (t *tables) addMath() {
	t.functionTexts(
		"ceil(float8)", "ceil($1)", "ceiling(float8)", "ceil($1)", "floor(float8)", "floor($1)",
		"round(float8)", "fg_round_even($1)", "trunc(float8)", "trunc($1)",
		"sign(float8)", "fg_float8_sign($1)", "pi()", "pi()", "degrees(float8)", "fg_degrees($1)", "radians(float8)", "fg_radians($1)",
		"sin(float8)", "fg_sin($1)", "cos(float8)", "fg_cos($1)", "tan(float8)", "fg_tan($1)", "cot(float8)", "fg_cot($1)",
		"asin(float8)", "fg_asin($1)", "acos(float8)", "fg_acos($1)", "atan(float8)", "atan($1)", "atan2(float8, float8)", "atan2($1, $2)",
		"sinh(float8)", "fg_sinh($1)", "cosh(float8)", "fg_cosh($1)", "tanh(float8)", "tanh($1)",
		"asinh(float8)", "fg_asinh($1)", "acosh(float8)", "fg_acosh($1)", "atanh(float8)", "fg_atanh($1)", "sind(float8)", "fg_sind($1)", "cosd(float8)", "fg_cosd($1)",
		"tand(float8)", "fg_tand($1)", "cotd(float8)", "fg_cotd($1)", "asind(float8)", "fg_asind($1)", "acosd(float8)", "fg_acosd($1)", "atand(float8)", "fg_atand($1)",
		"atan2d(float8, float8)", "fg_atan2d($1, $2)",
		"sqrt(float8)", "fg_sqrt($1)", "dsqrt(float8)", "fg_sqrt($1)", "cbrt(float8)", "cbrt($1)", "dcbrt(float8)", "cbrt($1)",
		"exp(float8)", "fg_exp($1)", "ln(float8)", "fg_ln($1)", "log(float8)", "fg_log10($1)", "log10(float8)", "fg_log10($1)",
		"power(float8, float8)", "fg_power($1, $2)", "pow(float8, float8)", "fg_power($1, $2)", "random()", "random()",
		"width_bucket(float8, float8, float8, int4)", "fg_width_bucket($1, $2, $3, $4)",
	)
	t.operatorTexts(
		"|/(float8)", "fg_sqrt($1)", "||/(float8)", "cbrt($1)", "^(float8, float8)", "fg_power($1, $2)",
	)
}

// addNumerics: numeric in both its forms; see physical.go.
func (t *tables) addNumerics() {
	t.operator("+(numeric, numeric)", decimalSum("+", "add"))
	t.operator("-(numeric, numeric)", decimalSum("-", "sub"))
	t.operator("*(numeric, numeric)", decimalProduct)
	t.operator("-(numeric)", decimalSign("(-%s)", "fg_numeric_neg(%s)"))
	t.operator("@(numeric)", decimalSign("abs(%s)", "fg_numeric_abs(%s)"))
	t.function("abs(numeric)", decimalSign("abs(%s)", "fg_numeric_abs(%s)"))
	t.operator("+(numeric)", func(s *site) printed { return s.args[0] })
	t.operatorTexts("/(numeric, numeric)", "fg_numeric_div($1, $2)", "%(numeric, numeric)", "fg_numeric_mod($1, $2)")
	t.functionTexts(
		"mod(numeric, numeric)", "fg_numeric_mod($1, $2)", "div(numeric, numeric)", "fg_numeric_quo($1, $2)",
		"gcd(numeric, numeric)", "fg_numeric_gcd($1, $2)", "lcm(numeric, numeric)", "fg_numeric_lcm($1, $2)",
		"sign(numeric)", "fg_numeric_sign($1)", "sqrt(numeric)", "fg_numeric_sqrt($1)",
		"ceil(numeric)", "fg_numeric_ceil($1)", "ceiling(numeric)", "fg_numeric_ceil($1)", "floor(numeric)", "fg_numeric_floor($1)",
		"trim_scale(numeric)", "fg_numeric_trim($1)", "scale(numeric)", "fg_numeric_scale($1)", "min_scale(numeric)", "fg_numeric_min_scale($1)",
		"round(numeric, int4)", "fg_numeric_round($1, $2)", "trunc(numeric, int4)", "fg_numeric_trunc($1, $2)",
		"round(numeric)", "fg_numeric_round($1, 0)", "trunc(numeric)", "fg_numeric_trunc($1, 0)",
		"exp(numeric)", "fg_numeric_exp($1)", "ln(numeric)", "fg_numeric_ln($1)", "log(numeric, numeric)", "fg_numeric_log($1, $2)",
		"log(numeric)", "fg_numeric_log('10', $1)", "log10(numeric)", "fg_numeric_log('10', $1)",
		"power(numeric, numeric)", "fg_numeric_power($1, $2)", "pow(numeric, numeric)", "fg_numeric_power($1, $2)",
		"factorial(int8)", "fg_numeric_factorial($1)", "numeric_inc(numeric)", "fg_numeric_add($1, '1')",
		"width_bucket(numeric, numeric, numeric, int4)", "fg_numeric_width_bucket($1, $2, $3, $4)",
	)
	t.operatorTexts("^(numeric, numeric)", "fg_numeric_power($1, $2)")
}

// decimalSum adds: the greater scale is the result's.
func decimalSum(operator, function string) entry {
	return func(s *site) printed {
		a, b := s.args[0], s.args[1]
		if a.scale == asText || b.scale == asText {
			return printed{s.fill("fg_numeric_" + function + "($1, $2)"), asText}
		}
		scale := max(a.scale, b.scale)
		return printed{"(" + s.p.rescale(a, scale).sql + " " + operator + " " + s.p.rescale(b, scale).sql + ")", scale}
	}
}

// decimalProduct multiplies: scales add up.
func decimalProduct(s *site) printed {
	a, b := s.args[0], s.args[1]
	if a.scale == asText || b.scale == asText || a.scale+b.scale > maxScale {
		return printed{s.fill("fg_numeric_mul($1, $2)"), asText}
	}
	return printed{"(" + a.sql + " * " + b.sql + ")", a.scale + b.scale}
}

func decimalSign(decimal, text string) entry {
	return func(s *site) printed {
		a := s.args[0]
		if a.scale == asText {
			return printed{fmt.Sprintf(text, a.sql), asText}
		}
		return printed{fmt.Sprintf(decimal, a.sql), a.scale}
	}
}

// addNumberCasts: casts among numbers and bool.
func (t *tables) addNumberCasts() {
	physicals := map[string]string{"int2": "SMALLINT", "int4": "INTEGER", "int8": "BIGINT", "float4": "FLOAT", "float8": "DOUBLE"}
	eachPair(integers+" "+floats, func(from, to string) {
		pair := from + "->" + to
		switch {
		case from == to:
		case from[0] == 'i' && to[0] == 'i' && from > to:
			t.castTexts(pair, fmt.Sprintf("CAST($1 AS %s) | TRY_CAST($1 AS %s)", physicals[to], physicals[to]))
		case from[0] == 'f' && to[0] == 'i', from == "float8" && to == "float4":
			t.castTexts(pair, fmt.Sprintf("fg_%s_of_%s($1) | fg_try_%s_of_%s($1)", to, from, to, from))
		default:
			t.castTexts(pair, fmt.Sprintf("CAST($1 AS %s)", physicals[to]))
		}
	})
	each(integers, func(a string) {
		t.cast(a+"->numeric", func(s *site) printed {
			return printed{s.fill(fmt.Sprintf("CAST($1 AS DECIMAL(%d,0))", decimalWidth)), 0}
		})
		t.castTexts("numeric->"+a, fmt.Sprintf("fg_%s_of_numeric($1) | fg_try_%s_of_numeric($1)", a, a))
	})
	each(floats, func(a string) {
		t.castTexts(a+"->numeric", "fg_numeric_of_"+a+"($1)")
		t.cast("numeric->"+a, numericToFloat(a))
	})
	t.castTexts(
		"bool->int4", "CAST($1 AS INTEGER)", "int4->bool", "($1 <> 0)",
		"int2->oid", "CAST(CASE WHEN $1 < 0 THEN 4294967296 + $1 ELSE $1 END AS BIGINT)",
		"int4->oid", "CAST(CASE WHEN $1 < 0 THEN 4294967296 + $1 ELSE $1 END AS BIGINT)",
		"int8->oid", "CAST(CAST($1 AS UINTEGER) AS BIGINT) | CAST(TRY_CAST($1 AS UINTEGER) AS BIGINT)",
		"oid->int8", "$1", "oid->int4", "CAST($1 AS INTEGER) | TRY_CAST($1 AS INTEGER)",
	)
}

// exactIntegers is 2^53: up to it a double holds every integer, and so dividing
// by a power of ten rounds once, as reading the digits would.
const exactIntegers = 1 << 53

// numericToFloat converts. A decimal that is a constant is read as a float.
func numericToFloat(to string) entry {
	return func(s *site) printed {
		a := s.args[0]
		if a.scale == asText || to == "float4" {
			function := "fg_" + to + "_of_numeric"
			if s.try {
				function = tryName(function)
			}
			return printed{sql: function + "(" + s.text(0) + ")"}
		}
		limit := fmt.Sprintf("CAST(%d AS DECIMAL(%d,%d))", exactIntegers/pow10(a.scale), decimalWidth, a.scale)
		return printed{sql: fmt.Sprintf("(CASE WHEN abs(%s) < %s THEN CAST(%s AS DOUBLE) ELSE CAST(CAST(%s AS VARCHAR) AS DOUBLE) END)", a.sql, limit, a.sql, a.sql)}
	}
}

func pow10(n int) int64 {
	out := int64(1)
	for range n {
		out *= 10
	}
	return out
}
