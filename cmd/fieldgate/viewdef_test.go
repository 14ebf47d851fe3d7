package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// TestViewDefinitions compares how a view's query is printed with how PostgreSQL prints
// it, for the queries of testdata/views/definitions.sql, one a line.
func TestViewDefinitions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/views/definitions.sql")
	if err != nil {
		t.Fatal(err)
	}
	w := &twin{instance: start(t, t.TempDir())}
	w.ours, w.theirs = "postgres://demo:demo@"+w.c.PGAddr+"/demo?sslmode=disable", ownDatabase(t, "fieldgate_viewdef")
	ours, theirs := dialNoting(t, w.ours), dialNoting(t, w.theirs)
	both := func(sql string) {
		t.Helper()
		if got, want := ours.outcome(t, sql), theirs.outcome(t, sql); got != want {
			t.Errorf("%s\n\tours       %s\n\tPostgreSQL %s", sql, got, want)
		}
	}
	for _, sql := range []string{
		`create table t (timestamp timestamptz, a integer, b text, n integer, d double precision, ts timestamptz, j jsonb, ok boolean, vc varchar(20))`,
		`create table "Odd T" (timestamp timestamptz, "Odd Col" integer, "select" text)`,
		`create view vw as select 1 as v`,
	} {
		both(sql)
	}
	for i, query := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		name := fmt.Sprintf("defined_%d", i)
		both("create view " + name + " as " + query)
		for _, call := range []string{
			"pg_get_viewdef('%s'::regclass)", "pg_get_viewdef('%s'::regclass, true)", "pg_get_viewdef('%s'::regclass, 60)", "pg_get_viewdef('%s', true)",
		} {
			both("select " + fmt.Sprintf(call, name))
		}
	}
	both(`select viewname, definition from pg_views where viewname like 'defined%'`)
	both(`select table_name, view_definition from information_schema.views where table_name like 'defined%'`)
	for _, sql := range []string{
		`alter table t rename to renamed`, `alter table renamed rename column n to "Second N"`, `alter view vw rename to vw2`, `alter view vw2 rename column v to w`,
	} {
		both(sql)
	}
	both(`select viewname, definition from pg_views where viewname like 'defined%'`)
	both(`set search_path to ''`)
	both(`select viewname, definition from pg_catalog.pg_views where viewname like 'defined%'`)
	psql := testdeps.Psql(t)
	for _, command := range []string{`\d+ defined_1`, `\sv defined_20`, `\sv+ defined_40`} {
		w.same(t, func(dsn string) *exec.Cmd {
			return exec.CommandContext(t.Context(), psql, "-X", "-P", "pager=off", "-d", dsn, "-c", command)
		})
	}
}

// ownDatabase makes an empty database in the real PostgreSQL, for one test.
func ownDatabase(t *testing.T, name string) string {
	t.Helper()
	server := testdeps.Server(t)
	admin := dialNoting(t, server)
	for _, sql := range []string{"drop database if exists " + name, "create database " + name} {
		admin.outcome(t, sql)
	}
	at := address(t, server)
	return fmt.Sprintf("postgres://%s@%s:%d/%s?sslmode=disable", at.User, at.Host, at.Port, name)
}
