//go:build !linux

package vfs

import "os"

// syncData is File.Sync, which on Darwin asks the drive too (F_FULLFSYNC).
func syncData(f *os.File) error { return f.Sync() }
