package kinesis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// RescalerConfig says which stream is scaled, and how. Stream, Scaler and Logger
// must be given.
type RescalerConfig struct {
	Stream *Stream
	Scaler *stream.Scaler
	// Interval is the pause between two looks, and what the load is averaged over.
	// Default 1 min.
	Interval time.Duration
	// DryRun says what would be done and does nothing.
	DryRun bool
	Logger *slog.Logger
}

// Rescaler gives a stream as many shards as what this process puts into it needs.
type Rescaler struct {
	cfg  RescalerConfig
	used map[stream.ShardID]Usage // at the last look
	at   time.Time
	told string // the last advice that was told
}

// NewRescaler makes a Rescaler. Nothing happens before Run.
func NewRescaler(cfg RescalerConfig) (*Rescaler, error) {
	if cfg.Interval == 0 {
		cfg.Interval = time.Minute
	}
	if cfg.Stream == nil || cfg.Scaler == nil || cfg.Logger == nil || cfg.Interval < 0 {
		return nil, errors.New("rescaler: stream, scaler, logger and an interval are needed")
	}
	return &Rescaler{cfg: cfg, used: cfg.Stream.Used(), at: time.Now()}, nil
}

// Run looks at the load until ctx ends. What goes wrong is tried again at the next
// look.
func (r *Rescaler) Run(ctx context.Context) error {
	tick := time.NewTicker(r.cfg.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := r.Look(ctx); err != nil && ctx.Err() == nil {
			r.cfg.Logger.Warn("scaling of a stream will be tried again", "stream", r.cfg.Stream.Name(), "err", err)
		}
	}
}

// Look does what the scaler advises for the load since the last look.
func (r *Rescaler) Look(ctx context.Context) error {
	s := r.cfg.Stream
	shards, err := s.Shards(ctx)
	if err != nil {
		return err
	}
	now, used := time.Now(), s.Used()
	load := map[stream.ShardID]stream.Load{}
	for id, u := range used {
		seconds := now.Sub(r.at).Seconds()
		load[id] = stream.Load{
			BytesPerSecond:   float64(u.Bytes-r.used[id].Bytes) / seconds,
			RecordsPerSecond: float64(u.Records+u.Throttled-r.used[id].Records-r.used[id].Throttled) / seconds,
		}
	}
	r.used, r.at = used, now
	advice := r.cfg.Scaler.Advise(now, shards, load)
	for _, id := range advice.Hot {
		r.cfg.Logger.Error("a shard is hot, more shards do not help: its events share one hash", "stream", s.Name(), "shard", uint64(id))
	}
	if advice.Shards == 0 {
		return nil
	}
	if r.cfg.DryRun {
		if advice.Reason != r.told {
			r.told = advice.Reason
			r.cfg.Logger.Info("the stream would be scaled", "stream", s.Name(), "shards", advice.Shards, "reason", advice.Reason)
		}
		return nil
	}
	count, err := shardCount(advice.Shards)
	if err != nil {
		return err
	}
	_, err = s.cfg.Client.UpdateShardCount(ctx, &kinesis.UpdateShardCountInput{
		StreamName: &s.cfg.Stream, TargetShardCount: &count, ScalingType: types.ScalingTypeUniformScaling,
	})
	var changing *types.ResourceInUseException
	if errors.As(err, &changing) {
		return nil // by an earlier look
	}
	if err != nil {
		return fmt.Errorf("scale %s to %d shards: %w", s.Name(), advice.Shards, err)
	}
	r.cfg.Scaler.Changed(now)
	s.listing.forget()
	r.cfg.Logger.Info("scaling the stream", "stream", s.Name(), "shards", advice.Shards, "reason", advice.Reason)
	return nil
}
