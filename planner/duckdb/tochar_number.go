package duckdb

import (
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"
)

// numberTemplate is a template of to_char for numbers.
type numberTemplate struct {
	// marks are the template in order: 9 and 0 for digits, '.' the point, ','
	// a group mark, S M P G R for signs (S, MI, PL, SG, PR), and texts.
	marks []numberMark
	// before and after count the digits around the point.
	before, after int
	// zeroFrom is the place, counted among the digits before the point, of the
	// first 0; -1: none.
	zeroFrom int
	// lastZero is how far zeros are kept behind the point with FM.
	lastZero int
	fill     bool
	point    bool
	sign     byte // S, M, P, G, R or 0
	signEnd  bool // S stands behind the digits
}

type numberMark struct {
	kind byte // 9 0 . , S M P G R, or t for a text
	text string
}

func errTemplate(text string) error {
	return errorf(pgerrcode.SyntaxError, "%s", text)
}

// parseNumberTemplate reads a template; what is not in daily use is refused.
func parseNumberTemplate(template string) (*numberTemplate, error) {
	t := &numberTemplate{zeroFrom: -1}
	for template != "" {
		upper := strings.ToUpper(template)
		take := 1
		switch {
		case strings.HasPrefix(upper, "FM"):
			t.fill, take = true, 2
		case strings.HasPrefix(upper, "MI"):
			take = 2
			if err := t.addSign('M'); err != nil {
				return nil, err
			}
		case strings.HasPrefix(upper, "PL"), strings.HasPrefix(upper, "SG"), strings.HasPrefix(upper, "RN"), strings.HasPrefix(upper, "TH"),
			strings.HasPrefix(upper, "EEEE"), strings.HasPrefix(upper, "PR"), upper[0] == 'V', upper[0] == 'L', upper[0] == 'B', upper[0] == 'C':
			return nil, unsupported("template %q", template)
		case upper[0] == 'S':
			if err := t.addSign('S'); err != nil {
				return nil, err
			}
			t.signEnd = t.before+t.after > 0
		case upper[0] == '9' || upper[0] == '0':
			t.addDigit(upper[0])
		case upper[0] == '.' || upper[0] == 'D':
			if t.point {
				return nil, errTemplate("multiple decimal points")
			}
			t.point = true
			t.marks = append(t.marks, numberMark{kind: '.'})
		case upper[0] == ',' || upper[0] == 'G':
			t.marks = append(t.marks, numberMark{kind: ','})
		case upper[0] == '"':
			text, rest, ok := strings.Cut(template[1:], `"`)
			if !ok || strings.Contains(text, `\`) {
				return nil, unsupported("template %q", template)
			}
			t.marks = append(t.marks, numberMark{'t', text})
			template = rest
			continue
		default:
			take = skip(template, 1)
			t.marks = append(t.marks, numberMark{'t', template[:take]})
		}
		template = template[take:]
	}
	return t, nil
}

func (t *numberTemplate) addSign(sign byte) error {
	if t.sign != 0 {
		if t.sign == 'S' && sign == 'S' {
			return errTemplate(`cannot use "S" twice`)
		}
		return errTemplate(`cannot use "S" and "MI" together`)
	}
	t.sign = sign
	t.marks = append(t.marks, numberMark{kind: sign})
	return nil
}

func (t *numberTemplate) addDigit(digit byte) {
	if t.point {
		t.after++
		if digit == '0' {
			t.lastZero = t.after
		}
	} else {
		if digit == '0' && t.zeroFrom < 0 {
			t.zeroFrom = t.before
		}
		t.before++
	}
	t.marks = append(t.marks, numberMark{kind: digit})
}

// formatFloat is to_char of a float that has so many decimal digits: only they
// are shown, rounded as C prints them.
func (t *numberTemplate) formatFloat(f float64, digits int) (string, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "", unsupported("to_char of a number that is not finite")
	}
	whole := len(strconv.FormatFloat(math.Abs(f), 'f', 0, 64))
	after := max(0, min(t.after, digits-whole))
	return t.write(parseDecimal(strconv.FormatFloat(f, 'f', after, 64)), after), nil
}

// format is to_char of a number.
func (t *numberTemplate) format(d decimal) (string, error) {
	if d.special != finite {
		return "", unsupported("to_char of a number that is not finite")
	}
	return t.write(d.round(t.after), t.after), nil
}

// write prints a number of after digits behind the point.
func (t *numberTemplate) write(d decimal, after int) string {
	negative := d.n.Sign() < 0
	digits := string(d.abs().append(nil))
	whole, fraction, _ := strings.Cut(digits, ".")
	whole = strings.TrimLeft(whole, "0")
	overflow := len(whole) > t.before
	if overflow {
		whole, fraction = strings.Repeat("#", t.before), strings.Repeat("#", after)
	}
	w := &numberWriter{t: t, behind: after, negative: negative, whole: whole, fraction: fraction, overflow: overflow}
	w.firstDigit = t.before - len(whole)
	if t.zeroFrom >= 0 {
		w.firstDigit = min(w.firstDigit, t.zeroFrom)
	}
	// Nothing before the point shows a 0 only where no digit follows it.
	if w.firstDigit >= t.before && t.after == 0 && t.before > 0 {
		w.firstDigit = t.before - 1
	}
	if t.fill && !overflow {
		kept := len(strings.TrimRight(fraction, "0"))
		w.keep = min(max(kept, t.lastZero), after)
	} else {
		w.keep = after
	}
	if t.fill && t.point && w.keep == 0 && w.firstDigit >= t.before && t.before > 0 {
		w.firstDigit = t.before - 1 // a point alone is no number
	}
	return w.write()
}

// numberWriter writes one number.
type numberWriter struct {
	// behind is how many digits the number has behind the point: fewer than the
	// template, where a float has no more.
	behind          int
	t               *numberTemplate
	out             strings.Builder
	negative        bool
	whole, fraction string
	firstDigit      int // the place of the first digit that shows
	keep            int // how many digits of the fraction show
	overflow        bool
	signed          bool // the sign is written
}

func (w *numberWriter) write() string {
	place, behind := 0, 0
	for _, m := range w.t.marks {
		switch m.kind {
		case 't':
			w.out.WriteString(m.text)
		case 'S', 'M':
			w.explicitSign(m.kind)
		case '.':
			w.beforeDigit(true)
			if w.t.after == 0 || w.keep > 0 || w.behind > 0 {
				w.out.WriteByte('.')
			}
		case ',':
			switch {
			case place > w.firstDigit:
				w.out.WriteByte(',')
			case !w.t.fill:
				w.out.WriteByte(' ')
			}
		default:
			if place < w.t.before {
				w.wholeDigit(place)
				place++
			} else {
				behind++
				if behind <= w.keep {
					w.out.WriteByte(w.fraction[behind-1])
				}
			}
		}
	}
	if w.t.sign == 'S' && w.t.signEnd {
		w.trailingSign()
	}
	return w.out.String()
}

// wholeDigit writes the digit at a place before the point.
func (w *numberWriter) wholeDigit(place int) {
	if place < w.firstDigit {
		// The sign needs a column; it stands right before the first digit.
		if !w.t.fill {
			w.out.WriteByte(' ')
		}
		return
	}
	w.beforeDigit(place >= w.firstDigit)
	from := w.t.before - len(w.whole)
	if place < from {
		w.out.WriteByte('0')
		return
	}
	w.out.WriteByte(w.whole[place-from])
}

// beforeDigit writes the sign that has no place of its own, once.
func (w *numberWriter) beforeDigit(now bool) {
	if w.signed || !now || w.t.sign == 'M' || w.t.sign == 'S' && w.t.signEnd {
		return
	}
	w.signed = true
	switch {
	case w.negative:
		w.out.WriteByte('-')
	case w.t.sign == 'S':
		w.out.WriteByte('+')
	case !w.t.fill:
		w.out.WriteByte(' ')
	}
}

func (w *numberWriter) explicitSign(kind byte) {
	if kind == 'M' {
		switch {
		case w.negative:
			w.out.WriteByte('-')
		case !w.t.fill:
			w.out.WriteByte(' ')
		}
	}
}

func (w *numberWriter) trailingSign() {
	if w.negative {
		w.out.WriteByte('-')
		return
	}
	w.out.WriteByte('+')
}
