package postgres

// The calendar is the proleptic Gregorian one, with a year 0 that prints as 1 BC. Days count from 1970-01-01.

const (
	microsPerSecond = 1_000_000
	microsPerMinute = 60 * microsPerSecond
	microsPerHour   = 60 * microsPerMinute
	microsPerDay    = 24 * microsPerHour
	secondsPerDay   = 24 * 60 * 60

	// epochDays is PostgreSQL's own epoch, 2000-01-01.
	epochDays   = 10957
	epochMicros = epochDays * microsPerDay

	// minDate is 4714-11-24 BC, Julian day 0, where PostgreSQL's dates and timestamps begin; endDate is 5874898-01-01.
	minDate = -2440588
	endDate = 2145042906
	julian0 = -minDate

	// minTimestamp is the start of minDate. PostgreSQL's last timestamp is that of 294276-12-31; ours, which count from
	// 1970 in the same 64 bits, end 30 years earlier.
	minTimestamp = minDate * microsPerDay

	daysPerEra = 146097 // 400 years
)

// civilToDays is the day number of a date; month and day must be valid.
func civilToDays(year int64, month, day int) int64 {
	// Years start in March here, so that the leap day is the last.
	if month <= 2 {
		year--
		month += 12
	}
	era := floorDiv(year, 400)
	yearOfEra := year - era*400
	dayOfYear := int64((153*(month-3)+2)/5 + day - 1)
	return era*daysPerEra + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
}

// daysToCivil is the date of a day number.
func daysToCivil(days int64) (year int64, month, day int) {
	days += 719468
	era := floorDiv(days, daysPerEra)
	dayOfEra := days - era*daysPerEra
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*dayOfYear + 2) / 153
	day, month, year = int(dayOfYear-(153*m+2)/5+1), int(m)+3, yearOfEra+era*400
	if month > 12 {
		return year + 1, month - 12, day
	}
	return year, month, day
}

// weekday is 0 for Sunday.
func weekday(days int64) int { return int(floorMod(days+4, 7)) }

func daysInMonth(year int64, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }
