package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

func enabledRoleRows(_ context.Context, view *sources.CatalogView, b *builder) error {
	b.add("role_name", view.User)
	return nil
}
