package duckdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
	"weak"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

const (
	// copyLeast is how many rows are worth a table: fewer are read as fast in batches.
	copyLeast = 10_000
	// copyAfter is how often rows are scanned in batches before they are copied:
	// copying costs about what as many scans of the table save.
	copyAfter = 4
	// copyColumns is how many columns a table has at most; who reads more reads batches.
	copyColumns = 64
	// copyRanges is how many ranges of a table's runs a scan reads at most.
	copyRanges = 4
	// copyIdle is how long a table stays that no statement reads, while others are read.
	copyIdle = 5 * time.Minute
	// copySettled is how long a table was not read that makes way for another one.
	copySettled = 10 * time.Second
)

// copies are tables with rows of nearline's batches, for statements that scan many of
// them: DuckDB reads a table of its own in half the time that it takes to be handed
// rows. A dataset has one at most. It has the columns that were asked for since the one
// before was made, and the batches that were scanned often, each as a run of rows under
// a number. A statement reads the runs of the batches that it has pinned, and so sees
// the same rows as in batches, whatever is added or let go of meanwhile.
type copies struct {
	log *slog.Logger
	// writing is held by who writes to a table. Nobody waits for it: what a table does
	// not have is read in batches.
	writing sync.Mutex

	mu       sync.Mutex
	room     sources.Room // nil: there are no copies
	datasets map[schema.Dataset]*copied
	made     int64 // tables ever
}

func newCopies(log *slog.Logger) *copies {
	return &copies{log: log, datasets: map[schema.Dataset]*copied{}}
}

var _ sources.Copies = (*Engine)(nil)

// batchKey tells batches apart and keeps none of them in memory.
type batchKey = weak.Pointer[sources.Batch]

// copied is what is known of the scans of a dataset, and its table.
type copied struct {
	// scans counts how often batches were read that are not in the table.
	scans map[batchKey]int
	// wanted are the columns that were asked for since the table was made; lacking
	// counts the scans that did not find theirs in it.
	wanted  map[string]bool
	lacking int
	// read is when it was last scanned.
	read  time.Time
	table *copyTable // nil: there is none
}

// Share implements sources.Copies.
func (e *Engine) Share(room sources.Room) {
	e.copies.mu.Lock()
	defer e.copies.mu.Unlock()
	e.copies.room = room
}

// Forget implements sources.Copies.
func (e *Engine) Forget(dataset schema.Dataset, batches []*sources.Batch) {
	c := e.copies
	c.mu.Lock()
	var unused []*copyTable
	if d := c.datasets[dataset]; d != nil {
		for _, b := range batches {
			d.forget(weak.Make(b))
		}
		if d.thin() {
			for key := range d.table.runs {
				d.scans[key] = copyAfter // in the next table at once
			}
			unused = d.retire()
		}
		if d.table == nil && len(d.scans) == 0 {
			delete(c.datasets, dataset)
		}
	}
	c.mu.Unlock()
	c.dropTables(unused)
}

// Drop implements sources.Copies.
func (e *Engine) Drop(unread time.Duration) { e.copies.dropUnread(unread) }

func (c *copies) dropUnread(unread time.Duration) {
	c.dropIf(func(_ schema.Dataset, d *copied) bool { return time.Since(d.read) >= unread })
}

// dropTenant drops what is known of a tenant's datasets.
func (c *copies) dropTenant(tenant string) {
	c.dropIf(func(name schema.Dataset, _ *copied) bool { return name.Tenant == tenant })
}

// dropIf drops what is known of some datasets.
func (c *copies) dropIf(is func(schema.Dataset, *copied) bool) {
	c.mu.Lock()
	var unused []*copyTable
	for name, d := range c.datasets {
		if is(name, d) {
			unused = append(unused, d.retire()...)
			delete(c.datasets, name)
		}
	}
	c.mu.Unlock()
	c.dropTables(unused)
}

// dropOldest drops the table that was not read for longest, but for one dataset's, if
// there is one that can make way.
func (c *copies) dropOldest(except *copied) (dropped bool) {
	c.mu.Lock()
	var oldest *copied
	for _, d := range c.datasets {
		if d != except && d.table != nil && time.Since(d.read) >= copySettled && (oldest == nil || d.read.Before(oldest.read)) {
			oldest = d
		}
	}
	var unused []*copyTable
	if oldest != nil {
		unused = oldest.retire()
	}
	c.mu.Unlock()
	c.dropTables(unused)
	return oldest != nil
}

// dropOwn drops a dataset's table before its next one is made, if nobody uses it.
func (c *copies) dropOwn(d *copied) (dropped bool) {
	c.mu.Lock()
	unused := d.retire()
	c.mu.Unlock()
	c.dropTables(unused)
	return len(unused) > 0
}

