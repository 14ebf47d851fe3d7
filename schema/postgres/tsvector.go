package postgres

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"
)

// The limits of text search values (ts_type.h).
const (
	MaxLexeme         = 1<<11 - 1 // bytes of a lexeme
	MaxTSVectorBytes  = 1<<20 - 1 // of all lexemes with their positions
	MaxTSPosition     = 1<<14 - 1
	maxTSPositions    = 1<<8 - 1 // that one lexeme keeps
	tsWeightShift     = 14
	maxPhraseDistance = MaxTSPosition + 1
)

// TSPosition is where a lexeme stands in a text, from 1, and how much it counts there: 0 is D, 3 is A.
type TSPosition struct {
	At     uint16
	Weight uint8
}

// TSLexeme is one lexeme of a tsvector, with its positions in order; a tsvector may leave them out.
type TSLexeme struct {
	Word      string
	Positions []TSPosition
}

// TSVector is a tsvector: lexemes in the order of their bytes, none twice.
type TSVector []TSLexeme

// NewTSVector sorts lexemes and joins equal ones. The error is an [*Error]: 54000 if they are too long for a tsvector.
func NewTSVector(lexemes []TSLexeme) (TSVector, error) {
	slices.SortStableFunc(lexemes, func(a, b TSLexeme) int { return cmp.Compare(a.Word, b.Word) })
	var out TSVector
	for _, l := range lexemes {
		if n := len(out); n > 0 && out[n-1].Word == l.Word {
			out[n-1].Positions = append(out[n-1].Positions, l.Positions...)
			continue
		}
		l.Positions = slices.Clip(l.Positions)
		out = append(out, l)
	}
	size := 0
	for i := range out {
		out[i].Positions = uniquePositions(out[i].Positions)
		size += len(out[i].Word)
		if n := len(out[i].Positions); n > 0 {
			size += size&1 + 2 + 2*n // aligned, counted, two bytes each
		}
	}
	if size > MaxTSVectorBytes {
		return nil, errorf(pgerrcode.ProgramLimitExceeded, "string is too long for tsvector (%d bytes, max %d bytes)", size, MaxTSVectorBytes)
	}
	return out, nil
}

// uniquePositions sorts positions; of equal ones the greatest weight stays, of too many the first ones.
func uniquePositions(list []TSPosition) []TSPosition {
	slices.SortStableFunc(list, func(a, b TSPosition) int { return cmp.Compare(a.At, b.At) })
	out := list[:0]
	for _, p := range list {
		switch n := len(out); {
		case n > 0 && out[n-1].At == p.At:
			out[n-1].Weight = max(out[n-1].Weight, p.Weight)
		case n < maxTSPositions && (n == 0 || out[n-1].At != MaxTSPosition):
			out = append(out, p)
		}
	}
	return out
}

// Append appends the tsvector as it prints.
func (v TSVector) Append(dst []byte) []byte {
	for i, l := range v {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = appendLexeme(dst, l.Word)
		for j, p := range l.Positions {
			dst = append(dst, ":,"[min(j, 1)])
			dst = strconv.AppendUint(dst, uint64(p.At), 10)
			if p.Weight > 0 {
				dst = append(dst, "DCBA"[p.Weight])
			}
		}
	}
	return dst
}

// appendLexeme quotes a lexeme.
func appendLexeme(dst []byte, word string) []byte {
	dst = append(dst, '\'')
	for i := range len(word) {
		if word[i] == '\'' || word[i] == '\\' {
			dst = append(dst, word[i])
		}
		dst = append(dst, word[i])
	}
	return append(dst, '\'')
}

// Find gives the lexeme of a word.
func (v TSVector) Find(word string) (*TSLexeme, bool) {
	i, ok := slices.BinarySearchFunc(v, word, func(l TSLexeme, w string) int { return cmp.Compare(l.Word, w) })
	if !ok {
		return nil, false
	}
	return &v[i], true
}

