package objstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/fieldgate/fieldgate/sources/vfs"
)

var (
	_ Local     = (*Dir)(nil)
	_ Versioned = (*Dir)(nil)
)

const (
	// tempDir holds what is being written. No key can name it, since segments begin with no dot.
	tempDir = ".tmp"

	// hashedBytes is the greatest size of an object whose tag is a hash of its content. Objects that are swapped under a
	// condition are small roots; to hash a Parquet file of 256 MB for every Head would read it whole.
	hashedBytes = 1 << 20

	// stripes is how many locks guard the keys.
	stripes = 64
)

// DirConfig says where a Dir keeps its objects.
type DirConfig struct {
	Root string // the directory; made if it is not there
	FS   vfs.FS // default vfs.OS{}
}

// Dir is a Bucket in a directory: an object is a file, its key the path below the root. A write goes to a temporary file,
// which is synced and renamed, and the directory is synced. Conditions are held by locks of the process, so one root
// must have one Dir, in one process; the lock on the data directory sees to that.
type Dir struct {
	fs    vfs.FS
	root  string
	seed  maphash.Seed
	temps atomic.Uint64

	keys [stripes]sync.Mutex // held while a key's file is replaced or removed; locked after tree

	tree sync.RWMutex // held for reading while a file is put into a directory or taken out, for writing while empty ones are removed

	made  sync.Mutex          // guards known, and keeps makers of directories apart
	known map[string]struct{} // directories whose entries are durable
}

// OpenDir makes the directory if need be and removes what a crash left of unfinished writes.
func OpenDir(cfg DirConfig) (*Dir, error) {
	if cfg.FS == nil {
		cfg.FS = vfs.OS{}
	}
	if cfg.Root == "" {
		return nil, errors.New("open object directory: no root")
	}
	d := &Dir{fs: cfg.FS, root: filepath.Clean(cfg.Root), seed: maphash.MakeSeed(), known: map[string]struct{}{}}
	temp := filepath.Join(d.root, tempDir)
	if err := vfs.MakeDirs(d.fs, d.root); err != nil {
		return nil, fmt.Errorf("open object directory: %w", err)
	}
	if err := d.fs.RemoveAll(temp); err != nil {
		return nil, fmt.Errorf("remove unfinished objects: %w", err)
	}
	if err := d.fs.MkdirAll(temp); err != nil {
		return nil, fmt.Errorf("open object directory: %w", err)
	}
	return d, nil
}

// Path implements Local.
func (d *Dir) Path(key string) (string, error) {
	if err := ValidateKey(key); err != nil {
		return "", err
	}
	return filepath.Join(d.root, filepath.FromSlash(key)), nil
}

// Put implements Bucket.
func (d *Dir) Put(ctx context.Context, key string, data []byte) (ETag, error) {
	return d.write(ctx, key, data, nil)
}

// PutIf implements Bucket.
func (d *Dir) PutIf(ctx context.Context, key string, data []byte, match ETag) (ETag, error) {
	return d.write(ctx, key, data, func(path string) error {
		info, err := d.stat(key, path)
		switch {
		case errors.Is(err, ErrNotFound):
			info.ETag = ""
		case err != nil:
			return err
		}
		if info.ETag != match {
			return ErrPrecondition
		}
		return nil
	})
}

// write puts the object in place if the condition, when there is one, holds at that moment.
func (d *Dir) write(ctx context.Context, key string, data []byte, condition func(path string) error) (ETag, error) {
	path, err := d.begin(ctx, key)
	if err != nil {
		return "", err
	}
	if condition != nil {
		// Asked early too, so that who has lost already writes nothing.
		if err := condition(path); err != nil {
			return "", fmt.Errorf("put object %s: %w", key, err)
		}
	}
	temp := filepath.Join(d.root, tempDir, strconv.FormatUint(d.temps.Add(1), 10))
	tag, err := d.writeTemp(temp, data)
	if err == nil {
		err = d.replace(key, path, temp, condition)
	}
	if err != nil {
		// If it cannot be removed, or is in its place already, OpenDir sweeps or nothing is left to remove.
		_ = d.fs.Remove(temp)
		return "", fmt.Errorf("put object %s: %w", key, err)
	}
	return tag, nil
}

