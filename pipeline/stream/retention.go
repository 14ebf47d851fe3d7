package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// RetentionConfig says what a Retention frees.
type RetentionConfig struct {
	Log         Log
	Checkpoints Checkpoints
	Consumers   []string         // all whose checkpoints hold records; at least one
	MinAge      time.Duration    // records younger than this stay, for whoever wants to read them again; default 0
	Interval    time.Duration    // between two rounds; default 30 s
	Logger      *slog.Logger     // default discards
	Now         func() time.Time // default time.Now
}

func (c RetentionConfig) withDefaults() RetentionConfig {
	if c.Interval == 0 {
		c.Interval = 30 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c *RetentionConfig) validate() error {
	switch {
	case c.Log == nil || c.Checkpoints == nil:
		return errors.New("retention needs a log and checkpoints")
	case len(c.Consumers) == 0:
		return errors.New("retention without a consumer would free what nobody has read")
	case c.MinAge < 0 || c.Interval < 0:
		return errors.New("retention times are negative")
	}
	return nil
}

// Retention frees the records of a log that all of its consumers have finished with. It never passes the slowest
// consumer's checkpoint, and a consumer without a checkpoint in a shard holds all of the shard.
type Retention struct{ cfg RetentionConfig }

// NewRetention checks the configuration. Nothing runs before Run.
func NewRetention(cfg RetentionConfig) (*Retention, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Retention{cfg: cfg}, nil
}

// Run frees records each interval until ctx ends, and then returns nil. A round that goes wrong is logged and made good
// by the next.
func (r *Retention) Run(ctx context.Context) error {
	ticker := time.NewTicker(r.cfg.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := r.Sweep(ctx); err != nil && ctx.Err() == nil {
			r.cfg.Logger.Warn("free records of the log", "err", err)
		}
	}
}

// Sweep is one round over all shards. A shard that goes wrong does not keep the others.
func (r *Retention) Sweep(ctx context.Context) error {
	shards, err := r.cfg.Log.Shards(ctx)
	if err != nil {
		return fmt.Errorf("list shards: %w", err)
	}
	before := NoAgeLimit
	if r.cfg.MinAge > 0 {
		before = r.cfg.Now().Add(-r.cfg.MinAge).UnixMicro()
	}
	var errs []error
	for _, shard := range shards {
		through, ok, err := r.slowest(ctx, shard.ID)
		if err == nil && ok {
			err = r.cfg.Log.Trim(ctx, shard.ID, through, before)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("shard %d: %w", shard.ID, err))
		}
	}
	return errors.Join(errs...)
}

// slowest is the least checkpoint of the consumers; false if one has none.
func (r *Retention) slowest(ctx context.Context, shard ShardID) (Sequence, bool, error) {
	var least Sequence
	for n, consumer := range r.cfg.Consumers {
		seq, ok, err := r.cfg.Checkpoints.Load(ctx, consumer, shard)
		if err != nil || !ok {
			return Sequence{}, false, err
		}
		if n == 0 || seq.Compare(least) < 0 {
			least = seq
		}
	}
	return least, true, nil
}
