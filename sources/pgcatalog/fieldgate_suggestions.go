package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// suggestionRows has what an owner has not answered yet, for owners.
func (c *Catalog) suggestionRows(ctx context.Context, p *pin, b *builder) error {
	if c.cfg.Suggestions == nil || !p.isOwner() {
		return nil
	}
	list, err := c.cfg.Suggestions(ctx, p.state.snapshot.Tenant)
	if err != nil {
		return err
	}
	for i := range list {
		s := &list[i]
		evidence, err := postgres.AppendJSONB(nil, string(s.Evidence))
		if err != nil {
			return err
		}
		b.add("id", s.ID, "kind", s.Kind, "metric", s.Metric, "field", orNull(s.Field), "sent_name", orNull(s.Sent), "type", orNull(s.Type),
			"convert", orNull(s.Convert), "confidence", s.Confidence, "evidence", string(evidence), "created_at", s.CreatedAt.UnixMicro())
	}
	return nil
}
