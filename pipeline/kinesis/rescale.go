package kinesis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/pipeline/tally"
	"github.com/fieldgate/fieldgate/schema"
)

// RescalerConfig says which stream is scaled, and how. Stream, Scaler and Logger
// must be given.
type RescalerConfig struct {
	Stream *Stream
	Scaler *stream.Scaler
	// CloudWatch is asked what everybody puts, other programs too, and which need not tell;
	// nil: what the reporters tell is all there is.
	CloudWatch *cloudwatch.Client
	// Interval is the pause between two looks, and about what the load is averaged over.
	// Default 1 min.
	Interval time.Duration
	// DryRun says what would be done and does nothing.
	DryRun bool
	Logger *slog.Logger
}

// Rescaler gives a stream as many shards as what all processes put into it needs, by
// what their reporters tell and, if it is to be asked, CloudWatch. One process at a time runs one; what it did is kept for
// the next. It is for one goroutine.
type Rescaler struct {
	cfg     RescalerConfig
	writers *tally.Watcher[report]
	told    string // what was said last
}

// NewRescaler makes a Rescaler. Nothing happens before Run.
func NewRescaler(cfg RescalerConfig) (*Rescaler, error) {
	if cfg.Interval == 0 {
		cfg.Interval = time.Minute
	}
	if cfg.Stream == nil || cfg.Stream.cfg.KV == nil || cfg.Scaler == nil || cfg.Logger == nil || cfg.Interval < 0 {
		return nil, errors.New("rescaler: a stream with a key-value store, scaler, logger and an interval are needed")
	}
	return &Rescaler{cfg: cfg, writers: tally.NewWatcher[report](cfg.Stream.cfg.KV, cfg.Stream.loadFolder())}, nil
}

// Run looks at the load until ctx ends. What goes wrong is tried again at the next
// look. A stream on demand needs none of that.
func (r *Rescaler) Run(ctx context.Context) error {
	if r.cfg.Stream.onDemand {
		r.cfg.Logger.Info("the stream is on demand, so Kinesis scales it itself", "stream", r.cfg.Stream.Name())
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(r.cfg.Interval)
	defer tick.Stop()
	for {
		if err := r.Look(ctx); err != nil && ctx.Err() == nil {
			r.cfg.Logger.Warn("scaling of a stream will be tried again", "stream", r.cfg.Stream.Name(), "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Look does what the scaler advises for the load since the last look.
func (r *Rescaler) Look(ctx context.Context) error {
	s := r.cfg.Stream
	load, known, err := r.load(ctx)
	if err != nil || !known && r.cfg.CloudWatch == nil {
		return err
	}
	shards, err := s.Shards(ctx)
	if err != nil {
		return err
	}
	if r.cfg.CloudWatch != nil {
		all, counted, err := r.incoming(ctx)
		if err != nil || !known && !counted {
			return err
		}
		addOthers(load, shards, all)
	}
	changes, version, err := r.changes(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	r.cfg.Scaler.Restore(changes)
	advice := r.cfg.Scaler.Advise(now, shards, load)
	for _, id := range advice.Hot {
		r.cfg.Logger.Error("a shard is hot, more shards do not help: its events share one hash", "stream", s.Name(), "shard", uint64(id))
	}
	if r.cfg.DryRun {
		r.explain(&advice, r.writers.Processes())
		return nil
	}
	if advice.Shards == 0 {
		return nil
	}
	return r.change(ctx, &advice, now, version)
}

// explain says what would be done and why, if that has not just been said.
func (r *Rescaler) explain(advice *stream.Advice, writers int) {
	said := fmt.Sprint(writers, " ", advice.Reason)
	if said == r.told {
		return
	}
	r.told = said
	about := []any{"stream", r.cfg.Stream.Name(), "writers", writers, "reason", advice.Reason}
	if advice.Shards == 0 {
		r.cfg.Logger.Info("dry run: the number of shards would stay", about...)
		return
	}
	r.cfg.Logger.Info("dry run: the stream would be scaled", append(about, "shards", advice.Shards)...)
}

// change changes the number of shards. That it does is stored first, so that another
// process, which scales after this one, counts it, too.
func (r *Rescaler) change(ctx context.Context, advice *stream.Advice, now time.Time, version uint64) error {
	s := r.cfg.Stream
	count, err := shardCount(advice.Shards)
	if err != nil {
		return err
	}
	before := r.cfg.Scaler.Changes()
	r.cfg.Scaler.Changed(now)
	version, err = r.saveChanges(ctx, r.cfg.Scaler.Changes(), version)
	if errors.Is(err, schema.ErrConflict) {
		return nil // another process scales by now
	}
	if err != nil {
		return fmt.Errorf("note the change of %s: %w", s.Name(), err)
	}
	_, err = s.cfg.Client.UpdateShardCount(ctx, &kinesis.UpdateShardCountInput{
		StreamName: &s.cfg.Stream, TargetShardCount: &count, ScalingType: types.ScalingTypeUniformScaling,
	})
	if err == nil {
		s.listing.forget()
		r.cfg.Logger.Info("scaling the stream", "stream", s.Name(), "shards", advice.Shards, "writers", r.writers.Processes(), "reason", advice.Reason)
		return nil
	}
	if _, takeBack := r.saveChanges(ctx, before, version); takeBack != nil && !errors.Is(takeBack, schema.ErrConflict) {
		err = errors.Join(err, takeBack)
	}
	var changing *types.ResourceInUseException
	if errors.As(err, &changing) {
		return nil // by an earlier look
	}
	return fmt.Errorf("scale %s to %d shards: %w", s.Name(), advice.Shards, err)
}
