package planner

import (
	"context"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// prepareStmt runs PREPARE.
func (s *Session) prepareStmt(ctx context.Context, st *Statement, n *pgquery.PrepareStmt) (*Result, error) {
	if n.Name == "" {
		return nil, errorf(pgerrcode.InvalidPreparedStatementDefinition, "invalid statement name: must not be empty")
	}
	b := newBinder(&lookup{}, s.environment(), newParameters(nil))
	types := make([]postgres.OID, len(n.Argtypes))
	for i, arg := range n.Argtypes {
		t, err := b.typeName(arg.GetTypeName())
		if err != nil {
			return nil, err
		}
		types[i] = t.OID
	}
	p, err := s.prepare(ctx, &Statement{Text: st.Text, node: n.Query}, types)
	if err != nil {
		return nil, err
	}
	if err := s.CheckPrepared(n.Name); err != nil {
		return nil, err
	}
	p.Name, p.declared, p.created = n.Name, true, s.planner.cfg.Now()
	s.AddPrepared(p)
	return &Result{Tag: "PREPARE"}, nil
}

// executeColumns are the columns of EXECUTE: those of the statement, if there is one.
func (s *Session) executeColumns(n *pgquery.ExecuteStmt) []ResultColumn {
	if p, err := s.Prepared(n.Name); err == nil {
		return p.Columns
	}
	return nil
}

// runExecute runs EXECUTE.
func (s *Session) runExecute(ctx context.Context, n *pgquery.ExecuteStmt) (*Result, error) {
	p, values, err := s.executed(ctx, n)
	if err != nil {
		return nil, err
	}
	return s.executeValues(ctx, p, values)
}

// executed is the statement that EXECUTE names, with its arguments.
func (s *Session) executed(ctx context.Context, n *pgquery.ExecuteStmt) (*Prepared, []*Const, error) {
	p, err := s.Prepared(n.Name)
	if err != nil {
		return nil, nil, err
	}
	if p.Statement == nil {
		return nil, nil, errorf(pgerrcode.FeatureNotSupported, "EXECUTE of an empty statement is not supported")
	}
	if len(n.Params) != len(p.ParamTypes) {
		return nil, nil, errorf(pgerrcode.SyntaxError, "wrong number of parameters for prepared statement %q", n.Name).
			withDetail("Expected %d parameters but got %d.", len(p.ParamTypes), len(n.Params))
	}
	values, err := s.arguments(ctx, n.Params, p.ParamTypes)
	return p, values, err
}

// arguments computes the arguments of EXECUTE, expressions over no table.
func (s *Session) arguments(ctx context.Context, nodes []*pgquery.Node, types []postgres.OID) ([]*Const, error) {
	env := s.environment()
	names, err := s.planner.lookup(ctx, s.id.Tenant, catalogPath(env.path))
	if err != nil {
		return nil, err
	}
	b := newBinder(names, env, &parameters{values: []*Const{}})
	values := make([]*Const, len(nodes))
	for i, n := range nodes {
		if n.GetSubLink() != nil {
			return nil, errorAt(locate(n), pgerrcode.FeatureNotSupported, "cannot use subquery in EXECUTE parameter")
		}
		e, err := b.expr(newScope(nil), n)
		if err != nil {
			return nil, err
		}
		if given := e.Type().OID; given != postgres.UnknownOID && !postgres.CanCoerce(given, types[i], postgres.Assignment) {
			return nil, errorAt(locate(n), pgerrcode.DatatypeMismatch,
				"parameter $%d of type %s cannot be coerced to the expected type %s", i+1, given, types[i]).
				withHint("You will need to rewrite or cast the expression.")
		}
		if e, err = b.coerce(e, plainType(types[i]), postgres.Assignment, locate(n)); err != nil {
			return nil, err
		}
		if values[i], err = s.evaluate(ctx, e, &env.values); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// evaluate computes an expression over no table: the engine does what the binder
// did not.
func (s *Session) evaluate(ctx context.Context, e Expr, env *postgres.Env) (*Const, error) {
	if c, ok := e.(*Const); ok {
		return c, nil
	}
	const name = "parameter"
	t := e.Type()
	p := &Plan{
		Tenant:   s.id.Tenant,
		Query:    &Query{Targets: []Target{{Name: name, Expr: e}}},
		Columns:  []ResultColumn{{Name: name, T: t}},
		TimeZone: s.Setting("TimeZone"),
	}
	rows, err := s.planner.cfg.Engine.Run(ctx, p)
	if err != nil {
		return nil, err
	}
	c, err := readConst(ctx, rows, t, env)
	if closeErr := rows.Close(); err == nil {
		err = closeErr
	}
	return c, err
}

// readConst reads the one value of a result.
func readConst(ctx context.Context, rows Rows, t Type, env *postgres.Env) (*Const, error) {
	c, err := rows.Next(ctx)
	if err != nil {
		return nil, err
	}
	if c == nil || c.Columns[0].IsNull(0) {
		return nullConst(t), nil
	}
	text := TextOf(t.OID, env)(nil, &c.Columns[0], 0)
	value, err := postgres.ParseLiteral(t.OID, -1, string(text), *env)
	if err != nil {
		return nil, faultAt(nowhere, err)
	}
	return &Const{T: t, Value: value, at: nowhere}, nil
}

// deallocate runs DEALLOCATE.
func (s *Session) deallocate(n *pgquery.DeallocateStmt) (*Result, error) {
	if n.Name == "" {
		clear(s.statements)
		return &Result{Tag: "DEALLOCATE ALL"}, nil
	}
	if _, err := s.Prepared(n.Name); err != nil {
		return nil, err
	}
	s.DropPrepared(n.Name)
	return &Result{Tag: "DEALLOCATE"}, nil
}
