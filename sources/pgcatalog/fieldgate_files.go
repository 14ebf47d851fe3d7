package pgcatalog

import "context"

func (c *Catalog) fileRows(ctx context.Context, p *pin, b *builder) error {
	if c.cfg.Files == nil {
		return nil
	}
	files, err := c.cfg.Files(ctx, p.state.snapshot.Tenant)
	if err != nil {
		return err
	}
	for i := range files {
		f := &files[i]
		if !p.mayObserve(f.Metric) {
			continue
		}
		b.add("metric", f.Metric, "path", f.Path, "rows", f.Rows, "bytes", f.Bytes, "min_ts", f.MinTime.UnixMicro(),
			"max_ts", f.MaxTime.UnixMicro(), "columns", f.Columns, "created_at", f.CreatedAt.UnixMicro())
	}
	return nil
}
