package objstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/fieldgate/fieldgate/sources/vfs"
)

// ErrCacheFull means that a cache, or the disk below it, has no room for all that is wanted at once.
var ErrCacheFull = errors.New("no room in the cache of object files")

// CacheConfig are the knobs of a Cache.
type CacheConfig struct {
	// Bucket has the objects. An object must not be replaced by another of the same size whose tag is equal. Required.
	Bucket Versioned
	// Dir holds the files; made if it is not there. One process uses it at a time. Required.
	Dir string
	// MaxBytes bounds what all files together hold of their objects. What is pinned counts too. Default: 10 GB.
	MaxBytes int64
	// Requests is how many ranges are read at once. Default: 16.
	Requests int
	FS       vfs.FS // default vfs.OS{}
	// Logger gets what costs a later statement time and this one nothing. Required.
	Logger *slog.Logger
}

func (c CacheConfig) withDefaults() CacheConfig {
	if c.MaxBytes == 0 {
		c.MaxBytes = 10 << 30
	}
	if c.Requests == 0 {
		c.Requests = 16
	}
	if c.FS == nil {
		c.FS = vfs.OS{}
	}
	return c
}

func (c CacheConfig) validate() error {
	switch {
	case c.Bucket == nil:
		return errors.New("object cache: no bucket")
	case c.Dir == "":
		return errors.New("object cache: no directory")
	case c.Logger == nil:
		return errors.New("object cache: no logger")
	case c.MaxBytes < 0 || c.Requests < 0:
		return errors.New("object cache: a negative bound")
	}
	return nil
}

// Cache holds parts of objects in files of this machine, each at its place in a sparse file that has the object's key as
// its path, so that an engine which reads no more than what was fetched can read the file as if it were whole. What was
// used longest ago goes first; what is pinned stays. It outlives the process: beside each file lies an index of what the
// file holds, with checksums that are verified before the first use and whenever the file is not as it was left
// (docs/format/cache.md).
type Cache struct {
	cfg      CacheConfig
	lock     io.Closer
	requests chan struct{} // holds one for each range under way
	turn     chan struct{} // holds one while somebody makes room

	mu       sync.Mutex
	entries  *simplelru.LRU[string, *entry]
	used     int64         // bytes that files hold
	reserved int64         // bytes that are about to be fetched
	pins     int           // of all entries
	freed    chan struct{} // closed, and made anew, when pins or reservations end
}

const (
	cacheLock   = ".fieldgate-cache" // marks the directory, too
	indexSuffix = ".index"
	tempSuffix  = ".new"
)

// OpenCache opens a directory, which must be empty or a cache's, and finds what is left in it. What no index speaks of is
// removed.
func OpenCache(cfg CacheConfig) (*Cache, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if err := cfg.FS.MkdirAll(cfg.Dir); err != nil {
		return nil, fmt.Errorf("make object cache: %w", err)
	}
	c := &Cache{cfg: cfg, requests: make(chan struct{}, cfg.Requests), turn: make(chan struct{}, 1), freed: make(chan struct{})}
	var err error
	if c.entries, err = simplelru.NewLRU[string, *entry](math.MaxInt, nil); err != nil {
		return nil, fmt.Errorf("make object cache: %w", err)
	}
	if err := c.own(); err != nil {
		return nil, err
	}
	if c.lock, err = cfg.FS.Lock(filepath.Join(cfg.Dir, cacheLock)); err != nil {
		return nil, fmt.Errorf("object cache: %w", err)
	}
	if err := c.find(); err != nil {
		return nil, errors.Join(fmt.Errorf("open object cache: %w", err), c.lock.Close())
	}
	return c, nil
}

// own refuses a directory that has files and is no cache: they would be removed.
func (c *Cache) own() error {
	names, err := c.cfg.FS.ReadDir(c.cfg.Dir)
	if err != nil {
		return fmt.Errorf("open object cache: %w", err)
	}
	if len(names) > 0 && !slices.ContainsFunc(names, func(e fs.DirEntry) bool { return e.Name() == cacheLock }) {
		return fmt.Errorf("directory %s holds other files than a cache of objects: name an empty one", c.cfg.Dir)
	}
	return nil
}

