package postgres

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres/are"
)

// maxPathDepth bounds nesting, where PostgreSQL runs out of stack (54001).
const maxPathDepth = 2_000

// ParseJSONPath reads a jsonpath. The error is an [*Error]: 42601 for what is none, 22P02 for its strings.
func ParseJSONPath(text string) (*JSONPath, error) {
	p := pathParser{scanner: pathScanner{text: text}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind == pathEnd {
		return nil, errorf(pgerrcode.InvalidTextRepresentation, `invalid input syntax for type %s: "%s"`, JSONPathOID, text)
	}
	path := &JSONPath{}
	if p.isKeyword("strict", "lax") {
		path.Strict = p.isKeyword("strict")
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	root, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != pathEnd {
		return nil, p.unexpected()
	}
	path.Root = root
	return path, root.check(0, false)
}

// check refuses @ outside a filter and last outside a subscript.
func (i *PathItem) check(filters int, subscript bool) error {
	if i == nil {
		return nil
	}
	switch {
	case i.Op == PathCurrent && filters == 0:
		return errorf(pgerrcode.SyntaxError, "@ is not allowed in root expressions")
	case i.Op == PathLast && !subscript:
		return errorf(pgerrcode.SyntaxError, "LAST is allowed only in array subscripts")
	}
	inside := filters
	if i.Op == PathFilter {
		inside++
	}
	if err := i.Left.check(inside, subscript); err != nil {
		return err
	}
	if err := i.Right.check(inside, subscript); err != nil {
		return err
	}
	for _, s := range i.Subscripts {
		if err := s.From.check(filters, true); err != nil {
			return err
		}
		if err := s.To.check(filters, true); err != nil {
			return err
		}
	}
	return i.Next.check(filters, subscript)
}

// pathParser reads a jsonpath by operator precedence (jsonpath_gram.y). Values and conditions are parsed alike and told
// apart by what they are: each place takes one of the two.
type pathParser struct {
	scanner pathScanner
	tok     pathToken
	depth   int
}

func (p *pathParser) advance() (err error) {
	p.tok, err = p.scanner.next()
	return err
}

func (p *pathParser) unexpected() error { return errPath("syntax error", p.tok.near) }

func (p *pathParser) is(symbol string) bool { return p.tok.kind == pathSymbol && p.tok.text == symbol }

// isKeyword says that the token is one of some keywords, of which null, true and false are written small.
func (p *pathParser) isKeyword(words ...string) bool {
	if p.tok.kind != pathName {
		return false
	}
	return slices.ContainsFunc(words, func(w string) bool {
		if w == "null" || w == "true" || w == "false" {
			return p.tok.text == w
		}
		return strings.EqualFold(p.tok.text, w)
	})
}

func (p *pathParser) expect(symbol string) error {
	if !p.is(symbol) {
		return p.unexpected()
	}
	return p.advance()
}

func (i *PathItem) isPredicate() bool {
	if i.Next != nil {
		return false
	}
	switch i.Op {
	case PathAnd, PathOr, PathNot, PathIsUnknown, PathExists, PathStartsWith, PathLikeRegex,
		PathEqual, PathNotEqual, PathLess, PathGreater, PathLessOrEqual, PathGreaterOrEqual:
		return true
	}
	return false
}

// pathOperand is what stands between binary operators. One that is delimited, in parentheses or an exists, can stand
// behind an exclamation mark if it is a condition.
type pathOperand struct {
	item      *PathItem
	delimited bool
}

// binary is the operator that the token is.
func (p *pathParser) binary() (op PathOp, ok bool) {
	if p.tok.kind == pathName {
		switch {
		case p.isKeyword("starts"):
			return PathStartsWith, true
		case p.isKeyword("like_regex"):
			return PathLikeRegex, true
		}
		return 0, false
	}
	if p.tok.kind != pathSymbol {
		return 0, false
	}
	if p.tok.text == "<>" {
		return PathNotEqual, true
	}
	for op, symbol := range pathSymbols {
		if symbol == p.tok.text && op != PathPlus && op != PathMinus {
			return op, true
		}
	}
	return 0, false
}

// pathBinding is how strongly a binary operator binds.
func pathBinding(op PathOp) int {
	if op == PathLikeRegex {
		op = PathStartsWith
	}
	return op.priority() + 1
}

// expression reads operators that bind at least as strongly as least.
func (p *pathParser) expression(least int) (*PathItem, error) {
	if p.depth++; p.depth > maxPathDepth {
		return nil, errorf(pgerrcode.StatementTooComplex, "stack depth limit exceeded")
	}
	defer func() { p.depth-- }()
	left, err := p.unary()
	if err != nil {
		return nil, err
	}
	for {
		op, ok := p.binary()
		if !ok || pathBinding(op) < least {
			return left.item, nil
		}
		if wantsConditions := op == PathAnd || op == PathOr; left.item.isPredicate() != wantsConditions {
			return nil, p.unexpected()
		}
		item, err := p.operator(op, left.item)
		if err != nil {
			return nil, err
		}
		left = pathOperand{item: item}
	}
}

// operator reads a binary operator and what is right of it.
func (p *pathParser) operator(op PathOp, left *PathItem) (*PathItem, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	switch op {
	case PathLikeRegex:
		return p.likeRegex(left)
	case PathStartsWith:
		if !p.isKeyword("with") {
			return nil, p.unexpected()
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		right := &PathItem{Op: PathString, Text: p.tok.text}
		switch p.tok.kind {
		case pathText:
		case pathVariable:
			right.Op = PathVariable
		default:
			return nil, p.unexpected()
		}
		return &PathItem{Op: op, Left: left, Right: right}, p.advance()
	}
	right, err := p.expression(pathBinding(op) + 1)
	if err != nil {
		return nil, err
	}
	if wantsConditions := op == PathAnd || op == PathOr; right.isPredicate() != wantsConditions {
		return nil, p.unexpected()
	}
	return &PathItem{Op: op, Left: left, Right: right}, nil
}

func (p *pathParser) likeRegex(left *PathItem) (*PathItem, error) {
	if p.tok.kind != pathText {
		return nil, p.unexpected()
	}
	item := &PathItem{Op: PathLikeRegex, Left: left, Text: p.tok.text}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if !p.isKeyword("flag") {
		return item, checkRegex(item)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind != pathText {
		return nil, p.unexpected()
	}
	for _, r := range p.tok.text {
		switch r {
		case 'i':
			item.Flags.IgnoreCase = true
		case 's':
			item.Flags.DotAll = true
		case 'm':
			item.Flags.Multiline = true
		case 'x':
			item.Flags.Expanded = true
		case 'q':
			item.Flags.Quoted = true
		default:
			return nil, errorf(pgerrcode.SyntaxError, "invalid input syntax for type %s", JSONPathOID).
				withDetail("Unrecognized flag character \"%c\" in LIKE_REGEX predicate.", r)
		}
	}
	if item.Flags.Expanded && !item.Flags.Quoted {
		return nil, errorf(pgerrcode.FeatureNotSupported, `XQuery "x" flag (expanded regular expressions) is not implemented`)
	}
	if err := checkRegex(item); err != nil {
		return nil, err
	}
	return item, p.advance()
}

// checkRegex refuses a pattern of like_regex that is none (2201B).
func checkRegex(i *PathItem) error {
	_, err := are.Compile(i.Text, i.Flags.Regex())
	var fault are.Error
	switch {
	case errors.As(err, &fault):
		return errorf(pgerrcode.InvalidRegularExpression, "invalid regular expression: %s", fault)
	case err != nil:
		return errorf(pgerrcode.FeatureNotSupported, "%s", err)
	}
	return nil
}

// Regex are the flags as those of a regular expression (jspConvertRegexFlags in jsonpath.c).
func (f PathFlags) Regex() are.Options {
	return are.Options{
		IgnoreCase: f.IgnoreCase, Quoted: f.Quoted, NewlineStop: !f.DotAll && !f.Quoted, NewlineAnchor: f.Multiline && !f.Quoted,
	}
}

// unary reads what stands between binary operators.
func (p *pathParser) unary() (pathOperand, error) {
	switch {
	case p.is("!"):
		if err := p.advance(); err != nil {
			return pathOperand{}, err
		}
		if !p.is("(") && !p.isKeyword("exists") {
			return pathOperand{}, p.unexpected()
		}
		arg, err := p.primary()
		if err != nil {
			return pathOperand{}, err
		}
		if !arg.delimited || !arg.item.isPredicate() {
			return pathOperand{}, p.unexpected()
		}
		return pathOperand{item: &PathItem{Op: PathNot, Left: arg.item}}, nil
	case p.is("+"), p.is("-"):
		op := PathPlus
		if p.is("-") {
			op = PathMinus
		}
		if err := p.advance(); err != nil {
			return pathOperand{}, err
		}
		arg, err := p.unary()
		if err != nil {
			return pathOperand{}, err
		}
		if arg.item.isPredicate() {
			return pathOperand{}, p.unexpected()
		}
		return pathOperand{item: signedPath(op, arg.item)}, nil
	}
	return p.primary()
}

// signedPath puts a sign before a value; a number takes it in.
func signedPath(op PathOp, arg *PathItem) *PathItem {
	switch {
	case arg.Op != PathNumber || arg.Next != nil:
		return &PathItem{Op: op, Left: arg}
	case op == PathPlus || strings.Trim(arg.Text, "0.") == "":
		return arg
	}
	text, negative := strings.CutPrefix(arg.Text, "-")
	if !negative {
		text = "-" + text
	}
	return &PathItem{Op: PathNumber, Text: text}
}

// primary reads a value and what is applied to it, or a condition in parentheses.
func (p *pathParser) primary() (pathOperand, error) {
	item := &PathItem{Text: p.tok.text}
	switch p.tok.kind {
	case pathText:
		item.Op = PathString
	case pathNumber, pathInteger:
		item.Op = PathNumber
	case pathVariable:
		item.Op = PathVariable
	case pathName:
		switch {
		case p.isKeyword("null"):
			item.Op = PathNull
		case p.isKeyword("true", "false"):
			item.Op = PathBool
		case p.isKeyword("last"):
			item.Op = PathLast
		case p.isKeyword("exists"):
			return p.exists()
		default:
			return pathOperand{}, p.unexpected()
		}
	default:
		switch {
		case p.is("$"):
			item.Op = PathRoot
		case p.is("@"):
			item.Op = PathCurrent
		case p.is("("):
			return p.parenthesised()
		default:
			return pathOperand{}, p.unexpected()
		}
	}
	if err := p.advance(); err != nil {
		return pathOperand{}, err
	}
	return pathOperand{item: item}, p.accessors(item)
}

func (p *pathParser) exists() (pathOperand, error) {
	if err := p.advance(); err != nil {
		return pathOperand{}, err
	}
	if err := p.expect("("); err != nil {
		return pathOperand{}, err
	}
	arg, err := p.value()
	if err != nil {
		return pathOperand{}, err
	}
	return pathOperand{&PathItem{Op: PathExists, Left: arg}, true}, p.expect(")")
}

// value reads an expression that is no condition.
func (p *pathParser) value() (*PathItem, error) {
	item, err := p.expression(0)
	if err == nil && item.isPredicate() {
		err = p.unexpected()
	}
	return item, err
}

func (p *pathParser) parenthesised() (pathOperand, error) {
	if err := p.advance(); err != nil {
		return pathOperand{}, err
	}
	item, err := p.expression(0)
	if err != nil {
		return pathOperand{}, err
	}
	if err := p.expect(")"); err != nil {
		return pathOperand{}, err
	}
	if item.isPredicate() && p.isKeyword("is") {
		if err := p.advance(); err != nil {
			return pathOperand{}, err
		}
		if !p.isKeyword("unknown") {
			return pathOperand{}, p.unexpected()
		}
		return pathOperand{item: &PathItem{Op: PathIsUnknown, Left: item}}, p.advance()
	}
	return pathOperand{item, true}, p.accessors(item)
}

// accessors reads what is applied to an item, and links it behind.
func (p *pathParser) accessors(item *PathItem) error {
	for item.Next != nil {
		item = item.Next
	}
	for {
		var next *PathItem
		var err error
		switch {
		case p.is("."):
			next, err = p.member()
		case p.is("["):
			next, err = p.subscripts()
		case p.is("?"):
			next, err = p.filter()
		default:
			return nil
		}
		if err != nil {
			return err
		}
		item.Next = next
		item = next
	}
}

func (p *pathParser) filter() (*PathItem, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	condition, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if !condition.isPredicate() {
		return nil, p.unexpected()
	}
	return &PathItem{Op: PathFilter, Left: condition}, p.expect(")")
}

// member reads what stands behind a point.
func (p *pathParser) member() (*PathItem, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	switch {
	case p.is("*"):
		return &PathItem{Op: PathAnyKey}, p.advance()
	case p.is("**"):
		return p.levels()
	case p.tok.kind != pathText && p.tok.kind != pathName:
		return nil, p.unexpected()
	}
	item := &PathItem{Op: PathKey, Text: p.tok.text}
	method := PathKey
	for op, name := range pathMethods {
		if p.isKeyword(name) {
			method = op
		}
	}
	datetime := p.isKeyword("datetime")
	if err := p.advance(); err != nil {
		return nil, err
	}
	if !p.is("(") || method == PathKey && !datetime {
		return item, nil
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if !datetime {
		return &PathItem{Op: method}, p.expect(")")
	}
	item = &PathItem{Op: PathDatetime}
	if p.tok.kind == pathText {
		item.Text, item.Templated = p.tok.text, true
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	return item, p.expect(")")
}

// levels reads what stands behind .**.
func (p *pathParser) levels() (*PathItem, error) {
	item := &PathItem{Op: PathAny, Last: PathLastLevel}
	if err := p.advance(); err != nil || !p.is("{") {
		return item, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	var err error
	if item.First, err = p.level(); err != nil {
		return nil, err
	}
	item.Last = item.First
	if p.isKeyword("to") {
		if err := p.advance(); err != nil {
			return nil, err
		}
		if item.Last, err = p.level(); err != nil {
			return nil, err
		}
	}
	return item, p.expect("}")
}

func (p *pathParser) level() (uint32, error) {
	if p.isKeyword("last") {
		return PathLastLevel, p.advance()
	}
	if p.tok.kind != pathInteger {
		return 0, p.unexpected()
	}
	n, err := strconv.ParseInt(p.tok.text, 10, 32)
	if err != nil {
		return 0, errorf(pgerrcode.NumericValueOutOfRange, `value "%s" is out of range for type %s`, p.tok.text, Int4OID)
	}
	return uint32(n), p.advance()
}

// subscripts reads [...].
func (p *pathParser) subscripts() (*PathItem, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.is("*") {
		if err := p.advance(); err != nil {
			return nil, err
		}
		return &PathItem{Op: PathAnyArray}, p.expect("]")
	}
	item := &PathItem{Op: PathIndexArray}
	for {
		from, err := p.value()
		if err != nil {
			return nil, err
		}
		r := PathRange{From: from}
		if p.isKeyword("to") {
			if err := p.advance(); err != nil {
				return nil, err
			}
			if r.To, err = p.value(); err != nil {
				return nil, err
			}
		}
		item.Subscripts = append(item.Subscripts, r)
		if !p.is(",") {
			return item, p.expect("]")
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
}
