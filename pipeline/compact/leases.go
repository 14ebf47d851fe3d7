package compact

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/fieldgate/fieldgate/pipeline/lease"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// compactors is where each process that compacts has a lease of its own name, so
// that the others know of it.
const compactors = "compactors/"

// leaseName names the lease of whoever writes a dataset's manifest.
func leaseName(ds schema.Dataset) string { return "datasets/" + ds.Tenant + "/" + ds.KeyPath() }

// Join has other compactors know of this process until the context ends, while h
// renews its leases. It returns when that is so.
func Join(ctx context.Context, h *lease.Holder) error {
	return h.Duty(ctx, compactors+h.Owner(), func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	})
}

// present says that some process that compacts has joined, this one or another. One
// that died is held for present until it was seen to show no sign of life.
func present(ctx context.Context, h *lease.Holder) (bool, error) {
	if h.Holds(compactors + h.Owner()) {
		return true, nil
	}
	others, err := h.Others(ctx, compactors)
	if err != nil {
		return false, fmt.Errorf("find compactors: %w", err)
	}
	return len(others) > 0, nil
}

// shared is how a compactor shares the datasets with those of other processes. One
// dataset is compacted by one process at a time, which has its lease for as long as
// a pass takes. Who takes it follows from the names of the processes that are there,
// so that they do not all reach for the same; if they know of different ones, the
// lease decides. A dataset that its process leaves lying becomes everybody's.
type shared struct {
	leases *lease.Holder // nil: no other process compacts
	logger *slog.Logger
	// held are the leases of this pass.
	held map[schema.Dataset]*lease.Lease
	// left is since when datasets of other processes have been found due.
	left map[schema.Dataset]time.Time
}

// begin finds out who else compacts.
func (s *shared) begin(ctx context.Context) (others []string, err error) {
	if s.leases == nil {
		return nil, nil
	}
	notes, err := s.leases.Others(ctx, compactors)
	if err != nil {
		return nil, fmt.Errorf("find other compactors: %w", err)
	}
	for name := range notes {
		others = append(others, name)
	}
	return others, nil
}

// take takes the lease of a dataset that is due, and says whether this process has
// it.
func (s *shared) take(ctx context.Context, ds schema.Dataset, others []string) (bool, error) {
	if s.leases == nil {
		return true, nil
	}
	if l := s.held[ds]; l != nil {
		select {
		case <-l.Lost():
			delete(s.held, ds)
			return false, nil
		default:
			return true, nil
		}
	}
	if !s.isMine(ds, others) {
		since, known := s.left[ds]
		if !known {
			s.left[ds] = time.Now()
			return false, nil
		}
		if time.Since(since) < 2*s.leases.Duration() {
			return false, nil
		}
	}
	l, err := s.leases.Take(ctx, leaseName(ds), "")
	if l == nil || err != nil {
		return false, err
	}
	s.held[ds] = l
	delete(s.left, ds)
	return true, nil
}

// isMine says that of all compactors this process should take the dataset: each has
// a hash for it, of which the greatest wins, so that one who comes or goes changes
// the part of no two others.
func (s *shared) isMine(ds schema.Dataset, others []string) bool {
	name := leaseName(ds)
	own := xxh3.HashString(s.leases.Owner() + "/" + name)
	for _, other := range others {
		if xxh3.HashString(other+"/"+name) > own {
			return false
		}
	}
	return true
}

// turn is that of the dataset's lease; 0 if no other process compacts.
func (s *shared) turn(ds schema.Dataset) uint64 {
	if l := s.held[ds]; l != nil {
		return l.Turn()
	}
	return 0
}

// release lets go of all leases. One that cannot be released runs out: what was
// compacted under it is in the lake all the same.
func (s *shared) release(ctx context.Context) {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	for ds, l := range s.held {
		if err := l.Release(ctx); err != nil {
			s.logger.Warn("release a lease", "tenant", ds.Tenant, "metric", ds.Metric, "err", err)
		}
		delete(s.held, ds)
	}
}

// CompactTo returns when everything in the archive up to the ends is in the lake, by
// this process and the others: the checkpoints say so, whoever moves them. The
// archive must reach so far. It fails when what this process should do fails again
// and again.
func (c *Compactor) CompactTo(ctx context.Context, ends sources.Watermarks) error {
	const attempts = 5
	failures := 0
	for {
		reached, err := c.reached(ctx, ends)
		if err != nil {
			return err
		}
		if reached {
			return c.alone(ctx, func(ctx context.Context) error { return c.merge(ctx, false) })
		}
		err = c.CompactOwn(ctx, ends)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			failures = 0
		} else if failures++; failures >= attempts {
			return err
		}
		if err := sleep(ctx, requestPause/2); err != nil {
			return err
		}
	}
}

// CompactOwn compacts what is this process's of the archive, whether it is due or
// not, and moves the checkpoints.
func (c *Compactor) CompactOwn(ctx context.Context, ends sources.Watermarks) error {
	return c.alone(ctx, func(ctx context.Context) error { return c.compact(ctx, demand{all: true, ends: ends}) })
}

// reached says that the checkpoints are at the ends.
func (c *Compactor) reached(ctx context.Context, ends sources.Watermarks) (bool, error) {
	at, err := c.cfg.Checkpoints.All(ctx, Consumer)
	if err != nil {
		return false, fmt.Errorf("list checkpoints: %w", err)
	}
	for shard, end := range ends {
		if at[shard].Compare(end) < 0 {
			return false, nil
		}
	}
	return true, nil
}
