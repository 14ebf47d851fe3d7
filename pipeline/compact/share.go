package compact

import "context"

// run is a forced run that several callers wait for. It works for as long as one
// of them does.
type run struct {
	callers int // guarded by the Compactor's mu
	cancel  context.CancelFunc
	done    chan struct{}
	err     error // set before done is closed
}

// Compact returns when every event that Deliver puts into the archive, and so
// every event staged before the call, is in the lake; ErrIncomplete if the
// archive does not reach so far. Calls that wait at the same time share one run.
func (c *Compactor) Compact(ctx context.Context) error {
	r := c.join(ctx)
	select {
	case <-r.done:
		r.cancel()
		return r.err
	case <-ctx.Done():
	}
	if c.leave(r) {
		r.cancel()
		<-r.done
	}
	return ctx.Err()
}

// join takes part in the run that has not begun, or starts one.
func (c *Compactor) join(ctx context.Context) *run {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.waiting
	if r == nil {
		// The run outlives the caller that started it while others wait.
		within, cancel := context.WithCancel(context.WithoutCancel(ctx))
		r = &run{cancel: cancel, done: make(chan struct{})}
		c.waiting = r
		go func() {
			defer close(r.done)
			r.err = c.alone(within, func(ctx context.Context) error {
				c.begin(r)
				return c.compactAll(ctx)
			})
		}()
	}
	r.callers++
	return r
}

// leave says that the caller was the last one; then nobody can join any more.
func (c *Compactor) leave(r *run) (last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.callers--
	if r.callers == 0 && c.waiting == r {
		c.waiting = nil
	}
	return r.callers == 0
}

// begin lets nobody join who comes from now on.
func (c *Compactor) begin(r *run) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == r {
		c.waiting = nil
	}
}
