package duckdb

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// record is argument i.
func (c *call) record(i int) (*postgres.Record, error) {
	d, err := postgres.ParseKept(postgres.RecordOID, c.text(i))
	return d.Record, err
}

// styledEnv is what printing depends on, for a zone given as argument i and a style
// that may follow it.
func (c *call) styledEnv(i int) (postgres.Env, error) {
	e, err := c.env(i)
	if err == nil && c.args > i+1 {
		err = c.setStyle(i+1, &e)
	}
	return e, err
}

// The bytes before a field in the key of a record: what is NULL comes last.
const (
	keyValue = 1
	keyNull  = 2
)

// appendRecordKey writes a record so that keys compare as records do.
func appendRecordKey(dst []byte, r *postgres.Record) ([]byte, error) {
	for i := range r.Fields {
		f := &r.Fields[i]
		var err error
		if dst, err = appendKey(dst, f.Type, &f.Value); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendKey(dst []byte, oid postgres.OID, d *postgres.Datum) ([]byte, error) {
	if d.Kind == postgres.NullKind {
		return append(dst, keyNull), nil
	}
	dst = append(dst, keyValue)
	integer := func(n int64) []byte { return binary.BigEndian.AppendUint64(dst, uint64(n)^1<<63) }
	switch d.Kind {
	case postgres.BoolKind, postgres.IntKind, postgres.DateKind, postgres.TimeKind, postgres.TimestampKind:
		return integer(d.Int), nil
	case postgres.TimeTZKind:
		return integer(timeTZ{d.Int, int64(d.Zone)}.key()), nil
	case postgres.IntervalKind:
		days := floorDiv(d.Int, microsPerDay)
		dst = integer(int64(d.Months)*30 + int64(d.Days) + days)
		return integer(d.Int - days*microsPerDay), nil
	case postgres.FloatKind:
		return binary.BigEndian.AppendUint64(dst, floatKey(d.Float)), nil
	case postgres.NumericKind:
		return appendDelimited(dst, parseDecimal(d.Str).key(nil)), nil
	case postgres.UUIDKind:
		return append(dst, d.Str...), nil
	case postgres.BytesKind:
		return appendDelimited(dst, []byte(d.Str)), nil
	case postgres.RecordKind:
		return appendRecordKey(dst, d.Record)
	case postgres.ArrayKind:
		for i := range d.Array.Items {
			var err error
			if dst, err = appendKey(dst, d.Array.Elem, &d.Array.Items[i]); err != nil {
				return dst, err
			}
		}
		return append(append(dst, 0), shapeKey(d.Array.Dims)...), nil
	case postgres.TextKind:
		switch oid {
		case postgres.JSONOID, postgres.UnknownOID:
			return dst, errorf(pgerrcode.UndefinedFunction, "could not identify an equality operator for type %s", oid)
		case postgres.JSONBOID:
			return appendDelimited(dst, appendJSONKey(nil, d.Str)), nil
		case postgres.InetOID, postgres.CidrOID:
			n, err := postgres.ParseInet(oid, d.Str)
			return appendDelimited(dst, []byte(n.Key())), err
		case postgres.TSVectorOID, postgres.TSQueryOID:
			return dst, unsupported("comparing records with fields of type %s", oid)
		case postgres.BPCharOID:
			return appendDelimited(dst, []byte(strings.TrimRight(d.Str, " "))), nil
		}
		if _, _, ok := postgres.RangeTypeOf(oid); ok {
			set, err := postgres.ParseRanges(oid, d.Str, postgres.DefaultEnv())
			return appendDelimited(dst, appendRangeKey(nil, set)), err
		}
		return appendDelimited(dst, []byte(d.Str)), nil
	}
	return dst, unsupported("comparing records with fields of type %s", oid)
}

// floatKey orders floats as bits: NaN is the greatest, and the zeros are equal.
func floatKey(f float64) uint64 {
	switch {
	case math.IsNaN(f):
		return math.MaxUint64
	case f == 0:
		return 1 << 63
	}
	bits := math.Float64bits(f)
	if bits>>63 != 0 {
		return ^bits
	}
	return bits | 1<<63
}

// appendDelimited writes bytes so that none is the beginning of another: a zero in
// them is followed by 255, the end is two zeros.
func appendDelimited(dst, b []byte) []byte {
	for _, x := range b {
		dst = append(dst, x)
		if x == 0 {
			dst = append(dst, 255)
		}
	}
	return append(dst, 0, 0)
}

// compareRecords is record_cmp, and wants fields of the same types.
func compareRecords(a, b *postgres.Record) (int, error) {
	for i := range min(len(a.Fields), len(b.Fields)) {
		if x, y := a.Fields[i].Type, b.Fields[i].Type; x != y {
			return 0, errorf(pgerrcode.DatatypeMismatch, "cannot compare dissimilar column types %s and %s at record column %d", x, y, i+1)
		}
	}
	if len(a.Fields) != len(b.Fields) {
		return 0, errorf(pgerrcode.DatatypeMismatch, "cannot compare record types with different numbers of columns")
	}
	x, err := appendRecordKey(nil, a)
	if err != nil {
		return 0, err
	}
	y, err := appendRecordKey(nil, b)
	return bytes.Compare(x, y), err
}

// appendJSON writes a value as to_json does; comma stands between the fields of a
// record.
func appendJSON(dst []byte, oid postgres.OID, d *postgres.Datum, comma string, env *postgres.Env) []byte {
	text := func() string { return string(postgres.AppendText(nil, oid, *d, *env)) }
	switch d.Kind {
	case postgres.NullKind:
		return append(dst, "null"...)
	case postgres.BoolKind:
		if d.Int != 0 {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case postgres.IntKind:
		if oid == postgres.Int2OID || oid == postgres.Int4OID || oid == postgres.Int8OID {
			return append(dst, text()...)
		}
	case postgres.FloatKind, postgres.NumericKind:
		if t := text(); !strings.HasSuffix(t, "Infinity") && t != "NaN" {
			return append(dst, t...)
		}
	case postgres.DateKind, postgres.TimestampKind:
		return postgres.AppendJSONString(dst, jsonTime(oid, *d, env.Zone))
	case postgres.ArrayKind:
		items := make([][]byte, len(d.Array.Items))
		for i := range items {
			items[i] = appendJSON(nil, d.Array.Elem, &d.Array.Items[i], ",", env)
		}
		return nested(dst, items, d.Array.Dims, ",")
	case postgres.RecordKind:
		dst = append(dst, '{')
		for i := range d.Record.Fields {
			f := &d.Record.Fields[i]
			if i > 0 {
				dst = append(dst, comma...)
			}
			dst = append(postgres.AppendJSONString(dst, f.Name), ':')
			dst = appendJSON(dst, f.Type, &f.Value, ",", env)
		}
		return append(dst, '}')
	case postgres.TextKind:
		if oid == postgres.JSONOID || oid == postgres.JSONBOID {
			return append(dst, d.Str...)
		}
	}
	return postgres.AppendJSONString(dst, text())
}

// errExpectedArray is json_populate_record's about a member that is no array; at is
// the path in it.
func errExpectedArray(key string, at []int) error {
	e := errorf(pgerrcode.InvalidTextRepresentation, "expected JSON array")
	if len(at) == 0 {
		e.Hint = `See the value of key "` + key + `".`
		return e
	}
	var path strings.Builder
	for _, i := range at {
		path.WriteByte('[')
		path.Write(postgres.AppendText(nil, postgres.Int4OID, postgres.IntDatum(int64(i)), postgres.DefaultEnv()))
		path.WriteByte(']')
	}
	e.Hint = "See the array element " + path.String() + ` of key "` + key + `".`
	return e
}

// arrayReader turns a JSON array into the literal of an array, for a member of an
// object (populate_array in jsonfuncs.c).
type arrayReader struct {
	key   string
	raw   bool // elements are JSON
	array postgres.Array
	at    []int
}

func (r *arrayReader) literal(value string) (string, error) {
	if kindOfJSON(value) != "array" {
		return "", errExpectedArray(r.key, nil)
	}
	// The first elements say how many dimensions there are.
	for v := value; kindOfJSON(v) == "array"; {
		first, ok := element(v, 0)
		if !ok && len(r.array.Dims) > 0 {
			return "", unsupported("an empty array in a JSON array that is read as an array")
		}
		if r.array.Dims = append(r.array.Dims, postgres.Dimension{Len: -1, Lower: 1}); len(r.array.Dims) > maxDims {
			return "", errDims(len(r.array.Dims))
		}
		v = first
	}
	if err := r.level(value, 0); err != nil {
		return "", err
	}
	if len(r.array.Items) == 0 {
		r.array.Dims = nil
	}
	d := postgres.Datum{Kind: postgres.ArrayKind, Array: &r.array}
	return string(postgres.AppendText(nil, postgres.TextArrayOID, d, postgres.DefaultEnv())), nil
}

func (r *arrayReader) level(value string, depth int) (err error) {
	n := 0
	elements(value, func(e string) bool {
		r.at = append(r.at, n)
		n++
		switch {
		case depth+1 < len(r.array.Dims) && kindOfJSON(e) != "array":
			err = errExpectedArray(r.key, r.at)
		case depth+1 < len(r.array.Dims):
			err = r.level(e, depth+1)
		default:
			r.array.Items = append(r.array.Items, jsonText(e, r.raw))
		}
		r.at = r.at[:len(r.at)-1]
		return err == nil
	})
	if err != nil {
		return err
	}
	switch d := &r.array.Dims[depth]; {
	case d.Len < 0:
		d.Len = n
	case d.Len != n:
		e := errorf(pgerrcode.InvalidTextRepresentation, "malformed JSON array")
		e.Detail = "Multidimensional arrays must have sub-arrays with matching dimensions."
		return e
	}
	return nil
}

// jsonText is the text that a JSON value is read from: strings without their quotes,
// unless it stays JSON.
func jsonText(v string, raw bool) postgres.Datum {
	v = strings.TrimSpace(v)
	switch kind := kindOfJSON(v); {
	case kind == "null":
		return postgres.Datum{}
	case kind == "string" && !raw:
		return postgres.TextDatum(unquoteJSON(v))
	}
	return postgres.TextDatum(v)
}

// jsonField is a member of an object as the text that its type is read from; not ok:
// there is none, or null.
func jsonField(object, key, kind string) (text string, ok bool, err error) {
	v, ok := member(object, key)
	if v = strings.TrimSpace(v); !ok || kindOfJSON(v) == "null" {
		return "", false, nil
	}
	isString := kindOfJSON(v) == "string"
	if (kind == "array" || kind == "json array") && !isString {
		r := arrayReader{key: key, raw: kind == "json array", array: postgres.Array{Elem: postgres.TextOID}}
		text, err = r.literal(v)
		return text, err == nil, err
	}
	return jsonText(v, kind == "json").Str, true, nil
}

// errNoObject is what functions of objects say of other JSON.
func errNoObject(function, value string) error {
	what := "a scalar"
	if kindOfJSON(value) == "array" {
		what = "an array"
	}
	return errorf(pgerrcode.InvalidParameterValue, "cannot call %s on %s", function, what)
}

// shapedJSONObject is json_object of an array of any shape: keys and values in turn,
// or in two columns.
func shapedJSONObject(a *postgres.Array) (string, error) {
	switch {
	case len(a.Dims) > 2:
		return "", errorf(pgerrcode.ArraySubscriptError, "wrong number of array subscripts")
	case len(a.Dims) == 2 && a.Dims[1].Len != 2:
		return "", errorf(pgerrcode.ArraySubscriptError, "array must have two columns")
	case len(a.Items)%2 != 0:
		return "", errorf(pgerrcode.ArraySubscriptError, "array must have even number of elements")
	}
	var keys, values [][]byte
	for pair := range slices.Chunk(textsOf(a.Items), 2) {
		keys, values = append(keys, pair[0]), append(values, pair[1])
	}
	return jsonOfLists(keys, values)
}

// recordFunctions are those of records, and of JSON that becomes rows.
func recordFunctions() definitions {
	of := func(use func(c *call, r *postgres.Record) error) func(c *call) error {
		return func(c *call) error {
			r, err := c.record(0)
			if err == nil {
				err = use(c, r)
			}
			return err
		}
	}
	out := of(func(c *call, r *postgres.Record) error {
		e, err := c.styledEnv(1)
		d := postgres.Datum{Kind: postgres.RecordKind, Record: r}
		c.isSet, c.result.text = true, postgres.AppendText(c.result.text, postgres.RecordOID, d, e)
		return err
	})
	toJSON := of(func(c *call, r *postgres.Record) error {
		e, err := c.styledEnv(2)
		comma := ","
		if c.boolean(1) {
			comma = ",\n "
		}
		d := postgres.Datum{Kind: postgres.RecordKind, Record: r}
		c.isSet, c.result.text = true, appendJSON(c.result.text, postgres.RecordOID, &d, comma, &e)
		return err
	})
	return definitions{
		"fg_record_out(VARCHAR, VARCHAR) VARCHAR":                    out,
		"fg_record_out(VARCHAR, VARCHAR, VARCHAR) VARCHAR":           out,
		"fg_json_record(VARCHAR, BOOLEAN, VARCHAR) VARCHAR":          toJSON,
		"fg_json_record(VARCHAR, BOOLEAN, VARCHAR, VARCHAR) VARCHAR": toJSON,
		"fg_record_key(VARCHAR) BLOB": of(func(c *call, r *postgres.Record) (err error) {
			c.isSet = true
			c.result.text, err = appendRecordKey(c.result.text, r)
			return err
		}),
		"fg_record_compare(VARCHAR, VARCHAR) INTEGER": of(func(c *call, r *postgres.Record) error {
			other, err := c.record(1)
			if err != nil {
				return err
			}
			n, err := compareRecords(r, other)
			c.setInt4(int32(n))
			return err
		}),
		// Every field is NULL, or none is.
		"fg_record_all(VARCHAR, BOOLEAN) BOOLEAN": of(func(c *call, r *postgres.Record) error {
			null := c.boolean(1)
			c.setBool(!slices.ContainsFunc(r.Fields, func(f postgres.RecordField) bool { return (f.Value.Kind == postgres.NullKind) != null }))
			return nil
		}),
		"fg_json_field(VARCHAR, VARCHAR, VARCHAR) VARCHAR": func(c *call) error {
			if kindOfJSON(c.text(0)) != "object" {
				return errNoObject("populate_composite", c.text(0))
			}
			text, ok, err := jsonField(c.text(0), c.text(1), c.text(2))
			if ok {
				c.setText(text)
			}
			return err
		},
		"fg_json_has_field(VARCHAR, VARCHAR) BOOLEAN": func(c *call) error {
			_, ok := member(c.text(0), c.text(1))
			c.setBool(ok)
			return nil
		},
		"fg_json_records(VARCHAR, VARCHAR) VARCHAR[]": func(c *call) error {
			switch kindOfJSON(c.text(0)) {
			case "array":
			case "object":
				return errorf(pgerrcode.InvalidParameterValue, "cannot call %s on an object", c.text(1))
			default:
				return errorf(pgerrcode.InvalidParameterValue, "cannot call %s on a scalar", c.text(1))
			}
			var list [][]byte
			var err error
			elements(c.text(0), func(e string) bool {
				if kindOfJSON(e) != "object" {
					err = errorf(pgerrcode.InvalidParameterValue, "argument of %s must be an array of objects", c.text(1))
				}
				list = append(list, []byte(e))
				return err == nil
			})
			if err == nil {
				c.setList(list)
			}
			return err
		},
		"fg_json_object(VARCHAR) VARCHAR": ofShaped(func(c *call, a *postgres.Array) error {
			text, err := shapedJSONObject(a)
			c.setText(text)
			return err
		}),
	}
}
