package planner

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"
)

// settingUnit is a unit of a number in settings, in its family's smallest step.
type settingUnit struct {
	name  string
	steps float64
}

// The units that numbers are read in and shown in, largest first (guc.c). Of
// memory the step is a byte, of time a microsecond.
var (
	memoryUnits = []settingUnit{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"kB", 1 << 10}, {"B", 1}}
	timeUnits   = []settingUnit{{"d", 86400e6}, {"h", 3600e6}, {"min", 60e6}, {"s", 1e6}, {"ms", 1e3}, {"us", 1}}
)

// units are those of a parameter, and how many steps its own unit has; nil if it
// has none.
func (p *parameter) units() (units []settingUnit, base float64) {
	if p.unit == "" {
		return nil, 1
	}
	name, count := p.unit, 1.0
	if digits := len(name) - len(strings.TrimLeft(name, "0123456789")); digits > 0 {
		count, _ = strconv.ParseFloat(name[:digits], 64) // of digits alone
		name = name[digits:]
	}
	for _, family := range [][]settingUnit{memoryUnits, timeUnits} {
		for _, u := range family {
			if u.name == name {
				return family, u.steps * count
			}
		}
	}
	return nil, 1
}

// checkNumber reads a number with or without a unit.
func checkNumber(p *parameter, _, value string) (string, error) {
	n, err := p.number(value)
	if err != nil {
		return "", err
	}
	if n < p.low || n > p.high {
		unit := ""
		if p.unit != "" {
			unit = " " + p.unit
		}
		return "", errorf(pgerrcode.InvalidParameterValue, "%s%s is outside the valid range for parameter %q (%s .. %s)",
			p.plain(n), unit, p.name, p.plain(p.low), p.plain(p.high))
	}
	return p.show(n), nil
}

// number is a value in the parameter's own unit.
func (p *parameter) number(value string) (float64, error) {
	text := strings.TrimSpace(value)
	digits := len(text) - len(strings.TrimLeft(text, "+-.0123456789"))
	if rest := text[digits:]; digits > 0 && (strings.HasPrefix(rest, "e") || strings.HasPrefix(rest, "E")) {
		digits += 1 + len(rest[1:]) - len(strings.TrimLeft(rest[1:], "+-0123456789"))
	}
	n, err := strconv.ParseFloat(text[:digits], 64)
	if err != nil {
		return 0, invalidValue(p, value)
	}
	units, base := p.units()
	if name := strings.TrimSpace(text[digits:]); name != "" {
		i := slices.IndexFunc(units, func(u settingUnit) bool { return u.name == name })
		switch {
		case i >= 0:
			n *= units[i].steps / base
		case units == nil:
			return 0, invalidValue(p, value)
		default:
			return 0, invalidValue(p, value).withHint("Valid units for this parameter are %s.", unitNames(units))
		}
	}
	if p.real {
		return n, nil
	}
	if n = math.RoundToEven(n); math.Abs(n) > math.MaxInt32 {
		return 0, invalidValue(p, value).withHint("Value exceeds integer range.")
	}
	return n, nil
}

func unitNames(units []settingUnit) string {
	names := make([]string, 0, len(units))
	for _, u := range units {
		names = append(names, fmt.Sprintf("%q", u.name))
	}
	if units[0].name == memoryUnits[0].name {
		slices.Reverse(names)
	} else {
		slices.SortFunc(names, func(a, b string) int { return slices.Index(timeOrder, a) - slices.Index(timeOrder, b) })
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + ", and " + names[last]
}

// timeOrder is the order in which PostgreSQL lists the units of time.
var timeOrder = []string{`"us"`, `"ms"`, `"s"`, `"min"`, `"h"`, `"d"`}

// show is a number as SHOW gives it: in the largest unit that divides it.
func (p *parameter) show(n float64) string {
	units, base := p.units()
	if units == nil || n <= 0 {
		return p.plain(n)
	}
	for _, u := range units {
		if in := n * base / u.steps; in == math.Trunc(in) {
			return p.plain(in) + u.name
		}
	}
	return p.plain(n) + p.unit
}

// plain is a number without a unit.
func (p *parameter) plain(n float64) string {
	if p.real {
		return strconv.FormatFloat(n, 'g', -1, 64)
	}
	return strconv.FormatFloat(n, 'f', 0, 64)
}
