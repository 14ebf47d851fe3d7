package nearline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// maxUnionColumns bounds the columns that a table takes over from the one before.
const maxUnionColumns = 1000

// table is one table inside the engine. Its dataset's lock guards it, but for
// pins.
type table struct {
	name    string
	dataset schema.Dataset
	// columns are fixed by the first batch.
	columns []sources.Column // without values
	names   []string         // their physical names, sorted
	rows    int64            // readers read _n < rows
	times   sources.Bounds
	spans   spans
	suspect []int64
	// busy: a batch is being appended.
	busy bool
	// pins counts the pins that hold the table. It only falls once the table has
	// left its dataset.
	pins atomic.Int64
}

// move is one batch on its way into a table.
type move struct {
	dataset *dataset
	segment *segment
	table   *table
	base    int64
}

// enqueue tells Run of a dataset that has full batches to move.
func (t *Tail) enqueue(d *dataset) {
	if t.cfg.Native == nil {
		return
	}
	d.mu.Lock()
	ready := d.movable(&t.cfg) != nil
	d.mu.Unlock()
	if !ready {
		return
	}
	t.workMu.Lock()
	if !slices.Contains(t.unmoved, d) {
		t.unmoved = append(t.unmoved, d)
	}
	t.workMu.Unlock()
	t.poke()
}

// enqueueAll is enqueue for all datasets: their batches grow old without a write.
func (t *Tail) enqueueAll() {
	t.mu.RLock()
	all := slices.Collect(maps.Values(t.datasets))
	t.mu.RUnlock()
	for _, d := range all {
		t.enqueue(d)
	}
}

// movable finds the oldest batch that is to move into a table.
func (d *dataset) movable(cfg *Config) *segment {
	if len(d.sealed) == 0 || d.rows() < cfg.NativeRows {
		return nil
	}
	for _, s := range d.sealed {
		if !s.moving && s.batch.Rows >= minMoveRows && time.Since(s.since) >= cfg.MoveAfter {
			return s
		}
	}
	return nil
}

// moveBatches moves every full batch there is. A dataset that fails waits for
// the next tick, the others go on.
func (t *Tail) moveBatches(ctx context.Context) error {
	t.workMu.Lock()
	work := t.unmoved
	t.unmoved = nil
	t.workMu.Unlock()
	var errs []error
	for _, d := range work {
		if err := t.moveDataset(ctx, d); err != nil {
			errs = append(errs, fmt.Errorf("move batches of %s into tables: %w", d.name.Metric, err))
			t.workMu.Lock()
			t.unmoved = append(t.unmoved, d)
			t.workMu.Unlock()
		}
	}
	return errors.Join(errs...)
}

func (t *Tail) moveDataset(ctx context.Context, d *dataset) error {
	for {
		m, ok := t.beginMove(d)
		if !ok {
			return nil
		}
		err := t.cfg.Native.Append(ctx, d.name, m.table.name, m.base, m.table.arrange(m.segment.batch))
		t.endMove(m, err)
		if err != nil {
			return err
		}
	}
}

// beginMove takes the next batch of a dataset and the table it goes to.
func (t *Tail) beginMove(d *dataset) (move, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.movable(&t.cfg)
	if s == nil {
		return move{}, false
	}
	if f := d.filling; f == nil || f.rows+int64(s.batch.Rows) > t.cfg.TableRows || !f.holds(s.batch) {
		d.filling = t.newTable(d.name, s.batch, f)
		d.tables = append(d.tables, d.filling)
	}
	s.moving, d.filling.busy = true, true
	return move{dataset: d, segment: s, table: d.filling, base: d.filling.rows}, true
}

// newTable makes a table for a batch. If the one before it lacked a column, it
// has the columns of both, so that rare fields do not make a table each.
func (t *Tail) newTable(name schema.Dataset, b *sources.Batch, before *table) *table {
	t.workMu.Lock()
	t.lastTable++
	n := t.lastTable
	t.workMu.Unlock()
	out := &table{name: fmt.Sprintf("tail_%d", n), dataset: name}
	out.addColumns(b.Columns)
	if before != nil && !before.holds(b) && len(before.columns)+len(b.Columns) <= maxUnionColumns {
		out.addColumns(before.columns)
	}
	return out
}

