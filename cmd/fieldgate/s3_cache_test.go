package main

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// coldLake is a table cold(a, b, c) whose rows lie in one Parquet file of three row
// groups on S3, and whose server is down, with nothing in its cache.
type coldLake struct {
	dir    string // the server's data directory
	adjust func(*config.Config)
	proxy  *faultproxy.Proxy // before the S3 server

	values [3][]int64 // by column

	mu    sync.Mutex
	reads map[string][]objstore.Range // of Parquet files, by path
}

const (
	coldRows = 260_000
	// coldGroup is about a row group. A row is a second.
	coldGroup = 122_880
)

// coldFrom is the first row's time.
func coldFrom() time.Time { return time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC) }

func newColdLake(t *testing.T, server string) *coldLake {
	t.Helper()
	l := &coldLake{dir: t.TempDir(), reads: map[string][]objstore.Range{}}
	s3 := onS3At(t, server)
	i := start(t, l.dir, s3)
	i.query(t, `create table cold (a bigint, b bigint, c bigint)`)
	c := i.c
	i.close(t)
	l.write(t, &c)
	l.proxy = faultproxy.Start(t, server, l.note)
	l.adjust = func(c *config.Config) {
		s3(c)
		c.Objects.Endpoint = l.proxy.URL
	}
	return l
}

// write writes the file, of random numbers.
func (l *coldLake) write(t *testing.T, c *config.Config) {
	t.Helper()
	open, err := stores.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := open.Close(); err != nil {
			t.Error(err)
		}
	}()
	random := rand.New(rand.NewPCG(1, 1))
	times, ids := make([]int64, coldRows), make([]schema.ID, coldRows)
	for i := range times {
		times[i] = coldFrom().Add(time.Duration(i) * time.Second).UnixMicro()
		binary.LittleEndian.PutUint64(ids[i][:], random.Uint64())
	}
	b := sources.NewBuilder(times, times, ids, ids)
	for n := range l.values {
		column := b.At(b.Column(string(rune('a'+n)), schema.KindInt))
		for i := range times {
			v := random.Int64N(1e9)
			l.values[n] = append(l.values[n], v)
			column.SetInt(i, v)
		}
	}
	batches := []*sources.Batch{b.Batch()}
	ds := schema.Dataset{Tenant: "demo", Metric: "cold"}
	files, err := open.Lake.Write(t.Context(), ds, batches, lake.Order(batches, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := open.Lake.Version(t.Context(), ds)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open.Lake.Commit(t.Context(), v, lake.Commit{Add: files}); err != nil {
		t.Fatal(err)
	}
}

// note is the proxy's decision: nothing befalls a request, and what it reads of
// Parquet files is noted.
func (l *coldLake) note(r faultproxy.Request) faultproxy.Fault {
	if r.Operation != "GET" || !strings.HasSuffix(r.Path, ".parquet") {
		return faultproxy.Fault{}
	}
	var from, last int64
	if _, err := fmt.Sscanf(r.Range, "bytes=%d-%d", &from, &last); err != nil {
		from, last = 0, 1<<62 // the whole object
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads[r.Path] = append(l.reads[r.Path], objstore.Range{Offset: from, Size: last + 1 - from})
	return faultproxy.Fault{}
}

// fetched is how many bytes were read, and how many of them for another time.
func (l *coldLake) fetched() (all, twice int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ranges := range l.reads {
		ranges = slices.Clone(ranges)
		slices.SortFunc(ranges, func(a, b objstore.Range) int { return int(a.Offset - b.Offset) })
		var end int64
		for _, r := range ranges {
			all += r.Size
			twice += max(0, min(end, r.End())-r.Offset)
			end = max(end, r.End())
		}
	}
	return all, twice
}

// forget begins to note anew.
func (l *coldLake) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.reads)
}

// coldQuery sums columns up over rows; its answer is known.
type coldQuery struct {
	columns  []int
	from, to int // rows
}

func (q coldQuery) sql() string {
	var sums []string
	for _, c := range q.columns {
		sums = append(sums, fmt.Sprintf("sum(%c)", 'a'+c))
	}
	text := "select count(*), " + strings.Join(sums, ", ") + " from cold"
	if q.from > 0 || q.to < coldRows {
		at := func(row int) string { return coldFrom().Add(time.Duration(row) * time.Second).Format(time.RFC3339) }
		text += fmt.Sprintf(" where timestamp >= '%s' and timestamp < '%s'", at(q.from), at(q.to))
	}
	return text
}

