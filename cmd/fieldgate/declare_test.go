package main

import (
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// TestPsqlListsFunctions sees the functions of schema fieldgate as psql shows them.
func TestPsqlListsFunctions(t *testing.T) {
	t.Parallel()
	testdeps.Psql(t)
	i := start(t, t.TempDir())
	words := strings.Join(strings.Fields(i.psql(t, `\df+ fieldgate.*`)), " ")
	for _, want := range []string{
		"fieldgate | add_alias | void | metric text, alias text", "metric text, field text, sent_name text, conversion text DEFAULT NULL",
		"set_sources", "sources text[]", "Adds a sent name whose events belong to the table",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("\\df+ lacks %q:\n%s", want, words)
		}
	}
}

// TestDeviceGenerations reads a field whose unit depends on the device's firmware,
// in nearline and after compaction.
func TestDeviceGenerations(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.post(t, []string{
		`{"metrictype":"thermostat","timestamp":1,"temp":212,"fw_version":1}`,
		`{"metrictype":"thermostat","timestamp":2,"temp":21.5,"fw_version":2}`,
		`{"metrictype":"thermostat","timestamp":3,"temp":22}`,
	})
	i.eventually(t, `select count(*) from thermostat`, "3")
	i.query(t, `create table thermostat (temp double precision)`)
	i.query(t, `select fieldgate.set_conversion('thermostat', 'temp', 'temp',
		'CASE WHEN fw_version < 2 THEN (value - 32) * 5 / 9 ELSE value END')`)
	for range 2 {
		if got := i.query(t, `select temp from thermostat order by timestamp`); got != "100\n21.5\n22" {
			t.Errorf("temperatures %s", got)
		}
		i.query(t, `select fieldgate.compact()`)
	}
}

// TestUndo restores a dropped table with its rows, nearline and compacted, and says
// who did what.
func TestUndo(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query(t, `create table press (temp integer)`)
	version := i.query(t, `select version from fieldgate.schema_history where current`)
	i.post(t, []string{`{"metrictype":"press","timestamp":1,"temp":10}`})
	i.eventually(t, `select sum(temp) from press`, "10")
	i.query(t, `select fieldgate.compact()`)
	i.post(t, []string{`{"metrictype":"press","timestamp":2,"temp":20}`})
	i.eventually(t, `select sum(temp) from press`, "30")
	i.query(t, `alter table press rename column temp to heat`)
	i.query(t, `drop table press`)
	i.query(t, `select fieldgate.restore_schema(`+version+`)`)
	if got := i.query(t, `select sum(temp), count(*) from press`); got != "30|2" {
		t.Errorf("the restored table has %s", got)
	}
	i.query(t, `select fieldgate.compact()`)
	i.post(t, []string{`{"metrictype":"press","timestamp":3,"temp":30}`, `{"metrictype":"press","timestamp":2,"temp":20}`})
	i.eventually(t, `select sum(temp), count(*) from press`, "60|3")
	if got := i.query(t, `select changed_by, change from fieldgate.schema_history order by version desc limit 2`); got != "demo|restore version "+version+"\ndemo|drop metric press" {
		t.Errorf("history %s", got)
	}
	if _, err := i.tryQuery(t, `select fieldgate.restore_schema(999)`); serverError(err) == nil || serverError(err).Code != "42704" {
		t.Errorf("a version that never was: %v, want 42704", err)
	}
}

