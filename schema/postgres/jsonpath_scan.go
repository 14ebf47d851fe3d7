package postgres

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"
)

// pathToken is a token of a jsonpath.
type pathToken struct {
	kind pathKind
	// text is a name, a string or a number without what it was written with, or the characters of an operator.
	text string
	// near is what an error says of the token; empty: the end.
	near string
}

type pathKind int

const (
	pathEnd pathKind = iota
	pathSymbol
	pathName // not quoted: may be a keyword
	pathText // in quotes
	pathNumber
	pathInteger
	pathVariable
)

// pathScanner splits a jsonpath (jsonpath_scan.l in PostgreSQL).
type pathScanner struct {
	text string
	pos  int
}

const (
	pathSpecials = `?%$.[]{}()|&!=<>@#,*:-+/`
	pathBlanks   = " \t\n\r\f"
)

func isPathOther(c byte) bool {
	return strings.IndexByte(pathSpecials+pathBlanks+`\"`, c) < 0
}

func errPath(message, near string) *Error {
	if near == "" {
		return errorf(pgerrcode.SyntaxError, "%s at end of jsonpath input", message)
	}
	return errorf(pgerrcode.SyntaxError, `%s at or near "%s" of jsonpath input`, message, near)
}

// next is the next token.
func (s *pathScanner) next() (pathToken, error) {
	if err := s.skip(); err != nil {
		return pathToken{}, err
	}
	rest := s.text[s.pos:]
	if rest == "" {
		return pathToken{}, nil
	}
	for _, symbol := range []string{"&&", "||", "**", "<=", "==", "<>", "!=", ">="} {
		if strings.HasPrefix(rest, symbol) {
			s.pos += len(symbol)
			return pathToken{pathSymbol, symbol, symbol}, nil
		}
	}
	switch c := rest[0]; {
	case c == '"':
		s.pos++
		text, err := s.quoted()
		return pathToken{pathText, text, `"`}, err
	case c == '$' && len(rest) > 1 && rest[1] == '"':
		s.pos += 2
		text, err := s.quoted()
		return pathToken{pathVariable, text, `"`}, err
	case c == '$' && len(rest) > 1 && (isPathOther(rest[1]) || rest[1] == '\\'):
		s.pos++
		text, err := s.name()
		return pathToken{pathVariable, text, "$" + text}, err
	case isDigit(c), c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return s.number()
	case strings.IndexByte(pathSpecials, c) >= 0:
		s.pos++
		return pathToken{pathSymbol, rest[:1], rest[:1]}, nil
	}
	text, err := s.name()
	near := ""
	if s.pos < len(s.text) && strings.IndexByte(pathBlanks, s.text[s.pos]) >= 0 {
		near = s.text[s.pos : s.pos+1] // by which it ends
	}
	return pathToken{pathName, text, near}, err
}

// skip passes over blanks and comments.
func (s *pathScanner) skip() error {
	for {
		s.pos += countWhile(s.text[s.pos:], func(c byte) bool { return strings.IndexByte(pathBlanks, c) >= 0 })
		if !strings.HasPrefix(s.text[s.pos:], "/*") {
			return nil
		}
		end := strings.Index(s.text[s.pos+2:], "*/")
		if end < 0 {
			return errPath("unexpected end of comment", "")
		}
		s.pos += 2 + end + 2
	}
}

// number reads a number, which no letter may follow.
func (s *pathScanner) number() (pathToken, error) {
	rest := s.text[s.pos:]
	kind := pathInteger
	whole := countWhile(rest, isDigit)
	if whole > 1 && rest[0] == '0' {
		whole = 1
	}
	n := whole
	if n < len(rest) && rest[n] == '.' {
		fraction := countWhile(rest[n+1:], isDigit)
		n, kind = n+1+fraction, pathNumber
	}
	if n < len(rest) && rest[n]|0x20 == 'e' {
		sign := 0
		if n+1 < len(rest) && (rest[n+1] == '+' || rest[n+1] == '-') {
			sign = 1
		}
		digits := countWhile(rest[n+1+sign:], isDigit)
		if n+1 == len(rest) {
			return pathToken{}, errPath("trailing junk after numeric literal", rest)
		}
		if digits == 0 {
			// PostgreSQL takes the number without the letter, which begins a name.
			s.pos += n
			return pathToken{kind, rest[:n], rest[:n]}, nil
		}
		n, kind = n+1+sign+digits, pathNumber
	}
	if n < len(rest) && isPathOther(rest[n]) {
		_, size := utf8.DecodeRuneInString(rest[n:])
		return pathToken{}, errPath("trailing junk after numeric literal", rest[:n+size])
	}
	s.pos += n
	text, err := parseNumeric(rest[:n], -1)
	return pathToken{kind, text, rest[:n]}, err
}

