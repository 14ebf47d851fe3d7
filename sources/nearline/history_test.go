package nearline_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/nearline"
	"github.com/fieldgate/fieldgate/sources/nearline/nearlinetest"
)

// identity is a time and an id.
type identity struct {
	time int64
	id   schema.ID
}

// history is a tail beside a model of the staged log and of the lake. What a
// statement finds is compared with what the model says it must.
type history struct {
	t      *testing.T
	random *rand.Rand
	ds     schema.Dataset
	tail   *nearline.Tail
	config nearline.Config

	log [2][]nearline.Row // by shard; sequence n is the row at n-1
	// staged, compacted and checkpoint are sequences by shard. The lake may be
	// ahead of the tail.
	staged, compacted, checkpoint [2]uint64
	lake                          map[identity]schema.ID // with its hash
	// visible are the rows that staged or compacted records brought, the first of
	// each identity.
	visible map[identity]schema.ID
	// first are the hashes of the first event of each identity in the log.
	first              map[identity]schema.ID
	windows, conflicts int
	// wrongClocks sends events of the future, too.
	wrongClocks bool
}

func (h *history) Suspect(_ context.Context, _ schema.Dataset, times []int64, ids []schema.ID) ([]bool, error) {
	out := make([]bool, len(ids))
	for i := range ids {
		_, known := h.lake[identity{times[i], ids[i]}]
		out[i] = known || h.random.IntN(50) == 0 // a filter errs to that side
	}
	return out, nil
}

func (h *history) Hashes(_ context.Context, _ schema.Dataset, times []int64, ids []schema.ID, found func(i int, hash schema.ID)) error {
	for i := range ids {
		if hash, known := h.lake[identity{times[i], ids[i]}]; known {
			found(i, hash)
		}
	}
	return nil
}

// Held is one range, as of a single part.
func (h *history) Held(context.Context, schema.Dataset) ([]sources.Bounds, error) {
	var out []sources.Bounds
	for of := range h.lake {
		if out == nil {
			out = []sources.Bounds{{Min: of.time, Max: of.time}}
		}
		out[0] = sources.Bounds{Min: min(out[0].Min, of.time), Max: max(out[0].Max, of.time)}
	}
	return out, nil
}

// send puts a few events into the log: new ones, late ones, copies, and others of
// an identity that is taken. All copies of an identity are in one shard.
func (h *history) send() {
	for range 1 + h.random.IntN(60) {
		now := int64(len(h.log[0])+len(h.log[1])) / 3
		id := h.random.Uint64N(1 << 20)
		at := now
		switch h.random.IntN(10) {
		case 0:
			at = h.random.Int64N(now + 1)
		case 1:
			if h.wrongClocks {
				at = now + 1_000_000
			}
		}
		body := id
		if h.random.IntN(4) == 0 {
			shard := h.random.IntN(2)
			if n := len(h.log[shard]); n > 0 {
				e := &h.log[shard][max(0, n-1-h.random.IntN(200))].Event
				at, id = e.Time, uint64(e.ID[0])|uint64(e.ID[1])<<8|uint64(e.ID[2])<<16
				body = id + uint64(h.random.IntN(2))
			}
		}
		shard := stream.ShardID(id % 2)
		seq := uint64(len(h.log[shard]) + 1)
		e := nearlinetest.Event(h.ds, at, id, body, schema.Value{Name: "body", Kind: schema.KindInt, Int: int64(body)})
		h.log[shard] = append(h.log[shard], nearline.Row{Event: e, Position: nearlinetest.At(shard, seq, 0)})
		of := identity{e.Time, e.ID}
		if _, known := h.first[of]; !known {
			h.first[of] = e.Hash
		}
	}
}

// stage writes some of the log into the tail.
func (h *history) stage(shard, atMost int) {
	from := h.staged[shard]
	to := min(uint64(len(h.log[shard])), from+uint64(atMost))
	if from == to {
		return
	}
	rows := h.log[shard][from:to]
	outcomes, err := h.tail.Write(h.t.Context(), rows)
	if err != nil {
		h.t.Fatal(err)
	}
	for i, o := range outcomes {
		e := &rows[i].Event
		if o != nearline.Conflict {
			continue
		}
		h.conflicts++
		if h.first[identity{e.Time, e.ID}] == e.Hash {
			h.t.Fatalf("row %v, a copy of the first of its identity, is called a conflict", rows[i].Position)
		}
	}
	h.staged[shard] = to
	h.see(rows)
}

func (h *history) see(rows []nearline.Row) {
	for i := range rows {
		of := identity{rows[i].Event.Time, rows[i].Event.ID}
		if _, known := h.visible[of]; !known {
			h.visible[of] = rows[i].Event.Hash
		}
	}
}

// compact moves the log up to a sequence into the lake, and tells the tail.
func (h *history) compact() {
	shard := h.random.IntN(2)
	from := h.compacted[shard]
	to := from + h.random.Uint64N(uint64(len(h.log[shard]))-from+1)
	for _, r := range h.log[shard][from:to] {
		of := identity{r.Event.Time, r.Event.ID}
		if _, known := h.lake[of]; !known {
			h.lake[of] = r.Event.Hash
		}
	}
	h.compacted[shard] = to
	h.see(h.log[shard][from:to])
	if h.random.IntN(3) > 0 { // else it dies before it can tell
		trim(h.t, h.tail, h.ds, h.watermarks())
	}
	if h.random.IntN(2) == 0 {
		h.checkpoint[shard] = to
	}
}

