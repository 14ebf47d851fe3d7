package duckdb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// concatLists joins lists; to DuckDB nothing and nothing is an empty list.
const concatLists = "(CASE WHEN $1 IS NOT NULL OR $2 IS NOT NULL THEN list_concat($1, $2) END)"

// addArrays: arrays are lists of one dimension whose first subscript is 1.
// Elements that are numeric are text; see physical.go.
func (t *tables) addArrays() {
	t.functionTexts(
		"array_length(anyarray, int4)", "(CASE WHEN $2 = 1 THEN nullif(CAST(len($1) AS INTEGER), 0) END)",
		"array_upper(anyarray, int4)", "(CASE WHEN $2 = 1 THEN nullif(CAST(len($1) AS INTEGER), 0) END)",
		"array_lower(anyarray, int4)", "(CASE WHEN $2 = 1 AND len($1) > 0 THEN CAST(1 AS INTEGER) END)",
		"array_ndims(anyarray)", "(CASE WHEN len($1) > 0 THEN CAST(1 AS INTEGER) END)",
		"cardinality(anyarray)", "CAST(len($1) AS INTEGER)", "array_dims(anyarray)", "(CASE WHEN len($1) > 0 THEN '[1:' || len($1) || ']' END)",
		"array_cat(anycompatiblearray, anycompatiblearray)", concatLists,
	)
	t.operatorTexts("||(anycompatiblearray, anycompatiblearray)", concatLists)
	for _, name := range []string{"array_append(anycompatiblearray, anycompatible)", "||(anycompatiblearray, anycompatible)"} {
		t.elementwise(name, 1, "list_concat(%[1]s, [%[2]s])")
	}
	for _, name := range []string{"array_prepend(anycompatible, anycompatiblearray)", "||(anycompatible, anycompatiblearray)"} {
		t.elementwise(name, 0, "list_concat([%[2]s], %[1]s)")
	}
	t.addElementSearches()
	t.function("array_to_string(anyarray, text)", joinArray("CAST(NULL AS VARCHAR)"))
	t.function("array_to_string(anyarray, text, text)", joinArray("$3"))
	t.functionTexts(
		"string_to_array(text, text)", "fg_string_to_array($1, $2, CAST(NULL AS VARCHAR))", "string_to_array(text, text, text)", "fg_string_to_array($1, $2, $3)",
		"string_to_table(text, text)", "fg_string_to_array($1, $2, CAST(NULL AS VARCHAR))", "string_to_table(text, text, text)", "fg_string_to_array($1, $2, $3)",
	)
	// A NULL element is equal to none here.
	strict := func(text string) entry {
		return func(s *site) printed {
			s.p.comparable(s.types[0])
			return template("(CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN " + text + " END)")(s)
		}
	}
	t.operator("@>(anyarray, anyarray)", strict("list_has_all($1, $2) AND list_count($2) = len($2)"))
	t.operator("<@(anyarray, anyarray)", strict("list_has_all($2, $1) AND list_count($1) = len($1)"))
	t.operator("&&(anyarray, anyarray)", strict("list_has_any($1, $2)"))
}

// elementwise adds a function of an array and an element, which is argument i.
// In the format 1 is the array and 2 the element.
func (t *tables) elementwise(signature string, i int, format string) {
	e := func(s *site) printed {
		if postgres.ElemOf(s.types[i].OID) != 0 {
			return s.refuse("function %s of arrays of several dimensions", s.name)
		}
		list := "coalesce(" + s.text(1-i) + ", [])"
		return printed{sql: fmt.Sprintf(format, list, s.text(i))}
	}
	if signature[0] == '|' {
		t.operator(signature, e)
		return
	}
	t.function(signature, e)
}

