package vfstest_test

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fieldgate/fieldgate/sources/vfs"
	"github.com/fieldgate/fieldgate/sources/vfs/vfstest"
)

// create makes a file in the root, durable and empty.
func create(t *testing.T, fsys *vfstest.Faults, name string) vfs.File {
	t.Helper()
	f, err := fsys.Create(filepath.Join(fsys.Root(), name))
	must(t, err)
	must(t, fsys.SyncDir(fsys.Root()))
	return f
}

func write(t *testing.T, f vfs.File, data string) {
	t.Helper()
	_, err := f.Write([]byte(data))
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func crash(t *testing.T, fsys *vfstest.Faults) *vfstest.Faults {
	t.Helper()
	up, err := fsys.Crash()
	must(t, err)
	return up
}

func read(t *testing.T, fsys *vfstest.Faults, name string) string {
	t.Helper()
	data, err := vfs.ReadFile(fsys, filepath.Join(fsys.Root(), name))
	must(t, err)
	return string(data)
}

func exists(fsys *vfstest.Faults, name string) bool {
	_, err := fsys.Stat(filepath.Join(fsys.Root(), name))
	return err == nil
}

func TestCrashKeepsSyncedBytesAndPartOfTheRest(t *testing.T) {
	t.Parallel()
	synced, unsynced := strings.Repeat("s", 1000), strings.Repeat("u", 3000)
	lengths, holes := map[int]bool{}, false
	for seed := range uint64(60) {
		fsys := vfstest.New(t, seed)
		f := create(t, fsys, "log")
		write(t, f, synced)
		must(t, f.Sync())
		write(t, f, unsynced)
		got := read(t, crash(t, fsys), "log")
		if !strings.HasPrefix(got, synced) {
			t.Fatalf("seed %d: synced bytes are lost: %q", seed, got)
		}
		rest := got[len(synced):]
		if strings.Trim(rest, "u\x00") != "" || len(rest) > len(unsynced) {
			t.Fatalf("seed %d: bytes that nobody wrote: %q", seed, rest)
		}
		lengths[len(rest)] = true
		holes = holes || strings.Contains(rest, "\x00")
	}
	if len(lengths) < 10 || !holes {
		t.Fatalf("crashes are too tame: %d lengths, holes %t", len(lengths), holes)
	}
}

func TestCrashUndoesOverwriteAndTruncation(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		fsys := vfstest.New(t, seed)
		f := create(t, fsys, "data")
		write(t, f, strings.Repeat("a", 2000))
		must(t, f.Sync())
		_, err := f.WriteAt([]byte(strings.Repeat("b", 1000)), 500)
		must(t, err)
		must(t, f.Truncate(1200))
		got := read(t, crash(t, fsys), "data")
		if len(got) != 1200 && len(got) != 2000 {
			t.Fatalf("seed %d: size %d, want the old or the new", seed, len(got))
		}
		if strings.Trim(got[:500], "a") != "" || strings.Trim(got[500:], "ab") != "" {
			t.Fatalf("seed %d: bytes that nobody wrote: %q", seed, got)
		}
		if len(got) == 2000 && strings.Trim(got[1500:], "a") != "" {
			t.Fatalf("seed %d: an overwrite beyond its end: %q", seed, got)
		}
	}
}

func TestCrashUndoesEntriesNotSynced(t *testing.T) {
	t.Parallel()
	undone := 0
	for seed := range uint64(40) {
		fsys := vfstest.New(t, seed)
		at := func(name string) string { return filepath.Join(fsys.Root(), name) }
		for _, name := range []string{"removed", "old", "target"} {
			f := create(t, fsys, name)
			write(t, f, name)
			must(t, f.Sync())
		}
		must(t, fsys.MkdirAll(at("dir/deep")))
		must(t, fsys.SyncDir(at("dir")))
		must(t, fsys.Rename(at("old"), at("target")))
		must(t, fsys.Remove(at("removed")))
		up := crash(t, fsys)
		switch {
		case exists(up, "removed") && exists(up, "old") && !exists(up, "dir"):
			undone++
			if got := read(t, up, "removed") + read(t, up, "old") + read(t, up, "target"); got != "removedoldtarget" {
				t.Fatalf("seed %d: contents %q", seed, got)
			}
		case !exists(up, "removed") && exists(up, "old"):
			t.Fatalf("seed %d: the later change stands, the earlier does not", seed)
		}
	}
	if undone < 10 || undone == 40 {
		t.Fatalf("all was undone in %d of 40 crashes", undone)
	}
}

func TestSyncedEntriesStay(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		fsys := vfstest.New(t, seed)
		at := func(name string) string { return filepath.Join(fsys.Root(), name) }
		write(t, create(t, fsys, "gone"), "x")
		f := create(t, fsys, "new.tmp")
		write(t, f, "new")
		must(t, f.Sync())
		must(t, fsys.Rename(at("new.tmp"), at("new")))
		must(t, fsys.RemoveAll(at("gone")))
		must(t, fsys.SyncDir(fsys.Root()))
		up := crash(t, fsys)
		if exists(up, "gone") || exists(up, "new.tmp") || read(t, up, "new") != "new" {
			t.Fatalf("seed %d: synced entries were undone", seed)
		}
	}
}

