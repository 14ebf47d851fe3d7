// Package streamtest holds the conformance suite of stream.Log: every implementation passes Run.
package streamtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// Run tests logs that newLog makes: each empty, with at least two open shards, each for one test. The suite closes none.
func Run(t *testing.T, newLog func(t *testing.T) stream.Log) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, log stream.Log){
		"ShardsCoverAllHashes":  testShards,
		"PutThenRead":           testPutThenRead,
		"EmptyPut":              testEmptyPut,
		"EntriesFindTheirShard": testEntriesFindTheirShard,
		"Limits":                testLimits,
		"Starts":                testStarts,
		"AtTime":                testAtTime,
		"BeyondTail":            testBeyondTail,
		"NoShard":               testNoShard,
		"Waiting":               testWaiting,
		"NextWaits":             testNextWaits,
		"NextEndsWithContext":   testNextEndsWithContext,
		"CloseEndsNext":         testCloseEndsNext,
		"Trim":                  testTrim,
		"ConcurrentWriters":     testConcurrentWriters,
		"DataIsCopied":          testDataIsCopied,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newLog(t))
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// first is the first open shard and a hash of it.
func first(t *testing.T, log stream.Log) (stream.ShardID, uint64) {
	t.Helper()
	shards, err := log.Shards(t.Context())
	must(t, err)
	return shards[0].ID, shards[0].HashFrom
}

// put puts texts, of one shard, in one Put.
func put(t *testing.T, log stream.Log, hash uint64, texts ...string) []stream.Placed {
	t.Helper()
	entries := make([]stream.Entry, len(texts))
	for i, text := range texts {
		entries[i] = stream.Entry{Hash: hash, Data: []byte(text)}
	}
	placed, err := log.Put(t.Context(), entries)
	must(t, err)
	if len(placed) != len(texts) {
		t.Fatalf("%d entries went to %d places", len(texts), len(placed))
	}
	return placed
}

func iterate(t *testing.T, log stream.Log, shard stream.ShardID, start stream.Start) stream.Iterator {
	t.Helper()
	it, err := log.Iterate(t.Context(), shard, start)
	must(t, err)
	t.Cleanup(func() {
		if err := it.Close(); err != nil {
			t.Error(err)
		}
	})
	return it
}

// read reads n records, whose data it copies.
func read(t *testing.T, it stream.Iterator, n int) []stream.Record {
	t.Helper()
	var all []stream.Record
	for len(all) < n {
		records, err := it.Next(t.Context(), n-len(all), math.MaxInt)
		must(t, err)
		if len(records) == 0 {
			t.Fatal("Next gave no record and no error")
		}
		for _, r := range records {
			r.Data = append([]byte(nil), r.Data...)
			all = append(all, r)
		}
	}
	return all
}

func expect(t *testing.T, records []stream.Record, texts ...string) {
	t.Helper()
	if len(records) != len(texts) {
		t.Fatalf("%d records, want %d", len(records), len(texts))
	}
	for i, r := range records {
		if string(r.Data) != texts[i] {
			t.Fatalf("record %d is %q, want %q", i, r.Data, texts[i])
		}
		if i > 0 && r.Seq.Compare(records[i-1].Seq) <= 0 {
			t.Fatalf("sequence %s follows %s", r.Seq, records[i-1].Seq)
		}
		if i > 0 && r.ArrivedAt < records[i-1].ArrivedAt {
			t.Fatalf("arrival %d follows %d", r.ArrivedAt, records[i-1].ArrivedAt)
		}
	}
}

func testShards(t *testing.T, log stream.Log) {
	shards, err := log.Shards(t.Context())
	must(t, err)
	if len(shards) < 2 {
		t.Fatalf("%d shards, the suite needs two", len(shards))
	}
	for i, s := range shards {
		if !s.Open || s.HashFrom > s.HashTo || i > 0 && s.ID <= shards[i-1].ID {
			t.Errorf("shard %d: %+v", i, s)
		}
		for _, hash := range []uint64{s.HashFrom, s.HashFrom/2 + s.HashTo/2, s.HashTo} {
			if id, err := stream.ShardFor(shards, hash); err != nil || id != s.ID {
				t.Errorf("hash %d is of shard %d, %v; want %d", hash, id, err, s.ID)
			}
		}
	}
	for _, hash := range []uint64{0, math.MaxUint64} {
		if _, err := stream.ShardFor(shards, hash); err != nil {
			t.Errorf("hash %d: %v", hash, err)
		}
	}
	if _, err := stream.ShardFor(shards[:1], math.MaxUint64); !errors.Is(err, stream.ErrNoShard) {
		t.Errorf("hash of no shard: %v", err)
	}
}

