package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// DeliveryConfig says what is archived where, and when. The logs, their
// checkpoints and the bucket must be given.
type DeliveryConfig struct {
	Raw, Staged, Errors                                  stream.Log
	RawCheckpoints, StagedCheckpoints, ErrorsCheckpoints stream.Checkpoints
	Bucket                                               objstore.Bucket
	// FlushBytes ends an object when it holds records of that many bytes. Default
	// 16 MB.
	FlushBytes int
	// FlushAge ends an object that long after its first record was read. Default
	// 30 s, at most 60 s.
	FlushAge time.Duration
	// Leases share the shards with other workers. Without them this process has
	// all.
	Leases *Leases
	// Yield lets ingest go first. Optional.
	Yield  *Yield
	Events Events
}

func (c DeliveryConfig) withDefaults() DeliveryConfig {
	if c.FlushBytes == 0 {
		c.FlushBytes = 16 << 20
	}
	if c.FlushAge == 0 {
		c.FlushAge = 30 * time.Second
	}
	c.Events = c.Events.withDefaults()
	return c
}

func (c *DeliveryConfig) validate() error {
	switch {
	case c.Raw == nil || c.Staged == nil || c.Errors == nil:
		return errors.New("delivery: a log is missing")
	case c.RawCheckpoints == nil || c.StagedCheckpoints == nil || c.ErrorsCheckpoints == nil:
		return errors.New("delivery: checkpoints are missing")
	case c.Bucket == nil:
		return errors.New("delivery: the bucket is missing")
	case c.FlushBytes < 0 || c.FlushAge < 0 || c.FlushAge > time.Minute:
		return errors.New("delivery: an object ends after at most a minute, and no limit is negative")
	}
	return nil
}

// Delivery archives the logs. An object holds the records of one shard in a range
// (after, through] of sequences, which its key names; the next begins where it
// ends. The checkpoint moves when the object is durable, so after a crash, or
// beside another Delivery, ranges may overlap but never leave a gap: who reads
// the archive follows the chain of ranges and leaves out what it has seen.
type Delivery struct {
	cfg  DeliveryConfig
	logs []*deliveredLog
}

// deliveredLog is one log on its way into the archive.
type deliveredLog struct {
	cfg         *DeliveryConfig
	name        string
	log         stream.Log
	checkpoints stream.Checkpoints
	progress    *progress
	newArchive  func() (archive, error)

	mu    sync.Mutex
	asked map[stream.ShardID]*request
}

// NewDelivery makes the stage. Nothing runs before Run.
func NewDelivery(cfg DeliveryConfig) (*Delivery, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	d := &Delivery{cfg: cfg}
	add := func(name string, log stream.Log, c stream.Checkpoints, newArchive func() (archive, error)) {
		d.logs = append(d.logs, &deliveredLog{
			cfg: &d.cfg, name: name, log: log, checkpoints: c, progress: newProgress(), newArchive: newArchive,
			asked: map[stream.ShardID]*request{},
		})
	}
	add(LogRaw, cfg.Raw, cfg.RawCheckpoints, newRawArchive)
	add(LogStaged, cfg.Staged, cfg.StagedCheckpoints, newStagedArchive)
	add(LogErrors, cfg.Errors, cfg.ErrorsCheckpoints, newStagedArchive)
	return d, nil
}

// Run archives what the logs hold and get, until ctx ends. An error is one that
// no waiting mends.
func (d *Delivery) Run(ctx context.Context) error {
	g, within := errgroup.WithContext(ctx)
	for _, l := range d.logs {
		g.Go(func() error {
			return follow(within, l.follower(), l.cfg.Leases, l.runShard)
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("run delivery: %w", err)
	}
	return nil
}

// Batch archives records that another has read of a log, in an object of their own.
func (d *Delivery) Batch(ctx context.Context, b Batch) (stream.Sequence, error) {
	for _, l := range d.logs {
		if l.name == b.Log {
			return b.read(ctx, l.follower(), l.runShard)
		}
	}
	return stream.Sequence{}, fmt.Errorf("delivery: it does not read log %s", b.Log)
}

// Flush returns when the archive has every record that the logs held at the call.
func (d *Delivery) Flush(ctx context.Context) error {
	return d.FlushLogs(ctx, LogRaw, LogStaged, LogErrors)
}

// FlushLogs is Flush for some logs, by name.
func (d *Delivery) FlushLogs(ctx context.Context, names ...string) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, name := range names {
		for _, l := range d.logs {
			if l.name == name {
				g.Go(func() error { return l.flush(ctx) })
			}
		}
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("flush the archive: %w", err)
	}
	return nil
}

// Ask has the shards of a log that this process delivers end their objects as soon
// as they have come up to ends, and does not wait for that.
func (d *Delivery) Ask(name string, ends map[stream.ShardID]stream.Sequence) {
	for _, l := range d.logs {
		if l.name == name {
			l.ask(ends)
		}
	}
}

func (l *deliveredLog) ask(to ends) {
	for shard, end := range to {
		l.request(shard).ask(end)
	}
}

func (l *deliveredLog) flush(ctx context.Context) error {
	to, err := endsOf(ctx, l.log, l.seen())
	if err != nil {
		return err
	}
	l.ask(to)
	if l.cfg.Leases != nil {
		return waitSaved(ctx, l.checkpoints, ConsumerDelivery, to)
	}
	return l.progress.wait(ctx, to)
}

func (l *deliveredLog) follower() follower {
	return follower{l.log, l.name, ConsumerDelivery, l.checkpoints, l.stand(0)}
}

func (l *deliveredLog) seen() seenFunc { return l.progress.seen(l.checkpoints, ConsumerDelivery) }

func (l *deliveredLog) stand(shard stream.ShardID) *stand {
	return &stand{stage: StageDelivery, log: l.name, shard: shard, events: &l.cfg.Events}
}

// request asks a shard to deliver at once what it has up to a sequence.
type request struct {
	mu      sync.Mutex
	through stream.Sequence
	wake    context.CancelFunc // ends a wait for more records; nil if there is none
}

func (l *deliveredLog) request(shard stream.ShardID) *request {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.asked[shard]
	if r == nil {
		r = &request{}
		l.asked[shard] = r
	}
	return r
}

func (r *request) ask(through stream.Sequence) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if through.Compare(r.through) > 0 {
		r.through = through
	}
	if r.wake != nil {
		r.wake()
	}
}

// arm has the next ask call wake, and gives what is asked for already.
func (r *request) arm(wake context.CancelFunc) stream.Sequence {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wake = wake
	return r.through
}
