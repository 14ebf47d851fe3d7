package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

var errDied = errors.New("the process died")

// death lets a process die at its n-th durable step: before it happens or after.
// From then on nothing is written.
type death struct {
	at    int
	after bool
	die   context.CancelFunc

	mu    sync.Mutex
	steps int
	dead  bool
}

func (d *death) step(do func() error) error {
	d.mu.Lock()
	d.steps++
	now := d.steps == d.at
	dead := d.dead || now && !d.after
	d.dead = d.dead || now
	d.mu.Unlock()
	if now {
		defer d.die()
	}
	if dead {
		return errDied
	}
	if err := do(); err != nil {
		return err
	}
	if now {
		return errDied
	}
	return nil
}

type mortalLog struct {
	stream.Log
	death *death
}

func (l mortalLog) Put(ctx context.Context, entries []stream.Entry) (placed []stream.Placed, err error) {
	err = l.death.step(func() error {
		placed, err = l.Log.Put(ctx, entries)
		return err
	})
	return placed, err
}

type mortalCheckpoints struct {
	stream.Checkpoints
	death *death
}

func (c mortalCheckpoints) Save(ctx context.Context, consumer string, shard stream.ShardID, seq stream.Sequence) error {
	return c.death.step(func() error { return c.Checkpoints.Save(ctx, consumer, shard, seq) })
}

type mortalBucket struct {
	objstore.Bucket
	death *death
}

func (b mortalBucket) PutIf(ctx context.Context, key string, data []byte, match objstore.ETag) (tag objstore.ETag, err error) {
	err = b.death.step(func() error {
		tag, err = b.Bucket.PutIf(ctx, key, data, match)
		return err
	})
	return tag, err
}

// mortal puts the stages' durable steps under a death.
func (h *house) mortal(d *death) {
	r, s, v := &h.rawConfig, &h.stagingConfig, &h.deliveryConfig
	r.Staged, r.Errors, s.Errors = mortalLog{r.Staged, d}, mortalLog{r.Errors, d}, mortalLog{s.Errors, d}
	for _, c := range []*stream.Checkpoints{
		&r.Checkpoints, &s.StagedCheckpoints, &s.ErrorsCheckpoints, &v.RawCheckpoints, &v.StagedCheckpoints, &v.ErrorsCheckpoints,
	} {
		*c = mortalCheckpoints{*c, d}
	}
	v.Bucket = mortalBucket{v.Bucket, d}
}

// TestDieAtEveryStep lets the process die before and after each put, object and
// checkpoint, starts it again, and wants every row and error row once, in the
// tail and in the archive.
func TestDieAtEveryStep(t *testing.T) {
	t.Parallel()
	const most = 48
	var mu sync.Mutex
	longest := 0
	t.Run("steps", func(t *testing.T) {
		for at := 1; at <= most; at++ {
			for _, after := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d after=%t", at, after), func(t *testing.T) {
					t.Parallel()
					steps := dieAndRestart(t, at, after)
					mu.Lock()
					longest = max(longest, steps)
					mu.Unlock()
				})
			}
		}
	})
	// A life has some 40 steps; how many are batched together varies.
	if longest < 15 {
		t.Errorf("the longest life had %d steps, want at least 15", longest)
	}
}

