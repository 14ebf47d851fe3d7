package record

import (
	"fmt"
	"math"

	"github.com/fieldgate/fieldgate/schema"
)

// The times that can be stored, in microseconds since 1970 UTC: from PostgreSQL's first timestamp, 4714-11-24 BC
// (MIN_TIMESTAMP in datatype/timestamp.h), to what 64 bits hold, in January 294247, less the value that DuckDB keeps for
// infinity.
const (
	MinTime = -210_866_803_200_000_000
	MaxTime = math.MaxInt64 - 1
)

// Magnitudes from which a bare number is no longer seconds, milliseconds, microseconds, by design section 3.
const (
	secondsBelow = 5_000_000_000
	millisBelow  = 5_000_000_000_000
	microsBelow  = 5_000_000_000_000_000
)

// timePattern reads text as a time, in microseconds since 1970 UTC, or says that it does not fit.
type timePattern struct {
	text func(text []byte) (int64, bool)
	unit int64 // of a pattern for numbers: its units in a second
}

// timePatternOf finds the pattern that a schema names, by the name of one of Java's DateTimeFormatter, RFC 3339 or a
// unit of Unix time, or as a pattern in the formatter's syntax.
func timePatternOf(name string) (timePattern, error) {
	if p, ok := namedPattern(name); ok {
		return p, nil
	}
	p, err := compileJava(name)
	if err != nil {
		return timePattern{}, err
	}
	return timePattern{text: p.parse}, nil
}

// namedPattern finds a pattern by its name.
func namedPattern(name string) (timePattern, bool) {
	iso := func(zone isoZone) (timePattern, bool) {
		return timePattern{text: func(text []byte) (int64, bool) { return parseISO(text, zone) }}, true
	}
	switch name {
	case "RFC3339":
		return timePattern{text: parseRFC3339}, true
	case "ISO_DATE_TIME":
		return iso(isoZone{optional: true, region: true})
	case "ISO_OFFSET_DATE_TIME":
		return iso(isoZone{})
	case "ISO_ZONED_DATE_TIME":
		return iso(isoZone{region: true})
	case "ISO_INSTANT":
		return iso(isoZone{utc: true})
	case "RFC_1123_DATE_TIME":
		return timePattern{text: parseRFC1123}, true
	case "UNIX_S":
		return timePattern{unit: 1}, true
	case "UNIX_MS":
		return timePattern{unit: 1e3}, true
	case "UNIX_US":
		return timePattern{unit: 1e6}, true
	case "UNIX_NS":
		return timePattern{unit: 1e9}, true
	default:
		return timePattern{}, false
	}
}

// CheckPattern says why a schema cannot name the pattern, or nil.
func CheckPattern(name string) error {
	if _, err := timePatternOf(name); err != nil {
		return fmt.Errorf("%w; a pattern is in the syntax of java.time's DateTimeFormatter, or one of RFC3339, ISO_DATE_TIME, "+
			"ISO_OFFSET_DATE_TIME, ISO_ZONED_DATE_TIME, ISO_INSTANT, RFC_1123_DATE_TIME, UNIX_S, UNIX_MS, UNIX_US and UNIX_NS", err)
	}
	return nil
}

// readTime reads a value as a time: by the patterns in order, else text by RFC 3339 and numbers, and text that is a
// number, by their magnitude.
func readTime(v *schema.Value, patterns []timePattern) (int64, bool) {
	switch v.Kind {
	case schema.KindInt:
		for _, p := range patterns {
			if p.unit != 0 {
				return scaleInt(v.Int, p.unit)
			}
		}
		return scaleInt(v.Int, unitOf(math.Abs(float64(v.Int))))
	case schema.KindNumber:
		for _, p := range patterns {
			if p.unit != 0 {
				return scaleFloat(v.Num, p.unit)
			}
		}
		return scaleFloat(v.Num, unitOf(math.Abs(v.Num)))
	case schema.KindText:
		return readTimeText(v.Text, patterns)
	default:
		return 0, false
	}
}

func readTimeText(text []byte, patterns []timePattern) (int64, bool) {
	for _, p := range patterns {
		t, ok := int64(0), false
		if p.unit != 0 {
			t, ok = parseUnix(text, p.unit)
		} else {
			t, ok = p.text(text)
		}
		if ok {
			return t, true
		}
	}
	if t, ok := parseRFC3339(text); ok {
		return t, true
	}
	return parseUnix(text, 0)
}

// unitOf is how many units of a number of this magnitude are a second.
func unitOf(magnitude float64) int64 {
	switch {
	case magnitude < secondsBelow:
		return 1
	case magnitude < millisBelow:
		return 1e3
	case magnitude < microsBelow:
		return 1e6
	default:
		return 1e9
	}
}

// scaleInt turns n units into microseconds: nanoseconds to the nearest, a half away from zero.
func scaleInt(n, unit int64) (int64, bool) {
	if unit > 1e6 {
		per := unit / 1e6
		return inRange(n/per + n%per*2/per)
	}
	per := int64(1e6) / unit
	if n > MaxTime/per || n < MinTime/per {
		return 0, false
	}
	return inRange(n * per)
}

// scaleFloat is scaleInt for a number with a fraction. A double of seconds keeps microseconds until the year 2100.
func scaleFloat(f float64, unit int64) (int64, bool) {
	micros := math.Round(f * 1e6 / float64(unit))
	if micros < MinTime || micros >= MaxTime { // as a double MaxTime is 1<<63
		return 0, false
	}
	return inRange(int64(micros))
}

func inRange(micros int64) (int64, bool) { return micros, MinTime <= micros && micros <= MaxTime }

// parseUnix reads digits, with a sign or a fraction perhaps, as units since 1970; unit 0 is the one of its magnitude.
func parseUnix(text []byte, unit int64) (int64, bool) {
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		text = text[1:]
	}
	i := skipDigits(text, 0)
	if i == 0 || i > 19 {
		return 0, false
	}
	var whole uint64
	for _, c := range text[:i] {
		whole = whole*10 + uint64(c-'0')
	}
	if whole > math.MaxInt64 {
		return 0, false
	}
	n := int64(whole)
	if unit == 0 {
		unit = unitOf(float64(n))
	}
	var fraction []byte
	if i < len(text) {
		if fraction = text[i+1:]; text[i] != '.' || len(fraction) == 0 || skipDigits(fraction, 0) != len(fraction) {
			return 0, false
		}
	}
	if unit > 1e6 { // a fraction of a nanosecond does not change the nearest microsecond
		fraction = nil
	}
	micros, ok := scaleInt(n, unit)
	if !ok {
		return 0, false
	}
	places := 0
	for u := unit; u < 1e6; u *= 10 {
		places++
	}
	micros += fractionOf(fraction, places)
	if negative {
		micros = -micros
	}
	return inRange(micros)
}

// fractionOf is the number that the digits after a point make when the point is moved by places (up to 6), rounded to
// the nearest.
func fractionOf(digits []byte, places int) int64 {
	n := int64(0)
	for i := range places {
		n *= 10
		if i < len(digits) {
			n += int64(digits[i] - '0')
		}
	}
	if len(digits) > places && digits[places] >= '5' {
		n++
	}
	return n
}
