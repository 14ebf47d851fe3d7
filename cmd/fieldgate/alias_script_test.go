package main

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// aliasScript adds an alias, queries, removes it and queries, by statements that were
// prepared before, and changes what a prepared statement gives.
const aliasScript = `prepare heat as select coalesce(temp, -1) from press order by timestamp
execute heat
select fieldgate.add_alias('press', 'temp', 'temp_f', '(value - 32) * 5 / 9')
execute heat
select coalesce(temp, -1) from press order by timestamp
select fieldgate.drop_alias('press', 'temp', 'temp_f')
execute heat
select fieldgate.add_alias('press', 'presse')
execute heat
select fieldgate.drop_alias('press', 'presse')
execute heat
deallocate heat`

// TestAliasScript runs the script in one session of psql, over rows that are nearline
// and rows that are compacted: each statement sees what the one before declared.
func TestAliasScript(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query(t, `create table press (temp double precision)`)
	i.post(t, []string{
		`{"metrictype":"press","timestamp":1,"temp":10}`, `{"metrictype":"press","timestamp":2,"temp_f":212}`,
		`{"metrictype":"presse","timestamp":3,"temp":30}`,
	})
	i.eventually(t, `select (select count(*) from press), (select count(*) from presse)`, "2|1")
	// The six answers of the script, one after the other.
	const want = "10 -1 10 100 10 100 10 -1 10 -1 30 10 -1"
	commands := []string{`\pset tuples_only on`, `\pset format unaligned`}
	for line := range strings.Lines(aliasScript) {
		commands = append(commands, strings.TrimSpace(line))
	}
	for _, when := range []string{"nearline", "compacted"} {
		out := i.psql(t, commands...)
		var numbers []string
		for line := range strings.Lines(out) {
			if line = strings.TrimSpace(line); line != "" && strings.Trim(line, "-0123456789") == "" {
				numbers = append(numbers, line)
			}
		}
		if got := strings.Join(numbers, " "); got != want {
			t.Errorf("%s: %s, want %s; psql said\n%s", when, got, want, out)
		}
		i.query(t, `select fieldgate.compact()`)
	}
}

// TestChangedStatements has pgx's cache of prepared statements meet changes of the
// table: new sources are seen at once; where the row type changed the first use fails as
// PostgreSQL's does, and the next is prepared anew.
func TestChangedStatements(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query(t, `create table press (temp integer)`)
	i.post(t, []string{`{"metrictype":"press","timestamp":1,"t":10}`})
	i.eventually(t, `select count(*) from press`, "1")
	conn, err := pgx.Connect(t.Context(), "postgres://demo:demo@"+i.c.PGAddr+"/demo?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	ask := func() (string, string) {
		var text *string
		err := conn.QueryRow(t.Context(), `select temp::text from press where temp > $1 or temp is null`, 0).Scan(&text)
		star, starErr := conn.Query(t.Context(), `select * from press`)
		if starErr == nil {
			star.Close()
			starErr = star.Err()
		}
		code := "ok"
		if e := serverError(starErr); e != nil {
			code = e.Code + " " + e.Message
		}
		if err != nil || text == nil {
			return "NULL", code
		}
		return *text, code
	}
	const changed = "0A000 cached plan must not change result type"
	for _, step := range []struct{ change, text, star string }{
		{``, "NULL", "ok"},
		{`select fieldgate.add_alias('press', 'temp', 't')`, "10", "ok"},
		{`select fieldgate.set_conversion('press', 'temp', 't', 'value * 2')`, "20", "ok"},
		{`alter table press add column site text`, "20", changed},
		{`comment on column press.site is 'where'`, "20", "ok"},
		{`alter table press rename column site to place`, "20", changed},
		{`alter table press alter column place type varchar(3)`, "20", changed},
		{`alter table press drop column place`, "20", changed},
		{`select fieldgate.drop_alias('press', 'temp', 't')`, "NULL", "ok"},
	} {
		if step.change != "" {
			i.query(t, step.change)
		}
		if text, star := ask(); text != step.text || star != step.star {
			t.Errorf("after %s: %s and %s, want %s and %s", step.change, text, star, step.text, step.star)
		}
		if text, star := ask(); text != step.text || star != "ok" {
			t.Errorf("after %s, asked again: %s and %s", step.change, text, star)
		}
	}
}
