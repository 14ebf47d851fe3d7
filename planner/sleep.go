package planner

import (
	"context"
	"math"
	"time"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// microsOf are the parts of an interval as PostgreSQL adds them up (EXTRACT EPOCH).
func microsOf(months, days int64) float64 {
	const day = 24 * 3600 * 1e6
	return float64(months)*30*day + float64(days)*day
}

// sleepFunc is a function that waits before the statement runs, which is when its
// arguments are known: for a number of seconds, an interval, or until a time.
func sleepFunc(seconds func(b *binder, c *Const) float64) sessionFunc {
	return func(b *binder, _ *callSite, args []*Const) (Expr, error) {
		if args[0].Null || b.env.sleep == nil {
			return nullConst(plainType(postgres.VoidOID)), nil
		}
		if err := b.env.sleep(seconds(b, args[0])); err != nil {
			return nil, err
		}
		return textConst(postgres.VoidOID, ""), nil
	}
}

func sleepSeconds(_ *binder, c *Const) float64 { return c.Value.Float }

func sleepInterval(_ *binder, c *Const) float64 {
	return (microsOf(int64(c.Value.Months), int64(c.Value.Days)) + float64(c.Value.Int)) / 1e6
}

func sleepUntil(b *binder, c *Const) float64 {
	return float64(c.Value.Int-b.env.statement.UnixMicro()) / 1e6
}

// sleep waits until the time is over or ctx ends.
func sleep(ctx context.Context, seconds float64) error {
	if seconds <= 0 || math.IsNaN(seconds) {
		return nil
	}
	t := time.NewTimer(time.Duration(min(seconds, math.MaxInt64/float64(time.Second)-1) * float64(time.Second)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
