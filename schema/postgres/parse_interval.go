package postgres

import (
	"errors"
	"math"
	"math/bits"
	"strings"

	"github.com/jackc/pgerrcode"
)

// An intervalReader reads the fields of an interval from right to left, so that a unit is known before its number, as
// PostgreSQL's DecodeInterval does.
type intervalReader struct {
	fields []dateTimeField
	limit  int32 // the fields the type is restricted to, intervalFullRange for all
	negate bool  // one sign at the front stands for all parts

	years, months, days int32
	micros              int64

	mask fieldMask
	unit int // of the next number to the left, 0 before anything told
}

func parseInterval(text string, typmod int32, env *Env) (Datum, error) {
	limit := int32(intervalFullRange)
	if typmod >= 0 {
		limit = typmod >> 16 & intervalFullRange
	}
	r := &intervalReader{limit: limit}
	err := errBadFormat
	if fields, ok := splitDateTime(text); ok && len(fields) > 0 {
		r.fields = fields
		r.negate = env.IntervalStyle == SQLStandardIntervals && fields[0].text[0] == '-' && !signedAfterFirst(fields)
		err = r.read()
	}
	if errors.Is(err, errBadFormat) {
		iso := &intervalReader{}
		if err = iso.readISO8601(text); err == nil {
			r = iso
		}
	}
	if err != nil {
		return Datum{}, dateTimeError(err, IntervalOID, text)
	}
	months := int64(r.years)*12 + int64(r.months)
	if months > math.MaxInt32 || months < math.MinInt32 {
		return Datum{}, errorf(pgerrcode.DatetimeFieldOverflow, "interval out of range")
	}
	d := Datum{Kind: IntervalKind, Months: int32(months), Days: r.days, Int: r.micros}
	return restrictInterval(d, typmod), nil
}

func signedAfterFirst(fields []dateTimeField) bool {
	for _, f := range fields[1:] {
		if f.text[0] == '-' || f.text[0] == '+' {
			return true
		}
	}
	return false
}

func (r *intervalReader) read() error {
	ago := false
	for i := len(r.fields) - 1; i >= 0; i-- {
		f := r.fields[i]
		var mask fieldMask
		var err error
		switch f.kind {
		case timeField:
			mask, err = r.readClock(f.text)
		case zoneField:
			// A signed time, else a signed number.
			if strings.IndexByte(f.text, ':') > 0 {
				if mask, err = r.readSignedClock(f.text); err == nil {
					break
				}
			}
			mask, err = r.readNumber(f.text)
		case dateField, numberField:
			mask, err = r.readNumber(f.text)
		default:
			t, ok := lookUpToken(intervalTokens, f.text)
			switch {
			case ok && t.kind == ignoredToken:
				continue
			case ok && t.kind == unitToken:
				r.unit = t.value
			case ok && t.kind == agoToken:
				ago = true
				r.unit = otherUnit // no number of its own
			default:
				return errBadFormat
			}
		}
		if err != nil {
			return err
		}
		if mask&r.mask != 0 {
			return errBadFormat
		}
		r.mask |= mask
	}
	if r.mask == 0 {
		return errBadFormat
	}
	if ago {
		if r.micros == math.MinInt64 || r.days == math.MinInt32 || r.months == math.MinInt32 || r.years == math.MinInt32 {
			return errFieldOverflow
		}
		r.micros, r.days, r.months, r.years = -r.micros, -r.days, -r.months, -r.years
	}
	return nil
}

func (r *intervalReader) readClock(text string) (fieldMask, error) {
	hour, minute, second, micros, err := parseClock(text, r.limit == intervalMinute|intervalSecond)
	if err != nil {
		return 0, err
	}
	micros += int64(minute)*microsPerMinute + int64(second)*microsPerSecond
	if hour > (math.MaxInt64-micros)/microsPerHour {
		return 0, errFieldOverflow
	}
	r.micros = micros + hour*microsPerHour
	if r.negate {
		r.micros = -r.micros
	}
	r.unit = dayUnit
	return hasTime, nil
}

func (r *intervalReader) readSignedClock(text string) (fieldMask, error) {
	mask, err := r.readClock(text[1:])
	if err == nil && text[0] == '-' && !r.negate {
		r.micros = -r.micros
	}
	return mask, err
}

// defaultUnit is the unit of a number without one: that of the smallest field of the type, seconds for any interval.
func (r *intervalReader) defaultUnit() int {
	switch r.limit {
	case intervalYear:
		return yearUnit
	case intervalMonth, intervalYear | intervalMonth:
		return monthUnit
	case intervalDay:
		return dayUnit
	case intervalHour, intervalDay | intervalHour:
		return hourUnit
	case intervalMinute, intervalHour | intervalMinute, intervalDay | intervalHour | intervalMinute:
		return minuteUnit
	}
	return secondUnit
}

