package are

func (p *parser) node(op nodeOp, flags prefs, subs ...*node) *node {
	p.nodes++
	return &node{op: op, flags: flags, subs: subs, number: p.nodes}
}

func (p *parser) plain(flags prefs, l *lang) *node {
	n := p.node(plainNode, flags)
	n.lang = l
	return n
}

func (p *parser) concat(flags prefs, left, right *node) *node {
	n := p.node(catNode, flags, left, right)
	n.lang = cat(left.lang, right.lang)
	return n
}

// build makes the node of a branch: what comes before the first messy atom is one
// node, then the atom, then the rest (parseqatom in regex/regcomp.c).
func (p *parser) build(atoms []atom) *node {
	var prefix []*lang
	var flags prefs
	for i := range atoms {
		a := &atoms[i]
		if a.cons != nil {
			prefix = append(prefix, &lang{kind: constraintLang, cons: a.cons})
			continue
		}
		if a.max == 0 {
			continue // {0} is nothing, whatever it repeats
		}
		f := flags | a.prefer
		l := &lang{kind: charLang, set: a.set}
		if a.sub != nil {
			f |= a.sub.flags
			l = a.sub.lang
		}
		if a.group == 0 && a.back == 0 && !f.up().messy() {
			prefix = append(prefix, repeat(l, a.min, a.max))
			flags = f
			continue
		}
		return p.messy(flags, prefix, a, l, atoms[i+1:])
	}
	return p.plain(flags, cat(prefix...))
}

func (p *parser) messy(flags prefs, prefix []*lang, a *atom, l *lang, rest []atom) *node {
	n := p.quantified(a, l)
	if len(rest) > 0 {
		right := p.build(rest)
		both := combine(a.prefer, n.flags)
		n = p.concat(both|combine(both, right.flags), n, right)
	}
	if len(prefix) == 0 {
		return n
	}
	return p.concat(flags|combine(flags, n.flags), p.plain(flags, cat(prefix...)), n)
}

// quantified makes the node of a messy atom.
func (p *parser) quantified(a *atom, l *lang) *node {
	n := a.sub
	if a.back != 0 {
		n = p.node(backNode, backrefs|a.prefer)
		n.back, n.min, n.max = a.back, a.min, a.max
		n.lang = repeat(p.closed[a.back].unconstrained(), a.min, a.max)
		return n
	}
	if n == nil {
		n = p.plain(0, l)
	}
	preference := n.flags & (longer | shorter | mixed)
	flags := combine(a.prefer, n.flags)
	switch {
	case a.min == 1 && a.max == 1 && (a.prefer == 0 || preference == 0 || a.prefer == preference):
		return n
	case n.flags&(captures|backrefs) == 0:
		return p.plain(flags, repeat(l, a.min, a.max))
	case a.min > 0 && n.flags&backrefs == 0:
		// Only the last repetition is captured.
		high := a.max
		if high != infinite {
			high--
		}
		before := p.plain(flags&own, repeat(l, a.min-1, high))
		return p.concat(flags, before, n)
	}
	out := p.node(repeatNode, flags, n)
	out.min, out.max = a.min, a.max
	out.lang = repeat(l, a.min, a.max)
	return out
}
