package ingest_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/schema"
)

func TestIdempotencyRepeated(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	body := []byte("{\"a\":1}\n{\"b\":}\n")
	first := b.post(t, "/v1/events", body, "Idempotency-Key", "k1")
	if first.Code != http.StatusOK {
		t.Fatalf("status %d: %s", first.Code, first.Body)
	}
	b.advance(23 * time.Hour)
	b.restart(t, nil)
	for _, headers := range [][]string{
		{"Idempotency-Key", "k1"},
		{"Idempotency-Key", "k1", "Content-Type", "application/x-ndjson"},
	} {
		again := b.post(t, "/v1/events", body, headers...)
		if again.Code != http.StatusOK || again.Body.String() != first.Body.String() {
			t.Errorf("again: status %d: %s, want %s", again.Code, again.Body, first.Body)
		}
	}
	if again := b.post(t, "/v1/events", gzipped(t, body), "Idempotency-Key", "k1", "Content-Encoding", "gzip"); again.Body.String() != first.Body.String() {
		t.Errorf("compressed: status %d: %s", again.Code, again.Body)
	}
	if got := b.events(t); len(got) != 1 {
		t.Errorf("stored %q, want one event", got)
	}
	for what, w := range map[string]int{
		"another body": b.post(t, "/v1/events", []byte(`{"a":2}`), "Idempotency-Key", "k1").Code,
		"another path": b.post(t, "/v1/events/m", body, "Idempotency-Key", "k1").Code,
	} {
		if w != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", what, w)
		}
	}
	for what, headers := range map[string][]string{
		"another key":    {"Idempotency-Key", "k2"},
		"another tenant": {"Idempotency-Key", "k1", "Authorization", "Bearer " + string(b.globex)},
	} {
		if w := b.post(t, "/v1/events", body, headers...); w.Code != http.StatusOK || w.Body.String() == first.Body.String() {
			t.Errorf("%s: status %d: %s", what, w.Code, w.Body)
		}
	}
	if got := b.events(t); len(got) != 3 {
		t.Errorf("stored %q, want three events", got)
	}
}

// identities are the ids that the stored events will have, each with how often it is stored.
func identities(t *testing.T, records []record.Raw) map[schema.ID]int {
	t.Helper()
	ids := map[schema.ID]int{}
	for _, r := range records {
		binder := record.NewBinder(&schema.Snapshot{Tenant: r.Tenant, Version: r.SchemaVersion})
		for i, event := range r.Events {
			values, err := new(record.Flattener).Flatten(nil, event)
			if err != nil {
				t.Fatal(err)
			}
			bound, err := binder.Bind(values, r.Metric, r.ArrivedAt)
			if err != nil {
				t.Fatal(err)
			}
			id, _ := new(record.Identifier).Identify(values, bound.OwnTime, r.Receipt, r.Indexes[i])
			ids[id]++
		}
	}
	return ids
}

// The process dies after the events are durable and before the answer is kept, or before both: the repeated request
// gives the same rows, also of events without a time.
func TestIdempotencyAfterCrash(t *testing.T) {
	t.Parallel()
	for name, stored := range map[string]bool{"stored": true, "not stored": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log flakyLog
			b := setup(t, func(c *ingest.Config) {
				log.Log = c.Log
				c.Log = &log
			})
			body := []byte(`[{"a":1},{"a":1}]`)
			log.failNext(errPut, stored)
			if w := b.post(t, "/v1/events/m", body, "Idempotency-Key", "k"); w.Code != http.StatusServiceUnavailable {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			b.advance(time.Minute)
			if _, err := b.schemas.Change(t.Context(), "acme", "me", "declare", func(d *schema.Draft) error {
				return d.CreateMetric(schema.Metric{Name: "m"})
			}); err != nil {
				t.Fatal(err)
			}
			b.restart(t, nil)
			first := b.post(t, "/v1/events/m", body, "Idempotency-Key", "k")
			second := b.post(t, "/v1/events/m", body, "Idempotency-Key", "k")
			if first.Code != http.StatusOK || first.Body.String() != second.Body.String() {
				t.Errorf("answers %d %s and %s", first.Code, first.Body, second.Body)
			}
			copies := 1
			if stored {
				copies = 2
			}
			records := b.stored(t)
			ids := identities(t, records)
			if len(records) != copies || len(ids) != 2 {
				t.Errorf("%d records with %d identities, want %d with 2", len(records), len(ids), copies)
			}
			for _, r := range records {
				if r.ArrivedAt != 1_790_000_000_000_000 || r.Receipt != parse(t, first).Receipt || r.SchemaVersion != records[0].SchemaVersion {
					t.Errorf("record %+v is not stamped as it was first", r)
				}
			}
		})
	}
}

