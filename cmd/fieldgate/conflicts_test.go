package main

import (
	"fmt"
	"testing"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// conflictGap is what happens between two events of one identity.
type conflictGap struct {
	name string
	pass []func(t *testing.T, i *instance, adjust ...func(*config.Config)) *instance
}

func restartInstance(t *testing.T, i *instance, adjust ...func(*config.Config)) *instance {
	i.close(t)
	return start(t, i.c.DataDir, adjust...)
}

func compactInstance(t *testing.T, i *instance, _ ...func(*config.Config)) *instance {
	i.query(t, `select fieldgate.compact()`)
	return i
}

// TestConflicts sends A, another event B of A's identity, and A again, with a
// restart, a compaction, or both in that order, or nothing in between: A is the
// row, B the one error row, and the second A neither.
func TestConflicts(t *testing.T) {
	t.Parallel()
	type pass = []func(t *testing.T, i *instance, adjust ...func(*config.Config)) *instance
	gaps := []conflictGap{
		{"nothing", nil},
		{"restart", pass{restartInstance}},
		{"compaction", pass{compactInstance}},
		{"compaction, restart", pass{compactInstance, restartInstance}},
	}
	for _, first := range gaps {
		for _, second := range gaps {
			t.Run(first.name+"; "+second.name, func(t *testing.T) {
				t.Parallel()
				testConflicts(t, first, second)
			})
		}
	}
}

// testConflicts does so with two gaps, on servers that are adjusted.
func testConflicts(t *testing.T, first, second conflictGap, adjust ...func(*config.Config)) {
	t.Helper()
	event := func(metric string, v int) string {
		return fmt.Sprintf(`{"metrictype":%q,"timestamp":"2026-03-01T00:00:00Z","_id":"x","v":%d}`, metric, v)
	}
	i := start(t, t.TempDir(), adjust...)
	// One metric has 1, 2, 1 and the other 2, 1, 2.
	last := conflictGap{"", []func(*testing.T, *instance, ...func(*config.Config)) *instance{compactInstance, restartInstance}}
	for n, gap := range []conflictGap{first, second, last} {
		i.post(t, []string{event("rising", 1+n%2), event("falling", 2-n%2)})
		// Two requests may be staged at once, so each waits for the one before.
		i.eventually(t, `select count(*) from fieldgate.lag where stage in ('raw', 'staging') and records > 0`, "0")
		for _, pass := range gap.pass {
			i = pass(t, i, adjust...)
		}
	}
	for sql, want := range map[string]string{
		`select v from rising`:  "1",
		`select v from falling`: "2",
	} {
		if got := i.query(t, sql); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
	i.eventually(t, `select metric, kind, event from errors.stream order by metric`,
		`falling|conflict|{"_id":"x","metrictype":"falling","timestamp":"2026-03-01T00:00:00Z","v":1}`+"\n"+
			`rising|conflict|{"_id":"x","metrictype":"rising","timestamp":"2026-03-01T00:00:00Z","v":2}`)
}
