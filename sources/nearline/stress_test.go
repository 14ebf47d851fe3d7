package nearline_test

import (
	"errors"
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
// others pin, trim and move. acknowledged and watermark are by shard: what a
// reader must find lies between the two.
type stress struct {
	tail         *nearline.Tail
	native       *nearlinetest.Native
	ds           schema.Dataset
	acknowledged [2]atomic.Uint64
	watermark    [2]atomic.Uint64
	written      atomic.Int32 // shards that are done
}

func TestStress(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	s := &stress{native: &nearlinetest.Native{}, ds: dataset("m")}
	var appends atomic.Int64
	s.native.BeforeAppend = func(string, int64) error {
		if appends.Add(1)%5 == 0 {
			return errors.New("every fifth move fails")
		}
		return nil
	}
	s.tail = newTail(t, nearline.Config{Native: s.native, NativeRows: 1500, MoveAfter: -1, TableRows: 4000})
	start(t, s.tail)
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
	violations(t, s.native)
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
	splits, err := p.Splits(s.ds, past, sources.Unbounded())
	if err != nil {
		t.Errorf("splits: %v", err)
		return
	}
	seen := map[stream.Position]int{}
	for _, split := range splits {
		var rows []nearline.Row
		if split.Table != nil {
			if rows, err = s.native.Read(split.Table); err != nil {
				t.Errorf("read a pinned table: %v", err)
			}
		} else {
			rows = nearlinetest.ReadBatch(split.Batch)
		}
		for i := range rows {
			r := &rows[i]
			seen[r.Position]++
			if len(r.Event.Values) == 0 || r.Event.Values[0].Int != r.Event.Time || r.Position.Seq != stream.SequenceOf(uint64(r.Event.Time)) {
				t.Errorf("row %s is garbled", nearlinetest.Describe(r))
			}
		}
	}
	for shard := range stream.ShardID(2) {
		for seq := past[shard].Next(); seq.Compare(stream.SequenceOf(acknowledged[shard])) <= 0; seq = seq.Next() {
			if at := (stream.Position{Shard: shard, Seq: seq}); seen[at] != 1 {
				t.Errorf("row %s was found %d times, watermark %s", at, seen[at], past[shard])
				return
			}
		}
	}
}
