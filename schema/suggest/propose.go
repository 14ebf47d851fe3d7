package suggest

import (
	"context"
	"math"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
)

// The kinds of suggestions.
const (
	KindMetric      = "metric"
	KindMetricAlias = "metric_alias"
	KindField       = "field"
	KindAlias       = "alias"
	KindType        = "type"
	KindCasts       = "casts"
	KindMissing     = "missing"
)

// proposal is what a suggestion says.
type proposal struct {
	Kind       string
	Metric     string // the table's name
	Field      string
	Sent       string
	Type       string
	Convert    string
	Confidence float64
	Evidence   map[string]any
	// quiet: nobody is told. Names that users ask for are no news of devices, and names
	// of a metric that nobody declared are part of that.
	quiet bool
}

// table is a declared metric, or the sent name of one that nobody declared, with
// what was counted of it.
type table struct {
	name    string
	metric  *schema.Metric // nil: nobody declared it
	summary *profile.Summary
	// ignored are names that say what the event is, and not what was measured.
	ignored map[string]bool
}

// minSeen is how many events must carry a name before anything but its type is
// said of it.
const minSeen = 20

// proposals are those on the fields of one table. Of many fields they take long to be
// found; the error is that of ctx.
func (t *table) proposals(ctx context.Context) ([]proposal, error) {
	aliases, err := t.aliases(ctx)
	if err != nil {
		return nil, err
	}
	var out []proposal
	done := map[int]bool{}
	for _, p := range aliases {
		done[p.at] = true
		out = append(out, p.proposal)
	}
	if t.metric == nil {
		return out, nil
	}
	for i := range t.summary.Fields {
		f := &t.summary.Fields[i]
		if done[i] || t.ignored[f.Sent] {
			continue
		}
		if _, declared := t.metric.FieldOfSource(f.Sent); declared {
			continue
		}
		best := bestType(f)
		out = append(out, proposal{
			Kind: KindField, Metric: t.name, Field: f.Sent, Sent: f.Sent, Type: best.String(), Confidence: confidenceOf(f, best), Evidence: evidenceOf(f),
		})
	}
	return out, nil
}

// confidenceOf is the share of values that a type reads.
func confidenceOf(f *profile.Field, t schema.Type) float64 {
	total := f.Events()
	if total == 0 {
		return 0
	}
	return round(float64(total-f.CastFailures(t)) / float64(total))
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }

// evidenceOf says what was seen of a field.
func evidenceOf(f *profile.Field) map[string]any {
	kinds := map[string]int64{}
	casts := map[string]int64{}
	for i := range f.Kinds {
		kinds[f.Kinds[i].Kind.Name()] = f.Kinds[i].Events
		for t, n := range f.Kinds[i].Castable() {
			casts[t] += n
		}
	}
	first, last := seen(f)
	e := map[string]any{
		"events": f.Events(), "kinds": kinds, "castable": casts, "distinct": distinctNumbers(f),
		"first_seen": timeText(first), "last_seen": timeText(last),
	}
	if len(f.Kinds) == 1 && f.Kinds[0].Bounded {
		e["min"], e["max"] = f.Kinds[0].Min, f.Kinds[0].Max
	}
	return e
}

// aliasProposal is one on the field at a place in the summary.
type aliasProposal struct {
	proposal
	at int
}

