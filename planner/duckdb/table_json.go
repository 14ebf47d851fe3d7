package duckdb

import (
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// addJSON: json keeps its text; jsonb is text in its normal form.
func (t *tables) addJSON() {
	each("json jsonb", func(j string) {
		t.operatorTexts(
			sig("->", j, "text"), "fg_json_get($1, $2)", sig("->>", j, "text"), "fg_json_get_text($1, $2)",
			sig("->", j, "int4"), "fg_"+j+"_get($1, $2)", sig("->>", j, "int4"), "fg_"+j+"_get_text($1, $2)",
			sig("#>", j, "text[]"), "fg_json_path($1, $2)", sig("#>>", j, "text[]"), "fg_json_path_text($1, $2)",
		)
		t.functionTexts(
			sig(j+"_typeof", j), "fg_json_typeof($1)", sig(j+"_array_length", j), "fg_json_array_length($1)",
		)
		each("object_keys each each_text", func(f string) { t.functionTexts(sig(j+"_"+f, j), "fg_json_keys($1, '"+j+"_"+f+"')") })
		each("elements elements_text", func(f string) {
			t.functionTexts(sig(j+"_array_"+f, j), "fg_json_"+f+"($1, '"+j+"_array_"+f+"')")
		})
		t.function(sig(j+"_extract_path", j, "text[]"), jsonPath("fg_json_path"))
		t.function(sig(j+"_extract_path_text", j, "text[]"), jsonPath("fg_json_path_text"))
		normal := func(text string) string { return text }
		if j == "jsonb" {
			normal = func(text string) string { return "fg_jsonb_in(" + text + ")" }
		}
		to := "to_" + j
		t.function(sig(to, "anyelement"), func(s *site) printed {
			return printed{sql: "(CASE WHEN (" + s.args[0].sql + ") IS NOT NULL THEN " + normal(s.json(0)) + " END)"}
		})
		t.function(j+`_build_object("any")`, func(s *site) printed { return printed{sql: normal(s.jsonObject())} })
		t.function(j+"_build_object()", func(*site) printed { return printed{sql: "'{}'"} })
		t.function(j+`_build_array("any")`, func(s *site) printed {
			if s.variadic {
				return printed{sql: normal(listedJSON(s.jsonElements(0), ", "))}
			}
			return printed{sql: normal("('[' || " + strings.Join(s.jsons(0), " || ', ' || ") + " || ']')")}
		})
		t.function(j+"_build_array()", func(*site) printed { return printed{sql: "'[]'"} })
		t.arrays(j+"_object(text[])", func(s *site) printed { return printed{sql: normal("fg_json_object(" + s.args[0].sql + ")")} })
		t.arrays(j+"_object(text[], text[])", func(s *site) printed {
			for i, a := range s.args {
				if a.scale == asText {
					one := "(CASE WHEN fg_array_ndims(" + a.sql + ") > 1 THEN " +
						raise(pgerrcode.ArraySubscriptError, "wrong number of array subscripts") + " ELSE " + a.sql + " END)"
					s.args[i] = printed{sql: s.p.items(s.types[i], printed{one, asText})}
				}
			}
			return printed{sql: normal("fg_json_object(" + s.args[0].sql + ", " + s.args[1].sql + ")")}
		})
		t.functionTexts(sig(j+"_strip_nulls", j), "fg_"+j+"_strip_nulls($1)")
	})
	toArray := func(s *site) printed { return printed{sql: s.jsonArray(0, ",")} }
	t.function("array_to_json(anyarray)", toArray)
	t.function("array_to_json(anyarray, bool)", func(s *site) printed {
		return printed{sql: "(CASE WHEN " + s.args[1].sql + " THEN " + s.jsonArray(0, ",\n ") + " WHEN NOT " + s.args[1].sql + " THEN " + toArray(s).sql + " END)"}
	})
	t.functionTexts(
		"jsonb_concat(jsonb, jsonb)", "fg_jsonb_concat($1, $2)", "jsonb_pretty(jsonb)", "fg_jsonb_pretty($1)",
		"jsonb_delete(jsonb, text)", "fg_jsonb_delete($1, $2)", "jsonb_delete(jsonb, int4)", "fg_jsonb_delete($1, $2)",
		"jsonb_delete(jsonb, text[])", "fg_jsonb_delete($1, $2)", "jsonb_delete_path(jsonb, text[])", "fg_jsonb_delete_path($1, $2)",
		"jsonb_set(jsonb, text[], jsonb, bool)", "fg_jsonb_set($1, $2, $3, $4)",
		"jsonb_set_lax(jsonb, text[], jsonb, bool, text)", "fg_jsonb_set_lax($1, $2, $3, $4, $5)",
		"jsonb_insert(jsonb, text[], jsonb, bool)", "fg_jsonb_insert($1, $2, $3, $4)",
	)
	t.operatorTexts(
		"||(jsonb, jsonb)", "fg_jsonb_concat($1, $2)", "-(jsonb, text)", "fg_jsonb_delete($1, $2)", "-(jsonb, int4)", "fg_jsonb_delete($1, $2)",
		"-(jsonb, text[])", "fg_jsonb_delete($1, $2)", "#-(jsonb, text[])", "fg_jsonb_delete_path($1, $2)",
	)
	t.operatorTexts(
		"@>(jsonb, jsonb)", "fg_jsonb_contains($1, $2)", "<@(jsonb, jsonb)", "fg_jsonb_contains($2, $1)",
		"?(jsonb, text)", "fg_jsonb_has($1, $2)", "?|(jsonb, text[])", "fg_jsonb_has_any($1, $2)", "?&(jsonb, text[])", "fg_jsonb_has_all($1, $2)",
	)
}

// addJSONPaths: a jsonpath is text as it prints.
func (t *tables) addJSONPaths() {
	each("exists match query query_array query_first", func(what string) {
		name := "jsonb_path_" + what
		t.functionTexts(
			name+"(jsonb, jsonpath, jsonb, bool)", "fg_"+name+"($1, $2, $3, $4)",
			name+"_tz(jsonb, jsonpath, jsonb, bool)", "fg_"+name+"($1, $2, $3, $4, $zone)",
		)
	})
	t.operatorTexts("@?(jsonb, jsonpath)", "fg_jsonb_path_exists($1, $2)", "@@(jsonb, jsonpath)", "fg_jsonb_path_match($1, $2)")
	t.functionTexts("jsonb_path_exists_opr(jsonb, jsonpath)", "fg_jsonb_path_exists($1, $2)", "jsonb_path_match_opr(jsonb, jsonpath)", "fg_jsonb_path_match($1, $2)")
}

// jsonPath goes down the steps given as arguments.
func jsonPath(function string) entry {
	return func(s *site) printed {
		var steps []string
		for i := 1; i < len(s.args); i++ {
			steps = append(steps, s.args[i].sql)
		}
		path := "[" + strings.Join(steps, ", ") + "]"
		if len(s.types) == 2 && s.types[1].OID == postgres.TextArrayOID {
			path = s.args[1].sql
		}
		return printed{sql: function + "(" + s.args[0].sql + ", " + path + ")"}
	}
}

// json is argument i as JSON text, NULL as null (datum_to_json in json.c).
func (s *site) json(i int) string {
	t, arg := s.types[i], s.args[i]
	text := func() string {
		return s.p.cast(arg, t, planner.Type{OID: postgres.TextOID, Typmod: -1}, true, false).sql
	}
	out := ""
	switch t.OID {
	case postgres.BoolOID, postgres.Int2OID, postgres.Int4OID, postgres.Int8OID:
		out = text()
	case postgres.NumericOID, postgres.Float4OID, postgres.Float8OID:
		// NaN and the infinities are no numbers of JSON.
		out = "fg_json_number(" + text() + ")"
	case postgres.JSONOID, postgres.JSONBOID:
		out = arg.sql
	case postgres.InetOID:
		out = "fg_json_quote(" + arg.sql + ")" // which leaves the length out where the cast has it
	case postgres.DateOID:
		out = "fg_json_date(" + arg.sql + ")"
	case postgres.TimestampOID:
		out = "fg_json_timestamp(" + arg.sql + ")"
	case postgres.TimestampTZOID:
		out = "fg_json_timestamptz(" + arg.sql + ", " + quoteString(s.p.zone) + ")"
	case postgres.RecordOID:
		out = s.p.jsonOfRecord(arg.sql)
	default:
		if postgres.ElemOf(t.OID) != 0 {
			out = s.jsonArray(i, ",")
			break
		}
		out = "fg_json_quote(" + text() + ")"
	}
	return "coalesce(" + out + ", 'null')"
}

// jsonOfRecord is a record as a JSON object.
func (p *printer) jsonOfRecord(record string) string {
	style := ""
	if p.style != "" {
		style = ", " + quoteString(p.style)
	}
	return "fg_json_record(" + record + ", false, " + quoteString(p.zone) + style + ")"
}

// jsonArray is an array argument as a JSON array.
func (s *site) jsonArray(i int, comma string) string {
	if s.args[i].scale == asText {
		return "fg_array_nest(" + s.jsonElements(i) + ", " + s.args[i].sql + ", " + quoteString(comma) + ")"
	}
	return listedJSON(s.jsonElements(i), comma)
}

// listedJSON is a JSON array of texts that are JSON.
func listedJSON(elements, comma string) string {
	return "('[' || fg_array_to_string(" + elements + ", " + quoteString(comma) + ", 'null') || ']')"
}

// jsonElements is the list of the elements of an array argument as JSON.
func (s *site) jsonElements(i int) string {
	elem := planner.Type{OID: postgres.ElemOf(s.types[i].OID), Typmod: -1}
	name := s.p.name("e")
	e := &site{p: s.p, args: []printed{{name, textScale(elem)}}, types: []planner.Type{elem}}
	return transform(s.p.items(s.types[i], s.args[i]), name, e.json(0))
}

func (s *site) jsons(from int) []string {
	var out []string
	for i := from; i < len(s.args); i++ {
		out = append(out, s.json(i))
	}
	if len(out) == 0 {
		out = []string{"''"}
	}
	return out
}

// jsonKey is argument i as the key of a JSON object; null is the error if there is none.
func (s *site) jsonKey(i int, null string) string {
	if t := s.types[i].OID; t == postgres.JSONOID || t == postgres.JSONBOID || t == postgres.RecordOID || postgres.ElemOf(t) != 0 {
		composite := raise(pgerrcode.InvalidParameterValue, "key value must be scalar, not array, composite, or json")
		return "fg_json_quote(CASE WHEN (" + s.args[i].sql + ") IS NOT NULL THEN " + composite + " ELSE " + null + " END)"
	}
	key := s.castText(i)
	// Of two calls with the same error DuckDB makes one, and evaluates it before a coalesce, but not before a CASE.
	return "fg_json_quote(CASE WHEN " + key + " IS NOT NULL THEN " + key + " ELSE " + null + " END)"
}

// jsonObject is keys and values in turn.
func (s *site) jsonObject() string {
	if s.variadic {
		return "fg_json_build_object(" + s.elementTexts(0) + ", " + s.jsonElements(0) + ", " + quoteString(s.name) + ")"
	}
	if len(s.args)%2 != 0 {
		return raise(pgerrcode.InvalidParameterValue, raisedMessage(asError(errUneven(s.name)))) // fails where it is reached
	}
	var parts []string
	for i := 0; i < len(s.args); i += 2 {
		parts = append(parts, s.jsonKey(i, raise(pgerrcode.InvalidParameterValue, raisedMessage(errNullKey(s.name, i+1))))+" || ' : ' || "+s.json(i+1))
	}
	if len(parts) == 0 {
		return "'{}'"
	}
	return "('{' || " + strings.Join(parts, " || ', ' || ") + " || '}')"
}
