package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestDropCreateReload drops a table, sends and declares it again, and sends the
// former events again: a new generation knows nothing of the one before.
func TestDropCreateReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := start(t, dir)
	const first = `{"metrictype":"press","timestamp":"2026-01-01T00:00:00Z","_id":1,"temp":10}`
	const second = `{"metrictype":"press","timestamp":"2026-01-02T00:00:00Z","_id":2,"temp":20}`
	i.query(t, `create table press (temp integer)`)
	i.post(t, []string{first, second})
	i.eventually(t, `select count(*), sum(temp) from press`, "2|30")
	i.query(t, `select fieldgate.compact()`)

	i.query(t, `drop table press`)
	if _, err := i.tryQuery(t, `select * from press`); serverError(err) == nil || serverError(err).Code != "42P01" {
		t.Errorf("a dropped table: %v, want 42P01", err)
	}
	i.query(t, `create table press (temp integer)`)
	if got := i.query(t, `select count(*) from press`); got != "0" {
		t.Errorf("the new table has %s rows of the old one", got)
	}
	i.post(t, []string{first})
	i.eventually(t, `select count(*), sum(temp) from press`, "1|10")
	i.close(t)
	i = start(t, dir)
	i.post(t, []string{first, second})
	i.eventually(t, `select count(*), sum(temp) from press`, "2|30")
	i.query(t, `select fieldgate.compact()`)
	if got := i.query(t, `select count(*), sum(temp) from press`); got != "2|30" {
		t.Errorf("after compaction %s, want 2|30", got)
	}
}

// TestOneTextAmongNumbers sends a million numbers, prepares a statement, sends
// one text under the same name, and runs the statement again: types come from
// what is declared or was first seen, never from what came last.
func TestOneTextAmongNumbers(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	const rows, batch = 1_000_000, 500
	next := make(chan int)
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			var body strings.Builder
			for from := range next {
				body.Reset()
				for n := from; n < from+batch; n++ {
					fmt.Fprintf(&body, `{"timestamp":%d,"v":%d.5}`+"\n", 1_700_000_000_000+n, n%1000)
				}
				for !postBody(t.Context(), i.c, "numbers", body.String()) && t.Context().Err() == nil {
					continue // over its memory the server says 503 for a moment
				}
			}
		})
	}
	for from := 0; from < rows; from += batch {
		next <- from
	}
	close(next)
	writers.Wait()
	i.eventually(t, `select count(*) from numbers`, itoa(rows))

	conn, err := pgx.Connect(t.Context(), "postgres://demo:demo@"+i.c.PGAddr+"/demo?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	const sql = `select count(v), sum(v), max(v) from numbers where v < $1`
	ask := func(wantCount int64) {
		t.Helper()
		var count int64
		var sum, most float64
		if err := conn.QueryRow(t.Context(), sql, 1e6).Scan(&count, &sum, &most); err != nil {
			t.Fatal(err)
		}
		if count != wantCount || sum != rows*500 || most != 999.5 {
			t.Errorf("count %d, sum %v, max %v", count, sum, most)
		}
	}
	ask(rows)
	i.post(t, []string{`{"metrictype":"numbers","timestamp":1700000000000,"v":"broken sensor"}`})
	i.eventually(t, `select count(*) from numbers`, itoa(rows+1))
	ask(rows)
	i.query(t, `select fieldgate.compact()`)
	ask(rows)
	i.query(t, `create table numbers (v text)`)
	i.eventually(t, `select count(*) from numbers where v = 'broken sensor'`, "1")
}
