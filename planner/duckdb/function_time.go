package duckdb

import (
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// DuckDB's negative infinities differ from PostgreSQL's; the positive ones do not.
const (
	negativeInfiniteTimestamp = -math.MaxInt64
	negativeInfiniteDate      = -math.MaxInt32
)

func (c *call) timestamp(i int) int64 {
	if t := c.int8(i); t != negativeInfiniteTimestamp {
		return t
	}
	return postgres.TimestampNegativeInfinity
}

func (c *call) date(i int) int64 {
	if d := c.int4(i); d != negativeInfiniteDate {
		return int64(d)
	}
	return postgres.DateNegativeInfinity
}

func (c *call) setTimestamp(t int64) {
	if t == postgres.TimestampNegativeInfinity {
		t = negativeInfiniteTimestamp
	}
	c.setInt8(t)
}

func (c *call) setDate(d int64) {
	if d == postgres.DateNegativeInfinity {
		d = negativeInfiniteDate
	}
	c.setInt4(int32(d))
}

func (c *call) zone(i int) (*time.Location, error) {
	return memoized(c, c.text(i), postgres.LoadZone)
}

// namedZone is the zone in argument i as AT TIME ZONE takes it: an abbreviation
// of a fixed offset, a name, or an offset that counts west of Greenwich.
func (c *call) namedZone(i int) (*time.Location, error) {
	return memoized(c, c.text(i), func(name string) (*time.Location, error) {
		for _, a := range postgres.ZoneAbbreviations() {
			if !strings.EqualFold(a.Name, name) {
				continue
			}
			if a.Zone != "" {
				return nil, unsupported("the time zone abbreviation %s, whose meaning depends on the time,", name)
			}
			return time.FixedZone(a.Name, a.Offset), nil
		}
		if name != "" && strings.Trim(name, "+-:0123456789") == "" {
			return postgres.LoadZone("<" + name + ">" + name)
		}
		return postgres.LoadZone(name)
	})
}

func isInfinite(t int64) bool {
	return t == postgres.TimestampInfinity || t == postgres.TimestampNegativeInfinity
}

// The limits of timestamps: 4714-11-24 BC and 294277-01-01, excluded
// (MIN_TIMESTAMP and END_TIMESTAMP in datatype/timestamp.h).
const (
	firstTimestamp = -210866803200000000
	endTimestamp   = 9224318016000000000
)

func checkTimestamp(t int64) (int64, error) {
	if t < firstTimestamp || t >= math.MaxInt64 {
		return 0, errTimestampRange()
	}
	return t, nil
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

func timeFunctions() definitions {
	return definitions{
		"fg_local(TIMESTAMP, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := c.zone(1)
			if err == nil {
				c.setTimestamp(localTime(c.timestamp(0), zone))
			}
			return err
		},
		"fg_instant(TIMESTAMP, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := c.zone(1)
			if err == nil {
				c.setTimestamp(instantOf(c.timestamp(0), zone))
			}
			return err
		},
		"fg_local_of(TIMESTAMP, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := c.namedZone(1)
			if err == nil {
				c.setTimestamp(localTime(c.timestamp(0), zone))
			}
			return err
		},
		"fg_instant_of(TIMESTAMP, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := c.namedZone(1)
			if err == nil {
				c.setTimestamp(instantOf(c.timestamp(0), zone))
			}
			return err
		},
		"fg_zone_offset(TIMESTAMP, VARCHAR) BIGINT": func(c *call) error {
			zone, err := c.zone(1)
			if err == nil {
				_, offset := time.UnixMicro(c.timestamp(0)).In(zone).Zone()
				c.setInt8(int64(offset))
			}
			return err
		},
		"fg_date_trunc(VARCHAR, TIMESTAMP) TIMESTAMP": func(c *call) error {
			t, err := truncate(c.text(0), c.timestamp(1), "timestamp without time zone")
			if err == nil {
				c.setTimestamp(t)
			}
			return err
		},
		"fg_date_trunc(VARCHAR, TIMESTAMP, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := c.namedZone(2)
			if err != nil {
				return err
			}
			local := localTime(c.timestamp(1), zone)
			t, err := truncate(c.text(0), local, "timestamp with time zone")
			if err != nil {
				return err
			}
			// Within a day the offset stays as it is.
			if micros, ok := unitMicros(strings.ToLower(c.text(0))); ok && micros < microsPerDay && !isInfinite(local) {
				c.setTimestamp(t - (local - c.timestamp(1)))
				return nil
			}
			c.setTimestamp(instantOf(t, zone))
			return nil
		},
		"fg_add(TIMESTAMP, INTERVAL, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := c.zone(2)
			if err != nil {
				return err
			}
			t, err := addInZone(c.timestamp(0), c.interval(1), zone)
			if err == nil {
				c.setTimestamp(t)
			}
			return err
		},
		"fg_add(TIMESTAMP, INTERVAL) TIMESTAMP": func(c *call) error {
			t, err := addSpan(c.timestamp(0), c.interval(1))
			if err == nil {
				c.setTimestamp(t)
			}
			return err
		},
		"fg_timestamp_round(TIMESTAMP, BIGINT) TIMESTAMP": func(c *call) error {
			t := c.timestamp(0)
			if !isInfinite(t) {
				t = roundTo(t, c.int8(1))
			}
			c.setTimestamp(t)
			return nil
		},
		"fg_time_round(TIME, BIGINT) TIME": func(c *call) error { c.setInt8(roundTo(c.int8(0), c.int8(1))); return nil },
		"fg_time_add(TIME, BIGINT) TIME":   func(c *call) error { c.setInt8(floorMod(c.int8(0)+c.int8(1)%microsPerDay, microsPerDay)); return nil },
		"fg_time_of(TIMESTAMP) TIME": func(c *call) error {
			if t := c.timestamp(0); !isInfinite(t) {
				c.setInt8(floorMod(t, microsPerDay))
			}
			return nil
		},
		"fg_time_interval(TIME) INTERVAL":         func(c *call) error { c.setInterval(span{micros: c.int8(0)}); return nil },
		"fg_time_difference(TIME, TIME) INTERVAL": func(c *call) error { c.setInterval(span{micros: c.int8(0) - c.int8(1)}); return nil },
		"fg_span(BIGINT, BIGINT, BIGINT) INTERVAL": func(c *call) error {
			months, days := c.int8(0), c.int8(1)
			if int64(int32(months)) != months || int64(int32(days)) != days {
				return errIntervalRange()
			}
			c.setInterval(span{int32(months), int32(days), c.int8(2)})
			return nil
		},
		"fg_date_add(DATE, INTEGER) DATE": func(c *call) error {
			d := c.date(0)
			if d != postgres.DateInfinity && d != postgres.DateNegativeInfinity {
				d += int64(c.int4(1))
				if d*microsPerDay/microsPerDay != d || d < firstTimestamp/microsPerDay || d > math.MaxInt32-1 {
					return errorf(pgerrcode.DatetimeFieldOverflow, "date out of range")
				}
			}
			c.setDate(d)
			return nil
		},
		"fg_step(BIGINT) BIGINT": func(c *call) error {
			if c.int8(0) == 0 {
				return errStep()
			}
			c.setInt8(c.int8(0))
			return nil
		},
		"fg_series(TIMESTAMP, TIMESTAMP, INTERVAL) TIMESTAMP[]": func(c *call) error { return timeSeries(c, time.UTC) },
		"fg_series(TIMESTAMP, TIMESTAMP, INTERVAL, VARCHAR) TIMESTAMP[]": func(c *call) error {
			zone, err := c.zone(3)
			if err != nil {
				return err
			}
			return timeSeries(c, zone)
		},
		"fg_date_difference(DATE, DATE) INTEGER": func(c *call) error {
			a, b := c.date(0), c.date(1)
			for _, d := range []int64{a, b} {
				if d == postgres.DateInfinity || d == postgres.DateNegativeInfinity {
					return errorf(pgerrcode.DatetimeFieldOverflow, "cannot subtract infinite dates")
				}
			}
			c.setInt4(int32(a - b))
			return nil
		},
		"fg_interval_mul(INTERVAL, DOUBLE) INTERVAL": func(c *call) error {
			v, err := scaleSpan(c.interval(0), c.float8(1), func(a, b float64) float64 { return a * b })
			if err == nil {
				c.setInterval(v)
			}
			return err
		},
		"fg_interval_div(INTERVAL, DOUBLE) INTERVAL": func(c *call) error {
			if c.float8(1) == 0 {
				return errDivisionByZero()
			}
			v, err := scaleSpan(c.interval(0), c.float8(1), func(a, b float64) float64 { return a / b })
			if err == nil {
				c.setInterval(v)
			}
			return err
		},
		"fg_interval_trunc(VARCHAR, INTERVAL) INTERVAL": func(c *call) error {
			v, err := truncateSpan(c.text(0), c.interval(1))
			if err == nil {
				c.setInterval(v)
			}
			return err
		},
		"fg_justify_hours(INTERVAL) INTERVAL":    func(c *call) error { c.setInterval(justifyHours(c.interval(0))); return nil },
		"fg_justify_days(INTERVAL) INTERVAL":     func(c *call) error { c.setInterval(justifyDays(c.interval(0))); return nil },
		"fg_justify_interval(INTERVAL) INTERVAL": func(c *call) error { c.setInterval(justify(c.interval(0))); return nil },
		"fg_difference(TIMESTAMP, TIMESTAMP) INTERVAL": func(c *call) error {
			a, b := c.timestamp(0), c.timestamp(1)
			if isInfinite(a) || isInfinite(b) {
				return errorf(pgerrcode.DatetimeFieldOverflow, "cannot subtract infinite timestamps")
			}
			c.setInterval(justifyHours(span{micros: a - b}))
			return nil
		},
		"fg_age(TIMESTAMP, TIMESTAMP) INTERVAL": func(c *call) error {
			a, b := c.timestamp(0), c.timestamp(1)
			if isInfinite(a) || isInfinite(b) {
				return errTimestampRange()
			}
			c.setInterval(age(a, b))
			return nil
		},
		"fg_date_bin(INTERVAL, TIMESTAMP, TIMESTAMP) TIMESTAMP": func(c *call) error {
			t, err := bin(c.interval(0), c.timestamp(1), c.timestamp(2))
			if err == nil {
				c.setTimestamp(t)
			}
			return err
		},
		"fg_make_date(INTEGER, INTEGER, INTEGER) DATE": func(c *call) error {
			days, err := makeDate(c.int4(0), c.int4(1), c.int4(2))
			if err == nil {
				c.setDate(days)
			}
			return err
		},
		"fg_make_time(INTEGER, INTEGER, DOUBLE) TIME": func(c *call) error {
			micros, err := makeTime(c.int4(0), c.int4(1), c.float8(2))
			if err == nil {
				c.setInt8(micros)
			}
			return err
		},
		"fg_make_timestamp(INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, DOUBLE) TIMESTAMP": func(c *call) error {
			days, err := makeDate(c.int4(0), c.int4(1), c.int4(2))
			if err != nil {
				return err
			}
			micros, err := makeTime(c.int4(3), c.int4(4), c.float8(5))
			if err == nil {
				c.setTimestamp(days*microsPerDay + micros)
			}
			return err
		},
		"fg_make_interval(INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, DOUBLE) INTERVAL": func(c *call) error {
			seconds := c.float8(6) * microsPerSecond
			c.setInterval(span{
				months: c.int4(0)*12 + c.int4(1),
				days:   c.int4(2)*7 + c.int4(3),
				micros: int64(c.int4(4))*3600*microsPerSecond + int64(c.int4(5))*60*microsPerSecond + int64(math.RoundToEven(seconds)),
			})
			return nil
		},
		"fg_to_timestamp(DOUBLE) TIMESTAMP": func(c *call) error {
			t, err := timestampOfSeconds(c.float8(0))
			if err == nil {
				c.setTimestamp(t)
			}
			return err
		},
	}
}

