// Package compact moves staged events from the archive into the lake, each
// event once, and merges the lake's small files.
//
// A Compactor follows the archive of one staged log. The archive's objects are
// named by the range of a shard that they hold; a watermark moves along an
// unbroken chain of such ranges and nothing else, so no event is passed over. A
// dataset is compacted when enough of it lies in the archive, when its oldest
// event is old enough, when it holds back the checkpoint of a long archive, or
// when it is asked for; a shard's checkpoint moves when every dataset is
// compacted up to there, and only then may log and tail let go.
//
// What is wrong with one dataset stops that dataset, and the checkpoints of its
// shards, but not the others.
//
// What a manifest and a file are is for package lake, the bytes of the archive
// for package record.
package compact

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/lease"
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

// Log is what a Compactor asks of the log whose archive it follows: a part of
// stream.Log.
type Log interface {
	Shards(ctx context.Context) ([]stream.Shard, error)
	Tail(ctx context.Context, shard stream.ShardID, known stream.Sequence) (stream.Sequence, error)
	Iterate(ctx context.Context, shard stream.ShardID, start stream.Start) (stream.Iterator, error)
}

// ErrIncomplete says that a forced run ended before everything was in the lake:
// the archive lacks records that the log had.
var ErrIncomplete = errors.New("the archive lacks records")

// Config are the knobs of a Compactor.
type Config struct {
	// Stage is the archive that is followed: record.StageStaged or StageErrors.
	Stage string
	// Log is the one that the archive was made of.
	Log Log
	// Bucket holds the archive.
	Bucket      objstore.Bucket
	Lake        *lake.Store
	Checkpoints stream.Checkpoints
	// Tail is told what the lake holds. Optional.
	Tail Trimmer
	// Held gives a dataset's rows in (after, through] of a shard if they lie in
	// memory already, in the order of the log and each identity once; then their
	// objects need not be read. Conflicts among them have been told. Optional.
	Held func(dataset schema.Dataset, shard stream.ShardID, after, through stream.Sequence) ([]sources.BatchSplit, bool)
	// Reached says how far in a shard what gives Held has got. A pass that is not
	// asked to go on to the log's end leaves the rest to the next one, which need not
	// read it. Optional.
	Reached func(shard stream.ShardID) stream.Sequence
	// Declared lists the sent names that declared fields of a dataset read.
	// Optional.
	Declared func(ctx context.Context, dataset schema.Dataset) (map[string]bool, error)
	// Leases are those of the datasets, where other processes compact the same
	// archive. Optional.
	Leases *lease.Holder
	// Conflict is told of an event that is refused because the lake or an earlier
	// event has its identity with another body. It must be durable when the call
	// returns; the same conflict may be told again. Optional.
	Conflict func(ctx context.Context, e *schema.Event, at stream.Position) error
	// MinBytes and MaxAge are when a dataset is due: that much of it in the
	// archive, as its records are long, or its oldest event that old since it was
	// received. Defaults: 16 MB, 24 hours.
	MinBytes int64
	MaxAge   time.Duration
	// MaxObjects is how many objects of a shard may wait for datasets that are not
	// due: beyond that, those in the way are. It bounds the log, and what a look at
	// the archive costs. Default: 256.
	MaxObjects int
	// PassBytes bounds the memory of the events that a pass gathers, and
	// MergeBytes that of the files that a merge reads. Defaults: 128 and 256 MB.
	PassBytes, MergeBytes int
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
	if c.MaxObjects == 0 {
		c.MaxObjects = 256
	}
	if c.PassBytes == 0 {
		c.PassBytes = 128 << 20
	}
	if c.MergeBytes == 0 {
		c.MergeBytes = 256 << 20
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
	case c.Log == nil || c.Bucket == nil || c.Lake == nil || c.Checkpoints == nil:
		return errors.New("compact: log, bucket, lake and checkpoints are needed")
	case c.Logger == nil:
		return errors.New("compact: no logger")
	case c.MergeBytes > lake.MaxFileBytes:
		return fmt.Errorf("compact: a merge of %d bytes would make more than one file", c.MergeBytes)
	}
	return nil
}

