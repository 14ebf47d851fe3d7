package postgres

import (
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"
)

// maxArrayDims is MAXDIM of PostgreSQL.
const maxArrayDims = 6

// maxArrayItems is what PostgreSQL's MaxArraySize allows of the smallest elements, and keeps dimension arithmetic small.
const maxArrayItems = 1 << 27

// An arrayParser reads an array literal, items as text.
type arrayParser struct {
	text  string // for messages: all, or the contents without the bounds before them
	rest  string
	delim byte

	dims  []Dimension
	items []arrayItem
}

type arrayItem struct {
	text string
	null bool
}

func (p *arrayParser) malformed(format string, args ...any) *Error {
	return errorf(pgerrcode.InvalidTextRepresentation, `malformed array literal: "%s"`, p.text).withDetail(format, args...)
}

// parseArray reads {1,NULL,"a b"}, nested for more dimensions, with [lower:upper]= in front where subscripts do not
// start at 1. The function reads one element; it is called when the whole has been found well formed.
func parseArray(text string, elem OID, delim byte, read func(string) (Datum, error)) (Datum, error) {
	p := &arrayParser{text: text, rest: strings.TrimLeft(text, spaces), delim: delim}
	bounds, err := p.bounds()
	if err != nil {
		return Datum{}, err
	}
	if p.rest == "" || p.rest[0] != '{' {
		if bounds != nil {
			return Datum{}, p.malformed("Array contents must start with \"{\".")
		}
		return Datum{}, p.malformed("Array value must start with \"{\" or dimension information.")
	}
	p.text = p.rest
	if err := p.level(0); err != nil {
		return Datum{}, err
	}
	if strings.TrimLeft(p.rest, spaces) != "" {
		return Datum{}, p.malformed("Junk after closing right brace.")
	}
	if len(p.items) == 0 {
		p.dims = nil
	}
	if bounds != nil {
		p.text = text
		if len(bounds) != len(p.dims) {
			return Datum{}, p.malformed("Specified array dimensions do not match array contents.")
		}
		for i, b := range bounds {
			if b.Len != p.dims[i].Len {
				return Datum{}, p.malformed("Specified array dimensions do not match array contents.")
			}
		}
		p.dims = bounds
	}
	a := &Array{Elem: elem, Dims: p.dims, Items: make([]Datum, 0, len(p.items))}
	size := 0
	for _, item := range p.items {
		var d Datum
		if !item.null {
			if d, err = read(item.text); err != nil {
				return Datum{}, err
			}
		}
		if size += len(d.Str) - len(item.text); size > maxExpandedBytes {
			return Datum{}, errorf(pgerrcode.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", maxExpandedBytes)
		}
		a.Items = append(a.Items, d)
	}
	return Datum{Kind: ArrayKind, Array: a}, nil
}

// ArrayShape gives the dimensions of an array literal that is known to be well formed and to have n items. It is
// faster than to read these, where bounds say what the dimensions are or there is one alone.
func ArrayShape(text string, n int) ([]Dimension, error) {
	p := &arrayParser{text: text, rest: strings.TrimLeft(text, spaces)}
	bounds, err := p.bounds()
	if err != nil || bounds != nil {
		return bounds, err
	}
	if strings.LastIndexByte(p.rest, '{') <= 0 {
		return []Dimension{{Len: n, Lower: 1}}, nil
	}
	d, err := parseArray(text, TextOID, ',', func(item string) (Datum, error) { return TextDatum(item), nil })
	if err != nil {
		return nil, err
	}
	return d.Array.Dims, nil
}

// bounds reads [lower:upper]…=, nil if there is none.
func (p *arrayParser) bounds() ([]Dimension, error) {
	var bounds []Dimension
	for strings.HasPrefix(p.rest, "[") {
		if len(bounds) == maxArrayDims {
			return nil, tooManyDims(len(bounds) + 1)
		}
		end := strings.IndexByte(p.rest, ']')
		if end < 0 {
			return nil, p.malformed("Missing \"]\" after array dimensions.")
		}
		low, high, both := strings.Cut(p.rest[1:end], ":")
		lower, upper, ok := 1, 0, true
		if both {
			lower, ok = parseBound(low)
		} else {
			high = low
		}
		if ok {
			upper, ok = parseBound(high)
		}
		if !ok {
			return nil, p.malformed("\"[\" must introduce explicitly-specified array dimensions.")
		}
		if upper < lower {
			return nil, errorf(pgerrcode.ArraySubscriptError, "upper bound cannot be less than lower bound")
		}
		bounds = append(bounds, Dimension{Len: upper - lower + 1, Lower: lower})
		p.rest = strings.TrimLeft(p.rest[end+1:], spaces)
	}
	if bounds == nil {
		return nil, nil
	}
	if !strings.HasPrefix(p.rest, "=") {
		return nil, p.malformed("Missing \"=\" after array dimensions.")
	}
	p.rest = strings.TrimLeft(p.rest[1:], spaces)
	return bounds, nil
}

// parseBound reads digits and signs as C's atoi does.
func parseBound(text string) (bound int, ok bool) {
	if text == "" || strings.Trim(text, "0123456789+-") != "" {
		return 0, false
	}
	bound, _, err := leadingInt(text)
	return bound, err == nil
}

func tooManyDims(n int) *Error {
	return errorf(pgerrcode.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)", n, maxArrayDims)
}

// level reads a braced list, at the given depth, of lists or of items.
func (p *arrayParser) level(depth int) error {
	if depth == maxArrayDims {
		return tooManyDims(depth + 1)
	}
	if depth == len(p.dims) {
		if len(p.items) > 0 {
			return p.malformed("Multidimensional arrays must have sub-arrays with matching dimensions.")
		}
		p.dims = append(p.dims, Dimension{Len: -1, Lower: 1})
	}
	p.rest = strings.TrimLeft(p.rest[1:], spaces)
	n := 0
	for !strings.HasPrefix(p.rest, "}") {
		if n > 0 {
			if p.rest == "" {
				return p.malformed("Unexpected end of input.")
			}
			if p.rest[0] != p.delim {
				return p.malformed("Unexpected array element.")
			}
			p.rest = strings.TrimLeft(p.rest[1:], spaces)
		}
		if err := p.element(depth); err != nil {
			return err
		}
		p.rest = strings.TrimLeft(p.rest, spaces)
		n++
	}
	p.rest = p.rest[1:]
	if n == 0 && depth > 0 {
		return p.malformed("Unexpected \"}\" character.")
	}
	switch d := &p.dims[depth]; {
	case d.Len < 0:
		d.Len = n
	case d.Len != n:
		return p.malformed("Multidimensional arrays must have sub-arrays with matching dimensions.")
	}
	return nil
}

func (p *arrayParser) element(depth int) error {
	if p.rest == "" {
		return p.malformed("Unexpected end of input.")
	}
	if p.rest[0] == '{' {
		return p.level(depth + 1)
	}
	if depth != len(p.dims)-1 {
		return p.malformed("Multidimensional arrays must have sub-arrays with matching dimensions.")
	}
	if len(p.items) == maxArrayItems {
		return errorf(pgerrcode.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", maxArrayItems)
	}
	text, exact, err := p.item()
	if err != nil {
		return err
	}
	p.items = append(p.items, arrayItem{text, !exact && strings.EqualFold(text, "null")})
	return nil
}

// item reads one element's text; exact says that it was quoted or escaped, so that it cannot be NULL.
func (p *arrayParser) item() (text string, exact bool, err error) {
	if p.rest[0] == '"' {
		text, err = p.quoted()
		return text, true, err
	}
	if text := p.plain(); text != "" {
		return text, false, nil
	}
	var b strings.Builder
	keep := 0 // unquoted space after the text is not part of it
	for p.rest != "" {
		c := p.rest[0]
		switch {
		case c == p.delim || c == '}':
			if keep == 0 {
				return "", false, p.malformed("Unexpected \"%c\" character.", c)
			}
			return b.String()[:keep], exact, nil
		case c == '{' || c == '"':
			return "", false, p.malformed("Unexpected \"%c\" character.", c)
		case c == '\\' && len(p.rest) > 1:
			p.rest = p.rest[1:]
			c, exact = p.rest[0], true
			keep = b.Len() + 1
		case !isSpace(c):
			keep = b.Len() + 1
		}
		b.WriteByte(c)
		p.rest = p.rest[1:]
	}
	return "", false, p.malformed("Unexpected end of input.")
}

// plain reads an element that stands for itself, as most do; empty: there is none here.
func (p *arrayParser) plain() string {
	for i := range len(p.rest) {
		switch p.rest[i] {
		case p.delim, '}':
			text := strings.TrimRight(p.rest[:i], spaces)
			if text != "" {
				p.rest = p.rest[i:]
			}
			return text
		case '{', '"', '\\':
			return ""
		}
	}
	return ""
}

// quoted reads an element that is quoted.
func (p *arrayParser) quoted() (string, error) {
	if end := strings.IndexAny(p.rest[1:], `"\`) + 1; end > 0 && p.rest[end] == '"' {
		text := p.rest[1:end]
		p.rest = p.rest[end+1:]
		return text, nil
	}
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; c {
		case '"':
			p.rest = p.rest[i+1:]
			return b.String(), nil
		case '\\':
			if i++; i < len(p.rest) {
				b.WriteByte(p.rest[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", p.malformed("Unexpected end of input.")
}

// appendArray appends an array as array_out does.
func appendArray(dst []byte, a *Array, delim byte, appendItem func([]byte, *Datum) []byte) []byte {
	if len(a.Items) == 0 {
		return append(dst, "{}"...)
	}
	for _, d := range a.Dims {
		if d.Lower != 1 {
			dst = appendBounds(dst, a.Dims)
			break
		}
	}
	next := 0
	var text []byte
	var level func(dst []byte, depth int) []byte
	level = func(dst []byte, depth int) []byte {
		dst = append(dst, '{')
		for i := range a.Dims[depth].Len {
			if i > 0 {
				dst = append(dst, delim)
			}
			if depth+1 < len(a.Dims) {
				dst = level(dst, depth+1)
				continue
			}
			item := &a.Items[next]
			next++
			if item.Kind == NullKind {
				dst = append(dst, "NULL"...)
				continue
			}
			text = appendItem(text[:0], item)
			dst = AppendArrayItem(dst, text, delim)
		}
		return append(dst, '}')
	}
	return level(dst, 0)
}

func appendBounds(dst []byte, dims []Dimension) []byte {
	for _, d := range dims {
		dst = strconv.AppendInt(append(dst, '['), int64(d.Lower), 10)
		dst = strconv.AppendInt(append(dst, ':'), int64(d.Lower+d.Len-1), 10)
		dst = append(dst, ']')
	}
	return append(dst, '=')
}

// AppendArrayItem appends the text of an array's element, quoted if it must be: when it is empty, reads NULL, or has a
// brace, a quote, a backslash, the delimiter or space in it.
func AppendArrayItem(dst, text []byte, delim byte) []byte {
	quote := len(text) == 0 || strings.EqualFold(string(text), "null")
	for _, c := range text {
		quote = quote || c == '{' || c == '}' || c == '"' || c == '\\' || c == delim || isSpace(c)
	}
	if !quote {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	for _, c := range text {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
