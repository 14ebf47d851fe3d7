package postgres

import (
	"math"
	"strconv"
	"strings"
)

// readDate reads a date whose parts are separated by punctuation, the month perhaps by name.
func (r *dateTimeReader) readDate(text string) (fieldMask, error) {
	var parts []string
	for text != "" {
		text = strings.TrimLeftFunc(text, func(c rune) bool { return !isDigit(byte(c)) && !isAlpha(byte(c)) })
		if text == "" {
			return 0, errBadFormat
		}
		is := isDigit
		if isAlpha(text[0]) {
			is = isAlpha
		}
		n := countWhile(text, is)
		parts = append(parts, text[:n])
		// Whatever ends a part is dropped, even the digit after a month's name.
		text = text[min(n+1, len(text)):]
	}
	mask, textMonth := r.mask, false
	var given fieldMask
	add := func(m fieldMask) error {
		if mask&m != 0 {
			return errBadFormat
		}
		mask, given = mask|m, given|m
		return nil
	}
	// A month by name is unambiguous, so it is looked for first.
	for _, p := range parts {
		if !isAlpha(p[0]) {
			continue
		}
		t, ok := lookUpToken(dateTokens, p)
		if ok && t.kind == ignoredToken {
			continue
		}
		if !ok || t.kind != monthToken || add(hasMonth) != nil {
			return 0, errBadFormat
		}
		r.month, textMonth = t.value, true
	}
	for _, p := range parts {
		if isAlpha(p[0]) {
			continue
		}
		m, err := r.readNumber(p, textMonth, mask)
		if err == nil {
			err = add(m)
		}
		if err != nil {
			return 0, err
		}
	}
	if mask&^(hasDayOfYear|hasZone) != hasDate {
		return 0, errBadFormat
	}
	return given, nil
}

// readNumberField reads a field of digits with perhaps a decimal point, by what came before it.
func (r *dateTimeReader) readNumberField(i int, text string) (fieldMask, error) {
	if r.unit != 0 {
		unit := r.unit
		r.unit = 0
		return r.readLabelled(unit, text)
	}
	mask := r.mask
	point := strings.IndexByte(text, '.')
	if r.timeOnly {
		mask |= hasDate
		switch {
		case point >= 0 && i == 0 && len(r.fields) >= 2 && r.fields[len(r.fields)-1].kind == dateField:
			return r.readDate(text)
		case point > 2, point < 0 && len(text) > 4:
			return r.readRunTogether(text, mask)
		case point >= 0:
			return 0, errBadFormat
		}
		return r.readNumber(text, false, mask)
	}
	switch {
	case point >= 0 && mask&hasDate == 0:
		return r.readDate(text)
	case point > 2, len(text) >= 6 && (mask&hasDate == 0 || mask&hasTime == 0):
		return r.readRunTogether(text, mask)
	}
	return r.readNumber(text, r.textMonth, mask)
}

// readLabelled reads a number of which the word before it said what it is.
func (r *dateTimeReader) readLabelled(unit int, text string) (fieldMask, error) {
	r.reserved = 0
	n, rest, err := leadingInt(text)
	if err != nil {
		return 0, err
	}
	switch {
	case rest == "":
	case rest[0] != '.', unit != julianUnit && unit != timeUnit && unit != secondUnit:
		return 0, errBadFormat
	}
	switch unit {
	case yearUnit:
		r.year = n
		return hasYear, nil
	case monthUnit:
		if r.mask&hasMonth != 0 && r.mask&hasHour != 0 {
			r.minute = n
			return hasMinute, nil
		}
		r.month = n
		return hasMonth, nil
	case dayUnit:
		r.day = n
		return hasDay, nil
	case hourUnit:
		r.hour = n
		return hasHour, nil
	case minuteUnit:
		r.minute = n
		return hasMinute, nil
	case secondUnit:
		r.second = n
		if rest == "" {
			return hasSecond, nil
		}
		r.micros, err = parseFractionalSecond(rest)
		return hasAllSeconds, err
	case julianUnit:
		return r.readJulian(n, rest)
	case timeUnit:
		mask, err := r.readRunTogether(text, r.mask|hasDate)
		if err == nil && mask != hasTime {
			err = errBadFormat
		}
		return mask, err
	}
	return 0, errBadFormat
}

// readJulian takes a day count since 4714-11-24 BC, whose fraction is the time.
func (r *dateTimeReader) readJulian(n int, fraction string) (fieldMask, error) {
	if n < 0 {
		return 0, errFieldOverflow
	}
	r.setDays(int64(n) - julian0)
	r.julian = true
	if fraction == "" {
		return hasDate, nil
	}
	f, err := parseFraction(fraction)
	r.setMicrosOfDay(int64(f * microsPerDay))
	return hasDate | hasTime, err
}

