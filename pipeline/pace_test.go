package pipeline_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/sources/nearline"
)

// stalledTables write nothing before resume is closed.
type stalledTables struct {
	nearline.Tables
	resume chan struct{}
}

func (s *stalledTables) Write(ctx context.Context, rows []nearline.Row) ([]nearline.Outcome, error) {
	select {
	case <-s.resume:
		return s.Tables.Write(ctx, rows)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func TestPaceIsLostAndFoundAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, t.TempDir())
		tables := &stalledTables{Tables: h.tail, resume: make(chan struct{})}
		h.stagingConfig.Tables = tables
		stop := h.run(t)
		pace := pipeline.NewPace(h.drain, 2*time.Second, 50*time.Millisecond)
		ctx, cancel := context.WithCancel(t.Context())
		var running errgroup.Group
		running.Go(func() error { return pace.Run(ctx) })
		keeps := func(when string, want bool) {
			t.Helper()
			if got := pace.Wait(t.Context(), time.Second); got != want {
				t.Errorf("%s: keeping pace is %v, want %v", when, got, want)
			}
		}
		keeps("at the start", true)
		<-time.After(time.Hour)
		keeps("after an hour without events", true)
		h.post(t, "r1", `{"n":1}`)
		<-time.After(1900 * time.Millisecond)
		keeps("an event 1.9 s old is not visible", true)
		<-time.After(300 * time.Millisecond)
		keeps("an event 2.2 s old is not visible", false)
		time.AfterFunc(500*time.Millisecond, func() { close(tables.resume) })
		keeps("it becomes visible during the wait", true)
		cancel()
		if err := running.Wait(); err != nil {
			t.Error(err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		h.close(t)
	})
}
