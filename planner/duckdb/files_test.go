package duckdb_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// distant is a bucket of another machine: its objects can be read, but not opened.
type distant struct {
	objstore.Versioned
	fetched atomic.Int64
	down    atomic.Bool
	hold    chan struct{} // if set, ranges wait for it
}

func (d *distant) GetRangeInfo(ctx context.Context, key string, offset, size int64) (io.ReadCloser, objstore.Info, error) {
	if d.down.Load() {
		return nil, objstore.Info{}, errors.New("the network is down")
	}
	if d.hold != nil {
		select {
		case <-d.hold:
		case <-ctx.Done():
			return nil, objstore.Info{}, ctx.Err()
		}
	}
	d.fetched.Add(size)
	return d.Versioned.GetRangeInfo(ctx, key, offset, size)
}

// apart is two worlds over the same files: of one they are its own, the other
// fetches what it reads.
type apart struct {
	near, far *world
	bucket    *distant
	cache     *objstore.Cache
	dir       string // of the cache
	warned    atomic.Int32
}

func newApart(t *testing.T, maxBytes int64) *apart {
	t.Helper()
	a := newApartOf(t, maxBytes, func(files sources.Files) sources.Files { return files })
	t.Cleanup(func() {
		if n := a.warned.Load(); n > 0 {
			t.Errorf("%d statements read what was not fetched", n)
		}
	})
	return a
}

// counter is a log whose entries are counted.
type counter struct {
	slog.Handler
	n *atomic.Int32
}

func (c counter) Enabled(context.Context, slog.Level) bool { return true }

func (c counter) Handle(context.Context, slog.Record) error {
	c.n.Add(1)
	return nil
}

// newApartOf has the far one fetch by something before its files.
func newApartOf(t *testing.T, maxBytes int64, before func(sources.Files) sources.Files) *apart {
	t.Helper()
	objects := t.TempDir()
	dir := newDir(t, objects)
	a := &apart{bucket: &distant{Versioned: dir}, dir: filepath.Join(t.TempDir(), "cache")}
	a.near = newWorldOf(t, nil, lake.Config{Bucket: dir}, newEngine(t, objects))
	var err error
	a.cache, err = objstore.OpenCache(objstore.CacheConfig{Bucket: a.bucket, Dir: a.dir, MaxBytes: maxBytes, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.cache.Close(); err != nil {
			t.Error(err)
		}
	})
	files, err := lake.NewFiles(a.cache, 0)
	if err != nil {
		t.Fatal(err)
	}
	a.far = newWorldOf(t, nil, lake.Config{Bucket: a.bucket, Path: a.cache.Path}, newEngineOf(t, a.dir, before(files), slog.New(counter{slog.DiscardHandler, &a.warned})))
	return a
}

// same asks both and says how many bytes the far one fetched.
func (a *apart) same(sql string) int64 {
	a.far.t.Helper()
	before := a.bucket.fetched.Load()
	got, want := a.far.rows(sql), a.near.rows(sql)
	if !reflect.DeepEqual(got, want) {
		a.far.t.Errorf("%s\n got %v\nwant %v", sql, got, want)
	}
	return a.bucket.fetched.Load() - before
}

