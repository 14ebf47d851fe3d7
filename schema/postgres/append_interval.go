package postgres

import "strconv"

// An intervalParts is an interval split as it prints: the sign of each group goes with all of its parts.
type intervalParts struct {
	years, months, days, hours int64
	micros                     int // past the hour
}

func splitInterval(months, days int32, micros int64) intervalParts {
	return intervalParts{
		years: int64(months / 12), months: int64(months % 12), days: int64(days),
		hours: micros / microsPerHour, micros: int(micros % microsPerHour),
	}
}

func (p intervalParts) negative() bool {
	return p.years < 0 || p.months < 0 || p.days < 0 || p.hours < 0 || p.micros < 0
}

func (p intervalParts) positive() bool {
	return p.years > 0 || p.months > 0 || p.days > 0 || p.hours > 0 || p.micros > 0
}

// AppendInterval appends an interval in one of the four styles.
func AppendInterval(dst []byte, months, days int32, micros int64, style IntervalStyle) []byte {
	p := splitInterval(months, days, micros)
	switch style {
	case PostgresVerboseIntervals:
		return appendVerboseInterval(dst, p)
	case SQLStandardIntervals:
		return appendStandardInterval(dst, p)
	case ISO8601Intervals:
		return appendISOInterval(dst, p)
	}
	return appendPostgresInterval(dst, p)
}

// appendPostgresInterval appends "1 year 2 mons -3 days +04:05:06": a sign is written where it changes back.
func appendPostgresInterval(dst []byte, p intervalParts) []byte {
	empty, negative := true, false
	for _, part := range [...]struct {
		n    int64
		unit string
	}{{p.years, "year"}, {p.months, "mon"}, {p.days, "day"}} {
		if part.n == 0 {
			continue
		}
		if !empty {
			dst = append(dst, ' ')
		}
		if negative && part.n > 0 {
			dst = append(dst, '+')
		}
		dst = append(append(strconv.AppendInt(dst, part.n, 10), ' '), part.unit...)
		if part.n != 1 {
			dst = append(dst, 's')
		}
		empty, negative = false, part.n < 0
	}
	if p.hours == 0 && p.micros == 0 && !empty {
		return dst
	}
	if !empty {
		dst = append(dst, ' ')
	}
	switch {
	case p.hours < 0 || p.micros < 0:
		dst = append(dst, '-')
	case negative:
		dst = append(dst, '+')
	}
	return appendClock(dst, abs(p.hours), int(abs(int64(p.micros))))
}

// appendVerboseInterval appends "@ 1 year 2 mons -3 days 4 hours 5 mins 6 secs ago": the first part is positive.
func appendVerboseInterval(dst []byte, p intervalParts) []byte {
	dst = append(dst, '@')
	empty, ago := true, false
	micros := int64(p.micros)
	for _, part := range [...]struct {
		n    int64
		unit string
	}{{p.years, "year"}, {p.months, "mon"}, {p.days, "day"}, {p.hours, "hour"}, {micros / microsPerMinute, "min"}} {
		if part.n == 0 {
			continue
		}
		if empty {
			ago = part.n < 0
		}
		if ago {
			part.n = -part.n
		}
		dst = append(append(strconv.AppendInt(append(dst, ' '), part.n, 10), ' '), part.unit...)
		if part.n != 1 {
			dst = append(dst, 's')
		}
		empty = false
	}
	if seconds := micros % microsPerMinute; seconds != 0 {
		if empty {
			ago = seconds < 0
		}
		if ago {
			seconds = -seconds
		}
		dst = append(dst, ' ')
		if seconds < 0 {
			dst = append(dst, '-')
			seconds = -seconds
		}
		dst = strconv.AppendInt(dst, seconds/microsPerSecond, 10)
		dst = append(appendFraction(dst, int(seconds%microsPerSecond)), " sec"...)
		if seconds != microsPerSecond {
			dst = append(dst, 's')
		}
		empty = false
	}
	if empty {
		dst = append(dst, " 0"...)
	}
	if ago {
		dst = append(dst, " ago"...)
	}
	return dst
}

// appendStandardInterval appends "1-2", "3 4:05:06", or, where SQL has no such interval, all parts with signs.
func appendStandardInterval(dst []byte, p intervalParts) []byte {
	yearMonth, dayTime := p.years != 0 || p.months != 0, p.days != 0 || p.hours != 0 || p.micros != 0
	mixed := p.negative() && p.positive() || yearMonth && dayTime
	switch {
	case !yearMonth && !dayTime:
		return append(dst, '0')
	case mixed:
		dst = strconv.AppendInt(append(dst, signOf(p.years < 0 || p.months < 0)), abs(p.years), 10)
		dst = strconv.AppendInt(append(dst, '-'), abs(p.months), 10)
		dst = strconv.AppendInt(append(dst, ' ', signOf(p.days < 0)), abs(p.days), 10)
		dst = append(dst, ' ', signOf(p.hours < 0 || p.micros < 0))
		return appendShortClock(dst, p)
	}
	if p.negative() {
		dst = append(dst, '-')
	}
	if yearMonth {
		dst = strconv.AppendInt(dst, abs(p.years), 10)
		return strconv.AppendInt(append(dst, '-'), abs(p.months), 10)
	}
	if p.days != 0 {
		dst = append(strconv.AppendInt(dst, abs(p.days), 10), ' ')
	}
	return appendShortClock(dst, p)
}

// appendShortClock appends h:mm:ss, the hour as short as it is.
func appendShortClock(dst []byte, p intervalParts) []byte {
	hours := abs(p.hours)
	if hours < 10 {
		// appendClock pads the hour to two digits; the first of them goes.
		at := len(dst)
		dst = appendClock(dst, hours, int(abs(int64(p.micros))))
		return append(dst[:at], dst[at+1:]...)
	}
	return appendClock(dst, hours, int(abs(int64(p.micros))))
}

// appendISOInterval appends "P1Y2M3DT4H5M6S".
func appendISOInterval(dst []byte, p intervalParts) []byte {
	if !p.negative() && !p.positive() {
		return append(dst, "PT0S"...)
	}
	part := func(n int64, unit byte) {
		if n != 0 {
			dst = append(strconv.AppendInt(dst, n, 10), unit)
		}
	}
	dst = append(dst, 'P')
	part(p.years, 'Y')
	part(p.months, 'M')
	part(p.days, 'D')
	if p.hours == 0 && p.micros == 0 {
		return dst
	}
	dst = append(dst, 'T')
	part(p.hours, 'H')
	part(int64(p.micros/microsPerMinute), 'M')
	if micros := p.micros % microsPerMinute; micros != 0 {
		if micros < 0 {
			dst = append(dst, '-')
			micros = -micros
		}
		dst = strconv.AppendInt(dst, int64(micros/microsPerSecond), 10)
		dst = append(appendFraction(dst, micros%microsPerSecond), 'S')
	}
	return dst
}

func signOf(negative bool) byte {
	if negative {
		return '-'
	}
	return '+'
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
