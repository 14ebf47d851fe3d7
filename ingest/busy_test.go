package ingest_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// heldLog lets no Put through before it is let go, and tells of each that waits.
type heldLog struct {
	stream.Log
	arrived, gone chan struct{}
}

func (l *heldLog) Put(ctx context.Context, entries []stream.Entry) ([]stream.Placed, error) {
	l.arrived <- struct{}{}
	<-l.gone
	return l.Log.Put(ctx, entries)
}

func TestBusyWhileRequestsWait(t *testing.T) {
	t.Parallel()
	const requests = 16
	log := &heldLog{arrived: make(chan struct{}, requests), gone: make(chan struct{})}
	b := setup(t, func(c *ingest.Config) { log.Log, c.Log = c.Log, log })
	var wait sync.WaitGroup
	for n := range requests {
		if b.handler.Busy() {
			t.Errorf("busy with %d requests", n)
		}
		wait.Go(func() {
			if got := b.post(t, "/v1/events", []byte(`{"metrictype":"m"}`)); got.Code != http.StatusOK {
				t.Errorf("status %d", got.Code)
			}
		})
		<-log.arrived
	}
	if !b.handler.Busy() {
		t.Errorf("not busy while %d requests wait", requests)
	}
	close(log.gone)
	wait.Wait()
	if b.handler.Busy() {
		t.Error("busy when all requests are answered")
	}
}

func TestBusyWhileEventsComeFast(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *ingest.Config) { c.BusyEvents = 1000 })
	send := func(events int) {
		t.Helper()
		if got := b.post(t, "/v1/events", []byte(strings.Repeat(`{"metrictype":"m"}`+"\n", events))); got.Code != http.StatusOK {
			t.Fatalf("status %d", got.Code)
		}
	}
	for _, step := range []struct {
		events int
		after  time.Duration
		want   bool
	}{
		{0, 20 * time.Millisecond, false},
		{50, 20 * time.Millisecond, true},
		{0, 10 * time.Millisecond, true}, // too soon to tell
		{0, 10 * time.Millisecond, false},
		{50, time.Second, false},
	} {
		if step.events > 0 {
			send(step.events)
		}
		b.advance(step.after)
		if got := b.handler.Busy(); got != step.want {
			t.Errorf("%d events, %v later: busy is %v", step.events, step.after, got)
		}
	}
}
