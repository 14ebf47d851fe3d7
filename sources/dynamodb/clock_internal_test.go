package dynamodb

import (
	"testing"
	"time"
)

func parse(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMicro()
}

// TestWeekByTheClock: with two weeks of retention, which weeks have a table and
// take rows, and when one goes.
func TestWeekByTheClock(t *testing.T) {
	t.Parallel()
	tables := &Tables{cfg: Config{Retention: 2}}
	for _, c := range []struct {
		now, of string
		takes   bool
	}{
		{"2026-11-25T12:00:00Z", "2026-12-07T00:00:00Z", false}, // two ahead
		{"2026-11-25T12:00:00Z", "2026-12-06T23:59:59Z", true},  // one ahead
		{"2026-11-25T12:00:00Z", "2026-11-09T00:00:00Z", true},  // two ago
		{"2026-11-25T12:00:00Z", "2026-11-08T23:59:59Z", false},
		{"2026-11-28T23:59:59Z", "2026-11-09T00:00:00Z", true}, // it may be dropped on the 30th
		{"2026-11-29T00:00:00Z", "2026-11-09T00:00:00Z", false},
		{"2027-01-03T23:59:59Z", "2027-01-10T23:59:59Z", true}, // week 53, and the first of 2027
		{"2027-01-03T23:59:59Z", "2027-01-11T00:00:00Z", false},
	} {
		if got := tables.takesRows(weekOf(parse(t, c.of)), time.UnixMicro(parse(t, c.now))); got != c.takes {
			t.Errorf("at %s rows of %s go into a week's table: %v, want %v", c.now, c.of, got, c.takes)
		}
	}
	if at := tables.dropsAt(weekOf(parse(t, "2026-11-09T00:00:00Z"))); at.UnixMicro() != parse(t, "2026-11-30T00:00:00Z") {
		t.Errorf("the week of 9 November goes on %s", at.UTC())
	}
}
