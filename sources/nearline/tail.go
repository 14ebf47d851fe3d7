package nearline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

var (
	_ Tables           = (*Tail)(nil)
	_ sources.Nearline = (*Tail)(nil)
)

const (
	// writeRows is how many rows of a dataset are inserted under its lock at once,
	// so that a pin waits for no more; then requests that wait for the processor
	// go first.
	writeRows = 256

	// measureEvery is how many rows pass between two looks at an open batch's size.
	measureEvery = 16

	// minMoveRows is the least a batch must have to be worth moving into a table:
	// one of few rows was cut for its width.
	minMoveRows = 1024

	// tick is how often Run looks at the memory of tables, and tries again what
	// failed.
	tick = time.Second
)

// Config says what a Tail works with and how much it may hold.
type Config struct {
	// Known tells rows that the lake may hold; nil: there are none.
	Known Known
	// Native takes full batches into tables; nil: all rows stay in Go memory.
	Native Native
	// MemoryBytes bounds rows, identities and tables together; over it, writes
	// wait. Default 256 MB.
	MemoryBytes int64
	// HighWaterBytes is where compaction is asked for. Default 60 % of MemoryBytes.
	HighWaterBytes int64
	// NativeRows is how many rows a dataset has before its batches move into
	// tables, and the rows of a full batch. Default 10,000.
	NativeRows int
	// MoveAfter is how long a full batch stays in Go memory before it moves into
	// a table. A move costs as much as staging the rows did, and is for nothing if
	// the lake takes them soon after, as it does under load. Default 10 s;
	// negative: batches move at once.
	MoveAfter time.Duration
	// TableRows is about how many rows a table takes. Default 120,000.
	TableRows int64
	// BatchBytes ends a batch that is wide before it is full. Default 4 MB.
	BatchBytes int64
	// Logger hears what Run could not do. Default: nobody.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.MemoryBytes == 0 {
		c.MemoryBytes = 256 << 20
	}
	if c.HighWaterBytes == 0 {
		c.HighWaterBytes = c.MemoryBytes / 10 * 6
	}
	if c.NativeRows == 0 {
		c.NativeRows = 10_000
	}
	if c.MoveAfter == 0 {
		c.MoveAfter = 10 * time.Second
	}
	if c.TableRows == 0 {
		c.TableRows = 120_000
	}
	if c.BatchBytes == 0 {
		c.BatchBytes = 4 << 20
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	if c.MemoryBytes < 0 || c.HighWaterBytes < 0 || c.NativeRows < 0 || c.TableRows < 0 || c.BatchBytes < 0 {
		return errors.New("nearline tail: a limit is negative")
	}
	if c.HighWaterBytes > c.MemoryBytes {
		return errors.New("nearline tail: the high-water mark is over the bound")
	}
	return nil
}

// limits end an open batch.
type limits struct {
	batchRows  int
	batchBytes int64
}

// Tail is nearline in memory. All methods may be called at once from many
// goroutines; see Tables for who writes what.
type Tail struct {
	cfg    Config
	limits limits
	memory *memory
	// wake asks Run for a round: a dataset has a batch to move, or a table that
	// nobody holds any more is to be dropped.
	wake chan struct{}

	mu       sync.RWMutex
	datasets map[schema.Dataset]*dataset

	// workMu guards what Run has to do.
	workMu    sync.Mutex
	unmoved   []*dataset // have full batches
	doomed    []*table   // left their datasets, to be dropped once unpinned
	lastTable uint64     // number in the last table's name
	dropping  sync.Mutex // one goroutine drops tables at a time
}

// NewTail makes an empty tail. Run must be running for tables to be used and
// dropped.
func NewTail(cfg Config) (*Tail, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Tail{
		cfg:      cfg,
		limits:   limits{batchRows: cfg.NativeRows, batchBytes: cfg.BatchBytes},
		memory:   newMemory(cfg.MemoryBytes, cfg.HighWaterBytes),
		wake:     make(chan struct{}, 1),
		datasets: map[schema.Dataset]*dataset{},
	}, nil
}

