package duckdb

import (
	"testing"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// TestCopyTableRuns: a statement that was planned before rows were added, over all runs
// that there were, does not read those rows.
func TestCopyTableRuns(t *testing.T) {
	t.Parallel()
	in, err := openInstance(Config{Directories: func(string) []string { return nil }, TempDirectory: t.TempDir()}.withDefaults(), "t", 1<<28)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.close(); err != nil {
			t.Error(err)
		}
	})
	batch := func(names ...string) *sources.Batch {
		var b sources.Builder
		for i := range 6000 {
			e := schema.Event{Time: int64(i)}
			for _, name := range names {
				e.Values = append(e.Values, schema.Value{Name: name, Kind: schema.KindInt, Int: 1})
			}
			b.Add(&e, stream.Position{})
		}
		return b.Batch()
	}
	table := &copyTable{in: in, name: "copy_1", columns: []string{"_ts", "i_a", "i_b"}, runs: map[batchKey]copyRun{}}
	if err := table.write(t.Context(), []*sources.Batch{batch("a"), batch("b")}, 0, true); err != nil {
		t.Fatal(err)
	}
	c, err := in.acquire()
	if err != nil {
		t.Fatal(err)
	}
	defer in.release(c)
	var statement bindings.PreparedStatement
	const sql = "SELECT count(*), count(i_a), count(i_b), count(_ts) FROM copy_1 WHERE _run BETWEEN 0 AND 1"
	if bindings.Prepare(c.conn, sql, &statement) == bindings.StateError {
		t.Fatal(bindings.PrepareError(statement))
	}
	defer bindings.DestroyPrepare(&statement)
	for n := range 3 {
		var result bindings.Result
		if bindings.ExecutePrepared(statement, &result) == bindings.StateError {
			t.Fatal(bindings.ResultError(&result))
		}
		chunk := bindings.FetchChunk(result)
		for i, want := range []int64{12_000, 6000, 6000, 12_000} {
			if got := values[int64](bindings.DataChunkGetVector(chunk, bindings.IdxT(i)), 1)[0]; got != want {
				t.Errorf("after %d additions count %d is %d, want %d", n, i+1, got, want)
			}
		}
		bindings.DestroyDataChunk(&chunk)
		bindings.DestroyResult(&result)
		if err := table.write(t.Context(), []*sources.Batch{batch("a", "b")}, int32(2+n), false); err != nil {
			t.Fatal(err)
		}
	}
	if grown := in.tablesGrown(); grown < 5*6000*2*8 {
		t.Errorf("the table takes %d bytes", grown)
	}
	if err := table.drop(); err != nil {
		t.Fatal(err)
	}
	if in.tablesGrown(); in.tableBytes != 0 {
		t.Errorf("%d bytes are left", in.tableBytes)
	}
}
