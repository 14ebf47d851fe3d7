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

// statement is a prepared statement of the protocol.
type statement struct {
	name string
	// prepared is nil for a text without a statement.
	prepared *planner.Prepared
}

func (st *statement) columns() []planner.ResultColumn {
	if st.prepared == nil {
		return nil
	}
	return st.prepared.Columns
}

func (st *statement) paramTypes() []postgres.OID {
	if st.prepared == nil {
		return nil
	}
	return st.prepared.ParamTypes
}

func (c *conn) parse(ctx context.Context, m *pgproto3.Parse) error {
	if m.Name == "" {
		delete(c.statements, "")
	} else if _, exists := c.statements[m.Name]; exists {
		return errorf(pgerrcode.DuplicatePreparedStatement, "prepared statement %q already exists", m.Name)
	}
	if err := checkText([]byte(m.Query)); err != nil {
		return err
	}
	parsed, err := c.session.Parse(m.Query)
	if err != nil {
		return err
	}
	st := &statement{name: m.Name}
	switch len(parsed) {
	case 0:
	case 1:
		if st.prepared, err = c.prepare(ctx, parsed[0], m.ParameterOIDs); err != nil {
			return err
		}
	default:
		return errorf(pgerrcode.SyntaxError, "cannot insert multiple commands into a prepared statement")
	}
	c.statements[m.Name] = st
	c.out.send(&pgproto3.ParseComplete{})
	return nil
}

func (c *conn) prepare(ctx context.Context, parsed *planner.Statement, oids []uint32) (*planner.Prepared, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := c.begin(stop)
	defer r.end()
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
	st, err := c.statement(m.PreparedStatement)
	if err != nil {
		return err
	}
	params, err := bindParams(m, st)
	if err != nil {
		return err
	}
	columns := st.columns()
	formats, err := bindFormats(m.ResultFormatCodes, len(columns))
	if err != nil {
		return err
	}
	if err := checkFormats(columns, formats); err != nil {
		return err
	}
	if m.DestinationPortal == "" {
		c.closePortal("")
	} else if _, exists := c.portals[m.DestinationPortal]; exists {
		return errorf(pgerrcode.DuplicateCursor, "cursor %q already exists", m.DestinationPortal)
	}
	c.portals[m.DestinationPortal] = &portal{statement: st, params: params, formats: formats}
	c.out.send(&pgproto3.BindComplete{})
	return nil
}

func bindParams(m *pgproto3.Bind, st *statement) ([]planner.Param, error) {
	given, formats := len(m.Parameters), len(m.ParameterFormatCodes)
	if formats > 1 && formats != given {
		return nil, errorf(pgerrcode.ProtocolViolation, "bind message has %d parameter formats but %d parameters", formats, given)
	}
	if wanted := len(st.paramTypes()); given != wanted {
		return nil, errorf(pgerrcode.ProtocolViolation, "bind message supplies %d parameters, but prepared statement %q requires %d", given, st.name, wanted)
	}
	params := make([]planner.Param, given)
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
		if !params[i].Binary {
			if err := checkText(value); err != nil {
				return nil, err
			}
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
	for _, f := range codes {
		if f != pgproto3.TextFormat && f != pgproto3.BinaryFormat {
			return nil, errorf(pgerrcode.InvalidParameterValue, "unsupported format code: %d", f)
		}
	}
	return formats, nil
}

func (c *conn) describe(m *pgproto3.Describe) error {
	var columns []planner.ResultColumn
	var formats []int16
	switch m.ObjectType {
	case 'S':
		st, err := c.statement(m.Name)
		if err != nil {
			return err
		}
		columns = st.columns()
		types := st.paramTypes()
		oids := make([]uint32, len(types))
		for i, t := range types {
			oids[i] = uint32(t)
		}
		if err := c.checkDescribable(columns); err != nil {
			return err
		}
		c.out.send(&pgproto3.ParameterDescription{ParameterOIDs: oids})
	case 'P':
		p, err := c.portal(m.Name)
		if err != nil {
			return err
		}
		columns, formats = p.statement.columns(), p.formats
		if err := c.checkDescribable(columns); err != nil {
			return err
		}
	default:
		return errorf(pgerrcode.ProtocolViolation, "invalid DESCRIBE message subtype %d", m.ObjectType)
	}
	if columns == nil {
		c.out.send(&pgproto3.NoData{})
	} else {
		c.out.send(rowDescription(columns, formats))
	}
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
	p, err := c.portal(m.Portal)
	if err != nil {
		return err
	}
	if p.statement.prepared == nil {
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
	return c.runPortal(ctx, m.Portal, p, limit)
}

func (c *conn) closeObject(m *pgproto3.Close) error {
	switch m.ObjectType {
	case 'S':
		delete(c.statements, m.Name)
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

func (c *conn) statement(name string) (*statement, error) {
	if st, ok := c.statements[name]; ok {
		return st, nil
	}
	if name == "" {
		return nil, errorf(pgerrcode.InvalidSQLStatementName, "unnamed prepared statement does not exist")
	}
	return nil, errorf(pgerrcode.InvalidSQLStatementName, "prepared statement %q does not exist", name)
}
