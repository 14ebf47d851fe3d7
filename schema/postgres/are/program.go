package are

// program is the automaton of a language: instruction 0 begins it.
type program struct {
	code []instruction
}

type instruction struct {
	op   opcode
	set  *charset
	cons *constraint
	x, y int // where it goes on; y of split alone
}

type opcode uint8

const (
	opChar opcode = iota
	opAssert
	opSplit
	opMatch
)

// maxProgram bounds the instructions of one automaton, maxArcs the transitions
// that PostgreSQL makes when it takes the empty ones out of a run of optional
// atoms (it allows 500,000 states of four each).
const (
	maxProgram = 200_000
	maxArcs    = 2_000_000
)

type compiler struct {
	code []instruction
	full bool
}

func compile(l *lang) (*program, error) {
	c := &compiler{}
	c.emit(l)
	c.put(instruction{op: opMatch})
	if c.full {
		return nil, ErrTooBig
	}
	return &program{code: c.code}, nil
}

func (c *compiler) put(i instruction) int {
	if len(c.code) >= maxProgram {
		c.full = true
		return len(c.code) - 1
	}
	i.x = len(c.code) + 1
	c.code = append(c.code, i)
	return len(c.code) - 1
}

// emit appends a language; it goes on at what is put next.
func (c *compiler) emit(l *lang) {
	if c.full {
		return
	}
	switch l.kind {
	case emptyLang:
	case charLang:
		c.put(instruction{op: opChar, set: l.set})
	case constraintLang:
		c.put(instruction{op: opAssert, cons: l.cons})
	case catLang:
		for _, s := range l.subs {
			c.emit(s)
		}
	case altLang:
		c.alternatives(l.subs)
	case repeatLang:
		c.repeat(l.subs[0], l.min, l.max)
	}
}

// alternatives chains splits; each branch ends in a split of one way, to the end.
func (c *compiler) alternatives(subs []*lang) {
	var ends []int
	for i, s := range subs {
		if i == len(subs)-1 {
			c.emit(s)
			break
		}
		split := c.put(instruction{op: opSplit})
		c.emit(s)
		ends = append(ends, c.put(instruction{op: opSplit}))
		c.code[split].y = len(c.code)
	}
	for _, e := range ends {
		c.code[e].x, c.code[e].y = len(c.code), len(c.code)
	}
}

func (c *compiler) repeat(l *lang, low, high int) {
	for range low {
		c.emit(l)
	}
	if high == infinite {
		split := c.put(instruction{op: opSplit})
		c.emit(l)
		back := c.put(instruction{op: opSplit})
		if c.full {
			return
		}
		c.code[back].x, c.code[back].y = split, split
		c.code[split].y = len(c.code)
		return
	}
	var splits []int
	for range high - low {
		splits = append(splits, c.put(instruction{op: opSplit}))
		c.emit(l)
	}
	for _, s := range splits {
		c.code[s].y = len(c.code)
	}
}

// arcs estimates the transitions of a sequence of languages: each atom of a run
// of optional ones is reached from every one before it.
func arcs(l *lang) int {
	total, run := 0, 0
	var visit func(l *lang)
	visit = func(l *lang) {
		switch l.kind {
		case catLang:
			for _, s := range l.subs {
				visit(s)
			}
			return
		case repeatLang:
			if l.min == 0 {
				run++
				total += run
				return
			}
		}
		run = 0
	}
	visit(l)
	return total
}
