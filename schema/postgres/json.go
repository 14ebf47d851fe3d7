package postgres

import (
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"
)

// maxJSONDepth bounds nesting, where PostgreSQL runs out of stack (54001) some levels past ten thousand.
const maxJSONDepth = 10_000

// maxExpandedBytes bounds what the numbers of one jsonb, or the items of one array, grow to: 1e131071 is one number of
// 131,072 digits, for which PostgreSQL has a shorter form until it prints it.
const maxExpandedBytes = 64 << 20

// ValidateJSON is nil if the text is a json value, and otherwise PostgreSQL's error, 22P02.
func ValidateJSON(text string) error {
	p := jsonParser{text: text, oid: JSONOID}
	_, err := p.parse()
	return err
}

// AppendJSONB appends a json text in jsonb's normal form: members sorted by the length of the key and then by its
// bytes, of equal keys the last, numbers as numeric prints them, and a space after colons and commas.
func AppendJSONB(dst []byte, text string) ([]byte, error) {
	p := jsonParser{text: text, oid: JSONBOID, build: true}
	root, err := p.parse()
	if err != nil {
		return dst, err
	}
	return root.append(dst), nil
}

// A jsonNode is a parsed value: an object if it has keys or is marked so, an array, a string, or other text.
type jsonNode struct {
	kind  byte // {, [, " or 0
	text  string
	keys  []string
	items []jsonNode
}

func (n *jsonNode) append(dst []byte) []byte {
	switch n.kind {
	case '"':
		return AppendJSONString(dst, n.text)
	case '{':
		dst = append(dst, '{')
		for i := range n.items {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(AppendJSONString(dst, n.keys[i]), ": "...)
			dst = n.items[i].append(dst)
		}
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		for i := range n.items {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = n.items[i].append(dst)
		}
		return append(dst, ']')
	}
	return append(dst, n.text...)
}

// sortMembers brings an object's members into jsonb's order and drops all but the last of equal keys.
func (n *jsonNode) sortMembers() {
	order := make([]int, len(n.keys))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if c := len(n.keys[a]) - len(n.keys[b]); c != 0 {
			return c
		}
		return strings.Compare(n.keys[a], n.keys[b])
	})
	keys, items := make([]string, 0, len(order)), make([]jsonNode, 0, len(order))
	for i, at := range order {
		if i+1 < len(order) && n.keys[order[i+1]] == n.keys[at] {
			continue
		}
		keys, items = append(keys, n.keys[at]), append(items, n.items[at])
	}
	n.keys, n.items = keys, items
}

const hexDigits = "0123456789abcdef"

// AppendJSONString appends a text as a JSON string, as PostgreSQL's escape_json quotes it (json.c).
func AppendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			if c < ' ' {
				dst = append(dst, `\u00`...)
				c, dst = hexDigits[c&15], append(dst, hexDigits[c>>4])
			}
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

type jsonParser struct {
	text  string
	pos   int
	depth int
	oid   OID
	build bool // nodes are made, and strings must be representable as text

	numberBytes int // of the numbers so far, as numeric prints them
}

func (p *jsonParser) parse() (jsonNode, error) {
	root, err := p.value(`JSON value`)
	if err != nil {
		return root, err
	}
	if p.peek() != 0 || p.pos < len(p.text) {
		return root, p.unexpected("end of input")
	}
	return root, nil
}

// peek skips white space and returns the next byte, 0 at the end.
func (p *jsonParser) peek() byte {
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; c {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return c
		}
	}
	return 0
}

func (p *jsonParser) fail(format string, args ...any) *Error {
	return errorf(pgerrcode.InvalidTextRepresentation, "invalid input syntax for type %s", JSONOID).withDetail(format, args...)
}

// unexpected tells what stands at the position instead of what was expected.
func (p *jsonParser) unexpected(expected string) *Error {
	token, err := p.token()
	if err != nil {
		return err
	}
	if token == "" {
		return p.fail("The input string ended unexpectedly.")
	}
	return p.fail(`Expected %s, but found "%s".`, expected, token)
}

