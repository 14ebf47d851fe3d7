package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/sources/bolt"
)

// TestDamaged cuts a file at every page, and overwrites every page but those that say which
// of them are free or that an earlier version of the file had: it is refused, and stays as it is.
func TestDamaged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kv.bolt")
	db := open(t, path)
	const items = 300
	for n := range items {
		if _, err := db.Put(t.Context(), fmt.Sprintf("tenant/%04d", n), []byte(strings.Repeat("x", 400)), 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	pages, found := len(whole)/page, 0
	check := func(what string, data []byte) bool {
		at := filepath.Join(t.TempDir(), "kv.bolt")
		if err := os.WriteFile(at, data, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := bolt.Open(bolt.Config{Path: at})
		if err == nil {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
			return false
		}
		if !errors.Is(err, bolt.ErrDamaged) || !strings.Contains(err.Error(), at) {
			t.Errorf("%s: %v", what, err)
		}
		after, err := os.ReadFile(at)
		if err != nil || !bytes.Equal(after, data) {
			t.Errorf("%s: the file was changed: %v", what, err)
		}
		return true
	}
	for n := 1; n < pages/2; n++ {
		if !check(fmt.Sprintf("cut to %d pages", n), whole[:n*page]) {
			t.Errorf("cut to %d of %d pages it is opened", n, pages)
		}
	}
	for n := range pages {
		damaged := bytes.Clone(whole)
		copy(damaged[n*page:(n+1)*page], bytes.Repeat([]byte{0xa5}, page))
		if check(fmt.Sprintf("page %d overwritten", n), damaged) {
			found++
		}
	}
	if leaves := items * 420 / page; found < leaves {
		t.Errorf("%d overwritten pages of %d were found, and at least %d have items", found, pages, leaves)
	}
}