func timestampOfSeconds(s float64) (int64, error) {
	switch {
	case math.IsInf(s, 1):
		return postgres.TimestampInfinity, nil
	case math.IsInf(s, -1):
		return postgres.TimestampNegativeInfinity, nil
	case math.IsNaN(s):
		return 0, errorf(pgerrcode.DatetimeFieldOverflow, "timestamp cannot be NaN")
	case s < firstTimestamp/microsPerSecond || s >= endTimestamp/microsPerSecond:
		return 0, errorf(pgerrcode.DatetimeFieldOverflow, "timestamp out of range: \"%s\"", postgres.AppendFloat8(nil, s))
	}
	// PostgreSQL counts from 2000, which decides the rounding.
	const epoch2000 = 946684800
	return int64(math.RoundToEven((s-epoch2000)*microsPerSecond)) + epoch2000*microsPerSecond, nil
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
		return 0, errorf(pgerrcode.FeatureNotSupported, "unit %q not supported for type %s", unit, typ)
	default:
		return 0, errorf(pgerrcode.InvalidParameterValue, "unit %q not recognized for type %s", unit, typ)
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
	t = addMonths(t, int64(v.months)) + int64(v.days)*microsPerDay
	sum := t + v.micros
	if (sum > t) != (v.micros > 0) && v.micros != 0 {
		return 0, errTimestampRange()
	}
	return checkTimestamp(sum)
}

