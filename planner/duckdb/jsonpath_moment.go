package duckdb

import (
	"cmp"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// pathMoment is what datetime() makes of a string.
type pathMoment struct {
	oid postgres.OID
	// at is in days since 1970 for a date, microseconds since midnight for a time, and since 1970 for a timestamp; with a
	// zone, seconds east of UTC, timestamps are instants.
	at   int64
	zone int
}

func (m *pathMoment) String() string {
	d := postgres.TimestampDatum(m.at)
	switch m.oid {
	case postgres.DateOID:
		d.Kind = postgres.DateKind
	case postgres.TimeOID:
		d.Kind = postgres.TimeKind
	case postgres.TimeTZOID:
		d.Kind, d.Zone = postgres.TimeTZKind, int32(m.zone)
	}
	return jsonTime(m.oid, d, time.FixedZone("", m.zone))
}

// pathMomentText are the forms of datetime() without a template.
var pathMomentText = regexp.MustCompile(`^ *(?:(\d+)-(\d+)-(\d+) *)?(?:([T ]?) *\+?(\d+):(\d+):(\d+)(?:\.(\d{1,6}))? *(?:([+ -])(\d+)(?::(\d+))?)? *)?$`)

// datetime reads a string as a date, a time or both.
func (r *pathRun) datetime(i *postgres.PathItem, v pathValue) (pathValue, error) {
	if v.kind() != "string" {
		return pathValue{}, r.fail(pgerrcode.InvalidArgumentForSQLJSONDatetimeFunction, "jsonpath item method .datetime() can only be applied to a string")
	}
	text := unquoteJSON(v.text)
	if i.Templated {
		m, err := readTemplated(text, i.Text)
		if err != nil && r.silent {
			err = errPathSilent
		}
		return pathValue{when: m}, err
	}
	if m, ok := readPathMoment(text); ok {
		return pathValue{when: m}, nil
	}
	err := r.fail(pgerrcode.InvalidArgumentForSQLJSONDatetimeFunction, "datetime format is not recognized: %q", text)
	if e := asError(err); e != nil && !r.silent {
		e.Hint = "Use a datetime template argument to specify the input data format."
		err = e
	}
	return pathValue{}, err
}

// The last whole years of a date and of a timestamp.
const (
	lastDateYear      = 5874896
	lastTimestampYear = 294275
)

// readPathMoment reads what is written like 2026-11-28, 2026-11-28 10:00:00+05:30 or 10:00:00.5.
func readPathMoment(text string) (m *pathMoment, ok bool) {
	parts := pathMomentText.FindStringSubmatch(text)
	if parts == nil {
		return nil, false
	}
	number := func(i, least, most int) int64 {
		n, err := strconv.Atoi(parts[i])
		if parts[i] == "" {
			return int64(least)
		}
		ok = ok && err == nil && n >= least && n <= most
		return int64(n)
	}
	ok = true
	hasDate, hasTime, hasZone := parts[1] != "", parts[5] != "", parts[9] != ""
	lastYear := lastDateYear
	if hasTime {
		lastYear = lastTimestampYear
	}
	year, month, day := number(1, 1, lastYear), number(2, 1, 12), number(3, 1, 31)
	hour, minute, second := number(5, 0, 23), number(6, 0, 59), number(7, 0, 59)
	zone := int(number(10, 0, 15)*3600 + number(11, 0, 59)*60)
	if parts[9] == "-" {
		zone = -zone
	}
	// A T or a space stands between a date and a time.
	if !ok || !hasDate && !hasTime || hasDate && hasTime && parts[4] == "" && !strings.Contains(parts[0], " ") || !hasDate && parts[4] == "T" ||
		day > daysInMonth(year, month) {
		return nil, false
	}
	micros := ((hour*60+minute)*60+second)*microsPerSecond + number(8, 0, microsPerSecond)*tenTo(6-len(parts[8])).Int64()
	m = &pathMoment{at: daysOf(year, month, day), zone: zone}
	switch {
	case !hasTime:
		m.oid = postgres.DateOID
	case !hasDate && hasZone:
		m.oid, m.at = postgres.TimeTZOID, micros
	case !hasDate:
		m.oid, m.at = postgres.TimeOID, micros
	default:
		m.oid, m.at = postgres.TimestampOID, m.at*microsPerDay+micros-int64(zone)*microsPerSecond
		if hasZone {
			m.oid = postgres.TimestampTZOID
		}
	}
	return m, true
}

// compareMoments compares what datetime() made; not ok: a time and a date do not compare.
func (r *pathRun) compareMoments(a, b *pathMoment) (sign int, ok bool, err error) {
	isTime := func(m *pathMoment) bool { return m.oid == postgres.TimeOID || m.oid == postgres.TimeTZOID }
	hasZone := func(m *pathMoment) bool { return m.oid == postgres.TimestampTZOID || m.oid == postgres.TimeTZOID }
	if isTime(a) != isTime(b) {
		return 0, false, nil
	}
	zoned := hasZone(a) || hasZone(b)
	if hasZone(a) != hasZone(b) && !r.zoned {
		from, to := a, b
		if hasZone(a) {
			from, to = b, a
		}
		e := errorf(pgerrcode.FeatureNotSupported, "cannot convert value from %s to %s without time zone usage", pathTypeName(from.oid), pathTypeName(to.oid))
		e.Hint = "Use *_tz() function for time zone support."
		return 0, false, e
	}
	x, zoneOfX := r.instant(a, zoned)
	y, zoneOfY := r.instant(b, zoned)
	if sign = cmp.Compare(x, y); sign == 0 && isTime(a) {
		sign = cmp.Compare(zoneOfY, zoneOfX)
	}
	return sign, true, nil
}

// pathTypeName is a type's name in the catalog.
func pathTypeName(oid postgres.OID) string {
	t, _ := postgres.TypeByOID(oid) // one of five
	return t.Name
}

// instant is a moment in microseconds, with zoned in UTC, and its zone.
func (r *pathRun) instant(m *pathMoment, zoned bool) (micros int64, zone int) {
	switch m.oid {
	case postgres.TimeOID:
		if zoned {
			_, zone = time.Now().In(r.zone).Zone()
		}
		return m.at - int64(zone)*microsPerSecond, zone
	case postgres.TimeTZOID:
		return m.at - int64(m.zone)*microsPerSecond, m.zone
	case postgres.DateOID:
		if m.at > math.MaxInt64/microsPerDay { // later than all timestamps
			return math.MaxInt64, 0
		}
		micros = m.at * microsPerDay
	default:
		micros = m.at
	}
	if zoned && m.oid != postgres.TimestampTZOID {
		micros = instantOf(micros, r.zone)
	}
	return micros, 0
}
