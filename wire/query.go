package wire

import (
	"context"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
)

// query answers a Query message: its statements one by one, as one transaction
// if there are several; after an error the rest is not run.
func (c *conn) query(ctx context.Context, text string) error {
	c.session.DropPrepared("")
	c.closePortal("")
	others, err := c.runFirst(ctx, text)
	if err != nil {
		return err
	}
	for _, st := range others {
		if err := c.runStatement(ctx, st); err != nil {
			return err
		}
	}
	c.endImplicit(true)
	return c.ready()
}

// runFirst parses a Query and runs the first of its statements; it returns the others.
// What may stop a statement may stop it from when its text has arrived.
func (c *conn) runFirst(ctx context.Context, text string) (others []*planner.Statement, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := c.begin(stop)
	defer r.end()
	statements, err := c.session.Parse(ctx, text)
	if err != nil {
		return nil, statementError(ctx, err)
	}
	c.notify(c.session.TakeNotices())
	switch len(statements) {
	case 0:
		c.out.send(&pgproto3.EmptyQueryResponse{})
		return nil, nil
	case 1:
	default:
		c.beginImplicit()
	}
	return statements[1:], c.runBegun(ctx, statements[0])
}

// runStatement runs one statement of a Query.
func (c *conn) runStatement(ctx context.Context, st *planner.Statement) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := c.begin(stop)
	defer r.end()
	return c.runBegun(ctx, st)
}

// runBegun runs one that has begun, and sends all its rows as text.
func (c *conn) runBegun(ctx context.Context, st *planner.Statement) error {
	result, err := c.session.Run(ctx, st)
	if err != nil {
		return statementError(ctx, err)
	}
	err = c.sendResult(ctx, result)
	if result.Rows != nil {
		if closeErr := result.Rows.Close(); err == nil {
			err = closeErr
		}
	}
	if err != nil {
		return statementError(ctx, err)
	}
	return nil
}

// sendResult sends what a statement of a Query gives.
func (c *conn) sendResult(ctx context.Context, result *planner.Result) error {
	if result.Copy != nil {
		return c.copyOut(ctx, result, result.Rows)
	}
	var formats []int16
	if result.Binary {
		formats = make([]int16, len(result.Columns))
		for i := range formats {
			formats[i] = pgproto3.BinaryFormat
		}
	}
	cur, err := c.openCursor(result.Rows, result.Columns, formats)
	if err != nil {
		return err
	}
	if result.Columns != nil {
		if err := c.sendRowDescription(result.Columns, formats); err != nil {
			return err
		}
	}
	sent, err := cur.send(ctx, c.out)
	if err != nil {
		return err
	}
	c.complete(result, sent)
	return nil
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
