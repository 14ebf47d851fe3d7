package duckdb

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// formatter writes PostgreSQL's format(): %s, %I, %L and %%, with position, width
// and the flag - (text_format in varlena.c).
type formatter struct {
	in   string // behind the % that is read
	args [][]byte
	next int
}

func format(f string, args [][]byte) (string, error) {
	var out strings.Builder
	w := &formatter{args: args}
	for {
		i := strings.IndexByte(f, '%')
		if i < 0 {
			out.WriteString(f)
			return out.String(), nil
		}
		out.WriteString(f[:i])
		w.in = f[i+1:]
		if strings.HasPrefix(w.in, "%") {
			out.WriteByte('%')
			f = w.in[1:]
			continue
		}
		if err := w.specifier(&out); err != nil {
			return "", err
		}
		f = w.in
	}
}

// formatTexts takes a format of nothing but texts and as many %s as there are
// arguments apart, into the texts around these; not ok: it is another.
func formatTexts(f string, args int) (around []string, ok bool) {
	around = strings.Split(f, "%s")
	return around, len(around) == args+1 && !strings.Contains(strings.Join(around, ""), "%")
}

// specifier is what follows a % in format().
type specifier struct {
	position int // of the argument, 0: the next
	width    int
	// fromArgument: the width is that argument, 0: the next.
	fromArgument, widthPosition int
	left                        bool
	verb                        byte
}

func errFormat(text, hint string) error {
	e := errorf(pgerrcode.InvalidParameterValue, "%s", text)
	e.Hint = hint
	return e
}

// escapeHint says how a percent sign is written.
const escapeHint = `For a single "%" use "%%".`

// number reads digits; ok is false if there are none.
func (w *formatter) number() (n int, ok bool, err error) {
	end := 0
	for end < len(w.in) && w.in[end] >= '0' && w.in[end] <= '9' {
		end++
	}
	if end == 0 {
		return 0, false, nil
	}
	v, err := strconv.ParseInt(w.in[:end], 10, 32)
	if err != nil {
		return 0, false, errorf(pgerrcode.NumericValueOutOfRange, "number is out of range")
	}
	w.in = w.in[end:]
	if w.in == "" {
		return 0, false, errFormat("unterminated format() type specifier", escapeHint)
	}
	return int(v), true, nil
}

func errArgumentZero() error {
	return errFormat("format specifies argument 0, but arguments are numbered from 1", "")
}

// parse reads a specifier (text_format_parse_format).
func (w *formatter) parse() (s specifier, err error) {
	n, ok, err := w.number()
	if err != nil {
		return s, err
	}
	if ok && w.in[0] != '$' {
		s.width = n
		return s, w.verb(&s)
	}
	if ok {
		if n == 0 {
			return s, errArgumentZero()
		}
		s.position = n
		w.in = w.in[1:]
	}
	for strings.HasPrefix(w.in, "-") {
		s.left = true
		w.in = w.in[1:]
	}
	if rest, star := strings.CutPrefix(w.in, "*"); star {
		w.in = rest
		s.fromArgument = 1
		if n, ok, err = w.number(); err != nil {
			return s, err
		}
		if ok {
			if w.in[0] != '$' {
				return s, errFormat(`width argument position must be ended by "$"`, "")
			}
			if n == 0 {
				return s, errArgumentZero()
			}
			s.widthPosition = n
			w.in = w.in[1:]
		}
	} else if s.width, _, err = w.number(); err != nil {
		return s, err
	}
	return s, w.verb(&s)
}

func (w *formatter) verb(s *specifier) error {
	if w.in == "" {
		return errFormat("unterminated format() type specifier", escapeHint)
	}
	if s.verb = w.in[0]; strings.IndexByte("sIL", s.verb) < 0 {
		return errFormat(`unrecognized format() type specifier "`+w.in[:skip(w.in, 1)]+`"`, escapeHint)
	}
	w.in = w.in[1:]
	return nil
}

// argument is the argument at a position, or the next.
func (w *formatter) argument(position int) ([]byte, error) {
	if position > 0 {
		w.next = position - 1
	}
	if w.next >= len(w.args) {
		return nil, errFormat("too few arguments for format()", "")
	}
	w.next++
	return w.args[w.next-1], nil
}

func (w *formatter) specifier(out *strings.Builder) error {
	s, err := w.parse()
	if err != nil {
		return err
	}
	if s.fromArgument > 0 {
		width, err := w.argument(s.widthPosition)
		if err != nil {
			return err
		}
		if width != nil {
			d, err := postgres.ParseLiteral(postgres.Int4OID, -1, string(width), postgres.Env{})
			if err != nil {
				return err
			}
			s.width = int(d.Int)
		}
		if s.width < 0 {
			s.left, s.width = true, -s.width
		}
	}
	arg, err := w.argument(s.position)
	if err != nil {
		return err
	}
	text, err := s.print(arg)
	out.WriteString(text)
	return err
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
