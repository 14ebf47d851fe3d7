package postgres

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