// token is the token at the position, empty at the end; the error is that of a token that is none.
func (p *jsonParser) token() (string, *Error) {
	p.peek()
	start := p.pos
	if start == len(p.text) {
		return "", nil
	}
	defer func() { p.pos = start }()
	var err *Error
	word := p.text[start : start+countWhile(p.text[start:], isJSONWord)]
	switch c := p.text[start]; {
	case strings.IndexByte(`{}[],:`, c) >= 0:
		return p.text[start : start+1], nil
	case c == '"':
		_, err = p.str()
	case c == '-' || isDigit(c):
		_, err = p.number()
	case word == "true" || word == "false" || word == "null":
		return word, nil
	default:
		_, size := utf8.DecodeRuneInString(p.text[start:])
		err = p.fail(`Token "%s" is invalid.`, p.text[start:start+max(len(word), size)])
	}
	return p.text[start:p.pos], err
}

func isJSONWord(c byte) bool { return isDigit(c) || isAlpha(c) || c == '_' || c >= 0x80 }

func (p *jsonParser) value(expected string) (jsonNode, error) {
	switch c := p.peek(); {
	case c == '{' || c == '[':
		if p.depth++; p.depth > maxJSONDepth {
			return jsonNode{}, errorf(pgerrcode.StatementTooComplex, "stack depth limit exceeded")
		}
		defer func() { p.depth-- }()
		p.pos++
		if c == '{' {
			return p.object()
		}
		return p.array()
	case c == '"':
		s, err := p.strNode()
		return jsonNode{kind: '"', text: s}, err
	case c == '-' || isDigit(c):
		text, err := p.numberNode()
		return jsonNode{text: text}, err
	}
	n := countWhile(p.text[p.pos:], isJSONWord)
	switch word := p.text[p.pos : p.pos+n]; word {
	case "true", "false", "null":
		p.pos += n
		return jsonNode{text: word}, nil
	}
	return jsonNode{}, p.unexpected(expected)
}

func (p *jsonParser) object() (jsonNode, error) {
	n := jsonNode{kind: '{'}
	expected := `string or "}"`
	for first := true; ; first = false {
		c := p.peek()
		if first && c == '}' {
			p.pos++
			return n, nil
		}
		if c != '"' {
			return n, p.unexpected(expected)
		}
		key, err := p.strNode()
		if err != nil {
			return n, err
		}
		if p.peek() != ':' {
			return n, p.unexpected(`":"`)
		}
		p.pos++
		item, err := p.value("JSON value")
		if err != nil {
			return n, err
		}
		if p.build {
			n.keys, n.items = append(n.keys, key), append(n.items, item)
		}
		switch p.peek() {
		case ',':
			p.pos++
			expected = "string"
		case '}':
			p.pos++
			n.sortMembers()
			return n, nil
		default:
			return n, p.unexpected(`"," or "}"`)
		}
	}
}

func (p *jsonParser) array() (jsonNode, error) {
	n := jsonNode{kind: '['}
	if p.peek() == ']' {
		p.pos++
		return n, nil
	}
	expected := `array element or "]"`
	for {
		item, err := p.value(expected)
		if err != nil {
			return n, err
		}
		if p.build {
			n.items = append(n.items, item)
		}
		expected = "JSON value"
		switch p.peek() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			return n, nil
		default:
			return n, p.unexpected(`"," or "]"`)
		}
	}
}

// numberNode reads a number, and for jsonb gives it as numeric prints it.
func (p *jsonParser) numberNode() (string, error) {
	text, syntaxErr := p.number()
	if syntaxErr != nil {
		return "", syntaxErr
	}
	if !p.build {
		return text, nil
	}
	number, err := parseNumeric(text, -1)
	if err != nil {
		// PostgreSQL has looked at the next token when it makes a numeric of this one.
		if _, tokenErr := p.token(); tokenErr != nil {
			return "", tokenErr
		}
		return "", err
	}
	if p.numberBytes += len(number); p.numberBytes > maxExpandedBytes {
		return "", errorf(pgerrcode.ProgramLimitExceeded, "total size of jsonb numbers exceeds the maximum of %d bytes", maxExpandedBytes)
	}
	return number, nil
}

