package record

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Custom timestamp patterns are those of java.time.format.DateTimeFormatter.ofPattern, read as its default does: text
// that has to match whole and in case, English names, the resolver style SMART. What a pattern cannot give a time
// without, and letters that say nothing of one, are refused when it is set. " @ ZONE" at the end is the zone of texts
// that have none; without it that is UTC.

// javaPattern is a compiled pattern.
type javaPattern struct {
	elements []javaElement
	zone     *time.Location
}

// javaField is what an element of a pattern reads.
type javaField int

const (
	fieldLiteral javaField = iota
	fieldOptional
	fieldEra
	fieldYear
	fieldYearOfEra
	fieldMonth
	fieldDay
	fieldDayOfYear
	fieldWeekday
	fieldAmPm
	fieldHour     // H, 0 to 23
	fieldClock24  // k, 1 to 24
	fieldHour12   // K, 0 to 11
	fieldClock12  // h, 1 to 12
	fieldMinute   // m
	fieldSecond   // s
	fieldFraction // S
	fieldNano     // n
	fieldMilliOfDay
	fieldNanoOfDay
	fieldOffset        // X, x, Z
	fieldGMTOffset     // O, ZZZZ
	fieldZoneID        // VV
	fieldZoneName      // z
	javaFields     int = iota
)

// signStyle is java.time.format.SignStyle, as far as patterns have it.
type signStyle int

const (
	signNormal      signStyle = iota // a minus, no plus
	signNotNegative                  // none
	signExceedsPad                   // a plus where there are more digits than the width, and only there
)

// javaElement is one part of a pattern.
type javaElement struct {
	field   javaField
	text    string   // of a literal, or what stands for no offset
	texts   []string // of names, each value's
	numeric bool
	// low and high are the digits of a number, later those that fixed ones right after it need.
	low, high, later int
	sign             signStyle
	reduced          bool // two digits of a year from 2000
	// minutes and seconds of an offset: 0 none, 1 optional, 2 needed; colon between them.
	minutes, seconds int
	colon            bool
	inner            []javaElement
}

// compileJava compiles a pattern, or says why it cannot be one.
func compileJava(pattern string) (*javaPattern, error) {
	p := &javaPattern{zone: time.UTC}
	text := pattern
	if before, zone, has := cutZone(pattern); has {
		loc, ok := zoneOf(zone)
		if !ok {
			return nil, fmt.Errorf("unknown time zone %s", quoted(zone))
		}
		text, p.zone = before, loc
	}
	c := &javaCompiler{rest: text}
	elements, err := c.elements(0)
	if err != nil {
		return nil, err
	}
	p.elements = elements
	return p, checkFields(elements)
}

// cutZone takes " @ ZONE" off a pattern.
func cutZone(pattern string) (before, zone string, has bool) {
	quote := false
	for i := range len(pattern) {
		switch {
		case pattern[i] == '\'':
			quote = !quote
		case pattern[i] == '@' && !quote:
			return strings.TrimRight(pattern[:i], " "), strings.TrimSpace(pattern[i+1:]), true
		}
	}
	return pattern, "", false
}

// javaCompiler reads a pattern from the front.
type javaCompiler struct{ rest string }

// elements reads up to the end of an optional section, or of the pattern.
func (c *javaCompiler) elements(depth int) ([]javaElement, error) {
	var out []javaElement
	active := -1 // the number that fixed ones right after it take digits from
	add := func(e javaElement) {
		out = append(out, e)
		active = -1
	}
	for c.rest != "" {
		ch, size := utf8.DecodeRuneInString(c.rest)
		switch {
		case ch == '[':
			c.rest = c.rest[1:]
			inner, err := c.elements(depth + 1)
			if err != nil {
				return nil, err
			}
			add(javaElement{field: fieldOptional, inner: inner})
		case ch == ']':
			if depth == 0 {
				return nil, fmt.Errorf("a ] without its [")
			}
			c.rest = c.rest[1:]
			return out, nil
		case ch == '\'':
			literal, err := c.quotedLiteral()
			if err != nil {
				return nil, err
			}
			add(javaElement{text: literal})
		case ch == '{' || ch == '}' || ch == '#':
			return nil, fmt.Errorf("%q is reserved; quote it", string(ch))
		case ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z':
			n := 1
			for n < len(c.rest) && c.rest[n] == c.rest[0] {
				n++
			}
			e, err := elementOf(byte(ch), n)
			if err != nil {
				return nil, err
			}
			c.rest = c.rest[n:]
			if !e.numeric {
				add(e)
				break
			}
			active = joinNumber(&out, e, active)
		default:
			add(javaElement{text: c.rest[:size]})
			c.rest = c.rest[size:]
		}
	}
	if depth > 0 {
		return nil, fmt.Errorf("a [ without its ]")
	}
	return out, nil
}

