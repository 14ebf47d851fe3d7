package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/peers"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/compact"
	"github.com/fieldgate/fieldgate/pipeline/lease"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/sources"
)

// sharing is how the processes that work on the same stores share the work.
type sharing struct {
	// workers share the shards of the logs, leases what else one process at a time
	// does.
	workers *pipeline.Leases
	leases  *lease.Holder
	// positions tell how far the stages are, and requests ask for compaction,
	// whoever does either.
	positions *pipeline.Positions
	requests  *compact.Requests
	// number is this gateway's among the others, as a lease says; 0: it has none now.
	number atomic.Uint32
	// address is where others reach this gateway; nil: it has not enrolled.
	address atomic.Pointer[string]
	// peers are the other gateways; nil: this is none.
	peers *peers.Peers
	// numbers has the lease of the first number, once.
	numbers chan *lease.Lease
	log     *slog.Logger
}

// requestPatience is, in durations of a lease, how long a request to compact waits
// for a process that serves it: longer than until one takes over from another.
const requestPatience = 2

func newSharing(c *config.Config, s *stores.Stores, log *slog.Logger) (*sharing, error) {
	duration := time.Duration(c.Limits.LeaseSeconds) * time.Second
	sh := &sharing{numbers: make(chan *lease.Lease, 1), log: log}
	var err error
	if sh.workers, err = pipeline.NewLeases(pipeline.LeasesConfig{KV: s.KV, Duration: duration, Logger: log}); err != nil {
		return nil, err
	}
	if sh.leases, err = lease.New(lease.Config{KV: s.KV, Duration: duration, Logger: log}); err != nil {
		return nil, err
	}
	sh.requests = compact.NewRequests(s.KV, sh.leases, requestPatience*duration, log)
	if s.Staged != nil {
		sh.positions = &pipeline.Positions{
			Raw: s.Raw, Staged: s.Staged, Errors: s.Errors,
			RawCheckpoints: s.Checkpoints(pipeline.LogRaw), StagedCheckpoints: s.Checkpoints(pipeline.LogStaged),
			ErrorsCheckpoints: s.Checkpoints(pipeline.LogErrors),
		}
	}
	return sh, nil
}

// workers are the leases of shards; nil: this process has all.
func (s *server) workers() *pipeline.Leases {
	if s.sharing == nil {
		return nil
	}
	return s.sharing.workers
}

// leases are those of what one process at a time does; nil: there is no other.
func (s *server) leases() *lease.Holder {
	if s.sharing == nil {
		return nil
	}
	return s.sharing.leases
}

// runFunc is a stores.Runner.
type runFunc func(ctx context.Context) error

// Run implements stores.Runner.
func (f runFunc) Run(ctx context.Context) error { return f(ctx) }

// once has a part run in one process at a time of those that have it.
func (s *server) once(name string, r stores.Runner) stores.Runner {
	if s.sharing == nil {
		return r
	}
	return runFunc(func(ctx context.Context) error { return s.sharing.leases.Duty(ctx, "duties/"+name, r.Run) })
}

// lookAtRequests is the pause between two looks at what delivery is asked for.
const lookAtRequests = time.Second

// askDelivery has delivery end its objects at once where a request to compact waits
// for that.
func (sh *sharing) askDelivery(d *pipeline.Delivery) stores.Runner {
	return runFunc(func(ctx context.Context) error {
		tick := time.NewTicker(lookAtRequests)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			ends, err := sh.requests.Ends(ctx)
			if err != nil && ctx.Err() == nil {
				sh.log.Warn("look for requests to compact", "err", err)
			}
			for archive, to := range ends {
				d.Ask(archive, to)
			}
		}
	})
}

// compaction are the parts by which compactors know of each other and serve
// requests. The first follows the staged archive, the second that of error rows.
func (sh *sharing) compaction(compactors []*compact.Compactor) []stores.Runner {
	archives := []string{record.StageStaged, record.StageErrors}
	service := &compact.Service{
		Requests: sh.requests, Leases: sh.leases,
		Compact: func(ctx context.Context, want func(string, sources.Watermarks) error) error {
			if err := sh.positions.Visible(ctx); err != nil {
				return err
			}
			// Compaction of events makes error rows of the conflicts among them.
			for n, c := range compactors {
				if err := sh.compactArchive(ctx, c, archives[n], want); err != nil {
					return err
				}
			}
			return nil
		},
		Join: func(ctx context.Context, ends map[string]sources.Watermarks) error {
			for n, c := range compactors {
				to, asked := ends[archives[n]]
				if !asked {
					continue
				}
				archived, err := sh.positions.HasArchived(ctx, archives[n], to)
				if archived && err == nil {
					err = c.CompactOwn(ctx, to)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	return []stores.Runner{service, runFunc(func(ctx context.Context) error { return compact.Join(ctx, sh.leases) })}
}

func (sh *sharing) compactArchive(ctx context.Context, c *compact.Compactor, archive string, want func(string, sources.Watermarks) error) error {
	ends, err := sh.positions.Ends(ctx, archive)
	if err != nil {
		return err
	}
	// A shard that never had a record is nobody's to archive.
	for shard, end := range ends {
		if end == (stream.Sequence{}) {
			delete(ends, shard)
		}
	}
	if err := want(archive, ends); err != nil {
		return err
	}
	if err := sh.positions.Archived(ctx, archive, ends); err != nil {
		return err
	}
	return c.CompactTo(ctx, ends)
}

// compact asks the processes that compact to do so now.
func (sh *sharing) compact(ctx context.Context) error {
	err := sh.requests.Ask(ctx)
	if errors.Is(err, compact.ErrNobody) {
		return &planner.Error{
			Code: pgerrcode.ObjectNotInPrerequisiteState, Message: err.Error(),
			Hint: "Start a process with the role compact: fieldgate serve --roles compact.",
		}
	}
	if failed := (*compact.Failed)(nil); errors.As(err, &failed) {
		return &planner.Error{Code: pgerrcode.IOError, Message: "compaction failed: " + failed.Reason, Hint: "It is tried again; nothing is lost meanwhile."}
	}
	return err
}
