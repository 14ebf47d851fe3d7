package duckdb

import (
	"strings"
	"time"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// jsonFunctions take JSON apart. The first argument is json or jsonb.
func jsonFunctions() definitions {
	part := func(find func(c *call) (string, bool), asText bool) func(c *call) error {
		return func(c *call) error {
			v, ok := find(c)
			switch {
			case !ok || asText && kindOfJSON(v) == "null":
			case asText && kindOfJSON(v) == "string":
				c.setText(unquoteJSON(strings.TrimSpace(v)))
			default:
				c.setText(v)
			}
			return nil
		}
	}
	byKey := func(c *call) (string, bool) { return member(c.text(0), c.text(1)) }
	byIndex := func(c *call) (string, bool) { return element(c.text(0), int(c.int4(1))) }
	byPlace := func(c *call) (string, bool) { return jsonbElement(c.text(0), int(c.int4(1))) }
	byPath := func(c *call) (string, bool) { return follow(c.text(0), c.list(1)) }
	return definitions{
		"fg_json_get(VARCHAR, VARCHAR) VARCHAR":         part(byKey, false),
		"fg_json_get_text(VARCHAR, VARCHAR) VARCHAR":    part(byKey, true),
		"fg_json_get(VARCHAR, INTEGER) VARCHAR":         part(byIndex, false),
		"fg_json_get_text(VARCHAR, INTEGER) VARCHAR":    part(byIndex, true),
		"fg_jsonb_get(VARCHAR, INTEGER) VARCHAR":        part(byPlace, false),
		"fg_jsonb_get_text(VARCHAR, INTEGER) VARCHAR":   part(byPlace, true),
		"fg_json_path(VARCHAR, VARCHAR[]) VARCHAR":      part(byPath, false),
		"fg_json_path_text(VARCHAR, VARCHAR[]) VARCHAR": part(byPath, true),
		"fg_json_typeof(VARCHAR) VARCHAR":               func(c *call) error { c.setText(kindOfJSON(c.text(0))); return nil },
		"fg_json_array_length(VARCHAR) INTEGER": func(c *call) error {
			n, ok := arrayLength(c.text(0))
			switch kind := kindOfJSON(c.text(0)); {
			case ok:
				c.setInt4(int32(n))
			case kind == "object":
				return errorf(pgerrcode.InvalidParameterValue, "cannot get array length of a non-array")
			default:
				return errorf(pgerrcode.InvalidParameterValue, "cannot get array length of a scalar")
			}
			return nil
		},
		"fg_json_keys(VARCHAR, VARCHAR) VARCHAR[]": func(c *call) error {
			if kind := kindOfJSON(c.text(0)); kind != "object" {
				return errNotAnObject(c.text(1), kind == "array")
			}
			var keys [][]byte
			members(c.text(0), func(k, _ string) bool { keys = append(keys, []byte(unquoteJSON(k))); return true })
			c.setList(keys)
			return nil
		},
		"fg_json_elements(VARCHAR, VARCHAR) VARCHAR[]":      jsonElements(false),
		"fg_json_elements_text(VARCHAR, VARCHAR) VARCHAR[]": jsonElements(true),
		"fg_jsonb_contains(VARCHAR, VARCHAR) BOOLEAN": func(c *call) error {
			c.setBool(contains(c.text(0), c.text(1), true))
			return nil
		},
		"fg_jsonb_has(VARCHAR, VARCHAR) BOOLEAN": func(c *call) error { c.setBool(hasJSONKey(c.text(0), c.text(1))); return nil },
		"fg_jsonb_has_any(VARCHAR, VARCHAR[]) BOOLEAN": func(c *call) error {
			found := false
			for _, k := range c.list(1) {
				found = found || k != nil && hasJSONKey(c.text(0), string(k))
			}
			c.setBool(found)
			return nil
		},
		"fg_jsonb_has_all(VARCHAR, VARCHAR[]) BOOLEAN": func(c *call) error {
			all := true
			for _, k := range c.list(1) {
				all = all && (k == nil || hasJSONKey(c.text(0), string(k)))
			}
			c.setBool(all)
			return nil
		},
		"fg_json_quote(VARCHAR) VARCHAR": func(c *call) error {
			c.isSet, c.result.text = true, postgres.AppendJSONString(c.result.text, c.text(0))
			return nil
		},
		"fg_jsonb_key(VARCHAR) BLOB": func(c *call) error {
			c.isSet, c.result.text = true, appendJSONKey(c.result.text, c.text(0))
			return nil
		},
		"fg_json_values(VARCHAR) VARCHAR[]":      jsonValues(false),
		"fg_json_values_text(VARCHAR) VARCHAR[]": jsonValues(true),
		"fg_json_number(VARCHAR) VARCHAR": func(c *call) error {
			if v := c.text(0); strings.HasSuffix(v, "Infinity") || v == "NaN" {
				c.isSet, c.result.text = true, postgres.AppendJSONString(c.result.text, v)
			} else {
				c.setText(v)
			}
			return nil
		},
		"fg_json_date(DATE) VARCHAR":                      jsonMoment(postgres.DateOID, func(c *call) postgres.Datum { return postgres.Datum{Kind: postgres.DateKind, Int: c.date(0)} }),
		"fg_json_timestamp(TIMESTAMP) VARCHAR":            jsonMoment(postgres.TimestampOID, func(c *call) postgres.Datum { return postgres.TimestampDatum(c.timestamp(0)) }),
		"fg_json_timestamptz(TIMESTAMP, VARCHAR) VARCHAR": jsonMoment(postgres.TimestampTZOID, func(c *call) postgres.Datum { return postgres.TimestampDatum(c.timestamp(0)) }),
		"fg_json_object(VARCHAR[], VARCHAR[]) VARCHAR":    fallible(func(c *call) (string, error) { return jsonOfLists(c.list(0), c.list(1)) }),
		"fg_json_object(VARCHAR[]) VARCHAR": fallible(func(c *call) (string, error) {
			list := c.list(0)
			if len(list)%2 != 0 {
				return "", errorf(pgerrcode.ArraySubscriptError, "array must have even number of elements")
			}
			var keys, values [][]byte
			for i := 0; i < len(list); i += 2 {
				keys, values = append(keys, list[i]), append(values, list[i+1])
			}
			return jsonOfLists(keys, values)
		}),
		"fg_json_build_object(VARCHAR[], VARCHAR[], VARCHAR) VARCHAR": buildObject,
		"fg_json_strip_nulls(VARCHAR) VARCHAR":                        fallible(func(c *call) (string, error) { return stripNulls(c.text(0), ",", ":"), nil }),
		"fg_jsonb_strip_nulls(VARCHAR) VARCHAR":                       fallible(func(c *call) (string, error) { return stripNulls(c.text(0), ", ", ": "), nil }),
		"fg_jsonb_pretty(VARCHAR) VARCHAR":                            fallible(func(c *call) (string, error) { return prettyJSONB(c.text(0), ""), nil }),
		"fg_jsonb_concat(VARCHAR, VARCHAR) VARCHAR":                   fallible(func(c *call) (string, error) { return concatJSONB(c.text(0), c.text(1)) }),
		"fg_jsonb_delete(VARCHAR, VARCHAR) VARCHAR":                   fallible(func(c *call) (string, error) { return withoutKeys(c.text(0), []string{c.text(1)}) }),
		"fg_jsonb_delete(VARCHAR, INTEGER) VARCHAR":                   fallible(func(c *call) (string, error) { return withoutIndex(c.text(0), int(c.int4(1))) }),
		"fg_jsonb_delete(VARCHAR, VARCHAR[]) VARCHAR": fallible(func(c *call) (string, error) {
			return withoutKeys(c.text(0), listOf(c, 1, strings.Clone))
		}),
		"fg_jsonb_delete_path(VARCHAR, VARCHAR[]) VARCHAR": fallible(func(c *call) (string, error) {
			return (&jsonbEdit{remove: true}).apply(c.text(0), c.list(1))
		}),
		"fg_jsonb_set(VARCHAR, VARCHAR[], VARCHAR, BOOLEAN) VARCHAR": fallible(func(c *call) (string, error) {
			return (&jsonbEdit{value: c.text(2), create: c.boolean(3)}).apply(c.text(0), c.list(1))
		}),
		"*fg_jsonb_set_lax(VARCHAR, VARCHAR[], VARCHAR, BOOLEAN, VARCHAR) VARCHAR": setLax,
		"fg_jsonb_insert(VARCHAR, VARCHAR[], VARCHAR, BOOLEAN) VARCHAR": fallible(func(c *call) (string, error) {
			return (&jsonbEdit{value: c.text(2), insert: true, after: c.boolean(3)}).apply(c.text(0), c.list(1))
		}),
		"fg_jsonb_scalar(VARCHAR, VARCHAR, VARCHAR) VARCHAR": func(c *call) error {
			if kind := kindOfJSON(c.text(0)); kind != c.text(1) {
				return errorf(pgerrcode.InvalidParameterValue, "cannot cast jsonb %s to type %s", strings.Replace(kind, "number", "numeric", 1), c.text(2))
			}
			c.setText(c.text(0))
			return nil
		},
	}
}

// errNotAnObject says, in the words of a function, that it was given an array or a scalar.
func errNotAnObject(function string, isArray bool) error {
	what := ""
	switch keys := strings.HasSuffix(function, "_object_keys"); {
	case keys && isArray:
		what = "call " + function + " on an array"
	case keys:
		what = "call " + function + " on a scalar"
	case strings.HasPrefix(function, "jsonb_"):
		what = "call " + function + " on a non-object"
	case isArray:
		what = "deconstruct an array as an object"
	default:
		what = "deconstruct a scalar"
	}
	return errorf(pgerrcode.InvalidParameterValue, "cannot %s", what)
}

// errNotAnArray says so of an object or a scalar.
func errNotAnArray(function string, isObject bool) error {
	what := ""
	switch binary := strings.HasPrefix(function, "jsonb_"); {
	case binary && isObject:
		what = "extract elements from an object"
	case binary:
		what = "extract elements from a scalar"
	case isObject:
		what = "call " + function + " on a non-array"
	default:
		what = "call " + function + " on a scalar"
	}
	return errorf(pgerrcode.InvalidParameterValue, "cannot %s", what)
}

func jsonElements(asText bool) func(c *call) error {
	return func(c *call) error {
		if kind := kindOfJSON(c.text(0)); kind != "array" {
			return errNotAnArray(c.text(1), kind == "object")
		}
		list := [][]byte{}
		elements(c.text(0), func(v string) bool {
			list = append(list, jsonItem(v, asText))
			return true
		})
		c.setList(list)
		return nil
	}
}

// jsonValues are the values of an object, in the order of its keys.
func jsonValues(asText bool) func(c *call) error {
	return func(c *call) error {
		if kindOfJSON(c.text(0)) != "object" {
			return errorf(pgerrcode.InvalidParameterValue, "cannot deconstruct a scalar or an array")
		}
		list := [][]byte{}
		members(c.text(0), func(_, v string) bool {
			list = append(list, jsonItem(v, asText))
			return true
		})
		c.setList(list)
		return nil
	}
}

// jsonItem is a value as it stands, or as text, in which null is NULL.
func jsonItem(v string, asText bool) []byte {
	switch kind := kindOfJSON(v); {
	case asText && kind == "null":
		return nil
	case asText && kind == "string":
		return []byte(unquoteJSON(v))
	}
	return []byte(v)
}

// jsonMoment prints a date or a time as ISO 8601 has it, whatever the session's
// style is; argument 1 is the zone (JsonEncodeDateTime in json.c).
func jsonMoment(oid postgres.OID, value func(c *call) postgres.Datum) func(c *call) error {
	return func(c *call) error {
		zone := -1
		if c.args == 2 {
			zone = 1
		}
		e, err := c.env(zone)
		if err != nil {
			return err
		}
		c.isSet, c.result.text = true, postgres.AppendJSONString(c.result.text, jsonTime(oid, value(c), e.Zone))
		return nil
	}
}

// jsonTime is a date or timestamp as JSON has it, by ISO 8601.
func jsonTime(oid postgres.OID, d postgres.Datum, zone *time.Location) string {
	env := postgres.DefaultEnv()
	env.Zone = zone
	text, beforeChrist := strings.CutSuffix(string(postgres.AppendText(nil, oid, d, env)), " BC")
	text = strings.Replace(text, " ", "T", 1)
	if sign := len(text) - 3; (oid == postgres.TimestampTZOID || oid == postgres.TimeTZOID) && sign > 0 && (text[sign] == '+' || text[sign] == '-') {
		text += ":00"
	}
	if beforeChrist {
		text += " BC"
	}
	return text
}

// jsonOfLists is an object of texts; a NULL value is null.
func jsonOfLists(keys, values [][]byte) (string, error) {
	if len(keys) != len(values) {
		return "", errorf(pgerrcode.ArraySubscriptError, "mismatched array dimensions")
	}
	parts := make([]jsonPart, len(keys))
	for i, k := range keys {
		if k == nil {
			return "", errorf(pgerrcode.NullValueNotAllowedDataException, "null value not allowed for object key")
		}
		parts[i] = jsonPart{string(postgres.AppendJSONString(nil, string(k))), "null"}
		if values[i] != nil {
			parts[i].value = string(postgres.AppendJSONString(nil, string(values[i])))
		}
	}
	return joinParts("object", parts, ", ", " : "), nil
}

// buildObject is json_build_object of an array: its elements as texts and as JSON.
func buildObject(c *call) error {
	texts, values := c.list(0), c.list(1)
	if len(texts)%2 != 0 {
		return errUneven(c.text(2))
	}
	var parts []jsonPart
	for i := 0; i < len(texts); i += 2 {
		if texts[i] == nil {
			return errNullKey(c.text(2), i+1)
		}
		parts = append(parts, jsonPart{string(postgres.AppendJSONString(nil, string(texts[i]))), string(values[i+1])})
	}
	c.setText(joinParts("object", parts, ", ", " : "))
	return nil
}

func errUneven(function string) error {
	e := errorf(pgerrcode.InvalidParameterValue, "argument list must have even number of elements")
	e.Hint = "The arguments of " + function + "() must consist of alternating keys and values."
	return e
}

// errNullKey says that argument n, a key, is NULL.
func errNullKey(function string, n int) *planner.Error {
	if strings.HasPrefix(function, "jsonb") {
		return errorf(pgerrcode.InvalidParameterValue, "argument %d: key must not be null", n)
	}
	e := errorf(pgerrcode.InvalidParameterValue, "argument %d cannot be null", n)
	e.Hint = "Object keys should be text."
	return e
}
