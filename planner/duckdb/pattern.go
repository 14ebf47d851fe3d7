package duckdb

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"
)

// pattern is a regular expression of PostgreSQL's (the "advanced" flavour of the
// manual, 9.7.3) in the syntax that RE2 and Go share. What these do not have
// (look-around, back references, word boundaries beyond ASCII) is refused.
type pattern struct {
	text string
	// lazy and greedy say which quantifiers occur, branches whether a bar does:
	// PostgreSQL takes the longest match, or the shortest, of the whole; with a
	// mixture the engines differ about what matches, though not whether.
	lazy, greedy, branches bool
	// anchored: what matches depends on where the text begins.
	anchored bool
}

// translator reads a pattern from left to right.
type translator struct {
	in      string
	out     strings.Builder
	lines   bool // newline-sensitive
	pattern pattern
}

// The length of {m,n} that PostgreSQL takes (DUPMAX in regex/regguts.h).
const maxRepeat = 255

func errPattern(what string) error {
	return errorf(pgerrcode.InvalidRegularExpression, "invalid regular expression: %s", what)
}

func unsupportedPattern(what string) error {
	return unsupported("%s in a regular expression", what)
}

// translatePattern reads a pattern under flags: i, c, n, m, s and q.
func translatePattern(text, flags string) (pattern, error) {
	t := &translator{in: text}
	insensitive, quoted := false, false
	if rest, ok := strings.CutPrefix(t.in, "(?"); ok && rest != "" && strings.IndexByte("bceimnpqstwx", rest[0]) >= 0 {
		options, after, closed := strings.Cut(rest, ")")
		if !closed {
			return pattern{}, errPattern("parentheses () not balanced")
		}
		flags += options
		t.in = after
	}
	for _, f := range flags {
		switch f {
		case 'i':
			insensitive = true
		case 'c':
			insensitive = false
		case 'n', 'm':
			t.lines = true
		case 's':
			t.lines = false
		case 'q':
			quoted = true
		case 't':
		case 'b', 'e', 'p', 'w', 'x':
			return pattern{}, unsupported("regular expression option %q", string(f))
		default:
			return pattern{}, errorf(pgerrcode.InvalidParameterValue, "invalid regular expression option: %q", string(f))
		}
	}
	if strings.HasPrefix(t.in, "***") {
		return pattern{}, unsupportedPattern("a director ***")
	}
	prefix := "(?s"
	if t.lines {
		prefix = "(?m"
	}
	if insensitive {
		prefix += "i"
	}
	t.out.WriteString(prefix + ")")
	if quoted {
		t.out.WriteString(regexp.QuoteMeta(t.in))
	} else if err := t.translate(); err != nil {
		return pattern{}, err
	}
	t.pattern.text = t.out.String()
	if _, err := syntax.Parse(t.pattern.text, syntax.Perl); err != nil {
		var parse *syntax.Error
		if errors.As(err, &parse) {
			return pattern{}, errPattern(reason(parse.Code))
		}
		return pattern{}, err
	}
	return t.pattern, nil
}

// reason is PostgreSQL's word for an error in a pattern (regex/regerrs.h).
func reason(code syntax.ErrorCode) string {
	switch code {
	case syntax.ErrMissingParen, syntax.ErrUnexpectedParen:
		return "parentheses () not balanced"
	case syntax.ErrMissingBracket:
		return "brackets [] not balanced"
	case syntax.ErrInvalidCharRange:
		return "invalid character range"
	case syntax.ErrTrailingBackslash:
		return `invalid escape \ sequence`
	case syntax.ErrInvalidRepeatSize:
		return "invalid repetition count(s)"
	default:
		return "quantifier operand invalid"
	}
}

