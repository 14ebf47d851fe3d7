package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// TestZeroInText sends texts and names with U+0000, which PostgreSQL does not have: such a text reads as NULL and
// is counted, wherever the event lies, and json alone keeps the escape.
func TestZeroInText(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := start(t, dir)
	wide := &strings.Builder{}
	for n := range 66 {
		fmt.Fprintf(wide, `,"f%d":%d`, n, n)
	}
	const cut = `"label":"cut\u0000off","other":"spare","doc":["x\u0000"]`
	i.post(t, []string{
		`{"metrictype":"tag","timestamp":1764000000,"odd\u0000name":5,` + cut + `}`,
		`{"metrictype":"tag","timestamp":1764000001,"label":"ok","other":"o","doc":["y"]}`,
		`{"metrictype":"tag","timestamp":1764000002,"label":"\u0000"}`,
		`{"metrictype":"typed","timestamp":1764000000,` + cut + `}`,
		`{"metrictype":"wide","timestamp":1764000000` + wide.String() + `,"rare":"r\u0000"}`,
		`{"metrictype":"wide","timestamp":1764000001` + wide.String() + `}`,
		`{"metrictype":"a\u0000b","timestamp":1764000000}`,
	})
	i.query(t, `create table typed (either text, doc json)`)
	i.query(t, `select fieldgate.add_alias('typed', 'either', 'label')`)
	i.query(t, `select fieldgate.add_alias('typed', 'either', 'other')`)
	check := func(i *instance) {
		t.Helper()
		for sql, want := range map[string]string{
			`select label, label is null, other from tag order by timestamp`:                    "|t|spare\nok|f|o\n|t|",
			`select count(*), count(label), max(label), string_agg(label, ',') from tag`:        "3|1|ok|ok",
			`select count(*) from tag where label >= 'cut' or label = 'cut' or label like 'c%'`: "1",
			`select timestamp is null, doc from tag order by timestamp`:                         "f|\nf|[\"y\"]\nf|",
			`select doc, either from typed`:                                                     `["x\u0000"]|spare`,
			`select rare, f65 from wide order by timestamp`:                                     "|65\n|65",
			`select reason from errors.stream`:                                                  `metric unreadable: "metrictype" has U+0000, which no name in SQL has`,
			`select sent_name, events, min, max from fieldgate.observed_fields where metric = 'tag' and sent_name in ('label', E'odd\\u0000name') order by 1`: "label|3|ok|ok\nodd\\u0000name|||",
			`select cast_failures from fieldgate.observed_fields where metric = 'typed' and sent_name = 'label'`:                                              "1",
			`select column_name from information_schema.columns where table_name = 'tag' and column_name like 'odd%'`:                                         "",
		} {
			i.eventually(t, sql, want)
		}
		dsn := "postgres://demo:demo@" + i.c.PGAddr + "/demo?sslmode=disable"
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := conn.Query(t.Context(), `select label from tag where timestamp >= $1 order by timestamp`, "2025-11-24")
		if err != nil {
			t.Fatal(err)
		}
		labels, err := pgx.CollectRows(rows, pgx.RowTo[*string])
		if err != nil || len(labels) != 3 || labels[0] != nil || labels[1] == nil || *labels[1] != "ok" || labels[2] != nil {
			t.Errorf("pgx reads %v, %v", labels, err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	check(i)
	i.query(t, `select fieldgate.compact()`)
	check(i)
	i.close(t)
	i = start(t, dir)
	check(i)
	out, err := exec.CommandContext(t.Context(), testdeps.Psql(t), "-XAt", "-P", "null=NULL",
		"-d", "postgres://demo:demo@"+i.c.PGAddr+"/demo?sslmode=disable", "-c", "select * from tag order by timestamp").CombinedOutput()
	if lines := strings.Split(string(out), "\n"); err != nil || len(lines) != 4 || !strings.Contains(lines[0], "|NULL|NULL|tag|spare") || strings.Contains(string(out), "cut") {
		t.Errorf("psql: %q, %v", out, err)
	}
}
