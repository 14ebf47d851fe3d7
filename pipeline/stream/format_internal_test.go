package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fieldgate/fieldgate/sources/vfs"
)

// The format has no front door that gives the random marker, so these tests are inside.

var rewriteGolden = flag.Bool("rewrite.golden", false, "write testdata/log-v1 anew")

const (
	goldenDir    = "testdata/log-v1"
	goldenMarker = 0x5eed0001
)

// goldenGroups is the content of the golden log: records by frame, frames by group.
func goldenGroups() [][][]string {
	return [][][]string{
		{{"first"}},
		{{"", "a batch of three", "\x00\x01\xff"}, {"{\"temp\":21.5}"}},
		{{"last"}},
	}
}

const goldenArrived = int64(1_700_000_000_000_000)

// goldenSegment encodes the golden log's segment.
func goldenSegment() []byte {
	h := segmentHeader{marker: goldenMarker, base: 1}
	data, first := h.encode(), uint64(1)
	for n, group := range goldenGroups() {
		start := len(data)
		for _, records := range group {
			at, size := len(data), 0
			for _, r := range records {
				size += recordHeaderBytes + len(r)
			}
			data = beginFrame(data, size, len(records))
			for _, r := range records {
				data = appendRecord(data, []byte(r))
			}
			finishFrame(data[at:], goldenMarker, int64(start), first, goldenArrived+int64(n))
			first += uint64(len(records))
		}
	}
	return data
}

