package postgres

import (
	"encoding/binary"
	"strconv"
	"strings"
	"unicode"

	"github.com/jackc/pgerrcode"
)

// TSOperator is an operator of a tsquery; 0 is an operand. The numbers are those of its binary form.
type TSOperator uint8

// The operators of a tsquery.
const (
	TSOperand TSOperator = iota
	TSNot
	TSAnd
	TSOr
	TSPhrase
)

// binding says how tightly operators bind, by their numbers.
var tsBinding = [...]int{TSNot: 4, TSAnd: 2, TSOr: 1, TSPhrase: 3}

// TSQuery is a node of a tsquery; nil is the empty query.
type TSQuery struct {
	Operator TSOperator
	// Left and Right are what the operator joins; of TSNot only Right is set.
	Left, Right *TSQuery
	// Distance is how far apart the sides of TSPhrase are.
	Distance int

	// Word is the lexeme of an operand, Weights the set of those it must have (1 << weight; 0 is any), Prefix says that
	// it is the beginning of lexemes.
	Word    string
	Weights uint8
	Prefix  bool
	// Stop marks an operand of which nothing was left; it is removed before the query is used.
	Stop bool
}

// String is the query as it prints.
func (q *TSQuery) String() string {
	if q == nil {
		return ""
	}
	return string(q.append(nil, -1, false))
}

// append prints a node inside of one that binds so tightly; rightOfPhrase: as its right side.
func (q *TSQuery) append(dst []byte, outer int, rightOfPhrase bool) []byte {
	if q.Operator == TSOperand {
		return q.appendOperand(dst)
	}
	own := tsBinding[q.Operator]
	enclosed := own < outer || q.Operator == TSPhrase && rightOfPhrase
	if enclosed {
		dst = append(dst, "( "...)
	}
	if q.Operator == TSNot {
		dst = q.Right.append(append(dst, '!'), own, false)
	} else {
		dst = q.Left.append(dst, own, false)
		switch {
		case q.Operator == TSAnd:
			dst = append(dst, " & "...)
		case q.Operator == TSOr:
			dst = append(dst, " | "...)
		case q.Distance == 1:
			dst = append(dst, " <-> "...)
		default:
			dst = append(strconv.AppendInt(append(dst, " <"...), int64(q.Distance), 10), "> "...)
		}
		dst = q.Right.append(dst, own, q.Operator == TSPhrase)
	}
	if enclosed {
		dst = append(dst, " )"...)
	}
	return dst
}

func (q *TSQuery) appendOperand(dst []byte) []byte {
	dst = appendLexeme(dst, q.Word)
	if q.Prefix || q.Weights != 0 {
		dst = append(dst, ':')
	}
	if q.Prefix {
		dst = append(dst, '*')
	}
	for w := 3; w >= 0; w-- {
		if q.Weights&(1<<w) != 0 {
			dst = append(dst, "DCBA"[w])
		}
	}
	return dst
}

// TSSyntax is how the text of a query is read.
type TSSyntax int

// The syntaxes of tsquery: its own, a plain text that is one operand, and what people type into search boxes.
const (
	TSQuerySyntax TSSyntax = iota
	TSPlainSyntax
	TSWebSyntax
)

// ParseTSQuery reads a tsquery as its input function does.
func ParseTSQuery(text string) (*TSQuery, error) {
	return ReadTSQuery(text, TSQuerySyntax, func(word string, weights uint8, prefix bool) (*TSQuery, error) {
		return &TSQuery{Word: word, Weights: weights, Prefix: prefix}, nil
	})
}

// ReadTSQuery reads a query whose operands are what operand makes of their text. It is nil for a text without any. The
// error is an [*Error]: 42601 for text that is no query, 54000 for too long a word.
func ReadTSQuery(text string, syntax TSSyntax, operand func(word string, weights uint8, prefix bool) (*TSQuery, error)) (*TSQuery, error) {
	r := &queryReader{lexemeReader: lexemeReader{text: text, query: true, web: syntax == TSWebSyntax}, syntax: syntax, operand: operand, first: true}
	q, err := r.sequence(0)
	if err == nil && q == nil && len(r.text) > r.at {
		err = r.syntaxError()
	}
	return q, err
}

// queryReader reads the text of a query by operator precedence.
type queryReader struct {
	lexemeReader
	syntax  TSSyntax
	operand func(word string, weights uint8, prefix bool) (*TSQuery, error)
	// first: nothing was read yet; depth counts open parentheses.
	first bool
	depth int
}

// maxTSNesting bounds how deep a query is nested.
const maxTSNesting = 5000

func (r *queryReader) checkDepth(depth int) error {
	if depth > maxTSNesting {
		return errorf(pgerrcode.StatementTooComplex, "stack depth limit exceeded")
	}
	return nil
}

