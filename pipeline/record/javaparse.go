package record

import (
	"bytes"
	"math"
	"time"
)

// javaValues are what a text gave, by field.
type javaValues struct {
	has    [javaFields]bool
	values [javaFields]int64
	zone   *time.Location
	name   string // of the zone, if it was abbreviated
}

// parse reads a text as microseconds since 1970 UTC, false if it does not match.
func (p *javaPattern) parse(text []byte) (int64, bool) {
	var v javaValues
	end, ok := v.all(p.elements, text, 0)
	if !ok || end != len(text) {
		return 0, false
	}
	return v.instant(p.zone)
}

// set notes a value; another one of the same field must be the same.
func (v *javaValues) set(f javaField, value int64) bool {
	if v.has[f] {
		return v.values[f] == value
	}
	v.has[f], v.values[f] = true, value
	return true
}

func (v *javaValues) all(elements []javaElement, text []byte, at int) (int, bool) {
	for i := range elements {
		var ok bool
		if at, ok = v.one(&elements[i], text, at); !ok {
			return at, false
		}
	}
	return at, true
}

func (v *javaValues) one(e *javaElement, text []byte, at int) (int, bool) {
	switch {
	case e.numeric:
		return v.number(e, text, at)
	case e.texts != nil:
		return v.text(e, text, at)
	}
	switch e.field {
	case fieldOptional:
		before := *v
		end, ok := v.all(e.inner, text, at)
		if !ok {
			*v = before
			return at, true
		}
		return end, true
	case fieldOffset:
		return v.offset(e, text, at)
	case fieldGMTOffset:
		return v.gmtOffset(e, text, at)
	case fieldZoneID, fieldZoneName:
		return v.zoneName(e, text, at)
	}
	return at + len(e.text), bytes.HasPrefix(text[at:], []byte(e.text))
}

// text reads one of several names, the longest that fits.
func (v *javaValues) text(e *javaElement, text []byte, at int) (int, bool) {
	found := -1
	for i, name := range e.texts {
		if bytes.HasPrefix(text[at:], []byte(name)) && (found < 0 || len(name) > len(e.texts[found])) {
			found = i
		}
	}
	if found < 0 {
		return at, false
	}
	value := int64(found)
	if e.field == fieldMonth || e.field == fieldWeekday {
		value++
	}
	return at + len(e.texts[found]), v.set(e.field, value)
}

// number reads digits, as NumberPrinterParser.parse does.
func (v *javaValues) number(e *javaElement, text []byte, at int) (int, bool) {
	negative, plus := false, false
	start := at
	if at < len(text) && (text[at] == '-' || text[at] == '+') {
		negative, plus = text[at] == '-', text[at] == '+'
		if e.sign == signNotNegative || plus && e.sign == signNormal {
			return at, false
		}
		start++
	}
	digits := skipDigits(text[start:], 0)
	if digits > e.high+e.later {
		digits = e.high + e.later
	}
	if e.later > 0 {
		digits = min(digits, max(e.low, digits-e.later))
	}
	digits = min(digits, e.high)
	if digits < e.low || digits > 18 {
		return at, false
	}
	n := int64(0)
	for _, c := range text[start : start+digits] {
		n = n*10 + int64(c-'0')
	}
	if e.sign == signExceedsPad && !negative && plus != (digits > e.low) {
		return at, false
	}
	if negative {
		if n == 0 {
			return at, false
		}
		n = -n
	}
	switch {
	case e.reduced:
		n += 2000
	case e.field == fieldFraction:
		for range 9 - digits {
			n *= 10
		}
	}
	return start + digits, v.set(e.field, n)
}

// offset reads the offset of X, x and Z, as OffsetIdPrinterParser.parse does.
func (v *javaValues) offset(e *javaElement, text []byte, at int) (int, bool) {
	if bytes.HasPrefix(text[at:], []byte(e.text)) {
		return at + len(e.text), v.set(fieldOffset, 0)
	}
	seconds, end, ok := readOffset(text, at, e.minutes, e.seconds, e.colon)
	return end, ok && v.set(fieldOffset, seconds)
}

// readOffset reads a sign, two digits of hours, and minutes and seconds: 0 never, 1 if they are there, 2 always.
func readOffset(text []byte, at, minutes, seconds int, colon bool) (offset int64, end int, ok bool) {
	if at >= len(text) || text[at] != '+' && text[at] != '-' {
		return 0, at, false
	}
	sign := int64(1)
	if text[at] == '-' {
		sign = -1
	}
	two := func(from int) (int64, bool) {
		if from+2 > len(text) || skipDigits(text[from:from+2], 0) != 2 {
			return 0, false
		}
		n := int64(text[from]-'0')*10 + int64(text[from+1]-'0')
		return n, n <= 59
	}
	hours, ok := two(at + 1)
	if !ok {
		return 0, at, false
	}
	offset, end = hours*3600, at+3
	for i, need := range []int{minutes, seconds} {
		from := end
		if colon && need > 0 {
			if from >= len(text) || text[from] != ':' {
				from = len(text)
			} else {
				from++
			}
		}
		n, there := int64(0), false
		if need > 0 {
			n, there = two(from)
		}
		switch {
		case there:
			offset += n * []int64{60, 1}[i]
			end = from + 2
			continue
		case need == 2:
			return 0, at, false
		}
		break
	}
	return sign * offset, end, offset <= 18*3600
}

