package duckdb

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// Engine runs plans on DuckDB, one in-memory instance a tenant. It is safe for
// concurrent use.
type Engine struct {
	cfg    Config
	copies *copies

	mu        sync.Mutex
	instances map[string]*instance
	closed    bool
}

var _ planner.Engine = (*Engine)(nil)

var errClosed = errors.New("the engine is closed")

// New returns an Engine without instances; they are opened when a tenant first
// needs one.
func New(cfg Config) (*Engine, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Engine{cfg: cfg, copies: newCopies(cfg.Logger), instances: map[string]*instance{}}, nil
}

// Close waits for what runs and closes all instances. Statements started
// afterwards fail.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	open := e.instances
	e.instances = map[string]*instance{}
	e.mu.Unlock()
	var errs []error
	for _, in := range open {
		errs = append(errs, in.close())
		e.copies.count(in, 0)
	}
	return errors.Join(errs...)
}

func (e *Engine) isClosed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

// CloseTenant closes the instance of a tenant that no longer exists, with all
// its tables, after what runs on it.
func (e *Engine) CloseTenant(tenant string) error {
	e.mu.Lock()
	in := e.instances[tenant]
	delete(e.instances, tenant)
	e.mu.Unlock()
	if in == nil {
		return nil
	}
	e.copies.dropTenant(tenant)
	err := in.close()
	e.copies.count(in, 0)
	return err
}

// instance returns the tenant's instance, open.
func (e *Engine) instance(tenant string) (*instance, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	if in, ok := e.instances[tenant]; ok {
		return in, nil
	}
	in, err := openInstance(e.cfg, tenant, e.cfg.MemoryBytes/int64(len(e.instances)+1))
	if err != nil {
		return nil, fmt.Errorf("open the engine of tenant %s: %w", tenant, err)
	}
	for name, other := range e.instances {
		if err := other.setMemory(e.cfg.MemoryBytes / int64(len(e.instances)+1)); err != nil {
			// It holds more than its new share in tables; it keeps the old one.
			e.cfg.Logger.Warn("memory share not lowered", "tenant", name, "err", err)
		}
	}
	e.instances[tenant] = in
	return in, nil
}

// opened is the tenant's instance if it is open, or nil.
func (e *Engine) opened(tenant string) *instance {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.instances[tenant]
}

// Check says whether the engine can print the query.
func (e *Engine) Check(ctx context.Context, q *planner.Query) error {
	p := newPrinter("UTC", newRegistry())
	p.stopped = ctx.Err
	_, err := p.statement(q)
	return err
}

