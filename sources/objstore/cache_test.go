package objstore_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fieldgate/fieldgate/sources/objstore"
	"github.com/fieldgate/fieldgate/sources/vfs"
	"github.com/fieldgate/fieldgate/sources/vfs/vfstest"
)

// counting is a bucket that counts what is read of it, and can hold requests up or
// cut them.
type counting struct {
	objstore.Versioned
	requests, bytes atomic.Int64
	// hold, if set, is called before each range.
	hold func(ctx context.Context) error
	// cut, if not 0, is after how many bytes a body fails.
	cut int64
}

var errCut = errors.New("cut")

func (b *counting) GetRangeInfo(ctx context.Context, key string, offset, size int64) (io.ReadCloser, objstore.Info, error) {
	if b.hold != nil {
		if err := b.hold(ctx); err != nil {
			return nil, objstore.Info{}, err
		}
	}
	b.requests.Add(1)
	r, info, err := b.Versioned.GetRangeInfo(ctx, key, offset, size)
	if err != nil {
		return nil, info, err
	}
	b.bytes.Add(size)
	if b.cut > 0 {
		return struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(r, b.cut), failing{}), r}, info, nil
	}
	return r, info, nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errCut }

// cached is a cache over a bucket of one object, with what it reads counted.
type cached struct {
	t      *testing.T
	bucket *counting
	cfg    objstore.CacheConfig
	cache  *objstore.Cache
	data   []byte
}

const objectKey = "lake/t/x/data-1.parquet"

// newCached makes it; edit may change the configuration.
func newCached(t *testing.T, size int, edit func(*objstore.CacheConfig)) *cached {
	t.Helper()
	dir := open(t, vfstest.New(t, 1))
	c := &cached{t: t, bucket: &counting{Versioned: dir}, data: make([]byte, size)}
	for i := range c.data {
		c.data[i] = byte(rand.IntN(256))
	}
	if _, err := dir.Put(t.Context(), objectKey, c.data); err != nil {
		t.Fatal(err)
	}
	c.cfg = objstore.CacheConfig{Bucket: c.bucket, Dir: filepath.Join(t.TempDir(), "cache"), FS: vfs.OS{}, Logger: slog.New(slog.DiscardHandler)}
	if edit != nil {
		edit(&c.cfg)
	}
	c.open()
	return c
}

func (c *cached) open() {
	c.t.Helper()
	var err error
	if c.cache, err = objstore.OpenCache(c.cfg); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = c.cache.Close() })
}

// reopen is the next process.
func (c *cached) reopen() {
	c.t.Helper()
	if err := c.cache.Close(); err != nil {
		c.t.Fatal(err)
	}
	c.open()
}

func (c *cached) path(key string) string {
	c.t.Helper()
	path, err := c.cache.Path(key)
	if err != nil {
		c.t.Fatal(err)
	}
	return path
}

func (c *cached) want(ranges ...objstore.Range) []objstore.Want {
	return []objstore.Want{{Key: objectKey, Bytes: int64(len(c.data)), Ranges: ranges}}
}

// fetch fetches ranges, compares the file with the object, and says how many bytes
// were read for it.
func (c *cached) fetch(ranges ...objstore.Range) int64 {
	c.t.Helper()
	before := c.bucket.bytes.Load()
	p, err := c.cache.Fetch(c.t.Context(), c.want(ranges...))
	if err != nil {
		c.t.Fatal(err)
	}
	defer p.Release()
	file, err := os.ReadFile(c.path(objectKey))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, r := range ranges {
		if int64(len(file)) < r.End() || !bytes.Equal(file[r.Offset:r.End()], c.data[r.Offset:r.End()]) {
			c.t.Fatalf("range %+v: not the object's bytes", r)
		}
	}
	return c.bucket.bytes.Load() - before
}

func (c *cached) expect(what string, got, want int64) {
	c.t.Helper()
	if got != want {
		c.t.Errorf("%s: %d bytes read, want %d", what, got, want)
	}
}

func TestCacheFetchesWhatIsMissing(t *testing.T) {
	t.Parallel()
	c := newCached(t, 4<<20, nil)
	c.expect("first", c.fetch(objstore.Range{Offset: 1000, Size: 2000}), 2000)
	c.expect("same", c.fetch(objstore.Range{Offset: 1000, Size: 2000}), 0)
	c.expect("inside", c.fetch(objstore.Range{Offset: 1500, Size: 100}), 0)
	c.expect("wider", c.fetch(objstore.Range{Offset: 0, Size: 4000}), 2000)
	c.expect("end", c.fetch(objstore.Range{Offset: 4<<20 - 8, Size: 8}), 8)
	c.expect("far apart", c.fetch(objstore.Range{Offset: 1 << 20, Size: 10}, objstore.Range{Offset: 3 << 20, Size: 10}), 20)
	if used := c.cache.Used(); used != 4000+8+20 {
		t.Errorf("%d bytes used", used)
	}
	c.reopen()
	c.expect("after a restart", c.fetch(objstore.Range{Offset: 0, Size: 4000}), 0)
	if used := c.cache.Used(); used != 4000+8+20 {
		t.Errorf("%d bytes used after a restart", used)
	}
	data, tag, err := c.cache.Read(t.Context(), objectKey, 4<<20, objstore.Range{Offset: 10, Size: 10})
	if err != nil || tag == "" || !bytes.Equal(data, c.data[10:20]) {
		t.Errorf("read %v with tag %s, %v", data, tag, err)
	}
}

