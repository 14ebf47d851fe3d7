package nearline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

var (
	_ Tables           = (*Tail)(nil)
	_ sources.Nearline = (*Tail)(nil)
	_ sources.Room     = (*Tail)(nil)
)

const (
	// writeRows is how many rows of a dataset are inserted under its lock at once,
	// so that a pin waits for no more; then requests that wait for the processor
	// go first.
	writeRows = 256

	// measureEvery is how many rows pass between two looks at an open batch's size.
	measureEvery = 16
)

// Config says what a Tail works with and how much it may hold.
type Config struct {
	// Known tells rows that the lake may hold; nil: there are none.
	Known Known
	// MemoryBytes bounds rows, identities and copies of rows together; over it,
	// writes wait. Copies take a quarter of it at most. Default 256 MB.
	MemoryBytes int64
	// HighWaterBytes is where compacted rows are let go of, then copies, and if there
	// are none, compaction is asked for. Default 60 % of MemoryBytes.
	HighWaterBytes int64
	// BatchRows are the rows of a full batch. Default 10,000.
	BatchRows int
	// BatchBytes ends a batch that is wide before it is full. Default 4 MB.
	BatchBytes int64
}

func (c Config) withDefaults() Config {
	if c.MemoryBytes == 0 {
		c.MemoryBytes = 256 << 20
	}
	if c.HighWaterBytes == 0 {
		c.HighWaterBytes = c.MemoryBytes / 10 * 6
	}
	if c.BatchRows == 0 {
		c.BatchRows = 10_000
	}
	if c.BatchBytes == 0 {
		c.BatchBytes = 4 << 20
	}
	return c
}

func (c Config) validate() error {
	if c.MemoryBytes < 0 || c.HighWaterBytes < 0 || c.BatchRows < 0 || c.BatchBytes < 0 {
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
	// through is how far Write has come.
	through through
	// settling lets one goroutine at a time let go of rows.
	settling sync.Mutex
	// copies are what an engine copies of the rows; nil: there is none.
	copies sources.Copies

	mu       sync.RWMutex
	datasets map[schema.Dataset]*dataset
}

// NewTail makes an empty tail.
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
		limits:   limits{batchRows: cfg.BatchRows, batchBytes: cfg.BatchBytes},
		memory:   newMemory(cfg.MemoryBytes, cfg.HighWaterBytes),
		through:  through{at: map[logShard]stream.Sequence{}},
		datasets: map[schema.Dataset]*dataset{},
	}, nil
}

// Share has what an engine copies of the rows counted with them. It comes before the
// first Write and the first Pin.
func (t *Tail) Share(copies sources.Copies) {
	t.copies = copies
	copies.Share(t)
}

// Write implements Tables.
func (t *Tail) Write(ctx context.Context, rows []Row) ([]Outcome, error) {
	if err := t.wait(ctx); err != nil {
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
	t.through.advance(rows)
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
// lock, and again if rows were let go meanwhile.
func (t *Tail) insert(ctx context.Context, name schema.Dataset, in *insertion) error {
	for {
		d := t.dataset(name)
		epoch, absentKnown := d.state()
		if err := t.askLake(ctx, name, in, absentKnown); err != nil {
			return err
		}
		done, bytes := d.insert(epoch, in, &t.limits)
		if done {
			t.memory.add(bytes)
			t.settle()
			return t.judge(ctx, d, in)
		}
	}
}

// judge finds the outcome of the doubtful rows: none of them is stored, because
// the tail holds another event of the identity. But that one may have come after
// one that the lake holds, and the row be a copy of that. Each identity is looked
// up once.
func (t *Tail) judge(ctx context.Context, d *dataset, in *insertion) error {
	if len(in.doubtful) == 0 {
		return nil
	}
	times, ids := identitiesOf(in.rows, in.doubtful)
	first := map[int]schema.ID{}
	err := t.cfg.Known.Hashes(ctx, d.name, times, ids, func(i int, hash schema.ID) { first[i] = hash })
	if err != nil {
		return fmt.Errorf("look up rows of %s in the lake: %w", d.name.Metric, err)
	}
	for i, n := range in.doubtful {
		in.outcomes[n] = Conflict
		if hash, ok := first[i]; ok && hash == in.rows[n].Event.Hash {
			in.outcomes[n] = Duplicate
		}
	}
	d.clear(times, ids, first)
	return nil
}

// identitiesOf are the times and ids of rows, by index.
func identitiesOf(rows []Row, at []int) ([]int64, []schema.ID) {
	times, ids := make([]int64, len(at)), make([]schema.ID, len(at))
	for i, n := range at {
		times[i], ids[i] = rows[n].Event.Time, rows[n].Event.ID
	}
	return times, ids
}

// askLake asks which of the rows the lake may hold, and before the first ones
// what it holds at all.
func (t *Tail) askLake(ctx context.Context, name schema.Dataset, in *insertion, absentKnown bool) error {
	if t.cfg.Known == nil {
		return nil
	}
	if !absentKnown {
		held, err := t.cfg.Known.Held(ctx, name)
		if err != nil {
			return fmt.Errorf("ask for the times of %s in the lake: %w", name.Metric, err)
		}
		in.held = held
	}
	times, ids := identitiesOf(in.rows, in.at)
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
