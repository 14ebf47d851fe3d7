package duckdb_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/nearline"
)

// hot is a tail that two engines read: one that copies its rows and one that does not,
// whose answers are right.
type hot struct {
	t            testing.TB
	tail         *nearline.Tail
	copies, bare *world
	next         int
}

func newHot(t testing.TB, cfg nearline.Config) *hot {
	t.Helper()
	tail, err := nearline.NewTail(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h := &hot{t: t, tail: tail, copies: newWorld(t, nil), bare: newWorld(t, nil)}
	h.copies.tail, h.bare.tail = tail, tail
	tail.Share(h.copies.engine)
	return h
}

// write stores n events a second apart, of 50 devices. What device 7 sends differs
// from the others, and so does one event in a thousand.
func (h *hot) write(n int, more ...schema.Value) {
	h.t.Helper()
	h.writeOf(n, func(k int) []schema.Value {
		values := append([]schema.Value{
			valueOf("big", k), valueOf("flag", k%3 == 0), valueOf("label", fmt.Sprintf("device number %d", k%50)), valueOf("temp", float64(k%1000)/8),
		}, more...)
		if k%50 == 7 {
			values[3] = valueOf("temp_f", 32+float64(k%500)*9/4)
		}
		if k%1000 == 999 {
			values[0], values[3] = valueOf("doc", jsonText(`{"k":1}`)), valueOf("temp", "warm")
		}
		return values
	})
}

// writeOf stores n events with some values.
func (h *hot) writeOf(n int, values func(k int) []schema.Value) {
	h.t.Helper()
	rows := make([]nearline.Row, n)
	for i := range rows {
		k := h.next + i
		at := start.Add(time.Duration(k) * time.Second).UnixMicro()
		e := schema.Event{Dataset: weather, Time: at, ReceivedAt: at + 1, ID: idOf(k + 1), Hash: idOf(k + 1), Values: values(k)}
		rows[i] = nearline.Row{Event: e, Position: stream.Position{Seq: stream.SequenceOf(uint64(k + 1))}}
	}
	if _, err := h.tail.Write(h.t.Context(), rows); err != nil {
		h.t.Fatal(err)
	}
	h.next += n
}

// hotQueries scan, filter, group and sort, over all times and some.
func hotQueries() []string {
	return []string{
		`SELECT count(*) FROM weather`,
		`SELECT count(*), count(temp), avg(temp), min(temp), max(temp), sum(big) FROM weather`,
		`SELECT label, count(*), sum(temp), bool_or(flag) FROM weather GROUP BY label`,
		`SELECT date_trunc('hour', timestamp), count(*), sum(temp) FROM weather GROUP BY 1`,
		`SELECT count(*), sum(big) FROM weather WHERE temp > 30 AND label LIKE '%4'`,
		`SELECT count(*), sum(big), count(doc) FROM weather WHERE timestamp >= '2024-01-01 01:00' AND timestamp < '2024-01-01 02:30'`,
		`SELECT count(DISTINCT _id), count(_received_at), min(_metric) FROM weather`,
		`SELECT timestamp, label, big, temp FROM weather ORDER BY timestamp DESC LIMIT 20`,
		`SELECT big, label, flag FROM weather WHERE flag ORDER BY label, big LIMIT 30`,
		`SELECT a.label, count(*) FROM weather a JOIN weather b USING (big) WHERE b.temp < 50 GROUP BY 1`,
	}
}

// answerOf is the answer of one of the engines, sorted.
func answerOf(ctx context.Context, s *planner.Session, sql string) ([]string, error) {
	a, err := ask(ctx, s, sql)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sql, err)
	}
	rows := make([]string, len(a.rows))
	for i, r := range a.rows {
		rows[i] = fmt.Sprint(r)
	}
	slices.Sort(rows)
	return rows, nil
}

// same asks both engines all questions, some times.
func (h *hot) same(times int) {
	h.t.Helper()
	for range times {
		for _, sql := range hotQueries() {
			want, err := answerOf(h.t.Context(), h.bare.session, sql)
			if err != nil {
				h.t.Fatal(err)
			}
			got, err := answerOf(h.t.Context(), h.copies.session, sql)
			if err != nil {
				h.t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				h.t.Fatalf("%s\n got %q\nwant %q", sql, got, want)
			}
		}
	}
}

