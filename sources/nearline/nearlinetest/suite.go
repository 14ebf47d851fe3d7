package nearlinetest

import (
	"slices"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/nearline"
)

// Options say what the contract leaves to a store.
type Options struct {
	// Remote: the store lies on other machines. A writer does not look at what is
	// there and says Stored of every row, and what a pin sees of a time is fixed when
	// it is first read.
	Remote bool
}

// Run tests a nearline store against its contract. open gives an empty one,
// which is closed by the test's cleanup.
func Run(t *testing.T, o Options, open func(t *testing.T) Store) {
	cases := []struct {
		name string
		test func(t *testing.T, s Store)
	}{
		{"kinds come back", kindsComeBack},
		{"duplicates and conflicts", o.duplicatesAndConflicts},
		{"a record delivered again", deliveredAgain},
		{"one time, one id, other dataset or other time", identityIsDatasetTimeAndID},
		{"a written row is in the next pin", nextPinHasRow},
		{"a pin does not change", pinDoesNotChange},
		{"watermarks leave out what the lake has", watermarksLeaveOut},
		{"time bounds", timeBounds},
		{"nothing known of a dataset", unknownDataset},
		{"two releases", twoReleases},
		{"the window has both sides of the watermarks", o.windowHasBothSides},
		{"column filters", columnFilters},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}

func dataset(metric string) schema.Dataset { return schema.Dataset{Tenant: "acme", Metric: metric} }

func write(t *testing.T, s Store, rows ...nearline.Row) []nearline.Outcome {
	t.Helper()
	outcomes, err := s.Write(t.Context(), rows)
	if err != nil {
		t.Fatalf("write: %v", err)
	}
	if len(outcomes) != len(rows) {
		t.Fatalf("write of %d rows gave %d outcomes", len(rows), len(outcomes))
	}
	return outcomes
}

func pinned(t *testing.T, s Store, datasets ...schema.Dataset) sources.Pin {
	t.Helper()
	p, err := s.Pin(t.Context(), datasets)
	if err != nil {
		t.Fatalf("pin: %v", err)
	}
	t.Cleanup(p.Release)
	return p
}

func want(t *testing.T, got []nearline.Row, lines ...string) {
	t.Helper()
	printed := make([]string, len(got))
	for i := range got {
		printed[i] = Describe(&got[i])
	}
	if !slices.Equal(printed, lines) {
		t.Errorf("rows are\n%q\nwant\n%q", printed, lines)
	}
}

func everything(t *testing.T, p sources.Pin, ds schema.Dataset) []nearline.Row {
	t.Helper()
	return Read(t, p, ds, nil, Within(sources.Unbounded()))
}

func kindsComeBack(t *testing.T, s Store) {
	ds := dataset("m")
	text := []byte("größe")
	write(t, s,
		nearline.Row{Event: Event(ds, 10, 1, 1), Position: At(0, 1, 0)},
		nearline.Row{Event: Event(ds, 20, 2, 2,
			schema.Value{Name: "a", Kind: schema.KindInt, Int: -9223372036854775808},
			schema.Value{Name: "b", Kind: schema.KindBool, Int: 1},
			schema.Value{Name: "c", Kind: schema.KindText, Text: text},
			schema.Value{Name: "d", Kind: schema.KindText},
		), Position: At(0, 1, 1)},
		nearline.Row{Event: Event(ds, 30, 3, 3,
			schema.Value{Name: "a", Kind: schema.KindNumber, Num: 0.5},
			schema.Value{Name: "e", Kind: schema.KindJSON, Text: []byte(`[1,{}]`)},
		), Position: At(0, 2, 0)},
	)
	copy(text, "xxxxxx")
	got := everything(t, pinned(t, s, ds), ds)
	want(t, got, `0/1/0 t=10`, `0/1/1 t=20 a:i=-9223372036854775808 b:b=1 c:s="größe" d:s=""`, `0/2/0 t=30 a:n=0.5 e:j="[1,{}]"`)
	if e := Event(ds, 20, 2, 2); len(got) == 3 && (got[1].Event.ID != e.ID || got[1].Event.Hash != e.Hash || got[1].Event.ReceivedAt != e.ReceivedAt) {
		t.Errorf("id, hash or arrival changed: %+v", got[1].Event)
	}
}

func (o Options) duplicatesAndConflicts(t *testing.T, s Store) {
	ds := dataset("m")
	row := func(seq, id, body uint64) nearline.Row {
		return nearline.Row{Event: Event(ds, 10, id, body), Position: At(0, seq, 0)}
	}
	first := write(t, s, row(1, 1, 1), row(2, 1, 1), row(3, 1, 2), row(4, 2, 2))
	again := write(t, s, row(5, 1, 1), row(6, 2, 1))
	wanted := [][]nearline.Outcome{
		{nearline.Stored, nearline.Duplicate, nearline.Conflict, nearline.Stored}, {nearline.Duplicate, nearline.Conflict},
	}
	if o.Remote {
		wanted = [][]nearline.Outcome{slices.Repeat([]nearline.Outcome{nearline.Stored}, 4), slices.Repeat([]nearline.Outcome{nearline.Stored}, 2)}
	}
	for i, got := range [][]nearline.Outcome{first, again} {
		if !slices.Equal(got, wanted[i]) {
			t.Errorf("write %d: %v, want %v", i, got, wanted[i])
		}
	}
	want(t, everything(t, pinned(t, s, ds), ds), "0/1/0 t=10", "0/4/0 t=10")
}

// deliveredAgain: what is written again, in other company, is there once.
func deliveredAgain(t *testing.T, s Store) {
	ds := dataset("m")
	rows := make([]nearline.Row, 60)
	for n := range rows {
		rows[n] = nearline.Row{Event: Event(ds, int64(n), uint64(n), uint64(n)), Position: At(0, uint64(n/3+1), uint32(n%3))}
	}
	write(t, s, rows[:40]...)
	write(t, s, rows[21:]...)
	if got := everything(t, pinned(t, s, ds), ds); len(got) != len(rows) {
		t.Errorf("%d rows, want %d", len(got), len(rows))
	}
}

func identityIsDatasetTimeAndID(t *testing.T, s Store) {
	a, b, next := dataset("a"), dataset("b"), dataset("a")
	next.Generation++
	other := dataset("a")
	other.Tenant = "bolt"
	rows := []nearline.Row{
		{Event: Event(a, 10, 1, 1), Position: At(0, 1, 0)},
		{Event: Event(b, 10, 1, 2), Position: At(0, 1, 1)},
		{Event: Event(next, 10, 1, 3), Position: At(0, 1, 2)},
		{Event: Event(other, 10, 1, 4), Position: At(0, 1, 3)},
		{Event: Event(a, 11, 1, 5), Position: At(0, 1, 4)},
	}
	for i, o := range write(t, s, rows...) {
		if o != nearline.Stored {
			t.Errorf("row %d: %v, want stored", i, o)
		}
	}
	p := pinned(t, s, a, b, next, other, a)
	want(t, everything(t, p, a), "0/1/0 t=10", "0/1/4 t=11")
	want(t, everything(t, p, b), "0/1/1 t=10")
	want(t, everything(t, p, next), "0/1/2 t=10")
	want(t, everything(t, p, other), "0/1/3 t=10")
}

func nextPinHasRow(t *testing.T, s Store) {
	ds := dataset("m")
	for n := uint64(1); n <= 200; n++ {
		write(t, s, nearline.Row{Event: Event(ds, int64(n), n, n), Position: At(0, n, 0)})
		p := pinned(t, s, ds)
		if got := everything(t, p, ds); uint64(len(got)) != n {
			t.Fatalf("after write %d a pin has %d rows", n, len(got))
		}
		p.Release()
	}
}

func pinDoesNotChange(t *testing.T, s Store) {
	ds := dataset("m")
	field := func(name string) schema.Value {
		return schema.Value{Name: name, Kind: schema.KindText, Text: []byte(name)}
	}
	write(t, s, nearline.Row{Event: Event(ds, 1, 1, 1, field("x")), Position: At(0, 1, 0)})
	p := pinned(t, s, ds)
	want(t, everything(t, p, ds), `0/1/0 t=1 x:s="x"`)
	for n := uint64(2); n < 300; n++ {
		write(t, s, nearline.Row{Event: Event(ds, int64(n), n, n, field("x"), field("y")), Position: At(0, n, 0)})
	}
	want(t, everything(t, p, ds), `0/1/0 t=1 x:s="x"`)
}

func watermarksLeaveOut(t *testing.T, s Store) {
	ds := dataset("m")
	for shard := stream.ShardID(3); shard <= 4; shard++ {
		for seq := uint64(1); seq <= 2; seq++ {
			id := 10*uint64(shard) + seq
			write(t, s,
				nearline.Row{Event: Event(ds, 5, 2*id, 1), Position: At(shard, seq, 0)},
				nearline.Row{Event: Event(ds, 5, 2*id+1, 1), Position: At(shard, seq, 1)})
		}
	}
	p := pinned(t, s, ds)
	read := func(w sources.Watermarks) []nearline.Row { return Read(t, p, ds, w, Within(sources.Unbounded())) }
	want(t, read(sources.Watermarks{3: stream.SequenceOf(1)}),
		"3/2/0 t=5", "3/2/1 t=5", "4/1/0 t=5", "4/1/1 t=5", "4/2/0 t=5", "4/2/1 t=5")
	want(t, read(sources.Watermarks{3: stream.SequenceOf(7), 4: stream.SequenceOf(1)}), "4/2/0 t=5", "4/2/1 t=5")
	want(t, read(sources.Watermarks{3: stream.SequenceOf(2), 4: stream.SequenceOf(2), 5: stream.SequenceOf(9)}))
}

func timeBounds(t *testing.T, s Store) {
	ds := dataset("m")
	write(t, s,
		nearline.Row{Event: Event(ds, -50, 1, 1), Position: At(0, 1, 0)},
		nearline.Row{Event: Event(ds, 50, 2, 2), Position: At(0, 1, 1)})
	p := pinned(t, s, ds)
	for _, b := range []sources.Bounds{{Min: -50, Max: -50}, {Min: 50, Max: 90}, {Min: -90, Max: 90}} {
		in := 0
		for _, r := range Read(t, p, ds, nil, Within(b)) {
			if b.Contains(r.Event.Time) {
				in++
			}
		}
		wanted := 1
		if b.Min == -90 {
			wanted = 2
		}
		if in != wanted {
			t.Errorf("bounds %v: %d rows lie in them, want %d", b, in, wanted)
		}
	}
	if got := Read(t, p, ds, nil, Within(sources.Bounds{Min: 51, Max: 90})); len(got) != 0 {
		t.Errorf("%d rows of a batch that lies outside the bounds", len(got))
	}
}

func unknownDataset(t *testing.T, s Store) {
	known, unknown := dataset("m"), dataset("n")
	write(t, s, nearline.Row{Event: Event(known, 1, 1, 1), Position: At(0, 1, 0)})
	want(t, everything(t, pinned(t, s, unknown), unknown))
	want(t, everything(t, pinned(t, s), known))
}

func twoReleases(t *testing.T, s Store) {
	ds := dataset("m")
	write(t, s, nearline.Row{Event: Event(ds, 1, 1, 1), Position: At(0, 1, 0)})
	p := pinned(t, s, ds)
	p.Release()
	p.Release()
	want(t, everything(t, pinned(t, s, ds), ds), "0/1/0 t=1")
}

// windowHasBothSides: the window has rows on both sides of the watermarks, once
// everything up to those is written.
func (o Options) windowHasBothSides(t *testing.T, s Store) {
	ds, other := dataset("m"), dataset("n")
	for seq := uint64(1); seq <= 4; seq++ {
		write(t, s, nearline.Row{Event: Event(ds, int64(10*seq), seq, seq), Position: At(0, seq, 0)})
	}
	write(t, s, nearline.Row{Event: Event(other, 99, 9, 9), Position: At(0, 5, 0)})
	p := pinned(t, s, ds)
	write(t, s, nearline.Row{Event: Event(ds, 60, 6, 6), Position: At(0, 6, 0)})
	bounds := Within(sources.Bounds{Min: 20, Max: 100})
	for _, c := range []struct {
		watermark uint64
		complete  bool
	}{{0, true}, {3, true}, {5, true}, {6, o.Remote}, {7, false}} {
		got, complete := ReadWindow(t, p, ds, sources.Watermarks{0: stream.SequenceOf(c.watermark)}, bounds)
		if complete != c.complete {
			t.Errorf("watermark %d: complete is %v", c.watermark, complete)
		}
		got = slices.DeleteFunc(got, func(r nearline.Row) bool { return !bounds.Bounds.Contains(r.Event.Time) })
		rows := 3
		if o.Remote {
			rows = 4 // the pin had not read before the last one was written
		}
		if c.complete && len(got) != rows {
			t.Errorf("watermark %d: %d rows in the bounds, want %d", c.watermark, len(got), rows)
		}
	}
	if _, complete := ReadWindow(t, p, ds, sources.Watermarks{1: stream.SequenceOf(1)}, bounds); complete {
		t.Error("a window without the rows of a shard says that it is complete")
	}
	if _, complete := ReadWindow(t, pinned(t, s, dataset("unknown")), dataset("unknown"), nil, bounds); complete {
		t.Error("a window of a dataset that nothing was written to says that it is complete")
	}
}

// columnFilters: rows that a filter says matter are there, however often it is
// asked, and a filter says nothing of rows with another column of its field.
func columnFilters(t *testing.T, s Store) {
	ds := dataset("m")
	text := func(name, v string) schema.Value {
		return schema.Value{Name: name, Kind: schema.KindText, Text: []byte(v)}
	}
	for n := uint64(1); n <= 40; n++ {
		write(t, s, nearline.Row{Event: Event(ds, int64(n), n, n, text("device", string(rune('a'+n%5))), schema.Value{Name: "n", Kind: schema.KindInt, Int: int64(n)}), Position: At(0, n, 0)})
	}
	p := pinned(t, s, ds)
	count := func(f sources.ColumnFilter, matters func(e *schema.Event) bool) {
		t.Helper()
		for range 20 {
			n := 0
			for _, r := range Read(t, p, ds, nil, sources.Filter{Bounds: sources.Bounds{Min: 11, Max: 30}, Columns: []sources.ColumnFilter{f}}) {
				if matters(&r.Event) && r.Event.Time > 10 && r.Event.Time <= 30 {
					n++
				}
			}
			want := 0
			for seq := int64(11); seq <= 30; seq++ {
				e := Event(ds, seq, 1, 1, text("device", string(rune('a'+seq%5))), schema.Value{Name: "n", Kind: schema.KindInt, Int: seq})
				if matters(&e) {
					want++
				}
			}
			if n != want {
				t.Errorf("%+v: %d rows that matter, want %d", f, n, want)
			}
		}
	}
	isB := func(e *schema.Event) bool { return string(e.Values[0].Text) == "b" }
	all := func(*schema.Event) bool { return true }
	count(sources.ColumnFilter{Column: "s_device", Others: []string{"s_device", "i_device"}, Texts: []string{"b", "nobody"}}, isB)
	count(sources.ColumnFilter{Column: "i_n", Min: 15, Max: 17.5}, func(e *schema.Event) bool { return e.Values[1].Int >= 15 && e.Values[1].Int <= 17 })
	count(sources.ColumnFilter{Column: "s_device", Others: []string{"i_n"}, Texts: []string{"b"}}, all)
	if got := Read(t, p, ds, nil, sources.Filter{Bounds: sources.Unbounded(), Columns: []sources.ColumnFilter{{Column: "s_place", Texts: []string{"x"}}}}); len(got) != 0 {
		t.Errorf("%d rows have a value in a column that no row has", len(got))
	}
}
