package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	duckdb "github.com/duckdb/duckdb-go-bindings"
	"github.com/jackc/pgx/v5"
)

// question is one query, as a client asks it and as DuckDB alone is asked over
// the same files.
type question struct {
	name, sql, raw string
}

// The questions whose ratio is told.
const (
	plainColumn = "plain column"
	twoSources  = "one field over two sources"
)

// questions read the rows that load makes. FILES stands for the lake's files.
func questions() []question {
	return []question{
		{"count", `select count(*) from bench`, `select count(*) from FILES`},
		{"avg, max", `select avg(temperature), max(humidity) from bench`, `select avg(n_temperature), max(n_humidity) from FILES`},
		{
			"group by 1,000 devices", `select device, avg(temperature) from bench group by device`,
			`select s_device, avg(n_temperature) from FILES group by s_device`,
		},
		{
			"hour buckets", `select date_trunc('hour', timestamp), count(*) from bench group by 1`,
			`select date_trunc('hour', _ts), count(*) from FILES group by 1`,
		},
		{
			"filter", `select count(*) from bench where temperature > 400 and humidity < 30 and device like 'device-01%'`,
			`select count(*) from FILES where n_temperature > 400 and n_humidity < 30 and s_device like 'device-01%'`,
		},
		{
			"top 10", `select timestamp, device, temperature from bench order by temperature desc nulls last, n limit 10`,
			`select _ts, s_device, n_temperature from FILES order by n_temperature desc nulls last, i_n limit 10`,
		},
		{plainColumn, `select avg(humidity) from bench`, `select avg(n_humidity) from FILES`},
		{twoSources, `select avg(rpm) from bench`, `select avg(coalesce(n_rpm, n_rpx)) from FILES`},
	}
}

