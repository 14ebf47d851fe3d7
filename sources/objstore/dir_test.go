package objstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fieldgate/fieldgate/sources/objstore"
	"github.com/fieldgate/fieldgate/sources/objstore/objstoretest"
	"github.com/fieldgate/fieldgate/sources/vfs/vfstest"
)

func open(t *testing.T, fsys *vfstest.Faults) *objstore.Dir {
	t.Helper()
	d, err := objstore.OpenDir(objstore.DirConfig{Root: filepath.Join(fsys.Root(), "objects"), FS: fsys})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDirConformance(t *testing.T) {
	t.Parallel()
	objstoretest.Run(t, func(t *testing.T) objstore.Bucket {
		d, err := objstore.OpenDir(objstore.DirConfig{Root: filepath.Join(t.TempDir(), "objects")})
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
}

func TestDirPathIsTheObjectsFile(t *testing.T) {
	t.Parallel()
	d := open(t, vfstest.New(t, 1))
	if _, err := d.Put(t.Context(), "lake/file.parquet", []byte("bytes")); err != nil {
		t.Fatal(err)
	}
	path, err := d.Path("lake/file.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "bytes" {
		t.Fatalf("file %q, %v", got, err)
	}
	if _, err := d.Path("../escape"); !errors.Is(err, objstore.ErrKey) {
		t.Fatalf("path of an invalid key: %v", err)
	}
}

func TestDirKeyThatIsAFolder(t *testing.T) {
	t.Parallel()
	d := open(t, vfstest.New(t, 1))
	if _, err := d.Put(t.Context(), "a/b", nil); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "a/b/c", "a/b/c/d"} {
		if _, err := d.Put(t.Context(), key, nil); !errors.Is(err, objstore.ErrKey) {
			t.Errorf("put %s: %v, want ErrKey", key, err)
		}
	}
}

// TestDirSurvivesPowerLoss cuts the power at every step of replacing an object by condition and of making another in a
// new folder. What was acknowledged is there whole, what was not is there whole or not at all.
func TestDirSurvivesPowerLoss(t *testing.T) {
	t.Parallel()
	before, after := strings.Repeat("before", 300), strings.Repeat("after!!", 400)
	for seed := range uint64(10) {
		done := false
		for step := 1; !done; step++ {
			fsys := vfstest.New(t, seed)
			d := open(t, fsys)
			tag, err := d.Put(t.Context(), "lake/root", []byte(before))
			if err != nil {
				t.Fatal(err)
			}
			fsys.CutPower(vfstest.AnyOp, "*", step)
			_, putErr := d.PutIf(t.Context(), "lake/root", []byte(after), tag)
			_, newErr := d.Put(t.Context(), "lake/new/folder/object", []byte(after))
			done = newErr == nil

			up, err := fsys.Crash()
			if err != nil {
				t.Fatal(err)
			}
			d = open(t, up)
			got, _, err := objstore.Read(t.Context(), d, "lake/root")
			if err != nil || string(got) != after && (putErr == nil || string(got) != before) {
				t.Fatalf("seed %d, step %d: root %.20q, %v; the put gave %v", seed, step, got, err, putErr)
			}
			got, _, err = objstore.Read(t.Context(), d, "lake/new/folder/object")
			if string(got) != after && (newErr == nil || !errors.Is(err, objstore.ErrNotFound)) {
				t.Fatalf("seed %d, step %d: new object %.20q, %v; the put gave %v", seed, step, got, err, newErr)
			}
			keys, err := d.List(t.Context(), "", "", 10)
			if err != nil || len(keys) > 2 {
				t.Fatalf("seed %d, step %d: keys %v, %v", seed, step, keys, err)
			}
		}
	}
}

func TestDirFullDiskLeavesTheOldObject(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 1)
	d := open(t, fsys)
	if _, err := d.Put(t.Context(), "k", []byte("old")); err != nil {
		t.Fatal(err)
	}
	fsys.SetFree(10)
	if _, err := d.Put(t.Context(), "k", make([]byte, 100)); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("put: %v, want ENOSPC", err)
	}
	if got, _, err := objstore.Read(t.Context(), d, "k"); err != nil || string(got) != "old" {
		t.Fatalf("object %q, %v", got, err)
	}
	// The refused write gave its bytes back.
	if _, err := d.Put(t.Context(), "k", make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
}

func TestOpenDirSweepsUnfinishedWrites(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 1)
	d := open(t, fsys)
	fsys.Fail(vfstest.Remove, "*", 1, nil)
	fsys.Fail(vfstest.Rename, "*", 1, nil)
	if _, err := d.Put(t.Context(), "k", []byte("x")); !errors.Is(err, vfstest.ErrInjected) {
		t.Fatalf("put: %v", err)
	}
	temps := filepath.Join(fsys.Root(), "objects", ".tmp")
	if left, err := os.ReadDir(temps); err != nil || len(left) != 1 {
		t.Fatalf("unfinished: %v, %v, want one", left, err)
	}
	open(t, fsys)
	if left, err := os.ReadDir(temps); err != nil || len(left) != 0 {
		t.Fatalf("unfinished after the open: %v, %v", left, err)
	}
}