func testPutThenRead(t *testing.T, log stream.Log) {
	shard, hash := first(t, log)
	before := time.Now().UnixMicro()
	tail, err := log.Tail(t.Context(), shard, stream.Sequence{})
	must(t, err)
	if !tail.IsZero() {
		t.Fatalf("tail of an empty shard is %s", tail)
	}
	placed := put(t, log, hash, "one", "", "three")
	placed = append(placed, put(t, log, hash, "four")...)
	records := read(t, iterate(t, log, shard, stream.FromOldest()), 4)
	expect(t, records, "one", "", "three", "four")
	for i, r := range records {
		if placed[i] != (stream.Placed{Shard: shard, Seq: r.Seq}) || r.Shard != shard {
			t.Errorf("record %d is at %d/%s, Put said %+v", i, r.Shard, r.Seq, placed[i])
		}
		if r.Seq.IsZero() || r.ArrivedAt < before-int64(time.Minute/time.Microsecond) {
			t.Errorf("record %d: sequence %s, arrived %d", i, r.Seq, r.ArrivedAt)
		}
	}
	tail, err = log.Tail(t.Context(), shard, stream.Sequence{})
	must(t, err)
	oldest, err := log.Oldest(t.Context(), shard)
	must(t, err)
	if tail != placed[3].Seq || oldest.Compare(placed[0].Seq) > 0 {
		t.Fatalf("oldest %s, tail %s; want %s, %s", oldest, tail, placed[0].Seq, placed[3].Seq)
	}
}

func testEmptyPut(t *testing.T, log stream.Log) {
	placed, err := log.Put(t.Context(), nil)
	if err != nil || len(placed) != 0 {
		t.Fatalf("put of nothing: %v, %v", placed, err)
	}
}

func testEntriesFindTheirShard(t *testing.T, log stream.Log) {
	shards, err := log.Shards(t.Context())
	must(t, err)
	var entries []stream.Entry
	want := map[stream.ShardID][]string{}
	for i := range 100 {
		hash := uint64(i) * (math.MaxUint64 / 100)
		id, err := stream.ShardFor(shards, hash)
		must(t, err)
		text := fmt.Sprint(i)
		entries = append(entries, stream.Entry{Hash: hash, Data: []byte(text)})
		want[id] = append(want[id], text)
	}
	placed, err := log.Put(t.Context(), entries)
	must(t, err)
	for _, s := range shards {
		records := read(t, iterate(t, log, s.ID, stream.FromOldest()), len(want[s.ID]))
		expect(t, records, want[s.ID]...)
		for _, r := range records {
			var i int
			if _, err := fmt.Sscan(string(r.Data), &i); err != nil {
				t.Fatal(err)
			}
			if placed[i] != (stream.Placed{Shard: s.ID, Seq: r.Seq}) {
				t.Fatalf("entry %d is at %d/%s, Put said %+v", i, s.ID, r.Seq, placed[i])
			}
		}
	}
}

func testLimits(t *testing.T, log stream.Log) {
	shard, hash := first(t, log)
	put(t, log, hash, "aaaa", "bbbb", "cccc")
	put(t, log, hash, "dddd")
	it := iterate(t, log, shard, stream.FromOldest())
	for _, tt := range []struct {
		maxRecords, maxBytes int
		want                 []string
	}{
		{1, 1000, []string{"aaaa"}},
		{10, 1, []string{"bbbb"}}, // at least one, whatever its size
	} {
		records, err := it.Next(t.Context(), tt.maxRecords, tt.maxBytes)
		must(t, err)
		expect(t, records, tt.want...)
	}
	records, err := it.Next(t.Context(), 10, 7)
	must(t, err)
	expect(t, records, "cccc")
	expect(t, read(t, it, 1), "dddd")
}

