package duckdb_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/fieldgate/fieldgate/sources"
)

// file is the path of the one file that the lake has.
func (w *world) file() string {
	w.t.Helper()
	m, err := w.lake.Load(w.t.Context(), weather)
	if err != nil {
		w.t.Fatal(err)
	}
	files, _, err := m.Files(w.t.Context(), sources.Unbounded())
	if err != nil || len(files) != 1 {
		w.t.Fatalf("%d files, %v", len(files), err)
	}
	return files[0].Path
}

// destroy overwrites the pages of some columns in the row groups of a file that
// keep does not name, so that nobody can read them.
func destroy(t *testing.T, path string, keep int, columns ...string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the test's own
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // written through
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parquet.OpenFile(file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	names := parsed.Schema().Columns()
	for g, group := range parsed.Metadata().RowGroups {
		for c := range group.Columns {
			if g == keep || !slices.Contains(columns, names[c][0]) {
				continue
			}
			m := &group.Columns[c].MetaData
			from := m.DataPageOffset
			if m.DictionaryPageOffset > 0 {
				from = min(from, m.DictionaryPageOffset)
			}
			if _, err := file.WriteAt([]byte(strings.Repeat("\xff", int(m.TotalCompressedSize))), from); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestConversionsPruneRowGroups asks for values of one row group of three, by a
// stored column and by a converted one, while the columns of the other two cannot
// be read.
func TestConversionsPruneRowGroups(t *testing.T) {
	t.Parallel()
	const rows, from, to = 300_000, 150_000, 150_999 // of the second row group
	w := newWorld(t, nil)
	events := make([]fields, rows)
	for n := range events {
		events[n] = fields{"big": n, "temp_f": float64(n) + 0.5}
	}
	w.inFile(0, events...)
	destroy(t, w.file(), 1, "i_big", "n_temp_f")
	celsius := func(f float64) string { return fmt.Sprint((f - 32) * 5 / 9) }
	for _, tt := range []struct{ condition, want string }{
		{fmt.Sprintf("big BETWEEN %d AND %d", from, to), "[1000 150000 150999]"},
		{fmt.Sprintf("temp >= %s AND temp < %s", celsius(from), celsius(to+1)), "[1000 150000 150999]"},
		{fmt.Sprintf("temp = %s", celsius(from+0.5)), "[1 150000 150000]"},
		{fmt.Sprintf("temp > %s AND big < %d", celsius(from+500), to), "[499 150500 150998]"},
		{fmt.Sprintf("temp > %s", celsius(2*rows)), "[0 NULL NULL]"},
	} {
		w.want("SELECT count(*), min(big), max(big) FROM weather WHERE "+tt.condition, tt.want)
	}
	for _, sql := range []string{`SELECT sum(temp) FROM weather`, `SELECT sum(big) FROM weather`} {
		if _, err := ask(t.Context(), w.session, sql); err == nil {
			t.Errorf("%s reads what was overwritten", sql)
		}
	}
}
