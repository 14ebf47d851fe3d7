package vfstest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// sectorBytes is what a disk writes whole or not at all.
const sectorBytes = 512

// inode is what is not durable yet of one file, under whatever name.
type inode struct {
	changes []change // oldest first
}

// change is a write or a truncation, with what undoes it.
type change struct {
	off, size int64  // what was written; size is zero for a truncation to off
	oldSize   int64  // of the file
	old       []byte // what stood from off on and is overwritten or cut
	truncates bool
	doomed    bool // a sync of it has failed: later ones do not make it durable
}

func (c *change) end() int64 { return c.off + c.size }

// remember takes down what a write will replace.
func (i *inode) remember(r io.ReaderAt, off, size, oldSize int64) error {
	old, err := readRange(r, off, min(off+size, oldSize))
	i.changes = append(i.changes, change{off: off, size: size, oldSize: oldSize, old: old})
	return err
}

// rememberTruncate takes down what a truncation will cut.
func (i *inode) rememberTruncate(r io.ReaderAt, size, oldSize int64) error {
	old, err := readRange(r, size, oldSize)
	i.changes = append(i.changes, change{off: size, oldSize: oldSize, old: old, truncates: true})
	return err
}

func readRange(r io.ReaderAt, from, to int64) ([]byte, error) {
	if to <= from {
		return nil, nil
	}
	data := make([]byte, to-from)
	if _, err := r.ReadAt(data, from); err != nil {
		return nil, fmt.Errorf("read what is replaced: %w", err)
	}
	return data, nil
}

// synced makes all changes durable, and with them the size, but for the bytes of those doomed, unless one made later
// wrote or cut all that they had written.
func (i *inode) synced(size int64) {
	var kept []change
	for n, c := range i.changes {
		end := min(c.end(), size) // what was cut since needs no redoing
		redone := slices.ContainsFunc(i.changes[n+1:], func(later change) bool {
			return !later.doomed && later.off <= c.off && (later.truncates || end <= later.end())
		})
		if c.doomed && !redone && !c.truncates && end > c.off {
			c.old = resize(c.old, end-c.off)
			c.oldSize = size
			kept = append(kept, c)
		}
	}
	i.changes = kept
}

func (i *inode) doomed() {
	for n := range i.changes {
		i.changes[n].doomed = true
	}
}

// afterLoss is the file's content when the power is back: undone as far as it is not durable, then a random part done
// again.
func (i *inode) afterLoss(content []byte, random *rand.Rand) []byte {
	redo := make([][]byte, len(i.changes))
	for n, c := range slices.Backward(i.changes) {
		if !c.truncates {
			end := int64(len(content))
			redo[n] = slices.Clone(content[min(c.off, end):min(c.end(), end)])
		}
		content = resize(content, c.oldSize)
		copy(content[min(c.off, c.oldSize):], c.old)
	}
	left, sectors := random.IntN(totalBytes(redo)+1), random.IntN(3) == 0
	for n, c := range i.changes {
		switch {
		case sectors:
			content = redoSectors(content, c, redo[n], random)
		case c.truncates && (left > 0 || random.IntN(2) == 0):
			content = resize(content, c.off)
		default:
			part := redo[n][:min(left, len(redo[n]))]
			left -= len(part)
			content = overwrite(content, c.off, part)
		}
	}
	return content
}

// redoSectors does a change again as disks may that reorder writes: any of its sectors, and the size by itself.
func redoSectors(content []byte, c change, data []byte, random *rand.Rand) []byte {
	if c.truncates {
		if random.IntN(2) == 0 {
			content = resize(content, c.off)
		}
		return content
	}
	if random.IntN(2) == 0 {
		content = resize(content, max(int64(len(content)), c.off+int64(len(data))))
	}
	for off := c.off; len(data) > 0; {
		n := min(int64(len(data)), sectorBytes-off%sectorBytes)
		if random.IntN(2) == 0 {
			content = overwrite(content, off, data[:n])
		}
		data, off = data[n:], off+n
	}
	return content
}

func totalBytes(parts [][]byte) int {
	total := 0
	for _, p := range parts {
		total += len(p)
	}
	return total
}

func resize(content []byte, size int64) []byte {
	if size <= int64(len(content)) {
		return content[:size:size]
	}
	return append(content, make([]byte, size-int64(len(content)))...)
}

func overwrite(content []byte, off int64, data []byte) []byte {
	if len(data) == 0 {
		return content
	}
	content = resize(content, max(int64(len(content)), off+int64(len(data))))
	copy(content[off:], data)
	return content
}

// loseBytes rewrites each file that has unsynced bytes. f.mu is held.
func (f *Faults) loseBytes() error {
	return filepath.WalkDir(f.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		node := f.inodes[inodeNumber(info)]
		if node == nil || len(node.changes) == 0 {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, node.afterLoss(content, f.random), info.Mode().Perm())
	})
}

// entryChange is a change of a directory, with what undoes it: something created, removed (kept as lost) or renamed
// (with what it replaced, if anything, kept as lost).
type entryChange struct {
	dir              string
	created          string
	removed          string
	oldName, newName string
	lost             string
}

// syncEntries makes the changes of one directory durable. f.mu is held.
func (f *Faults) syncEntries(dir string) error {
	var errs []error
	f.entries = slices.DeleteFunc(f.entries, func(c entryChange) bool {
		if c.dir != dir {
			return false
		}
		if c.lost != "" {
			errs = append(errs, f.forget(c.lost))
		}
		return true
	})
	return errors.Join(errs...)
}

// forget deletes what a synced change took away. Its inode numbers are free for other files then.
func (f *Faults) forget(lost string) error {
	err := filepath.WalkDir(lost, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && !entry.IsDir() {
			delete(f.inodes, inodeNumber(info))
		}
		return err
	})
	return errors.Join(err, os.RemoveAll(lost))
}

// undoEntries takes back directory changes, newest first: all of them as often as not. f.mu is held.
func (f *Faults) undoEntries() error {
	kept := 0
	if len(f.entries) > 0 && f.random.IntN(2) == 0 {
		kept = f.random.IntN(len(f.entries))
	}
	for _, c := range slices.Backward(f.entries[kept:]) {
		if err := c.undo(); err != nil {
			return err
		}
	}
	for _, c := range f.entries[:kept] {
		if c.lost == "" {
			continue
		}
		if err := f.forget(c.lost); err != nil {
			return err
		}
	}
	return nil
}

func (c *entryChange) undo() error {
	switch {
	case c.created != "":
		return os.RemoveAll(c.created)
	case c.removed != "":
		return os.Rename(c.lost, c.removed)
	}
	// It may have gone on from there to a directory that was synced.
	if err := os.Rename(c.newName, c.oldName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if c.lost == "" {
		return nil
	}
	return os.Rename(c.lost, c.newName)
}

func (f *Faults) lostName() string {
	f.lostSeq++
	return filepath.Join(f.lost, fmt.Sprintf("%06d", f.lostSeq))
}

func (f *Faults) giveBack(bytes int64) {
	if f.free != Unlimited {
		f.free += bytes
	}
}

// treeSize is the bytes of a file or of all files below a directory; what cannot be read counts nothing.
func treeSize(name string) int64 {
	var total int64
	_ = filepath.WalkDir(name, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			if info, err := entry.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

func inodeNumber(info fs.FileInfo) uint64 {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		panic("vfstest: the file system gives no inode numbers")
	}
	return stat.Ino
}
