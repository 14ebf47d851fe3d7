package wire

import (
	"context"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
)

// runPortal sends up to limit rows (0: all) of a portal, running it if it does
// not yet.
func (c *conn) runPortal(ctx context.Context, p *planner.Portal, limit int64) error {
	if p.Started() {
		switch {
		case c.session.Status() == 'E':
			return errFailedBlock()
		case p.Columns() == nil:
			return errorf(pgerrcode.ObjectNotInPrerequisiteState, "portal %q cannot be run", p.Name)
		}
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := c.begin(stop)
	defer r.end()
	result, err := p.Start(ctx)
	if err != nil {
		return c.failPortal(ctx, p, err)
	}
	rows := p.Take(limit)
	if result.Copy != nil {
		err = c.copyOut(ctx, result, rows)
	} else {
		err = c.sendPortal(ctx, p, result, rows, limit)
	}
	if err != nil {
		return c.failPortal(ctx, p, err)
	}
	return nil
}

// sendPortal sends rows of a portal and says whether that were all.
func (c *conn) sendPortal(ctx context.Context, p *planner.Portal, result *planner.Result, rows planner.Rows, limit int64) error {
	cur, err := c.openCursor(rows, result.Columns, p.Formats)
	if err != nil {
		return err
	}
	sent, err := cur.send(ctx, c.out)
	if err != nil {
		return err
	}
	if limit > 0 && sent == limit {
		c.out.send(&pgproto3.PortalSuspended{})
		return nil
	}
	c.complete(result, sent)
	return nil
}

// failPortal closes a portal whose statement failed, and says with what.
func (c *conn) failPortal(ctx context.Context, p *planner.Portal, err error) error {
	err = statementError(ctx, err)
	c.closePortal(p.Name)
	return err
}

// closePortal drops a portal, if there is one, and stops what it runs.
func (c *conn) closePortal(name string) {
	if err := c.session.ClosePortal(name); err != nil {
		c.log.Debug("close portal", "err", err)
	}
}
