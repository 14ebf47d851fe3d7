package suggest

import (
	"math"
	"slices"

	"github.com/fieldgate/fieldgate/schema/profile"
)

const (
	// minPairs is how many events must carry both names, and minRelated how much of
	// the variance the relation must explain.
	minPairs   = 24
	minRelated = 0.985
	// maxOutliers is the share of events that may contradict it.
	maxOutliers = 0.1
	// minVaried is how many different values each must have.
	minVaried = 12
	// timeDriven is how much of its variance the time explains of what counts up.
	timeDriven = 0.97
)

// relation is a linear relation between two fields.
type relation struct {
	linear
	// explained is the share of variance, of how many pairs.
	explained float64
	pairs     int
	outliers  int
}

// relate finds how the values of field b follow from those of a in the events
// that carry both; false if they do not.
func relate(s *profile.Summary, a, b int) (relation, bool) {
	var x, y, t []float64
	for _, r := range s.Rows {
		if !math.IsNaN(r.Values[a]) && !math.IsNaN(r.Values[b]) {
			x, y, t = append(x, r.Values[a]), append(y, r.Values[b]), append(t, float64(r.Time))
		}
	}
	if len(x) < minPairs || varied(x) < minVaried || varied(y) < minVaried {
		return relation{}, false
	}
	if isTimes(&s.Fields[a]) && isTimes(&s.Fields[b]) {
		return relation{}, false // an event's two times mark two moments
	}
	if correlation(t, x) > timeDriven && correlation(t, y) > timeDriven {
		return relation{}, false // both count up
	}
	return fit(x, y)
}

// fit finds the line through most points: the one of least absolute residuals
// through pairs of them, then that of the points near it. Both coordinates may
// be off, so the slope is the ratio of deviations.
func fit(x, y []float64) (relation, bool) {
	start, ok := startLine(x, y)
	if !ok {
		return relation{}, false
	}
	keep := inliers(x, y, start)
	for range 3 {
		var px, py []float64
		for _, i := range keep {
			px, py = append(px, x[i]), append(py, y[i])
		}
		mx, dx := meanDeviation(px)
		my, dy := meanDeviation(py)
		if dx == 0 || dy == 0 {
			return relation{}, false
		}
		slope := dy / dx
		if covariance(px, py) < 0 {
			slope = -slope
		}
		start = linear{slope, my - slope*mx}
		keep = inliers(x, y, start)
	}
	var px, py []float64
	for _, i := range keep {
		px, py = append(px, x[i]), append(py, y[i])
	}
	r := relation{linear: start, explained: correlation(px, py), pairs: len(x), outliers: len(x) - len(keep)}
	return r, r.explained >= minRelated && float64(r.outliers) <= maxOutliers*float64(len(x))
}

// startLine is the line through two of the points of whose distances to all the third
// quartile is least.
func startLine(x, y []float64) (best linear, ok bool) {
	least := math.Inf(1)
	n := len(x)
	quartile := n * 3 / 4
	distances := make([]float64, n)
	for step := 1; step < n; step += 1 + n/24 {
		for i := range n {
			j := (i + step) % n
			if x[i] == x[j] || y[i] == y[j] {
				continue
			}
			slope := (y[j] - y[i]) / (x[j] - x[i])
			l := linear{slope, y[i] - slope*x[i]}
			// Hardly any line is better than the best of those before it: most are passed
			// over as soon as too few points can be near.
			near := 0
			for k := 0; k < n && near+n-k > quartile; k++ {
				distances[k] = math.Abs(y[k] - l.of(x[k]))
				if distances[k] < least {
					near++
				}
			}
			if near > quartile {
				slices.Sort(distances)
				best, least, ok = l, distances[quartile], true
			}
		}
	}
	return best, ok
}

// inliers are the points whose distance is not far beyond that of most.
func inliers(x, y []float64, l linear) []int {
	distances := make([]float64, len(x))
	for i := range x {
		distances[i] = math.Abs(y[i] - l.of(x[i]))
	}
	sorted := slices.Sorted(slices.Values(distances))
	_, dy := meanDeviation(y)
	// Four times the third quartile of normal errors is 4.6 deviations.
	limit := max(4*sorted[len(sorted)*3/4], 1e-6*dy)
	var keep []int
	for i, d := range distances {
		if d <= limit {
			keep = append(keep, i)
		}
	}
	return keep
}

func varied(values []float64) int {
	return len(slices.Compact(slices.Sorted(slices.Values(values))))
}

func meanDeviation(v []float64) (mean, deviation float64) {
	for _, x := range v {
		mean += x
	}
	mean /= float64(len(v))
	for _, x := range v {
		deviation += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(deviation / float64(len(v)))
}

func covariance(x, y []float64) float64 {
	mx, _ := meanDeviation(x)
	my, _ := meanDeviation(y)
	sum := 0.0
	for i := range x {
		sum += (x[i] - mx) * (y[i] - my)
	}
	return sum / float64(len(x))
}

// correlation is the share of variance that a line explains.
func correlation(x, y []float64) float64 {
	_, dx := meanDeviation(x)
	_, dy := meanDeviation(y)
	if dx == 0 || dy == 0 {
		return 0
	}
	c := covariance(x, y) / (dx * dy)
	return c * c
}

// The seconds since 1970 from 2000 to 2100, in which numbers are taken for times.
const (
	earliestTime = 946684800
	latestTime   = 4102444800
)

// isTimes says that a field's numbers look like times since 1970.
func isTimes(f *profile.Field) bool {
	mean, d := f.Numbers.Mean, f.Numbers.Deviation()
	for _, unit := range []float64{1, 1e3, 1e6, 1e9} {
		if mean-2*d > earliestTime*unit && mean+2*d < latestTime*unit {
			return true
		}
	}
	return false
}
