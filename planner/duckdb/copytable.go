package duckdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"weak"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/sources"
)

const (
	// columnRun is the column of a table that has the number of a row's run.
	columnRun = "_run"
	// lastRun is the number of one row that every table has and nobody reads. DuckDB
	// leaves out a condition that holds for all that a table has when the statement is
	// planned, such as one on the runs, and would then read what is added before it runs.
	lastRun = math.MaxInt32
)

// copyTable is a table of an instance with rows of batches. What of it changes is
// guarded by copies.
type copyTable struct {
	in      *instance
	name    string
	columns []string // sorted
	runs    map[batchKey]copyRun
	next    int32 // the number of the next run
	// rows counts all rows, gone those whose batches nearline has let go of.
	rows, gone int
	// users read it or write to it. It is dropped when it is retired and has none.
	users   int
	retired bool
}

// copyRun is the rows of one batch in a table.
type copyRun struct {
	number int32
	rows   int
}

// add notes that the table has batches, under numbers from first on.
func (t *copyTable) add(batches []*sources.Batch, first int32) {
	for i, b := range batches {
		t.runs[weak.Make(b)] = copyRun{first + int32(i), b.Rows}
		t.rows += b.Rows
	}
}

// forget notes that a batch is gone.
func (t *copyTable) forget(key batchKey) {
	if run, has := t.runs[key]; has {
		delete(t.runs, key)
		t.gone += run.rows
	}
}

// write makes the table, or adds to it.
func (t *copyTable) write(ctx context.Context, batches []*sources.Batch, first int32, isNew bool) error {
	c, err := t.in.acquire()
	if err != nil {
		return err
	}
	defer t.in.release(c)
	t.in.rows.add(c.first, newRunSource(t.columns, batches, first))
	defer t.in.rows.remove([]int64{c.first})
	sql := fmt.Sprintf("FROM %s(CAST(%d AS BIGINT))", rowsFunction, c.first)
	if isNew {
		sql = fmt.Sprintf("CREATE TABLE %s AS %s UNION ALL BY NAME SELECT CAST(%d AS INTEGER) AS %s", t.name, sql, lastRun, columnRun)
	} else {
		sql = fmt.Sprintf("INSERT INTO %s %s", t.name, sql)
	}
	stop := c.watch(ctx)
	defer stop()
	if err := c.exec(sql); err != nil {
		return fmt.Errorf("copy rows: %w", err)
	}
	return nil
}

// drop drops the table.
func (t *copyTable) drop() error {
	c, err := t.in.acquire()
	if err != nil {
		return err
	}
	defer t.in.release(c)
	return c.exec("DROP TABLE " + t.name)
}

// rangesOf are the ranges of runs in which all rows are of some of the batches; of
// many, the longest.
func (t *copyTable) rangesOf(batches []*sources.BatchSplit) [][2]int32 {
	var numbers []int32
	for _, b := range batches {
		if run, has := t.runs[weak.Make(b.Batch)]; has {
			numbers = append(numbers, run.number)
		}
	}
	slices.Sort(numbers)
	var ranges [][2]int32
	for _, n := range numbers {
		if last := len(ranges) - 1; last >= 0 && ranges[last][1]+1 == n {
			ranges[last][1] = n
		} else {
			ranges = append(ranges, [2]int32{n, n})
		}
	}
	slices.SortStableFunc(ranges, func(a, b [2]int32) int { return cmp.Compare(b[1]-b[0], a[1]-a[0]) })
	return ranges[:min(len(ranges), copyRanges)]
}

// copyScan is what a statement reads of a table: ranges of its runs.
type copyScan struct {
	table  *copyTable
	ranges [][2]int32
}

// reads says that a run is read.
func (s *copyScan) reads(run int32) bool {
	return slices.ContainsFunc(s.ranges, func(r [2]int32) bool { return r[0] <= run && run <= r[1] })
}

// runSource is batches on their way into a table, each with its number.
type runSource struct {
	*batchSource
	shape []sourceColumn
	runs  []int32 // by piece
}

func newRunSource(columns []string, batches []*sources.Batch, first int32) *runSource {
	s := &runSource{batchSource: newBatchSource(columns, nil)}
	s.shape = append(slices.Clone(s.names), sourceColumn{columnRun, "INTEGER"})
	for i, b := range batches {
		s.add(b, nil)
		for len(s.runs) < s.pieces() {
			s.runs = append(s.runs, first+int32(i))
		}
	}
	return s
}

func (s *runSource) columns() []sourceColumn { return s.shape }

func (s *runSource) fill(piece, column int, into bindings.Vector) int {
	if column < len(s.names) {
		return s.batchSource.fill(piece, column, into)
	}
	n := s.batchSource.fill(piece, -1, into)
	repeat(values[int32](into, n), s.runs[piece])
	return n
}

// What a column takes in a table beside its values: DuckDB gives it blocks of this
// size, which grow by half of what it has.
const tableBlock = 256 << 10

// copyBytes is about what a table of batches takes.
func copyBytes(batches []*sources.Batch, columns []string) int64 {
	rows := int64(0)
	for _, b := range batches {
		rows += int64(b.Rows)
	}
	total := 4*rows + tableBlock
	for _, name := range columns {
		total += tableBlock
		switch physicalType(name) {
		case "UUID":
			total += 16 * rows
		case "BOOLEAN":
			total += rows
		case "VARCHAR":
			total += 4*rows + textBytes(batches, name)
		default:
			total += 8 * rows
		}
	}
	return total + total/2
}

// textBytes is the length of all texts of a column.
func textBytes(batches []*sources.Batch, name string) (n int64) {
	for _, b := range batches {
		for i := range b.Columns {
			if b.Columns[i].Name == name {
				n += int64(len(b.Columns[i].Text))
			}
		}
	}
	return n
}

// tablesGrown measures what the instance's tables take, and gives how much that is more
// than when last measured.
func (in *instance) tablesGrown() int64 {
	in.tablesMu.Lock()
	defer in.tablesMu.Unlock()
	before := in.tableBytes
	if n, err := in.measureTables(); err == nil {
		in.tableBytes = n
	} else if in.isClosed() {
		in.tableBytes = 0
	}
	return in.tableBytes - before
}

func (in *instance) measureTables() (bytes int64, err error) {
	c, err := in.acquire()
	if err != nil {
		return 0, err
	}
	defer in.release(c)
	var result bindings.Result
	defer bindings.DestroyResult(&result)
	const sql = "SELECT CAST(memory_usage_bytes AS BIGINT) FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'"
	if bindings.Query(c.conn, sql, &result) == bindings.StateError {
		return 0, resultError(&result)
	}
	chunk := bindings.FetchChunk(result)
	defer bindings.DestroyDataChunk(&chunk)
	if chunk.Ptr == nil || bindings.DataChunkGetSize(chunk) == 0 {
		return 0, errors.New("the engine does not tell what its tables take")
	}
	return values[int64](bindings.DataChunkGetVector(chunk, 0), 1)[0], nil
}
