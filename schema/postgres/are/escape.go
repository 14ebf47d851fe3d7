package are

import (
	"strings"
	"unicode/utf8"
)

// escaped reads a backslash and what it escapes, outside brackets.
func (p *parser) escaped(a *atom) error {
	if len(p.in) < 2 {
		return ErrEscape
	}
	c := p.in[1]
	switch c {
	case 'A':
		a.cons = &constraint{kind: textBegin}
	case 'Z':
		a.cons = &constraint{kind: textEnd}
	case 'm':
		a.cons = &constraint{kind: wordBegin}
	case 'M':
		a.cons = &constraint{kind: wordEnd}
	case 'y':
		a.cons = &constraint{kind: wordEdge}
	case 'Y':
		a.cons = &constraint{kind: wordEdge, negate: true}
	}
	if a.cons != nil {
		p.in = p.in[2:]
		return nil
	}
	if c >= '1' && c <= '9' && p.backref(a) {
		return p.checkBackref(a)
	}
	a.set = &charset{fold: p.opts.IgnoreCase}
	return p.member(a.set)
}

// backref reads \1 to \9, or a longer number of as many groups as there are; other
// numbers are octal.
func (p *parser) backref(a *atom) bool {
	digits := p.in[1:]
	n := len(digits) - len(strings.TrimLeft(digits, "0123456789"))
	value := 0
	for i := range n {
		if value = value*10 + int(digits[i]-'0'); value > maxRepeat {
			break
		}
	}
	if n > 1 && value > p.groups {
		return false
	}
	a.back = value
	p.in = p.in[1+n:]
	return true
}

func (p *parser) checkBackref(a *atom) error {
	if p.looks > 0 || p.closed[a.back] == nil {
		return ErrBackref
	}
	return nil
}

// member reads a backslash and what it escapes as part of a set.
func (p *parser) member(s *charset) error {
	if len(p.in) < 2 {
		return ErrEscape
	}
	c := p.in[1]
	if name, ok := map[byte]string{'d': "digit", 's': "space", 'w': "word"}[c|0x20]; ok {
		named := classes[name]
		if c < 'a' {
			named = named.not()
		}
		s.classes = append(s.classes, named)
		p.in = p.in[2:]
		return nil
	}
	r, err := p.escapedChar()
	if err == nil {
		s.add(r, r)
	}
	return err
}

// escapedChar reads a backslash and the character that it writes.
func (p *parser) escapedChar() (rune, error) {
	if len(p.in) < 2 {
		return 0, ErrEscape
	}
	c := p.in[1]
	p.in = p.in[2:]
	if plain := strings.IndexByte("abBefnrtv", c); plain >= 0 {
		return rune("\a\b\\\x1b\f\n\r\t\v"[plain]), nil
	}
	switch {
	case c == 'c':
		r, size := utf8.DecodeRuneInString(p.in)
		if size == 0 {
			return 0, ErrEscape
		}
		p.in = p.in[size:]
		return r & 0x1f, nil
	case c == 'u':
		return p.digits(16, 4, 4)
	case c == 'U':
		return p.digits(16, 8, 8)
	case c == 'x':
		return p.digits(16, 1, maxRepeat)
	case c >= '0' && c <= '9':
		p.in = string(c) + p.in
		return p.octal()
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		return 0, ErrEscape
	case c < utf8.RuneSelf:
		return rune(c), nil
	}
	r, size := utf8.DecodeRuneInString(string(c) + p.in)
	p.in = p.in[size-1:]
	return r, nil
}

func (p *parser) octal() (rune, error) {
	at := p.in
	r, err := p.digits(8, 1, 3)
	if err == nil && r > 0xff {
		p.in = at
		return p.digits(8, 1, 2)
	}
	return r, err
}

