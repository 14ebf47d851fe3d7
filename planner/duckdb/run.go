package duckdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
)

// rows is a running statement.
type rows struct {
	in         *instance
	conn       *connection
	columns    []planner.ResultColumn
	registered []int64
	// tables are the copies that it reads.
	copies *copies
	tables []*copyTable
	// files lets go of the files that are read; nil if they are not held.
	files func()
	// whole has all of those files fetched; nil if they are there, or once rows were
	// given.
	whole func(ctx context.Context, why error) error
	sql   string
	// careful prints the statement in its careful form, with what it registers; nil
	// if it has none, or once rows were given. See table_statistics.go.
	careful func() (sql string, registered []int64, err error)
	// key is what the statement is kept prepared under; "": it is not.
	key       string
	statement bindings.PreparedStatement
	// parameters are the values of the statement's.
	parameters []*planner.Const
	failed     bool
	result     bindings.Result
	chunk      bindings.DataChunk
	reader     chunkReader
	ended      bool
	closed     bool
}

// stopWait is how long a statement that was stopped is waited for. Some of DuckDB's
// steps cannot be interrupted: the end of a hash table's build takes as long as its
// rows are many, planning as long as the statement is.
const stopWait = 15 * time.Millisecond

// begin starts the statement. One that is stopped and takes its time to end is left
// to end on its own: it keeps its connection until then, for which the instance
// waits before it closes, and before it has too many of them.
func (r *rows) begin(ctx context.Context, sql string) error {
	started, left := make(chan error), make(chan func(), 1)
	go func() {
		err := r.carefully(ctx, r.wholly(ctx, r.start(ctx, sql)))
		select {
		case started <- err:
		case ended := <-left:
			_ = r.Close() // has no error to give
			ended()
		}
	}()
	ended := func(err error) error {
		if err != nil {
			return errors.Join(err, r.Close())
		}
		return nil
	}
	select {
	case err := <-started:
		return ended(err)
	case <-ctx.Done():
	}
	patience := time.NewTimer(stopWait)
	defer patience.Stop()
	select {
	case err := <-started:
		return ended(err)
	case <-patience.C:
		left <- r.in.abandon()
		return ctx.Err()
	}
}

// carefully starts the statement again in its careful form if it has one and has
// failed of the other.
func (r *rows) carefully(ctx context.Context, err error) error {
	var failed *planner.Error
	if r.careful == nil || !errors.As(err, &failed) || failed.Code != pgerrcode.NumericValueOutOfRange && failed.Code != pgerrcode.FeatureNotSupported {
		return err
	}
	sql, registered, err := r.careful()
	r.careful, r.parameters = nil, nil
	r.registered = append(r.registered, registered...)
	if err != nil {
		return err
	}
	bindings.DestroyResult(&r.result)
	bindings.DestroyPrepare(&r.statement)
	r.key, r.failed = "", false
	return r.start(ctx, sql)
}

// wholly starts the statement again over whole files if it has failed inside the
// engine. That it reads no more than what was fetched is for the printing to see
// to; should it, the statement takes longer and does not fail.
func (r *rows) wholly(ctx context.Context, err error) error {
	var failed *planner.Error
	if r.whole == nil || ctx.Err() != nil || !errors.As(err, &failed) ||
		!pgerrcode.IsInternalError(failed.Code) && !pgerrcode.IsSystemError(failed.Code) {
		return err
	}
	whole := r.whole
	r.whole = nil
	if fetchErr := whole(ctx, err); fetchErr != nil {
		return fetchErr
	}
	bindings.DestroyResult(&r.result)
	bindings.DestroyPrepare(&r.statement)
	r.key, r.failed = "", false
	return r.start(ctx, r.sql)
}

func (r *rows) start(ctx context.Context, sql string) error {
	r.sql = sql
	stop := r.conn.watch(ctx)
	defer stop()
	kept := false
	if r.key != "" {
		r.statement, kept = r.conn.prepared.take(r.key)
	}
	if !kept && bindings.Prepare(r.conn.conn, sql, &r.statement) == bindings.StateError {
		r.failed = true
		return statusOf(ctx, prepareError(bindings.PrepareError(r.statement), sql))
	}
	if err := bindParameters(r.statement, r.parameters); err != nil {
		r.failed = true
		return &planner.Error{Code: pgerrcode.InternalError, Message: internalMessage, Err: fmt.Errorf("%w\n%s", err, sql)}
	}
	if e := r.execute(&r.result); e != nil {
		r.failed = true
		e = r.cause(ctx, e)
		e.sql = sql
		return statusOf(ctx, e)
	}
	reader, err := newChunkReader(&r.result, r.columns)
	if err != nil {
		return &planner.Error{Code: pgerrcode.InternalError, Message: internalMessage, Err: fmt.Errorf("%w\n%s", err, sql)}
	}
	r.reader = reader
	return nil
}

