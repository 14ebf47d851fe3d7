package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/schematest"
	"github.com/fieldgate/fieldgate/sources/bolt"
)

// newWorkers are the rounds of n workers over one KV.
func newWorkers(t *testing.T, kv schema.KV, n int) []*rounds {
	t.Helper()
	all := make([]*rounds, n)
	for i := range all {
		l, err := NewLeases(LeasesConfig{KV: kv, Duration: time.Hour, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		all[i] = &rounds{Leases: l, log: LogRaw, consumer: ConsumerRaw}
	}
	return all
}

func newLeaseKV(t *testing.T) schema.KV {
	t.Helper()
	db, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "kv")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// takeShard has a worker take a shard as it finds it.
func takeShard(t *testing.T, r *rounds, shards []stream.Shard) *lease {
	t.Helper()
	if err := r.look(t.Context(), shards, time.Now()); err != nil {
		t.Fatal(err)
	}
	l, err := r.take(t.Context(), shards[0].ID, func(error) {})
	if err != nil || l == nil {
		t.Fatalf("take: %v, %v", l, err)
	}
	return l
}

// TestLostLease holds that a worker which has lost a shard cannot move its
// checkpoint, and is told.
func TestLostLease(t *testing.T) {
	t.Parallel()
	kv := newLeaseKV(t)
	shards := []stream.Shard{{ID: 3, Open: true}}
	workers := newWorkers(t, kv, 2)
	var cause error
	if err := workers[0].look(t.Context(), shards, time.Now()); err != nil {
		t.Fatal(err)
	}
	old, err := workers[0].take(t.Context(), 3, func(err error) { cause = err })
	if err != nil {
		t.Fatal(err)
	}
	if err := old.save(t.Context(), stream.SequenceOf(5)); err != nil {
		t.Fatal(err)
	}
	taken := takeShard(t, workers[1], shards)
	for _, seq := range []uint64{6, 9} {
		if err := old.save(t.Context(), stream.SequenceOf(seq)); !errors.Is(err, errLeaseLost) {
			t.Fatalf("save of a lost lease: %v", err)
		}
	}
	if err := old.renew(t.Context(), 0); !errors.Is(err, errLeaseLost) || !errors.Is(cause, errLeaseLost) {
		t.Errorf("renew of a lost lease: %v; the shard was ended by %v", err, cause)
	}
	if err := old.release(t.Context()); err != nil {
		t.Errorf("release of a lost lease: %v", err)
	}
	if err := taken.save(t.Context(), stream.SequenceOf(7)); err != nil {
		t.Fatal(err)
	}
	if err := taken.save(t.Context(), stream.SequenceOf(6)); err != nil {
		t.Fatal(err)
	}
	seq, _, err := NewCheckpoints(kv, LogRaw).Load(t.Context(), ConsumerRaw, 3)
	if err != nil || seq != stream.SequenceOf(7) {
		t.Errorf("checkpoint %s, %v, want 7", seq, err)
	}
}

// lostAnswers is a KV that stores and says that it does not know.
type lostAnswers struct {
	schema.KV
	lose bool
}

func (k *lostAnswers) Put(ctx context.Context, key string, value []byte, expect uint64) (uint64, error) {
	v, err := k.KV.Put(ctx, key, value, expect)
	if err == nil && k.lose {
		return 0, errors.New("the answer was lost")
	}
	return v, err
}

// TestLeaseWithLostAnswer holds that a lease stays its worker's when what became
// of a write is not known.
func TestLeaseWithLostAnswer(t *testing.T) {
	t.Parallel()
	kv := &lostAnswers{KV: newLeaseKV(t)}
	l := takeShard(t, newWorkers(t, kv, 1)[0], []stream.Shard{{ID: 0, Open: true}})
	kv.lose = true
	if err := l.save(t.Context(), stream.SequenceOf(1)); err == nil {
		t.Fatal("the lost answer was not an error")
	}
	kv.lose = false
	if err := l.save(t.Context(), stream.SequenceOf(2)); err != nil {
		t.Fatalf("save after a lost answer: %v", err)
	}
}

// TestSharing says what a worker takes, by what the others have.
func TestSharing(t *testing.T) {
	t.Parallel()
	const me, other = "me", "other"
	now := time.Now()
	old := now.Add(-2 * time.Hour)
	shard := func(id stream.ShardID, parents ...stream.ShardID) stream.Shard {
		return stream.Shard{ID: id, Parents: parents, Open: true}
	}
	held := func(owner string, since time.Time) seen { return seen{value: checkpoint{Owner: owner}, since: since} }
	done := seen{value: checkpoint{Sequence: stream.EndOfShard}, since: now}
	four := []stream.Shard{shard(0), shard(1), shard(2), shard(3)}
	for name, tt := range map[string]struct {
		shards []stream.Shard
		seen   map[stream.ShardID]seen
		want   []stream.ShardID
	}{
		"alone, all are free":       {four, nil, []stream.ShardID{0, 1, 2, 3}},
		"free ones up to the part":  {four, map[stream.ShardID]seen{0: held(other, now)}, []stream.ShardID{1, 2}},
		"those that have run out":   {four, map[stream.ShardID]seen{0: held(other, now), 1: held("gone", old), 2: held(me, now), 3: held(other, now)}, []stream.ShardID{1}},
		"one of who has most":       {four, map[stream.ShardID]seen{0: held(other, now), 1: held(other, now), 2: held(other, now), 3: held(other, now)}, []stream.ShardID{0}},
		"none of who has one more":  {four[:3], map[stream.ShardID]seen{0: held(me, now), 1: held(other, now), 2: held(other, now)}, nil},
		"none when all is even":     {four, map[stream.ShardID]seen{0: held(me, now), 1: held(me, now), 2: held(other, now), 3: held(other, now)}, nil},
		"no child before parents":   {[]stream.Shard{shard(0), shard(1), shard(2, 0, 1)}, map[stream.ShardID]seen{0: done}, []stream.ShardID{1}},
		"a child after its parents": {[]stream.Shard{shard(0), shard(1), shard(2, 0, 1)}, map[stream.ShardID]seen{0: done, 1: done}, []stream.ShardID{2}},
		"a child of one forgotten":  {[]stream.Shard{shard(5, 4)}, nil, []stream.ShardID{5}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &rounds{Leases: &Leases{cfg: LeasesConfig{Duration: time.Hour}, owner: me}, seen: tt.seen, looked: now}
			mine := map[stream.ShardID]bool{}
			for id, s := range tt.seen {
				mine[id] = s.value.Owner == me
			}
			if got := r.wanted(tt.shards, mine); fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("takes %v, want %v", got, tt.want)
			}
		})
	}
}

