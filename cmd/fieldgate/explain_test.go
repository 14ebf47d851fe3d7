package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"gopkg.in/yaml.v3"
)

// explainStatements are taken here as by PostgreSQL, or refused alike.
var explainStatements = []string{
	`EXPLAIN SELECT 1`, `EXPLAIN ANALYZE SELECT 1`, `EXPLAIN VERBOSE SELECT 1`, `EXPLAIN ANALYZE VERBOSE VALUES (1), (2)`,
	`EXPLAIN (ANALYZE, VERBOSE, COSTS, SETTINGS, BUFFERS, WAL, TIMING, SUMMARY) SELECT n FROM press`,
	`EXPLAIN (ANALYZE off, VERBOSE 0, COSTS false, SETTINGS on, BUFFERS 1, SUMMARY TRUE) SELECT n FROM press`,
	`EXPLAIN (FORMAT json) SELECT 1`, `EXPLAIN (FORMAT XML) SELECT 1`, `EXPLAIN (FORMAT YAML) SELECT 1`, `EXPLAIN (FORMAT TEXT) SELECT 1`,
	`EXPLAIN (FORMAT html) SELECT 1`, `EXPLAIN (FORMAT 'JSON') SELECT 1`, `EXPLAIN (FORMAT) SELECT 1`, `EXPLAIN (NOPE) SELECT 1`, `EXPLAIN (GENERIC_PLAN) SELECT 1`,
	`EXPLAIN (WAL) SELECT 1`, `EXPLAIN (TIMING) SELECT 1`, `EXPLAIN (TIMING off) SELECT 1`, `EXPLAIN (WAL off) SELECT 1`,
	`EXPLAIN (COSTS maybe) SELECT 1`, `EXPLAIN (COSTS 2) SELECT 1`, `EXPLAIN (ANALYZE, ANALYZE off, WAL) SELECT 1`,
	`EXPLAIN (ANALYZE, TIMING off, SUMMARY off) SELECT 1`, `EXPLAIN (SETTINGS) SELECT 1`,
	`EXPLAIN SELECT nothing FROM press`, `EXPLAIN EXECUTE nothing`, `EXPLAIN EXPLAIN SELECT 1`, `EXPLAIN SET x = 1`,
	`PREPARE p(int) AS SELECT n FROM press WHERE n > $1`, `EXPLAIN EXECUTE p(1)`, `EXPLAIN (ANALYZE, FORMAT json) EXECUTE p(0)`, `EXPLAIN EXECUTE p`,
	`EXPLAIN DECLARE c CURSOR FOR SELECT n FROM press`, `EXPLAIN (ANALYZE) SELECT 1 / (n - 1) FROM press WHERE n = 1`,
}

// TestExplain gives EXPLAIN's options here and to PostgreSQL.
func TestExplain(t *testing.T) {
	t.Parallel()
	w := startFilledTwin(t)
	ours, theirs := dialURL(t, w.ours), dialURL(t, w.theirs)
	for _, sql := range explainStatements {
		if got, want := explainOutcome(t, ours, sql), explainOutcome(t, theirs, sql); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", sql, got, want)
		}
	}
	refused := explainOutcome(t, ours, `EXPLAIN INSERT INTO press (n) VALUES (1)`)
	if !strings.HasPrefix(refused, "0A000") {
		t.Errorf("EXPLAIN INSERT: %s", refused)
	}
}

// explainOutcome is how a statement ends and what its result looks like, whose plans
// are each server's own.
func explainOutcome(t *testing.T, conn *pgconn.PgConn, sql string) string {
	t.Helper()
	r := conn.ExecParams(t.Context(), sql, nil, nil, nil, nil).Read()
	var failed *pgconn.PgError
	switch {
	case errors.As(r.Err, &failed):
		return fmt.Sprint(failed.Code, " ", failed.Message, " at ", failed.Position)
	case r.Err != nil:
		t.Fatal(r.Err)
	}
	out := r.CommandTag.String()
	for _, f := range r.FieldDescriptions {
		out += fmt.Sprintf(" %s of type %d", f.Name, f.DataTypeOID)
	}
	for _, row := range r.Rows {
		for _, label := range []string{"Planning Time", "Execution Time"} {
			if strings.Contains(string(row[0]), label) {
				out += ", " + label
			}
		}
	}
	return out
}

