package postgres

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"
)

// What can be wrong with a date, time or interval, before the type and the text make a message of it.
var (
	errBadFormat        = errors.New("bad format")
	errFieldOverflow    = errors.New("field out of range")
	errMonthDayOverflow = errors.New("month or day out of range")
	errZoneOverflow     = errors.New("zone displacement out of range")
)

// dateTimeError is the message PostgreSQL makes of a fault.
func dateTimeError(err error, oid OID, text string) error {
	switch {
	case errors.Is(err, errFieldOverflow) && oid == IntervalOID:
		return errorf(pgerrcode.IntervalFieldOverflow, `interval field value out of range: "%s"`, text)
	case errors.Is(err, errFieldOverflow):
		return errorf(pgerrcode.DatetimeFieldOverflow, `date/time field value out of range: "%s"`, text)
	case errors.Is(err, errMonthDayOverflow):
		return errorf(pgerrcode.DatetimeFieldOverflow, `date/time field value out of range: "%s"`, text).
			withHint(`Perhaps you need a different "datestyle" setting.`)
	case errors.Is(err, errZoneOverflow):
		return errorf(pgerrcode.InvalidTimeZoneDisplacementValue, `time zone displacement out of range: "%s"`, text)
	case errors.Is(err, errBadFormat):
		name := oid.String()
		if oid == TimestampOID || oid == TimeOID {
			name = strings.TrimSuffix(name, " without time zone")
		}
		return errorf(pgerrcode.InvalidDatetimeFormat, `invalid input syntax for type %s: "%s"`, name, text)
	}
	return err
}

// A fieldMask tells which parts of a date or time a field gave; a part given twice is an error.
type fieldMask uint32

const (
	hasYear fieldMask = 1 << iota
	hasMonth
	hasDay
	hasDayOfYear
	hasWeekday
	hasHour
	hasMinute
	hasSecond
	hasMillisecond
	hasMicrosecond
	hasWeek
	hasDecade
	hasCentury
	hasMillennium
	hasZone
	hasDSTZone
	hasFixedDSTZone
	hasZoneName
	hasAMPM
	hasReserved
	hasEra

	hasDate       = hasYear | hasMonth | hasDay
	hasAllSeconds = hasSecond | hasMillisecond | hasMicrosecond
	hasTime       = hasHour | hasMinute | hasAllSeconds
)

// A civilTime is a date and time of day in parts, as read, possibly out of range.
type civilTime struct {
	year, month, day, dayOfYear int
	hour, minute, second        int
	micros                      int64
}

func (c *civilTime) days() int64 { return civilToDays(int64(c.year), c.month, c.day) }

func (c *civilTime) setDays(days int64) {
	year, month, day := daysToCivil(days)
	c.year, c.month, c.day = int(year), month, day
}

func (c *civilTime) microsOfDay() int64 {
	return int64(c.hour)*microsPerHour + int64(c.minute)*microsPerMinute + int64(c.second)*microsPerSecond + c.micros
}

func (c *civilTime) setMicrosOfDay(t int64) {
	c.hour, c.minute, c.second = int(t/microsPerHour), int(t/microsPerMinute%60), int(t/microsPerSecond%60)
	c.micros = t % microsPerSecond
}

// localSeconds is the time in seconds since 1970 as if it were UTC.
func (c *civilTime) localSeconds() int64 {
	return c.days()*secondsPerDay + int64(c.hour)*3600 + int64(c.minute)*60 + int64(c.second)
}

// timeOverflows says whether the time of day is past 24:00:00.
func (c *civilTime) timeOverflows() bool {
	return c.hour < 0 || c.hour > 24 || c.minute < 0 || c.minute > 59 || c.second < 0 || c.second > 60 ||
		c.micros < 0 || c.micros > microsPerSecond || c.microsOfDay() > microsPerDay
}

// A dateTimeReader reads the fields of a date, a timestamp or a time, in the order they come and by what came before,
// as PostgreSQL's DecodeDateTime and DecodeTimeOnly do.
type dateTimeReader struct {
	env      *Env
	fields   []dateTimeField
	timeOnly bool // a time or timetz, for which a date only tells which offset a zone has

	civilTime
	zone     int // seconds east of UTC
	reserved int // epochWord or an infinity, whatever date there is besides

	mask      fieldMask
	unit      int // a word said what the next number is; 0 if none did
	textMonth bool
	julian    bool
	twoDigits bool // the year was given by one or two digits
	bc        bool
	halfDay   int // 1 for am, 2 for pm

	named        *time.Location // the zone, to be asked when all is read
	abbreviated  *time.Location // likewise, with the abbreviation that was used
	abbreviation string
}

