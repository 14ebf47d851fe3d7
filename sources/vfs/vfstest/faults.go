// Package vfstest is a file system that fails on demand. Faults wraps the real one inside a temporary directory, so that
// other code, DuckDB for one, can open the files by their paths. It can fail the n-th call that matches a pattern, cut
// the power at it, fill the disk, and show what a power loss or a kill leaves behind.
package vfstest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/fieldgate/fieldgate/sources/vfs"
)

var (
	_ vfs.FS   = (*Faults)(nil)
	_ vfs.File = (*file)(nil)
)

var (
	// ErrInjected is what a call fails with when the rule names no other error.
	ErrInjected = errors.New("injected fault")

	// ErrPowerOff is what every call gives after Crash, Kill or the moment CutPower was told.
	ErrPowerOff = errors.New("power is off")
)

// Unlimited is the free space of a disk that never fills.
const Unlimited = int64(-1)

// Faults is a file system under a root directory which can fail. Its rules start to count when they are given.
type Faults struct {
	root string
	lost string // where removed files wait until their directory is synced; outside the root
	os   vfs.OS

	mu      sync.Mutex
	off     bool
	random  *rand.Rand
	free    int64
	rules   []*rule
	inodes  map[uint64]*inode // files written to, by inode number
	entries []entryChange     // directory changes not synced, oldest first
	lostSeq int
	locks   map[io.Closer]struct{}
}

// New makes an empty file system in a temporary directory of the test. All that is random comes from the seed.
func New(tb testing.TB, seed uint64) *Faults {
	tb.Helper()
	dir := tb.TempDir()
	f := newFaults(filepath.Join(dir, "root"), filepath.Join(dir, "lost"), rand.New(rand.NewPCG(seed, 0)))
	for _, d := range []string{f.root, f.lost} {
		if err := f.os.MkdirAll(d); err != nil {
			tb.Fatal(err)
		}
	}
	return f
}

func newFaults(root, lost string, random *rand.Rand) *Faults {
	return &Faults{
		root:   root,
		lost:   lost,
		random: random,
		free:   Unlimited,
		inodes: map[uint64]*inode{},
		locks:  map[io.Closer]struct{}{},
	}
}

// Root is the directory that all paths must lie in.
func (f *Faults) Root() string { return f.root }

// SetFree sets how many more bytes fit on the disk. A write that needs more writes what fits and gives ENOSPC. Files that
// shrink or go give their bytes back.
func (f *Faults) SetFree(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.free = bytes
}

// Crash is a power loss: the receiver and its files give ErrPowerOff from now on, and the result is the file system as
// it comes up again. Each file has what was synced and a random part of what was not: of the bytes a prefix, or sectors
// here and there. Directory entries that were not synced are undone, newest first, often all, sometimes only some.
func (f *Faults) Crash() (*Faults, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.powerOff(); err != nil {
		return nil, err
	}
	if err := f.undoEntries(); err != nil {
		return nil, fmt.Errorf("undo directory entries: %w", err)
	}
	if err := f.loseBytes(); err != nil {
		return nil, fmt.Errorf("lose unsynced bytes: %w", err)
	}
	up := newFaults(f.root, f.lost, f.random)
	up.lostSeq = f.lostSeq
	return up, nil
}

// Kill is the end of the process alone: the receiver and its files give ErrPowerOff from now on, its locks are free, and
// the result has every byte written. What was not synced can still be lost in a Crash of the result.
func (f *Faults) Kill() (*Faults, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.powerOff(); err != nil {
		return nil, err
	}
	up := newFaults(f.root, f.lost, f.random)
	up.inodes, up.entries, up.lostSeq, up.free = f.inodes, f.entries, f.lostSeq, f.free
	return up, nil
}

// powerOff ends the file system for its users. f.mu is held.
func (f *Faults) powerOff() error {
	f.off = true
	var errs []error
	for lock := range f.locks {
		errs = append(errs, lock.Close())
	}
	clear(f.locks)
	return errors.Join(errs...)
}

// Create implements vfs.FS.
func (f *Faults) Create(name string) (vfs.File, error) {
	return f.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
}

// Open implements vfs.FS.
func (f *Faults) Open(name string) (vfs.File, error) { return f.OpenFile(name, os.O_RDONLY) }

