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
	nearlinetest.Run(t, func(t *testing.T) nearlinetest.Store { return newTail(t, nearline.Config{}) })
}

func newTail(t *testing.T, cfg nearline.Config) *nearline.Tail {
	t.Helper()
	tail, err := nearline.NewTail(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tail
}

// start runs the tail until the test ends.
func start(t *testing.T, tail *nearline.Tail) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- tail.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
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

func write(t *testing.T, tail *nearline.Tail, rows []nearline.Row) {
	t.Helper()
	if _, err := tail.Write(t.Context(), rows); err != nil {
		t.Fatalf("write: %v", err)
	}
}

// rows reads everything past the watermarks in a pin of its own.
func rows(t *testing.T, tail *nearline.Tail, ds schema.Dataset, past sources.Watermarks, native *nearlinetest.Native) []nearline.Row {
	t.Helper()
	p, err := tail.Pin(t.Context(), []schema.Dataset{ds})
	if err != nil {
		t.Fatalf("pin: %v", err)
	}
	defer p.Release()
	return nearlinetest.Read(t, p, ds, past, sources.Unbounded(), native)
}

func splits(t *testing.T, tail *nearline.Tail, ds schema.Dataset) (batches, tables int) {
	t.Helper()
	p, err := tail.Pin(t.Context(), []schema.Dataset{ds})
	if err != nil {
		t.Fatalf("pin: %v", err)
	}
	defer p.Release()
	all, err := p.Splits(ds, nil, sources.Unbounded())
	if err != nil {
		t.Fatalf("splits: %v", err)
	}
	for _, s := range all {
		if s.Batch != nil {
			batches++
		} else {
			tables++
		}
	}
	return batches, tables
}

func through(shard stream.ShardID, seq uint64) sources.Watermarks {
	return sources.Watermarks{shard: stream.SequenceOf(seq)}
}

func violations(t *testing.T, native *nearlinetest.Native) {
	t.Helper()
	for _, err := range native.Violations() {
		t.Error(err)
	}
}

func TestFullBatchesMoveIntoTables(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ds, small := dataset("big"), dataset("small")
		native := &nearlinetest.Native{}
		tail := newTail(t, nearline.Config{Native: native, NativeRows: 2000, MoveAfter: -1, TableRows: 8000})
		start(t, tail)
		write(t, tail, run(ds, 0, 1, 4500, "a"))
		write(t, tail, run(small, 0, 1, 1999, "a"))
		synctest.Wait()
		if b, n := splits(t, tail, ds); b != 1 || n != 1 {
			t.Errorf("4,500 rows lie in %d batches and %d tables, want 1 and 1", b, n)
		}
		if b, n := splits(t, tail, small); b != 1 || n != 0 {
			t.Errorf("1,999 rows lie in %d batches and %d tables, want 1 and 0", b, n)
		}
		write(t, tail, run(ds, 0, 4501, 4000, "a", "b"))
		synctest.Wait()
		write(t, tail, run(ds, 0, 8501, 4000, "a"))
		synctest.Wait()
		if now, made := native.Tables(); now != 2 || made != 2 {
			t.Errorf("%d tables, %d ever made, want one for each set of columns", now, made)
		}
		got := rows(t, tail, ds, nil, native)
		if len(got) != 12_500 {
			t.Fatalf("%d rows, want 12,500", len(got))
		}
		for i := range got {
			if id := uint64(i + 1); got[i].Position != nearlinetest.At(0, id, 0) || got[i].Event.Values[0].Int != int64(id) {
				t.Fatalf("row %d is %s", i, nearlinetest.Describe(&got[i]))
			}
		}
		violations(t, native)
	})
}

func TestBatchesMoveOnceTheyAreOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ds := dataset("m")
		native := &nearlinetest.Native{}
		tail := newTail(t, nearline.Config{Native: native, NativeRows: 2000, MoveAfter: 5 * time.Second})
		start(t, tail)
		write(t, tail, run(ds, 0, 1, 2000, "a"))
		<-time.After(4500 * time.Millisecond)
		synctest.Wait()
		if _, tables := splits(t, tail, ds); tables != 0 {
			t.Error("a young batch has moved into a table")
		}
		<-time.After(1500 * time.Millisecond)
		synctest.Wait()
		if batches, tables := splits(t, tail, ds); batches != 0 || tables != 1 {
			t.Errorf("an old batch has not moved: %d batches, %d tables", batches, tables)
		}
		if got := rows(t, tail, ds, nil, native); len(got) != 2000 {
			t.Errorf("%d rows, want 2,000", len(got))
		}
	})
}

func TestFailedMoveIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ds := dataset("m")
		failures := map[string]int64{"tail_1": 0, "tail_2": 1500}
		native := &nearlinetest.Native{BeforeAppend: func(table string, base int64) error {
			if at, is := failures[table]; is && at == base {
				return errors.New("no memory for the table")
			}
			return nil
		}}
		tail := newTail(t, nearline.Config{Native: native, NativeRows: 1500, MoveAfter: -1})
		start(t, tail)
		for first := uint64(1); first < 6000; first += 1500 {
			write(t, tail, run(ds, 0, first, 1500, "a"))
			synctest.Wait()
			if got := rows(t, tail, ds, nil, native); uint64(len(got)) != first+1499 {
				t.Fatalf("%d rows, want %d", len(got), first+1499)
			}
			<-time.After(1100 * time.Millisecond)
			synctest.Wait()
		}
		if now, made := native.Tables(); now != 2 || made != 3 {
			t.Errorf("%d tables of %d ever made, want 2 of 3", now, made)
		}
		if b, _ := splits(t, tail, ds); b != 0 {
			t.Errorf("%d batches did not move in the end", b)
		}
		violations(t, native)
	})
}