// TestViews lists and describes a view as psql does, and keeps it over a restart.
func TestViews(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := start(t, dir)
	i.query(t, `create table press (temp integer, site text)`)
	i.query(t, `create view hot (place, heat) as select site, temp from press where temp > 15`)
	i.query(t, `comment on view hot is 'the hot ones'`)
	i.post(t, []string{`{"metrictype":"press","timestamp":1,"temp":10,"site":"a"}`, `{"metrictype":"press","timestamp":2,"temp":20,"site":"b"}`})
	i.eventually(t, `select * from hot`, "b|20")
	i.query(t, `select fieldgate.compact()`)
	i.close(t)
	i = start(t, dir)
	if got := i.query(t, `select h.heat + 1, p.temp from hot h join press p on p.site = h.place`); got != "21|20" {
		t.Errorf("a join with a view gives %s", got)
	}
	for sql, want := range map[string]string{
		`select viewname, definition from pg_views where schemaname = 'public'`:                                            "hot| SELECT press.site AS place,\n    press.temp AS heat\n   FROM press\n  WHERE (press.temp > 15);",
		`select table_type from information_schema.tables where table_name = 'hot'`:                                        "VIEW",
		`select pg_get_viewdef('hot'::regclass)`:                                                                           " SELECT press.site AS place,\n    press.temp AS heat\n   FROM press\n  WHERE (press.temp > 15);",
		`select column_name, data_type from information_schema.columns where table_name = 'hot' order by ordinal_position`: "place|text\nheat|integer",
		`select obj_description('hot'::regclass)`:                                                                          "the hot ones",
	} {
		if got := i.query(t, sql); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
	if status, answer := i.request(t, "DELETE", "/v1/schema/metrics/press", ""); status != 409 || !strings.Contains(answer, `"sqlstate":"2BP01"`) {
		t.Errorf("a table that a view needs: %d %s", status, answer)
	}
}

// TestInspect looks at what sources disagree in, and at what an alias would do.
func TestInspect(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query(t, `create table press (temp double precision, site text)`)
	i.post(t, []string{
		`{"metrictype":"press","timestamp":1,"temp":10,"temp_f":50,"site":"a"}`, `{"metrictype":"press","timestamp":2,"temp":20,"temp_f":50,"_id":"x"}`,
		`{"metrictype":"press","timestamp":3,"temp_f":212}`, `{"metrictype":"press","timestamp":4,"temp_f":"hot"}`, `{"metrictype":"press","timestamp":5}`,
		`{"metrictype":"presse","timestamp":6,"temp":"warm","site":"b"}`, `{"metrictype":"presse","timestamp":7,"temp":7}`,
	})
	i.eventually(t, `select count(*) from press`, "5")
	i.eventually(t, `select count(*) from presse`, "2")
	const convert = `'(value - 32) * 5 / 9'`
	for range 2 {
		for sql, want := range map[string]string{
			`select * from fieldgate.preview_alias('press', 'temp', 'temp_f', ` + convert + `)`:    "4|1|1|1",
			`select rows, cast_failures from fieldgate.preview_alias('press', 'temp', 'temp_f') p`: "4|1",
			`select * from fieldgate.preview_alias(metric => 'press', alias => 'presse')`:          "2|1|2|0",
			`select count(*) from fieldgate.conflicts('press', 'temp')`:                            "0",
		} {
			if got := i.query(t, sql); got != want {
				t.Errorf("%s: %s, want %s", sql, got, want)
			}
		}
		i.query(t, `select fieldgate.compact()`)
	}
	i.query(t, `select fieldgate.add_alias('press', 'temp', 'temp_f', `+convert+`)`)
	if got := i.query(t, `select timestamp, id, sources, "values" from fieldgate.conflicts('press', 'temp')`); got != "1970-01-01 00:00:02+00|x|{temp,temp_f}|{20,10}" {
		t.Errorf("conflicts: %s", got)
	}
	for sql, code := range map[string]string{
		`select * from fieldgate.conflicts('nope', 'temp')`:                           "42P01",
		`select * from fieldgate.conflicts('press', 'nope')`:                          "42703",
		`select fieldgate.conflicts('press', 'temp')`:                                 "0A000",
		`select * from fieldgate.preview_alias('press', 'temp', 'x', 'value + nope')`: "42703",
		`select * from fieldgate.preview_alias('press', 'press')`:                     "42P07",
	} {
		if _, err := i.tryQuery(t, sql); serverError(err) == nil || serverError(err).Code != code {
			t.Errorf("%s: %v, want %s", sql, err, code)
		}
	}
}
