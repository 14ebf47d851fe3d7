package pgcatalog

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// settingRows lists the session's settings.
func settingRows(_ context.Context, p *pin, b *builder) error {
	settings, known := p.view.Settings(), postgres.Settings()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		value := settings[name]
		s := postgres.Setting{Value: value, Type: "string", Context: "user", Category: "Customized Options"}
		if i, ok := slices.BinarySearchFunc(known, name, func(s postgres.Setting, name string) int { return strings.Compare(s.Name, name) }); ok {
			s = known[i]
		}
		words := any(s.Words)
		if s.Words == nil {
			words = nil
		}
		source := "session"
		if value == s.Value {
			source = "default"
		}
		b.add("name", name, "setting", value, "unit", orNull(s.Unit), "category", s.Category, "short_desc", s.Description,
			"context", s.Context, "vartype", s.Type, "source", source, "min_val", orNull(s.Min), "max_val", orNull(s.Max),
			"enumvals", words, "boot_val", s.Value, "reset_val", value, "pending_restart", false)
	}
	return nil
}

// orNull is nil for an empty text.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