// TestCacheCoalesces holds that near ranges come in one request, and that gaps stay
// a small share of what is read.
func TestCacheCoalesces(t *testing.T) {
	t.Parallel()
	c := newCached(t, 30<<20, nil)
	var ranges []objstore.Range
	for i := range int64(10) {
		ranges = append(ranges, objstore.Range{Offset: i * 101_000, Size: 100_000})
	}
	if got := c.fetch(ranges...); got < 1_000_000 || got > 1_100_000 || c.bucket.requests.Load() != 1 {
		t.Errorf("%d bytes in %d requests, want a little over 1,000,000 in one", got, c.bucket.requests.Load())
	}
	c.bucket.requests.Store(0)
	c.expect("large", c.fetch(objstore.Range{Offset: 2 << 20, Size: 20 << 20}), 20<<20)
	if n := c.bucket.requests.Load(); n != 3 {
		t.Errorf("20 MB in %d requests, want 3", n)
	}
}

func TestCacheRepairsWhatWasDamaged(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(path string) error{
		"changed": func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteAt([]byte("damage"), 1500)
			return errors.Join(err, f.Close())
		},
		"truncated": func(path string) error { return os.Truncate(path, 1500) },
		"emptied":   func(path string) error { return os.Truncate(path, 0) },
		"removed":   os.Remove,
		"replaced": func(path string) error {
			return errors.Join(os.Remove(path), os.WriteFile(path, make([]byte, 5000), 0o600))
		},
		"index damaged":  func(path string) error { return os.WriteFile(path+".index", []byte(`{"format":1,"si`), 0o600) },
		"index of later": func(path string) error { return os.WriteFile(path+".index", []byte(`{"format":99}`), 0o600) },
		"index removed":  func(path string) error { return os.Remove(path + ".index") },
		"index lies": func(path string) error {
			return os.WriteFile(path+".index", []byte(`{"format":1,"size":1048576,"etag":"x","spans":[{"offset":9,"size":-5,"crc32c":1}]}`), 0o600)
		},
		"folder removed": func(path string) error { return os.RemoveAll(filepath.Dir(path)) },
	} {
		for _, when := range []string{"running", "stopped"} {
			t.Run(name+", "+when, func(t *testing.T) {
				t.Parallel()
				c := newCached(t, 1<<20, nil)
				r := objstore.Range{Offset: 1000, Size: 2000}
				c.fetch(r)
				if err := damage(c.path(objectKey)); err != nil {
					t.Fatal(err)
				}
				if when == "stopped" {
					c.reopen()
				}
				c.fetch(r) // compares
				c.expect("again", c.fetch(r), 0)
				if used := c.cache.Used(); used != 2000 {
					t.Errorf("%d bytes used, want 2000", used)
				}
			})
		}
	}
}

