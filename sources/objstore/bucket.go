// Package objstore keeps objects: named byte strings, written whole and never changed in place. Bucket is the port; Dir
// is the embedded implementation, a directory. What the objects mean is for the caller: archive and lake give the keys.
//
// The port holds what S3 has, so that S3 can stand behind it: conditional writes by entity tag (If-Match,
// If-None-Match), ranged reads, listing in key order. It has no rename and no append.
package objstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	// ErrNotFound means that no object has the key.
	ErrNotFound = errors.New("object not found")

	// ErrPrecondition means that a conditional write found another object than the one it was to replace, or one where
	// there was to be none. Nothing was written.
	ErrPrecondition = errors.New("precondition failed")

	// ErrKey means that a key is not valid; see ValidateKey.
	ErrKey = errors.New("invalid object key")

	// ErrRange means that a range does not begin inside the object.
	ErrRange = errors.New("range outside the object")
)

// MaxKeyBytes is the longest key. S3's own limit is 1,024; the rest is left for a bucket's prefix.
const MaxKeyBytes = 900

// ETag identifies one content of an object. It is opaque: equal tags mean equal content, nothing else may be read from
// it. The empty tag belongs to no object; as a condition it says that there must be none.
type ETag string

// Info describes an object.
type Info struct {
	Key      string
	Size     int64 // bytes
	ETag     ETag
	Modified time.Time
}

// Bucket is a place for objects. Keys are slash paths (ValidateKey), and no key may be another's folder: with "a/b" there
// is no "a". A write that returned nil is durable, and every read and list that begins after it
// sees it. All methods may be called at once from many goroutines and, on shared buckets, from many machines. A write
// that returned another error than those named here may have happened: read before deciding.
type Bucket interface {
	// Put writes the object, replacing the one that has the key.
	Put(ctx context.Context, key string, data []byte) (ETag, error)

	// PutIf writes the object if the key's object has the tag or, with the empty tag, if the key has none. Else it is
	// ErrPrecondition. Of several calls at once with one condition exactly one succeeds. (A replacement with the same
	// bytes may keep the tag, so content that must win once needs something of its own in it.)
	PutIf(ctx context.Context, key string, data []byte, match ETag) (ETag, error)

	// Get reads the whole object as it was at one moment, however it is replaced meanwhile. ErrNotFound if there is
	// none. The caller closes the reader.
	Get(ctx context.Context, key string) (io.ReadCloser, Info, error)

	// GetRange reads size bytes from offset on, fewer where the object ends first. ErrRange if offset is not inside the
	// object, ErrNotFound if there is none. The caller closes the reader.
	GetRange(ctx context.Context, key string, offset, size int64) (io.ReadCloser, error)

	// Head describes the object. ErrNotFound if there is none.
	Head(ctx context.Context, key string) (Info, error)

	// List gives up to limit objects whose keys begin with prefix and sort after the given key, in the order of the
	// keys' bytes. Fewer than limit means that there are no more. ETag may be empty in what it gives.
	// For example prefix "a/", after "a/k1", limit 2 over keys a/k1, a/k2, a/k3, b gives a/k2 and a/k3.
	List(ctx context.Context, prefix, after string, limit int) ([]Info, error)

	// Delete removes the object. A key that has none is no error.
	Delete(ctx context.Context, key string) error
}

// Versioned is a Bucket whose ranges tell of which version of the object they are.
type Versioned interface {
	Bucket

	// GetRangeInfo is GetRange that describes the object too.
	GetRangeInfo(ctx context.Context, key string, offset, size int64) (io.ReadCloser, Info, error)
}

// Local is a Bucket whose objects are files of this machine, so that an engine opens them without a copy.
type Local interface {
	Bucket

	// Path is where the object's file is, or would be. The file may be read as long as the object is neither replaced
	// nor deleted; it must not be written.
	Path(key string) (string, error)
}

// Read reads a whole object into memory.
func Read(ctx context.Context, b Bucket, key string) ([]byte, Info, error) {
	r, info, err := b.Get(ctx, key)
	if err != nil {
		return nil, Info{}, err
	}
	data := make([]byte, info.Size)
	_, err = io.ReadFull(r, data)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, Info{}, fmt.Errorf("read object %s: %w", key, err)
	}
	return data, info, nil
}

// ValidateKey says why a key is not valid, wrapping ErrKey. A key is a slash path of UTF-8 text, whose segments are not
// empty, begin with no dot, hold no control character and no backslash and have at most 223 bytes.
func ValidateKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("%w: empty", ErrKey)
	case len(key) > MaxKeyBytes:
		return fmt.Errorf("%w: %d bytes, more than %d", ErrKey, len(key), MaxKeyBytes)
	case !utf8.ValidString(key):
		return fmt.Errorf("%w: not UTF-8", ErrKey)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if reason := badSegment(segment); reason != "" {
			return fmt.Errorf("%w: %q: %s", ErrKey, key, reason)
		}
	}
	return nil
}

// maxSegmentBytes is NAME_MAX of Linux file systems, less what a temporary name adds.
const maxSegmentBytes = 255 - 32

func badSegment(segment string) string {
	switch {
	case segment == "":
		return "an empty segment"
	case segment[0] == '.':
		return "a segment begins with a dot"
	case len(segment) > maxSegmentBytes:
		return fmt.Sprintf("a segment of %d bytes, more than %d", len(segment), maxSegmentBytes)
	}
	for _, r := range segment {
		if r < ' ' || r == 0x7f || r == '\\' {
			return "a control character or a backslash"
		}
	}
	return ""
}
