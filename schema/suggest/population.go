package suggest

import (
	"cmp"
	"math"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
)

const (
	// minPopulation is how many values tell the shape of a distribution.
	minPopulation = 200
	// Differences of skewness and of kurtosis that devices of one population may show,
	// beside two standard errors.
	skewSlack     = 0.15
	kurtosisSlack = 0.25
	// symmetric is up to which skewness a distribution may as well be turned round.
	symmetric = 0.1
	// clearly is how much better than the next a match must be.
	clearly = 1
	// longTails is from which kurtosis on, of that of a normal distribution, the mean
	// distance from the median is surer than the deviation.
	longTails = 1.5
	// minBins and bins are how many parts of the common time are compared.
	minBins = 6
	bins    = 16
	// driven is how much of the variance of the bins must agree to be evidence.
	driven = 0.6
)

// match is a pair of fields that never come together and whose values are those
// of one population but for a linear conversion.
type match struct {
	from, to int
	linear
	// sql is the conversion if it is a known one.
	sql   string
	known bool
	// distance is how far the shapes are apart, less what else speaks for the match.
	distance float64
	// agree is how much of the variance over time agrees; NaN if that cannot be told.
	agree float64
}

// numeric says that a field's values are numbers enough to compare them, and few of
// these outliers.
func numeric(f *profile.Field) bool {
	numbers := int64(0)
	for _, k := range []schema.Kind{schema.KindInt, schema.KindNumber} {
		if of := f.Kind(k); of != nil {
			numbers += of.Events
		}
	}
	n := f.Numbers.Count
	return n >= minPopulation && f.Numbers.Deviation() > 0 && 10*n >= 9*f.Numbers.Of && 10*numbers >= 9*f.Events()
}

// populationOf compares two fields that never come together; false if they are not
// of one population.
func populationOf(s *profile.Summary, from, to int) (match, bool) {
	a, b := &s.Fields[from], &s.Fields[to]
	if !numeric(a) || !numeric(b) || isTimes(a) || isTimes(b) || distinctNumbers(a) < minVaried || distinctNumbers(b) < minVaried {
		return match{}, false
	}
	if !sameTime(a, b) {
		return match{}, false
	}
	n := float64(min(a.Numbers.Count, b.Numbers.Count))
	skewA, skewB := a.Numbers.Skewness(), b.Numbers.Skewness()
	sign := 1.0
	if skewA*skewB < 0 && math.Abs(skewA) > symmetric && math.Abs(skewB) > symmetric {
		sign = -1
	}
	// Heavy tails make both moments unsure, about in this measure.
	tails := max(1, (a.Numbers.Kurtosis()+b.Numbers.Kurtosis())/6)
	skew := math.Abs(sign*skewA-skewB) / (skewSlack*tails + 2*tails*math.Sqrt(12/n))
	kurtosis := math.Abs(a.Numbers.Kurtosis()-b.Numbers.Kurtosis()) / (kurtosisSlack*tails + 4*tails*tails*math.Sqrt(48/n))
	if skew > 1 || kurtosis > 1 {
		return match{}, false
	}
	slope := sign * b.Numbers.Deviation() / a.Numbers.Deviation()
	if tails > longTails && min(a.Numbers.SpreadCount, b.Numbers.SpreadCount) >= minPopulation && a.Numbers.Spread > 0 {
		slope = sign * b.Numbers.Spread / a.Numbers.Spread
	}
	m := match{from: from, to: to, linear: linear{slope, b.Numbers.Mean - slope*a.Numbers.Mean}, distance: skew + kurtosis}
	m.agree = overTime(s, &m)
	switch {
	case m.agree < 0:
		return match{}, false
	case m.agree > driven:
		m.distance -= 3 * m.agree
	}
	const nearlyKnown = 0.06
	if l, sql, ok := known(m.linear, a.Numbers.Mean, a.Numbers.Deviation(), nearlyKnown); ok {
		m.linear, m.sql, m.known = l, sql, true
		m.distance -= 2
	}
	return m, true
}

