package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/bolt"
	"github.com/fieldgate/fieldgate/sources/nearline"
	"github.com/fieldgate/fieldgate/sources/nearline/nearlinetest"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	tenant = "acme"
	shards = 2
	// compaction is the consumer from whose checkpoints the tail is rebuilt.
	compaction = "compact"
	// arrival is when every test event arrives, microseconds since 1970 UTC.
	arrival = int64(1_700_000_000_000_000)
)

// house is the embedded stores in one directory, and the stages over them.
type house struct {
	dir                 string
	raw, staged, errors *stream.Disk
	kv                  *bolt.DB
	bucket              objstore.Bucket
	schemas             *schema.Store
	observed            *schema.Observed

	rawConfig      pipeline.RawConfig
	stagingConfig  pipeline.StagingConfig
	deliveryConfig pipeline.DeliveryConfig

	tail  *nearline.Tail
	drain pipeline.Drain
	done  bool
}

// open opens the stores in a directory. Tests change the configurations before
// they call run.
func open(t testing.TB, dir string) *house {
	t.Helper()
	h := &house{dir: dir}
	var err error
	must := func() {
		if t.Helper(); err != nil {
			t.Fatal(err)
		}
	}
	log := func(name string) *stream.Disk {
		var d *stream.Disk
		d, err = stream.OpenDisk(stream.DiskConfig{Dir: filepath.Join(dir, name), Shards: shards})
		must()
		return d
	}
	h.raw, h.staged, h.errors = log("raw"), log("staged"), log("errors")
	h.kv, err = bolt.Open(bolt.Config{Path: filepath.Join(dir, "kv")})
	must()
	h.bucket, err = objstore.OpenDir(objstore.DirConfig{Root: filepath.Join(dir, "objects")})
	must()
	h.schemas, err = schema.NewStore(h.kv, schema.StoreConfig{})
	must()
	h.observed, err = schema.NewObserved(h.kv, schema.ObservedConfig{Schemas: h.schemas})
	must()
	if err = h.schemas.AddTenant(t.Context(), tenant); errors.Is(err, schema.ErrExists) {
		err = nil
	}
	must()
	h.tail, err = nearline.NewTail(nearline.Config{})
	must()
	h.configure()
	t.Cleanup(func() { h.close(t) })
	return h
}

func (h *house) configure() {
	raw, staged, errs := h.checkpoints(pipeline.LogRaw), h.checkpoints(pipeline.LogStaged), h.checkpoints(pipeline.LogErrors)
	h.rawConfig = pipeline.RawConfig{
		Raw: h.raw, Staged: h.staged, Errors: h.errors, Checkpoints: raw, Schemas: h.schemas, Observed: h.observed,
	}
	h.stagingConfig = pipeline.StagingConfig{
		Staged: h.staged, Errors: h.errors, StagedCheckpoints: staged, ErrorsCheckpoints: errs, From: compaction,
		Tables: h.tail, Observed: h.observed, Schemas: h.schemas,
	}
	h.deliveryConfig = pipeline.DeliveryConfig{
		Raw: h.raw, Staged: h.staged, Errors: h.errors,
		RawCheckpoints: raw, StagedCheckpoints: staged, ErrorsCheckpoints: errs, Bucket: h.bucket,
	}
}

func (h *house) checkpoints(log string) stream.Checkpoints { return pipeline.NewCheckpoints(h.kv, log) }

// close closes the stores; the stages must have ended. A second one does nothing.
func (h *house) close(t testing.TB) {
	t.Helper()
	if h.done {
		return
	}
	h.done = true
	if err := errors.Join(h.raw.Close(), h.staged.Close(), h.errors.Close(), h.kv.Close()); err != nil {
		t.Errorf("close: %v", err)
	}
}

// run starts the stages and gives what stops them and their error.
func (h *house) run(t *testing.T) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	return h.runUntil(ctx, t, cancel)
}

