package bolt_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/schematest"
	"github.com/fieldgate/fieldgate/sources/bolt"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("FIELDGATE_BOLT_TEST_OPEN"); path != "" {
		openElsewhere(path)
		return
	}
	goleak.VerifyTestMain(m)
}

// openElsewhere is the second process of TestSecondProcess.
func openElsewhere(path string) {
	db, err := bolt.Open(bolt.Config{Path: path})
	if err == nil {
		err = db.Close()
	}
	fmt.Printf("%t %v\n", errors.Is(err, bolt.ErrLocked), err)
}

func open(t *testing.T, path string) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(bolt.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // a test that closes it itself has checked
	return db
}

func TestKV(t *testing.T) {
	t.Parallel()
	schematest.RunKV(t, func(t *testing.T) schema.KV {
		return open(t, filepath.Join(t.TempDir(), "kv.bolt"))
	})
}

// TestReopen finds values, versions and the versions of deleted keys again.
func TestReopen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kv.bolt")
	db := open(t, path)
	ctx := t.Context()
	kept, err := db.Put(ctx, "kept", []byte("v"), 0)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := db.Put(ctx, "gone", nil, 0)
	for range 4 {
		if err == nil {
			gone, err = db.Put(ctx, "gone", nil, gone)
		}
	}
	if err == nil {
		err = db.Delete(ctx, "gone", gone)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Put(ctx, "late", nil, 0); err == nil {
		t.Error("a closed file took a write")
	}
	db = open(t, path)
	item, err := db.Get(ctx, "kept")
	if err != nil || string(item.Value) != "v" || item.Version != kept {
		t.Errorf("kept: %q at %d, %v", item.Value, item.Version, err)
	}
	again, err := db.Put(ctx, "gone", nil, 0)
	if err != nil || again <= gone {
		t.Errorf("created again at version %d after %d, %v", again, gone, err)
	}
}

// TestFormat opens a file that format 1 wrote: a at version 2, é/🌡 at version 4,
// since b was deleted at version 3.
func TestFormat(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile(filepath.Join("testdata", "format1.bolt"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kv.bolt")
	if err := os.WriteFile(path, golden, 0o600); err != nil {
		t.Fatal(err)
	}
	db := open(t, path)
	items, err := db.List(t.Context(), "", "", 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range items {
		got = append(got, fmt.Sprintf("%s=%s@%d", item.Key, item.Value, item.Version))
	}
	if want := "a=two@2 é/🌡=\x00\xff@4"; strings.Join(got, " ") != want {
		t.Errorf("read %q, want %q", got, want)
	}
	if version, err := db.Put(t.Context(), "b", nil, 0); err != nil || version != 4 {
		t.Errorf("b is made again at version %d, %v", version, err)
	}
}

// TestCommitsAreShared counts the transactions of writers that wait together.
func TestCommitsAreShared(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kv.bolt")
	db := open(t, path)
	const writers, rounds = 32, 10
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range rounds {
				if _, err := db.Put(t.Context(), fmt.Sprintf("%d/%d", w, i), []byte("v"), 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }() // opened to read
	err = raw.View(func(tx *bbolt.Tx) error {
		if n := tx.Bucket([]byte("items")).Stats().KeyN; n != writers*rounds {
			t.Errorf("%d keys, want %d", n, writers*rounds)
		}
		if tx.ID() >= writers*rounds {
			t.Errorf("%d transactions for %d writes", tx.ID(), writers*rounds)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSecondProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kv.bolt")
	open(t, path)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "FIELDGATE_BOLT_TEST_OPEN="+path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("second process: %v\n%s", err, out)
	}
	if want := "true open " + path + ": in use by another process"; strings.TrimSpace(string(out)) != want {
		t.Errorf("second process said %q, want %q", out, want)
	}
	if _, err := bolt.Open(bolt.Config{Path: path}); !errors.Is(err, bolt.ErrLocked) {
		t.Errorf("second open of this process: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	later := filepath.Join(dir, "later.bolt")
	raw, err := bbolt.Open(later, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Update(func(tx *bbolt.Tx) error {
		meta, err := tx.CreateBucket([]byte("meta"))
		if err != nil {
			return err
		}
		return meta.Put([]byte("format"), []byte{0, 0, 0, 0, 0, 0, 0, 2})
	})
	if err := errors.Join(err, raw.Close()); err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(dir, "garbage.bolt")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]bolt.Config{
		"no path":         {},
		"negative wait":   {Path: filepath.Join(dir, "x"), LockTimeout: -1},
		"no directory":    {Path: filepath.Join(dir, "absent", "kv.bolt")},
		"a later format":  {Path: later},
		"not such a file": {Path: garbage},
	} {
		if db, err := bolt.Open(cfg); err == nil {
			t.Errorf("%s: opened", name)
			_ = db.Close() // it is a failure already
		}
	}
}