// Prefixed are the lexemes that begin with a prefix.
func (v TSVector) Prefixed(prefix string) TSVector {
	i, _ := slices.BinarySearchFunc(v, prefix, func(l TSLexeme, w string) int { return cmp.Compare(l.Word, w) })
	j := i
	for j < len(v) && strings.HasPrefix(v[j].Word, prefix) {
		j++
	}
	return v[i:j]
}

// ParseTSVector reads a tsvector as its input function does.
func ParseTSVector(text string) (TSVector, error) {
	r := lexemeReader{text: text}
	var lexemes []TSLexeme
	for {
		l, ok, err := r.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			return NewTSVector(lexemes)
		}
		if len(l.Word) > MaxLexeme {
			return nil, errorf(pgerrcode.ProgramLimitExceeded, "word is too long (%d bytes, max %d bytes)", len(l.Word), MaxLexeme)
		}
		lexemes = append(lexemes, l)
	}
}

// IsSpace follows iswspace of C.UTF-8, to which a space that does not break is none.
func IsSpace(c rune) bool {
	if c < 0x80 {
		return c == ' ' || c >= '\t' && c <= '\r'
	}
	return unicode.IsSpace(c) && c != 0x85 && c != 0xa0 && c != 0x2007 && c != 0x202f
}

// lexemeReader takes lexemes off the text of a tsvector, or words off that of a tsquery.
type lexemeReader struct {
	text string
	at   int
	// query: operators and a colon end a word; web: as websearch_to_tsquery reads, where nothing is quoted or escaped.
	query, web bool
}

func (r *lexemeReader) peek() rune {
	if r.at >= len(r.text) {
		return 0
	}
	c, _ := utf8.DecodeRuneInString(r.text[r.at:])
	return c
}

func (r *lexemeReader) skip() {
	_, size := utf8.DecodeRuneInString(r.text[r.at:])
	r.at += size
}

func (r *lexemeReader) syntaxError() error {
	kind := "tsvector"
	if r.query {
		kind = "tsquery"
	}
	return errorf(pgerrcode.SyntaxError, "syntax error in %s: \"%s\"", kind, r.text)
}

// next reads one lexeme; ok is false at the end.
func (r *lexemeReader) next() (l TSLexeme, ok bool, err error) {
	for IsSpace(r.peek()) {
		r.skip()
	}
	if r.peek() == 0 {
		return l, false, nil
	}
	if r.peek() == '\'' && !r.web {
		l.Word, err = r.quoted()
	} else {
		l.Word, err = r.plain()
	}
	if err != nil || r.query || r.peek() != ':' {
		return l, err == nil, err
	}
	l.Positions, err = r.positions()
	return l, err == nil, err
}

// quoted reads a word between quotes.
func (r *lexemeReader) quoted() (string, error) {
	var b strings.Builder
	for r.skip(); ; r.skip() {
		switch c := r.peek(); c {
		case 0:
			return "", r.syntaxError()
		case '\'':
			if r.skip(); r.peek() != '\'' {
				if b.Len() == 0 {
					return "", r.syntaxError()
				}
				return b.String(), nil
			}
			b.WriteByte('\'')
		case '\\':
			if r.skip(); r.peek() == 0 {
				return "", r.noEscaped()
			}
			b.WriteRune(r.peek())
		default:
			b.WriteRune(c)
		}
	}
}

func (r *lexemeReader) noEscaped() error {
	return errorf(pgerrcode.SyntaxError, "there is no escaped character: \"%s\"", r.text)
}

// plain reads a word up to a space, a colon or, in a query, an operator.
func (r *lexemeReader) plain() (string, error) {
	var b strings.Builder
	for first := true; ; first = false {
		c := r.peek()
		switch {
		case c == '\\' && !r.web:
			if r.skip(); r.peek() == 0 {
				return "", r.noEscaped()
			}
			b.WriteRune(r.peek())
		case first && (!r.query || !isTSOperator(c)) && (!r.web || c != '"'):
			b.WriteRune(c)
		case c == 0 || IsSpace(c) || r.query && isTSOperator(c) || r.web && c == '"', c == ':':
			if b.Len() == 0 {
				return "", r.syntaxError()
			}
			return b.String(), nil
		default:
			b.WriteRune(c)
		}
		r.skip()
	}
}

