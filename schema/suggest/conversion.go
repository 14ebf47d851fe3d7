package suggest

import (
	"fmt"
	"math"
	"strconv"
)

// linear turns a value into slope * value + offset.
type linear struct{ slope, offset float64 }

func (l linear) of(x float64) float64 { return l.slope*x + l.offset }

// conversions are those between units that devices are known to mix, with the
// expression that says it best.
var conversions = []struct {
	linear
	sql string
}{
	{linear{1, 0}, ""},
	{linear{5.0 / 9, -160.0 / 9}, "(value - 32) * 5 / 9"},
	{linear{9.0 / 5, 32}, "value * 9 / 5 + 32"},
	{linear{1, 273.15}, "value + 273.15"},
	{linear{1, -273.15}, "value - 273.15"},
	{linear{5.0 / 9, 5.0 / 9 * 459.67}, "(value + 459.67) * 5 / 9"},
	{linear{9.0 / 5, -459.67}, "value * 9 / 5 - 459.67"},
	{linear{-1, 0}, "-value"},
	{linear{-1, 100}, "100 - value"},
	{linear{-1, 1}, "1 - value"},
	{linear{10, 0}, "value * 10"},
	{linear{0.1, 0}, "value / 10"},
	{linear{100, 0}, "value * 100"},
	{linear{0.01, 0}, "value / 100"},
	{linear{1000, 0}, "value * 1000"},
	{linear{0.001, 0}, "value / 1000"},
	{linear{1e6, 0}, "value * 1000000"},
	{linear{1e-6, 0}, "value / 1000000"},
	{linear{60, 0}, "value * 60"},
	{linear{1.0 / 60, 0}, "value / 60"},
	{linear{3600, 0}, "value * 3600"},
	{linear{1.0 / 3600, 0}, "value / 3600"},
	{linear{3.6, 0}, "value * 3.6"},
	{linear{1 / 3.6, 0}, "value / 3.6"},
	{linear{0.3048, 0}, "value * 0.3048"},
	{linear{1 / 0.3048, 0}, "value / 0.3048"},
	{linear{2.54, 0}, "value * 2.54"},
	{linear{1 / 2.54, 0}, "value / 2.54"},
	{linear{25.4, 0}, "value * 25.4"},
	{linear{1 / 25.4, 0}, "value / 25.4"},
	{linear{1.609344, 0}, "value * 1.609344"},
	{linear{1 / 1.609344, 0}, "value / 1.609344"},
	{linear{0.44704, 0}, "value * 0.44704"},
	{linear{1 / 0.44704, 0}, "value / 0.44704"},
	{linear{1.852, 0}, "value * 1.852"},
	{linear{1 / 1.852, 0}, "value / 1.852"},
	{linear{0.45359237, 0}, "value * 0.45359237"},
	{linear{1 / 0.45359237, 0}, "value / 0.45359237"},
	{linear{3.785411784, 0}, "value * 3.785411784"},
	{linear{1 / 3.785411784, 0}, "value / 3.785411784"},
	{linear{6.894757, 0}, "value * 6.894757"},
	{linear{1 / 6.894757, 0}, "value / 6.894757"},
	{linear{68.94757, 0}, "value * 68.94757"},
	{linear{1 / 68.94757, 0}, "value / 68.94757"},
	{linear{33.86389, 0}, "value * 33.86389"},
	{linear{1 / 33.86389, 0}, "value / 33.86389"},
	{linear{1.3332239, 0}, "value * 1.3332239"},
	{linear{1 / 1.3332239, 0}, "value / 1.3332239"},
}

// known finds the conversion that is nearest to a relation, if its results over
// values of a mean and deviation differ by less than share of the results' own
// deviation; expression and whether there is one.
func known(l linear, mean, deviation, share float64) (linear, string, bool) {
	best, at := share, -1
	for i, c := range conversions {
		spread := math.Abs(l.slope) * deviation
		off := max(math.Abs(c.of(mean)-l.of(mean)), math.Abs(c.slope-l.slope)*deviation) / spread
		if off < best {
			best, at = off, i
		}
	}
	if at < 0 {
		return l, "", false
	}
	return conversions[at].linear, conversions[at].sql, true
}

// digits is how many digits the numbers of a conversion have.
const digits = 6

// expression writes a relation as a conversion over value; "" for none.
func (l linear) expression(spread float64) string {
	slope, offset := strconv.FormatFloat(l.slope, 'g', digits, 64), l.offset
	if math.Abs(offset) < spread/1000 {
		offset = 0
	}
	text := "value"
	if slope != "1" {
		text = "value * " + slope
	}
	switch {
	case offset > 0:
		return fmt.Sprintf("%s + %s", text, strconv.FormatFloat(offset, 'g', digits, 64))
	case offset < 0:
		return fmt.Sprintf("%s - %s", text, strconv.FormatFloat(-offset, 'g', digits, 64))
	case text == "value":
		return ""
	}
	return text
}
