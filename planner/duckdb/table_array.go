package duckdb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// addArrays: functions of arrays, in both of their forms. Elements that are numeric
// are text; see physical.go.
func (t *tables) addArrays() {
	t.arrays("array_length(anyarray, int4)", arrayDimension("length", "(CASE WHEN $2 = 1 THEN nullif(CAST(len($1) AS INTEGER), 0) END)"))
	t.arrays("array_upper(anyarray, int4)", arrayDimension("upper", "(CASE WHEN $2 = 1 THEN nullif(CAST(len($1) AS INTEGER), 0) END)"))
	t.arrays("array_lower(anyarray, int4)", arrayDimension("lower", "(CASE WHEN $2 = 1 AND len($1) > 0 THEN CAST(1 AS INTEGER) END)"))
	t.arrays("array_ndims(anyarray)", shapeOf("ndims", "(CASE WHEN len($1) > 0 THEN CAST(1 AS INTEGER) END)"))
	t.arrays("array_dims(anyarray)", shapeOf("dims", "(CASE WHEN len($1) > 0 THEN '[1:' || len($1) || ']' END)"))
	t.arrays("cardinality(anyarray)", func(s *site) printed {
		return printed{sql: "CAST(len(" + s.p.items(s.types[0], s.args[0]) + ") AS INTEGER)"}
	})
	t.arrays("array_cat(anycompatiblearray, anycompatiblearray)", concatArrays)
	t.arrayOperator("||(anycompatiblearray, anycompatiblearray)", concatArrays)
	t.arrays("array_append(anycompatiblearray, anycompatible)", extendArray(1))
	t.arrayOperator("||(anycompatiblearray, anycompatible)", extendArray(1))
	t.arrays("array_prepend(anycompatible, anycompatiblearray)", extendArray(0))
	t.arrayOperator("||(anycompatible, anycompatiblearray)", extendArray(0))
	t.arrays("array_fill(anyelement, int4[])", fillArray)
	t.arrays("array_fill(anyelement, int4[], int4[])", fillArray)
	t.addElementSearches()
	t.arrays("array_to_string(anyarray, text)", joinArray("CAST(NULL AS VARCHAR)"))
	t.arrays("array_to_string(anyarray, text, text)", joinArray("$3"))
	t.functionTexts(
		"string_to_array(text, text)", "fg_string_to_array($1, $2, CAST(NULL AS VARCHAR))", "string_to_array(text, text, text)", "fg_string_to_array($1, $2, $3)",
		"string_to_table(text, text)", "fg_string_to_array($1, $2, CAST(NULL AS VARCHAR))", "string_to_table(text, text, text)", "fg_string_to_array($1, $2, $3)",
	)
	// A NULL element is equal to none here.
	strict := func(text string) entry {
		return func(s *site) printed {
			s.p.comparable(s.types[0])
			for i, t := range s.types {
				list := printed{sql: s.p.items(t, s.args[i])}
				s.args[i] = printed{sql: s.p.arrayKey(t, list)}
			}
			return template("(CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN " + text + " END)")(s)
		}
	}
	t.arrayOperator("@>(anyarray, anyarray)", strict("list_has_all($1, $2) AND list_count($2) = len($2)"))
	t.arrayOperator("<@(anyarray, anyarray)", strict("list_has_all($2, $1) AND list_count($1) = len($1)"))
	t.arrayOperator("&&(anyarray, anyarray)", strict("list_has_any($1, $2)"))
	each(`concat("any") count("any") array_to_json(anyarray) to_json(anyelement) to_jsonb(anyelement) `+
		`json_agg(anyelement) jsonb_agg(anyelement) json_object_agg("any","any") jsonb_object_agg("any","any") json_build_array("any") jsonb_build_array("any") json_build_object("any") jsonb_build_object("any") `+
		`first_value(anyelement) last_value(anyelement) lag(anyelement) lead(anyelement)`, t.takesArrays)
	for _, signature := range []string{
		`concat_ws(text, "any")`, `format(text, "any")`, "array_to_json(anyarray, bool)", "nth_value(anyelement, int4)",
		"lag(anyelement, int4)", "lead(anyelement, int4)", "lag(anycompatible, int4, anycompatible)", "lead(anycompatible, int4, anycompatible)",
	} {
		t.takesArrays(signature)
	}
}

