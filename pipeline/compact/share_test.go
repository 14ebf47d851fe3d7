package compact_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestCancelledCallers has callers of a shared run go away.
func TestCancelledCallers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		timeout bool
		stays   int // callers that share the run and stay
	}{
		{name: "the one that began it is cancelled", stays: 1},
		{name: "the one that began it runs out of time", timeout: true, stays: 1},
		{name: "all of them", stays: 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.deliver(t, 0, 0, event(hot, 1, "a"))
			synctest.Test(t, func(t *testing.T) {
				var runs atomic.Int32
				proceed := make(chan struct{})
				ended := make(chan error, 1)
				b.cfg.Deliver = func(ctx context.Context) error {
					runs.Add(1)
					select {
					case <-proceed:
						return nil
					case <-ctx.Done():
						ended <- ctx.Err()
						return ctx.Err()
					}
				}
				c := b.compactor(t)
				began, cancel := context.WithCancel(t.Context())
				if test.timeout {
					began, cancel = context.WithTimeout(t.Context(), time.Second)
				}
				defer cancel()
				call := func(ctx context.Context) chan error {
					done := make(chan error, 1)
					go func() { done <- c.Compact(ctx) }()
					return done
				}
				first := call(t.Context())
				synctest.Wait() // it runs
				second := call(began)
				synctest.Wait() // it waits for its turn
				var others []chan error
				for range test.stays {
					others = append(others, call(t.Context()))
				}
				synctest.Wait()
				if !test.timeout {
					cancel()
				}
				if err := <-second; !errors.Is(err, began.Err()) || err == nil {
					t.Errorf("the caller that left: %v", err)
				}
				close(proceed)
				if err := <-first; err != nil {
					t.Errorf("the run before: %v", err)
				}
				for _, done := range others {
					if err := <-done; err != nil {
						t.Errorf("a caller that stayed: %v", err)
					}
				}
				if want := int32(1 + test.stays); runs.Load() != want {
					t.Errorf("%d runs, want %d", runs.Load(), want)
				}
				if len(ended) > 0 {
					t.Errorf("a run that was waited for ended: %v", <-ended)
				}
			})
			b.want(t, hot, "a")
		})
	}
}
