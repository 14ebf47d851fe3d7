package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

func TestEventsPassThroughAllStages(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	h.run(t)
	h.post(t, "r1", `{"timestamp":1700000000,"temp":20.5,"label":"a"}`, `{"timestamp":1700000001,"temp":21,"nested":{"x":[1]}}`)
	h.post(t, "r2", `{"timestamp":1700000001,"temp":21,"nested":{"x":[1]}}`, `{"metrictype":"other","up":true}`, `{"up":tru}`)
	h.visible(t)
	want := []string{`{"label":"a","temp":20.5,"timestamp":1700000000}`, `{"nested.x":[1],"temp":21,"timestamp":1700000001}`}
	other := `{"metrictype":"other","up":true}`
	equal(t, "rows of m", h.rows(t, metric("m")), want...)
	equal(t, "rows of other", h.rows(t, metric("other")), other)
	bad := h.rows(t, schema.ErrorDataset(tenant))
	if len(bad) != 1 {
		t.Fatalf("error rows: %q, want one", bad)
	}
	for _, field := range []string{`"event":"{\"up\":tru}"`, `"index":2`, `"kind":"malformed"`, `"receipt":"r2"`, `"stage":"raw"`} {
		if !contains(bad[0], field) {
			t.Errorf("error row %s lacks %s", bad[0], field)
		}
	}
	h.archived(t)
	equal(t, "staged archive", h.archivedRows(t, pipeline.LogStaged, h.staged), want[0], other, want[1])
	equal(t, "error archive", h.archivedRows(t, pipeline.LogErrors, h.errors), bad...)
	observed, err := h.observed.Fields(t.Context(), metric("m"))
	if err != nil || len(observed) != 4 {
		t.Errorf("observed fields of m: %v, %v, want 4", observed, err)
	}
}

func TestRestartRebuildsTheTail(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	stop := h.run(t)
	var want []string
	for n := range 50 {
		e := fmt.Sprintf(`{"n":%d,"timestamp":%d}`, n+10, 1_700_000_000+n)
		h.post(t, fmt.Sprint("r", n), e, e)
		want = append(want, e)
		if n%20 == 10 {
			h = h.restart(t, stop)
			stop = h.run(t)
		}
	}
	h.visible(t)
	equal(t, "rows", h.rows(t, metric("m")), want...)
	h.archived(t)
	equal(t, "archive", h.archivedRows(t, pipeline.LogStaged, h.staged), want...)

	// What compaction has is not read again.
	for shard := range stream.ShardID(shards) {
		end, err := h.staged.Tail(t.Context(), shard, stream.Sequence{})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.checkpoints(pipeline.LogStaged).Save(t.Context(), compaction, shard, end); err != nil {
			t.Fatal(err)
		}
	}
	h = h.restart(t, stop)
	h.run(t)
	late := `{"n":1,"timestamp":1700000100}`
	h.post(t, "late", late)
	h.visible(t)
	equal(t, "rows past compaction", h.rows(t, metric("m")), late)
}

func TestConflictBecomesOneErrorRow(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	stop := h.run(t)
	first, second := `{"_id":"x","n":1,"timestamp":1700000000}`, `{"_id":"x","n":2,"timestamp":1700000000}`
	h.post(t, "r1", first, second, first)
	h.visible(t)
	h.post(t, "r2", second)
	h.visible(t)
	check := func() {
		t.Helper()
		equal(t, "rows", h.rows(t, metric("m")), first)
		errs := h.rows(t, schema.ErrorDataset(tenant))
		if len(errs) != 1 || !contains(errs[0], `"kind":"conflict"`) || !contains(errs[0], `\"n\":2`) || !contains(errs[0], `"stage":"staging"`) {
			t.Errorf("error rows: %q, want one of the conflict", errs)
		}
	}
	check()
	tails := func() (out []stream.Sequence) {
		for shard := range stream.ShardID(shards) {
			tail, err := h.errors.Tail(t.Context(), shard, stream.Sequence{})
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, tail)
		}
		return out
	}
	before := tails()
	h = h.restart(t, stop)
	h.run(t)
	h.visible(t)
	check()
	if after := tails(); !slices.Equal(before, after) {
		t.Errorf("a restart put conflicts again: the error log ends at %v, before at %v", after, before)
	}
}

func TestUnknownSchemaVersionIsOurs(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	h.run(t)
	h.put(t, &record.Raw{
		Tenant: tenant, SchemaVersion: 99, ArrivedAt: arrival, Receipt: "r", Metric: "m",
		Events: [][]byte{[]byte(`{"n":1}`)}, Indexes: []uint32{7},
	})
	h.visible(t)
	errs := h.rows(t, schema.ErrorDataset(tenant))
	if len(errs) != 1 || !contains(errs[0], `"kind":"commit"`) || !contains(errs[0], `"index":7`) {
		t.Errorf("error rows: %q, want one of kind commit", errs)
	}
}

func TestTooManyUndeclaredMetrics(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	h.rawConfig.Observed = admitOnly("m")
	h.run(t)
	h.post(t, "r", `{"n":1}`, `{"metrictype":"other","n":2}`)
	h.visible(t)
	equal(t, "rows", h.rows(t, metric("m")), `{"n":1}`)
	errs := h.rows(t, schema.ErrorDataset(tenant))
	if len(errs) != 1 || !contains(errs[0], "undeclared") || !contains(errs[0], `"kind":"malformed"`) {
		t.Errorf("error rows: %q, want one that says undeclared", errs)
	}
}

