package wire

import (
	"context"
	"encoding/binary"
	"strconv"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
)

// cursor sends the rows of a result, at the pace at which the client takes them:
// the next chunk is asked for when the last one is encoded and, as far as it is
// long, written.
type cursor struct {
	rows    planner.Rows // nil: the statement returns none
	columns []planner.AppendFunc
	recoder *recoder
	// parts and fixed are what the rows of a chunk have in common; see fix.
	parts []fixedPart
	fixed []byte
}

// openCursor readies rows for sending.
func (c *conn) openCursor(rows planner.Rows, columns []planner.ResultColumn, formats []int16) (*cursor, error) {
	r := c.recode(nil)
	encoders, err := c.encoders(columns, formats, r)
	return &cursor{rows: rows, columns: encoders, recoder: r}, err
}

// send writes the rows and counts them. The first go out as soon as others take
// their time, the others as the buffer fills. What is complete at once is one write
// with what follows it, as PostgreSQL's answers are: a client that cancels upon the
// first row of such an answer finds the statement over.
func (cur *cursor) send(ctx context.Context, out *output) (sent int64, err error) {
	if cur.rows == nil {
		return 0, out.err
	}
	chunk, err := cur.rows.Next(ctx)
	for err == nil && chunk != nil {
		if err = cur.encode(out, chunk); err != nil {
			break
		}
		first := sent == 0
		sent += int64(chunk.Rows)
		if first {
			out.flushDuring(func() { chunk, err = cur.rows.Next(ctx) })
		} else {
			chunk, err = cur.rows.Next(ctx)
		}
	}
	return sent, err
}

// fixedPart is what all rows of a chunk have in common before a column that they do
// not: the bytes up to end of the cursor's fixed ones. Column is -1 after the last.
type fixedPart struct {
	end, column int
}

// encode appends the rows of a chunk as DataRow messages.
func (cur *cursor) encode(out *output, chunk *planner.Chunk) error {
	cur.fix(chunk)
	for row := range chunk.Rows {
		buf := out.buf
		start, from := len(buf), 0
		for _, part := range cur.parts {
			buf = append(buf, cur.fixed[from:part.end]...)
			from = part.end
			if part.column >= 0 {
				buf = cur.appendValue(buf, &chunk.Columns[part.column], part.column, row)
			}
		}
		binary.BigEndian.PutUint32(buf[start+1:], uint32(len(buf)-start-1))
		if err := cur.recoder.fault(); err != nil {
			out.buf = buf[:start]
			return err
		}
		out.buf = buf
		if err := out.flushIfLong(); err != nil {
			return err
		}
	}
	return nil
}

// fix encodes what all rows of a chunk have in common: the message's head, and the
// columns of one value.
func (cur *cursor) fix(chunk *planner.Chunk) {
	columns := len(chunk.Columns)
	cur.parts = cur.parts[:0]
	cur.fixed = append(cur.fixed[:0], 'D', 0, 0, 0, 0, byte(columns>>8), byte(columns))
	if chunk.Rows == 0 {
		return
	}
	for i := range columns {
		if v := &chunk.Columns[i]; v.Same {
			cur.fixed = cur.appendValue(cur.fixed, v, i, 0)
		} else {
			cur.parts = append(cur.parts, fixedPart{len(cur.fixed), i})
		}
	}
	cur.parts = append(cur.parts, fixedPart{len(cur.fixed), -1})
}

// appendValue appends the value of a row with its length.
func (cur *cursor) appendValue(buf []byte, v *planner.Vector, column, row int) []byte {
	if v.IsNull(row) {
		return append(buf, 0xff, 0xff, 0xff, 0xff)
	}
	at := len(buf)
	buf = cur.columns[column](append(buf, 0, 0, 0, 0), v, row)
	binary.BigEndian.PutUint32(buf[at:], uint32(len(buf)-at-4))
	return buf
}

// complete ends a statement that ran: its notices and its tag are sent.
func (c *conn) complete(result *planner.Result, sent int64) {
	c.notify(result.Notices)
	result.Notices = nil // a portal that is run again has said them
	tag := []byte(result.Tag)
	switch result.Tag {
	case "SELECT", "FETCH", "COPY":
		tag = strconv.AppendInt(append(tag, ' '), sent, 10)
	}
	c.out.send(&pgproto3.CommandComplete{CommandTag: tag})
}

// notify sends notices, as far as the session wants to hear of them.
func (c *conn) notify(notices []*planner.Notice) {
	for _, n := range notices {
		switch level := c.session.Setting("client_min_messages"); {
		case level == "error", level == "warning" && n.Severity == "NOTICE":
			continue
		}
		m := pgproto3.NoticeResponse(*c.errorResponse(n.Severity, &planner.Error{Code: n.Code, Message: n.Message, Detail: n.Detail, Hint: n.Hint}))
		c.out.send(&m)
	}
}

// sendRowDescription describes a result to the client.
func (c *conn) sendRowDescription(columns []planner.ResultColumn, formats []int16) error {
	m, r := rowDescription(columns, formats), c.recode(nil)
	for i := range m.Fields {
		m.Fields[i].Name = []byte(r.text(string(m.Fields[i].Name)))
	}
	if err := r.fault(); err != nil {
		return err
	}
	c.out.send(m)
	return nil
}

// rowDescription describes a result. Formats has one format a column, or is nil:
// all text.
func rowDescription(columns []planner.ResultColumn, formats []int16) *pgproto3.RowDescription {
	fields := make([]pgproto3.FieldDescription, len(columns))
	for i, col := range columns {
		sent := sentType(col.T)
		fields[i] = pgproto3.FieldDescription{
			Name:                 []byte(col.Name),
			TableOID:             col.TableOID,
			TableAttributeNumber: uint16(col.Attribute),
			DataTypeOID:          uint32(sent.OID),
			DataTypeSize:         planner.ResultColumn{T: sent}.Size(),
			TypeModifier:         sent.Typmod,
		}
		if col.RowType != 0 {
			fields[i].DataTypeOID = col.RowType
		}
		if formats != nil {
			fields[i].Format = formats[i]
		}
	}
	return &pgproto3.RowDescription{Fields: fields}
}
