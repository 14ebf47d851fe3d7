package duckdb

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Shaped arrays are text; see physical.go. Here their elements are texts too.

// maxDims is MAXDIM of PostgreSQL, maxItems the items that its arrays of the smallest
// elements can have.
const (
	maxDims  = 6
	maxItems = 1<<27 - 1
)

// shaped is argument i, an array as text.
func (c *call) shaped(i int) (*postgres.Array, error) {
	d, err := postgres.ParseLiteral(postgres.TextArrayOID, -1, c.text(i), postgres.DefaultEnv())
	return d.Array, err
}

func (c *call) setShaped(a *postgres.Array) {
	if len(a.Items) == 0 {
		a.Dims = nil
	}
	d := postgres.Datum{Kind: postgres.ArrayKind, Array: a}
	c.isSet, c.result.text = true, postgres.AppendText(c.result.text, postgres.TextArrayOID, d, postgres.DefaultEnv())
}

// textArray is an array of texts in one dimension; nil is NULL.
func textArray(items [][]byte, lower int) *postgres.Array {
	a := &postgres.Array{Elem: postgres.TextOID, Items: make([]postgres.Datum, len(items))}
	for i, item := range items {
		if item != nil {
			a.Items[i] = postgres.TextDatum(string(item))
		}
	}
	if len(items) > 0 {
		a.Dims = []postgres.Dimension{{Len: len(items), Lower: lower}}
	}
	return a
}

func textsOf(items []postgres.Datum) [][]byte {
	out := make([][]byte, len(items))
	for i := range items {
		if items[i].Kind != postgres.NullKind {
			out[i] = append([]byte{}, items[i].Str...)
		}
	}
	return out
}

// isPlain says that an array is one that lists hold.
func isPlain(a *postgres.Array) bool {
	return len(a.Dims) == 0 || len(a.Dims) == 1 && a.Dims[0].Lower == 1
}

// shapeKey orders the shapes of arrays of equal items (array_cmp in arrayfuncs.c):
// by the number of dimensions, their lengths, then their lower bounds.
func shapeKey(dims []postgres.Dimension) string {
	key := []byte{byte(len(dims))}
	for _, d := range dims {
		key = binary.BigEndian.AppendUint32(key, uint32(d.Len))
	}
	for _, d := range dims {
		key = binary.BigEndian.AppendUint32(key, uint32(int32(d.Lower))^1<<31)
	}
	return hex.EncodeToString(key)
}

func errDims(n int) error {
	return errorf(pgerrcode.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)", n, maxDims)
}

