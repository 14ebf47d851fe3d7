package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// smithLog are the tables that sqlsmith writes its own log into.
const smithLog = `CREATE DATABASE smith_log`

var smithTables = []string{
	`CREATE TABLE instance (id bigserial, rev text, target text, hostname text, version text, seed text)`,
	`CREATE TABLE stat (id bigint, generated bigint, level float8, nodes float8, updated timestamptz, retries float8, impedance text)`,
	`CREATE TABLE error (id bigint, msg text, query text, sqlstate text)`,
}

// smithRelations is the SQL that makes tables of the relations that this server alone has.
const smithRelations = `SELECT string_agg(sql, '; ' ORDER BY place) FROM (
	SELECT format('CREATE SCHEMA %I', nspname) AS sql, 1 AS place FROM pg_namespace WHERE nspname IN ('fieldgate', 'errors')
	UNION ALL
	SELECT format('CREATE TABLE %I.%I (%s)', nspname, relname, string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)), 2
	FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
	WHERE nspname IN ('fieldgate', 'errors') AND relkind IN ('r', 'v') AND attnum > 0 GROUP BY nspname, relname) s`

// smithWorld is a database of the real PostgreSQL with the tenant's tables.
const smithWorld = `CREATE DATABASE smith_world`

// TestSmith sends the random queries of sqlsmith for FIELDGATE_SMITH seconds (make
// smith), prints how many ended how, and asks a real PostgreSQL with the same tables
// those that ended with an error: what that answers may be refused with 0A000 and
// with nothing else. An internal error fails; a crash ends the test's own process.
// sqlsmith logs into the real PostgreSQL.
func TestSmith(t *testing.T) {
	t.Parallel()
	seconds, _ := strconv.Atoi(os.Getenv("FIELDGATE_SMITH"))
	if seconds == 0 {
		return
	}
	smith := testdeps.SQLSmith(t)
	reference := testdeps.Server(t)
	i := start(t, t.TempDir())
	tables, err := os.ReadFile("testdata/corpus/tables.sql")
	if err != nil {
		t.Fatal(err)
	}
	conn := i.connect(t, "demo", "smith")
	for sql := range strings.SplitSeq(string(tables), ";") {
		ask(t, conn, sql+"; SELECT 1")
	}
	ask(t, dialURL(t, reference), smithLog)
	ask(t, dialURL(t, reference), smithWorld)
	c := address(t, reference)
	database := func(name string) *pgconn.PgConn {
		return dialURL(t, fmt.Sprintf("postgres://%s@%s:%d/%s?sslmode=disable", c.User, c.Host, c.Port, name))
	}
	log, world := database("smith_log"), database("smith_world")
	for sql := range strings.SplitSeq(string(tables), ";") {
		ask(t, world, sql)
	}
	ask(t, world, ask(t, conn, smithRelations))
	for _, sql := range smithTables {
		ask(t, log, sql)
	}
	host, port, err := net.SplitHostPort(i.c.PGAddr)
	if err != nil {
		t.Fatal(err)
	}
	// It first asks for the parameters of each function; the time counts from there.
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(seconds)*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, smith, fmt.Sprintf("--target=host=%s port=%s user=demo password=demo dbname=demo options='-c statement_timeout=10s'", host, port),
		fmt.Sprintf("--log-to=host=%s port=%d user=%s dbname=smith_log", c.Host, c.Port, c.User), "--verbose")
	out, err := cmd.CombinedOutput()
	if err != nil && ctx.Err() == nil {
		t.Fatalf("sqlsmith: %v\n%s", err, out[max(0, len(out)-2000):])
	}
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Fatal(ctx.Err())
	}
	run, clean := smithMarks(string(out))
	t.Logf("%d statements, %d of them without an error, the others by SQLSTATE:\n%s", run, clean,
		ask(t, log, "SELECT sqlstate, count(*), min(msg) FROM error GROUP BY 1 ORDER BY 2 DESC"))
	t.Logf("the commonest refusals:\n%s", ask(t, log, "SELECT count(*), split_part(msg, E'\\n', 1) FROM error WHERE sqlstate = '0A000' GROUP BY 2 ORDER BY 1 DESC LIMIT 20"))
	if internal := ask(t, log, "SELECT msg, query FROM error WHERE sqlstate LIKE 'XX%' LIMIT 20"); internal != "" {
		t.Errorf("internal errors:\n%s", internal)
	}
	t.Logf("what PostgreSQL says of the statements that ended with an error here:\n%s", replaySmith(t, log, world))
	if run == 0 {
		t.Errorf("nothing was generated: %s", out[max(0, len(out)-2000):])
	}
	ask(t, conn, "SELECT 1")
}

