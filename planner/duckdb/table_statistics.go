package duckdb

import (
	"fmt"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Averages of floats, and their sums over whole partitions, have two forms. The first is
// DuckDB's own, which is fast, and fails where an infinity or NaN may be among the values,
// where the result is out of range, or is a zero that may be -0. Then the statement is
// printed and run again in the second, careful form, which looks at every value and
// answers as PostgreSQL does.

// sumOfFloats is a sum by moments.c, but over whole partitions, for which that would be
// asked anew for every row.
func sumOfFloats(s *site) printed {
	whole := s.window != nil && sliding(s.window) != s.window
	if s.types[0].OID == postgres.Float4OID {
		if whole {
			s.over = " OVER (" + s.p.window(sliding(s.window)) + ")"
		}
		return printed{sql: s.call("fg_sum_float4", s.args[0].sql)}
	}
	if !whole {
		return printed{sql: s.call("fg_sum_float8", s.args[0].sql)}
	}
	x := s.args[0].sql
	plain := s.call("sum", x)
	checked := "fg_certain(" + plain + ")"
	if !s.p.careful {
		s.p.floats = true
		return printed{sql: checked}
	}
	return printed{sql: "(CASE WHEN " + s.call("bool_or", "NOT isfinite("+x+")") + " THEN " + plain +
		" WHEN " + s.call("bool_and", x+" = 0 AND signbit("+x+")") + " THEN CAST('-0' AS DOUBLE)" +
		" WHEN " + plain + " = 0 THEN 0 ELSE " + checked + " END)"}
}

// average is avg of floats. With the sum PostgreSQL keeps that of squares, so that an
// average fails of numbers whose squares no float can be; fg_moderate suspects them.
func (s *site) average() printed {
	if s.p.careful {
		return moments("avg")(s)
	}
	s.p.floats = true
	return printed{sql: "fg_moderate(" + s.call("avg", "CAST("+s.args[0].sql+" AS DOUBLE)") + ")"}
}

// moments is an aggregate of moments.c, whose first argument is PostgreSQL's.
func moments(name string) entry {
	return func(s *site) printed {
		var args []string
		for _, a := range s.args {
			args = append(args, "CAST("+a.sql+" AS DOUBLE)")
		}
		if s.window != nil {
			s.over = " OVER (" + s.p.window(sliding(s.window)) + ")"
		}
		return printed{sql: s.call("fg_"+name, args...)}
	}
}

// maxRows is more rows than a window can have.
const maxRows = 1 << 62

// sliding is the window with a frame that DuckDB does not see to be the whole
// partition: for such a one it hands an aggregate of ours one state where the
// interface promises one a row.
func sliding(w *planner.Window) *planner.Window {
	whole := func(b planner.FrameBound) bool {
		return b == planner.UnboundedPreceding || b == planner.UnboundedFollowing || b == planner.CurrentRow && len(w.Order) == 0
	}
	switch f := w.Frame; {
	case f == nil && len(w.Order) > 0:
		return w
	case f != nil && (f.Exclude != "" || f.Mode == "ROWS" && f.Start == planner.CurrentRow || !whole(f.Start) || !whole(f.End)):
		return w
	case f != nil && f.Mode == "ROWS" && f.End == planner.CurrentRow:
		return w
	}
	last := &planner.Const{T: planner.Type{OID: postgres.Int8OID, Typmod: -1}, Value: postgres.IntDatum(maxRows)}
	return &planner.Window{Partition: w.Partition, Order: w.Order, Frame: &planner.Frame{
		Mode: "ROWS", Start: planner.UnboundedPreceding, End: planner.OffsetFollowing, EndOff: last,
	}}
}

// addStatistics: deviations, regression and ordered sets.
func (t *tables) addStatistics() {
	for name, v := range map[string]struct {
		own          string
		sample, root bool
	}{
		"stddev": {"stddev_samp", true, true}, "stddev_samp": {"stddev_samp", true, true}, "stddev_pop": {"stddev_pop", false, true},
		"variance": {"var_samp", true, false}, "var_samp": {"var_samp", true, false}, "var_pop": {"var_pop", false, false},
	} {
		each(floats, func(a string) { t.function(sig(name, a), moments(v.own)) })
		each(integers+" numeric", func(a string) {
			t.function(sig(name, a), func(s *site) printed { return s.variance(v.sample, v.root) })
		})
	}
	each("corr covar_pop covar_samp regr_avgx regr_avgy regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy", func(f string) {
		t.function(sig(f, "float8", "float8"), moments(f))
	})
	t.function("regr_count(float8, float8)", func(s *site) printed {
		return printed{sql: "CAST(" + s.call("regr_count", s.args[0].sql, s.args[1].sql) + " AS BIGINT)"}
	})
	t.function("percentile_cont(float8, float8)", percentile("quantile_cont"))
	t.function("percentile_cont(float8, interval)", func(s *site) printed {
		if c, ok := s.nodes[0].(*planner.Const); ok && !c.Null && !(c.Value.Float >= 0 && c.Value.Float <= 1) {
			return s.p.fail(errorf(pgerrcode.NumericValueOutOfRange, "percentile value %s is not between 0 and 1", postgres.AppendFloat8(nil, c.Value.Float)))
		}
		return printed{sql: s.fraction("quantile_cont", s.sorted(), s.args[0].sql)}
	})
	t.function("percentile_cont(_float8, interval)", percentiles("quantile_cont"))
	t.function("percentile_disc(float8, anyelement)", percentile("quantile_disc"))
	t.function("percentile_cont(_float8, float8)", percentiles("quantile_cont"))
	t.function("percentile_disc(_float8, anyelement)", percentiles("quantile_disc"))
	t.function("mode(anyelement)", func(s *site) printed {
		return s.mode()
	})
}

// mode is the first of the most frequent values. The keys of a histogram are in order.
func (s *site) mode() printed {
	value := s.args[0]
	key := s.p.innerKey(s.types[0], value)
	descending := strings.Contains(s.order, " DESC")
	s.order = ""
	counts := s.call("histogram", key)
	keys, numbers := "map_keys("+counts+")", "map_values("+counts+")"
	if descending {
		keys, numbers = "list_reverse("+keys+")", "list_reverse("+numbers+")"
	}
	best := fmt.Sprintf("list_extract(%s, list_position(%s, list_max(%s)))", keys, numbers, numbers)
	if key == value.sql {
		return printed{sql: best, scale: value.scale}
	}
	name := s.p.name("e")
	pairs := s.call("list", "struct_pack(k := "+key+", v := "+value.sql+")")
	return printed{sql: fmt.Sprintf("list_extract(list_filter(%s, lambda %s: %s.k = %s), 1).v", pairs, name, name, best), scale: value.scale}
}

// variance is exact for integers and numerics: from count, sum and sum of
// squares.
func (s *site) variance(sample, root bool) printed {
	a, sum, squares := s.args[0], "", ""
	switch {
	case s.types[0].OID != postgres.NumericOID:
		sum = "CAST(" + s.call("sum", a.sql) + " AS VARCHAR)"
		squares = "CAST(" + s.call("sum", "CAST("+a.sql+" AS HUGEINT) * "+a.sql) + " AS VARCHAR)"
		if s.distinct {
			return s.refuse("%s(DISTINCT ...)", s.name)
		}
	case a.scale == asText || 2*a.scale > maxScale:
		list := s.texts()
		if a.scale != asText {
			return s.refuse("%s of numeric with so many digits", s.name)
		}
		sum, squares = "fg_numeric_sum("+list+")", "fg_numeric_squares("+list+")"
	default:
		sum = "CAST(" + s.call("sum", a.sql) + " AS VARCHAR)"
		squares = "CAST(" + s.call("sum", "("+a.sql+" * "+a.sql+")") + " AS VARCHAR)"
	}
	count := s.call("count", a.sql)
	return printed{fmt.Sprintf("fg_numeric_variance(%s, %s, %s, %t, %t)", count, sum, squares, sample, root), asText}
}

// percentile is an ordered-set aggregate. One of a constant fraction is DuckDB's own or of
// percentile.c, since DuckDB interpolates otherwise; of others the values are sorted into a list, of which each fraction takes its own.
func percentile(function string) entry {
	return func(s *site) printed {
		c, ok := s.nodes[0].(*planner.Const)
		if ok && !c.Null {
			if f := c.Value.Float; !(f >= 0 && f <= 1) {
				return s.p.fail(errorf(pgerrcode.NumericValueOutOfRange, "percentile value %s is not between 0 and 1", postgres.AppendFloat8(nil, f)))
			}
		}
		desc := strings.Contains(s.order, " DESC")
		keyed := s.p.innerKey(s.types[1], s.args[1]) != s.args[1].sql
		if !ok || c.Null || keyed || desc && function == "quantile_disc" {
			return printed{s.fraction(function, s.sorted(), s.args[0].sql), textScale(s.ret)}
		}
		s.order = ""
		fraction := floatText(c.Value.Float, false)
		if function == "quantile_disc" {
			return printed{sql: s.call(function, s.args[1].sql, fraction)}
		}
		if desc {
			return printed{sql: s.call("fg_percentile_desc", s.args[1].sql, fraction)}
		}
		return printed{sql: s.call("fg_percentile", s.args[1].sql, fraction)}
	}
}

// percentiles takes an array of fractions.
func percentiles(function string) entry {
	return func(s *site) printed {
		name := s.p.name("e")
		return printed{sql: transform(s.args[0].sql, name, s.fraction(function, s.sorted(), name))}
	}
}

// sorted is the list of the group's values in order, without NULLs.
func (s *site) sorted() string {
	filter := s.filter
	if filter == "" {
		s.filter = " FILTER (WHERE " + s.args[1].sql + " IS NOT NULL)"
	} else {
		s.filter = strings.TrimSuffix(filter, ")") + " AND " + s.args[1].sql + " IS NOT NULL)"
	}
	list := s.call("list", s.text(1))
	s.filter = filter
	return list
}

// fraction takes a fraction of a sorted list as the aggregate does.
func (s *site) fraction(function, list, fraction string) string {
	f := fmt.Sprintf("(CASE WHEN %s BETWEEN 0 AND 1 THEN %s WHEN %s IS NOT NULL THEN CAST(%s AS DOUBLE) END)",
		fraction, fraction, fraction, raise(pgerrcode.NumericValueOutOfRange, "percentile value is not between 0 and 1"))
	if function == "quantile_disc" {
		return fmt.Sprintf("list_extract(%s, CAST(greatest(ceil(%s * len(%s)), 1) AS BIGINT))", list, f, list)
	}
	at := fmt.Sprintf("(%s * (len(%s) - 1))", f, list)
	low := fmt.Sprintf("list_extract(%s, CAST(floor(%s) AS BIGINT) + 1)", list, at)
	high := fmt.Sprintf("list_extract(%s, CAST(ceil(%s) AS BIGINT) + 1)", list, at)
	step := fmt.Sprintf("(%s - floor(%s))", at, at)
	if s.types[1].OID == postgres.IntervalOID {
		return fmt.Sprintf("(CASE WHEN %s = 0 THEN %s ELSE %s + fg_interval_mul(%s - %s, %s) END)", step, low, low, high, low, step)
	}
	return fmt.Sprintf("(CASE WHEN %s = 0 THEN %s ELSE %s + (%s - %s) * %s END)", step, low, low, high, low, step)
}