// execute starts the prepared statement as a stream.
func (r *rows) execute(result *bindings.Result) *engineError {
	var pending bindings.PendingResult
	defer bindings.DestroyPending(&pending)
	if bindings.PendingPreparedStreaming(r.statement, &pending) == bindings.StateError || !help(pending) {
		message := bindings.PendingError(pending)
		return &engineError{class: classOfText(message), message: message}
	}
	if bindings.ExecutePending(pending, result) == bindings.StateError {
		return resultError(result)
	}
	return nil
}

const (
	// eagerLooks is how often it is looked for a task before sleeping.
	eagerLooks = 32
	// napLeast and napMost are how long it is slept between two looks.
	napLeast = 50 * time.Microsecond
	napMost  = time.Millisecond
)

// help takes part in a statement's work until it has a first chunk or its end, and
// is false if it has failed. While other threads have all of the work in hand it
// sleeps, where DuckDB would ask for a task as often as it can. An interrupt ends
// the work.
func help(pending bindings.PendingResult) bool {
	var timer *time.Timer
	nap := napLeast
	for looks := 0; ; {
		switch bindings.PendingExecuteTask(pending) {
		case bindings.PendingStateNoTasksAvailable:
			if looks++; looks <= eagerLooks {
				continue
			}
			if timer == nil {
				timer = time.NewTimer(nap)
			} else {
				timer.Reset(nap)
			}
			<-timer.C
			nap = min(2*nap, napMost)
		case bindings.PendingStateResultNotReady:
			looks, nap = 0, napLeast
		case bindings.PendingStateError:
			return false
		default:
			return true
		}
	}
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
	err := r.fetch(ctx)
	if err != nil && r.whole != nil {
		if err = r.wholly(ctx, err); err == nil {
			err = r.fetch(ctx)
		}
	}
	if err != nil && r.careful != nil {
		if err = r.carefully(ctx, err); err == nil {
			err = r.fetch(ctx)
		}
	}
	r.careful, r.whole = nil, nil
	if err != nil || r.chunk.Ptr == nil {
		r.ended = true
		return nil, err
	}
	return r.reader.read(r.chunk), nil
}

// fetch fetches the next chunk, of which there is none at the end.
func (r *rows) fetch(ctx context.Context) error {
	stop := r.conn.watch(ctx)
	r.chunk = bindings.FetchChunk(r.result)
	stop()
	if r.chunk.Ptr != nil {
		return nil
	}
	if e := resultError(&r.result); e.message != "" {
		r.failed = true
		return statusOf(ctx, r.cause(ctx, e))
	}
	return nil
}

// maxCauseRuns bounds how often a statement is run again for its error.
const maxCauseRuns = 8

// cause finds what a stream failed of. When a thread fails, DuckDB interrupts
// the others, and where one of them is reading for us it may tell of the
// interrupt alone. Then the statement is run again, until it tells.
func (r *rows) cause(ctx context.Context, e *engineError) *engineError {
	for range maxCauseRuns {
		if e.class != bindings.ErrorTypeInterrupt || ctx.Err() != nil {
			return e
		}
		again := r.fail(ctx)
		if again == nil {
			return &engineError{message: "interrupted without a cause"}
		}
		e = again
	}
	return e
}

// fail runs the statement to its error and drops the rows before.
func (r *rows) fail(ctx context.Context) *engineError {
	stop := r.conn.watch(ctx)
	defer stop()
	var result bindings.Result
	defer bindings.DestroyResult(&result)
	if e := r.execute(&result); e != nil {
		return e
	}
	for {
		chunk := bindings.FetchChunk(result)
		if chunk.Ptr == nil {
			break
		}
		bindings.DestroyDataChunk(&chunk)
	}
	if e := resultError(&result); e.message != "" {
		return e
	}
	return nil
}

// Close ends the statement and gives its connection back.
func (r *rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	if !r.ended {
		r.conn.interrupt() // otherwise DuckDB would go on to the end
	}
	bindings.DestroyDataChunk(&r.chunk)
	bindings.DestroyResult(&r.result)
	if r.key != "" && r.ended && !r.failed && r.statement.Ptr != nil {
		r.conn.prepared.give(r.key, r.statement)
	} else {
		bindings.DestroyPrepare(&r.statement)
	}
	r.in.rows.remove(r.registered)
	r.copies.release(r.tables)
	if r.files != nil {
		r.files()
	}
	r.in.release(r.conn)
	return nil
}
