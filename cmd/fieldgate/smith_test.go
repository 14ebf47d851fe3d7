package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// smithLog are the tables that sqlsmith writes its own log into.
const smithLog = `CREATE DATABASE smith_log`

var smithTables = []string{
	`CREATE TABLE instance (id bigserial, rev text, target text, hostname text, version text, seed text)`,
	`CREATE TABLE stat (id bigint, generated bigint, level float8, nodes float8, updated timestamptz, retries float8, impedance text)`,
	`CREATE TABLE error (id bigint, msg text, query text, sqlstate text)`,
}

// TestSmith sends the random queries of sqlsmith for FIELDGATE_SMITH seconds (make
// smith), prints how many ended how, and fails of an internal error; a crash ends the
// test's own process. sqlsmith logs into a real PostgreSQL.
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
	c := address(t, reference)
	log := dialURL(t, fmt.Sprintf("postgres://%s@%s:%d/smith_log?sslmode=disable", c.User, c.Host, c.Port))
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
	generated := ask(t, log, "SELECT coalesce(max(generated), 0) FROM stat")
	failed := ask(t, log, "SELECT count(*) FROM error")
	t.Logf("at least %s statements, %s with an error, by SQLSTATE:\n%s", generated, failed,
		ask(t, log, "SELECT sqlstate, count(*), min(msg) FROM error GROUP BY 1 ORDER BY 2 DESC"))
	if internal := ask(t, log, "SELECT msg, query FROM error WHERE sqlstate LIKE 'XX%' LIMIT 20"); internal != "" {
		t.Errorf("internal errors:\n%s", internal)
	}
	if generated == "0" {
		t.Errorf("nothing was generated: %s", out[max(0, len(out)-2000):])
	}
	ask(t, conn, "SELECT 1")
}
