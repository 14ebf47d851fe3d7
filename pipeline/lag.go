package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// Lag is how far a stage is behind the end of a shard.
type Lag struct {
	Stage, Log string
	Shard      stream.ShardID
	// Records counts those that are not handled yet, where sequences are dense, as
	// in stream.Disk; in a log that numbers otherwise it is 0.
	Records uint64
	// Seconds is how long ago the last record that is handled arrived, if any is
	// not handled; 0 also before the first one.
	Seconds float64
	// Position is the last record handled.
	Position stream.Sequence
}

// Lag tells how far the stage is, by shard.
func (r *Raw) Lag(ctx context.Context) ([]Lag, error) {
	return lagOf(ctx, StageRaw, LogRaw, r.cfg.Raw, r.progress, r.seen())
}

// Lag tells how far the stage is, by log and shard.
func (s *Staging) Lag(ctx context.Context) ([]Lag, error) {
	var out []Lag
	for _, in := range s.inputs() {
		lags, err := lagOf(ctx, StageStaging, in.name, in.log, in.progress, in.seen())
		if err != nil {
			return nil, err
		}
		out = append(out, lags...)
	}
	return out, nil
}

// Lag tells how far the stage is, by log and shard. Records count as handled when
// the archive has them.
func (d *Delivery) Lag(ctx context.Context) ([]Lag, error) {
	var out []Lag
	for _, l := range d.logs {
		lags, err := lagOf(ctx, StageDelivery, l.name, l.log, l.progress, l.seen())
		if err != nil {
			return nil, err
		}
		out = append(out, lags...)
	}
	return out, nil
}

func lagOf(ctx context.Context, stage, name string, log stream.Log, p *progress, seen seenFunc) ([]Lag, error) {
	to, err := endsOf(ctx, log, seen)
	if err != nil {
		return nil, fmt.Errorf("lag of stage %s: %w", stage, err)
	}
	out := make([]Lag, 0, len(to))
	for shard, end := range to {
		at, _ := p.at(shard)
		lag := Lag{Stage: stage, Log: name, Shard: shard, Position: at.seq}
		if end.Compare(at.seq) > 0 {
			if end[0] == 0 && end[1] == 0 {
				lag.Records = end[2] - at.seq[2]
			}
			if at.arrivedAt != 0 {
				lag.Seconds = time.Since(time.UnixMicro(at.arrivedAt)).Seconds()
			}
		}
		out = append(out, lag)
	}
	slices.SortFunc(out, func(a, b Lag) int { return cmp.Compare(a.Shard, b.Shard) })
	return out, nil
}
