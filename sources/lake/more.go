package lake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// rowFields lists, row by row, which of a file's columns in _more a batch's row
// has: those of row r are columns[starts[r]:starts[r+1]].
type rowFields struct {
	starts  []uint32
	columns []uint32
}

// moreFields finds by batch the fields of the file's rows that have no column of
// their own. A file may have thousands of such names and a row a few, so rows
// are not asked for each name.
func moreFields(f *fileRows, more []outColumn) []*rowFields {
	if len(more) == 0 {
		return nil
	}
	out := make([]*rowFields, len(f.batches))
	for b, batch := range f.batches {
		if f.taken[b] == nil {
			continue
		}
		fields := &rowFields{starts: make([]uint32, batch.Rows+1)}
		total := uint32(0)
		eachField(more, b, func(_, row int) {
			fields.starts[row]++
			total++
		})
		fields.columns = make([]uint32, total)
		sum := uint32(0)
		for r, n := range fields.starts {
			fields.starts[r] = sum
			sum += n
		}
		next := make([]uint32, batch.Rows)
		copy(next, fields.starts)
		eachField(more, b, func(column, row int) {
			fields.columns[next[row]] = uint32(column)
			next[row]++
		})
		out[b] = fields
	}
	return out
}

// eachField calls visit with every value that a batch has in the columns, in
// their order.
func eachField(columns []outColumn, batch int, visit func(column, row int)) {
	for i := range columns {
		c := &columns[i]
		var words int
		for _, from := range [...][]*sources.Column{c.from, c.ints} {
			if from != nil && from[batch] != nil {
				words = len(from[batch].Valid)
			}
		}
		for n := range words {
			var word uint64
			for _, from := range [...][]*sources.Column{c.from, c.ints} {
				if from != nil && from[batch] != nil {
					word |= from[batch].Valid[n]
				}
			}
			for ; word != 0; word &= word - 1 {
				visit(i, n*64+bits.TrailingZeros64(word))
			}
		}
	}
}

// appendMore appends the object of one row, or nothing if it has none of the
// names. JSON kinds stand as text, so that they stay as they were sent.
func (w *fileWriter) appendMore(dst []byte, r Row) []byte {
	fields := w.more[r.Batch]
	columns := fields.columns[fields.starts[r.Row]:fields.starts[r.Row+1]]
	for i, n := range columns {
		c := &w.layout.more[n]
		dst = append(dst, "{,"[min(i, 1)], '"')
		dst = append(dst, c.name...) // escaped: nothing in it needs JSON's escapes
		dst = append(dst, `":`...)
		dst = c.appendJSON(dst, r)
	}
	if len(columns) > 0 {
		dst = append(dst, '}')
	}
	return dst
}

func (c *outColumn) appendJSON(dst []byte, r Row) []byte {
	switch c.kind {
	case schema.KindNumber:
		v, _ := c.number(r)
		if v == 0 && math.Signbit(v) {
			return append(dst, "-0.0"...) // DuckDB reads -0 as the integer
		}
		return strconv.AppendFloat(dst, v, 'g', -1, 64)
	case schema.KindInt:
		v, _ := c.integer(r)
		return strconv.AppendInt(dst, v, 10)
	case schema.KindBool:
		v, _ := c.integer(r)
		return strconv.AppendBool(dst, v != 0)
	default:
		v, _ := c.text(r)
		return appendQuoted(dst, v)
	}
}

// appendQuoted appends UTF-8 text as a JSON string (RFC 8259, section 7).
func appendQuoted(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// errMore says that a value of _more is not what appendMore writes.
var errMore = errors.New("damaged " + sources.ColumnMore)

// moreReader takes objects of _more apart into a batch's columns.
type moreReader struct {
	builder *sources.Builder
	columns map[string]int // by physical name, of builder
}

// read takes the fields of one row's object. It reads only what appendMore
// writes, without white space.
func (m *moreReader) read(row int, object []byte) error {
	rest, found := bytes.CutPrefix(object, []byte("{"))
	for found {
		end := bytes.Index(rest, []byte(`":`))
		if end < 1 || rest[0] != '"' {
			return fmt.Errorf("%w: no name", errMore)
		}
		c, err := m.column(rest[1:end])
		if err != nil {
			return err
		}
		rest = rest[end+2:]
		if rest, err = setFromJSON(c, row, rest); err != nil {
			return err
		}
		if string(rest) == "}" {
			return nil
		}
		rest, found = bytes.CutPrefix(rest, []byte(","))
	}
	return fmt.Errorf("%w: no end", errMore)
}

func (m *moreReader) column(name []byte) (*sources.Column, error) {
	n, ok := m.columns[string(name)]
	if !ok {
		sent, kind, err := sources.ParsePhysicalName(string(name))
		if err != nil {
			return nil, err
		}
		n = m.builder.Column(sent, kind)
		m.columns[string(name)] = n
	}
	return m.builder.At(n), nil
}

// setFromJSON sets a row to the value that data begins with, and returns what
// follows it.
func setFromJSON(c *sources.Column, row int, data []byte) (rest []byte, err error) {
	if c.Kind == schema.KindText || c.Kind == schema.KindJSON {
		n := quotedLen(data)
		if n == 0 {
			return nil, fmt.Errorf("%w: %s is no text", errMore, c.Name)
		}
		text := data[1 : n-1]
		if bytes.IndexByte(text, '\\') >= 0 {
			var plain string
			if err := json.Unmarshal(data[:n], &plain); err != nil {
				return nil, fmt.Errorf("%w: %s: %w", errMore, c.Name, err)
			}
			text = []byte(plain)
		}
		c.SetText(row, text)
		return data[n:], nil
	}
	n := bytes.IndexAny(data, ",}")
	if n < 0 {
		return nil, fmt.Errorf("%w: %s has no end", errMore, c.Name)
	}
	switch c.Kind {
	case schema.KindInt:
		var v int64
		v, err = strconv.ParseInt(string(data[:n]), 10, 64)
		c.SetInt(row, v)
	case schema.KindNumber:
		var v float64
		v, err = strconv.ParseFloat(string(data[:n]), 64)
		c.SetNum(row, v)
	default:
		var v bool
		v, err = strconv.ParseBool(string(data[:n]))
		c.SetInt(row, boolBit(v))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errMore, c.Name, err)
	}
	return data[n:], nil
}

func boolBit(v bool) int64 {
	if v {
		return 1
	}
	return 0
}

// quotedLen is the length of the JSON string that data begins with, 0 if none.
func quotedLen(data []byte) int {
	if len(data) == 0 || data[0] != '"' {
		return 0
	}
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}
