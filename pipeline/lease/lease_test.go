package lease_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fieldgate/fieldgate/pipeline/lease"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/schematest"
	"github.com/fieldgate/fieldgate/sources/bolt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

func take(t *testing.T, h *lease.Holder, name string) *lease.Lease {
	t.Helper()
	l, err := h.Take(t.Context(), name, "note")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestTake: one process at a time has a lease, the next one when it is released,
// each with a higher turn.
func TestTake(t *testing.T) {
	t.Parallel()
	kv := newKV(t)
	a, b := newHolder(t, kv, time.Hour), newHolder(t, kv, time.Hour)
	first := take(t, a, "x")
	if first == nil || take(t, a, "x") != nil || take(t, b, "x") != nil {
		t.Fatal("a lease is not one process's alone")
	}
	if other := take(t, b, "y"); other == nil {
		t.Fatal("the lease of another name is not free")
	}
	if note, err := b.Note(t.Context(), "x"); note != "note" || err != nil {
		t.Errorf("note %q, %v", note, err)
	}
	if err := first.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if note, err := b.Note(t.Context(), "x"); note != "" || err != nil {
		t.Errorf("the note of a lease that nobody has is %q, %v", note, err)
	}
	second := take(t, b, "x")
	if second == nil || second.Turn() <= first.Turn() {
		t.Fatalf("a released lease: %v", second)
	}
	if err := first.Check(t.Context()); !errors.Is(err, lease.ErrLost) {
		t.Errorf("a released lease is checked: %v", err)
	}
}

// TestPaused holds that a lease which is not renewed is taken over, and that its
// former owner learns of it; one that is renewed stays.
func TestPaused(t *testing.T) {
	t.Parallel()
	// The time of the bubble stands while the store writes, however long that takes.
	synctest.Test(t, func(t *testing.T) {
		kv := newKV(t)
		const duration = 3 * time.Second
		paused, running, other := newHolder(t, kv, duration), newHolder(t, kv, duration), newHolder(t, kv, duration)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- running.Run(ctx) }()
		left, kept := take(t, paused, "left"), take(t, running, "kept")
		var taken *lease.Lease
		for began := time.Now(); taken == nil; <-time.After(duration / 10) {
			if take(t, other, "kept") != nil {
				t.Fatal("a lease that is renewed was taken over")
			}
			taken = take(t, other, "left")
			if passed := time.Since(began); (taken != nil) != (passed >= duration) {
				t.Errorf("after %s the lease is taken over: %v", passed, taken != nil)
			}
		}
		if taken.Turn() <= left.Turn() {
			t.Errorf("turn %d after %d", taken.Turn(), left.Turn())
		}
		if err := left.Check(t.Context()); !errors.Is(err, lease.ErrLost) {
			t.Errorf("the former owner is told %v", err)
		}
		select {
		case <-left.Lost():
		default:
			t.Error("the lease is not marked lost")
		}
		if err := left.Release(t.Context()); err != nil {
			t.Errorf("release of a lost lease: %v", err)
		}
		if err := taken.Check(t.Context()); err != nil {
			t.Errorf("the new owner lost it by that: %v", err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := kept.Check(t.Context()); err != nil {
			t.Errorf("the renewed lease: %v", err)
		}
	})
}

// TestRenewalNotAnswered holds that one renewal which gets no answer costs no lease but
// its own.
func TestRenewalNotAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kv := newKV(t)
		const duration = 3 * time.Second
		over := &schematest.Hanging{KV: kv}
		running, other := newHolder(t, over, duration), newHolder(t, kv, duration)
		names := []string{"a", "b", "c", "d", "e", "f"}
		for _, name := range append(names, "hung") {
			take(t, running, name)
		}
		over.Keys = []string{"leases/hung"}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- running.Run(ctx) }()
		lost := false
		for began := time.Now(); time.Since(began) < 3*duration; <-time.After(duration / 10) {
			for _, name := range names {
				if take(t, other, name) != nil {
					t.Fatalf("lease %s, which could be renewed, was taken over", name)
				}
			}
			lost = lost || take(t, other, "hung") != nil
		}
		if !lost {
			t.Error("the lease that could not be renewed was not taken over")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestOthers lists who is there, and no longer who has gone.
func TestOthers(t *testing.T) {
	t.Parallel()
	kv := newKV(t)
	const duration = 50 * time.Millisecond
	a, b := newHolder(t, kv, duration), newHolder(t, kv, duration)
	if _, err := a.Take(t.Context(), "there/a", "at a"); err != nil {
		t.Fatal(err)
	}
	if take(t, b, "there/b") == nil || take(t, a, "elsewhere/c") == nil {
		t.Fatal("a lease is taken")
	}
	others, err := b.Others(t.Context(), "there/")
	if err != nil || len(others) != 1 || others["a"] != "at a" {
		t.Fatalf("others %v, %v", others, err)
	}
	for len(others) > 0 {
		if others, err = b.Others(t.Context(), "there/"); err != nil {
			t.Fatal(err)
		}
	}
	if others, err = b.Others(t.Context(), "there/"); err != nil || len(others) > 0 {
		t.Errorf("who has gone is back: %v, %v", others, err)
	}
}

// TestDuty has the second of two take over when the first ends, and both end with
// their contexts.
func TestDuty(t *testing.T) {
	t.Parallel()
	kv := newKV(t)
	const duration = 60 * time.Millisecond
	var stops [2]context.CancelFunc
	began, ended := make(chan int), make(chan error, 2)
	for n := range stops {
		h := newHolder(t, kv, duration)
		ctx, cancel := context.WithCancel(t.Context())
		stops[n] = cancel
		go func() {
			ended <- h.Duty(ctx, "duty", func(ctx context.Context) error {
				began <- n
				<-ctx.Done()
				return ctx.Err()
			})
		}()
	}
	first := <-began
	stops[first]()
	if second := <-began; second == first {
		t.Error("the duty was not taken over")
	}
	stops[1-first]()
	for range stops {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// TestFormat reads and writes a lease as every version does.
func TestFormat(t *testing.T) {
	t.Parallel()
	kv := newKV(t)
	const stored = `{"format":1,"owner":"A","turn":7,"renewed":3,"note":"n"}`
	if _, err := kv.Put(t.Context(), "leases/x", []byte(stored), 0); err != nil {
		t.Fatal(err)
	}
	h := newHolder(t, kv, time.Nanosecond)
	var l *lease.Lease
	for l == nil {
		l = take(t, h, "x")
	}
	item, err := kv.Get(t.Context(), "leases/x")
	if want := `{"format":1,"owner":"` + h.Owner() + `","turn":8,"note":"note"}`; err != nil || string(item.Value) != want {
		t.Errorf("stored %s, %v, want %s", item.Value, err, want)
	}
}
