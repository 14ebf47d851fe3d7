package duckdb

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"
)

// matcher is a pattern ready to search; all is flag g.
type matcher struct {
	*regexp.Regexp
	all, anchored bool
}

// noFlags is the argument of the flags of a function that has none.
const noFlags = -1

// matcher compiles the pattern in argument 1 under the flags in another.
func (c *call) matcher(flagsAt int) (matcher, error) {
	flags := ""
	if flagsAt != noFlags {
		flags = c.text(flagsAt)
	}
	return memoized(c, flags+"/"+c.text(1), func(key string) (matcher, error) {
		flags, text, _ := strings.Cut(key, "/")
		p, err := translatePattern(text, strings.ReplaceAll(flags, "g", ""))
		if err != nil {
			return matcher{}, err
		}
		re, err := p.compile()
		return matcher{re, strings.Contains(flags, "g"), p.anchored}, err
	})
}

// patternFunctions search with regular expressions.
func patternFunctions() definitions {
	with := func(flags int, f func(c *call, m matcher) error) func(c *call) error {
		return func(c *call) error {
			m, err := c.matcher(flags)
			if err != nil {
				return err
			}
			return f(c, m)
		}
	}
	return definitions{
		"fg_matches(VARCHAR, VARCHAR, VARCHAR) BOOLEAN": func(c *call) error {
			re, err := memoized(c, c.text(2)+"/"+c.text(1), func(key string) (*regexp.Regexp, error) {
				flags, text, _ := strings.Cut(key, "/")
				p, err := translatePattern(text, flags)
				if err != nil {
					return nil, err
				}
				return regexp.Compile(p.text)
			})
			if err == nil {
				c.setBool(re.MatchString(c.text(0)))
			}
			return err
		},
		"fg_similar(VARCHAR, VARCHAR) VARCHAR": func(c *call) error {
			p, err := similarPattern(c.text(0), c.text(1))
			if err == nil {
				c.setText(p)
			}
			return err
		},
		"fg_like_check(VARCHAR) VARCHAR":                                likeCheck,
		"fg_regexp_match(VARCHAR, VARCHAR) VARCHAR[]":                   with(noFlags, match),
		"fg_regexp_match(VARCHAR, VARCHAR, VARCHAR) VARCHAR[]":          with(2, match),
		"fg_regexp_split(VARCHAR, VARCHAR) VARCHAR[]":                   with(noFlags, splitByPattern),
		"fg_regexp_split(VARCHAR, VARCHAR, VARCHAR) VARCHAR[]":          with(2, splitByPattern),
		"fg_regexp_substring(VARCHAR, VARCHAR) VARCHAR":                 with(noFlags, substringByPattern),
		"fg_regexp_count(VARCHAR, VARCHAR) INTEGER":                     with(noFlags, countMatches),
		"fg_regexp_replace(VARCHAR, VARCHAR, VARCHAR) VARCHAR":          with(noFlags, replaceByPattern),
		"fg_regexp_replace(VARCHAR, VARCHAR, VARCHAR, VARCHAR) VARCHAR": with(3, replaceByPattern),
		"fg_regexp_substr(VARCHAR, VARCHAR) VARCHAR": with(noFlags, func(c *call, m matcher) error {
			if at := m.FindStringIndex(c.text(0)); at != nil {
				c.setText(c.text(0)[at[0]:at[1]])
			}
			return nil
		}),
		"fg_regexp_instr(VARCHAR, VARCHAR) INTEGER": with(noFlags, func(c *call, m matcher) error {
			at := m.FindStringIndex(c.text(0))
			if at == nil {
				c.setInt4(0)
				return nil
			}
			c.setInt4(int32(utf8.RuneCountInString(c.text(0)[:at[0]]) + 1))
			return nil
		}),
	}
}

// likeCheck refuses a LIKE pattern that ends in its escape.
func likeCheck(c *call) error {
	if err := checkLike(c.text(0)); err != nil {
		return err
	}
	c.setText(c.text(0))
	return nil
}

