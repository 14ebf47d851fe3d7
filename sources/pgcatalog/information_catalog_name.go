package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

const catalogNameRelation = "information_schema_catalog_name"

func catalogNameRows(_ context.Context, view *sources.CatalogView, b *builder) error {
	b.add("catalog_name", view.Snapshot.Tenant)
	return nil
}
