// Package compact moves staged events from the archive into the lake, each
// event once, and merges the lake's small files.
//
// A Compactor follows the archive of one staged log. The archive's objects are
// named by the range of a shard that they hold; a watermark moves along an
// unbroken chain of such ranges and nothing else, so no event is passed over. A
// dataset is compacted when enough of it lies in the archive, when its oldest
// event is old enough, or when it is asked for; a shard's checkpoint moves when
// every dataset is compacted up to there, and only then may log, tail and
// archive let go.
//
// What a manifest and a file are is for package lake, the bytes of the archive
// for package record.
package compact

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// Consumer is the name under which a Compactor keeps its checkpoints.
const Consumer = "compact"

// Trimmer lets go of rows that the lake holds.
type Trimmer interface {
	Trim(ctx context.Context, dataset schema.Dataset, past sources.Watermarks) error
}

// Config are the knobs of a Compactor.
type Config struct {
	// Stage is the archive that is followed: record.StageStaged or StageErrors.
	Stage string
	// Shards lists the log's shards.
	Shards func(ctx context.Context) ([]stream.Shard, error)
	// Bucket holds the archive.
	Bucket      objstore.Bucket
	Lake        *lake.Store
	Checkpoints stream.Checkpoints
	// Tail is told what the lake holds. Optional.
	Tail Trimmer
	// Declared lists the sent names that declared fields of a dataset read.
	// Optional.
	Declared func(ctx context.Context, dataset schema.Dataset) (map[string]bool, error)
	// Conflict is told of an event that is refused because the lake or an earlier
	// event has its identity with another body. It must be durable when the call
	// returns; the same conflict may be told again. Optional.
	Conflict func(ctx context.Context, e *schema.Event, at stream.Position) error
	// MinBytes and MaxAge are when a dataset is due: that much of it in the
	// archive, as its records are long, or its oldest event that old since it was
	// received. Defaults: 16 MB, 24 hours.
	MinBytes int64
	MaxAge   time.Duration
	// PassBytes bounds the memory of a pass. Default: 128 MB.
	PassBytes int
	// Interval is the pause between looks at the archive. Default: 5 seconds.
	Interval time.Duration
	// Pressure, when it gives, makes everything due. Optional.
	Pressure <-chan struct{}
	// Deliver puts into the archive what the log holds now. It is asked before a
	// forced pass. Optional.
	Deliver func(ctx context.Context) error
	Now     func() time.Time
	Logger  *slog.Logger
	Events  Events
}

// Events are called as work is done. Any may be nil.
type Events struct {
	// Compacted: rows of a dataset went into files; duplicates were left out.
	Compacted func(dataset schema.Dataset, rows, duplicates, files int)
	// Merged: files of a dataset became fewer.
	Merged func(dataset schema.Dataset, from, to int)
	// Gap: the archive of a shard lacks records after a position. The shard
	// stands until they are there.
	Gap func(shard stream.ShardID, after stream.Sequence)
}

func (c Config) withDefaults() Config {
	if c.MinBytes == 0 {
		c.MinBytes = 16 << 20
	}
	if c.MaxAge == 0 {
		c.MaxAge = 24 * time.Hour
	}
	if c.PassBytes == 0 {
		c.PassBytes = 128 << 20
	}
	if c.Interval == 0 {
		c.Interval = 5 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Stage == "":
		return errors.New("compact: no stage")
	case c.Shards == nil || c.Bucket == nil || c.Lake == nil || c.Checkpoints == nil:
		return errors.New("compact: shards, bucket, lake and checkpoints are needed")
	case c.Logger == nil:
		return errors.New("compact: no logger")
	}
	return nil
}

// Compactor compacts one stage's archive.
type Compactor struct {
	cfg Config
	// passing lets one pass run at a time.
	passing chan struct{}
	// summaries knows, by object key, what an object of the archive holds.
	summaries map[string]summary
	// passed is, by shard, the last object that a checkpoint moved over.
	passed map[stream.ShardID]string
	// listFrom is where the next listing of the archive starts.
	listFrom string

	mu      sync.Mutex
	waiting *run // the forced run that has not begun; who asks now shares it
}

// run is a forced run that several callers wait for.
type run struct {
	done chan struct{}
	err  error // set before done is closed
}

// New makes a Compactor.
func New(cfg Config) (*Compactor, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Compactor{cfg: cfg, passing: make(chan struct{}, 1), summaries: map[string]summary{}, passed: map[stream.ShardID]string{}}, nil
}

// Run compacts what is due until ctx ends. What goes wrong is logged and tried
// again: nothing is lost while it lies in the archive.
func (c *Compactor) Run(ctx context.Context) error {
	tick := time.NewTicker(c.cfg.Interval)
	defer tick.Stop()
	for {
		force := false
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-c.cfg.Pressure:
			force = true
		}
		var err error
		if force {
			err = c.forced(ctx)
		} else {
			err = c.pass(ctx, false)
		}
		if err != nil && ctx.Err() == nil {
			c.cfg.Logger.Error("compaction will be tried again", "stage", c.cfg.Stage, "err", err)
		}
	}
}

// Compact returns when every event that Deliver puts into the archive, and so
// every event staged before the call, is in the lake. Calls that wait at the
// same time share one run.
func (c *Compactor) Compact(ctx context.Context) error {
	c.mu.Lock()
	r := c.waiting
	if r == nil {
		r = &run{done: make(chan struct{})}
		c.waiting = r
		c.mu.Unlock()
		r.err = c.lead(ctx, r)
		close(r.done)
		return r.err
	}
	c.mu.Unlock()
	select {
	case <-r.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if errors.Is(r.err, context.Canceled) {
		return c.Compact(ctx) // who led the run was cancelled; this caller was not
	}
	return r.err
}

// lead waits for its turn, closes r to further callers, and runs.
func (c *Compactor) lead(ctx context.Context, r *run) error {
	err := c.enter(ctx)
	c.mu.Lock()
	if c.waiting == r {
		c.waiting = nil
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	defer c.leave()
	return c.deliverAndCompact(ctx)
}

func (c *Compactor) forced(ctx context.Context) error {
	if err := c.enter(ctx); err != nil {
		return err
	}
	defer c.leave()
	return c.deliverAndCompact(ctx)
}

func (c *Compactor) deliverAndCompact(ctx context.Context) error {
	if c.cfg.Deliver != nil {
		if err := c.cfg.Deliver(ctx); err != nil {
			return err
		}
	}
	return c.compactAll(ctx, true)
}

// pass compacts what is due, or everything.
func (c *Compactor) pass(ctx context.Context, force bool) error {
	if err := c.enter(ctx); err != nil {
		return err
	}
	defer c.leave()
	return c.compactAll(ctx, force)
}

func (c *Compactor) enter(ctx context.Context) error {
	select {
	case c.passing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Compactor) leave() { <-c.passing }
