// Package vfs is the one layer through which Fieldgate touches files. FS is a file system, File an open file, OS the
// real one. Everything that must survive a power cut goes through an FS, so that package vfstest can drop unsynced
// writes, fail an fsync or fill the disk under it. The package knows nothing of what the files hold.
//
// Durability is the caller's: bytes are safe after File.Sync, a created, renamed or removed entry after SyncDir of the
// directory that holds it. WriteFile and MakeDirs do the whole dance for small files and for directories.
package vfs

import (
	"errors"
	"io"
	"io/fs"
)

// ErrLocked means that another process, or another part of this one, holds the lock.
var ErrLocked = errors.New("locked by another process")

// FS is a file system. Errors are those of package os: test them with errors.Is against fs.ErrNotExist, fs.ErrExist
// and syscall.ENOSPC. All methods may be called at once from many goroutines.
type FS interface {
	// Create makes the file, or empties it, and opens it for reading and writing.
	Create(name string) (File, error)

	// Open opens the file for reading.
	Open(name string) (File, error)

	// OpenFile opens the file with the os.O_ flags. A file it makes is readable by its owner only. os.O_APPEND is
	// allowed, and then WriteAt is not.
	OpenFile(name string, flag int) (File, error)

	// Rename gives a file another name, replacing what had that name.
	Rename(oldName, newName string) error

	// Remove deletes a file or an empty directory.
	Remove(name string) error

	// RemoveAll deletes a file, or a directory with all it holds. A name that does not exist is no error.
	RemoveAll(name string) error

	// MkdirAll makes a directory and the parents it lacks. It does not sync them: MakeDirs does.
	MkdirAll(dir string) error

	// ReadDir lists a directory, sorted by name.
	ReadDir(dir string) ([]fs.DirEntry, error)

	// Stat describes a file.
	Stat(name string) (fs.FileInfo, error)

	// SyncDir makes the entries of a directory durable: files created in it, renamed into it, removed from it.
	SyncDir(dir string) error

	// Lock takes the exclusive lock that the named file stands for, creating the file if need be, and holds it until
	// the returned Closer is closed or the process ends. It does not wait: a lock held elsewhere is ErrLocked.
	Lock(name string) (io.Closer, error)
}

// File is an open file. ReadAt and WriteAt may be called at once from many goroutines; the others share one offset.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Seeker
	io.Closer

	// Name is the path the file was opened with.
	Name() string

	// Stat describes the file as it is now.
	Stat() (fs.FileInfo, error)

	// Sync returns when the file's bytes and its size are durable. After an error nothing is known about what was
	// written since the last Sync that succeeded, and a later success does not vouch for it: the kernel may have
	// dropped the pages (PostgreSQL's fsync errors of 2018). The caller must give the file up.
	Sync() error

	// Truncate sets the size. It does not move the offset.
	Truncate(size int64) error
}
