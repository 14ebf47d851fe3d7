package stream

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// What a shard takes a second, and how its number may change ("Quotas and limits" and "UpdateShardCount", Kinesis
// documentation).
const (
	shardBytesPerSecond   = 1 << 20
	shardRecordsPerSecond = 1000
	// imbalance is how far a shard's range may be from an equal part.
	imbalance = 0.01
	// hotShard is the utilisation of one shard that is worth an alarm.
	hotShard = 0.9
	// shrinkBelow is the part of the shards that must be enough before they are made fewer: less is not worth the change.
	shrinkBelow = 0.75
	day         = 24 * time.Hour
)

// ScalerConfig are the knobs of a Scaler.
type ScalerConfig struct {
	// Target is the utilisation aimed at, above 0 and up to 1. Default 0.5.
	Target float64
	// Least and Greatest bound the open shards. Defaults 1 and 200.
	Least, Greatest int
	// Cooldown is the least time between two changes for the load's sake. Default 15 min.
	Cooldown time.Duration
	// Daily is how many changes there may be in 24 hours. Default 10.
	Daily int
}

func (c ScalerConfig) withDefaults() ScalerConfig {
	if c.Target == 0 {
		c.Target = 0.5
	}
	if c.Least == 0 {
		c.Least = 1
	}
	if c.Greatest == 0 {
		c.Greatest = 200
	}
	if c.Cooldown == 0 {
		c.Cooldown = 15 * time.Minute
	}
	if c.Daily == 0 {
		c.Daily = 10
	}
	return c
}

// Load is what a shard takes.
type Load struct{ BytesPerSecond, RecordsPerSecond float64 }

// utilisation is the greater part of what one shard can take, 0 to 1 and more.
func (l Load) utilisation() float64 {
	return max(l.BytesPerSecond/shardBytesPerSecond, l.RecordsPerSecond/shardRecordsPerSecond)
}

// Advice says what to do with a log's shards.
type Advice struct {
	// Shards is how many there should be; 0: as many as there are.
	Shards int
	// Hot shards take nearly all they can while others do not.
	Hot []ShardID
	// Reason explains the advice to people.
	Reason string
}

// Scaler decides how many shards a log should have. It is pure: time and load are given to it. It is for one goroutine.
type Scaler struct {
	cfg     ScalerConfig
	changes []time.Time // of the last day
}

// NewScaler checks the configuration.
func NewScaler(cfg ScalerConfig) (*Scaler, error) {
	cfg = cfg.withDefaults()
	if cfg.Target < 0 || cfg.Target > 1 || cfg.Least < 1 || cfg.Greatest < cfg.Least || cfg.Cooldown < 0 || cfg.Daily < 0 {
		return nil, errors.New("scaler: a target above 0 and up to 1, and at least one shard, are needed")
	}
	return &Scaler{cfg: cfg}, nil
}

// Changed notes that the number of shards was changed.
func (s *Scaler) Changed(now time.Time) { s.changes = append(s.changes, now) }

// Restore has the Scaler know of those changes alone, in the order of time.
func (s *Scaler) Restore(changes []time.Time) { s.changes = changes }

// Changes are those of the last day, as of the last advice.
func (s *Scaler) Changes() []time.Time { return slices.Clone(s.changes) }

// Advise says what to do, given the shards and what the open ones take. A number once advised is advised again until it
// is reached or the load has changed.
func (s *Scaler) Advise(now time.Time, shards []Shard, load map[ShardID]Load) Advice {
	for len(s.changes) > 0 && now.Sub(s.changes[0]) >= day {
		s.changes = s.changes[1:]
	}
	var all Load
	var a Advice
	var open []Shard
	for _, shard := range shards {
		if !shard.Open {
			continue
		}
		open = append(open, shard)
		l := load[shard.ID]
		all.BytesPerSecond += l.BytesPerSecond
		all.RecordsPerSecond += l.RecordsPerSecond
		if l.utilisation() >= hotShard {
			a.Hot = append(a.Hot, shard.ID)
		}
	}
	n := len(open)
	if n == 0 {
		return Advice{Reason: "no shard is open"}
	}
	used := all.utilisation() / float64(n)
	a.Reason = fmt.Sprintf("%d shards take %.0f KB and %.0f records a second, %.0f %% of what they can; the target is %.0f %%",
		n, all.BytesPerSecond/1024, all.RecordsPerSecond, 100*used, 100*s.cfg.Target)
	if used >= s.cfg.Target && len(a.Hot) > 0 || len(a.Hot) == n {
		a.Hot = nil // all are busy: more shards help
	}
	wanted := max(int(math.Ceil(all.utilisation()/s.cfg.Target)), 1)
	wanted = min(max(wanted, s.cfg.Least), s.cfg.Greatest)
	switch {
	case wanted > n, n > s.cfg.Greatest, len(a.Hot) == 0 && float64(wanted) <= shrinkBelow*float64(n):
		// One change at most doubles or halves.
		s.change(&a, now, min(max(wanted, (n+1)/2), 2*n), s.cfg.Cooldown)
	case !balanced(open):
		a.Reason += "; the shards' ranges are not equal, and become so when their number changes"
		repaired := n + 1
		if n >= s.cfg.Greatest {
			repaired = max(n-1, 1)
		}
		s.change(&a, now, repaired, 0)
	}
	return a
}

// change advises a number unless it is too soon for that.
func (s *Scaler) change(a *Advice, now time.Time, to int, cooldown time.Duration) {
	a.Reason += fmt.Sprintf("; there should be %d", to)
	switch last := len(s.changes) - 1; {
	case len(s.changes) >= s.cfg.Daily:
		a.Reason += fmt.Sprintf(", but there were %d changes in 24 hours, the next may be %s", len(s.changes), s.changes[0].Add(day).UTC().Format(time.RFC3339))
	case last >= 0 && now.Sub(s.changes[last]) < cooldown:
		a.Reason += fmt.Sprintf(", but the last change was less than %s ago", cooldown)
	default:
		a.Shards = to
	}
}

// balanced says that the ranges of the open shards are equal within the imbalance that is allowed.
func balanced(open []Shard) bool {
	for _, s := range open {
		part := (float64(s.HashTo-s.HashFrom) + 1) / (math.MaxUint64 + 1.0) * float64(len(open))
		if math.Abs(part-1) > imbalance {
			return false
		}
	}
	return true
}