// Close gives the directory to another process. Nothing may be fetched or pinned any more.
func (c *Cache) Close() error { return c.lock.Close() }

// Path is where the object's file is, once some of it has been fetched.
func (c *Cache) Path(key string) (string, error) {
	if err := ValidateKey(key); err != nil {
		return "", err
	}
	return filepath.Join(c.cfg.Dir, filepath.FromSlash(key)), nil
}

// Used is how many bytes of objects the files hold.
func (c *Cache) Used() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}

// Remove forgets the objects whose keys begin with prefix, but for those in use.
func (c *Cache) Remove(prefix string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range c.entries.Keys() {
		if e, ok := c.entries.Peek(key); ok && e.pins == 0 && strings.HasPrefix(key, prefix) {
			c.evict(e)
		}
	}
}

// left is an entry that an earlier process left.
type left struct {
	*entry
	age int64 // when its index was written
}

// find makes entries of the indexes below the directory, oldest first.
func (c *Cache) find() error {
	var found []left
	if err := c.findIn("", &found); err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b left) int { return cmp.Compare(a.age, b.age) })
	for _, l := range found {
		c.entries.Add(l.key, l.entry)
		c.used += l.bytes()
	}
	for c.used > c.cfg.MaxBytes && c.evictOldest() {
	}
	return nil
}