func (l *coldLake) answer(q coldQuery) string {
	text := itoa(q.to - q.from)
	for _, c := range q.columns {
		var sum int64
		for _, v := range l.values[c][q.from:q.to] {
			sum += v
		}
		text += fmt.Sprintf("|%d", sum)
	}
	return text
}

// ask wants a query's answer.
func (l *coldLake) ask(t *testing.T, i *instance, when string, q coldQuery) {
	t.Helper()
	got, err := i.tryQuery(t, q.sql())
	if want := l.answer(q); err != nil || got != want {
		t.Errorf("%s: %s\n got %s, %v\nwant %s", when, q.sql(), got, err, want)
	}
}

// allOf reads a column whole.
func allOf(columns ...int) coldQuery { return coldQuery{columns, 0, coldRows} }

// onBothS3 runs a test on both local servers of S3.
func onBothS3(t *testing.T, test func(t *testing.T, l *coldLake)) {
	t.Helper()
	for name, server := range map[string]func(testing.TB) string{"versitygw": testdeps.VersityGW, "minio": testdeps.MinIO} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newColdLake(t, server(t)))
		})
	}
}

// TestS3ColdCacheForMany asks fifty queries at once of columns and row groups that
// overlap, when nothing is there. Nothing is fetched twice, and all answers are right.
func TestS3ColdCacheForMany(t *testing.T) {
	t.Parallel()
	onBothS3(t, func(t *testing.T, l *coldLake) {
		i := start(t, l.dir, l.adjust)
		var asking sync.WaitGroup
		for n := range 50 {
			q := allOf(n % 3)
			switch n % 5 {
			case 1: // within the second row group
				q = coldQuery{[]int{n % 3}, coldGroup + 100*n, 2*coldGroup - 100*n}
			case 2: // over the border of two
				q = coldQuery{[]int{0, 1 + n%2}, coldGroup - 1000 - n, coldGroup + 1000 + n}
			case 3:
				q = coldQuery{[]int{2}, 0, 1000 + n}
			case 4:
				q = allOf(0, 1, 2)
			}
			asking.Go(func() { l.ask(t, i, "fifty at once", q) })
		}
		asking.Wait()
		all, twice := l.fetched()
		if all == 0 || twice > 0 {
			t.Errorf("%d bytes were fetched, %d of them twice", all, twice)
		}
		l.forget()
		l.ask(t, i, "warm", allOf(0, 1, 2))
		if all, _ := l.fetched(); all > 0 {
			t.Errorf("%d bytes were fetched again", all)
		}
		t.Logf("%d bytes fetched", all)
	})
}

// TestS3CacheKilled kills the server while half of a range of a file is there. What
// is left is not taken for the file's bytes.
func TestS3CacheKilled(t *testing.T) {
	t.Parallel()
	onBothS3(t, func(t *testing.T, l *coldLake) {
		c := config.Default()
		c.DataDir, c.HTTPAddr, c.PGAddr = l.dir, freeAddr(t), freeAddr(t)
		l.adjust(&c)
		c.Dev, c.Limits.TailMB = true, 32
		serving := func() *process {
			t.Helper()
			p := begin(t, serveProcess(t, testBinary(t), &c))
			awaitHealthy(t, c.HTTPAddr, p.ended)
			return p
		}
		i := &instance{c: c}
		cached := filepath.Join(l.dir, stores.CacheFolder)
		for after := range 5 { // ranges that come whole
			if err := os.RemoveAll(cached); err != nil {
				t.Fatal(err)
			}
			halted := make(chan struct{})
			var mu sync.Mutex
			seen := 0
			l.proxy.Set(func(r faultproxy.Request) faultproxy.Fault {
				if r.Operation != "GET" || !strings.HasSuffix(r.Path, ".parquet") {
					return faultproxy.Fault{}
				}
				mu.Lock()
				defer mu.Unlock()
				if seen++; seen <= after {
					return faultproxy.Fault{}
				}
				if seen == after+1 {
					close(halted)
				}
				return faultproxy.Fault{Kind: faultproxy.Halting, Delay: time.Minute}
			})
			p := serving()
			answered := make(chan error, 1)
			// Each column is ranges of its own, since others lie between.
			go func() {
				_, err := i.tryQuery(t, coldQuery{[]int{0, 2}, 0, coldRows}.sql())
				answered <- err
			}()
			select {
			case <-halted:
				<-time.After(300 * time.Millisecond) // for the half to be written
			case err := <-answered:
				if after < 2 {
					t.Errorf("after %d ranges the query ended: %v", after, err)
				}
				answered <- err
			}
			p.end(syscall.SIGKILL)
			<-answered
			l.proxy.Set(nil)
			p = serving()
			l.ask(t, i, fmt.Sprintf("killed after %d ranges", after), coldQuery{[]int{0, 2}, 0, coldRows})
			l.ask(t, i, fmt.Sprintf("killed after %d ranges", after), allOf(1))
			p.end(syscall.SIGKILL)
		}
	})
}

