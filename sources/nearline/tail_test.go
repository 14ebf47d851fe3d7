package nearline_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/nearline"
	"github.com/fieldgate/fieldgate/sources/nearline/nearlinetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTailConformance(t *testing.T) {
	t.Parallel()
	nearlinetest.Run(t, nearlinetest.Options{}, func(t *testing.T) nearlinetest.Store { return newTail(t, nearline.Config{}) })
}

func newTail(t *testing.T, cfg nearline.Config) *nearline.Tail {
	t.Helper()
	tail, err := nearline.NewTail(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tail
}

func dataset(metric string) schema.Dataset { return schema.Dataset{Tenant: "acme", Metric: metric} }

// run makes rows of one shard with ids, times and sequences from first on.
func run(ds schema.Dataset, shard stream.ShardID, first, n uint64, fields ...string) []nearline.Row {
	rows := make([]nearline.Row, n)
	for i := range rows {
		id := first + uint64(i)
		values := make([]schema.Value, len(fields))
		for f, name := range fields {
			values[f] = schema.Value{Name: name, Kind: schema.KindInt, Int: int64(id)}
		}
		e := nearlinetest.Event(ds, int64(id), uint64(shard)<<32|id, id, values...)
		rows[i] = nearline.Row{Event: e, Position: nearlinetest.At(shard, id, 0)}
	}
	return rows
}

func write(t *testing.T, tail *nearline.Tail, rows []nearline.Row) []nearline.Outcome {
	t.Helper()
	outcomes, err := tail.Write(t.Context(), rows)
	if err != nil {
		t.Fatalf("write: %v", err)
	}
	return outcomes
}

// rows reads everything past the watermarks in a pin of its own.
func rows(t *testing.T, tail *nearline.Tail, ds schema.Dataset, past sources.Watermarks) []nearline.Row {
	t.Helper()
	return nearlinetest.Read(t, pinned(t, tail, ds), ds, past, nearlinetest.Within(sources.Unbounded()))
}

func pinned(t *testing.T, tail *nearline.Tail, ds schema.Dataset) sources.Pin {
	t.Helper()
	p, err := tail.Pin(t.Context(), []schema.Dataset{ds})
	if err != nil {
		t.Fatalf("pin: %v", err)
	}
	t.Cleanup(p.Release)
	return p
}

func trim(t *testing.T, tail *nearline.Tail, ds schema.Dataset, past sources.Watermarks) {
	t.Helper()
	if err := tail.Trim(t.Context(), ds, past); err != nil {
		t.Fatalf("trim: %v", err)
	}
}

func through(shard stream.ShardID, seq uint64) sources.Watermarks {
	return sources.Watermarks{shard: stream.SequenceOf(seq)}
}

// TestCompactedRowsGoWhenRoomIsNeeded: what the lake has goes by whole batches and
// by parts of them, a pin keeps what it has, and in the end nothing is left.
func TestCompactedRowsGoWhenRoomIsNeeded(t *testing.T) {
	t.Parallel()
	ds := dataset("m")
	tail := newTail(t, nearline.Config{BatchRows: 2000, MemoryBytes: 1 << 30, HighWaterBytes: 1})
	write(t, tail, run(ds, 0, 1, 9000, "a"))
	p := pinned(t, tail, ds)
	for _, step := range []struct{ through, held uint64 }{{1999, 7001}, {2000, 7000}, {2400, 7000}, {8600, 400}} {
		before := tail.Memory().Used
		trim(t, tail, ds, through(0, step.through))
		if got := rows(t, tail, ds, nil); uint64(len(got)) != step.held {
			t.Errorf("trimmed through %d: %d rows are held, want %d", step.through, len(got), step.held)
		}
		if got := rows(t, tail, ds, through(0, step.through)); uint64(len(got)) != 9000-step.through {
			t.Errorf("trimmed through %d: %d rows, want %d", step.through, len(got), 9000-step.through)
		}
		if after := tail.Memory().Used; after > before {
			t.Errorf("trimmed through %d: from %d bytes to %d", step.through, before, after)
		}
	}
	if got := nearlinetest.Read(t, p, ds, nil, nearlinetest.Within(sources.Unbounded())); len(got) != 9000 {
		t.Errorf("the pin has %d rows, want 9,000", len(got))
	}
	trim(t, tail, ds, through(0, 9000))
	if m := tail.Memory(); m.Used != 0 {
		t.Errorf("everything is trimmed and %d bytes are used", m.Used)
	}
	if left := tail.Datasets(); len(left) != 0 {
		t.Errorf("everything is trimmed and the tail holds %v", left)
	}
}

func TestTrimKeepsIdentitiesOfWhatStays(t *testing.T) {
	t.Parallel()
	ds := dataset("m")
	tail := newTail(t, nearline.Config{MemoryBytes: 1 << 30, HighWaterBytes: 1})
	all := run(ds, 0, 1, 100)
	write(t, tail, all)
	for _, at := range []uint64{50, 50, 70} {
		trim(t, tail, ds, through(0, at))
		for i := range all[at:] {
			all[at:][i].Position = nearlinetest.At(0, 200+at+uint64(i), 0)
		}
		outcomes, err := tail.Write(t.Context(), all[at:])
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range outcomes {
			if o != nearline.Duplicate {
				t.Fatalf("trimmed through %d: copy of row %d is %v", at, int(at)+i+1, o)
			}
		}
	}
}

func TestMemoryBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ds := dataset("m")
		tail := newTail(t, nearline.Config{MemoryBytes: 1 << 20})
		seq := uint64(1)
		for m := tail.Memory(); m.Used < m.Bound; m = tail.Memory() {
			write(t, tail, run(ds, 0, seq, 100, "a"))
			seq += 100
		}
		select {
		case <-tail.Pressure():
		default:
			t.Error("the tail is full and does not ask for compaction")
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, errors.New("an hour is over"))
		defer cancel()
		if _, err := tail.Write(ctx, run(ds, 0, seq, 1)); err == nil || !errors.Is(err, context.Cause(ctx)) {
			t.Errorf("write into a full tail: %v", err)
		}
		written := make(chan error, 1)
		go func() {
			_, err := tail.Write(t.Context(), run(ds, 0, seq, 1))
			written <- err
		}()
		synctest.Wait()
		select {
		case err := <-written:
			t.Fatalf("write did not wait: %v", err)
		case <-tail.Pressure():
		default:
			t.Error("a write waits and compaction is not asked for")
		}
		<-time.After(1100 * time.Millisecond)
		synctest.Wait()
		select {
		case <-tail.Pressure():
		default:
			t.Error("a write still waits and compaction is not asked for again")
		}
		if err := tail.Trim(t.Context(), ds, through(0, seq-1)); err != nil {
			t.Fatal(err)
		}
		if err := <-written; err != nil {
			t.Errorf("write after a trim: %v", err)
		}
		if got := rows(t, tail, ds, through(0, seq-1)); len(got) != 1 {
			t.Errorf("%d rows, want 1", len(got))
		}
	})
}