func dieAndRestart(t *testing.T, at int, after bool) (steps int) {
	h := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	d := &death{at: at, after: after, die: cancel}
	h.mortal(d)
	stop := h.runUntil(ctx, t, cancel)
	var want []string
	for n := range 6 {
		e := fmt.Sprintf(`{"_id":"i%d","n":%d,"timestamp":%d}`, n, n, 1_700_000_000+n)
		conflict := fmt.Sprintf(`{"_id":"i%d","n":%d,"timestamp":%d}`, n, -1, 1_700_000_000+n)
		h.post(t, fmt.Sprint("r", n), e, `{"_bad":1}`, conflict, e)
		want = append(want, e)
		if n == 2 {
			// Half of the events find the archive, or the process, closed already.
			if err := h.drain.Archived(ctx); err != nil && ctx.Err() == nil {
				t.Fatalf("archive: %v", err)
			}
		}
	}
	if err := errors.Join(h.drain.Archived(ctx), h.drain.Delivery.Flush(ctx)); err != nil && ctx.Err() == nil {
		t.Fatalf("archive: %v", err)
	}
	if err := stop(); err != nil && !errors.Is(err, errDied) {
		t.Fatalf("first life: %v", err)
	}
	h.close(t)

	h = open(t, h.dir)
	h.run(t)
	h.archived(t)
	equal(t, "rows", h.rows(t, metric("m")), want...)
	equal(t, "archived rows", without(h.archivedRows(t, pipeline.LogStaged, h.staged), `"n":-1`), want...)
	errs := h.rows(t, schema.ErrorDataset(tenant))
	kinds := map[string]int{}
	for _, e := range errs {
		for _, kind := range []string{"malformed", "conflict"} {
			if contains(e, fmt.Sprintf(`"kind":%q`, kind)) {
				kinds[kind]++
			}
		}
	}
	if len(errs) != 12 || kinds["malformed"] != 6 || kinds["conflict"] != 6 {
		t.Errorf("%d error rows, %v, want 6 malformed and 6 conflicts", len(errs), kinds)
	}
	equal(t, "archived error rows", h.archivedRows(t, pipeline.LogErrors, h.errors), errs...)
	return d.steps
}

// unsaved are the checkpoints of a process that dies before it saves any.
type unsaved struct{ stream.Checkpoints }

func (unsaved) Save(context.Context, string, stream.ShardID, stream.Sequence) error { return nil }

// TestSchemaChangesBetweenCrashAndRetry stages events, dies before the checkpoint,
// and stages them again after metric and time are read from other fields: the
// second time is bound as the first, by the schema of the arrival, and adds
// nothing. Events that arrive later are bound anew.
func TestSchemaChangesBetweenCrashAndRetry(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	h.rawConfig.Checkpoints = unsaved{h.rawConfig.Checkpoints}
	stop := h.run(t)
	events := []string{
		`{"_id":1,"kind":"other","seen":1600000000,"timestamp":1700000000}`,
		`{"_id":1,"kind":"other","n":2,"seen":1600000000,"timestamp":1700000000}`,
		`{"kind":"other","seen":1600000001,"timestamp":1700000001}`,
		`{"_bad":1,"timestamp":1700000002}`,
	}
	h.post(t, "r1", events...)
	h.archived(t)
	rows, errs := h.rows(t, metric("m")), h.rows(t, schema.ErrorDataset(tenant))
	equal(t, "rows", rows, events[0], events[2])
	if len(errs) != 2 {
		t.Fatalf("error rows %q, want one malformed and one conflict", errs)
	}
	_, err := h.schemas.Change(t.Context(), tenant, "test", "change", func(d *schema.Draft) error {
		return errors.Join(d.SetMetricKeys([]string{"kind"}), d.SetTimestampAliases("", []string{"seen"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	h = h.restart(t, stop)
	h.run(t)
	h.archived(t)
	equal(t, "rows staged again", h.rows(t, metric("m")), rows...)
	equal(t, "rows of what the metric would be now", h.rows(t, metric("other")))
	equal(t, "error rows staged again", h.rows(t, schema.ErrorDataset(tenant)), errs...)
	late := `{"kind":"other","seen":1600000009,"timestamp":1700000009}`
	h.post(t, "r2", late)
	h.visible(t)
	equal(t, "rows that arrive now", h.rows(t, metric("other")), late)
	equal(t, "rows of before", h.rows(t, metric("m")), rows...)
}

func without(lines []string, part string) []string {
	return slices.DeleteFunc(lines, func(l string) bool { return contains(l, part) })
}
