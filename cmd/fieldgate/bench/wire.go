package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// wireRows is how many rows the comparison with PostgreSQL sends.
const wireRows = 1_000_000

// wireTable is the table of both, ten columns wide.
const (
	wireColumns = `n bigint, device text, site text, temperature double precision, pressure double precision, humidity double precision, status text, ok boolean, firmware text`
	wireSelect  = `select timestamp, n, device, site, temperature, pressure, humidity, status, ok, firmware from bench`
)

// benchWire compares the way of rows to a client with PostgreSQL's, and measures
// what connections cost.
func benchWire(ctx context.Context, o options, out io.Writer) (err error) {
	cert, err := newCertificate()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cert.remove()) }()
	s, err := startServer(ctx, o.binary, "FIELDGATE_TLS_CERT="+cert.cert, "FIELDGATE_TLS_KEY="+cert.key, "FIELDGATE_TLS_MODE=prefer",
		"FIELDGATE_LIMITS_CONNECTIONS=12000")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := benchConnections(ctx, o, s, out); err != nil {
		return fmt.Errorf("connections: %w", err)
	}
	conn, err := wireTable(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	theirs, err := copyToPostgres(ctx, conn)
	if err != nil {
		return err
	}
	if theirs != nil {
		defer func() { err = errors.Join(err, theirs.Close(ctx)) }()
	}
	for _, step := range []func(context.Context, options, *server, *pgx.Conn, *pgx.Conn, io.Writer) error{
		benchRows, benchFirstRow, benchLatency, benchFlatMemory,
	} {
		if err := step(ctx, o, s, conn, theirs, out); err != nil {
			return err
		}
	}
	return nil
}

// wireTable sends the server the rows, and declares what they are.
func wireTable(ctx context.Context, s *server) (*pgx.Conn, error) {
	l := &load{url: s.url("/v1/events/bench"), limit: wireRows}
	if err := l.run(ctx); err != nil {
		return nil, err
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, sql := range []string{`select fieldgate.compact()`, `create table bench (` + wireColumns + `)`} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", sql, err), conn.Close(ctx))
		}
	}
	return conn, nil
}

// copyToPostgres gives a PostgreSQL 15 the same rows; nil if there is none on this
// machine.
func copyToPostgres(ctx context.Context, from *pgx.Conn) (*pgx.Conn, error) {
	dsn, err := testdeps.Start()
	if err != nil {
		return nil, nil //nolint:nilerr // measured without it
	}
	to, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	if _, err := to.Exec(ctx, `create table bench (timestamp timestamptz, `+wireColumns+`)`); err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	copied := make(chan error, 1)
	go func() {
		_, err := from.PgConn().CopyTo(ctx, w, `copy (`+wireSelect+`) to stdout (format binary)`)
		copied <- errors.Join(err, w.CloseWithError(err))
	}()
	_, err = to.PgConn().CopyFrom(ctx, r, `copy bench from stdin (format binary)`)
	if err := errors.Join(err, r.CloseWithError(err), <-copied); err != nil {
		return nil, err
	}
	for _, sql := range []string{`vacuum analyze bench`, `set jit = off`} {
		if _, err := to.Exec(ctx, sql); err != nil {
			return nil, err
		}
	}
	return to, nil
}

// benchRows has both send all rows, in turn.
func benchRows(ctx context.Context, o options, _ *server, ours, theirs *pgx.Conn, out io.Writer) error {
	if _, err := fmt.Fprintf(out, "%d rows of 10 columns, million rows/s, %d rounds in turn.\n\n| client | Fieldgate | PostgreSQL 15 | ratio of medians |\n| --- | --- | --- | --- |\n",
		wireRows, o.rounds); err != nil {
		return err
	}
	clients := []struct {
		name string
		run  func(conn *pgx.Conn) error
	}{
		{"pgx, text", func(conn *pgx.Conn) error { return drainAll(ctx, conn, pgx.QueryExecModeSimpleProtocol) }},
		{"pgx, binary", func(conn *pgx.Conn) error { return drainAll(ctx, conn, pgx.QueryExecModeCacheStatement) }},
		{"psql", func(conn *pgx.Conn) error { return psqlAll(ctx, conn) }},
	}
	for _, c := range clients {
		var rates [2][]float64
		for round := range o.rounds + 1 {
			for i, conn := range []*pgx.Conn{ours, theirs} {
				if conn == nil {
					continue
				}
				begin := time.Now()
				if err := c.run(conn); err != nil {
					return fmt.Errorf("%s: %w", c.name, err)
				}
				if round > 0 { // the first warms up
					rates[i] = append(rates[i], wireRows/time.Since(begin).Seconds()/1e6)
				}
			}
		}
		a := spreadOf(rates[0])
		line := fmt.Sprintf("| %s | %s | – | – |\n", c.name, a.format(2))
		if theirs != nil {
			b := spreadOf(rates[1])
			line = fmt.Sprintf("| %s | %s | %s | %.2f |\n", c.name, a.format(2), b.format(2), a.median/b.median)
		}
		if _, err := io.WriteString(out, line); err != nil {
			return err
		}
	}
	return nil
}

