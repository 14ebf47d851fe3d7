package duckdb

import (
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres/are"
)

// noFlags is the place of the flags of a function that has none.
const noFlags = -1

// pattern compiles the pattern in argument 1 under the flags in another.
func (c *call) pattern(flagsAt int) (pattern, error) {
	flags := ""
	if flagsAt != noFlags {
		flags = c.text(flagsAt)
	}
	return memoized(c, flags+"/"+c.text(1), func(key string) (pattern, error) {
		flags, text, _ := strings.Cut(key, "/")
		return compilePattern(text, flags)
	})
}

// localPattern compiles the pattern of a function that does not take flag g.
func (c *call) localPattern(function string, flagsAt int) (pattern, error) {
	p, err := c.pattern(flagsAt)
	if err == nil && p.all {
		e := errorf(pgerrcode.InvalidParameterValue, "%s() does not support the \"global\" option", function)
		if function == "regexp_match" {
			e.Hint = "Use the regexp_matches function instead."
		}
		return pattern{}, e
	}
	return p, err
}

// positive checks an argument that counts from one, or from zero.
func (c *call) atLeast(least int32, name string, i int) (int, error) {
	if n := c.int4(i); n < least {
		return 0, errorf(pgerrcode.InvalidParameterValue, "invalid value for parameter %q: %d", name, n)
	}
	return int(c.int4(i)), nil
}

// finder goes through the matches of a pattern in a text, from left to right.
// Places are in bytes.
type finder struct {
	pattern
	text string
	// groups: the places of groups are wanted.
	groups bool
	exact  *are.Text
	// offsets are where each character begins; nil where each is one byte.
	offsets []int
	// from is where the next search begins; -1 when there is no more to search.
	from int
	// err is why there is no next match, if not for want of one.
	err error
}

// newFinder begins at a character, counted from 0.
func newFinder(p pattern, text string, first int, groups bool) *finder {
	f := &finder{pattern: p, text: text, groups: groups && p.exact.Groups() > 0}
	if f.groups || f.fast == nil || p.exact.Contextual() {
		f.fast = nil
		f.exact = p.exact.Text(text)
		if f.exact.Len() < len(text) {
			for i := range text {
				f.offsets = append(f.offsets, i)
			}
			f.offsets = append(f.offsets, len(text))
		}
		if f.from = first; first > f.exact.Len() {
			f.from = -1
		}
		return f
	}
	for ; first > 0; first-- {
		if f.from == len(text) {
			f.from = -1
			break
		}
		f.from += skip(text[f.from:], 1)
	}
	return f
}

// next is the next match, or nil: the places of the whole and, if wanted, of each
// group.
func (f *finder) next() []int {
	if f.from < 0 {
		return nil
	}
	if f.fast != nil {
		at := f.fast.FindStringIndex(f.text[f.from:])
		if at == nil {
			return nil
		}
		at[0], at[1] = at[0]+f.from, at[1]+f.from
		f.from = at[1]
		if at[0] == at[1] {
			if at[1] == len(f.text) {
				f.from = -1
			} else {
				f.from += skip(f.text[at[1]:], 1)
			}
		}
		return at
	}
	at, err := f.exact.Find(f.from)
	if err != nil {
		f.err = patternError(err)
	}
	if at == nil {
		return nil
	}
	f.from = at[1]
	if at[0] == at[1] {
		if f.from++; f.from > f.exact.Len() {
			f.from = -1
		}
	}
	if f.offsets != nil {
		for i := range at {
			if at[i] >= 0 {
				at[i] = f.offsets[at[i]]
			}
		}
	}
	return at
}

// nth is match number n, counted from 1; nil if there are fewer.
func (f *finder) nth(n int) []int {
	for ; n > 1; n-- {
		if f.next() == nil {
			return nil
		}
	}
	return f.next()
}

// parts are the groups of a match, or the whole of it where there are none.
func (f *finder) parts(at []int) [][]byte {
	if len(at) > 2 {
		at = at[2:]
	}
	var elems [][]byte
	for i := 0; i < len(at); i += 2 {
		var e []byte
		if at[i] >= 0 {
			e = append([]byte{}, f.text[at[i]:at[i+1]]...)
		}
		elems = append(elems, e)
	}
	return elems
}

