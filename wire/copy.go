package wire

import (
	"context"
	"encoding/binary"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
)

// copySignature begins a binary copy: the signature, no flags, no extension.
const copySignature = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// copyOut sends a result as COPY TO STDOUT does, a message a row.
func (c *conn) copyOut(ctx context.Context, result *planner.Result, rows planner.Rows) error {
	w, err := c.newCopyWriter(result)
	if err != nil {
		return err
	}
	format := w.format()
	codes := make([]uint16, len(result.Columns))
	for i := range codes {
		codes[i] = uint16(format)
	}
	c.out.send(&pgproto3.CopyOutResponse{OverallFormat: byte(format), ColumnFormatCodes: codes})
	sent, err := w.send(ctx, c.out, rows)
	if err != nil {
		return err
	}
	c.out.send(&pgproto3.CopyDone{})
	c.complete(result, sent)
	return nil
}

// copyWriter writes rows in one of COPY's formats.
type copyWriter struct {
	planner.Copy
	names   []string
	columns []planner.AppendFunc
	recoder *recoder
	value   []byte
	// special are the bytes that make text be escaped, or a value of CSV quoted.
	special [256]bool
}

func (c *conn) newCopyWriter(result *planner.Result) (*copyWriter, error) {
	w := &copyWriter{Copy: *result.Copy, names: make([]string, len(result.Columns)), recoder: c.recode(result.Copy.Encoding)}
	if w.Format == planner.CopyBinary {
		w.recoder = c.recode(nil) // which has no encoding of its own
	}
	w.Null = w.recoder.text(w.Null)
	formats := make([]int16, len(result.Columns))
	for i, col := range result.Columns {
		w.names[i], formats[i] = w.recoder.text(col.Name), int16(w.format())
	}
	var err error
	if w.columns, err = c.encoders(result.Columns, formats, w.recoder); err != nil {
		return nil, err
	}
	special := []byte{'\n', '\r', w.Delimiter}
	switch w.Format {
	case planner.CopyText:
		special = append(special, '\\', '\b', '\f', '\t', '\v')
	case planner.CopyCSV:
		special = append(special, w.Quote)
	}
	for _, b := range special {
		w.special[b] = true
	}
	return w, nil
}

func (w *copyWriter) format() int {
	if w.Format == planner.CopyBinary {
		return pgproto3.BinaryFormat
	}
	return pgproto3.TextFormat
}

func (w *copyWriter) send(ctx context.Context, out *output, rows planner.Rows) (sent int64, err error) {
	if err := w.recoder.fault(); err != nil {
		return 0, err
	}
	if w.Header {
		start := len(out.buf)
		out.buf = w.header(appendCopyData(out.buf))
		endCopyData(out.buf, start)
	}
	// Binary data begins with a signature, which is no message of its own.
	var before []byte
	if w.Format == planner.CopyBinary {
		before = []byte(copySignature)
	}
	for {
		chunk, err := rows.Next(ctx)
		if err != nil {
			return sent, err
		}
		if chunk == nil {
			break
		}
		for row := range chunk.Rows {
			start := len(out.buf)
			out.buf = w.row(append(appendCopyData(out.buf), before...), chunk, row)
			before = nil
			if err := w.recoder.fault(); err != nil {
				out.buf = out.buf[:start]
				return sent, err
			}
			endCopyData(out.buf, start)
			if err := out.flushIfLong(); err != nil {
				return sent, err
			}
		}
		if sent == 0 {
			if err := out.flush(); err != nil {
				return sent, err
			}
		}
		sent += int64(chunk.Rows)
	}
	if w.Format == planner.CopyBinary {
		start := len(out.buf)
		out.buf = append(append(appendCopyData(out.buf), before...), 0xff, 0xff)
		endCopyData(out.buf, start)
	}
	return sent, out.err
}

func appendCopyData(buf []byte) []byte { return append(buf, 'd', 0, 0, 0, 0) }

// endCopyData writes the length of the message that begins at start.
func endCopyData(buf []byte, start int) {
	binary.BigEndian.PutUint32(buf[start+1:], uint32(len(buf)-start-1))
}

// header writes the names of the columns.
func (w *copyWriter) header(buf []byte) []byte {
	for i, name := range w.names {
		if i > 0 {
			buf = append(buf, w.Delimiter)
		}
		if w.Format == planner.CopyCSV {
			buf = w.csv(buf, []byte(name), false)
		} else {
			buf = w.text(buf, []byte(name))
		}
	}
	return append(buf, '\n')
}

func (w *copyWriter) row(buf []byte, chunk *planner.Chunk, row int) []byte {
	if w.Format == planner.CopyBinary {
		return w.binaryRow(buf, chunk, row)
	}
	for i := range chunk.Columns {
		if i > 0 {
			buf = append(buf, w.Delimiter)
		}
		v := &chunk.Columns[i]
		if v.IsNull(row) {
			buf = append(buf, w.Null...)
			continue
		}
		w.value = w.columns[i](w.value[:0], v, row)
		if w.Format == planner.CopyCSV {
			buf = w.csv(buf, w.value, w.ForceQuote != nil && w.ForceQuote[i])
		} else {
			buf = w.text(buf, w.value)
		}
	}
	return append(buf, '\n')
}

func (w *copyWriter) binaryRow(buf []byte, chunk *planner.Chunk, row int) []byte {
	buf = binary.BigEndian.AppendUint16(buf, uint16(len(chunk.Columns)))
	for i := range chunk.Columns {
		v := &chunk.Columns[i]
		if v.IsNull(row) {
			buf = append(buf, 0xff, 0xff, 0xff, 0xff)
			continue
		}
		at := len(buf)
		buf = w.columns[i](append(buf, 0, 0, 0, 0), v, row)
		binary.BigEndian.PutUint32(buf[at:], uint32(len(buf)-at-4))
	}
	return buf
}

// text escapes a value (CopyAttributeOutText of PostgreSQL's copyto.c).
func (w *copyWriter) text(buf, value []byte) []byte {
	for _, b := range value {
		if !w.special[b] {
			buf = append(buf, b)
			continue
		}
		switch b {
		case '\b':
			b = 'b'
		case '\f':
			b = 'f'
		case '\n':
			b = 'n'
		case '\r':
			b = 'r'
		case '\t':
			b = 't'
		case '\v':
			b = 'v'
		}
		buf = append(buf, '\\', b)
	}
	return buf
}

// csv quotes a value where it could be read as something else
// (CopyAttributeOutCSV).
func (w *copyWriter) csv(buf, value []byte, force bool) []byte {
	quote := force || string(value) == w.Null
	// A line of \. alone would end the data for some readers.
	if len(w.columns) == 1 && string(value) == `\.` {
		quote = true
	}
	if !quote {
		for _, b := range value {
			if w.special[b] {
				quote = true
				break
			}
		}
	}
	if !quote {
		return append(buf, value...)
	}
	buf = append(buf, w.Quote)
	for _, b := range value {
		if b == w.Quote || b == w.Escape {
			buf = append(buf, w.Escape)
		}
		buf = append(buf, b)
	}
	return append(buf, w.Quote)
}