func distinctNumbers(f *profile.Field) int64 {
	n := int64(0)
	for i := range f.Kinds {
		n += f.Kinds[i].Distinct
	}
	return n
}

// sameTime says that two fields were sent in times that overlap by half.
func sameTime(a, b *profile.Field) bool {
	firstA, lastA := seen(a)
	firstB, lastB := seen(b)
	common := min(lastA, lastB) - max(firstA, firstB)
	return 2*common >= min(lastA-firstA, lastB-firstB)
}

func seen(f *profile.Field) (first, last int64) {
	first, last = math.MaxInt64, math.MinInt64
	for i := range f.Kinds {
		first, last = min(first, f.Kinds[i].FirstSeen.UnixMicro()), max(last, f.Kinds[i].LastSeen.UnixMicro())
	}
	return first, last
}

// overTime compares how the means of both fields move over the events' time: the
// share of variance that agrees, 0 if nothing moves, -1 if both move and against
// each other, or if there is no common time.
func overTime(s *profile.Summary, m *match) float64 {
	var times []int64
	first := [2]int64{math.MaxInt64, math.MaxInt64}
	last := [2]int64{math.MinInt64, math.MinInt64}
	for _, r := range s.Rows {
		for i, f := range []int{m.from, m.to} {
			if isUsual(s, f, &r) {
				first[i], last[i] = min(first[i], r.Time), max(last[i], r.Time)
				times = append(times, r.Time)
			}
		}
	}
	low, high := max(first[0], first[1]), min(last[0], last[1])
	if len(times) == 0 || 2*(high-low) < min(last[0]-first[0], last[1]-first[1]) {
		return -1
	}
	if high == low {
		return 0
	}
	var sums, counts [2][bins]float64
	for _, r := range s.Rows {
		if r.Time < low || r.Time > high {
			continue
		}
		bin := min(bins-1, int(float64(r.Time-low)/float64(high-low)*bins))
		if isUsual(s, m.from, &r) {
			sums[0][bin] += m.of(r.Values[m.from])
			counts[0][bin]++
		}
		if isUsual(s, m.to, &r) {
			sums[1][bin] += r.Values[m.to]
			counts[1][bin]++
		}
	}
	var x, y []float64
	for i := range bins {
		if counts[0][i] > 0 && counts[1][i] > 0 {
			x, y = append(x, sums[0][i]/counts[0][i]), append(y, sums[1][i]/counts[1][i])
		}
	}
	if len(x) < minBins || covariance(x, y) < 0 {
		return 0
	}
	return correlation(x, y)
}

// isUsual says that a row has a value of a field, and no outlier.
func isUsual(s *profile.Summary, field int, r *profile.Row) bool {
	const deviations = 8
	n := &s.Fields[field].Numbers
	return math.Abs(r.Values[field]-n.Mean) <= deviations*n.Deviation() // false of NaN
}

// assign chooses among matches those that are clearly the best of both their
// fields. excluded says of a match whether what was chosen already rules it out.
func assign(matches []match, excluded func(from, to int) bool) []match {
	slices.SortFunc(matches, func(a, b match) int { return cmp.Compare(a.distance, b.distance) })
	var out []match
	for len(matches) > 0 {
		matches = slices.DeleteFunc(matches, func(m match) bool {
			return excluded(m.from, m.to) || slices.ContainsFunc(out, func(o match) bool { return o.meets(m) })
		})
		i := slices.IndexFunc(matches, func(m match) bool {
			return !slices.ContainsFunc(matches, func(o match) bool {
				return o != m && o.meets(m) && o.distance-m.distance < clearly
			})
		})
		if i < 0 {
			break
		}
		out = append(out, matches[i])
		matches = slices.Delete(matches, i, i+1)
	}
	return out
}

// meets says that two matches have a field in common.
func (m match) meets(o match) bool {
	return m.from == o.from || m.to == o.to || m.from == o.to || m.to == o.from
}
