package duckdb

import (
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// numberReader reads one number by a template (NUM_processor and
// NUM_numpart_from_char in formatting.c).
type numberReader struct {
	*numberTemplate
	in           string
	sign         byte // ' ' before one is read
	digits       strings.Builder
	whole, after int // digits read on both sides of the point
	pointRead    bool
}

// toNumber is to_number.
func toNumber(t *numberTemplate, text string) (decimal, error) {
	switch {
	case t.scientific:
		return decimal{}, errorf(pgerrcode.FeatureNotSupported, `"EEEE" not supported for input`)
	case t.roman:
		return decimal{}, errorf(pgerrcode.FeatureNotSupported, `"RN" not supported for input`)
	}
	r := &numberReader{numberTemplate: t, in: text, sign: ' '}
	for _, n := range t.nodes {
		if r.in == "" {
			break
		}
		if n.key == "" {
			r.in = r.in[skip(r.in, 1):]
			continue
		}
		r.node(strings.ToUpper(n.key))
	}
	number := string(r.sign) + strings.TrimSuffix(r.digits.String(), ".")
	d, err := postgres.ParseLiteral(postgres.NumericOID, -1, number, postgres.Env{})
	if err != nil {
		return decimal{}, err
	}
	out, err := applyPrecision(parseDecimal(d.Str), t.pre+t.multi+r.after, r.after)
	if err == nil && t.times {
		out = decimal{n: out.n, scale: out.scale + t.multi}
	}
	return out, err
}

func (r *numberReader) node(key string) {
	switch key {
	case "9", "0", ".", "D":
		r.digit(key)
		r.advance()
	case ",", "G":
		// The separator is passed over where it stands; inside the number only
		// if there is one yet.
		if !r.fill && r.in[0] == ',' {
			r.advance()
		}
	case "L":
		r.pass(1)
	case "TH":
		if r.sign != '-' && !r.point {
			r.pass(2)
		}
	case "MI":
		r.explicitSign("-")
	case "PL":
		r.explicitSign("+")
	case "SG":
		r.explicitSign("-+")
	}
}

func (r *numberReader) advance() {
	if r.in != "" {
		r.in = r.in[1:]
	}
}

// pass passes over characters that are no part of a number.
func (r *numberReader) pass(n int) {
	for ; n > 0 && r.in != "" && strings.IndexByte("0123456789.,+-", r.in[0]) < 0; n-- {
		r.in = r.in[skip(r.in, 1):]
	}
}

func (r *numberReader) explicitSign(signs string) {
	if strings.IndexByte(signs, r.in[0]) >= 0 {
		r.sign = r.in[0]
		r.advance()
		return
	}
	r.pass(1)
}

// digit reads a digit or the point, and a sign that stands before or behind it.
// What it has read last stays in front.
func (r *numberReader) digit(key string) {
	if r.in[0] == ' ' {
		r.advance()
	}
	if r.in == "" {
		return
	}
	if r.sign == ' ' && (key == "0" || key == "9") && r.whole+r.after == 0 {
		r.leadingSign()
	}
	if r.in == "" {
		return
	}
	read := false
	switch c := r.in[0]; {
	case c >= '0' && c <= '9':
		if r.pointRead && r.after == r.post {
			return
		}
		r.digits.WriteByte(c)
		if r.pointRead {
			r.after++
		} else {
			r.whole++
		}
		read = true
	case c == '.' && r.point && !r.pointRead:
		r.digits.WriteByte(c)
		r.pointRead, read = true, true
	}
	if r.sign == ' ' && r.whole+r.after > 0 {
		r.trailingSign(read)
	}
}

func (r *numberReader) leadingSign() {
	switch c := r.in[0]; {
	case r.lsign && !r.signPre:
		return
	case c == '-', c == '<' && r.bracket && !r.lsign:
		r.sign = '-'
	case c == '+':
		r.sign = '+'
	default:
		return
	}
	r.advance()
}

// trailingSign reads a sign behind the digit that was read, or in the place of
// one.
func (r *numberReader) trailingSign(read bool) {
	switch {
	case r.lsign && read:
		if len(r.in) > 1 && (r.in[1] == '-' || r.in[1] == '+') {
			r.sign = r.in[1]
			r.advance()
		}
	case !read && !r.lsign && (r.plus || r.minus) && (r.in[0] == '-' || r.in[0] == '+'):
		r.sign = r.in[0]
	}
}