func (h *hot) copied() int64 { return h.tail.Memory().Copies }

// trim says that the lake has the first rows.
func (h *hot) trim(rows int) {
	h.t.Helper()
	if err := h.tail.Trim(h.t.Context(), weather, sources.Watermarks{0: stream.SequenceOf(uint64(rows))}); err != nil {
		h.t.Fatal(err)
	}
}

// TestCopies: rows that are scanned again and again are read from a table, which has
// the same answers as the batches, with what comes later and in other columns.
func TestCopies(t *testing.T) {
	t.Parallel()
	h := newHot(t, nearline.Config{BatchRows: 5000})
	h.write(9000)
	h.same(6)
	if n := h.copied(); n != 0 {
		t.Errorf("of fewer than 10,000 rows %d bytes are copied", n)
	}
	h.write(14_000)
	h.same(1)
	first := h.copied()
	if first == 0 {
		t.Fatal("nothing is copied")
	}
	h.write(12_000, valueOf("n", 5))
	h.same(2)
	if h.copied() <= first {
		t.Errorf("what came later is not copied: %d bytes, before %d", h.copied(), first)
	}
	h.copies.rows(`ALTER TABLE weather DROP COLUMN n`)
	h.bare.rows(`ALTER TABLE weather DROP COLUMN n`)
	for _, w := range []*world{h.copies, h.bare} {
		w.rows(`ALTER TABLE weather ADD COLUMN n text`)
	}
	h.same(1)
	h.copies.want(`SELECT n, count(*) FROM weather GROUP BY 1 ORDER BY 1 NULLS FIRST`, "[NULL 23000]", "[5 12000]")

	h.copies.engine.Drop(time.Hour)
	if h.copied() == 0 {
		t.Error("what was just read was dropped")
	}
	h.copies.engine.Drop(0)
	if n := h.copied(); n != 0 {
		t.Errorf("%d bytes are left", n)
	}
	h.same(2)
	if h.copied() == 0 {
		t.Fatal("nothing is copied again")
	}
	if err := h.copies.engine.CloseTenant("t"); err != nil {
		t.Fatal(err)
	}
	if n := h.copied(); n != 0 {
		t.Errorf("%d bytes are left of a dropped tenant", n)
	}
	h.same(2)
}