func addMonths(t, months int64) int64 {
	if months == 0 {
		return t
	}
	days := floorDiv(t, microsPerDay)
	year, month, day := civil(days)
	total := year*12 + month - 1 + months
	year, month = floorDiv(total, 12), floorMod(total, 12)+1
	return daysOf(year, month, min(day, daysInMonth(year, month)))*microsPerDay + t - days*microsPerDay
}

// addInZone adds months and days to local time, and time to the instant.
func addInZone(t int64, v span, zone *time.Location) (int64, error) {
	if isInfinite(t) {
		return t, nil
	}
	if v.months != 0 {
		t = instantOf(addMonths(localTime(t, zone), int64(v.months)), zone)
	}
	if v.days != 0 {
		t = instantOf(localTime(t, zone)+int64(v.days)*microsPerDay, zone)
	}
	return addSpan(t, span{micros: v.micros})
}

func errIntervalRange() error {
	return errorf(pgerrcode.DatetimeFieldOverflow, "interval out of range")
}

// scaleSpan multiplies or divides: fractions of months become days of 30 a
// month, fractions of days time (interval_mul in timestamp.c).
func scaleSpan(v span, factor float64, op func(a, b float64) float64) (span, error) {
	months, days := op(float64(v.months), factor), op(float64(v.days), factor)
	if !(math.Abs(months) <= math.MaxInt32) || !(math.Abs(days) <= math.MaxInt32) {
		return span{}, errIntervalRange()
	}
	out := span{months: int32(months), days: int32(days)}
	round := func(f float64) float64 { return math.RoundToEven(f*microsPerSecond) / microsPerSecond }
	monthRemainder := round((months - float64(out.months)) * 30)
	seconds := round((days - float64(out.days) + monthRemainder - math.Trunc(monthRemainder)) * 86400)
	if math.Abs(seconds) >= 86400 {
		whole := math.Trunc(seconds / 86400)
		out.days += int32(whole)
		seconds -= whole * 86400
	}
	out.days += int32(monthRemainder)
	micros := math.RoundToEven(op(float64(v.micros), factor) + seconds*microsPerSecond)
	if !(math.Abs(micros) < math.MaxInt64) {
		return span{}, errIntervalRange()
	}
	out.micros = int64(micros)
	return out, nil
}

