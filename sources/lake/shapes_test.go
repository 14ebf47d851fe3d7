package lake_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// generations are events of devices of three generations, which call one field
// temp, temp_f and t; one in fifty events lacks its pressure.
func generations(random *rand.Rand, share [3]int) func(n int) []schema.Value {
	return func(n int) []schema.Value {
		which := random.IntN(share[0] + share[1] + share[2])
		name := "t"
		switch {
		case which < share[0]:
			name = "temp"
		case which < share[0]+share[1]:
			name = "temp_f"
		}
		out := []schema.Value{{Name: "device", Kind: schema.KindText, Text: []byte(name)}}
		if random.IntN(50) > 0 {
			out = append(out, schema.Value{Name: "pressure", Kind: schema.KindNumber, Num: float64(n) / 2})
		}
		v := schema.Value{Name: name, Kind: schema.KindNumber, Num: random.Float64()}
		if n%4 == 0 { // which of two kinds a value has is no matter of shape
			v = schema.Value{Name: name, Kind: schema.KindBool, Int: int64(n % 2)}
		}
		return append(out, v)
	}
}

// TestPieces writes rows of several shapes, and finds each in the file of its
// shape, in the order of time, and by its identity.
func TestPieces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		rows    int
		share   [3]int
		columns []string // those of a generation's name, by file
	}{
		{"three generations", 130_000, [3]int{1, 1, 1}, []string{"[n_t]", "[n_temp]", "[n_temp_f]"}},
		{"two, and few of a third", 130_000, [3]int{110, 100, 1}, []string{"[n_t n_temp_f]", "[n_temp]"}},
		{"one and a quarter more", 125_000, [3]int{3, 1, 0}, []string{"[n_temp]", "[n_temp_f]"}},
		{"too few of each", 80_000, [3]int{1, 1, 1}, []string{"[n_t n_temp n_temp_f]"}},
		{"one generation", 130_000, [3]int{1, 0, 0}, []string{"[n_temp]"}},
		{"three, of which some have an alarm, a note, or both", 130_000, [3]int{1, 1, 1}, []string{"[n_t]", "[n_temp]", "[n_temp_f]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, bucket, _ := setup(t)
			random := rand.New(rand.NewPCG(1, 2))
			event := generations(random, c.share)
			batch, order := batchOf(0, c.rows, func(n int) []schema.Value {
				values := event(n)
				for _, name := range []string{"alarm", "note"} {
					if strings.Contains(c.name, name) && random.IntN(2) == 0 {
						values = append(values, schema.Value{Name: name, Kind: schema.KindBool, Int: 1})
					}
				}
				return values
			})
			want := map[string]bool{}
			for r := range batch.Rows {
				want[rowText(batch, r)] = true
			}
			base, err := s.Version(t.Context(), thermo)
			if err != nil {
				t.Fatal(err)
			}
			files, err := s.Write(t.Context(), thermo, []*sources.Batch{batch}, order, nil)
			if err != nil {
				t.Fatal(err)
			}
			v, err := s.Commit(t.Context(), base, lake.Commit{Add: files, To: sources.Watermarks{0: stream.SequenceOf(1)}})
			if err != nil {
				t.Fatal(err)
			}
			var columns []string
			for _, f := range files {
				columns = append(columns, fmt.Sprint(slices.DeleteFunc(slices.Clone(f.Columns), func(name string) bool {
					return name[0] == '_' || name == "s_device" || name == "n_pressure" || name[0] == 'b'
				})))
				if f.Pieces != len(files) {
					t.Errorf("a file is one of %d, want %d", f.Pieces, len(files))
				}
				checkFile(t, s, bucket, f, want)
			}
			slices.Sort(columns)
			if !slices.Equal(columns, c.columns) {
				t.Errorf("files of %v, want %v", columns, c.columns)
			}
			if len(want) > 0 {
				t.Errorf("%d rows are in no file", len(want))
			}
			allKnown(t, v, batch)
		})
	}
}

// checkFile reads a file back, crosses its rows off, and looks whether its full
// columns are, and no others are required in it.
func checkFile(t *testing.T, s *lake.Store, bucket objstore.Bucket, f *lake.File, want map[string]bool) {
	t.Helper()
	batches, err := s.Read(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	present := map[string]int{}
	for i, b := range batches {
		if i > 0 && slices.Min(b.TS) < slices.Max(batches[i-1].TS) {
			t.Errorf("row group %d begins before the one before it ends", i)
		}
		for r := range b.Rows {
			row := rowText(b, r)
			if !want[row] {
				t.Fatalf("row %s was not written, or twice", row)
			}
			delete(want, row)
		}
		for c := range b.Columns {
			present[b.Columns[c].Name] += b.Columns[c].Count()
		}
	}
	data, _, err := objstore.Read(t.Context(), bucket, f.Key)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range f.Columns {
		if leaf, ok := file.Schema().Lookup(name); !ok || name[0] != '_' && leaf.Node.Required() != slices.Contains(f.Full, name) {
			t.Errorf("%s is in the file: %v; required: %v, and full is %v", name, ok, leaf.Node.Required(), f.Full)
		}
		full := name[0] != '_' && present[name] == int(f.Rows)
		if full != slices.Contains(f.Full, name) {
			t.Errorf("%s has %d values of %d rows, and full is %v", name, present[name], f.Rows, f.Full)
		}
	}
}

// allKnown looks a batch's identities up.
func allKnown(t *testing.T, v *lake.Version, b *sources.Batch) {
	t.Helper()
	found := 0
	sought := lake.Identities{Times: b.TS, IDs: b.IDs}
	err := v.Known(t.Context(), sought, func(i int, hash schema.ID) {
		if hash == b.Hashes[i] {
			found++
		}
	})
	if err != nil || found != b.Rows {
		t.Errorf("%d of %d identities are known, %v", found, b.Rows, err)
	}
}
