package postgres

import (
	"strconv"
	"time"
)

// AppendDate appends a date, in days since 1970, in ISO form: 2026-11-23, 0044-03-15 BC, infinity.
func AppendDate(dst []byte, days int64) []byte {
	if out, ok := appendInfinity(dst, days, DateInfinity, DateNegativeInfinity); ok {
		return out
	}
	year, month, day := daysToCivil(days)
	return appendEra(appendISODate(dst, year, month, day), year)
}

// AppendTime appends a time of day, in microseconds since midnight: 10:00:00, 23:59:59.5, 24:00:00.
func AppendTime(dst []byte, micros int64) []byte {
	return appendClock(dst, micros/microsPerHour, int(micros%microsPerHour))
}

// AppendTimeTZ appends a time of day with its offset, in seconds east of UTC: 10:00:00+05:30.
func AppendTimeTZ(dst []byte, micros int64, zone int) []byte {
	return appendOffset(AppendTime(dst, micros), zone)
}

// AppendTimestamp appends a timestamp, in microseconds since 1970, in ISO form.
func AppendTimestamp(dst []byte, micros int64) []byte {
	if out, ok := appendInfinity(dst, micros, TimestampInfinity, TimestampNegativeInfinity); ok {
		return out
	}
	dst, year := appendISOTimestamp(dst, micros)
	return appendEra(dst, year)
}

// AppendTimestampTZ appends a timestamptz, in microseconds since 1970, in ISO form as the zone (nil is UTC) has it:
// 2026-11-23 10:00:00.5+05:30.
func AppendTimestampTZ(dst []byte, micros int64, loc *time.Location) []byte {
	if out, ok := appendInfinity(dst, micros, TimestampInfinity, TimestampNegativeInfinity); ok {
		return out
	}
	offset, _ := zoneAt(loc, floorDiv(micros, microsPerSecond))
	dst, year := appendISOTimestamp(dst, shift(micros, offset))
	return appendEra(appendOffset(dst, offset), year)
}

// shift moves an instant to local time; at the end of the range it stays where it is.
func shift(micros int64, offset int) int64 {
	local := micros + int64(offset)*microsPerSecond
	if (local > micros) != (offset > 0) {
		return micros
	}
	return local
}

func appendInfinity(dst []byte, n, infinity, negativeInfinity int64) ([]byte, bool) {
	switch n {
	case infinity:
		return append(dst, "infinity"...), true
	case negativeInfinity:
		return append(dst, "-infinity"...), true
	}
	return dst, false
}

func appendISOTimestamp(dst []byte, micros int64) (out []byte, year int64) {
	days := floorDiv(micros, microsPerDay)
	year, month, day := daysToCivil(days)
	dst = append(appendISODate(dst, year, month, day), ' ')
	return AppendTime(dst, micros-days*microsPerDay), year
}

// appendISODate appends year, month and day; years before 1 AD count back from 1 BC.
func appendISODate(dst []byte, year int64, month, day int) []byte {
	dst = append(appendYear(dst, year), '-')
	dst = append(appendTwo(dst, month), '-')
	return appendTwo(dst, day)
}

func appendYear(dst []byte, year int64) []byte {
	if year <= 0 {
		year = 1 - year
	}
	if year < 10000 {
		return appendTwo(appendTwo(dst, int(year/100)), int(year%100))
	}
	return strconv.AppendInt(dst, year, 10)
}

func appendEra(dst []byte, year int64) []byte {
	if year <= 0 {
		return append(dst, " BC"...)
	}
	return dst
}

func appendTwo(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}

// appendClock appends hh:mm:ss and a fraction without its trailing zeros; micros are those past the hour.
func appendClock(dst []byte, hours int64, micros int) []byte {
	if hours < 100 {
		dst = appendTwo(dst, int(hours))
	} else {
		dst = strconv.AppendInt(dst, hours, 10)
	}
	dst = append(appendTwo(append(dst, ':'), micros/microsPerMinute), ':')
	micros %= microsPerMinute
	return appendFraction(appendTwo(dst, micros/microsPerSecond), micros%microsPerSecond)
}

func appendFraction(dst []byte, micros int) []byte {
	if micros == 0 {
		return dst
	}
	dst = append(dst, '.')
	for unit := microsPerSecond / 10; micros != 0; unit /= 10 {
		dst = append(dst, byte('0'+micros/unit))
		micros %= unit
	}
	return dst
}

// appendOffset appends +hh[:mm[:ss]].
func appendOffset(dst []byte, offset int) []byte {
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	dst = append(dst, sign)
	if hours := offset / 3600; hours < 100 {
		dst = appendTwo(dst, hours)
	} else { // PostgreSQL takes POSIX zones up to 167 hours away
		dst = strconv.AppendInt(dst, int64(hours), 10)
	}
	if offset %= 3600; offset == 0 {
		return dst
	}
	dst = appendTwo(append(dst, ':'), offset/60)
	if offset %= 60; offset == 0 {
		return dst
	}
	return appendTwo(append(dst, ':'), offset)
}
