package wire

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"
)

// watchDelay is how long a statement runs before anyone looks whether its client
// is still there.
const watchDelay = 100 * time.Millisecond

// running is a statement under way and what may stop it.
type running struct {
	c       *conn
	timeout *time.Timer
	watch   *time.Timer
	watched chan struct{}
}

// begin arms what may stop a statement: a cancel request, the statement timeout
// and the client's going away, each by a call of stop. end must be called when
// nothing of the statement runs any more, or its portal is suspended.
func (c *conn) begin(stop context.CancelCauseFunc) *running {
	r := &running{c: c, watched: make(chan struct{})}
	c.backend.arm(stop)
	if d := parseTimeout(c.session.Setting("statement_timeout")); d > 0 {
		r.timeout = time.AfterFunc(d, func() { stop(errStatementTimeout) })
	}
	if c.in.r.Buffered() == 0 {
		r.watch = time.AfterFunc(watchDelay, func() {
			defer close(r.watched)
			// Data means that the client is there and sends ahead; a timeout, that
			// the watch or the server is over.
			if _, err := c.in.r.Peek(1); err != nil && !isTimeout(err) {
				stop(errClientGone)
			}
		})
	}
	return r
}

// end disarms. The input is the connection's own again when it returns.
func (r *running) end() {
	r.c.backend.arm(nil)
	if r.timeout != nil {
		r.timeout.Stop()
	}
	if r.watch != nil && !r.watch.Stop() {
		r.c.t.interruptRead()
		<-r.watched
		r.c.t.readBy(time.Time{})
	}
}

// parseTimeout reads a duration setting: a number with a unit, milliseconds
// without. The planner has checked it; 0 is none.
func parseTimeout(setting string) time.Duration {
	units := []struct {
		suffix string
		unit   time.Duration
	}{
		{"us", time.Microsecond},
		{"ms", time.Millisecond},
		{"min", time.Minute},
		{"s", time.Second},
		{"h", time.Hour},
		{"d", 24 * time.Hour},
		{"", time.Millisecond},
	}
	for _, u := range units {
		number, ok := strings.CutSuffix(setting, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || n <= 0 {
			return 0
		}
		return time.Duration(n * float64(u.unit))
	}
	return 0
}

// isTimeout says that a read ended because its deadline did.
func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
