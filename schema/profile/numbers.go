package profile

import (
	"math"
	"slices"
)

const (
	// firstBounds is how many values of a name come before outliers are told from the
	// rest, and boundsGrow how many times as many before they are anew, up to
	// lastBounds.
	firstBounds = 256
	boundsGrow  = 16
	lastBounds  = firstBounds * boundsGrow * boundsGrow
	// minForBounds is how many values must be in the sample for that.
	minForBounds = 16
	// outlierRanges is how many interquartile ranges from the median a value is an
	// outlier.
	outlierRanges = 12
)

// Numbers has the moments of a name's numbers, of both kinds, but for outliers:
// where the sample shows that some were taken, from then on.
type Numbers struct {
	// Count is how many values the moments are of, and Of of how many, outliers
	// included.
	Count, Of int64
	// Mean, M2, M3 and M4 are the mean and the sums of the powers of differences
	// from it.
	Mean, M2, M3, M4 float64
	// Spread is the mean distance from the median, of SpreadCount of the values: what
	// long tails leave surer than the deviation.
	Spread      float64
	SpreadCount int64
}

// Deviation is the standard deviation.
func (n *Numbers) Deviation() float64 {
	if n.Count < 2 {
		return 0
	}
	return math.Sqrt(n.M2 / float64(n.Count))
}

// Skewness is the third standardised moment; 0 of what does not vary.
func (n *Numbers) Skewness() float64 {
	if n.M2 <= 0 {
		return 0
	}
	return math.Sqrt(float64(n.Count)) * n.M3 / math.Pow(n.M2, 1.5)
}

// Kurtosis is the fourth standardised moment, 3 of a normal distribution.
func (n *Numbers) Kurtosis() float64 {
	if n.M2 <= 0 {
		return 0
	}
	return float64(n.Count) * n.M4 / (n.M2 * n.M2)
}

// merge takes the values of another (Pébay, "Formulas for robust, one-pass
// parallel computation of covariances and arbitrary-order statistical moments").
func (n *Numbers) merge(o Numbers) {
	if o.Count == 0 {
		return
	}
	a, b := float64(n.Count), float64(o.Count)
	all := a + b
	d := o.Mean - n.Mean
	m4 := n.M4 + o.M4 + d*d*d*d*a*b*(a*a-a*b+b*b)/(all*all*all) + 6*d*d*(a*a*o.M2+b*b*n.M2)/(all*all) + 4*d*(a*o.M3-b*n.M3)/all
	m3 := n.M3 + o.M3 + d*d*d*a*b*(a-b)/(all*all) + 3*d*(a*o.M2-b*n.M2)/all
	n.M2 += o.M2 + d*d*a*b/all
	n.M3, n.M4 = m3, m4
	n.Mean += d * b / all
	n.Count += o.Count
	n.Of += o.Of
	if o.SpreadCount > 0 {
		n.SpreadCount += o.SpreadCount
		n.Spread += (o.Spread - n.Spread) * float64(o.SpreadCount) / float64(n.SpreadCount)
	}
}

// distances gathers how far values are from a center near their median.
type distances struct {
	center, sum  float64
	count, below int64 // how many values, and of these below the center; 0 before there is one
}

func (d *distances) add(x float64) {
	d.count++
	d.sum += math.Abs(x - d.center)
	if x < d.center {
		d.below++
	}
}

// fromMedian is the mean distance from the median, of values with a deviation. From
// another center it is greater by about the square of the share of values between
// over the density there, and that is about 0.4 over the deviation.
func (d *distances) fromMedian(deviation float64) float64 {
	n := float64(d.count)
	between := float64(d.below)/n - 0.5
	return d.sum/n - between*between*deviation/0.4
}

// running gathers Numbers as sums of powers of differences from a value that is
// near the mean.
type running struct {
	count          int64
	shift          float64
	s1, s2, s3, s4 float64
	// low and high bound what is no outlier, least and greatest what was taken; all is
	// how many values came, began how many before the moments began, and next how many
	// before the bounds are set anew.
	low, high        float64
	least, greatest  float64
	all, began, next int64
	distances        distances
	// column has the sampled rows' values, NaN where a row has none.
	column [sampleRows]float32
}

func newRunning() *running {
	r := &running{low: math.Inf(-1), high: math.Inf(1), next: firstBounds}
	for i := range r.column {
		r.column[i] = float32(math.NaN())
	}
	return r
}

func (r *running) add(x float64) {
	if r.all++; r.all >= r.next {
		r.setBounds()
	}
	if x < r.low || x > r.high {
		return
	}
	if r.count == 0 {
		r.shift, r.least, r.greatest = x, x, x
	}
	r.count++
	r.least, r.greatest = min(r.least, x), max(r.greatest, x)
	d := x - r.shift
	d2 := d * d
	r.s1 += d
	r.s2 += d2
	r.s3 += d2 * d
	r.s4 += d2 * d2
	if r.count >= firstBounds {
		if r.distances.count == 0 {
			r.distances.center = r.shift + r.s1/float64(r.count)
		}
		r.distances.add(x)
	}
}

// setBounds sets the bounds by the sample, and begins the moments anew if values
// far out of them were taken.
func (r *running) setBounds() {
	r.next *= boundsGrow
	if r.next > lastBounds {
		r.next = math.MaxInt64
	}
	median, spread, ok := quartiles(r.column[:])
	if !ok {
		return
	}
	r.low, r.high = math.Inf(-1), math.Inf(1)
	if spread > 0 {
		r.low, r.high = median-outlierRanges*spread, median+outlierRanges*spread
	}
	if r.least < r.low-spread || r.greatest > r.high+spread {
		r.count, r.shift, r.s1, r.s2, r.s3, r.s4, r.distances = 0, 0, 0, 0, 0, 0, distances{}
		r.began = r.all - 1
	}
}

// quartiles are the median and the interquartile range of the values that are
// there; not ok if these are too few.
func quartiles(column []float32) (median, spread float64, ok bool) {
	var values []float64
	for _, v := range column {
		if v == v {
			values = append(values, float64(v))
		}
	}
	if len(values) < minForBounds {
		return 0, 0, false
	}
	slices.Sort(values)
	return values[len(values)/2], values[len(values)*3/4] - values[len(values)/4], true
}

// numbers are the moments.
func (r *running) numbers() Numbers {
	if r.count == 0 {
		return Numbers{}
	}
	n := float64(r.count)
	m := r.s1 / n
	out := Numbers{
		Count: r.count,
		Of:    r.all - r.began,
		Mean:  r.shift + m,
		M2:    max(0, r.s2-n*m*m),
		M3:    r.s3 - 3*m*r.s2 + 2*n*m*m*m,
		M4:    max(0, r.s4-4*m*r.s3+6*m*m*r.s2-3*n*m*m*m*m),
	}
	if d := &r.distances; d.count > 0 {
		out.Spread, out.SpreadCount = d.fromMedian(out.Deviation()), d.count
	}
	return out
}