func (c *Cache) findIn(folder string, found *[]left) error {
	dir := filepath.Join(c.cfg.Dir, filepath.FromSlash(folder))
	names, err := c.cfg.FS.ReadDir(dir)
	if err != nil {
		return err
	}
	indexed, folders := map[string]bool{}, map[string]bool{}
	for _, n := range names {
		if name, ok := strings.CutSuffix(n.Name(), indexSuffix); ok && !n.IsDir() {
			indexed[name] = true
		}
		folders[n.Name()] = n.IsDir()
	}
	for _, n := range names {
		name := n.Name()
		key := folder + name
		switch _, isIndex := strings.CutSuffix(name, indexSuffix); {
		case n.IsDir():
			if err := c.findIn(key+"/", found); err != nil {
				return err
			}
			_ = c.cfg.FS.Remove(filepath.Join(dir, name)) // nothing of it is left, or it has files
		case name == cacheLock && folder == "":
		case isIndex:
			e, age, err := c.readIndex(strings.TrimSuffix(key, indexSuffix))
			if err == nil && folders[strings.TrimSuffix(name, indexSuffix)] {
				err = errors.New("a folder is in its place")
			}
			if err != nil {
				c.cfg.Logger.Warn("cached object dropped", "key", key, "err", err)
				c.removeFiles(strings.TrimSuffix(key, indexSuffix))
				continue
			}
			*found = append(*found, left{e, age})
		case !indexed[name]: // of a process that was killed, or a new index of one
			if err := c.cfg.FS.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// removeFiles removes an object's file and its index. What cannot be removed is swept when the cache is opened again.
func (c *Cache) removeFiles(key string) {
	path := filepath.Join(c.cfg.Dir, filepath.FromSlash(key))
	for _, name := range []string{path + indexSuffix, path} {
		if err := c.cfg.FS.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.cfg.Logger.Warn("cached object not removed", "path", name, "err", err)
		}
	}
}

// evict forgets an entry that nobody has pinned. c.mu is held.
func (c *Cache) evict(e *entry) {
	c.entries.Remove(e.key)
	c.used -= e.bytes()
	c.emptyFile(e.key)
	c.removeFiles(e.key)
}

// emptyFile gives back what an object's file takes of the disk. Removing it alone would not, while an engine that keeps
// statements prepared has it open for one that ended long ago.
func (c *Cache) emptyFile(key string) {
	f, err := c.cfg.FS.OpenFile(filepath.Join(c.cfg.Dir, filepath.FromSlash(key)), os.O_RDWR)
	if err == nil {
		err = errors.Join(f.Truncate(0), f.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.cfg.Logger.Warn("cached object not emptied", "key", key, "err", err)
	}
}

// evictOldest evicts the entry used longest ago of those that are not pinned, if there is one. c.mu is held.
func (c *Cache) evictOldest() bool {
	if _, e, ok := c.entries.GetOldest(); ok && e.pins == 0 {
		c.evict(e)
		return true
	}
	for _, key := range c.entries.Keys() {
		if e, ok := c.entries.Peek(key); ok && e.pins == 0 {
			c.evict(e)
			return true
		}
	}
	return false
}

// Pin keeps what was fetched for one statement.
type Pin struct {
	cache    *Cache
	entries  []*entry
	reserved int64 // what of the reservation is not fetched yet; under cache.mu
}

// Release lets go of it. It may be called more than once.
func (p *Pin) Release() { p.release() }

// release returns what is closed when another pin is released.
func (p *Pin) release() <-chan struct{} {
	c := p.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range p.entries {
		if e.pins--; e.pins == 0 && len(e.spans) == 0 {
			c.evict(e)
		}
	}
	c.pins -= len(p.entries)
	c.reserved -= p.reserved
	p.entries, p.reserved = nil, 0
	close(c.freed)
	c.freed = make(chan struct{})
	return c.freed
}

// pin pins the entries of the wants, making those that are not there.
func (c *Cache) pin(wants []Want) *Pin {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := &Pin{cache: c}
	for i := range wants {
		e, ok := c.entries.Get(wants[i].Key)
		if !ok {
			e = newEntry(wants[i].Key, wants[i].Bytes)
			c.entries.Add(e.key, e)
		}
		e.pins++
		c.pins++
		p.entries = append(p.entries, e)
	}
	return p
}

// giveUpOthers evicts of the objects that are wanted those which nobody has pinned and which hold more than is wanted, so that
// other columns of a file do not stand in the way. It says whether there were any.
func (c *Cache) giveUpOthers(wants []Want) (found bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range wants {
		if e, ok := c.entries.Peek(wants[i].Key); ok && e.pins == 0 && e.holdsMore(wants[i].Ranges) {
			c.evict(e)
			found = true
		}
	}
	return found
}

// reserve makes room for n more bytes, as far as there is any. It is an error if waiting would bring none.
func (c *Cache) reserve(p *Pin, n int64) (ok bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.used+c.reserved+n > c.cfg.MaxBytes {
		if c.evictOldest() {
			continue
		}
		if c.pins == len(p.entries) && c.reserved == 0 {
			return false, fmt.Errorf("%w: %d bytes are wanted at once, and it may hold %d", ErrCacheFull, c.used+n, c.cfg.MaxBytes)
		}
		return false, nil
	}
	c.reserved += n
	p.reserved = n
	return true, nil
}

// added accounts for a fetched span.
func (c *Cache) added(p *Pin, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used += n
	fetched := min(n, p.reserved)
	p.reserved -= fetched
	c.reserved -= fetched
}

// lost accounts for spans that turned out bad.
func (c *Cache) lost(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used -= n
}

// Read returns a range of an object, fetching it if need be, and the object's tag.
func (c *Cache) Read(ctx context.Context, key string, bytes int64, r Range) (data []byte, tag ETag, err error) {
	p, err := c.Fetch(ctx, []Want{{Key: key, Bytes: bytes, Ranges: []Range{r}}})
	if err != nil {
		return nil, "", err
	}
	defer p.Release()
	e := p.entries[0]
	if err := e.acquire(ctx); err != nil {
		return nil, "", err
	}
	defer e.free()
	path, err := c.Path(key)
	if err != nil {
		return nil, "", err
	}
	f, err := c.cfg.FS.Open(path)
	if err != nil {
		return nil, "", fmt.Errorf("read cached object: %w", err)
	}
	data = make([]byte, r.Size)
	if _, err = f.ReadAt(data, r.Offset); err != nil {
		err = fmt.Errorf("read cached object %s: %w", key, err)
	}
	return data, e.tag, errors.Join(err, f.Close())
}
