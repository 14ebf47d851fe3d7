package pgcatalog

import "context"

// cursorRows lists the session's open cursors.
func cursorRows(_ context.Context, p *pin, b *builder) error {
	if p.view.Cursors == nil {
		return nil
	}
	for _, c := range p.view.Cursors() {
		b.add("name", c.Name, "statement", c.Statement, "is_holdable", c.Hold, "is_binary", c.Binary, "is_scrollable", c.Scroll,
			"creation_time", c.CreatedAt.UnixMicro())
	}
	return nil
}
