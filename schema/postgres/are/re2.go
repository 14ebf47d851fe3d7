package are

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
)

// maxFolded bounds the range whose letters are written in both cases.
const maxFolded = 1000

// RE2 is a pattern of RE2's syntax that matches the same texts, though not always
// the same part of one: groups capture nothing. False: there is none.
func (re *Regex) RE2() (text string, ok bool) {
	if re.root.flags&backrefs != 0 {
		return "", false
	}
	var b strings.Builder
	if !writeRE2(&b, re.root.lang) {
		return "", false
	}
	if _, err := syntax.Parse(b.String(), syntax.Perl); err != nil {
		return "", false // it repeats too much
	}
	return b.String(), true
}

// Longest says that a match is the longest at its place.
func (re *Regex) Longest() bool { return re.root.flags&shorter == 0 }

// Contextual says that what stands before a place can decide what matches there.
func (re *Regex) Contextual() bool { return hasConstraint(re.root.lang) }

func hasConstraint(l *lang) bool {
	if l.kind == constraintLang {
		return true
	}
	for _, s := range l.subs {
		if hasConstraint(s) {
			return true
		}
	}
	return false
}

func writeRE2(b *strings.Builder, l *lang) bool {
	switch l.kind {
	case charLang:
		return l.set.writeRE2(b)
	case constraintLang:
		place, ok := map[constraintKind]string{textBegin: `\A`, textEnd: `\z`, lineBegin: "(?m:^)", lineEnd: "(?m:$)"}[l.cons.kind]
		b.WriteString(place)
		return ok
	case catLang:
		for _, s := range l.subs {
			if !writeRE2(b, s) {
				return false
			}
		}
	case altLang:
		for i, s := range l.subs {
			b.WriteString([]string{"(?:", "|"}[min(i, 1)])
			if !writeRE2(b, s) {
				return false
			}
		}
		b.WriteByte(')')
	case repeatLang:
		b.WriteString("(?:")
		if !writeRE2(b, l.subs[0]) {
			return false
		}
		b.WriteByte(')')
		switch {
		case l.max != infinite:
			fmt.Fprintf(b, "{%d,%d}", l.min, l.max)
		case l.min == 0:
			b.WriteByte('*')
		default:
			fmt.Fprintf(b, "{%d,}", l.min)
		}
	}
	return true
}

func (s *charset) writeRE2(b *strings.Builder) bool {
	if len(s.classes) == 0 && len(s.ranges) == 1 && !s.negated {
		if r := s.ranges[0]; r.low == r.high && (!s.fold || unicode.SimpleFold(r.low) == r.low) {
			b.WriteString(regexp.QuoteMeta(string(r.low)))
			return true
		}
	}
	if s.negated && len(s.classes) == 0 && len(s.ranges) == 0 {
		b.WriteString("(?s:.)")
		return true
	}
	b.WriteByte('[')
	if s.negated {
		b.WriteByte('^')
	}
	for _, r := range s.ranges {
		fmt.Fprintf(b, `\x{%x}-\x{%x}`, r.low, r.high)
		if !s.fold {
			continue
		}
		if r.high-r.low > maxFolded {
			return false
		}
		for c := r.low; c <= r.high; c++ {
			for _, cased := range []rune{unicode.ToLower(c), unicode.ToUpper(c)} {
				if cased != c {
					fmt.Fprintf(b, `\x{%x}`, cased)
				}
			}
		}
	}
	for _, c := range s.classes {
		text := c.re2
		if c.negated {
			text = c.re2Not
		}
		if text == "" {
			return false
		}
		b.WriteString(text)
	}
	b.WriteByte(']')
	return true
}