// forget notes that a batch is gone.
func (d *copied) forget(key batchKey) {
	delete(d.scans, key)
	if d.table != nil {
		d.table.forget(key)
	}
}

// thin says that more than half of the table is gone.
func (d *copied) thin() bool { return d.table != nil && 2*d.table.gone > d.table.rows }

// retire takes the table from the dataset, and gives it if nobody uses it.
func (d *copied) retire() (unused []*copyTable) {
	t := d.table
	d.table = nil
	if t == nil {
		return nil
	}
	t.retired = true
	if t.users > 0 {
		return nil
	}
	return []*copyTable{t}
}

// has says that the dataset's table has a batch.
func (d *copied) has(key batchKey) bool {
	if d.table == nil {
		return false
	}
	_, has := d.table.runs[key]
	return has
}

// scan has as many of the batches read from a table as it can, of which the caller is a
// user then. The others are left; scan is nil if these are all. The batches are kept by
// nearline and wanted as a whole.
func (c *copies) scan(ctx context.Context, in *instance, dataset *schema.Dataset, columns []string, batches []*sources.BatchSplit) (scan *copyScan, left []*sources.BatchSplit) {
	if !worthTable(columns, batches) {
		return nil, batches
	}
	c.dropUnread(copyIdle)
	if due := c.note(in, dataset, columns, batches); due && c.writing.TryLock() {
		if w := c.plan(in, dataset, columns, batches); w != nil {
			c.write(ctx, w)
		}
		c.writing.Unlock()
	}
	return c.use(in, dataset, columns, batches)
}

// mayCopy says that a batch is read as a whole, and may be by later statements.
func mayCopy(b *sources.BatchSplit) bool { return b.Kept && b.Select == nil }

// worthTable says that a scan of batches is one that may be of a table.
func worthTable(columns []string, batches []*sources.BatchSplit) bool {
	rows := 0
	for _, b := range batches {
		rows += b.Batch.Rows
	}
	return rows >= copyLeast && len(columns) <= copyColumns
}

// note counts a scan, and says whether something may be worth copying now.
func (c *copies) note(in *instance, dataset *schema.Dataset, columns []string, batches []*sources.BatchSplit) (due bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.room == nil {
		return false
	}
	d := c.datasets[*dataset]
	if d == nil {
		d = &copied{scans: map[batchKey]int{}, wanted: map[string]bool{}}
		c.datasets[*dataset] = d
	}
	d.read = time.Now()
	d.prune()
	for _, column := range columns {
		d.wanted[column] = true
	}
	if d.table != nil && (d.table.in != in || !hasAll(d.table.columns, columns)) {
		d.lacking++
		due = d.lacking >= copyAfter
	}
	for _, b := range batches {
		if key := weak.Make(b.Batch); !d.has(key) {
			d.scans[key]++
			due = due || d.scans[key] >= copyAfter
		}
	}
	return due
}

// prune forgets batches that nobody has any more: a statement may have read them after
// nearline let go of them.
func (d *copied) prune() {
	for key := range d.scans {
		if key.Value() == nil {
			delete(d.scans, key)
		}
	}
	if d.table == nil {
		return
	}
	for key := range d.table.runs {
		if key.Value() == nil {
			d.table.forget(key)
		}
	}
}

// copyWrite is what is to be written.
type copyWrite struct {
	name    schema.Dataset
	dataset *copied
	table   *copyTable
	isNew   bool // the table is to be made
	batches []*sources.Batch
	first   int32 // the number of the first
}

// plan says what to write; nil: nothing. The caller is the one who writes.
func (c *copies) plan(in *instance, name *schema.Dataset, columns []string, batches []*sources.BatchSplit) *copyWrite {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.datasets[*name]
	if d == nil {
		return nil
	}
	w := &copyWrite{name: *name, dataset: d, table: d.table}
	rows := 0
	add := func(b *sources.Batch) {
		w.batches = append(w.batches, b)
		rows += b.Rows
	}
	for _, b := range batches {
		if d.scans[weak.Make(b.Batch)] >= copyAfter {
			add(b.Batch)
		}
	}
	// The oldest have the lowest numbers, so that those of a time are a range.
	defer func() {
		slices.SortFunc(w.batches, func(a, b *sources.Batch) int { return cmp.Compare(a.Times.Min, b.Times.Min) })
	}()
	if d.table != nil && d.table.in == in && !d.thin() && hasAll(d.table.columns, columns) {
		if rows == 0 {
			return nil
		}
		w.first = d.table.next
		d.table.next += int32(len(w.batches))
		d.table.users++
		return w
	}
	if d.table != nil {
		if !d.thin() && d.lacking < copyAfter {
			return nil
		}
		for key := range d.table.runs {
			if b := key.Value(); b != nil {
				add(b)
			}
		}
	}
	if rows < copyLeast {
		return nil
	}
	if len(d.wanted) <= copyColumns {
		columns = make([]string, 0, len(d.wanted))
		for column := range d.wanted {
			columns = append(columns, column)
		}
	}
	c.made++
	w.isNew = true
	w.table = &copyTable{
		in: in, name: fmt.Sprintf("copy_%d", c.made), columns: sorted(columns),
		runs: map[batchKey]copyRun{}, next: int32(len(w.batches)),
	}
	return w
}