// TestExplainFormats reads each format with a reader of its own, and wants the figures
// of what ran.
func TestExplainFormats(t *testing.T) {
	t.Parallel()
	w := startFilledTwin(t)
	conn := dialURL(t, w.ours)
	const options = `EXPLAIN (ANALYZE, VERBOSE, BUFFERS, WAL, SETTINGS, FORMAT %s) SELECT n, label FROM press p WHERE timestamp < '2026-06-01' AND label <> '<&"'`
	ask(t, conn, "SET enable_sort = off")
	type scan struct {
		Relation string `json:"Relation Name" yaml:"Relation Name" xml:"Relation-Name"`
		Alias    string `json:"Alias" yaml:"Alias" xml:"Alias"`
		Rows     int    `json:"Plan Rows" yaml:"Plan Rows" xml:"Plan-Rows"`
		To       string `json:"To" yaml:"To" xml:"To"`
	}
	type plan struct {
		Rows   int      `json:"Actual Rows" yaml:"Actual Rows" xml:"Actual-Rows"`
		Output []string `json:"Output" yaml:"Output" xml:"Output>Item"`
		Scans  []scan   `json:"Plans" yaml:"Plans" xml:"Plans>Plan"`
	}
	type statement struct {
		Plan      plan    `json:"Plan" yaml:"Plan" xml:"Plan"`
		SQL       string  `json:"Engine SQL" yaml:"Engine SQL" xml:"Engine-SQL"`
		Planning  float64 `json:"Planning Time" yaml:"Planning Time" xml:"Planning-Time"`
		Execution float64 `json:"Execution Time" yaml:"Execution Time" xml:"Execution-Time"`
	}
	const want = "2 rows of [n label] by [{press p 3 2026-05-31 23:59:59.999999+00}], quoted true, timed true"
	for format, read := range map[string]func(text string, into *[]statement) error{
		"json": func(text string, into *[]statement) error { return json.Unmarshal([]byte(text), into) },
		"yaml": func(text string, into *[]statement) error { return yaml.Unmarshal([]byte(text), into) },
		"xml": func(text string, into *[]statement) error {
			var explain struct {
				Query []statement `xml:"Query"`
			}
			err := xml.Unmarshal([]byte(text), &explain)
			*into = explain.Query
			return err
		},
	} {
		text := ask(t, conn, fmt.Sprintf(options, format))
		var found []statement
		if err := read(text, &found); err != nil || len(found) != 1 {
			t.Errorf("%s: %d statements, %v:\n%s", format, len(found), err, text)
			continue
		}
		s := found[0]
		got := fmt.Sprintf("%d rows of %v by %v, quoted %v, timed %v", s.Plan.Rows, s.Plan.Output, s.Plan.Scans,
			strings.Contains(s.SQL, `AS o1, `) && strings.Contains(s.SQL, "<>"), s.Planning > 0 && s.Execution > 0)
		if got != want {
			t.Errorf("%s: %s, want %s:\n%s", format, got, want, text)
		}
	}
	text := ask(t, conn, fmt.Sprintf(options, "text"))
	for _, line := range []string{"rows=2 loops=1)", "  Output: n, label", "  ->  Scan on press p  (cost=0.00..", "Time: - to 2026-05-31", "Settings: enable_sort = 'off'", "Engine: SELECT"} {
		if !strings.Contains(text, line) {
			t.Errorf("text lacks %q:\n%s", line, text)
		}
	}
}

// TestExplainEstimate reads the first line of EXPLAIN as postgres_fdw does with
// use_remote_estimate.
func TestExplainEstimate(t *testing.T) {
	t.Parallel()
	w := startTwin(t)
	w.fillOurs(t)
	conn := dialURL(t, w.ours)
	for _, c := range []struct {
		sql         string
		rows, width int
	}{
		{`SELECT n, label FROM press`, 3, 36},
		{`SELECT n FROM press LIMIT 2`, 2, 4},
		{`SELECT count(*) FROM press`, 1, 8},
		{`SELECT n FROM press UNION ALL VALUES (1), (2)`, 5, 4},
		{`SELECT p.n FROM press p JOIN (SELECT DISTINCT n FROM press) q USING (n) WHERE p.n > 0`, 3, 4},
		{`SELECT 1`, 1, 4},
	} {
		line, _, _ := strings.Cut(ask(t, conn, "EXPLAIN "+c.sql), "\n")
		var startup, total, rows float64
		var width int
		if _, err := fmt.Sscanf(line[strings.LastIndex(line, "("):], "(cost=%f..%f rows=%f width=%d)", &startup, &total, &rows, &width); err != nil {
			t.Errorf("%s: %v in %q", c.sql, err, line)
		} else if total < startup || int(rows) != c.rows || width != c.width {
			t.Errorf("%s: %q, want %d rows of %d bytes", c.sql, line, c.rows, c.width)
		}
	}
}