// Compactor compacts one stage's archive.
type Compactor struct {
	cfg Config
	// passing lets one pass run at a time. Who has it owns what follows.
	passing chan struct{}
	// summaries knows, by object key, what the objects past the checkpoints hold.
	summaries map[string]summary
	// floors are the hours in which each shard's objects past its checkpoint begin
	// at the earliest, but for stragglers.
	floors map[stream.ShardID]time.Time
	// listedAll is when the whole archive was listed.
	listedAll time.Time
	// unmerged are the datasets that got files since their small ones were merged
	// last, with when they got the latest, and pressed is when a pass was last
	// forced for want of memory.
	unmerged map[schema.Dataset]time.Time
	pressed  time.Time
	shared   shared

	mu      sync.Mutex
	waiting *run // the forced run that has not begun; who asks now shares it
}

// New makes a Compactor.
func New(cfg Config) (*Compactor, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Compactor{
		cfg: cfg, passing: make(chan struct{}, 1), summaries: map[string]summary{}, floors: map[stream.ShardID]time.Time{},
		unmerged: map[schema.Dataset]time.Time{},
		shared:   shared{leases: cfg.Leases, logger: cfg.Logger, held: map[schema.Dataset]*lease.Lease{}, left: map[schema.Dataset]time.Time{}},
	}, nil
}

// Run compacts what is due until ctx ends. What goes wrong is logged and tried
// again: nothing is lost while it lies in the archive.
func (c *Compactor) Run(ctx context.Context) error {
	tick := time.NewTicker(c.cfg.Interval)
	defer tick.Stop()
	for {
		work := c.compactDue
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-c.cfg.Pressure:
			work = c.compactPressed
		}
		if err := c.alone(ctx, work); err != nil && ctx.Err() == nil {
			c.cfg.Logger.Error("compaction will be tried again", "stage", c.cfg.Stage, "err", err)
		}
	}
}

// alone runs work when no other pass runs.
func (c *Compactor) alone(ctx context.Context, work func(context.Context) error) error {
	select {
	case c.passing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.passing }()
	defer c.shared.release(ctx)
	return work(ctx)
}

// compactDue compacts the datasets that are due, and merges what got small files,
// but not of late.
func (c *Compactor) compactDue(ctx context.Context) error {
	err := c.compact(ctx, demand{})
	return errors.Join(err, c.merge(ctx, true))
}

// compactPressed compacts everything that is in memory because that is short: what
// lies in the archive alone takes none. Merges can wait.
func (c *Compactor) compactPressed(ctx context.Context) error {
	var err error
	if c.cfg.Deliver != nil {
		err = c.cfg.Deliver(ctx)
	}
	if err == nil {
		err = c.compact(ctx, demand{all: true})
	}
	c.pressed = c.cfg.Now()
	return errors.Join(err, c.merge(ctx, true))
}

// compactAll compacts everything up to where the log ends now, and merges.
func (c *Compactor) compactAll(ctx context.Context) error {
	err := c.compactToEnd(ctx)
	return errors.Join(err, c.merge(ctx, false))
}

// compactToEnd compacts everything up to where the log ends now.
func (c *Compactor) compactToEnd(ctx context.Context) error {
	ends := sources.Watermarks{}
	if c.cfg.Deliver != nil {
		shards, err := c.unfinished(ctx)
		if err != nil {
			return err
		}
		for _, s := range shards {
			if ends[s.ID], err = c.cfg.Log.Tail(ctx, s.ID, s.start); err != nil {
				return fmt.Errorf("find the end of shard %d: %w", s.ID, err)
			}
		}
		if err := c.cfg.Deliver(ctx); err != nil {
			return err
		}
	}
	return c.compact(ctx, demand{all: true, ends: ends})
}

// compact runs a pass, again while another committer is faster.
func (c *Compactor) compact(ctx context.Context, of demand) error {
	var err error
	for range maxStale {
		var got []schema.Dataset
		got, err = c.pass(ctx, of)
		for _, ds := range got {
			c.unmerged[ds] = c.cfg.Now()
		}
		if !errors.Is(err, lake.ErrStale) {
			break
		}
	}
	return err
}
