package postgres

import (
	"encoding/binary"
	"strings"
	"time"
)

// defaultRule is when daylight saving time begins and ends where a POSIX zone does not say it (TZDEFRULESTRING in
// PostgreSQL's localtime.c).
const defaultRule = ",M3.2.0,M11.1.0"

// posixZone reads a POSIX zone: letters, anything in angle brackets or nothing, then [+-]hh[:mm[:ss]] west of Greenwich; perhaps followed by the name of its daylight saving time, that offset and the rule.
func posixZone(spec string) (*time.Location, bool) {
	abbreviation, rest, ok := cutAbbreviation(spec)
	if !ok || rest == "" {
		return nil, false
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return !strings.ContainsRune("+-:0123456789", r) })
	if end < 0 {
		end = len(rest)
	}
	offset, ok := posixOffset(rest[:end])
	if !ok {
		return nil, false
	}
	if end == len(rest) {
		return time.FixedZone(strings.ToUpper(abbreviation), offset), true
	}
	saving, rule, ok := cutAbbreviation(rest[end:])
	if !ok || saving == "" {
		return nil, false
	}
	if !strings.Contains(rule, ",") {
		rule += defaultRule
	}
	footer := "<" + strings.ToUpper(abbreviation) + ">" + rest[:end] + "<" + strings.ToUpper(saving) + ">" + rule
	loc, err := time.LoadLocationFromTZData(spec, tzif(strings.ToUpper(abbreviation), offset, footer))
	if err != nil || !hasRule(loc, offset) {
		return nil, false
	}
	return loc, true
}

// cutAbbreviation cuts the name off the front of a POSIX zone.
func cutAbbreviation(spec string) (name, rest string, ok bool) {
	if strings.HasPrefix(spec, "<") {
		return strings.Cut(spec[1:], ">")
	}
	i := strings.IndexFunc(spec, func(r rune) bool { return r > 0x7f || !isAlpha(byte(r)) })
	if i < 0 {
		return spec, "", true
	}
	return spec[:i], spec[i:], true
}

// posixOffset reads [+-]hh[:mm[:ss]], which counts west, as seconds east.
func posixOffset(text string) (seconds int, ok bool) {
	sign := -1
	if text != "" && (text[0] == '+' || text[0] == '-') {
		if text[0] == '-' {
			sign = 1
		}
		text = text[1:]
	}
	unit := 3600
	for part := range strings.SplitSeq(text, ":") {
		if part == "" || len(part) > 3 || !allDigits(part) || unit == 0 {
			return 0, false
		}
		n := 0
		for _, c := range part {
			n = n*10 + int(c-'0')
		}
		if unit == 3600 && n > 167 || unit < 3600 && n > 59 {
			return 0, false
		}
		seconds += n * unit
		unit /= 60
	}
	return sign * seconds, true
}

// tzif is a time zone file (RFC 8536) of one offset and a footer, which rules.
func tzif(abbreviation string, offset int, footer string) []byte {
	names := abbreviation + "\x00"
	header := func(types, chars int) []byte {
		b := append([]byte("TZif3"), make([]byte, 15)...)
		for _, n := range []int{0, 0, 0, 0, types, chars} {
			b = binary.BigEndian.AppendUint32(b, uint32(n))
		}
		return b
	}
	kind := append(binary.BigEndian.AppendUint32(nil, uint32(offset)), 0, 0)
	block := func() []byte { return append(append(header(1, len(names)), kind...), names...) }
	out := append(block(), block()...)
	return append(out, "\n"+footer+"\n"...)
}

// hasRule says that the footer was understood: what is not is passed over in silence.
func hasRule(loc *time.Location, offset int) bool {
	for month := time.January; month <= time.December; month++ {
		if _, o := time.Date(2024, month, 28, 12, 0, 0, 0, loc).Zone(); o != offset {
			return true
		}
	}
	return false
}
