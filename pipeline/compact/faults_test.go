package compact_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/compact"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
	"github.com/fieldgate/fieldgate/sources/vfs"
)

var errFault = errors.New("the bucket failed")

// faultyBucket fails its n-th operation, before or after it is done, and then, if
// it is to die, every other one.
type faultyBucket struct {
	objstore.Bucket

	mu     sync.Mutex
	left   int // operations until the fault; 0: none comes
	done   bool
	dies   bool
	dead   bool
	listed int // keys that List gave
}

// arm has the n-th operation from now on fail.
func (b *faultyBucket) arm(n int, done, dies bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left, b.done, b.dies, b.dead = n, done, dies, false
}

// fired says that the fault came.
func (b *faultyBucket) fired() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left == 0
}

// do runs an operation, or fails it.
func (b *faultyBucket) do(operation func() error) error {
	b.mu.Lock()
	fault := b.dead
	done := false
	if !fault && b.left > 0 {
		b.left--
		if b.left == 0 {
			fault, done, b.dead = true, b.done, b.dies
		}
	}
	b.mu.Unlock()
	if fault && !done {
		return errFault
	}
	err := operation()
	if fault {
		return errFault
	}
	return err
}

func (b *faultyBucket) Put(ctx context.Context, key string, data []byte) (etag objstore.ETag, err error) {
	err = b.do(func() (err error) { etag, err = b.Bucket.Put(ctx, key, data); return err })
	return etag, err
}

func (b *faultyBucket) PutIf(ctx context.Context, key string, data []byte, match objstore.ETag) (etag objstore.ETag, err error) {
	err = b.do(func() (err error) { etag, err = b.Bucket.PutIf(ctx, key, data, match); return err })
	return etag, err
}

func (b *faultyBucket) Get(ctx context.Context, key string) (body io.ReadCloser, info objstore.Info, err error) {
	err = b.do(func() (err error) { body, info, err = b.Bucket.Get(ctx, key); return err })
	return body, info, closeIf(body, err)
}

func (b *faultyBucket) GetRange(ctx context.Context, key string, offset, size int64) (body io.ReadCloser, err error) {
	err = b.do(func() (err error) { body, err = b.Bucket.GetRange(ctx, key, offset, size); return err })
	return body, closeIf(body, err)
}

// closeIf closes what a failed operation had opened.
func closeIf(body io.ReadCloser, err error) error {
	if err != nil && body != nil {
		return errors.Join(err, body.Close())
	}
	return err
}

func (b *faultyBucket) List(ctx context.Context, prefix, after string, limit int) (infos []objstore.Info, err error) {
	err = b.do(func() (err error) { infos, err = b.Bucket.List(ctx, prefix, after, limit); return err })
	b.mu.Lock()
	b.listed += len(infos)
	b.mu.Unlock()
	return infos, err
}

func (b *faultyBucket) Delete(ctx context.Context, key string) error {
	return b.do(func() error { return b.Bucket.Delete(ctx, key) })
}

// unsynced is the real file system without its syncs: these tests cut no power.
type unsynced struct{ vfs.OS }

func (unsynced) SyncDir(string) error { return nil }

func (u unsynced) Create(name string) (vfs.File, error) {
	f, err := u.OS.Create(name)
	return unsyncedFile{f}, err
}

type unsyncedFile struct{ vfs.File }

func (unsyncedFile) Sync() error { return nil }

// torture is a bundle over a bucket that fails, with a lake and a compactor that
// start anew after a crash.
type torture struct {
	*bundle
	faults *faultyBucket
	c      *compact.Compactor
	// conflicts are those told, each once.
	told map[string]bool
}

func newTorture(t *testing.T) *torture {
	t.Helper()
	b := setup(t)
	b.now = time.Now() // the sweeper goes by the times of the files
	to := &torture{bundle: b, faults: &faultyBucket{Bucket: b.bucket}, told: map[string]bool{}}
	b.cfg.Bucket = to.faults
	b.cfg.Conflict = func(_ context.Context, e *schema.Event, _ stream.Position) error {
		to.told[string(e.Values[0].Text)] = true
		return nil
	}
	to.restart(t)
	return to
}

