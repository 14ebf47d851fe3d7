package are

import (
	"strings"
	"unicode/utf8"
)

// Error is a pattern that is not one; its text is PostgreSQL's word for the fault
// (regex/regerrs.h).
type Error string

func (e Error) Error() string { return string(e) }

// The faults of a pattern.
const (
	ErrParens     Error = "parentheses () not balanced"
	ErrBrackets   Error = "brackets [] not balanced"
	ErrBraces     Error = "braces {} not balanced"
	ErrCounts     Error = "invalid repetition count(s)"
	ErrRange      Error = "invalid character range"
	ErrEscape     Error = `invalid escape \ sequence`
	ErrQuantifier Error = "quantifier operand invalid"
	ErrBackref    Error = "invalid backreference number"
	ErrClass      Error = "invalid character class"
	ErrCollate    Error = "invalid collating element"
	ErrOption     Error = "invalid embedded option"
	ErrPattern    Error = "invalid regexp (reg version 0.8)"
	ErrTooBig     Error = "regular expression is too complex"
)

// Unsupported is a construct that PostgreSQL has and this package has not.
type Unsupported string

func (u Unsupported) Error() string { return string(u) + " in a regular expression is not supported" }

// Options are how a pattern is read and matched.
type Options struct {
	IgnoreCase bool
	// NewlineStop: a newline is in no . and in no [^...].
	NewlineStop bool
	// NewlineAnchor: ^ and $ match at newlines too.
	NewlineAnchor bool
	Expanded      bool // white space and comments are no part of the pattern
	Quoted        bool // the pattern is plain text
}

// Set obeys an option letter; false: there is none such.
func (o *Options) Set(letter byte) (ok bool, err error) {
	switch letter {
	case 'i':
		o.IgnoreCase = true
	case 'c':
		o.IgnoreCase = false
	case 'n', 'm':
		o.NewlineStop, o.NewlineAnchor = true, true
	case 's':
		o.NewlineStop, o.NewlineAnchor = false, false
	case 'p':
		o.NewlineStop, o.NewlineAnchor = true, false
	case 'w':
		o.NewlineStop, o.NewlineAnchor = false, true
	case 'x':
		o.Expanded = true
	case 't':
		o.Expanded = false
	case 'q':
		o.Quoted = true
	case 'b', 'e':
		return true, Unsupported("a basic or extended syntax (option " + string(letter) + ")")
	default:
		return false, nil
	}
	return true, nil
}

// maxRepeat is the greatest count of a repetition (DUPMAX in regex/regguts.h).
const maxRepeat = 255

// parser reads a pattern from left to right, into the tree.
type parser struct {
	in     string
	opts   Options
	groups int // capturing groups opened so far
	// closed are the languages of the groups that are closed, by number.
	closed map[int]*lang
	looks  int // depth of look-around
	nodes  int
}

// directors are the prefixes of a pattern, and its options in parentheses.
func (p *parser) directors() error {
	switch {
	case p.opts.Quoted:
		return nil
	case strings.HasPrefix(p.in, "***="):
		p.in, p.opts.Quoted = p.in[4:], true
		return nil
	case strings.HasPrefix(p.in, "***:"):
		p.in = p.in[4:]
	case strings.HasPrefix(p.in, "***"):
		return ErrPattern
	}
	rest, ok := strings.CutPrefix(p.in, "(?")
	if !ok || rest == "" || rest[0]|0x20 < 'a' || rest[0]|0x20 > 'z' {
		return nil
	}
	letters, after, closed := strings.Cut(rest, ")")
	for i := range len(letters) {
		known, err := p.opts.Set(letters[i])
		if err != nil {
			return err
		}
		if !known {
			return ErrOption
		}
	}
	if !closed {
		return ErrOption
	}
	p.in = after
	return nil
}

// skip leaves out comments, and white space of the expanded syntax.
func (p *parser) skip() error {
	for {
		switch {
		case strings.HasPrefix(p.in, "(?#"):
			_, after, ok := strings.Cut(p.in, ")")
			if !ok {
				return ErrParens
			}
			p.in = after
		case p.opts.Expanded && p.in != "" && isSpace(rune(p.in[0])):
			p.in = p.in[1:]
		case p.opts.Expanded && strings.HasPrefix(p.in, "#"):
			_, p.in, _ = strings.Cut(p.in, "\n")
		default:
			return nil
		}
	}
}

// atom is one piece of a branch with its quantifier.
type atom struct {
	cons     *constraint
	set      *charset
	sub      *node // of parentheses
	group    int   // the number of capturing ones
	back     int   // of a back reference
	min, max int
	prefer   prefs // of the quantifier
}

// alternatives reads branches up to a closing parenthesis or the end.
func (p *parser) alternatives() (*node, error) {
	var branches []*node
	for {
		atoms, err := p.branch()
		if err != nil {
			return nil, err
		}
		branches = append(branches, p.build(atoms))
		if !strings.HasPrefix(p.in, "|") {
			break
		}
		p.in = p.in[1:]
	}
	if len(branches) == 1 {
		return branches[0], nil
	}
	n := p.node(altNode, longer, branches...)
	langs := make([]*lang, len(branches))
	for i, b := range branches {
		n.flags |= (n.flags | b.flags).up()
		langs[i] = b.lang
	}
	n.lang = alt(langs)
	if !n.flags.messy() {
		n.op, n.subs = plainNode, nil
	}
	return n, nil
}

