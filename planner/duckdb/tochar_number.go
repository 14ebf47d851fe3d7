package duckdb

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// numberWriter writes one number by a template (NUM_processor and
// NUM_numpart_to_char in formatting.c).
type numberWriter struct {
	numberTemplate
	out strings.Builder
	// number is the digits, without a sign; at is the next one.
	number string
	at     int
	// last is the last digit behind the point that shows; -1: all do.
	last         int
	spaces       int // before the first digit
	sign         byte
	signed       bool // the sign is written, or need not be
	inNumber     bool
	count, place int
	ended        bool // something stood where there is no digit any more
}

// format is to_char of a numeric.
func (t *numberTemplate) format(d decimal) string {
	if t.scientific {
		return t.exponential(d)
	}
	if t.roman {
		return t.writeRoman(d.round(0))
	}
	w := &numberWriter{numberTemplate: *t}
	if t.times {
		d = d.mul(decimal{n: tenTo(t.multi)})
		w.pre += t.multi
	}
	return w.write(string(d.round(t.post).append(nil)))
}

// formatFloat is to_char of a float that has so many decimal digits: only they
// are shown, rounded as C prints them.
func (t *numberTemplate) formatFloat(f float64, digits int) string {
	if t.scientific {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return t.hashes()
		}
		text := fmt.Sprintf("%+.*e", t.post, f)
		if rest, ok := strings.CutPrefix(text, "+"); ok {
			text = " " + rest
		}
		return text
	}
	if t.roman {
		return t.writeRoman(floatDecimal(math.RoundToEven(f), digits).round(0))
	}
	w := &numberWriter{numberTemplate: *t}
	if t.times {
		f *= math.Pow(10, float64(t.multi))
		w.pre += t.multi
	}
	special := ""
	whole := len(strconv.FormatFloat(math.Abs(f), 'f', 0, 64))
	if math.IsNaN(f) || math.IsInf(f, 0) {
		special = string(floatDecimal(f, digits).append(nil))
		whole = len(strings.TrimPrefix(special, "-"))
	}
	w.post = max(0, min(t.post, digits-whole))
	if special != "" {
		return w.write(special)
	}
	return w.write(strconv.FormatFloat(f, 'f', w.post, 64))
}

// hashes stand for a value that has no exponent.
func (t *numberTemplate) hashes() string {
	out := []byte(strings.Repeat("#", t.pre+t.post+6))
	out[0] = ' '
	if t.pre+1 < len(out) {
		out[t.pre+1] = '.'
	}
	return string(out)
}

func (t *numberTemplate) exponential(d decimal) string {
	if d.special != finite {
		return t.hashes()
	}
	exponent := 0
	if d.n.Sign() != 0 {
		exponent = len(new(big.Int).Abs(d.n).Text(10)) - d.scale - 1
	}
	shifted := decimal{n: d.n, scale: d.scale + exponent}
	if shifted.scale < 0 {
		shifted = decimal{n: shifted.at(0)}
	}
	out := fmt.Sprintf("%se%+03d", shifted.round(t.post).append(nil), exponent)
	if out[0] != '-' {
		return " " + out
	}
	return out
}

// write writes digits, which may have a sign.
func (w *numberWriter) write(digits string) string {
	w.sign = '+'
	if rest, ok := strings.CutPrefix(digits, "-"); ok {
		w.sign, digits = '-', rest
	}
	w.number = digits
	switch whole := len(strings.SplitN(digits, ".", 2)[0]); {
	case whole < w.pre:
		w.spaces = w.pre - whole
	case whole > w.pre:
		hashes := []byte(strings.Repeat("#", w.pre+w.post+1))
		hashes[w.pre] = '.'
		w.number = string(hashes)
	}
	w.begin()
	for _, n := range w.nodes {
		if n.key == "" {
			w.put(n.text)
			continue
		}
		w.node(n.key)
	}
	return w.out.String()
}

func (w *numberWriter) put(text string) {
	if !w.ended {
		w.out.WriteString(text)
	}
}

func (w *numberWriter) putByte(c byte) { w.put(string(c)) }

// begin decides on the sign and on the zeros at the end.
func (w *numberWriter) begin() {
	if w.plus || w.minus {
		w.signed = w.minus
	} else {
		if w.sign != '-' && w.fill {
			w.bracket = false
		}
		w.signed = w.sign == '+' && w.fill && !w.lsign
		if w.signPre && w.pre == w.preSign {
			w.signPre, w.signPost = false, true
		}
	}
	w.count = w.post + w.pre - 1
	w.last = -1
	if w.fill && w.point {
		if point := strings.IndexByte(w.number, '.'); point >= 0 {
			w.last = max(point, len(strings.TrimRight(w.number, "0"))-1)
			if w.zeroEnd > w.spaces {
				w.last = max(w.last, min(len(w.number)-1, w.zeroEnd-w.spaces))
			}
		}
	}
	if !w.signed && w.spaces == 0 {
		w.count++
	}
}

