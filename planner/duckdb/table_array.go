package duckdb

import (
	"fmt"

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
		"cardinality(anyarray)", "CAST(len($1) AS INTEGER)",
		"array_cat(anycompatiblearray, anycompatiblearray)", concatLists,
	)
	t.operatorTexts("||(anycompatiblearray, anycompatiblearray)", concatLists)
	for _, name := range []string{"array_append(anycompatiblearray, anycompatible)", "||(anycompatiblearray, anycompatible)"} {
		t.elementwise(name, 1, "list_concat(%[1]s, [%[2]s])")
	}
	for _, name := range []string{"array_prepend(anycompatible, anycompatiblearray)", "||(anycompatible, anycompatiblearray)"} {
		t.elementwise(name, 0, "list_concat([%[2]s], %[1]s)")
	}
	t.elementwise("array_position(anycompatiblearray, anycompatible)", 1, "CAST(nullif(list_position(%[1]s, %[2]s), 0) AS INTEGER)")
	t.elementwise("array_remove(anycompatiblearray, anycompatible)", 1, "list_filter(%[1]s, lambda %[3]s: %[3]s IS DISTINCT FROM %[2]s)")
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
// In the format 1 is the array, 2 the element and 3 a name for a lambda.
func (t *tables) elementwise(signature string, i int, format string) {
	e := func(s *site) printed {
		if postgres.ElemOf(s.types[i].OID) != 0 {
			return s.refuse("function %s of arrays of several dimensions", s.name)
		}
		if s.types[i].OID == postgres.NumericOID && s.name != "||" && s.name != "array_append" && s.name != "array_prepend" {
			return s.refuse("function %s of type %s", s.name, s.types[1-i].OID)
		}
		list := "coalesce(" + s.text(1-i) + ", [])"
		if s.name == "array_position" || s.name == "array_remove" {
			list = s.text(1 - i)
		}
		return printed{sql: fmt.Sprintf(format+"%.0[3]s", list, s.text(i), s.p.name("e"))}
	}
	if signature[0] == '|' {
		t.operator(signature, e)
		return
	}
	t.function(signature, e)
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
		"generate_series(numeric, numeric)", "fg_numeric_series($1, $2, '1')", "generate_series(numeric, numeric, numeric)", "fg_numeric_series($1, $2, $3)",
		"generate_series(timestamp, timestamp, interval)", "fg_series($1, $2, $3)",
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
