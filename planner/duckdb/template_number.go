package duckdb

import (
	"strings"

	"github.com/jackc/pgerrcode"
)

// numberTemplate is a template of to_char and to_number for numbers: its nodes,
// and what NUMDesc_prepare of formatting.c finds out about them.
type numberTemplate struct {
	nodes []numberNode
	// pre, post and multi count the digits before the point, behind it, and
	// behind V.
	pre, post, multi int
	// zeroStart is the place, from 0, of the first 0 before the point, zeroEnd
	// that of the last one.
	zeroStart, zeroEnd int
	// signPre: S stands before the point, with preSign digits before it; signPost:
	// behind it.
	signPre, signPost bool
	preSign           int

	fill, zero, blank, point, lsign, bracket, minus, plus, roman, times, scientific bool
}

// numberNode is a keyword as it is written, or a character.
type numberNode struct {
	key  string
	text string
}

// numberKeys are the keywords; in small letters they are keywords too.
const numberKeys = ", . 0 9 B C D EEEE FM G L MI PL PR RN SG SP S TH V"

func errTemplate(text string) error { return errorf(pgerrcode.SyntaxError, "%s", text) }

func parseNumberTemplate(template string) (*numberTemplate, error) {
	t := &numberTemplate{}
	for template != "" {
		if key := numberKey(template); key != "" {
			template = template[len(key):]
			t.nodes = append(t.nodes, numberNode{key: key})
			if err := t.note(strings.ToUpper(key)); err != nil {
				return nil, err
			}
			continue
		}
		var literal []templateNode
		template = literalNodes(template, &literal)
		for _, n := range literal {
			t.nodes = append(t.nodes, numberNode{text: n.written})
		}
	}
	return t, nil
}

func numberKey(template string) string {
	found := ""
	for key := range strings.FieldsSeq(numberKeys) {
		if len(key) > len(found) && (strings.HasPrefix(template, key) || strings.HasPrefix(template, strings.ToLower(key))) {
			found = template[:len(key)]
		}
	}
	return found
}

// note is NUMDesc_prepare.
func (t *numberTemplate) note(key string) error {
	if t.scientific && key != "EEEE" {
		return errTemplate(`"EEEE" must be the last pattern used`)
	}
	switch key {
	case "9", "0":
		return t.noteDigit(key)
	case "B":
		t.blank = t.blank || t.pre == 0 && t.post == 0 && !t.zero
	case "D", ".":
		if t.point {
			return errTemplate("multiple decimal points")
		}
		if t.times {
			return errTemplate(`cannot use "V" and decimal point together`)
		}
		t.point = true
	case "FM":
		t.fill = true
	case "S", "MI", "PL", "SG", "PR":
		return t.noteSign(key)
	case "RN":
		t.roman = true
	case "V":
		if t.point {
			return errTemplate(`cannot use "V" and decimal point together`)
		}
		t.times = true
	case "EEEE":
		if t.scientific {
			return errTemplate(`cannot use "EEEE" twice`)
		}
		if t.blank || t.fill || t.lsign || t.bracket || t.minus || t.plus || t.roman || t.times {
			e := errorf(pgerrcode.SyntaxError, `"EEEE" is incompatible with other formats`)
			e.Detail = `"EEEE" may only be used together with digit and decimal point patterns.`
			return e
		}
		t.scientific = true
	}
	return nil
}

func (t *numberTemplate) noteDigit(key string) error {
	switch {
	case t.bracket:
		return errTemplate(`"` + key + `" must be ahead of "PR"`)
	case key == "9" && t.times:
		t.multi++
	case t.point:
		t.post++
	default:
		if key == "0" && !t.zero {
			t.zero, t.zeroStart = true, t.pre
		}
		t.pre++
	}
	if key == "0" {
		t.zeroEnd = t.pre + t.post
	}
	return nil
}

func (t *numberTemplate) noteSign(key string) error {
	switch {
	case key == "S" && t.lsign:
		return errTemplate(`cannot use "S" twice`)
	case key == "S" && (t.plus || t.minus || t.bracket):
		return errTemplate(`cannot use "S" and "PL"/"MI"/"SG"/"PR" together`)
	case key == "PR" && (t.lsign || t.plus || t.minus):
		return errTemplate(`cannot use "PR" and "S"/"PL"/"MI"/"SG" together`)
	case key != "S" && t.lsign:
		return errTemplate(`cannot use "S" and "` + key + `" together`)
	}
	switch key {
	case "S":
		t.lsign = true
		if t.point {
			t.signPost = true
		} else {
			t.signPre, t.preSign = true, t.pre
		}
	case "MI":
		t.minus = true
	case "PL":
		t.plus = true
	case "SG":
		t.minus, t.plus = true, true
	case "PR":
		t.bracket = true
	}
	return nil
}
