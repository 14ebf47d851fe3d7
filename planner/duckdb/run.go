package duckdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/planner"
)

// watch interrupts a statement until it is told that the statement has ended.
type watch struct {
	conn          bindings.Connection
	stopped, left chan struct{}
}

// interruptEvery is how often an interrupt is repeated: one that comes between
// two steps of a statement is forgotten by DuckDB.
const interruptEvery = 2 * time.Millisecond

func (w *watch) interrupt() {
	defer close(w.left)
	t := time.NewTicker(interruptEvery)
	defer t.Stop()
	for {
		bindings.Interrupt(w.conn)
		select {
		case <-w.stopped:
			return
		case <-t.C:
		}
	}
}

// rows is a running statement.
type rows struct {
	in         *instance
	conn       *connection
	registered []int64
	statement  bindings.PreparedStatement
	result     bindings.Result
	chunk      bindings.DataChunk
	reader     chunkReader
	ended      bool
	closed     bool
}

// run starts the statement on a connection of its own.
func (in *instance) run(ctx context.Context, sql string, columns []planner.ResultColumn, registered []int64) (*rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := in.acquire()
	if err != nil {
		return nil, asError(err)
	}
	r := &rows{in: in, conn: c, registered: registered}
	if err := r.start(ctx, sql, columns); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *rows) start(ctx context.Context, sql string, columns []planner.ResultColumn) error {
	stop := r.conn.watch(ctx)
	defer stop()
	if bindings.Prepare(r.conn.conn, sql, &r.statement) == bindings.StateError {
		return statusOf(ctx, prepareError(bindings.PrepareError(r.statement), sql))
	}
	var pending bindings.PendingResult
	defer bindings.DestroyPending(&pending)
	if bindings.PendingPreparedStreaming(r.statement, &pending) == bindings.StateError {
		return statusOf(ctx, prepareError(bindings.PendingError(pending), sql))
	}
	if bindings.ExecutePending(pending, &r.result) == bindings.StateError {
		return statusOf(ctx, resultError(&r.result))
	}
	reader, err := newChunkReader(&r.result, columns)
	if err != nil {
		return &planner.Error{Code: "XX000", Message: internalMessage, Err: fmt.Errorf("%w\n%s", err, sql)}
	}
	r.reader = reader
	return nil
}

// prepareError keeps the statement's text with an error that shows a fault of
// the printing; the interface tells no class here.
func prepareError(message, sql string) *engineError {
	return &engineError{class: classOfText(message), message: message, sql: sql}
}

// Next fetches the next chunk; what it returned before is no longer valid.
func (r *rows) Next(ctx context.Context) (*planner.Chunk, error) {
	if r.ended || r.closed {
		return nil, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	bindings.DestroyDataChunk(&r.chunk)
	stop := r.conn.watch(ctx)
	r.chunk = bindings.FetchChunk(r.result)
	stop()
	if r.chunk.Ptr == nil {
		r.ended = true
		if e := resultError(&r.result); e.message != "" {
			return nil, statusOf(ctx, e)
		}
		return nil, nil
	}
	return r.reader.read(r.chunk), nil
}

// Close ends the statement and gives its connection back.
func (r *rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	if !r.ended {
		// Otherwise DuckDB would go on to the end.
		bindings.Interrupt(r.conn.conn)
	}
	bindings.DestroyDataChunk(&r.chunk)
	bindings.DestroyResult(&r.result)
	bindings.DestroyPrepare(&r.statement)
	r.in.rows.remove(r.registered)
	r.in.release(r.conn)
	return nil
}
