package duckdb

import (
	"fmt"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// addAggregates: aggregates in daily use. The same entries serve windows.
func (t *tables) addAggregates() {
	t.function("count()", func(s *site) printed { return printed{sql: s.call("count", "*")} })
	t.function(`count("any")`, func(s *site) printed {
		if s.distinct {
			return printed{sql: s.call("count", s.p.key(s.types[0], s.args[0]))}
		}
		return printed{sql: s.call("count", s.args[0].sql)}
	})
	each("int2 int4", func(a string) {
		t.function(sig("sum", a), func(s *site) printed { return printed{sql: "CAST(" + s.call("sum", s.args[0].sql) + " AS BIGINT)"} })
	})
	t.function("sum(int8)", func(s *site) printed { return printed{sql: s.wholeSum(s.args[0].sql)} })
	t.function("sum(numeric)", func(s *site) printed { return s.sumNumeric() })
	each(floats, func(a string) { t.function(sig("sum", a), sumOfFloats) })
	each(integers+" numeric", func(a string) { t.function(sig("avg", a), averageNumeric) })
	each(floats, func(a string) {
		t.function(sig("avg", a), func(s *site) printed { return s.average() })
	})
	t.function("sum(interval)", func(s *site) printed { return printed{sql: s.sumIntervals()} })
	t.function("avg(interval)", func(s *site) printed {
		return printed{sql: "fg_interval_div(" + s.sumIntervals() + ", CAST(" + s.call("count", s.args[0].sql) + " AS DOUBLE))"}
	})
	each("min max", func(f string) {
		each(integers+" "+floats+" oid text date time timestamp timestamptz interval", func(typ string) {
			t.function(sig(f, typ), func(s *site) printed { return printed{sql: s.call(s.name, s.args[0].sql)} })
		})
		byKey := func(s *site) printed {
			a := s.args[0]
			s.p.orderable(s.types[0])
			key := s.p.key(s.types[0], a)
			if key == a.sql {
				return printed{s.call(s.name, a.sql), a.scale}
			}
			s.distinct = false
			return printed{s.call("arg_"+s.name, a.sql, key), a.scale}
		}
		t.function(sig(f, "numeric"), byKey)
		each("timetz inet bpchar", func(typ string) { t.function(sig(f, typ), byKey) })
		t.arrays(sig(f, "anyarray"), byKey)
	})
	for name, duckdb := range map[string]string{"bool_and": "bool_and", "every": "bool_and", "bool_or": "bool_or"} {
		t.function(sig(name, "bool"), func(s *site) printed { return printed{sql: s.call(duckdb, s.args[0].sql)} })
	}
	each("bit_and bit_or bit_xor", func(f string) {
		each(integers, func(a string) {
			t.function(sig(f, a), func(s *site) printed { return printed{sql: s.call(s.name, s.args[0].sql)} })
		})
	})
	t.function("string_agg(text, text)", stringAggregate)
	t.function("string_agg(bytea, bytea)", func(s *site) printed {
		for i := range s.args {
			s.args[i].sql = "hex(" + s.args[i].sql + ")"
		}
		s.nodes = []planner.Expr{nil, nil}
		return printed{sql: "unhex(" + stringAggregate(s).sql + ")"}
	})
	t.arrays("array_agg(anyarray)", func(s *site) printed {
		name := s.p.name("e")
		values, ok := s.distinctValues()
		if !ok {
			values = s.call("list", s.args[0].sql)
		}
		list := transform(values, name, s.p.shaped(s.types[0], printed{name, s.args[0].scale}).sql)
		return printed{"fg_array_accumulate(" + list + ")", asText}
	})
	t.function("array_agg(anynonarray)", func(s *site) printed {
		if list, ok := s.distinctValues(); ok {
			return printed{sql: list}
		}
		return printed{sql: s.call("list", s.text(0))}
	})
	t.function("json_agg(anyelement)", jsonAggregate)
	t.function("jsonb_agg(anyelement)", jsonAggregate)
	each("json jsonb", func(j string) { t.function(j+`_object_agg("any", "any")`, objectAggregate) })
}

// sumIntervals adds up months, days and time apart.
func (s *site) sumIntervals() string {
	if s.distinct {
		return s.refuse("%s(DISTINCT ...) of intervals", s.name).sql
	}
	var sums []string
	for _, field := range []int{fieldMonths, fieldDay, fieldTime} {
		sums = append(sums, "CAST("+s.call("sum", fmt.Sprintf("fg_interval_field(%d, %s)", field, s.args[0].sql))+" AS BIGINT)")
	}
	return "fg_span(" + strings.Join(sums, ", ") + ")"
}

// wholeSum is a sum of integers as numeric.
func (s *site) wholeSum(arg string) string {
	return fmt.Sprintf("CAST(%s AS DECIMAL(%d,0))", s.call("sum", arg), decimalWidth)
}

// texts is the aggregate that collects a group's numerics which are text.
func (s *site) texts() string {
	if s.filter == "" {
		s.filter = " FILTER (WHERE " + s.args[0].sql + " IS NOT NULL)"
	}
	return s.call("list", s.args[0].sql)
}

func (s *site) sumNumeric() printed {
	a := s.args[0]
	if a.scale == asText {
		return printed{"fg_numeric_sum(" + s.texts() + ")", asText}
	}
	return printed{s.call("sum", a.sql), a.scale}
}

// averageNumeric divides the sum by the count as numeric division does.
func averageNumeric(s *site) printed {
	sum := ""
	if s.types[0].OID == postgres.NumericOID {
		sum = s.p.rescale(s.sumNumeric(), asText).sql
	} else {
		sum = "CAST(" + s.call("sum", s.args[0].sql) + " AS VARCHAR)"
	}
	return printed{"fg_numeric_div(" + sum + ", CAST(" + s.call("count", s.args[0].sql) + " AS VARCHAR))", asText}
}

// stringAggregate joins texts. A separator that is not the same for all rows stands before the text of its own row.
func stringAggregate(s *site) printed {
	separator, ok := constantText(s.nodes[1])
	if c, isConst := s.nodes[1].(*planner.Const); isConst && c.Null {
		separator, ok = "", true
	}
	if ok {
		return printed{sql: s.call("string_agg", s.args[0].sql, quoteString(separator))}
	}
	if s.distinct && s.order != "" {
		s.order = "" // sorting the pairs does it
	}
	pairs := "list_filter(" + s.call("list", fmt.Sprintf("struct_pack(v := %s, d := %s)", s.args[0].sql, s.args[1].sql)) + ", lambda p: p.v IS NOT NULL)"
	if s.distinct {
		pairs = "list_sort(" + pairs + ", 'ASC', 'NULLS LAST')"
	}
	name, i := s.p.name("e"), s.p.name("i")
	joined := fmt.Sprintf("array_to_string(list_transform(%s, lambda %s, %s: CASE WHEN %s = 1 THEN %s.v ELSE coalesce(%s.d, '') || %s.v END), '')",
		pairs, name, i, i, name, name, name)
	return printed{sql: "(CASE WHEN " + s.call("count", s.args[0].sql) + " > 0 THEN " + joined + " END)"}
}

// jsonAggregate joins values as JSON.
func jsonAggregate(s *site) printed {
	separator := ", "
	if t := s.types[0].OID; t == postgres.RecordOID || postgres.ElemOf(t) != 0 {
		separator = ", \n "
	}
	var list string
	if s.distinct {
		values, ok := s.distinctValues()
		if !ok {
			values = s.call("list", s.args[0].sql)
		}
		name := s.p.name("e")
		e := &site{p: s.p, args: []printed{{name, s.args[0].scale}}, types: s.types}
		list = "array_to_string(" + transform(values, name, e.json(0)) + ", " + quoteString(separator) + ")"
	} else {
		list = s.call("string_agg", s.json(0), quoteString(separator))
	}
	joined := "('[' || " + list + " || ']')"
	if strings.HasPrefix(s.name, "jsonb") {
		joined = "fg_jsonb_in(" + joined + ")"
	}
	return printed{sql: joined}
}

// objectAggregate gathers keys and values into a JSON object.
func objectAggregate(s *site) printed {
	key := s.jsonKey(0, raise(pgerrcode.InvalidParameterValue, "field name must not be null"))
	member := key + " || ' : ' || " + s.json(1)
	list := s.call("string_agg", member, quoteString(", "))
	if s.distinct {
		// PostgreSQL sorts by key and value to find what is distinct, and it shows.
		s.order, s.distinct = "", false
		value := s.p.innerKey(s.types[1], s.args[1])
		members := s.call("list", fmt.Sprintf("struct_pack(k := struct_pack(k := %s, n := %s IS NULL, v := %s), m := %s)",
			s.p.innerKey(s.types[0], s.args[0]), value, value, member))
		name := s.p.name("e")
		list = "array_to_string(" + transform(firstsBy(s.p, "list_sort("+members+")", "k"), name, name+".m") + ", ', ')"
	}
	joined := "('{ ' || " + list + " || ' }')"
	if strings.HasPrefix(s.name, "jsonb") {
		joined = "fg_jsonb_in(" + joined + ")"
	}
	return printed{sql: joined}
}

// addWindows: functions of windows alone.
func (t *tables) addWindows() {
	each("row_number rank dense_rank percent_rank cume_dist", func(f string) {
		t.function(f+"()", func(s *site) printed { return printed{sql: s.call(s.name)} })
	})
	t.function("ntile(int4)", func(s *site) printed {
		if planner.HasColumns(s.nodes[0]) {
			return s.bucketOfFirst()
		}
		return printed{sql: "CAST(" + s.call("ntile", s.positive(0, pgerrcode.InvalidArgumentForNtileFunction)) + " AS INTEGER)"}
	})
	each("lag lead", func(f string) {
		t.function(sig(f, "anyelement"), func(s *site) printed { return printed{s.call(s.name, s.args[0].sql), s.args[0].scale} })
		t.function(sig(f, "anyelement", "int4"), func(s *site) printed {
			return printed{s.call(s.name, s.args[0].sql, s.args[1].sql), s.args[0].scale}
		})
		t.function(sig(f, "anycompatible", "int4", "anycompatible"), func(s *site) printed {
			value, other := s.args[0], s.args[2]
			value, other = s.p.common2(s.types[0], value, other)
			return printed{s.call(s.name, value.sql, s.args[1].sql, other.sql), value.scale}
		})
	})
	each("first_value last_value", func(f string) {
		t.function(sig(f, "anyelement"), func(s *site) printed { return printed{s.call(s.name, s.args[0].sql), s.args[0].scale} })
	})
	t.function("nth_value(anyelement, int4)", func(s *site) printed {
		return printed{s.call(s.name, s.args[0].sql, s.positive(1, pgerrcode.InvalidArgumentForNthValueFunction)), s.args[0].scale}
	})
}

// bucketOfFirst is ntile of a number that differs from row to row, of which that of a partition's first row counts: the first
// buckets have a row more than the others if the rows cannot be shared out evenly.
func (s *site) bucketOfFirst() printed {
	const whole = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
	parts := *s.window
	parts.Frame = nil
	over := s.p.window(&parts)
	separator := ""
	if over != "" {
		separator = " "
	}
	rows := "count(*) OVER (" + over + separator + whole + ")"
	row := "(row_number() OVER (" + over + ") - 1)"
	buckets := "CAST(first_value(" + s.args[0].sql + ") OVER (" + over + separator + whole + ") AS BIGINT)"
	name := s.p.name("e")
	share := fmt.Sprintf("(%[1]s.rows // %[1]s.buckets)", name)
	more := fmt.Sprintf("(%[1]s.rows %% %[1]s.buckets)", name)
	bucket := fmt.Sprintf("CASE WHEN %[1]s.buckets <= 0 THEN CAST(%[2]s AS BIGINT) WHEN %[1]s.n < %[4]s * (%[3]s + 1) THEN %[1]s.n // (%[3]s + 1) + 1 "+
		"ELSE (%[1]s.n - %[4]s) // %[3]s + 1 END", name, raise(pgerrcode.InvalidArgumentForNtileFunction, "argument of ntile must be greater than zero"), share, more)
	return printed{sql: fmt.Sprintf("CAST(list_extract(list_transform([struct_pack(rows := %s, n := %s, buckets := %s)], lambda %s: %s), 1) AS INTEGER)",
		rows, row, buckets, name, bucket)}
}

// positive is an argument that fails where it is not above zero.
func (s *site) positive(i int, code string) string {
	arg := s.args[i].sql
	if c, ok := s.nodes[i].(*planner.Const); ok && (c.Null || c.Value.Int > 0) {
		return arg
	}
	return unlessFailed(arg, arg+" <= 0", raise(code, "argument of "+s.name+" must be greater than zero"))
}
