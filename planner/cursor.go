package planner

import (
	"context"
	"math"
	"strconv"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// The options of DECLARE, as the parser counts them (CURSOR_OPT_ of parsenodes.h).
const (
	cursorBinary      = 0x0001
	cursorScroll      = 0x0002
	cursorNoScroll    = 0x0004
	cursorInsensitive = 0x0008
	cursorAsensitive  = 0x0010
	cursorHold        = 0x0020
)

// prepareDeclare binds the cursor's query. DECLARE itself returns no rows.
func (s *Session) prepareDeclare(ctx context.Context, p *Prepared, n *pgquery.DeclareCursorStmt, paramTypes []postgres.OID) error {
	for _, both := range []struct {
		options int32
		text    string
	}{
		{cursorScroll | cursorNoScroll, "cannot specify both SCROLL and NO SCROLL"},
		{cursorAsensitive | cursorInsensitive, "cannot specify both ASENSITIVE and INSENSITIVE"},
	} {
		if n.Options&both.options == both.options {
			return errorf(pgerrcode.InvalidCursorDefinition, "%s", both.text)
		}
	}
	sel := n.Query.GetSelectStmt()
	if sel == nil {
		return unsupported(nowhere, "DECLARE CURSOR for %s", statementName(n.Query))
	}
	bound, params, err := s.bind(ctx, sel, newParameters(paramTypes))
	if err != nil {
		return err
	}
	p.ParamTypes = params.types
	return s.checkEngine(ctx, bound.query)
}

// declare makes a cursor. What it reads is pinned now; it runs once the first row
// is fetched. A cursor WITH HOLD goes on after the transaction as it is: nothing
// that happens later changes its rows, so none need be gathered at COMMIT.
func (s *Session) declare(ctx context.Context, p *Prepared, n *pgquery.DeclareCursorStmt, values []*Const) (*Result, error) {
	hold := n.Options&cursorHold != 0
	if !hold && !s.tx.block && !s.tx.implicit {
		return nil, errorf(pgerrcode.NoActiveSQLTransaction, "DECLARE CURSOR can only be used in transaction blocks")
	}
	if n.Portalname == "" {
		return nil, errorf(pgerrcode.InvalidCursorName, "invalid cursor name: must not be empty")
	}
	plan, err := s.plan(ctx, n.Query.GetSelectStmt(), values)
	if err != nil {
		return nil, err
	}
	query := &Prepared{Name: n.Portalname, Statement: p.Statement, Columns: plan.Columns}
	c := NewPortal(n.Portalname, query, nil, func(ctx context.Context) (*Result, error) { return s.start(ctx, plan) })
	c.drop = plan.Release
	c.declared, c.hold, c.binary = true, hold, n.Options&cursorBinary != 0
	switch {
	case n.Options&cursorScroll != 0:
		c.scroll = true
		c.feed.keep, c.feed.store = true, newStore(s.planner.space)
	case n.Options&cursorNoScroll == 0 && scrollsByItself(plan.Query):
		c.scroll = true
		c.feed.keep, c.feed.store = true, newStore(&space{max: storeBuffer})
		c.feed.forget = func() { c.scroll = false }
	}
	if err := s.AddPortal(c); err != nil {
		plan.Release()
		return nil, err
	}
	return &Result{Tag: "DECLARE CURSOR"}, nil
}

// fetchColumns are the columns of FETCH: those of the cursor, if there is one yet.
func (s *Session) fetchColumns(n *pgquery.FetchStmt) []ResultColumn {
	if c, err := s.cursor(n.Portalname); err == nil && !n.Ismove {
		return c.Columns()
	}
	return nil
}

// fetch runs FETCH and MOVE.
func (s *Session) fetch(ctx context.Context, n *pgquery.FetchStmt) (*Result, error) {
	if n.Portalname == "" {
		return nil, errorf(pgerrcode.InvalidCursorName, "invalid cursor name: must not be empty")
	}
	c, err := s.cursor(n.Portalname)
	if err != nil {
		return nil, err
	}
	if c.Columns() == nil {
		return nil, c.cannotRun()
	}
	if _, err := c.Start(ctx); err != nil {
		return nil, err
	}
	rows, err := c.fetch(ctx, n.Direction, n.HowMany, n.Ismove)
	if err != nil {
		return nil, err
	}
	if n.Ismove {
		moved, err := countRows(ctx, rows)
		return &Result{Tag: "MOVE " + strconv.FormatInt(moved, 10)}, err
	}
	return &Result{Rows: rows, Columns: c.Columns(), Tag: "FETCH", Binary: c.binary}, nil
}

// countRows takes all rows and drops them.
func countRows(ctx context.Context, rows Rows) (int64, error) {
	var n int64
	for {
		c, err := rows.Next(ctx)
		if err != nil || c == nil {
			return n, err
		}
		n += int64(c.Rows)
	}
}

// fetchAll is the number of rows that means all of them (FETCH_ALL).
const fetchAll = math.MaxInt64

// fetch goes to where FETCH begins and gives the rows from there, as
// DoPortalRunFetch of PostgreSQL's pquery.c does.
func (p *Portal) fetch(ctx context.Context, direction pgquery.FetchDirection, n int64, move bool) (Rows, error) {
	switch direction {
	case pgquery.FetchDirection_FETCH_ABSOLUTE:
		return p.fetchAbsolute(ctx, n)
	case pgquery.FetchDirection_FETCH_RELATIVE:
		if n == 0 {
			return p.fetchNear(ctx, 0, move)
		}
		if n > 1 || n < -1 {
			if err := p.skip(ctx, n-sign(n)); err != nil {
				return nil, err
			}
		}
		return p.fetchNear(ctx, sign(n), move)
	case pgquery.FetchDirection_FETCH_BACKWARD:
		n = -n
	}
	return p.fetchNear(ctx, n, move)
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}

// fetchNear gives the next n rows, or the -n before; for 0 the one it stands on.
func (p *Portal) fetchNear(ctx context.Context, n int64, move bool) (Rows, error) {
	switch {
	case n > 0 && n < fetchAll:
		return p.Take(n), nil
	case n > 0:
		return p.Take(0), nil
	case n == 0:
		return p.fetchAgain(ctx, move)
	case n == -fetchAll && move:
		return p.moveToStart()
	case n == -fetchAll:
		return p.backward(0)
	}
	return p.backward(-n)
}

// fetchAgain gives the row that the portal stands on, if it does.
func (p *Portal) fetchAgain(ctx context.Context, move bool) (Rows, error) {
	if p.atStart || p.atEnd {
		return noRows{}, nil
	}
	if move {
		return &counted{n: 1}, nil
	}
	if err := p.skip(ctx, -1); err != nil {
		return nil, err
	}
	return p.Take(1), nil
}

// moveToStart is MOVE BACKWARD ALL, which needs no scrolling where nothing was
// fetched yet.
func (p *Portal) moveToStart() (Rows, error) {
	n := p.pos
	if n > 0 && !p.atEnd {
		n--
	}
	return &counted{n: n}, p.rewind()
}

// fetchAbsolute gives row n, counted from 1, or from the last backward if
// negative.
func (p *Portal) fetchAbsolute(ctx context.Context, n int64) (Rows, error) {
	switch {
	case n == 0:
		return noRows{}, p.rewind()
	case n < 0:
		if _, err := p.forward(ctx, 0); err != nil {
			return nil, err
		}
		if err := p.skip(ctx, n+1); err != nil {
			return nil, err
		}
		return p.backward(1)
	case n-1 <= p.pos/2:
		if err := p.rewind(); err != nil {
			return nil, err
		}
		if err := p.skip(ctx, n-1); err != nil {
			return nil, err
		}
		return p.Take(1), nil
	}
	pos := p.pos
	if p.atEnd {
		pos++ // one step more from past the end
	}
	if err := p.skip(ctx, n-1-pos); err != nil {
		return nil, err
	}
	return p.Take(1), nil
}

// skip moves over n rows, backward if negative.
func (p *Portal) skip(ctx context.Context, n int64) error {
	if n == 0 {
		return nil
	}
	if n > 0 {
		_, err := p.forward(ctx, n)
		return err
	}
	rows, err := p.backward(-n)
	if err != nil {
		return err
	}
	_, err = countRows(ctx, rows)
	return err
}

// backward gives up to n rows (0: all) before where the portal stands.
func (p *Portal) backward(n int64) (Rows, error) {
	if !p.scroll {
		return nil, errForwardOnly()
	}
	return &reverse{p: p, limit: n}, nil
}

// rewind goes back to before the first row.
func (p *Portal) rewind() error {
	if p.atStart && !p.atEnd {
		return nil
	}
	if !p.scroll {
		return errForwardOnly()
	}
	p.atStart, p.atEnd, p.pos = true, false, 0
	p.feed.seek(0)
	return nil
}

func errForwardOnly() error {
	return errorf(pgerrcode.ObjectNotInPrerequisiteState, "cursor can only scan forward").
		withHint("Declare it with SCROLL option to enable backward scan.")
}

// closeCursor runs CLOSE.
func (s *Session) closeCursor(n *pgquery.ClosePortalStmt) (*Result, error) {
	if n.Portalname == "" {
		return &Result{Tag: "CLOSE CURSOR ALL"}, s.closeAll()
	}
	if _, err := s.cursor(n.Portalname); err != nil {
		return nil, err
	}
	return &Result{Tag: "CLOSE CURSOR"}, s.ClosePortal(n.Portalname)
}

// noRows is a result without rows.
type noRows struct{}

// Next says so.
func (noRows) Next(context.Context) (*Chunk, error) { return nil, nil }

// Close has nothing to free.
func (noRows) Close() error { return nil }

// counted are rows of which only the number matters.
type counted struct{ n int64 }

// Next gives them once, without columns.
func (c *counted) Next(context.Context) (*Chunk, error) {
	if c.n == 0 {
		return nil, nil
	}
	n := int(c.n)
	c.n = 0
	return &Chunk{Rows: n}, nil
}

// Close has nothing to free.
func (*counted) Close() error { return nil }
