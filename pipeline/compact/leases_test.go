package compact_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/pipeline/compact"
	"github.com/fieldgate/fieldgate/pipeline/lease"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/bolt"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

func newKV(t *testing.T) schema.KV {
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

func newHolder(t *testing.T, kv schema.KV, duration time.Duration) *lease.Holder {
	t.Helper()
	h, err := lease.New(lease.Config{KV: kv, Duration: duration, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// process makes a compactor as another process has it: with a lake and leases of its
// own over the same stores.
func (b *bundle) process(t *testing.T, kv schema.KV, bucket objstore.Bucket, duration time.Duration) (*compact.Compactor, *lease.Holder) {
	t.Helper()
	cfg := b.cfg
	var err error
	if cfg.Lake, err = lake.New(lake.Config{Bucket: bucket, Logger: cfg.Logger}); err != nil {
		t.Fatal(err)
	}
	cfg.Bucket = bucket
	if cfg.Leases, err = lease.New(lease.Config{KV: kv, Duration: duration, Logger: cfg.Logger}); err != nil {
		t.Fatal(err)
	}
	c, err := compact.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c, cfg.Leases
}

// TestCompactorsShare has three processes compact many datasets at once while events
// come, some of them twice. Each event is in the lake once, and was compacted once.
func TestCompactorsShare(t *testing.T) {
	t.Parallel()
	b, kv := setup(t), newKV(t)
	const datasets, rounds = 12, 5
	within, stop := context.WithCancel(t.Context())
	var g errgroup.Group
	all := make([]*compact.Compactor, 3)
	var compacted atomic.Int64
	b.cfg.Events.Compacted = func(_ schema.Dataset, rows, _, _ int) { compacted.Add(int64(rows)) }
	for i := range all {
		c, h := b.process(t, kv, b.bucket, time.Second)
		all[i] = c
		g.Go(func() error { return h.Run(within) })
		g.Go(func() error { return compact.Join(within, h) })
	}
	of := func(n int) schema.Dataset { return schema.Dataset{Tenant: "acme", Metric: fmt.Sprintf("m%d", n)} }
	var want [datasets][]string
	seq := 0
	for round := range rounds {
		var events []schema.Event
		for n := range datasets {
			text := fmt.Sprintf("e%d", round)
			want[n] = append(want[n], text)
			events = append(events, event(of(n), round, text))
			if round > 0 { // again, as it was
				events = append(events, event(of(n), round-1, fmt.Sprintf("e%d", round-1)))
			}
		}
		rand.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		b.deliver(t, 0, seq, events...)
		seq += len(events)
		var working errgroup.Group
		for _, c := range all {
			working.Go(func() error { return c.CompactTo(t.Context(), sources.Watermarks{0: stream.SequenceOf(uint64(seq))}) })
		}
		if err := working.Wait(); err != nil {
			t.Fatal(err)
		}
		b.checkpoint(t, 0, uint64(seq))
	}
	stop()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if n := compacted.Load(); n != datasets*rounds {
		t.Errorf("%d rows were compacted, want %d", n, datasets*rounds)
	}
	for n := range datasets {
		b.want(t, of(n), want[n]...)
		item, err := kv.Get(t.Context(), "leases/datasets/acme/"+of(n).KeyPath())
		if err != nil || strings.Contains(string(item.Value), "owner") {
			t.Errorf("lease of dataset %d: %s, %v, want one that nobody has", n, item.Value, err)
		}
	}
}

// pausedBucket pauses its process before a manifest is written.
type pausedBucket struct {
	objstore.Bucket
	paused, resume chan struct{}
}

func (b *pausedBucket) PutIf(ctx context.Context, key string, data []byte, match objstore.ETag) (objstore.ETag, error) {
	if strings.HasSuffix(key, "/root.json") {
		select {
		case b.paused <- struct{}{}:
		case <-b.resume:
		}
		<-b.resume
	}
	return b.Bucket.PutIf(ctx, key, data, match)
}

// TestPausedCompactor pauses a process just before it commits, until another has
// taken its leases and gone on. When it wakes it commits nothing over the other's.
func TestPausedCompactor(t *testing.T) {
	t.Parallel()
	b, kv := setup(t), newKV(t)
	const duration = 100 * time.Millisecond
	b.deliver(t, 0, 0, event(hot, 1, "one"), event(hot, 2, "two"))
	paused := &pausedBucket{Bucket: b.bucket, paused: make(chan struct{}), resume: make(chan struct{})}
	sleeper, _ := b.process(t, kv, paused, duration) // its leases are not renewed
	other, _ := b.process(t, kv, b.bucket, duration)
	to := sources.Watermarks{0: stream.SequenceOf(2)}
	woke := make(chan error, 1)
	go func() { woke <- sleeper.CompactTo(t.Context(), to) }()
	<-paused.paused
	if err := other.CompactTo(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	b.deliver(t, 0, 2, event(hot, 3, "three"), event(hot, 2, "two"))
	if err := other.CompactTo(t.Context(), sources.Watermarks{0: stream.SequenceOf(4)}); err != nil {
		t.Fatal(err)
	}
	close(paused.resume)
	if err := <-woke; err != nil {
		t.Errorf("the paused compactor: %v", err)
	}
	b.want(t, hot, "one", "three", "two")
	b.checkpoint(t, 0, 4)
}

// TestRequests serves requests of several processes, one that nobody waits for any
// more, and one that fails; and none when no process compacts.
func TestRequests(t *testing.T) {
	t.Parallel()
	kv := newKV(t)
	logger := slog.New(slog.DiscardHandler)
	const long = time.Minute // no lease runs out and nobody loses patience, however slow the store is
	impatient := compact.NewRequests(kv, newHolder(t, kv, long), time.Millisecond, logger)
	if err := impatient.Ask(t.Context()); err != compact.ErrNobody { //nolint:errorlint // the very error
		t.Errorf("without a compactor: %v, want ErrNobody", err)
	}
	requests := compact.NewRequests(kv, newHolder(t, kv, long), long, logger)
	ctx, stop := context.WithCancel(t.Context())
	var g errgroup.Group
	served, joined := make(chan struct{}, 100), make(chan map[string]sources.Watermarks, 100)
	fail := make(chan error, 1)
	for range 2 {
		h := newHolder(t, kv, long)
		s := &compact.Service{
			Requests: compact.NewRequests(kv, h, long, logger), Leases: h,
			Compact: func(ctx context.Context, want func(string, sources.Watermarks) error) error {
				if err := want("staged", sources.Watermarks{1: stream.SequenceOf(5)}); err != nil {
					return err
				}
				select {
				case <-joined: // the other one takes part
				case <-ctx.Done():
					return ctx.Err()
				}
				served <- struct{}{}
				select {
				case err := <-fail:
					return err
				default:
					return nil
				}
			},
			Join: func(_ context.Context, ends map[string]sources.Watermarks) error {
				joined <- ends
				return nil
			},
		}
		g.Go(func() error { return h.Run(ctx) })
		g.Go(func() error { return s.Run(ctx) })
	}
	if err := requests.Ask(t.Context()); err != nil {
		t.Errorf("ask: %v", err)
	}
	<-served
	fail <- fmt.Errorf("the archive burns")
	if err := requests.Ask(t.Context()); err == nil || err.Error() != "the archive burns" {
		t.Errorf("a failure is told as %v", err)
	}
	gone, leave := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer leave()
	if err := requests.Ask(gone); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who leaves is told %v", err)
	}
	stop()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if left, err := kv.List(t.Context(), "compactions/", "", 10); err != nil || len(left) > 0 {
		t.Errorf("requests are left: %v, %v", left, err)
	}
}

// TestRequestsWaitForTheBusy: a request that comes while the only process that
// compacts serves another waits for longer than one may lie where nobody is there.
func TestRequestsWaitForTheBusy(t *testing.T) {
	t.Parallel()
	kv := newKV(t)
	logger := slog.New(slog.DiscardHandler)
	const duration, patience = 10 * time.Second, 100 * time.Millisecond
	requests := compact.NewRequests(kv, newHolder(t, kv, duration), patience, logger)
	h := newHolder(t, kv, duration)
	begun, finish := make(chan struct{}, 10), make(chan struct{})
	s := &compact.Service{
		Requests: requests, Leases: h,
		Compact: func(context.Context, func(string, sources.Watermarks) error) error {
			begun <- struct{}{}
			<-finish
			return nil
		},
	}
	ctx, stop := context.WithCancel(t.Context())
	var serving, asking errgroup.Group
	serving.Go(func() error { return compact.Join(ctx, h) })
	for joined := []schema.Item(nil); len(joined) == 0; {
		var err error
		if joined, err = kv.List(t.Context(), "leases/compactors/", "", 1); err != nil {
			t.Fatal(err)
		}
	}
	serving.Go(func() error { return s.Run(ctx) })
	asking.Go(func() error { return requests.Ask(t.Context()) })
	<-begun
	late := make(chan error, 1)
	asking.Go(func() error {
		err := requests.Ask(t.Context())
		late <- err
		return err
	})
	select {
	case err := <-late:
		t.Errorf("told %v while the process was busy", err)
	case <-time.After(10 * patience):
	}
	close(finish)
	if err := asking.Wait(); err != nil {
		t.Error(err)
	}
	stop()
	if err := serving.Wait(); err != nil {
		t.Error(err)
	}
}

// TestRequestsGiveUpTheDead: who died with its leases is not waited for.
func TestRequestsGiveUpTheDead(t *testing.T) {
	t.Parallel()
	kv := newKV(t)
	dead := newHolder(t, kv, time.Second)
	if l, err := dead.Take(t.Context(), "compactors/"+dead.Owner(), ""); l == nil || err != nil {
		t.Fatal(l, err)
	}
	requests := compact.NewRequests(kv, newHolder(t, kv, 200*time.Millisecond), 400*time.Millisecond, slog.New(slog.DiscardHandler))
	if err := requests.Ask(t.Context()); err != compact.ErrNobody { //nolint:errorlint // the very error
		t.Errorf("told %v, want ErrNobody", err)
	}
}

// TestRequestFormat reads a request as every version does.
func TestRequestFormat(t *testing.T) {
	t.Parallel()
	kv := newKV(t)
	value := fmt.Sprintf(`{"format":1,"asked_at":%q,"beat":3,"ends":{"staged":{"0":"17","4":"9"}}}`, time.Now().UTC().Format(time.RFC3339Nano))
	if _, err := kv.Put(t.Context(), "compactions/x", []byte(value), 0); err != nil {
		t.Fatal(err)
	}
	ends, err := compact.NewRequests(kv, newHolder(t, kv, time.Minute), time.Minute, slog.New(slog.DiscardHandler)).Ends(t.Context())
	if err != nil || ends["staged"][0] != stream.SequenceOf(17) || ends["staged"][4] != stream.SequenceOf(9) {
		t.Errorf("ends %v, %v", ends, err)
	}
}