// copyGolden gives a directory with the golden log, and its segment's path.
func copyGolden(tb testing.TB) (dir, segment string) {
	tb.Helper()
	dir = tb.TempDir()
	if err := os.CopyFS(dir, os.DirFS(goldenDir)); err != nil {
		tb.Fatal(err)
	}
	segment = filepath.Join(shardDir(dir, 0), segmentName(1))
	// Copies keep the mode of a read-only source tree.
	for _, path := range []string{segment, filepath.Join(dir, metaName)} {
		if err := os.Chmod(path, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return dir, segment
}

// TestGoldenLog opens the log that version 1 wrote, and writes the same bytes for the same records.
func TestGoldenLog(t *testing.T) {
	t.Parallel()
	if *rewriteGolden {
		writeGolden(t)
	}
	dir, segment := copyGolden(t)
	data, err := os.ReadFile(segment)
	if err != nil || !bytes.Equal(data, goldenSegment()) {
		t.Fatalf("today's bytes are not the golden ones, %v", err)
	}
	d, err := OpenDisk(DiskConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var want []Record
	for n, group := range goldenGroups() {
		for _, text := range slices.Concat(group...) {
			seq := SequenceOf(uint64(len(want) + 1))
			want = append(want, Record{Seq: seq, ArrivedAt: goldenArrived + int64(n), Data: []byte(text)})
		}
	}
	got, err := readAll(t, d)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, want, sameRecord) {
		t.Fatalf("read %+v, want %+v", got, want)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(segment); err != nil || !bytes.Equal(after, data) {
		t.Fatalf("opening changed the golden segment, %v", err)
	}
}

// TestTornGroup damages the first frame of a group of two. While the group is the last, a crash explains it, whatever the
// second frame is like; once another group follows, it was acknowledged.
func TestTornGroup(t *testing.T) {
	t.Parallel()
	golden := goldenSegment()
	group := segmentHeaderBytes + frameHeaderBytes + recordHeaderBytes + len("first")
	lastGroup := len(golden) - frameHeaderBytes - recordHeaderBytes - len("last")
	golden[group+frameHeaderBytes] ^= 1
	for name, tt := range map[string]struct {
		size    int
		corrupt bool
	}{
		"the last group":  {lastGroup, false},
		"part of it":      {lastGroup - 1, false},
		"a group follows": {len(golden), true},
	} {
		dir, segment := copyGolden(t)
		if err := os.WriteFile(segment, golden[:tt.size], 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := OpenDisk(DiskConfig{Dir: dir})
		var corrupt *CorruptError
		if tt.corrupt {
			if !errors.As(err, &corrupt) || corrupt.Offset != int64(group) {
				t.Errorf("%s: %v, want damage at %d", name, err, group)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := readAll(t, d); err != nil || len(got) != 1 {
			t.Errorf("%s: %d records, %v, want 1", name, len(got), err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

func sameRecord(a, b Record) bool {
	return a.Shard == b.Shard && a.Seq == b.Seq && a.ArrivedAt == b.ArrivedAt && bytes.Equal(a.Data, b.Data)
}

func writeGolden(t *testing.T) {
	t.Helper()
	shard := shardDir(goldenDir, 0)
	meta := []byte(`{"format":"fieldgate log","version":1,"shards":1}` + "\n")
	for _, err := range []error{
		os.MkdirAll(shard, 0o755),
		os.WriteFile(filepath.Join(goldenDir, metaName), meta, 0o600),
		os.WriteFile(filepath.Join(shard, segmentName(1)), goldenSegment(), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// readAll reads shard 0 up to its tail, or to an error.
func readAll(t *testing.T, d *Disk) ([]Record, error) {
	t.Helper()
	it, err := d.Iterate(t.Context(), 0, FromOldest())
	if err != nil {
		return nil, err
	}
	var all []Record
	for tail := d.shards[0].last(); err == nil && uint64(len(all)) < tail; {
		var records []Record
		records, err = it.Next(t.Context(), 3, math.MaxInt)
		for _, r := range records {
			r.Data = bytes.Clone(r.Data)
			all = append(all, r)
		}
	}
	return all, errors.Join(err, it.Close())
}

// naiveRead reads a segment's records as docs/format/log.md describes them, stopping at whatever is not right.
func naiveRead(data []byte) []Record {
	var h segmentHeader
	if len(data) < segmentHeaderBytes || h.decode(data[:segmentHeaderBytes]) != "" {
		return nil
	}
	var all []Record
	for rest := data[segmentHeaderBytes:]; len(rest) >= frameHeaderBytes; {
		length := uint64(binary.LittleEndian.Uint32(rest[8:]))
		if binary.LittleEndian.Uint32(rest) != h.marker || length > uint64(len(rest)-frameHeaderBytes) {
			break
		}
		frame := rest[:frameHeaderBytes+int(length)]
		if binary.LittleEndian.Uint32(rest[4:]) != frameSum(h.marker, frame[8:]) {
			break
		}
		first, arrived := binary.LittleEndian.Uint64(frame[20:]), int64(binary.LittleEndian.Uint64(frame[28:]))
		payload := frame[frameHeaderBytes:]
		for n := uint64(0); len(payload) >= recordHeaderBytes; n++ {
			size := uint64(binary.LittleEndian.Uint32(payload))
			if size > uint64(len(payload)-recordHeaderBytes) {
				return all
			}
			all = append(all, Record{Seq: SequenceOf(first + n), ArrivedAt: arrived, Data: payload[recordHeaderBytes:][:size]})
			payload = payload[recordHeaderBytes+size:]
		}
		rest = rest[len(frame):]
	}
	return all
}

// resum makes the checksums of all frames right whose lengths lead to them, so that the fuzzer gets past them.
func resum(data []byte) {
	if len(data) < segmentHeaderBytes {
		return
	}
	for rest := data[segmentHeaderBytes:]; len(rest) >= frameHeaderBytes; {
		size := frameHeaderBytes + uint64(binary.LittleEndian.Uint32(rest[8:]))
		if size > uint64(len(rest)) {
			return
		}
		binary.LittleEndian.PutUint32(rest[4:], frameSum(goldenMarker, rest[8:size]))
		rest = rest[size:]
	}
}

// FuzzRecovery opens a log over arbitrary bytes of a segment: it never panics, gives no record that is not in the bytes
// with a good checksum, and what it opens takes records and opens again with the same ones.
func FuzzRecovery(f *testing.F) {
	golden := goldenSegment()
	f.Add(golden, false)
	f.Add(golden, true)
	f.Add(golden[:len(golden)-3], false)
	f.Add(golden[:segmentHeaderBytes], true)
	f.Add(golden[:10], false)
	f.Add(append(slices.Clone(golden), make([]byte, 100)...), false)
	f.Add(slices.Concat(golden, golden[segmentHeaderBytes:]), true)
	for at := segmentHeaderBytes; at < len(golden); at += 7 {
		flipped := slices.Clone(golden)
		flipped[at] ^= 0x81
		f.Add(flipped, at%2 == 0)
	}
	dir, segment := copyGolden(f)
	f.Fuzz(func(t *testing.T, data []byte, sums bool) {
		data = slices.Clone(data)
		if sums {
			resum(data)
		}
		if err := os.WriteFile(segment, data, 0o600); err != nil {
			t.Fatal(err)
		}
		inBytes := naiveRead(data)
		// fsync is what an execution would spend its time on.
		cfg := DiskConfig{Dir: dir, FS: unsynced{}}
		d, err := OpenDisk(cfg)
		if err != nil {
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) {
				t.Fatalf("open: %v, want a CorruptError", err)
			}
			return
		}
		before, err := readAll(t, d)
		if err != nil {
			t.Fatalf("read what was recovered: %v", err)
		}
		if len(before) > len(inBytes) || !slices.EqualFunc(before, inBytes[:len(before)], sameRecord) {
			t.Fatalf("recovered %v, in the bytes are %v", before, inBytes)
		}
		if _, err := d.Put(t.Context(), []Entry{{Data: []byte("more")}}); err != nil {
			t.Fatalf("put: %v", err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		d, err = OpenDisk(cfg)
		if err != nil {
			t.Fatalf("open again: %v", err)
		}
		after, err := readAll(t, d)
		if err != nil || len(after) != len(before)+1 || !slices.EqualFunc(after[:len(before)], before, sameRecord) {
			t.Fatalf("then %v, %v, and before %v", after, err, before)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// unsynced is the real file system without its syncs.
type unsynced struct{ vfs.OS }

func (u unsynced) OpenFile(name string, flag int) (vfs.File, error) {
	f, err := u.OS.OpenFile(name, flag)
	return unsyncedFile{f}, err
}

func (unsynced) SyncDir(string) error { return nil }

type unsyncedFile struct{ vfs.File }

func (unsyncedFile) Sync() error { return nil }