func (r *intervalReader) readNumber(text string) (fieldMask, error) {
	if r.unit == 0 {
		r.unit = r.defaultUnit()
	}
	n, rest, err := leadingInt64(text)
	if err != nil {
		return 0, err
	}
	fraction := 0.0
	switch {
	case rest == "":
	case rest[0] == '-':
		// years-months
		months, tail, err := leadingInt(rest[1:])
		if err != nil || months < 0 || months >= 12 {
			return 0, errFieldOverflow
		}
		if tail != "" {
			return 0, errBadFormat
		}
		r.unit = monthUnit
		if text[0] == '-' {
			months = -months
		}
		if n > math.MaxInt32 || n < math.MinInt32 {
			return 0, errFieldOverflow
		}
		n = n*12 + int64(months)
	case rest[0] == '.':
		if fraction, err = parseFraction(rest); err != nil {
			return 0, err
		}
		if text[0] == '-' {
			fraction = -fraction
		}
	default:
		return 0, errBadFormat
	}
	if r.negate && n > 0 {
		n = -n
	}
	if r.negate && fraction > 0 {
		fraction = -fraction
	}
	return r.add(r.unit, n, fraction)
}

// add adds a number of units, and returns what parts it gave.
func (r *intervalReader) add(unit int, n int64, fraction float64) (fieldMask, error) {
	var mask fieldMask
	ok := false
	switch unit {
	case microsecondUnit:
		mask, ok = hasMicrosecond, r.addMicros(n, fraction, 1)
	case millisecondUnit:
		mask, ok = hasMillisecond, r.addMicros(n, fraction, 1000)
	case secondUnit:
		mask, ok = hasSecond, r.addMicros(n, fraction, microsPerSecond)
		if fraction != 0 {
			mask = hasAllSeconds
		}
	case minuteUnit:
		mask, ok = hasMinute, r.addMicros(n, fraction, microsPerMinute)
	case hourUnit:
		mask, ok = hasHour, r.addMicros(n, fraction, microsPerHour)
		r.unit = dayUnit // of a number before it that has none
	case dayUnit:
		mask, ok = hasDay, r.addDays(n, 1) && r.addFractionalMicros(fraction, microsPerDay)
	case weekUnit:
		mask, ok = hasWeek, r.addDays(n, 7) && r.addFractionalDays(fraction, 7)
	case monthUnit:
		mask, ok = hasMonth, addScaled(&r.months, n, 1) && r.addFractionalDays(fraction, 30)
	case yearUnit:
		mask, ok = hasYear, r.addYears(n, fraction, 1)
	case decadeUnit:
		mask, ok = hasDecade, r.addYears(n, fraction, 10)
	case centuryUnit:
		mask, ok = hasCentury, r.addYears(n, fraction, 100)
	case millenniumUnit:
		mask, ok = hasMillennium, r.addYears(n, fraction, 1000)
	default:
		return 0, errBadFormat
	}
	if !ok {
		return 0, errFieldOverflow
	}
	return mask, nil
}

// addScaled adds n times scale to a 32-bit part. Not ok is an overflow.
func addScaled(part *int32, n, scale int64) (ok bool) {
	if n > math.MaxInt32 || n < math.MinInt32 {
		return false
	}
	sum := int64(*part) + n*scale
	*part = int32(sum)
	return sum == int64(*part)
}

func (r *intervalReader) addDays(n, scale int64) bool { return addScaled(&r.days, n, scale) }

func (r *intervalReader) addYears(n int64, fraction float64, scale int64) bool {
	return addScaled(&r.years, n, scale) && addScaled(&r.months, int64(math.RoundToEven(fraction*float64(scale)*12)), 1)
}

func (r *intervalReader) addFractionalDays(fraction float64, scale int) bool {
	fraction *= float64(scale)
	whole := int64(fraction)
	return addScaled(&r.days, whole, 1) && r.addFractionalMicros(fraction-float64(whole), microsPerDay)
}

func (r *intervalReader) addMicros(n int64, fraction float64, scale int64) bool {
	hi, lo := bits.Mul64(uint64(max(n, -n)), uint64(scale))
	if n == math.MinInt64 {
		hi, lo = bits.Mul64(1<<63, uint64(scale))
	}
	if hi != 0 || lo > math.MaxInt64 && (n > 0 || lo != 1<<63) {
		return false
	}
	product := int64(lo)
	if n < 0 {
		product = -product // the least number is its own opposite
	}
	return addInt64(&r.micros, product) && r.addFractionalMicros(fraction, scale)
}

func (r *intervalReader) addFractionalMicros(fraction float64, scale int64) bool {
	if fraction == 0 {
		return true
	}
	fraction *= float64(scale)
	micros := int64(fraction)
	switch rest := fraction - float64(micros); {
	case rest > 0.5:
		micros++
	case rest < -0.5:
		micros--
	}
	return addInt64(&r.micros, micros)
}

func addInt64(sum *int64, n int64) (ok bool) {
	s := *sum + n
	ok = (s > *sum) == (n > 0)
	*sum = s
	return ok
}

