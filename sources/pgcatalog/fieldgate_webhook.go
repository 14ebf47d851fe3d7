package pgcatalog

import "context"

// webhookRows has the tenant's webhook, for owners, and never its secret.
func (c *Catalog) webhookRows(ctx context.Context, p *pin, b *builder) error {
	if c.cfg.Webhook == nil || !p.isOwner() {
		return nil
	}
	hook, err := c.cfg.Webhook(ctx, p.state.snapshot.Tenant)
	if err != nil || hook == nil {
		return err
	}
	var delivered any
	if !hook.DeliveredAt.IsZero() {
		delivered = hook.DeliveredAt.UnixMicro()
	}
	b.add("url", hook.URL, "signed", hook.Signed, "set_by", hook.SetBy, "set_at", hook.SetAt.UnixMicro(), "delivered_at", delivered,
		"error", orNull(hook.Error))
	return nil
}
