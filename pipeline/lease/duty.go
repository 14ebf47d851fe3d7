package lease

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// lastWords bounds the release of a lease by a process that ends.
const lastWords = 5 * time.Second

// Duty runs do while this process has the lease of a name, and again each time that
// it gets it, until ctx ends. The context that do gets ends when the lease is lost.
// An error of do ends Duty.
func (h *Holder) Duty(ctx context.Context, name string, do func(ctx context.Context) error) error {
	for {
		l, err := h.Take(ctx, name, "")
		if err != nil && ctx.Err() == nil {
			h.cfg.Logger.Warn("take a lease", "lease", name, "err", err)
		}
		if l != nil {
			if err := h.serve(ctx, l, do); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		timer := time.NewTimer(h.cfg.Duration / 3)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// serve runs do until it returns, ctx ends or the lease is lost, and lets go of the
// lease.
func (h *Holder) serve(ctx context.Context, l *Lease, do func(ctx context.Context) error) error {
	within, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-l.lost:
			cancel()
		case <-within.Done():
		}
	}()
	err := do(within)
	if within.Err() != nil && errors.Is(err, within.Err()) {
		err = nil
	}
	cancel()
	<-ended
	last, done := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer done()
	if releaseErr := l.Release(last); releaseErr != nil {
		h.cfg.Logger.Warn("release a lease", "lease", l.name, "err", releaseErr) // it will run out
	}
	return err
}
