package are

import (
	"unicode"
)

// charset is what one place of a pattern takes.
type charset struct {
	ranges  []runeRange
	classes []class
	negated bool
	fold    bool // case does not count
}

type runeRange struct{ low, high rune }

func (s *charset) add(low, high rune) { s.ranges = append(s.ranges, runeRange{low, high}) }

// class is a named set of characters, and how RE2 writes it in brackets, if it does.
type class struct {
	has         func(rune) bool
	negated     bool
	re2, re2Not string
}

func (c class) not() class {
	c.negated = !c.negated
	return c
}

// has takes a character that is in the set, or, where case does not count, is
// one of the set in another case.
func (s *charset) has(r rune) bool {
	found := s.plainly(r)
	if s.fold {
		for o := unicode.SimpleFold(r); o != r && !found; o = unicode.SimpleFold(o) {
			found = (unicode.ToLower(o) == r || unicode.ToUpper(o) == r) && s.plainly(o)
		}
	}
	return found != s.negated
}

func (s *charset) plainly(r rune) bool {
	for _, c := range s.ranges {
		if c.low <= r && r <= c.high {
			return true
		}
	}
	for _, c := range s.classes {
		if c.has(r) != c.negated {
			return true
		}
	}
	return false
}

// classes are those of the C.UTF-8 locale.
var classes = map[string]class{
	"alpha":  {has: unicode.IsLetter, re2: `\p{L}`, re2Not: `\P{L}`},
	"alnum":  {has: isAlnum, re2: `\p{L}\p{N}`},
	"digit":  {has: isDigit, re2: `0-9`, re2Not: `\D`},
	"space":  {has: isSpace, re2: `\t-\r `, re2Not: `\x00-\x08\x0e-\x1f!-\x{10ffff}`},
	"upper":  {has: unicode.IsUpper, re2: `\p{Lu}`, re2Not: `\P{Lu}`},
	"lower":  {has: unicode.IsLower, re2: `\p{Ll}`, re2Not: `\P{Ll}`},
	"word":   {has: isWord, re2: `\p{L}\p{N}_`},
	"blank":  {has: func(r rune) bool { return r == ' ' || r == '\t' }, re2: `\t `},
	"xdigit": {has: isHexDigit, re2: `0-9A-Fa-f`},
	"punct":  {has: isPunct},
	"cntrl":  {has: unicode.IsControl},
	"graph":  {has: func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }},
	"print":  {has: unicode.IsGraphic},
	"ascii":  {has: func(r rune) bool { return r < 0x80 }, re2: `\x00-\x7f`},
}

func isPunct(r rune) bool {
	return unicode.IsPunct(r) || r < 0x80 && unicode.IsSymbol(r)
}

func isHexDigit(r rune) bool { return isDigit(r) || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F' }

func isDigit(r rune) bool { return r >= '0' && r <= '9' }
func isAlnum(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
func isWord(r rune) bool  { return r == '_' || isAlnum(r) }
func isSpace(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }
