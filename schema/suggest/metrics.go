package suggest

import (
	"math"
	"slices"
	"time"
)

const (
	// minShared is how many names two metrics must share to be one, and minSharedPart
	// which part of the names of both together.
	minShared     = 3
	minSharedPart = 0.8
	// minClusterEvents is how many events each must have.
	minClusterEvents = 20
)

// metricProposals are those on metrics that nobody declared: as another name of
// one, or as a metric of its own.
func metricProposals(tables []*table) []proposal {
	var out []proposal
	for _, t := range tables {
		if t.metric != nil {
			continue
		}
		p := proposal{Kind: KindMetric, Metric: t.name, Sent: t.name, Confidence: 1, Evidence: t.evidence()}
		best := 0.0
		for _, of := range tables {
			if of == t || of.metric == nil && !of.isBefore(t) {
				continue
			}
			if c, shared := sameMetric(t, of); c > best {
				best = c
				p.Kind, p.Metric, p.Confidence = KindMetricAlias, of.name, round(c)
				p.Evidence["shared_names"], p.Evidence["because"] = shared, "the same names with values of one range"
			}
		}
		out = append(out, p)
	}
	return out
}

func (t *table) evidence() map[string]any {
	fields := map[string]string{}
	for i := range t.summary.Fields {
		if f := &t.summary.Fields[i]; !t.ignored[f.Sent] && len(fields) < 100 {
			fields[f.Sent] = bestType(f).String()
		}
	}
	return map[string]any{"events": t.summary.Events, "fields": fields}
}

// isBefore says that a metric was seen first.
func (t *table) isBefore(o *table) bool {
	a, b := t.firstSeen(), o.firstSeen()
	return a < b || a == b && t.name < o.name
}

func (t *table) firstSeen() int64 {
	first := int64(math.MaxInt64)
	for i := range t.summary.Fields {
		at, _ := seen(&t.summary.Fields[i])
		first = min(first, at)
	}
	return first
}

// sameMetric is how sure it is that two metrics are one, and the names they share.
func sameMetric(a, b *table) (float64, []string) {
	if a.summary.Events < minClusterEvents || b.summary.Events < minClusterEvents {
		return 0, nil
	}
	x, y := a.names(), b.names()
	var shared []string
	for name := range x {
		if y[name] {
			shared = append(shared, name)
		}
	}
	part := float64(len(shared)) / float64(len(x)+len(y)-len(shared))
	similar := similarity(a.name, b.name)
	least := minShared
	if similar > 0 {
		least = 2
	}
	if len(shared) < least || part < minSharedPart {
		return 0, nil
	}
	slices.Sort(shared)
	byName, other := a.summary.ByName(), b.summary.ByName()
	measured := 0
	for _, name := range shared {
		f, g := byName[name], other[name]
		if !sameClass(f, g) {
			return 0, nil
		}
		if !isNumbers(f) {
			continue
		}
		dx, dy := f.Numbers.Deviation(), g.Numbers.Deviation()
		spread := max(dx, dy)
		if math.Abs(f.Numbers.Mean-g.Numbers.Mean) > nearMeans*spread || spread > 0 && min(dx, dy)*nearSpreads < spread {
			return 0, nil
		}
		measured++
	}
	if measured == 0 && similar == 0 {
		return 0, nil
	}
	return 0.6*part + 0.3*similar + 0.1*min(1, float64(measured)/3), shared
}

// names are those that say what was measured, or of what.
func (t *table) names() map[string]bool {
	out := map[string]bool{}
	for i := range t.summary.Fields {
		if f := &t.summary.Fields[i]; !t.ignored[f.Sent] {
			out[f.Sent] = true
		}
	}
	return out
}

// timeText is a time in microseconds since 1970 UTC as evidence has it.
func timeText(at int64) string { return time.UnixMicro(at).UTC().Format(time.RFC3339) }
