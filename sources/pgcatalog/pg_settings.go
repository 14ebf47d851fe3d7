package pgcatalog

import (
	"context"
	"maps"
	"slices"

	"github.com/fieldgate/fieldgate/sources"
)

// settingRows lists the session's settings.
func settingRows(_ context.Context, view *sources.CatalogView, b *builder) error {
	for _, name := range slices.Sorted(maps.Keys(view.Settings)) {
		value := view.Settings[name]
		b.add("name", name, "setting", value, "category", "Client Connection Defaults", "short_desc", "", "context", "user",
			"vartype", "string", "source", "session", "reset_val", value, "boot_val", value, "pending_restart", false)
	}
	return nil
}
