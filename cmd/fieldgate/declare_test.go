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
