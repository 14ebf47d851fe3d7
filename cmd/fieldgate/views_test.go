package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// viewStatements are about views over tables and views, and what can become of those.
const viewStatements = `
create table press (timestamp timestamptz, temp integer, site text, note varchar(10))
create view hot as select site, temp from press where temp > 15
create view hotter as select site, temp * 2 as dbl from hot where hot.temp > 16
create view notes (n) as select note from press
create view seen as select * from press
alter table press rename column temp to heat
select * from hot
select * from hotter
select * from seen
alter table press drop column note
alter table press drop column site
alter table press alter column heat type bigint
alter table press alter column note type varchar(5)
alter table press add column extra integer
alter table press alter column extra type text
select * from seen
drop table press
drop view hot
drop view hot, hotter, nope
create view hot as select 1 as one
alter view hot rename to warm
select * from hotter
create view hot as select 'another' as site, 1 as temp
select * from hotter
drop view hot
alter view warm rename column temp to t2
select * from warm
select temp from warm
select * from hotter
alter view warm rename column t2 to site
alter view warm rename column nope to x
alter table warm rename column t2 to t3
create view odd as select w.site, h.dbl from warm as w (site, x) join hotter h on h.site = w.site
alter view warm rename column site to place
select * from odd
select * from hotter
create or replace view warm as select site from press
create or replace view warm as select site as place, heat::text as t3 from press
create or replace view warm as select site as place, heat as t4 from press
create or replace view warm as select site as place, heat as t3, note from press where heat > 15
comment on view warm is 'w'
comment on column warm.place is 'where'
comment on column warm.nope is 'where'
comment on table warm is 'w'
comment on view press is 'p'
select attname, col_description(attrelid, attnum) from pg_attribute where attrelid = 'warm'::regclass order by attnum
select obj_description('warm'::regclass)
alter table press rename to presses
select * from warm
select * from odd
alter table presses drop column note cascade
select * from seen
drop view warm
drop view warm cascade
drop view if exists warm, hotter
create table tt (a integer)
drop view tt
drop table notes
create view tt as select 1
create or replace view tt as select 1
alter view tt rename to t9
alter view if exists nope rename to t9
alter table tt rename to presses
create view v1 as select a from tt
create view v2 as select a from v1
create view "V 3" as select a as "A b" from v2
create view v4 as select count(*) from tt
alter view v1 rename to v2
drop table tt
drop table tt, presses
drop table tt cascade
drop table presses cascade
create view nothing as select $1
create view nothing as select a, a from v1
create view v9 as select 'x' union select 'y' order by 1
select * from v9
drop view v9
`

// TestViewsAlike makes, changes and drops views as a real PostgreSQL does, with its
// errors, details, hints and notices.
func TestViewsAlike(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	ours := dialNoting(t, "postgres://demo:demo@"+i.c.PGAddr+"/demo?sslmode=disable")
	theirs := dialNoting(t, testdeps.OwnServer(t))
	theirs.outcome(t, `create schema alike_views`)
	theirs.outcome(t, `set search_path to alike_views; set timezone to 'UTC'`)
	insert := `insert into press values ('2026-01-01', 10, 'a', 'x'), ('2026-01-02', 20, 'b', 'y'), ('2026-01-03', 30, 'c', null)`
	for n, statement := range strings.Split(strings.TrimSpace(viewStatements), "\n") {
		got, want := ours.outcome(t, statement), theirs.outcome(t, statement)
		if got != want {
			t.Errorf("%s\n\tours       %s\n\tPostgreSQL %s", statement, got, want)
		}
		if n > 0 {
			continue
		}
		theirs.outcome(t, insert)
		i.post(t, []string{
			`{"metrictype":"press","timestamp":"2026-01-01T00:00:00Z","temp":10,"site":"a","note":"x"}`,
			`{"metrictype":"press","timestamp":"2026-01-02T00:00:00Z","temp":20,"site":"b","note":"y"}`,
			`{"metrictype":"press","timestamp":"2026-01-03T00:00:00Z","temp":30,"site":"c"}`,
		})
		i.eventually(t, `select count(*) from press`, "3")
	}
}

// noting is a connection that keeps its notices.
type noting struct {
	*pgconn.PgConn

	notices []*pgconn.Notice
}

func dialNoting(t *testing.T, dsn string) *noting {
	t.Helper()
	cfg, err := pgconn.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	n := &noting{}
	cfg.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) { n.notices = append(n.notices, notice) }
	if n.PgConn, err = pgconn.ConnectConfig(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close(context.WithoutCancel(t.Context())) })
	return n
}

// outcome runs a statement and says what came of it: notices, then the error, or rows
// in the order of their texts and the tag.
func (c *noting) outcome(t *testing.T, statement string) string {
	t.Helper()
	c.notices = nil
	results, err := c.Exec(t.Context(), statement).ReadAll()
	var b strings.Builder
	for _, n := range c.notices {
		fmt.Fprintf(&b, "%s %s (%s); ", n.Code, n.Message, n.Detail)
	}
	if e := serverError(err); e != nil {
		fmt.Fprintf(&b, "ERROR %s %s (%s) (%s)", e.Code, e.Message, e.Detail, e.Hint)
		return b.String()
	}
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	for _, r := range results {
		for _, f := range r.FieldDescriptions {
			b.WriteString(f.Name + "|")
		}
		var rows []string
		for _, row := range r.Rows {
			text := ""
			for _, cell := range row {
				text += cellText(cell) + "|"
			}
			rows = append(rows, text)
		}
		slices.Sort(rows)
		fmt.Fprintf(&b, " %q %s", rows, r.CommandTag)
	}
	return b.String()
}
