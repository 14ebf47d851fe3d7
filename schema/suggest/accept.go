package suggest

import (
	"context"
	"fmt"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
)

// Change is what an answer does to the schema.
type Change struct {
	// What says it for the schema's history.
	What string
	Edit func(d *schema.Draft) error
}

// Accept is the change that a suggestion proposes. Settle it once that is made.
// The error may wrap ErrNotFound, ErrAnswered or ErrNothing.
func (a *Advisor) Accept(ctx context.Context, tenant string, number int64) (*Change, error) {
	doc, err := a.find(ctx, tenant, number)
	if err != nil {
		return nil, err
	}
	s := doc.suggestion()
	t, err := a.typed(&s)
	if err != nil {
		return nil, err
	}
	fields, err := a.fieldsOf(ctx, tenant, &s)
	if err != nil {
		return nil, err
	}
	change := &Change{What: fmt.Sprintf("accept suggestion %d: %s", s.ID, s.summary())}
	change.Edit = func(d *schema.Draft) error {
		if err := declare(d, s.Metric, fields); err != nil {
			return err
		}
		switch s.Kind {
		case KindMetric:
			return nil
		case KindMetricAlias:
			return d.AddMetricAlias(s.Metric, s.Sent)
		case KindField:
			return d.AddField(s.Metric, schema.Field{Name: s.Sent, Type: t})
		case KindAlias:
			return d.AddSource(s.Metric, s.Field, schema.Source{Name: s.Sent, Convert: s.Convert})
		case KindType, KindCasts:
			return d.ChangeFieldType(s.Metric, s.Field, t)
		case KindMissing:
			return d.AddField(s.Metric, schema.Field{Name: s.Sent, Type: t, Sources: []schema.Source{{Name: s.Field}}})
		}
		return fmt.Errorf("suggestion %d: %w", s.ID, ErrNothing)
	}
	return change, nil
}

// AsMetric is the change that makes what a suggestion is about a metric of its
// own: a metric that nobody declared, under that name; or the later events of a
// metric that carry a new name, with the fields of that metric. Settle it once that
// is made. Errors are as with Accept.
func (a *Advisor) AsMetric(ctx context.Context, tenant string, number int64, name string) (*Change, error) {
	doc, err := a.find(ctx, tenant, number)
	if err != nil {
		return nil, err
	}
	change := &Change{What: fmt.Sprintf("accept suggestion %d: %s of metric %s is metric %s", number, doc.Sent, doc.About.Metric, name)}
	snapshot, err := a.cfg.Schemas.Current(ctx, tenant)
	if err != nil {
		return nil, err
	}
	from, declared := snapshot.Metric(doc.About.Metric)
	summary, err := a.cfg.Profiles.Summary(ctx, snapshot.Dataset(doc.About.Metric))
	if err != nil {
		return nil, err
	}
	made := schema.Metric{Name: name}
	switch doc.About.Class {
	case classMetric:
		made.Fields = fieldsIn(summary, ignoredNames(snapshot))
		if name != doc.About.Metric {
			made.Aliases = []string{doc.About.Metric}
		}
		change.What = fmt.Sprintf("accept suggestion %d: %s is metric %s", number, doc.About.Metric, name)
		change.Edit = func(d *schema.Draft) error { return d.CreateMetric(made) }
		return change, nil
	case className:
	default:
		return nil, fmt.Errorf("suggestion %d is about no new metric or field: %w", number, ErrNothing)
	}
	if declared {
		made.TimestampAliases, made.TimestampPatterns, made.RejectMissingTime = from.TimestampAliases, from.TimestampPatterns, from.RejectMissingTime
		for _, f := range from.Fields {
			made.Fields = append(made.Fields, schema.Field{Name: f.Name, Type: f.Type, Sources: f.Sources})
		}
		if f := summary.ByName()[doc.Sent]; f != nil {
			made.Fields = append(made.Fields, schema.Field{Name: doc.Sent, Type: bestType(f)})
		}
	} else {
		made.Fields = fieldsIn(summary, ignoredNames(snapshot))
	}
	change.Edit = func(d *schema.Draft) error {
		if err := d.CreateMetric(made); err != nil {
			return err
		}
		return d.SetRule(schema.Rule{Metric: doc.About.Metric, Sent: doc.Sent, To: name})
	}
	return change, nil
}

// fieldsIn are fields of the best types for all names but some.
func fieldsIn(s *profile.Summary, without map[string]bool) []schema.Field {
	var out []schema.Field
	for i := range s.Fields {
		if f := &s.Fields[i]; !without[f.Sent] {
			out = append(out, schema.Field{Name: f.Sent, Type: bestType(f)})
		}
	}
	return out
}

// typed is the type that a suggestion proposes, if it needs one.
func (a *Advisor) typed(s *Suggestion) (schema.Type, error) {
	if s.Kind == KindMissing && s.Field == "" {
		return schema.Type{}, fmt.Errorf("suggestion %d: nothing like %q is sent: %w", s.ID, s.Sent, ErrNothing)
	}
	if s.Type == "" {
		return schema.Type{}, nil
	}
	return schema.ParseType(s.Type)
}

// summary says in a line what a suggestion proposes.
func (s *Suggestion) summary() string {
	switch s.Kind {
	case KindMetric:
		return fmt.Sprintf("metric %s", s.Metric)
	case KindMetricAlias:
		return fmt.Sprintf("%s is metric %s", s.Sent, s.Metric)
	case KindAlias:
		return fmt.Sprintf("%s is %s.%s", s.Sent, s.Metric, s.Field)
	case KindType, KindCasts:
		return fmt.Sprintf("%s.%s is %s", s.Metric, s.Field, s.Type)
	}
	return fmt.Sprintf("field %s.%s", s.Metric, s.Sent)
}

// declare makes a metric that nobody declared, with what its devices sent.
func declare(d *schema.Draft, metric string, fields []schema.Field) error {
	if _, ok := d.Metric(metric); ok {
		return nil
	}
	return d.CreateMetric(schema.Metric{Name: metric, Fields: slices.Clone(fields)})
}

// fieldsOf are the fields that a metric which nobody declared would have, but for
// what the suggestion makes another name of one.
func (a *Advisor) fieldsOf(ctx context.Context, tenant string, s *Suggestion) ([]schema.Field, error) {
	snapshot, err := a.cfg.Schemas.Current(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if _, declared := snapshot.Metric(s.Metric); declared {
		return nil, nil
	}
	summary, err := a.cfg.Profiles.Summary(ctx, snapshot.Dataset(s.Metric))
	if err != nil {
		return nil, err
	}
	without := ignoredNames(snapshot)
	switch s.Kind {
	case KindAlias:
		without[s.Sent] = true
	case KindMissing:
		without[s.Field] = true
	}
	return fieldsIn(summary, without), nil
}
