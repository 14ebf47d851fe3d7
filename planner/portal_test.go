package planner_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// numbers are rows (n bigint) of consecutive numbers, in chunks of size.
func numbers(from, to, size int) []*planner.Chunk {
	var out []*planner.Chunk
	for ; from < to; from += size {
		c := &planner.Chunk{Rows: min(size, to-from), Columns: []planner.Vector{{T: planner.Type{OID: postgres.Int8OID, Typmod: -1}}}}
		for i := range c.Rows {
			c.Columns[0].Int64s = append(c.Columns[0].Int64s, int64(from+i))
		}
		out = append(out, c)
	}
	return out
}

// give has the engine answer the next query with chunks.
func (w *world) give(chunks []*planner.Chunk) { w.engine.rows, w.engine.more = chunks[0], chunks[1:] }

// fetched runs a statement and returns the first column of its rows.
func fetched(t *testing.T, s *planner.Session, sql string) (out []int64) {
	t.Helper()
	statements, err := s.Parse(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Run(t.Context(), statements[0])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	if r.Rows == nil {
		return nil
	}
	for {
		c, err := r.Rows.Next(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		if c == nil {
			return out
		}
		out = append(out, c.Columns[0].Int64s...)
	}
}

func wantRange(t *testing.T, got []int64, from, to int) {
	t.Helper()
	if len(got) != to-from {
		t.Fatalf("%d rows, want %d", len(got), to-from)
	}
	for i, n := range got {
		if n != int64(from+i) {
			t.Fatalf("row %d is %d, want %d", i, n, from+i)
		}
	}
}

// spooling makes a session whose rows go to files of a folder.
func (w *world) spooling(t *testing.T, limit int64) (s *planner.Session, files func() int) {
	t.Helper()
	dir, made := t.TempDir(), 0
	cfg := planner.Config{
		Schemas: w.schemas, Observed: w.observed, Engine: w.engine, Nearline: w.engine, Lake: w.engine, SpoolBytes: limit,
		SpoolFile: func() (planner.SpoolFile, error) {
			made++
			return os.Create(filepath.Join(dir, fmt.Sprint(made)))
		},
	}
	p, err := planner.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = p.NewSession(planner.Identity{Tenant: "demo", User: "demo", Owner: true}, nil, planner.Client{PID: 7}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, func() int { return made }
}

// A portal that waits is read to its end, in as many steps as its client leaves
// time for, and the engine's rows are closed; the client gets the same rows.
func TestSpool(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, files := w.spooling(t, 0)
	const rows = 200_000
	run(t, s, "BEGIN; DECLARE c NO SCROLL CURSOR FOR SELECT 1::int8 AS n")
	w.give(numbers(0, rows, 2048))
	wantRange(t, fetched(t, s, "FETCH 100 c"), 0, 100)
	steps := 0
	soon := func() bool {
		steps++
		return steps > 40
	}
	if err := s.Spool(t.Context(), soon); err != nil || !s.Suspended() {
		t.Fatalf("first part: %v, suspended %v", err, s.Suspended())
	}
	wantRange(t, fetched(t, s, "FETCH 3000 c"), 100, 3100)
	if err := s.Spool(t.Context(), func() bool { return false }); err != nil || s.Suspended() {
		t.Fatalf("the rest: %v, suspended %v", err, s.Suspended())
	}
	if calls := strings.Join(w.engine.calls, " "); !strings.HasSuffix(calls, "close") {
		t.Errorf("calls: %s", calls)
	}
	wantRange(t, fetched(t, s, "FETCH ALL c"), 3100, rows)
	if files() != 1 {
		t.Errorf("%d files", files())
	}
	if got := fetched(t, s, "FETCH 1 c"); len(got) != 0 {
		t.Errorf("past the end: %v", got)
	}
}

// Rows that a cursor must keep are bounded; those that it only might keep are not.
func TestSpoolIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, _ := w.spooling(t, 1<<20)
	const rows = 1_000_000
	run(t, s, "BEGIN; DECLARE c NO SCROLL CURSOR FOR SELECT 1::int8 AS n; DECLARE d CURSOR FOR SELECT 1::int8 AS n FROM generate_series(1, 2); DECLARE e SCROLL CURSOR FOR SELECT 1::int8 AS n")
	w.give(numbers(0, rows, 2048))
	fetched(t, s, "FETCH 1 c")
	if err := s.Spool(t.Context(), func() bool { return false }); err != nil || !s.Suspended() {
		t.Fatalf("more than the space: %v, suspended %v", err, s.Suspended())
	}
	wantRange(t, fetched(t, s, "FETCH ALL c"), 1, rows)
	w.give(numbers(0, rows, 2048))
	wantRange(t, fetched(t, s, "FETCH ALL d"), 0, rows)
	if got := run(t, s, "FETCH PRIOR d"); !strings.Contains(got, "55000") {
		t.Errorf("back through more rows than are kept: %s", got)
	}
	run(t, s, "ROLLBACK; BEGIN; DECLARE e SCROLL CURSOR FOR SELECT 1::int8 AS n")
	w.give(numbers(0, rows, 2048))
	if got := run(t, s, "MOVE ALL e"); !strings.Contains(got, pgerrcode.ConfigurationLimitExceeded) {
		t.Errorf("more than a scrolling cursor may keep: %s", got)
	}
}

// A portal whose rest cannot be read fails when it is asked for it.
func TestSpoolFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, _ := w.spooling(t, 0)
	run(t, s, "BEGIN; DECLARE c NO SCROLL CURSOR FOR SELECT 1::int8 AS n")
	w.give(numbers(0, 100_000, 2048))
	fetched(t, s, "FETCH 1 c")
	ctx, cancel := context.WithCancel(t.Context())
	w.engine.fail = errors.New("broken")
	defer cancel()
	if err := s.Spool(ctx, func() bool { return false }); err == nil {
		t.Error("no error")
	}
	statements, err := s.Parse(t.Context(), "FETCH ALL c")
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Run(t.Context(), statements[0])
	for err == nil {
		var c *planner.Chunk
		if c, err = r.Rows.Next(t.Context()); c == nil && err == nil {
			t.Fatal("the rows end without an error")
		}
	}
	if !strings.Contains(err.Error(), "broken") {
		t.Error(err)
	}
}

// Values of every kind come back from a file as they went.
func TestSpoolKeepsValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, _ := w.spooling(t, 0)
	typed := func(oid postgres.OID, v planner.Vector) planner.Vector {
		v.T = planner.Type{OID: oid, Typmod: -1}
		v.Valid = []uint64{0b101}
		return v
	}
	list := &planner.ListVector{Offsets: []uint64{2, 0, 0}, Lengths: []uint64{1, 0, 2}, Elems: planner.Vector{
		T: planner.Type{OID: postgres.TextOID, Typmod: -1}, Valid: []uint64{0b101}, Bytes: [][]byte{[]byte("a"), nil, []byte("c")},
	}}
	c := &planner.Chunk{Rows: 3, Columns: []planner.Vector{
		typed(postgres.BoolOID, planner.Vector{Bools: []bool{true, false, true}}),
		typed(postgres.Int2OID, planner.Vector{Int16s: []int16{1, 0, -3}}),
		typed(postgres.Int4OID, planner.Vector{Int32s: []int32{1, 0, -3}}),
		typed(postgres.Int8OID, planner.Vector{Int64s: []int64{1, 0, -3}}),
		typed(postgres.RegclassOID, planner.Vector{Int64s: []int64{1, 0, 3}, Bytes: [][]byte{[]byte("x"), {}, []byte("y")}}),
		typed(postgres.Float4OID, planner.Vector{Float32s: []float32{1.5, 0, -3}}),
		typed(postgres.Float8OID, planner.Vector{Float64s: []float64{1.5, 0, -3}}),
		typed(postgres.TextOID, planner.Vector{Bytes: [][]byte{[]byte("long enough to lie outside"), {}, {}}}),
		typed(postgres.IntervalOID, planner.Vector{Intervals: []planner.Interval{{Months: 1, Days: 2, Micros: 3}, {}, {Micros: -1}}}),
		typed(postgres.UUIDOID, planner.Vector{UUIDs: [][16]byte{{1}, {}, {15: 3}}}),
		typed(postgres.NumericOID, planner.Vector{Numerics: []planner.Numeric{{Hi: -1, Lo: 2, Scale: 3}, {}, {Lo: 5}}}),
		typed(postgres.TextArrayOID, planner.Vector{Lists: list}),
	}}
	run(t, s, "BEGIN; DECLARE c NO SCROLL CURSOR FOR SELECT 1::int8 AS n")
	w.give(append(numbers(0, 1, 1), c))
	fetched(t, s, "FETCH 1 c")
	if err := s.Spool(t.Context(), func() bool { return false }); err != nil {
		t.Fatal(err)
	}
	p, err := s.Portal("c")
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Take(0).Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Lists come back without the elements that no row has.
	want := *c
	want.Columns[11].Lists = &planner.ListVector{Offsets: []uint64{0, 1, 1}, Lengths: []uint64{1, 0, 2}, Elems: planner.Vector{
		T: list.Elems.T, Valid: []uint64{0b011}, Bytes: [][]byte{[]byte("c"), []byte("a"), {}},
	}}
	for i := range want.Columns {
		if !reflect.DeepEqual(got.Columns[i], want.Columns[i]) {
			t.Errorf("column %d: %+v, want %+v", i, got.Columns[i], want.Columns[i])
		}
	}
}
