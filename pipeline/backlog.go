package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/fieldgate/fieldgate/schema"
)

// backlogKey has how far the stages are behind in the key-value store.
const backlogKey = "backlog"

// backlog is the record that has waited longest for a stage, as of a moment.
type backlog struct {
	Format  int     `json:"format"`
	At      int64   `json:"at"` // microseconds since 1970 UTC
	Seconds float64 `json:"seconds"`
	// What waits where; empty while nothing does.
	Stage string `json:"stage,omitempty"`
	Log   string `json:"log,omitempty"`
	Shard uint64 `json:"shard,omitempty"`
}

const backlogFormat = 1

// BacklogConfig says how far behind stages may be that other processes run. KV, Limit
// and Logger must be given.
type BacklogConfig struct {
	KV schema.KV
	// Limit is how long a record may wait for a stage before events are refused: less
	// than the streams keep it.
	Limit  time.Duration
	Logger *slog.Logger
	// Now tells the time. Default time.Now.
	Now func() time.Time
}

func (c BacklogConfig) withDefaults() (BacklogConfig, error) {
	if c.KV == nil || c.Logger == nil || c.Limit <= 0 {
		return c, errors.New("backlog: a key-value store, a logger and a limit are needed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

// every is the pause between two looks: a small part of the limit. More often would
// take reads from the stages.
func (c *BacklogConfig) every() time.Duration { return min(c.Limit/5, 30*time.Second) }

// BacklogMeter stores how far the stages are behind, for who takes events. It runs in
// one process at a time, of those that read all logs.
type BacklogMeter struct {
	cfg       BacklogConfig
	positions *Positions
}

// NewBacklogMeter makes a meter. Nothing runs before Run.
func NewBacklogMeter(cfg BacklogConfig, positions *Positions) (*BacklogMeter, error) {
	cfg, err := cfg.withDefaults()
	return &BacklogMeter{cfg, positions}, err
}

// Run measures until ctx ends. What cannot be measured ages until it can.
func (m *BacklogMeter) Run(ctx context.Context) error {
	tick := time.NewTicker(m.cfg.every())
	defer tick.Stop()
	for {
		if err := m.Measure(ctx); err != nil && ctx.Err() == nil {
			m.cfg.Logger.Warn("measure how far the stages are behind", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Measure measures once.
func (m *BacklogMeter) Measure(ctx context.Context) error {
	now := m.cfg.Now()
	lags, err := m.positions.Lag(ctx)
	if err != nil {
		return err
	}
	b := backlog{Format: backlogFormat, At: now.UnixMicro()}
	for _, l := range lags {
		if l.Seconds > b.Seconds {
			b.Seconds, b.Stage, b.Log, b.Shard = l.Seconds, l.Stage, l.Log, uint64(l.Shard)
		}
	}
	if age := seconds(b.Seconds); age >= m.cfg.Limit/2 {
		m.cfg.Logger.Error("stages are behind", "stage", b.Stage, "log", b.Log, "shard", b.Shard, "age", age.Round(time.Second), "limit", m.cfg.Limit)
	}
	item, err := m.cfg.KV.Get(ctx, backlogKey)
	if err != nil && !errors.Is(err, schema.ErrNotFound) {
		return err
	}
	return b.put(ctx, m.cfg.KV, item.Version)
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

func (b *backlog) put(ctx context.Context, kv schema.KV, version uint64) error {
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	if _, err = kv.Put(ctx, backlogKey, data, version); errors.Is(err, schema.ErrConflict) {
		return nil // another has just said so
	}
	return err
}

// BacklogGate tells who takes events when the stages are so far behind that the
// streams would let go of events before they are handled. It reads nothing but what a
// meter stored. While none does, what was measured last ages, so that it also tells of
// stages that do not run at all.
type BacklogGate struct {
	cfg    BacklogConfig
	last   atomic.Pointer[backlog]
	closed atomic.Bool
	told   time.Time // of Run
}

// NewBacklogGate makes a gate, which is open before Run.
func NewBacklogGate(cfg BacklogConfig) (*BacklogGate, error) {
	cfg, err := cfg.withDefaults()
	return &BacklogGate{cfg: cfg}, err
}

// Run looks at what was measured until ctx ends.
func (g *BacklogGate) Run(ctx context.Context) error {
	tick := time.NewTicker(g.cfg.every())
	defer tick.Stop()
	for {
		if err := g.Look(ctx); err != nil && ctx.Err() == nil {
			g.cfg.Logger.Warn("look how far the stages are behind", "err", err)
		}
		g.tell()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Look reads what was measured last. Where nothing ever was, it is from now on that
// events wait.
func (g *BacklogGate) Look(ctx context.Context) error {
	item, err := g.cfg.KV.Get(ctx, backlogKey)
	if errors.Is(err, schema.ErrNotFound) {
		b := backlog{Format: backlogFormat, At: g.cfg.Now().UnixMicro()}
		return b.put(ctx, g.cfg.KV, 0)
	}
	if err != nil {
		return err
	}
	var b backlog
	if err := json.Unmarshal(item.Value, &b); err != nil || b.Format != backlogFormat {
		return fmt.Errorf("%s cannot be read", backlogKey)
	}
	g.last.Store(&b)
	return nil
}

// Err is nil while events may be taken, and else says for their senders why not.
func (g *BacklogGate) Err() error {
	b := g.last.Load()
	if b == nil {
		return nil
	}
	unmeasured := g.cfg.Now().Sub(time.UnixMicro(b.At))
	if age := seconds(b.Seconds) + max(unmeasured, 0); age >= g.cfg.Limit {
		what := "it is not known how far the stages are"
		if b.Stage != "" {
			what = fmt.Sprintf("stage %s is behind in shard %d of the %s stream", b.Stage, b.Shard, b.Log)
		}
		return fmt.Errorf("events have waited for %s, more than %s: %s; send again later", age.Round(time.Second), g.cfg.Limit, what)
	}
	return nil
}

// tell says in the log when the gate closes, once a minute while it is closed, and when
// it opens.
func (g *BacklogGate) tell() {
	err, now := g.Err(), g.cfg.Now()
	switch was := g.closed.Swap(err != nil); {
	case err != nil && (!was || now.Sub(g.told) >= time.Minute):
		g.told = now
		g.cfg.Logger.Error("events are refused", "err", err)
	case err == nil && was:
		g.cfg.Logger.Info("events are taken again")
	}
}