// lakeFilter is a Known that remembers which ids it was given.
type lakeFilter struct {
	holds func(id schema.ID) bool
	// hashes are those of the events that it does hold, and looked how often they
	// were looked up.
	hashes map[schema.ID]schema.ID
	looked int
	fails  error
	held   []sources.Bounds
	asked  int
	// during is called once, while Suspect works.
	during func()
}

func (l *lakeFilter) Suspect(_ context.Context, _ schema.Dataset, _ []int64, ids []schema.ID) ([]bool, error) {
	l.asked++
	out := make([]bool, len(ids))
	for i, id := range ids {
		out[i] = l.holds(id)
	}
	if l.during != nil {
		l.during()
		l.during = nil
	}
	return out, l.fails
}

func (l *lakeFilter) Hashes(_ context.Context, _ schema.Dataset, _ []int64, ids []schema.ID, found func(i int, hash schema.ID)) error {
	l.looked += len(ids)
	for i, id := range ids {
		if hash, ok := l.hashes[id]; ok {
			found(i, hash)
		}
	}
	return l.fails
}

func (l *lakeFilter) Held(context.Context, schema.Dataset) ([]sources.Bounds, error) {
	return l.held, l.fails
}

func TestSuspectRowsAreMarked(t *testing.T) {
	t.Parallel()
	ds := dataset("m")
	all := run(ds, 0, 1, 2500, "a")
	marked := map[schema.ID]bool{all[3].Event.ID: true, all[1700].Event.ID: true, all[2400].Event.ID: true}
	tail := newTail(t, nearline.Config{
		Known: &lakeFilter{holds: func(id schema.ID) bool { return marked[id] }}, BatchRows: 1500,
	})
	write(t, tail, all)
	got, err := pinned(t, tail, ds).Splits(t.Context(), ds, nil, nearlinetest.Within(sources.Unbounded()))
	if err != nil {
		t.Fatal(err)
	}
	var printed string
	for _, s := range got.Splits {
		printed += fmt.Sprint(s.Batch.Suspect, " ")
	}
	if want := "[200 900] [3] "; printed != want {
		t.Errorf("suspects are %q, want %q", printed, want)
	}
}