// TestS3CacheDamaged has somebody meddle with the cache's directory between two runs.
func TestS3CacheDamaged(t *testing.T) {
	t.Parallel()
	onBothS3(t, func(t *testing.T, l *coldLake) {
		for name, damage := range map[string]func(path string) error{
			"half of each file": func(path string) error {
				info, err := os.Stat(path)
				if err != nil {
					return err
				}
				return os.Truncate(path, info.Size()/2)
			},
			"nothing of each file": func(path string) error { return os.Truncate(path, 0) },
			"zeros": func(path string) error {
				info, err := os.Stat(path)
				if err != nil || strings.HasSuffix(path, ".index") {
					return err
				}
				return os.WriteFile(path, make([]byte, info.Size()), 0o600)
			},
			"a byte here and there": func(path string) error {
				data, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				for at := len(data) / 7; at < len(data); at += len(data)/5 + 1 {
					data[at]++
				}
				return os.WriteFile(path, data, 0o600)
			},
			"each file gone": os.Remove,
			"folders in place of files": func(path string) error {
				if strings.HasSuffix(path, ".index") {
					return nil
				}
				if err := os.Remove(path); err != nil {
					return err
				}
				return os.MkdirAll(filepath.Join(path, "folder"), 0o700)
			},
		} {
			i := start(t, l.dir, l.adjust)
			l.ask(t, i, "before: "+name, allOf(0, 1))
			i.close(t)
			err := filepath.WalkDir(filepath.Join(l.dir, stores.CacheFolder, "lake"), func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				return damage(path)
			})
			if err != nil {
				t.Fatal(err)
			}
			i = start(t, l.dir, l.adjust)
			l.ask(t, i, name, allOf(0, 1))
			l.ask(t, i, name, allOf(2))
			i.close(t)
		}
	})
}

// TestS3CacheFullDisk has the cache on a disk that holds two columns and not three. A
// query that fits is answered, one that does not says why, and a cursor keeps what
// it reads.
func TestS3CacheFullDisk(t *testing.T) {
	t.Parallel()
	onBothS3(t, func(t *testing.T, l *coldLake) {
		i := start(t, l.dir, l.adjust)
		l.ask(t, i, "with a large disk", allOf(0))
		column, _ := l.fetched()
		i.close(t)

		disk := t.TempDir()
		if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, fmt.Sprintf("size=%d", column*11/5)); err != nil {
			t.Skipf("no small disk can be mounted: %v", err)
		}
		t.Cleanup(func() {
			// Even if a process that another test is just starting has a file of it open.
			if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
		i = start(t, l.dir, l.adjust, func(c *config.Config) { c.Objects.CacheDir = filepath.Join(disk, "cache") })
		full := func(when string) {
			t.Helper()
			_, err := i.tryQuery(t, allOf(0, 1, 2).sql())
			if e := serverError(err); e == nil || e.Code != pgerrcode.DiskFull {
				t.Errorf("%s: all columns: %v, want %s", when, err, pgerrcode.DiskFull)
			}
		}
		for n := range 3 {
			l.ask(t, i, "one column", allOf(n))
			full("after one column")
		}
		conn := i.dial(t)
		defer func() { _ = conn.Close(t.Context()) }()
		exec := func(sql string) (rows [][][]byte) {
			t.Helper()
			results, err := conn.Exec(t.Context(), sql).ReadAll()
			if err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			return results[len(results)-1].Rows
		}
		exec(`begin; declare c cursor for select a from cold; fetch 1 from c`)
		full("beside a cursor")
		if rows := exec(`fetch all from c`); len(rows) != coldRows-1 {
			t.Errorf("the cursor has %d rows more, want %d", len(rows), coldRows-1)
		}
		exec(`commit`)
		l.ask(t, i, "after the cursor", allOf(1))
		i.close(t)
	})
}