func (h *history) watermarks() sources.Watermarks {
	return sources.Watermarks{0: stream.SequenceOf(h.compacted[0]), 1: stream.SequenceOf(h.compacted[1])}
}

// restart begins with an empty tail at the checkpoints; statements are let in
// when it has come to the end of the log.
func (h *history) restart() {
	h.tail = newTail(h.t, h.config)
	h.staged = h.checkpoint
	for shard := range h.log {
		h.stage(shard, len(h.log[shard]))
	}
}

// ask runs a statement over bounds: pin, then what happens meanwhile, then the
// manifest, then the window alone or files and rows past the watermarks.
func (h *history) ask(meanwhile func()) {
	bounds := h.bounds()
	atLeast := within(h.visible, bounds)
	p := pinned(h.t, h.tail, h.ds)
	meanwhile()
	atMost, marks := within(h.visible, bounds), h.watermarks()
	found := map[identity]schema.ID{}
	add := func(of identity, hash schema.ID) {
		if _, twice := found[of]; twice {
			h.t.Fatalf("%v is found twice in %v", of, bounds)
		}
		if bounds.Contains(of.time) {
			found[of] = hash
		}
	}
	rows, complete := nearlinetest.ReadWindow(h.t, p, h.ds, marks, nearlinetest.Within(bounds))
	if complete {
		h.windows++
		for i := range rows {
			add(identity{rows[i].Event.Time, rows[i].Event.ID}, rows[i].Event.Hash)
		}
	} else {
		for of, hash := range h.lake {
			add(of, hash)
		}
		h.pastMarks(p, marks, bounds, add)
	}
	for of, hash := range atLeast {
		if found[of] != hash {
			h.t.Fatalf("%v of %v is missing or another, window %v", of, bounds, complete)
		}
	}
	for of, hash := range found {
		if atMost[of] != hash {
			h.t.Fatalf("%v of %v should not be there, window %v", of, bounds, complete)
		}
	}
}

// pastMarks gives the rows past the watermarks, but for suspect ones that the lake
// has.
func (h *history) pastMarks(p sources.Pin, marks sources.Watermarks, bounds sources.Bounds, add func(identity, schema.ID)) {
	recent, err := p.Splits(h.t.Context(), h.ds, marks, nearlinetest.Within(bounds))
	if err != nil {
		h.t.Fatal(err)
	}
	for _, s := range recent.Splits {
		b := s.Batch
		for r := range uint32(b.Batch.Rows) {
			of := identity{b.Batch.TS[r], b.Batch.IDs[r]}
			_, inLake := h.lake[of]
			if b.Select != nil && !slices.Contains(b.Select, r) || inLake && slices.Contains(b.Suspect, r) {
				continue
			}
			add(of, b.Batch.Hashes[r])
		}
	}
}

func (h *history) bounds() sources.Bounds {
	now := int64(len(h.log[0])+len(h.log[1])) / 3
	switch h.random.IntN(4) {
	case 0:
		return sources.Unbounded()
	case 1:
		return sources.Bounds{Min: now + 100, Max: now + 2_000_000}
	}
	from := now - h.random.Int64N(now/2+30)
	return sources.Bounds{Min: from, Max: from + h.random.Int64N(300)}
}

func within(rows map[identity]schema.ID, b sources.Bounds) map[identity]schema.ID {
	out := map[identity]schema.ID{}
	for of, hash := range rows {
		if b.Contains(of.time) {
			out[of] = hash
		}
	}
	return out
}

// TestHistories plays random histories of sending, staging, compaction that runs
// ahead or dies, memory that runs out, and restarts: whatever happens between a
// statement's pin and its manifest, it finds every row once, and no copy of an
// identity's first event is called a conflict.
func TestHistories(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	windows, conflicts := 0, 0
	for n := range 12 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			h := &history{
				t: t, random: rand.New(rand.NewPCG(seed, uint64(n))), ds: dataset("m"),
				lake: map[identity]schema.ID{}, visible: map[identity]schema.ID{}, first: map[identity]schema.ID{},
				wrongClocks: n%2 == 1,
			}
			h.config = nearline.Config{Known: h, BatchRows: 100, MemoryBytes: 1 << 30, HighWaterBytes: cmp.Or(int64(n%4)*40_000, 1<<29)}
			h.tail = newTail(t, h.config)
			steps := []func(){h.send, h.send, h.compact, func() { h.stage(h.random.IntN(2), 100) }, func() { h.stage(h.random.IntN(2), 1000) }, func() {}}
			for step := range 300 {
				steps[h.random.IntN(len(steps))]()
				if step%80 == 79 {
					h.restart()
				}
				h.ask(steps[h.random.IntN(len(steps))])
			}
			windows, conflicts = windows+h.windows, conflicts+h.conflicts
		})
	}
	if windows < 200 || conflicts < 200 {
		t.Errorf("only %d statements read the window alone, %d rows were conflicts", windows, conflicts)
	}
}
