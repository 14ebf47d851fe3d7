package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	duckdb "github.com/duckdb/duckdb-go-bindings"
	"github.com/jackc/pgx/v5"
)

const (
	// pointRows are 33 hours of 1,000 devices that report every minute, so an hour
	// of one device is 60 rows.
	pointRows = 2_000_000
	pointStep = 60 * time.Millisecond

	pointClients = 16
	pointSeconds = 10
	// pointRuns are the single queries of which the latency is told.
	pointRuns = 500
)

// benchPoint asks for one device's hour: the last one, which the hot window has,
// and one long ago, which lies in Parquet files alone.
func benchPoint(ctx context.Context, o options, out io.Writer) (err error) {
	s, err := startServer(ctx, o.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	rows := int64(min(o.rows, pointRows))
	conn, err := compactedPoints(ctx, s, rows)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	files, err := listFiles(ctx, conn, s.objects())
	if err != nil {
		return err
	}
	end := time.UnixMilli(firstTime).UTC().Add(time.Duration(rows) * pointStep)
	if _, err := fmt.Fprintf(out, "%d compacted rows in %d files, one device's hour (60 rows), prepared statements.\n\n"+
		"| rows lie in | alone, ms | %d connections, queries/s | processor ms a query, server |\n| --- | --- | --- | --- |\n", rows, len(files), pointClients); err != nil {
		return err
	}
	for _, hour := range []pointHour{
		{"the hot window", end.Add(-time.Hour), true}, {"Parquet files", end.Add(-time.Duration(rows) * pointStep / 2), false},
	} {
		if err := hour.measure(ctx, s, conn, out); err != nil {
			return fmt.Errorf("%s: %w", hour.name, err)
		}
		if !hour.hot {
			if err := hour.measureRaw(files, out); err != nil {
				return fmt.Errorf("DuckDB alone: %w", err)
			}
		}
	}
	return nil
}

// compactedPoints posts the events, declares their fields and compacts.
func compactedPoints(ctx context.Context, s *server, rows int64) (*pgx.Conn, error) {
	if err := loadPoints(ctx, s, rows); err != nil {
		return nil, err
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, sql := range []string{
		`create table bench (device text, temperature double precision, humidity double precision)`, `select fieldgate.compact()`,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", sql, err), conn.Close(ctx))
		}
	}
	return conn, nil
}

// loadPoints posts the events, in order of time.
func loadPoints(ctx context.Context, s *server, rows int64) error {
	l := &load{url: "http://" + s.httpAddr + "/v1/events/bench"}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	var writers sync.WaitGroup
	errs := make([]error, connections)
	for c := range connections {
		writers.Go(func() {
			var text []byte
			for errs[c] == nil {
				first := l.next.Add(batchEvents) - batchEvents
				if first >= rows {
					return
				}
				text = text[:0]
				for n := first; n < first+batchEvents; n++ {
					text = appendPoint(text, n)
				}
				errs[c] = l.post(ctx, client, text)
			}
		})
	}
	writers.Wait()
	return errors.Join(errs...)
}

func appendPoint(dst []byte, n int64) []byte {
	dst = strconv.AppendInt(append(dst, `{"timestamp":`...), firstTime+n*pointStep.Milliseconds(), 10)
	dst = strconv.AppendInt(append(dst, `,"device":"d`...), n%devices, 10)
	dst = strconv.AppendInt(append(dst, `","temperature":`...), 100+n%400, 10)
	dst = strconv.AppendInt(append(dst, `.5,"humidity":`...), 10+n%80, 10)
	return append(dst, `.25,"site":"plant 07, hall 3","status":"running","ok":true}`+"\n"...)
}

// pointHour is an hour of the data and where it lies.
type pointHour struct {
	name  string
	begin time.Time
	hot   bool
}

// sql asks for the hour of a device; from tells what stands for its number.
func (h *pointHour) sql(device string) string {
	const layout = "2006-01-02 15:04:05.000-07"
	return fmt.Sprintf(`select timestamp, temperature, humidity from bench where device = 'd' || %s and timestamp >= '%s' and timestamp < '%s'`,
		device, h.begin.Format(layout), h.begin.Add(time.Hour).Format(layout))
}

func (h *pointHour) measure(ctx context.Context, s *server, conn *pgx.Conn, out io.Writer) error {
	var plan string
	if err := conn.QueryRow(ctx, `explain (format json) `+h.sql("7::text")).Scan(&plan); err != nil {
		return err
	}
	if hot := strings.Contains(plan, `"Hot Window": true`); hot != h.hot {
		return fmt.Errorf("the hot window is read: %v, want %v", hot, h.hot)
	}
	alone := make([]float64, 0, pointRuns)
	for i := range pointRuns {
		begin := time.Now()
		n, err := drainPoint(ctx, conn, h.sql("$1"), i%devices)
		if err != nil || n != 60 {
			return fmt.Errorf("%d rows: %w", n, err)
		}
		alone = append(alone, millis(time.Since(begin)))
	}
	before, err := s.usage()
	if err != nil {
		return err
	}
	rate, by, err := h.rate(ctx, s)
	if err != nil {
		return err
	}
	after, err := s.usage()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "| %s | %s | %.0f (%s) | %.2f |\n", h.name, spreadOf(alone).format(2), rate, by,
		millis(after.cpu-before.cpu)/(rate*pointSeconds))
	return err
}

