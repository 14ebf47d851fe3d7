package kinesis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/pipeline/tally"
	"github.com/fieldgate/fieldgate/schema"
)

// report is what a process has put into a stream since it opened that.
type report struct {
	tally.Head
	Shards map[stream.ShardID]Usage `json:"shards"`
}

// loadFolder has the reports of a stream's writers.
func (s *Stream) loadFolder() string { return "streams/" + s.cfg.Stream + "/load/" }

// NewReporter makes what tells in the key-value store what this process puts into a
// stream, for the one that scales it. The stream must have a KV.
func NewReporter(s *Stream) *tally.Reporter {
	return tally.NewReporter(s.cfg.KV, s.loadFolder(), func() tally.Report {
		return report{Head: tally.NewHead(time.Since(s.opened)), Shards: s.Used()}
	}, s.cfg.Logger)
}

// load gives what each shard takes, by the reports of all writers: what was put
// between the last two of each, over the time that passed between them for the writer.
func (r *Rescaler) load(ctx context.Context) (load map[stream.ShardID]stream.Load, known bool, err error) {
	load = map[stream.ShardID]stream.Load{}
	known, err = r.writers.Look(ctx, func(before, now *report, seconds float64) {
		for id, u := range now.Shards {
			b := before.Shards[id]
			l := load[id]
			l.BytesPerSecond += float64(u.Bytes-b.Bytes) / seconds
			l.RecordsPerSecond += float64(u.Records+u.Throttled-b.Records-b.Throttled) / seconds
			load[id] = l
		}
	})
	if err != nil {
		return nil, false, fmt.Errorf("add up what is put into %s: %w", r.cfg.Stream.Name(), err)
	}
	return load, known, nil
}

// scaling is what whoever scales a stream knows of earlier changes.
type scaling struct {
	Format  int     `json:"format"`
	Changes []int64 `json:"changes"` // microseconds since 1970 UTC, rising
}

const scalingFormat = 1

func (s *Stream) scalingKey() string { return "streams/" + s.cfg.Stream + "/scaling" }

// changes loads the times of earlier changes, and the version of the value.
func (r *Rescaler) changes(ctx context.Context) (times []time.Time, version uint64, err error) {
	item, err := r.cfg.Stream.cfg.KV.Get(ctx, r.cfg.Stream.scalingKey())
	if errors.Is(err, schema.ErrNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("load the changes of %s: %w", r.cfg.Stream.Name(), err)
	}
	var d scaling
	if err := json.Unmarshal(item.Value, &d); err != nil || d.Format != scalingFormat {
		return nil, 0, fmt.Errorf("the changes of %s cannot be read", r.cfg.Stream.Name())
	}
	for _, at := range d.Changes {
		times = append(times, time.UnixMicro(at))
	}
	return times, item.Version, nil
}

// saveChanges stores them; schema.ErrConflict if another process did since version.
func (r *Rescaler) saveChanges(ctx context.Context, times []time.Time, version uint64) (uint64, error) {
	d := scaling{Format: scalingFormat, Changes: []int64{}}
	for _, at := range times {
		d.Changes = append(d.Changes, at.UnixMicro())
	}
	data, err := json.Marshal(d)
	if err != nil {
		return 0, err
	}
	return r.cfg.Stream.cfg.KV.Put(ctx, r.cfg.Stream.scalingKey(), data, version)
}