// countNulls is num_nulls and num_nonnulls; of a VARIADIC call argument 0 is the array.
func countNulls(is string) entry {
	return func(s *site) printed {
		if s.variadic {
			name, list := s.p.name("e"), s.p.items(s.types[0], s.args[0])
			return printed{sql: "CAST(len(list_filter(" + list + ", lambda " + name + ": " + name + " " + is + ")) AS INTEGER)"}
		}
		counts := make([]string, len(s.args))
		for i, a := range s.args {
			counts[i] = "CAST((" + a.sql + ") " + is + " AS INTEGER)"
		}
		return printed{sql: "CAST(" + strings.Join(counts, " + ") + " AS INTEGER)"}
	}
}

// addElementSearches: functions that compare the elements of an array with a value.
func (t *tables) addElementSearches() {
	t.arrays(`num_nulls("any")`, countNulls("IS NULL"))
	t.arrays(`num_nonnulls("any")`, countNulls("IS NOT NULL"))
	searches := map[string]arraySearch{
		"array_position(anycompatiblearray, anycompatible, int4)": func(list, from string, same func(string) string, e string) string {
			first := "(CASE WHEN " + from + " IS NOT NULL THEN " + from + " ELSE CAST(" +
				raise(pgerrcode.NullValueNotAllowedDataException, "initial position must not be null") + " AS INTEGER) END)"
			places := "list_transform(" + list + ", lambda " + e + ", i: CASE WHEN i >= " + first + " AND " + same(e) + " THEN i END)"
			return "CAST(list_min(" + places + ") AS INTEGER)"
		},
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
		t.arrays(signature, func(s *site) printed { return searchArray(s, search) })
	}
	t.arrays("width_bucket(anycompatible, anycompatiblearray)", func(s *site) printed {
		if s.args[1].scale == asText {
			one := "(CASE WHEN fg_array_ndims(" + s.args[1].sql + ") > 1 THEN " +
				raise(pgerrcode.ArraySubscriptError, "thresholds must be one-dimensional array") + " ELSE " + s.args[1].sql + " END)"
			s.args[1] = printed{sql: s.p.items(s.types[1], printed{one, asText})}
		}
		elem := planner.Type{OID: postgres.ElemOf(s.types[1].OID), Typmod: -1}
		s.p.orderable(elem)
		key := func(e string) string { return s.p.key(elem, printed{e, textScale(elem)}) }
		name, list := s.p.name("e"), s.args[1].sql
		value, call := s.text(0), "%s"
		if strings.Contains(value, "SELECT") {
			// DuckDB has no subquery in a lambda, but one beside it.
			row := s.p.name("r")
			call = fmt.Sprintf("list_extract(list_transform([struct_pack(v := %s, l := %s)], lambda %s: %%s), 1)", value, list, row)
			value, list = row+".v", row+".l"
		}
		nulls := raise(pgerrcode.NullValueNotAllowedDataException, "thresholds array must not contain NULLs")
		return printed{sql: fmt.Sprintf(call, fmt.Sprintf("(CASE WHEN list_count(%[1]s) < len(%[1]s) THEN CAST(%[2]s AS INTEGER) WHEN %[3]s IS NOT NULL THEN "+
			"CAST(len(list_filter(%[1]s, lambda %[4]s: %[5]s <= %[6]s)) AS INTEGER) END)", list, nulls, value, name, key(name), key(value)))}
	})
	t.arrays("trim_array(anyarray, int4)", trimArray)
}

// arraySearch prints what is done with the elements that are the same as a value:
// list and other, and same, which compares with it, over elements that name names.
type arraySearch func(list, other string, same func(e string) string, name string) string