func (p *parser) branch() ([]atom, error) {
	var atoms []atom
	for {
		if err := p.skip(); err != nil {
			return nil, err
		}
		if p.in == "" || p.in[0] == '|' || p.in[0] == ')' {
			return atoms, nil
		}
		a := atom{min: 1, max: 1}
		if err := p.piece(&a); err != nil {
			return nil, err
		}
		if a.cons == nil {
			if err := p.quantifier(&a); err != nil {
				return nil, err
			}
		}
		atoms = append(atoms, a)
	}
}

// piece reads an atom or a constraint without a quantifier.
func (p *parser) piece(a *atom) error {
	c := p.in[0]
	switch {
	case c == '(':
		return p.parens(a)
	case c == '[':
		return p.bracket(a)
	case c == '\\':
		return p.escaped(a)
	case c == '*' || c == '+' || c == '?' || p.atBound():
		return ErrQuantifier
	}
	r, size := utf8.DecodeRuneInString(p.in)
	p.in = p.in[size:]
	switch c {
	case '^':
		a.cons = &constraint{kind: p.anchor(lineBegin, textBegin)}
	case '$':
		a.cons = &constraint{kind: p.anchor(lineEnd, textEnd)}
	case '.':
		a.set = &charset{negated: true}
		if p.opts.NewlineStop {
			a.set.add('\n', '\n')
		}
	default:
		a.set = p.char(r)
	}
	return nil
}

func (p *parser) anchor(line, text constraintKind) constraintKind {
	if p.opts.NewlineAnchor {
		return line
	}
	return text
}

func (p *parser) char(r rune) *charset {
	return &charset{ranges: []runeRange{{r, r}}, fold: p.opts.IgnoreCase}
}

func (p *parser) atBound() bool {
	return len(p.in) > 1 && p.in[0] == '{' && p.in[1] >= '0' && p.in[1] <= '9'
}

func (p *parser) parens(a *atom) error {
	rest, special := strings.CutPrefix(p.in, "(?")
	look := &constraint{}
	capturing := false
	switch {
	case !special:
		capturing = p.looks == 0
		rest = p.in[1:]
	case strings.HasPrefix(rest, ":"):
		rest, look = rest[1:], nil
	case strings.HasPrefix(rest, "="):
		rest, look.kind = rest[1:], lookAhead
	case strings.HasPrefix(rest, "!"):
		rest, look.kind, look.negate = rest[1:], lookAhead, true
	case strings.HasPrefix(rest, "<="):
		rest, look.kind = rest[2:], lookBehind
	case strings.HasPrefix(rest, "<!"):
		rest, look.kind, look.negate = rest[2:], lookBehind, true
	default:
		return ErrQuantifier
	}
	if !special {
		look = nil
	}
	p.in = rest
	if capturing {
		p.groups++
		a.group = p.groups
	}
	if look != nil {
		p.looks++
		defer func() { p.looks-- }()
	}
	n, err := p.alternatives()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(p.in, ")") {
		return ErrParens
	}
	p.in = p.in[1:]
	if look != nil {
		look.body = n.lang
		a.cons = look
		return nil
	}
	if capturing {
		p.closed[a.group] = n.lang
		if n.group != 0 {
			l := n.lang
			n = p.node(groupNode, n.flags, n)
			n.lang = l
		}
		n.group = a.group
		n.flags |= captures
	}
	a.sub = n
	return nil
}

// quantifier reads what may follow an atom.
func (p *parser) quantifier(a *atom) error {
	if err := p.skip(); err != nil || p.in == "" {
		return err
	}
	fixed := false
	switch {
	case p.in[0] == '*':
		a.min, a.max = 0, infinite
		p.in = p.in[1:]
	case p.in[0] == '+':
		a.min, a.max = 1, infinite
		p.in = p.in[1:]
	case p.in[0] == '?':
		a.min, a.max = 0, 1
		p.in = p.in[1:]
	case p.atBound():
		var err error
		if fixed, err = p.bound(a); err != nil {
			return err
		}
	default:
		return nil
	}
	lazy := strings.HasPrefix(p.in, "?")
	if lazy {
		p.in = p.in[1:]
	}
	switch {
	case fixed: // passes on the preference of what it repeats
	case lazy:
		a.prefer = shorter
	default:
		a.prefer = longer
	}
	if err := p.skip(); err != nil || p.in == "" {
		return err
	}
	if strings.IndexByte("*+?", p.in[0]) >= 0 || p.atBound() {
		return ErrQuantifier
	}
	return nil
}

func (p *parser) bound(a *atom) (fixed bool, err error) {
	inside, after, ok := strings.Cut(p.in[1:], "}")
	if !ok {
		if strings.Trim(inside, "0123456789,") != "" {
			return false, ErrCounts
		}
		return false, ErrBraces
	}
	low, high, comma := strings.Cut(inside, ",")
	if a.min, ok = count(low); !ok {
		return false, ErrCounts
	}
	switch {
	case !comma:
		a.max = a.min
	case high == "":
		a.max = infinite
	default:
		if a.max, ok = count(high); !ok || a.max < a.min {
			return false, ErrCounts
		}
	}
	p.in = after
	return !comma, nil
}

func count(digits string) (n int, ok bool) {
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
		if n = n*10 + int(digits[i]-'0'); n > maxRepeat {
			return 0, false
		}
	}
	return n, digits != ""
}
