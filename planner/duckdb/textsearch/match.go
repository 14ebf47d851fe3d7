package textsearch

import (
	"cmp"
	"slices"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// verdict is whether something matches; maybe: the positions that would tell are not there.
type verdict uint8

const (
	no verdict = iota
	yes
	maybe
)

// Match is the operator @@: whether a document has what a query asks for.
func Match(v postgres.TSVector, q *postgres.TSQuery) bool { return q != nil && matches(v, q) }

func matches(v postgres.TSVector, q *postgres.TSQuery) bool {
	switch q.Operator {
	case postgres.TSNot:
		return !matches(v, q.Right)
	case postgres.TSAnd:
		return matches(v, q.Left) && matches(v, q.Right)
	case postgres.TSOr:
		return matches(v, q.Left) || matches(v, q.Right)
	case postgres.TSPhrase:
		_, verdict := phrase(v, q)
		return verdict == yes
	}
	return hasOperand(v, q)
}

// lexemesOf are the document's lexemes that an operand may mean.
func lexemesOf(v postgres.TSVector, q *postgres.TSQuery) postgres.TSVector {
	if q.Prefix {
		return v.Prefixed(q.Word)
	}
	if l, ok := v.Find(q.Word); ok {
		return postgres.TSVector{*l}
	}
	return nil
}

func hasWeight(p postgres.TSPosition, weights uint8) bool {
	return weights == 0 || weights&(1<<p.Weight) != 0
}

func hasOperand(v postgres.TSVector, q *postgres.TSQuery) bool {
	for _, l := range lexemesOf(v, q) {
		if len(l.Positions) == 0 || q.Weights == 0 ||
			slices.ContainsFunc(l.Positions, func(p postgres.TSPosition) bool { return hasWeight(p, q.Weights) }) {
			return true
		}
	}
	return false
}

// places are where, in a document, the last word of something stands, in order; outside: everywhere but there. Width is how far
// before it the first word does.
type places struct {
	at      []int
	outside bool
	width   int
}

// phrase finds the places of what stands in a phrase (TS_phrase_execute in tsvector_op.c).
func phrase(v postgres.TSVector, q *postgres.TSQuery) (places, verdict) {
	switch q.Operator {
	case postgres.TSOperand:
		return operandPlaces(v, q)
	case postgres.TSNot:
		p, found := phrase(v, q.Right)
		switch {
		case found == no:
			return places{outside: true}, yes
		case found == maybe:
			return p, maybe
		case len(p.at) > 0:
			p.outside = !p.outside
			return p, yes
		case p.outside:
			return places{}, no
		}
		return places{outside: true}, yes
	}
	left, leftFound := phrase(v, q.Left)
	if leftFound == no && q.Operator != postgres.TSOr {
		return places{}, no
	}
	right, rightFound := phrase(v, q.Right)
	if q.Operator == postgres.TSOr {
		return either(left, right, leftFound, rightFound)
	}
	switch {
	case rightFound == no:
		return places{}, no
	case leftFound == maybe || rightFound == maybe:
		return places{}, maybe
	case q.Operator == postgres.TSPhrase:
		left.shift(q.Distance + right.width)
		return both(left, right, q.Distance+left.width+right.width)
	}
	width := max(left.width, right.width)
	left.shift(width - left.width)
	right.shift(width - right.width)
	return both(left, right, width)
}

func operandPlaces(v postgres.TSVector, q *postgres.TSQuery) (places, verdict) {
	var p places
	found := no
	for _, l := range lexemesOf(v, q) {
		if len(l.Positions) == 0 {
			return places{}, maybe
		}
		for _, at := range l.Positions {
			if hasWeight(at, q.Weights) {
				p.at = append(p.at, int(at.At))
				found = yes
			}
		}
	}
	slices.Sort(p.at)
	p.at = slices.Compact(p.at)
	return p, found
}

func (p *places) shift(by int) {
	moved := make([]int, len(p.at))
	for i, at := range p.at {
		moved[i] = at + by
	}
	p.at = moved
}

// merge joins two lists in order and keeps the places that are in the left alone, in the right alone or in both, as asked.
func merge(left, right []int, onlyLeft, inBoth, onlyRight bool) []int {
	var out []int
	for i, j := 0, 0; i < len(left) || j < len(right); {
		order := 0
		switch {
		case j == len(right):
			order = -1
		case i == len(left):
			order = 1
		default:
			order = cmp.Compare(left[i], right[j])
		}
		at, keep := 0, false
		switch {
		case order < 0:
			at, keep = left[i], onlyLeft
			i++
		case order > 0:
			at, keep = right[j], onlyRight
			j++
		default:
			at, keep = left[i], inBoth
			i++
			j++
		}
		if keep && at > 0 {
			out = append(out, at)
		}
	}
	return out
}

// both are the places that are in two sets.
func both(left, right places, width int) (places, verdict) {
	p := places{width: width}
	switch {
	case left.outside && right.outside:
		p.at, p.outside = merge(left.at, right.at, true, true, true), true
		return p, yes
	case left.outside:
		p.at = merge(left.at, right.at, false, false, true)
	case right.outside:
		p.at = merge(left.at, right.at, true, false, false)
	default:
		p.at = merge(left.at, right.at, false, true, false)
	}
	if len(p.at) == 0 {
		return places{}, no
	}
	return p, yes
}

// either are the places that are in one of two sets.
func either(left, right places, leftFound, rightFound verdict) (places, verdict) {
	switch {
	case leftFound == no && rightFound == no:
		return places{}, no
	case leftFound == maybe || rightFound == maybe:
		return places{}, maybe
	}
	if leftFound == no {
		left.width = 0
	}
	if rightFound == no {
		right.width = 0
	}
	p := places{width: max(left.width, right.width)}
	left.shift(p.width - left.width)
	right.shift(p.width - right.width)
	p.outside = left.outside || right.outside
	switch {
	case left.outside && right.outside:
		p.at = merge(left.at, right.at, false, true, false)
	case left.outside:
		p.at = merge(left.at, right.at, true, false, false)
	case right.outside:
		p.at = merge(left.at, right.at, false, false, true)
	default:
		p.at = merge(left.at, right.at, true, true, true)
	}
	return p, yes
}
