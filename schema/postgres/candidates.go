package postgres

// A candidate is an operator or function whose declared arguments could take the actual ones.
type candidate struct {
	args     []OID // as many as are given, VARIADIC expanded
	operator *Operator
	proc     *Proc
	order    []int // which given argument each parameter takes, -1 for its default; nil for one to one
	params   []OID // all parameters, defaults too, if order is set
	expanded bool  // the last declared argument takes several
	unclear  bool  // equals another candidate
}

// keepCoercible keeps the candidates that the actual types can be coerced to implicitly.
func keepCoercible(actual []OID, candidates []candidate) []candidate {
	var kept []candidate
	for _, c := range candidates {
		if canCoerceAll(actual, c.args, Implicit) {
			kept = append(kept, c)
		}
	}
	return kept
}

// selectCandidate applies the manual's rules for operators (10.2, steps 3.c to 3.f) and functions (10.3, steps 4.c to
// 4.f) to candidates that are all coercible. Not ok means that no rule singles one out.
func selectCandidate(actual []OID, candidates []candidate) (best candidate, ok bool) {
	base := make([]OID, len(actual))
	unknowns := 0
	for i, t := range actual {
		base[i] = BaseOf(t)
		if t == UnknownOID {
			unknowns++
		}
	}
	candidates = keepBest(candidates, func(c candidate) int {
		return countArgs(base, func(i int) bool { return c.args[i] == base[i] })
	})
	if len(candidates) == 1 {
		return candidates[0], true
	}
	candidates = keepBest(candidates, func(c candidate) int {
		return countArgs(base, func(i int) bool {
			category, _ := CategoryOf(base[i])
			return c.args[i] == base[i] || isPreferredIn(c.args[i], category)
		})
	})
	if len(candidates) == 1 {
		return candidates[0], true
	}
	if unknowns == 0 {
		return candidate{}, false
	}
	candidates = keepByUnknowns(base, candidates)
	if len(candidates) == 1 {
		return candidates[0], true
	}
	return selectByKnownType(base, candidates)
}

// countArgs counts the arguments of known type for which the match holds.
func countArgs(base []OID, match func(i int) bool) int {
	n := 0
	for i, t := range base {
		if t != UnknownOID && match(i) {
			n++
		}
	}
	return n
}

func isPreferredIn(oid OID, category Category) bool {
	c, preferred := CategoryOf(oid)
	return preferred && c == category
}

// keepBest keeps the candidates of the highest score.
func keepBest(candidates []candidate, score func(candidate) int) []candidate {
	var kept []candidate
	best := -1
	for _, c := range candidates {
		switch n := score(c); {
		case n > best:
			best, kept = n, append(kept[:0:0], c)
		case n == best:
			kept = append(kept, c)
		}
	}
	return kept
}

// keepByUnknowns assumes a category for each unknown argument, string if any candidate takes a string there, and keeps
// the candidates that take it, and its preferred type where one does. It keeps all if the categories stay unclear.
func keepByUnknowns(base []OID, candidates []candidate) []candidate {
	type slot struct {
		category  Category
		preferred bool
	}
	slots := make([]slot, len(base))
	for i, t := range base {
		if t != UnknownOID {
			continue
		}
		conflict := false
		for _, c := range candidates {
			category, preferred := CategoryOf(c.args[i])
			switch {
			case slots[i].category == 0, category != slots[i].category && category == StringCategory:
				slots[i] = slot{category, preferred}
			case category == slots[i].category:
				slots[i].preferred = slots[i].preferred || preferred
			default:
				conflict = true
			}
		}
		if conflict && slots[i].category != StringCategory {
			return candidates
		}
	}
	var kept []candidate
	for _, c := range candidates {
		fits := true
		for i, t := range base {
			if t == UnknownOID {
				category, preferred := CategoryOf(c.args[i])
				fits = fits && category == slots[i].category && (preferred || !slots[i].preferred)
			}
		}
		if fits {
			kept = append(kept, c)
		}
	}
	if kept == nil {
		return candidates
	}
	return kept
}

// selectByKnownType takes the unknown arguments for the one type that all known ones have.
func selectByKnownType(base []OID, candidates []candidate) (best candidate, ok bool) {
	known := UnknownOID
	for _, t := range base {
		switch {
		case t == UnknownOID || t == known:
		case known != UnknownOID:
			return candidate{}, false
		default:
			known = t
		}
	}
	if known == UnknownOID {
		return candidate{}, false
	}
	assumed := make([]OID, len(base))
	for i := range assumed {
		assumed[i] = known
	}
	kept := keepCoercible(assumed, candidates)
	if len(kept) != 1 {
		return candidate{}, false
	}
	return kept[0], true
}
