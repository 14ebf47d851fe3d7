package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
	"github.com/fieldgate/fieldgate/sources/nearline"
)

// Noter learns what devices send.
type Noter interface {
	// Note takes note of a stored event. Nothing of it is kept but strings.
	Note(e *schema.Event)
	// Flush makes what was noted before the call durable.
	Flush(ctx context.Context) error
}

// StagingConfig says what the staging stage reads and writes. All but BatchBytes
// and what follows it must be given.
type StagingConfig struct {
	Staged, Errors                       stream.Log
	StagedCheckpoints, ErrorsCheckpoints stream.Checkpoints
	// From is the consumer from whose checkpoints on nearline is filled when Run
	// starts: compaction's if nearline is the tail, which is empty then, and
	// ConsumerStaging if nearline keeps what it has.
	From     string
	Tables   nearline.Tables
	Observed Noter
	// Profiles count what the values of events are like. Optional.
	Profiles *profile.Profiles
	// Schemas tell where a tenant's error rows go.
	Schemas CurrentSchemas
	// BatchBytes is about how much of a shard is written at once. Default 512 KB.
	BatchBytes int
	// CheckpointEvery is how often a shard's checkpoint is saved while it moves.
	// Default 1 s.
	CheckpointEvery time.Duration
	// ProfilesEvery is how often profiles are written while they change, and so how
	// much is read again for them after a crash. Default 10 s.
	ProfilesEvery time.Duration
	// Leases share the shards with other workers, of nearline tables that keep what
	// they have. Without them this process has all.
	Leases *Leases
	// Yield lets ingest go first. Optional.
	Yield  *Yield
	Events Events
	// Now says when an error row was handled. Default time.Now.
	Now func() time.Time
}

