package wire

import (
	"bytes"
	"context"
	"math"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

func (c *conn) parse(ctx context.Context, m *pgproto3.Parse) error {
	if m.Name == "" {
		c.session.DropPrepared("")
	} else if err := c.session.CheckPrepared(m.Name); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := c.begin(stop)
	defer r.end()
	parsed, err := c.session.Parse(ctx, m.Query)
	if err != nil {
		return statementError(ctx, err)
	}
	c.notify(c.session.TakeNotices())
	p := &planner.Prepared{}
	switch len(parsed) {
	case 0:
	case 1:
		if p, err = c.prepare(ctx, parsed[0], m.ParameterOIDs); err != nil {
			return err
		}
	default:
		return errorf(pgerrcode.SyntaxError, "cannot insert multiple commands into a prepared statement")
	}
	p.Name = m.Name
	c.session.AddPrepared(p)
	c.out.send(&pgproto3.ParseComplete{})
	return nil
}

func (c *conn) prepare(ctx context.Context, parsed *planner.Statement, oids []uint32) (*planner.Prepared, error) {
	types := make([]postgres.OID, len(oids))
	for i, oid := range oids {
		types[i] = postgres.OID(oid)
	}
	prepared, err := c.session.Prepare(ctx, parsed, types)
	if err != nil {
		return nil, statementError(ctx, err)
	}
	return prepared, nil
}

// bind makes a portal. Nothing runs yet; the parameters are read by the planner
// when it does.
func (c *conn) bind(m *pgproto3.Bind) error {
	st, err := c.session.Prepared(m.PreparedStatement)
	if err != nil {
		return err
	}
	params, err := c.bindParams(m, st)
	if err != nil {
		return err
	}
	st, open, err := c.session.Bind(st, params)
	if err != nil {
		return err
	}
	formats, err := bindFormats(m.ResultFormatCodes, len(st.Columns))
	if err != nil {
		return err
	}
	if err := c.session.AddPortal(planner.NewPortal(m.DestinationPortal, st, formats, open)); err != nil {
		return err
	}
	c.out.send(&pgproto3.BindComplete{})
	return nil
}

func (c *conn) bindParams(m *pgproto3.Bind, st *planner.Prepared) ([]planner.Param, error) {
	given, formats := len(m.Parameters), len(m.ParameterFormatCodes)
	if formats > 1 && formats != given {
		return nil, errorf(pgerrcode.ProtocolViolation, "bind message has %d parameter formats but %d parameters", formats, given)
	}
	if wanted := len(st.ParamTypes); given != wanted {
		return nil, errorf(pgerrcode.ProtocolViolation, "bind message supplies %d parameters, but prepared statement %q requires %d", given, st.Name, wanted)
	}
	params, in := make([]planner.Param, given), c.encoding()
	for i, value := range m.Parameters {
		format := int16(pgproto3.TextFormat)
		switch formats {
		case 0:
		case 1:
			format = m.ParameterFormatCodes[0]
		default:
			format = m.ParameterFormatCodes[i]
		}
		if format != pgproto3.TextFormat && format != pgproto3.BinaryFormat {
			return nil, errorf(pgerrcode.InvalidParameterValue, "unsupported format code: %d", format)
		}
		if value == nil {
			params[i].Null = true
			continue
		}
		params[i].Binary = format == pgproto3.BinaryFormat
		value, err := receivedParam(value, st.ParamTypes[i], params[i].Binary, in)
		if err != nil {
			return nil, err
		}
		params[i].Bytes = bytes.Clone(value) // it lies in the input's buffer
	}
	return params, nil
}

// bindFormats is one format a column.
func bindFormats(codes []int16, columns int) ([]int16, error) {
	formats := make([]int16, columns)
	switch len(codes) {
	case 0:
	case 1:
		for i := range formats {
			formats[i] = codes[0]
		}
	default:
		if len(codes) != columns {
			return nil, errorf(pgerrcode.ProtocolViolation, "bind message has %d result formats but query has %d columns", len(codes), columns)
		}
		copy(formats, codes)
	}
	return formats, nil
}

func (c *conn) describe(m *pgproto3.Describe) error {
	var columns []planner.ResultColumn
	var formats []int16
	switch m.ObjectType {
	case 'S':
		st, err := c.session.Prepared(m.Name)
		if err != nil {
			return err
		}
		columns = st.Columns
		oids := make([]uint32, len(st.ParamTypes))
		for i, t := range st.ParamTypes {
			oids[i] = uint32(t)
		}
		if err := c.checkDescribable(columns); err != nil {
			return err
		}
		c.out.send(&pgproto3.ParameterDescription{ParameterOIDs: oids})
	case 'P':
		p, err := c.session.Portal(m.Name)
		if err != nil {
			return err
		}
		columns, formats = p.Columns(), p.Formats
		if err := c.checkDescribable(columns); err != nil {
			return err
		}
	default:
		return errorf(pgerrcode.ProtocolViolation, "invalid DESCRIBE message subtype %d", m.ObjectType)
	}
	if columns != nil {
		return c.sendRowDescription(columns, formats)
	}
	c.out.send(&pgproto3.NoData{})
	return nil
}

// checkDescribable refuses in a failed block what PostgreSQL would need its
// catalogs for.
func (c *conn) checkDescribable(columns []planner.ResultColumn) error {
	if columns != nil && c.session.Status() == 'E' {
		return errFailedBlock()
	}
	return nil
}

func errFailedBlock() error {
	return errorf(pgerrcode.InFailedSQLTransaction, "current transaction is aborted, commands ignored until end of transaction block")
}

func (c *conn) execute(ctx context.Context, m *pgproto3.Execute) error {
	p, err := c.session.Portal(m.Portal)
	if err != nil {
		return err
	}
	if p.Prepared.Statement == nil {
		c.out.send(&pgproto3.EmptyQueryResponse{})
		return nil
	}
	// A further statement before the Sync makes both one transaction.
	c.executed++
	if c.executed == 2 && c.session.Status() == 'I' {
		c.beginImplicit()
	}
	limit := int64(m.MaxRows)
	if limit > math.MaxInt32 {
		limit = 0 // negative: no limit
	}
	return c.runPortal(ctx, p, limit)
}

func (c *conn) closeObject(m *pgproto3.Close) error {
	switch m.ObjectType {
	case 'S':
		c.session.DropPrepared(m.Name)
	case 'P':
		c.closePortal(m.Name)
	default:
		return errorf(pgerrcode.ProtocolViolation, "invalid CLOSE message subtype %d", m.ObjectType)
	}
	c.out.send(&pgproto3.CloseComplete{})
	return nil
}

// sync ends a round of the extended protocol, and with it the transaction if no
// block is open.
func (c *conn) sync() error {
	c.skipping = false
	c.executed = 0
	c.endImplicit(true)
	return c.ready()
}
