package duckdb

import (
	"errors"
	"regexp"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres/are"
)

// pattern is a regular expression of PostgreSQL's, ready to search.
type pattern struct {
	exact *are.Regex
	// fast finds the same, without groups; nil where it would not.
	fast *regexp.Regexp
	// all is flag g.
	all bool
}

// compilePattern reads a pattern under the flags of the regexp functions.
func compilePattern(text, flags string) (pattern, error) {
	var p pattern
	var opts are.Options
	for i, f := range flags {
		if f == 'g' {
			p.all = true
			continue
		}
		known, err := opts.Set(byte(min(f, 0x7f)))
		if err != nil {
			return pattern{}, patternError(err)
		}
		if !known {
			return pattern{}, errorf(pgerrcode.InvalidParameterValue, "invalid regular expression option: \"%.1s\"", flags[i:])
		}
	}
	var err error
	if p.exact, err = are.Compile(text, opts); err != nil {
		return pattern{}, patternError(err)
	}
	if re2, ok := p.exact.RE2(); ok && p.exact.Longest() {
		if p.fast, err = regexp.Compile(re2); err == nil {
			p.fast.Longest()
		}
	}
	return p, nil
}

func patternError(err error) error {
	var fault are.Error
	if errors.As(err, &fault) {
		return errorf(pgerrcode.InvalidRegularExpression, "invalid regular expression: %s", fault)
	}
	return unsupported("%s", strings.TrimSuffix(err.Error(), " is not supported"))
}

// similarPattern turns a pattern of SIMILAR TO into a regular expression
// (similar_escape_internal in regexp.c). escape is one character or none. What
// stands between two escaped quotes is what SUBSTRING takes: the first part
// prefers to be short, the second to be long.
func similarPattern(p, escape string) (string, error) {
	if len([]rune(escape)) > 1 {
		e := errorf(pgerrcode.InvalidEscapeSequence, "invalid escape string")
		e.Hint = "Escape string must be empty or one character."
		return "", e
	}
	var out strings.Builder
	out.WriteString("^(?:")
	quotes := 0
	escaped, inBracket := false, false
	for _, r := range p {
		c := string(r)
		switch {
		case escaped && c == `"` && !inBracket:
			switch quotes++; quotes {
			case 1:
				out.WriteString("){1,1}?(")
			case 2:
				out.WriteString("){1,1}(?:")
			default:
				return "", errorf(pgerrcode.InvalidUseOfEscapeCharacter, "SQL regular expression may not contain more than two escape-double-quote separators")
			}
			escaped = false
		case escaped:
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