func (f *table) addColumns(columns []sources.Column) {
	for i := range columns {
		c := &columns[i]
		at, found := slices.BinarySearch(f.names, c.Name)
		if !found {
			f.names = slices.Insert(f.names, at, c.Name)
			f.columns = append(f.columns, sources.Column{Sent: c.Sent, Kind: c.Kind, Name: c.Name})
		}
	}
}

// holds says that the table has all columns of the batch.
func (f *table) holds(b *sources.Batch) bool {
	return !slices.ContainsFunc(b.Columns, func(c sources.Column) bool {
		_, found := slices.BinarySearch(f.names, c.Name)
		return !found
	})
}

// arrange gives the batch the table's columns, in the table's order.
func (f *table) arrange(b *sources.Batch) *sources.Batch {
	have := make(map[string]*sources.Column, len(b.Columns))
	for i := range b.Columns {
		have[b.Columns[i].Name] = &b.Columns[i]
	}
	out := *b
	out.Columns = make([]sources.Column, len(f.columns))
	for i, c := range f.columns {
		if h := have[c.Name]; h != nil {
			out.Columns[i] = *h
			continue
		}
		c.Valid = make([]uint64, (b.Rows+63)/64)
		switch c.Kind {
		case schema.KindInt, schema.KindBool:
			c.Ints = make([]int64, b.Rows)
		case schema.KindNumber:
			c.Nums = make([]float64, b.Rows)
		default:
			c.Offsets = make([]uint32, b.Rows+1)
		}
		out.Columns[i] = c
	}
	return &out
}

// endMove replaces the batch by its rows in the table, in one step for readers;
// after an error the batch stays and the table takes no further rows.
func (t *Tail) endMove(m move, failed error) {
	d, f, s := m.dataset, m.table, m.segment
	d.mu.Lock()
	s.moving, f.busy = false, false
	if failed != nil {
		d.filling = nil
		if f.rows == 0 {
			d.tables = slices.DeleteFunc(d.tables, func(o *table) bool { return o == f })
			t.doom(f)
		}
		d.mu.Unlock()
		return
	}
	if f.rows == 0 {
		f.times = s.batch.Times
	}
	f.times = sources.Bounds{Min: min(f.times.Min, s.batch.Times.Min), Max: max(f.times.Max, s.batch.Times.Max)}
	f.spans.merge(s.spans)
	for _, r := range s.suspect {
		f.suspect = append(f.suspect, m.base+int64(r))
	}
	f.rows += int64(s.batch.Rows)
	d.sealed = slices.DeleteFunc(d.sealed, func(o *segment) bool { return o == s })
	d.mu.Unlock()
	t.memory.add(-s.bytes)
}

// doom has a table dropped that has left its dataset.
func (t *Tail) doom(f *table) {
	t.workMu.Lock()
	t.doomed = append(t.doomed, f)
	t.workMu.Unlock()
}

// dropTables drops the doomed tables that no pin holds. One that cannot be
// dropped now stays doomed.
func (t *Tail) dropTables(ctx context.Context) error {
	t.dropping.Lock()
	defer t.dropping.Unlock()
	t.workMu.Lock()
	var free []*table
	t.doomed = slices.DeleteFunc(t.doomed, func(f *table) bool {
		if f.pins.Load() > 0 {
			return false
		}
		free = append(free, f)
		return true
	})
	t.workMu.Unlock()
	var errs []error
	for _, f := range free {
		if err := t.cfg.Native.Drop(ctx, f.dataset, f.name); err != nil {
			errs = append(errs, fmt.Errorf("drop table %s: %w", f.name, err))
			t.doom(f)
		}
	}
	return errors.Join(errs...)
}

func (t *Tail) measureTables(ctx context.Context) error {
	bytes, err := t.cfg.Native.Bytes(ctx)
	if err != nil {
		return fmt.Errorf("measure tables: %w", err)
	}
	t.memory.setNative(bytes)
	return nil
}
