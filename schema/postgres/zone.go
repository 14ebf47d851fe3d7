package postgres

import (
	"strings"
	"time"
	_ "time/tzdata" // zones must load on machines without a zone database

	"github.com/jackc/pgerrcode"
)

// ZoneAbbreviation is an entry of PostgreSQL's default set of time zone abbreviations: an offset, or the zone whose
// meaning of the abbreviation at the time in question counts.
type ZoneAbbreviation struct {
	Name   string
	Offset int // seconds east of UTC
	DST    bool
	Zone   string // empty if the offset is fixed
}

// ZoneAbbreviations are the abbreviations that date and time input knows. Not to be written to.
func ZoneAbbreviations() []ZoneAbbreviation { return zoneAbbreviationTable }

// ZoneNames are the names of the time zones PostgreSQL knows, sorted. Not to be written to.
func ZoneNames() []string { return zoneNameTable }

// LoadZone finds a time zone by its name in any case, or by a POSIX specification such as UTC+3 or CET-1CEST, where the
// offset is west of Greenwich. The error is 22023.
func LoadZone(name string) (*time.Location, error) {
	if canonical, ok := catalog().zoneNamesByLower[strings.ToLower(name)]; ok {
		if canonical == "UTC" {
			return time.UTC, nil
		}
		if loc, err := time.LoadLocation(canonical); err == nil {
			return loc, nil
		}
	}
	if loc, ok := posixZone(name); ok {
		return loc, nil
	}
	return nil, errorf(pgerrcode.InvalidParameterValue, `time zone "%s" not recognized`, name)
}

// zoneAt is a zone's offset east of UTC in seconds, and its abbreviation, at an instant in seconds since 1970.
func zoneAt(loc *time.Location, seconds int64) (offset int, abbreviation string) {
	if loc == nil || loc == time.UTC {
		return 0, "UTC"
	}
	abbreviation, offset = time.Unix(seconds, 0).In(loc).Zone()
	return offset, abbreviation
}

// offsetOfLocal is the offset of a zone at a local time, given in seconds since 1970 as if it were UTC. A time that a
// change of offset skips is taken by the offset before the change, one that it repeats by the offset after it.
func offsetOfLocal(loc *time.Location, local int64) int {
	if loc == nil || loc == time.UTC {
		return 0
	}
	dayBefore := time.Unix(local-secondsPerDay, 0).In(loc)
	_, before := dayBefore.Zone()
	_, change := dayBefore.ZoneBounds()
	if change.IsZero() {
		return before
	}
	_, after := change.Zone()
	boundary := change.Unix()
	beforeTime, afterTime := local-int64(before), local-int64(after)
	switch {
	case beforeTime < boundary && afterTime < boundary:
		return before
	case beforeTime > boundary && afterTime >= boundary:
		return after
	case beforeTime > afterTime:
		return before
	}
	return after
}

// abbreviationSteps bounds the search for the last use of an abbreviation; no zone has changed its offset more often.
const abbreviationSteps = 300

// offsetOfAbbreviation is what an abbreviation means in a zone at a local time: its meaning when the zone last used it
// before then, else when it first used it after, else the zone's own offset.
func offsetOfAbbreviation(loc *time.Location, abbreviation string, local int64) int {
	return offsetInUse(loc, abbreviation, local-int64(offsetOfLocal(loc, local)))
}

// OffsetAt is the abbreviation's offset east of UTC in seconds at an instant, in seconds since 1970.
func (a ZoneAbbreviation) OffsetAt(instant int64) (int, error) {
	if a.Zone == "" {
		return a.Offset, nil
	}
	loc, err := LoadZone(a.Zone)
	if err != nil {
		return 0, err
	}
	return offsetInUse(loc, a.Name, instant), nil
}

// OffsetOfLocal is the abbreviation's offset at a local time, in seconds since 1970 as if it were UTC.
func (a ZoneAbbreviation) OffsetOfLocal(local int64) (int, error) {
	if a.Zone == "" {
		return a.Offset, nil
	}
	loc, err := LoadZone(a.Zone)
	if err != nil {
		return 0, err
	}
	return offsetOfAbbreviation(loc, a.Name, local), nil
}

// offsetInUse is offsetOfAbbreviation at an instant.
func offsetInUse(loc *time.Location, abbreviation string, instant int64) int {
	abbreviation = strings.ToUpper(abbreviation)
	at := time.Unix(instant, 0).In(loc)
	_, own := at.Zone()
	for t, n := at, 0; n < abbreviationSteps; n++ {
		if name, offset := t.Zone(); strings.ToUpper(name) == abbreviation {
			return offset
		}
		start, _ := t.ZoneBounds()
		if start.IsZero() {
			break
		}
		t = start.Add(-time.Second)
	}
	for t, n := at, 0; n < abbreviationSteps; n++ {
		_, end := t.ZoneBounds()
		if end.IsZero() {
			break
		}
		t = end
		if name, offset := t.Zone(); strings.ToUpper(name) == abbreviation {
			return offset
		}
	}
	return own
}

// isFixedZone says whether a zone has one offset for all time.
func isFixedZone(loc *time.Location) bool {
	start, end := time.Unix(0, 0).In(loc).ZoneBounds()
	return start.IsZero() && end.IsZero()
}
