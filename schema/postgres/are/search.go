package are

import (
	"unicode"
)

// Regex is a pattern ready to search. It may be used by one goroutine at a time.
type Regex struct {
	root   *node
	groups int
	opts   Options
}

// Compile reads a pattern. An error is an Error or Unsupported.
func Compile(pattern string, opts Options) (*Regex, error) {
	p := &parser{in: pattern, opts: opts, closed: map[int]*lang{}}
	if err := p.directors(); err != nil {
		return nil, err
	}
	var root *node
	if p.opts.Quoted {
		var text []*lang
		for _, r := range p.in {
			text = append(text, &lang{kind: charLang, set: p.char(r)})
		}
		root = p.plain(0, cat(text...))
	} else {
		var err error
		if root, err = p.alternatives(); err != nil {
			return nil, err
		}
		if p.in != "" {
			return nil, ErrParens // alternatives end at a parenthesis or the end
		}
	}
	if arcs(root.lang) > maxArcs {
		return nil, ErrTooBig
	}
	re := &Regex{root: root, groups: p.groups, opts: p.opts}
	return re, prepare(root)
}

// prepare makes the automata of a tree.
func prepare(n *node) (err error) {
	if n.prog, err = compile(n.lang); err != nil {
		return err
	}
	if err := prepareLooks(n.lang); err != nil {
		return err
	}
	for _, s := range n.subs {
		if err := prepare(s); err != nil {
			return err
		}
	}
	return nil
}

func prepareLooks(l *lang) (err error) {
	if l.kind == constraintLang && l.cons.body != nil && l.cons.prog == nil {
		if l.cons.prog, err = compile(l.cons.body); err != nil {
			return err
		}
		return prepareLooks(l.cons.body)
	}
	for _, s := range l.subs {
		if err := prepareLooks(s); err != nil {
			return err
		}
	}
	return nil
}

// Groups is the number of capturing groups.
func (re *Regex) Groups() int { return re.groups }

// Text is a text to search, and what was found out about it.
type Text struct {
	re    *Regex
	runes []rune
	// ends are the places where a node's match that begins at one can end.
	ends   map[endsKey][]int32
	cached int
	looked map[lookKey]bool
	// found are the groups' places of the match being tried.
	found []int
	// sets are free pairs of thread lists.
	sets []*threads
	// steps are how many there are left to search with.
	steps int
}

// A search may take leastSteps, and stepsPerRune more for each character. Back
// references can ask for any number, and nothing interrupts a search.
const (
	leastSteps   = 20_000_000
	stepsPerRune = 2_000
)

// exhausted ends a search that has no steps left.
type exhausted struct{}

// step counts one step.
func (t *Text) step() {
	if t.steps--; t.steps < 0 {
		panic(exhausted{})
	}
}

// bounded turns the end of the steps into an error.
func bounded(err *error) {
	switch r := recover().(type) {
	case nil:
	case exhausted:
		*err = Unsupported("so long a search")
	default:
		panic(r)
	}
}

type (
	endsKey struct {
		node, from int
	}
	lookKey struct {
		cons *constraint
		at   int
	}
)

// maxCached bounds the places that a Text remembers.
const maxCached = 1 << 20

// Text prepares to search a text.
func (re *Regex) Text(s string) *Text {
	runes := []rune(s)
	return &Text{re: re, runes: runes, steps: leastSteps + stepsPerRune*len(runes), ends: map[endsKey][]int32{}, looked: map[lookKey]bool{}}
}

// Len is the length in characters.
func (t *Text) Len() int { return len(t.runes) }

// Slice is the text from one character up to another.
func (t *Text) Slice(from, to int) string { return string(t.runes[from:to]) }

// Match says whether the pattern matches anywhere from a character on. The error is
// Unsupported: the search takes too long.
func (t *Text) Match(from int) (matches bool, err error) {
	defer bounded(&err)
	if t.re.root.flags&backrefs == 0 {
		return t.firstEnd(t.re.root.prog, from) >= 0, nil
	}
	return t.find(from) != nil, nil
}

// Find finds the leftmost match at or behind a character: pairs of places in
// characters, first of the whole match, then of each group, -1 for one that took
// no part. Nil: there is none. The
// error is Unsupported: the search takes too long.
func (t *Text) Find(from int) (at []int, err error) {
	defer bounded(&err)
	return t.find(from), nil
}

func (t *Text) find(from int) []int {
	root := t.re.root
	for {
		last := t.firstEnd(root.prog, from)
		if last < 0 {
			return nil
		}
		if root.flags&backrefs == 0 {
			last = len(t.runes)
		}
		for begin := from; begin <= last; begin++ {
			if at := t.findAt(root, begin); at != nil {
				return at
			}
		}
		// What could have matched up to here does not repeat as it should. As
		// PostgreSQL does (cfindloop in regex/regexec.c), go on behind it, but
		// not at the very end of the text.
		if from = last + 1; from >= len(t.runes) {
			return nil
		}
	}
}

// findAt finds the match that begins at a place, if there is one.
func (t *Text) findAt(root *node, begin int) []int {
	ends := t.endsOf(root, begin)
	for i := range ends {
		end := int(ends[len(ends)-1-i])
		if root.flags&shorter != 0 {
			end = int(ends[i])
		}
		t.clear()
		if t.dissect(root, begin, end) {
			t.found[0], t.found[1] = begin, end
			return t.found
		}
	}
	return nil
}

func (t *Text) clear() {
	t.found = make([]int, 2*t.re.groups+2)
	for i := range t.found {
		t.found[i] = -1
	}
}

func (t *Text) holds(c *constraint, at int) bool {
	word := func(i int) bool { return i >= 0 && i < len(t.runes) && isWord(t.runes[i]) }
	switch c.kind {
	case textBegin:
		return at == 0
	case textEnd:
		return at == len(t.runes)
	case lineBegin:
		return at == 0 || t.runes[at-1] == '\n'
	case lineEnd:
		return at == len(t.runes) || t.runes[at] == '\n'
	case wordBegin:
		return !word(at-1) && word(at)
	case wordEnd:
		return word(at-1) && !word(at)
	case wordEdge:
		return word(at-1) != word(at) != c.negate
	}
	key := lookKey{c, at}
	known, ok := t.looked[key]
	if !ok {
		if c.kind == lookAhead {
			t.run(c.prog, at, false, func(int) bool { known = true; return false })
		} else {
			t.runUntil(c.prog, at, &known)
		}
		known = known != c.negate
		t.looked[key] = known
	}
	return known
}

// sameRune compares what a back reference repeats.
func (t *Text) sameRune(a, b rune) bool {
	return a == b || t.re.opts.IgnoreCase && unicode.ToLower(a) == unicode.ToLower(b)
}
