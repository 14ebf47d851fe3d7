package schema

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"
)

var (
	// ErrNotFound says that a key, or what it stands for, does not exist.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that a value was changed since the version it was
	// expected at. Read it again and decide anew.
	ErrConflict = errors.New("changed by another writer")
)

const (
	// MaxKey is the longest key of a KV in bytes.
	MaxKey = 1024
	// MaxValue is the longest value of a KV in bytes.
	MaxValue = 300 << 10
)

// CheckItem says why a KV cannot hold a key or its value: a key is 1 to MaxKey
// bytes of valid UTF-8, a value at most MaxValue bytes.
func CheckItem(key string, value []byte) error {
	switch {
	case key == "" || len(key) > MaxKey:
		return fmt.Errorf("key of %d bytes, at most %d are allowed", len(key), MaxKey)
	case !utf8.ValidString(key):
		return fmt.Errorf("key %q is not valid UTF-8", key)
	case len(value) > MaxValue:
		return fmt.Errorf("value of %d bytes, at most %d are allowed", len(value), MaxValue)
	}
	return nil
}

// KV is the port to the key-value store that holds schema, keys, users, leases
// and checkpoints. Keys are slash-separated text and order by their bytes;
// CheckItem has their limits.
type KV interface {
	// Get returns the value and its version (1 and up). ErrNotFound if absent.
	Get(ctx context.Context, key string) (Item, error)
	// Put stores value if the key is at version expect (0: must not exist) and
	// returns the new version. ErrConflict if it is at another. The write is
	// durable when Put returns.
	Put(ctx context.Context, key string, value []byte, expect uint64) (uint64, error)
	// Delete removes the key if it is at version expect. ErrConflict if it is at
	// another, ErrNotFound if absent. A later Put starts above that version.
	Delete(ctx context.Context, key string, expect uint64) error
	// List returns up to limit items whose keys start with prefix and come after
	// the key after ("" for the first), in key order.
	List(ctx context.Context, prefix, after string, limit int) ([]Item, error)
}

// Item is one value of a KV.
type Item struct {
	Key     string
	Value   []byte
	Version uint64
}