func (r *dateTimeReader) now() time.Time {
	loc := r.env.Zone
	if loc == nil {
		loc = time.UTC
	}
	return r.env.Now.In(loc)
}

// read reads all fields and settles the zone.
func (r *dateTimeReader) read() error {
	for i, f := range r.fields {
		mask, err := r.readField(i, f)
		if err != nil {
			return err
		}
		if mask&r.mask != 0 {
			return errBadFormat
		}
		r.mask |= mask
	}
	if err := r.checkDate(); err != nil {
		return err
	}
	switch {
	case r.halfDay != 0 && r.hour > 12:
		return errFieldOverflow
	case r.halfDay == 1 && r.hour == 12:
		r.hour = 0
	case r.halfDay == 2 && r.hour != 12:
		r.hour += 12
	}
	if r.timeOnly {
		return r.finishTime()
	}
	return r.finishDate()
}

// readField reads one field and returns which parts it gave.
func (r *dateTimeReader) readField(i int, f dateTimeField) (fieldMask, error) {
	switch f.kind {
	case dateField:
		return r.readDateField(i, f.text)
	case timeField:
		if !r.timeOnly && r.unit != 0 {
			if r.unit != timeUnit {
				return 0, errBadFormat
			}
			r.unit = 0
		}
		mask, err := r.readTime(f.text)
		if err == nil && !r.timeOnly && r.timeOverflows() {
			err = errFieldOverflow
		}
		return mask, err
	case zoneField:
		zone, err := parseZoneOffset(f.text)
		r.zone = zone
		return hasZone, err
	case numberField:
		return r.readNumberField(i, f.text)
	}
	return r.readWord(i, f.text)
}

// readDateField reads a field with -, / or . in it: a date, or, where a date cannot be any more, a zone's name or a
// time run together with a zone's offset.
func (r *dateTimeReader) readDateField(i int, text string) (fieldMask, error) {
	if r.timeOnly {
		last, n := len(r.fields)-1, len(r.fields)
		if i == 0 && n >= 2 && (r.fields[last].kind == dateField || r.fields[1].kind == timeField) {
			return r.readDate(text)
		}
		if !isDigit(text[0]) {
			return r.readZoneName(text)
		}
		return r.readTimeAndZone(text, hasDate)
	}
	switch {
	case r.unit == julianUnit:
		n, rest, err := leadingInt(text)
		if err != nil || n < 0 {
			return 0, errFieldOverflow
		}
		r.setDays(int64(n) - julian0)
		r.julian, r.unit = true, 0
		r.zone, err = parseZoneOffset(rest)
		return hasDate | hasTime | hasZone, err
	case r.unit != 0 || r.mask&(hasMonth|hasDay) == hasMonth|hasDay:
		if !isDigit(text[0]) && r.unit == 0 {
			return r.readZoneName(text)
		}
		if r.unit != 0 && r.unit != timeUnit {
			return 0, errBadFormat
		}
		r.unit = 0
		return r.readTimeAndZone(text, 0)
	}
	return r.readDate(text)
}

// readTimeAndZone reads hhmmss-zz.
func (r *dateTimeReader) readTimeAndZone(text string, assume fieldMask) (fieldMask, error) {
	if r.mask&hasTime == hasTime {
		return 0, errBadFormat
	}
	minus := strings.IndexByte(text, '-')
	if minus < 0 {
		return 0, errBadFormat
	}
	var err error
	if r.zone, err = parseZoneOffset(text[minus:]); err != nil {
		return 0, err
	}
	mask, err := r.readRunTogether(text[:minus], r.mask|assume)
	return mask | hasZone, err
}

func (r *dateTimeReader) readZoneName(text string) (fieldMask, error) {
	var err error
	r.named, err = LoadZone(text)
	return hasZone, err
}

