package compact

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/lease"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources/lake"
)

// SweeperConfig are the knobs of a Sweeper.
type SweeperConfig struct {
	Lake *lake.Store
	// Leases are those of the datasets, where other processes compact them too; one
	// that another has at the moment is swept another time. Optional.
	Leases *lease.Holder
	// Interval is the pause between two sweeps. Default: 10 minutes.
	Interval time.Duration
	Logger   *slog.Logger
}

// Sweeper deletes what no manifest lists any more, once its grace is over.
type Sweeper struct{ cfg SweeperConfig }

// NewSweeper makes a Sweeper.
func NewSweeper(cfg SweeperConfig) (*Sweeper, error) {
	if cfg.Interval == 0 {
		cfg.Interval = 10 * time.Minute
	}
	if cfg.Lake == nil || cfg.Logger == nil {
		return nil, errors.New("sweeper: lake and logger are needed")
	}
	return &Sweeper{cfg: cfg}, nil
}

// Run sweeps every dataset each interval until ctx ends.
func (s *Sweeper) Run(ctx context.Context) error {
	tick := time.NewTicker(s.cfg.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		deleted, err := s.sweep(ctx)
		if err != nil && ctx.Err() == nil {
			s.cfg.Logger.Error("sweep will be tried again", "err", err)
		}
		if deleted > 0 {
			s.cfg.Logger.Info("swept the lake", "objects", deleted)
		}
	}
}

// sweep goes on after what fails: one damaged manifest keeps nothing else.
func (s *Sweeper) sweep(ctx context.Context) (deleted int, err error) {
	datasets, err := s.cfg.Lake.Datasets(ctx, "")
	for _, ds := range datasets {
		n, failed := s.sweepOne(ctx, ds)
		deleted += n
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("sweep %s: %w", ds.Metric, failed))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return deleted, err
}

// sweepOne sweeps a dataset under its lease.
func (s *Sweeper) sweepOne(ctx context.Context, ds schema.Dataset) (deleted int, err error) {
	if s.cfg.Leases == nil {
		return s.cfg.Lake.Sweep(ctx, ds, 0)
	}
	l, err := s.cfg.Leases.Take(ctx, leaseName(ds), "")
	if l == nil || err != nil {
		return 0, err
	}
	deleted, err = s.cfg.Lake.Sweep(ctx, ds, l.Turn())
	return deleted, errors.Join(err, l.Release(ctx))
}
