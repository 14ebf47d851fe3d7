package duckdb

import (
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// standardSeparators may stand in a template of datetime(), as the SQL standard has it.
const standardSeparators = "-./,':; "

// readTemplated reads a string by a template, which it has to match to the character, as
// the type that the template's fields make (parse_datetime in formatting.c).
func readTemplated(text, template string) (*pathMoment, error) {
	nodes, err := parseTemplate(template)
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		if n.field == "" && !n.quoted && !strings.Contains(standardSeparators, n.written) {
			return nil, errorf(pgerrcode.InvalidDatetimeFormat, "invalid datetime format separator: %q", n.written)
		}
	}
	m := &pathMoment{}
	if m.oid, err = typeOfTemplate(nodes); err != nil {
		return nil, err
	}
	r := &dateReader{text: text, in: text, fixed: true, standard: true}
	read := 0
	for ; read < len(nodes) && r.in != ""; read++ {
		if err := r.node(nodes, read); err != nil {
			return nil, err
		}
	}
	switch zoned := m.oid == postgres.TimeTZOID || m.oid == postgres.TimestampTZOID; {
	case read < len(nodes):
		return nil, errorf(pgerrcode.InvalidDatetimeFormat, "input string is too short for datetime format")
	case strings.TrimLeft(r.in, " \t\n\r\v\f") != "":
		return nil, errorf(pgerrcode.InvalidDatetimeFormat, "trailing characters remain in input string after datetime format")
	case zoned && r.zoneSign == 0:
		t, _ := postgres.TypeByOID(m.oid)
		return nil, errorf(pgerrcode.InvalidDatetimeFormat, "missing time zone in input string for type %s", t.Name)
	}
	at, err := r.moment()
	if err != nil {
		return nil, err
	}
	if r.rounded > 1 {
		at = roundTo(at, r.rounded)
	}
	m.zone = int(r.zoneSign * (r.zoneHour*60 + r.zoneMinute) * 60)
	switch m.oid {
	case postgres.DateOID:
		m.at = floorDiv(at, microsPerDay)
	case postgres.TimeOID, postgres.TimeTZOID:
		m.at = floorMod(at+int64(m.zone)*microsPerSecond, microsPerDay)
	default:
		m.at = at
	}
	return m, nil
}

// typeOfTemplate is the type whose parts a template has.
func typeOfTemplate(nodes []templateNode) (postgres.OID, error) {
	dated, timed, zoned := false, false, false
	for _, n := range nodes {
		switch n.field {
		case "", "FX":
		case "TZH", "TZM", "TZ", "OF":
			zoned = true
		case "A.M.", "AM", "P.M.", "PM", "HH24", "HH12", "HH", "MI", "MS", "US", "SS", "SSSS", "SSSSS", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6":
			timed = true
		default:
			dated = true
		}
	}
	switch {
	case dated && timed && zoned:
		return postgres.TimestampTZOID, nil
	case dated && timed:
		return postgres.TimestampOID, nil
	case dated && zoned:
		return 0, errorf(pgerrcode.InvalidDatetimeFormat, "datetime format is zoned but not timed")
	case dated:
		return postgres.DateOID, nil
	case timed && zoned:
		return postgres.TimeTZOID, nil
	case timed:
		return postgres.TimeOID, nil
	}
	return 0, errorf(pgerrcode.InvalidDatetimeFormat, "datetime format is not dated and not timed")
}
