package dynamodb

import (
	"fmt"
	"time"

	"github.com/fieldgate/fieldgate/sources"
)

const (
	hourMicros = int64(time.Hour / time.Microsecond)
	dayMicros  = 24 * hourMicros
	weekMicros = 7 * dayMicros
)

// week is an ISO week of event time: the number of weeks since the one that
// 1 January 1970, a Thursday, was in.
type week int64

// firstMonday is the beginning of week 0, 29 December 1969.
const firstMonday = -3 * dayMicros

// weekOf is the week of a time in microseconds since 1970 UTC.
func weekOf(micros int64) week {
	// Divided before the offset is taken off, lest the least time overflows.
	w, rest := micros/weekMicros, micros%weekMicros-firstMonday
	return week(w + floorDiv(rest, weekMicros))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// start is the first microsecond of the week. It is for weeks near the clock's:
// those of the least and the greatest times overflow.
func (w week) start() int64 { return int64(w)*weekMicros + firstMonday }

// bounds are the times of the week.
func (w week) bounds() sources.Bounds {
	return sources.Bounds{Min: w.start(), Max: w.start() + weekMicros - 1}
}

// String is the ISO 8601 name of the week, of the year that has its Thursday:
// 2026-W47.
func (w week) String() string {
	year, n := time.UnixMicro(w.start() + 3*dayMicros).UTC().ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, n)
}

// hourOf is the hour of a time, counted from 1970.
func hourOf(micros int64) int64 { return floorDiv(micros, hourMicros) }

// firstHourOf is the first hour of the week that an hour is in.
func firstHourOf(hour int64) int64 {
	const hours, first = weekMicros / hourMicros, firstMonday / hourMicros
	return floorDiv(hour-first, hours)*hours + first
}