// readTime reads hh:mm[:ss[.ffffff]].
func (r *dateTimeReader) readTime(text string) (fieldMask, error) {
	hour, minute, second, micros, err := parseClock(text, false)
	if err != nil {
		return 0, err
	}
	if hour > math.MaxInt32 {
		return 0, errFieldOverflow
	}
	r.hour, r.minute, r.second, r.micros = int(hour), minute, second, micros
	return hasTime, nil
}

// parseClock reads hh:mm[:ss[.ffffff]], or mm:ss.ffffff; minuteToSecond reads two parts as mm:ss.
func parseClock(text string, minuteToSecond bool) (hour int64, minute, second int, micros int64, err error) {
	hour, rest, err := leadingInt64(text)
	if err != nil {
		return 0, 0, 0, 0, err
	}
	if !strings.HasPrefix(rest, ":") {
		return 0, 0, 0, 0, errBadFormat
	}
	minute, rest, err = leadingInt(rest[1:])
	if err != nil {
		return 0, 0, 0, 0, err
	}
	switch {
	case rest == "":
		if minuteToSecond {
			hour, minute, second = 0, int(hour), minute
		}
	case rest[0] == '.':
		hour, minute, second = 0, int(hour), minute
		micros, err = parseFractionalSecond(rest)
	case rest[0] == ':':
		second, rest, err = leadingInt(rest[1:])
		if err == nil && rest != "" {
			if rest[0] != '.' {
				return 0, 0, 0, 0, errBadFormat
			}
			micros, err = parseFractionalSecond(rest)
		}
	default:
		err = errBadFormat
	}
	if err == nil && (hour < 0 || minute < 0 || minute > 59 || second < 0 || second > 60 || micros < 0 || micros > microsPerSecond) {
		err = errFieldOverflow
	}
	return hour, minute, second, micros, err
}

// parseFractionalSecond reads a decimal point and what follows it, rounded to microseconds.
func parseFractionalSecond(text string) (micros int64, err error) {
	f, err := parseFraction(text)
	return int64(math.RoundToEven(f * 1e6)), err
}

// parseFraction reads a decimal point and digits; the point alone is zero.
func parseFraction(text string) (float64, error) {
	if len(text) == 1 {
		return 0, nil
	}
	if !allDigits(text[1:]) {
		return 0, errBadFormat
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, errBadFormat
	}
	return f, nil
}

// parseZoneOffset reads a sign and hh, hh:mm, hh:mm:ss or hhmm, and returns seconds east of UTC.
func parseZoneOffset(text string) (int, error) {
	if text == "" || text[0] != '+' && text[0] != '-' {
		return 0, errBadFormat
	}
	hour, rest, err := leadingInt(text[1:])
	minute, second := 0, 0
	switch {
	case err != nil:
		return 0, errZoneOverflow
	case strings.HasPrefix(rest, ":"):
		if minute, rest, err = leadingInt(rest[1:]); err == nil && strings.HasPrefix(rest, ":") {
			second, rest, err = leadingInt(rest[1:])
		}
		if err != nil {
			return 0, errZoneOverflow
		}
	case rest == "" && len(text) > 3:
		hour, minute = hour/100, hour%100
	}
	if hour < 0 || hour > 15 || minute < 0 || minute > 59 || second < 0 || second > 59 {
		return 0, errZoneOverflow
	}
	if rest != "" {
		return 0, errBadFormat
	}
	offset := hour*3600 + minute*60 + second
	if text[0] == '-' {
		offset = -offset
	}
	return offset, nil
}

// leadingInt64 reads the integer a text begins with, 0 if it begins with none.
func leadingInt64(text string) (n int64, rest string, err error) {
	i := 0
	if text != "" && (text[0] == '+' || text[0] == '-') {
		i = 1
	}
	digits := countWhile(text[i:], isDigit)
	if digits == 0 {
		return 0, text, nil
	}
	n, err = strconv.ParseInt(text[:i+digits], 10, 64)
	if err != nil {
		return 0, text, errFieldOverflow
	}
	return n, text[i+digits:], nil
}

// leadingInt is leadingInt64 for 32 bits.
func leadingInt(text string) (n int, rest string, err error) {
	wide, rest, err := leadingInt64(text)
	if err == nil && (wide > math.MaxInt32 || wide < math.MinInt32) {
		err = errFieldOverflow
	}
	return int(wide), rest, err
}
