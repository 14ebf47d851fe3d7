package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// longToPlan is a statement that reads nothing and takes the engine most of a second
// to plan, since it looks for what the expressions have in common.
func longToPlan() string {
	e := "label"
	for i := range 200 {
		e = fmt.Sprintf("(%s || '%d')", e, i)
	}
	return "SELECT " + strings.Repeat(e+", ", 20) + "1 FROM planned"
}

// longToParse is a statement that takes the parser most of a second and is planned at
// once.
func longToParse() string {
	return "SELECT label FROM planned" + strings.Repeat(";", 500_000)
}

// TestCancelWhilePlanning stops statements that are being parsed or planned, by a
// CancelRequest and by statement_timeout, in both protocols: they end before they run.
func TestCancelWhilePlanning(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	url := "postgres://demo:demo@" + i.c.PGAddr + "/demo?sslmode=disable"
	ask(t, dialURL(t, url), "CREATE TABLE planned (label text)")
	statements := map[string]string{"planned": longToPlan(), "parsed": longToParse()}
	runs := map[string]func(conn *pgconn.PgConn, sql string) (columns int, err error){
		"simple": func(conn *pgconn.PgConn, sql string) (columns int, err error) {
			results := conn.Exec(t.Context(), sql)
			for results.NextResult() {
				columns += len(results.ResultReader().FieldDescriptions())
			}
			return columns, results.Close()
		},
		"extended": func(conn *pgconn.PgConn, sql string) (columns int, err error) {
			r := conn.ExecParams(t.Context(), sql, nil, nil, nil, nil).Read()
			return len(r.Rows), r.Err
		},
	}
	for protocol, run := range runs {
		for doing, sql := range statements {
			t.Run(protocol+", "+doing+", statement_timeout", func(t *testing.T) {
				t.Parallel()
				conn := dialURL(t, url)
				ask(t, conn, "SET statement_timeout = '20ms'")
				columns, err := run(conn, sql)
				expectCancelled(t, conn, columns, err, "timeout")
			})
			t.Run(protocol+", "+doing+", CancelRequest", func(t *testing.T) {
				t.Parallel()
				conn := dialURL(t, url)
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					columns, err := run(conn, sql)
					expectCancelled(t, conn, columns, err, "user request")
				}()
				for {
					if err := conn.CancelRequest(t.Context()); err != nil {
						t.Error(err)
					}
					select {
					case <-ended:
						return
					case <-time.After(20 * time.Millisecond):
					}
				}
			})
		}
	}
}

// expectCancelled says how a statement ended, if it did not as one that was cancelled
// while it was planned.
func expectCancelled(t *testing.T, conn *pgconn.PgConn, columns int, err error, why string) {
	t.Helper()
	if err == nil {
		t.Error("it ran to its end")
		return
	}
	if got := failure(err); !strings.Contains(got, "57014") || !strings.Contains(got, why) {
		t.Errorf("it ended with %s", got)
	}
	if columns > 0 {
		t.Errorf("it was planned to the end: it has %d columns", columns)
	}
	if conn.IsClosed() {
		t.Error("the session has ended with it")
	}
}
