package kinesis

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// reportEvery is how often a process tells what it puts into a stream.
const reportEvery = 10 * time.Second

// report is what a process has put into a stream since it opened that.
type report struct {
	Format int `json:"format"`
	// Micros is how long ago that was when the report was written.
	Micros int64                    `json:"micros"`
	Shards map[stream.ShardID]Usage `json:"shards"`
}

const reportFormat = 1

// loadFolder has the reports of a stream's writers.
func (s *Stream) loadFolder() string { return "streams/" + s.cfg.Stream + "/load/" }

// Reporter tells in the key-value store what this process puts into a stream, for the
// one that scales it.
type Reporter struct {
	s       *Stream
	key     string
	version uint64
	log     *slog.Logger
}

// NewReporter makes a Reporter. The stream must have a KV. Nothing is told before Run.
func NewReporter(s *Stream) *Reporter {
	return &Reporter{s: s, key: s.loadFolder() + rand.Text(), log: s.cfg.Logger}
}

// Run reports until ctx ends, and then takes the report back.
func (r *Reporter) Run(ctx context.Context) error {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		if err := r.Report(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("tell what is put into a stream", "stream", r.s.Name(), "err", err)
		}
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = r.s.cfg.KV.Delete(last, r.key, r.version) // who scales removes what is left
		return nil
	}
}

// Report tells once.
func (r *Reporter) Report(ctx context.Context) error {
	data, err := json.Marshal(report{Format: reportFormat, Micros: time.Since(r.s.opened).Microseconds(), Shards: r.s.Used()})
	if err != nil {
		return err
	}
	version, err := r.s.cfg.KV.Put(ctx, r.key, data, r.version)
	if errors.Is(err, schema.ErrConflict) {
		// An answer was lost, or it was taken for a dead process's and removed.
		item, getErr := r.s.cfg.KV.Get(ctx, r.key)
		if getErr != nil && !errors.Is(getErr, schema.ErrNotFound) {
			return getErr
		}
		version, err = r.s.cfg.KV.Put(ctx, r.key, data, item.Version)
	}
	if err == nil {
		r.version = version
	}
	return err
}

// forgottenAfter is after how many looks at a report that has not changed its process
// is taken for dead.
const forgottenAfter = 3

// watched is a writer as the last look found it.
type watched struct {
	report
	same int // looks for which the report has not changed
}

// load gives what each shard takes, by the reports of all writers: what was put
// between the last two of each, over the time that passed between them for the writer.
// Nothing is known at the first look, while nobody reports, and while a writer is
// silent that may only be unable to tell.
func (r *Rescaler) load(ctx context.Context) (load map[stream.ShardID]stream.Load, known bool, err error) {
	kv, folder := r.cfg.Stream.cfg.KV, r.cfg.Stream.loadFolder()
	load = map[stream.ShardID]stream.Load{}
	known = r.writers != nil
	first, now := !known, map[string]watched{}
	const page = 500
	for after := ""; ; {
		items, err := kv.List(ctx, folder, after, page)
		if err != nil {
			return nil, false, fmt.Errorf("list what is put into %s: %w", r.cfg.Stream.Name(), err)
		}
		for _, item := range items {
			after = item.Key
			w := watched{}
			if err := json.Unmarshal(item.Value, &w.report); err != nil || w.Format != reportFormat {
				return nil, false, fmt.Errorf("report %s cannot be read", item.Key)
			}
			name := strings.TrimPrefix(item.Key, folder)
			before, seen := r.writers[name]
			if seen && w.Micros == before.Micros {
				if w.same = before.same + 1; w.same >= forgottenAfter {
					if err := kv.Delete(ctx, item.Key, item.Version); err != nil && !errors.Is(err, schema.ErrConflict) && !errors.Is(err, schema.ErrNotFound) {
						return nil, false, fmt.Errorf("remove a dead writer's report: %w", err)
					}
					continue
				}
				known = false
			} else if seen || !first {
				w.addSince(before.report, load)
			}
			now[name] = w
		}
		if len(items) < page {
			break
		}
	}
	r.writers = now
	return load, known && len(now) > 0, nil
}

// addSince adds what was put since an earlier report, a second.
func (r *report) addSince(before report, load map[stream.ShardID]stream.Load) {
	seconds := float64(r.Micros-before.Micros) / 1e6
	if seconds <= 0 {
		return
	}
	for id, u := range r.Shards {
		b := before.Shards[id]
		l := load[id]
		l.BytesPerSecond += float64(u.Bytes-b.Bytes) / seconds
		l.RecordsPerSecond += float64(u.Records+u.Throttled-b.Records-b.Throttled) / seconds
		load[id] = l
	}
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