// name reads what is not in quotes.
func (s *pathScanner) name() (string, error) {
	var out []byte
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		if c == '\\' {
			var err error
			if out, err = s.escape(out); err != nil {
				return "", err
			}
			continue
		}
		if !isPathOther(c) {
			break
		}
		out = append(out, c)
		s.pos++
	}
	return string(out), nil
}

// quoted reads up to the quote.
func (s *pathScanner) quoted() (string, error) {
	var out []byte
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; c {
		case '"':
			s.pos++
			return string(out), nil
		case '\\':
			var err error
			if out, err = s.escape(out); err != nil {
				return "", err
			}
		default:
			out = append(out, c)
			s.pos++
		}
	}
	return "", errPath("unexpected end of quoted string", "")
}

// escape reads an escape sequence.
func (s *pathScanner) escape(out []byte) ([]byte, error) {
	rest := s.text[s.pos:]
	if len(rest) == 1 {
		return nil, errPath("unexpected end after backslash", `\`)
	}
	if i := strings.IndexByte("bfnrtv", rest[1]); i >= 0 {
		s.pos += 2
		return append(out, "\b\f\n\r\t\v"[i]), nil
	}
	switch rest[1] {
	case 'x':
		digits := countWhile(rest[2:min(len(rest), 4)], isHexDigit)
		if digits < 2 {
			return nil, errPath("invalid hex character sequence", rest[:2+digits])
		}
		s.pos += 4
		return appendPathRune(out, hexRune(rest[2:4]))
	case 'u':
		r, n, ok := pathUnicode(rest)
		if !ok {
			return nil, errPath("invalid unicode sequence", rest[:n])
		}
		s.pos += n
		if !utf16.IsSurrogate(r) {
			return appendPathRune(out, r)
		}
		invalid := func(detail string) error {
			return errorf(pgerrcode.InvalidTextRepresentation, "invalid input syntax for type %s", JSONPathOID).withDetail("%s", detail)
		}
		low, n, ok := pathUnicode(s.text[s.pos:])
		switch {
		case r >= 0xdc00:
			return nil, invalid("Unicode low surrogate must follow a high surrogate.")
		case ok && low >= 0xd800 && low < 0xdc00:
			return nil, invalid("Unicode high surrogate must not follow a high surrogate.")
		case !ok || low < 0xdc00 || low > 0xdfff:
			return nil, invalid("Unicode low surrogate must follow a high surrogate.")
		}
		s.pos += n
		return utf8.AppendRune(out, utf16.DecodeRune(r, low)), nil
	}
	_, size := utf8.DecodeRuneInString(rest[1:])
	s.pos += 1 + size
	return append(out, rest[1:1+size]...), nil
}

func hexRune(digits string) rune {
	n, _ := strconv.ParseUint(digits, 16, 32) // they are hexadecimal digits, at most six
	return rune(n)
}

// pathUnicode reads \uXXXX or \u{X...}, and gives its length; if it is none, that of what is right of it.
func pathUnicode(s string) (r rune, n int, ok bool) {
	if len(s) < 2 || s[0] != '\\' || s[1] != 'u' {
		return 0, 0, false
	}
	if len(s) > 2 && s[2] == '{' {
		digits := countWhile(s[3:min(len(s), 9)], isHexDigit)
		end := 3 + digits
		if digits == 0 || end >= len(s) || s[end] != '}' {
			return 0, end, false
		}
		return hexRune(s[3:end]), end + 1, true
	}
	digits := countWhile(s[2:min(len(s), 6)], isHexDigit)
	if digits < 4 {
		return 0, 2 + digits, false
	}
	return hexRune(s[2:6]), 6, true
}

func appendPathRune(out []byte, r rune) ([]byte, error) {
	if r == 0 {
		return nil, errorf(pgerrcode.UntranslatableCharacter, "unsupported Unicode escape sequence").
			withDetail(`\u0000 cannot be converted to text.`)
	}
	return utf8.AppendRune(out, r), nil
}
