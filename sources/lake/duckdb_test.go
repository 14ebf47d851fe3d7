package lake_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// null is how ask shows NULL.
const null = "\x00NULL"

// duckDB is a connection whose queries give text.
type duckDB struct{ conn bindings.Connection }

func openDuckDB(t *testing.T) *duckDB {
	t.Helper()
	var db bindings.Database
	if bindings.Open("", &db) == bindings.StateError {
		t.Fatal("open DuckDB")
	}
	t.Cleanup(func() { bindings.Close(&db) })
	d := &duckDB{}
	if bindings.Connect(db, &d.conn) == bindings.StateError {
		t.Fatal("connect to DuckDB")
	}
	t.Cleanup(func() { bindings.Disconnect(&d.conn) })
	return d
}

// ask runs a query whose columns are all text.
func (d *duckDB) ask(t *testing.T, sql string) [][]string {
	t.Helper()
	var res bindings.Result
	defer bindings.DestroyResult(&res)
	if bindings.Query(d.conn, sql, &res) == bindings.StateError {
		t.Fatalf("%.200s: %s", sql, bindings.ResultError(&res))
	}
	var rows [][]string
	columns := int(bindings.ColumnCount(&res))
	for {
		chunk := bindings.FetchChunk(res)
		if chunk.Ptr == nil {
			return rows
		}
		size := int(bindings.DataChunkGetSize(chunk))
		first := len(rows)
		for range size {
			rows = append(rows, make([]string, columns))
		}
		for c := range columns {
			vector := bindings.DataChunkGetVector(chunk, bindings.IdxT(c))
			texts := unsafe.Slice((*bindings.StringT)(bindings.VectorGetData(vector)), size)
			valid := bindings.VectorGetValidity(vector)
			for r := range size {
				if valid != nil && unsafe.Slice((*uint64)(valid), (size+63)/64)[r/64]&(1<<(r%64)) == 0 {
					rows[first+r][c] = null
				} else {
					rows[first+r][c] = bindings.StringTData(&texts[r])
				}
			}
		}
		bindings.DestroyDataChunk(&chunk)
	}
}

// fields are the fields of an event as DuckDB's text, by physical name.
func fields(e *schema.Event) map[string]string {
	out := map[string]string{}
	for _, v := range e.Values {
		name := sources.PhysicalName(v.Name, v.Kind)
		switch v.Kind {
		case schema.KindInt:
			out[name] = strconv.FormatInt(v.Int, 10)
		case schema.KindBool:
			out[name] = strconv.FormatBool(v.Int != 0)
		case schema.KindNumber:
			out[name] = strconv.FormatFloat(v.Num, 'g', -1, 64)
		default:
			out[name] = string(v.Text)
		}
	}
	return out
}

// uuidText is an id as DuckDB prints a UUID.
func uuidText(id schema.ID) string {
	s := id.String()
	return strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-")
}

// compare compares what DuckDB reads from a file with the events, which
// stand in its order.
func (d *duckDB) compare(t *testing.T, path string, f *lake.File, events []schema.Event) {
	t.Helper()
	names := slices.DeleteFunc(slices.Clone(f.Columns), func(c string) bool { return c[0] == '_' })
	columns := []string{"epoch_us(_ts)::VARCHAR", "_id::VARCHAR", "_hash::VARCHAR", "epoch_us(_received_at)::VARCHAR"}
	for _, name := range names {
		columns = append(columns, fmt.Sprintf(`"%s"::VARCHAR`, name))
	}
	for _, name := range f.More {
		columns = append(columns, fmt.Sprintf(`json_extract_string(_more, '$."%s"')`, name))
	}
	names = append(names, f.More...)
	rows := d.ask(t, fmt.Sprintf(`SELECT %s FROM read_parquet('%s') ORDER BY _ts, _id`, strings.Join(columns, ", "), path))
	if len(rows) != len(events) {
		t.Fatalf("%d rows, want %d", len(rows), len(events))
	}
	for r, row := range rows {
		e := &events[r]
		stamps := []string{fmt.Sprint(e.Time), uuidText(e.ID), uuidText(e.Hash), fmt.Sprint(e.ReceivedAt)}
		if !slices.Equal(row[:4], stamps) {
			t.Fatalf("row %d begins %v, want %v", r, row[:4], stamps)
		}
		want := fields(e)
		for i, name := range names {
			text, has := want[name]
			if !has && row[4+i] == null {
				continue
			}
			if !has || !sameValue(name, row[4+i], text) {
				t.Fatalf("row %d: %s is %q, want %q (%v)", r, name, row[4+i], text, has)
			}
			delete(want, name)
		}
		if len(want) > 0 {
			t.Fatalf("row %d lacks %v", r, want)
		}
	}
}

func sameValue(name, got, want string) bool {
	if name[0] != byte(schema.KindNumber) {
		return got == want
	}
	x, err := strconv.ParseFloat(got, 64)
	y, wantErr := strconv.ParseFloat(want, 64)
	return err == nil && wantErr == nil && math.Float64bits(x) == math.Float64bits(y)
}

