package wire

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// functionCall answers a FunctionCall message (HandleFunctionRequest of PostgreSQL's
// fastpath.c): it calls a function by its number, as a query would by its name.
func (c *conn) functionCall(ctx context.Context, m *pgproto3.FunctionCall) error {
	if c.session.Status() == 'E' {
		return errFailedBlock()
	}
	proc, ok := postgres.ProcByOID(postgres.OID(m.Function))
	if !ok {
		return errorf(pgerrcode.UndefinedFunction, "function with OID %d does not exist", m.Function)
	}
	if proc.Kind != postgres.FunctionProc || proc.ReturnsSet {
		return errorf(pgerrcode.FeatureNotSupported, "cannot call function %q via fastpath interface", proc.Name)
	}
	if err := checkCall(m, proc); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := c.begin(stop)
	defer r.end()
	value, err := c.call(ctx, m, proc)
	if err != nil {
		return statementError(ctx, err)
	}
	c.out.send(&pgproto3.FunctionCallResponse{Result: value})
	return c.ready()
}

// checkCall refuses arguments that are not the function's.
func checkCall(m *pgproto3.FunctionCall, proc *postgres.Proc) error {
	given, formats := len(m.Arguments), len(m.ArgFormatCodes)
	if wanted := len(proc.Args); given != wanted {
		return errorf(pgerrcode.ProtocolViolation, "function call message contains %d arguments but function requires %d", given, wanted)
	}
	if formats > 1 && formats != given {
		return errorf(pgerrcode.ProtocolViolation, "function call message contains %d argument formats but %d arguments", formats, given)
	}
	for _, t := range proc.Args {
		if known, ok := postgres.TypeByOID(t); ok && known.Kind == postgres.PseudoType && t != postgres.CStringOID && t != postgres.VoidOID {
			return errorf(pgerrcode.FeatureNotSupported, "cannot accept a value of type %s", known.Name)
		}
	}
	return nil
}

// call runs the function, and gives its value in the format that was asked for; nil:
// NULL.
func (c *conn) call(ctx context.Context, m *pgproto3.FunctionCall, proc *postgres.Proc) (value []byte, err error) {
	parsed, err := c.session.Parse(ctx, callText(proc))
	if err != nil {
		return nil, err
	}
	st, err := c.session.Prepare(ctx, parsed[0], proc.Args)
	if err != nil {
		return nil, err
	}
	bind := &pgproto3.Bind{Parameters: m.Arguments, ParameterFormatCodes: make([]int16, len(m.ArgFormatCodes))}
	for i, code := range m.ArgFormatCodes {
		bind.ParameterFormatCodes[i] = int16(code)
	}
	params, err := c.bindParams(bind, st)
	if err != nil {
		return nil, err
	}
	st, open, err := c.session.Bind(st, params)
	if err != nil {
		return nil, err
	}
	result, err := open(ctx)
	if err != nil || result.Rows == nil { // no rows are as NULL as no row
		return nil, err
	}
	value, err = c.onlyValue(ctx, result.Rows, st.Columns, int16(m.ResultFormatCode))
	if closeErr := result.Rows.Close(); err == nil {
		err = closeErr
	}
	return value, err
}

// onlyValue is the one value of a result.
func (c *conn) onlyValue(ctx context.Context, rows planner.Rows, columns []planner.ResultColumn, format int16) ([]byte, error) {
	r := c.recode(nil)
	encoders, err := c.encoders(columns, []int16{format}, r)
	if err != nil {
		return nil, err
	}
	chunk, err := rows.Next(ctx)
	if err != nil || chunk == nil || chunk.Columns[0].IsNull(0) {
		return nil, err
	}
	return encoders[0]([]byte{}, &chunk.Columns[0], 0), r.fault()
}

// callText is a query that calls the function.
func callText(proc *postgres.Proc) string {
	args := make([]string, len(proc.Args))
	for i := range args {
		args[i] = "$" + strconv.Itoa(i+1)
		if i == len(args)-1 && proc.Variadic() != 0 {
			args[i] = "VARIADIC " + args[i]
		}
	}
	return "SELECT pg_catalog." + postgres.QuoteIdentifier(proc.Name) + "(" + strings.Join(args, ", ") + ")"
}