// gmtOffset reads GMT+8 (O) or GMT+08:00 (OOOO).
func (v *javaValues) gmtOffset(e *javaElement, text []byte, at int) (int, bool) {
	if !bytes.HasPrefix(text[at:], []byte("GMT")) {
		return at, false
	}
	at += len("GMT")
	if at == len(text) || text[at] != '+' && text[at] != '-' {
		return at, v.set(fieldOffset, 0)
	}
	if e.minutes == 2 {
		seconds, end, ok := readOffset(text, at, 2, 1, true)
		return end, ok && v.set(fieldOffset, seconds)
	}
	seconds, end, ok := readShortOffset(text, at)
	return end, ok && v.set(fieldOffset, seconds)
}

// readShortOffset reads one or two digits of hours, then minutes and seconds behind colons if they are there.
func readShortOffset(text []byte, at int) (offset int64, end int, ok bool) {
	padded := append([]byte{text[at]}, text[at+1:]...)
	digits := skipDigits(padded[1:], 0)
	if digits == 1 {
		padded = append([]byte{text[at], '0'}, text[at+1:]...)
	}
	offset, end, ok = readOffset(padded, 0, 1, 1, true)
	return offset, at + end - (len(padded) - len(text[at:])), ok
}

// instant resolves the values to microseconds since 1970 UTC, as the resolver style SMART does: a day that its month
// does not have is the month's last.
func (v *javaValues) instant(zone *time.Location) (int64, bool) {
	days, ok := v.date()
	if !ok {
		return 0, false
	}
	nanos, ok := v.timeOfDay()
	if !ok || v.has[fieldWeekday] && v.values[fieldWeekday] != (days+3)%7+1 && v.values[fieldWeekday] != (days+3)%7+8 {
		return 0, false
	}
	if days > math.MaxInt64/(2*secondsPerDay) || days < -math.MaxInt64/(2*secondsPerDay) {
		return 0, false
	}
	seconds := days*secondsPerDay + nanos/1e9
	switch {
	case v.has[fieldOffset]:
		seconds -= v.values[fieldOffset]
	case v.zone != nil:
		seconds -= localOffset(v.zone, seconds, v.name)
	default:
		seconds -= localOffset(zone, seconds, "")
	}
	if seconds < MinTime/microsPerSecond || seconds >= MaxTime/microsPerSecond {
		return 0, false
	}
	return inRange(seconds*microsPerSecond + (nanos%1e9+500)/1000)
}

// date is the day since 1970.
func (v *javaValues) date() (int64, bool) {
	year := v.values[fieldYear]
	if v.has[fieldYearOfEra] {
		ofEra := v.values[fieldYearOfEra]
		if ofEra < 1 {
			return 0, false
		}
		if v.has[fieldEra] && v.values[fieldEra] == 0 {
			ofEra = 1 - ofEra
		}
		if v.has[fieldYear] && year != ofEra {
			return 0, false
		}
		year = ofEra
	} else if !v.has[fieldYear] {
		return 0, false
	}
	if year < -maxYear || year > maxYear {
		return 0, false
	}
	y := int(year)
	if v.has[fieldDayOfYear] {
		n := v.values[fieldDayOfYear]
		if n < 1 || n > 366 || n == 366 && daysIn(y, 2) == 28 {
			return 0, false
		}
		return daysSince1970(y, 1, 1) + n - 1, true
	}
	month, day := v.values[fieldMonth], v.values[fieldDay]
	if !v.has[fieldMonth] || !v.has[fieldDay] || month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, false
	}
	return daysSince1970(y, int(month), min(int(day), daysIn(y, int(month)))), true
}

// timeOfDay is in nanoseconds; 24:00 is the next day's beginning, and no time is the day's. The hours of a clock begin with
// 1, but Java reads 0 too (java.time.format.ResolverStyle.SMART).
func (v *javaValues) timeOfDay() (int64, bool) {
	within := func(f javaField, most int64) bool { return !v.has[f] || v.values[f] >= 0 && v.values[f] <= most }
	if !within(fieldHour, 24) || !within(fieldClock24, 24) || !within(fieldHour12, 11) || !within(fieldClock12, 12) ||
		!within(fieldMinute, 59) || !within(fieldSecond, 59) || !within(fieldNano, 999_999_999) ||
		!within(fieldMilliOfDay, 86_399_999) || !within(fieldNanoOfDay, 86_399_999_999_999) {
		return 0, false
	}
	if v.has[fieldClock24] && !v.set(fieldHour, v.values[fieldClock24]%24) {
		return 0, false
	}
	if v.has[fieldClock12] && !v.set(fieldHour12, v.values[fieldClock12]%12) {
		return 0, false
	}
	if v.has[fieldHour12] && v.has[fieldAmPm] && !v.set(fieldHour, v.values[fieldHour12]+12*v.values[fieldAmPm]) {
		return 0, false
	}
	nano := v.values[fieldFraction]
	if v.has[fieldNano] {
		nano = v.values[fieldNano]
	}
	switch {
	case v.has[fieldNanoOfDay]:
		return v.values[fieldNanoOfDay], true
	case v.has[fieldMilliOfDay]:
		return v.values[fieldMilliOfDay] * 1e6, true
	case !v.has[fieldHour]:
		return 0, !v.has[fieldMinute] && !v.has[fieldSecond] && !v.has[fieldFraction] && !v.has[fieldNano] && !v.has[fieldAmPm] && !v.has[fieldHour12]
	}
	sum := ((v.values[fieldHour]*60+v.values[fieldMinute])*60 + v.values[fieldSecond]) * 1e9
	if v.values[fieldHour] == 24 && (sum != 24*3600*1e9 || nano != 0) {
		return 0, false
	}
	return sum + nano, true
}