func (h *house) runUntil(ctx context.Context, t *testing.T, cancel context.CancelFunc) (stop func() error) {
	t.Helper()
	var err error
	if h.drain.Raw, err = pipeline.NewRaw(h.rawConfig); err != nil {
		t.Fatal(err)
	}
	if h.drain.Staging, err = pipeline.NewStaging(h.stagingConfig); err != nil {
		t.Fatal(err)
	}
	if h.drain.Delivery, err = pipeline.NewDelivery(h.deliveryConfig); err != nil {
		t.Fatal(err)
	}
	g, within := errgroup.WithContext(ctx)
	g.Go(func() error { return h.drain.Raw.Run(within) })
	g.Go(func() error { return h.drain.Staging.Run(within) })
	g.Go(func() error { return h.drain.Delivery.Run(within) })
	stopped := false
	stop = func() error {
		stopped = true
		cancel()
		return g.Wait()
	}
	t.Cleanup(func() {
		if stopped {
			return
		}
		if err := stop(); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return stop
}

// restart closes everything and opens it again.
func (h *house) restart(t *testing.T, stop func() error) *house {
	t.Helper()
	if err := stop(); err != nil {
		t.Errorf("run: %v", err)
	}
	h.close(t)
	return open(t, h.dir)
}

// post puts events into the raw log as one request does.
func (h *house) post(t *testing.T, receipt string, events ...string) {
	t.Helper()
	raw := record.Raw{Tenant: tenant, SchemaVersion: h.version(t), ArrivedAt: arrival, Receipt: receipt, Metric: "m"}
	for i, e := range events {
		raw.Events = append(raw.Events, []byte(e))
		raw.Indexes = append(raw.Indexes, uint32(i))
	}
	h.put(t, &raw)
}

func (h *house) put(t *testing.T, raw *record.Raw) {
	t.Helper()
	hash := record.PartitionHash(int64(len(raw.Events)), schema.ID{byte(len(raw.Receipt)), raw.Receipt[len(raw.Receipt)-1]})
	if _, err := h.raw.Put(t.Context(), []stream.Entry{{Hash: hash, Data: record.AppendRaw(nil, raw)}}); err != nil {
		t.Fatalf("post: %v", err)
	}
}

func (h *house) version(t *testing.T) uint64 {
	t.Helper()
	s, err := h.schemas.Current(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return s.Version
}

func (h *house) visible(t *testing.T) {
	t.Helper()
	if err := h.drain.Visible(t.Context()); err != nil {
		t.Fatalf("wait until visible: %v", err)
	}
}

func (h *house) archived(t *testing.T) {
	t.Helper()
	if err := h.drain.Archived(t.Context()); err != nil {
		t.Fatalf("wait until archived: %v", err)
	}
}

func metric(name string) schema.Dataset { return schema.Dataset{Tenant: tenant, Metric: name} }

// rows prints the rows of a dataset in the tail, sorted.
func (h *house) rows(t *testing.T, ds schema.Dataset) []string {
	t.Helper()
	p, err := h.tail.Pin(t.Context(), []schema.Dataset{ds})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	var out []string
	for _, r := range nearlinetest.Read(t, p, ds, nil, nearlinetest.Within(sources.Unbounded())) {
		out = append(out, printed(&r.Event))
	}
	slices.Sort(out)
	return out
}

// printed is an event's fields as JSON; of an error row, what does not depend on
// when it was handled.
func printed(e *schema.Event) string {
	values := slices.Clone(e.Values)
	if e.Dataset.Namespace == schema.NamespaceErrors || slices.ContainsFunc(values, named("handled_at")) {
		values = slices.DeleteFunc(values, func(v schema.Value) bool {
			return v.Name == "handled_at" || v.Name == "event_bytes"
		})
	}
	return string(record.AppendEvent(nil, values))
}

func named(name string) func(schema.Value) bool {
	return func(v schema.Value) bool { return v.Name == name }
}

// archivedRows prints the distinct events of an archive, sorted, and holds its
// objects to an unbroken chain up to the end of the log.
func (h *house) archivedRows(t *testing.T, archive string, log stream.Log) []string {
	t.Helper()
	infos, err := h.bucket.List(t.Context(), record.ArchivePrefix(archive), "", 10_000)
	if err != nil {
		t.Fatal(err)
	}
	through := map[stream.ShardID]stream.Sequence{}
	distinct := map[string]string{}
	for _, info := range infos {
		o, err := record.ParseObjectKey(info.Key)
		if err != nil {
			t.Fatal(err)
		}
		if o.After.Compare(through[o.Shard]) > 0 {
			t.Errorf("archive %s has a gap: after %s comes %s", archive, through[o.Shard], info.Key)
		}
		if o.Through.Compare(through[o.Shard]) > 0 {
			through[o.Shard] = o.Through
		}
		h.readObject(t, info.Key, func(pos stream.Position, e *schema.Event) {
			if pos.Seq.Compare(o.After) <= 0 || pos.Seq.Compare(o.Through) > 0 {
				t.Errorf("%s holds %s", info.Key, pos)
			}
			distinct[fmt.Sprint(e.Dataset, e.Time, e.ID)] = printed(e)
		})
	}
	for shard := range stream.ShardID(shards) {
		if tail, err := log.Tail(t.Context(), shard, stream.Sequence{}); err != nil || through[shard] != tail {
			t.Errorf("archive %s goes through %s of shard %d, the log through %s, %v", archive, through[shard], shard, tail, err)
		}
	}
	return slices.Sorted(maps.Values(distinct))
}

func (h *house) readObject(t *testing.T, key string, each func(pos stream.Position, e *schema.Event)) {
	t.Helper()
	body, _, err := h.bucket.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	r, err := record.NewStagedReader(body)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	err = r.Read(func(pos stream.Position, e *schema.Event) bool {
		each(pos, e)
		return true
	})
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("read %s: %v", key, err)
	}
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%q\nwant\n%q", what, got, want)
	}
}