func TestFailsTheNthMatchingCallOnce(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 1)
	log, other := create(t, fsys, "a.log"), create(t, fsys, "b.txt")
	fsys.Fail(vfstest.Write, "*.log", 2, syscall.EIO)
	write(t, log, "1")
	write(t, other, "1")
	if _, err := log.Write([]byte("2")); !errors.Is(err, syscall.EIO) {
		t.Fatalf("second write: %v, want EIO", err)
	}
	write(t, log, "3")
	fsys.Fail(vfstest.Rename, "c.*", 1, nil)
	from, to := filepath.Join(fsys.Root(), "b.txt"), filepath.Join(fsys.Root(), "c.txt")
	if err := fsys.Rename(from, to); !errors.Is(err, vfstest.ErrInjected) {
		t.Fatalf("rename: %v", err)
	}
	must(t, fsys.Rename(from, to))
	fsys.Fail(vfstest.SyncDir, "*", 1, nil)
	if err := fsys.SyncDir(fsys.Root()); !errors.Is(err, vfstest.ErrInjected) {
		t.Fatalf("sync of the directory: %v", err)
	}
}

func TestFailedSyncLosesBytesForGood(t *testing.T) {
	t.Parallel()
	lost := 0
	for seed := range uint64(30) {
		fsys := vfstest.New(t, seed)
		f := create(t, fsys, "log")
		write(t, f, strings.Repeat("a", 600))
		fsys.Fail(vfstest.Sync, "log", 1, nil)
		if err := f.Sync(); !errors.Is(err, vfstest.ErrInjected) {
			t.Fatal(err)
		}
		write(t, f, "later")
		must(t, f.Sync())
		got := read(t, crash(t, fsys), "log")
		if len(got) != 605 || !strings.HasSuffix(got, "later") {
			t.Fatalf("seed %d: what was synced later is lost: %q", seed, got)
		}
		if strings.Contains(got, "\x00") {
			lost++
		}
	}
	if lost == 0 {
		t.Fatal("a later sync vouched for the bytes of the failed one")
	}
	fsys := vfstest.New(t, 1)
	f := create(t, fsys, "log")
	write(t, f, "aaa")
	fsys.Fail(vfstest.Sync, "log", 1, nil)
	if err := f.Sync(); err == nil {
		t.Fatal("sync succeeded")
	}
	_, err := f.WriteAt([]byte("aaa"), 0)
	must(t, err)
	must(t, f.Sync())
	if got := read(t, crash(t, fsys), "log"); got != "aaa" {
		t.Fatalf("written again and synced, yet %q", got)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 1)
	f := create(t, fsys, "log")
	fsys.SetFree(10)
	write(t, f, "12345678")
	n, err := f.Write([]byte("abcdef"))
	if n != 2 || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("wrote %d, %v, want 2 and ENOSPC", n, err)
	}
	must(t, f.Truncate(8))
	if n, err := f.WriteAt([]byte("xy"), 8); n != 2 || err != nil {
		t.Fatalf("after the truncation: %d, %v", n, err)
	}
	if n, err := f.WriteAt([]byte("z"), 10); n != 0 || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("full again: %d, %v", n, err)
	}
	fsys.SetFree(vfstest.Unlimited)
	write(t, f, strings.Repeat("y", 100))
	if got := read(t, fsys, "log"); !bytes.HasSuffix([]byte(got), []byte("yyy")) {
		t.Fatalf("content %q", got)
	}
}

func TestCutPowerAndDeadHandles(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 3)
	f := create(t, fsys, "log")
	held, err := fsys.Lock(filepath.Join(fsys.Root(), "LOCK"))
	must(t, err)
	fsys.CutPower(vfstest.Sync, "log", 1)
	write(t, f, "abc")
	if err := f.Sync(); !errors.Is(err, vfstest.ErrPowerOff) {
		t.Fatalf("sync: %v", err)
	}
	if _, err := f.Write([]byte("d")); !errors.Is(err, vfstest.ErrPowerOff) {
		t.Fatalf("write: %v", err)
	}
	if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, vfstest.ErrPowerOff) {
		t.Fatalf("read: %v", err)
	}
	if _, err := fsys.Open(f.Name()); !errors.Is(err, vfstest.ErrPowerOff) {
		t.Fatalf("open: %v", err)
	}
	must(t, f.Close())
	up := crash(t, fsys)
	must(t, held.Close())
	again, err := up.Lock(filepath.Join(up.Root(), "LOCK"))
	must(t, err)
	must(t, again.Close())
}

func TestKillKeepsBytesThatACrashCanStillLose(t *testing.T) {
	t.Parallel()
	lost := false
	for seed := range uint64(20) {
		fsys := vfstest.New(t, seed)
		write(t, create(t, fsys, "log"), "abc")
		up, err := fsys.Kill()
		must(t, err)
		if got := read(t, up, "log"); got != "abc" {
			t.Fatalf("after the kill: %q", got)
		}
		if _, err := fsys.Stat(fsys.Root()); !errors.Is(err, vfstest.ErrPowerOff) {
			t.Fatalf("the killed process goes on: %v", err)
		}
		lost = lost || read(t, crash(t, up), "log") != "abc"
	}
	if !lost {
		t.Fatal("no crash after a kill lost unsynced bytes")
	}
}

func TestRemoveRefusesAFullDirectory(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 1)
	must(t, fsys.MkdirAll(filepath.Join(fsys.Root(), "dir", "sub")))
	if err := fsys.Remove(filepath.Join(fsys.Root(), "dir")); !errors.Is(err, syscall.ENOTEMPTY) {
		t.Fatalf("remove: %v", err)
	}
	if err := fsys.Remove(filepath.Join(fsys.Root(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("remove nothing: %v", err)
	}
	must(t, fsys.RemoveAll(filepath.Join(fsys.Root(), "none")))
}