func errItems() error {
	return errorf(pgerrcode.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", maxItems)
}

// stacked is the array of arrays of one shape; fail says what is wrong with others.
func stacked(parts []*postgres.Array, fail func() error) (*postgres.Array, error) {
	out := &postgres.Array{Elem: postgres.TextOID}
	for i, p := range parts {
		if i > 0 && !slices.Equal(p.Dims, parts[0].Dims) {
			return nil, fail()
		}
		if out.Items = append(out.Items, p.Items...); len(out.Items) > maxItems {
			return nil, errItems()
		}
	}
	if len(parts) > 0 {
		out.Dims = append([]postgres.Dimension{{Len: len(parts), Lower: 1}}, parts[0].Dims...)
	}
	if len(out.Dims) > maxDims {
		return nil, errDims(len(out.Dims))
	}
	return out, nil
}

// parseAll reads the texts of arrays; a nil stays nil.
func parseAll(texts [][]byte) ([]*postgres.Array, error) {
	out := make([]*postgres.Array, len(texts))
	for i, text := range texts {
		if text == nil {
			continue
		}
		d, err := postgres.ParseLiteral(postgres.TextArrayOID, -1, string(text), postgres.DefaultEnv())
		if err != nil {
			return nil, err
		}
		out[i] = d.Array
	}
	return out, nil
}

// built is ARRAY[...] of arrays, of which those that are NULL or empty do not count
// if all are (ExecEvalArrayExpr).
func built(parts []*postgres.Array) (*postgres.Array, error) {
	mismatch := func() error {
		return errorf(pgerrcode.ArraySubscriptError, "multidimensional arrays must have array expressions with matching dimensions")
	}
	full := slices.DeleteFunc(slices.Clone(parts), func(a *postgres.Array) bool { return a == nil || len(a.Items) == 0 })
	if len(full) > 0 && len(full) < len(parts) {
		return nil, mismatch()
	}
	return stacked(full, mismatch)
}

// accumulated is array_agg of arrays (accumArrayResultArr).
func accumulated(parts []*postgres.Array) (*postgres.Array, error) {
	for _, p := range parts {
		switch {
		case p == nil:
			return nil, errorf(pgerrcode.NullValueNotAllowedDataException, "cannot accumulate null arrays")
		case len(p.Items) == 0:
			return nil, errorf(pgerrcode.ArraySubscriptError, "cannot accumulate empty arrays")
		}
	}
	return stacked(parts, func() error {
		return errorf(pgerrcode.ArraySubscriptError, "cannot accumulate arrays of different dimensionality")
	})
}

// joined is array_cat (array_userfuncs.c).
func joined(a, b *postgres.Array) (*postgres.Array, error) {
	incompatible := func(format string, args ...any) error {
		e := errorf(pgerrcode.ArraySubscriptError, "cannot concatenate incompatible arrays")
		e.Detail = fmt.Sprintf(format, args...)
		return e
	}
	switch {
	case len(a.Items) == 0:
		return b, nil
	case len(b.Items) == 0:
		return a, nil
	}
	dims := slices.Clone(a.Dims)
	switch n, m := len(a.Dims), len(b.Dims); n {
	case m:
		if !slices.Equal(a.Dims[1:], b.Dims[1:]) {
			return nil, incompatible("Arrays with differing element dimensions are not compatible for concatenation.")
		}
		dims[0].Len += b.Dims[0].Len
	case m - 1:
		if !slices.Equal(a.Dims, b.Dims[1:]) {
			return nil, incompatible("Arrays with differing dimensions are not compatible for concatenation.")
		}
		dims = slices.Clone(b.Dims)
		dims[0].Len++
	case m + 1:
		if !slices.Equal(a.Dims[1:], b.Dims) {
			return nil, incompatible("Arrays with differing dimensions are not compatible for concatenation.")
		}
		dims[0].Len++
	default:
		return nil, incompatible("Arrays of %d and %d dimensions are not compatible for concatenation.", n, m)
	}
	items := slices.Concat(a.Items, b.Items)
	if len(items) > maxItems {
		return nil, errItems()
	}
	return &postgres.Array{Elem: postgres.TextOID, Dims: dims, Items: items}, nil
}

// extended is an array with an element more, before or behind; a nil array is empty.
func extended(a *postgres.Array, item postgres.Datum, before bool) (*postgres.Array, error) {
	switch {
	case a == nil || len(a.Items) == 0:
		return &postgres.Array{Elem: postgres.TextOID, Dims: []postgres.Dimension{{Len: 1, Lower: 1}}, Items: []postgres.Datum{item}}, nil
	case len(a.Dims) > 1:
		return nil, errorf(pgerrcode.DataException, "argument must be empty or one-dimensional array")
	}
	out := &postgres.Array{Elem: postgres.TextOID, Dims: []postgres.Dimension{{Len: len(a.Items) + 1, Lower: a.Dims[0].Lower}}}
	if before {
		out.Items = append([]postgres.Datum{item}, a.Items...)
	} else {
		out.Items = append(slices.Clone(a.Items), item)
	}
	return out, nil
}

// itemAt is the place of an element among the items; not ok: there is none.
func itemAt(dims []postgres.Dimension, at []int) (place int, ok bool) {
	if len(at) != len(dims) {
		return 0, false
	}
	for i, d := range dims {
		if at[i] < d.Lower || at[i] >= d.Lower+d.Len {
			return 0, false
		}
		place = place*d.Len + at[i] - d.Lower
	}
	return place, true
}

// bounds are the ends of a slice in one dimension; those not given are the array's.
type bounds struct {
	lower, upper       int
	hasLower, hasUpper bool
}

// sliced is the part of an array between bounds; its subscripts begin at 1
// (array_get_slice).
func sliced(a *postgres.Array, within []bounds) *postgres.Array {
	out := &postgres.Array{Elem: postgres.TextOID}
	if len(a.Dims) < len(within) || len(a.Dims) == 0 {
		return out
	}
	var from, to []int
	for i, d := range a.Dims {
		low, high := d.Lower, d.Lower+d.Len-1
		if i < len(within) {
			if b := within[i]; b.hasLower {
				low = max(low, b.lower)
			}
			if b := within[i]; b.hasUpper {
				high = min(high, b.upper)
			}
		}
		if low > high {
			return out
		}
		from, to = append(from, low-d.Lower), append(to, high-d.Lower)
		out.Dims = append(out.Dims, postgres.Dimension{Len: high - low + 1, Lower: 1})
	}
	var take func(depth, place int)
	take = func(depth, place int) {
		if depth == len(a.Dims) {
			out.Items = append(out.Items, a.Items[place])
			return
		}
		for i := from[depth]; i <= to[depth]; i++ {
			take(depth+1, place*a.Dims[depth].Len+i)
		}
	}
	take(0, 0)
	return out
}

// readSubscripts reads what the printer joins: 1,2.
func readSubscripts(text string) ([]int, error) {
	var out []int
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			return nil, fmt.Errorf("read subscripts %q: %w", text, err)
		}
		out = append(out, n)
	}
	return out, nil
}