// hasAll says that a sorted list has all of the columns.
func hasAll(list, columns []string) bool {
	return !slices.ContainsFunc(columns, func(c string) bool {
		_, has := slices.BinarySearch(list, c)
		return !has
	})
}

// errNoCopyRoom means that tables would take more memory than they may.
var errNoCopyRoom = errors.New("no room for copies of recent rows")

// write writes. If there is no room or it fails, statements read batches, and have to
// do so as often again before the next attempt.
func (c *copies) write(ctx context.Context, w *copyWrite) {
	err := errNoCopyRoom
	if bytes := copyBytes(w.batches, w.table.columns); c.reserve(w, bytes) {
		err = w.table.write(ctx, w.batches, w.first, w.isNew)
		c.count(w.table.in, bytes)
	}
	if err != nil && !errors.Is(err, errNoCopyRoom) && !errors.Is(err, errClosed) && ctx.Err() == nil {
		c.log.Warn("recent rows were not copied", "metric", w.name.Metric, "err", err)
	}
	c.dropTables(c.written(w, err))
}

// reserve makes room for what is to be written.
func (c *copies) reserve(w *copyWrite, bytes int64) bool {
	room := c.sharedRoom()
	for !room.Reserve(bytes) {
		if !c.dropOldest(w.dataset) && (!w.isNew || !c.dropOwn(w.dataset)) {
			return false
		}
	}
	return true
}

// written notes what became of a write, and gives the tables that nobody uses any more.
func (c *copies) written(w *copyWrite, err error) (unused []*copyTable) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, t := w.dataset, w.table
	d.lacking = 0
	for _, b := range w.batches {
		delete(d.scans, weak.Make(b))
	}
	if err == nil {
		t.add(w.batches, w.first)
	}
	switch {
	case !w.isNew:
		if t.users--; t.retired && t.users == 0 {
			return []*copyTable{t}
		}
	case err != nil: // there is none
	case c.datasets[w.name] != d: // dropped meanwhile
		return []*copyTable{t}
	default:
		unused = d.retire()
		d.table = t
		clear(d.wanted)
	}
	return unused
}

// use makes the caller a user of the dataset's table for the batches that it has.
func (c *copies) use(in *instance, dataset *schema.Dataset, columns []string, batches []*sources.BatchSplit) (scan *copyScan, left []*sources.BatchSplit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.datasets[*dataset]
	if d == nil || d.table == nil || d.table.in != in || !hasAll(d.table.columns, columns) || !worthTable(columns, batches) {
		return nil, batches
	}
	scan = &copyScan{table: d.table, ranges: d.table.rangesOf(batches)}
	if len(scan.ranges) == 0 {
		return nil, batches
	}
	d.table.users++
	for _, b := range batches {
		if run, has := d.table.runs[weak.Make(b.Batch)]; !has || !scan.reads(run.number) {
			left = append(left, b)
		}
	}
	return scan, left
}

// release ends uses of tables.
func (c *copies) release(tables []*copyTable) {
	c.mu.Lock()
	var unused []*copyTable
	for _, t := range tables {
		if t.users--; t.retired && t.users == 0 {
			unused = append(unused, t)
		}
	}
	c.mu.Unlock()
	c.dropTables(unused)
}

// dropTables drops tables that nobody uses.
func (c *copies) dropTables(tables []*copyTable) {
	for _, t := range tables {
		if err := t.drop(); err != nil && !errors.Is(err, errClosed) { // closed, it is gone
			c.log.Warn("a copy of recent rows was not dropped", "err", err)
		}
		c.count(t.in, 0)
	}
}

func (c *copies) sharedRoom() sources.Room {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.room
}

// count counts what an instance's tables take now, of which some is counted as
// reserved.
func (c *copies) count(in *instance, reserved int64) {
	if room := c.sharedRoom(); room != nil {
		room.Count(in.tablesGrown() - reserved)
	}
}