// OpenFile implements vfs.FS. O_APPEND is not supported.
func (f *Faults) OpenFile(name string, flag int) (vfs.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if flag&os.O_APPEND != 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.ErrUnsupported}
	}
	_, statErr := os.Lstat(name)
	creates := flag&os.O_CREATE != 0 && errors.Is(statErr, fs.ErrNotExist)
	op := Open
	if creates {
		op = Create
	}
	if err := f.check(op, name); err != nil {
		return nil, err
	}
	opened, err := f.os.OpenFile(name, flag&^os.O_TRUNC)
	if err != nil {
		return nil, err
	}
	file := &file{File: opened, fs: f}
	if creates {
		f.entries = append(f.entries, entryChange{dir: filepath.Dir(name), created: name})
	}
	if err := file.track(flag&os.O_TRUNC != 0); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return file, nil
}

// Rename implements vfs.FS.
func (f *Faults) Rename(oldName, newName string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.check(Rename, newName); err != nil {
		return err
	}
	change := entryChange{dir: filepath.Dir(newName), oldName: oldName, newName: newName}
	if info, err := os.Lstat(newName); err == nil && !info.IsDir() {
		// The second name keeps what the rename replaces, for the undoing.
		change.lost = f.lostName()
		if err := os.Link(newName, change.lost); err != nil {
			return err
		}
	}
	if err := f.os.Rename(oldName, newName); err != nil {
		return err
	}
	f.entries = append(f.entries, change)
	return nil
}

// Remove implements vfs.FS.
func (f *Faults) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.check(Remove, name); err != nil {
		return err
	}
	if below, err := os.ReadDir(name); err == nil && len(below) > 0 {
		return &fs.PathError{Op: "remove", Path: name, Err: syscall.ENOTEMPTY}
	}
	return f.remove(name)
}

// RemoveAll implements vfs.FS.
func (f *Faults) RemoveAll(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.check(Remove, name); err != nil {
		return err
	}
	err := f.remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// remove moves a file or a directory out of the root. f.mu is held.
func (f *Faults) remove(name string) error {
	lost := f.lostName()
	size := treeSize(name)
	if err := os.Rename(name, lost); err != nil {
		return &fs.PathError{Op: "remove", Path: name, Err: errors.Unwrap(err)}
	}
	f.entries = append(f.entries, entryChange{dir: filepath.Dir(name), removed: name, lost: lost})
	f.giveBack(size)
	return nil
}

// MkdirAll implements vfs.FS.
func (f *Faults) MkdirAll(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mkdirAll(filepath.Clean(dir))
}

func (f *Faults) mkdirAll(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := f.mkdirAll(parent); err != nil {
			return err
		}
	}
	if err := f.check(Create, dir); err != nil {
		return err
	}
	if err := f.os.MkdirAll(dir); err != nil {
		return err
	}
	f.entries = append(f.entries, entryChange{dir: filepath.Dir(dir), created: dir})
	return nil
}

// ReadDir implements vfs.FS.
func (f *Faults) ReadDir(dir string) ([]fs.DirEntry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.check(Open, dir); err != nil {
		return nil, err
	}
	return f.os.ReadDir(dir)
}

// Stat implements vfs.FS.
func (f *Faults) Stat(name string) (fs.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.check(Open, name); err != nil {
		return nil, err
	}
	return f.os.Stat(name)
}

// SyncDir implements vfs.FS.
func (f *Faults) SyncDir(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.check(SyncDir, dir); err != nil {
		return err
	}
	if err := f.syncEntries(filepath.Clean(dir)); err != nil {
		return err
	}
	// Nothing is asked of the real disk: what the test takes to be durable is decided here.
	_, err := f.os.Stat(dir)
	return err
}

// Lock implements vfs.FS.
func (f *Faults) Lock(name string) (io.Closer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.check(Open, name); err != nil {
		return nil, err
	}
	held, err := f.os.Lock(name)
	if err != nil {
		return nil, err
	}
	f.locks[held] = struct{}{}
	return &lock{held: held, fs: f}, nil
}

type lock struct {
	held io.Closer
	fs   *Faults
}

func (l *lock) Close() error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	if _, held := l.fs.locks[l.held]; !held {
		return nil
	}
	delete(l.fs.locks, l.held)
	return l.held.Close()
}