// readBounds reads what the printer joins: 1:2,:3.
func readBounds(text string) ([]bounds, error) {
	var out []bounds
	for word := range strings.SplitSeq(text, ",") {
		low, high, _ := strings.Cut(word, ":")
		b := bounds{hasLower: low != "", hasUpper: high != ""}
		var err error
		if b.hasLower {
			b.lower, err = strconv.Atoi(low)
		}
		if b.hasUpper && err == nil {
			b.upper, err = strconv.Atoi(high)
		}
		if err != nil {
			return nil, fmt.Errorf("read bounds %q: %w", text, err)
		}
		out = append(out, b)
	}
	return out, nil
}

// numbersOf are the elements of an array of integers that says how array_fill fills.
func numbersOf(a *postgres.Array) ([]int, error) {
	if len(a.Dims) > 1 {
		e := errorf(pgerrcode.ArraySubscriptError, "wrong number of array subscripts")
		e.Detail = "Dimension array must be one dimensional."
		return nil, e
	}
	out := make([]int, 0, len(a.Items))
	for i := range a.Items {
		if a.Items[i].Kind == postgres.NullKind {
			return nil, errorf(pgerrcode.NullValueNotAllowedDataException, "dimension values cannot be null")
		}
		n, err := strconv.Atoi(a.Items[i].Str)
		if err != nil {
			return nil, fmt.Errorf("read a dimension: %w", err)
		}
		out = append(out, n)
	}
	return out, nil
}

// filled is array_fill; without bounds subscripts begin at 1.
func filled(item postgres.Datum, lengths, lowers *postgres.Array) (*postgres.Array, error) {
	lens, err := numbersOf(lengths)
	if err != nil {
		return nil, err
	}
	if len(lens) > maxDims {
		return nil, errDims(len(lens))
	}
	lows := make([]int, len(lens))
	for i := range lows {
		lows[i] = 1
	}
	if lowers != nil {
		if lows, err = numbersOf(lowers); err != nil {
			return nil, err
		}
		if len(lows) != len(lens) {
			e := errorf(pgerrcode.ArraySubscriptError, "wrong number of array subscripts")
			e.Detail = "Low bound array has different size than dimensions array."
			return nil, e
		}
	}
	out := &postgres.Array{Elem: postgres.TextOID}
	total := min(len(lens), 1)
	for i, n := range lens {
		if n < 0 {
			return nil, errItems()
		}
		if total *= n; total > maxItems {
			return nil, errItems()
		}
		if n > 0 && lows[i]+n-1 > math.MaxInt32 {
			return nil, errorf(pgerrcode.ProgramLimitExceeded, "array lower bound is too large: %d", lows[i])
		}
		out.Dims = append(out.Dims, postgres.Dimension{Len: n, Lower: lows[i]})
	}
	if total*(len(item.Str)+1) > maxResult {
		return nil, tooLarge()
	}
	out.Items = slices.Repeat([]postgres.Datum{item}, total)
	return out, nil
}

