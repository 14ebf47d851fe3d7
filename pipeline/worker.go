package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	leases "github.com/fieldgate/fieldgate/pipeline/lease"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// reading is a shard that a worker reads under a lease.
type reading struct {
	lease  *lease
	cancel context.CancelCauseFunc
}

// worker reads its part of a log's shards.
type worker struct {
	rounds
	source      stream.Log
	checkpoints stream.Checkpoints
	stand       *stand
	read        readFunc

	wg      sync.WaitGroup
	mu      sync.Mutex
	reading map[stream.ShardID]*reading
	failed  error         // of a shard; it ends the worker
	wake    chan struct{} // a shard has ended: look at once
}

// followLeased calls read for the shards that this worker gets, as follow does
// for all.
func followLeased(ctx context.Context, f follower, shared *Leases, read readFunc) error {
	w := &worker{
		rounds: rounds{Leases: shared, log: f.name, consumer: f.consumer}, source: f.log, checkpoints: f.checkpoints,
		stand: f.stand, read: read, reading: map[stream.ShardID]*reading{}, wake: make(chan struct{}, 1),
	}
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		w.renew(within)
	}()
	err := w.run(within)
	cancel()
	w.wg.Wait()
	<-renewed
	return err
}

func (w *worker) run(ctx context.Context) error {
	tick := time.NewTicker(w.cfg.Duration / 3)
	defer tick.Stop()
	fresh := true
	for {
		err := w.stand.until(ctx, "share shards", func(ctx context.Context) error { return w.round(ctx, fresh) })
		w.mu.Lock()
		err = errors.Join(w.failed, err)
		w.mu.Unlock()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("share the shards of log %s: %w", w.log, err)
		}
		select {
		case <-tick.C:
			fresh = false
		case <-w.wake:
			fresh = true
		case <-ctx.Done():
		}
	}
}

// round looks at all leases and takes what this worker should have. What another
// consumer of this process has just seen will do, unless something is known to have
// changed.
func (w *worker) round(ctx context.Context, fresh bool) error {
	after := time.Now()
	if !fresh {
		after = after.Add(-w.cfg.Duration / 6)
	}
	shards, err := w.source.Shards(ctx)
	if err != nil {
		return fmt.Errorf("list shards: %w", err)
	}
	if err := w.look(ctx, shards, after); err != nil {
		return err
	}
	w.mu.Lock()
	mine := make(map[stream.ShardID]bool, len(w.reading))
	for id := range w.reading {
		mine[id] = true
	}
	w.mu.Unlock()
	for _, id := range w.wanted(shards, mine) {
		// The shard is read until ctx ends or the lease is lost.
		shardCtx, cancel := context.WithCancelCause(ctx)
		l, err := w.take(ctx, id, cancel)
		if l == nil || err != nil {
			cancel(nil)
			if err != nil {
				return err
			}
			continue
		}
		w.mu.Lock()
		w.reading[id] = &reading{l, cancel}
		w.mu.Unlock()
		w.wg.Go(func() { w.shard(shardCtx, l, cancel) })
	}
	return nil
}

// shard reads one shard until its end, or until the lease is lost, and lets go of
// it.
func (w *worker) shard(ctx context.Context, l *lease, cancel context.CancelCauseFunc) {
	defer cancel(nil)
	err := w.read(ctx, w.source, l.shard, leasedCheckpoints{w.checkpoints, w.consumer, l})
	if errors.Is(context.Cause(ctx), errLeaseLost) || ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		err = nil
	}
	last, done := context.WithTimeout(context.WithoutCancel(ctx), lastSave)
	defer done()
	if releaseErr := l.release(last); releaseErr != nil {
		// It will run out.
		w.cfg.Logger.Warn("release the lease of a shard", "log", w.log, "shard", uint64(l.shard), "err", releaseErr)
	}
	w.mu.Lock()
	delete(w.reading, l.shard)
	if w.failed == nil {
		w.failed = err
	}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// renew renews the leases until ctx ends.
func (w *worker) renew(ctx context.Context) {
	tick := time.NewTicker(w.cfg.Duration / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		w.mu.Lock()
		held := make([]*lease, 0, len(w.reading))
		for _, r := range w.reading {
			held = append(held, r.lease)
		}
		w.mu.Unlock()
		renew := func(ctx context.Context, l *lease) error { return l.renew(ctx, w.cfg.Duration/6) }
		leases.Renew(ctx, w.cfg.Duration, held, renew, func(l *lease, err error) {
			if !errors.Is(err, errLeaseLost) {
				w.cfg.Logger.Warn("renew the lease of a shard", "log", w.log, "shard", uint64(l.shard), "err", err)
			}
		})
	}
}