// smithMarks counts the statements that sqlsmith says it ran, by a character for each
// on lines of nothing else, and those that ended without an error, by a dot.
func smithMarks(out string) (run, clean int) {
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); strings.Trim(line, ".eStcC") == "" {
			run += len(line)
			clean += strings.Count(line, ".")
		}
	}
	return run, clean
}

// smithOtherRows finds statements over rows that are not the same there: samples, what
// sessions do, and the relations that this server alone has, which are empty there. So
// nothing there may come to the expression that fails.
var smithOtherRows = regexp.MustCompile(`(?i)\btablesample\b|\b(?:fieldgate|errors)\.|\bpg_stat_`)

// replaySmith asks PostgreSQL the statements that ended with an error, and counts how
// they end there. What it answers must have been refused as a feature.
func replaySmith(t *testing.T, log, world *pgconn.PgConn) string {
	t.Helper()
	ask(t, world, "SET default_transaction_read_only = on; SET statement_timeout = '5s'; SELECT 1")
	result := log.ExecParams(t.Context(), "SELECT DISTINCT ON (query) sqlstate, query, msg FROM error", nil, nil, nil, nil).Read()
	if result.Err != nil {
		t.Fatal(result.Err)
	}
	counts, classes := map[string]int{}, map[string]*smithClass{}
	for _, row := range result.Rows {
		code, query, msg := string(row[0]), string(row[1]), string(row[2])
		_, err := world.Exec(t.Context(), query).ReadAll()
		switch e := serverError(err); {
		case err == nil && code == pgerrcode.FeatureNotSupported:
			counts["answered there, 0A000 here"]++
		case err == nil && code == pgerrcode.QueryCanceled:
			counts["answered there, too slow here"]++
		case err == nil && smithOtherRows.MatchString(query):
			counts["answered there of other rows, another error here"]++
		case err == nil:
			counts["answered there, another error here"]++
			t.Errorf("PostgreSQL answers what ended with %s here: %s\n%s", code, msg, query)
		case e != nil && e.Code == code:
			counts["the same SQLSTATE"]++
		case e != nil && code == pgerrcode.FeatureNotSupported:
			counts["another error there, 0A000 here"]++
		default:
			counts["different SQLSTATEs"]++
		}
		if e := serverError(err); e != nil && e.Code != code {
			noteSmith(classes, fmt.Sprintf("there %s %s, here %s %s", e.Code, smithShape(e.Message), code, smithShape(msg)), query)
		} else if err == nil {
			noteSmith(classes, fmt.Sprintf("answered there, here %s %s", code, smithShape(msg)), query)
		}
	}
	for _, what := range slices.SortedFunc(maps.Keys(classes), func(a, b string) int { return classes[b].count - classes[a].count }) {
		t.Logf("%6d %s\n%s", classes[what].count, what, classes[what].shortest)
	}
	var lines []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		lines = append(lines, fmt.Sprintf("%6d %s", counts[what], what))
	}
	return strings.Join(lines, "\n")
}

// smithClass are statements that end in the same two ways.
type smithClass struct {
	count    int
	shortest string
}

func noteSmith(classes map[string]*smithClass, what, query string) {
	c := classes[what]
	if c == nil {
		c = &smithClass{shortest: query}
		classes[what] = c
	}
	c.count++
	if len(query) < len(c.shortest) {
		c.shortest = query
	}
}

// smithValue is what differs between messages of one kind.
var smithValue = regexp.MustCompile(`"[^"]*"|'[^']*'|[0-9]+|\(.*\)`)

// smithShape is the first line of a message without its values.
func smithShape(msg string) string {
	line, _, _ := strings.Cut(msg, "\n")
	return smithValue.ReplaceAllString(line, "…")
}
