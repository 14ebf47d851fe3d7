package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// instance is a server in development mode that a test started.
type instance struct {
	c    config.Config
	stop context.CancelFunc
	done chan error
}

// start serves the data directory and waits until it is healthy. The server
// stops with the test, if not before.
func start(t *testing.T, dir string, adjust ...func(*config.Config)) *instance {
	t.Helper()
	c := config.Default()
	c.Dev = true
	c.DataDir = dir
	c.HTTPAddr, c.PGAddr = freeAddr(t), freeAddr(t)
	c.Limits.DrainSeconds = 1 // nobody needs the transactions that a test leaves open
	for _, f := range adjust {
		f(&c)
	}
	ctx, stop := context.WithCancel(t.Context())
	i := &instance{c: c, stop: stop, done: make(chan error, 1)}
	log := io.Writer(os.Stderr)
	if !testing.Verbose() {
		log = io.Discard
	}
	go func() {
		defer close(i.done)
		i.done <- serve(ctx, c, slog.New(slog.NewTextHandler(log, nil)))
	}()
	t.Cleanup(func() { i.close(t) })
	if c.TLS.Cert != "" {
		// Whose certificate it is does not matter here.
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // a test's own server
		t.Cleanup(transport.CloseIdleConnections)
		awaitHealthyAt(t, &http.Client{Transport: transport}, "https://"+c.HTTPAddr, i.done)
		return i
	}
	awaitHealthy(t, c.HTTPAddr, i.done)
	return i
}

// close drains the server; a second close does nothing.
func (i *instance) close(t *testing.T) {
	t.Helper()
	i.stop()
	if err := <-i.done; err != nil {
		t.Errorf("serve: %v", err)
	}
}

// request sends a body with the development key, and returns status and answer.
func (i *instance) request(t *testing.T, method, path, body string, header ...string) (int, string) {
	t.Helper()
	status, _, answer := i.exchange(t, method, path, body, header...)
	return status, answer
}

// exchange is request that returns the answer's header, too.
func (i *instance) exchange(t *testing.T, method, path, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+i.c.HTTPAddr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Api-Key", "demo-key")
	for n := 0; n+1 < len(header); n += 2 {
		req.Header.Set(header[n], header[n+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(answer)
}

// post sends lines of NDJSON, 500 a request, and wants all of them accepted. What is
// refused for the time being (503), as a busy machine does when stages or stores are
// slow, is sent once more, with its Idempotency-Key, after what Retry-After says.
func (i *instance) post(t *testing.T, lines []string, header ...string) {
	t.Helper()
	for len(lines) > 0 {
		n := min(500, len(lines))
		body, key := strings.Join(lines[:n], "\n"), rand.Text()
		for deadline := time.Now().Add(visibleWithin); ; {
			status, header, answer := i.exchange(t, http.MethodPost, "/v1/events", body, append(header, "Idempotency-Key", key)...)
			var result struct{ Accepted int }
			if err := json.Unmarshal([]byte(answer), &result); err == nil && status == http.StatusOK && result.Accepted == n {
				break
			}
			seconds, err := strconv.Atoi(header.Get("Retry-After"))
			if status != http.StatusServiceUnavailable || err != nil || time.Now().After(deadline) {
				t.Fatalf("post %d events: %d %s", n, status, answer)
			}
			<-time.After(time.Duration(seconds) * time.Second)
		}
		lines = lines[n:]
	}
}

// dial connects as the owner of the development tenant.
func (i *instance) dial(t *testing.T) *pgconn.PgConn {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), "postgres://demo:demo@"+i.c.PGAddr+"/demo?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// query runs statements and returns the rows of the last one as text, a line a
// row, values joined by bars.
func (i *instance) query(t *testing.T, sql string) string {
	t.Helper()
	text, err := i.tryQuery(t, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return text
}

func (i *instance) tryQuery(t *testing.T, sql string) (string, error) {
	t.Helper()
	conn := i.dial(t)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	results, err := conn.Exec(t.Context(), sql).ReadAll()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for n, row := range results[len(results)-1].Rows {
		if n > 0 {
			b.WriteByte('\n')
		}
		for c, v := range row {
			if c > 0 {
				b.WriteByte('|')
			}
			b.Write(v)
		}
	}
	return b.String(), nil
}

const (
	// visibleWithin bounds that on a busy machine.
	visibleWithin = time.Minute
	// askedEvery is the pause between two questions, which leaves the processor to the
	// stages that are waited for.
	askedEvery = 10 * time.Millisecond
)

// eventually runs the query until it gives want: events become visible within a
// second of their acknowledgement, and so does the table of a new metric; where
// other processes stage them it takes a cache's time longer.
func (i *instance) eventually(t *testing.T, sql, want string) {
	t.Helper()
	var got string
	var err error
	for deadline := time.Now().Add(visibleWithin); time.Now().Before(deadline); <-time.After(askedEvery) {
		if got, err = i.tryQuery(t, sql); err == nil && got == want {
			return
		}
	}
	t.Fatalf("%s:\n got %s, %v\nwant %s", sql, got, err, want)
}

// earthquakes are the lines of the demo feed.
func earthquakes(t *testing.T) []string {
	t.Helper()
	packed, err := os.ReadFile("../../deploy/demo/earthquakes.ndjson.gz")
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 1707 {
		t.Fatalf("%d lines, want 1707", len(lines))
	}
	return lines
}

// wantCode wants what a client did to have failed with an SQLSTATE.
func wantCode(t *testing.T, doing string, err error, code string) {
	t.Helper()
	if e := serverError(err); e == nil || e.Code != code {
		t.Errorf("%s: %v, want SQLSTATE %s", doing, err, code)
	}
}

// serverError is the error a server sent, or nil.
func serverError(err error) *pgconn.PgError {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e
	}
	return nil
}
