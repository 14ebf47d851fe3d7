package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/sources"
)

// instance is one tenant's DuckDB in memory and its connections.
type instance struct {
	db      bindings.Database
	rows    *registry
	maxIdle int
	temp    string

	connections connections

	mu     sync.Mutex
	idle   []*connection
	opened int64 // connections ever
	closed bool
	// abandoned counts the statements that go on without a client; fewer is closed
	// when one of them ends, nil if nobody waits for that.
	abandoned int
	fewer     chan struct{}
	inUse     sync.WaitGroup

	tablesMu sync.Mutex
	// tableBytes is what the tables took when last measured.
	tableBytes int64
}

// openInstance opens, limits and locks an instance. The order counts: after the
// last settings nothing opens the lock again.
func openInstance(cfg Config, tenant string, memory int64) (*instance, error) {
	in := &instance{
		rows:    newRegistry(),
		maxIdle: cfg.IdleConnections,
		temp:    filepath.Join(cfg.TempDirectory, sources.EscapeName(tenant)),
	}
	if err := os.MkdirAll(in.temp, 0o700); err != nil {
		return nil, fmt.Errorf("make temporary directory: %w", err)
	}
	if bindings.Open(":memory:", &in.db) == bindings.StateError {
		return nil, errors.New("open an in-memory database")
	}
	c, err := in.connect()
	if err == nil {
		err = in.setUp(c, cfg, tenant, memory)
		in.release(c)
	}
	if err != nil {
		return nil, errors.Join(err, in.close())
	}
	return in, nil
}

func (in *instance) setUp(c *connection, cfg Config, tenant string, memory int64) error {
	all, err := functions()
	if err != nil {
		return err
	}
	lookups, err := in.rows.lookups()
	if err != nil {
		return err
	}
	for _, f := range slices.Concat(all, lookups) {
		if err := f.register(c.conn, &in.connections); err != nil {
			return err
		}
	}
	if err := registerAggregates(c.conn); err != nil {
		return err
	}
	if err := in.rows.register(c.conn); err != nil {
		return err
	}
	var directories []string
	for _, d := range cfg.Directories(tenant) {
		absolute, err := filepath.Abs(d)
		if err != nil {
			return fmt.Errorf("find directory: %w", err)
		}
		directories = append(directories, quoteString(strings.TrimSuffix(absolute, "/")+"/"))
	}
	// SET alone would hold on this connection only, for some of them.
	for _, sql := range []string{
		fmt.Sprintf("SET GLOBAL threads = %d", cfg.Threads),
		"SET GLOBAL temp_directory = " + quoteString(in.temp),
		// Given when opening, this limit is shown and not held.
		fmt.Sprintf("SET GLOBAL max_temp_directory_size = '%d bytes'", cfg.TempBytes),
		memorySetting(memory),
		"SET GLOBAL TimeZone = 'UTC'",
		"SET GLOBAL preserve_insertion_order = false",
		"SET GLOBAL default_null_order = 'postgres'",
		"SET GLOBAL parquet_metadata_cache = true",
		// It would keep what it reads across gaps of files that hold only what was
		// fetched, and give that when the gaps have been filled.
		"SET GLOBAL enable_external_file_cache = false",
		// A top-n would read its other columns by row number from all row groups, also
		// those that nobody fetched because no time in them is asked for.
		fmt.Sprintf("SET GLOBAL late_materialization_max_rows = %d", lateRows(cfg)),
		"SET GLOBAL autoinstall_known_extensions = false",
		"SET GLOBAL autoload_known_extensions = false",
		"SET GLOBAL allow_community_extensions = false",
		"SET GLOBAL allow_persistent_secrets = false",
		"SET GLOBAL allowed_directories = [" + strings.Join(directories, ", ") + "]",
		"SET GLOBAL enable_external_access = false",
		"SET GLOBAL allowed_configs = ['memory_limit']",
		"SET GLOBAL lock_configuration = true",
	} {
		if err := c.exec(sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

func memorySetting(bytes int64) string {
	return fmt.Sprintf("SET GLOBAL memory_limit = '%d bytes'", bytes)
}

// setMemory changes the instance's share of memory.
func (in *instance) setMemory(bytes int64) error {
	c, err := in.acquire()
	if err != nil {
		return err
	}
	defer in.release(c)
	return c.exec(memorySetting(bytes))
}

func (in *instance) connect() (*connection, error) {
	in.opened++
	c := &connection{first: in.opened * sourcesEach}
	var err error
	if c.prepared, err = newPreparedCache(preparedEach); err != nil {
		return nil, err
	}
	if bindings.Connect(in.db, &c.conn) == bindings.StateError {
		return nil, errors.New("connect to an in-memory database")
	}
	in.connections.add(c)
	in.inUse.Add(1)
	return c, nil
}

func (in *instance) isClosed() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.closed
}

// acquire takes a connection for one statement.
func (in *instance) acquire() (*connection, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return nil, errClosed
	}
	if n := len(in.idle); n > 0 {
		c := in.idle[n-1]
		in.idle = in.idle[:n-1]
		c.stopped.Store(false)
		in.inUse.Add(1)
		return c, nil
	}
	return in.connect()
}

// maxAbandoned bounds the statements of a tenant that go on without a client: planning
// cannot be interrupted.
const maxAbandoned = 8

// admit waits until a further statement may start.
func (in *instance) admit(ctx context.Context) error {
	for {
		in.mu.Lock()
		if in.abandoned < maxAbandoned {
			in.mu.Unlock()
			return nil
		}
		if in.fewer == nil {
			in.fewer = make(chan struct{})
		}
		fewer := in.fewer
		in.mu.Unlock()
		select {
		case <-fewer:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// abandon says that a statement goes on without a client, until ended is called.
func (in *instance) abandon() (ended func()) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.abandoned++
	return func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.abandoned--
		if in.fewer != nil {
			close(in.fewer)
			in.fewer = nil
		}
	}
}

// release gives a connection back when its statement has ended.
func (in *instance) release(c *connection) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed || len(in.idle) >= in.maxIdle {
		in.disconnect(c)
	} else {
		in.idle = append(in.idle, c)
	}
	in.inUse.Done()
}

// close waits for statements to end and closes the database.
func (in *instance) close() error {
	in.mu.Lock()
	in.closed = true
	idle := in.idle
	in.idle = nil
	in.mu.Unlock()
	for _, c := range idle {
		in.disconnect(c)
	}
	in.inUse.Wait()
	bindings.Close(&in.db)
	if err := os.RemoveAll(in.temp); err != nil {
		return fmt.Errorf("remove temporary directory: %w", err)
	}
	return nil
}

func resultError(r *bindings.Result) *engineError {
	return &engineError{class: bindings.ResultErrorType(r), message: bindings.ResultError(r)}
}

func (in *instance) disconnect(c *connection) {
	c.prepared.clear()
	in.connections.remove(c)
	bindings.Disconnect(&c.conn)
}

// lateRows is up to which limit DuckDB reads the other columns of a top-n's rows
// after it has found them; the default is its own.
func lateRows(cfg Config) int {
	if cfg.Files != nil {
		return 0
	}
	return 50
}
