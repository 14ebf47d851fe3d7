package wire

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/jackc/pgerrcode"
)

// receive waits for the client's next message. Of a client that is idle it does
// not wait longer than the session's settings say, and meanwhile it has the
// portals that wait with it put their rows aside.
func (c *conn) receive(ctx context.Context) (kind byte, body []byte, err error) {
	if c.idle {
		c.idle = false
		if err := c.await(ctx); err != nil {
			return 0, nil, err
		}
		if c.t.ending() {
			// The message came after the end was asked for, and is not answered.
			return 0, nil, errAdminShutdown()
		}
	}
	return c.in.next()
}

// await returns when the client's next message begins.
func (c *conn) await(ctx context.Context) (err error) {
	if c.in.r.Buffered() > 0 {
		return nil
	}
	if c.session.Suspended() {
		stop := c.spoolLater(ctx)
		defer func() { stop(err != nil) }()
	}
	for {
		again, err := c.awaitOnce()
		if !again {
			return err
		}
		c.sendNotifications()
		if err := c.flush(); err != nil {
			return err
		}
	}
}

// awaitOnce returns when the client's next message begins, or when there are
// notifications to send before it.
func (c *conn) awaitOnce() (again bool, err error) {
	setting, code, what := "idle_in_transaction_session_timeout", pgerrcode.IdleInTransactionSessionTimeout, "idle-in-transaction"
	if c.session.Status() == 'I' {
		setting, code, what = "idle_session_timeout", pgerrcode.IdleSessionTimeout, "idle-session"
	}
	timeout := parseTimeout(c.session.Setting(setting))
	if timeout > 0 {
		c.t.readBy(time.Now().Add(timeout))
		defer c.t.readBy(time.Time{})
	}
	if c.session.Status() == 'I' {
		if !c.backend.wait(true) {
			return true, nil
		}
		defer func() {
			// Whoever wakes the connection does so before this, or not at all.
			if c.backend.wait(false); c.backend.hasNotifications() {
				c.t.readBy(time.Time{})
			}
		}()
	}
	_, err = c.in.r.Peek(1)
	if err != nil && isTimeout(err) && !c.t.ending() && c.backend.hasNotifications() {
		return true, nil
	}
	if timeout > 0 && err != nil && isTimeout(err) && !c.t.ending() {
		return false, fatalf(code, "terminating connection due to %s timeout", what)
	}
	return false, err
}

// spoolLater has the rows of waiting portals put aside once they have waited for
// some time. The function it returns ends that, at the next chunk or at once if
// nobody wants the rows any more, and returns when nothing of it runs.
func (c *conn) spoolLater(ctx context.Context) (stop func(gone bool)) {
	var stopped atomic.Bool
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(c.srv.cfg.SpoolAfter, func() {
		defer close(done)
		if err := c.session.Spool(ctx, stopped.Load); err != nil {
			c.log.Debug("rows put aside", "err", err)
		}
	})
	return func(gone bool) {
		stopped.Store(true)
		if gone {
			cancel()
		}
		if !timer.Stop() {
			<-done
		}
		cancel()
	}
}
