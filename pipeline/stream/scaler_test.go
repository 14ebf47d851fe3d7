package stream_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// equalShards makes n open shards of equal ranges.
func equalShards(n int) []stream.Shard {
	shards := make([]stream.Shard, n)
	width := math.MaxUint64/uint64(n) + 1
	for i := range shards {
		shards[i] = stream.Shard{ID: stream.ShardID(i), HashFrom: uint64(i) * width, HashTo: uint64(i+1)*width - 1, Open: true}
	}
	shards[n-1].HashTo = math.MaxUint64
	return shards
}

// eachTakes is a load of the same share of its bytes for each shard.
func eachTakes(shards []stream.Shard, share float64) map[stream.ShardID]stream.Load {
	load := map[stream.ShardID]stream.Load{}
	for _, s := range shards {
		load[s.ID] = stream.Load{BytesPerSecond: share * (1 << 20), RecordsPerSecond: 10}
	}
	return load
}

func TestScalerAdvice(t *testing.T) {
	t.Parallel()
	skewed := equalShards(4)
	skewed[1].HashTo += math.MaxUint64 / 100
	skewed[2].HashFrom = skewed[1].HashTo + 1
	closed := append(equalShards(4), stream.Shard{ID: 9, HashTo: math.MaxUint64})
	hot := eachTakes(equalShards(4), 0.2)
	hot[2] = stream.Load{RecordsPerSecond: 950}
	for name, tt := range map[string]struct {
		shards []stream.Shard
		load   map[stream.ShardID]stream.Load
		want   int
		hot    []stream.ShardID
		reason string
	}{
		"at the target":       {equalShards(4), eachTakes(equalShards(4), 0.5), 0, nil, "50 % of what they can"},
		"above it":            {equalShards(4), eachTakes(equalShards(4), 0.6), 5, nil, "there should be 5"},
		"at most doubled":     {equalShards(4), eachTakes(equalShards(4), 4), 8, nil, ""},
		"records count, too":  {equalShards(1), map[stream.ShardID]stream.Load{0: {RecordsPerSecond: 900}}, 2, nil, "900 records"},
		"a little below it":   {equalShards(4), eachTakes(equalShards(4), 0.4), 0, nil, ""},
		"far below it":        {equalShards(4), eachTakes(equalShards(4), 0.3), 3, nil, ""},
		"at least half":       {equalShards(8), nil, 4, nil, ""},
		"never none":          {equalShards(1), nil, 0, nil, ""},
		"closed do not count": {closed, eachTakes(equalShards(4), 0.5), 0, nil, "4 shards"},
		"unequal ranges":      {skewed, eachTakes(skewed, 0.5), 5, nil, "not equal"},
		"a hot shard":         {equalShards(4), hot, 0, []stream.ShardID{2}, ""},
		"nothing open":        {closed[4:], nil, 0, nil, "no shard is open"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := stream.NewScaler(stream.ScalerConfig{})
			if err != nil {
				t.Fatal(err)
			}
			got := s.Advise(time.Unix(0, 0), tt.shards, tt.load)
			if got.Shards != tt.want || !slices.Equal(got.Hot, tt.hot) || !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("advice: %+v, want %d shards, hot %v, a reason with %q", got, tt.want, tt.hot, tt.reason)
			}
		})
	}
}

// TestScalerPauses holds the pause between changes, and how many a day there are.
func TestScalerPauses(t *testing.T) {
	t.Parallel()
	s, err := stream.NewScaler(stream.ScalerConfig{Cooldown: time.Hour, Daily: 3})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Unix(0, 0)
	shards := equalShards(2)
	busy := eachTakes(shards, 1)
	for _, step := range []struct {
		after  time.Duration
		want   int
		change bool
	}{
		{0, 4, true},
		{59 * time.Minute, 0, false},
		{time.Hour, 4, true},
		{2 * time.Hour, 4, false}, // did not succeed: advised again
		{2 * time.Hour, 4, true},
		{4 * time.Hour, 0, false}, // the day's changes are used up
		{24 * time.Hour, 4, false},
	} {
		now := start.Add(step.after)
		if got := s.Advise(now, shards, busy); got.Shards != step.want {
			t.Fatalf("after %s: %+v, want %d", step.after, got, step.want)
		}
		if step.change {
			s.Changed(now)
		}
	}
}

func TestScalerConfig(t *testing.T) {
	t.Parallel()
	for _, cfg := range []stream.ScalerConfig{{Target: 1.1}, {Target: -1}, {Least: 3, Greatest: 2}, {Daily: -1}} {
		if _, err := stream.NewScaler(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}