func drainPoint(ctx context.Context, conn *pgx.Conn, sql string, device int) (n int, err error) {
	rows, err := conn.Query(ctx, sql, strconv.Itoa(device))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}

// rate is the queries a second of many connections: pgbench's, if it is installed,
// else those of a loop.
func (h *pointHour) rate(ctx context.Context, s *server) (perSecond float64, by string, err error) {
	pgbench, err := exec.LookPath("pgbench")
	if err != nil {
		perSecond, err = h.loopRate(ctx, s)
		return perSecond, "pgx", err
	}
	script := filepath.Join(s.dir, "point.sql")
	if err := os.WriteFile(script, []byte(`\set d random(0, 999)`+"\n"+h.sql(":d")+";\n"), 0o600); err != nil {
		return 0, "", err
	}
	host, port, err := net.SplitHostPort(s.pgAddr)
	if err != nil {
		return 0, "", err
	}
	cmd := exec.CommandContext(ctx, pgbench, "-n", "-f", script, "-M", "prepared", "-c", strconv.Itoa(pointClients), "-j", "2",
		"-T", strconv.Itoa(pointSeconds), "-h", host, "-p", port, "-U", "demo", "demo")
	cmd.Env = append(os.Environ(), "PGPASSWORD=demo", "PGSSLMODE=disable")
	text, err := cmd.CombinedOutput()
	if err != nil {
		return 0, "", fmt.Errorf("pgbench: %w\n%s", err, text)
	}
	_, rest, found := strings.Cut(string(text), "tps = ")
	number, _, _ := strings.Cut(rest, " ")
	if perSecond, err = strconv.ParseFloat(number, 64); err != nil || !found {
		return 0, "", fmt.Errorf("pgbench does not tell its rate:\n%s", text)
	}
	return perSecond, "pgbench", nil
}

func (h *pointHour) loopRate(ctx context.Context, s *server) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, pointSeconds*time.Second)
	defer cancel()
	var done atomic.Int64
	var clients sync.WaitGroup
	errs := make([]error, pointClients)
	begin := time.Now()
	for c := range pointClients {
		clients.Go(func() {
			conn, err := s.connect(ctx)
			if err != nil {
				errs[c] = err
				return
			}
			defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
			for i := c; ctx.Err() == nil; i++ {
				if _, err := drainPoint(ctx, conn, h.sql("$1"), i%devices); err != nil && ctx.Err() == nil {
					errs[c] = err
					return
				}
				done.Add(1)
			}
		})
	}
	clients.Wait()
	return float64(done.Load()) / time.Since(begin).Seconds(), errors.Join(errs...)
}

// measureRaw asks DuckDB alone for the same of the same files, prepared.
func (h *pointHour) measureRaw(files []string, out io.Writer) error {
	r, err := openRaw(files)
	if err != nil {
		return err
	}
	defer r.close()
	const layout = "2006-01-02 15:04:05.000"
	sql := fmt.Sprintf(`select _ts, n_temperature, n_humidity from %s where s_device = 'd' || $1 and _ts >= TIMESTAMP '%s' and _ts < TIMESTAMP '%s'`,
		r.files, h.begin.Format(layout), h.begin.Add(time.Hour).Format(layout))
	alone := make([]float64, 0, pointRuns)
	one, err := newRawPoint(r.db, sql)
	if err != nil {
		return err
	}
	defer one.close()
	for i := range pointRuns {
		begin := time.Now()
		if n, err := one.run(i % devices); err != nil || n != 60 {
			return fmt.Errorf("%d rows: %w", n, err)
		}
		alone = append(alone, millis(time.Since(begin)))
	}
	var done atomic.Int64
	var clients sync.WaitGroup
	errs := make([]error, pointClients)
	begin := time.Now()
	for c := range pointClients {
		clients.Go(func() {
			p, err := newRawPoint(r.db, sql)
			errs[c] = err
			if err != nil {
				return
			}
			defer p.close()
			for i := c; errs[c] == nil && time.Since(begin) < pointSeconds*time.Second; i++ {
				_, errs[c] = p.run(i % devices)
				done.Add(1)
			}
		})
	}
	clients.Wait()
	rate := float64(done.Load()) / time.Since(begin).Seconds()
	_, err = fmt.Fprintf(out, "| the same, DuckDB alone in process | %s | %.0f | |\n", spreadOf(alone).format(2), rate)
	return errors.Join(append(errs, err)...)
}

// rawPoint is a prepared statement on a connection of its own.
type rawPoint struct {
	conn      duckdb.Connection
	statement duckdb.PreparedStatement
}

func newRawPoint(db duckdb.Database, sql string) (*rawPoint, error) {
	p := &rawPoint{}
	if duckdb.Connect(db, &p.conn) == duckdb.StateError {
		return nil, errors.New("connect to DuckDB")
	}
	if duckdb.Prepare(p.conn, sql, &p.statement) == duckdb.StateError {
		return nil, errors.New(duckdb.PrepareError(p.statement))
	}
	return p, nil
}

func (p *rawPoint) close() {
	duckdb.DestroyPrepare(&p.statement)
	duckdb.Disconnect(&p.conn)
}

func (p *rawPoint) run(device int) (int, error) {
	if duckdb.BindVarchar(p.statement, 1, strconv.Itoa(device)) == duckdb.StateError {
		return 0, errors.New(duckdb.PrepareError(p.statement))
	}
	return drainPrepared(p.statement)
}
