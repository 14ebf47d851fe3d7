package duckdb

import (
	"math"
	"strings"

	"github.com/jackc/pgerrcode"
)

func errIntervalRange() error {
	return errorf(pgerrcode.DatetimeFieldOverflow, "interval out of range")
}

// scaleSpan multiplies or divides: fractions of months become days of 30 a
// month, fractions of days time (interval_mul in timestamp.c).
func scaleSpan(v span, factor float64, op func(a, b float64) float64) (span, error) {
	months, days := op(float64(v.months), factor), op(float64(v.days), factor)
	if !(math.Abs(months) <= math.MaxInt32) || !(math.Abs(days) <= math.MaxInt32) {
		return span{}, errIntervalRange()
	}
	out := span{months: int32(months), days: int32(days)}
	round := func(f float64) float64 { return math.RoundToEven(f*microsPerSecond) / microsPerSecond }
	monthRemainder := round((months - float64(out.months)) * 30)
	seconds := round((days - float64(out.days) + monthRemainder - math.Trunc(monthRemainder)) * 86400)
	if math.Abs(seconds) >= 86400 {
		whole := math.Trunc(seconds / 86400)
		if err := out.addDays(int64(whole)); err != nil {
			return span{}, err
		}
		seconds -= whole * 86400
	}
	if err := out.addDays(int64(monthRemainder)); err != nil {
		return span{}, err
	}
	micros := math.RoundToEven(op(float64(v.micros), factor) + seconds*microsPerSecond)
	if !(math.Abs(micros) < math.MaxInt64) {
		return span{}, errIntervalRange()
	}
	out.micros = int64(micros)
	return out, nil
}

// addDays and addMonths add with the range of an interval.
func (v *span) addDays(n int64) error {
	sum := int64(v.days) + n
	v.days = int32(sum)
	if int64(v.days) != sum {
		return errIntervalRange()
	}
	return nil
}

func (v *span) addMonths(n int64) error {
	sum := int64(v.months) + n
	v.months = int32(sum)
	if int64(v.months) != sum {
		return errIntervalRange()
	}
	return nil
}

func justifyHours(v span) (span, error) {
	whole := v.micros / microsPerDay
	v.micros -= whole * microsPerDay
	err := v.addDays(whole)
	v.alignTime()
	return v, err
}

// alignTime gives time the sign of the days.
func (v *span) alignTime() {
	switch {
	case v.days > 0 && v.micros < 0:
		v.micros += microsPerDay
		v.days--
	case v.days < 0 && v.micros > 0:
		v.micros -= microsPerDay
		v.days++
	}
}

func justifyDays(v span) (span, error) {
	whole := v.days / 30
	v.days -= whole * 30
	err := v.addMonths(int64(whole))
	switch {
	case v.months > 0 && v.days < 0:
		v.days += 30
		v.months--
	case v.months < 0 && v.days > 0:
		v.days -= 30
		v.months++
	}
	return v, err
}

func justify(v span) (span, error) {
	days := int64(v.days) + v.micros/microsPerDay
	v.micros %= microsPerDay
	v.days = int32(days % 30)
	err := v.addMonths(days / 30)
	switch {
	case v.months > 0 && (v.days < 0 || v.days == 0 && v.micros < 0):
		v.days += 30
		v.months--
	case v.months < 0 && (v.days > 0 || v.days == 0 && v.micros > 0):
		v.days -= 30
		v.months++
	}
	v.alignTime()
	return v, err
}

// truncateSpan is date_trunc of an interval.
func truncateSpan(unit string, v span) (span, error) {
	lower := strings.ToLower(unit)
	if micros, ok := unitMicros(lower); ok {
		if micros == microsPerDay {
			return span{months: v.months, days: v.days}, nil
		}
		v.micros -= v.micros % micros
		return v, nil
	}
	months := int32(0)
	switch lower {
	case "month", "months", "mon", "mons":
		months = 1
	case "quarter", "qtr":
		months = 3
	case "year", "years", "y", "yr", "yrs":
		months = 12
	case "decade", "decades", "dec", "decs":
		months = 120
	case "century", "centuries", "c", "cent":
		months = 1200
	case "millennium", "millennia", "mil", "mils":
		months = 12000
	case "week", "weeks", "w":
		e := errorf(pgerrcode.FeatureNotSupported, "unit %q not supported for type interval", lower)
		e.Detail = "Months usually have fractional weeks."
		return v, e
	default:
		return v, errorf(pgerrcode.InvalidParameterValue, "unit %q not recognized for type interval", lower)
	}
	return span{months: v.months - v.months%months}, nil
}

// age is a - b in years, months, days and time (timestamp_age in timestamp.c).
func age(a, b int64) span {
	negative := a < b
	if negative {
		a, b = b, a
	}
	aDay, bDay := floorDiv(a, microsPerDay), floorDiv(b, microsPerDay)
	ay, am, ad := civil(aDay)
	by, bm, bd := civil(bDay)
	micros := (a - aDay*microsPerDay) - (b - bDay*microsPerDay)
	days, months := ad-bd, (ay-by)*12+am-bm
	if micros < 0 {
		micros += microsPerDay
		days--
	}
	if days < 0 {
		// A month is borrowed from the earlier date.
		days += daysInMonth(by, bm)
		months--
	}
	v := span{int32(months), int32(days), micros}
	if negative {
		v = span{-v.months, -v.days, -v.micros}
	}
	return v
}
