package stream_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/pipeline/stream/streamtest"
	"github.com/fieldgate/fieldgate/sources/vfs"
	"github.com/fieldgate/fieldgate/sources/vfs/vfstest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open opens a log of one shard in the file system's root.
func open(t *testing.T, fsys *vfstest.Faults, change func(cfg *stream.DiskConfig)) *stream.Disk {
	t.Helper()
	cfg := stream.DiskConfig{Dir: filepath.Join(fsys.Root(), "log"), FS: fsys, Shards: 1}
	if change != nil {
		change(&cfg)
	}
	d, err := stream.OpenDisk(cfg)
	must(t, err)
	return d
}

func smallSegments(cfg *stream.DiskConfig) { cfg.SegmentBytes = 1000 }

func put(t *testing.T, d *stream.Disk, texts ...string) stream.Sequence {
	t.Helper()
	placed, err := d.Put(t.Context(), entriesOf(texts...))
	must(t, err)
	return placed[len(placed)-1].Seq
}

func entriesOf(texts ...string) []stream.Entry {
	entries := make([]stream.Entry, len(texts))
	for i, text := range texts {
		entries[i] = stream.Entry{Data: []byte(text)}
	}
	return entries
}

// texts reads shard 0 from a start to the tail, and checks that sequences have no gap.
func texts(t *testing.T, d *stream.Disk, start stream.Start) []string {
	t.Helper()
	it, err := d.Iterate(t.Context(), 0, start)
	must(t, err)
	defer func() { must(t, it.Close()) }()
	tail, err := d.Tail(t.Context(), 0, stream.Sequence{})
	must(t, err)
	oldest, err := d.Oldest(t.Context(), 0)
	must(t, err)
	if oldest == tail.Next() {
		return nil
	}
	var got []string
	var last stream.Sequence
	for last != tail {
		records, err := it.Next(t.Context(), 100, math.MaxInt)
		must(t, err)
		for _, r := range records {
			if !last.IsZero() && r.Seq != last.Next() {
				t.Fatalf("record %s follows %s", r.Seq, last)
			}
			last = r.Seq
			got = append(got, string(r.Data))
		}
	}
	return got
}

func expectTexts(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Fatalf("read %.200q, want %.200q", got, want)
	}
}

func numbers(from, to int) []string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf("record %d", i))
	}
	return all
}

func TestDiskConformance(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]stream.DiskConfig{
		"Default":       {},
		"SmallSegments": {Shards: 3, SegmentBytes: 200},
		"LittleRoom":    {Shards: 2, MaxPending: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			streamtest.Run(t, func(t *testing.T) stream.Log {
				cfg := cfg
				cfg.Dir = filepath.Join(t.TempDir(), "log")
				d, err := stream.OpenDisk(cfg)
				must(t, err)
				t.Cleanup(func() { must(t, d.Close()) })
				return d
			})
		})
	}
}

func TestDiskKeepsRecordsOverReopening(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 1)
	var want []string
	for i := range 20 {
		d := open(t, fsys, smallSegments)
		expectTexts(t, texts(t, d, stream.FromOldest()), want...)
		batch := numbers(i*5, i*5+5)
		if seq := put(t, d, batch...); seq != stream.SequenceOf(uint64(i*5+5)) {
			t.Fatalf("sequence %s", seq)
		}
		want = append(want, batch...)
		must(t, d.Close())
		must(t, d.Close())
		if _, err := d.Put(t.Context(), entriesOf("x")); !errors.Is(err, stream.ErrClosed) {
			t.Fatalf("put after close: %v", err)
		}
		if _, err := d.Tail(t.Context(), 0, stream.Sequence{}); !errors.Is(err, stream.ErrClosed) {
			t.Fatalf("tail after close: %v", err)
		}
	}
	// Starts in the middle of segments that were sealed before the log was opened, and whose index is made on demand.
	d := open(t, fsys, smallSegments)
	for after := range 100 {
		expectTexts(t, texts(t, d, stream.After(stream.SequenceOf(uint64(after)))), want[after:]...)
	}
	must(t, d.Close())
}

