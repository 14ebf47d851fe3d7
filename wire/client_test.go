package wire_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/wire"
	"github.com/fieldgate/fieldgate/wire/wiretest"
)

func (s *server) connectPgx(t *testing.T, parameters string) *pgx.Conn {
	t.Helper()
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), fmt.Sprintf("host=%s port=%s user=alice dbname=acme password=secret %s", host, port, parameters))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func TestPgx(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	conn := s.connectPgx(t, "sslmode=disable")
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		rows, err := conn.Query(t.Context(), "rows 5", mode)
		if err != nil {
			t.Fatal(err)
		}
		type row struct {
			N int64
			T *string
		}
		got, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
		if err != nil || len(got) != 5 || got[4].N != 5 || *got[4].T != "row 5" || got[3].T != nil {
			t.Errorf("%v: %v, %v", mode, got, err)
		}
	}
	var n int64
	if err := conn.QueryRow(t.Context(), "echo int8", int64(-7)).Scan(&n); err != nil || n != -7 {
		t.Errorf("echo -7: %d, %v", n, err)
	}
	_, err := conn.Exec(t.Context(), "unknown")
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "42P01" || pgErr.Hint != "Perhaps known." {
		t.Errorf("unknown table: %v", err)
	}
}

// TestPgxPipeline sends rounds one after the other without waiting.
func TestPgxPipeline(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	conn := s.connectPgx(t, "sslmode=disable")
	p := conn.PgConn().StartPipeline(t.Context())
	const rounds = 50
	for i := range rounds {
		p.SendQueryParams(fmt.Sprintf("rows %d", i%4), nil, nil, nil, nil)
		if i%5 == 4 {
			p.SendQueryParams("fail 22012", nil, nil, nil, nil)
		}
		if err := p.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	results, failures := 0, 0
	for range rounds {
		for {
			r, err := p.GetResults()
			var pgErr *pgconn.PgError
			if errors.As(err, &pgErr) {
				failures++
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if reader, ok := r.(*pgconn.ResultReader); ok {
				if res := reader.Read(); res.Err != nil {
					t.Fatal(res.Err)
				}
				results++
			}
			if _, sync := r.(*pgconn.PipelineSync); sync {
				break
			}
		}
	}
	if results != rounds || failures != rounds/5 {
		t.Errorf("%d results and %d failures of %d and %d", results, failures, rounds, rounds/5)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPgxCancel(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	conn := s.connectPgx(t, "sslmode=disable")
	failed := make(chan error, 1)
	go func() {
		_, err := conn.Exec(t.Context(), "wait")
		failed <- err
	}()
	<-s.running
	if err := conn.PgConn().CancelRequest(t.Context()); err != nil {
		t.Fatal(err)
	}
	var pgErr *pgconn.PgError
	if err := <-failed; !errors.As(err, &pgErr) || pgErr.Code != "57014" {
		t.Errorf("cancelled: %v", err)
	}
}

// TestChannelBinding binds the proof of the password to the server's certificate.
func TestChannelBinding(t *testing.T) {
	t.Parallel()
	cert := selfSigned(t)
	s := startServer(t, func(c *wire.Config) {
		c.TLS = func() *tls.Config {
			return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
		}
	})
	conn := s.connectPgx(t, "sslmode=require channel_binding=require")
	if _, err := conn.Exec(t.Context(), "rows 1"); err != nil {
		t.Error(err)
	}
}

func TestPsql(t *testing.T) {
	t.Parallel()
	psql := testdeps.Psql(t)
	s := startServer(t)
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), psql, "-X", "-A", "-h", host, "-p", port, "-U", "alice", "-d", "acme", "-c", "rows 3", "-c", "unknown", "-c", `\conninfo`)
	cmd.Env = append(cmd.Environ(), "PGPASSWORD=secret")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := string(out); !strings.HasPrefix(got, "n|t\n1|row 1\n2|\n3|row 3\n(3 rows)\n") {
		t.Errorf("psql prints %s", got)
	}
	want := "ERROR:  relation \"unknown\" does not exist\nLINE 1: unknown\n        ^\nHINT:  Perhaps known.\n"
	if got := errs.String(); got != want {
		t.Errorf("psql complains %s", got)
	}
}

// BenchmarkRows streams ten columns as text to a client that takes all.
func BenchmarkRows(b *testing.B) {
	s := startServer(b)
	c := s.login(b, nil)
	const rows = 200_000
	var bytes int64
	for b.Loop() {
		c.send(wiretest.Raw{'Q', 0, 0, 0, 16, 'w', 'i', 'd', 'e', ' ', '2', '0', '0', '0', '0', '0', 0})
		n, err := discardToReady(c.nc)
		if err != nil {
			b.Fatal(err)
		}
		bytes = n
	}
	b.SetBytes(bytes)
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}

// discardToReady reads up to a ReadyForQuery at the end of what came.
func discardToReady(r io.Reader) (int64, error) {
	buf := make([]byte, 1<<20)
	var total int64
	for {
		n, err := r.Read(buf)
		if err != nil {
			return total, err
		}
		total += int64(n)
		if bytes.HasSuffix(buf[:n], []byte{'Z', 0, 0, 0, 5, 'I'}) {
			return total, nil
		}
	}
}
