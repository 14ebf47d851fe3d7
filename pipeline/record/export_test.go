package record

import "github.com/fieldgate/fieldgate/schema"

// Flatten is Flattener.Flatten for one event.
func Flatten(dst []schema.Value, event []byte) ([]schema.Value, error) {
	return new(Flattener).Flatten(dst, event)
}

// Identify is Identifier.Identify for one event.
func Identify(values []schema.Value, ownTime bool, receipt string, index uint32) (id, hash schema.ID) {
	return new(Identifier).Identify(values, ownTime, receipt, index)
}
