package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// fdwQueries give the same through PostgreSQL's foreign tables as here.
var fdwQueries = []string{
	`select * from press order by timestamp`,
	`select count(*), sum(n), max(label) from press where timestamp > '2026-03-08T07:00:00Z'`,
	`select n, label from press where label like 'é%' or price < 10 and n is not null order by n`,
	`select a.n, b.label from press a join press b using (timestamp) where a.n > 0`,
	`select ok, count(*) from press group by ok order by ok`,
	`select n from press where n = any (array[1, 2]) order by n limit 1`,
	`select n from press where "when" = date '2026-03-08' and temperature > 20`,
}

// TestForeignTables reads Fieldgate's tables from a real PostgreSQL, by postgres_fdw
// and dblink.
func TestForeignTables(t *testing.T) {
	t.Parallel()
	reference := testdeps.OwnServer(t)
	w := startTwin(t)
	w.fillOurs(t)
	ours, theirs := dialURL(t, w.ours), dialURL(t, reference)
	c := address(t, w.ours)
	run := func(sql string) string { return ask(t, theirs, sql) }
	run(`create extension postgres_fdw; create extension dblink; create schema there; set timezone = 'UTC'`)
	run(fmt.Sprintf(`create server fieldgate foreign data wrapper postgres_fdw options (host '%s', port '%d', dbname '%s', fetch_size '2')`, c.Host, c.Port, c.Database))
	run(fmt.Sprintf(`create user mapping for current_user server fieldgate options (user '%s', password '%s')`, c.User, c.Password))
	run(`import foreign schema public from server fieldgate into there; set search_path = there, public`)
	for _, estimate := range []string{"false", "true"} {
		verb := "add"
		if estimate == "true" {
			verb = "set"
		}
		run(fmt.Sprintf(`alter server fieldgate options (%s use_remote_estimate '%s')`, verb, estimate))
		for _, sql := range fdwQueries {
			if got, want := run(sql), ask(t, ours, sql); got != want {
				t.Errorf("estimate %s, %s: %q, here %q", estimate, sql, got, want)
			}
		}
	}
	run(`begin isolation level serializable read only; select count(*) from press; savepoint a; select n from press; rollback to a; commit`)
	if plan := run(`explain (verbose, costs off) select count(*) from press where n > 0`); !strings.Contains(plan, "Remote SQL: SELECT count(*)") {
		t.Errorf("count(*) is not sent:\n%s", plan)
	}
	run(fmt.Sprintf(`select dblink_connect('c', 'host=%s port=%d dbname=%s user=%s password=''%s''')`, c.Host, c.Port, c.Database, c.User, c.Password))
	run(`select dblink_open('c', 'rows', 'select n, label from press order by timestamp')`)
	if got, want := run(`select * from dblink_fetch('c', 'rows', 2) as t(n int, label text)`), "1|it's \"hot\"\n-2147483648|é😀"; got != want {
		t.Errorf("dblink_fetch: %q, want %q", got, want)
	}
	run(`select dblink_close('c', 'rows'), dblink_disconnect('c')`)
}