func TestTrim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ds := dataset("m")
		native := &nearlinetest.Native{}
		tail := newTail(t, nearline.Config{Native: native, NativeRows: 2000, MoveAfter: -1, TableRows: 4000})
		start(t, tail)
		write(t, tail, run(ds, 0, 1, 9000, "a"))
		synctest.Wait()
		p, err := tail.Pin(t.Context(), []schema.Dataset{ds})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			through uint64
			tables  int
		}{{3999, 2}, {4000, 2}, {8600, 2}} {
			if err := tail.Trim(t.Context(), ds, through(0, step.through)); err != nil {
				t.Fatalf("trim: %v", err)
			}
			synctest.Wait()
			if now, _ := native.Tables(); now != step.tables {
				t.Errorf("pinned and trimmed through %d: %d tables, want %d", step.through, now, step.tables)
			}
			if got := rows(t, tail, ds, through(0, step.through), native); uint64(len(got)) != 9000-step.through {
				t.Errorf("trimmed through %d: %d rows, want %d", step.through, len(got), 9000-step.through)
			}
		}
		if got := nearlinetest.Read(t, p, ds, nil, sources.Unbounded(), native); len(got) != 9000 {
			t.Errorf("the pin has %d rows, want 9,000", len(got))
		}
		p.Release()
		synctest.Wait()
		if now, _ := native.Tables(); now != 0 {
			t.Errorf("%d tables are left that nobody holds", now)
		}
		if got := rows(t, tail, ds, nil, native); len(got) != 400 {
			t.Errorf("%d rows are held, want the 400 past the watermark alone", len(got))
		}
		if err := tail.Trim(t.Context(), ds, through(0, 9000)); err != nil {
			t.Fatalf("trim: %v", err)
		}
		if m := tail.Memory(); m.Used != 0 {
			t.Errorf("everything is trimmed and %d bytes are used", m.Used)
		}
		if left := tail.Datasets(); len(left) != 0 {
			t.Errorf("everything is trimmed and the tail holds %v", left)
		}
	})
}

func TestTrimKeepsIdentitiesOfWhatStays(t *testing.T) {
	t.Parallel()
	ds := dataset("m")
	tail := newTail(t, nearline.Config{})
	all := run(ds, 0, 1, 100)
	write(t, tail, all)
	for _, at := range []uint64{50, 50, 70} {
		if err := tail.Trim(t.Context(), ds, through(0, at)); err != nil {
			t.Fatal(err)
		}
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
		if got := rows(t, tail, ds, nil, nil); len(got) != 1 {
			t.Errorf("%d rows, want 1", len(got))
		}
	})
}

// lakeFilter is a Known that remembers which ids it was given.
type lakeFilter struct {
	holds func(id schema.ID) bool
	fails error
	asked int
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

func TestSuspectRowsAreMarked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ds := dataset("m")
		all := run(ds, 0, 1, 2500, "a")
		marked := map[schema.ID]bool{all[3].Event.ID: true, all[1700].Event.ID: true, all[2400].Event.ID: true}
		native := &nearlinetest.Native{}
		tail := newTail(t, nearline.Config{
			Known:  &lakeFilter{holds: func(id schema.ID) bool { return marked[id] }},
			Native: native, NativeRows: 1500, MoveAfter: -1,
		})
		start(t, tail)
		write(t, tail, all)
		synctest.Wait()
		p, err := tail.Pin(t.Context(), []schema.Dataset{ds})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Release()
		got, err := p.Splits(ds, nil, sources.Unbounded())
		if err != nil {
			t.Fatal(err)
		}
		var printed string
		for _, s := range got {
			if s.Table != nil {
				printed += fmt.Sprint("table ", s.Table.Suspect, " ")
			} else {
				printed += fmt.Sprint("batch ", s.Batch.Suspect, " ")
			}
		}
		if want := "batch [200 900] table [3] "; printed != want {
			t.Errorf("suspects are %q, want %q", printed, want)
		}
	})
}

func TestLakeIsAskedAgainIfTrimmedMeanwhile(t *testing.T) {
	t.Parallel()
	ds := dataset("m")
	known := &lakeFilter{holds: func(schema.ID) bool { return false }}
	tail := newTail(t, nearline.Config{Known: known})
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
	p, err := tail.Pin(t.Context(), []schema.Dataset{ds})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	got, err := p.Splits(ds, through(0, 1), sources.Unbounded())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || len(got[0].Batch.Suspect) != 1 {
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
	if n := len(rows(t, tail, a, nil, nil)) + len(rows(t, tail, b, nil, nil)); n != 20 {
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
	if got := rows(t, tail, ds, nil, nil); len(got) != 200 {
		t.Errorf("%d rows, want 200", len(got))
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]nearline.Config{
		"negative bound":       {MemoryBytes: -1},
		"mark over bound":      {MemoryBytes: 10, HighWaterBytes: 11},
		"mark over default":    {HighWaterBytes: 1 << 40},
		"negative table limit": {TableRows: -1},
	} {
		if _, err := nearline.NewTail(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
