package stream_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/sources/vfs/vfstest"
)

var (
	crashSeed   = flag.Uint64("crash.seed", 0, "seed of the crash tests; 0 is a new one each time")
	crashRounds = flag.Int("crash.rounds", 60, "logs that the crash tests make, each of which crashes several times")
)

// TestDiskSurvivesCrashes writes from several goroutines and cuts the power, or kills the process, at a random call. In
// each life every record acknowledged before is found exactly once, in its writer's order, and nothing that nobody wrote.
func TestDiskSurvivesCrashes(t *testing.T) {
	t.Parallel()
	seed := *crashSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d: repeat with -crash.seed", seed)
	acked, lives := 0, 0
	for round := range uint64(*crashRounds) {
		c := &crashing{random: rand.New(rand.NewPCG(seed, round)), sent: map[string]bool{}, at: map[stream.Sequence]string{}}
		fsys := vfstest.New(t, seed+round)
		for range 4 {
			fsys = c.live(t, fsys)
			lives++
			if t.Failed() {
				t.Fatalf("seed %d, round %d", seed, round)
			}
		}
		acked += len(c.at)
	}
	t.Logf("%d lives, %d records acknowledged", lives, acked)
	if acked < 10**crashRounds {
		t.Errorf("only %d records were acknowledged: the test hardly tests", acked)
	}
}

// crashing is what is known of a log over its lives.
type crashing struct {
	random *rand.Rand
	life   int
	freed  uint64 // records up to here were let go

	mu   sync.Mutex
	sent map[string]bool
	at   map[stream.Sequence]string // acknowledged
}

// live opens the log, checks it, writes until the end comes, and gives the file system of the next life.
func (c *crashing) live(t *testing.T, fsys *vfstest.Faults) *vfstest.Faults {
	c.life++
	cut := c.random.IntN(3) > 0
	if cut {
		fsys.CutPower(vfstest.AnyOp, "*", 1+c.random.IntN(120))
	}
	d, err := stream.OpenDisk(stream.DiskConfig{
		Dir: filepath.Join(fsys.Root(), "log"), FS: fsys, Shards: 1, SegmentBytes: 3000,
	})
	switch {
	case err == nil:
		c.write(t, fsys, d)
		// What was put and not acknowledged may be lost with the power: the error tells.
		_ = d.Close()
	case !errors.Is(err, vfstest.ErrPowerOff):
		t.Errorf("life %d: open: %v", c.life, err)
	}
	var up *vfstest.Faults
	if cut || c.random.IntN(2) == 0 {
		up, err = fsys.Crash()
	} else {
		up, err = fsys.Kill()
	}
	must(t, err)
	c.check(t, up)
	return up
}

// write puts from some goroutines until the power is off or each has put its share.
func (c *crashing) write(t *testing.T, fsys *vfstest.Faults, d *stream.Disk) {
	if c.random.IntN(4) == 0 {
		fsys.Fail(vfstest.Sync, "*.seg", 1+c.random.IntN(10), nil)
	}
	if c.random.IntN(4) == 0 {
		fsys.Fail(vfstest.Write, "*.seg", 1+c.random.IntN(10), syscall.ENOSPC)
	}
	var wg sync.WaitGroup
	for writer := range 4 {
		random := rand.New(rand.NewPCG(c.random.Uint64(), 0))
		wg.Go(func() {
			for n := range 15 {
				var batch []string
				for i := range 1 + random.IntN(4) {
					text := fmt.Sprintf("life %d writer %d put %d entry %d ", c.life, writer, n, i)
					batch = append(batch, text+strings.Repeat("x", random.IntN(400)))
				}
				if !c.put(t, d, batch) {
					return
				}
			}
		})
	}
	if c.random.IntN(3) == 0 {
		c.freed += c.random.Uint64N(40)
		err := d.Trim(t.Context(), 0, stream.SequenceOf(c.freed), stream.NoAgeLimit)
		if err != nil && !errors.Is(err, vfstest.ErrPowerOff) {
			t.Errorf("trim: %v", err)
		}
	}
	wg.Wait()
}

