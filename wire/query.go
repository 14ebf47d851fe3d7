package wire

import (
	"context"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
)

// query answers a Query message: its statements one by one, as one transaction
// if there are several; after an error the rest is not run.
func (c *conn) query(ctx context.Context, text string) error {
	delete(c.statements, "")
	c.closePortal("")
	if err := checkText([]byte(text)); err != nil {
		return err
	}
	statements, err := c.session.Parse(text)
	if err != nil {
		return err
	}
	if len(statements) == 0 {
		c.out.send(&pgproto3.EmptyQueryResponse{})
		return c.ready()
	}
	if len(statements) > 1 {
		c.beginImplicit()
	}
	for _, st := range statements {
		if err := c.runStatement(ctx, st); err != nil {
			return err
		}
	}
	c.endImplicit(true)
	return c.ready()
}

// runStatement runs one statement of a Query, all its rows as text.
func (c *conn) runStatement(ctx context.Context, st *planner.Statement) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := c.begin(stop)
	defer r.end()

	result, err := c.session.Run(ctx, st)
	if err != nil {
		return statementError(ctx, err)
	}
	cur, err := c.openCursor(result, nil)
	if err != nil {
		return err
	}
	if result.Columns != nil {
		c.out.send(rowDescription(result.Columns, nil))
	}
	_, sendErr := cur.send(ctx, c.out, 0)
	if err := cur.close(); sendErr == nil {
		sendErr = err
	}
	if sendErr != nil {
		return statementError(ctx, sendErr)
	}
	return c.complete(result, cur.sent)
}

// beginImplicit makes the statements to come one transaction, until endImplicit.
func (c *conn) beginImplicit() {
	if !c.implicit {
		c.implicit = true
		c.session.BeginImplicit()
	}
}

func (c *conn) endImplicit(ok bool) {
	if c.implicit {
		c.implicit = false
		c.session.EndImplicit(ok)
	}
}
