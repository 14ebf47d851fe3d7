package planner

import (
	"context"
	"errors"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"
	"github.com/pganalyze/pg_query_go/v5/parser"
)

const (
	// maxText is the longest text that is parsed, in bytes.
	maxText = 16 << 20
	// shortText cannot nest deep enough to hurt: a level costs two bytes at least,
	// and the parser was seen to take 10,000 levels on a stack of 8 MB.
	shortText = 16 << 10
	// maxChain is how many operators may follow each other on one level. The parser
	// bounds what nests to the right by itself, but walks the tree of a chain like
	// 1+1+1 recursively and without a bound, in C, where it would end the process.
	maxChain = 10_000
)

// Statement is one parsed statement of a text.
type Statement struct {
	// Text is the whole text, of which the statement may be a part; positions of
	// errors count in it.
	Text string

	node *pgquery.Node
}

// parse splits a text into its statements; an empty text has none.
func parse(text string) ([]*Statement, error) {
	if err := checkText(text); err != nil {
		return nil, err
	}
	if err := checkNumbers(text); err != nil {
		return nil, err
	}
	tree, err := pgquery.Parse(text)
	if err != nil {
		return nil, parseError(err)
	}
	statements := make([]*Statement, 0, len(tree.Stmts))
	for _, raw := range tree.Stmts {
		statements = append(statements, &Statement{Text: text, node: raw.Stmt})
	}
	return statements, nil
}

// quickText is parsed in a few milliseconds at most, whatever it is.
const quickText = 64 << 10

// parsing parses the texts of one session. The parser cannot be interrupted: one that
// is stopped is left to end on its own, and the session's next waits for it, so that
// no session has two.
type parsing struct {
	left chan struct{} // closed when what was left has ended; nil: nothing was
}

// parse is the function parse, up to the end of ctx.
func (p *parsing) parse(ctx context.Context, text string) ([]*Statement, error) {
	if len(text) <= quickText {
		return parse(text)
	}
	if p.left != nil {
		select {
		case <-p.left:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	var statements []*Statement
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		statements, err = parse(text)
	}()
	select {
	case <-ended:
		p.left = nil
		return statements, err
	case <-ctx.Done():
		p.left = ended
		return nil, ctx.Err()
	}
}

func parseError(err error) error {
	var syntax *parser.Error
	if !errors.As(err, &syntax) {
		// What is left is a tree too deep to be handed over.
		e := tooComplex()
		e.Err = err
		return e
	}
	code, hint := pgerrcode.SyntaxError, ""
	switch {
	case strings.HasPrefix(syntax.Message, "memory exhausted"):
		return tooComplex()
	case strings.HasPrefix(syntax.Message, "frame "):
		code = pgerrcode.WindowingError
	case strings.HasSuffix(syntax.Message, "not yet implemented"):
		code = pgerrcode.FeatureNotSupported
	case syntax.Message == "invalid Unicode escape" && strings.HasPrefix(path.Base(syntax.Filename), "scan."):
		code, hint = pgerrcode.InvalidEscapeSequence, `Unicode escapes must be \uXXXX or \UXXXXXXXX.`
	case syntax.Message == "invalid Unicode escape":
		hint = `Unicode escapes must be \XXXX or \+XXXXXX.`
	}
	e := errorf(code, "%s", syntax.Message)
	e.Hint = hint
	e.Position = int32(syntax.Cursorpos)
	return e
}

// newNumber finds the numbers that PostgreSQL 15 does not know, though the parser
// does: 0x1F, 0o17, 0b1 and 1_000.
var newNumber = regexp.MustCompile(`[0-9][xXoObB_][0-9a-fA-F]`)

// checkNumbers refuses them as PostgreSQL 15 does.
func checkNumbers(text string) error {
	if !newNumber.MatchString(text) {
		return nil
	}
	scan, err := pgquery.Scan(text)
	if err != nil {
		return parseError(err)
	}
	for _, token := range scan.Tokens {
		if token.Token != pgquery.Token_ICONST && token.Token != pgquery.Token_FCONST {
			continue
		}
		if number := text[token.Start:token.End]; newNumber.MatchString(number) {
			e := errorAt(token.Start, pgerrcode.SyntaxError, `trailing junk after numeric literal at or near "%s"`, number)
			return placeError(e, text)
		}
	}
	return nil
}

func tooComplex() *Error {
	return errorf(pgerrcode.StatementTooComplex, "stack depth limit exceeded").
		withHint("The statement nests too deeply; write it in smaller parts.")
}

// checkText refuses what the parser, which is C, must not be given.
func checkText(text string) error {
	if len(text) > maxText {
		return errorf(pgerrcode.ProgramLimitExceeded, "a statement can have at most %d bytes", maxText)
	}
	if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
		return errorf(pgerrcode.CharacterNotInRepertoire, `invalid byte sequence for encoding "UTF8"`)
	}
	if len(text) > shortText {
		return checkDepth(text)
	}
	return nil
}