func (c StagingConfig) withDefaults() StagingConfig {
	if c.BatchBytes == 0 {
		c.BatchBytes = 512 << 10
	}
	if c.CheckpointEvery == 0 {
		c.CheckpointEvery = time.Second
	}
	if c.ProfilesEvery == 0 {
		c.ProfilesEvery = 10 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Events = c.Events.withDefaults()
	return c
}

func (c *StagingConfig) validate() error {
	switch {
	case c.Staged == nil || c.Errors == nil || c.StagedCheckpoints == nil || c.ErrorsCheckpoints == nil:
		return errors.New("staging stage: a log or its checkpoints are missing")
	case c.From == "":
		return errors.New("staging stage: it is not said from whose checkpoints to start")
	case c.Tables == nil || c.Observed == nil || c.Schemas == nil:
		return errors.New("staging stage: tables, observed fields or schemas are missing")
	case c.BatchBytes < 0 || c.CheckpointEvery < 0 || c.ProfilesEvery < 0:
		return errors.New("staging stage: a limit is negative")
	}
	return nil
}

// Staging is the staging stage.
type Staging struct {
	cfg            StagingConfig
	staged, errors *progress
	conflicts      *ErrorRows
}

// NewStaging makes the stage. Nothing runs before Run.
func NewStaging(cfg StagingConfig) (*Staging, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Staging{cfg: cfg, staged: newProgress(), errors: newProgress(), conflicts: NewErrorRows(cfg.Errors, cfg.Schemas, cfg.Now)}, nil
}

// Run writes what the staged and the error log hold and get into nearline, until
// ctx ends. An error is one that no waiting mends.
func (s *Staging) Run(ctx context.Context) error {
	g, within := errgroup.WithContext(ctx)
	for _, in := range s.inputs() {
		g.Go(func() error {
			return follow(within, in.follower(), s.cfg.Leases, in.runShard)
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("run staging stage: %w", err)
	}
	return nil
}

// Batch writes records that another has read of the staged or the error log.
func (s *Staging) Batch(ctx context.Context, b Batch) (stream.Sequence, error) {
	for _, in := range s.inputs() {
		if in.name == b.Log {
			return b.read(ctx, in.follower(), in.runShard)
		}
	}
	return stream.Sequence{}, fmt.Errorf("staging stage: it does not read log %s", b.Log)
}

// Wait returns when every staged record and error row put before the call is in
// nearline, and every conflict that came of them.
func (s *Staging) Wait(ctx context.Context) error {
	for _, in := range s.inputs() {
		if err := in.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// wait returns when every shard is written up to where it ended at the call.
func (in *input) wait(ctx context.Context) error {
	to, err := endsOf(ctx, in.log, in.seen())
	if err != nil {
		return err
	}
	if in.cfg.Leases != nil {
		return waitSaved(ctx, in.checkpoints, ConsumerStaging, to)
	}
	return in.progress.wait(ctx, to)
}

// Covers says that this run has written all records of a log's shard in (after,
// through] into nearline. log is LogStaged or LogErrors.
func (s *Staging) Covers(log string, shard stream.ShardID, after, through stream.Sequence) bool {
	return s.progressOf(log).covers(shard, after, through)
}

// Reached says how far this run has come in a log's shard: what it writes into
// nearline of the records up to there, it has written.
func (s *Staging) Reached(log string, shard stream.ShardID) stream.Sequence {
	at, _ := s.progressOf(log).at(shard)
	return at.seq
}

func (s *Staging) progressOf(log string) *progress {
	if log == LogErrors {
		return s.errors
	}
	return s.staged
}

// input is one of the two logs that the stage reads.
type input struct {
	*Staging
	name        string
	log         stream.Log
	checkpoints stream.Checkpoints
	progress    *progress
}

func (s *Staging) inputs() []*input {
	return []*input{
		{s, LogStaged, s.cfg.Staged, s.cfg.StagedCheckpoints, s.staged},
		{s, LogErrors, s.cfg.Errors, s.cfg.ErrorsCheckpoints, s.errors},
	}
}

func (in *input) follower() follower {
	return follower{in.log, in.name, ConsumerStaging, in.checkpoints, in.stand(0)}
}

func (in *input) seen() seenFunc { return in.progress.seen(in.checkpoints, ConsumerStaging) }

func (in *input) stand(shard stream.ShardID) *stand {
	return &stand{stage: StageStaging, log: in.name, shard: shard, events: &in.cfg.Events}
}

// runShard writes one shard.
func (in *input) runShard(ctx context.Context, log stream.Log, shard stream.ShardID, checkpoints stream.Checkpoints) error {
	st := in.stand(shard)
	saver := &saver{
		checkpoints: checkpoints, consumer: ConsumerStaging, shard: shard, every: in.cfg.CheckpointEvery, stand: st,
		before: in.cfg.Observed.Flush,
	}
	noted, err := saver.load(ctx)
	if err != nil {
		return err
	}
	from := noted
	if in.cfg.From != ConsumerStaging {
		err := st.until(ctx, "load checkpoint", func(ctx context.Context) (err error) {
			from, _, err = in.checkpoints.Load(ctx, in.cfg.From, shard)
			return err
		})
		if err != nil {
			return fmt.Errorf("load checkpoint: %w", err)
		}
	}
	in.progress.advance(shard, mark{seq: from})
	p, err := in.profiler(ctx, st, checkpoints, noted)
	if err != nil {
		return err
	}
	rd := &reader{log: log, shard: shard, stand: st, maxRecords: 1 << 10, maxBytes: in.cfg.BatchBytes, at: from}
	if p != nil {
		// What nearline need not be given again may still have to be noted.
		rd.at = least(from, noted, p.counted)
		rd.giveTrimmed = rd.at.Compare(from) < 0
	}
	w := &writer{input: in, stand: st, noted: noted, stored: from, profiler: p}
	err = w.follow(ctx, rd, saver)
	return errors.Join(err, rd.close(), saver.last(ctx), p.last(ctx))
}

func least(first stream.Sequence, others ...stream.Sequence) stream.Sequence {
	for _, s := range others {
		if s.Compare(first) < 0 {
			first = s
		}
	}
	return first
}

// writer writes the records of one shard into nearline.
type writer struct {
	*input
	stand *stand
	// noted is up to where an earlier run has noted events and put conflicts, stored
	// up to where nearline need not be filled.
	noted, stored stream.Sequence
	profiler      *profiler // nil: nothing is profiled

	decoder record.StagedDecoder
	rows    []nearline.Row
	values  []schema.Value
	ends    []int // of each row's values
}

func (w *writer) follow(ctx context.Context, rd *reader, s *saver) error {
	savers := savers{s}
	if w.profiler != nil {
		savers = append(savers, w.profiler.saver)
	}
	for {
		records, err := savers.next(ctx, rd)
		if errors.Is(err, stream.ErrTrimmed) && rd.giveTrimmed {
			// An earlier version kept the log for nearline alone.
			rd.at, rd.giveTrimmed = w.stored, false
			continue
		}
		if err != nil {
			return w.end(ctx, err, s)
		}
		if len(records) == 0 {
			continue
		}
		rd.giveTrimmed = false
		if err := w.write(ctx, records); err != nil {
			return fmt.Errorf("write records: %w", err)
		}
		last := &records[len(records)-1]
		w.progress.advance(rd.shard, mark{last.Seq, last.ArrivedAt})
		if last.Seq.Compare(w.noted) > 0 {
			s.moved(last.Seq)
		}
		w.profiler.moved(last.Seq)
	}
}

// end turns the end of a closed shard into no error, after which all checkpoints
// and the progress say so.
func (w *writer) end(ctx context.Context, err error, s *saver) error {
	if isEnd(err) && w.profiler != nil {
		w.profiler.moved(stream.EndOfShard)
		if err := w.profiler.saver.save(ctx); err != nil {
			return err
		}
	}
	return s.end(ctx, err, w.progress)
}

// write stores the records' events. Those past w.noted are noted, and their
// conflicts become error rows before the checkpoint passes them.
func (w *writer) write(ctx context.Context, records []stream.Record) error {
	old := sort.Search(len(records), func(i int) bool { return records[i].Seq.Compare(w.stored) > 0 })
	if err := w.noteStored(ctx, records[:old]); err != nil {
		return err
	}
	if records = records[old:]; len(records) == 0 {
		return nil
	}
	if err := w.decode(ctx, records); err != nil {
		return err
	}
	var outcomes []nearline.Outcome
	err := w.stand.until(ctx, "write", func(ctx context.Context) (err error) {
		outcomes, err = w.cfg.Tables.Write(ctx, w.rows)
		return err
	})
	if err != nil {
		return err
	}
	info := StoredInfo{Log: w.name, Shard: w.stand.shard}
	for i, outcome := range outcomes {
		r := &w.rows[i]
		switch outcome {
		case nearline.Stored:
			info.Rows++
			if err := w.note(ctx, r); err != nil {
				return err
			}
		case nearline.Suspect:
			info.Rows++
			w.see(r)
		case nearline.Duplicate:
			info.Duplicates++
		case nearline.Conflict:
			info.Conflicts++
			if r.Position.Seq.Compare(w.noted) <= 0 || r.Event.Dataset.Namespace == schema.NamespaceErrors {
				continue
			}
			if err := w.conflict(ctx, &r.Event); err != nil {
				return err
			}
		}
	}
	w.cfg.Events.Stored(info)
	return nil
}

// noteStored notes the events of records that nearline is not given again.
// Whether they were copies of others is not known any more.
func (w *writer) noteStored(ctx context.Context, records []stream.Record) error {
	if err := w.decode(ctx, records); err != nil {
		return err
	}
	for i := range w.rows {
		if err := w.note(ctx, &w.rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// note notes a stored event, unless that was done.
func (w *writer) note(ctx context.Context, r *nearline.Row) error {
	// Who sees the event counted finds it profiled.
	if err := w.profiler.note(ctx, r); err != nil {
		return err
	}
	w.see(r)
	return nil
}

// see notes the names of a stored event, unless that was done.
func (w *writer) see(r *nearline.Row) {
	if r.Event.Dataset.Namespace != schema.NamespaceErrors && r.Position.Seq.Compare(w.noted) > 0 {
		w.cfg.Observed.Note(&r.Event)
	}
}

// decode gathers the rows of records.
func (w *writer) decode(ctx context.Context, records []stream.Record) error {
	w.rows, w.values, w.ends = w.rows[:0], w.values[:0], w.ends[:0]
	for i := range records {
		w.cfg.Yield.pass()
		r := &records[i]
		rows, values, ends := len(w.rows), len(w.values), len(w.ends)
		err := w.stand.until(ctx, "decode", func(context.Context) error {
			w.rows, w.values, w.ends = w.rows[:rows], w.values[:values], w.ends[:ends]
			return w.decoder.Decode(r.Data, func(index uint32, e *schema.Event) bool {
				w.rows = append(w.rows, nearline.Row{
					Event: *e, Position: stream.Position{Shard: r.Shard, Seq: r.Seq, Index: index},
				})
				w.values = append(w.values, e.Values...)
				w.ends = append(w.ends, len(w.values))
				return true
			})
		})
		if err != nil {
			return err
		}
	}
	from := 0
	for i, end := range w.ends {
		w.rows[i].Event.Values = w.values[from:end:end]
		from = end
	}
	return nil
}

func (w *writer) conflict(ctx context.Context, e *schema.Event) error {
	return w.stand.until(ctx, "put conflict", func(ctx context.Context) error { return w.conflicts.PutConflict(ctx, e) })
}