func (t *translator) translate() error {
	for t.in != "" {
		c := t.in[0]
		var err error
		switch c {
		case '\\':
			err = t.escape(false)
		case '[':
			err = t.bracket()
		case '(':
			err = t.group()
		case '*', '+', '?':
			t.in = t.in[1:]
			t.out.WriteByte(c)
			t.quantified()
		case '{':
			err = t.repeat()
		case '|':
			t.pattern.branches = true
			t.copy(1)
		case '^':
			t.pattern.anchored = true
			t.copy(1)
		default:
			t.copy(1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *translator) copy(n int) {
	t.out.WriteString(t.in[:n])
	t.in = t.in[n:]
}

// quantified notes whether the quantifier just read is a lazy one.
func (t *translator) quantified() {
	if strings.HasPrefix(t.in, "?") {
		t.pattern.lazy = true
		t.copy(1)
		return
	}
	t.pattern.greedy = true
}

func (t *translator) repeat() error {
	inside, _, ok := strings.Cut(t.in[1:], "}")
	if !ok || inside == "" || inside[0] < '0' || inside[0] > '9' {
		t.out.WriteByte('\\')
		t.copy(1)
		return nil
	}
	for n := range strings.SplitSeq(inside, ",") {
		if v, err := strconv.Atoi(n); n != "" && (err != nil || v > maxRepeat) {
			return errPattern("invalid repetition count(s)")
		}
	}
	t.copy(len(inside) + 2)
	t.quantified()
	return nil
}

func (t *translator) group() error {
	rest, ok := strings.CutPrefix(t.in, "(?")
	switch {
	case !ok:
		t.copy(1)
	case strings.HasPrefix(rest, ":"):
		t.copy(3)
	case rest != "" && strings.IndexByte("=!<", rest[0]) >= 0:
		return unsupportedPattern("look-around")
	case strings.HasPrefix(rest, "#"):
		return unsupportedPattern("a comment")
	default:
		return errPattern("quantifier operand invalid")
	}
	return nil
}

// The classes of the C.UTF-8 locale as sets for brackets.
const (
	letters = `\p{L}`
	alnum   = `\p{L}\p{N}`
	spaces  = `\t-\r `
)

// escape reads a backslash and what it escapes.
func (t *translator) escape(inBracket bool) error {
	if len(t.in) < 2 {
		return errPattern(`invalid escape \ sequence`)
	}
	c := t.in[1]
	t.in = t.in[2:]
	class := func(set string, negated bool) error {
		switch {
		case inBracket && negated:
			return errPattern(`invalid escape \ sequence`)
		case inBracket:
			t.out.WriteString(set)
		case negated:
			t.out.WriteString("[^" + set + "]")
		default:
			t.out.WriteString("[" + set + "]")
		}
		return nil
	}
	switch c {
	case 'd':
		return class("0-9", false)
	case 'D':
		return class("0-9", true)
	case 's':
		return class(spaces, false)
	case 'S':
		return class(spaces, true)
	case 'w':
		return class(alnum+"_", false)
	case 'W':
		return class(alnum+"_", true)
	case 't', 'n', 'r', 'f', 'v', 'a':
		t.out.WriteString(`\` + string(c))
	case 'b':
		t.out.WriteString(`\x08`)
	case 'e':
		t.out.WriteString(`\x1b`)
	case 'B':
		t.out.WriteString(`\\`)
	case 'A':
		t.pattern.anchored = true
		t.out.WriteString(`\A`)
	case 'Z':
		t.out.WriteString(`\z`)
	case 'u':
		return t.codePoint(4)
	case 'U':
		return t.codePoint(8)
	case 'm', 'M', 'y', 'Y':
		return unsupportedPattern("a word boundary")
	case 'c', 'x', '0':
		return unsupportedPattern(`escape \` + string(c))
	default:
		switch {
		case c >= '1' && c <= '9':
			return unsupportedPattern("a back reference")
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			return errPattern(`invalid escape \ sequence`)
		}
		if c < 0x80 {
			t.out.WriteByte('\\')
		}
		t.out.WriteByte(c)
	}
	return nil
}

func (t *translator) codePoint(digits int) error {
	if len(t.in) < digits {
		return errPattern(`invalid escape \ sequence`)
	}
	n, err := strconv.ParseUint(t.in[:digits], 16, 32)
	if err != nil {
		return errPattern(`invalid escape \ sequence`)
	}
	t.in = t.in[digits:]
	t.out.WriteString(`\x{` + strconv.FormatUint(n, 16) + `}`)
	return nil
}

// bracket reads a bracket expression.
func (t *translator) bracket() error {
	t.copy(1)
	if strings.HasPrefix(t.in, "^") {
		t.copy(1)
		if t.lines {
			t.out.WriteString(`\n`)
		}
	}
	for first := true; ; first = false {
		switch {
		case t.in == "":
			return errPattern("brackets [] not balanced")
		case t.in[0] == ']' && !first:
			t.copy(1)
			return nil
		case strings.HasPrefix(t.in, "[:"):
			if err := t.class(); err != nil {
				return err
			}
		case strings.HasPrefix(t.in, "[.") || strings.HasPrefix(t.in, "[="):
			return unsupportedPattern("a collating element")
		case t.in[0] == '\\':
			if err := t.escape(true); err != nil {
				return err
			}
		case t.in[0] == ']' || t.in[0] == '[':
			t.out.WriteByte('\\')
			t.copy(1)
		default:
			t.copy(1)
		}
	}
}

func (t *translator) class() error {
	name, rest, ok := strings.Cut(t.in[2:], ":]")
	if !ok {
		return errPattern("brackets [] not balanced")
	}
	t.in = rest
	switch name {
	case "alpha":
		t.out.WriteString(letters)
	case "alnum":
		t.out.WriteString(alnum)
	case "digit":
		t.out.WriteString("0-9")
	case "space":
		t.out.WriteString(spaces)
	case "upper":
		t.out.WriteString(`\p{Lu}`)
	case "lower":
		t.out.WriteString(`\p{Ll}`)
	case "word":
		t.out.WriteString(alnum + "_")
	case "blank":
		t.out.WriteString(`\t `)
	case "xdigit":
		t.out.WriteString("0-9A-Fa-f")
	case "punct", "cntrl", "graph", "print":
		return unsupportedPattern("class " + name)
	default:
		return errPattern("invalid character class")
	}
	return nil
}

// compile makes the matcher that finds what PostgreSQL finds.
func (p pattern) compile() (*regexp.Regexp, error) {
	if p.lazy && (p.greedy || p.branches) {
		return nil, unsupportedPattern("a mixture of greedy and non-greedy quantifiers")
	}
	re, err := regexp.Compile(p.text)
	if err != nil {
		return nil, errPattern(err.Error())
	}
	if !p.lazy {
		re.Longest()
	}
	return re, nil
}

// similarPattern turns a pattern of SIMILAR TO into a regular expression
// (similar_escape_internal in regexp.c). escape is one character or none.
func similarPattern(p, escape string) (string, error) {
	if len([]rune(escape)) > 1 {
		e := errorf(pgerrcode.InvalidEscapeSequence, "invalid escape string")
		return "", e
	}
	var out strings.Builder
	out.WriteString("^(?:")
	escaped, inBracket := false, false
	for _, r := range p {
		c := string(r)
		switch {
		case escaped:
			if c == `"` {
				return "", unsupported(`the escape " in a SIMILAR TO pattern`)
			}
			out.WriteString(`\` + c)
			escaped = false
		case escape != "" && c == escape:
			escaped = true
		case inBracket:
			if c == `\` {
				out.WriteString(`\`)
			}
			out.WriteString(c)
			inBracket = c != "]"
		case c == "[":
			out.WriteString(c)
			inBracket = true
		case c == "%":
			out.WriteString(".*")
		case c == "_":
			out.WriteString(".")
		case c == "(":
			out.WriteString("(?:")
		case c == `\` || c == "." || c == "^" || c == "$":
			out.WriteString(`\` + c)
		default:
			out.WriteString(c)
		}
	}
	out.WriteString(")$")
	return out.String(), nil
}

// convertEscape writes a LIKE pattern with another escape, or none, as one whose
// escape is the backslash (do_like_escape in like_match.c).
func convertEscape(p, escape string) (string, error) {
	if len([]rune(escape)) > 1 {
		e := errorf(pgerrcode.InvalidEscapeSequence, "invalid escape string")
		e.Hint = "Escape string must be empty or one character."
		return "", e
	}
	var out strings.Builder
	escaped := false
	for _, r := range p {
		c := string(r)
		switch {
		case escaped:
			out.WriteString(`\` + c)
			escaped = false
		case escape != "" && c == escape:
			escaped = true
		case c == `\`:
			out.WriteString(`\\`)
		default:
			out.WriteString(c)
		}
	}
	if escaped {
		return "", errorf(pgerrcode.InvalidEscapeSequence, "LIKE pattern must not end with escape character")
	}
	return out.String(), nil
}