// digits reads a character by its number.
func (p *parser) digits(base, least, most int) (rune, error) {
	n, value := 0, 0
	for n < len(p.in) && n < most {
		d := strings.IndexByte("0123456789abcdef", p.in[n]|0x20)
		if p.in[n] < '0' || d < 0 || d >= base {
			break
		}
		if value = value*base + d; value > utf8.MaxRune {
			return 0, ErrEscape
		}
		n++
	}
	if n < least {
		return 0, ErrEscape
	}
	p.in = p.in[n:]
	return rune(value), nil
}

// bracket reads a bracket expression.
func (p *parser) bracket(a *atom) error {
	if rest, ok := strings.CutPrefix(p.in, "[[:<:]]"); ok {
		p.in, a.cons = rest, &constraint{kind: wordBegin}
		return nil
	}
	if rest, ok := strings.CutPrefix(p.in, "[[:>:]]"); ok {
		p.in, a.cons = rest, &constraint{kind: wordEnd}
		return nil
	}
	s := &charset{fold: p.opts.IgnoreCase}
	p.in = p.in[1:]
	if rest, ok := strings.CutPrefix(p.in, "^"); ok {
		p.in, s.negated = rest, true
		if p.opts.NewlineStop {
			s.add('\n', '\n')
		}
	}
	for first := true; ; first = false {
		if p.in == "" {
			return ErrBrackets
		}
		if p.in[0] == ']' && !first {
			p.in = p.in[1:]
			a.set = s
			return nil
		}
		if err := p.bracketMember(s, first); err != nil {
			return err
		}
	}
}

// bracketMember reads a class, a character or a range.
func (p *parser) bracketMember(s *charset, first bool) error {
	switch {
	case strings.HasPrefix(p.in, "[:"):
		return p.class(s)
	case strings.HasPrefix(p.in, "[="):
		r, err := p.collating('=')
		if err == nil {
			s.add(r, r)
		}
		return err
	case p.in[0] == '\\' && len(p.in) > 1 && strings.IndexByte("dswDSW", p.in[1]) >= 0:
		return p.member(s)
	case p.in[0] == '-' && !first && !strings.HasPrefix(p.in, "-]"):
		return ErrRange
	}
	low, err := p.bracketChar()
	if err != nil {
		return err
	}
	high := low
	if strings.HasPrefix(p.in, "-") && !strings.HasPrefix(p.in, "-]") {
		p.in = p.in[1:]
		switch {
		case p.in == "":
			return ErrBrackets
		case strings.HasPrefix(p.in, "[:"), strings.HasPrefix(p.in, "[="):
			return ErrRange
		}
		if high, err = p.bracketChar(); err != nil {
			return err
		}
		if high < low {
			return ErrRange
		}
	}
	s.add(low, high)
	return nil
}

func (p *parser) bracketChar() (rune, error) {
	if strings.HasPrefix(p.in, "[.") {
		return p.collating('.')
	}
	if p.in[0] == '\\' {
		return p.escapedChar()
	}
	r, size := utf8.DecodeRuneInString(p.in)
	p.in = p.in[size:]
	return r, nil
}

// collating reads [.x.] or [=x=] for one character.
func (p *parser) collating(mark byte) (rune, error) {
	inside, after, ok := strings.Cut(p.in[2:], string(mark)+"]")
	if !ok {
		return 0, ErrBrackets
	}
	r, size := utf8.DecodeRuneInString(inside)
	if size == 0 {
		return 0, ErrCollate
	}
	if size != len(inside) {
		return 0, Unsupported("a collating element")
	}
	p.in = after
	return r, nil
}

func (p *parser) class(s *charset) error {
	name, after, ok := strings.Cut(p.in[2:], ":]")
	if !ok {
		return ErrBrackets
	}
	named, ok := classes[name]
	if !ok {
		return ErrClass
	}
	if s.fold && (name == "upper" || name == "lower") {
		named = classes["alpha"]
	}
	s.classes = append(s.classes, named)
	p.in = after
	return nil
}
