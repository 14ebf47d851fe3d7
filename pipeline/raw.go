package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// Schemas is what the raw stage wants of the schema's store.
type Schemas interface {
	// At gives a version of a tenant's schema, of whatever age. ErrNotFound if there
	// never was one.
	At(ctx context.Context, tenant string, version uint64) (*schema.Snapshot, error)
}

// Admitter bounds the undeclared metrics of a tenant.
type Admitter interface {
	// Admit says that a tenant may have an undeclared metric of that name.
	Admit(ctx context.Context, tenant, metric string) bool
}

// RawConfig says what the raw stage reads and writes. All of the first six must
// be given.
type RawConfig struct {
	Raw, Staged, Errors stream.Log
	// Checkpoints are those of the raw log.
	Checkpoints stream.Checkpoints
	Schemas     Schemas
	Observed    Admitter
	// Partition says which staged events meet in one shard. Default: copies alone.
	Partition record.Partitioning
	// BatchBytes is about how much of a shard is staged by one put. Default 4 MB.
	BatchBytes int
	// CheckpointEvery is how often a shard's checkpoint is saved while it moves,
	// and so how much is staged again after a crash. Default 1 s.
	CheckpointEvery time.Duration
	// Leases share the shards with other workers. Without them this process has
	// all.
	Leases *Leases
	// Yield lets ingest go first. Optional.
	Yield  *Yield
	Events Events
	// Now says when an error row was handled. Default time.Now.
	Now func() time.Time
}

func (c RawConfig) withDefaults() RawConfig {
	if c.BatchBytes == 0 {
		c.BatchBytes = 4 << 20
	}
	if c.CheckpointEvery == 0 {
		c.CheckpointEvery = time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Events = c.Events.withDefaults()
	return c
}

func (c *RawConfig) validate() error {
	switch {
	case c.Raw == nil || c.Staged == nil || c.Errors == nil:
		return errors.New("raw stage: a log is missing")
	case c.Checkpoints == nil || c.Schemas == nil || c.Observed == nil:
		return errors.New("raw stage: checkpoints, schemas or observed metrics are missing")
	case c.BatchBytes < 0 || c.CheckpointEvery < 0:
		return errors.New("raw stage: a limit is negative")
	}
	return nil
}

// Raw is the raw stage.
type Raw struct {
	cfg      RawConfig
	progress *progress
}

// NewRaw makes the stage. Nothing runs before Run.
func NewRaw(cfg RawConfig) (*Raw, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Raw{cfg: cfg, progress: newProgress()}, nil
}

// Run stages what the raw log holds and gets, until ctx ends. An error is one
// that no waiting mends.
func (r *Raw) Run(ctx context.Context) error {
	if err := follow(ctx, r.follower(), r.cfg.Leases, r.runShard); err != nil {
		return fmt.Errorf("run raw stage: %w", err)
	}
	return nil
}

// Batch stages records that another has read of the raw log.
func (r *Raw) Batch(ctx context.Context, b Batch) (stream.Sequence, error) {
	return b.read(ctx, r.follower(), r.runShard)
}

func (r *Raw) follower() follower {
	st := &stand{stage: StageRaw, log: LogRaw, events: &r.cfg.Events}
	return follower{r.cfg.Raw, LogRaw, ConsumerRaw, r.cfg.Checkpoints, st}
}

// Wait returns when every raw record acknowledged before the call is staged.
func (r *Raw) Wait(ctx context.Context) error {
	to, err := endsOf(ctx, r.cfg.Raw, r.seen())
	if err != nil {
		return err
	}
	if r.cfg.Leases != nil {
		return waitSaved(ctx, r.cfg.Checkpoints, ConsumerRaw, to)
	}
	return r.progress.wait(ctx, to)
}

func (r *Raw) seen() seenFunc { return r.progress.seen(r.cfg.Checkpoints, ConsumerRaw) }

// runShard stages one shard.
func (r *Raw) runShard(ctx context.Context, log stream.Log, shard stream.ShardID, checkpoints stream.Checkpoints) error {
	st := &stand{stage: StageRaw, log: LogRaw, shard: shard, events: &r.cfg.Events}
	saver := &saver{
		checkpoints: checkpoints, consumer: ConsumerRaw, shard: shard, every: r.cfg.CheckpointEvery, stand: st,
	}
	from, err := saver.load(ctx)
	if err != nil {
		return err
	}
	r.progress.advance(shard, mark{seq: from})
	rd := &reader{log: log, shard: shard, stand: st, maxRecords: 1 << 12, maxBytes: r.cfg.BatchBytes, at: from}
	s := newStager(&r.cfg, st)
	err = s.follow(ctx, rd, saver, r.progress)
	return errors.Join(err, rd.close(), saver.last(ctx))
}

// follow stages what the reader gives, until its end or ctx's.
func (s *stager) follow(ctx context.Context, rd *reader, saver *saver, p *progress) error {
	for {
		records, err := saver.next(ctx, rd)
		if err != nil {
			return saver.end(ctx, err, p)
		}
		if len(records) == 0 {
			continue
		}
		if err := s.stage(ctx, records); err != nil {
			return fmt.Errorf("stage records: %w", err)
		}
		last := &records[len(records)-1]
		p.advance(rd.shard, mark{last.Seq, last.ArrivedAt})
		saver.moved(last.Seq)
	}
}

// stager makes staged events of the raw records of one shard.
type stager struct {
	cfg            *RawConfig
	stand          *stand
	staged, errors outbox

	raw      record.Raw
	flat     record.Flattener
	identify record.Identifier
	binders  *record.Binders
	values   []schema.Value
	bound    schema.Event // here, not on the heap anew for each event
}

func newStager(cfg *RawConfig, st *stand) *stager {
	return &stager{
		cfg: cfg, stand: st, binders: record.NewBinders(),
		staged: outbox{log: cfg.Staged, stand: st, partition: &cfg.Partition}, errors: outbox{log: cfg.Errors, stand: st},
	}
}

// stage puts the events of records into the staged and error logs. If the staged
// log refuses them together, each goes alone, and what is refused alone becomes
// an error row.
func (s *stager) stage(ctx context.Context, records []stream.Record) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	info := StagedInfo{Shard: s.stand.shard, Records: len(records)}
	for i := range records {
		err := s.eachEvent(ctx, &records[i], func(int) error { return nil })
		if err != nil {
			return err
		}
	}
	info.Events, info.Rejected = s.staged.events, s.errors.events
	err := s.put(ctx)
	if isRefusal(err) {
		err = s.stageSingly(ctx, records)
	}
	if err == nil {
		s.cfg.Events.Staged(info)
	}
	return err
}

