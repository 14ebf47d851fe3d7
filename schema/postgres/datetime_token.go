package postgres

import "strings"

// A fieldKind is the shape of one field of a date, time or interval.
type fieldKind byte

const (
	numberField  fieldKind = iota // digits, perhaps with a decimal point
	dateField                     // with -, / or . between its parts
	timeField                     // with colons
	zoneField                     // a sign and digits
	stringField                   // letters
	specialField                  // a sign and letters
)

type dateTimeField struct {
	kind fieldKind
	text string // in lower case
}

// The limits on what one literal may hold, from PostgreSQL's source (MAXDATEFIELDS, MAXDATELEN).
const (
	maxDateTimeFields = 25
	maxDateTimeLen    = 128
)

// splitDateTime cuts a date, time or interval into fields. Not ok is bad syntax.
func splitDateTime(text string) (fields []dateTimeField, ok bool) {
	size := 0
	for rest := lowerASCII(text); rest != ""; {
		c := rest[0]
		if isSpace(c) {
			rest = rest[1:]
			continue
		}
		var f dateTimeField
		switch {
		case isDigit(c):
			f = scanDigits(rest)
		case c == '.':
			f = dateTimeField{numberField, rest[:1+countWhile(rest[1:], isDigit)]}
		case isAlpha(c):
			f = scanLetters(rest)
		case c == '+' || c == '-':
			after := strings.TrimLeft(rest[1:], spaces)
			n, kind := 0, zoneField
			switch {
			case after == "":
			case isDigit(after[0]):
				n = countWhile(after, func(c byte) bool { return isDigit(c) || c == ':' || c == '.' || c == '-' })
			case isAlpha(after[0]):
				n, kind = countWhile(after, isAlpha), specialField
			}
			if n == 0 {
				return nil, false
			}
			f = dateTimeField{kind, rest[:1] + after[:n]}
			rest = rest[:1] + after // the spaces after the sign are not part of the field
		case c > ' ' && c < 0x7f:
			// Other punctuation only separates.
			rest = rest[1:]
			continue
		default:
			return nil, false
		}
		rest = rest[len(f.text):]
		fields = append(fields, f)
		if size += len(f.text) + 1; len(fields) > maxDateTimeFields || size > maxDateTimeLen+maxDateTimeFields {
			return nil, false
		}
	}
	return fields, true
}

// lowerASCII is strings.ToLower without the letters beyond ASCII that have their lower case in it.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func countWhile(s string, is func(byte) bool) int {
	n := 0
	for n < len(s) && is(s[n]) {
		n++
	}
	return n
}

// scanDigits reads a field that begins with a digit: a time, a date, or a number.
func scanDigits(s string) dateTimeField {
	n := countWhile(s, isDigit)
	if n == len(s) {
		return dateTimeField{numberField, s}
	}
	switch delim := s[n]; delim {
	case ':':
		n++
		n += countWhile(s[n:], func(c byte) bool { return isDigit(c) || c == ':' || c == '.' })
		return dateTimeField{timeField, s[:n]}
	case '-', '/', '.':
		n++
		if n == len(s) || !isDigit(s[n]) {
			// A month's name may follow.
			n += countWhile(s[n:], func(c byte) bool { return isDigit(c) || isAlpha(c) || c == delim })
			return dateTimeField{dateField, s[:n]}
		}
		kind := dateField
		if delim == '.' {
			kind = numberField
		}
		n += countWhile(s[n:], isDigit)
		if n < len(s) && s[n] == delim {
			kind = dateField
			n += countWhile(s[n:], func(c byte) bool { return isDigit(c) || c == delim })
		}
		return dateTimeField{kind, s[:n]}
	}
	return dateTimeField{numberField, s[:n]}
}

