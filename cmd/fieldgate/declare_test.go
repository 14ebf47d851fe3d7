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
