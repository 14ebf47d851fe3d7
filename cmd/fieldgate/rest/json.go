package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// objects writes rows as JSON objects.
type objects struct {
	// keys are the members' names with what stands before them: `{"a":`, `,"b":`.
	keys   [][]byte
	values []planner.AppendFunc
}

// newObjects names the members by the columns. A name that was there before gets
// a number: x, x_2, x_3.
func newObjects(columns []planner.ResultColumn) *objects {
	o := &objects{keys: make([][]byte, len(columns)), values: make([]planner.AppendFunc, len(columns))}
	taken := make(map[string]bool, len(columns))
	for _, c := range columns {
		taken[c.Name] = true
	}
	seen := make(map[string]bool, len(columns))
	for i, c := range columns {
		name := c.Name
		for n := 2; seen[name] || name != c.Name && taken[name]; n++ {
			name = fmt.Sprintf("%s_%d", c.Name, n)
		}
		seen[name] = true
		before := byte(',')
		if i == 0 {
			before = '{'
		}
		o.keys[i] = append(appendString([]byte{before}, []byte(name)), ':')
		o.values[i] = jsonOf(c.T.OID)
	}
	return o
}

func (o *objects) object(dst []byte, c *planner.Chunk, row int) []byte {
	if len(o.keys) == 0 {
		return append(dst, "{}"...)
	}
	for i, key := range o.keys {
		dst = append(dst, key...)
		if v := &c.Columns[i]; v.IsNull(row) {
			dst = append(dst, "null"...)
		} else {
			dst = o.values[i](dst, v, row)
		}
	}
	return append(dst, '}')
}

// jsonOf is how a type's values are written in JSON: numbers and truth values as
// such (but for NaN and infinities, which JSON has not), json and jsonb as they
// are, arrays as arrays, everything else as the string of its text form.
func jsonOf(oid postgres.OID) planner.AppendFunc {
	oid = postgres.BaseOf(oid)
	text := textOf(oid)
	switch oid {
	case postgres.BoolOID:
		return func(dst []byte, v *planner.Vector, row int) []byte { return strconv.AppendBool(dst, v.Bools[row]) }
	case postgres.Int2OID, postgres.Int4OID, postgres.Int8OID, postgres.OIDOID:
		return text
	case postgres.Float4OID:
		return func(dst []byte, v *planner.Vector, row int) []byte {
			return quotedUnless(isFinite(float64(v.Float32s[row])), text, dst, v, row)
		}
	case postgres.Float8OID:
		return func(dst []byte, v *planner.Vector, row int) []byte {
			return quotedUnless(isFinite(v.Float64s[row]), text, dst, v, row)
		}
	case postgres.NumericOID:
		return func(dst []byte, v *planner.Vector, row int) []byte {
			return quotedUnless(v.Numerics != nil || isNumber(v.Bytes[row]), text, dst, v, row)
		}
	case postgres.JSONOID, postgres.JSONBOID:
		return inlineJSON
	case postgres.Int2VectorOID, postgres.OIDVectorOID: // arrays to the catalog, but a text of their own
	default:
		if elem := postgres.ElemOf(oid); elem != 0 {
			return jsonList(oid, jsonOf(elem))
		}
	}
	var cell []byte
	return func(dst []byte, v *planner.Vector, row int) []byte {
		cell = text(cell[:0], v, row)
		return appendString(dst, cell)
	}
}

func isFinite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// isNumber tells the text of a numeric from NaN and infinities.
func isNumber(text []byte) bool {
	last := text[len(text)-1]
	return last >= '0' && last <= '9'
}

// quotedUnless appends a text that needs no escape, in quotes unless plain.
func quotedUnless(plain bool, text planner.AppendFunc, dst []byte, v *planner.Vector, row int) []byte {
	if plain {
		return text(dst, v, row)
	}
	return append(text(append(dst, '"'), v, row), '"')
}

// inlineJSON appends a JSON value on one line. Text that is none is a string.
func inlineJSON(dst []byte, v *planner.Vector, row int) []byte {
	out := bytes.NewBuffer(dst)
	if err := json.Compact(out, v.Bytes[row]); err != nil {
		return appendString(dst, v.Bytes[row])
	}
	return out.Bytes()
}

// jsonList appends an array, and one of more dimensions as arrays of arrays.
func jsonList(oid postgres.OID, elem planner.AppendFunc) planner.AppendFunc {
	return func(dst []byte, v *planner.Vector, row int) []byte {
		l := v.Lists
		if l == nil {
			return jsonShaped(dst, planner.KeptDatum(oid, v.Bytes[row]).Array)
		}
		dst = append(dst, '[')
		from := l.Offsets[row]
		for i := from; i < from+l.Lengths[row]; i++ {
			if i > from {
				dst = append(dst, ',')
			}
			if at := int(i); l.Elems.IsNull(at) {
				dst = append(dst, "null"...)
			} else {
				dst = elem(dst, &l.Elems, at)
			}
		}
		return append(dst, ']')
	}
}

// jsonShaped appends an array of any number of dimensions.
func jsonShaped(dst []byte, a *postgres.Array) []byte {
	items := a.Items
	var level func(dims []postgres.Dimension)
	level = func(dims []postgres.Dimension) {
		dst = append(dst, '[')
		for i := range dims[0].Len {
			if i > 0 {
				dst = append(dst, ',')
			}
			if len(dims) > 1 {
				level(dims[1:])
				continue
			}
			dst = jsonDatum(dst, a.Elem, &items[0])
			items = items[1:]
		}
		dst = append(dst, ']')
	}
	if len(a.Dims) == 0 {
		return append(dst, "[]"...)
	}
	level(a.Dims)
	return dst
}

// jsonDatum appends one value as jsonOf does.
func jsonDatum(dst []byte, oid postgres.OID, d *postgres.Datum) []byte {
	text := postgres.AppendText(nil, oid, *d, postgres.DefaultEnv())
	switch d.Kind {
	case postgres.NullKind:
		return append(dst, "null"...)
	case postgres.BoolKind:
		return strconv.AppendBool(dst, d.Int != 0)
	case postgres.IntKind, postgres.FloatKind, postgres.NumericKind:
		if isNumber(text) {
			return append(dst, text...)
		}
	case postgres.TextKind:
		if oid == postgres.JSONOID || oid == postgres.JSONBOID {
			v := &planner.Vector{Bytes: [][]byte{text}}
			return inlineJSON(dst, v, 0)
		}
	}
	return appendString(dst, text)
}

// appendString appends a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendString(dst, text []byte) []byte {
	const hexDigits = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, text[from:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			from = i
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(append(dst, text[from:i]...), "\ufffd"...)
			from = i + size
		}
		i += size
	}
	return append(append(dst, text[from:]...), '"')
}