// Run starts the plan.
func (e *Engine) Run(ctx context.Context, plan *planner.Plan) (planner.Rows, error) {
	if err := e.beforehand(ctx, plan); err != nil {
		return nil, err
	}
	if plan.Empty && !e.isClosed() {
		return &constantRow{}, nil
	}
	if row, ok := constants(plan.Query); ok && !e.isClosed() {
		return row, nil
	}
	if rows, ok := plainCatalog(plan); ok && !e.isClosed() {
		return rows, nil
	}
	if sliced, ok := e.slice(plan); ok {
		// What is wrong with the statement is said now.
		if err := sliced.start(ctx); err != nil {
			return nil, err
		}
		return sliced, nil
	}
	r, err := e.run(ctx, plan, plan.Query, nil)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// beforehand computes the constants of a plan that may fail.
func (e *Engine) beforehand(ctx context.Context, plan *planner.Plan) error {
	q, of := &planner.Query{}, &planner.Plan{Tenant: plan.Tenant, TimeZone: plan.TimeZone, Values: plan.Values}
	for _, expr := range plan.Beforehand {
		p := printerOf(plan, newRegistry())
		if text := p.expr(expr); p.err == nil && mayRaise.MatchString(text.sql) {
			q.Targets = append(q.Targets, planner.Target{Expr: expr})
			of.Columns = append(of.Columns, planner.ResultColumn{T: expr.Type()})
		}
	}
	if q.Targets == nil {
		return nil
	}
	rows, err := e.run(ctx, of, q, nil)
	if err != nil {
		return err
	}
	_, err = rows.Next(ctx)
	return errors.Join(err, rows.Close())
}

// run starts a query of a plan, of rows whose times lie in the slice if there is
// one.
func (e *Engine) run(ctx context.Context, plan *planner.Plan, query *planner.Query, slice *sources.Bounds) (*rows, error) {
	in, err := e.instance(plan.Tenant)
	if err != nil {
		return nil, asError(err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := in.admit(ctx); err != nil {
		return nil, err
	}
	conn, err := in.acquire()
	if err != nil {
		return nil, asError(err)
	}
	r := &rows{in: in, conn: conn, columns: plan.Columns, copies: e.copies}
	copied := func(ds *schema.Dataset, columns []string, batches []*sources.BatchSplit) (*copyScan, []*sources.BatchSplit) {
		scan, left := e.copies.scan(ctx, in, ds, columns, batches)
		if scan != nil {
			r.tables = append(r.tables, scan.table)
		}
		return scan, left
	}
	p := printerOf(plan, in.rows)
	p.copied = copied
	p.stopped, p.first, p.slice, p.fetches = ctx.Err, conn.first, slice, e.cfg.Files != nil
	reads := readsFiles(plan)
	if reads && slice == nil {
		p.few = fewFiles(plan)
	}
	sql, err := p.statement(query)
	r.registered, r.parameters = p.registered, p.parameters
	if err != nil {
		r.ended = true
		return nil, errors.Join(err, r.Close())
	}
	// A lookup with constant arguments is made when the statement is prepared.
	if lookups := len(p.registered) > len(p.shapes); !lookups && slice == nil && (!reads || p.few != nil) {
		r.key = preparedKey(sql, p.shapes)
	}
	if p.floats {
		// It reads the same of the same files.
		r.careful = func() (string, []int64, error) {
			p := printerOf(plan, in.rows)
			p.careful, p.first, p.copied = true, conn.first+int64(len(r.registered)), copied
			sql, err := p.statement(query)
			return sql, p.registered, err
		}
	}
	if r.files, err = e.fetch(ctx, p.reads); err != nil {
		r.ended = true
		return nil, errors.Join(err, r.Close())
	}
	if r.files != nil {
		r.whole = func(ctx context.Context, why error) error { return e.fetchWhole(ctx, r, p.reads, why) }
	}
	if err := r.begin(ctx, sql); err != nil {
		return nil, err
	}
	return r, nil
}

// fetch has the files that a statement reads fetched. What is returned lets go of
// them; it may be nil.
func (e *Engine) fetch(ctx context.Context, reads []sources.FileRead) (release func(), err error) {
	if e.cfg.Files == nil || len(reads) == 0 {
		return nil, nil
	}
	release, err = e.cfg.Files.Fetch(ctx, reads)
	switch {
	case err == nil:
		return release, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, sources.ErrNoRoom):
		return nil, &planner.Error{
			Code: pgerrcode.DiskFull, Message: "the files that the query reads do not fit in the cache of files", Err: err,
			Hint: "Limit the query in time, read fewer columns, or give the server a larger cache (objects.cache_mb).",
		}
	default:
		return nil, &planner.Error{Code: pgerrcode.IOError, Message: "files of compacted events cannot be read", Err: err}
	}
}

// fetchWhole has all of the files fetched that a statement reads.
func (e *Engine) fetchWhole(ctx context.Context, r *rows, reads []sources.FileRead, why error) error {
	e.cfg.Logger.Warn("a statement failed over what it was to read of files, and runs again over all of them", "err", why)
	all := make([]sources.FileRead, len(reads))
	for i, read := range reads {
		all[i] = sources.FileRead{File: read.File, Columns: read.File.Columns, Bounds: sources.Unbounded()}
	}
	release, err := e.fetch(ctx, all)
	if err != nil {
		return err
	}
	r.files()
	r.files = release
	return nil
}

// readsFiles says that a plan's text names files, which come and go.
func readsFiles(plan *planner.Plan) bool {
	for _, m := range plan.Metrics {
		for _, d := range m.Splits {
			for _, split := range d.Splits {
				if split.File != nil {
					return true
				}
			}
		}
	}
	return false
}

func printerOf(plan *planner.Plan, rows *registry) *printer {
	p := newPrinter(plan.TimeZone, rows)
	p.style, p.absent = styleOf(&plan.Values), plan.Absent
	return p
}

// Explain prints the plan without running it, as it would run now.
func (e *Engine) Explain(plan *planner.Plan) (*planner.EngineExplain, error) {
	p := printerOf(plan, newRegistry())
	p.explains = true
	var tables []*copyTable
	p.copied = func(ds *schema.Dataset, columns []string, batches []*sources.BatchSplit) (*copyScan, []*sources.BatchSplit) {
		scan, left := e.copies.use(e.opened(plan.Tenant), ds, columns, batches)
		if scan != nil {
			tables = append(tables, scan.table)
		}
		return scan, left
	}
	defer func() { e.copies.release(tables) }()
	sql, err := p.statement(plan.Query)
	if err != nil {
		return nil, err
	}
	return &planner.EngineExplain{SQL: sql, Fields: p.fields}, nil
}
