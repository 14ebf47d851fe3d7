package duckdb

import (
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"
)

// moment is a point of time, or an interval, in parts.
type moment struct {
	year, month, day     int64
	hour, minute, second int64
	micros               int64
	days                 int64 // since 1970
	interval             bool
	zone                 string // abbreviation
	offset               int    // seconds east of UTC
	hasZone              bool
}

func momentOf(t int64) moment {
	days := floorDiv(t, microsPerDay)
	m := clock(t - days*microsPerDay)
	m.days = days
	m.year, m.month, m.day = civil(days)
	return m
}

func clock(t int64) moment {
	return moment{
		hour: t / (3600 * microsPerSecond), minute: t / (60 * microsPerSecond) % 60,
		second: t / microsPerSecond % 60, micros: t % microsPerSecond,
	}
}

func momentInZone(t int64, zone *time.Location) moment {
	m := momentOf(localTime(t, zone))
	m.zone, m.offset = time.UnixMicro(t).In(zone).Zone()
	m.hasZone = true
	return m
}

func momentOfSpan(v span) moment {
	m := clock(v.micros)
	m.year, m.month, m.day = int64(v.months/12), int64(v.months%12), int64(v.days)
	m.interval = true
	return m
}

// shownYear counts without a year 0, and before Christ upwards.
func (m *moment) shownYear() int64 {
	if m.interval || m.year > 0 {
		return m.year
	}
	return 1 - m.year
}

func (m *moment) weekday() int64 { return floorMod(m.days+4, 7) } // 0: Sunday

// yearDay is the day of the year; of an interval all its days, a month being 30.
func (m *moment) yearDay() int64 {
	if m.interval {
		return (m.year*12+m.month)*30 + m.day
	}
	return m.days - daysOf(m.year, 1, 1) + 1
}

// isoWeek is the week and the year of its Thursday.
func (m *moment) isoWeek() (year, week int64) {
	thursday := floorDiv(m.days+3, 7) * 7
	year, _, _ = civil(thursday)
	return year, (thursday-daysOf(year, 1, 1))/7 + 1
}

//nolint:gochecknoglobals // lookup tables
var (
	monthNames = strings.Fields("January February March April May June July August September October November December")
	dayNames   = strings.Fields("Sunday Monday Tuesday Wednesday Thursday Friday Saturday")
	romans     = strings.Fields("I II III IV V VI VII VIII IX X XI XII")
)

// formatMoment is to_char of dates and intervals.
func formatMoment(m *moment, template string) (string, error) {
	nodes, err := parseTemplate(template)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for i := range nodes {
		n := &nodes[i]
		if n.field == "" {
			out.WriteString(n.written)
			continue
		}
		text, err := m.field(n)
		if err != nil {
			return "", err
		}
		out.WriteString(text)
	}
	return out.String(), nil
}

// padded prints a number with zeros up to a width, or with FM without them, and
// with its ordinal ending if the field asks for one.
func (n *templateNode) padded(v int64, width int) string {
	if n.fill {
		width = 0
	}
	if v < 0 {
		width++
	}
	return n.ending(fmt.Sprintf("%0*d", width, v))
}

func (n *templateNode) ending(digits string) string {
	if !n.ordinal {
		return digits
	}
	return digits + ordinal(digits, n.ordinalLetter[0] == 'T')
}

// ordinal is the ending of a number: st, nd, rd or th.
func ordinal(digits string, upper bool) string {
	end := "th"
	if l := len(digits); l < 2 || digits[l-2] != '1' {
		switch digits[l-1] {
		case '1':
			end = "st"
		case '2':
			end = "nd"
		case '3':
			end = "rd"
		}
	}
	if upper {
		return strings.ToUpper(end)
	}
	return end
}

// cased writes a name in the case of its field, padded to width without FM.
func (n *templateNode) cased(name string, width int) string {
	switch {
	case n.written == strings.ToUpper(n.written):
		name = strings.ToUpper(name)
	case n.written == strings.ToLower(n.written):
		name = strings.ToLower(name)
	}
	if n.fill {
		width = 0
	}
	return fmt.Sprintf("%-*s", width, name)
}

// field prints one field.
func (m *moment) field(n *templateNode) (string, error) {
	if text, ok := m.clockField(n); ok {
		return text, nil
	}
	if text, ok := m.zoneField(n); ok {
		if m.interval {
			return "", errIntervalTemplate()
		}
		return text, nil
	}
	return m.dateField(n)
}

func errIntervalTemplate() error {
	e := errorf(pgerrcode.InvalidDatetimeFormat, "invalid format specification for an interval value")
	e.Hint = "Intervals are not tied to specific calendar dates."
	return e
}

// clockField prints the time of day.
func (m *moment) clockField(n *templateNode) (text string, ok bool) {
	switch n.field {
	case "HH24":
		return n.padded(m.hour, 2), true
	case "HH", "HH12":
		h := m.hour % 12
		if h == 0 {
			h = 12
		}
		return n.padded(h, 2), true
	case "MI":
		return n.padded(m.minute, 2), true
	case "SS":
		return n.padded(m.second, 2), true
	case "MS":
		return n.ending(fmt.Sprintf("%03d", m.micros/1000)), true
	case "US":
		return n.ending(fmt.Sprintf("%06d", m.micros)), true
	case "FF1", "FF2", "FF3", "FF4", "FF5", "FF6":
		return n.ending(fmt.Sprintf("%06d", m.micros)[:n.field[2]-'0']), true
	case "SSSS", "SSSSS":
		return n.ending(fmt.Sprint(m.hour*3600 + m.minute*60 + m.second)), true
	case "AM", "PM", "A.M.", "P.M.":
		half := "AM"
		if m.hour%24 >= 12 {
			half = "PM"
		}
		if strings.Contains(n.field, ".") {
			half = half[:1] + "." + half[1:] + "."
		}
		if n.written != n.field {
			half = strings.ToLower(half)
		}
		return half, true
	}
	return "", false
}