func (c *crashing) put(t *testing.T, d *stream.Disk, batch []string) bool {
	c.mu.Lock()
	for _, text := range batch {
		c.sent[text] = true
	}
	c.mu.Unlock()
	placed, err := d.Put(t.Context(), entriesOf(batch...))
	if errors.Is(err, syscall.ENOSPC) {
		return true
	}
	if err != nil {
		if !errors.Is(err, stream.ErrFailed) {
			t.Errorf("put: %v, want ErrFailed", err)
		}
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, p := range placed {
		if other, taken := c.at[p.Seq]; taken {
			t.Errorf("sequence %s of %.40q is also that of %.40q", p.Seq, batch[i], other)
		}
		c.at[p.Seq] = batch[i]
	}
	return true
}

// check reads the whole log.
func (c *crashing) check(t *testing.T, fsys *vfstest.Faults) {
	d, err := stream.OpenDisk(stream.DiskConfig{
		Dir: filepath.Join(fsys.Root(), "log"), FS: fsys, Shards: 1, SegmentBytes: 3000,
	})
	if err != nil {
		t.Errorf("life %d: open after the crash: %v", c.life, err)
		return
	}
	first, err := d.Oldest(t.Context(), 0)
	must(t, err)
	if first.Compare(stream.SequenceOf(c.freed+1)) > 0 {
		t.Errorf("life %d: trimmed through %d, and %s is the oldest", c.life, c.freed, first)
	}
	found := texts(t, d, stream.FromOldest())
	seen := map[string]bool{}
	next := first
	for _, text := range found {
		if !c.sent[text] || seen[text] {
			t.Errorf("life %d: record %s is %.60q: sent %t, seen before %t", c.life, next, text, c.sent[text], seen[text])
		}
		if acknowledged := c.at[next]; acknowledged != "" && acknowledged != text {
			t.Errorf("life %d: record %s is %.60q, acknowledged was %.60q", c.life, next, text, acknowledged)
		}
		seen[text] = true
		// What was not acknowledged and is there stays there: readers have seen it.
		c.at[next] = text
		next = next.Next()
	}
	for seq, text := range c.at {
		if seq.Compare(next) >= 0 {
			t.Errorf("life %d: acknowledged record %s, %.60q, is lost; the log ends before %s", c.life, seq, text, next)
		}
	}
	must(t, d.Close())
}

func TestDiskFailsForGoodWhenASyncFails(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 1)
	d := open(t, fsys, nil)
	waiting, err := d.Iterate(t.Context(), 0, stream.After(put(t, d, "kept")))
	must(t, err)
	ended := make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := waiting.Next(t.Context(), 1, 1)
		ended <- err
	})
	fsys.Fail(vfstest.Sync, "*.seg", 1, syscall.EIO)
	for range 3 {
		if _, err := d.Put(t.Context(), entriesOf("lost")); !errors.Is(err, stream.ErrFailed) || !errors.Is(err, syscall.EIO) {
			t.Fatalf("put: %v, want ErrFailed and EIO", err)
		}
	}
	if err := <-ended; !errors.Is(err, stream.ErrFailed) {
		t.Fatalf("waiting reader: %v, want ErrFailed", err)
	}
	wg.Wait()
	must(t, waiting.Close())
	expectTexts(t, texts(t, d, stream.FromOldest()), "kept")
	must(t, d.Close())

	// The next process still finds the bytes in the page cache. Once it shows them, no power loss may take them.
	fsys, err = fsys.Kill()
	must(t, err)
	d = open(t, fsys, nil)
	expectTexts(t, texts(t, d, stream.FromOldest()), "kept", "lost")
	fsys, err = fsys.Crash()
	must(t, err)
	_ = d.Close() // its file system is gone
	d = open(t, fsys, nil)
	expectTexts(t, texts(t, d, stream.FromOldest()), "kept", "lost")
	must(t, d.Close())
}

func TestDiskGoesOnWhenAFullDiskHasRoomAgain(t *testing.T) {
	t.Parallel()
	for name, segmentBytes := range map[string]int64{"in a segment": 1 << 20, "at a new segment": 150} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := vfstest.New(t, 7)
			d := open(t, fsys, func(cfg *stream.DiskConfig) { cfg.SegmentBytes = segmentBytes })
			put(t, d, strings.Repeat("a", 100))
			fsys.SetFree(20)
			for range 3 {
				if _, err := d.Put(t.Context(), entriesOf("refused")); !errors.Is(err, syscall.ENOSPC) || errors.Is(err, stream.ErrFailed) {
					t.Fatalf("put: %v, want ENOSPC", err)
				}
			}
			fsys.SetFree(vfstest.Unlimited)
			if seq := put(t, d, "taken"); seq != stream.SequenceOf(2) {
				t.Fatalf("sequence %s, want 2", seq)
			}
			want := []string{strings.Repeat("a", 100), "taken"}
			expectTexts(t, texts(t, d, stream.FromOldest()), want...)
			must(t, d.Close())
			d = open(t, fsys, nil)
			expectTexts(t, texts(t, d, stream.FromOldest()), want...)
			must(t, d.Close())
		})
	}
}

// TestDiskLeavesNothingOfARefusedSegment: a group that wanted a new segment was refused for lack of room; the next one is
// smaller and fits the segment before, so that the new segment's number is never used.
func TestDiskLeavesNothingOfARefusedSegment(t *testing.T) {
	t.Parallel()
	fsys := vfstest.New(t, 1)
	d := open(t, fsys, func(cfg *stream.DiskConfig) { cfg.SegmentBytes = 300 })
	long := strings.Repeat("x", 200)
	put(t, d, long)
	fsys.SetFree(20)
	if _, err := d.Put(t.Context(), entriesOf(long)); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("put: %v, want ENOSPC", err)
	}
	fsys.SetFree(vfstest.Unlimited)
	put(t, d, "short")
	put(t, d, long)
	must(t, d.Close())
	d = open(t, fsys, nil)
	expectTexts(t, texts(t, d, stream.FromOldest()), long, "short", long)
	must(t, d.Close())
}

// TestDiskLeavesNothingOfARefusedGroup: part of a group was written before the disk was full, and the next group goes to
// a new segment. No crash brings the part back.
func TestDiskLeavesNothingOfARefusedGroup(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		fsys := vfstest.New(t, seed)
		d := open(t, fsys, func(cfg *stream.DiskConfig) { cfg.SegmentBytes = 300 })
		long := strings.Repeat("x", 200)
		put(t, d, long[:100])
		fsys.SetFree(30)
		if _, err := d.Put(t.Context(), entriesOf("refused")); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("put: %v, want ENOSPC", err)
		}
		fsys.SetFree(vfstest.Unlimited)
		put(t, d, long)
		up, err := fsys.Crash()
		must(t, err)
		_ = d.Close() // its file system is gone
		d = open(t, up, nil)
		expectTexts(t, texts(t, d, stream.FromOldest()), long[:100], long)
		must(t, d.Close())
	}
}
