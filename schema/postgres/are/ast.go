package are

// lang is a regular language with constraints: what an automaton is made of.
type lang struct {
	kind langKind
	set  *charset    // charLang
	cons *constraint // constraintLang
	subs []*lang     // catLang, altLang; repeatLang has one
	// min and max of repeatLang; max may be infinite.
	min, max int
}

type langKind uint8

const (
	emptyLang langKind = iota
	charLang
	constraintLang
	catLang
	altLang
	repeatLang
)

// infinite is the maximum of an open repetition.
const infinite = 256

// constraint is a condition on a place in the text.
type constraint struct {
	kind constraintKind
	// body, of look-around, is what must stand ahead or behind, or must not.
	body   *lang
	negate bool
	prog   *program
}

type constraintKind uint8

const (
	lineBegin constraintKind = iota
	lineEnd
	textBegin
	textEnd
	wordBegin
	wordEnd
	wordEdge
	lookAhead
	lookBehind
)

func cat(subs ...*lang) *lang {
	switch len(subs) {
	case 0:
		return &lang{}
	case 1:
		return subs[0]
	}
	return &lang{kind: catLang, subs: subs}
}

func alt(subs []*lang) *lang {
	if len(subs) == 1 {
		return subs[0]
	}
	return &lang{kind: altLang, subs: subs}
}

func repeat(l *lang, low, high int) *lang {
	switch {
	case low == 1 && high == 1:
		return l
	case high == 0:
		return &lang{}
	}
	return &lang{kind: repeatLang, subs: []*lang{l}, min: low, max: high}
}

// unconstrained is the language without its constraints: what a back reference
// repeats is text, wherever it stands.
func (l *lang) unconstrained() *lang {
	if l.kind == constraintLang {
		return &lang{}
	}
	out := *l
	out.subs = make([]*lang, len(l.subs))
	for i, s := range l.subs {
		out.subs[i] = s.unconstrained()
	}
	return &out
}

// prefs are the preferences of a part of a pattern, and what it holds.
type prefs uint8

const (
	longer  prefs = 1 << iota // prefers the longer match
	shorter                   // prefers the shorter
	mixed                     // holds parts of both kinds
	captures
	backrefs

	own = longer | shorter
)

// up is what a part's flags say of the whole that holds it.
func (f prefs) up() prefs {
	out := f &^ own
	if f&own == own {
		out |= mixed
	}
	return out
}

// messy parts are divided; of others only the extent counts.
func (f prefs) messy() bool { return f&(mixed|captures|backrefs) != 0 }

// combine is the flags of one part followed by another: the first preference
// holds.
func combine(a, b prefs) prefs {
	first := a & own
	if first == 0 {
		first = b & own
	}
	return (a | b).up() | first
}

// node is a node of the tree along which a match is divided.
type node struct {
	op    nodeOp
	flags prefs
	subs  []*node
	group int // the capturing group that this is, or 0
	// back is the group that a backNode repeats, from min to max times.
	back, min, max int
	lang           *lang
	prog           *program
	number         int // among the nodes of the pattern
}

type nodeOp uint8

const (
	plainNode  nodeOp = iota // matched as a whole
	catNode                  // two, one after the other
	altNode                  // the first that fits
	repeatNode               // one, several times
	backNode
	groupNode // one, once
)