// endsInPoint says that no digit behind the point shows.
func (w *numberWriter) endsInPoint() bool { return w.last >= 0 && w.number[w.last] == '.' }

func (w *numberWriter) node(key string) {
	switch strings.ToUpper(key) {
	case "9", "0", ".", "D":
		w.digit(key)
	case ",", "G":
		switch {
		case w.inNumber:
			w.putByte(',')
		case !w.fill:
			w.putByte(' ')
		}
	case "L":
		w.putByte(' ')
	case "TH":
		if w.number[0] != '#' && w.sign != '-' && !w.point {
			w.put(ordinal(w.number, key == "TH"))
		}
	case "MI":
		w.signOr('-')
	case "PL":
		w.signOr('+')
	case "SG":
		w.putByte(w.sign)
	}
}

func (w *numberWriter) signOr(sign byte) {
	switch {
	case w.sign == sign:
		w.putByte(sign)
	case !w.fill:
		w.putByte(' ')
	}
}

// leadingZero: 0.1 shows no 0 before the point.
func (w *numberWriter) leadingZero() bool {
	return !w.zero && w.at == 0 && w.number[0] == '0' && w.post != 0
}

// digit writes a digit, a zero, a space or the point, and the sign if it has its
// place there.
func (w *numberWriter) digit(key string) {
	w.inNumber = false
	if !w.signed && (w.place >= w.spaces || w.zero && w.zeroStart == w.place) && (!w.leadingZero() || w.endsInPoint()) {
		w.leadingSign()
	}
	switch {
	case w.place < w.spaces && (w.zeroStart > w.place || !w.zero):
		if !w.fill {
			w.putByte(' ')
		}
	case w.place < w.spaces:
		w.putByte('0')
		w.inNumber = true
	default:
		w.ownDigit(key)
	}
	end := w.count
	if w.spaces > 0 {
		end++
	}
	if w.point {
		end++
	}
	if w.last >= 0 && w.last == w.at {
		end = w.place
	}
	if w.place+1 == end {
		w.trailingSign()
	}
	w.place++
}

func (w *numberWriter) ownDigit(key string) {
	if w.at >= len(w.number) {
		w.ended = true // C's string ends here
		return
	}
	switch c := w.number[w.at]; {
	case c == '.':
		w.putByte('.')
	case w.last >= 0 && w.at > w.last && key != "0":
	case w.leadingZero():
		if !w.fill {
			w.putByte(' ')
		} else if w.endsInPoint() {
			w.putByte('0')
		}
	default:
		w.putByte(c)
		w.inNumber = true
	}
	w.at++
}

func (w *numberWriter) leadingSign() {
	switch {
	case w.lsign:
		if !w.signPre {
			return
		}
		w.putByte(w.sign)
	case w.bracket:
		w.putByte(map[bool]byte{true: ' ', false: '<'}[w.sign == '+'])
	case w.sign == '-':
		w.putByte('-')
	case !w.fill:
		w.putByte(' ')
	}
	w.signed = true
}

func (w *numberWriter) trailingSign() {
	switch {
	case w.signed && w.bracket:
		w.putByte(map[bool]byte{true: ' ', false: '>'}[w.sign == '+'])
	case w.lsign && w.signPost:
		w.putByte(w.sign)
	}
}

// maxRoman is the greatest Roman number, romanWidth the room that one takes.
const (
	maxRoman   = 3999
	romanWidth = 15
)

func (t *numberTemplate) writeRoman(d decimal) string {
	number := strings.Repeat("#", romanWidth)
	if d.special == finite && d.n.IsInt64() && d.n.Int64() > 0 && d.n.Int64() <= maxRoman {
		number = roman(int(d.n.Int64()))
	}
	var out strings.Builder
	for _, n := range t.nodes {
		switch strings.ToUpper(n.key) {
		case "":
			out.WriteString(n.text)
		case "RN":
			text := number
			if n.key == "rn" {
				text = strings.ToLower(text)
			}
			if !t.fill {
				text = fmt.Sprintf("%*s", romanWidth, text)
			}
			out.WriteString(text)
		}
	}
	return out.String()
}

func roman(n int) string {
	var out strings.Builder
	for _, step := range []struct {
		value int
		text  string
	}{
		{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"},
	} {
		for ; n >= step.value; n -= step.value {
			out.WriteString(step.text)
		}
	}
	return out.String()
}
