package record

import "bytes"

const (
	microsPerSecond = 1_000_000
	secondsPerDay   = 86_400
)

// clock is a date and time as written, and its distance from UTC.
type clock struct {
	year, month, day     int
	hour, minute, second int
	micros               int64 // may be a whole second after rounding
	offset               int   // seconds east
}

// maxYear bounds years before they are multiplied; what is beyond MaxTime is refused later.
const maxYear = 999_999

// unix is the instant in microseconds since 1970 UTC, false if there is no such date or it is out of range. A 60th
// second is the next minute's first, as in PostgreSQL.
func (c *clock) unix() (int64, bool) {
	if c.year < -maxYear || c.year > maxYear || c.month < 1 || c.month > 12 || c.day < 1 || c.day > daysIn(c.year, c.month) {
		return 0, false
	}
	if c.hour > 23 || c.minute > 59 || c.second > 60 {
		return 0, false
	}
	seconds := daysSince1970(c.year, c.month, c.day)*secondsPerDay + int64(c.hour*3600+c.minute*60+c.second-c.offset)
	if seconds < MinTime/microsPerSecond || seconds >= MaxTime/microsPerSecond {
		return 0, false
	}
	return inRange(seconds*microsPerSecond + c.micros)
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	default:
		return 31
	}
}

// daysSince1970 counts days in the Gregorian calendar, by eras of 400 years that begin in March
// (Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil).
func daysSince1970(year, month, day int) int64 {
	if month <= 2 {
		year--
	}
	era := year / 400
	if year < 0 {
		era = (year - 399) / 400
	}
	yearOfEra := year - era*400
	dayOfYear := (153*((month+9)%12)+2)/5 + day - 1
	dayOfEra := yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear
	return int64(era)*146_097 + int64(dayOfEra) - 719_468
}

// cursor reads a date piece by piece. After the first piece that does not fit, ok is false.
type cursor struct {
	text []byte
	ok   bool
}

func (c *cursor) peek() byte {
	if len(c.text) == 0 {
		return 0
	}
	return c.text[0]
}

// accept takes the byte if it is next.
func (c *cursor) accept(b byte) bool {
	if len(c.text) == 0 || c.text[0] != b {
		return false
	}
	c.text = c.text[1:]
	return true
}

func (c *cursor) expect(b byte) { c.ok = c.accept(b) && c.ok }

// number takes at least low and at most high digits.
func (c *cursor) number(low, high int) int {
	n, i := 0, 0
	for i < len(c.text) && i < high && c.text[i]-'0' <= 9 {
		n = n*10 + int(c.text[i]-'0')
		i++
	}
	c.text = c.text[i:]
	c.ok = c.ok && i >= low
	return n
}

// fraction takes the digits after a point, at least one, as microseconds.
func (c *cursor) fraction() int64 {
	i := skipDigits(c.text, 0)
	c.ok = c.ok && i > 0
	digits := c.text[:i]
	c.text = c.text[i:]
	return fractionOf(digits, 6)
}

// sign takes a sign: 1, -1, or 0 if there is none.
func (c *cursor) sign() int {
	switch {
	case c.accept('+'):
		return 1
	case c.accept('-'):
		return -1
	default:
		return 0
	}
}

// word takes letters, up to three.
func (c *cursor) word() []byte {
	i := 0
	for i < len(c.text) && i < 3 && c.text[i]|0x20 >= 'a' && c.text[i]|0x20 <= 'z' {
		i++
	}
	w := c.text[:i]
	c.text = c.text[i:]
	return w
}

// done says whether everything fitted and was read.
func (c *cursor) done() bool { return c.ok && len(c.text) == 0 }

// parseRFC3339 reads an RFC 3339 date-time; T and Z in any case, and a space for the T as section 5.6 allows.
func parseRFC3339(text []byte) (int64, bool) {
	in := cursor{text: text, ok: true}
	var c clock
	c.year = in.number(4, 4)
	in.expect('-')
	c.month = in.number(2, 2)
	in.expect('-')
	c.day = in.number(2, 2)
	if in.peek()|0x20 == 't' || in.peek() == ' ' {
		in.text = in.text[1:]
	} else {
		return 0, false
	}
	c.hour = in.number(2, 2)
	in.expect(':')
	c.minute = in.number(2, 2)
	in.expect(':')
	c.second = in.number(2, 2)
	if in.accept('.') {
		c.micros = in.fraction()
	}
	if in.peek()|0x20 == 'z' {
		in.text = in.text[1:]
	} else {
		sign := in.sign()
		hours := in.number(2, 2)
		in.expect(':')
		minutes := in.number(2, 2)
		if sign == 0 || hours > 23 || minutes > 59 {
			return 0, false
		}
		c.offset = sign * (hours*3600 + minutes*60)
	}
	if !in.done() {
		return 0, false
	}
	return c.unix()
}

