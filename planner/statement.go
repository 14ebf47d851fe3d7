package planner

import (
	"context"
	"sync"
	"time"

	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// Prepared is a statement with its names and types bound.
type Prepared struct {
	// Name is what the statement is kept under; "" for none.
	Name string
	// Statement is nil for a text without a statement.
	Statement *Statement
	// ParamTypes are the types of $1, $2, ….
	ParamTypes []postgres.OID
	// Columns describe the result; nil: the statement returns no rows.
	Columns []ResultColumn

	declared bool // by PREPARE
	created  time.Time
}

// Result is what a statement that ran has to say.
type Result struct {
	// Rows is the running result, or nil. The caller closes it.
	Rows    Rows
	Columns []ResultColumn
	// Tag is the command tag: whole, but for SELECT, FETCH and COPY, which the
	// number of rows is added to.
	Tag     string
	Notices []*Notice
	// Binary says that the rows are binary where the client asked for nothing:
	// those of a BINARY cursor.
	Binary bool
	// Copy says that the rows go out as COPY writes them; nil: as rows.
	Copy *Copy
}

// Prepare binds a statement without running anything. The types are those that
// the client gave for its parameters, 0 where it gave none. Errors are *Error, or
// context errors.
func (s *Session) Prepare(ctx context.Context, st *Statement, paramTypes []postgres.OID) (*Prepared, error) {
	p, err := s.prepare(ctx, st, paramTypes)
	if err != nil {
		s.Fail()
		return nil, placeError(err, st.Text)
	}
	return p, nil
}

func (s *Session) prepare(ctx context.Context, st *Statement, paramTypes []postgres.OID) (*Prepared, error) {
	if err := s.checkFailed(st); err != nil {
		return nil, err
	}
	p := &Prepared{Statement: st, created: s.planner.cfg.Now()}
	if call := adminCall(st); call != nil {
		return p, s.prepareAdmin(p, call, paramTypes)
	}
	switch n := st.node.GetNode().(type) {
	case *pgquery.Node_SelectStmt:
		q, params, err := s.bind(ctx, n.SelectStmt, newParameters(paramTypes))
		if err != nil {
			return nil, err
		}
		p.ParamTypes, p.Columns = params.types, resultColumns(q.query)
		return p, s.checkEngine(ctx, q.query)
	case *pgquery.Node_ExplainStmt:
		return p, s.prepareExplain(ctx, p, n.ExplainStmt, paramTypes)
	case *pgquery.Node_VariableShowStmt:
		var err error
		p.Columns, err = s.showColumns(n.VariableShowStmt)
		return p, err
	case *pgquery.Node_DeclareCursorStmt:
		return p, s.prepareDeclare(ctx, p, n.DeclareCursorStmt, paramTypes)
	case *pgquery.Node_FetchStmt:
		p.Columns = s.fetchColumns(n.FetchStmt)
		return p, nil
	case *pgquery.Node_ExecuteStmt:
		p.Columns = s.executeColumns(n.ExecuteStmt)
		return p, nil
	}
	return p, s.checkUtility(ctx, st)
}

// Run starts a statement without parameters. A query is bound once, where Prepare
// and Execute would bind it twice; ctx and errors are as with Execute.
func (s *Session) Run(ctx context.Context, st *Statement) (*Result, error) {
	n := st.node.GetSelectStmt()
	if n == nil || adminCall(st) != nil {
		p, err := s.Prepare(ctx, st, nil)
		if err != nil {
			return nil, err
		}
		_, run, err := s.readied(p, nil)
		if err != nil {
			return nil, err
		}
		return run(ctx)
	}
	err := s.checkFailed(st)
	var r *Result
	if err == nil {
		r, err = s.runQuery(ctx, n, []*Const{})
	}
	if err != nil {
		s.Fail()
		return nil, placeError(err, st.Text)
	}
	return r, nil
}

// Execute starts a prepared statement. ctx governs the start alone; each call for
// rows has its own.
func (s *Session) Execute(ctx context.Context, p *Prepared, params []Param) (*Result, error) {
	_, run, err := s.Bind(p, params)
	if err != nil {
		return nil, err
	}
	return run(ctx)
}

// Bind reads the parameters of a prepared statement and gives what starts it, as
// Execute would, with the statement as it is now: FETCH and EXECUTE return what
// they name returns.
func (s *Session) Bind(p *Prepared, params []Param) (*Prepared, func(ctx context.Context) (*Result, error), error) {
	if p.Statement == nil {
		return p, func(context.Context) (*Result, error) { return &Result{}, nil }, nil
	}
	s.arrive(p.Statement.Text)
	return s.readied(p, params)
}

// readied is Bind of a statement that has arrived.
func (s *Session) readied(p *Prepared, params []Param) (*Prepared, func(ctx context.Context) (*Result, error), error) {
	err := s.checkFailed(p.Statement)
	var values []*Const
	if err == nil {
		values, err = readParams(p.ParamTypes, params, s.settings.values(s.arrived))
	}
	if err != nil {
		s.Fail()
		return nil, nil, err
	}
	now := *p
	switch n := p.Statement.node.GetNode().(type) {
	case *pgquery.Node_FetchStmt:
		now.Columns = s.fetchColumns(n.FetchStmt)
	case *pgquery.Node_ExecuteStmt:
		now.Columns = s.executeColumns(n.ExecuteStmt)
	}
	return &now, func(ctx context.Context) (*Result, error) {
		s.run(p.Statement.Text)
		err := s.checkFailed(p.Statement)
		var r *Result
		if err == nil {
			r, err = s.executeValues(ctx, p, values)
		}
		if err != nil {
			s.Fail()
			return nil, placeError(err, p.Statement.Text)
		}
		return r, nil
	}, nil
}

// executeValues starts a prepared statement whose parameters have been read.
func (s *Session) executeValues(ctx context.Context, p *Prepared, values []*Const) (*Result, error) {
	if call := adminCall(p.Statement); call != nil {
		return s.runAdmin(ctx, p, call, values)
	}
	switch n := p.Statement.node.GetNode().(type) {
	case *pgquery.Node_SelectStmt:
		return s.runPrepared(ctx, p, n.SelectStmt, values)
	case *pgquery.Node_ExplainStmt:
		return s.runExplain(ctx, p, n.ExplainStmt, values)
	case *pgquery.Node_DeclareCursorStmt:
		return s.declare(ctx, p, n.DeclareCursorStmt, values)
	}
	return s.runUtility(ctx, p)
}

// boundQuery is a query with what it reads.
type boundQuery struct {
	query    *Query
	metrics  []*MetricScan
	catalogs []*CatalogScan
	lookups  []*CatalogCall
	// equalities are those between the scans in catalogs, found by prune.
	equalities []catalogEquality
	// denied is what the user may not read of it.
	denied error
	names  *lookup
	env    *environment
}

// bind binds a query by the rules up to bind.
func (s *Session) bind(ctx context.Context, n *pgquery.SelectStmt, params *parameters) (*boundQuery, *parameters, error) {
	env := s.environment()
	if params.effects {
		env.set, env.notify = s.settings.set, s.notify
		env.sleep = func(seconds float64) error { return s.activity.sleep(ctx, seconds) }
	}
	names, err := s.lookup(ctx, env.path)
	if err != nil {
		return nil, nil, err
	}
	b := newBinder(names, env, params)
	b.stopped = ctx.Err
	q, err := b.query(n)
	if err != nil {
		s.countMissed(err)
		return nil, nil, err
	}
	if params.values == nil {
		if err := params.check(); err != nil {
			return nil, nil, err
		}
	}
	return &boundQuery{query: q, metrics: b.metrics, catalogs: b.catalogs, lookups: b.lookups, denied: b.denied, names: names, env: env}, params, nil
}

// lookup is what names mean to the session now, in the catalog too.
func (s *Session) lookup(ctx context.Context, path []string) (*lookup, error) {
	names, err := s.planner.lookup(ctx, s.id.Tenant, catalogPath(path))
	if err != nil {
		return nil, err
	}
	names.pinned = sync.OnceValues(func() (sources.CatalogPin, error) {
		return s.planner.cfg.Catalog.Pin(ctx, s.catalogView(ctx, names))
	})
	names.objectOID = func(relation, column, name string) (uint32, bool, error) {
		pin, err := names.pinned()
		if err != nil {
			return 0, false, err
		}
		return objectOID(ctx, s.planner.cfg.Catalog, pin, relation, column, name)
	}
	return names, nil
}

// checkEngine asks the engine, if there is one, whether it can run the query.
func (s *Session) checkEngine(ctx context.Context, q *Query) error {
	if s.planner.cfg.Engine == nil {
		return nil
	}
	return s.planner.cfg.Engine.Check(ctx, q)
}

// resultColumns describe the outputs of a query.
func resultColumns(q *Query) []ResultColumn {
	columns := make([]ResultColumn, len(q.Targets))
	for i, t := range q.Targets {
		columns[i] = ResultColumn{Name: t.Name, T: t.Expr.Type(), TableOID: t.TableOID, Attribute: t.Attribute, RowType: targetRowType(q, i)}
	}
	return columns
}
