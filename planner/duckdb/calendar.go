package duckdb

import (
	"math"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// The limits of timestamps: 4714-11-24 BC and 294277-01-01, excluded
// (MIN_TIMESTAMP and END_TIMESTAMP in datatype/timestamp.h).
const (
	firstTimestamp = -210866803200000000
	endTimestamp   = 9224318016000000000
)

func isInfinite(t int64) bool {
	return t == postgres.TimestampInfinity || t == postgres.TimestampNegativeInfinity
}

func checkTimestamp(t int64) (int64, error) {
	if t < firstTimestamp || t == math.MaxInt64 {
		return 0, errTimestampRange()
	}
	return t, nil
}

// timestampOfDays checks that a day has timestamps.
func timestampOfDays(days, micros int64) (int64, error) {
	if days < firstTimestamp/microsPerDay || days >= math.MaxInt64/microsPerDay {
		return 0, errTimestampRange()
	}
	return days*microsPerDay + micros, nil
}

func errTimestampRange() error {
	return errorf(pgerrcode.DatetimeFieldOverflow, "timestamp out of range")
}

// localTime is an instant as local time of a zone.
func localTime(t int64, zone *time.Location) int64 {
	if isInfinite(t) {
		return t
	}
	_, offset := time.UnixMicro(t).In(zone).Zone()
	return t + int64(offset)*microsPerSecond
}

// instantOf is local time of a zone as an instant. Where clocks were put forward
// and the time does not exist, the offset before counts; where they were put
// back and it exists twice, the one after (DetermineTimeZoneOffset, datetime.c).
func instantOf(t int64, zone *time.Location) int64 {
	if isInfinite(t) {
		return t
	}
	offsetAt := func(t int64) int64 {
		_, offset := time.UnixMicro(t).In(zone).Zone()
		return int64(offset) * microsPerSecond
	}
	before := offsetAt(t - microsPerDay)
	after := offsetAt(t + microsPerDay)
	if before == after {
		return t - before
	}
	a, b := t-before, t-after
	validBefore, validAfter := offsetAt(a) == before, offsetAt(b) == after
	switch {
	case validAfter:
		return b
	case validBefore:
		return a
	}
	return a
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// roundTo rounds to a multiple of unit, half away from zero, counting from 2000
// as PostgreSQL's timestamps do.
func roundTo(t, unit int64) int64 {
	if t >= 0 {
		return (t + unit/2) / unit * unit
	}
	return -((-t + unit/2) / unit * unit)
}

// unitMicros is the length of a unit that always has the same.
func unitMicros(unit string) (int64, bool) {
	switch unit {
	case "microseconds", "microsecond", "us", "usec", "usecs", "microsecon":
		return 1, true
	case "milliseconds", "millisecond", "ms", "msec", "msecs", "millisecon":
		return 1000, true
	case "second", "seconds", "sec", "secs", "s":
		return microsPerSecond, true
	case "minute", "minutes", "min", "mins", "m":
		return 60 * microsPerSecond, true
	case "hour", "hours", "hr", "hrs", "h":
		return 3600 * microsPerSecond, true
	case "day", "days", "d":
		return microsPerDay, true
	}
	return 0, false
}

// truncate is date_trunc.
func truncate(unit string, t int64, typ string) (int64, error) {
	lower := strings.ToLower(unit)
	if micros, ok := unitMicros(lower); ok {
		if isInfinite(t) {
			return t, nil
		}
		return t - floorMod(t, micros), nil
	}
	years, months := int64(0), int64(0)
	switch lower {
	case "week", "weeks", "w":
		if isInfinite(t) {
			return t, nil
		}
		days := floorDiv(t, microsPerDay)
		return (days - floorMod(days+3, 7)) * microsPerDay, nil
	case "month", "months", "mon", "mons":
		months = 1
	case "quarter", "qtr":
		months = 3
	case "year", "years", "y", "yr", "yrs":
		years = 1
	case "decade", "decades", "dec", "decs":
		years = 10
	case "century", "centuries", "c", "cent":
		years = 100
	case "millennium", "millennia", "mil", "mils":
		years = 1000
	case "timezone", "timezone_h", "timezone_hour", "timezone_m", "timezone_minute":
		return 0, errorf(pgerrcode.FeatureNotSupported, "unit %q not supported for type %s", lower, typ)
	default:
		return 0, errorf(pgerrcode.InvalidParameterValue, "unit %q not recognized for type %s", lower, typ)
	}
	if isInfinite(t) {
		return t, nil
	}
	year, month, _ := civil(floorDiv(t, microsPerDay))
	switch {
	case months > 0:
		month -= (month - 1) % months
	case years >= 100:
		// The first century begins with year 1.
		year = floorDiv(year-1, years)*years + 1
		month = 1
	default:
		year, month = floorDiv(year, years)*years, 1
	}
	return daysOf(year, month, 1) * microsPerDay, nil
}

// civil and daysOf turn days since 1970 into dates and back (H. Hinnant's
// calendar algorithms).
func civil(days int64) (year, month, day int64) {
	days += 719468
	era := floorDiv(days, 146097)
	ofEra := days - era*146097
	y := (ofEra - ofEra/1460 + ofEra/36524 - ofEra/146096) / 365
	ofYear := ofEra - (365*y + y/4 - y/100)
	m := (5*ofYear + 2) / 153
	day = ofYear - (153*m+2)/5 + 1
	month = m + 3
	if m >= 10 {
		month = m - 9
	}
	year = y + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

func daysOf(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := floorDiv(year, 400)
	ofEra := year - era*400
	ofYear := (153*(month-3)+2)/5 + day - 1
	return era*146097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719468
}

func daysInMonth(year, month int64) int64 {
	return daysOf(year+month/12, month%12+1, 1) - daysOf(year, month, 1)
}

// addSpan adds months, then days, then time.
func addSpan(t int64, v span) (int64, error) {
	if isInfinite(t) {
		return t, nil
	}
	t, err := addMonths(t, int64(v.months))
	if err != nil {
		return 0, err
	}
	day := floorDiv(t, microsPerDay)
	if t, err = timestampOfDays(day+int64(v.days), t-day*microsPerDay); err != nil {
		return 0, err
	}
	sum := t + v.micros
	if (sum > t) != (v.micros > 0) && v.micros != 0 {
		return 0, errTimestampRange()
	}
	return checkTimestamp(sum)
}

func addMonths(t, months int64) (int64, error) {
	if months == 0 {
		return t, nil
	}
	days := floorDiv(t, microsPerDay)
	year, month, day := civil(days)
	total := year*12 + month - 1 + months
	year, month = floorDiv(total, 12), floorMod(total, 12)+1
	return timestampOfDays(daysOf(year, month, min(day, daysInMonth(year, month))), t-days*microsPerDay)
}

// addInZone adds months and days to local time, and time to the instant.
func addInZone(t int64, v span, zone *time.Location) (int64, error) {
	if isInfinite(t) {
		return t, nil
	}
	if v.months != 0 {
		local, err := addMonths(localTime(t, zone), int64(v.months))
		if err != nil {
			return 0, err
		}
		t = instantOf(local, zone)
	}
	if v.days != 0 {
		t = instantOf(localTime(t, zone)+int64(v.days)*microsPerDay, zone)
	}
	return addSpan(t, span{micros: v.micros})
}

func bin(stride span, t, origin int64) (int64, error) {
	if isInfinite(t) {
		return t, nil
	}
	if isInfinite(origin) {
		return 0, errorf(pgerrcode.DatetimeFieldOverflow, "origin out of range")
	}
	if stride.months != 0 {
		return 0, errorf(pgerrcode.FeatureNotSupported, "timestamps cannot be binned into intervals containing months or years")
	}
	width := int64(stride.days)*microsPerDay + stride.micros
	if width <= 0 {
		return 0, errorf(pgerrcode.DatetimeFieldOverflow, "stride must be greater than zero")
	}
	return checkTimestamp(t - floorMod(t-origin, width))
}
