package compact_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fieldgate/fieldgate/pipeline/compact"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// checkpoints keeps checkpoints in memory; fail makes the next Save fail.
type checkpoints struct {
	mu   sync.Mutex
	seqs map[stream.ShardID]stream.Sequence
	fail error
}

func (c *checkpoints) Load(_ context.Context, _ string, shard stream.ShardID) (stream.Sequence, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seq, ok := c.seqs[shard]
	return seq, ok, nil
}

func (c *checkpoints) All(context.Context, string) (map[stream.ShardID]stream.Sequence, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.seqs), nil
}

func (c *checkpoints) Save(_ context.Context, _ string, shard stream.ShardID, seq stream.Sequence) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.fail; err != nil {
		c.fail = nil
		return err
	}
	c.seqs[shard] = seq
	return nil
}

// bundle is a compactor over an archive that a test fills by hand.
type bundle struct {
	bucket      objstore.Bucket
	lake        *lake.Store
	checkpoints *checkpoints
	log         *log
	cfg         compact.Config
	conflicts   []string
	gaps        []string
	now         time.Time
}

var hot, cold = schema.Dataset{Tenant: "acme", Metric: "hot"}, schema.Dataset{Tenant: "other", Metric: "cold"}

func setup(t testing.TB) *bundle {
	t.Helper()
	bucket, err := objstore.OpenDir(objstore.DirConfig{Root: t.TempDir(), FS: unsynced{}})
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle{bucket: bucket, checkpoints: &checkpoints{seqs: map[stream.ShardID]stream.Sequence{}}, now: time.Unix(1_800_000_000, 0)}
	b.log = &log{
		shards: []stream.Shard{{ID: 0, Open: true}, {ID: 1, Open: true}}, puts: map[stream.ShardID][]put{},
	}
	b.lake, err = lake.New(lake.Config{Bucket: bucket, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	b.cfg = compact.Config{
		Stage:  record.StageStaged,
		Log:    b.log,
		Bucket: bucket, Lake: b.lake, Checkpoints: b.checkpoints, Logger: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return b.now },
		Conflict: func(_ context.Context, e *schema.Event, at stream.Position) error {
			b.conflicts = append(b.conflicts, fmt.Sprintf("%s at %s", e.Values[0].Text, at))
			return nil
		},
		Events: compact.Events{Gap: func(shard stream.ShardID, after stream.Sequence) {
			b.gaps = append(b.gaps, fmt.Sprintf("%d/%s", shard, after))
		}},
	}
	return b
}

// event has its text as its only field; the text is also its hash.
func event(ds schema.Dataset, n int, text string) schema.Event {
	e := schema.Event{Dataset: ds, Time: int64(n) * 1e6, ReceivedAt: 1_800_000_000e6, Values: []schema.Value{{Name: "text", Kind: schema.KindText, Text: []byte(text)}}}
	e.ID[15] = byte(n)
	copy(e.Hash[:], text)
	return e
}

// deliver archives events of a shard, one a record, the first at after+1.
func (b *bundle) deliver(t *testing.T, shard stream.ShardID, after int, events ...schema.Event) {
	t.Helper()
	w, err := record.NewStagedWriter()
	if err != nil {
		t.Fatal(err)
	}
	var s record.StagedEncoder
	for i := range events {
		s.Reset()
		s.Add(&events[i])
		if err := w.Add(shard, stream.SequenceOf(uint64(after+1+i)), s.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	data, _, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	b.log.put(shard, uint64(after+len(events)), b.now)
	key := record.ObjectKey(record.Object{
		Stage: record.StageStaged, Hour: b.log.arrival(shard, uint64(after+1)), Shard: shard,
		After: stream.SequenceOf(uint64(after)), Through: stream.SequenceOf(uint64(after + len(events))),
	})
	if _, err := b.bucket.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) compactor(t *testing.T) *compact.Compactor {
	t.Helper()
	c, err := compact.New(b.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// eachEvent calls visit with every event that the lake holds of a dataset.
func (b *bundle) eachEvent(t *testing.T, ds schema.Dataset, visit func(e *schema.Event)) {
	t.Helper()
	v, err := b.lake.Version(t.Context(), ds)
	if err != nil {
		t.Fatal(err)
	}
	files, err := v.List(t.Context(), sources.Unbounded())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		batches, err := b.lake.Read(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, batch := range batches {
			for r := range batch.Rows {
				e := batch.Event(r, ds)
				visit(&e)
			}
		}
	}
}

// texts are the texts of a dataset's rows in the lake, sorted.
func (b *bundle) texts(t *testing.T, ds schema.Dataset) []string {
	t.Helper()
	var texts []string
	b.eachEvent(t, ds, func(e *schema.Event) { texts = append(texts, string(e.Values[0].Text)) })
	slices.Sort(texts)
	return texts
}

func (b *bundle) want(t *testing.T, ds schema.Dataset, want ...string) {
	t.Helper()
	if got := b.texts(t, ds); !slices.Equal(got, want) {
		t.Errorf("%s holds %v, want %v", ds.Metric, got, want)
	}
}

func (b *bundle) checkpoint(t *testing.T, shard stream.ShardID, want uint64) {
	t.Helper()
	if got := b.checkpoints.seqs[shard]; got != stream.SequenceOf(want) {
		t.Errorf("checkpoint of shard %d is %s, want %d", shard, got, want)
	}
}

func TestEachEventOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deliver(t, 0, 0, event(hot, 1, "a"), event(hot, 2, "b"), event(hot, 1, "a"))
	b.deliver(t, 1, 0, event(hot, 3, "c"))
	if err := b.compactor(t).Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.want(t, hot, "a", "b", "c")
	// Delivered again, further: what is new in it counts, across a restart too.
	b.deliver(t, 0, 0, event(hot, 1, "a"), event(hot, 2, "b"), event(hot, 1, "a"), event(hot, 4, "d"))
	b.deliver(t, 0, 4, event(hot, 2, "b"), event(hot, 5, "e"))
	if err := b.compactor(t).Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.want(t, hot, "a", "b", "c", "d", "e")
	b.checkpoint(t, 0, 6)
	b.checkpoint(t, 1, 1)
	if len(b.conflicts) > 0 {
		t.Errorf("conflicts: %v", b.conflicts)
	}
}

func TestConflictsAreTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deliver(t, 0, 0, event(hot, 1, "first"), event(hot, 1, "second"))
	if err := b.compactor(t).Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.deliver(t, 0, 2, event(hot, 1, "third"))
	if err := b.compactor(t).Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.want(t, hot, "first")
	if want := []string{"second at 0/2/0", "third at 0/3/0"}; !slices.Equal(b.conflicts, want) {
		t.Errorf("conflicts %v, want %v", b.conflicts, want)
	}
}

func TestQuietDatasetsWait(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.cfg.MinBytes = 100
	b.cfg.Interval = time.Millisecond
	moved := make(chan schema.Dataset, 10)
	b.cfg.Events.Compacted = func(ds schema.Dataset, _, _, _ int) { moved <- ds }
	b.deliver(t, 0, 0, event(cold, 1, "x"), event(hot, 1, string(make([]byte, 200))))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.compactor(t).Run(ctx) }()
	if ds := <-moved; ds != hot {
		t.Errorf("%v was compacted", ds)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.want(t, cold)
	b.checkpoint(t, 0, 0) // the quiet dataset holds it
	b.now = b.now.Add(25 * time.Hour)
	ctx, stop = context.WithCancel(t.Context())
	go func() { done <- b.compactor(t).Run(ctx) }()
	if ds := <-moved; ds != cold {
		t.Errorf("%v was compacted a day later", ds)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.want(t, cold, "x")
}

func TestGapStopsTheShardAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deliver(t, 0, 0, event(hot, 1, "a"))
	b.deliver(t, 0, 2, event(hot, 3, "c"))
	b.deliver(t, 1, 0, event(hot, 4, "d"))
	c := b.compactor(t)
	if err := c.Compact(t.Context()); !errors.Is(err, compact.ErrIncomplete) {
		t.Fatalf("compact: %v, want ErrIncomplete", err)
	}
	b.want(t, hot, "a", "d")
	b.checkpoint(t, 0, 1)
	if want := []string{"0/1"}; !slices.Equal(b.gaps, want) {
		t.Errorf("gaps %v, want %v", b.gaps, want)
	}
	b.deliver(t, 0, 1, event(hot, 2, "b"))
	if err := c.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.want(t, hot, "a", "b", "c", "d")
	b.checkpoint(t, 0, 3)
}

func TestCrashBetweenCommitAndCheckpoint(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deliver(t, 0, 0, event(hot, 1, "a"), event(cold, 1, "x"))
	died := errors.New("died")
	b.checkpoints.fail = died
	if err := b.compactor(t).Compact(t.Context()); !errors.Is(err, died) {
		t.Fatalf("compact: %v", err)
	}
	b.checkpoint(t, 0, 0)
	b.deliver(t, 0, 2, event(hot, 2, "b"))
	if err := b.compactor(t).Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.want(t, hot, "a", "b")
	b.want(t, cold, "x")
	b.checkpoint(t, 0, 3)
}

func TestSmallFilesMerge(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var want []string
	c := b.compactor(t)
	for n := range 20 {
		text := fmt.Sprintf("%02d", n)
		b.deliver(t, 0, n, event(hot, n, text))
		want = append(want, text)
		if err := c.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	b.want(t, hot, want...)
	v, err := b.lake.Version(t.Context(), hot)
	if err != nil {
		t.Fatal(err)
	}
	if files, rows, _ := v.Totals(); files >= 8 || rows != 20 {
		t.Errorf("%d files with %d rows", files, rows)
	}
}

func TestCallersShareARun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deliver(t, 0, 0, event(hot, 1, "a"))
	entered, proceed := make(chan struct{}), make(chan struct{})
	runs := 0
	b.cfg.Deliver = func(context.Context) error {
		runs++
		if runs == 1 {
			close(entered)
			<-proceed
		}
		return nil
	}
	c := b.compactor(t)
	var callers sync.WaitGroup
	call := func() {
		if err := c.Compact(t.Context()); err != nil {
			t.Error(err)
		}
	}
	callers.Go(call)
	<-entered
	for range 10 { // they come after the first run began, so they need another
		callers.Go(call)
	}
	close(proceed)
	callers.Wait()
	if runs < 2 || runs > 11 {
		t.Errorf("%d runs for 11 callers", runs)
	}
	b.want(t, hot, "a")
}
