package pipeline

import (
	"context"
	"sync"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// Pace says whether events become visible soon enough after they were
// acknowledged. Stages give way to ingest, so that a burst is taken as fast as
// it comes; Pace is what keeps them from falling behind without bound.
type Pace struct {
	limit, every time.Duration
	logs         []pacedLog

	mu      sync.Mutex
	keeping chan struct{} // closed while the stages keep up
	behind  bool
}

// pacedLog is a log with a stage that reads it.
type pacedLog struct {
	log      stream.Log
	progress *progress
	seen     seenFunc
	sighted  []sighting // oldest first, of the last limit
}

// sighting is where the log ended at some time.
type sighting struct {
	at   time.Time
	ends ends
}

// NewPace makes a Pace that watches the raw and the staging stage. Each may be behind by limit:
// what its log has held for that long must be handled. It looks each time that
// every has passed: logs differ in what it costs to ask where they end.
func NewPace(drain Drain, limit, every time.Duration) *Pace {
	keeping := make(chan struct{})
	close(keeping)
	return &Pace{
		limit: limit, every: every, keeping: keeping,
		logs: []pacedLog{
			{log: drain.Raw.cfg.Raw, progress: drain.Raw.progress, seen: drain.Raw.seen()},
			{log: drain.Staging.cfg.Staged, progress: drain.Staging.staged, seen: drain.Staging.inputs()[0].seen()},
		},
	}
}

// Run looks at the stages until ctx ends. A log that cannot tell its end is not
// judged: who writes to it is told.
func (p *Pace) Run(ctx context.Context) error {
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		behind := false
		for i := range p.logs {
			behind = p.logs[i].behind(ctx, p.limit) || behind
		}
		p.set(behind)
	}
}

// behind says that what the log held limit ago is not handled yet.
func (l *pacedLog) behind(ctx context.Context, limit time.Duration) bool {
	to, err := endsOf(ctx, l.log, l.seen)
	if err != nil {
		return false
	}
	now := time.Now()
	l.sighted = append(l.sighted, sighting{now, to})
	for len(l.sighted) > 1 && now.Sub(l.sighted[1].at) >= limit {
		l.sighted = l.sighted[1:]
	}
	return now.Sub(l.sighted[0].at) >= limit && l.progress.behind(l.sighted[0].ends) != nil
}

func (p *Pace) set(behind bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if behind == p.behind {
		return
	}
	if p.behind = behind; behind {
		p.keeping = make(chan struct{})
	} else {
		close(p.keeping)
	}
}

// Wait returns true as soon as the stages keep up, and false if they do not
// within the time or before ctx ends.
func (p *Pace) Wait(ctx context.Context, within time.Duration) bool {
	p.mu.Lock()
	keeping := p.keeping
	p.mu.Unlock()
	select {
	case <-keeping:
		return true
	default:
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-keeping:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}