func drainAll(ctx context.Context, conn *pgx.Conn, mode pgx.QueryExecMode) error {
	rows, err := conn.Query(ctx, wireSelect, mode)
	if err != nil {
		return err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	if rows.Err() == nil && n != wireRows {
		return fmt.Errorf("%d rows instead of %d", n, wireRows)
	}
	return rows.Err()
}

func psqlAll(ctx context.Context, conn *pgx.Conn) error {
	c := conn.Config()
	cmd := exec.CommandContext(ctx, "psql", "-X", "-q", "-A", "-t", "-o", "/dev/null", "-c", wireSelect,
		fmt.Sprintf("host=%s port=%d user=%s dbname=%s sslmode=disable", c.Host, c.Port, c.User, c.Database))
	cmd.Env = append(cmd.Environ(), "PGPASSWORD="+c.Password)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, errs.String())
	}
	return nil
}

// benchFirstRow measures the way to the first row, of everything and of a part.
func benchFirstRow(ctx context.Context, o options, _ *server, ours, _ *pgx.Conn, out io.Writer) error {
	var b strings.Builder
	for _, sql := range []string{wireSelect, wireSelect + " limit 100000"} {
		var first []float64
		for range 10 * o.rounds {
			begin := time.Now()
			rows, err := ours.Query(ctx, sql)
			if err != nil {
				return err
			}
			if rows.Next() {
				first = append(first, millis(time.Since(begin)))
			}
			rows.Close()
			if rows.Err() != nil {
				return rows.Err()
			}
		}
		what := "of all rows"
		if sql != wireSelect {
			what = "with LIMIT 100000"
		}
		fmt.Fprintf(&b, "\nFirst row %s: %s ms.\n", what, spreadOf(first).format(1))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// benchLatency compares a short query with DuckDB's own time for it.
func benchLatency(ctx context.Context, o options, s *server, ours, _ *pgx.Conn, out io.Writer) error {
	raw, err := rawOf(ctx, s, ours)
	if err != nil {
		return err
	}
	defer raw.close()
	const sql = `select avg(humidity) from bench where temperature > 450`
	rawSQL := `select avg(n_humidity) from ` + raw.files + ` where n_temperature > 450`
	var times [3][]float64
	for range 20 * o.rounds {
		for i, run := range []func() error{
			func() error { _, err := raw.drain(rawSQL); return err },
			func() error { return drainMode(ctx, ours, sql, pgx.QueryExecModeSimpleProtocol) },
			func() error { return drainMode(ctx, ours, sql, pgx.QueryExecModeDescribeExec) },
		} {
			begin := time.Now()
			if err := run(); err != nil {
				return err
			}
			times[i] = append(times[i], millis(time.Since(begin)))
		}
	}
	base := spreadOf(times[0]).median
	_, err = fmt.Fprintf(out, "\nA short query: DuckDB alone %s ms; added by the simple protocol %.2f ms, by the extended one %.2f ms (medians).\n",
		spreadOf(times[0]).format(2), spreadOf(times[1]).median-base, spreadOf(times[2]).median-base)
	return err
}

func drainMode(ctx context.Context, conn *pgx.Conn, sql string, mode pgx.QueryExecMode) error {
	rows, err := conn.Query(ctx, sql, mode)
	if err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

// flatRows is how many rows leave while memory is watched.
const flatRows = 10_000_000

// benchFlatMemory watches the server while rows leave.
func benchFlatMemory(ctx context.Context, _ options, s *server, ours, _ *pgx.Conn, out io.Writer) error {
	idle, err := s.usage()
	if err != nil {
		return err
	}
	rows, err := ours.Query(ctx, wireSelect+fmt.Sprintf(", generate_series(1, %d) again", flatRows/wireRows))
	if err != nil {
		return err
	}
	defer rows.Close()
	seen, err := s.drain(rows, 200_000)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nWhile %d rows leave: memory %d MB before, at most %d MB more.\n", seen.rows, idle.rss>>20, (seen.most-idle.rss)>>20)
	return err
}