// searchArray prints a function that compares the elements of an array with a value.
func searchArray(s *site, search arraySearch) printed {
	array := s.args[0]
	elem := elementOf(s.types[0])
	if postgres.ElemOf(s.types[1].OID) != 0 && s.types[1].OID != elem.OID {
		return s.refuse("function %s of arrays of several dimensions", s.name)
	}
	s.p.comparable(elem)
	if array.scale == asText && s.name == "array_position" && len(s.args) > 2 {
		return s.refuse("function %s from a position of an array of another form", s.name)
	}
	list := s.p.items(s.types[0], array)
	if array.scale == asText && s.name != "array_replace" {
		does := "searching for elements in"
		if s.name == "array_remove" {
			does = "removing elements from"
		}
		list = s.p.keptList(elem, "fg_array_flat("+array.sql+", "+quoteString(does)+")")
	}
	values := make([]string, 0, 2)
	for i := 1; i < min(len(s.args), 3); i++ {
		values = append(values, s.p.inForm(s.types[i], s.args[i], textScale(s.types[i])).sql)
	}
	key := func(e string) string { return s.p.key(elem, printed{e, textScale(elem)}) }
	// A subquery cannot stand in a lambda: its value is handed in.
	hoisted, row := slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, "SELECT ") }), s.p.name("r")
	outside := strings.Join(append([]string{"list := " + list}, named(values)...), ", ")
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
	if array.scale != asText {
		return printed{sql: out}
	}
	return s.shapedSearch(out)
}

// shapedSearch gives what was found in the items of a shaped array its place in it.
func (s *site) shapedSearch(found string) printed {
	array := s.args[0].sql
	lower := "fg_array_lower(" + array + ", 1)"
	switch s.name {
	case "array_position":
		return printed{sql: "(" + found + " + " + lower + " - 1)"}
	case "array_positions":
		name := s.p.name("e")
		return printed{sql: "list_transform(" + found + ", lambda " + name + ": " + name + " + " + lower + " - 1)"}
	case "array_remove":
		return printed{"fg_array_shaped(" + s.p.keptTexts(elementOf(s.types[0]), found) + ", coalesce(" + lower + ", 1))", asText}
	}
	return printed{"fg_array_like(" + s.p.keptTexts(elementOf(s.types[0]), found) + ", " + array + ")", asText}
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
	return transform(s.p.items(s.types[i], s.args[i]), name, e.output(0))
}

// addSeries: functions that return sets, as the lists of what they return.
func (t *tables) addSeries() {
	for typ, p := range map[string]string{"int4": "INTEGER", "int8": "BIGINT"} {
		t.function(sig("generate_series", typ, typ), series(p, 2))
		t.function(sig("generate_series", typ, typ, typ), series(p, 3))
	}
	t.functionTexts(
		"generate_series(numeric, numeric)", "fg_numeric_series($1, $2, '1')", "generate_series(numeric, numeric, numeric)", "fg_numeric_series($1, $2, $3)",
	)
	t.arrays("unnest(anyarray)", func(s *site) printed { return printed{s.p.items(s.types[0], s.args[0]), textScale(s.ret)} })
	t.arrays("generate_subscripts(anyarray, int4)", func(s *site) printed { return printed{sql: s.subscripts()} })
	t.arrays("generate_subscripts(anyarray, int4, bool)", func(s *site) printed {
		return printed{sql: "(CASE WHEN " + s.args[2].sql + " THEN list_reverse(" + s.subscripts() + ") WHEN NOT " + s.args[2].sql + " THEN " + s.subscripts() + " END)"}
	})
	t.function("generate_series(timestamp, timestamp, interval)", func(s *site) printed {
		return printed{sql: s.fill("fg_series($1, $2, $3, " + s.p.mostRows() + ")")}
	})
	t.function("generate_series(timestamptz, timestamptz, interval)", func(s *site) printed {
		if s.p.utc() {
			return printed{sql: s.fill("fg_series($1, $2, $3, " + s.p.mostRows() + ")")}
		}
		return printed{sql: s.fill("fg_series($1, $2, $3, " + s.p.mostRows() + ", $zone)")}
	})
}

// subscripts is the list of an array's subscripts in one dimension.
func (s *site) subscripts() string {
	if s.args[0].scale != asText && !isVector(s.types[0].OID) {
		return s.fill("CAST(range(1, CASE WHEN $2 = 1 THEN len($1) ELSE 0 END + 1) AS INTEGER[])")
	}
	of := "(" + s.p.shaped(s.types[0], s.args[0]).sql + ", " + s.args[1].sql + ")"
	return "CAST(range(fg_array_lower" + of + ", fg_array_upper" + of + " + 1) AS INTEGER[])"
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
