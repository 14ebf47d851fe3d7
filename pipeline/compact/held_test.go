package compact_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/compact"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/nearline"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// memory is a tail as the staging stage fills it: with a shard's records, one an
// event, from a checkpoint on.
type memory struct {
	*nearline.Tail
	from, reached map[stream.ShardID]uint64
	// refuse says of a call that some rows are not in memory.
	refuse func() bool
}

func newMemory(t *testing.T, from map[stream.ShardID]stream.Sequence) *memory {
	t.Helper()
	// Small batches, so that ranges cut them.
	tail, err := nearline.NewTail(nearline.Config{BatchRows: 4})
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{Tail: tail, from: map[stream.ShardID]uint64{}, reached: map[stream.ShardID]uint64{}, refuse: func() bool { return false }}
	for shard, seq := range from {
		m.from[shard], m.reached[shard] = seq[2], seq[2]
	}
	return m
}

// write stores those of a shard's records that are new, and tells of conflicts.
func (m *memory) write(t *testing.T, shard stream.ShardID, all []schema.Event, conflict func(text string)) {
	t.Helper()
	var rows []nearline.Row
	for i, e := range all {
		if seq := uint64(i + 1); seq > m.reached[shard] {
			rows = append(rows, nearline.Row{Event: e, Position: stream.Position{Shard: shard, Seq: stream.SequenceOf(seq)}})
		}
	}
	outcomes, err := m.Write(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	for i, outcome := range outcomes {
		if outcome == nearline.Conflict {
			conflict(string(rows[i].Event.Values[0].Text))
		}
	}
	m.reached[shard] = uint64(len(all))
}

func (m *memory) held(ds schema.Dataset, shard stream.ShardID, after, through stream.Sequence) ([]sources.BatchSplit, bool) {
	if m.refuse() || m.from[shard] > after[2] || m.reached[shard] < through[2] {
		return nil, false
	}
	return m.Held(ds, shard, after, through), true
}

// readingBucket counts the archive objects that are read beyond their headers.
type readingBucket struct {
	objstore.Bucket
	mu   sync.Mutex
	read int
}

func (b *readingBucket) Get(ctx context.Context, key string) (io.ReadCloser, objstore.Info, error) {
	body, info, err := b.Bucket.Get(ctx, key)
	if err != nil || !strings.HasPrefix(key, record.ArchivePrefix(record.StageStaged)) {
		return body, info, err
	}
	return &countedBody{body, b}, info, nil
}

// countedBody counts a body that is read to its end.
type countedBody struct {
	io.ReadCloser
	bucket *readingBucket
}

func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		c.bucket.mu.Lock()
		c.bucket.read++
		c.bucket.mu.Unlock()
	}
	return n, err
}

// TestRowsInMemoryAreNotRead compacts what a tail holds: the same rows come into
// the lake as from the archive, whose objects are not read.
func TestRowsInMemoryAreNotRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bucket := &readingBucket{Bucket: b.bucket}
	b.cfg.Bucket = bucket
	m := newMemory(t, map[stream.ShardID]stream.Sequence{0: {}, 1: {}})
	b.cfg.Tail, b.cfg.Held = m, m.held
	var logs [2][]schema.Event
	send := func(shard stream.ShardID, events ...schema.Event) {
		t.Helper()
		before := len(logs[shard])
		logs[shard] = append(logs[shard], events...)
		b.deliver(t, shard, before, logs[shard][before:]...)
		m.write(t, shard, logs[shard], func(text string) { t.Errorf("%s is a conflict", text) })
	}
	big := strings.Repeat("x", 128<<10) // a reader asks for less at once
	send(0, event(hot, 1, "a"), event(hot, 2, "b"), event(cold, 1, "x"+big), event(hot, 1, "a"))
	send(1, event(hot, 3, "c"))
	send(0, event(hot, 4, "d"), event(hot, 5, "e"), event(hot, 2, "b"), event(cold, 2, "y"+big))
	c := b.compactor(t)
	if err := c.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if bucket.read > 0 {
		t.Errorf("%d archive objects were read", bucket.read)
	}
	b.want(t, hot, "a", "b", "c", "d", "e")
	b.want(t, cold, "x"+big, "y"+big)
	b.checkpoint(t, 0, 8)
	b.checkpoint(t, 1, 1)

	m.refuse = func() bool { return true }
	send(0, event(hot, 6, "f"), event(cold, 3, "z"+big))
	if err := c.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if bucket.read != 1 {
		t.Errorf("%d archive objects were read of what memory does not hold, want 1", bucket.read)
	}
	b.want(t, hot, "a", "b", "c", "d", "e", "f")
}

// newRandomMemory is a memory that holds what a random history delivers past the
// checkpoints, and refuses now and then.
func newRandomMemory(t *testing.T, to *torture, random *rand.Rand, logs map[stream.ShardID][]schema.Event, m *model) *memory {
	t.Helper()
	held := newMemory(t, to.checkpoints.seqs)
	for shard, all := range logs {
		held.write(t, shard, all, m.tell(to))
	}
	own := rand.New(rand.NewPCG(random.Uint64(), 0)) // the compactor works beside the history
	held.refuse = func() bool { return own.IntN(4) == 0 }
	to.cfg.Tail, to.cfg.Held = held, held.held
	return held
}