// restart forgets everything that is not in a store.
func (to *torture) restart(t *testing.T) {
	t.Helper()
	to.faults.arm(0, false, false)
	var err error
	to.lake, err = lake.New(lake.Config{
		Bucket: to.faults, Exclusive: true, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return to.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	to.cfg.Lake = to.lake
	to.c = to.compactor(t)
}

// work compacts, merges and sweeps.
func (to *torture) work(ctx context.Context) error {
	if err := to.c.Compact(ctx); err != nil {
		return err
	}
	to.now = to.now.Add(2 * time.Hour)
	datasets, err := to.lake.Datasets(ctx, "")
	for _, ds := range datasets {
		_, failed := to.lake.Sweep(ctx, ds, 0)
		err = errors.Join(err, failed)
	}
	return err
}

// unlisted lists the lake's objects that no manifest knows.
func (to *torture) unlisted(t *testing.T) []string {
	t.Helper()
	infos, err := to.bucket.List(t.Context(), "lake/", "", 10_000)
	if err != nil {
		t.Fatal(err)
	}
	data := map[string]bool{}
	for _, info := range infos {
		if strings.Contains(info.Key, "/data-") {
			data[info.Key] = true
		}
	}
	for _, ds := range []schema.Dataset{hot, cold} {
		v, err := to.lake.Version(t.Context(), ds)
		if err != nil {
			t.Fatal(err)
		}
		files, err := v.List(t.Context(), sources.Unbounded())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			ids := strings.TrimSuffix(f.Key, ".parquet") + ".ids"
			if !data[f.Key] || !data[ids] {
				t.Errorf("%s or its filter is not there", f.Key)
			}
			delete(data, f.Key)
			delete(data, ids)
		}
	}
	var left []string
	for key := range data {
		left = append(left, key)
	}
	return left
}

// TestEveryOperationFails fails every operation of a compaction, a merge and a
// sweep in turn, done and not done, once and for good.
func TestEveryOperationFails(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		finished := false
		t.Run(fmt.Sprint("operation ", n), func(t *testing.T) {
			to := newTorture(t)
			for i := range 7 {
				to.deliver(t, 0, i, event(hot, i, fmt.Sprint("old", i)))
				if err := to.c.Compact(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			to.deliver(t, 0, 7, event(hot, 10, "a"), event(cold, 1, "x"), event(hot, 10, "b"))
			to.deliver(t, 1, 0, event(hot, 11, "c"), event(hot, 3, "old3"))
			to.faults.arm(n, n%2 == 0, n%4 < 2)
			err := to.work(t.Context())
			finished = !to.faults.fired()
			if finished && err != nil {
				t.Fatal(err)
			}
			to.restart(t)
			for range 2 {
				if err := to.work(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			to.want(t, hot, "a", "c", "old0", "old1", "old2", "old3", "old4", "old5", "old6")
			to.want(t, cold, "x")
			to.checkpoint(t, 0, 10)
			to.checkpoint(t, 1, 2)
			if len(to.told) != 1 || !to.told["b"] {
				t.Errorf("conflicts %v, want b", to.told)
			}
			if left := to.unlisted(t); len(left) > 0 {
				t.Errorf("never swept: %v", left)
			}
		})
		if finished || t.Failed() {
			if n < 40 {
				t.Errorf("only %d operations", n)
			}
			return
		}
	}
}

// model is what the lake must hold: by dataset and identity the text of the event
// that came first, and the texts refused.
type model struct {
	rows    map[schema.Dataset]map[int]string
	refused map[string]bool
}

func (m *model) add(e *schema.Event, n int) {
	text := string(e.Values[0].Text)
	rows := m.rows[e.Dataset]
	if first, ok := rows[n]; !ok {
		rows[n] = text
	} else if first != text {
		m.refused[text] = true
	}
}

func (m *model) texts(ds schema.Dataset) []string {
	var texts []string
	for _, text := range m.rows[ds] {
		texts = append(texts, text)
	}
	slices.Sort(texts)
	return texts
}

// TestRandomHistories delivers, delivers again, sends duplicates and conflicts,
// compacts, merges, sweeps and crashes in random order, and compares with a
// model.
func TestRandomHistories(t *testing.T) {
	t.Parallel()
	for range 12 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			randomHistory(t, rand.New(rand.NewPCG(seed, 0)))
		})
	}
}

func randomHistory(t *testing.T, random *rand.Rand) {
	t.Helper()
	to := newTorture(t)
	to.cfg.PassBytes = 1 << random.IntN(16)
	to.cfg.MergeBytes = 1 << (8 + random.IntN(12))
	to.restart(t)
	m := &model{rows: map[schema.Dataset]map[int]string{hot: {}, cold: {}}, refused: map[string]bool{}}
	logs := map[stream.ShardID][]schema.Event{} // every record of a shard
	archived := map[stream.ShardID]int{}
	var held *memory
	if random.IntN(2) == 0 { // the other half has the archive alone
		held = newRandomMemory(t, to, random, logs, m)
		to.restart(t)
	}
	for range 60 {
		switch shard := stream.ShardID(random.IntN(2)); random.IntN(8) {
		case 0, 1, 2: // deliver new events; an identity keeps to its shard
			for range 1 + random.IntN(6) {
				n := random.IntN(40)*2 + int(shard)
				text := fmt.Sprintf("%d-%d", n, max(0, random.IntN(12)-9))
				e := event([]schema.Dataset{hot, hot, cold}[random.IntN(3)], n, text+"-"+strings.Repeat("x", random.IntN(3)/2))
				logs[shard] = append(logs[shard], e)
				m.add(&e, n)
			}
			to.deliver(t, shard, archived[shard], logs[shard][archived[shard]:]...)
			archived[shard] = len(logs[shard])
			if held != nil {
				held.write(t, shard, logs[shard], m.tell(to))
			}
		case 3: // deliver a range again
			if archived[shard] > 0 {
				from := random.IntN(archived[shard])
				through := from + 1 + random.IntN(archived[shard]-from)
				to.deliver(t, shard, from, logs[shard][from:through]...)
			}
		case 4: // crash somewhere in the work
			to.faults.arm(1+random.IntN(60), random.IntN(2) == 0, random.IntN(2) == 0)
			err := to.work(t.Context())
			if err == nil && to.faults.fired() && to.faults.dies {
				t.Error("the bucket died and nobody noticed")
			}
			if held != nil {
				held = newRandomMemory(t, to, random, logs, m)
			}
			to.restart(t)
		case 5:
			to.now = to.now.Add(time.Duration(random.IntN(180)) * time.Minute)
		default:
			if err := to.work(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := to.work(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, ds := range []schema.Dataset{hot, cold} {
		to.want(t, ds, m.texts(ds)...)
	}
	for shard, n := range archived {
		to.checkpoint(t, shard, uint64(n))
	}
	for text := range m.refused {
		if !to.told[text] {
			t.Errorf("conflict %s was not told", text)
		}
	}
	for text := range to.told {
		if !m.refused[text] {
			t.Errorf("%s was told to be a conflict", text)
		}
	}
}
