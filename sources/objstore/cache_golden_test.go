package objstore_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/fieldgate/fieldgate/sources/objstore"
)

var rewriteCache = flag.Bool("rewrite-cache", false, "write the golden cache anew")

// TestCacheGolden opens what version 1 of the format left, and reads it without
// its object.
func TestCacheGolden(t *testing.T) {
	t.Parallel()
	golden := filepath.Join("testdata", "cache-1")
	c := newCached(t, 0, nil)
	c.data = []byte("the bytes of an object of which two ranges were fetched")
	ranges := []objstore.Range{{Offset: 4, Size: 5}, {Offset: 48, Size: 7}}
	if *rewriteCache {
		if _, err := c.bucket.Put(t.Context(), objectKey, c.data); err != nil {
			t.Fatal(err)
		}
		for _, r := range ranges { // apart, so that the gap stays one
			c.fetch(r)
		}
		if err := os.CopyFS(golden, os.DirFS(c.cfg.Dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(golden, ".fieldgate-cache")); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(c.cache.Close(), os.RemoveAll(c.cfg.Dir), os.CopyFS(c.cfg.Dir, os.DirFS(golden)),
		os.WriteFile(filepath.Join(c.cfg.Dir, ".fieldgate-cache"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	c.bucket.hold = func(context.Context) error { return errors.New("the object was asked for") }
	c.open()
	c.expect("golden", c.fetch(ranges...), 0)
	if used := c.cache.Used(); used != 12 {
		t.Errorf("%d bytes used, want 12", used)
	}
}
