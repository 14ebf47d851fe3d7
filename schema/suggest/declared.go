package suggest

import (
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
)

// castCounts are how many values a source had and how many the field could not
// read.
type castCounts struct{ events, failed int64 }

const (
	// minFailed is how many values must fail before it is said, and failedShare the
	// share of them that is too many.
	minFailed   = 5
	failedShare = 0.01
	// rises is how much greater the share must be than it was.
	rises = 0.05
)

// considerDeclared proposes on sources of declared fields: kinds of values that
// are new, and casts that fail more than before.
func (c *considered) considerDeclared(before *considered, generation uint32) {
	tb := c.table
	if tb.metric == nil {
		return
	}
	for i := range tb.summary.Fields {
		f := &tb.summary.Fields[i]
		field, ok := tb.metric.FieldOfSource(f.Sent)
		if !ok {
			continue
		}
		at := slices.IndexFunc(field.Sources, func(s schema.Source) bool { return s.Name == f.Sent })
		reads := field.Type
		if field.Sources[at].Convert != "" {
			if !reads.IsNumber() {
				continue
			}
			reads = schema.Type{Name: "double precision"}
		}
		c.considerKinds(field, f, reads, generation)
		c.considerCasts(before, field, f, reads, generation)
	}
}

func (c *considered) source(field *schema.Field, f *profile.Field, reads schema.Type) *proposal {
	best := bestType(f)
	p := &proposal{
		Metric: c.table.name, Field: field.Name, Sent: f.Sent, Type: best.String(), Confidence: confidenceOf(f, best), Evidence: evidenceOf(f),
	}
	p.Evidence["cast_failures"], p.Evidence["declared_type"] = f.CastFailures(reads), field.Type.String()
	return p
}

// considerKinds proposes where a declared field is sent another kind of value than
// at first; integers and fractions are one.
func (c *considered) considerKinds(field *schema.Field, f *profile.Field, reads schema.Type, generation uint32) {
	if len(f.Kinds) < 2 {
		return
	}
	first := slices.MinFunc(f.Kinds, func(a, b profile.Kind) int { return a.FirstSeen.Compare(b.FirstSeen) })
	for i := range f.Kinds {
		k := &f.Kinds[i]
		if k.Kind == first.Kind || isNumberKind(k.Kind) && isNumberKind(first.Kind) {
			continue
		}
		p := c.source(field, f, reads)
		p.Kind = KindType
		p.Evidence["new_kind"] = k.Kind.Name()
		p.Evidence["new_kind_failures"], _ = k.CastFailures(reads)
		c.proposals[identity{Class: classType, Metric: c.table.name, Generation: generation, Sent: f.Sent, Value: k.Kind.Name()}] = p
	}
}

func isNumberKind(k schema.Kind) bool { return k == schema.KindInt || k == schema.KindNumber }

// considerCasts proposes where a share of values fails that is too great, and
// greater than before.
func (c *considered) considerCasts(before *considered, field *schema.Field, f *profile.Field, reads schema.Type, generation uint32) {
	now := castCounts{events: f.Events(), failed: f.CastFailures(reads)}
	c.casts[f.Sent] = now
	id := identity{Class: classCasts, Metric: c.table.name, Generation: generation, Sent: f.Sent}
	was := before.casts[f.Sent]
	lately := castCounts{now.events - was.events, now.failed - was.failed}
	rising := lately.failed >= minFailed && lately.share() >= max(failedShare, was.share()+rises)
	if before.proposals[id] == nil && !rising {
		return
	}
	p := c.source(field, f, reads)
	p.Kind = KindCasts
	p.Evidence["share"] = round(now.share())
	c.proposals[id] = p
}

func (c castCounts) share() float64 {
	if c.events <= 0 {
		return 0
	}
	return float64(c.failed) / float64(c.events)
}
