package duckdb_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/planner/duckdb"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/bolt"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/nearline"
	"github.com/fieldgate/fieldgate/sources/objstore"
	"github.com/fieldgate/fieldgate/sources/vfs"
)

// world is a tenant with one metric whose rows lie in files of a real lake and in
// batches, as a test puts them there.
type world struct {
	t       testing.TB
	engine  *duckdb.Engine
	lake    *lake.Store
	recent  []sources.Split // of nearline
	tail    *nearline.Tail  // in place of them, if there is one
	planner *planner.Planner
	session *planner.Session
	written int
}

var weather = schema.Dataset{Tenant: "t", Metric: "weather"}

const weatherTable = `CREATE TABLE weather (timestamp timestamptz, temp double precision, n integer, big bigint, label text,
	short varchar(3), flag boolean, at timestamptz, local timestamp, day date, amount numeric, price numeric(10,2), doc jsonb, uid uuid, gap interval, f real)`

func newWorld(t testing.TB, settings map[string]string) *world {
	t.Helper()
	dir := t.TempDir()
	return newWorldOf(t, settings, lake.Config{Bucket: newDir(t, dir)}, newEngine(t, dir))
}

func newDir(t testing.TB, dir string) *objstore.Dir {
	t.Helper()
	bucket, err := objstore.OpenDir(objstore.DirConfig{Root: dir, FS: vfs.OS{}})
	if err != nil {
		t.Fatal(err)
	}
	return bucket
}

func newWorldOf(t testing.TB, settings map[string]string, cfg lake.Config, engine *duckdb.Engine) *world {
	t.Helper()
	w := &world{t: t, engine: engine}
	cfg.Logger = slog.New(slog.DiscardHandler)
	var err error
	if w.lake, err = lake.New(cfg); err != nil {
		t.Fatal(err)
	}
	kv, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "kv")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kv.Close() }) // its file goes with the directory
	schemas, err := schema.NewStore(kv, schema.StoreConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if err := schemas.AddTenant(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	observed, err := schema.NewObserved(kv, schema.ObservedConfig{Schemas: schemas})
	if err != nil {
		t.Fatal(err)
	}
	p, err := planner.New(planner.Config{Schemas: schemas, Observed: observed, Engine: w.engine, Nearline: w, Lake: w.lake})
	if err != nil {
		t.Fatal(err)
	}
	w.planner = p
	w.session = w.newSession(settings)
	w.rows(weatherTable)
	w.rows(`SELECT fieldgate.add_alias('weather', 'temp', 'temp_f', '(value - 32) * 5 / 9')`)
	return w
}

// newSession is one more session of the tenant.
func (w *world) newSession(settings map[string]string) *planner.Session {
	w.t.Helper()
	s, err := w.planner.NewSession(planner.Identity{Tenant: "t", User: "u", Owner: true}, startup(settings), planner.Client{PID: 1})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.Close)
	return s
}

// Pin, Splits and Window make the world the nearline of its planner.
func (w *world) Pin(ctx context.Context, datasets []schema.Dataset) (sources.Pin, error) {
	if w.tail != nil {
		return w.tail.Pin(ctx, datasets)
	}
	return w, nil
}

func (w *world) Splits(_ context.Context, ds schema.Dataset, _ sources.Watermarks, _ sources.Filter) (sources.Recent, error) {
	if ds != weather {
		return sources.Recent{}, nil
	}
	return sources.Recent{Splits: w.recent}, nil
}

func (w *world) Window(context.Context, schema.Dataset, sources.Watermarks, sources.Filter) (sources.Recent, bool, error) {
	return sources.Recent{}, false, nil
}

func (w *world) Release() {}

// rows asks and returns the answer's rows.
func (w *world) rows(sql string) [][]string {
	w.t.Helper()
	a, err := ask(w.t.Context(), w.session, sql)
	if err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	return a.rows
}

func (w *world) want(sql string, want ...string) {
	w.t.Helper()
	var got []string
	for _, r := range w.rows(sql) {
		got = append(got, fmt.Sprint(r))
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("%s\n got %q\nwant %q", sql, got, want)
	}
}

// fields are the values of one event by sent name: int, float64, bool, string,
// or jsonText.
type fields map[string]any

type jsonText string

// start is the time of event 0; event n comes n minutes later.
var start = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

func idOf(n int) (id schema.ID) {
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

// batch makes the events first, first+1, ….
func batch(first int, events ...fields) *sources.Batch {
	var b sources.Builder
	for i, f := range events {
		n := first + i
		at := start.Add(time.Duration(n) * time.Minute).UnixMicro()
		e := schema.Event{Dataset: weather, Time: at, ReceivedAt: at + 1, ID: idOf(n), Hash: idOf(n)}
		for name, v := range f {
			e.Values = append(e.Values, valueOf(name, v))
		}
		slices.SortFunc(e.Values, func(a, b schema.Value) int { return cmpNames(a.Name, b.Name) })
		b.Add(&e, stream.Position{Seq: stream.SequenceOf(uint64(n))})
	}
	return b.Batch()
}

func cmpNames(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

func valueOf(name string, v any) schema.Value {
	out := schema.Value{Name: name}
	switch v := v.(type) {
	case int:
		out.Kind, out.Int = schema.KindInt, int64(v)
	case float64:
		out.Kind, out.Num = schema.KindNumber, v
	case bool:
		out.Kind = schema.KindBool
		if v {
			out.Int = 1
		}
	case string:
		out.Kind, out.Text = schema.KindText, []byte(v)
	case jsonText:
		out.Kind, out.Text = schema.KindJSON, []byte(v)
	}
	return out
}

// inFile puts events into a file of their own.
func (w *world) inFile(first int, events ...fields) {
	w.t.Helper()
	b := batch(first, events...)
	order := make([]lake.Row, b.Rows)
	for i := range order {
		order[i].Row = uint32(i)
	}
	w.commit(b, order)
}

func (w *world) commit(b *sources.Batch, order []lake.Row) {
	w.t.Helper()
	base, err := w.lake.Version(w.t.Context(), weather)
	if err != nil {
		w.t.Fatal(err)
	}
	files, err := w.lake.Write(w.t.Context(), weather, []*sources.Batch{b}, order, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	from := w.written
	w.written++
	_, err = w.lake.Commit(w.t.Context(), base, lake.Commit{
		Add:  files,
		From: sources.Watermarks{0: stream.SequenceOf(uint64(from))}, To: sources.Watermarks{0: stream.SequenceOf(uint64(w.written))},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// inBatch puts events into nearline's memory.
func (w *world) inBatch(first int, events ...fields) *sources.BatchSplit {
	split := &sources.BatchSplit{Batch: batch(first, events...)}
	w.recent = append(w.recent, sources.Split{Batch: split})
	return split
}
