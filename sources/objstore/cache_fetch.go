package objstore

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/sources/vfs"
)

// Want is what is wanted of an object.
type Want struct {
	Key string
	// Bytes is the object's size, and ETag its tag if the ranges follow from one version of it. Of an object that is
	// another by now, nothing is given: ErrPrecondition.
	Bytes  int64
	ETag   ETag
	Ranges []Range
}

// Fetch sees to it that the files hold what is wanted, and keeps it until the pin is released. A key comes once. Several
// calls that want the same fetch it once.
func (c *Cache) Fetch(ctx context.Context, wants []Want) (*Pin, error) {
	p := c.pin(wants)
	missing, err := c.look(ctx, p, wants)
	if err == nil && missing == 0 {
		return p, nil
	}
	p.Release()
	if err != nil {
		return nil, err
	}
	for first := true; ; first = false {
		if p, err = c.makeRoom(ctx, wants); err != nil {
			return nil, err
		}
		if err = c.fetchAll(ctx, p, wants); err == nil {
			return p, nil
		}
		p.Release()
		// The disk is full, whatever the bound says.
		if !first || !errors.Is(err, ErrCacheFull) || !c.giveUpOthers(wants) {
			return nil, err
		}
	}
}

// makeRoom pins what is wanted and reserves room for what is missing of it. One at a time tries, and who waits for room
// pins nothing, so that no two wait for each other.
func (c *Cache) makeRoom(ctx context.Context, wants []Want) (*Pin, error) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-c.turn }()
	for {
		p := c.pin(wants)
		missing, err := c.look(ctx, p, wants)
		var ok bool
		if err == nil {
			ok, err = c.reserve(p, missing)
		}
		if err == nil && ok {
			return p, nil
		}
		changed := p.release()
		if (err == nil || errors.Is(err, ErrCacheFull)) && c.giveUpOthers(wants) {
			continue
		}
		if err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

// look verifies what is there of the wants and says how many bytes are to be fetched.
func (c *Cache) look(ctx context.Context, p *Pin, wants []Want) (int64, error) {
	var mu sync.Mutex
	var total int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0)) // it is checksums
	for i, e := range p.entries {
		g.Go(func() error {
			if err := e.acquire(ctx); err != nil {
				return err
			}
			defer e.free()
			if err := c.check(e, &wants[i]); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, r := range coalesce(e.missing(wants[i].Ranges), e.spans) {
				total += r.Size
			}
			return nil
		})
	}
	return total, g.Wait()
}

// check makes an entry hold nothing that is not so. e is acquired.
func (c *Cache) check(e *entry, w *Want) error {
	for _, r := range w.Ranges {
		if r.Offset < 0 || r.Size < 0 || r.End() > w.Bytes {
			return fmt.Errorf("fetch object %s: %w: %d bytes from %d on, of %d", w.Key, ErrRange, r.Size, r.Offset, w.Bytes)
		}
	}
	if e.size != w.Bytes {
		c.reset(e)
		e.size = w.Bytes
	}
	if len(e.spans) == 0 {
		return nil
	}
	if w.ETag != "" && e.tag != w.ETag {
		return fmt.Errorf("fetch object %s: %w", w.Key, ErrPrecondition)
	}
	path, err := c.Path(e.key)
	if err != nil {
		return err
	}
	info, err := c.cfg.FS.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		c.reset(e)
		return nil
	}
	if err != nil {
		return fmt.Errorf("find cached object: %w", err)
	}
	e.compare(stampOf(info))
	if !e.doubtful(w.Ranges) {
		return nil
	}
	f, err := c.cfg.FS.Open(path)
	if err != nil {
		return fmt.Errorf("open cached object: %w", err)
	}
	dropped, err := e.verify(f, w.Ranges)
	c.lost(dropped)
	if dropped > 0 {
		c.cfg.Logger.Warn("cached bytes were damaged and are fetched again", "key", e.key, "bytes", dropped)
	}
	return errors.Join(err, f.Close())
}

// reset forgets what an entry holds. Who has its file open keeps that. e is acquired.
func (c *Cache) reset(e *entry) {
	c.lost(e.bytes())
	e.spans, e.tag, e.left = nil, "", stamp{}
	c.removeFiles(e.key)
}