func justifyHours(v span) span {
	whole := v.micros / microsPerDay
	v.micros -= whole * microsPerDay
	v.days += int32(whole)
	switch {
	case v.days > 0 && v.micros < 0:
		v.micros += microsPerDay
		v.days--
	case v.days < 0 && v.micros > 0:
		v.micros -= microsPerDay
		v.days++
	}
	return v
}

func justifyDays(v span) span {
	whole := v.days / 30
	v.days -= whole * 30
	v.months += whole
	switch {
	case v.months > 0 && v.days < 0:
		v.days += 30
		v.months--
	case v.months < 0 && v.days > 0:
		v.days -= 30
		v.months++
	}
	return v
}

func justify(v span) span {
	whole := v.micros / microsPerDay
	v.micros -= whole * microsPerDay
	v.days += int32(whole)
	months := v.days / 30
	v.days -= months * 30
	v.months += months
	switch {
	case v.months > 0 && (v.days < 0 || v.days == 0 && v.micros < 0):
		v.days += 30
		v.months--
	case v.months < 0 && (v.days > 0 || v.days == 0 && v.micros > 0):
		v.days -= 30
		v.months++
	}
	switch {
	case v.days > 0 && v.micros < 0:
		v.micros += microsPerDay
		v.days--
	case v.days < 0 && v.micros > 0:
		v.micros -= microsPerDay
		v.days++
	}
	return v
}

