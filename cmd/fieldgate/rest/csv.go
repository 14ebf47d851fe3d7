package rest

import (
	"bytes"

	"github.com/fieldgate/fieldgate/planner"
)

// csvWriter writes what PostgreSQL's COPY TO with FORMAT csv and HEADER does:
// values in their text form, NULL as nothing, empty text as two quotes.
type csvWriter struct {
	columns []planner.ResultColumn
	values  []planner.AppendFunc
	cell    []byte
}

func newCSVWriter(columns []planner.ResultColumn) *csvWriter {
	w := &csvWriter{columns: columns, values: make([]planner.AppendFunc, len(columns))}
	for i, c := range columns {
		w.values[i] = textOf(c.T.OID)
	}
	return w
}

func (w *csvWriter) begin(dst []byte) []byte {
	for i, c := range w.columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendCell(dst, []byte(c.Name), len(w.columns) == 1)
	}
	if len(w.columns) == 0 {
		return dst
	}
	return append(dst, '\n')
}

func (w *csvWriter) row(dst []byte, c *planner.Chunk, row int) []byte {
	for i := range w.values {
		if i > 0 {
			dst = append(dst, ',')
		}
		if v := &c.Columns[i]; !v.IsNull(row) {
			w.cell = w.values[i](w.cell[:0], v, row)
			dst = appendCell(dst, w.cell, len(w.values) == 1)
		}
	}
	return append(dst, '\n')
}

func (*csvWriter) end(dst []byte) []byte { return dst }

func (*csvWriter) fail(dst []byte, _ problem) (out []byte, whole bool) { return dst, false }

// appendCell appends a value that is not NULL, in quotes if it could be read as
// something else. Alone in a row, \. would end a COPY.
func appendCell(dst, cell []byte, alone bool) []byte {
	ends := alone && string(cell) == `\.`
	if len(cell) > 0 && !ends && !bytes.ContainsAny(cell, "\",\r\n") {
		return append(dst, cell...)
	}
	dst = append(dst, '"')
	dst = append(dst, bytes.ReplaceAll(cell, []byte{'"'}, []byte(`""`))...)
	return append(dst, '"')
}