// aliases are the names that seem to be other names of a field.
func (t *table) aliases(ctx context.Context) ([]aliasProposal, error) {
	var matches []match
	var out []aliasProposal
	taken := map[int]bool{}
	n := len(t.summary.Fields)
	add := func(from int, p proposal) {
		if !taken[from] {
			taken[from] = true
			out = append(out, aliasProposal{p, from})
		}
	}
	for from := range n {
		for to := range n {
			if taken[from] || !t.mayAlias(from, to) {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if t.summary.Together(from, to) {
				if r, ok := relate(t.summary, from, to); ok {
					add(from, t.related(from, to, r))
				}
				continue
			}
			if p, ok := t.alike(from, to); ok && !t.hasBoth(from, to, out) {
				add(from, p)
				continue
			}
			if m, ok := populationOf(t.summary, from, to); ok {
				matches = append(matches, m)
			}
		}
	}
	for _, m := range assign(matches, func(from, to int) bool { return taken[from] || t.hasBoth(from, to, out) }) {
		add(m.from, t.matched(m))
	}
	return out, nil
}

// hasBoth says that events carry one field together with a name that is, or is
// proposed as, another name of the other: then it is something else.
func (t *table) hasBoth(from, to int, aliases []aliasProposal) bool {
	field, _ := t.fieldOf(to)
	for i := range t.summary.Fields {
		name, _ := t.fieldOf(i)
		other := name == field || slices.ContainsFunc(aliases, func(p aliasProposal) bool { return p.at == i && p.Field == field })
		if other && i != from && t.summary.Together(from, i) {
			return true
		}
	}
	return false
}

// mayAlias says whether one name may be proposed as another name of the field
// that reads the other: nobody declared the first, and the second is the field's
// own name, or, where nobody declared the metric, was seen first.
func (t *table) mayAlias(from, to int) bool {
	a, b := &t.summary.Fields[from], &t.summary.Fields[to]
	if from == to || t.ignored[a.Sent] || t.ignored[b.Sent] || a.Events() < minSeen || b.Events() < minSeen {
		return false
	}
	if t.metric == nil {
		firstA, _ := seen(a)
		firstB, _ := seen(b)
		return firstB < firstA || firstB == firstA && to < from
	}
	if _, declared := t.metric.FieldOfSource(a.Sent); declared {
		return false
	}
	f, declared := t.metric.FieldOfSource(b.Sent)
	if !declared {
		return false
	}
	i := slices.IndexFunc(f.Sources, func(s schema.Source) bool { return s.Name == b.Sent })
	return f.Sources[i].Convert == ""
}

// fieldOf is the name and type of the field that a sent name is, or would be.
func (t *table) fieldOf(at int) (string, string) {
	sent := &t.summary.Fields[at]
	if t.metric != nil {
		if f, ok := t.metric.FieldOfSource(sent.Sent); ok {
			return f.Name, f.Type.String()
		}
	}
	return sent.Sent, bestType(sent).String()
}

func (t *table) alias(from, to int, confidence float64, why string) proposal {
	field, fieldType := t.fieldOf(to)
	e := evidenceOf(&t.summary.Fields[from])
	e["because"] = why
	e["field"] = evidenceOf(&t.summary.Fields[to])
	return proposal{
		Kind: KindAlias, Metric: t.name, Field: field, Sent: t.summary.Fields[from].Sent, Type: fieldType, Confidence: round(confidence), Evidence: e,
		quiet: t.metric == nil,
	}
}

// related proposes by a relation in events that carry both names.
func (t *table) related(from, to int, r relation) proposal {
	p := t.alias(from, to, 0.9*r.explained, "events that carry both names")
	n := &t.summary.Fields[from].Numbers
	p.Convert = conversionOf(r.linear, n)
	p.Evidence["pairs"], p.Evidence["outliers"], p.Evidence["explained"] = r.pairs, r.outliers, round(r.explained)
	p.Evidence["slope"], p.Evidence["offset"] = r.slope, r.offset
	return p
}

// conversionOf writes a relation, as the known conversion that it nearly is.
func conversionOf(l linear, n *profile.Numbers) string {
	const nearly = 0.015
	if _, sql, ok := known(l, n.Mean, n.Deviation(), nearly); ok {
		return sql
	}
	return l.expression(math.Abs(l.slope) * n.Deviation())
}

// matched proposes by distributions of one population.
func (t *table) matched(m match) proposal {
	confidence := 0.6
	if m.known {
		confidence += 0.15
	}
	if m.agree > driven {
		confidence += 0.15
	}
	p := t.alias(m.from, m.to, confidence, "never in one event, and distributed alike")
	p.Convert = m.sql
	if !m.known {
		p.Convert = m.expression(math.Abs(m.slope) * t.summary.Fields[m.from].Numbers.Deviation())
	}
	a, b := &t.summary.Fields[m.from].Numbers, &t.summary.Fields[m.to].Numbers
	p.Evidence["slope"], p.Evidence["offset"] = m.slope, m.offset
	p.Evidence["skewness"] = []float64{round(a.Skewness()), round(b.Skewness())}
	p.Evidence["kurtosis"] = []float64{round(a.Kurtosis()), round(b.Kurtosis())}
	p.Evidence["agreement_over_time"] = round(max(0, m.agree))
	return p
}

const (
	// nearMeans is how many deviations the means of one quantity under two names may
	// be apart, and nearSpreads how many times as great one deviation may be.
	nearMeans   = 1.5
	nearSpreads = 2.5
)

// alike proposes by the names of two fields that never come together, if their
// values fit, as they are or in another unit.
func (t *table) alike(from, to int) (proposal, bool) {
	a, b := &t.summary.Fields[from], &t.summary.Fields[to]
	similar := similarity(a.Sent, b.Sent)
	if similar == 0 || !sameClass(a, b) {
		return proposal{}, false
	}
	const why = "similar names, never in one event, and values of one range"
	if !isNumbers(a) {
		return t.alias(from, to, 0.8*similar, why), similar == 1 || overlap(a, b)
	}
	x, y := &a.Numbers, &b.Numbers
	dx, dy := x.Deviation(), y.Deviation()
	spread := max(dx, dy)
	if math.Abs(x.Mean-y.Mean) <= nearMeans*spread && (min(dx, dy) == 0 || spread/min(dx, dy) <= nearSpreads) {
		return t.alias(from, to, 0.85*similar, why), true
	}
	if min(dx, dy) == 0 {
		return proposal{}, false
	}
	slope := dy / dx
	l, sql, ok := known(linear{slope, y.Mean - slope*x.Mean}, x.Mean, dx, 0.25)
	if !ok {
		return proposal{}, false
	}
	p := t.alias(from, to, 0.7*similar, "similar names, never in one event, and values of one range in another unit")
	p.Convert = sql
	p.Evidence["slope"], p.Evidence["offset"] = l.slope, l.offset
	return p, true
}

func isNumbers(f *profile.Field) bool { return f.Numbers.Count > 0 && 2*f.Numbers.Count > f.Events() }

// sameClass says that two fields are numbers both, or have a kind in common.
func sameClass(a, b *profile.Field) bool {
	if isNumbers(a) || isNumbers(b) {
		return isNumbers(a) && isNumbers(b)
	}
	return slices.ContainsFunc(a.Kinds, func(k profile.Kind) bool { return b.Kind(k.Kind) != nil })
}

// overlap says that the ranges of texts have a part in common.
func overlap(a, b *profile.Field) bool {
	for i := range a.Kinds {
		if k := b.Kind(a.Kinds[i].Kind); k != nil && a.Kinds[i].Min <= k.Max && k.Min <= a.Kinds[i].Max {
			return true
		}
	}
	return false
}
