package lake_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
)

// TestCutBetweenIntegersAndDoubles has one file with only integers of a name and
// the next with doubles, and then both merged.
func TestCutBetweenIntegersAndDoubles(t *testing.T) {
	t.Parallel()
	s, _, _ := setup(t)
	x := func(n int) []schema.Value {
		if n < 10 {
			return []schema.Value{{Name: "x", Kind: schema.KindInt, Int: int64(n)}}
		}
		return []schema.Value{{Name: "x", Kind: schema.KindNumber, Num: float64(n) + 0.5}}
	}
	v, err := s.Version(t.Context(), thermo)
	if err != nil {
		t.Fatal(err)
	}
	add := func(from, to int, remove []*lake.File) {
		t.Helper()
		batch, order := batchOf(from, to, x)
		files, err := s.Write(t.Context(), thermo, []*sources.Batch{batch}, order, nil)
		if err != nil {
			t.Fatal(err)
		}
		if v, err = s.Commit(t.Context(), v, lake.Commit{Add: files, Remove: remove, Merge: remove != nil}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(want ...string) {
		t.Helper()
		splits, _, err := v.Files(t.Context(), sources.Unbounded())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range splits {
			columns := slices.DeleteFunc(slices.Clone(f.Columns), func(c string) bool { return c[0] == '_' })
			got = append(got, fmt.Sprint(columns, f.More, f.Stats))
		}
		if !slices.Equal(got, want) {
			t.Errorf("files %v, want %v", got, want)
		}
	}
	add(0, 10, nil)
	add(10, 20, nil)
	want("[n_x] [] map[n_x:{10.5 19.5}]", "[i_x] [] map[i_x:{0 9}]")
	old, err := v.List(t.Context(), sources.Unbounded())
	if err != nil {
		t.Fatal(err)
	}
	add(0, 20, old)
	want("[n_x] [] map[n_x:{0 19.5}]")
}

// TestStatsHoldEveryInteger has integers that no double equals at the bounds.
func TestStatsHoldEveryInteger(t *testing.T) {
	t.Parallel()
	for _, bounds := range [][2]int64{
		{-1, 1},
		{-(1<<53 + 1), 1<<53 + 1},
		{1<<53 + 1, 1<<53 + 3},
		{math.MinInt64, math.MaxInt64},
		{math.MaxInt64, math.MaxInt64},
		{math.MinInt64 + 1, math.MaxInt64 - 1},
	} {
		s, _, _ := setup(t)
		batch, order := batchOf(0, 2, func(n int) []schema.Value {
			return []schema.Value{{Name: "x", Kind: schema.KindInt, Int: bounds[n]}}
		})
		files, err := s.Write(t.Context(), thermo, []*sources.Batch{batch}, order, nil)
		if err != nil {
			t.Fatal(err)
		}
		st := files[0].Stats["i_x"]
		least, most := new(big.Float).SetInt64(bounds[0]), new(big.Float).SetInt64(bounds[1])
		if new(big.Float).SetFloat64(st.Min).Cmp(least) > 0 || new(big.Float).SetFloat64(st.Max).Cmp(most) < 0 {
			t.Errorf("integers from %d to %d have stats %v", bounds[0], bounds[1], st)
		}
		if bounds[1] == 1 && st != (sources.Stats{Min: -1, Max: 1}) {
			t.Errorf("stats %v are wider than needed", st)
		}
	}
}

// TestManyColumnSets writes 500 files of 500 different column sets and merges
// them: every value is found again under its own name and kind.
func TestManyColumnSets(t *testing.T) {
	t.Parallel()
	s, _, _ := setup(t)
	const sets, rows = 500, 4
	values := func(n int) []schema.Value {
		set := n / rows
		var out []schema.Value
		for i := range 1 + set%7 {
			// Names are shared by neighbours, under one kind or another.
			v := schema.Value{Name: fmt.Sprintf("f%03d.%d", set/3*3+i, i), Kind: schema.Kinds[(set+i)%len(schema.Kinds)]}
			switch v.Kind {
			case schema.KindInt:
				v.Int = int64(n)<<40 + 1
			case schema.KindNumber:
				v.Num = float64(n) + 0.25
			case schema.KindBool:
				v.Int = int64(n % 2)
			default:
				v.Text = fmt.Appendf(nil, `["%d"]`, n)
			}
			out = append(out, v)
		}
		return append(out, schema.Value{Name: "temp", Kind: schema.Kinds[set%2], Int: int64(n), Num: float64(n) + 0.5})
	}
	v, err := s.Version(t.Context(), thermo)
	if err != nil {
		t.Fatal(err)
	}
	var all []*lake.File
	for set := range sets {
		batch, order := batchOf(set*rows, (set+1)*rows, values)
		files, err := s.Write(t.Context(), thermo, []*sources.Batch{batch}, order, map[string]bool{"temp": true})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, files...)
	}
	if v, err = s.Commit(t.Context(), v, lake.Commit{Add: all}); err != nil {
		t.Fatal(err)
	}
	compare := func(files []*lake.File) (batches []*sources.Batch) {
		t.Helper()
		row := 0
		for _, f := range slices.Backward(files) {
			read, err := s.Read(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			batches = append(batches, read...)
			for _, r := range lake.Order(read, nil) {
				e := read[r.Batch].Event(int(r.Row), thermo)
				want := schema.Event{Values: values(row)}
				if got := fields(&e); fmt.Sprint(got) != fmt.Sprint(fields(&want)) && !unified(got, fields(&want)) {
					t.Fatalf("row %d is %v, want %v", row, got, fields(&want))
				}
				for name := range fields(&e) {
					_, own := slices.BinarySearch(f.Columns, name)
					_, more := slices.BinarySearch(f.More, name)
					if own == more {
						t.Fatalf("row %d: %s is in the file's columns: %v, in _more: %v", row, name, own, more)
					}
				}
				row++
			}
		}
		if row != sets*rows {
			t.Fatalf("%d rows, want %d", row, sets*rows)
		}
		return batches
	}
	files, err := v.List(t.Context(), sources.Unbounded())
	if err != nil {
		t.Fatal(err)
	}
	batches := compare(files)
	merged, err := s.Write(t.Context(), thermo, batches, lake.Order(batches, nil), map[string]bool{"temp": true})
	if err != nil {
		t.Fatal(err)
	}
	if len(merged) != 1 || len(merged[0].More) < 500 {
		t.Fatalf("%d files, %d names in _more", len(merged), len(merged[0].More))
	}
	compare(merged)
	if own := merged[0].Columns; !slices.Contains(own, "n_temp") || slices.Contains(own, "i_temp") {
		t.Errorf("the declared name's columns are not one of doubles: %v", own)
	}
}

// unified says that the fields differ by integers that became equal doubles.
func unified(got, want map[string]string) bool {
	for name, text := range want {
		if got[name] == text {
			continue
		}
		if name[0] != byte(schema.KindInt) || !sameValue("n", got["n"+name[1:]], text) {
			return false
		}
	}
	return len(got) == len(want)
}
