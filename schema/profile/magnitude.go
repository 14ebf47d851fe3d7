package profile

import (
	"math"
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// magnitude is what decides whether a number overflows a numeric(p,s): the decimal
// exponent of its first digit, and in the lower 16 bits up to how many digits rounding
// it carries into one digit more, which are the nines that it begins with: 2 of 9.96,
// 0 of 9.4.
type magnitude int32

const (
	// noMagnitude is that of what is no number.
	noMagnitude magnitude = math.MinInt16 << 16
	// alwaysFits is that of zero and NaN.
	alwaysFits magnitude = (math.MinInt16 + 1) << 16
	// lessThanOne is that of numbers that no rounding to a digit before the point, or to
	// none, makes 1.
	lessThanOne magnitude = -2 << 16
	// infinite fits no precision.
	infinite magnitude = math.MaxInt16 << 16
)

func newMagnitude(exponent int, carry uint16) magnitude {
	return magnitude(exponent<<16 | int(carry))
}

func (m magnitude) exponent() int { return int(m >> 16) }

func (m magnitude) carry() int { return int(m & math.MaxUint16) }

// maxMagnitudes bounds the different magnitudes that are counted: with a sketch of
// distinct values they stay within 4 KB.
const maxMagnitudes = 32

// magnitudes are how many numbers were of each magnitude. Of more different ones
// than maxMagnitudes the later ones are not counted, which the sum tells.
type magnitudes struct {
	of     []magnitude
	counts []int64
}

// noPlace is the place of a magnitude that is not counted.
const noPlace = -1

// place is the place of a magnitude's count, which begins at 0.
func (m *magnitudes) place(of magnitude) int {
	for i := range m.of {
		if m.of[i] == of {
			return i
		}
	}
	if len(m.of) == maxMagnitudes {
		return noPlace
	}
	m.of, m.counts = append(m.of, of), append(m.counts, 0)
	return len(m.of) - 1
}

func (m *magnitudes) add(of magnitude, n int64) {
	if at := m.place(of); at != noPlace {
		m.counts[at] += n
	}
}

// overflows counts the numbers that a numeric(precision, scale) refuses. Not known
// if there are others than were counted, or if the type has no digit before the
// point and not even all of those after it.
func (m *magnitudes) overflows(precision, scale int, all int64) (n int64, known bool) {
	top := precision - scale - 1 // the exponent of the type's first digit
	for i, of := range m.of {
		all -= m.counts[i]
		switch e := of.exponent(); {
		case of == lessThanOne && top < -1:
			return 0, false
		case of == alwaysFits:
		case e > top, e == top && of.carry() >= precision:
			n += m.counts[i]
		}
	}
	return n, all == 0
}

func magnitudeOfInt(n int64) magnitude {
	if n == 0 {
		return alwaysFits
	}
	size := uint64(n)
	if n < 0 {
		size = -size
	}
	exponent := 0
	for rest := size; rest >= 10; rest /= 10 {
		if exponent++; rest < 95 {
			return newMagnitude(exponent, 0)
		}
	}
	return magnitudeOfDigits(strconv.FormatUint(size, 10), exponent)
}

// doubleDigits are the digits with which PostgreSQL makes a numeric of a double
// (DBL_DIG).
const doubleDigits = 15

func magnitudeOfDouble(f float64) magnitude {
	size := math.Abs(f)
	switch {
	case f == 0 || math.IsNaN(f):
		return alwaysFits
	case math.IsInf(f, 0):
		return infinite
	case size < 0.94:
		return lessThanOne
	}
	exponent := 0
	for power := 1.0; size >= power && power < 1e15; power *= 10 {
		if size < 9.4*power {
			return newMagnitude(exponent, 0)
		}
		exponent++
	}
	text := strconv.FormatFloat(size, 'e', doubleDigits-1, 64)
	mantissa, power, _ := strings.Cut(text, "e")
	e, err := strconv.Atoi(power)
	if err != nil {
		return noMagnitude
	}
	return magnitudeOfDigits(strings.Replace(mantissa, ".", "", 1), e)
}

// magnitudeOfText is the magnitude of what PostgreSQL reads a text as.
func magnitudeOfText(text string, env postgres.Env) magnitude {
	d, err := postgres.ParseLiteral(postgres.NumericOID, -1, text, env)
	if err != nil {
		return noMagnitude
	}
	plain := strings.TrimPrefix(d.Str, "-")
	switch plain {
	case "NaN":
		return alwaysFits
	case "Infinity":
		return infinite
	}
	whole, fraction, _ := strings.Cut(plain, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	return magnitudeOfDigits(digits, len(digits)-len(fraction)-1)
}

// magnitudeOfDigits is the magnitude of a number with these digits, of which the first
// is not 0 and has that exponent.
func magnitudeOfDigits(digits string, exponent int) magnitude {
	switch carry := carryOf(digits); {
	case digits == "":
		return alwaysFits
	case exponent < -1, exponent == -1 && carry == 0:
		return lessThanOne
	case exponent >= math.MaxInt16:
		return infinite
	default:
		return newMagnitude(exponent, carry)
	}
}

// carryOf is the carry of a number with these digits.
func carryOf(digits string) uint16 {
	nines := len(digits) - len(strings.TrimLeft(digits, "9"))
	switch {
	case nines == 0:
		return 0
	case nines == len(digits) || digits[nines] < '5':
		nines--
	}
	return uint16(min(nines, math.MaxUint16))
}