// TestCopiesStayPinned: a statement that began before rows came, and before the table
// was dropped or made anew, reads what it has pinned.
func TestCopiesStayPinned(t *testing.T) {
	t.Parallel()
	h := newHot(t, nearline.Config{BatchRows: 5000, MemoryBytes: 24 << 20})
	h.write(40_000)
	h.same(1)
	open := func() planner.Rows {
		rows, err := run(t.Context(), h.copies.session, `SELECT big FROM weather`)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	first := open()
	h.write(15_000)
	h.same(1)
	second := open()
	h.trim(40_000)
	for h.tail.Memory().Used > h.tail.Memory().HighWater/2 && h.next < 300_000 {
		h.write(5000)
		h.trim(h.next - 5000)
	}
	h.copies.engine.Drop(0)
	for rows, want := range map[planner.Rows]int{first: 40_000, second: 55_000} {
		n := 0
		if err := collect(t.Context(), rows, func(c *planner.Chunk) { n += c.Rows }); err != nil {
			t.Error(err)
		}
		if n != want {
			t.Errorf("%d rows, want %d", n, want)
		}
	}
	if n := h.copied(); n != 0 {
		t.Errorf("%d bytes are left when their readers have ended", n)
	}
}

// TestCopiesGiveWay: before rows that the lake lacks fill the memory, copies go.
func TestCopiesGiveWay(t *testing.T) {
	t.Parallel()
	h := newHot(t, nearline.Config{BatchRows: 5000, MemoryBytes: 32 << 20})
	h.write(30_000)
	h.same(1)
	if h.copied() == 0 {
		t.Fatal("nothing is copied")
	}
	for m := h.tail.Memory(); m.Used < m.HighWater; m = h.tail.Memory() {
		select {
		case <-h.tail.Pressure():
			if h.copied() > 0 {
				t.Fatal("compaction is asked for while there are copies")
			}
		default:
		}
		h.write(1000)
	}
	if n := h.copied(); n != 0 {
		t.Errorf("%d bytes are copied while memory is short", n)
	}
	h.same(1)
	if n := h.copied(); n != 0 {
		t.Errorf("%d bytes are copied where there is no room", n)
	}
}

// TestCopiesRace: rows come and go, tables are dropped, and every scan finds what it
// has pinned.
func TestCopiesRace(t *testing.T) {
	t.Parallel()
	h := newHot(t, nearline.Config{BatchRows: 2000, MemoryBytes: 16 << 20})
	numbers := func(k int) []schema.Value { return []schema.Value{valueOf("big", k)} }
	h.writeOf(20_000, numbers)
	var done atomic.Bool
	errs := make(chan error, 3)
	sessions := []*planner.Session{h.copies.session, h.copies.newSession(nil), h.copies.newSession(nil)}
	for _, s := range sessions {
		go func() {
			for !done.Load() {
				a, err := answerOf(t.Context(), s, `SELECT count(*) - (max(big) - min(big) + 1), sum(big) - (min(big) + max(big)) * count(*) / 2 FROM weather`)
				if err == nil && !slices.Equal(a, []string{"[0 0]"}) {
					err = fmt.Errorf("rows are missing or double: %q", a)
				}
				if err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	var most int64
	for range 150 {
		h.writeOf(1000, numbers)
		h.trim(max(0, h.next-5000-random.IntN(30_000))) // some rows are never let go of
		if m := h.tail.Memory(); m.Copies > m.Bound/4 {
			most = max(most, m.Copies)
		}
		if random.IntN(10) == 0 {
			h.copies.engine.Drop(0)
		}
	}
	done.Store(true)
	for range sessions {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if most > 8<<20 {
		t.Errorf("copies took %d bytes", most)
	}
}

// TestCopiesUnderACursor: an older statement that reads something else holds no memory
// of a table that is dropped.
func TestCopiesUnderACursor(t *testing.T) {
	t.Parallel()
	h := newHot(t, nearline.Config{BatchRows: 5000})
	h.write(20_000)
	rows, err := run(t.Context(), h.copies.session, `SELECT a.i, b.i FROM generate_series(1, 3000) a(i), generate_series(1, 3000) b(i)`)
	if err != nil {
		t.Fatal(err)
	}
	h.same(1)
	if h.copied() == 0 {
		t.Fatal("nothing is copied")
	}
	h.copies.engine.Drop(0)
	if n := h.copied(); n != 0 {
		t.Errorf("%d bytes are left", n)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestCopiesBesideFiles: rows that a file may have too are looked up in it, however
// often they are scanned, and those that none can have are copied.
func TestCopiesBesideFiles(t *testing.T) {
	t.Parallel()
	h := newHot(t, nearline.Config{BatchRows: 5000, Known: suspectFirst(1000)})
	h.write(30_000)
	for _, w := range []*world{h.copies, h.bare} {
		w.inFile(5, fields{"big": 5}) // ten rows earlier in time, of another identity
	}
	h.same(2)
	if h.copied() == 0 {
		t.Error("nothing is copied")
	}
}

// suspectFirst is a lake that may hold the first events.
type suspectFirst int

func (s suspectFirst) Suspect(_ context.Context, _ schema.Dataset, times []int64, _ []schema.ID) ([]bool, error) {
	out := make([]bool, len(times))
	for i, at := range times {
		out[i] = at < start.Add(time.Duration(s)*time.Second).UnixMicro()
	}
	return out, nil
}

func (suspectFirst) Hashes(context.Context, schema.Dataset, []int64, []schema.ID, func(int, schema.ID)) error {
	return nil
}

func (suspectFirst) Held(context.Context, schema.Dataset) ([]sources.Bounds, error) { return nil, nil }
