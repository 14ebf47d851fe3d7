package postgres

import (
	"strings"

	"github.com/jackc/pgerrcode"
)

// ParseRanges reads a range or a multirange as its type's input function does.
func ParseRanges(oid OID, text string, env Env) (RangeSet, error) {
	return parseRanges(oid, text, &env)
}

func parseRanges(oid OID, text string, env *Env) (RangeSet, error) {
	r, multi, ok := RangeTypeOf(oid)
	if !ok {
		return nil, noInput(oid)
	}
	kind := "range"
	if multi {
		kind = "multirange"
	}
	p := &rangeParser{text: text, kind: kind, subtype: r.Subtype, env: env}
	p.spaces()
	if multi {
		return p.multirange()
	}
	return p.one()
}

// rangeParser reads ranges (range_parse in rangetypes.c, multirange_in in multirangetypes.c).
type rangeParser struct {
	text    string
	pos     int
	kind    string
	subtype OID
	env     *Env
}

func (p *rangeParser) malformed(detail string) error {
	return errorf(pgerrcode.InvalidTextRepresentation, `malformed %s literal: "%s"`, p.kind, p.text).withDetail("%s", detail)
}

func (p *rangeParser) spaces() {
	p.pos += countWhile(p.text[p.pos:], func(c byte) bool { return strings.IndexByte(spaces, c) >= 0 })
}

// peek is the next byte, 0 at the end.
func (p *rangeParser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

const emptyRange = "empty"

// one reads a range.
func (p *rangeParser) one() (RangeSet, error) {
	if rest := p.text[p.pos:]; len(rest) >= len(emptyRange) && strings.EqualFold(rest[:len(emptyRange)], emptyRange) {
		p.pos += len(emptyRange)
		if p.spaces(); p.kind == "range" && p.pos < len(p.text) {
			return nil, p.malformed(`Junk after "empty" key word.`)
		}
		return nil, nil
	}
	var lower, upper RangeBound
	switch p.peek() {
	case '[':
		lower.Inclusive = true
	case '(':
	default:
		return nil, p.malformed("Missing left parenthesis or bracket.")
	}
	p.pos++
	lowerText, err := p.bound(&lower, ",")
	if err != nil {
		return nil, err
	}
	if p.peek() != ',' {
		return nil, p.malformed("Missing comma after lower bound.")
	}
	p.pos++
	upperText, err := p.bound(&upper, ")]")
	if err != nil {
		return nil, err
	}
	switch p.peek() {
	case ']':
		upper.Inclusive = !upper.Infinite
	case ')':
	default:
		return nil, p.malformed("Too many commas.")
	}
	p.pos++
	if p.kind == "range" {
		if p.spaces(); p.pos < len(p.text) {
			return nil, p.malformed("Junk after right parenthesis or bracket.")
		}
	}
	if err := p.value(&lower, lowerText); err != nil {
		return nil, err
	}
	if err := p.value(&upper, upperText); err != nil {
		return nil, err
	}
	if err := CheckRange(lower, upper); err != nil {
		return nil, err
	}
	return NewRange(p.subtype, lower, upper)
}

// bound reads a bound's text; it is infinite if it is followed at once by one of the bytes that end it.
func (p *rangeParser) bound(b *RangeBound, ends string) (string, error) {
	if c := p.peek(); c != 0 && strings.IndexByte(ends, c) >= 0 {
		b.Infinite, b.Inclusive = true, false
		return "", nil
	}
	var value []byte
	quoted := false
	for quoted || strings.IndexByte(",)]", p.peek()) < 0 {
		c := p.peek()
		if c == 0 && p.pos >= len(p.text) {
			return "", p.malformed("Unexpected end of input.")
		}
		p.pos++
		switch {
		case c == '\\':
			if p.pos >= len(p.text) {
				return "", p.malformed("Unexpected end of input.")
			}
			value = append(value, p.text[p.pos])
			p.pos++
		case c == '"' && quoted && p.peek() == '"':
			value = append(value, c)
			p.pos++
		case c == '"':
			quoted = !quoted
		default:
			value = append(value, c)
		}
	}
	return string(value), nil
}

// value reads a bound's value.
func (p *rangeParser) value(b *RangeBound, text string) (err error) {
	if !b.Infinite {
		b.Value, err = parseLiteral(p.subtype, -1, text, p.env)
	}
	return err
}

func (p *rangeParser) multirange() (RangeSet, error) {
	if p.peek() != '{' {
		return nil, p.malformed("Missing left brace.")
	}
	p.pos++
	var all RangeSet
	for first := true; ; first = false {
		p.spaces()
		if p.peek() == '}' && first {
			break
		}
		if c := p.peek(); c == 0 {
			return nil, p.malformed("Unexpected end of input.")
		} else if c != '[' && c != '(' && !strings.HasPrefix(strings.ToLower(p.text[p.pos:]), emptyRange) {
			return nil, p.malformed("Expected range start.")
		}
		one, err := p.one()
		if err != nil {
			return nil, err
		}
		all = append(all, one...)
		p.spaces()
		if p.peek() == '}' {
			break
		}
		if p.peek() != ',' {
			if p.peek() == 0 {
				return nil, p.malformed("Unexpected end of input.")
			}
			return nil, p.malformed("Expected comma or end of multirange.")
		}
		p.pos++
	}
	p.pos++
	if p.spaces(); p.pos < len(p.text) {
		return nil, p.malformed("Junk after closing right brace.")
	}
	return all.Union(nil), nil
}

// AppendRanges appends a range or a multirange as it prints.
func AppendRanges(dst []byte, oid OID, s RangeSet, env Env) []byte {
	return appendRanges(dst, oid, s, &env)
}

func appendRanges(dst []byte, oid OID, s RangeSet, env *Env) []byte {
	r, multi, _ := RangeTypeOf(oid)
	if !multi && len(s) == 0 {
		return append(dst, emptyRange...)
	}
	if multi {
		dst = append(dst, '{')
	}
	for i := range s {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = s[i].append(dst, r.Subtype, env)
	}
	if multi {
		dst = append(dst, '}')
	}
	return dst
}

// appendStyledRanges appends one that is given as it prints when nothing is set.
func appendStyledRanges(dst []byte, oid OID, text string, env *Env) []byte {
	standard := DefaultEnv()
	s, err := parseRanges(oid, text, &standard)
	if err != nil {
		return append(dst, text...) // no value is written so
	}
	return appendRanges(dst, oid, s, env)
}

func (r *RangeValue) append(dst []byte, subtype OID, env *Env) []byte {
	open, end := byte('('), byte(')')
	if r.Lower.Inclusive {
		open = '['
	}
	if r.Upper.Inclusive {
		end = ']'
	}
	dst = append(r.Lower.append(append(dst, open), subtype, env), ',')
	return append(r.Upper.append(dst, subtype, env), end)
}

// append prints a bound, in quotes if it has a character that means something in a range.
func (b *RangeBound) append(dst []byte, subtype OID, env *Env) []byte {
	if b.Infinite {
		return dst
	}
	text := appendText(nil, subtype, &b.Value, env)
	if len(text) > 0 && !strings.ContainsAny(string(text), `"\()[],`+spaces) {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	for _, c := range text {
		if c == '"' || c == '\\' {
			dst = append(dst, c)
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