// readNumber takes a number for the part of the date that can come next.
func (r *dateTimeReader) readNumber(text string, textMonth bool, mask fieldMask) (fieldMask, error) {
	n, rest, err := leadingInt(text)
	if err != nil {
		return 0, err
	}
	switch {
	case len(rest) == len(text):
		return 0, errBadFormat
	case strings.HasPrefix(rest, "."):
		if len(text)-len(rest) > 2 {
			return r.readRunTogether(text, mask|hasDate)
		}
		if r.micros, err = parseFractionalSecond(rest); err != nil {
			return 0, err
		}
	case rest != "":
		return 0, errBadFormat
	}
	if len(text) == 3 && mask&hasDate == hasYear && n >= 1 && n <= 366 {
		r.dayOfYear = n
		return hasDayOfYear | hasMonth | hasDay, nil
	}
	part := hasDay
	switch mask & hasDate {
	case 0:
		switch {
		case len(text) >= 3 || r.env.DateOrder == YMD:
			part = hasYear
		case r.env.DateOrder == MDY:
			part = hasMonth
		}
	case hasYear, hasDay:
		part = hasMonth
	case hasMonth:
		if textMonth && (len(text) >= 3 || r.env.DateOrder == YMD) {
			part = hasYear
		}
	case hasYear | hasMonth:
		if textMonth && len(text) >= 3 && r.twoDigits {
			// What was taken for the year was the day.
			r.day, r.year, r.twoDigits = r.year, n, false
			return hasDay, nil
		}
	case hasMonth | hasDay:
		part = hasYear
	case hasDate:
		return r.readRunTogether(text, mask)
	default:
		return 0, errBadFormat
	}
	switch part {
	case hasYear:
		r.year, r.twoDigits = n, len(text) <= 2
	case hasMonth:
		r.month = n
	default:
		r.day = n
	}
	return part, nil
}

// readRunTogether reads yymmdd, yyyymmdd and longer, or, once there is a date, hhmmss[.ffffff] or hhmm.
func (r *dateTimeReader) readRunTogether(text string, mask fieldMask) (fieldMask, error) {
	if point := strings.IndexByte(text, '.'); point >= 0 {
		if point+1 < len(text) {
			f, err := strconv.ParseFloat(text[point:point+1+countWhile(text[point+1:], isDigit)], 64)
			if err != nil {
				return 0, errBadFormat
			}
			r.micros = int64(math.RoundToEven(f * 1e6))
		} else {
			r.micros = 0
		}
		text = text[:point]
	} else if mask&hasDate != hasDate && len(text) >= 6 {
		n := len(text)
		r.day, r.month, r.twoDigits = twoDigits(text[n-2:]), twoDigits(text[n-4:]), n == 6
		var err error
		r.year, _, err = leadingInt(text[:n-4])
		return hasDate, err
	}
	if mask&hasTime != hasTime {
		switch len(text) {
		case 6:
			r.hour, r.minute, r.second = twoDigits(text), twoDigits(text[2:]), twoDigits(text[4:])
			return hasTime, nil
		case 4:
			r.hour, r.minute, r.second = twoDigits(text), twoDigits(text[2:]), 0
			return hasTime, nil
		}
	}
	return 0, errBadFormat
}

// twoDigits is the number that the first two digits of a text make.
func twoDigits(text string) int { return int(text[0]-'0')*10 + int(text[1]-'0') }

// readWord reads a field of letters.
func (r *dateTimeReader) readWord(i int, word string) (fieldMask, error) {
	if a, ok := catalog().abbreviationsByLower[word]; ok {
		return r.readAbbreviation(a)
	}
	t, ok := lookUpToken(dateTokens, word)
	if !ok {
		loc, err := LoadZone(word)
		if err != nil {
			return 0, errBadFormat
		}
		r.named = loc
		return hasZone, nil
	}
	switch t.kind {
	case reservedToken:
		return r.readReserved(t.value)
	case monthToken:
		if r.timeOnly {
			return 0, errBadFormat
		}
		given := hasMonth
		if r.mask&hasMonth != 0 && !r.textMonth && r.mask&hasDay == 0 && r.month >= 1 && r.month <= 31 {
			// The number taken for the month was the day.
			r.day, given = r.month, hasDay
		}
		r.textMonth, r.month = true, t.value
		return given, nil
	case weekdayToken:
		if r.timeOnly {
			return 0, errBadFormat
		}
		return hasWeekday, nil
	case dstToken:
		r.zone += t.value
		return hasDSTZone, nil
	case amPmToken:
		r.halfDay = t.value + 1
		return hasAMPM, nil
	case eraToken:
		r.bc = t.value == 1
		return hasEra, nil
	case unitToken:
		r.unit = t.value
	case isoTimeToken:
		if !r.timeOnly && r.mask&hasDate != hasDate || i == len(r.fields)-1 {
			return 0, errBadFormat
		}
		switch r.fields[i+1].kind {
		case numberField, timeField, dateField:
		default:
			return 0, errBadFormat
		}
		r.unit = t.value
	}
	return 0, nil
}