func testStarts(t *testing.T, log stream.Log) {
	shard, hash := first(t, log)
	placed := put(t, log, hash, "a", "b", "c")
	placed = append(placed, put(t, log, hash, "d", "e")...)
	texts := []string{"a", "b", "c", "d", "e"}
	expect(t, read(t, iterate(t, log, shard, stream.Start{}), 5), texts...)
	expect(t, read(t, iterate(t, log, shard, stream.After(stream.Sequence{})), 5), texts...)
	for i, p := range placed[:4] {
		expect(t, read(t, iterate(t, log, shard, stream.After(p.Seq)), 4-i), texts[i+1:]...)
	}
	atTail := iterate(t, log, shard, stream.After(placed[4].Seq))
	put(t, log, hash, "f")
	expect(t, read(t, atTail, 1), "f")
}

func testAtTime(t *testing.T, log stream.Log) {
	shard, hash := first(t, log)
	put(t, log, hash, "a", "b")
	put(t, log, hash, "c")
	records := read(t, iterate(t, log, shard, stream.FromOldest()), 3)
	start := 0
	for i, r := range records {
		if r.ArrivedAt != records[start].ArrivedAt {
			start = i
		}
		got := read(t, iterate(t, log, shard, stream.At(r.ArrivedAt)), 1)
		if got[0].Seq != records[start].Seq {
			t.Errorf("at the time of record %d: starts at %s, want %s", i, got[0].Seq, records[start].Seq)
		}
	}
	early := read(t, iterate(t, log, shard, stream.At(records[0].ArrivedAt-1)), 3)
	expect(t, early, "a", "b", "c")
}

func testBeyondTail(t *testing.T, log stream.Log) {
	shard, hash := first(t, log)
	placed := put(t, log, hash, "a")
	if _, err := log.Iterate(t.Context(), shard, stream.After(placed[0].Seq.Next())); !errors.Is(err, stream.ErrBeyondTail) {
		t.Fatalf("iterate: %v, want ErrBeyondTail", err)
	}
}

func testNoShard(t *testing.T, log stream.Log) {
	const none = stream.ShardID(math.MaxUint64)
	if _, err := log.Iterate(t.Context(), none, stream.FromOldest()); !errors.Is(err, stream.ErrNoShard) {
		t.Errorf("iterate: %v", err)
	}
	if _, err := log.Tail(t.Context(), none, stream.Sequence{}); !errors.Is(err, stream.ErrNoShard) {
		t.Errorf("tail: %v", err)
	}
	if _, err := log.Waiting(t.Context(), none, stream.Sequence{}); !errors.Is(err, stream.ErrNoShard) {
		t.Errorf("waiting: %v", err)
	}
	if _, err := log.Oldest(t.Context(), none); !errors.Is(err, stream.ErrNoShard) {
		t.Errorf("oldest: %v", err)
	}
	if err := log.Trim(t.Context(), none, stream.Sequence{}, stream.NoAgeLimit); !errors.Is(err, stream.ErrNoShard) {
		t.Errorf("trim: %v", err)
	}
}

// testWaiting asks what waits after each record, and in an empty shard.
func testWaiting(t *testing.T, log stream.Log) {
	shard, hash := first(t, log)
	ask := func(after stream.Sequence) int64 {
		t.Helper()
		arrivedAt, err := log.Waiting(t.Context(), shard, after)
		must(t, err)
		return arrivedAt
	}
	if at := ask(stream.Sequence{}); at != 0 {
		t.Errorf("in an empty shard a record of %d waits", at)
	}
	placed := put(t, log, hash, "a", "b")
	placed = append(placed, put(t, log, hash, "c")...)
	records := read(t, iterate(t, log, shard, stream.FromOldest()), 3)
	var after stream.Sequence
	for i, r := range records {
		if at := ask(after); at != r.ArrivedAt {
			t.Errorf("before record %d one of %d waits, want %d", i, at, r.ArrivedAt)
		}
		after = placed[i].Seq
	}
	if at := ask(after); at != 0 {
		t.Errorf("after the last record one of %d waits", at)
	}
}

// testNextWaits reads what is put only after Next was asked for it.
func testNextWaits(t *testing.T, log stream.Log) {
	shard, hash := first(t, log)
	it := iterate(t, log, shard, stream.FromOldest())
	got := make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 50 {
			records, err := it.Next(t.Context(), 1, 1)
			if err == nil && string(records[0].Data) != fmt.Sprint(i) {
				err = fmt.Errorf("record %d is %q", i, records[0].Data)
			}
			if err != nil {
				got <- err
				return
			}
		}
		got <- nil
	})
	for i := range 50 {
		put(t, log, hash, fmt.Sprint(i))
	}
	must(t, <-got)
	wg.Wait()
}