func checkLike(p string) error {
	trailing := len(p) - len(strings.TrimRight(p, `\`))
	if trailing%2 == 1 {
		return errorf(pgerrcode.InvalidEscapeSequence, "LIKE pattern must not end with escape character")
	}
	return nil
}

// match sets the parenthesised parts of the first match, or the whole of it.
func match(c *call, m matcher) error {
	if m.all {
		e := errorf(pgerrcode.InvalidParameterValue, "regexp_match() does not support the \"global\" option")
		e.Hint = "Use the regexp_matches function instead."
		return e
	}
	s := c.text(0)
	at := m.FindStringSubmatchIndex(s)
	if at == nil {
		return nil
	}
	if len(at) > 2 {
		at = at[2:]
	}
	var elems [][]byte
	for i := 0; i < len(at); i += 2 {
		var e []byte
		if at[i] >= 0 {
			e = append([]byte{}, s[at[i]:at[i+1]]...)
		}
		elems = append(elems, e)
	}
	c.setList(elems)
	return nil
}

// matches are all matches. Right behind one that is not empty there can be an
// empty one, which Go leaves out.
func (m matcher) matches(s string) [][]int {
	found := m.FindAllStringSubmatchIndex(s, -1)
	if m.anchored || !m.MatchString("") {
		return found
	}
	var out [][]int
	for _, at := range found {
		out = append(out, at)
		if at[0] == at[1] {
			continue
		}
		if next := m.FindStringSubmatchIndex(s[at[1]:]); next != nil && next[1] == 0 {
			for i := range next {
				if next[i] >= 0 {
					next[i] += at[1]
				}
			}
			out = append(out, next)
		}
	}
	return out
}

func splitByPattern(c *call, m matcher) error {
	if m.all {
		return errorf(pgerrcode.InvalidParameterValue, "regexp_split_to_array() does not support the \"global\" option")
	}
	s := c.text(0)
	var elems [][]byte
	from := 0
	for _, at := range m.FindAllStringSubmatchIndex(s, -1) {
		// An empty match at either end, or right behind another, splits nothing.
		if at[0] == at[1] && (at[0] == from || at[0] == len(s)) {
			continue
		}
		elems = append(elems, append([]byte{}, s[from:at[0]]...))
		from = at[1]
	}
	c.setList(append(elems, append([]byte{}, s[from:]...)))
	return nil
}

// substringByPattern is the first parenthesised part, or the whole match.
func substringByPattern(c *call, m matcher) error {
	at := m.FindStringSubmatchIndex(c.text(0))
	if at == nil {
		return nil
	}
	if len(at) > 2 {
		at = at[2:4]
	}
	if at[0] >= 0 {
		c.setText(c.text(0)[at[0]:at[1]])
	}
	return nil
}

func countMatches(c *call, m matcher) error {
	c.setInt4(int32(len(m.matches(c.text(0)))))
	return nil
}

// replaceByPattern puts a text in the place of the first match, or of all. In
// the text \1 to \9 are the parenthesised parts and \& the match.
func replaceByPattern(c *call, m matcher) error {
	s, replacement := c.text(0), c.text(2)
	found := m.matches(s)
	if !m.all && len(found) > 1 {
		found = found[:1]
	}
	from := 0
	for _, at := range found {
		c.setText(s[from:at[0]])
		from = at[1]
		for i := 0; i < len(replacement); i++ {
			if replacement[i] != '\\' || i+1 == len(replacement) {
				c.setText(replacement[i : i+1])
				continue
			}
			i++
			var part int
			switch r := replacement[i]; {
			case r == '&':
				part = 0
			case r >= '1' && r <= '9':
				part = int(r - '0')
			case r == '\\':
				c.setText(`\`)
				continue
			default:
				c.setText(replacement[i-1 : i+1])
				continue
			}
			if 2*part < len(at) && at[2*part] >= 0 {
				c.setText(s[at[2*part]:at[2*part+1]])
			}
		}
	}
	c.setText(s[from:])
	return nil
}