// begin is the start of every method that takes a key.
func (d *Dir) begin(ctx context.Context, key string) (path string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return d.Path(key)
}

// writeTemp writes a durable file and gives the tag it will have under its key.
func (d *Dir) writeTemp(temp string, data []byte) (ETag, error) {
	f, err := d.fs.Create(temp)
	if err != nil {
		return "", err
	}
	var tag ETag
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		tag, err = tagOf(f)
	}
	return tag, errors.Join(err, f.Close())
}

// replace renames the temporary file to the key's path.
func (d *Dir) replace(key, path, temp string, condition func(path string) error) error {
	d.tree.RLock()
	defer d.tree.RUnlock()
	folder := filepath.Dir(path)
	if err := d.makeFolder(folder); err != nil {
		return folderError(err)
	}
	lock := d.lockOf(key)
	lock.Lock()
	defer lock.Unlock()
	if condition != nil {
		if err := condition(path); err != nil {
			return err
		}
	}
	if err := d.fs.Rename(temp, path); err != nil {
		return folderError(err)
	}
	return d.fs.SyncDir(folder)
}

// folderError tells the caller's mistake, a key that is another's folder, from the disk's.
func folderError(err error) error {
	for _, clash := range []error{syscall.ENOTDIR, syscall.EISDIR, fs.ErrExist} {
		if errors.Is(err, clash) {
			return fmt.Errorf("%w: one object's key is another's folder: %w", ErrKey, err)
		}
	}
	return err
}

// makeFolder makes a directory below the root, and durable. What another process may have made and not synced is synced
// the first time that it is used.
func (d *Dir) makeFolder(folder string) error {
	d.made.Lock()
	defer d.made.Unlock()
	return d.makeKnown(folder)
}

// makeKnown does it, parents first. d.made is held.
func (d *Dir) makeKnown(folder string) error {
	if _, ok := d.known[folder]; ok || folder == d.root {
		return nil
	}
	if err := d.makeKnown(filepath.Dir(folder)); err != nil {
		return err
	}
	if err := vfs.MakeDirs(d.fs, folder); err != nil {
		return err
	}
	d.known[folder] = struct{}{}
	return nil
}

func (d *Dir) lockOf(key string) *sync.Mutex {
	return &d.keys[maphash.String(d.seed, key)%stripes]
}

// Get implements Bucket.
func (d *Dir) Get(ctx context.Context, key string) (io.ReadCloser, Info, error) {
	path, err := d.begin(ctx, key)
	if err != nil {
		return nil, Info{}, err
	}
	f, size, err := d.open(path)
	if err != nil {
		return nil, Info{}, fmt.Errorf("get object %s: %w", key, err)
	}
	info, err := describe(key, f)
	if err != nil {
		return nil, Info{}, fmt.Errorf("get object %s: %w", key, errors.Join(err, f.Close()))
	}
	return &section{SectionReader: io.NewSectionReader(f, 0, size), file: f}, info, nil
}

// GetRange implements Bucket.
func (d *Dir) GetRange(ctx context.Context, key string, offset, size int64) (io.ReadCloser, error) {
	r, err := d.openRange(ctx, key, offset, size)
	if err != nil {
		return nil, err // not a nil section
	}
	return r, nil
}

// GetRangeInfo implements Versioned.
func (d *Dir) GetRangeInfo(ctx context.Context, key string, offset, size int64) (io.ReadCloser, Info, error) {
	r, err := d.openRange(ctx, key, offset, size)
	if err != nil {
		return nil, Info{}, err
	}
	info, err := describe(key, r.file)
	if err != nil {
		return nil, Info{}, fmt.Errorf("get range of object %s: %w", key, errors.Join(err, r.Close()))
	}
	return r, info, nil
}

func (d *Dir) openRange(ctx context.Context, key string, offset, size int64) (*section, error) {
	path, err := d.begin(ctx, key)
	if err != nil {
		return nil, err
	}
	f, total, err := d.open(path)
	if err != nil {
		return nil, fmt.Errorf("get range of object %s: %w", key, err)
	}
	if offset < 0 || size < 0 || offset >= total {
		err := fmt.Errorf("%w: %d bytes from %d on, of %d", ErrRange, size, offset, total)
		return nil, fmt.Errorf("get range of object %s: %w", key, errors.Join(err, f.Close()))
	}
	return &section{SectionReader: io.NewSectionReader(f, offset, min(size, total-offset)), file: f}, nil
}

