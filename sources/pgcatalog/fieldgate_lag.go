package pgcatalog

import "context"

func (c *Catalog) lagRows(ctx context.Context, p *pin, b *builder) error {
	if c.cfg.Lags == nil {
		return nil
	}
	lags, err := c.cfg.Lags(ctx, p.state.snapshot.Tenant)
	if err != nil {
		return err
	}
	for _, l := range lags {
		b.add("stage", l.Stage, "shard", int64(l.Shard), "records", l.Records, "seconds", l.Seconds, "position", l.Position)
	}
	return nil
}
