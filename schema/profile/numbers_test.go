package profile_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
)

// TestSpread: the mean distance from the median is that of the values but for
// outliers, and is the same once it was written and read.
func TestSpread(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]int{"no outliers": math.MaxInt, "one in a hundred": 100} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const events = 20_000
			kv := newKV(t)
			s := profile.New(kv, profile.Config{}).Shard(7)
			random := rand.New(rand.NewPCG(1, 2))
			for n := range events {
				x := 40 * random.ExpFloat64()
				if random.IntN(wrong) == 0 {
					x = 1e9
				}
				e := reading("m", n)
				e.Values = []schema.Value{{Name: "x", Kind: schema.KindNumber, Num: x}}
				if err := s.Note(t.Context(), e, profile.Position{0, 0, uint64(n + 1)}); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Flush(t.Context(), profile.Position{0, 0, events}); err != nil {
				t.Fatal(err)
			}
			summary, err := profile.New(kv, profile.Config{}).Summary(t.Context(), schema.Dataset{Tenant: "acme", Metric: "m"})
			if err != nil {
				t.Fatal(err)
			}
			got := summary.ByName()["x"].Numbers
			if want := 40 * math.Ln2; math.Abs(got.Spread/want-1) > 0.03 || got.SpreadCount < events*9/10 {
				t.Errorf("%g, of %d values, want %g", got.Spread, got.SpreadCount, want)
			}
			if math.Abs(got.Deviation()/40-1) > 0.05 || got.Of < got.Count || 100*got.Count < 98*got.Of {
				t.Errorf("deviation %g of %d values of %d", got.Deviation(), got.Count, got.Of)
			}
		})
	}
}
