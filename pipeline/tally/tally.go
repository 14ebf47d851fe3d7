// Package tally adds up what several processes count: each has a Reporter tell in the
// key-value store how much it has counted since it began, and whoever wants the sum has
// a Watcher look at all reports. What is counted is its users'.
//
// No clocks are compared: a report says how old its process's count is by that
// process's own clock.
package tally

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/fieldgate/fieldgate/schema"
)

const (
	// reportEvery is how often a process tells.
	reportEvery = 10 * time.Second
	// forgottenAfter is after how many looks at a report that has not changed its process
	// is taken for dead.
	forgottenAfter = 3
	// page is how many reports are listed at once.
	page = 500

	format = 1
)

// Head begins every report; what a process has counted follows it, in a struct that
// embeds it.
type Head struct {
	Format int `json:"format"`
	// Micros is for how long had been counted when the report was written.
	Micros int64 `json:"micros"`
}

// NewHead is that of a report of what was counted for so long.
func NewHead(counted time.Duration) Head { return Head{Format: format, Micros: counted.Microseconds()} }

func (h Head) head() Head { return h }

// Report is a struct that embeds Head.
type Report interface{ head() Head }

// Reporter tells what this process has counted.
type Reporter struct {
	kv      schema.KV
	key     string
	count   func() Report
	version uint64
	told    time.Time // the last report; zero: none yet
	log     *slog.Logger
}

// NewReporter makes a Reporter into a folder of the key-value store, which ends with a
// slash. count gives what was counted by now; its counts never fall. Nothing is told
// before Run.
func NewReporter(kv schema.KV, folder string, count func() Report, log *slog.Logger) *Reporter {
	return &Reporter{kv: kv, key: folder + rand.Text(), count: count, log: log}
}

// Run reports until ctx ends, and then takes the report back.
func (r *Reporter) Run(ctx context.Context) error {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		if err := r.Report(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("tell what this process has counted", "key", r.key, "err", err)
		}
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = r.kv.Delete(last, r.key, r.version) // who watches removes what is left
		return nil
	}
}

// Report tells once.
func (r *Reporter) Report(ctx context.Context) error {
	data, err := json.Marshal(r.count())
	if err != nil {
		return err
	}
	version, err := r.kv.Put(ctx, r.key, data, r.version)
	if errors.Is(err, schema.ErrConflict) {
		// An answer was lost, or it was taken for a dead process's and removed.
		item, getErr := r.kv.Get(ctx, r.key)
		if getErr != nil && !errors.Is(getErr, schema.ErrNotFound) {
			return getErr
		}
		version, err = r.kv.Put(ctx, r.key, data, item.Version)
	}
	if err == nil {
		r.version, r.told = version, time.Now()
	}
	return err
}

// ReportDue tells once if the last report is as old as Run has one become. It is for a
// process that is stopped between the calls that it serves, and so cannot Run.
func (r *Reporter) ReportDue(ctx context.Context) error {
	if !r.told.IsZero() && time.Since(r.told) < reportEvery {
		return nil
	}
	return r.Report(ctx)
}

// Watcher looks at the reports in a folder. It is for one goroutine.
type Watcher[R Report] struct {
	kv     schema.KV
	folder string
	seen   map[string]watched[R] // by process, at the last look; nil before the first
}

// watched is a process's report as the last look found it.
type watched[R Report] struct {
	report R
	same   int // looks for which the report has not changed
}

// NewWatcher makes a Watcher of the folder that Reporters have.
func NewWatcher[R Report](kv schema.KV, folder string) *Watcher[R] {
	return &Watcher[R]{kv: kv, folder: folder}
}

// Processes is how many reported at the last look.
func (w *Watcher[R]) Processes() int { return len(w.seen) }

// Look has add see, for each process that has told something since the last look, its
// report of then, empty if there was none, the one of now, and the seconds between
// them by the process's clock. complete says that the sum is one of all processes: not
// at the first look, while nobody reports, or while a process is silent that may only be
// unable to tell.
func (w *Watcher[R]) Look(ctx context.Context, add func(before, now *R, seconds float64)) (complete bool, err error) {
	first, now := w.seen == nil, map[string]watched[R]{}
	complete = !first
	for after := ""; ; {
		items, err := w.kv.List(ctx, w.folder, after, page)
		if err != nil {
			return false, fmt.Errorf("list the reports in %s: %w", w.folder, err)
		}
		for _, item := range items {
			after = item.Key
			var found watched[R]
			if err := json.Unmarshal(item.Value, &found.report); err != nil || found.report.head().Format != format {
				return false, fmt.Errorf("report %s cannot be read", item.Key)
			}
			name := strings.TrimPrefix(item.Key, w.folder)
			before, known := w.seen[name]
			seconds := float64(found.report.head().Micros-before.report.head().Micros) / 1e6
			switch {
			case known && seconds == 0:
				if found.same = before.same + 1; found.same >= forgottenAfter {
					if err := w.forget(ctx, item); err != nil {
						return false, err
					}
					continue
				}
				complete = false
			case !first && seconds > 0:
				add(&before.report, &found.report, seconds)
			}
			now[name] = found
		}
		if len(items) < page {
			break
		}
	}
	w.seen = now
	return complete && len(now) > 0, nil
}

// forget removes the report of a process that is taken for dead.
func (w *Watcher[R]) forget(ctx context.Context, item schema.Item) error {
	err := w.kv.Delete(ctx, item.Key, item.Version)
	if err != nil && !errors.Is(err, schema.ErrConflict) && !errors.Is(err, schema.ErrNotFound) {
		return fmt.Errorf("remove the report of a dead process: %w", err)
	}
	return nil
}
