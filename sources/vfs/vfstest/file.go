package vfstest

import (
	"io"
	"io/fs"
	"syscall"

	"github.com/fieldgate/fieldgate/sources/vfs"
)

// file is an open file of a Faults.
type file struct {
	vfs.File
	fs    *Faults
	inode *inode
}

// track finds the file's inode, or takes it up, and empties the file if asked. fs.mu is held.
func (f *file) track(truncate bool) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	number := inodeNumber(info)
	f.inode = f.fs.inodes[number]
	if f.inode == nil {
		f.inode = &inode{}
		f.fs.inodes[number] = f.inode
	}
	if truncate && info.Size() > 0 {
		return f.truncate(0)
	}
	return nil
}

func (f *file) Read(p []byte) (int, error) {
	if err := f.alive("read"); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if err := f.alive("read"); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

// alive fails once the power is off. Reads match no rule: a device that cannot read is not what is tested here.
func (f *file) alive(op string) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.fs.off {
		return &fs.PathError{Op: op, Path: f.Name(), Err: ErrPowerOff}
	}
	return nil
}

func (f *file) Write(p []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	offset, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	n, err := f.writeAt(p, offset)
	if _, seekErr := f.Seek(offset+int64(n), io.SeekStart); err == nil {
		err = seekErr
	}
	return n, err
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	return f.writeAt(p, off)
}

func (f *file) writeAt(p []byte, off int64) (int, error) {
	fault := f.fs.check(Write, f.Name())
	if fault != nil && len(p) > 0 {
		p = p[:f.fs.random.IntN(len(p))]
	}
	size, err := f.size()
	if err != nil {
		return 0, err
	}
	if growth := off + int64(len(p)) - size; f.fs.free != Unlimited && growth > 0 {
		if growth > f.fs.free {
			p = p[:max(0, int64(len(p))-(growth-f.fs.free))]
			fault = &fs.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
		}
		f.fs.free -= max(0, off+int64(len(p))-size)
	}
	if len(p) == 0 {
		return 0, fault
	}
	if err := f.inode.remember(f.File, off, int64(len(p)), size); err != nil {
		return 0, err
	}
	n, err := f.File.WriteAt(p, off)
	if err == nil {
		err = fault
	}
	return n, err
}

func (f *file) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.check(Truncate, f.Name()); err != nil {
		return err
	}
	return f.truncate(size)
}

func (f *file) truncate(size int64) error {
	old, err := f.size()
	if err != nil {
		return err
	}
	if err := f.inode.rememberTruncate(f.File, size, old); err != nil {
		return err
	}
	f.fs.giveBack(old - size)
	return f.File.Truncate(size)
}

func (f *file) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	size, err := f.size()
	if err != nil {
		return err
	}
	if err := f.fs.check(Sync, f.Name()); err != nil {
		f.inode.doomed()
		return err
	}
	f.inode.synced(size)
	return nil
}

func (f *file) size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
