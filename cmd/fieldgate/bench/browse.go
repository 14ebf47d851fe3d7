package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/browse"
)

// The tenant that is browsed: as many metrics, of as many fields.
const (
	browsedMetrics = 500
	browsedFields  = 50
)

// benchBrowse times what clients ask of the catalog of a large tenant.
func benchBrowse(ctx context.Context, o options, out io.Writer) (err error) {
	s, err := startServer(ctx, o.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if err := declareMany(ctx, conn); err != nil {
		return err
	}
	table := fmt.Sprintf("metric_%03d", browsedMetrics/2)
	var oid uint32
	if err := conn.QueryRow(ctx, "select $1::text::regclass::oid", table).Scan(&oid); err != nil {
		return err
	}
	queries, err := browse.Queries()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, "| client | query | rows | ms | ms after a change of another table | ms of the server's processors |\n| --- | --- | --- | --- | --- | --- |"); err != nil {
		return err
	}
	for i := range queries {
		if err := timeBrowse(ctx, o, s, conn, &queries[i], table, oid, out); err != nil {
			return err
		}
	}
	return nil
}

// declareMany declares the tenant's metrics.
func declareMany(ctx context.Context, conn *pgx.Conn) error {
	types := []string{"double precision", "bigint", "text", "boolean", "integer", "numeric(10,2)", "timestamptz", "varchar(20)"}
	for m := range browsedMetrics {
		fields := make([]string, browsedFields)
		for f := range fields {
			fields[f] = fmt.Sprintf("field_%02d %s", f, types[f%len(types)])
		}
		if _, err := conn.Exec(ctx, fmt.Sprintf("create table metric_%03d (%s)", m, strings.Join(fields, ", "))); err != nil {
			return fmt.Errorf("declare: %w", err)
		}
	}
	return nil
}

// timeBrowse times one query over the simple protocol, which most clients browse
// with: as it is asked again and again, and right after another table was changed.
func timeBrowse(ctx context.Context, o options, s *server, conn *pgx.Conn, q *browse.Query, table string, oid uint32, out io.Writer) error {
	sql := q.Fill(table, fmt.Sprint(oid), "demo")
	var took, changed []float64
	rows := 0
	before, err := s.usage()
	if err != nil {
		return err
	}
	for range o.rounds {
		ms := 0.0
		if ms, rows, err = browseOnce(ctx, conn, sql); err != nil {
			return fmt.Errorf("%s, %s: %w", q.Client, q.Name, err)
		}
		took = append(took, ms)
	}
	after, err := s.usage()
	if err != nil {
		return err
	}
	cpu := millis(after.cpu-before.cpu) / float64(o.rounds)
	for round := range o.rounds {
		if _, err := conn.Exec(ctx, fmt.Sprintf("comment on table metric_001 is 'changed %d times'", round)); err != nil {
			return err
		}
		ms, _, err := browseOnce(ctx, conn, sql)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", q.Client, q.Name, err)
		}
		changed = append(changed, ms)
	}
	_, err = fmt.Fprintf(out, "| %s | %s | %d | %s | %s | %.0f |\n", q.Client, q.Name, rows, spreadOf(took).format(1), spreadOf(changed).format(1), cpu)
	return err
}

// browseOnce asks once, and reads all rows without keeping them.
func browseOnce(ctx context.Context, conn *pgx.Conn, sql string) (ms float64, rows int, err error) {
	begin := time.Now()
	results := conn.PgConn().Exec(ctx, sql)
	for results.NextResult() {
		r := results.ResultReader()
		for r.NextRow() {
			rows++
		}
	}
	err = results.Close()
	return millis(time.Since(begin)), rows, err
}