func TestErrorRowsNameTheMetric(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, event, metric string }{
		{"not JSON", `{"metrictype":"other","n":`, "m"},
		{"reserved name", `{"metrictype":"other","_n":1}`, "other"},
		{"_id is no text", `{"metrictype":"other","_id":[1]}`, "other"},
		{"time unreadable", `{"metrictype":"other","timestamp":"soon"}`, "other"},
		{"metric unreadable", `{"metrictype":["other"]}`, "m"},
		{"name twice", `{"metrictype":"other","n":1,"n":2}`, "m"},
		{"not admitted", `{"metrictype":"other"}`, "other"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, t.TempDir())
			h.rawConfig.Observed = admitOnly("m")
			h.run(t)
			h.post(t, "r", c.event)
			h.visible(t)
			errs := h.rows(t, schema.ErrorDataset(tenant))
			if len(errs) != 1 || !contains(errs[0], fmt.Sprintf(`"metric":%q`, c.metric)) {
				t.Errorf("error rows: %q, want one of metric %s", errs, c.metric)
			}
		})
	}
}

func TestErrorRowsOfANewTenantAreItsOwn(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	h.run(t)
	conflict := []string{`{"_id":1,"timestamp":1700000000,"v":1}`, `{"_id":1,"timestamp":1700000000,"v":2}`, `{"_x":1}`}
	h.post(t, "r1", conflict...)
	h.visible(t)
	if err := h.schemas.DropTenant(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	if err := h.schemas.AddTenant(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	snapshot, err := h.schemas.Current(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "error rows of the new tenant", h.rows(t, snapshot.ErrorDataset()))
	h.post(t, "r2", conflict...)
	h.visible(t)
	for _, ds := range []schema.Dataset{schema.ErrorDataset(tenant), snapshot.ErrorDataset()} {
		if errs := h.rows(t, ds); len(errs) != 2 {
			t.Errorf("error rows of generation %d: %q, want a conflict and a malformed event", ds.Generation, errs)
		}
	}
}

type admitOnly string

func (a admitOnly) Admit(_ context.Context, _, metric string) bool { return metric == string(a) }

func TestReplayGoesToItsNamespace(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	h.run(t)
	h.put(t, &record.Raw{
		Tenant: tenant, SchemaVersion: h.version(t), ArrivedAt: arrival, Receipt: "r", Metric: "m", Namespace: "again",
		Events: [][]byte{[]byte(`{"n":1}`)}, Indexes: []uint32{0},
	})
	h.visible(t)
	ds := metric("m")
	equal(t, "rows outside the namespace", h.rows(t, ds))
	ds.Namespace = "again"
	equal(t, "rows in the namespace", h.rows(t, ds), `{"n":1}`)
}

// refusingLog refuses records that hold a text, as a store that has a limit of
// its own.
type refusingLog struct {
	stream.Log
	text    string
	refused atomic.Int32
}

func (l *refusingLog) Put(ctx context.Context, entries []stream.Entry) ([]stream.Placed, error) {
	for _, e := range entries {
		if contains(string(e.Data), l.text) {
			l.refused.Add(1)
			return nil, fmt.Errorf("put: %w", stream.ErrTooLarge)
		}
	}
	return l.Log.Put(ctx, entries)
}

func TestRefusedEventHoldsUpNobody(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	log := &refusingLog{Log: h.staged, text: "too much"}
	h.rawConfig.Staged = log
	var refused atomic.Int32
	h.rawConfig.Events.Refused = func(i pipeline.RefusedInfo) {
		if errors.Is(i.Err, stream.ErrTooLarge) {
			refused.Add(1)
		}
	}
	h.run(t)
	h.post(t, "r", `{"n":1}`, `{"n":"too much"}`, `{"n":3}`, `{"n":`)
	h.visible(t)
	equal(t, "rows", h.rows(t, metric("m")), `{"n":1}`, `{"n":3}`)
	errs := h.rows(t, schema.ErrorDataset(tenant))
	if len(errs) != 2 {
		t.Errorf("error rows: %q, want two", errs)
	}
	if n := slices.IndexFunc(errs, func(e string) bool { return contains(e, `"kind":"commit"`) }); n < 0 || !contains(errs[n], "too much") {
		t.Errorf("error rows: %q, want one of kind commit with the event", errs)
	}
	if refused.Load() != 1 || log.refused.Load() != 6 {
		t.Errorf("%d events were given up after %d refusals, want 1 after 3 together and 3 alone", refused.Load(), log.refused.Load())
	}
}

func TestLag(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	h.post(t, "r", `{"n":1}`)
	stop := h.run(t)
	h.archived(t)
	if err := h.drain.Delivery.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	lags := func() (records uint64, n int) {
		for _, lag := range []func(context.Context) ([]pipeline.Lag, error){h.drain.Raw.Lag, h.drain.Staging.Lag, h.drain.Delivery.Lag} {
			list, err := lag(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range list {
				n++
				records += l.Records
			}
		}
		return records, n
	}
	if records, n := lags(); records != 0 || n != 6*shards {
		t.Errorf("%d records behind in %d figures, want 0 in %d", records, n, 6*shards)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	h.post(t, "r", `{"n":2}`)
	if records, _ := lags(); records != 2 {
		t.Errorf("one raw record is behind by %d, want 2: staged and archived", records)
	}
}
