package ingest

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// busyRequests at once that wait to be durable are more than a few senders who take turns.
	busyRequests = 16
	// busyWindow is the least time over which events are counted.
	busyWindow = 20 * time.Millisecond
)

// busy measures how much comes in.
type busy struct {
	most  float64 // events a second
	clock func() time.Time

	storing atomic.Int64 // requests whose events have been read and are not durable yet
	stored  atomic.Int64 // events ever made durable
	fast    atomic.Bool  // in the last window events came faster than most

	mu    sync.Mutex // held by who measures
	since time.Time  // when the window began, and what was stored then
	count int64
}

func newBusy(eventsPerSecond int, clock func() time.Time) *busy {
	return &busy{most: float64(eventsPerSecond), clock: clock, since: clock()}
}

// now says whether the moment is busy. It is asked often and measures when a window has passed.
func (b *busy) now() bool {
	if b.storing.Load() >= busyRequests {
		return true
	}
	if b.mu.TryLock() {
		defer b.mu.Unlock()
		now := b.clock()
		if passed := now.Sub(b.since); passed >= busyWindow {
			stored := b.stored.Load()
			b.fast.Store(float64(stored-b.count) >= b.most*passed.Seconds())
			b.since, b.count = now, stored
		}
	}
	return b.fast.Load()
}
