package planner_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
)

// endsAfter is a context that ends while it is asked whether it has.
type endsAfter struct {
	context.Context //nolint:containedctx // it is a context

	left, asked atomic.Int64
}

func (c *endsAfter) Err() error {
	c.asked.Add(1)
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestPlanningStops ends the context of statements while they are bound.
func TestPlanningStops(t *testing.T) {
	t.Parallel()
	const terms = 500
	for name, sql := range map[string]string{
		"calls":  "SELECT " + strings.Repeat("lower(", terms) + "'a'" + strings.Repeat(")", terms),
		"sum":    "SELECT 1.0" + strings.Repeat(" + 1.0", terms),
		"casts":  "SELECT '1'" + strings.Repeat("::text::varchar", terms),
		"and":    "SELECT true" + strings.Repeat(" AND true", terms),
		"union":  "SELECT 1" + strings.Repeat(" UNION ALL SELECT 1", terms),
		"values": "VALUES (1)" + strings.Repeat(", (1)", terms),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			statements, err := w.session.Parse(t.Context(), sql)
			if err != nil {
				t.Fatal(err)
			}
			const before = 100
			ctx := &endsAfter{Context: t.Context()}
			ctx.left.Store(before)
			if _, err := w.session.Prepare(ctx, statements[0], nil); !errors.Is(err, context.Canceled) {
				t.Errorf("it was bound to the end: %v", err)
			}
			if n := ctx.asked.Load(); n > before+10 {
				t.Errorf("it went on for %d steps after its end", n-before)
			}
		})
	}
}

// TestParsingStops ends the context of a text while it is parsed; the session parses
// on afterwards.
func TestParsingStops(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := "SELECT 1" + strings.Repeat(";", 200_000)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for range 2 { // the second finds the first under way
		if _, err := w.session.Parse(stopped, long); !errors.Is(err, context.Canceled) {
			t.Errorf("it was parsed to the end: %v", err)
		}
	}
	for _, sql := range []string{"SELECT 1", long} {
		if statements, err := w.session.Parse(t.Context(), sql); err != nil || len(statements) != 1 {
			t.Errorf("%.8s: %d statements, %v", sql, len(statements), err)
		}
	}
}
