package pgcatalog

import "context"

func (c *Catalog) schemaHistoryRows(ctx context.Context, p *pin, b *builder) error {
	if c.cfg.History == nil {
		return nil
	}
	versions, err := c.cfg.History(ctx, p.state.snapshot.Tenant)
	if err != nil {
		return err
	}
	for i, v := range versions {
		var previous any
		if v.Previous != 0 {
			previous = int64(v.Previous)
		}
		b.add("version", int64(v.Version), "previous", previous, "changed_at", v.CreatedAt.UnixMicro(),
			"changed_by", v.Who, "change", v.What, "current", i == 0)
	}
	return nil
}
