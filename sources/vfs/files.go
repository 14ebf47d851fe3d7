package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
)

// TempSuffix ends the name of a file that WriteFile has not finished. Whoever finds one after a crash may delete it.
const TempSuffix = ".tmp"

// ReadFile reads a whole file.
func ReadFile(fsys FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(f)
	return data, errors.Join(err, f.Close())
}

// WriteFile replaces or makes a file, atomically and durably: after a crash at any point the name has the old bytes or
// all of the new. Two calls for one name at once must be kept apart by the caller. The directory must exist.
func WriteFile(fsys FS, name string, data []byte) error {
	temp := name + TempSuffix
	if err := writeSynced(fsys, temp, data); err != nil {
		// What is left of the temporary file is swept by its suffix if this fails too.
		_ = fsys.Remove(temp)
		return err
	}
	if err := fsys.Rename(temp, name); err != nil {
		return err
	}
	return fsys.SyncDir(filepath.Dir(name))
}

func writeSynced(fsys FS, name string, data []byte) error {
	f, err := fsys.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// MakeDirs makes a directory and the parents it lacks, and syncs every directory that got a new entry. The directory's
// own entry is durable afterwards even if it was there before, made by a process that died before it could sync. Two
// calls at once must be kept apart by the caller, lest one take for durable what the other has only just made.
func MakeDirs(fsys FS, dir string) error {
	dir = filepath.Clean(dir)
	info, err := fsys.Stat(dir)
	switch {
	case err == nil && info.IsDir():
		err := fsys.SyncDir(filepath.Dir(dir))
		if errors.Is(err, fs.ErrPermission) {
			// A parent that may not be read is not one that we put the directory in.
			return nil
		}
		return err
	case err == nil:
		return fmt.Errorf("make directory %s: %w", dir, fs.ErrExist)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(dir)
	if _, err := fsys.Stat(parent); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := MakeDirs(fsys, parent); err != nil {
			return err
		}
	}
	if err := fsys.MkdirAll(dir); err != nil {
		return err
	}
	return fsys.SyncDir(parent)
}