func TestDiskIndexesLongSegments(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 1)
	now := time.UnixMicro(1_000_000)
	clock := func(cfg *stream.DiskConfig) {
		cfg.SegmentBytes = 3 << 20
		cfg.Now = func() time.Time { now = now.Add(time.Second); return now }
	}
	d := open(t, fsys, clock)
	filler := strings.Repeat("x", 100<<10)
	var arrivals []int64
	for i := range 100 {
		put(t, d, fmt.Sprintf("%d %s", i, filler))
		arrivals = append(arrivals, now.UnixMicro())
	}
	check := func(d *stream.Disk) {
		t.Helper()
		for i := 0; i < 100; i += 7 {
			for name, start := range map[string]stream.Start{
				"after":       stream.After(stream.SequenceOf(uint64(i))),
				"at":          stream.At(arrivals[i]),
				"just before": stream.At(arrivals[i] - 1),
			} {
				it, err := d.Iterate(t.Context(), 0, start)
				must(t, err)
				records, err := it.Next(t.Context(), 3, math.MaxInt)
				must(t, err)
				if r := records[0]; r.Seq != stream.SequenceOf(uint64(i+1)) || r.ArrivedAt != arrivals[i] {
					t.Fatalf("%s record %d: got %s, arrived %d", name, i, r.Seq, r.ArrivedAt)
				}
				must(t, it.Close())
			}
		}
	}
	check(d)
	must(t, d.Close())
	d = open(t, fsys, clock)
	check(d)
	must(t, d.Close())
}

func TestDiskLongRecords(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 1)
	d := open(t, fsys, nil)
	var want []string
	for _, size := range []int{10, 20 << 20, 0, 1<<20 - 40, 3 << 20, 5} {
		want = append(want, strings.Repeat(fmt.Sprint(size%7), size))
		put(t, d, want[len(want)-1])
	}
	expectTexts(t, texts(t, d, stream.FromOldest()), want...)
	if _, err := d.Put(t.Context(), []stream.Entry{{Data: make([]byte, 64<<20)}}); !errors.Is(err, stream.ErrTooLarge) {
		t.Fatalf("put: %v, want ErrTooLarge", err)
	}
	must(t, d.Close())
}

func TestDiskTrimFreesSegmentsForGood(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 1)
	d := open(t, fsys, smallSegments)
	for i := range 100 {
		put(t, d, numbers(i, i+1)...)
	}
	count := func() int {
		entries, err := fsys.ReadDir(filepath.Join(fsys.Root(), "log", "shard-0"))
		must(t, err)
		return len(entries)
	}
	all := count()
	slow, err := d.Iterate(t.Context(), 0, stream.FromOldest())
	must(t, err)
	must(t, d.Trim(t.Context(), 0, stream.SequenceOf(50), stream.NoAgeLimit))
	oldest, err := d.Oldest(t.Context(), 0)
	must(t, err)
	if n := count(); n >= all || oldest.Compare(stream.SequenceOf(30)) < 0 || oldest.Compare(stream.SequenceOf(51)) > 0 {
		t.Fatalf("%d of %d segments are left, oldest %s", n, all, oldest)
	}
	if _, err := d.Iterate(t.Context(), 0, stream.At(1)); !errors.Is(err, stream.ErrTrimmed) {
		t.Fatalf("at a time before the oldest: %v, want ErrTrimmed", err)
	}
	// An iterator that retention overtakes is told so, and gets no record from behind the gap.
	for seen := 0; err == nil; seen++ {
		var records []stream.Record
		records, err = slow.Next(t.Context(), 1, math.MaxInt)
		if err == nil && records[0].Seq != stream.SequenceOf(uint64(seen+1)) {
			t.Fatalf("record %s after %d", records[0].Seq, seen)
		}
	}
	if !errors.Is(err, stream.ErrTrimmed) {
		t.Fatalf("overtaken: %v, want ErrTrimmed", err)
	}
	must(t, slow.Close())
	must(t, d.Trim(t.Context(), 0, stream.Sequence{1, 0, 0}, stream.NoAgeLimit))
	if count() != 1 {
		t.Fatalf("%d segments are left after a trim of all", count())
	}
	must(t, d.Close())

	d = open(t, fsys, smallSegments)
	if again, err := d.Oldest(t.Context(), 0); err != nil || again.Compare(oldest) <= 0 {
		t.Fatalf("oldest after reopening %s, %v", again, err)
	}
	if seq := put(t, d, "next"); seq != stream.SequenceOf(101) {
		t.Fatalf("sequence %s after trim and restart, want 101", seq)
	}
	must(t, d.Close())
}