// Run moves full batches into tables and drops tables that are trimmed and no
// longer pinned, until ctx ends.
func (t *Tail) Run(ctx context.Context) error {
	if t.cfg.Native == nil {
		<-ctx.Done()
		return nil
	}
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.wake:
		case <-ticker.C:
			t.enqueueAll()
		}
		err := errors.Join(t.moveBatches(ctx), t.dropTables(ctx), t.measureTables(ctx))
		if err != nil && ctx.Err() == nil {
			t.cfg.Logger.Warn("nearline tables are behind", "err", err)
		}
	}
}

// Write implements Tables.
func (t *Tail) Write(ctx context.Context, rows []Row) ([]Outcome, error) {
	if err := t.memory.wait(ctx); err != nil {
		return nil, fmt.Errorf("wait for room in the nearline tail: %w", err)
	}
	outcomes := make([]Outcome, len(rows))
	for _, g := range groupRows(rows) {
		for len(g.at) > 0 {
			n := min(len(g.at), writeRows)
			in := &insertion{rows: rows, at: g.at[:n], outcomes: outcomes}
			if err := t.insert(ctx, g.name, in); err != nil {
				return nil, err
			}
			g.at = g.at[n:]
			runtime.Gosched()
		}
	}
	return outcomes, nil
}

// group lists the rows of one dataset by index.
type group struct {
	name schema.Dataset
	at   []int
}

func groupRows(rows []Row) []*group {
	var groups []*group
	var byName map[schema.Dataset]*group
	var last *group
	for i := range rows {
		name := &rows[i].Event.Dataset
		if last == nil || last.name != *name {
			if byName == nil {
				byName = map[schema.Dataset]*group{}
			}
			if last = byName[*name]; last == nil {
				last = &group{name: *name}
				byName[*name] = last
				groups = append(groups, last)
			}
		}
		last.at = append(last.at, i)
	}
	return groups
}

// insert stores rows of one dataset. It asks Known without holding the dataset's
// lock, and again if identities were let go meanwhile.
func (t *Tail) insert(ctx context.Context, name schema.Dataset, in *insertion) error {
	for {
		d := t.dataset(name)
		epoch := d.epoch()
		if err := t.suspects(ctx, name, in); err != nil {
			return err
		}
		done, bytes := d.insert(epoch, in, &t.limits)
		if done {
			t.memory.add(bytes)
			t.enqueue(d)
			return nil
		}
	}
}

func (t *Tail) suspects(ctx context.Context, name schema.Dataset, in *insertion) error {
	if t.cfg.Known == nil {
		return nil
	}
	times, ids := make([]int64, len(in.at)), make([]schema.ID, len(in.at))
	for i, n := range in.at {
		times[i], ids[i] = in.rows[n].Event.Time, in.rows[n].Event.ID
	}
	suspect, err := t.cfg.Known.Suspect(ctx, name, times, ids)
	if err != nil {
		return fmt.Errorf("look for rows of %s in the lake: %w", name.Metric, err)
	}
	in.suspect = suspect
	return nil
}

// dataset finds or makes the state of a dataset.
func (t *Tail) dataset(name schema.Dataset) *dataset {
	if d := t.find(name); d != nil {
		return d
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	d := t.datasets[name]
	if d == nil {
		d = &dataset{name: name}
		t.datasets[name] = d
	}
	return d
}

func (t *Tail) find(name schema.Dataset) *dataset {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.datasets[name]
}

// Datasets lists the datasets that the tail holds anything of, in no order.
func (t *Tail) Datasets() []schema.Dataset {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := make([]schema.Dataset, 0, len(t.datasets))
	for name := range t.datasets {
		out = append(out, name)
	}
	return out
}

// poke asks Run for a round.
func (t *Tail) poke() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}
