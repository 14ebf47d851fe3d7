package sources_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fieldgate/fieldgate/sources"
)

func TestTimeSet(t *testing.T) {
	t.Parallel()
	type b = sources.Bounds
	for name, c := range map[string]struct {
		add  []b
		want sources.TimeSet
	}{
		"nothing":  {nil, nil},
		"empty":    {[]b{{Min: 2, Max: 1}}, nil},
		"in order": {[]b{{Min: 5, Max: 6}, {Min: 1, Max: 2}}, sources.TimeSet{{Min: 1, Max: 2}, {Min: 5, Max: 6}}},
		"touching": {[]b{{Min: 1, Max: 2}, {Min: 3, Max: 4}, {Min: 6, Max: 6}}, sources.TimeSet{{Min: 1, Max: 4}, {Min: 6, Max: 6}}},
		"within":   {[]b{{Min: 1, Max: 9}, {Min: 3, Max: 4}}, sources.TimeSet{{Min: 1, Max: 9}}},
		"all times": {
			[]b{{Min: math.MinInt64, Max: 0}, {Min: 1, Max: math.MaxInt64}, {Min: 7, Max: 8}},
			sources.TimeSet{sources.Unbounded()},
		},
	} {
		var s sources.TimeSet
		for _, r := range c.add {
			s.Add(r)
		}
		if !slices.Equal(s, c.want) {
			t.Errorf("%s: %v, want %v", name, s, c.want)
		}
	}
}

// TestTimeSetCovers adds thousands of ranges: the set stays small and holds all.
func TestTimeSetCovers(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var s sources.TimeSet
	var added []int64
	for range 3000 {
		at := random.Int64() - random.Int64()
		s.Add(sources.Bounds{Min: at, Max: at})
		added = append(added, at)
	}
	if len(s) > 64 {
		t.Errorf("%d ranges", len(s))
	}
	for _, at := range added {
		if !s.Overlaps(sources.Bounds{Min: at, Max: at}) {
			t.Fatalf("%d is not in the set", at)
		}
	}
	if !slices.IsSortedFunc(s, func(a, b sources.Bounds) int {
		if a.Max < b.Min-1 {
			return -1
		}
		return 1
	}) {
		t.Errorf("ranges are not in order and apart: %v", s)
	}
}

func TestTimesOf(t *testing.T) {
	t.Parallel()
	times := []int64{1000, 1001, 1003, 1002, -5, math.MaxInt64, 1004, math.MinInt64}
	want := []sources.Bounds{
		{Min: math.MinInt64, Max: math.MinInt64}, {Min: -5, Max: -5}, {Min: 1000, Max: 1004}, {Min: math.MaxInt64, Max: math.MaxInt64},
	}
	if got := sources.TimesOf(times); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := sources.TimesOf([]int64{7}); !slices.Equal(got, []sources.Bounds{{Min: 7, Max: 7}}) {
		t.Errorf("one time: %v", got)
	}
	if got := sources.TimesOf(nil); got != nil {
		t.Errorf("no times: %v", got)
	}
}
