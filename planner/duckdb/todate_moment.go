package duckdb

import (
	"github.com/jackc/pgerrcode"
)

// The fields of a date that were given.
const (
	gaveYear = 1 << iota
	gaveMonth
	gaveDay
	gaveDate = gaveYear | gaveMonth | gaveDay
)

// julianEpoch is 1970-01-01 as a Julian day.
const julianEpoch = 2440588

// moment puts the fields together (do_to_timestamp in formatting.c).
func (r *dateReader) moment() (int64, error) {
	hour, minute, second, err := r.clock()
	if err != nil {
		return 0, err
	}
	year, month, day, gave, err := r.date()
	if err != nil {
		return 0, err
	}
	micros := r.millis*1000 + r.micros
	switch {
	case gave&gaveMonth != 0 && (month < 1 || month > 12), gave&gaveDay != 0 && (day < 1 || day > 31),
		gave&gaveDate == gaveDate && day > daysInMonth(year, month),
		hour < 0 || hour >= 24 || minute < 0 || minute >= 60 || second < 0 || second >= 60 || micros < 0 || micros >= microsPerSecond:
		return 0, errorf(pgerrcode.DatetimeFieldOverflow, "date/time field value out of range: %q", r.text)
	}
	if r.zoneHour < 0 || r.zoneHour > 15 || r.zoneMinute < 0 || r.zoneMinute > 59 {
		return 0, errorf(pgerrcode.InvalidTimeZoneDisplacementValue, "time zone displacement out of range: %q", r.text)
	}
	offset := r.zoneSign * (r.zoneHour*60 + r.zoneMinute) * 60
	return timestampOfDays(daysOf(year, month, day), ((hour*60+minute)*60+second-offset)*microsPerSecond+micros)
}

func (r *dateReader) clock() (hour, minute, second int64, err error) {
	hour, minute, second = r.daySecond/3600, r.daySecond%3600/60, r.daySecond%60
	if r.second != 0 {
		second = r.second
	}
	if r.minute != 0 {
		minute = r.minute
	}
	if r.hour != 0 {
		hour = r.hour
	}
	if !r.twelve {
		return hour, minute, second, nil
	}
	if hour < 1 || hour > 12 {
		e := errorf(pgerrcode.InvalidDatetimeFormat, "hour \"%d\" is invalid for the 12-hour clock", hour)
		e.Hint = "Use the 24-hour clock, or give an hour between 1 and 12."
		return 0, 0, 0, e
	}
	switch {
	case r.afternoon != 0 && hour < 12:
		hour += 12
	case r.afternoon == 0 && hour == 12:
		hour = 0
	}
	return hour, minute, second, nil
}

// date is the date that the fields say, and which of its parts were given.
func (r *dateReader) date() (year, month, day int64, gave int, err error) {
	year, gave = r.fullYear()
	month, day = 1, 1
	if r.julian != 0 {
		year, month, day = civil(r.julian - julianEpoch)
		gave |= gaveDate
	}
	switch {
	case r.week != 0 && r.mode == isoWeekMode:
		days := isoWeekStart(year, r.week)
		switch {
		case r.weekDay > 1:
			days += r.weekDay - 2
		case r.weekDay == 1: // Sunday
			days += 6
		}
		year, month, day = civil(days)
		gave |= gaveDate
	case r.week != 0:
		r.yearDay = (r.week-1)*7 + 1
	}
	if r.weekOfMonth != 0 {
		r.day = (r.weekOfMonth-1)*7 + 1
	}
	if r.day != 0 {
		day, gave = r.day, gave|gaveDay
	}
	if r.month != 0 {
		month, gave = r.month, gave|gaveMonth
	}
	if r.yearDay == 0 || month > 1 && day > 1 {
		return year, month, day, gave, nil
	}
	if year == 0 && r.beforeChrist == 0 {
		return 0, 0, 0, 0, errorf(pgerrcode.InvalidDatetimeFormat, "cannot calculate day of year without year information")
	}
	if r.mode == isoWeekMode {
		year, month, day = civil(isoWeekStart(year, 1) - 1 + r.yearDay)
		return year, month, day, gave | gaveDate, nil
	}
	ofMonth, of := r.yearDay, int64(1)
	for of <= 12 && ofMonth > daysInMonth(year, of) {
		ofMonth -= daysInMonth(year, of)
		of++
	}
	if month <= 1 {
		month = of
	}
	if day <= 1 {
		day = ofMonth
	}
	return year, month, day, gave | gaveMonth | gaveDay, nil
}

// fullYear is the year of the fields for year, century and era; 0 is 1 BC.
func (r *dateReader) fullYear() (year int64, gave int) {
	century := r.century
	if r.beforeChrist != 0 {
		century = -century
	}
	switch {
	case r.year != 0 && century != 0 && r.yearWidth <= 2:
		year = r.year % 100
		switch {
		case year != 0 && century >= 0:
			year += (century - 1) * 100
		case year != 0:
			year = (century+1)*100 - year + 1
		case century >= 0:
			year = century * 100
		default:
			year = century*100 + 1
		}
	case r.year != 0:
		year = r.year
		if r.beforeChrist != 0 {
			year = -year
		}
		if year < 0 {
			year++
		}
	case century > 0:
		year = (century-1)*100 + 1
	case century < 0:
		year = century*100 + 1
	default:
		return 0, 0
	}
	return year, gaveYear
}

// isoWeekStart is the Monday of an ISO week, in days since 1970 (isoweek2j).
func isoWeekStart(year, week int64) int64 {
	fourth := daysOf(year, 1, 4)
	return fourth - floorMod(fourth+3, 7) + (week-1)*7
}
