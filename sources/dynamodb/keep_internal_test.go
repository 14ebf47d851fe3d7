package dynamodb

import (
	"context"
	"time"
)

// Keeper does by steps what Run does by the clock.
type Keeper struct{ keeper }

// NewKeeper makes the state of a Run.
func NewKeeper(t *Tables) *Keeper {
	return &Keeper{keeper{Tables: t, covered: map[string]coverage{}}}
}

// Keep is one step of a Run.
func (k *Keeper) Keep(ctx context.Context) error { return k.keep(ctx) }

// Register registers the week of a time as one whose table is about to be made.
func (k *Keeper) Register(ctx context.Context, at time.Time) error {
	return k.saveWeek(ctx, weekOf(at.UnixMicro()), weekEntry{State: weekMaking})
}
