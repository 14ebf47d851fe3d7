package wire

import (
	"context"
	"slices"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
)

// portal is a bound statement, perhaps running and suspended between two Execute
// messages.
type portal struct {
	statement *statement
	params    []planner.Param
	formats   []int16

	// Set once it runs. The result lives in a context of its own, because it
	// outlives the message that began it.
	ctx    context.Context //nolint:containedctx // the root of one run
	stop   context.CancelCauseFunc
	result *planner.Result
	cursor *cursor
}

// runPortal sends up to limit rows (0: all) of a portal, running it if it does
// not yet.
func (c *conn) runPortal(ctx context.Context, name string, p *portal, limit int64) error {
	switch {
	case p.result == nil:
		p.ctx, p.stop = context.WithCancelCause(ctx)
	case c.session.Status() == 'E':
		return errFailedBlock()
	case p.result.Columns == nil:
		return errorf(pgerrcode.ObjectNotInPrerequisiteState, "portal %q cannot be run", name)
	}
	r := c.begin(p.stop)
	defer r.end()
	before := c.session.Status()
	if p.result == nil {
		if err := c.startPortal(p); err != nil {
			return c.failPortal(name, p, err)
		}
	}
	suspended, err := p.cursor.send(p.ctx, c.out, limit)
	if err == nil && !suspended {
		err = p.cursor.close()
	}
	if err != nil {
		return c.failPortal(name, p, err)
	}
	if suspended {
		c.out.send(&pgproto3.PortalSuspended{})
		return nil
	}
	if before != 'I' && c.session.Status() == 'I' {
		c.endPortals()
	}
	return c.complete(p.result, p.cursor.sent)
}

// failPortal closes a portal whose statement failed, and says with what.
func (c *conn) failPortal(name string, p *portal, err error) error {
	err = statementError(p.ctx, err) // before the end of the context says something else
	c.closePortal(name)
	return err
}

// startPortal runs the portal's statement, whose result must be what was
// described.
func (c *conn) startPortal(p *portal) error {
	result, err := c.session.Execute(p.ctx, p.statement.prepared, p.params)
	if err != nil {
		return err
	}
	p.result = result
	if p.cursor, err = c.openCursor(result, p.formats); err != nil {
		return err
	}
	if !sameColumns(result.Columns, p.statement.columns()) {
		return errorf(pgerrcode.FeatureNotSupported, planChanged)
	}
	return nil
}

func sameColumns(a, b []planner.ResultColumn) bool {
	return slices.EqualFunc(a, b, func(x, y planner.ResultColumn) bool { return x.Name == y.Name && x.T == y.T })
}

// endPortals closes all portals: the block that they belonged to is over.
func (c *conn) endPortals() {
	for name := range c.portals {
		c.closePortal(name)
	}
}

// closePortal drops a portal, if there is one, and stops what it runs.
func (c *conn) closePortal(name string) {
	p, ok := c.portals[name]
	if !ok {
		return
	}
	delete(c.portals, name)
	if p.cursor != nil {
		if err := p.cursor.close(); err != nil {
			c.log.Debug("close portal", "err", err)
		}
	}
	if p.stop != nil {
		p.stop(nil)
	}
}

func (c *conn) portal(name string) (*portal, error) {
	if p, ok := c.portals[name]; ok {
		return p, nil
	}
	return nil, errorf(pgerrcode.InvalidCursorName, "portal %q does not exist", name)
}