// nested writes the texts of items as JSON arrays in each other, with a separator on
// the first level.
func nested(dst []byte, items [][]byte, dims []postgres.Dimension, comma string) []byte {
	next := 0
	var level func(dst []byte, depth int, comma string) []byte
	level = func(dst []byte, depth int, comma string) []byte {
		dst = append(dst, '[')
		for i := range dims[depth].Len {
			if i > 0 {
				dst = append(dst, comma...)
			}
			if depth+1 < len(dims) {
				dst = level(dst, depth+1, ",")
				continue
			}
			dst = append(dst, items[next]...)
			next++
		}
		return append(dst, ']')
	}
	if len(dims) == 0 {
		return append(dst, "[]"...)
	}
	return level(dst, 0, comma)
}

// ofShaped is a function of a shaped array, which is argument 0.
func ofShaped(use func(c *call, a *postgres.Array) error) func(c *call) error {
	return func(c *call) error {
		a, err := c.shaped(0)
		if err == nil {
			err = use(c, a)
		}
		return err
	}
}

// ofDimension is a function of one dimension of a shaped array, argument 1.
func ofDimension(use func(d postgres.Dimension) int) func(c *call) error {
	return ofShaped(func(c *call, a *postgres.Array) error {
		if n := int(c.int4(1)); n >= 1 && n <= len(a.Dims) {
			c.setInt4(int32(use(a.Dims[n-1])))
		}
		return nil
	})
}

// oneDimension gives the items of a shaped array of one dimension; of more it says
// that something, argument 1, is not supported.
func oneDimension(c *call, a *postgres.Array) error {
	if len(a.Dims) > 1 {
		return unsupported("%s multidimensional arrays", c.text(1))
	}
	c.setList(textsOf(a.Items))
	return nil
}