func (c *Cache) fetchAll(ctx context.Context, p *Pin, wants []Want) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(c.cfg.Requests)
	for i, e := range p.entries {
		g.Go(func() error {
			if err := e.acquire(ctx); err != nil {
				return err
			}
			defer e.free()
			return c.fetchEntry(ctx, p, e, &wants[i])
		})
	}
	return g.Wait()
}

// fetchEntry fetches what is missing of one object. If it was replaced, all is fetched anew. e is acquired.
func (c *Cache) fetchEntry(ctx context.Context, p *Pin, e *entry, w *Want) error {
	for {
		missing := e.missing(w.Ranges)
		if len(missing) == 0 {
			return nil
		}
		err := c.fetchRanges(ctx, p, e, w, coalesce(missing, e.spans))
		switch {
		case errors.Is(err, errReplaced) && w.ETag == "" && ctx.Err() == nil:
			c.reset(e)
		case errors.Is(err, errReplaced):
			c.reset(e)
			return fmt.Errorf("fetch object %s: %w", w.Key, ErrPrecondition)
		case err != nil:
			return fmt.Errorf("fetch object %s: %w", w.Key, err)
		}
	}
}

// errReplaced means that an object has become another since parts of it were fetched.
var errReplaced = errors.New("object replaced")

func (c *Cache) fetchRanges(ctx context.Context, p *Pin, e *entry, w *Want, ranges []Range) error {
	path, err := c.Path(e.key)
	if err != nil {
		return err
	}
	if err := c.cfg.FS.MkdirAll(filepath.Dir(path)); err != nil {
		return c.diskError(err)
	}
	f, err := c.cfg.FS.OpenFile(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return c.diskError(err)
	}
	var mu sync.Mutex // guards the entry
	g, running := errgroup.WithContext(ctx)
	for _, r := range ranges {
		select {
		case c.requests <- struct{}{}:
		case <-running.Done():
			continue
		}
		g.Go(func() error {
			defer func() { <-c.requests }()
			s, tag, err := c.fetchRange(running, f, w, r)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if e.tag == "" {
				e.tag = tag
			}
			if tag != e.tag || w.ETag != "" && tag != w.ETag {
				return errReplaced
			}
			e.add(s)
			c.added(p, s.Size)
			return nil
		})
	}
	err = errors.Join(g.Wait(), ctx.Err())
	// What has come is kept, whatever became of the rest.
	info, statErr := f.Stat()
	if statErr == nil {
		e.left = stampOf(info)
	}
	err = errors.Join(err, statErr, f.Close())
	if len(e.spans) > 0 {
		if err := c.writeIndex(e); err != nil {
			c.cfg.Logger.Warn("index of cached object not written", "key", e.key, "err", err)
		}
	}
	return err
}

// fetchRange reads a range of the object into its place in the file.
func (c *Cache) fetchRange(ctx context.Context, f vfs.File, w *Want, r Range) (span, ETag, error) {
	body, info, err := c.cfg.Bucket.GetRangeInfo(ctx, w.Key, r.Offset, r.Size)
	if err != nil {
		return span{}, "", err
	}
	if info.Size != w.Bytes {
		err := fmt.Errorf("it has %d bytes and was to have %d", info.Size, w.Bytes)
		return span{}, "", errors.Join(err, body.Close())
	}
	sum := crc32.New(castagnoli)
	to := &placeWriter{cache: c, file: f, at: r.Offset}
	n, err := io.CopyBuffer(struct{ io.Writer }{to}, io.TeeReader(body, sum), make([]byte, 256<<10))
	if err == nil && n < r.Size {
		err = io.ErrUnexpectedEOF
	}
	return span{Range: r, sum: sum.Sum32(), sound: true}, info.ETag, errors.Join(err, body.Close())
}

// placeWriter writes from a place in a file on. On a full disk it has the cache make room.
type placeWriter struct {
	cache *Cache
	file  vfs.File
	at    int64
}

func (w *placeWriter) Write(p []byte) (int, error) {
	n, err := w.file.WriteAt(p, w.at)
	for errors.Is(err, syscall.ENOSPC) && w.cache.giveUpOldest() {
		var more int
		more, err = w.file.WriteAt(p[n:], w.at+int64(n))
		n += more
	}
	w.at += int64(n)
	return n, w.cache.diskError(err)
}

func (c *Cache) giveUpOldest() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.evictOldest()
}

// diskError tells a full disk from other troubles.
func (c *Cache) diskError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: the disk of %s is full: %w", ErrCacheFull, c.cfg.Dir, err)
	}
	return err
}