// section reads part of a file and closes it.
type section struct {
	*io.SectionReader
	file vfs.File
}

func (s *section) Close() error { return s.file.Close() }

// Head implements Bucket.
func (d *Dir) Head(ctx context.Context, key string) (Info, error) {
	path, err := d.begin(ctx, key)
	if err != nil {
		return Info{}, err
	}
	info, err := d.stat(key, path)
	if err != nil {
		return Info{}, fmt.Errorf("head object %s: %w", key, err)
	}
	return info, nil
}

// stat describes an object; ErrNotFound without more text.
func (d *Dir) stat(key, path string) (Info, error) {
	f, _, err := d.open(path)
	if err != nil {
		return Info{}, err
	}
	info, err := describe(key, f)
	return info, errors.Join(err, f.Close())
}

// open opens an object's file; a directory is none.
func (d *Dir) open(path string) (vfs.File, int64, error) {
	f, err := d.fs.Open(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, 0, ErrNotFound
	}
	if err != nil {
		return nil, 0, err
	}
	stat, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	if !stat.Mode().IsRegular() {
		return nil, 0, errors.Join(ErrNotFound, f.Close())
	}
	return f, stat.Size(), nil
}

func describe(key string, f vfs.File) (Info, error) {
	stat, err := f.Stat()
	if err != nil {
		return Info{}, err
	}
	tag, err := tagOf(f)
	return Info{Key: key, Size: stat.Size(), ETag: tag, Modified: stat.ModTime()}, err
}

// tagOf is the tag of an open file: for small ones their SHA-256; for great ones size, time and inode, which together
// are new with each write, since the file that is replaced still holds its inode when the next is made.
func tagOf(f vfs.File) (ETag, error) {
	stat, err := f.Stat()
	if err != nil {
		return "", err
	}
	if size := stat.Size(); size <= hashedBytes {
		sum := sha256.New()
		if _, err := io.Copy(sum, io.NewSectionReader(f, 0, size)); err != nil {
			return "", err
		}
		return ETag(hex.EncodeToString(sum.Sum(nil))), nil
	}
	var inode uint64
	if sys, ok := stat.Sys().(*syscall.Stat_t); ok {
		inode = sys.Ino
	}
	return ETag(fmt.Sprintf("%x-%x-%x", stat.Size(), stat.ModTime().UnixNano(), inode)), nil
}

// Delete implements Bucket.
func (d *Dir) Delete(ctx context.Context, key string) error {
	path, err := d.begin(ctx, key)
	if err != nil {
		return err
	}
	removed, err := d.remove(key, path)
	if err != nil {
		return fmt.Errorf("delete object %s: %w", key, err)
	}
	if removed {
		if err := d.prune(filepath.Dir(path)); err != nil {
			return fmt.Errorf("delete empty folders of object %s: %w", key, err)
		}
	}
	return nil
}

func (d *Dir) remove(key, path string) (removed bool, err error) {
	d.tree.RLock()
	defer d.tree.RUnlock()
	lock := d.lockOf(key)
	lock.Lock()
	defer lock.Unlock()
	stat, err := d.fs.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return false, nil
	}
	if err != nil || !stat.Mode().IsRegular() {
		return false, err
	}
	if err := d.fs.Remove(path); err != nil {
		return false, err
	}
	return true, d.fs.SyncDir(filepath.Dir(path))
}

// prune removes a folder and its parents below the root as far as they are empty. It syncs nothing: an empty folder
// that comes back is no object.
func (d *Dir) prune(folder string) error {
	d.tree.Lock()
	defer d.tree.Unlock()
	d.made.Lock()
	defer d.made.Unlock()
	for ; folder != d.root; folder = filepath.Dir(folder) {
		entries, err := d.fs.ReadDir(folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil || len(entries) > 0 {
			return err
		}
		delete(d.known, folder)
		if err := d.fs.Remove(folder); err != nil {
			return err
		}
	}
	return nil
}
