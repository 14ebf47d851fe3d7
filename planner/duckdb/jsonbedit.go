package duckdb

import (
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// jsonPart is a member of an object, its key as written, or an element of an
// array.
type jsonPart struct{ key, value string }

// jsonParts takes an object or an array apart; of a scalar there is one part,
// itself.
func jsonParts(s string) []jsonPart {
	var parts []jsonPart
	switch kindOfJSON(s) {
	case "object":
		members(s, func(k, v string) bool { parts = append(parts, jsonPart{k, v}); return true })
	case "array":
		elements(s, func(v string) bool { parts = append(parts, jsonPart{value: v}); return true })
	default:
		parts = []jsonPart{{value: s}}
	}
	return parts
}

// joinParts writes an object or an array.
func joinParts(kind string, parts []jsonPart, comma, colon string) string {
	var b strings.Builder
	b.WriteByte(map[string]byte{"object": '{', "array": '['}[kind])
	for i, p := range parts {
		if i > 0 {
			b.WriteString(comma)
		}
		if kind == "object" {
			b.WriteString(p.key + colon)
		}
		b.WriteString(p.value)
	}
	b.WriteByte(map[string]byte{"object": '}', "array": ']'}[kind])
	return b.String()
}

// setLax is jsonb_set_lax, which can do four things with a NULL.
func setLax(c *call) error {
	if c.isNull(0) || c.isNull(1) || c.isNull(3) {
		return nil
	}
	treatment := ""
	if !c.isNull(4) {
		treatment = c.text(4)
	}
	edit := &jsonbEdit{value: "null", create: c.boolean(3)}
	switch {
	case c.isNull(4), c.isNull(2) && !slices.Contains([]string{"raise_exception", "use_json_null", "delete_key", "return_target"}, treatment):
		return errJSONB(`null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"`)
	case !c.isNull(2):
		edit.value = c.text(2)
	case treatment == "raise_exception":
		e := errorf(pgerrcode.NullValueNotAllowedDataException, "JSON value must not be null")
		e.Detail = `Exception was raised because null_value_treatment is "raise_exception".`
		e.Hint = "To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed."
		return e
	case treatment == "delete_key":
		edit.remove = true
	case treatment == "return_target":
		c.setText(c.text(0))
		return nil
	}
	out, err := edit.apply(c.text(0), c.list(1))
	if err == nil {
		c.setText(out)
	}
	return err
}

// normalJSONB is jsonb's own form of a text: sorted, and the last of equal keys.
func normalJSONB(s string) (string, error) {
	b, err := postgres.AppendJSONB(nil, s)
	return string(b), err
}

func errJSONB(format string, args ...any) error {
	return errorf(pgerrcode.InvalidParameterValue, format, args...)
}

// concatJSONB is jsonb's ||: objects are merged, all else is put in one array.
func concatJSONB(a, b string) (string, error) {
	ka, kb := kindOfJSON(a), kindOfJSON(b)
	kind := "array"
	if ka == "object" && kb == "object" {
		kind = "object"
	}
	parts := func(s, own string) []jsonPart {
		if own == "object" && kind == "array" {
			return []jsonPart{{value: s}}
		}
		return jsonParts(s)
	}
	return normalJSONB(joinParts(kind, append(parts(a, ka), parts(b, kb)...), ", ", ": "))
}

// withoutKeys is jsonb's - with texts: without those members, or those strings of
// an array.
func withoutKeys(s string, keys []string) (string, error) {
	kind := kindOfJSON(s)
	if kind != "object" && kind != "array" {
		return "", errJSONB("cannot delete from scalar")
	}
	parts := slices.DeleteFunc(jsonParts(s), func(p jsonPart) bool {
		if kind == "object" {
			return slices.Contains(keys, unquoteJSON(p.key))
		}
		return kindOfJSON(p.value) == "string" && slices.Contains(keys, unquoteJSON(p.value))
	})
	return joinParts(kind, parts, ", ", ": "), nil
}

// withoutIndex is jsonb's - with a number: without that element, counted from the
// end if it is negative.
func withoutIndex(s string, i int) (string, error) {
	switch kindOfJSON(s) {
	case "array":
	case "object":
		return "", errJSONB("cannot delete from object using integer index")
	default:
		return "", errJSONB("cannot delete from scalar")
	}
	parts := jsonParts(s)
	if i < 0 {
		i += len(parts)
	}
	if i >= 0 && i < len(parts) {
		parts = slices.Delete(parts, i, i+1)
	}
	return joinParts("array", parts, ", ", ": "), nil
}

// jsonbEdit is a change of the value at a path (setPath in jsonfuncs.c).
type jsonbEdit struct {
	value string
	// remove takes the value away; insert puts one beside it, after it or before;
	// else it is replaced, and, with create, made where there is none.
	remove, insert, after, create bool
}

func (e *jsonbEdit) apply(s string, path [][]byte) (string, error) {
	if kind := kindOfJSON(s); kind != "object" && kind != "array" {
		if e.remove {
			return "", errJSONB("cannot delete path in scalar")
		}
		return "", errJSONB("cannot set path in scalar")
	}
	if parts := jsonParts(s); len(parts) == 0 && !e.create && !e.insert || len(path) == 0 {
		return s, nil
	}
	out, err := e.at(s, path, 0)
	if err != nil {
		return "", err
	}
	return normalJSONB(out)
}

func (e *jsonbEdit) at(s string, path [][]byte, level int) (string, error) {
	kind := kindOfJSON(s)
	if kind != "object" && kind != "array" {
		return s, nil // there is nothing under a scalar
	}
	step := path[level]
	if step == nil {
		return "", errorf(pgerrcode.NullValueNotAllowedDataException, "path element at position %d is null", level+1)
	}
	parts := jsonParts(s)
	var i int
	if kind == "object" {
		i = slices.IndexFunc(parts, func(p jsonPart) bool { return unquoteJSON(p.key) == string(step) })
	} else {
		n, err := strconv.ParseInt(string(step), 10, 32)
		if err != nil {
			return "", errorf(pgerrcode.InvalidTextRepresentation, "path element at position %d is not an integer: \"%s\"", level+1, step)
		}
		if n < 0 {
			n += int64(len(parts))
		}
		i = int(n)
	}
	found := i >= 0 && i < len(parts)
	last := level == len(path)-1
	if found && !last {
		value, err := e.at(parts[i].value, path, level+1)
		parts[i].value = value
		return joinParts(kind, parts, ", ", ": "), err
	}
	if !last {
		return s, nil
	}
	return e.change(s, kind, parts, string(step), i, found)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// change edits the parts of the value that holds the last step.
func (e *jsonbEdit) change(s, kind string, parts []jsonPart, key string, i int, found bool) (string, error) {
	added := jsonPart{value: e.value}
	if kind == "object" {
		added.key = string(postgres.AppendJSONString(nil, key))
	}
	switch {
	case e.remove && !found, !found && !e.create && !e.insert:
		return s, nil
	case e.remove:
		parts = slices.Delete(parts, i, i+1)
	case found && e.insert && kind == "object":
		err := errorf(pgerrcode.InvalidParameterValue, "cannot replace existing key")
		err.Hint = "Try using the function jsonb_set to replace key value."
		return "", err
	case found && e.insert:
		parts = slices.Insert(parts, i+boolInt(e.after), added)
	case found:
		parts[i].value = e.value
	case kind == "array" && i < 0:
		parts = slices.Insert(parts, 0, added)
	default:
		parts = append(parts, added)
	}
	return joinParts(kind, parts, ", ", ": "), nil
}

// stripNulls leaves out members that are null, at any depth.
func stripNulls(s, comma, colon string) string {
	kind := kindOfJSON(s)
	if kind != "object" && kind != "array" {
		return strings.TrimSpace(s)
	}
	var kept []jsonPart
	for _, p := range jsonParts(s) {
		if kind == "object" && kindOfJSON(p.value) == "null" {
			continue
		}
		kept = append(kept, jsonPart{p.key, stripNulls(p.value, comma, colon)})
	}
	return joinParts(kind, kept, comma, colon)
}

// prettyJSONB is jsonb_pretty.
func prettyJSONB(s, indent string) string {
	kind := kindOfJSON(s)
	if kind != "object" && kind != "array" {
		return s
	}
	parts := jsonParts(s)
	inner := indent + "    "
	for i := range parts {
		parts[i].value = prettyJSONB(parts[i].value, inner)
	}
	out := joinParts(kind, parts, ",\n"+inner, ": ")
	if len(parts) == 0 {
		return out[:1] + "\n" + indent + out[1:]
	}
	return out[:1] + "\n" + inner + out[1:len(out)-1] + "\n" + indent + out[len(out)-1:]
}
