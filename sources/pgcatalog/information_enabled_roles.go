package pgcatalog

import "context"

func enabledRoleRows(_ context.Context, p *pin, b *builder) error {
	b.add("role_name", p.view.User)
	return nil
}
