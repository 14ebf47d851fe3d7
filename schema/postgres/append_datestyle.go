package postgres

import "time"

// appendDate appends a date in the style of the session.
func appendDate(dst []byte, days int64, env *Env) []byte {
	if env.DateFormat == ISODates || days == DateInfinity || days == DateNegativeInfinity {
		return AppendDate(dst, days)
	}
	year, month, day := daysToCivil(days)
	separator := byte('-')
	if env.DateFormat == SQLDates {
		separator = '/'
	}
	return appendEra(appendShortDate(dst, year, month, day, separator, env), year)
}

// appendShortDate appends day and month in the session's order, and the year.
func appendShortDate(dst []byte, year int64, month, day int, separator byte, env *Env) []byte {
	first, second := month, day
	if env.DateFormat == GermanDates {
		first, second, separator = day, month, '.'
	} else if env.DateOrder == DMY {
		first, second = day, month
	}
	dst = append(appendTwo(dst, first), separator)
	dst = append(appendTwo(dst, second), separator)
	return appendYear(dst, year)
}

// appendTimestamp appends a timestamp in the style of the session, with its zone if it has one.
func appendTimestamp(dst []byte, micros int64, withZone bool, env *Env) []byte {
	if env.DateFormat == ISODates || micros == TimestampInfinity || micros == TimestampNegativeInfinity {
		if withZone {
			return AppendTimestampTZ(dst, micros, env.Zone)
		}
		return AppendTimestamp(dst, micros)
	}
	abbreviation := ""
	if withZone {
		var offset int
		offset, abbreviation = zoneAt(env.Zone, floorDiv(micros, microsPerSecond))
		micros = shift(micros, offset)
	}
	days := floorDiv(micros, microsPerDay)
	year, month, day := daysToCivil(days)
	timeOfDay := micros - days*microsPerDay
	if env.DateFormat == PostgresDates {
		dst = appendLongTimestamp(dst, days, timeOfDay, env)
	} else {
		dst = append(appendShortDate(dst, year, month, day, '/', env), ' ')
		dst = AppendTime(dst, timeOfDay)
	}
	if abbreviation != "" {
		dst = append(append(dst, ' '), abbreviation...)
	}
	return appendEra(dst, year)
}

// appendLongTimestamp appends "Mon Nov 23 10:00:00 2026".
func appendLongTimestamp(dst []byte, days, timeOfDay int64, env *Env) []byte {
	year, month, day := daysToCivil(days)
	dst = append(append(dst, time.Weekday(weekday(days)).String()[:3]...), ' ')
	name := time.Month(month).String()[:3]
	if env.DateOrder == DMY {
		dst = append(append(appendTwo(dst, day), ' '), name...)
	} else {
		dst = appendTwo(append(append(dst, name...), ' '), day)
	}
	dst = AppendTime(append(dst, ' '), timeOfDay)
	return appendYear(append(dst, ' '), year)
}
