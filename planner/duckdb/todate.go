package duckdb

import (
	"fmt"
	"math"
	"strings"

	"github.com/jackc/pgerrcode"
)

// dateReader reads a text by a template: to_date and to_timestamp (DCH_from_char
// in formatting.c). A field that is 0 was not given.
type dateReader struct {
	text string // whole
	in   string // what is left
	// extra counts the characters passed over that the template does not have.
	extra int
	fixed bool // FX
	// standard: characters of the template have to be there as they are.
	standard bool
	mode     dateMode

	year, month, day, weekDay, yearDay, week, weekOfMonth int64
	yearWidth                                             int
	century, julian                                       int64
	beforeChrist, afternoon                               int64 // 1 if so
	hour, minute, second, daySecond, millis, micros       int64
	twelve                                                bool
	zoneSign, zoneHour, zoneMinute                        int64
	// rounded is what a field FF1 to FF6 rounds to, in microseconds.
	rounded int64
}

// dateMode is the calendar of a field: Gregorian and ISO weeks do not mix.
type dateMode int

const (
	anyMode dateMode = iota
	gregorianMode
	isoWeekMode
)

// readMoment gives local time in microseconds since 1970, or, if the text names
// an offset, an instant.
func readMoment(text, template string) (t int64, instant bool, err error) {
	nodes, err := parseTemplate(template)
	if err != nil {
		return 0, false, err
	}
	r := &dateReader{text: text, in: text}
	for i := 0; i < len(nodes) && r.in != ""; i++ {
		if err := r.node(nodes, i); err != nil {
			return 0, false, err
		}
	}
	t, err = r.moment()
	if r.rounded > 1 {
		t = roundTo(t, r.rounded)
	}
	return t, r.zoneSign != 0, err
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// isSeparator: a character that is neither letter nor digit (is_separator_char).
func isSeparator(s string) bool {
	if s == "" {
		return false
	}
	c := s[0]
	return c > 0x20 && c < 0x7f && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9')
}

func (r *dateReader) skipSpaces() {
	for r.in != "" && isSpace(r.in[0]) {
		r.in = r.in[1:]
		r.extra++
	}
}

func (r *dateReader) node(nodes []templateNode, i int) error {
	n := &nodes[i]
	if !r.fixed && (n.field != "" || i == 0) {
		r.skipSpaces()
	}
	if n.field == "" && r.standard {
		return r.sameCharacter(n)
	}
	if n.field == "" {
		r.character(n)
		return nil
	}
	if r.in == "" {
		return nil
	}
	if err := r.setMode(n.field); err != nil {
		return err
	}
	if err := r.field(n, nodes, i); err != nil {
		return err
	}
	if n.ordinal {
		r.in = r.in[min(2, len(r.in)):]
	}
	if !r.fixed {
		r.extra = 0
		r.skipSpaces()
	}
	return nil
}

// character passes over what a character of the template stands for, which need
// not be the same.
func (r *dateReader) character(n *templateNode) {
	space := !n.quoted && (isSpace(n.written[0]) || isSeparator(n.written))
	switch {
	case r.in == "":
	case r.fixed:
		r.in = r.in[skip(r.in, 1):]
	case space:
		r.extra--
		if isSpace(r.in[0]) || isSeparator(r.in) {
			r.in = r.in[1:]
			r.extra++
		}
	case r.extra > 0:
		r.extra--
	default:
		r.in = r.in[skip(r.in, 1):]
	}
}

// sameCharacter passes over a character of the template, which has to be the same.
func (r *dateReader) sameCharacter(n *templateNode) error {
	rest, same := strings.CutPrefix(r.in, n.written)
	if !same {
		kind := "separator"
		if n.quoted {
			kind = "character"
		}
		return errorf(pgerrcode.InvalidDatetimeFormat, "unmatched format %s %q", kind, n.written)
	}
	r.in = rest
	return nil
}

func (r *dateReader) setMode(field string) error {
	mode := anyMode
	switch field {
	case "DDD", "DD", "D", "MM", "MONTH", "MON", "RM", "WW", "W", "Y,YYY", "YYYY", "YYY", "YY", "Y":
		mode = gregorianMode
	case "IDDD", "ID", "IW", "IYYY", "IYY", "IY", "I":
		mode = isoWeekMode
	}
	if mode == anyMode {
		return nil
	}
	if r.mode != anyMode && r.mode != mode {
		e := errorf(pgerrcode.InvalidDatetimeFormat, "invalid combination of date conventions")
		e.Hint = "Do not mix Gregorian and ISO week date conventions in a formatting template."
		return e
	}
	r.mode = mode
	return nil
}

// number reads an integer of a field into targets: as many digits as there are if
// what follows in the template ends them, else exactly width characters.
func (r *dateReader) number(n *templateNode, nodes []templateNode, i, width int, targets ...*int64) (used int, err error) {
	before := len(r.in)
	text := strings.TrimLeft(r.in, " \t\n\v\f\r")
	copied := text[:min(width, len(text))]
	var v int64
	if n.fill || endsNumber(nodes, i) {
		var length int
		v, length = leadingInteger(text)
		if length > 0 {
			r.in = text[length:]
		}
	} else {
		if len(text) < width {
			e := errorf(pgerrcode.InvalidDatetimeFormat, "source string too short for %q formatting field", n.written)
			e.Detail = fmt.Sprintf("Field requires %d characters, but only %d remain.", width, len(text))
			e.Hint = fixedWidthHint
			return 0, e
		}
		var length int
		v, length = leadingInteger(copied)
		if length > 0 && length < width {
			e := errorf(pgerrcode.InvalidDatetimeFormat, "invalid value %q for %q", copied, n.written)
			e.Detail = fmt.Sprintf("Field requires %d characters, but only %d could be parsed.", width, length)
			e.Hint = fixedWidthHint
			return 0, e
		}
		r.in = text[length:]
		if length == 0 {
			r.in = text
		}
	}
	if len(r.in) == before {
		e := errorf(pgerrcode.InvalidDatetimeFormat, "invalid value %q for %q", copied, n.written)
		e.Detail = "Value must be an integer."
		return 0, e
	}
	if v < math.MinInt32 || v > math.MaxInt32 {
		e := errorf(pgerrcode.DatetimeFieldOverflow, "value for %q in source string is out of range", n.written)
		e.Detail = fmt.Sprintf("Value must be in the range %d to %d.", math.MinInt32, math.MaxInt32)
		return 0, e
	}
	for _, t := range targets {
		if err := setField(t, v, n); err != nil {
			return 0, err
		}
	}
	return before - len(r.in), nil
}

const fixedWidthHint = `If your source string is not fixed-width, try using the "FM" modifier.`

// leadingInteger reads as strtol does; what is out of range is far out of it.
func leadingInteger(s string) (v int64, length int) {
	at, sign := 0, int64(1)
	if at < len(s) && (s[at] == '-' || s[at] == '+') {
		if s[at] == '-' {
			sign = -1
		}
		at++
	}
	digits := 0
	for ; at < len(s) && s[at] >= '0' && s[at] <= '9'; at++ {
		v = min(v*10+int64(s[at]-'0'), math.MaxInt64/100)
		digits++
	}
	if digits == 0 {
		return 0, 0
	}
	return v * sign, at
}

// setField sets a field, which may not have another value already.
func setField(target *int64, v int64, n *templateNode) error {
	if *target != 0 && *target != v {
		e := errorf(pgerrcode.InvalidDatetimeFormat, "conflicting values for %q field in formatting string", n.written)
		e.Detail = "This value contradicts a previous setting for the same field type."
		return e
	}
	*target = v
	return nil
}

// endsNumber says that behind node i the template has the end, or what is no
// digit (is_next_separator).
func endsNumber(nodes []templateNode, i int) bool {
	if nodes[i].ordinal || i+1 == len(nodes) {
		return true
	}
	next := &nodes[i+1]
	switch next.field {
	case "":
		return len(next.written) > 1 || next.written[0] < '0' || next.written[0] > '9'
	case "A.D.", "A.M.", "AD", "AM", "B.C.", "BC", "DAY", "DY", "FX", "MONTH", "MON", "OF", "P.M.", "PM", "RM", "TZ", "TZH":
		return true
	}
	return false
}

// field reads one field.
func (r *dateReader) field(n *templateNode, nodes []templateNode, i int) error {
	number := func(width int, targets ...*int64) error {
		_, err := r.number(n, nodes, i, width, targets...)
		return err
	}
	switch n.field {
	case "FX":
		r.fixed = true
		return nil
	case "HH", "HH12":
		r.twelve = true
		return number(2, &r.hour)
	case "HH24":
		return number(2, &r.hour)
	case "MI":
		return number(2, &r.minute)
	case "SS":
		return number(2, &r.second)
	case "SSSS", "SSSSS":
		return number(len(n.field), &r.daySecond)
	case "MS", "US", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6":
		return r.fraction(n, nodes, i)
	case "AM", "PM", "A.M.", "P.M.":
		r.twelve = true
		return r.either(n, "am", "pm", &r.afternoon)
	case "AD", "BC", "A.D.", "B.C.":
		return r.either(n, "ad", "bc", &r.beforeChrist)
	case "TZH":
		return r.zoneHours(n, nodes, i)
	case "TZM":
		if r.zoneSign == 0 {
			r.zoneSign = 1
		}
		return number(2, &r.zoneMinute)
	case "TZ", "OF":
		return errorf(pgerrcode.FeatureNotSupported, "formatting field %q is only supported in to_char", n.written)
	}
	return r.dateField(n, nodes, i)
}

func (r *dateReader) dateField(n *templateNode, nodes []templateNode, i int) error {
	number := func(width int, targets ...*int64) error {
		_, err := r.number(n, nodes, i, width, targets...)
		return err
	}
	switch n.field {
	case "MONTH":
		return r.name(n, monthNames, &r.month, func(i int) int64 { return int64(i + 1) })
	case "MON":
		return r.name(n, shortNames(monthNames), &r.month, func(i int) int64 { return int64(i + 1) })
	case "RM":
		return r.name(n, romanMonths, &r.month, func(i int) int64 { return int64(12 - i) })
	case "DAY":
		return r.dayName(n, dayNames)
	case "DY":
		return r.dayName(n, shortNames(dayNames))
	case "MM", "DD", "WW", "IW", "CC":
		return number(2, map[string]*int64{"MM": &r.month, "DD": &r.day, "WW": &r.week, "IW": &r.week, "CC": &r.century}[n.field])
	case "DDD", "IDDD":
		return number(3, &r.yearDay)
	case "D", "W", "J":
		return number(1, map[string]*int64{"D": &r.weekDay, "W": &r.weekOfMonth, "J": &r.julian}[n.field])
	case "ID":
		err := number(1, &r.weekDay)
		// As with D, Sunday is 1.
		if r.weekDay++; r.weekDay > 7 {
			r.weekDay = 1
		}
		return err
	case "Q":
		return number(1) // which decides nothing
	case "Y,YYY":
		return r.yearWithComma(n)
	}
	return r.yearOf(n, nodes, i)
}

// yearOf reads a year. Those of fewer than four digits are near 2020.
func (r *dateReader) yearOf(n *templateNode, nodes []templateNode, i int) error {
	r.yearWidth = len(n.field)
	used, err := r.number(n, nodes, i, r.yearWidth, &r.year)
	if err == nil && r.yearWidth < 4 && used < 4 {
		switch {
		case r.year < 70:
			r.year += 2000
		case r.year < 100:
			r.year += 1900
		case r.year < 520:
			r.year += 2000
		case r.year < 1000:
			r.year += 1000
		}
	}
	return err
}

func (r *dateReader) yearWithComma(n *templateNode) error {
	millennia, length := leadingInteger(r.in)
	rest := r.in[length:]
	if length == 0 || !strings.HasPrefix(rest, ",") {
		return errorf(pgerrcode.InvalidDatetimeFormat, `invalid input string for "Y,YYY"`)
	}
	rest = rest[1:]
	years, length := leadingInteger(rest[:min(3, len(rest))])
	if length == 0 {
		return errorf(pgerrcode.InvalidDatetimeFormat, `invalid input string for "Y,YYY"`)
	}
	r.in, r.yearWidth = rest[length:], 4
	return setField(&r.year, millennia*1000+years, n)
}

// fraction reads a fraction of a second: 25 and 250 are the same, 025 is not.
func (r *dateReader) fraction(n *templateNode, nodes []templateNode, i int) error {
	width, target := 6, &r.micros
	switch {
	case n.field == "MS":
		width, target = 3, &r.millis
	case strings.HasPrefix(n.field, "FF"):
		width = int(n.field[2] - '0')
		r.rounded = pow10(6 - width)
	}
	used, err := r.number(n, nodes, i, width, target)
	full := 6
	if n.field == "MS" {
		full = 3
	}
	for range full - used {
		*target *= 10
	}
	return err
}

// name reads one of names, whatever its case.
func (r *dateReader) name(n *templateNode, names []string, target *int64, value func(i int) int64) error {
	for i, name := range names {
		if len(r.in) >= len(name) && strings.EqualFold(r.in[:len(name)], name) {
			r.in = r.in[len(name):]
			return setField(target, value(i), n)
		}
	}
	word := r.in
	if i := strings.IndexAny(word, " \t\n\v\f\r"); i >= 0 {
		word = word[:i]
	}
	e := errorf(pgerrcode.InvalidDatetimeFormat, "invalid value %q for %q", word, n.written)
	e.Detail = "The given value did not match any of the allowed values for this field."
	return e
}

func shortNames(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = name[:3]
	}
	return out
}