// TestFirstOfALakeIdentity: the tail holds an event B that the lake may know. What
// comes after it is judged by what the lake holds, if it does, and by B if not.
func TestFirstOfALakeIdentity(t *testing.T) {
	t.Parallel()
	ds := dataset("m")
	event := func(body uint64) schema.Event { return nearlinetest.Event(ds, 10, 1, body) }
	const a, b, c = 1, 2, 3
	for _, k := range []struct {
		name   string
		inLake uint64 // 0: nothing, the filter errs
		bodies []uint64
		want   string
	}{
		{"the lake's comes again", a, []uint64{b, a, a}, "[suspect duplicate duplicate]"},
		{"the lake's and others", a, []uint64{b, b, a, c, a, b}, "[suspect duplicate duplicate conflict duplicate conflict]"},
		{"a third", a, []uint64{b, c, a}, "[suspect conflict duplicate]"},
		{"a copy of the lake's first", a, []uint64{a, b, a}, "[suspect conflict duplicate]"},
		{"the lake holds none", 0, []uint64{b, a, b, a}, "[suspect conflict duplicate conflict]"},
	} {
		known := &lakeFilter{holds: func(schema.ID) bool { return true }, hashes: map[schema.ID]schema.ID{}}
		if k.inLake > 0 {
			first := event(k.inLake)
			known.hashes[first.ID] = first.Hash
		}
		tail := newTail(t, nearline.Config{Known: known})
		var outcomes []nearline.Outcome
		for i, body := range k.bodies {
			outcomes = append(outcomes, write(t, tail, []nearline.Row{{Event: event(body), Position: nearlinetest.At(0, uint64(i+1), 0)}})...)
		}
		if got := fmt.Sprintf("%v", outcomes); got != k.want {
			t.Errorf("%s: %s, want %s", k.name, got, k.want)
		}
		if known.looked != 1 {
			t.Errorf("%s: %d lookups, want 1", k.name, known.looked)
		}
	}
}

func TestLakeIsAskedAgainIfTrimmedMeanwhile(t *testing.T) {
	t.Parallel()
	ds := dataset("m")
	known := &lakeFilter{holds: func(schema.ID) bool { return false }}
	tail := newTail(t, nearline.Config{Known: known, MemoryBytes: 1 << 30, HighWaterBytes: 1})
	row := run(ds, 0, 1, 1)
	write(t, tail, row)
	// The lake is asked for the copy before it has the row; then it gets the row
	// and the tail lets go of it. The copy must be found suspect all the same.
	known.during = func() {
		known.holds = func(schema.ID) bool { return true }
		if err := tail.Trim(t.Context(), ds, through(0, 1)); err != nil {
			t.Error(err)
		}
	}
	row[0].Position = nearlinetest.At(0, 2, 0)
	write(t, tail, row)
	got, err := pinned(t, tail, ds).Splits(t.Context(), ds, through(0, 1), nearlinetest.Within(sources.Unbounded()))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Splits) != 1 || len(got.Splits[0].Batch.Suspect) != 1 {
		t.Errorf("splits %+v, want the copy, marked suspect", got)
	}
}

func TestFailedWriteCanBeRepeated(t *testing.T) {
	t.Parallel()
	a, b := dataset("a"), dataset("b")
	broken := errors.New("manifest unreadable")
	known := &lakeFilter{holds: func(schema.ID) bool { return false }}
	tail := newTail(t, nearline.Config{Known: known})
	all := append(run(a, 0, 1, 10), run(b, 0, 11, 10)...)
	known.during = func() { known.fails = broken }
	if _, err := tail.Write(t.Context(), all); !errors.Is(err, broken) {
		t.Fatalf("write: %v, want %v", err, broken)
	}
	known.fails = nil
	write(t, tail, all)
	write(t, tail, all)
	if n := len(rows(t, tail, a, nil)) + len(rows(t, tail, b, nil)); n != 20 {
		t.Errorf("%d rows, want 20", n)
	}
}

func TestWideBatchesAreCut(t *testing.T) {
	t.Parallel()
	ds := dataset("m")
	tail := newTail(t, nearline.Config{BatchBytes: 64 << 10})
	for n := range uint64(200) {
		write(t, tail, run(ds, 0, n+1, 1, fmt.Sprint("f", n), fmt.Sprint("g", n)))
	}
	if used := tail.Memory().Used; used > 2<<20 {
		t.Errorf("200 rows of 2 of 400 columns take %d bytes", used)
	}
	if got := rows(t, tail, ds, nil); len(got) != 200 {
		t.Errorf("%d rows, want 200", len(got))
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]nearline.Config{
		"negative bound":       {MemoryBytes: -1},
		"mark over bound":      {MemoryBytes: 10, HighWaterBytes: 11},
		"mark over default":    {HighWaterBytes: 1 << 40},
		"negative batch limit": {BatchRows: -1},
	} {
		if _, err := nearline.NewTail(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
