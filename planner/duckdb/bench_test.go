package duckdb_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
)

// raw is DuckDB as it is, for comparison.
type raw struct {
	tb   testing.TB
	db   bindings.Database
	conn bindings.Connection
}

func newRaw(tb testing.TB) *raw {
	tb.Helper()
	r := &raw{tb: tb}
	if bindings.Open(":memory:", &r.db) == bindings.StateError || bindings.Connect(r.db, &r.conn) == bindings.StateError {
		tb.Fatal("open DuckDB")
	}
	tb.Cleanup(func() {
		bindings.Disconnect(&r.conn)
		bindings.Close(&r.db)
	})
	r.run("SET preserve_insertion_order = false")
	return r
}

// run reads a whole result and counts its rows.
func (r *raw) run(sql string) int {
	r.tb.Helper()
	var statement bindings.PreparedStatement
	if bindings.Prepare(r.conn, sql, &statement) == bindings.StateError {
		r.tb.Fatal(bindings.PrepareError(statement))
	}
	defer bindings.DestroyPrepare(&statement)
	var pending bindings.PendingResult
	if bindings.PendingPreparedStreaming(statement, &pending) == bindings.StateError {
		r.tb.Fatal(bindings.PendingError(pending))
	}
	defer bindings.DestroyPending(&pending)
	var result bindings.Result
	if bindings.ExecutePending(pending, &result) == bindings.StateError {
		r.tb.Fatal(bindings.ResultError(&result))
	}
	defer bindings.DestroyResult(&result)
	n := 0
	for {
		chunk := bindings.FetchChunk(result)
		if chunk.Ptr == nil {
			return n
		}
		n += int(bindings.DataChunkGetSize(chunk))
		bindings.DestroyDataChunk(&chunk)
	}
}

const (
	benchFiles   = 4
	rowsEachFile = 500_000
)

// writeBenchFiles gives the world files of events a second apart: a double that
// a tenth of the devices sends under another name, an integer, and a device of
// 1,000.
func writeBenchFiles(b *testing.B, w *world) {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for f := range benchFiles {
		var builder sources.Builder
		order := make([]lake.Row, rowsEachFile)
		for i := range rowsEachFile {
			n := f*rowsEachFile + i
			at := start.Add(time.Duration(n) * time.Second).UnixMicro()
			name := "temp"
			if random.IntN(10) == 0 {
				name = "temp_f"
			}
			e := schema.Event{Dataset: weather, Time: at, ReceivedAt: at, ID: idOf(n), Hash: idOf(n), Values: []schema.Value{
				valueOf("big", random.IntN(100_000)), valueOf("label", fmt.Sprintf("device-%d", random.IntN(1000))),
				valueOf(name, float64(random.IntN(1000))/10+0.05),
			}}
			builder.Add(&e, stream.Position{Seq: stream.SequenceOf(uint64(n))})
			order[i].Row = uint32(i)
		}
		w.commit(builder.Batch(), order)
	}
}

// BenchmarkQueries compares the engine with DuckDB on the same files: each pair
// is the query in PostgreSQL's SQL, and what one would write for DuckDB.
func BenchmarkQueries(b *testing.B) {
	w := newWorld(b, nil)
	writeBenchFiles(b, w)
	m, err := w.lake.Load(b.Context(), weather)
	if err != nil {
		b.Fatal(err)
	}
	files, _, err := m.Files(b.Context(), sources.Unbounded())
	if err != nil {
		b.Fatal(err)
	}
	list := ""
	for _, f := range files {
		list += "'" + f.Path + "', "
	}
	r := newRaw(b)
	for _, q := range []struct{ name, postgres, duckdb string }{
		{"count", "SELECT count(*) FROM weather", "SELECT count(*) FROM f"},
		{"avg", "SELECT avg(big), max(big) FROM weather", "SELECT avg(i_big), max(i_big) FROM f"},
		{"group", "SELECT label, count(*), max(big) FROM weather GROUP BY label", "SELECT s_label, count(*), max(i_big) FROM f GROUP BY s_label"},
		{"hour", "SELECT date_trunc('hour', timestamp), avg(big) FROM weather GROUP BY 1", "SELECT date_trunc('hour', _ts), avg(i_big) FROM f GROUP BY 1"},
		{"filter", "SELECT count(*) FROM weather WHERE big > 90000 AND label LIKE 'device-9%'", "SELECT count(*) FROM f WHERE i_big > 90000 AND s_label LIKE 'device-9%'"},
		{"top", "SELECT timestamp, big FROM weather ORDER BY timestamp DESC LIMIT 10", "SELECT _ts, i_big FROM f ORDER BY _ts DESC LIMIT 10"},
		{"topvalue", "SELECT timestamp, big FROM weather ORDER BY big DESC LIMIT 10", "SELECT _ts, i_big FROM f ORDER BY i_big DESC LIMIT 10"},
		{"extract", "SELECT extract(hour from timestamp), count(*) FROM weather GROUP BY 1", "SELECT hour(_ts), count(*) FROM f GROUP BY 1"},
		{"arithmetic", "SELECT sum(temp * 9 / 5 + 32) FROM weather", "SELECT sum(n_temp * 9 / 5 + 32) FROM f"},
		{"alias", "SELECT avg(temp) FROM weather", "SELECT avg(n_temp) FROM f"},
		{"rows", "SELECT timestamp, label, big, temp FROM weather", "SELECT _ts, s_label, i_big, n_temp FROM f"},
	} {
		b.Run(q.name+"/engine", func(b *testing.B) {
			for b.Loop() {
				rows, err := run(b.Context(), w.session, q.postgres)
				if err != nil {
					b.Fatal(err)
				}
				if err := collect(b.Context(), rows, func(*planner.Chunk) {}); err != nil {
					b.Fatal(err)
				}
			}
		})
		sql := "WITH f AS (FROM read_parquet([" + list + "], union_by_name = true)) " + q.duckdb
		b.Run(q.name+"/raw", func(b *testing.B) {
			for b.Loop() {
				r.run(sql)
			}
		})
	}
}