func TestDiskArrivalNeverFalls(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 1)
	now := time.UnixMicro(5_000_000)
	clock := func(cfg *stream.DiskConfig) { cfg.Now = func() time.Time { return now } }
	d := open(t, fsys, clock)
	put(t, d, "a")
	now = now.Add(-time.Second)
	put(t, d, "b")
	must(t, d.Close())
	d = open(t, fsys, clock)
	put(t, d, "c")
	it, err := d.Iterate(t.Context(), 0, stream.FromOldest())
	must(t, err)
	records, err := it.Next(t.Context(), 3, 100)
	must(t, err)
	for _, r := range records {
		if r.ArrivedAt != 5_000_000 {
			t.Errorf("record %s arrived at %d", r.Seq, r.ArrivedAt)
		}
	}
	must(t, it.Close())
	must(t, d.Close())
}

func TestDiskRefusals(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 1)
	d := open(t, fsys, nil)
	cfg := stream.DiskConfig{Dir: filepath.Join(fsys.Root(), "log"), FS: fsys}
	if _, err := stream.OpenDisk(cfg); !errors.Is(err, vfs.ErrLocked) {
		t.Fatalf("second open: %v, want ErrLocked", err)
	}
	put(t, d, "a")
	must(t, d.Close())
	cfg.Shards = 2
	if _, err := stream.OpenDisk(cfg); err == nil || !strings.Contains(err.Error(), "made with 1 shards") {
		t.Fatalf("open with another number of shards: %v", err)
	}
	cfg.Shards = 0
	d, err := stream.OpenDisk(cfg)
	must(t, err)
	must(t, d.Close())
	metaPath := filepath.Join(cfg.Dir, "META")
	for name, tt := range map[string]struct{ meta, want string }{
		"later version":  {`{"format":"fieldgate log","version":2,"shards":1}`, "version 2, this program reads 1"},
		"another format": {`{"format":"x","version":1,"shards":1}`, `format "x"`},
		"no shards":      {`{"format":"fieldgate log","version":1,"shards":0}`, "0 shards"},
		"not JSON":       {`shards`, "META"},
	} {
		must(t, vfs.WriteFile(fsys, metaPath, []byte(tt.meta)))
		if _, err := stream.OpenDisk(cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want it to say %q", name, err, tt.want)
		}
	}
	must(t, fsys.Remove(metaPath))
	if _, err := stream.OpenDisk(cfg); err == nil || !strings.Contains(err.Error(), "META is gone") {
		t.Fatalf("open without META: %v", err)
	}
	for name, bad := range map[string]stream.DiskConfig{
		"no directory":  {},
		"many shards":   {Dir: "x", Shards: 1 << 20},
		"segment size":  {Dir: "x", SegmentBytes: 1 << 40},
		"tiny segments": {Dir: "x", SegmentBytes: 1},
		"pending":       {Dir: "x", MaxPending: -1},
	} {
		if _, err := stream.OpenDisk(bad); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

// slowFS holds each sync of a segment until the test lets it go.
type slowFS struct {
	vfs.FS
	syncs chan chan struct{}
}

func (s slowFS) OpenFile(name string, flag int) (vfs.File, error) {
	f, err := s.FS.OpenFile(name, flag)
	return slowFile{f, s.syncs}, err
}

type slowFile struct {
	vfs.File
	syncs chan chan struct{}
}

func (f slowFile) Sync() error {
	held := make(chan struct{})
	f.syncs <- held
	<-held
	return f.File.Sync()
}

// openSlow opens a log whose syncs the channel gives, each to be closed.
func openSlow(t *testing.T, maxPending int) (*stream.Disk, <-chan chan struct{}) {
	t.Helper()
	dir, syncs := filepath.Join(t.TempDir(), "log"), make(chan chan struct{})
	d, err := stream.OpenDisk(stream.DiskConfig{Dir: dir, Shards: 1})
	must(t, err)
	must(t, d.Close())
	var wg sync.WaitGroup
	wg.Go(func() { close(<-syncs) }) // recovery's
	d, err = stream.OpenDisk(stream.DiskConfig{Dir: dir, FS: slowFS{vfs.OS{}, syncs}, MaxPending: maxPending})
	must(t, err)
	wg.Wait()
	return d, syncs
}

func TestDiskCommitsWaitersTogetherAndHidesUnsynced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, syncs := openSlow(t, 1<<20)
		var wg sync.WaitGroup
		write := func(text string) {
			wg.Go(func() {
				if _, err := d.Put(t.Context(), entriesOf(text)); err != nil {
					t.Error(err)
				}
			})
		}
		write("first")
		held := <-syncs
		if tail, err := d.Tail(t.Context(), 0, stream.Sequence{}); err != nil || !tail.IsZero() {
			t.Fatalf("tail %s, %v before the sync", tail, err)
		}
		it, err := d.Iterate(t.Context(), 0, stream.FromOldest())
		must(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if records, err := it.Next(ctx, 1, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("read %v, %v before the sync", records, err)
		}
		for range 10 {
			write("later")
		}
		synctest.Wait()
		close(held)
		records, err := it.Next(t.Context(), 1, 1)
		must(t, err)
		if string(records[0].Data) != "first" {
			t.Fatalf("read %q", records[0].Data)
		}
		held = <-syncs
		synctest.Wait()
		close(held)
		wg.Wait() // one more sync would keep it for ever
		if tail, err := d.Tail(t.Context(), 0, stream.Sequence{}); err != nil || tail != stream.SequenceOf(11) {
			t.Fatalf("tail %s, %v", tail, err)
		}
		must(t, it.Close())
		must(t, d.Close())
	})
}

func TestDiskBusyWhenFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // a context ends only when its Put waits
		d, syncs := openSlow(t, 100)
		errs := make(chan error, 1)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := d.Put(t.Context(), entriesOf(strings.Repeat("x", 200)))
			errs <- err
		})
		held := <-syncs
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := d.Put(ctx, entriesOf("y"))
		if !errors.Is(err, stream.ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("put: %v, want ErrBusy", err)
		}
		wg.Go(func() {
			held := <-syncs
			close(held)
		})
		close(held)
		must(t, <-errs)
		if seq := put(t, d, "z"); seq != stream.SequenceOf(2) {
			t.Fatalf("sequence %s, want 2: the refused entry took none", seq)
		}
		wg.Wait()
		must(t, d.Close())
	})
}

// TestDiskCommitsWhatItsWritersLeft: a Put whose context ends while it waits leaves its entries in the group; nobody who
// comes later is stuck behind them, and Close drains them.
func TestDiskCommitsWhatItsWritersLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // a context ends only when its Put waits
		d, syncs := openSlow(t, 150)
		var wg sync.WaitGroup
		first := make(chan error, 1)
		wg.Go(func() {
			_, err := d.Put(t.Context(), entriesOf("first"))
			first <- err
		})
		held := <-syncs
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := d.Put(ctx, entriesOf("left")); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, stream.ErrBusy) {
			t.Fatalf("put: %v, want the context's error", err)
		}
		close(held)
		must(t, <-first)
		stop := make(chan struct{})
		wg.Go(func() {
			for {
				select {
				case held := <-syncs:
					close(held)
				case <-stop:
					return
				}
			}
		})
		put(t, d, strings.Repeat("x", 140))
		expectTexts(t, texts(t, d, stream.FromOldest()), "first", "left", strings.Repeat("x", 140))
		must(t, d.Close())
		close(stop)
		wg.Wait()
	})
}