func (s *stager) begin(ctx context.Context) error {
	return errors.Join(s.staged.begin(ctx), s.errors.begin(ctx))
}

func (s *stager) put(ctx context.Context) error {
	if err := s.errors.put(ctx); err != nil {
		return fmt.Errorf("put error rows: %w", err)
	}
	return s.staged.put(ctx)
}

// stageSingly puts every event by itself.
func (s *stager) stageSingly(ctx context.Context, records []stream.Record) error {
	for i := range records {
		if err := s.begin(ctx); err != nil {
			return err
		}
		err := s.eachEvent(ctx, &records[i], func(event int) error {
			if err := s.putOne(ctx, event); err != nil {
				return err
			}
			return s.begin(ctx)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// putOne puts the one event that is gathered, or an error row in its place.
func (s *stager) putOne(ctx context.Context, event int) error {
	refusal := s.put(ctx)
	if !isRefusal(refusal) {
		return refusal
	}
	s.cfg.Events.Refused(RefusedInfo{Stage: StageRaw, Shard: s.stand.shard, Err: refusal})
	if err := s.begin(ctx); err != nil {
		return err
	}
	binder, err := s.binder(ctx)
	if err != nil {
		return err
	}
	if err := s.fail(event, binder, s.values, record.KindCommit, refusal.Error()); err != nil {
		return err
	}
	return s.put(ctx)
}

// eachEvent gathers the events of a raw record and calls added after each.
func (s *stager) eachEvent(ctx context.Context, r *stream.Record, added func(event int) error) error {
	s.cfg.Yield.pass()
	err := s.stand.until(ctx, "decode", func(context.Context) error { return record.DecodeRaw(r.Data, &s.raw) })
	if err != nil {
		return err
	}
	binder, err := s.binder(ctx)
	if err != nil {
		return err
	}
	for i := range s.raw.Events {
		if err := s.event(ctx, i, binder); err != nil {
			return err
		}
		if err := added(i); err != nil {
			return err
		}
	}
	return nil
}

// binder is that of the record's schema version, or nil if there is no such.
func (s *stager) binder(ctx context.Context) (*record.Binder, error) {
	if b, ok := s.binders.Get(s.raw.Tenant, s.raw.SchemaVersion); ok {
		return b, nil
	}
	var snapshot *schema.Snapshot
	err := s.stand.until(ctx, "load schema", func(ctx context.Context) error {
		loaded, err := s.cfg.Schemas.At(ctx, s.raw.Tenant, s.raw.SchemaVersion)
		if err != nil && !errors.Is(err, schema.ErrNotFound) {
			return err
		}
		snapshot = loaded
		return nil
	})
	if err != nil || snapshot == nil {
		return nil, err
	}
	return s.binders.Add(snapshot), nil
}

// event gathers one event, or the error row it becomes.
func (s *stager) event(ctx context.Context, i int, binder *record.Binder) error {
	if binder == nil {
		reason := fmt.Sprintf("version %d of the tenant's schema is not known", s.raw.SchemaVersion)
		return s.fail(i, nil, nil, record.KindCommit, reason)
	}
	err := s.bind(ctx, i, binder)
	if err == nil {
		return s.staged.add(&s.bound)
	}
	if bad := (*record.Malformed)(nil); errors.As(err, &bad) {
		return s.fail(i, binder, s.values, record.KindMalformed, bad.Reason)
	}
	return err
}

// bind makes the staged event, s.bound, which stays until its next call.
func (s *stager) bind(ctx context.Context, i int, binder *record.Binder) error {
	values, err := s.flat.Flatten(s.values[:0], s.raw.Events[i])
	s.values = values
	if err != nil {
		return err
	}
	bound, err := binder.Bind(values, s.raw.Metric, s.raw.ArrivedAt)
	if err != nil {
		return err
	}
	if bound.Metric == nil && !s.cfg.Observed.Admit(ctx, s.raw.Tenant, bound.Dataset.Metric) {
		return &record.Malformed{Reason: fmt.Sprintf("too many undeclared metrics: %q would be one more", bound.Dataset.Metric)}
	}
	s.bound = schema.Event{Dataset: bound.Dataset, Time: bound.Time, ReceivedAt: s.raw.ArrivedAt, Values: values}
	s.bound.Dataset.Namespace = s.raw.Namespace
	s.bound.ID, s.bound.Hash = s.identify.Identify(values, bound.OwnTime, s.raw.Receipt, s.raw.Indexes[i])
	return nil
}