// joinNumber appends a number and says which one is active then, as DateTimeFormatterBuilder.appendValue does: fixed
// numbers right after one of variable width reserve their digits in it.
func joinNumber(out *[]javaElement, e javaElement, active int) int {
	*out = append(*out, e)
	if active < 0 {
		return len(*out) - 1
	}
	if e.low == e.high && e.sign == signNotNegative {
		(*out)[active].later += e.high
		return active
	}
	return len(*out) - 1
}

func (c *javaCompiler) quotedLiteral() (string, error) {
	var b strings.Builder
	for i := 1; i < len(c.rest); i++ {
		if c.rest[i] != '\'' {
			b.WriteByte(c.rest[i])
			continue
		}
		if i+1 < len(c.rest) && c.rest[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		c.rest = c.rest[i+1:]
		if b.Len() == 0 {
			return "'", nil
		}
		return b.String(), nil
	}
	return "", fmt.Errorf("a quote is not closed")
}

// The names of CLDR's English.
func monthTexts(n int) []string {
	return namesOf(n, "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
}

func weekdayTexts(n int) []string {
	return namesOf(n, "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
}

// namesOf are names whole for four letters of a pattern, else their first three letters.
func namesOf(n int, names ...string) []string {
	if n == 4 {
		return names
	}
	short := make([]string, len(names))
	for i, name := range names {
		short[i] = name[:3]
	}
	return short
}

func number(f javaField, low, high int, sign signStyle) javaElement {
	return javaElement{field: f, numeric: true, low: low, high: high, sign: sign}
}

const maxDigits = 19

// simpleFields are the letters of one or two digits.
var simpleFields = map[byte]javaField{
	'd': fieldDay, 'H': fieldHour, 'k': fieldClock24, 'K': fieldHour12, 'h': fieldClock12, 'm': fieldMinute, 's': fieldSecond,
}

// elementOf is a letter of a pattern, n times.
func elementOf(letter byte, n int) (javaElement, error) {
	tooMany := fmt.Errorf("too many letters %c", letter)
	if f, ok := simpleFields[letter]; ok {
		switch n {
		case 1:
			return number(f, 1, maxDigits, signNormal), nil
		case 2:
			return number(f, 2, 2, signNotNegative), nil
		}
		return javaElement{}, tooMany
	}
	switch letter {
	case 'u', 'y':
		return yearOf(letter, n), nil
	case 'M', 'L':
		return monthOf(letter, n)
	case 'D':
		switch {
		case n == 1:
			return number(fieldDayOfYear, 1, maxDigits, signNormal), nil
		case n <= 3:
			return number(fieldDayOfYear, n, 3, signNotNegative), nil
		}
		return javaElement{}, tooMany
	case 'E':
		if n > 4 {
			return javaElement{}, fmt.Errorf("weekdays of one letter cannot be told apart")
		}
		return javaElement{field: fieldWeekday, texts: weekdayTexts(n)}, nil
	case 'G':
		switch {
		case n <= 3:
			return javaElement{field: fieldEra, texts: []string{"BC", "AD"}}, nil
		case n == 4:
			return javaElement{field: fieldEra, texts: []string{"Before Christ", "Anno Domini"}}, nil
		}
		return javaElement{field: fieldEra, texts: []string{"B", "A"}}, nil
	case 'a':
		if n > 1 {
			return javaElement{}, tooMany
		}
		return javaElement{field: fieldAmPm, texts: []string{"AM", "PM"}}, nil
	case 'S':
		if n > 9 {
			return javaElement{}, tooMany
		}
		return number(fieldFraction, n, n, signNotNegative), nil
	case 'n':
		return number(fieldNano, n, maxDigits, signNotNegative), nil
	case 'A':
		return number(fieldMilliOfDay, n, maxDigits, signNotNegative), nil
	case 'N':
		return number(fieldNanoOfDay, n, maxDigits, signNotNegative), nil
	}
	return zoneElement(letter, n)
}

func yearOf(letter byte, n int) javaElement {
	f := fieldYear
	if letter == 'y' {
		f = fieldYearOfEra
	}
	switch {
	case n == 2:
		e := number(f, 2, 2, signNotNegative)
		e.reduced = true
		return e
	case n < 4:
		return number(f, n, maxDigits, signNormal)
	}
	return number(f, n, maxDigits, signExceedsPad)
}

func monthOf(letter byte, n int) (javaElement, error) {
	switch n {
	case 1:
		return number(fieldMonth, 1, maxDigits, signNormal), nil
	case 2:
		return number(fieldMonth, 2, 2, signNotNegative), nil
	case 3, 4:
		return javaElement{field: fieldMonth, texts: monthTexts(n)}, nil
	}
	return javaElement{}, fmt.Errorf("months of one letter cannot be told apart: %s", strings.Repeat(string(letter), n))
}

// offsetForms are the forms of X by the number of letters: what of minutes and seconds is needed, and the colon.
var offsetForms = [...]javaElement{
	{minutes: 1}, {minutes: 2}, {minutes: 2, colon: true}, {minutes: 2, seconds: 1}, {minutes: 2, seconds: 1, colon: true},
}

func zoneElement(letter byte, n int) (javaElement, error) {
	wrong := fmt.Errorf("%d letters %c are no form of a zone", n, letter)
	switch letter {
	case 'X', 'x':
		if n > len(offsetForms) {
			return javaElement{}, wrong
		}
		e := offsetForms[n-1]
		e.field, e.text = fieldOffset, "Z"
		if letter == 'x' {
			e.text = [...]string{"+00", "+0000", "+00:00", "+0000", "+00:00"}[n-1]
		}
		return e, nil
	case 'Z':
		switch {
		case n <= 3:
			return javaElement{field: fieldOffset, text: "+0000", minutes: 2}, nil
		case n == 4:
			return javaElement{field: fieldGMTOffset, minutes: 2}, nil
		case n == 5:
			return javaElement{field: fieldOffset, text: "Z", minutes: 2, seconds: 1, colon: true}, nil
		}
		return javaElement{}, wrong
	case 'O':
		switch n {
		case 1:
			return javaElement{field: fieldGMTOffset}, nil
		case 4:
			return javaElement{field: fieldGMTOffset, minutes: 2}, nil
		}
		return javaElement{}, wrong
	case 'V':
		if n != 2 {
			return javaElement{}, wrong
		}
		return javaElement{field: fieldZoneID}, nil
	case 'z':
		if n > 3 {
			return javaElement{}, fmt.Errorf("long names of zones are not supported; zzz reads short ones")
		}
		return javaElement{field: fieldZoneName}, nil
	case 'Y', 'w', 'W', 'e', 'c':
		return javaElement{}, fmt.Errorf("%c belongs to years of weeks, which give no date with months and days; uuuu is the year", letter)
	case 'Q', 'q', 'F', 'B', 'g', 'v', 'p':
		return javaElement{}, fmt.Errorf("the letter %c is not supported", letter)
	}
	return javaElement{}, fmt.Errorf("%c is no letter of a pattern; quote texts", letter)
}

// checkFields refuses a pattern that can never give a date, or that has part of a time only.
func checkFields(elements []javaElement) error {
	has := make([]bool, javaFields)
	var visit func([]javaElement)
	visit = func(list []javaElement) {
		for i := range list {
			has[list[i].field] = true
			visit(list[i].inner)
		}
	}
	visit(elements)
	hour := has[fieldHour] || has[fieldClock24] || (has[fieldHour12] || has[fieldClock12]) && has[fieldAmPm] ||
		has[fieldMilliOfDay] || has[fieldNanoOfDay]
	switch {
	case !has[fieldYear] && !has[fieldYearOfEra]:
		return fmt.Errorf("it has no year (uuuu)")
	case !has[fieldDayOfYear] && (!has[fieldMonth] || !has[fieldDay]):
		return fmt.Errorf("it has no month and day (MM, dd)")
	case !hour && (has[fieldMinute] || has[fieldSecond] || has[fieldFraction] || has[fieldHour12] || has[fieldClock12] || has[fieldAmPm]):
		return fmt.Errorf("it has no hour of the day (HH, or hh with a)")
	}
	return nil
}
