package are

import (
	"slices"
)

// dissect divides what a node matched among its parts, and notes the groups
// (cdissect in regex/regexec.c). It fails where a back reference does not repeat.
func (t *Text) dissect(n *node, begin, end int) bool {
	t.step()
	ok := false
	switch n.op {
	case plainNode:
		ok = true
	case catNode:
		ok = t.divide(n, begin, end)
	case altNode:
		ok = t.choose(n, begin, end)
	case repeatNode:
		ok = t.iterate(n, begin, end)
	case backNode:
		ok = t.repeats(n, begin, end)
	case groupNode:
		ok = t.dissect(n.subs[0], begin, end)
	}
	if ok && n.group != 0 {
		t.found[2*n.group], t.found[2*n.group+1] = begin, end
	}
	return ok
}

// forget takes back the groups of a node.
func (t *Text) forget(n *node) {
	if n.group != 0 {
		t.found[2*n.group], t.found[2*n.group+1] = -1, -1
	}
	for _, s := range n.subs {
		t.forget(s)
	}
}

func (t *Text) canEnd(n *node, begin, end int) bool {
	_, ok := slices.BinarySearch(t.endsOf(n, begin), int32(end))
	return ok
}

// divide tries the places between two parts, as the left one prefers.
func (t *Text) divide(n *node, begin, end int) bool {
	left, right := n.subs[0], n.subs[1]
	mids := t.endsOf(left, begin)
	for i := range mids {
		mid := int(mids[len(mids)-1-i])
		if left.flags&shorter != 0 {
			mid = int(mids[i])
		}
		if mid > end || !t.canEnd(right, mid, end) {
			continue
		}
		t.forget(left)
		t.forget(right)
		if t.dissect(left, begin, mid) && t.dissect(right, mid, end) {
			return true
		}
	}
	t.forget(n)
	return false
}

func (t *Text) choose(n *node, begin, end int) bool {
	for _, s := range n.subs {
		if t.canEnd(s, begin, end) && t.dissect(s, begin, end) {
			return true
		}
	}
	return false
}

func (t *Text) repeats(n *node, begin, end int) bool {
	from, to := t.found[2*n.back], t.found[2*n.back+1]
	if from < 0 {
		return false
	}
	switch size := to - from; {
	case size == 0:
		return begin == end && n.min <= n.max
	case begin == end:
		return n.min == 0
	case (end-begin)%size != 0:
		return false
	default:
		if times := (end - begin) / size; times < n.min || times > n.max && n.max != infinite {
			return false
		}
		for i := begin; i < end; i++ {
			if !t.sameRune(t.runes[i], t.runes[from+(i-begin)%size]) {
				return false
			}
		}
	}
	return true
}

// iterate divides what a repetition matched into its rounds. Rounds of nothing
// are only taken where there must be more of them than characters.
func (t *Text) iterate(n *node, begin, end int) bool {
	lazy := n.subs[0].flags&shorter != 0
	if lazy && n.min == 0 && begin == end {
		return true // no round
	}
	least := max(n.min, 1)
	most := end - begin
	if n.max != infinite {
		most = min(most, n.max)
	}
	most = max(most, least)
	r := &rounds{t: t, sub: n.subs[0], first: begin, end: end, least: least, most: most, lazy: lazy}
	if r.from(begin, 1) {
		return true
	}
	t.forget(n.subs[0])
	return n.min == 0 && begin == end
}

// rounds are those of one repetition.
type rounds struct {
	t           *Text
	sub         *node
	first, end  int
	least, most int
	lazy        bool
	// stops are where the rounds so far end.
	stops []int
}

// from tries round k, which begins at a place, and all that follow.
func (r *rounds) from(begin, k int) bool {
	ends := r.t.endsOf(r.sub, begin)
	for i := range ends {
		r.t.step()
		stop := int(ends[len(ends)-1-i])
		if r.lazy {
			stop = int(ends[i])
		}
		if stop > r.end {
			continue
		}
		r.stops = append(r.stops[:k-1], stop)
		switch {
		case stop == r.end && k >= r.least:
			if r.verify(k) {
				return true
			}
		case stop == r.end || k >= r.most:
		case stop == begin && (k >= r.least || r.least-k < r.end-stop):
		case r.from(stop, k+1):
			return true
		}
	}
	return false
}

// verify dissects k rounds, each anew: only the last one's groups stay.
func (r *rounds) verify(k int) bool {
	from := r.first
	for _, stop := range r.stops[:k] {
		r.t.forget(r.sub)
		if !r.t.dissect(r.sub, from, stop) {
			return false
		}
		from = stop
	}
	return true
}
