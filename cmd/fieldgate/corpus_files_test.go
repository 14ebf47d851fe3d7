package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// corpusFolder has the tables of the corpus, their rows as events, and its queries,
// a file a topic; in a folder of their own those that differ from others in their
// literals alone.
const corpusFolder = "testdata/corpus"

// corpusQuery is one query of a file. Lines before it, which begin with two
// dashes, say more of it:
//
//	-- row: WORDS         the difference between PostgreSQL and DuckDB that it and the next ones are about
//	-- set: SQL           run before it on both servers, for the rest of the file
//	-- with: V | V | \N   its parameters
//	-- near: REASON       floats may differ in their last digits
//	-- refused: MESSAGE   this server refuses it with 0A000
type corpusQuery struct {
	sql      string
	place    string
	row      string
	near     bool
	refusal  string
	settings []string
	params   [][]byte
	notes    []string // all but the refusal, as they stand in the file
}

// rewriteRefusals writes the refusals of this run into the files.
var rewriteRefusals = flag.Bool("rewrite-refusals", false, "write into the corpus what this server refuses")

func corpusFiles(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(corpusFolder + "/" + folder + "/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

// readCorpus reads a file. A query ends with a semicolon at the end of a line.
func readCorpus(t *testing.T, path string) []corpusQuery {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []corpusQuery
	q := corpusQuery{}
	for number, line := range strings.Split(string(text), "\n") {
		note, isNote := strings.CutPrefix(line, "-- ")
		switch {
		case q.sql != "":
			q.sql += "\n" + line
		case isNote:
			q.note(t, note)
		default:
			q.sql, q.place = line, fmt.Sprintf("%s:%d", filepath.Base(path), number+1)
		}
		if sql, ended := strings.CutSuffix(q.sql, ";"); ended {
			q.sql = sql
			out = append(out, q)
			q = corpusQuery{row: q.row}
		}
	}
	if q.sql != "" {
		t.Fatalf("%s: the last query has no end", q.place)
	}
	return out
}

func (q *corpusQuery) note(t *testing.T, note string) {
	t.Helper()
	kind, value, _ := strings.Cut(note, ": ")
	if kind != "refused" {
		q.notes = append(q.notes, note)
	}
	switch kind {
	case "row":
		q.row = value
	case "set":
		q.settings = append(q.settings, value)
	case "near":
		q.near = true
	case "refused":
		q.refusal = value
	case "with":
		for v := range strings.SplitSeq(value, " | ") {
			if v == `\N` {
				q.params = append(q.params, nil)
				continue
			}
			q.params = append(q.params, []byte(v))
		}
	default:
		t.Fatalf("%q is no note", note)
	}
}

// writeCorpus writes the queries as readCorpus reads them.
func writeCorpus(t *testing.T, path string, queries []corpusQuery) {
	t.Helper()
	var b strings.Builder
	for _, q := range queries {
		for _, note := range q.notes {
			fmt.Fprintf(&b, "-- %s\n", note)
		}
		if q.refusal != "" {
			fmt.Fprintf(&b, "-- refused: %s\n", q.refusal)
		}
		fmt.Fprintf(&b, "%s;\n", q.sql)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ordered says whether the query orders its rows.
func (q *corpusQuery) ordered() bool {
	tree, err := pgquery.Parse(q.sql)
	return err == nil && len(tree.Stmts) == 1 && len(tree.Stmts[0].Stmt.GetSelectStmt().GetSortClause()) > 0
}

// corpusRows are the events of the corpus, by table.
func corpusRows(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(corpusFolder + "/rows.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		var event struct{ MetricType string }
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		rows[event.MetricType] = append(rows[event.MetricType], line)
	}
	return rows
}

func corpusTables(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(corpusFolder + "/tables.sql")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fillServer declares the tables and posts the events.
func fillServer(t *testing.T, i *instance) {
	t.Helper()
	i.query(t, corpusTables(t))
	for table, rows := range corpusRows(t) {
		i.post(t, rows)
		i.eventually(t, "SELECT count(*) FROM "+table, fmt.Sprint(len(rows)))
	}
}

// fillPostgres makes the tables in a database of their own, and gives their columns
// the texts of the events' members.
func fillPostgres(t *testing.T, dsn string) (own string) {
	t.Helper()
	server, err := pgconn.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	database := fmt.Sprintf("corpus_%d", os.Getpid())
	administer(t, dsn, "CREATE DATABASE "+database)
	t.Cleanup(func() { administer(t, dsn, "DROP DATABASE "+database+" WITH (FORCE)") })
	own = fmt.Sprintf("postgres://%s@%s:%d/%s?sslmode=disable", server.User, server.Host, server.Port, database)
	conn := connectTo(t, own)
	run := func(sql string) [][][]byte {
		results, err := conn.Exec(t.Context(), sql).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return results[len(results)-1].Rows
	}
	run(corpusTables(t))
	for table, rows := range corpusRows(t) {
		columns := run(`SELECT string_agg(format('CAST(e->>%L AS %s)', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
			FROM pg_attribute WHERE attnum > 0 AND attrelid = '` + table + `'::regclass`)
		insert := fmt.Sprintf("INSERT INTO %s SELECT %s FROM (SELECT $1::json AS e) s", table, columns[0][0])
		for _, row := range rows {
			if err := conn.ExecParams(t.Context(), insert, [][]byte{[]byte(row)}, nil, nil, nil).Read().Err; err != nil {
				t.Fatalf("%s: %v", row, err)
			}
		}
	}
	return own
}

// administer runs one statement on a connection of its own. It works when the test
// is over, too.
func administer(t *testing.T, dsn, sql string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgconn.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql).ReadAll(); err != nil {
		t.Errorf("%s: %v", sql, err)
	}
}
