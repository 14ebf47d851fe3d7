package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"syscall"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// openWhole opens the file for writing after it has read all of it. bbolt looks at a page
// when it needs it, and ends the process where the page is not what it should be, or beyond
// the end of a file that was cut; here that is an error.
func openWhole(cfg Config) (*bbolt.DB, error) {
	if info, err := os.Stat(cfg.Path); err == nil && info.Size() > 0 {
		b, err := openFile(cfg, true)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(guarded(func() error { return b.View(readAll) }), b.Close()); err != nil {
			return nil, err
		}
	}
	return openFile(cfg, false)
}

// openFile opens the file. Read-only, it does not read which pages are free. Where that
// fails the file stays locked until the process ends.
func openFile(cfg Config, readOnly bool) (b *bbolt.DB, err error) {
	err = guarded(func() error {
		b, err = bbolt.Open(cfg.Path, 0o600, &bbolt.Options{
			Timeout:      cfg.LockTimeout,
			FreelistType: bbolt.FreelistMapType,
			ReadOnly:     readOnly,
		})
		return err
	})
	var refused syscall.Errno
	if err == nil || errors.Is(err, bolterrors.ErrTimeout) || errors.Is(err, ErrDamaged) || errors.As(err, &refused) {
		return b, err
	}
	return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
}

// guarded makes what bbolt panics with an error, and memory that a cut file does not have.
func guarded(use func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, fault)
		}
	}()
	return use()
}

// readAll visits every key and value.
func readAll(tx *bbolt.Tx) error {
	info, err := os.Stat(tx.DB().Path())
	if err != nil {
		return err
	}
	if info.Size() < tx.Size() {
		return fmt.Errorf("%w: it has %d bytes of %d", ErrDamaged, info.Size(), tx.Size())
	}
	return tx.ForEach(func(name []byte, bucket *bbolt.Bucket) error {
		var last []byte
		n := 0
		return bucket.ForEach(func(key, _ []byte) error {
			if n > 0 && bytes.Compare(last, key) >= 0 {
				return fmt.Errorf("%w: keys of bucket %q are out of order", ErrDamaged, name)
			}
			last = key
			n++
			return nil
		})
	})
}
