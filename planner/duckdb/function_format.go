package duckdb

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// format is PostgreSQL's format(): %s, %I, %L and %%, with position, width and
// the flag -.
func format(f string, args [][]byte) (string, error) {
	var out strings.Builder
	next := 0
	for {
		i := strings.IndexByte(f, '%')
		if i < 0 {
			out.WriteString(f)
			return out.String(), nil
		}
		out.WriteString(f[:i])
		f = f[i+1:]
		if strings.HasPrefix(f, "%") {
			out.WriteByte('%')
			f = f[1:]
			continue
		}
		spec, rest, err := parseSpecifier(f)
		if err != nil {
			return "", err
		}
		f = rest
		if spec.position > 0 {
			next = spec.position - 1
		}
		if next >= len(args) {
			return "", errorf(pgerrcode.InvalidParameterValue, "too few arguments for format()")
		}
		text, err := spec.print(args[next])
		if err != nil {
			return "", err
		}
		next++
		out.WriteString(text)
	}
}

// specifier is what follows a % in format().
type specifier struct {
	position, width int
	left            bool
	verb            byte
}

func parseSpecifier(f string) (s specifier, rest string, err error) {
	unterminated := errorf(pgerrcode.InvalidParameterValue, "unterminated format() type specifier")
	number := func() (int, bool) {
		end := 0
		for end < len(f) && f[end] >= '0' && f[end] <= '9' {
			end++
		}
		n, err := strconv.Atoi(f[:end])
		f = f[end:]
		return n, err == nil
	}
	n, ok := number()
	switch {
	case ok && strings.HasPrefix(f, "$"):
		if n == 0 {
			return s, "", errorf(pgerrcode.InvalidParameterValue, "format specifies argument 0, but arguments are numbered from 1")
		}
		s.position = n
		f = f[1:]
		ok = false
	case ok:
		s.width = n
	}
	for !ok && strings.HasPrefix(f, "-") {
		s.left = true
		f = f[1:]
	}
	if !ok {
		s.width, _ = number()
	}
	if f == "" {
		return s, "", unterminated
	}
	s.verb = f[0]
	switch s.verb {
	case 's', 'I', 'L':
		return s, f[1:], nil
	case '*':
		return s, "", unsupported("a width taken from the arguments of format()")
	}
	r, _ := utf8.DecodeRuneInString(f)
	return s, "", errorf(pgerrcode.InvalidParameterValue, "unrecognized format() type specifier %q", string(r))
}

func (s specifier) print(arg []byte) (string, error) {
	var text string
	switch {
	case arg == nil && s.verb == 'I':
		return "", errorf(pgerrcode.NullValueNotAllowedDataException, "null values cannot be formatted as an SQL identifier")
	case arg == nil && s.verb == 'L':
		text = "NULL"
	case s.verb == 'I':
		text = postgres.QuoteIdentifier(string(arg))
	case s.verb == 'L':
		text = quoteLiteral(string(arg))
	default:
		text = string(arg)
	}
	missing := s.width - utf8.RuneCountInString(text)
	if missing <= 0 {
		return text, nil
	}
	if s.left {
		return text + strings.Repeat(" ", missing), nil
	}
	return strings.Repeat(" ", missing) + text, nil
}
