package duckdb

import (
	"context"
	"errors"
	"fmt"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// The columns of a native table that batches do not have as such.
const (
	columnNumber   = "_n"
	columnShard    = "_shard"
	columnSequence = "_seq"
)

// Append adds a batch to a table of the dataset's tenant, as the rows base,
// base+1, and so on. With base 0 it makes the table, whose columns are then
// fixed. It is all or nothing.
func (e *Engine) Append(ctx context.Context, ds schema.Dataset, table string, base int64, b *sources.Batch) error {
	in, err := e.instance(ds.Tenant)
	if err != nil {
		return err
	}
	columns := []string{columnNumber, sources.ColumnTS, sources.ColumnID, sources.ColumnHash, sources.ColumnReceivedAt, columnShard, columnSequence}
	for i := range b.Columns {
		columns = append(columns, b.Columns[i].Name)
	}
	source := &appendSource{batchSource: newBatchSource(columns), base: base}
	source.add(b, nil)
	n := in.rows.add(source)
	defer in.rows.remove([]int64{n})
	verb := "INSERT INTO " + quoteName(table) + " "
	if base == 0 {
		verb = "CREATE TABLE " + quoteName(table) + " AS "
	}
	return in.execute(ctx, verb+"SELECT * FROM "+rowsOf(n))
}

// Drop removes a table. What reads it reads on.
func (e *Engine) Drop(ctx context.Context, ds schema.Dataset, table string) error {
	in, err := e.instance(ds.Tenant)
	if err != nil {
		return err
	}
	return in.execute(ctx, "DROP TABLE IF EXISTS "+quoteName(table))
}

// Bytes is the memory that the tables of all tenants take.
func (e *Engine) Bytes(ctx context.Context) (int64, error) {
	e.mu.Lock()
	open := make([]*instance, 0, len(e.instances))
	for _, in := range e.instances {
		open = append(open, in)
	}
	e.mu.Unlock()
	var total int64
	for _, in := range open {
		n, err := in.tableBytes(ctx)
		if errors.Is(err, errClosed) {
			continue // its tenant was dropped meanwhile
		}
		if err != nil {
			return 0, fmt.Errorf("measure the tables: %w", err)
		}
		total += n
	}
	return total, nil
}

func (in *instance) tableBytes(ctx context.Context) (int64, error) {
	const sql = "SELECT CAST(sum(memory_usage_bytes) AS BIGINT) FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'"
	var total int64
	err := in.query(ctx, sql, func(chunk bindings.DataChunk) {
		for _, n := range values[int64](bindings.DataChunkGetVector(chunk, 0), int(bindings.DataChunkGetSize(chunk))) {
			total += n
		}
	})
	return total, err
}

// execute runs a statement of ours on a connection of its own.
func (in *instance) execute(ctx context.Context, sql string) error {
	return in.query(ctx, sql, func(bindings.DataChunk) {})
}

func (in *instance) query(ctx context.Context, sql string, visit func(bindings.DataChunk)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := in.acquire()
	if err != nil {
		return err
	}
	defer in.release(c)
	stop := c.watch(ctx)
	defer stop()
	var result bindings.Result
	state := bindings.Query(c.conn, sql, &result)
	defer bindings.DestroyResult(&result)
	if state == bindings.StateError {
		return statusOf(ctx, resultError(&result))
	}
	for {
		chunk := bindings.FetchChunk(result)
		if chunk.Ptr == nil {
			return nil
		}
		visit(chunk)
		bindings.DestroyDataChunk(&chunk)
	}
}

// appendSource is a batch on its way into a table: with the rows' numbers and
// positions.
type appendSource struct {
	*batchSource
	base int64
}

// inOrder keeps the rows in the order of the batch, in which their times mostly
// ascend.
func (s *appendSource) inOrder() bool { return true }

func (s *appendSource) fill(piece, column int, into bindings.Vector) int {
	p := &s.all[piece]
	n := p.to - p.from
	if column < 0 {
		return n
	}
	switch s.names[column].name {
	case columnNumber:
		dst := values[int64](into, n)
		for i := range dst {
			dst[i] = s.base + int64(p.from+i)
		}
	case columnShard:
		dst := values[uint64](into, n)
		for i := range dst {
			dst[i] = uint64(p.batch.Positions[p.from+i].Shard)
		}
	case columnSequence:
		dst := values[uint64](into, n)
		for i := range dst {
			dst[i] = p.batch.Positions[p.from+i].Seq[2]
		}
	default:
		return s.batchSource.fill(piece, column, into)
	}
	return n
}