// benchQueries compares queries through the gateway with DuckDB alone on the
// same compacted rows.
func benchQueries(ctx context.Context, o options, out io.Writer) (err error) {
	s, err := startServer(ctx, o.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	l := &load{url: "http://" + s.httpAddr + "/v1/events/bench", limit: int64(o.rows)}
	if err := l.run(ctx); err != nil {
		return err
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for _, sql := range []string{
		`select fieldgate.compact()`,
		`create table bench (temperature double precision, humidity double precision, device text, n bigint, rpm double precision)`,
		`select fieldgate.add_alias('bench', 'rpm', 'rpx')`,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	raw, err := rawOf(ctx, s, conn)
	if err != nil {
		return err
	}
	defer raw.close()
	if _, err := fmt.Fprintf(out, "%d compacted rows, warm, whole results read, %d rounds, ms.\n\n| query | Fieldgate | DuckDB | ratio of medians |\n| --- | --- | --- | --- |\n", o.rows, o.rounds); err != nil {
		return err
	}
	medians := map[string][2]float64{}
	for _, q := range questions() {
		ours, theirs, err := compare(ctx, o, conn, raw, q, out)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		medians[q.name] = [2]float64{ours, theirs}
	}
	one, two := medians[plainColumn], medians[twoSources]
	if _, err := fmt.Fprintf(out, "\n%s takes %.2f times the %s; DuckDB alone %.2f times.\n",
		strings.ToUpper(twoSources[:1])+twoSources[1:], two[0]/one[0], plainColumn, two[1]/one[1]); err != nil {
		return err
	}
	if err := benchHour(ctx, conn, out); err != nil {
		return err
	}
	return benchStream(ctx, s, out)
}

// compare asks one question of both, and gives the medians.
func compare(ctx context.Context, o options, conn *pgx.Conn, raw *rawEngine, q question, out io.Writer) (median, rawMedian float64, err error) {
	var ours, theirs []float64
	for round := range o.rounds + 1 {
		begin := time.Now()
		n, err := drain(ctx, conn, q.sql)
		if err != nil {
			return 0, 0, err
		}
		mine := millis(time.Since(begin))
		begin = time.Now()
		m, err := raw.drain(strings.ReplaceAll(q.raw, "FILES", raw.files))
		if err != nil {
			return 0, 0, err
		}
		if n != m {
			return 0, 0, fmt.Errorf("%d rows through the gateway, %d from DuckDB", n, m)
		}
		if round > 0 { // the first warms up
			ours, theirs = append(ours, mine), append(theirs, millis(time.Since(begin)))
		}
	}
	a, b := spreadOf(ours), spreadOf(theirs)
	_, err = fmt.Fprintf(out, "| %s | %s | %s | %.2f |\n", q.name, a.format(1), b.format(1), a.median/b.median)
	return a.median, b.median, err
}

func drain(ctx context.Context, conn *pgx.Conn, sql string) (n int, err error) {
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}

// benchStream reads every row of the table and watches the server's memory.
func benchStream(ctx context.Context, s *server, out io.Writer) (err error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	idle, err := s.usage()
	if err != nil {
		return err
	}
	begin := time.Now()
	rows, err := conn.Query(ctx, `select * from bench`)
	if err != nil {
		return err
	}
	defer rows.Close()
	seen, err := s.drain(rows, 500_000)
	if err != nil {
		return err
	}
	all := time.Since(begin)
	_, err = fmt.Fprintf(out, "\nAll %d rows streamed: first row after %.0f ms, %.1f million rows/s, memory %d MB idle, at most %d MB.\n",
		seen.rows, millis(seen.first.Sub(begin)), float64(seen.rows)/all.Seconds()/1e6, idle.rss>>20, seen.most>>20)
	return err
}

// rawEngine is DuckDB alone.
type rawEngine struct {
	db    duckdb.Database
	conn  duckdb.Connection
	files string
}

// listFiles lists the files that the manifest lists: merged ones lie beside
// those they were merged from until the sweeper comes.
func listFiles(ctx context.Context, conn *pgx.Conn, objects string) ([]string, error) {
	rows, err := conn.Query(ctx, `select path from fieldgate.files where metric = 'bench'`)
	if err != nil {
		return nil, err
	}
	keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for i, key := range keys {
		keys[i] = filepath.Join(objects, key)
	}
	return keys, err
}

// rawOf is an engine of its own over the files of a server's metric.
func rawOf(ctx context.Context, s *server, conn *pgx.Conn) (*rawEngine, error) {
	files, err := listFiles(ctx, conn, s.objects())
	if err != nil {
		return nil, err
	}
	return openRaw(files)
}

func openRaw(files []string) (*rawEngine, error) {
	r := &rawEngine{files: "read_parquet(['" + strings.Join(files, "', '") + "'], union_by_name = true)"}
	if duckdb.Open("", &r.db) == duckdb.StateError || duckdb.Connect(r.db, &r.conn) == duckdb.StateError {
		return nil, errors.New("open DuckDB")
	}
	_, err := r.drain("set preserve_insertion_order = false")
	return r, err
}

func (r *rawEngine) close() {
	duckdb.Disconnect(&r.conn)
	duckdb.Close(&r.db)
}

// drain runs a query, streaming, and counts its rows.
func (r *rawEngine) drain(sql string) (int, error) {
	var statement duckdb.PreparedStatement
	if duckdb.Prepare(r.conn, sql, &statement) == duckdb.StateError {
		return 0, errors.New(duckdb.PrepareError(statement))
	}
	defer duckdb.DestroyPrepare(&statement)
	return drainPrepared(statement)
}

func drainPrepared(statement duckdb.PreparedStatement) (int, error) {
	var pending duckdb.PendingResult
	if duckdb.PendingPreparedStreaming(statement, &pending) == duckdb.StateError {
		return 0, errors.New(duckdb.PendingError(pending))
	}
	defer duckdb.DestroyPending(&pending)
	var result duckdb.Result
	if duckdb.ExecutePending(pending, &result) == duckdb.StateError {
		return 0, errors.New(duckdb.ResultError(&result))
	}
	defer duckdb.DestroyResult(&result)
	n := 0
	for {
		chunk := duckdb.FetchChunk(result)
		if chunk.Ptr == nil {
			return n, nil
		}
		n += int(duckdb.DataChunkGetSize(chunk))
		duckdb.DestroyDataChunk(&chunk)
	}
}