// scanLetters reads a field that begins with a letter: a word, or, with punctuation within, a date or a zone's name.
func scanLetters(s string) dateTimeField {
	n := countWhile(s, isAlpha)
	if n == len(s) {
		return dateTimeField{stringField, s}
	}
	date := false
	switch c := s[n]; {
	case c == '-' || c == '/' || c == '.':
		date = true
	case c == '+' || isDigit(c):
		// A word of ours before digits ("jan1999") ends there; anything else is a zone like gmt+1.
		_, known := lookUpToken(dateTokens, s[:n])
		date = !known
	}
	if !date {
		return dateTimeField{stringField, s[:n]}
	}
	n += countWhile(s[n:], func(c byte) bool {
		return isDigit(c) || isAlpha(c) || c == '+' || c == '-' || c == '/' || c == '_' || c == '.' || c == ':'
	})
	return dateTimeField{dateField, s[:n]}
}

// A tokenKind is what a word in a date, time or interval stands for.
type tokenKind byte

const (
	reservedToken tokenKind = iota + 1 // now, today, infinity …
	monthToken
	weekdayToken
	unitToken      // the field that the next number is, or the last one in an interval
	amPmToken      // 0 for am, 1 for pm
	eraToken       // 0 for ad, 1 for bc
	isoTimeToken   // the T before a time
	dstToken       // daylight saving time of the zone before it
	ignoredToken   // at, on, @
	agoToken       // turns an interval round
	fixedZoneToken // an abbreviation of a fixed offset
	dstZoneToken   // likewise, of daylight saving time
	zoneToken      // an abbreviation that means what a zone says
)

// The units of dates, times and intervals.
const (
	yearUnit = iota + 1
	monthUnit
	dayUnit
	hourUnit
	minuteUnit
	secondUnit
	millisecondUnit
	microsecondUnit
	weekUnit
	quarterUnit
	decadeUnit
	centuryUnit
	millenniumUnit
	julianUnit
	timeUnit // hhmmss, after a T
	otherUnit
)

// The reserved words.
const (
	nowWord = iota + 1
	yesterdayWord
	todayWord
	tomorrowWord
	midnightWord
	epochWord
	infinityWord
	minusInfinityWord
)

type token struct {
	kind  tokenKind
	value int
}

// maxTokenLen is how much of a word counts (TOKMAXLEN); longer ones match by their beginning.
const maxTokenLen = 10

func lookUpToken(tokens map[string]token, word string) (token, bool) {
	if len(word) > maxTokenLen {
		word = word[:maxTokenLen]
	}
	t, ok := tokens[word]
	return t, ok
}

// dateTokens are the words of dates and times besides the zone abbreviations.
var dateTokens = map[string]token{
	"-infinity": {reservedToken, minusInfinityWord}, "ad": {eraToken, 0}, "allballs": {reservedToken, midnightWord}, "am": {amPmToken, 0},
	"apr": {monthToken, 4}, "april": {monthToken, 4}, "at": {ignoredToken, 0}, "aug": {monthToken, 8}, "august": {monthToken, 8},
	"bc": {eraToken, 1}, "d": {unitToken, dayUnit}, "dec": {monthToken, 12}, "december": {monthToken, 12},
	"dow": {unitToken, otherUnit}, "doy": {unitToken, otherUnit}, "dst": {dstToken, 3600}, "epoch": {reservedToken, epochWord},
	"feb": {monthToken, 2}, "february": {monthToken, 2}, "fri": {weekdayToken, 5}, "friday": {weekdayToken, 5},
	"h": {unitToken, hourUnit}, "infinity": {reservedToken, infinityWord}, "isodow": {unitToken, otherUnit}, "isoyear": {unitToken, otherUnit},
	"j": {unitToken, julianUnit}, "jan": {monthToken, 1}, "january": {monthToken, 1}, "jd": {unitToken, julianUnit},
	"jul": {monthToken, 7}, "julian": {unitToken, julianUnit}, "july": {monthToken, 7}, "jun": {monthToken, 6}, "june": {monthToken, 6},
	"m": {unitToken, monthUnit}, "mar": {monthToken, 3}, "march": {monthToken, 3}, "may": {monthToken, 5}, "mm": {unitToken, minuteUnit},
	"mon": {weekdayToken, 1}, "monday": {weekdayToken, 1}, "nov": {monthToken, 11}, "november": {monthToken, 11}, "now": {reservedToken, nowWord},
	"oct": {monthToken, 10}, "october": {monthToken, 10}, "on": {ignoredToken, 0}, "pm": {amPmToken, 1}, "s": {unitToken, secondUnit},
	"sat": {weekdayToken, 6}, "saturday": {weekdayToken, 6}, "sep": {monthToken, 9}, "sept": {monthToken, 9}, "september": {monthToken, 9},
	"sun": {weekdayToken, 0}, "sunday": {weekdayToken, 0}, "t": {isoTimeToken, timeUnit}, "thu": {weekdayToken, 4}, "thur": {weekdayToken, 4},
	"thurs": {weekdayToken, 4}, "thursday": {weekdayToken, 4}, "today": {reservedToken, todayWord}, "tomorrow": {reservedToken, tomorrowWord},
	"tue": {weekdayToken, 2}, "tues": {weekdayToken, 2}, "tuesday": {weekdayToken, 2}, "wed": {weekdayToken, 3}, "wednesday": {weekdayToken, 3},
	"weds": {weekdayToken, 3}, "y": {unitToken, yearUnit}, "yesterday": {reservedToken, yesterdayWord},
}