// tell notes a conflict that a tail found. One that began after a checkpoint may
// take for a conflict what repeats a row of the lake, if it holds another that the
// lake will refuse.
func (m *model) tell(to *torture) func(text string) {
	return func(text string) {
		if m.refused[text] {
			to.told[text] = true
		}
	}
}

// TestMergesWaitForMemory compacts under pressure: small files stay as they are,
// until a run that is asked for merges them.
func TestMergesWaitForMemory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	pressure := make(chan struct{})
	compacted := make(chan struct{}, 20)
	merged := make(chan int, 1)
	b.cfg.Pressure, b.cfg.MinBytes, b.cfg.Interval = pressure, 1<<30, time.Hour
	b.cfg.Events = compact.Events{
		Compacted: func(schema.Dataset, int, int, int) { compacted <- struct{}{} },
		Merged:    func(_ schema.Dataset, from, _ int) { merged <- from },
	}
	run := func(work func()) {
		t.Helper()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		c := b.compactor(t)
		go func() { done <- c.Run(ctx) }()
		work()
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	const files = 10
	run(func() {
		for n := range files {
			b.deliver(t, 0, n, event(hot, n, "x"))
			pressure <- struct{}{}
			<-compacted
		}
	})
	v, err := b.lake.Version(t.Context(), hot)
	if err != nil {
		t.Fatal(err)
	}
	list, err := v.List(t.Context(), sources.Unbounded())
	if err != nil || len(list) != files || len(merged) > 0 {
		t.Errorf("%d files, %v, after passes under pressure, want %d", len(list), err, files)
	}
	b.deliver(t, 0, files, event(hot, files, "y"))
	if err := b.compactor(t).Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if from := <-merged; from != files+1 {
		t.Errorf("%d files were merged, want %d", from, files+1)
	}
}

// TestMergesWaitWhileFilesCome: a dataset's small files are merged half a minute
// after the last one came, or when there are many.
func TestMergesWaitWhileFilesCome(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var clock atomic.Int64 // seconds
	b.cfg.MinBytes, b.cfg.Interval = 1, time.Millisecond
	b.cfg.Now = func() time.Time { return b.now.Add(time.Duration(clock.Load()) * time.Second) }
	compacted, merged := make(chan struct{}), make(chan int, 100)
	b.cfg.Events = compact.Events{
		Compacted: func(schema.Dataset, int, int, int) { compacted <- struct{}{} },
		Merged:    func(_ schema.Dataset, from, _ int) { merged <- from },
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	c := b.compactor(t)
	go func() { done <- c.Run(ctx) }()
	sent := 0
	send := func(files int) {
		for range files {
			b.deliver(t, 0, sent, event(hot, sent, "x"))
			sent++
			<-compacted
			clock.Add(5)
		}
	}
	// The clock goes on until there is a merge.
	next := func() int {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case from := <-merged:
				return from
			case <-tick.C:
				clock.Add(5)
			}
		}
	}
	send(20)
	if len(merged) > 0 {
		t.Errorf("%d files were merged while files came", <-merged)
	}
	if from := next(); from != 20 {
		t.Errorf("%d files were merged after the last one, want 20", from)
	}
	send(70)
	if from := next(); from < 60 || from > 66 {
		t.Errorf("%d files were merged of 70 more that came, want about 64", from)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestUnforcedPassesWaitForMemory: what memory has not come to yet is left in the
// archive, until it has or a pass is asked for.
func TestUnforcedPassesWaitForMemory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.cfg.MinBytes, b.cfg.Interval = 1, time.Millisecond
	var reached atomic.Uint64
	looked := make(chan struct{})
	b.cfg.Reached = func(shard stream.ShardID) stream.Sequence {
		if shard != 0 {
			return stream.Sequence{}
		}
		select {
		case looked <- struct{}{}: // once a pass
		default:
		}
		return stream.SequenceOf(reached.Load())
	}
	compacted := make(chan int, 10)
	b.cfg.Events.Compacted = func(_ schema.Dataset, rows, _, _ int) { compacted <- rows }
	b.deliver(t, 0, 0, event(hot, 1, "a"), event(hot, 2, "b"))
	b.deliver(t, 0, 2, event(hot, 3, "c"))
	b.deliver(t, 0, 3, event(hot, 4, "d"))
	reached.Store(2)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	c := b.compactor(t)
	go func() { done <- c.Run(ctx) }()
	if rows := <-compacted; rows != 2 {
		t.Errorf("%d rows were compacted, want 2", rows)
	}
	<-looked // a pass after that one
	<-looked
	if len(compacted) > 0 {
		t.Errorf("%d rows more were compacted, which memory has not", <-compacted)
	}
	reached.Store(3)
	if rows := <-compacted; rows != 1 {
		t.Errorf("%d rows were compacted, want 1", rows)
	}
	if err := c.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	b.want(t, hot, "a", "b", "c", "d")
}
