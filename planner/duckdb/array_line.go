package duckdb

import (
	"bytes"
	"fmt"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Most arrays that are texts have one dimension, and no element that is quoted. They
// are read and written without a Datum an element, for which postgres.Array asks.

// lineItems appends to items the elements of an array in one dimension of which none
// is quoted; they are parts of its text, and nil is NULL. Not ok: it is another array,
// or none.
func lineItems(items [][]byte, text []byte) (_ [][]byte, lower int, ok bool) {
	open := bytes.IndexByte(text, '{')
	if open < 0 || text[len(text)-1] != '}' || open > 0 && bytes.IndexByte(text, '=') != open-1 {
		return nil, 0, false
	}
	body := text[open+1 : len(text)-1]
	for _, c := range body {
		if c <= ' ' || c == '{' || c == '}' || c == '"' || c == '\\' {
			return nil, 0, false
		}
	}
	if len(body) > 0 {
		for item := range bytes.SplitSeq(body, []byte{','}) {
			switch {
			case len(item) == 0:
				return nil, 0, false
			case bytes.EqualFold(item, []byte("NULL")):
				item = nil
			}
			items = append(items, item)
		}
	}
	if open == 0 {
		return items, 1, true
	}
	dims, err := postgres.ArrayShape(string(text), len(items))
	if err != nil || len(dims) != 1 || dims[0].Len != len(items) {
		return nil, 0, false
	}
	return items, dims[0].Lower, true
}

// setLine sets the row to the array of texts in one dimension, whose subscripts begin
// at lower; nil is NULL.
func (c *call) setLine(items [][]byte, lower int) {
	c.isSet = true
	if lower != 1 && len(items) > 0 {
		c.result.text = fmt.Appendf(c.result.text, "[%d:%d]=", lower, lower+len(items)-1)
	}
	c.result.text = appendTextArray(c.result.text, items)
}

// listOfShaped gives the elements of a shaped array, argument 0, as a list; an array
// that begins elsewhere than at 1, or has several dimensions, only if anyShape.
func listOfShaped(anyShape bool) func(c *call) error {
	return func(c *call) error {
		items, lower, ok := lineItems(c.lists[0][:0], c.bytes(0))
		if ok && (anyShape || lower == 1) {
			c.lists[0] = items
			c.setList(items)
			return nil
		}
		a, err := c.shaped(0)
		switch {
		case err != nil:
			return err
		case !anyShape && !isPlain(a):
			return unsupported("an array of several dimensions or another lower bound here")
		}
		c.setList(textsOf(a.Items))
		return nil
	}
}