// truncateSpan is date_trunc of an interval.
func truncateSpan(unit string, v span) (span, error) {
	lower := strings.ToLower(unit)
	if micros, ok := unitMicros(lower); ok {
		if micros == microsPerDay {
			return span{months: v.months, days: v.days}, nil
		}
		v.micros -= v.micros % micros
		return v, nil
	}
	months := int32(0)
	switch lower {
	case "month", "months", "mon", "mons":
		months = 1
	case "quarter", "qtr":
		months = 3
	case "year", "years", "y", "yr", "yrs":
		months = 12
	case "decade", "decades", "dec", "decs":
		months = 120
	case "century", "centuries", "c", "cent":
		months = 1200
	case "millennium", "millennia", "mil", "mils":
		months = 12000
	case "week", "weeks", "w":
		e := errorf(pgerrcode.FeatureNotSupported, "unit %q not supported for type interval", unit)
		e.Detail = "Months usually have fractional weeks."
		return v, e
	default:
		return v, errorf(pgerrcode.InvalidParameterValue, "unit %q not recognized for type interval", unit)
	}
	return span{months: v.months - v.months%months}, nil
}

// age is a - b in years, months, days and time (timestamp_age in timestamp.c).
func age(a, b int64) span {
	negative := a < b
	if negative {
		a, b = b, a
	}
	aDay, bDay := floorDiv(a, microsPerDay), floorDiv(b, microsPerDay)
	ay, am, ad := civil(aDay)
	by, bm, bd := civil(bDay)
	micros := (a - aDay*microsPerDay) - (b - bDay*microsPerDay)
	days, months := ad-bd, (ay-by)*12+am-bm
	if micros < 0 {
		micros += microsPerDay
		days--
	}
	if days < 0 {
		// A month is borrowed from the earlier date.
		days += daysInMonth(by, bm)
		months--
	}
	v := span{int32(months), int32(days), micros}
	if negative {
		v = span{-v.months, -v.days, -v.micros}
	}
	return v
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
	return t - floorMod(t-origin, width), nil
}

// The years of dates (JULIAN_MINYEAR and JULIAN_MAXYEAR in datatype/timestamp.h).
const (
	firstYear = -4713
	lastYear  = 5874898
)

func makeDate(year, month, day int32) (int64, error) {
	y := int64(year)
	if y < 0 {
		y++ // before year 1 comes year -1
	}
	if year == 0 || y < firstYear || y > lastYear || month < 1 || month > 12 || day < 1 || int64(day) > daysInMonth(y, int64(month)) {
		return 0, errorf(pgerrcode.DatetimeFieldOverflow, "date field value out of range: %d-%02d-%02d", year, month, day)
	}
	return daysOf(y, int64(month), int64(day)), nil
}

func makeTime(hour, minute int32, second float64) (int64, error) {
	micros := math.RoundToEven(second * microsPerSecond)
	whole := int64(hour)*3600*microsPerSecond + int64(minute)*60*microsPerSecond
	if hour < 0 || minute < 0 || minute > 59 || !(micros >= 0 && micros <= 60*microsPerSecond) || hour > 24 || whole+int64(micros) > microsPerDay {
		return 0, errorf(pgerrcode.DatetimeFieldOverflow, "time field value out of range: %d:%02d:%s", hour, minute, postgres.AppendFloat8(nil, second))
	}
	return whole + int64(micros), nil
}

// seconds is microseconds as a numeric of six digits.
func seconds(micros int64) decimal { return decimal{n: big.NewInt(micros), scale: 6} }

func errStep() error { return errorf(pgerrcode.InvalidParameterValue, "step size cannot equal zero") }

// timeSeries is generate_series of timestamps.
func timeSeries(c *call, zone *time.Location) error {
	t, end, step := c.timestamp(0), c.timestamp(1), c.interval(2)
	direction := (int64(step.months)*30+int64(step.days))*microsPerDay + step.micros
	if direction == 0 {
		return errStep()
	}
	if isInfinite(t) || isInfinite(end) {
		return unsupported("generate_series to infinity")
	}
	var out []int64
	for direction > 0 && t <= end || direction < 0 && t >= end {
		out = append(out, t)
		if len(out)*8 > maxResult {
			return tooLarge()
		}
		var err error
		if t, err = addInZone(t, step, zone); err != nil {
			return err
		}
	}
	c.setTimestamps(out)
	return nil
}