// romanMonths are December to January, so that none is the beginning of one that
// comes after it.
var romanMonths = []string{"XII", "XI", "X", "IX", "VIII", "VII", "VI", "V", "IV", "III", "II", "I"}

func (r *dateReader) dayName(n *templateNode, names []string) error {
	day := int64(0)
	if err := r.name(n, names, &day, func(i int) int64 { return int64(i + 1) }); err != nil {
		return err
	}
	if r.weekDay == 0 || r.weekDay == day-1 {
		r.weekDay = day
		return nil
	}
	return setField(&r.weekDay, day-1, n)
}

// either reads one of two words, with dots if the field has them.
func (r *dateReader) either(n *templateNode, first, second string, target *int64) error {
	words := []string{first, second}
	if strings.Contains(n.field, ".") {
		for i, w := range words {
			words[i] = w[:1] + "." + w[1:] + "."
		}
	}
	return r.name(n, words, target, func(i int) int64 { return int64(i) })
}

func (r *dateReader) zoneHours(n *templateNode, nodes []templateNode, i int) error {
	switch r.in[0] {
	case '+', ' ':
		r.zoneSign, r.in = 1, r.in[1:]
	case '-':
		r.zoneSign, r.in = -1, r.in[1:]
	default:
		// A minus may have been passed over as a separator.
		r.zoneSign = 1
		if at := len(r.text) - len(r.in); r.extra > 0 && at > 0 && r.text[at-1] == '-' {
			r.zoneSign = -1
		}
	}
	_, err := r.number(n, nodes, i, 2, &r.zoneHour)
	return err
}