// checkDepth refuses a text whose tree could be too deep: it adds up, on each
// level of brackets, the operators that chain to the left.
func checkDepth(text string) error {
	scan, err := pgquery.Scan(text)
	if err != nil {
		return parseError(err)
	}
	d := depth{levels: make([]depthLevel, 1)}
	for _, token := range scan.Tokens {
		d.token(token.Token)
		if d.top().depth() > maxChain {
			return tooComplex()
		}
	}
	return nil
}

// depth is the state of checkDepth.
type depth struct{ levels []depthLevel }

// depthLevel is one open bracket, or CASE, which ends at END.
type depthLevel struct {
	isCase bool
	// chain counts operators since the last comma, inner is the deepest bracket
	// among them, deepest the depth before that comma. Set operations chain
	// across commas.
	chain, inner, deepest, setOps int
}

func (l *depthLevel) depth() int { return max(l.deepest, l.chain+l.inner) + l.setOps }

func (l *depthLevel) reset() {
	l.deepest = max(l.deepest, l.chain+l.inner)
	l.chain, l.inner = 0, 0
}

func (d *depth) top() *depthLevel { return &d.levels[len(d.levels)-1] }

func (d *depth) token(t pgquery.Token) {
	top := d.top()
	switch t {
	case pgquery.Token_ASCII_40, pgquery.Token_ASCII_91: // ( [
		d.levels = append(d.levels, depthLevel{})
	case pgquery.Token_CASE:
		d.levels = append(d.levels, depthLevel{isCase: true})
	case pgquery.Token_ASCII_41, pgquery.Token_ASCII_93: // ) ]
		for d.top().isCase && len(d.levels) > 1 {
			d.pop() // CASE was a name there
		}
		d.pop()
	case pgquery.Token_END_P:
		if top.isCase {
			d.pop()
		}
	case pgquery.Token_ASCII_44: // ,
		top.reset()
	case pgquery.Token_ASCII_59: // ;
		*top = depthLevel{isCase: top.isCase}
	case pgquery.Token_WHEN, pgquery.Token_THEN, pgquery.Token_ELSE:
		if top.isCase {
			top.reset()
		}
	case pgquery.Token_UNION, pgquery.Token_INTERSECT, pgquery.Token_EXCEPT:
		top.setOps++
	case pgquery.Token_ASCII_43, pgquery.Token_ASCII_45, pgquery.Token_ASCII_42, pgquery.Token_ASCII_47,
		pgquery.Token_ASCII_37, pgquery.Token_ASCII_94, pgquery.Token_Op, pgquery.Token_OPERATOR,
		pgquery.Token_TYPECAST, pgquery.Token_COLLATE, pgquery.Token_AT, pgquery.Token_JOIN:
		// + - * / % ^ and what else is left-associative. Comparisons are not, AND and
		// OR make lists, and what nests to the right the parser bounds itself.
		top.chain++
	}
}

func (d *depth) pop() {
	if len(d.levels) == 1 {
		return
	}
	inner := d.top().depth() + 1
	d.levels = d.levels[:len(d.levels)-1]
	d.top().inner = max(d.top().inner, inner)
}