// countedCalls is a KV that counts calls.
type countedCalls struct {
	schema.KV
	lists, puts int
}

func (k *countedCalls) List(ctx context.Context, prefix, after string, limit int) ([]schema.Item, error) {
	k.lists++
	return k.KV.List(ctx, prefix, after, limit)
}

func (k *countedCalls) Put(ctx context.Context, key string, value []byte, expect uint64) (uint64, error) {
	k.puts++
	return k.KV.Put(ctx, key, value, expect)
}

// TestLeaseCalls holds that what an idle worker asks of the key-value store is little:
// consumers that look at about the same time list checkpoints once, and what was saved
// just now is not renewed.
func TestLeaseCalls(t *testing.T) {
	t.Parallel()
	kv := &countedCalls{KV: newLeaseKV(t)}
	r := newWorkers(t, kv, 1)[0]
	other := &rounds{Leases: r.Leases, log: LogStaged, consumer: ConsumerDelivery}
	shards := []stream.Shard{{ID: 7, Open: true}}
	l := takeShard(t, r, shards)
	began := time.Now()
	kv.lists, kv.puts = 0, 0
	for _, each := range []*rounds{r, other, r, other} {
		if err := each.look(t.Context(), shards, began); err != nil {
			t.Fatal(err)
		}
	}
	if kv.lists != 1 || r.seen[7].value.Owner != r.owner || other.seen[7].version != 0 {
		t.Errorf("four looks list checkpoints %d times, and find %v and %v", kv.lists, r.seen[7], other.seen[7])
	}
	if err := r.look(t.Context(), shards, time.Now()); err != nil || kv.lists != 2 {
		t.Errorf("a look at what is now: listed %d times, %v", kv.lists, err)
	}
	if err := errors.Join(l.save(t.Context(), stream.SequenceOf(1)), l.renew(t.Context(), time.Hour)); err != nil || kv.puts != 1 {
		t.Errorf("a save and a renewal write %d times, %v", kv.puts, err)
	}
	if err := l.renew(t.Context(), 0); err != nil || kv.puts != 2 {
		t.Errorf("a renewal that is due: written %d times in all, %v", kv.puts, err)
	}
}

// TestRenewalNotAnswered holds that neither the renewal of a shard's lease nor a
// checkpoint that gets no answer costs a worker its other shards.
func TestRenewalNotAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kv := newLeaseKV(t)
		over := &schematest.Hanging{KV: kv}
		mine, other := newWorkers(t, over, 1)[0], newWorkers(t, kv, 1)[0]
		shards := make([]stream.Shard, 8)
		for i := range shards {
			shards[i] = stream.Shard{ID: stream.ShardID(i), Open: true}
		}
		if err := mine.look(t.Context(), shards, time.Now()); err != nil {
			t.Fatal(err)
		}
		w := &worker{rounds: *mine, reading: map[stream.ShardID]*reading{}}
		for _, s := range shards {
			l, err := mine.take(t.Context(), s.ID, func(error) {})
			if err != nil {
				t.Fatal(err)
			}
			w.reading[s.ID] = &reading{lease: l}
		}
		const saving, renewing, rest = 0, 1, 2
		over.Keys = []string{checkpointKey(LogRaw, ConsumerRaw, saving), checkpointKey(LogRaw, ConsumerRaw, renewing)}
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { _ = w.reading[saving].lease.save(ctx, stream.SequenceOf(1)) }) // its answer does not come
		synctest.Wait()
		group.Go(func() { w.renew(ctx) })
		for began := time.Now(); time.Since(began) < 3*mine.cfg.Duration; <-time.After(mine.cfg.Duration / 10) {
			if err := other.look(t.Context(), shards, time.Now()); err != nil {
				t.Fatal(err)
			}
			for _, s := range shards[rest:] {
				if !other.live(other.seen[s.ID]) {
					t.Fatalf("the lease of shard %d, which could be renewed, has run out", s.ID)
				}
			}
		}
		if other.live(other.seen[saving]) || other.live(other.seen[renewing]) {
			t.Error("leases that could not be written have not run out")
		}
		cancel()
		group.Wait()
	})
}