// intervalTokens are the words of intervals.
var intervalTokens = map[string]token{
	"ago": {agoToken, 0}, "c": {unitToken, centuryUnit}, "cent": {unitToken, centuryUnit}, "centuries": {unitToken, centuryUnit},
	"century": {unitToken, centuryUnit}, "d": {unitToken, dayUnit}, "day": {unitToken, dayUnit}, "days": {unitToken, dayUnit},
	"dec": {unitToken, decadeUnit}, "decade": {unitToken, decadeUnit}, "decades": {unitToken, decadeUnit}, "decs": {unitToken, decadeUnit},
	"h": {unitToken, hourUnit}, "hour": {unitToken, hourUnit}, "hours": {unitToken, hourUnit}, "hr": {unitToken, hourUnit}, "hrs": {unitToken, hourUnit},
	"m": {unitToken, minuteUnit}, "microsecon": {unitToken, microsecondUnit}, "mil": {unitToken, millenniumUnit}, "millennia": {unitToken, millenniumUnit},
	"millennium": {unitToken, millenniumUnit}, "millisecon": {unitToken, millisecondUnit}, "mils": {unitToken, millenniumUnit},
	"min": {unitToken, minuteUnit}, "mins": {unitToken, minuteUnit}, "minute": {unitToken, minuteUnit}, "minutes": {unitToken, minuteUnit},
	"mon": {unitToken, monthUnit}, "mons": {unitToken, monthUnit}, "month": {unitToken, monthUnit}, "months": {unitToken, monthUnit},
	"ms": {unitToken, millisecondUnit}, "msec": {unitToken, millisecondUnit}, "msecond": {unitToken, millisecondUnit},
	"mseconds": {unitToken, millisecondUnit}, "msecs": {unitToken, millisecondUnit}, "qtr": {unitToken, quarterUnit},
	"quarter": {unitToken, quarterUnit}, "reltime": {ignoredToken, 0}, "s": {unitToken, secondUnit}, "sec": {unitToken, secondUnit},
	"second": {unitToken, secondUnit}, "seconds": {unitToken, secondUnit}, "secs": {unitToken, secondUnit}, "timezone": {unitToken, otherUnit},
	"timezone_h": {unitToken, otherUnit}, "timezone_m": {unitToken, otherUnit}, "us": {unitToken, microsecondUnit},
	"usec": {unitToken, microsecondUnit}, "usecond": {unitToken, microsecondUnit}, "useconds": {unitToken, microsecondUnit},
	"usecs": {unitToken, microsecondUnit}, "w": {unitToken, weekUnit}, "week": {unitToken, weekUnit}, "weeks": {unitToken, weekUnit},
	"y": {unitToken, yearUnit}, "year": {unitToken, yearUnit}, "years": {unitToken, yearUnit}, "yr": {unitToken, yearUnit}, "yrs": {unitToken, yearUnit},
}