// isoZone says what may end an ISO 8601 date-time.
type isoZone struct {
	optional bool // nothing, which then is UTC
	region   bool // after an offset, a zone's name in brackets; the offset alone decides the instant
	utc      bool // nothing but Z
}

// parseISO reads a date-time as Java's DateTimeFormatter.ISO_LOCAL_DATE_TIME followed by a zone does: years beyond four
// digits have a sign, seconds and their fraction may be missing, letters are of any case.
func parseISO(text []byte, zone isoZone) (int64, bool) {
	in := cursor{text: text, ok: true}
	var c clock
	switch in.sign() {
	case 0:
		c.year = in.number(4, 4)
	case 1:
		c.year = in.number(5, 9)
	default:
		c.year = -in.number(4, 9)
	}
	in.expect('-')
	c.month = in.number(2, 2)
	in.expect('-')
	c.day = in.number(2, 2)
	if in.peek()|0x20 != 't' {
		return 0, false
	}
	in.text = in.text[1:]
	c.hour = in.number(2, 2)
	in.expect(':')
	c.minute = in.number(2, 2)
	if in.accept(':') {
		c.second = in.number(2, 2)
		if in.accept('.') {
			c.micros = in.fraction()
		}
	}
	if !parseZone(&in, &c, zone) || !in.done() {
		return 0, false
	}
	return c.unix()
}

func parseZone(in *cursor, c *clock, zone isoZone) bool {
	switch {
	case in.peek()|0x20 == 'z':
		in.text = in.text[1:]
	case len(in.text) == 0:
		return zone.optional
	case zone.utc:
		return false
	default:
		sign := in.sign()
		hours, minutes, seconds := in.number(2, 2), 0, 0
		in.expect(':')
		minutes = in.number(2, 2)
		if in.accept(':') {
			seconds = in.number(2, 2)
		}
		// Java's ZoneOffset goes to 18 hours.
		if sign == 0 || minutes > 59 || seconds > 59 || hours*3600+minutes*60+seconds > 18*3600 {
			return false
		}
		c.offset = sign * (hours*3600 + minutes*60 + seconds)
	}
	if zone.region && in.accept('[') {
		end := bytes.IndexByte(in.text, ']')
		if end < 1 {
			return false
		}
		in.text = in.text[end+1:]
	}
	return true
}

// The names that RFC 1123 takes, three letters each.
const (
	monthNames = "janfebmaraprmayjunjulaugsepoctnovdec"
	dayNames   = "sunmontuewedthufrisat"
)

// parseRFC1123 reads the date-time of RFC 1123 as Java's RFC_1123_DATE_TIME does, in any case: "Tue, 3 Jun 2008
// 11:05:30 GMT", the weekday and the seconds at will, the zone GMT or four digits. A wrong weekday does not fit.
func parseRFC1123(text []byte) (int64, bool) {
	in := cursor{text: text, ok: true}
	weekday := -1
	if day := in.word(); len(day) > 0 {
		if weekday = indexName(dayNames, day); weekday < 0 {
			return 0, false
		}
		in.expect(',')
		in.expect(' ')
	}
	var c clock
	c.day = in.number(1, 2)
	in.expect(' ')
	c.month = indexName(monthNames, in.word()) + 1
	in.expect(' ')
	c.year = in.number(4, 4)
	in.expect(' ')
	c.hour = in.number(2, 2)
	in.expect(':')
	c.minute = in.number(2, 2)
	if in.accept(':') {
		c.second = in.number(2, 2)
	}
	in.expect(' ')
	if sign := in.sign(); sign != 0 {
		hours, minutes := in.number(2, 2), in.number(2, 2)
		if minutes > 59 || hours*60+minutes > 18*60 {
			return 0, false
		}
		c.offset = sign * (hours*3600 + minutes*60)
	} else if !bytes.EqualFold(in.word(), []byte("gmt")) {
		return 0, false
	}
	if !in.done() {
		return 0, false
	}
	t, ok := c.unix()
	if !ok {
		return 0, false
	}
	// 1970-01-01 was a Thursday.
	if days := daysSince1970(c.year, c.month, c.day); weekday >= 0 && int((days%7+11)%7) != weekday {
		return 0, false
	}
	return t, true
}

// indexName finds a word among names of three letters, in any case; -1 if it is none of them.
func indexName(names string, word []byte) int {
	for i := 0; i < len(names); i += 3 {
		if bytes.EqualFold(word, []byte(names[i:i+3])) {
			return i / 3
		}
	}
	return -1
}