// patternFunctions search with regular expressions.
func patternFunctions() definitions {
	return definitions{
		"fg_matches(VARCHAR, VARCHAR, VARCHAR) BOOLEAN": matchesPattern("regexp_like"),
		"fg_similar(VARCHAR, VARCHAR) VARCHAR":          fallible(func(c *call) (string, error) { return similarPattern(c.text(0), c.text(1)) }),
		"fg_text_like_escape(VARCHAR, VARCHAR) VARCHAR": func(c *call) error {
			converted, err := convertEscape(c.text(0), c.text(1))
			if err == nil {
				c.setText(converted)
			}
			return err
		},
		"fg_like_check(VARCHAR) VARCHAR":                                                         likeCheck,
		"fg_regexp_match(VARCHAR, VARCHAR, VARCHAR) VARCHAR[]":                                   firstMatch,
		"fg_regexp_matches(VARCHAR, VARCHAR, VARCHAR) VARCHAR[]":                                 allMatches,
		"fg_regexp_split(VARCHAR, VARCHAR, VARCHAR, VARCHAR) VARCHAR[]":                          splitByPattern,
		"fg_regexp_substring(VARCHAR, VARCHAR) VARCHAR":                                          substringByPattern,
		"fg_regexp_count(VARCHAR, VARCHAR, INTEGER, VARCHAR) INTEGER":                            countMatches,
		"fg_regexp_replace(VARCHAR, VARCHAR, VARCHAR, VARCHAR) VARCHAR":                          replaceByFlags,
		"fg_regexp_replace(VARCHAR, VARCHAR, VARCHAR, INTEGER, INTEGER, VARCHAR) VARCHAR":        replaceFrom,
		"fg_regexp_substr(VARCHAR, VARCHAR, INTEGER, INTEGER, VARCHAR, INTEGER) VARCHAR":         substrByPattern,
		"fg_regexp_instr(VARCHAR, VARCHAR, INTEGER, INTEGER, INTEGER, VARCHAR, INTEGER) INTEGER": placeByPattern,
	}
}

func matchesPattern(function string) func(c *call) error {
	return func(c *call) error {
		p, err := c.localPattern(function, 2)
		if err != nil {
			return err
		}
		matches, err := p.matches(c.text(0))
		c.setBool(matches)
		return err
	}
}

