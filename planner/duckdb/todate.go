package duckdb

import (
	"strings"

	"github.com/jackc/pgerrcode"
)

// dateReader reads a text by a template: to_date and to_timestamp.
type dateReader struct {
	in   string
	skip int // characters passed over that the template does not have

	year, month, day, yearDay         int64
	hour, minute, second, micros      int64
	hasYear, hasMonth, hasDay, twelve bool
	afternoon, hasHalf                bool
	hasYearDay                        bool
	offset                            int64 // seconds east of UTC
	hasOffset                         bool
}

// readMoment gives local time in microseconds since 1970, or, if the text names
// an offset, an instant.
func readMoment(text, template string) (t int64, instant bool, err error) {
	nodes, err := parseTemplate(template)
	if err != nil {
		return 0, false, err
	}
	r := &dateReader{in: text}
	for i := range nodes {
		if err := r.node(nodes, i); err != nil {
			return 0, false, err
		}
	}
	t, err = r.moment()
	return t, r.hasOffset, err
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

func (r *dateReader) node(nodes []templateNode, i int) error {
	n := &nodes[i]
	space := n.field == "" && !n.quoted && (isSpace(n.written[0]) || isSeparator(n.written))
	if n.field != "" || i == 0 {
		for r.in != "" && isSpace(r.in[0]) {
			r.in = r.in[1:]
			r.skip++
		}
	}
	switch {
	case r.in == "" && n.field == "":
		return nil
	case space:
		r.skip--
		if r.in != "" && (isSpace(r.in[0]) || isSeparator(r.in)) {
			r.in = r.in[1:]
			r.skip++
		}
		return nil
	case n.field == "":
		if r.skip > 0 {
			r.skip--
		} else {
			r.in = r.in[skip(r.in, 1):]
		}
		return nil
	case r.in == "":
		return nil
	}
	return r.field(n, nodes, i)
}

// number reads digits: as many as there are if what follows in the template ends
// them, else at most width.
func (r *dateReader) number(n *templateNode, nodes []templateNode, i, width int) (v int64, digits int, err error) {
	text := r.in
	open := n.fill || endsNumber(nodes, i)
	if !open && len(text) > width {
		text = text[:width]
	}
	sign := int64(1)
	at := 0
	if at < len(text) && (text[at] == '-' || text[at] == '+') {
		if text[at] == '-' {
			sign = -1
		}
		at++
	}
	for ; at < len(text) && text[at] >= '0' && text[at] <= '9' && digits < 18; at++ {
		v = v*10 + int64(text[at]-'0')
		digits++
	}
	switch {
	case digits == 0:
		e := errorf(pgerrcode.InvalidDatetimeFormat, "invalid value %q for %q", firstWord(r.in, width), n.written)
		e.Detail = "Value must be an integer."
		return 0, 0, e
	case !open && len(text) < width && at < width && len(r.in) < width:
		// A field of fixed width that the text is too short for is still taken
		// if it ends the text, as PostgreSQL does for all but adjoining fields.
		return 0, 0, unsupported("a number shorter than its field %s", n.field)
	case !open && digits < width && width > 1 && at == digits && at < len(text):
		e := errorf(pgerrcode.InvalidDatetimeFormat, "invalid value %q for %q", text, n.written)
		return 0, 0, e
	}
	r.in = r.in[at:]
	return v * sign, digits, nil
}

func firstWord(s string, n int) string { return s[:min(n, len(s))] }

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
	case "A.D.", "A.M.", "AD", "AM", "B.C.", "BC", "DAY", "DY", "MONTH", "MON", "OF", "P.M.", "PM", "RM", "TZ", "TZH":
		return true
	}
	return false
}

func (r *dateReader) field(n *templateNode, nodes []templateNode, i int) error {
	set := func(width int, least, most int64, targets ...*int64) error {
		v, _, err := r.number(n, nodes, i, width)
		if err != nil {
			return err
		}
		if v < least || v > most {
			return errorf(pgerrcode.DatetimeFieldOverflow, "date/time field value out of range: %q", firstWord(r.in, width))
		}
		for _, t := range targets {
			*t = v
		}
		return nil
	}
	const anything = 1 << 40
	switch n.field {
	case "YYYY", "YYY", "YY", "Y":
		return r.yearOf(n, nodes, i)
	case "MM":
		r.hasMonth = true
		return set(2, 1, 12, &r.month)
	case "DD":
		r.hasDay = true
		return set(2, 1, 31, &r.day)
	case "DDD":
		r.hasYearDay = true
		return set(3, 1, 366, &r.yearDay)
	case "HH24":
		return set(2, 0, 24, &r.hour)
	case "HH", "HH12":
		r.twelve = true
		return set(2, 1, 12, &r.hour)
	case "MI":
		return set(2, 0, 59, &r.minute)
	case "SS":
		return set(2, 0, 59, &r.second)
	case "MS", "US", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6":
		return r.fraction(n, nodes, i)
	case "MONTH", "MON":
		return r.monthName(n.field == "MON")
	case "DAY", "DY":
		return r.dayName(n.field == "DY")
	case "AM", "PM", "A.M.", "P.M.":
		return r.half(n)
	case "TZH":
		return r.zoneHours(n, nodes, i)
	case "TZM":
		var minutes int64
		err := set(2, 0, 59, &minutes)
		if r.offset < 0 {
			minutes = -minutes
		}
		r.offset += minutes * 60
		return err
	case "Q":
		return set(1, 0, anything)
	case "TZ", "OF":
		return errorf(pgerrcode.FeatureNotSupported, "formatting field %q is only supported in to_char", n.field)
	}
	return unsupported("field %s in a template that reads", n.field)
}