// shapedFunctions are those of shaped arrays.
func shapedFunctions() definitions {
	optional := func(c *call, i int) (*postgres.Array, error) {
		if c.isNull(i) {
			return nil, nil
		}
		return c.shaped(i)
	}
	item := func(c *call, i int) postgres.Datum {
		if c.isNull(i) {
			return postgres.Datum{}
		}
		return postgres.TextDatum(strings.Clone(c.text(i)))
	}
	all := func(combine func([]*postgres.Array) (*postgres.Array, error)) func(c *call) error {
		return func(c *call) error {
			parts, err := parseAll(c.list(0))
			if err != nil {
				return err
			}
			a, err := combine(parts)
			if err == nil {
				c.setShaped(a)
			}
			return err
		}
	}
	return definitions{
		"fg_array_shaped(VARCHAR[], INTEGER) VARCHAR": func(c *call) error {
			c.setLine(c.list(0), int(c.int4(1)))
			return nil
		},
		"fg_array_like(VARCHAR[], VARCHAR) VARCHAR": func(c *call) error {
			items := c.list(0)
			dims, err := postgres.ArrayShape(c.text(1), len(items))
			switch {
			case err != nil:
				return err
			case len(dims) == 1:
				c.setLine(items, dims[0].Lower)
			default:
				a := textArray(items, 1)
				a.Dims = dims
				c.setShaped(a)
			}
			return nil
		},
		"fg_array_items(VARCHAR) VARCHAR[]":         listOfShaped(true),
		"fg_array_list(VARCHAR) VARCHAR[]":          listOfShaped(false),
		"fg_array_flat(VARCHAR, VARCHAR) VARCHAR[]": ofShaped(oneDimension),
		"fg_array_shape(VARCHAR) VARCHAR":           ofShaped(func(c *call, a *postgres.Array) error { c.setText(shapeKey(a.Dims)); return nil }),
		"fg_array_build(VARCHAR[]) VARCHAR":         all(built),
		"fg_array_accumulate(VARCHAR[]) VARCHAR":    all(accumulated),
		"fg_array_ndims(VARCHAR) INTEGER": ofShaped(func(c *call, a *postgres.Array) error {
			if len(a.Dims) > 0 {
				c.setInt4(int32(len(a.Dims)))
			}
			return nil
		}),
		"fg_array_dims(VARCHAR) VARCHAR": ofShaped(func(c *call, a *postgres.Array) error {
			for _, d := range a.Dims {
				c.setText(fmt.Sprintf("[%d:%d]", d.Lower, d.Lower+d.Len-1))
			}
			return nil
		}),
		"fg_array_length(VARCHAR, INTEGER) INTEGER": ofDimension(func(d postgres.Dimension) int { return d.Len }),
		"fg_array_lower(VARCHAR, INTEGER) INTEGER":  ofDimension(func(d postgres.Dimension) int { return d.Lower }),
		"fg_array_upper(VARCHAR, INTEGER) INTEGER":  ofDimension(func(d postgres.Dimension) int { return d.Lower + d.Len - 1 }),
		"fg_array_get(VARCHAR, VARCHAR) VARCHAR": ofShaped(func(c *call, a *postgres.Array) error {
			at, err := readSubscripts(c.text(1))
			if place, ok := itemAt(a.Dims, at); err == nil && ok && a.Items[place].Kind != postgres.NullKind {
				c.setText(a.Items[place].Str)
			}
			return err
		}),
		"fg_array_slice(VARCHAR, VARCHAR) VARCHAR": ofShaped(func(c *call, a *postgres.Array) error {
			within, err := readBounds(c.text(1))
			if err == nil {
				c.setShaped(sliced(a, within))
			}
			return err
		}),
		"*fg_array_cat(VARCHAR, VARCHAR) VARCHAR": func(c *call) error {
			a, err := optional(c, 0)
			if err != nil {
				return err
			}
			b, err := optional(c, 1)
			switch {
			case err != nil:
				return err
			case a == nil && b == nil:
				return nil
			case a == nil:
				a = b
			case b != nil:
				if a, err = joined(a, b); err != nil {
					return err
				}
			}
			c.setShaped(a)
			return nil
		},
		"*fg_array_append(VARCHAR, VARCHAR, BOOLEAN) VARCHAR": func(c *call) error {
			a, err := optional(c, 0)
			if err != nil {
				return err
			}
			out, err := extended(a, item(c, 1), c.boolean(2))
			if err == nil {
				c.setShaped(out)
			}
			return err
		},
		"fg_array_trim(VARCHAR, INTEGER) VARCHAR": ofShaped(func(c *call, a *postgres.Array) error {
			n, length := int(c.int4(1)), 0
			if len(a.Dims) > 0 {
				length = a.Dims[0].Len
			}
			if n < 0 || n > length {
				return errorf(pgerrcode.ArraySubscriptError, "number of elements to trim must be between 0 and %d", length)
			}
			if length > 0 {
				a = sliced(a, []bounds{{upper: a.Dims[0].Lower + length - n - 1, hasUpper: true}})
			}
			c.setShaped(a)
			return nil
		}),
		"*fg_array_fill(VARCHAR, VARCHAR, VARCHAR, BOOLEAN) VARCHAR": func(c *call) error {
			bounded := c.boolean(3)
			if c.isNull(1) || bounded && c.isNull(2) {
				return errorf(pgerrcode.NullValueNotAllowedDataException, "dimension array or low bound array cannot be null")
			}
			lengths, err := c.shaped(1)
			if err != nil {
				return err
			}
			lowers, err := optional(c, 2)
			if err != nil {
				return err
			}
			a, err := filled(item(c, 0), lengths, lowers)
			if err == nil {
				c.setShaped(a)
			}
			return err
		},
		"fg_array_nest(VARCHAR[], VARCHAR, VARCHAR) VARCHAR": func(c *call) error {
			a, err := c.shaped(1)
			if err == nil {
				c.isSet, c.result.text = true, nested(c.result.text, c.list(0), a.Dims, c.text(2))
			}
			return err
		},
	}
}