// matches says that the pattern is found in a text.
func (p *pattern) matches(text string) (bool, error) {
	if p.fast != nil {
		return p.fast.MatchString(text), nil
	}
	matches, err := p.exact.Text(text).Match(0)
	if err != nil {
		return false, patternError(err)
	}
	return matches, nil
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

// firstMatch sets the groups of the first match, or the whole of it.
func firstMatch(c *call) error {
	p, err := c.localPattern("regexp_match", 2)
	if err != nil {
		return err
	}
	f := newFinder(p, c.text(0), 0, true)
	if at := f.next(); at != nil {
		c.setList(f.parts(at))
	}
	return f.err
}

// allMatches sets a list of the matches, each an array of its groups as text.
func allMatches(c *call) error {
	p, err := c.pattern(2)
	if err != nil {
		return err
	}
	list := [][]byte{}
	f := newFinder(p, c.text(0), 0, true)
	for at := f.next(); at != nil; at = f.next() {
		list = append(list, appendTextArray(nil, f.parts(at)))
		if !p.all {
			break
		}
	}
	c.setList(list)
	return f.err
}

// splitByPattern sets what stands between the matches. An empty match at either
// end, or right behind another, splits nothing. Argument 3 is the function.
func splitByPattern(c *call) error {
	p, err := c.localPattern(c.text(3), 2)
	if err != nil {
		return err
	}
	s := c.text(0)
	var elems [][]byte
	from := 0
	f := newFinder(p, s, 0, false)
	for at := f.next(); at != nil; at = f.next() {
		if at[0] < len(s) && at[1] > from {
			elems = append(elems, append([]byte{}, s[from:at[0]]...))
			from = at[1]
		}
	}
	c.setList(append(elems, append([]byte{}, s[from:]...)))
	return f.err
}

// substringByPattern is the first group, or the whole match.
func substringByPattern(c *call) error {
	p, err := c.pattern(noFlags)
	if err != nil {
		return err
	}
	f := newFinder(p, c.text(0), 0, true)
	at := f.next()
	if len(at) > 2 {
		at = at[2:4]
	}
	if at != nil && at[0] >= 0 {
		c.setText(c.text(0)[at[0]:at[1]])
	}
	return f.err
}

func countMatches(c *call) error {
	start, err := c.atLeast(1, "start", 2)
	if err != nil {
		return err
	}
	p, err := c.localPattern("regexp_count", 3)
	if err != nil {
		return err
	}
	n := int32(0)
	f := newFinder(p, c.text(0), start-1, false)
	for f.next() != nil {
		n++
	}
	c.setInt4(n)
	return f.err
}

// replaceByFlags is regexp_replace with text, pattern, replacement and flags.
func replaceByFlags(c *call) error {
	if f := c.text(3); f != "" && f[0] >= '0' && f[0] <= '9' {
		e := errorf(pgerrcode.InvalidParameterValue, "invalid regular expression option: \"%.1s\"", f)
		e.Hint = "If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly."
		return e
	}
	p, err := c.pattern(3)
	if err != nil {
		return err
	}
	n := 1
	if p.all {
		n = 0
	}
	return replaceByPattern(c, p, 0, n)
}

func replaceFrom(c *call) error {
	start, err := c.atLeast(1, "start", 3)
	if err != nil {
		return err
	}
	n, err := c.atLeast(0, "n", 4)
	if err != nil {
		return err
	}
	p, err := c.pattern(5)
	if err != nil {
		return err
	}
	return replaceByPattern(c, p, start-1, n)
}

// replaceByPattern puts a text in the place of match n, or of all if that is 0.
func replaceByPattern(c *call, p pattern, start, n int) error {
	s, replacement := c.text(0), c.text(2)
	f := newFinder(p, s, start, strings.Contains(replacement, `\`))
	var out strings.Builder
	from := 0
	for at := f.nth(max(n, 1)); at != nil; at = f.next() {
		out.WriteString(s[from:at[0]])
		writeReplacement(&out, s, replacement, at)
		from = at[1]
		if n > 0 {
			break
		}
	}
	out.WriteString(s[from:])
	c.setText(out.String())
	return f.err
}

// writeReplacement writes a replacement: \1 to \9 are the groups, \& the match.
func writeReplacement(out *strings.Builder, s, replacement string, at []int) {
	for i := 0; i < len(replacement); i++ {
		if replacement[i] != '\\' || i+1 == len(replacement) {
			out.WriteByte(replacement[i])
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
			out.WriteByte('\\')
			continue
		default:
			out.WriteString(replacement[i-1 : i+1])
			continue
		}
		if 2*part < len(at) && at[2*part] >= 0 {
			out.WriteString(s[at[2*part]:at[2*part+1]])
		}
	}
}

// groupArgument finds the match, and the group in it, that the arguments of
// regexp_substr and regexp_instr name; nil: there is none.
func groupArgument(c *call, function string, flags, group int) ([]int, error) {
	start, err := c.atLeast(1, "start", 2)
	if err != nil {
		return nil, err
	}
	n, err := c.atLeast(1, "n", 3)
	if err != nil {
		return nil, err
	}
	if function == "regexp_instr" && (c.int4(4) < 0 || c.int4(4) > 1) {
		return nil, errorf(pgerrcode.InvalidParameterValue, "invalid value for parameter \"endoption\": %d", c.int4(4))
	}
	g, err := c.atLeast(0, "subexpr", group)
	if err != nil {
		return nil, err
	}
	p, err := c.localPattern(function, flags)
	if err != nil {
		return nil, err
	}
	f := newFinder(p, c.text(0), start-1, g > 0)
	at := f.nth(n)
	if at == nil || 2*g >= len(at) || at[2*g] < 0 {
		return nil, f.err
	}
	return at[2*g : 2*g+2], nil
}

func substrByPattern(c *call) error {
	at, err := groupArgument(c, "regexp_substr", 4, 5)
	if at != nil {
		c.setText(c.text(0)[at[0]:at[1]])
	}
	return err
}

func placeByPattern(c *call) error {
	at, err := groupArgument(c, "regexp_instr", 5, 6)
	switch {
	case err != nil:
		return err
	case at == nil:
		c.setInt4(0)
	default:
		c.setInt4(int32(utf8.RuneCountInString(c.text(0)[:at[c.int4(4)]]) + 1))
	}
	return nil
}