// fill makes files of events whose columns differ, the last of several row groups.
func (a *apart) fill(rows int) (bytes int64) {
	a.near.t.Helper()
	for file, n := range []int{50, 70, rows} {
		events := make([]fields, n)
		for i := range events {
			e := fields{"n": i * 7 % 1000, "label": fmt.Sprintf("label %d of %d", i*7919%100_003, file)}
			switch {
			case file == 0 || i%3 == 0:
				e["temp_f"] = float64(i%80) + 0.5
			default:
				e["temp"] = float64(i%50) - 3
			}
			if file == 1 {
				e["big"] = i
			}
			events[i] = e
		}
		a.near.inFile(file*100, events...)
	}
	err := filepath.Walk(filepath.Join(a.path(), "lake"), func(path string, info os.FileInfo, err error) error {
		if err == nil && filepath.Ext(path) == ".parquet" {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		a.near.t.Fatal(err)
	}
	return bytes
}

// path is the folder of the bucket.
func (a *apart) path() string {
	a.near.t.Helper()
	path, err := a.bucket.Versioned.(objstore.Local).Path("lake")
	if err != nil {
		a.near.t.Fatal(err)
	}
	return filepath.Dir(path)
}

// TestFetchedFiles holds that files which hold only what was fetched give what
// whole ones give, and that little more is fetched than is read.
func TestFetchedFiles(t *testing.T) {
	t.Parallel()
	a := newApart(t, 0)
	total := a.fill(300_000)
	// A row is a minute: the second row group begins on day 85.
	first := a.same(`SELECT count(*), sum(n), min(n) FROM weather WHERE timestamp < '2024-01-20'`)
	if first == 0 || first > total/10 {
		t.Errorf("one column of one row group of three: %d bytes of %d fetched", first, total)
	}
	if again := a.same(`SELECT max(n) FROM weather WHERE timestamp < '2024-01-10'`); again != 0 {
		t.Errorf("what is there already: %d bytes fetched", again)
	}
	// More of the same files: the engine must not know them by what it read before.
	if more := a.same(`SELECT sum(n), round(avg(temp)::numeric, 6) FROM weather WHERE timestamp >= '2024-01-01' AND timestamp < '2024-02-01'`); more == 0 {
		t.Error("another column came from nowhere")
	}
	if more := a.same(`SELECT sum(n), round(avg(temp)::numeric, 6), count(DISTINCT n) FROM weather`); more == 0 {
		t.Error("the other row groups came from nowhere")
	}
	for _, sql := range []string{
		`SELECT 1 FROM weather WHERE timestamp > '2024-01-01' LIMIT 3`,
		`SELECT count(*), count(*) FILTER (WHERE timestamp > '2024-02-01') FROM weather`,
		`SELECT timestamp, n, temp FROM weather WHERE timestamp >= '2024-06-01' ORDER BY timestamp DESC LIMIT 7`,
		`SELECT * FROM weather ORDER BY timestamp DESC LIMIT 5`,
		`SELECT label, n FROM weather WHERE n = 993 AND timestamp > '2024-05-01' ORDER BY timestamp LIMIT 20`,
		`SELECT max(label), min(label), count(label) FROM weather WHERE timestamp BETWEEN '2024-04-01' AND '2024-04-02'`,
		`SELECT a.n, count(*) FROM weather a JOIN weather b ON a.timestamp = b.timestamp WHERE a.timestamp < '2024-01-02' GROUP BY 1 ORDER BY 1 LIMIT 9`,
		`SELECT date_trunc('month', timestamp), round(avg(temp)::numeric, 6), max(big) FROM weather GROUP BY 1 ORDER BY 1`,
		`SELECT n, label, temp FROM weather WHERE temp > 48 AND n < 20 ORDER BY label, n, temp LIMIT 11`,
	} {
		a.same(sql)
	}
}

// TestFetchedCounts reads rows without any of their columns.
func TestFetchedCounts(t *testing.T) {
	t.Parallel()
	a := newApart(t, 0)
	total := a.fill(150_000)
	for _, sql := range []string{
		`SELECT count(*) FROM weather`,
		`SELECT 1 FROM weather LIMIT 3`,
		`SELECT count(*) FROM weather a, (SELECT 1 FROM weather LIMIT 2) b`,
		`SELECT EXISTS (SELECT FROM weather)`,
		`SELECT count(*), sum(1) FROM weather HAVING count(*) > 5`,
		`SELECT (SELECT count(*) FROM weather), (SELECT max(n) FROM weather WHERE timestamp < '2024-01-01 00:10')`,
	} {
		if fetched := a.same(sql); fetched > total/10 {
			t.Errorf("%s: %d of %d bytes fetched", sql, fetched, total)
		}
	}
}

// TestFetchedSlices asks for first rows, for which the newest files do: as many as
// it takes.
func TestFetchedSlices(t *testing.T) {
	t.Parallel()
	a := newApart(t, 0)
	const files, each = 30, 4000
	for f := range files {
		events := make([]fields, each)
		for i := range events {
			n := f*each + i
			events[i] = fields{"n": n % 1000, "label": fmt.Sprintf("label %d", n*7919%100_003), "temp": float64(n % 50)}
			if n%30_000 == 17 {
				events[i]["flag"] = true
			}
		}
		// Every third file lies over its neighbour.
		a.near.inFile(f*each-f%3*each/2, events...)
	}
	recent := batch(files*each+5, fields{"n": 1, "label": "recent"}, fields{"n": 2, "label": "more recent"})
	late := batch(100, fields{"n": 3, "label": "late"})
	for _, w := range []*world{a.near, a.far} {
		w.recent = append(w.recent, sources.Split{Batch: &sources.BatchSplit{Batch: recent}}, sources.Split{Batch: &sources.BatchSplit{Batch: late}})
	}
	few := a.same(`SELECT * FROM weather ORDER BY timestamp DESC, label LIMIT 2`)
	if few != 0 {
		t.Errorf("recent rows alone: %d bytes fetched", few)
	}
	few = a.same(`SELECT * FROM weather ORDER BY timestamp DESC, label LIMIT 100`)
	half := a.same(`SELECT timestamp, label, n FROM weather ORDER BY timestamp DESC, label LIMIT 40000`)
	if few == 0 || half == 0 || few > half {
		t.Errorf("%d bytes fetched for a hundred rows, %d more for 40,000", few, half)
	}
	a.cache.Remove("")
	if few = a.same(`SELECT count(*) FROM (SELECT * FROM weather LIMIT 10) x`); few == 0 {
		t.Error("no files were needed")
	}
	a.cache.Remove("")
	one := int64(0)
	if got := a.far.rows(`SELECT n, label FROM weather LIMIT 10`); len(got) != 10 {
		t.Errorf("%d rows of 10", len(got))
	} else if one = a.cache.Used(); one > few/10 {
		t.Errorf("%d bytes held for ten rows of any, where all are %d", one, few)
	}
	for _, sql := range []string{
		`SELECT timestamp, flag FROM weather WHERE flag ORDER BY timestamp DESC LIMIT 3`,
		`SELECT timestamp, flag FROM weather WHERE flag ORDER BY timestamp DESC LIMIT 30`,
		`SELECT timestamp, n FROM weather WHERE timestamp < '2024-02-01' ORDER BY timestamp DESC, label LIMIT 33`,
		`SELECT timestamp AS at, n FROM weather WHERE timestamp >= '2024-02-01' ORDER BY at DESC, label OFFSET 0 LIMIT 7`,
		`SELECT n FROM weather ORDER BY timestamp DESC, label OFFSET 3 LIMIT 7`,
		`SELECT n FROM weather ORDER BY timestamp, label LIMIT 7`,
		`SELECT DISTINCT n FROM weather ORDER BY n DESC LIMIT 7`,
		`SELECT n, row_number() OVER (ORDER BY timestamp, label) FROM weather ORDER BY timestamp DESC, label LIMIT 4`,
		`SELECT n, generate_series(1, 2) FROM weather ORDER BY timestamp DESC, label, 2 LIMIT 4`,
		`SELECT n FROM weather ORDER BY timestamp DESC LIMIT 0`,
		`SELECT n FROM weather WHERE n > 5000 ORDER BY timestamp DESC LIMIT 5`,
		`SELECT n, label FROM weather ORDER BY timestamp DESC, label LIMIT 1000000`,
	} {
		a.cache.Remove("")
		a.same(sql)
	}
	if got := len(a.far.rows(`SELECT n FROM weather WHERE flag LIMIT 100`)); got != files*each/30_000 {
		t.Errorf("%d rows have the flag, want %d", got, files*each/30_000)
	}
}

// TestFetchedGroups asks for times at and around the borders of row groups, each
// with nothing fetched before.
func TestFetchedGroups(t *testing.T) {
	t.Parallel()
	a := newApart(t, 0)
	a.fill(260_000)
	const group, shift = 122_880, 200 // rows of a group, and the minute of the file's first
	for _, minute := range []int{0, shift + group - 1, shift + group, shift + 2*group, 300_000} {
		at := fmt.Sprintf("(timestamptz '2024-01-01 00:00:00+00' + interval '%d minutes')", minute)
		for _, condition := range []string{"timestamp <= " + at, "timestamp < " + at, "timestamp >= " + at, "timestamp > " + at, "timestamp = " + at} {
			a.cache.Remove("")
			a.same("SELECT count(*), sum(n), min(label) FROM weather WHERE " + condition)
			a.same("SELECT n FROM weather WHERE " + condition + " ORDER BY timestamp DESC LIMIT 3")
		}
	}
}

func TestFetchedFilesThatCannotBe(t *testing.T) {
	t.Parallel()
	const small = `SELECT sum(n) FROM weather WHERE timestamp < '2024-01-01 00:50'`
	a := newApart(t, 50_000)
	a.fill(20_000)
	for _, tt := range []struct {
		sql, code string
		down      bool
	}{
		{small, pgerrcode.IOError, true},
		{`SELECT count(*), max(label), sum(n), round(avg(temp)::numeric, 6) FROM weather`, pgerrcode.DiskFull, false},
	} {
		a.bucket.down.Store(tt.down)
		_, err := ask(t.Context(), a.far.session, tt.sql)
		var e *planner.Error
		if !errors.As(err, &e) || e.Code != tt.code {
			t.Errorf("%s: %v, want %s", tt.sql, err, tt.code)
		}
	}
	a.bucket.down.Store(false)
	a.same(small)
	a.cache.Remove("")
	a.bucket.hold = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := make(chan error)
	go func() {
		_, err := ask(ctx, a.far.session, small)
		cancelled <- err
	}()
	cancel()
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Errorf("a fetch that is cancelled: %v", err)
	}
	close(a.bucket.hold)
	a.same(small)
}

// forgetful fetches no column of numbers, as if it had not been told of them, but
// of whole files.
type forgetful struct {
	sources.Files
	whole atomic.Int32
}

func (f *forgetful) Fetch(ctx context.Context, reads []sources.FileRead) (func(), error) {
	told := slices.Clone(reads)
	for i, r := range told {
		if slices.Contains(r.Columns, sources.ColumnHash) {
			f.whole.Add(1)
			continue
		}
		told[i].Columns = slices.DeleteFunc(slices.Clone(r.Columns), func(c string) bool { return c == "i_n" })
	}
	return f.Files.Fetch(ctx, told)
}

// TestFetchedTooLittle has a statement read what was not fetched.
func TestFetchedTooLittle(t *testing.T) {
	t.Parallel()
	var f *forgetful
	a := newApartOf(t, 0, func(files sources.Files) sources.Files {
		f = &forgetful{Files: files}
		return f
	})
	a.fill(20_000)
	a.same(`SELECT sum(n), count(temp) FROM weather WHERE timestamp > '2024-01-02'`)
	if f.whole.Load() == 0 {
		t.Error("nothing was read that had not been fetched")
	}
	a.cache.Remove("")
	a.same(`SELECT n, label FROM weather ORDER BY timestamp DESC, label LIMIT 5`)
}

// TestFetchedFileDamaged damages files between two statements.
func TestFetchedFileDamaged(t *testing.T) {
	t.Parallel()
	a := newApart(t, 0)
	a.fill(20_000)
	const sql = `SELECT count(*), sum(n), max(label) FROM weather`
	a.same(sql)
	err := filepath.Walk(a.dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || filepath.Ext(path) != ".parquet" {
			return err
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteAt(make([]byte, 100), info.Size()/2)
		return errors.Join(err, f.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
	if fetched := a.same(sql); fetched == 0 {
		t.Error("damaged bytes were taken")
	}
}
