package are

// threads are the instructions at which an automaton stands.
type threads struct {
	seen   []uint32 // by instruction: the step that reached it
	step   uint32
	active []int
	next   []int
}

func (t *Text) threads(size int) *threads {
	if n := len(t.sets); n > 0 {
		s := t.sets[n-1]
		t.sets = t.sets[:n-1]
		if len(s.seen) < size {
			s.seen, s.step = make([]uint32, size), 0
		}
		return s
	}
	return &threads{seen: make([]uint32, size)}
}

// reach adds an instruction, and all that follow it without a character.
func (t *Text) reach(s *threads, p *program, at, pc int) {
	for s.seen[pc] != s.step {
		s.seen[pc] = s.step
		i := &p.code[pc]
		switch i.op {
		case opSplit:
			if i.y != i.x {
				t.reach(s, p, at, i.y)
			}
		case opAssert:
			if !t.holds(i.cons, at) {
				return
			}
		default:
			s.next = append(s.next, pc)
			return
		}
		pc = i.x
	}
}

// run lets an automaton go from a place and visits every place where it matches,
// until visit says no. With anywhere it may begin at every later place too.
func (t *Text) run(p *program, from int, anywhere bool, visit func(at int) bool) {
	t.runTo(p, from, len(t.runes), anywhere, visit)
}

func (t *Text) runTo(p *program, from, to int, anywhere bool, visit func(at int) bool) {
	s := t.threads(len(p.code))
	defer func() { t.sets = append(t.sets, s) }()
	s.next = s.next[:0]
	s.step++
	t.reach(s, p, from, 0)
	for at := from; ; at++ {
		s.active, s.next = s.next, s.active[:0]
		for _, pc := range s.active {
			if p.code[pc].op == opMatch {
				if !visit(at) {
					return
				}
				break
			}
		}
		if at == to || len(s.active) == 0 && !anywhere {
			return
		}
		s.step++
		for _, pc := range s.active {
			t.step()
			if i := &p.code[pc]; i.op == opChar && i.set.has(t.runes[at]) {
				t.reach(s, p, at+1, i.x)
			}
		}
		if anywhere {
			t.reach(s, p, at+1, 0)
		}
	}
}

// firstEnd is the first place where a match that begins at or behind a place
// ends; -1: there is none.
func (t *Text) firstEnd(p *program, from int) int {
	end := -1
	if from <= len(t.runes) {
		t.run(p, from, true, func(at int) bool { end = at; return false })
	}
	return end
}

// runUntil says whether an automaton matches what ends at a place.
func (t *Text) runUntil(p *program, end int, found *bool) {
	t.runTo(p, 0, end, true, func(at int) bool {
		*found = at == end
		return !*found
	})
}

// endsOf are the places, in order, where a node's match from a place can end.
func (t *Text) endsOf(n *node, from int) []int32 {
	key := endsKey{n.number, from}
	if ends, ok := t.ends[key]; ok {
		return ends
	}
	var ends []int32
	t.run(n.prog, from, false, func(at int) bool { ends = append(ends, int32(at)); return true })
	if t.cached += len(ends) + 1; t.cached < maxCached {
		t.ends[key] = ends
	}
	return ends
}
