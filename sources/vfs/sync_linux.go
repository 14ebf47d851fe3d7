package vfs

import (
	"io/fs"
	"os"
	"syscall"
)

// syncData uses fdatasync(2): data and size, not the times, which spares a journal commit for a write in place.
func syncData(f *os.File) error {
	if err := control(f, syscall.Fdatasync); err != nil {
		return &fs.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
	}
	return nil
}