// addElementSearches: functions that compare the elements of an array with a value.
func (t *tables) addElementSearches() {
	searches := map[string]func(list, other string, same func(e string) string, name string) string{
		"array_position(anycompatiblearray, anycompatible)": func(list, _ string, same func(string) string, e string) string {
			return "CAST(nullif(list_position(list_transform(" + list + ", lambda " + e + ": " + same(e) + "), true), 0) AS INTEGER)"
		},
		"array_positions(anycompatiblearray, anycompatible)": func(list, _ string, same func(string) string, e string) string {
			places := "list_transform(" + list + ", lambda " + e + ", i: CASE WHEN " + same(e) + " THEN i END)"
			return "CAST(list_filter(" + places + ", lambda i: i IS NOT NULL) AS INTEGER[])"
		},
		"array_remove(anycompatiblearray, anycompatible)": func(list, _ string, same func(string) string, e string) string {
			return "list_filter(" + list + ", lambda " + e + ": NOT (" + same(e) + "))"
		},
		"array_replace(anycompatiblearray, anycompatible, anycompatible)": func(list, other string, same func(string) string, e string) string {
			return "list_transform(" + list + ", lambda " + e + ": CASE WHEN " + same(e) + " THEN " + other + " ELSE " + e + " END)"
		},
	}
	for signature, search := range searches {
		t.function(signature, func(s *site) printed {
			elem := planner.Type{OID: postgres.ElemOf(s.types[0].OID), Typmod: -1}
			if postgres.ElemOf(s.types[1].OID) != 0 {
				return s.refuse("function %s of arrays of several dimensions", s.name)
			}
			s.p.comparable(elem)
			key := func(e string) string { return s.p.key(elem, printed{e, textScale(elem)}) }
			values := append(make([]string, 0, 2), s.text(1))
			if len(s.args) > 2 {
				values = append(values, s.text(2))
			}
			// A subquery cannot stand in a lambda: its value is handed in.
			hoisted, row := slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, "SELECT ") }), s.p.name("r")
			outside := strings.Join(append([]string{"list := " + s.args[0].sql}, named(values)...), ", ")
			list := s.args[0].sql
			if hoisted {
				list = row + ".list"
				for i := range values {
					values[i] = fmt.Sprintf("%s.v%d", row, i)
				}
			}
			same := func(e string) string { return key(e) + " IS NOT DISTINCT FROM " + key(values[0]) }
			out := search(list, values[len(values)-1], same, s.p.name("e"))
			if hoisted {
				out = "list_extract(list_transform([struct_pack(" + outside + ")], lambda " + row + ": " + out + "), 1)"
			}
			return printed{sql: out}
		})
	}
	t.function("width_bucket(anycompatible, anycompatiblearray)", func(s *site) printed {
		elem := planner.Type{OID: postgres.ElemOf(s.types[1].OID), Typmod: -1}
		s.p.orderable(elem)
		key := func(e string) string { return s.p.key(elem, printed{e, textScale(elem)}) }
		name, list := s.p.name("e"), s.args[1].sql
		nulls := raise(pgerrcode.NullValueNotAllowedDataException, "thresholds array must not contain NULLs")
		return printed{sql: fmt.Sprintf("(CASE WHEN list_count(%[1]s) < len(%[1]s) THEN CAST(%[2]s AS INTEGER) WHEN %[3]s IS NOT NULL THEN "+
			"CAST(len(list_filter(%[1]s, lambda %[4]s: %[5]s <= %[6]s)) AS INTEGER) END)", list, nulls, s.text(0), name, key(name), key(s.text(0)))}
	})
	t.function("trim_array(anyarray, int4)", func(s *site) printed {
		list, n := s.args[0].sql, s.args[1].sql
		outside := "fg_raise('" + pgerrcode.ArraySubscriptError + "', 'number of elements to trim must be between 0 and ' || len(" + list + "))"
		return printed{sql: fmt.Sprintf("(CASE WHEN %[2]s < 0 OR %[2]s > len(%[1]s) THEN list_slice(%[1]s, 1, CAST(%[3]s AS BIGINT)) WHEN %[2]s IS NOT NULL THEN list_slice(%[1]s, 1, len(%[1]s) - %[2]s) END)",
			list, n, outside)}
	})
}

// named are expressions as fields v0, v1 of a struct.
func named(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = fmt.Sprintf("v%d := %s", i, v)
	}
	return out
}

// joinArray is array_to_string: elements as their type prints them.
func joinArray(null string) entry {
	return func(s *site) printed {
		return printed{sql: "fg_array_to_string(" + s.elementTexts(0) + ", " + s.args[1].sql + ", " + s.fill(null) + ")"}
	}
}

// elementTexts is the list of the elements of argument i, each as its type prints it.
func (s *site) elementTexts(i int) string {
	elem := planner.Type{OID: postgres.ElemOf(s.types[i].OID), Typmod: -1}
	name := s.p.name("e")
	e := &site{p: s.p, args: []printed{{name, textScale(elem)}}, types: []planner.Type{elem}}
	return transform(s.args[i].sql, name, e.output(0))
}

// addSeries: functions that return sets, as the lists of what they return.
func (t *tables) addSeries() {
	for typ, p := range map[string]string{"int4": "INTEGER", "int8": "BIGINT"} {
		t.function(sig("generate_series", typ, typ), series(p, 2))
		t.function(sig("generate_series", typ, typ, typ), series(p, 3))
	}
	t.functionTexts(
		"generate_series(timestamp, timestamp, interval)", "fg_series($1, $2, $3)",
		"generate_series(numeric, numeric)", "fg_numeric_series($1, $2, '1')", "generate_series(numeric, numeric, numeric)", "fg_numeric_series($1, $2, $3)",
		"unnest(anyarray)", "$1",
		"generate_subscripts(anyarray, int4)", "CAST(range(1, CASE WHEN $2 = 1 THEN len($1) ELSE 0 END + 1) AS INTEGER[])",
	)
	t.function("generate_series(timestamptz, timestamptz, interval)", func(s *site) printed {
		if s.p.utc() {
			return printed{sql: s.fill("fg_series($1, $2, $3)")}
		}
		return printed{sql: s.fill("fg_series($1, $2, $3, $zone)")}
	})
}

// series is generate_series of integers; NULL gives no rows, and a step of 0 is
// an error.
func series(physicalType string, args int) entry {
	return func(s *site) printed {
		if args == 3 {
			return printed{sql: s.fill("CAST(generate_series(CAST($1 AS BIGINT), CAST($2 AS BIGINT), fg_step($3)) AS " + physicalType + "[])")}
		}
		return printed{sql: s.fill("CAST(generate_series(CAST($1 AS BIGINT), CAST($2 AS BIGINT)) AS " + physicalType + "[])")}
	}
}
