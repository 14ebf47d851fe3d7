package planner

import (
	"context"
	"slices"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// A query becomes a plan by these rules, in this order:
//
//	parse      parse.go      text to the parser's tree, with limits on size and depth
//	authorise  authorise.go  who may run the statement at all
//	bind       binder.go     names and types to the planner's own tree, as PostgreSQL does
//	full join  full_join.go  refuse those that PostgreSQL cannot plan
//	compute    beforehand.go what PostgreSQL computes while it plans, for its errors
//	prune      prune.go      bounds on time, and filters on physical columns, for each scan
//	pin        pin.go        nearline, then manifests, then the splits that are left
//
// Parse, authorise and bind serve Prepare too; the others need parameters' values.

// plan makes the plan of a query that runs. The caller releases it.
func (s *Session) plan(ctx context.Context, n *pgquery.SelectStmt, values []*Const) (*Plan, error) {
	return s.planFor(ctx, n, &parameters{values: values, effects: true})
}

func (s *Session) planFor(ctx context.Context, n *pgquery.SelectStmt, params *parameters) (*Plan, error) {
	s.tx.queried = s.tx.block || s.tx.implicit
	bound, _, err := s.bind(ctx, n, params)
	if err != nil {
		return nil, err
	}
	if bound.denied != nil {
		return nil, bound.denied
	}
	s.activity.read(bound)
	if err := checkFullJoins(bound.query); err != nil {
		return nil, err
	}
	beforehand, err := computeBeforehand(bound.query)
	if err != nil {
		return nil, err
	}
	prune(bound)
	if err := ctx.Err(); err != nil {
		return nil, err // the rules do not look
	}
	p := &Plan{
		Tenant:   s.id.Tenant,
		Query:    bound.query,
		Columns:  resultColumns(bound.query),
		Metrics:  bound.metrics,
		Catalogs: bound.catalogs,
		TimeZone: s.Setting("TimeZone"),
		Values:   bound.env.values,

		Beforehand: beforehand,
	}
	if p.objects, err = s.objectTexts(ctx, bound.names, p.Columns); err != nil {
		return nil, err
	}
	if err := s.pin(ctx, p, bound); err != nil {
		p.Release()
		return nil, err
	}
	p.Empty, p.Absent = isEmpty(p.Query), map[Relation]bool{}
	visitQueries(p.Query, func(q *Query) {
		for i, f := range q.From {
			q.From[i] = withoutEmpty(f, p.Absent)
		}
	})
	sortCatalog(p.Query)
	return p, nil
}

// runQuery plans and starts a query.
func (s *Session) runQuery(ctx context.Context, n *pgquery.SelectStmt, values []*Const) (*Result, error) {
	p, err := s.plan(ctx, n, values)
	if err != nil {
		return nil, err
	}
	return s.start(ctx, p)
}

// runPrepared does so for one whose result was described.
func (s *Session) runPrepared(ctx context.Context, prepared *Prepared, n *pgquery.SelectStmt, values []*Const) (*Result, error) {
	p, err := s.plan(ctx, n, values)
	if err != nil {
		return nil, err
	}
	if !sameColumns(prepared.Columns, p.Columns) {
		p.Release()
		return nil, errPlanChanged()
	}
	return s.start(ctx, p)
}

// start hands a plan, and its pins, to the engine.
func (s *Session) start(ctx context.Context, p *Plan) (*Result, error) {
	orderColumns(p.Query, p.Absent)
	rows, err := s.planner.cfg.Engine.Run(ctx, p)
	if err != nil {
		p.Release()
		return nil, err
	}
	return &Result{Rows: &planRows{Rows: rows, plan: p}, Columns: p.Columns, Tag: "SELECT"}, nil
}

// sameColumns says whether a result is as it was described.
func sameColumns(described, now []ResultColumn) bool {
	return slices.EqualFunc(described, now, func(a, b ResultColumn) bool { return a.Name == b.Name && a.T == b.T })
}

func errPlanChanged() error {
	return errorf(pgerrcode.FeatureNotSupported, "cached plan must not change result type")
}
