package schematest

import (
	"context"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
)

// Hanging is a KV that never answers the Puts of some keys: they end with their context.
type Hanging struct {
	schema.KV
	Keys []string
}

// Put is Put of schema.KV, or waits for the end of ctx.
func (h *Hanging) Put(ctx context.Context, key string, value []byte, expect uint64) (uint64, error) {
	if slices.Contains(h.Keys, key) {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return h.KV.Put(ctx, key, value, expect)
}