func isTSOperator(c rune) bool { return strings.ContainsRune("!&|()<", c) && c != 0 }

// positions reads what follows a lexeme: ":1,2A".
func (r *lexemeReader) positions() ([]TSPosition, error) {
	var out []TSPosition
	for {
		r.at++ // the colon or a comma
		start := r.at
		for r.at < len(r.text) && isDigit(r.text[r.at]) {
			r.at++
		}
		if start == r.at {
			return nil, r.syntaxError()
		}
		n, err := strconv.Atoi(r.text[start:r.at])
		if err != nil || n > MaxTSPosition {
			n = MaxTSPosition
		}
		if n == 0 {
			return nil, errorf(pgerrcode.SyntaxError, "wrong position info in tsvector: \"%s\"", r.text)
		}
		p := TSPosition{At: uint16(n)}
		more, err := r.weight(&p)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
		if !more {
			return out, nil
		}
	}
}

// weight reads the letters behind a position; more: another one follows.
func (r *lexemeReader) weight(p *TSPosition) (more bool, err error) {
	for ; ; r.skip() {
		c := r.peek()
		w := strings.IndexRune("dcba", unicode.ToLower(c))
		if c == '*' {
			w = 3
		}
		switch {
		case c == ',':
			return true, nil
		case c == 0 || IsSpace(c):
			return false, nil
		case w >= 0:
			if p.Weight != 0 {
				return false, r.syntaxError()
			}
			p.Weight = uint8(w)
		case c < '0' || c > '9':
			return false, r.syntaxError()
		}
	}
}

// appendBinaryTSVector appends the form of tsvectorsend.
func appendBinaryTSVector(dst []byte, text string) []byte {
	v, err := ParseTSVector(text)
	if err != nil {
		return dst // what the server itself printed
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(v)))
	for _, l := range v {
		dst = append(append(dst, l.Word...), 0)
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(l.Positions)))
		for _, p := range l.Positions {
			dst = binary.BigEndian.AppendUint16(dst, uint16(p.Weight)<<tsWeightShift|p.At)
		}
	}
	return dst
}

// cstring takes text that ends with a zero byte.
func (r *binaryReader) cstring() (string, error) {
	end := slices.Index(r.rest, 0)
	if end < 0 {
		r.short, r.rest = true, nil
		return "", nil
	}
	s := r.rest[:end]
	r.rest = r.rest[end+1:]
	return validText(s)
}

// tsvector reads the form of tsvectorrecv.
func (r *binaryReader) tsvector() (Datum, error) {
	var lexemes []TSLexeme
	count := r.int32()
	if count < 0 {
		return Datum{}, errorf(pgerrcode.InternalError, "invalid size of tsvector")
	}
	for range count {
		word, err := r.cstring()
		if err != nil || r.short {
			return Datum{}, err
		}
		if len(word) > MaxLexeme {
			return Datum{}, errorf(pgerrcode.InternalError, "invalid tsvector: lexeme too long")
		}
		l := TSLexeme{Word: word}
		positions := uint16(r.int16())
		if positions > maxTSPositions {
			return Datum{}, errorf(pgerrcode.InternalError, "unexpected number of tsvector positions")
		}
		for range positions {
			n := uint16(r.int16())
			p := TSPosition{At: n & MaxTSPosition, Weight: uint8(n >> tsWeightShift)}
			if k := len(l.Positions); k > 0 && p.At <= l.Positions[k-1].At {
				return Datum{}, errorf(pgerrcode.InternalError, "position information is misordered")
			}
			l.Positions = append(l.Positions, p)
		}
		lexemes = append(lexemes, l)
	}
	v, err := NewTSVector(lexemes)
	return TextDatum(string(v.Append(nil))), err
}