// zoneField prints the zone; a timestamp without one has an offset of 0.
func (m *moment) zoneField(n *templateNode) (text string, ok bool) {
	hours, minutes := m.offset/3600, m.offset%3600/60
	sign := "+"
	if m.offset < 0 {
		sign, hours, minutes = "-", -hours, -minutes
	}
	switch n.field {
	case "TZ":
		name := m.zone
		if n.written == "tz" {
			name = strings.ToLower(name)
		}
		return name, true
	case "TZH":
		return fmt.Sprintf("%s%02d", sign, hours), true
	case "TZM":
		return fmt.Sprintf("%02d", minutes), true
	case "FX":
		return "", true
	case "OF":
		width := 2
		if n.fill {
			width = 0
		}
		out := fmt.Sprintf("%s%0*d", sign, width, hours)
		if minutes != 0 {
			out += fmt.Sprintf(":%02d", minutes)
		}
		return out, true
	}
	return "", false
}

// intervalRoman is the field RM of an interval: the months that are left beside whole
// years, counted from December down if there are less than none. Of whole years it is
// XII, or I if they are less than none, and of neither nothing (DCH_to_char).
func (m *moment) intervalRoman(n *templateNode) string {
	switch month, year := m.month, m.year; {
	case month == 0 && year == 0:
		return ""
	case month == 0 && year > 0:
		return n.cased(romans[11], 4)
	case month == 0:
		return n.cased(romans[0], 4)
	case month < 0:
		return n.cased(romans[12+month], 4)
	default:
		return n.cased(romans[month-1], 4)
	}
}

// dateField prints the date. Of an interval there are only counts.
func (m *moment) dateField(n *templateNode) (string, error) {
	if m.interval {
		switch n.field {
		case "MONTH", "MON", "DAY", "DY", "D", "ID", "BC", "AD", "B.C.", "A.D.":
			return "", errIntervalTemplate()
		case "IYYY", "IYY", "IY", "I", "IW", "IDDD", "J":
			return "", unsupported("field %s of an interval in a template", n.field)
		case "RM":
			return m.intervalRoman(n), nil
		case "CC":
			return n.padded(m.year/100, 2), nil
		case "Q":
			if m.month == 0 {
				return "", nil
			}
		}
	}
	if text, ok := m.yearField(n); ok {
		return text, nil
	}
	switch n.field {
	case "MONTH":
		return n.cased(monthNames[m.month-1], 9), nil
	case "MON":
		return n.cased(monthNames[m.month-1][:3], 0), nil
	case "MM":
		return n.padded(m.month, 2), nil
	case "RM":
		return n.cased(romans[m.month-1], 4), nil
	case "DAY":
		return n.cased(dayNames[m.weekday()], 9), nil
	case "DY":
		return n.cased(dayNames[m.weekday()][:3], 0), nil
	case "DDD":
		return n.padded(m.yearDay(), 3), nil
	case "DD":
		if m.day < 0 { // of an interval: the sign is one of the two
			return n.padded(m.day, 1), nil
		}
		return n.padded(m.day, 2), nil
	case "D":
		return n.ending(fmt.Sprint(m.weekday() + 1)), nil
	case "ID":
		return n.ending(fmt.Sprint(floorMod(m.weekday()+6, 7) + 1)), nil
	case "IDDD":
		year, _ := m.isoWeek()
		first := floorDiv(daysOf(year, 1, 4)+3, 7)*7 - 3
		return n.padded(m.days-first+1, 3), nil
	case "WW":
		return n.padded((m.yearDay()-1)/7+1, 2), nil
	case "IW":
		_, week := m.isoWeek()
		return n.padded(week, 2), nil
	case "W":
		return n.ending(fmt.Sprint((m.day-1)/7 + 1)), nil
	case "Q":
		return n.ending(fmt.Sprint((m.month-1)/3 + 1)), nil
	case "J":
		return n.ending(fmt.Sprint(m.days + 2440588)), nil
	}
	return "", unsupported("field %s in a template", n.field)
}

func (m *moment) yearField(n *templateNode) (text string, ok bool) {
	year := m.shownYear()
	field := n.field
	if strings.HasPrefix(field, "I") && strings.Trim(field, "IY") == "" {
		iso, _ := m.isoWeek()
		if year = iso; year <= 0 {
			year = 1 - year
		}
		field = "YYYY"[4-len(field):]
	}
	switch field {
	case "YYYY":
		return n.padded(year, 4), true
	case "Y,YYY":
		return n.ending(fmt.Sprintf("%d,%03d", year/1000, year%1000)), true
	case "YYY":
		return n.padded(year%1000, 3), true
	case "YY":
		return n.padded(year%100, 2), true
	case "Y":
		return n.ending(fmt.Sprint(year % 10)), true
	case "CC":
		century := (m.year + 99) / 100
		if m.year <= 0 {
			century = -((99 - (m.year - 1)) / 100)
		}
		return n.padded(century, 2), true
	case "AD", "BC", "A.D.", "B.C.":
		era := "AD"
		if m.year <= 0 {
			era = "BC"
		}
		if strings.Contains(field, ".") {
			era = era[:1] + "." + era[1:] + "."
		}
		if n.written != n.field {
			era = strings.ToLower(era)
		}
		return era, true
	}
	return "", false
}
