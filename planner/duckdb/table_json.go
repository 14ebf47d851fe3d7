package duckdb

import (
	"fmt"
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
			sig(j+"_object_keys", j), "fg_json_keys($1)", sig(j+"_each", j), "fg_json_keys($1)", sig(j+"_each_text", j), "fg_json_keys($1)",
			sig(j+"_array_elements", j), "fg_json_elements($1)", sig(j+"_array_elements_text", j), "fg_json_elements_text($1)",
		)
		t.function(sig(j+"_extract_path", j, "text[]"), jsonPath("fg_json_path"))
		t.function(sig(j+"_extract_path_text", j, "text[]"), jsonPath("fg_json_path_text"))
		normal := func(text string) string { return text }
		if j == "jsonb" {
			normal = func(text string) string { return "fg_jsonb_in(" + text + ")" }
		}
		to := "to_" + j
		t.function(sig(to, "anyelement"), func(s *site) printed { return printed{sql: normal(s.json(0))} })
		t.function(j+`_build_object("any")`, func(s *site) printed { return printed{sql: normal(s.jsonObject())} })
		t.function(j+`_build_array("any")`, func(s *site) printed {
			return printed{sql: normal("('[' || " + strings.Join(s.jsons(0), " || ', ' || ") + " || ']')")}
		})
	})
	t.operatorTexts(
		"@>(jsonb, jsonb)", "fg_jsonb_contains($1, $2)", "<@(jsonb, jsonb)", "fg_jsonb_contains($2, $1)",
		"?(jsonb, text)", "fg_jsonb_has($1, $2)", "?|(jsonb, text[])", "fg_jsonb_has_any($1, $2)", "?&(jsonb, text[])", "fg_jsonb_has_all($1, $2)",
	)
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
	case postgres.TimestampOID, postgres.TimestampTZOID:
		out = "fg_json_time(" + text() + ")"
	default:
		if postgres.ElemOf(t.OID) != 0 {
			return s.refuse("type %s as JSON", t.OID).sql
		}
		out = "fg_json_quote(" + text() + ")"
	}
	return "coalesce(" + out + ", 'null')"
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

// jsonObject is keys and values in turn.
func (s *site) jsonObject() string {
	if len(s.args)%2 != 0 {
		e := errorf(pgerrcode.InvalidParameterValue, "argument list must have even number of elements")
		e.Hint = "The arguments of " + s.name + "() must consist of alternating keys and values."
		return s.p.fail(e).sql
	}
	var parts []string
	for i := 0; i < len(s.args); i += 2 {
		key := "coalesce(" + s.castText(i) + ", " +
			raise(pgerrcode.InvalidParameterValue, fmt.Sprintf("argument %d: key must not be null", i+1)) + ")"
		parts = append(parts, "fg_json_quote("+key+") || ' : ' || "+s.json(i+1))
	}
	if len(parts) == 0 {
		return "'{}'"
	}
	return "('{' || " + strings.Join(parts, " || ', ' || ") + " || '}')"
}