func TestCacheEvictsWhatWasUsedLongestAgo(t *testing.T) {
	t.Parallel()
	c := newCached(t, 1000, func(cfg *objstore.CacheConfig) { cfg.MaxBytes = 3000 })
	keys := []string{"k/0", "k/1", "k/2", "k/3"}
	wants := func(i int) []objstore.Want {
		return []objstore.Want{{Key: keys[i], Bytes: 1000, Ranges: []objstore.Range{{Size: 1000}}}}
	}
	for _, key := range keys {
		if _, err := c.bucket.Put(t.Context(), key, c.data); err != nil {
			t.Fatal(err)
		}
	}
	fetch := func(i int) *objstore.Pin {
		p, err := c.cache.Fetch(t.Context(), wants(i))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for i := range 3 {
		fetch(i).Release()
	}
	pinned := fetch(0)
	fetch(3).Release() // in place of 1
	for i, want := range []bool{true, false, true, true} {
		if _, err := os.Stat(c.path(keys[i])); (err == nil) != want {
			t.Errorf("%s there: %v, want %v", keys[i], err == nil, want)
		}
	}
	// Two more pins leave no room, until one of them goes.
	second, third := fetch(2), fetch(3)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.cache.Fetch(ctx, wants(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("fetch of a cancelled statement: %v", err)
	}
	got := make(chan *objstore.Pin)
	go func() { got <- fetch(1) }()
	select {
	case <-got:
		t.Error("there was room where all is pinned")
	default:
	}
	second.Release()
	(<-got).Release()
	third.Release()
	if _, err := os.Stat(c.path(keys[0])); err != nil {
		t.Error("what was pinned is gone")
	}
	pinned.Release()
	if used := c.cache.Used(); used > 3000 {
		t.Errorf("%d bytes used of 3000", used)
	}
	// What is more than it may hold is refused at once.
	var all []objstore.Want
	for i := range keys {
		all = append(all, wants(i)...)
	}
	if _, err := c.cache.Fetch(t.Context(), all); !errors.Is(err, objstore.ErrCacheFull) {
		t.Errorf("fetch of all: %v, want ErrCacheFull", err)
	}
	c.cache.Remove("k/")
	if used := c.cache.Used(); used != 0 {
		t.Errorf("%d bytes used of nothing", used)
	}
	c.cfg.MaxBytes = 1500
	c.reopen()
}

// TestCacheGivesUpOtherParts has other parts of the very object make room for what is
// wanted of it, once no statement has them pinned.
func TestCacheGivesUpOtherParts(t *testing.T) {
	t.Parallel()
	a, b := objstore.Range{Size: 40_000}, objstore.Range{Offset: 50_000, Size: 40_000}
	c := newCached(t, 100_000, func(cfg *objstore.CacheConfig) { cfg.MaxBytes = 60_000 })
	c.expect("the first part", c.fetch(a), 40_000)
	c.expect("the other", c.fetch(b), 40_000)
	if used := c.cache.Used(); used != 40_000 {
		t.Errorf("%d bytes used, want 40000", used)
	}
	// What another statement reads stays, and who wants more waits for it.
	p, err := c.cache.Fetch(t.Context(), c.want(b))
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error)
	go func() {
		p, err := c.cache.Fetch(t.Context(), c.want(a))
		if err == nil {
			p.Release()
		}
		got <- err
	}()
	c.expect("what is pinned", c.fetch(b), 0)
	p.Release()
	if err := <-got; err != nil {
		t.Error(err)
	}
	// Both together are more than there is room for.
	if _, err := c.cache.Fetch(t.Context(), c.want(a, b)); !errors.Is(err, objstore.ErrCacheFull) {
		t.Errorf("fetch of both: %v, want ErrCacheFull", err)
	}
}

func TestCacheFetchesOnceForMany(t *testing.T) {
	t.Parallel()
	c := newCached(t, 1<<20, nil)
	var wg sync.WaitGroup
	for i := range int64(20) {
		wg.Go(func() {
			p, err := c.cache.Fetch(t.Context(), c.want(objstore.Range{Offset: 1000 * (i % 2), Size: 100_000}))
			if err != nil {
				t.Error(err)
				return
			}
			p.Release()
		})
	}
	wg.Wait()
	c.expect("many", c.bucket.bytes.Load(), 101_000)
}

// TestCacheKilledAmidAFetch leaves bytes that no index speaks of.
func TestCacheKilledAmidAFetch(t *testing.T) {
	t.Parallel()
	for _, first := range []bool{true, false} {
		c := newCached(t, 1<<20, nil)
		if !first {
			c.fetch(objstore.Range{Offset: 0, Size: 1000})
		}
		path := c.path(objectKey)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteAt([]byte("half of a range"), 5000)
		if err := errors.Join(err, f.Close(), os.WriteFile(path+".index.new", []byte("{"), 0o600)); err != nil {
			t.Fatal(err)
		}
		c.reopen()
		if _, err := os.Stat(path + ".index.new"); err == nil {
			t.Error("an unfinished index is left")
		}
		if _, err := os.Stat(path); (err == nil) == first {
			t.Errorf("file without an index left: %v", err == nil)
		}
		c.expect("after the kill", c.fetch(objstore.Range{Offset: 5000, Size: 1000}), 1000)
	}
}

func TestCacheKeepsWhatCameBeforeAnError(t *testing.T) {
	t.Parallel()
	c := newCached(t, 20<<20, func(cfg *objstore.CacheConfig) { cfg.Requests = 1 })
	var n atomic.Int32
	c.bucket.hold = func(context.Context) error {
		if n.Add(1) == 2 {
			return errCut
		}
		return nil
	}
	r := objstore.Range{Offset: 0, Size: 16 << 20}
	if _, err := c.cache.Fetch(t.Context(), c.want(r)); !errors.Is(err, errCut) {
		t.Fatalf("fetch: %v", err)
	}
	c.expect("the other piece", c.fetch(r), 8<<20)
	c.bucket.cut = 10
	if _, err := c.cache.Fetch(t.Context(), c.want(objstore.Range{Offset: 17 << 20, Size: 1000})); !errors.Is(err, errCut) {
		t.Fatalf("fetch: %v", err)
	}
	c.bucket.cut = 0
	c.expect("after a cut", c.fetch(objstore.Range{Offset: 17 << 20, Size: 1000}), 1000)
}

func TestCacheFullDisk(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 2)
	c := newCached(t, 10_000, func(cfg *objstore.CacheConfig) { cfg.FS, cfg.Dir = fsys, filepath.Join(fsys.Root(), "cache") })
	if _, err := c.bucket.Put(t.Context(), "other", c.data); err != nil {
		t.Fatal(err)
	}
	other := []objstore.Want{{Key: "other", Bytes: 10_000, Ranges: []objstore.Range{{Size: 10_000}}}}
	p, err := c.cache.Fetch(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	fsys.SetFree(500)
	if _, err := c.cache.Fetch(t.Context(), c.want(objstore.Range{Size: 10_000})); !errors.Is(err, objstore.ErrCacheFull) {
		t.Fatalf("fetch on a full disk: %v, want ErrCacheFull", err)
	}
	p.Release()
	// What nobody uses gives way.
	c.fetch(objstore.Range{Size: 10_000})
	if used := c.cache.Used(); used != 10_000 {
		t.Errorf("%d bytes used, want 10000", used)
	}
}

func TestCacheReplacedAndMissingObjects(t *testing.T) {
	t.Parallel()
	c := newCached(t, 100_000, nil)
	c.fetch(objstore.Range{Size: 1000})
	_, tag, err := c.cache.Read(t.Context(), objectKey, 100_000, objstore.Range{Size: 10})
	if err != nil {
		t.Fatal(err)
	}
	// Another of the same size: what was fetched of the old one is not mixed with it.
	for i := range c.data {
		c.data[i]++
	}
	if _, err := c.bucket.Put(t.Context(), objectKey, c.data); err != nil {
		t.Fatal(err)
	}
	wants := c.want(objstore.Range{Size: 2000})
	wants[0].ETag = tag
	if _, err := c.cache.Fetch(t.Context(), wants); !errors.Is(err, objstore.ErrPrecondition) {
		t.Errorf("fetch of the old version: %v, want ErrPrecondition", err)
	}
	c.fetch(objstore.Range{Size: 2000})
	c.data = c.data[:50_000]
	if _, err := c.bucket.Put(t.Context(), objectKey, c.data); err != nil {
		t.Fatal(err)
	}
	if _, err := c.cache.Fetch(t.Context(), []objstore.Want{{Key: objectKey, Bytes: 100_000, Ranges: []objstore.Range{{Offset: 40_000, Size: 10}}}}); err == nil {
		t.Error("an object of another size is taken")
	}
	c.fetch(objstore.Range{Size: 50_000})
	if err := c.bucket.Delete(t.Context(), objectKey); err != nil {
		t.Fatal(err)
	}
	c.expect("what is there of a deleted object", c.fetch(objstore.Range{Size: 50_000}), 0)
	c.cache.Remove("")
	if _, err := c.cache.Fetch(t.Context(), c.want(objstore.Range{Size: 10})); !errors.Is(err, objstore.ErrNotFound) {
		t.Errorf("fetch of what is gone: %v, want ErrNotFound", err)
	}
	if _, err := c.cache.Fetch(t.Context(), c.want(objstore.Range{Offset: 49_999, Size: 10})); !errors.Is(err, objstore.ErrRange) {
		t.Errorf("fetch past the end: %v, want ErrRange", err)
	}
}

func TestCacheStopsWithItsStatement(t *testing.T) {
	t.Parallel()
	c := newCached(t, 100_000, nil)
	ctx, cancel := context.WithCancel(t.Context())
	c.bucket.hold = func(ctx context.Context) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}
	if _, err := c.cache.Fetch(ctx, c.want(objstore.Range{Size: 10})); !errors.Is(err, context.Canceled) {
		t.Errorf("fetch: %v, want canceled", err)
	}
	c.bucket.hold = nil
	c.expect("after it", c.fetch(objstore.Range{Size: 10}), 10)
}

func TestCacheLeavesOtherFiles(t *testing.T) {
	t.Parallel()
	c := newCached(t, 10, nil)
	c.cfg.Dir = t.TempDir()
	precious := filepath.Join(c.cfg.Dir, "precious")
	if err := os.WriteFile(precious, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := objstore.OpenCache(c.cfg); err == nil {
		t.Error("a directory of other files is taken for a cache")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestCacheHasOneUser(t *testing.T) {
	t.Parallel()
	c := newCached(t, 10, nil)
	if _, err := objstore.OpenCache(c.cfg); !errors.Is(err, vfs.ErrLocked) {
		t.Errorf("open again: %v, want ErrLocked", err)
	}
}