// readISO8601 reads P[nY][nM][nW][nD][T[nH][nM][nS]] and the forms P[yyyy-mm-dd][Thh:mm:ss] and P[yyyymmdd][Thhmmss].
func (r *intervalReader) readISO8601(text string) error {
	if len(text) < 2 || text[0] != 'P' {
		return errBadFormat
	}
	inTime, first := false, true
	for s := text[1:]; s != ""; {
		if s[0] == 'T' {
			inTime, first, s = true, true, s[1:]
			continue
		}
		n, fraction, rest, err := leadingISO8601Number(s)
		if err != nil {
			return err
		}
		digits := countWhile(strings.TrimPrefix(s, "-"), isDigit)
		designator := byte(0)
		if rest != "" {
			designator = rest[0]
		}
		unit, ok := iso8601Unit(inTime, designator)
		switch {
		case ok:
			if _, err := r.add(unit, n, fraction); err != nil {
				return err
			}
			s, first = rest[1:], false
			continue
		case !inTime && first && digits == 8 && (designator == 0 || designator == 'T'):
			err = r.addParts([]int{yearUnit, monthUnit, dayUnit}, []int64{n / 10000, n / 100 % 100, n % 100}, fraction)
		case inTime && first && digits == 6 && designator == 0:
			err = r.addParts([]int{hourUnit, minuteUnit, secondUnit}, []int64{n / 10000, n / 100 % 100, n % 100}, fraction)
		case first && !inTime && (designator == 0 || designator == 'T' || designator == '-'):
			rest, err = r.readISO8601Parts(s, '-', []int{yearUnit, monthUnit, dayUnit})
		case first && inTime && (designator == 0 || designator == ':'):
			rest, err = r.readISO8601Parts(s, ':', []int{hourUnit, minuteUnit, secondUnit})
		default:
			return errBadFormat
		}
		if err != nil {
			return err
		}
		if rest != "" && (inTime || rest[0] != 'T') {
			return errBadFormat
		}
		s = rest
	}
	return nil
}

func iso8601Unit(inTime bool, designator byte) (unit int, ok bool) {
	switch designator {
	case 'Y':
		return yearUnit, !inTime
	case 'M':
		if inTime {
			return minuteUnit, true
		}
		return monthUnit, true
	case 'W':
		return weekUnit, !inTime
	case 'D':
		return dayUnit, !inTime
	case 'H':
		return hourUnit, inTime
	case 'S':
		return secondUnit, inTime
	}
	return 0, false
}

// addParts adds a run-together date or time, whose fraction belongs to the last part.
func (r *intervalReader) addParts(units []int, parts []int64, fraction float64) error {
	for i, unit := range units {
		f := 0.0
		if i == len(units)-1 {
			f = fraction
		}
		if _, err := r.add(unit, parts[i], f); err != nil {
			return err
		}
	}
	return nil
}

// readISO8601Parts reads up to three numbers with separators between them, and returns what follows.
func (r *intervalReader) readISO8601Parts(s string, separator byte, units []int) (rest string, err error) {
	for i, unit := range units {
		n, fraction, tail, err := leadingISO8601Number(s)
		if err != nil {
			return "", err
		}
		if _, err := r.add(unit, n, fraction); err != nil {
			return "", err
		}
		if tail == "" || tail[0] != separator || i == len(units)-1 {
			return tail, nil
		}
		s = tail[1:]
	}
	return s, nil
}

// maxISO8601Number is the size up to which PostgreSQL takes a number in an ISO 8601 interval, so that a double holds it.
const maxISO8601Number = 1e15

// leadingISO8601Number reads a number as C's strtod does, in its whole and fractional parts.
func leadingISO8601Number(s string) (whole int64, fraction float64, rest string, err error) {
	if s == "" || s[0] != '-' && s[0] != '.' && !isDigit(s[0]) {
		return 0, 0, "", errBadFormat
	}
	end := floatPrefix(s)
	if end == 0 {
		return 0, 0, "", errBadFormat
	}
	f, parseErr := parseFloatPrefix(s[:end], 64)
	if parseErr != nil {
		return 0, 0, "", errBadFormat
	}
	if math.IsNaN(f) || f < -maxISO8601Number || f > maxISO8601Number {
		return 0, 0, "", errFieldOverflow
	}
	return int64(f), f - math.Trunc(f), s[end:], nil
}

// restrictInterval cuts an interval to the fields and the precision of its type.
func restrictInterval(d Datum, typmod int32) Datum {
	if typmod < 0 {
		return d
	}
	switch typmod >> 16 & intervalFullRange {
	case intervalYear:
		d.Months, d.Days, d.Int = d.Months/12*12, 0, 0
	case intervalMonth, intervalYear | intervalMonth:
		d.Days, d.Int = 0, 0
	case intervalDay:
		d.Int = 0
	case intervalHour, intervalDay | intervalHour:
		d.Int = d.Int / microsPerHour * microsPerHour
	case intervalMinute, intervalDay | intervalHour | intervalMinute, intervalHour | intervalMinute:
		d.Int = d.Int / microsPerMinute * microsPerMinute
	}
	if precision := typmod & intervalFullPrecision; precision != intervalFullPrecision {
		d.Int = roundMicros(d.Int, precision)
	}
	return d
}
