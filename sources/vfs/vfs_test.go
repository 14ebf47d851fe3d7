package vfs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fieldgate/fieldgate/sources/vfs"
	"github.com/fieldgate/fieldgate/sources/vfs/vfstest"
)

func TestLockIsExclusiveUntilClosed(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "LOCK")
	first, err := vfs.OS{}.Lock(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (vfs.OS{}).Lock(name); !errors.Is(err, vfs.ErrLocked) || !strings.Contains(err.Error(), name) {
		t.Fatalf("second lock: %v, want ErrLocked with the name", err)
	}
	// As a process that is being started has it.
	copied, err := syscall.Dup(int(first.(interface{ Fd() uintptr }).Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(copied) }()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := vfs.OS{}.Lock(name)
	if err != nil {
		t.Fatalf("lock after the close: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOSFiles(t *testing.T) {
	t.Parallel()
	fsys, dir := vfs.OS{}, t.TempDir()
	deep := filepath.Join(dir, "a", "b", "c")
	if err := vfs.MakeDirs(fsys, deep); err != nil {
		t.Fatal(err)
	}
	if err := vfs.MakeDirs(fsys, deep); err != nil {
		t.Fatalf("make what is there: %v", err)
	}
	name := filepath.Join(deep, "file")
	for _, want := range []string{"one", "two, longer", ""} {
		if err := vfs.WriteFile(fsys, name, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := vfs.ReadFile(fsys, name); err != nil || string(got) != want {
			t.Fatalf("read %q, %v, want %q", got, err, want)
		}
	}
	if err := vfs.MakeDirs(fsys, name); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("directory over a file: %v, want ErrExist", err)
	}
	entries, err := fsys.ReadDir(deep)
	if err != nil || len(entries) != 1 {
		t.Fatalf("entries %v, %v, want the file alone", entries, err)
	}
	info, err := fsys.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v, want 0600", info.Mode(), err)
	}
	if err := fsys.RemoveAll(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	if _, err := vfs.ReadFile(fsys, name); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("read what is gone: %v", err)
	}
}

// TestWriteFileSurvivesPowerLoss cuts the power at every step of a replacement: the old content or the new is there.
func TestWriteFileSurvivesPowerLoss(t *testing.T) {
	t.Parallel()
	const before, after = "the old bytes", "the new and rather longer bytes"
	for seed := range uint64(20) {
		finished := false
		for step := 1; !finished; step++ {
			fsys := vfstest.New(t, seed)
			name := filepath.Join(fsys.Root(), "state", "file")
			if err := vfs.MakeDirs(fsys, filepath.Dir(name)); err != nil {
				t.Fatal(err)
			}
			if err := vfs.WriteFile(fsys, name, []byte(before)); err != nil {
				t.Fatal(err)
			}
			fsys.CutPower(vfstest.AnyOp, "*", step)
			err := vfs.WriteFile(fsys, name, []byte(after))
			finished = err == nil
			up, crashErr := fsys.Crash()
			if crashErr != nil {
				t.Fatal(crashErr)
			}
			got, readErr := vfs.ReadFile(up, name)
			if readErr != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, readErr)
			}
			if string(got) != after && (finished || string(got) != before) {
				t.Fatalf("seed %d, step %d: %q after the crash; the write gave %v", seed, step, got, err)
			}
			if _, err := os.Stat(name); err != nil {
				t.Fatalf("the file is not a real one: %v", err)
			}
		}
	}
}
