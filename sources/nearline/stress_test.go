package nearline_test

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/nearline"
	"github.com/fieldgate/fieldgate/sources/nearline/nearlinetest"
)

// stress writes the shards' rows in concurrent runs, each row twice, while
// others pin and trim, in memory that holds a part of them. acknowledged and watermark are by shard: what a
// reader must find lies between the two.
type stress struct {
	tail         *nearline.Tail
	ds           schema.Dataset
	acknowledged [2]atomic.Uint64
	watermark    [2]atomic.Uint64
	written      atomic.Int32 // shards that are done
	windows      atomic.Int32 // statements that read the window alone
}

func TestStress(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	s := &stress{ds: dataset("m")}
	s.tail = newTail(t, nearline.Config{BatchRows: 1500, MemoryBytes: 16 << 20, HighWaterBytes: 1 << 20})
	var wg sync.WaitGroup
	for shard := range stream.ShardID(2) {
		wg.Go(func() { s.write(t, shard, rand.New(rand.NewPCG(seed, uint64(shard)))) })
	}
	wg.Go(func() { s.trim(t, rand.New(rand.NewPCG(seed, 10))) })
	for range 2 {
		wg.Go(func() {
			for s.written.Load() < 2 {
				s.read(t)
			}
		})
	}
	wg.Wait()
	s.read(t)
	if s.windows.Load() == 0 {
		t.Error("no statement read the window alone")
	}
}

func (s *stress) write(t *testing.T, shard stream.ShardID, rnd *rand.Rand) {
	defer s.written.Add(1)
	for next := uint64(1); next <= 30_000; {
		n := 1 + rnd.Uint64N(700)
		fields := []string{"a", "b", "c"}[:1+rnd.IntN(3)]
		rows := run(s.ds, shard, next, n, fields...)
		for range 2 {
			if _, err := s.tail.Write(t.Context(), rows); err != nil {
				t.Errorf("write: %v", err)
				return
			}
		}
		next += n
		s.acknowledged[shard].Store(next - 1)
	}
}

// trim is the lake: it raises the watermarks, then lets the tail go of the rows.
func (s *stress) trim(t *testing.T, rnd *rand.Rand) {
	for s.written.Load() < 2 {
		past := sources.Watermarks{}
		for shard := range s.watermark {
			low, high := s.watermark[shard].Load(), s.acknowledged[shard].Load()
			to := low + rnd.Uint64N(high-low+1)
			s.watermark[shard].Store(to)
			past[stream.ShardID(shard)] = stream.SequenceOf(to)
		}
		if err := s.tail.Trim(t.Context(), s.ds, past); err != nil {
			t.Errorf("trim: %v", err)
		}
	}
}

// read does as a statement does: pin, then load the watermarks, then read. It
// finds every row that was acknowledged before the pin, once.
func (s *stress) read(t *testing.T) {
	acknowledged := [2]uint64{s.acknowledged[0].Load(), s.acknowledged[1].Load()}
	p, err := s.tail.Pin(t.Context(), []schema.Dataset{s.ds})
	if err != nil {
		t.Errorf("pin: %v", err)
		return
	}
	defer p.Release()
	past := sources.Watermarks{}
	for shard := range s.watermark {
		past[stream.ShardID(shard)] = stream.SequenceOf(s.watermark[shard].Load())
	}
	// A time is a sequence of either shard, so what lies past both watermarks and
	// what lies below one of them are asked for in turn.
	newest := sources.Bounds{Min: int64(min(acknowledged[0], acknowledged[1])) - 2000, Max: math.MaxInt64}
	recent, complete, err := p.Window(t.Context(), s.ds, past, nearlinetest.Within(newest))
	if err == nil && complete {
		s.windows.Add(1)
		s.check(t, recent.Splits, sources.Watermarks{}, acknowledged, uint64(max(newest.Min, 1)))
	}
	if err != nil {
		t.Errorf("window: %v", err)
		return
	}
	if recent, err = p.Splits(t.Context(), s.ds, past, nearlinetest.Within(sources.Unbounded())); err != nil {
		t.Errorf("splits: %v", err)
		return
	}
	s.check(t, recent.Splits, past, acknowledged, 1)
}

// check finds every acknowledged row past the watermarks and from a time on, once.
func (s *stress) check(t *testing.T, splits []sources.Split, past sources.Watermarks, acknowledged [2]uint64, from uint64) {
	seen := map[stream.Position]int{}
	for _, split := range splits {
		for _, r := range nearlinetest.ReadBatch(split.Batch) {
			seen[r.Position]++
			if len(r.Event.Values) == 0 || r.Event.Values[0].Int != r.Event.Time || r.Position.Seq != stream.SequenceOf(uint64(r.Event.Time)) {
				t.Errorf("row %s is garbled", nearlinetest.Describe(&r))
			}
		}
	}
	for shard := range stream.ShardID(2) {
		first := stream.SequenceOf(from)
		if next := past[shard].Next(); next.Compare(first) > 0 {
			first = next
		}
		for seq := first; seq.Compare(stream.SequenceOf(acknowledged[shard])) <= 0; seq = seq.Next() {
			if at := (stream.Position{Shard: shard, Seq: seq}); seen[at] != 1 {
				t.Errorf("row %s was found %d times, watermark %s", at, seen[at], past[shard])
				return
			}
		}
	}
}
