package suggest

import (
	"slices"
	"strings"
	"unicode"
)

// abbreviations are those that no rule finds.
var abbreviations = map[string]string{
	"volt": "voltage", "batt": "battery", "bat": "battery", "lng": "longitude", "long": "longitude", "lon": "longitude", "spd": "speed",
	"cnt": "count", "lvl": "level", "pwr": "power", "pct": "percent", "fw": "firmware", "ts": "timestamp", "msg": "message", "dist": "distance",
	"addr": "address", "avg": "average", "mean": "average", "tmp": "temperature", "deg": "degree", "degrees": "degree", "minimum": "min", "maximum": "max",
}

// units are words that say what a number is in, and not what it is.
var units = []string{
	"c", "f", "k", "celsius", "fahrenheit", "kelvin", "degree", "percent", "kpa", "hpa", "pa", "bar", "mbar", "psi", "mm", "cm", "m", "km", "ft", "in",
	"inch", "mile", "mi", "mph", "kmh", "kph", "ms", "s", "sec", "min", "h", "v", "mv", "a", "ma", "w", "kw", "wh", "kwh", "g", "kg", "lb", "l", "ml", "gal",
	"db", "dbm", "hz", "khz", "ppm", "lux", "rh",
}

// words takes a name apart: temp_f, tempF and Temp-F are "temp" and "f".
func words(name string) []string {
	var out []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			out = append(out, strings.ToLower(string(word)))
			word = word[:0]
		}
	}
	var last rune
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
		case unicode.IsDigit(r) != unicode.IsDigit(last) || unicode.IsUpper(r) && unicode.IsLower(last):
			end()
			word = append(word, r)
		default:
			word = append(word, r)
		}
		last = r
	}
	end()
	return out
}

// similarity says how alike two names are: 1 of the same words, 0 if they say
// nothing of each other. A word that only one has makes them different, unless it
// is a unit behind others.
func similarity(a, b string) float64 {
	x, y := stems(words(a)), stems(words(b))
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	switch {
	case slices.Equal(x, y):
		return 1
	case sameWords(x, y):
		return 0.9
	case isSlip(strings.Join(x, ""), strings.Join(y, "")):
		return 0.8
	}
	return 0
}

// stems writes abbreviations out and drops units behind other words.
func stems(list []string) []string {
	out := slices.Clone(list)
	for len(out) > 1 && slices.Contains(units, expand(out[len(out)-1])) {
		out = out[:len(out)-1]
	}
	for i, w := range out {
		out[i] = expand(w)
	}
	return out
}

func expand(word string) string {
	if full, ok := abbreviations[word]; ok {
		return full
	}
	return word
}

// sameWords says that two names have the same words in any order, some perhaps
// cut short.
func sameWords(x, y []string) bool {
	if len(x) != len(y) {
		return false
	}
	left := slices.Clone(y)
	for _, w := range x {
		i := slices.IndexFunc(left, func(o string) bool { return w == o || isCut(w, o) || isCut(o, w) })
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return true
}

// isCut says that a word is the beginning of another, and clearly short for it:
// temp and temperature, but not wind and window.
func isCut(short, word string) bool {
	return len(short) >= 3 && len(word) >= 2*len(short) && strings.HasPrefix(word, short)
}

// minSlip is how long names are in which one letter may be wrong.
const minSlip = 7

// isSlip says that long names differ by one letter left out, added or changed;
// digits tell things apart.
func isSlip(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < minSlip || len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if i < len(b) && unicode.IsDigit(rune(b[i])) || i < len(a) && unicode.IsDigit(rune(a[i])) {
		return false
	}
	if len(a) == len(b) {
		return i == len(a) || a[i+1:] == b[i+1:]
	}
	return a[i:] == b[i+1:]
}