func (p *jsonParser) number() (string, *Error) {
	s := p.text[p.pos:]
	i := 0
	if s[0] == '-' {
		i++
	}
	whole := countWhile(s[i:], isDigit)
	ok := whole > 0 && (whole == 1 || s[i] != '0')
	i += whole
	if ok && i < len(s) && s[i] == '.' {
		n := countWhile(s[i+1:], isDigit)
		i, ok = i+1+n, n > 0
	}
	if ok && i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		n := countWhile(s[i:], isDigit)
		i, ok = i+n, n > 0
	}
	if rest := countWhile(s[i:], isJSONWord); !ok || rest > 0 {
		return "", p.fail(`Token "%s" is invalid.`, s[:i+rest])
	}
	p.pos += i
	return s[:i], nil
}

// strNode is str with its error as an interface.
func (p *jsonParser) strNode() (string, error) {
	s, err := p.str()
	if err != nil {
		return "", err
	}
	return s, nil
}

// str reads a string at the position and returns it without its escapes.
func (p *jsonParser) str() (string, *Error) {
	start := p.pos + 1
	end := start
	for end < len(p.text) && p.text[end] != '"' && p.text[end] != '\\' && p.text[end] >= ' ' {
		end++
	}
	if end < len(p.text) && p.text[end] == '"' {
		p.pos = end + 1
		return p.text[start:end], nil
	}
	buf := []byte(p.text[start:end])
	for end < len(p.text) {
		switch c := p.text[end]; {
		case c == '"':
			p.pos = end + 1
			return string(buf), nil
		case c < ' ':
			return "", p.fail("Character with value 0x%02x must be escaped.", c)
		case c != '\\':
			buf = append(buf, c)
			end++
		default:
			var n int
			var err *Error
			if buf, n, err = p.escape(buf, p.text[end:]); err != nil {
				return "", err
			}
			end += n
		}
	}
	return "", p.fail(`Token "%s" is invalid.`, p.text[p.pos:])
}

// escape appends what an escape sequence at the start of s stands for, and returns the sequence's length.
func (p *jsonParser) escape(buf []byte, s string) (out []byte, n int, err *Error) {
	if len(s) < 2 {
		return buf, 0, p.fail(`Token "%s" is invalid.`, p.text[p.pos:])
	}
	if i := strings.IndexByte(`"\/bfnrt`, s[1]); i >= 0 {
		return append(buf, "\"\\/\b\f\n\r\t"[i]), 2, nil
	}
	if s[1] != 'u' {
		_, size := utf8.DecodeRuneInString(s[1:])
		return buf, 0, p.fail(`Escape sequence "\%s" is invalid.`, s[1:1+size])
	}
	unit, ok := hexUnit(s)
	if !ok {
		return buf, 0, p.fail(`"\u" must be followed by four hexadecimal digits.`)
	}
	switch {
	case !p.build:
		return utf8.AppendRune(buf, rune(unit)), 6, nil
	case unit == 0:
		return buf, 0, errorf(pgerrcode.UntranslatableCharacter, "unsupported Unicode escape sequence").
			withDetail(`\u0000 cannot be converted to text.`)
	case !utf16.IsSurrogate(rune(unit)):
		return utf8.AppendRune(buf, rune(unit)), 6, nil
	case unit >= 0xdc00:
		return buf, 0, p.fail("Unicode low surrogate must follow a high surrogate.")
	}
	low, ok := hexUnit(s[6:])
	if !ok || low < 0xdc00 || low > 0xdfff {
		if ok && low >= 0xd800 && low < 0xdc00 {
			return buf, 0, p.fail("Unicode high surrogate must not follow a high surrogate.")
		}
		return buf, 0, p.fail("Unicode low surrogate must follow a high surrogate.")
	}
	return utf8.AppendRune(buf, utf16.DecodeRune(rune(unit), rune(low))), 12, nil
}

// hexUnit reads \uXXXX at the start of s.
func hexUnit(s string) (unit uint16, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for _, c := range []byte(s[2:6]) {
		digit := strings.IndexByte(hexDigits, c|0x20)
		if digit < 0 || c < '0' {
			return 0, false
		}
		unit = unit<<4 | uint16(digit)
	}
	return unit, true
}
