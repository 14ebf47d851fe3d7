package pgcatalog

import (
	"context"
	"maps"
	"slices"
)

// settingRows lists the session's settings.
func settingRows(_ context.Context, p *pin, b *builder) error {
	settings := p.view.Settings()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		value := settings[name]
		b.add("name", name, "setting", value, "category", "Client Connection Defaults", "short_desc", "", "context", "user",
			"vartype", "string", "source", "session", "reset_val", value, "boot_val", value, "pending_restart", false)
	}
	return nil
}