// yearOf reads a year. Those of fewer than four digits are near 2020.
func (r *dateReader) yearOf(n *templateNode, nodes []templateNode, i int) error {
	width := len(n.field)
	v, digits, err := r.number(n, nodes, i, width)
	if err != nil {
		return err
	}
	r.hasYear, r.year = true, v
	if width < 4 && digits < 4 && v >= 0 {
		switch {
		case v < 70:
			r.year += 2000
		case v < 100:
			r.year += 1900
		case v < 520:
			r.year += 2000
		case v < 1000:
			r.year += 1000
		}
	}
	return nil
}

func (r *dateReader) fraction(n *templateNode, nodes []templateNode, i int) error {
	width := map[string]int{"MS": 3, "US": 6}[n.field]
	if width == 0 {
		width = int(n.field[2] - '0')
	}
	v, digits, err := r.number(n, nodes, i, width)
	if err != nil {
		return err
	}
	if digits > width {
		return errorf(pgerrcode.DatetimeFieldOverflow, "date/time field value out of range: %q", firstWord(r.in, width))
	}
	for range 6 - digits {
		v *= 10
	}
	r.micros = v
	return nil
}

func (r *dateReader) name(names []string, short bool) (int, bool) {
	best, length := -1, 0
	for i, name := range names {
		if short {
			name = name[:3]
		}
		if len(r.in) >= len(name) && strings.EqualFold(r.in[:len(name)], name) && len(name) > length {
			best, length = i, len(name)
		}
	}
	r.in = r.in[length:]
	return best, best >= 0
}

func (r *dateReader) monthName(short bool) error {
	i, ok := r.name(monthNames, short)
	if !ok {
		e := errorf(pgerrcode.InvalidDatetimeFormat, "invalid value %q for %q", firstWord(r.in, 3), "MON")
		e.Detail = "The given value did not match any of the allowed values for this field."
		return e
	}
	r.month, r.hasMonth = int64(i+1), true
	return nil
}

// dayName passes over a day's name, which decides nothing.
func (r *dateReader) dayName(short bool) error {
	if _, ok := r.name(dayNames, short); !ok {
		return errorf(pgerrcode.InvalidDatetimeFormat, "invalid value %q for %q", firstWord(r.in, 3), "DY")
	}
	return nil
}

func (r *dateReader) half(n *templateNode) error {
	text := firstWord(r.in, len(n.field))
	plain := strings.ToUpper(strings.ReplaceAll(text, ".", ""))
	if plain != "AM" && plain != "PM" || len(text) != len(n.field) {
		return errorf(pgerrcode.InvalidDatetimeFormat, "invalid value %q for %q", text, n.written)
	}
	r.in = r.in[len(text):]
	r.hasHalf, r.afternoon = true, plain == "PM"
	return nil
}

func (r *dateReader) zoneHours(n *templateNode, nodes []templateNode, i int) error {
	sign := int64(1)
	if r.in[0] == '+' || r.in[0] == '-' || r.in[0] == ' ' {
		if r.in[0] == '-' {
			sign = -1
		}
		r.in = r.in[1:]
	}
	v, _, err := r.number(n, nodes, i, 2)
	r.hasOffset, r.offset = true, sign*v*3600
	return err
}

// moment puts the fields together (do_to_timestamp).
func (r *dateReader) moment() (int64, error) {
	if r.twelve || r.hasHalf {
		if !r.twelve && r.hasHalf {
			if r.hour < 1 || r.hour > 12 {
				e := errorf(pgerrcode.InvalidDatetimeFormat, "hour \"%d\" is invalid for the 12-hour clock", r.hour)
				e.Hint = "Use the 24-hour clock, or give an hour between 1 and 12."
				return 0, e
			}
		}
		switch {
		case r.afternoon && r.hour < 12:
			r.hour += 12
		case !r.afternoon && r.hour == 12:
			r.hour = 0
		}
	}
	year, month, day := r.year, r.month, r.day
	if !r.hasYear {
		year = 0
	} else if year < 0 {
		year++
	}
	if !r.hasMonth {
		month = 1
	}
	if !r.hasDay {
		day = 1
	}
	days := int64(0)
	switch {
	case r.hasYearDay && !r.hasMonth && !r.hasDay:
		if !r.hasYear {
			return 0, errorf(pgerrcode.InvalidDatetimeFormat, "cannot calculate day of year without year information")
		}
		days = daysOf(year, 1, 1) + r.yearDay - 1
	case day > daysInMonth(year, month):
		return 0, errorf(pgerrcode.DatetimeFieldOverflow, "date/time field value out of range: %q", r.in)
	default:
		days = daysOf(year, month, day)
	}
	t := days*microsPerDay + ((r.hour*60+r.minute)*60+r.second-r.offset)*microsPerSecond + r.micros
	return t, nil
}
