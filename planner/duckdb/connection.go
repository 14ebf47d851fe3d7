package duckdb

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// connection is one of DuckDB's; it runs one statement at a time.
type connection struct {
	conn bindings.Connection
	// first is the first of the numbers that its statements give row sources.
	first int64
	// prepared are statements to run again.
	prepared *preparedCache
	number   uint64 // by which DuckDB knows it
	// stopped is set while a statement that was stopped has not ended.
	stopped atomic.Bool
}

const (
	// sourcesEach is how many row sources a statement of a connection has at most.
	sourcesEach = 1 << 24
	// preparedEach is how many statements a connection keeps prepared.
	preparedEach = 32
)

// exec runs a statement of ours that returns nothing.
func (c *connection) exec(sql string) error {
	var result bindings.Result
	state := bindings.Query(c.conn, sql, &result)
	defer bindings.DestroyResult(&result)
	if state == bindings.StateError {
		return resultError(&result)
	}
	return nil
}

// connections are those of an instance by their numbers, which functions ask for while
// statements run.
type connections struct {
	byNumber sync.Map // of uint64 to *connection
}

func (all *connections) add(c *connection) {
	var context bindings.ClientContext
	bindings.ConnectionGetClientContext(c.conn, &context)
	c.number = uint64(bindings.ClientContextGetConnectionId(context))
	bindings.DestroyClientContext(&context)
	all.byNumber.Store(c.number, c)
}

func (all *connections) remove(c *connection) { all.byNumber.Delete(c.number) }

// stopped is the mark of the connection with a number.
func (all *connections) stopped(number uint64) *atomic.Bool {
	c, ok := all.byNumber.Load(number)
	if !ok {
		return new(atomic.Bool) // one of DuckDB's own
	}
	return &c.(*connection).stopped
}

// interrupt stops the statement: DuckDB asks for it between two chunks, our functions
// between two rows.
func (c *connection) interrupt() {
	c.stopped.Store(true)
	bindings.Interrupt(c.conn)
}

// watch interrupts the connection's statement once ctx ends. The returned
// function ends the watch; after it, no interrupt comes.
func (c *connection) watch(ctx context.Context) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	w := &watch{conn: c, stopped: make(chan struct{}), left: make(chan struct{})}
	cancel := context.AfterFunc(ctx, w.interrupt)
	return func() {
		if !cancel() {
			close(w.stopped)
			<-w.left
		}
	}
}

// watch interrupts a statement until it is told that the statement has ended.
type watch struct {
	conn          *connection
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
		w.conn.interrupt()
		select {
		case <-w.stopped:
			return
		case <-t.C:
		}
	}
}