func testNextEndsWithContext(t *testing.T, log stream.Log) {
	shard, hash := first(t, log)
	it := iterate(t, log, shard, stream.FromOldest())
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := it.Next(ctx, 1, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("next: %v, want the context's error", err)
	}
	put(t, log, hash, "a")
	expect(t, read(t, it, 1), "a")
}

func testCloseEndsNext(t *testing.T, log stream.Log) {
	shard, _ := first(t, log)
	it := iterate(t, log, shard, stream.FromOldest())
	got := make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := it.Next(t.Context(), 1, 1)
		got <- err
	})
	must(t, it.Close())
	if err := <-got; !errors.Is(err, stream.ErrClosed) {
		t.Fatalf("next: %v, want ErrClosed", err)
	}
	wg.Wait()
	must(t, it.Close())
	if _, err := it.Next(t.Context(), 1, 1); !errors.Is(err, stream.ErrClosed) {
		t.Fatalf("next after close: %v, want ErrClosed", err)
	}
}

// testTrim holds what Trim and Oldest promise, for logs that free nothing too.
func testTrim(t *testing.T, log stream.Log) {
	shard, hash := first(t, log)
	var placed []stream.Placed
	for i := range 20 {
		placed = append(placed, put(t, log, hash, fmt.Sprintf("%d", i))...)
	}
	through := placed[9].Seq
	must(t, log.Trim(t.Context(), shard, through, 0))
	expect(t, read(t, iterate(t, log, shard, stream.After(stream.Sequence{})), 1), "0")
	must(t, log.Trim(t.Context(), shard, through, stream.NoAgeLimit))
	oldest, err := log.Oldest(t.Context(), shard)
	must(t, err)
	if oldest.Compare(through.Next()) > 0 {
		t.Fatalf("trimmed through %s, and %s is the oldest", through, oldest)
	}
	for i, p := range placed {
		it, err := log.Iterate(t.Context(), shard, stream.After(p.Seq))
		if p.Seq.Next().Compare(oldest) < 0 {
			if !errors.Is(err, stream.ErrTrimmed) {
				t.Fatalf("after record %d, oldest %s: %v, want ErrTrimmed", i, oldest, err)
			}
			continue
		}
		must(t, err)
		if i+1 < len(placed) {
			expect(t, read(t, it, 1), fmt.Sprint(i+1))
		}
		must(t, it.Close())
	}
	must(t, log.Trim(t.Context(), shard, placed[19].Seq, stream.NoAgeLimit))
	next := put(t, log, hash, "next")
	if next[0].Seq.Compare(placed[19].Seq) <= 0 {
		t.Fatalf("sequence %s again after the trim", next[0].Seq)
	}
	expect(t, read(t, iterate(t, log, shard, stream.After(placed[19].Seq)), 1), "next")
}

func testConcurrentWriters(t *testing.T, log stream.Log) {
	const writers, rounds, batch = 8, 10, 5
	shard, hash := first(t, log)
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for round := range rounds {
				entries := make([]stream.Entry, batch)
				for i := range entries {
					entries[i] = stream.Entry{Hash: hash, Data: fmt.Appendf(nil, "%d %d", w, round*batch+i)}
				}
				if _, err := log.Put(t.Context(), entries); err != nil {
					errs[w] = err
					return
				}
			}
		})
	}
	wg.Wait()
	must(t, errors.Join(errs...))
	next := make([]int, writers)
	for _, r := range read(t, iterate(t, log, shard, stream.FromOldest()), writers*rounds*batch) {
		var w, i int
		if _, err := fmt.Sscan(string(r.Data), &w, &i); err != nil {
			t.Fatal(err)
		}
		if i != next[w] {
			t.Fatalf("writer %d: entry %d where %d was to come", w, i, next[w])
		}
		next[w]++
	}
}

func testDataIsCopied(t *testing.T, log stream.Log) {
	shard, hash := first(t, log)
	data := []byte("before")
	_, err := log.Put(t.Context(), []stream.Entry{{Hash: hash, Data: data}})
	must(t, err)
	copy(data, "after!")
	expect(t, read(t, iterate(t, log, shard, stream.FromOldest()), 1), "before")
}