func (r *dateTimeReader) readAbbreviation(a *ZoneAbbreviation) (fieldMask, error) {
	if a.Zone == "" {
		r.zone = a.Offset
		if a.DST {
			return hasZone | hasFixedDSTZone, nil
		}
		return hasZone, nil
	}
	var err error
	r.abbreviated, err = LoadZone(a.Zone)
	r.abbreviation = a.Name
	return hasZone | hasZoneName, err
}

func (r *dateTimeReader) readReserved(word int) (fieldMask, error) {
	now := r.now()
	if word != epochWord && word != infinityWord && word != minusInfinityWord {
		r.reserved = 0
	}
	switch word {
	case nowWord:
		r.hour, r.minute, r.second, r.micros = now.Hour(), now.Minute(), now.Second(), int64(now.Nanosecond()/1000)
		if r.timeOnly {
			return hasTime, nil
		}
		r.year, r.month, r.day = now.Year(), int(now.Month()), now.Day()
		_, r.zone = now.Zone()
		return hasDate | hasTime | hasZone, nil
	case midnightWord:
		r.setMicrosOfDay(0)
		r.zone = 0
		return hasTime | hasZone, nil
	}
	if r.timeOnly {
		return 0, errBadFormat
	}
	today := civilToDays(int64(now.Year()), int(now.Month()), now.Day())
	switch word {
	case yesterdayWord:
		r.setDays(today - 1)
	case todayWord:
		r.setDays(today)
	case tomorrowWord:
		r.setDays(today + 1)
	default:
		r.reserved = word
		return hasReserved, nil
	}
	return hasDate, nil
}

// checkDate settles the year and checks the date's parts.
func (r *dateTimeReader) checkDate() error {
	if r.mask&hasYear != 0 && !r.julian {
		switch {
		case r.bc:
			if r.year <= 0 {
				return errFieldOverflow
			}
			r.year = 1 - r.year
		case r.twoDigits && r.year < 70:
			r.year += 2000
		case r.twoDigits && r.year < 100:
			r.year += 1900
		case r.year <= 0:
			return errFieldOverflow
		}
	}
	if r.mask&hasDayOfYear != 0 {
		r.setDays(civilToDays(int64(r.year), 1, 1) + int64(r.dayOfYear) - 1)
	}
	if r.mask&hasMonth != 0 && (r.month < 1 || r.month > 12) || r.mask&hasDay != 0 && (r.day < 1 || r.day > 31) {
		return errMonthDayOverflow
	}
	if r.mask&hasDate == hasDate && r.day > daysInMonth(int64(r.year), r.month) {
		return errFieldOverflow
	}
	return nil
}

// finishDate checks that a date was given and finds its offset.
func (r *dateTimeReader) finishDate() error {
	if r.reserved != 0 {
		return nil
	}
	if r.mask&hasDate != hasDate {
		return errBadFormat
	}
	loc := r.env.Zone
	switch {
	case r.named != nil:
		loc = r.named
	case r.abbreviated != nil:
		if r.mask&hasDSTZone != 0 {
			return errBadFormat
		}
		r.zone = offsetOfAbbreviation(r.abbreviated, r.abbreviation, r.localSeconds())
		return nil
	case r.mask&hasZone != 0:
		return nil
	}
	if r.mask&hasDSTZone != 0 {
		return errBadFormat
	}
	r.zone = offsetOfLocal(loc, r.localSeconds())
	return nil
}

// finishTime checks that a time was given and finds its offset, which may depend on the date.
func (r *dateTimeReader) finishTime() error {
	if r.timeOverflows() {
		return errFieldOverflow
	}
	if r.mask&hasTime != hasTime {
		return errBadFormat
	}
	loc := r.env.Zone
	switch {
	case r.named != nil:
		loc = r.named
		if isFixedZone(loc) {
			r.zone, _ = zoneAt(loc, 0)
			return nil
		}
	case r.abbreviated != nil:
		loc = r.abbreviated
	case r.mask&hasZone != 0:
		return nil
	}
	if r.mask&hasDSTZone != 0 {
		return errBadFormat
	}
	at := r.civilTime
	switch {
	case r.mask&hasDate == hasDate:
	case r.mask&hasDate != 0, r.named != nil:
		return errBadFormat
	default:
		now := r.now()
		at.year, at.month, at.day = now.Year(), int(now.Month()), now.Day()
	}
	if r.abbreviated != nil {
		r.zone = offsetOfAbbreviation(loc, r.abbreviation, at.localSeconds())
		return nil
	}
	r.zone = offsetOfLocal(loc, at.localSeconds())
	return nil
}
