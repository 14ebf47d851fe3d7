// Package bolt keeps small versioned values in one file of the data directory:
// DB is schema.KV on bbolt.
//
// What the keys and values mean is for others; docs/format/keyvalue.md describes
// the file.
package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/fieldgate/fieldgate/schema"
)

var _ schema.KV = (*DB)(nil)

// ErrLocked says that another process, or another DB, has the file open.
var ErrLocked = errors.New("in use by another process")

// ErrDamaged says that the file is not as it was written. Opening has changed nothing.
var ErrDamaged = errors.New("the file is damaged; put back a copy of the data directory, or of this file if nothing was written since the copy")

// format is the version of the file's layout.
const format = 1

// versionBytes is the length of the version before each value.
const versionBytes = 8

// Config configures a DB.
type Config struct {
	// Path is the file. It is made if it is not there; its directory must be.
	Path string
	// LockTimeout is how long Open waits for another process to close the file.
	// Default 100 ms.
	LockTimeout time.Duration
}

func (c Config) withDefaults() Config {
	if c.LockTimeout == 0 {
		c.LockTimeout = 100 * time.Millisecond
	}
	return c
}

func (c Config) validate() error {
	if c.Path == "" {
		return errors.New("bolt: no path")
	}
	if c.LockTimeout < 0 {
		return fmt.Errorf("bolt: negative lock timeout %v", c.LockTimeout)
	}
	return nil
}

// The buckets of the file, and the keys of the bucket meta.
const (
	metaBucket  = "meta"
	itemsBucket = "items"
	formatKey   = "format"
	floorKey    = "floor"
)

// DB is a schema.KV in a file. A write is on disk when it returns; writes that
// come while another is being synced share one sync.
type DB struct {
	bolt  *bbolt.DB
	queue writeQueue
}

// Open opens or makes the file. ErrLocked if another process has it open, ErrDamaged if
// it is cut or its pages do not fit each other. Values are not looked into.
func Open(cfg Config) (*DB, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	_, statErr := os.Stat(cfg.Path)
	b, err := openWhole(cfg)
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("open %s: %w", cfg.Path, ErrLocked)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", cfg.Path, err)
	}
	db := &DB{bolt: b}
	if err := db.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", cfg.Path, err), b.Close())
	}
	if errors.Is(statErr, os.ErrNotExist) {
		if err := syncDir(filepath.Dir(cfg.Path)); err != nil {
			return nil, errors.Join(fmt.Errorf("sync directory of %s: %w", cfg.Path, err), b.Close())
		}
	}
	return db, nil
}

// prepare makes the buckets of a new file and checks the format of an old one.
func (db *DB) prepare() error {
	known := false
	err := db.bolt.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket([]byte(metaBucket))
		known = meta != nil
		if !known {
			return nil
		}
		if v := meta.Get([]byte(formatKey)); len(v) != versionBytes || binary.BigEndian.Uint64(v) != format {
			return fmt.Errorf("format %x, of which this version knows only %d", v, format)
		}
		return nil
	})
	if err != nil || known {
		return err
	}
	return db.bolt.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucketIfNotExists([]byte(itemsBucket)); err != nil {
			return err
		}
		meta, err := tx.CreateBucketIfNotExists([]byte(metaBucket))
		if err != nil {
			return err
		}
		return meta.Put([]byte(formatKey), binary.BigEndian.AppendUint64(nil, format))
	})
}

// syncDir makes the entry of a new file durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Close waits for reads and writes under way and closes the file.
func (db *DB) Close() error {
	if err := db.bolt.Close(); err != nil {
		return fmt.Errorf("close %s: %w", db.bolt.Path(), err)
	}
	return nil
}

// Get returns a value and its version.
func (db *DB) Get(ctx context.Context, key string) (schema.Item, error) {
	if err := ctx.Err(); err != nil {
		return schema.Item{}, err
	}
	item := schema.Item{Key: key}
	err := db.bolt.View(func(tx *bbolt.Tx) error {
		data := tx.Bucket([]byte(itemsBucket)).Get([]byte(key))
		if data == nil {
			return schema.ErrNotFound
		}
		return decode(data, &item)
	})
	if err != nil {
		return schema.Item{}, fmt.Errorf("get %q: %w", key, err)
	}
	return item, nil
}

// List returns a page of the items under a prefix.
func (db *DB) List(ctx context.Context, prefix, after string, limit int) ([]schema.Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var items []schema.Item
	err := db.bolt.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket([]byte(itemsBucket)).Cursor()
		k, v := c.Seek([]byte(max(prefix, after)))
		if after != "" && string(k) == after {
			k, v = c.Next()
		}
		for ; k != nil && len(items) < limit && bytes.HasPrefix(k, []byte(prefix)); k, v = c.Next() {
			item := schema.Item{Key: string(k)}
			if err := decode(v, &item); err != nil {
				return fmt.Errorf("key %q: %w", k, err)
			}
			items = append(items, item)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %q: %w", prefix, err)
	}
	return items, nil
}

// Put stores a value if its key is at the version expected.
func (db *DB) Put(ctx context.Context, key string, value []byte, expect uint64) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := schema.CheckItem(key, value); err != nil {
		return 0, fmt.Errorf("put %q: %w", key, err)
	}
	w := &write{key: []byte(key), value: value, expect: expect}
	if err := db.submit(w); err != nil {
		return 0, fmt.Errorf("put %q: %w", key, err)
	}
	return w.version, nil
}

// Delete removes a key if it is at the version expected.
func (db *DB) Delete(ctx context.Context, key string, expect uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &write{key: []byte(key), remove: true, expect: expect}
	if err := db.submit(w); err != nil {
		return fmt.Errorf("delete %q: %w", key, err)
	}
	return nil
}

// decode copies a stored value out of the file.
func decode(data []byte, item *schema.Item) error {
	if len(data) < versionBytes {
		return fmt.Errorf("stored value of %d bytes has no version", len(data))
	}
	item.Version = binary.BigEndian.Uint64(data)
	item.Value = bytes.Clone(data[versionBytes:])
	return nil
}
