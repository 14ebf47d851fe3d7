package wire

import (
	"context"
	"encoding/binary"
	"strconv"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
)

// cursor sends the rows of one running result, at the pace at which the client
// takes them: the next chunk is asked for when the last one is encoded and, as
// far as it is long, written.
type cursor struct {
	rows    planner.Rows // nil: the statement returns none
	columns []planner.AppendFunc
	chunk   *planner.Chunk
	at      int // the next row of chunk
	sent    int64
	started bool
	closed  bool
}

// openCursor readies a result's rows for sending. It owns the result then, also
// if it fails.
func (c *conn) openCursor(result *planner.Result, formats []int16) (*cursor, error) {
	cur := &cursor{rows: result.Rows}
	columns, err := c.encoders(result.Columns, formats)
	if err != nil {
		// The format is the trouble, not how the rows end.
		_ = cur.close()
		return nil, err
	}
	cur.columns = columns
	return cur, nil
}

// send writes up to limit rows (0: all) and says whether it stopped at the
// limit. The first rows go out at once, the others as the buffer fills.
func (cur *cursor) send(ctx context.Context, out *output, limit int64) (suspended bool, err error) {
	cur.sent = 0
	if cur.rows == nil || cur.closed {
		return false, out.err
	}
	for {
		if cur.chunk == nil || cur.at == cur.chunk.Rows {
			if cur.chunk, err = cur.rows.Next(ctx); err != nil || cur.chunk == nil {
				return false, err
			}
			cur.at = 0
		}
		to := cur.chunk.Rows
		if limit > 0 {
			to = min(to, cur.at+int(min(limit-cur.sent, int64(to))))
		}
		if err := cur.encode(out, to); err != nil {
			return false, err
		}
		if limit > 0 && cur.sent == limit {
			return true, nil
		}
		if !cur.started && cur.sent > 0 {
			cur.started = true
			if err := out.flush(); err != nil {
				return false, err
			}
		}
	}
}

// encode appends the rows of the chunk up to row to as DataRow messages.
func (cur *cursor) encode(out *output, to int) error {
	columns := cur.chunk.Columns
	for ; cur.at < to; cur.at++ {
		row := cur.at
		buf := out.buf
		start := len(buf)
		buf = append(buf, 'D', 0, 0, 0, 0, byte(len(columns)>>8), byte(len(columns)))
		for i := range columns {
			v := &columns[i]
			if v.IsNull(row) {
				buf = append(buf, 0xff, 0xff, 0xff, 0xff)
				continue
			}
			at := len(buf)
			buf = append(buf, 0, 0, 0, 0)
			buf = cur.columns[i](buf, v, row)
			binary.BigEndian.PutUint32(buf[at:], uint32(len(buf)-at-4))
		}
		binary.BigEndian.PutUint32(buf[start+1:], uint32(len(buf)-start-1))
		out.buf = buf
		cur.sent++
		if err := out.flushIfLong(); err != nil {
			return err
		}
	}
	return nil
}

// close frees the result. It may be called twice.
func (cur *cursor) close() error {
	if cur.rows == nil || cur.closed {
		return nil
	}
	cur.closed = true
	return cur.rows.Close()
}

// complete ends a statement that ran: what it did to prepared statements and
// portals is done here, because those of SQL and of the protocol are the same;
// then its notices and its tag are sent.
func (c *conn) complete(result *planner.Result, sent int64) error {
	switch result.Tag {
	case "DISCARD ALL":
		clear(c.statements)
		c.endPortals()
	case "DEALLOCATE ALL":
		clear(c.statements)
	case "CLOSE CURSOR ALL":
		c.endPortals()
	}
	if name := result.Deallocate; name != "" {
		if _, err := c.statement(name); err != nil {
			return err
		}
		delete(c.statements, name)
	}
	for _, n := range result.Notices {
		m := pgproto3.NoticeResponse(*errorResponse(n.Severity, &planner.Error{Code: n.Code, Message: n.Message, Hint: n.Hint}))
		c.out.send(&m)
	}
	result.Notices = nil // a portal that is run again has said them
	tag := []byte(result.Tag)
	if result.Tag == "SELECT" {
		tag = strconv.AppendInt(append(tag, ' '), sent, 10)
	}
	c.out.send(&pgproto3.CommandComplete{CommandTag: tag})
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
		if formats != nil {
			fields[i].Format = formats[i]
		}
	}
	return &pgproto3.RowDescription{Fields: fields}
}
