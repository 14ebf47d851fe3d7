package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// TestCorpus asks this server and a real PostgreSQL 15 the same queries over the
// same tables, and compares the text of every value, the order of rows where the
// query orders them, names and types of columns, and SQLSTATEs. A query that this
// server refuses has the refusal's whole message in the file.
func TestCorpus(t *testing.T) {
	t.Parallel()
	theirs := fillPostgres(t, testdeps.Server(t))
	i := start(t, t.TempDir())
	ours := "postgres://demo:demo@" + i.c.PGAddr + "/demo?sslmode=disable"
	fillServer(t, i)
	counts := map[string]int{}
	for _, path := range slices.Concat(corpusFiles(t, "queries"), corpusFiles(t, "literals")) {
		name := strings.TrimSuffix(strings.TrimPrefix(path, corpusFolder+"/"), ".sql")
		t.Run(name, func(t *testing.T) {
			c := &corpusRun{ours: connectTo(t, ours), theirs: connectTo(t, theirs)}
			queries := readCorpus(t, path)
			for n := range queries {
				counts[c.compare(t, &queries[n])]++
			}
			if *rewriteRefusals {
				writeCorpus(t, path, queries)
			}
		})
	}
	t.Logf("%d the same, %d refused, %d different", counts[verdictSame], counts[verdictRefused], counts[verdictDifferent])
}

func connectTo(t *testing.T, dsn string) *pgconn.PgConn {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) }) // nobody asks it any more
	return conn
}

// corpusRun goes through one file on one session of each server.
type corpusRun struct {
	ours, theirs *pgconn.PgConn
}

// both runs what has to succeed on both servers.
func (c *corpusRun) both(t *testing.T, sql string) {
	t.Helper()
	for _, conn := range []*pgconn.PgConn{c.ours, c.theirs} {
		if _, err := conn.Exec(t.Context(), sql).ReadAll(); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// compare says how the answers to a query differ. What is refused otherwise than
// the file says is an error, unless the file is to be rewritten.
func (c *corpusRun) compare(t *testing.T, q *corpusQuery) string {
	t.Helper()
	for _, sql := range q.settings {
		c.both(t, sql)
	}
	want, got := askCorpus(t, c.theirs, q), askCorpus(t, c.ours, q)
	listed := q.refusal
	q.refusal = ""
	switch {
	case got.code == want.code && (got.code != "" || sameText(got.text, want.text, q.near)):
		if listed != "" {
			t.Logf("%s: no longer refused: %s", q.place, q.sql)
		}
		return verdictSame
	case got.code == pgerrcode.FeatureNotSupported:
		q.refusal = got.text
		if listed != got.text && !*rewriteRefusals {
			t.Errorf("%s: %s\n-- refused: %s", q.place, q.sql, got.text)
		}
		return verdictRefused
	}
	t.Errorf("%s: %s\nPostgreSQL: %s\n%s\nthis server: %s\n%s", q.place, q.sql,
		want.code, linesNotIn(want.text, got.text), got.code, linesNotIn(got.text, want.text))
	return verdictDifferent
}

// sameText compares answers cell by cell. near allows floats to differ by what the
// order of summing makes: one part in 10^12.
func sameText(a, b string, near bool) bool {
	if a == b || !near {
		return a == b
	}
	separators := func(r rune) bool { return r == '\n' || r == '|' }
	x, y := strings.FieldsFunc(a, separators), strings.FieldsFunc(b, separators)
	return slices.EqualFunc(x, y, func(a, b string) bool {
		f, err := strconv.ParseFloat(a, 64)
		g, err2 := strconv.ParseFloat(b, 64)
		return a == b || err == nil && err2 == nil && math.Abs(f-g) <= 1e-12*math.Abs(g)
	})
}

// linesNotIn are the lines of a that b does not have at the same place.
func linesNotIn(a, b string) string {
	others := strings.Split(b, "\n")
	var out []string
	for i, line := range strings.Split(a, "\n") {
		if i >= len(others) || line != others[i] {
			out = append(out, fmt.Sprintf("%4d %s", i, line))
		}
	}
	return strings.Join(out, "\n")
}

// corpusAnswer is an error's code and message, or a result: names and types of the
// columns, then the rows.
type corpusAnswer struct {
	code, text string
}

// askCorpus asks one server. Without an ORDER BY the rows are sorted.
func askCorpus(t *testing.T, conn *pgconn.PgConn, q *corpusQuery) corpusAnswer {
	t.Helper()
	result := conn.ExecParams(t.Context(), q.sql, q.params, nil, nil, nil).Read()
	if e := serverError(result.Err); e != nil {
		return corpusAnswer{e.Code, e.Message}
	}
	if result.Err != nil {
		t.Fatalf("%s: %v", q.sql, result.Err)
	}
	lines := make([]string, len(result.Rows))
	for i, row := range result.Rows {
		lines[i] = corpusLine(row)
	}
	if !q.ordered() {
		slices.Sort(lines)
	}
	columns := make([]string, len(result.FieldDescriptions))
	for i, f := range result.FieldDescriptions {
		columns[i] = fmt.Sprintf("%s %d", f.Name, f.DataTypeOID)
	}
	return corpusAnswer{text: strings.Join(append([]string{strings.Join(columns, "|")}, lines...), "\n")}
}

func corpusLine(row [][]byte) string {
	cells := make([]string, len(row))
	for i, v := range row {
		cells[i] = `\N`
		if v != nil {
			cells[i] = string(bytes.ReplaceAll(v, []byte("\n"), []byte(`\n`)))
		}
	}
	return strings.Join(cells, "|")
}