// sequence reads operands and operators that bind at least so tightly; nil: there is no operand, which is so of an empty
// text alone.
func (r *queryReader) sequence(binding int) (*TSQuery, error) {
	left, err := r.term()
	if err != nil || left == nil {
		return nil, err
	}
	for {
		before := r.at
		op, distance, err := r.operator()
		if err != nil {
			return nil, err
		}
		if op == TSOperand || tsBinding[op] < binding {
			r.at = before
			return left, nil
		}
		right, err := r.sequence(tsBinding[op] + 1)
		if err != nil {
			return nil, err
		}
		if right == nil {
			return nil, r.noOperand()
		}
		left = &TSQuery{Operator: op, Left: left, Right: right, Distance: distance}
	}
}

func (r *queryReader) noOperand() error {
	return errorf(pgerrcode.SyntaxError, "no operand in tsquery: \"%s\"", r.text)
}

func (r *queryReader) value(word string, weights uint8, prefix bool) (*TSQuery, error) {
	r.first = false
	if len(word) > MaxLexeme && r.syntax == TSQuerySyntax {
		return nil, errorf(pgerrcode.ProgramLimitExceeded, "word is too long in tsquery: \"%s\"", r.text)
	}
	return r.operand(word, weights, prefix)
}

// term reads an operand with what stands before it.
func (r *queryReader) term() (*TSQuery, error) {
	switch r.syntax {
	case TSPlainSyntax:
		word := r.text[r.at:]
		r.at = len(r.text)
		if word == "" {
			return nil, nil
		}
		return r.value(word, 0, false)
	case TSWebSyntax:
		return r.webTerm()
	}
	for IsSpace(r.peek()) {
		r.skip()
	}
	switch c := r.peek(); c {
	case '!', '(':
		r.skip()
		r.first = false
		if r.depth++; r.depth > maxTSNesting {
			return nil, r.checkDepth(r.depth)
		}
		defer func() { r.depth-- }()
		return r.nested(c)
	case ':':
		return nil, r.syntaxError()
	}
	l, ok, err := r.next()
	switch {
	case err != nil:
		return nil, err
	case ok:
		weights, prefix := r.marks()
		return r.value(l.Word, weights, prefix)
	case r.first:
		return nil, nil
	}
	return nil, r.noOperand()
}

// nested reads what follows an exclamation mark or a parenthesis.
func (r *queryReader) nested(opening rune) (*TSQuery, error) {
	if opening == '!' {
		arg, err := r.sequence(tsBinding[TSNot])
		if err == nil && arg == nil {
			err = r.noOperand()
		}
		return &TSQuery{Operator: TSNot, Right: arg}, err
	}
	q, err := r.sequence(0)
	if err != nil {
		return nil, err
	}
	for IsSpace(r.peek()) {
		r.skip()
	}
	if q == nil || r.peek() != ')' {
		return nil, r.syntaxError()
	}
	r.skip()
	return q, nil
}

// marks reads the weights of an operand and whether it is a prefix.
func (r *queryReader) marks() (weights uint8, prefix bool) {
	if r.peek() != ':' {
		return 0, false
	}
	for r.skip(); ; r.skip() {
		c := r.peek()
		w := strings.IndexRune("dcba", unicode.ToLower(c))
		switch {
		case c == '*':
			prefix = true
		case w >= 0 && c != 0:
			weights |= 1 << w
		default:
			return weights, prefix
		}
	}
}

// operator reads what stands between two operands; TSOperand: the sequence ends here.
func (r *queryReader) operator() (TSOperator, int, error) {
	if r.syntax == TSPlainSyntax {
		return TSOperand, 0, nil
	}
	for IsSpace(r.peek()) || r.web && isTSOperator(r.peek()) {
		r.skip()
	}
	c := r.peek()
	switch {
	case c == 0:
		return TSOperand, 0, nil
	case r.syntax == TSWebSyntax:
		return r.webOperator(), 0, nil
	case c == '&':
		r.skip()
		return TSAnd, 0, nil
	case c == '|':
		r.skip()
		return TSOr, 0, nil
	case c == '<':
		distance, ok, err := r.distance()
		if err != nil {
			return 0, 0, err
		}
		if ok {
			return TSPhrase, distance, nil
		}
	case c == ')' && r.depth > 0:
		return TSOperand, 0, nil
	}
	return 0, 0, r.syntaxError()
}

// distance reads <-> or <N>, behind which something must stand.
func (r *queryReader) distance() (n int, ok bool, err error) {
	inner, after, closed := strings.Cut(r.text[r.at+1:], ">")
	if !closed || after == "" {
		return 0, false, nil
	}
	n = 1
	if inner != "-" {
		if inner == "" || strings.Trim(inner, "0123456789") != "" {
			return 0, false, nil
		}
		if n, err = strconv.Atoi(inner); err != nil || n > maxPhraseDistance {
			return 0, false, errorf(pgerrcode.InvalidParameterValue, "distance in phrase operator must be an integer value between zero and %d inclusive", maxPhraseDistance)
		}
	}
	r.at += len(inner) + 2
	return n, true, nil
}

