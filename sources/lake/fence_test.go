package lake_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// TestFence holds that a manifest written under the turn of a lease refuses earlier
// turns, whatever they were worked out from.
func TestFence(t *testing.T) {
	t.Parallel()
	s, _, _ := setup(t)
	base := commit(t, s, 0, 10)
	second, err := s.Commit(t.Context(), base, lake.Commit{Fence: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []*lake.Version{base, second} {
		if _, err := s.Commit(t.Context(), from, lake.Commit{Merge: true, Fence: 1}); !errors.Is(err, lake.ErrStale) {
			t.Errorf("commit of turn 1 after turn 2, from version %d: %v, want ErrStale", from.Version(), err)
		}
	}
	if _, err := s.Commit(t.Context(), second, lake.Commit{Merge: true, Fence: 2}); err != nil {
		t.Errorf("commit of the same turn: %v", err)
	}
}

// pausedBucket pauses before a root is written.
type pausedBucket struct {
	objstore.Bucket
	paused, resume chan struct{}
}

func (b *pausedBucket) PutIf(ctx context.Context, key string, data []byte, match objstore.ETag) (objstore.ETag, error) {
	if strings.HasSuffix(key, "/root.json") {
		b.paused <- struct{}{}
		<-b.resume
	}
	return b.Bucket.PutIf(ctx, key, data, match)
}

// TestPausedCommit pauses a committer at the last moment for longer than the grace.
// Another sweeps its files, which no manifest lists; the committer goes on and must
// not list them.
func TestPausedCommit(t *testing.T) {
	t.Parallel()
	s, bucket, now := setup(t)
	commit(t, s, 0, 10)
	paused := &pausedBucket{Bucket: bucket, paused: make(chan struct{}), resume: make(chan struct{})}
	clock := *now // which stands while the process does
	sleeper, err := lake.New(lake.Config{Bucket: paused, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	base, err := sleeper.Version(t.Context(), thermo)
	if err != nil {
		t.Fatal(err)
	}
	batch, order := batchOf(10, 20, temperature)
	files, err := sleeper.Write(t.Context(), thermo, []*sources.Batch{batch}, order, nil)
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		_, err := sleeper.Commit(t.Context(), base, lake.Commit{Add: files, Fence: 1})
		failed <- err
	}()
	<-paused.paused
	*now = now.Add(2 * time.Hour)
	if n, err := s.Sweep(t.Context(), thermo, 2); err != nil || n < 2 {
		t.Fatalf("sweep: %d objects, %v, want the files and their filters", n, err)
	}
	close(paused.resume)
	if err := <-failed; !errors.Is(err, lake.ErrStale) {
		t.Errorf("the paused commit: %v, want ErrStale", err)
	}
	v, err := s.Version(t.Context(), thermo)
	if err != nil {
		t.Fatal(err)
	}
	listed, err := v.List(t.Context(), sources.Unbounded())
	if err != nil || len(listed) != 1 {
		t.Fatalf("%d files listed, %v, want 1", len(listed), err)
	}
	if _, err := bucket.Head(t.Context(), listed[0].Key); err != nil {
		t.Errorf("%s: %v", listed[0].Key, err)
	}
}

// TestPausedSweep has a sweeper lose its lease before it begins. Who has the lease has
// written files that are older than the grace, and lists them after the sweep.
func TestPausedSweep(t *testing.T) {
	t.Parallel()
	s, bucket, now := setup(t)
	commit(t, s, 0, 10)
	clock := *now // of a committer that is slow, and whose clock stands
	committer, err := lake.New(lake.Config{Bucket: bucket, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	base, err := committer.Version(t.Context(), thermo)
	if err != nil {
		t.Fatal(err)
	}
	if base, err = committer.Commit(t.Context(), base, lake.Commit{Fence: 3}); err != nil {
		t.Fatal(err)
	}
	batch, order := batchOf(10, 20, temperature)
	files, err := committer.Write(t.Context(), thermo, []*sources.Batch{batch}, order, nil)
	if err != nil {
		t.Fatal(err)
	}
	*now = now.Add(2 * time.Hour)
	if n, err := s.Sweep(t.Context(), thermo, 2); n != 0 || !errors.Is(err, lake.ErrStale) {
		t.Errorf("a sweep under the earlier turn: %d objects, %v, want ErrStale", n, err)
	}
	if _, err := committer.Commit(t.Context(), base, lake.Commit{Add: files, Fence: 3}); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, err := bucket.Head(t.Context(), f.Key); err != nil {
			t.Errorf("%s is listed: %v", f.Key, err)
		}
	}
}
