package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

func characterSetRows(_ context.Context, view *sources.CatalogView, b *builder) error {
	b.add("character_set_name", "UTF8", "character_repertoire", "UCS", "form_of_use", "UTF8", "default_collate_catalog", view.Snapshot.Tenant)
	return nil
}