// webTerm reads an operand of what people type: a word, or a phrase in quotes, which a minus negates.
func (r *queryReader) webTerm() (*TSQuery, error) {
	for {
		c := r.peek()
		switch {
		case c == '-':
			r.skip()
			r.first = false
			if r.depth++; r.depth > maxTSNesting {
				return nil, r.checkDepth(r.depth)
			}
			arg, err := r.webTerm()
			r.depth--
			if err != nil {
				return nil, err
			}
			return &TSQuery{Operator: TSNot, Right: arg}, nil
		case c == '"':
			phrase, rest, _ := strings.Cut(r.text[r.at+1:], `"`)
			r.at = len(r.text) - len(rest)
			return r.value(phrase, 0, false)
		case isTSOperator(c):
			r.first = false
		case !IsSpace(c):
			l, ok, err := r.next()
			switch {
			case err != nil:
				return nil, err
			case ok:
				return r.value(l.Word, 0, false)
			case r.first:
				return nil, nil
			}
			return &TSQuery{Stop: true}, nil
		}
		r.skip()
	}
}

// webOperator is OR where that is written and something follows, else AND.
func (r *queryReader) webOperator() TSOperator {
	rest := r.text[r.at:]
	if len(rest) < 2 || !strings.EqualFold(rest[:2], "or") {
		return TSAnd
	}
	after := lexemeReader{text: rest[2:]}
	if c := after.peek(); c == '-' || c == '_' || unicode.IsLetter(c) || unicode.IsNumber(c) {
		return TSAnd
	}
	if strings.TrimSpace(rest[2:]) == "" {
		return TSAnd
	}
	r.at += 2
	return TSOr
}

// appendBinaryTSQuery appends the form of tsquerysend.
func appendBinaryTSQuery(dst []byte, text string) []byte {
	q, err := ParseTSQuery(text)
	if err != nil {
		return dst // what the server itself printed
	}
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	nodes := uint32(0)
	var write func(q *TSQuery)
	write = func(q *TSQuery) {
		nodes++
		if q.Operator == TSOperand {
			prefix := byte(0)
			if q.Prefix {
				prefix = 1
			}
			dst = append(append(append(dst, tsOperandTag, q.Weights, prefix), q.Word...), 0)
			return
		}
		dst = append(dst, tsOperatorTag, byte(q.Operator))
		if q.Operator == TSPhrase {
			dst = binary.BigEndian.AppendUint16(dst, uint16(q.Distance))
		}
		write(q.Right)
		if q.Left != nil {
			write(q.Left)
		}
	}
	if q != nil {
		write(q)
	}
	binary.BigEndian.PutUint32(dst[at:], nodes)
	return dst
}

// The tags of the nodes of a query's binary form.
const (
	tsOperandTag  = 1
	tsOperatorTag = 2
)

// tsquery reads the form of tsqueryrecv.
func (r *binaryReader) tsquery() (Datum, error) {
	left := int(r.int32())
	if left < 0 || left > len(r.rest) {
		return Datum{}, errorf(pgerrcode.InternalError, "invalid size of tsquery")
	}
	if left == 0 {
		return Datum{}, errorf(pgerrcode.InternalError, "malformed tsquery: operand not found") // though tsquerysend sends it
	}
	q, err := r.tsqueryNode(&left, 0)
	if err == nil && left != 0 {
		err = errorf(pgerrcode.InternalError, "invalid tsquery tree")
	}
	if err != nil || r.short {
		return Datum{}, err
	}
	return TextDatum(q.String()), nil
}

func (r *binaryReader) tsqueryNode(left *int, depth int) (*TSQuery, error) {
	if *left == 0 || depth > maxTSNesting {
		return nil, errorf(pgerrcode.InternalError, "invalid tsquery tree")
	}
	*left--
	switch tag := r.take(1)[0]; tag {
	case tsOperandTag:
		q := &TSQuery{Weights: r.take(1)[0], Prefix: r.take(1)[0] != 0}
		if q.Weights > 0xf {
			return nil, errorf(pgerrcode.InternalError, "invalid tsquery: invalid weight bitmap")
		}
		var err error
		q.Word, err = r.cstring()
		if err == nil && len(q.Word) > MaxLexeme {
			err = errorf(pgerrcode.InternalError, "invalid tsquery: operand too long")
		}
		return q, err
	case tsOperatorTag:
		q := &TSQuery{Operator: TSOperator(r.take(1)[0])}
		if q.Operator < TSNot || q.Operator > TSPhrase {
			return nil, errorf(pgerrcode.InternalError, "invalid tsquery: unrecognized operator type %d", q.Operator)
		}
		if q.Operator == TSPhrase {
			q.Distance = int(uint16(r.int16()))
		}
		var err error
		if q.Right, err = r.tsqueryNode(left, depth+1); err == nil && q.Operator != TSNot {
			q.Left, err = r.tsqueryNode(left, depth+1)
		}
		return q, err
	default:
		return nil, errorf(pgerrcode.InternalError, "unrecognized tsquery node type: %d", tag)
	}
}

// Nodes counts operands and operators.
func (q *TSQuery) Nodes() int {
	if q == nil {
		return 0
	}
	return 1 + q.Left.Nodes() + q.Right.Nodes()
}