func TestIdempotencyConcurrent(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	const requests = 16
	answers := make([]string, requests)
	var wait sync.WaitGroup
	for i := range requests {
		wait.Go(func() {
			answers[i] = b.post(t, "/v1/events", []byte(`{"a":1}`), "Idempotency-Key", "k").Body.String()
		})
	}
	wait.Wait()
	slices.Sort(answers)
	if answers[0] != answers[requests-1] {
		t.Errorf("answers %s and %s", answers[0], answers[requests-1])
	}
	if got := b.events(t); len(got) != 1 {
		t.Errorf("stored %q, want one event", got)
	}
}

// Refused requests keep nothing, so that what was wrong can be put right under the same key.
func TestIdempotencyRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	if w := b.post(t, "/v1/events", []byte("hello"), "Idempotency-Key", "k"); w.Code != http.StatusBadRequest {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if w := b.post(t, "/v1/events", []byte(`{"a":1}`), "Idempotency-Key", "k"); w.Code != http.StatusOK {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func TestIdempotencyExpires(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	first := b.post(t, "/v1/events", []byte(`{"a":1}`), "Idempotency-Key", "old")
	b.advance(12 * time.Hour)
	kept := b.post(t, "/v1/events", []byte(`{"a":1}`), "Idempotency-Key", "kept")
	b.advance(12 * time.Hour)
	again := b.post(t, "/v1/events", []byte(`{"a":2}`), "Idempotency-Key", "old")
	if again.Code != http.StatusOK || again.Body.String() == first.Body.String() {
		t.Errorf("after 24 hours: status %d: %s", again.Code, again.Body)
	}
	b.post(t, "/v1/events", []byte(`{"a":3}`), "Idempotency-Key", "other")
	b.advance(12*time.Hour - time.Second)

	// A sweep removes what is past its time and nothing else.
	items := func() int {
		all, err := b.kv.List(t.Context(), "idempotency/", "", 100)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	if n := items(); n != 3 {
		t.Errorf("%d reservations, want 3", n)
	}
	b.advance(time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	swept := sweepSignal{KV: b.kv, done: cancel}
	b.restart(t, func(c *ingest.Config) { c.KV = &swept })
	if err := b.handler.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if n := items(); n != 2 {
		t.Errorf("%d reservations after the sweep, want 2", n)
	}
	if w := b.post(t, "/v1/events", []byte(`{"a":1}`), "Idempotency-Key", "kept"); w.Body.String() == kept.Body.String() {
		t.Error("a swept key is still known")
	}
}

// sweepSignal ends a Run once it has deleted something.
type sweepSignal struct {
	schema.KV
	done func()
}

func (s *sweepSignal) Delete(ctx context.Context, key string, expect uint64) error {
	defer s.done()
	return s.KV.Delete(ctx, key, expect)
}

// A tenant that has the name of one that was dropped knows nothing of its requests: the same key with the same body is
// stored, and with another body is no misuse.
func TestIdempotencyKeyOfFormerTenant(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	body := []byte(`{"a":1}`)
	former := map[string]string{}
	for _, key := range []string{"same", "other"} {
		w := b.post(t, "/v1/events", body, "Idempotency-Key", key)
		if w.Code != http.StatusOK {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		former[key] = w.Body.String()
	}
	if err := errors.Join(b.schemas.DropTenant(t.Context(), "acme"), b.keys.RevokeAll(t.Context(), "acme")); err != nil {
		t.Fatal(err)
	}
	if err := b.schemas.AddTenant(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	var err error
	if b.acme, _, err = b.keys.Add(t.Context(), "acme", "", []ingest.Scope{ingest.ScopeIngest}); err != nil {
		t.Fatal(err)
	}
	for key, body := range map[string]string{"same": `{"a":1}`, "other": `{"a":2}`} {
		first := b.post(t, "/v1/events", []byte(body), "Idempotency-Key", key)
		if first.Code != http.StatusOK || first.Body.String() == former[key] {
			t.Errorf("%s: status %d: %s", key, first.Code, first.Body)
		}
		if again := b.post(t, "/v1/events", []byte(body), "Idempotency-Key", key); again.Body.String() != first.Body.String() {
			t.Errorf("%s again: status %d: %s, want %s", key, again.Code, again.Body, first.Body)
		}
	}
	if got := b.events(t); len(got) != 4 {
		t.Errorf("stored %q, want four events", got)
	}
}
