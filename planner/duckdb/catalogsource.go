package duckdb

import (
	"fmt"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// catalogSource reads the rows of a computed relation.
type catalogSource struct {
	names []sourceColumn
	data  [][]any
}

func newCatalogSource(s *planner.CatalogScan) *catalogSource {
	c := &catalogSource{data: s.Rows}
	for i, col := range s.Cols {
		kind := physical(col.T.OID)
		if postgres.ElemOf(col.T.OID) != 0 && kind != "VARCHAR[]" {
			kind = "BIGINT[]"
		}
		if kind == "" {
			kind = "VARCHAR"
		}
		c.names = append(c.names, sourceColumn{columnName(i), kind})
	}
	return c
}

func (c *catalogSource) columns() []sourceColumn { return c.names }
func (c *catalogSource) rows() int               { return len(c.data) }
func (c *catalogSource) inOrder() bool           { return false }
func (c *catalogSource) pieces() int             { return (len(c.data) + vectorSize - 1) / vectorSize }

func (c *catalogSource) fill(piece, column int, into bindings.Vector) int {
	rows := c.data[piece*vectorSize : min(len(c.data), (piece+1)*vectorSize)]
	n := len(rows)
	if column < 0 {
		return n
	}
	switch kind := c.names[column].kind; kind {
	case "BOOLEAN":
		fillValues[bool](rows, column, into)
	case "SMALLINT":
		fillIntegers[int16](rows, column, into)
	case "INTEGER", "DATE":
		fillIntegers[int32](rows, column, into)
	case "BIGINT", "TIMESTAMP", "TIME":
		fillIntegers[int64](rows, column, into)
	case "FLOAT":
		fillFloats[float32](rows, column, into)
	case "DOUBLE":
		fillFloats[float64](rows, column, into)
	case "VARCHAR[]":
		fillTextLists(rows, column, into)
	case "BIGINT[]":
		fillIntegerLists(rows, column, into)
	default:
		fillTexts(rows, column, into)
	}
	return n
}

// fillNulls marks the rows without a value, and says which have one.
func fillNulls(rows [][]any, column int, into bindings.Vector) []uint64 {
	valid := writableValidity(into, len(rows))
	for i := range rows {
		if rows[i][column] == nil {
			valid[i>>6] &^= 1 << (i & 63)
		} else {
			valid[i>>6] |= 1 << (i & 63)
		}
	}
	return valid
}

func fillValues[T any](rows [][]any, column int, into bindings.Vector) {
	fillNulls(rows, column, into)
	dst := values[T](into, len(rows))
	for i := range rows {
		if v, ok := rows[i][column].(T); ok {
			dst[i] = v
		}
	}
}

func fillIntegers[T int16 | int32 | int64](rows [][]any, column int, into bindings.Vector) {
	fillNulls(rows, column, into)
	dst := values[T](into, len(rows))
	for i := range rows {
		if v, ok := rows[i][column].(int64); ok {
			dst[i] = T(v)
		}
	}
}

func fillFloats[T float32 | float64](rows [][]any, column int, into bindings.Vector) {
	fillNulls(rows, column, into)
	dst := values[T](into, len(rows))
	for i := range rows {
		if v, ok := rows[i][column].(float64); ok {
			dst[i] = T(v)
		}
	}
}

func fillTexts(rows [][]any, column int, into bindings.Vector) {
	valid := fillNulls(rows, column, into)
	var r result
	r.offsets = append(r.offsets, 0)
	for i := range rows {
		switch v := rows[i][column].(type) {
		case nil:
		case string:
			r.text = append(r.text, v...)
		default:
			r.text = fmt.Append(r.text, v)
		}
		r.offsets = append(r.offsets, uint32(len(r.text)))
	}
	assignStrings(into, 0, len(rows), r.offsets, r.text, valid)
}

func fillTextLists(rows [][]any, column int, into bindings.Vector) {
	fillNulls(rows, column, into)
	r := result{offsets: []uint32{0}}
	c := call{result: r}
	for i := range rows {
		list, _ := rows[i][column].([]string)
		elems := make([][]byte, len(list))
		for j, e := range list {
			elems[j] = append(make([]byte, 0, len(e)), e...)
		}
		c.setList(elems)
	}
	c.result.assignLists(into, len(rows))
}

func fillIntegerLists(rows [][]any, column int, into bindings.Vector) {
	fillNulls(rows, column, into)
	entries := values[listEntry](into, len(rows))
	var all []int64
	for i := range rows {
		list, _ := rows[i][column].([]int64)
		entries[i] = listEntry{uint64(len(all)), uint64(len(list))}
		all = append(all, list...)
	}
	size := bindings.IdxT(len(all))
	// Both only fail for a vector that is no list.
	_ = bindings.ListVectorReserve(into, size)
	_ = bindings.ListVectorSetSize(into, size)
	copy(values[int64](bindings.ListVectorGetChild(into), len(all)), all)
}
