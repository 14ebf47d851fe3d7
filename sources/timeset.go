package sources

import (
	"cmp"
	"slices"
)

// TimeSet is a set of event times: disjoint ranges in order. It covers at least
// what was added; of many ranges the nearest become one, so that it stays small.
type TimeSet []Bounds

// maxTimeRanges bounds the ranges of a TimeSet.
const maxTimeRanges = 64

// Add puts ranges into the set. It changes the set in place.
func (s *TimeSet) Add(ranges ...Bounds) {
	all := *s
	for _, r := range ranges {
		if !r.Empty() {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b Bounds) int { return cmp.Compare(a.Min, b.Min) })
	out := all[:0]
	for _, r := range all {
		if n := len(out); n > 0 && (r.Min <= out[n-1].Max || r.Min-1 == out[n-1].Max) {
			out[n-1].Max = max(out[n-1].Max, r.Max)
			continue
		}
		out = append(out, r)
	}
	*s = out
	s.Reduce(maxTimeRanges)
}

// Reduce makes ranges one, the nearest first, until there are at most n, which is
// at least 1.
func (s *TimeSet) Reduce(n int) {
	for len(*s) > n {
		*s = s.joinNearest()
	}
}

// joinNearest makes one range of the two with the least between them.
func (s TimeSet) joinNearest() TimeSet {
	at := 1
	for i := 2; i < len(s); i++ {
		// As unsigned numbers differences do not overflow.
		if uint64(s[i].Min)-uint64(s[i-1].Max) < uint64(s[at].Min)-uint64(s[at-1].Max) {
			at = i
		}
	}
	s[at-1].Max = s[at].Max
	return slices.Delete(s, at, at+1)
}

// Overlaps says that some time of the set lies in the bounds.
func (s TimeSet) Overlaps(b Bounds) bool {
	return slices.ContainsFunc(s, b.Overlaps)
}

// rangesOfTimes is how many ranges TimesOf makes at most.
const rangesOfTimes = 4

// TimesOf are ranges that hold the times, cut where the most lies between two of
// them: one that is far from the others does not make a range of all between.
// The times are put in order.
func TimesOf(times []int64) []Bounds {
	if len(times) == 0 {
		return nil
	}
	slices.Sort(times)
	cuts := make([]int, 0, rangesOfTimes) // indexes behind the widest gaps, widest first
	gap := func(i int) uint64 { return uint64(times[i]) - uint64(times[i-1]) }
	for i := 1; i < len(times); i++ {
		if len(cuts) == rangesOfTimes-1 && gap(i) <= gap(cuts[len(cuts)-1]) {
			continue
		}
		at, _ := slices.BinarySearchFunc(cuts, gap(i), func(c int, g uint64) int { return cmp.Compare(g, gap(c)) })
		cuts = slices.Insert(cuts, at, i)
		cuts = cuts[:min(len(cuts), rangesOfTimes-1)]
	}
	slices.Sort(cuts)
	out := make([]Bounds, 0, rangesOfTimes)
	from := 0
	for _, at := range append(cuts, len(times)) {
		out = append(out, Bounds{Min: times[from], Max: times[at-1]})
		from = at
	}
	return out
}