// odd makes events of all kinds, of which some have odd values and some names
// are rare.
func odd(n int) schema.Event {
	e := schema.Event{Dataset: thermo, Time: int64(n)*1e6 - 7e14, ReceivedAt: int64(n)*1e6 + 7, ID: idOf(n), Hash: idOf(-n)}
	add := func(name string, kind schema.Kind, v schema.Value) {
		v.Name, v.Kind = name, kind
		e.Values = append(e.Values, v)
	}
	ints := []int64{0, -1, math.MaxInt64, math.MinInt64, 1<<53 + 1}
	nums := []float64{0, math.Copysign(0, -1), 0.1, -1e300, math.SmallestNonzeroFloat64, math.MaxFloat64, 1e21, 20}
	texts := []string{"", "plain", "\"quoted\\", "line\nfeed\ttab\x01\x1f\x7f", "é😀\u2028<&>", strings.Repeat("long ", 400)}
	if n%5 != 0 {
		add("Ints", schema.KindInt, schema.Value{Int: ints[n%len(ints)]})
		add("repeating", schema.KindText, schema.Value{Text: []byte(texts[n%2])})
		add("seldom different", schema.KindNumber, schema.Value{Num: float64(n % 3)})
	}
	if n%3 != 0 {
		add("nums", schema.KindNumber, schema.Value{Num: nums[n%len(nums)]})
		add("json", schema.KindJSON, schema.Value{Text: fmt.Appendf(nil, `[%d, {"a":  "\u00e9"}]`, n)})
	}
	add("yes", schema.KindBool, schema.Value{Int: int64(n % 2)})
	add("text", schema.KindText, schema.Value{Text: fmt.Appendf(nil, "%s %d", texts[n%len(texts)], n)})
	for _, kind := range schema.Kinds {
		name := fmt.Sprintf("Rare %d.$\"%c", n%90, kind)
		switch kind {
		case schema.KindInt:
			add(name, kind, schema.Value{Int: ints[n%len(ints)]})
		case schema.KindNumber:
			add(name, kind, schema.Value{Num: nums[n%len(nums)]})
		case schema.KindBool:
			add(name, kind, schema.Value{Int: int64(n % 2)})
		default:
			add(name, kind, schema.Value{Text: []byte(texts[n%len(texts)])})
		}
	}
	slices.SortFunc(e.Values, func(a, b schema.Value) int { return strings.Compare(a.Name, b.Name) })
	return e
}

func TestDuckDBReadsEveryValue(t *testing.T) {
	t.Parallel()
	d := openDuckDB(t)
	tests := []struct {
		name string
		rows int
		of   func(n int) schema.Event
		more bool
	}{
		{"all kinds, odd values, more names than columns", 1000, odd, true},
		{"several row groups", rowGroup + 100, func(n int) schema.Event {
			e := odd(n)
			e.Values = e.Values[:1] // of changing names
			return e
		}, false},
		{"a dictionary that grows too large", 15_000, func(n int) schema.Event {
			text := "same"
			if n%5 == 0 { // few enough for a dictionary, but long
				text = strings.Repeat(fmt.Sprint(n), 200)
			}
			e := odd(n)
			e.Values = []schema.Value{{Name: "text", Kind: schema.KindText, Text: []byte(text)}}
			return e
		}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, bucket, _ := setup(t)
			var b sources.Builder
			events := make([]schema.Event, test.rows)
			for i := range events {
				events[i] = test.of(i)
			}
			for i := range events { // backwards, to be sorted
				b.Add(&events[len(events)-1-i], at(i))
			}
			batches := []*sources.Batch{b.Batch()}
			files, err := s.Write(t.Context(), thermo, batches, lake.Order(batches, nil), nil)
			if err != nil {
				t.Fatal(err)
			}
			if (len(files[0].More) > 0) != test.more {
				t.Fatalf("names in _more: %v", files[0].More)
			}
			path, err := bucket.(objstore.Local).Path(files[0].Key)
			if err != nil {
				t.Fatal(err)
			}
			d.compare(t, path, files[0], events)
			back, err := s.Read(t.Context(), files[0])
			if err != nil {
				t.Fatal(err)
			}
			for row, r := range lake.Order(back, nil) {
				e := back[r.Batch].Event(int(r.Row), thermo)
				if got, want := fields(&e), fields(&events[row]); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("row %d read back is %v, want %v", row, got, want)
				}
			}
		})
	}
	t.Run("row groups and statistics", func(t *testing.T) {
		s, bucket, _ := setup(t)
		batch, order := batchOf(0, 2*rowGroup+5, temperature)
		files, err := s.Write(t.Context(), thermo, []*sources.Batch{batch}, order, nil)
		if err != nil {
			t.Fatal(err)
		}
		path, err := bucket.(objstore.Local).Path(files[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		got := d.ask(t, fmt.Sprintf(`SELECT row_group_num_rows::VARCHAR, stats_min_value, stats_max_value
			FROM parquet_metadata('%s') WHERE path_in_schema = 'n_temp' ORDER BY row_group_id`, path))
		if len(got) != 3 || got[0][0] != fmt.Sprint(rowGroup) || got[2][0] != "5" || got[0][1] != "0.0" || got[1][1] != "61440.0" {
			t.Errorf("row groups %v in %s", got, filepath.Base(path))
		}
	})
}
