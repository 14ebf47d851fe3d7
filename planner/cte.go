package planner

import (
	"slices"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// with is the WITH queries that names in FROM can mean, innermost first.
type with struct {
	outer   *with
	entries []*withEntry
	// done are the queries of this clause in the order in which they were bound,
	// so that each comes after those it reads.
	done []*CTE
	home *scope
}

// withEntry is one query of a WITH clause. It is bound where it is first named.
type withEntry struct {
	node  *pgquery.CommonTableExpr
	scope *scope // where it is written, seeing what it may see
	list  *with
	cte   *CTE
	// columns are its outputs under their listed names.
	columns []RelationColumn
	state   withState
	// self is where a recursive query refers to itself.
	self []int32
}

type withState int

const (
	unbound withState = iota
	inFirstTerm
	inRecursiveTerm
	bound
)

// find looks a name up through all WITH clauses; nil: none has it.
func (w *with) find(name string) *withEntry {
	for ; w != nil; w = w.outer {
		for _, e := range w.entries {
			if e.node.Ctename == name {
				return e
			}
		}
	}
	return nil
}

// used are the queries of the scope's own WITH clause.
func (w *with) used(sc *scope) []*CTE {
	if w == nil || w.home != sc {
		return nil
	}
	return w.done
}

// withClause binds WITH. Every query is bound, read or not, to find its errors.
func (b *binder) withClause(sc *scope, n *pgquery.WithClause) error {
	if n == nil {
		return nil
	}
	list := &with{outer: sc.with, home: sc}
	for i, node := range n.Ctes {
		c := node.GetCommonTableExpr()
		if slices.ContainsFunc(list.entries, func(e *withEntry) bool { return e.node.Ctename == c.Ctename }) {
			return errorAt(c.Location, pgerrcode.DuplicateAlias, "WITH query name %q specified more than once", c.Ctename)
		}
		if err := checkWithQuery(c); err != nil {
			return err
		}
		seen := &with{outer: sc.with, entries: list.entries[:i:i]}
		if n.Recursive {
			seen = list
		}
		home := newScope(sc.outer)
		home.with = seen
		list.entries = append(list.entries, &withEntry{node: c, scope: home, list: list})
	}
	sc.with = list
	for _, e := range list.entries {
		if err := b.bindWith(e, n.Recursive); err != nil {
			return err
		}
	}
	return nil
}

func checkWithQuery(c *pgquery.CommonTableExpr) error {
	if c.Ctequery.GetSelectStmt() == nil {
		return withIngestHint(unsupported(c.Location, "%s in WITH", statementName(c.Ctequery)))
	}
	return nil
}

// bindWith binds a WITH query unless it is.
func (b *binder) bindWith(e *withEntry, recursive bool) error {
	if e.state != unbound {
		return nil
	}
	name := e.node.Ctename
	e.cte = &CTE{Label: b.label(name), Name: name, Materialized: e.node.Ctematerialized == pgquery.CTEMaterialize_CTEMaterializeAlways}
	e.state = inFirstTerm
	s := e.node.Ctequery.GetSelectStmt()
	var err error
	if recursive && namesItself(s, name) {
		err = b.recursive(e, s)
	} else {
		switch {
		case e.searches() && recursive && s.Rarg.GetWithClause() != nil:
			return errNotTop(e.node)
		case e.searches():
			return errorAt(e.node.Location, pgerrcode.SyntaxError, "WITH query is not recursive")
		}
		e.cte.Query, err = b.selectStmt(e.scope, s, resolveUnknowns)
	}
	if err != nil {
		return err
	}
	if e.state != inRecursiveTerm {
		if e.columns, err = e.named(outputs(e.cte.Query)); err != nil {
			return err
		}
	}
	e.state = bound
	e.list.done = append(e.list.done, e.cte)
	return nil
}

// named gives the columns the names that the WITH query lists.
func (e *withEntry) named(columns []RelationColumn) ([]RelationColumn, error) {
	names := e.node.Aliascolnames
	if len(names) > len(columns) {
		return nil, errorAt(e.node.Location, pgerrcode.InvalidColumnReference,
			"WITH query %q has %d columns available but %d columns specified", e.node.Ctename, len(columns), len(names))
	}
	for i, n := range names {
		columns[i].Name = n.GetString_().GetSval()
	}
	return columns, nil
}

// recursive binds a query that reads itself: the first term gives the columns,
// then the second sees them.
func (b *binder) recursive(e *withEntry, n *pgquery.SelectStmt) error {
	name, at := e.node.Ctename, e.node.Location
	if n.Op != pgquery.SetOperation_SETOP_UNION {
		return errorAt(at, pgerrcode.InvalidRecursion, "recursive query %q does not have the form non-recursive-term UNION [ALL] recursive-term", name)
	}
	for _, c := range []struct {
		given bool
		what  string
	}{
		{n.SortClause != nil, "ORDER BY"},
		{n.LimitOffset != nil, "OFFSET"},
		{n.LimitCount != nil, "LIMIT"},
		{n.WithClause != nil, "WITH"},
		{n.LockingClause != nil, "FOR UPDATE/SHARE"},
	} {
		if c.given {
			return errorAt(at, pgerrcode.FeatureNotSupported, "%s in a recursive query is not implemented", c.what)
		}
	}
	first, err := b.firstTerm(e, n.Larg)
	if err != nil {
		return err
	}
	if e.columns, err = e.named(outputs(first)); err != nil {
		return err
	}
	e.cte.Recursive = true
	e.state = inRecursiveTerm
	rarg := n.Rarg
	if e.searches() {
		if rarg, err = searchSecond(e, rarg); err != nil {
			return err
		}
	}
	second, err := b.selectStmt(e.scope, rarg, keepUnknowns)
	if err == nil && e.searches() {
		err = checkSearchNames(e.node, e.columns[:len(e.columns)-len(addedColumns(e.node))])
	}
	if err != nil {
		return err
	}
	if err := checkRecursiveTerm(e, second); err != nil {
		return err
	}
	q := &Query{}
	if err := b.combine(newScope(e.scope), q, n, first, second); err != nil {
		return err
	}
	e.cte.Query = q
	for i, c := range outputs(q) {
		if c.T != e.columns[i].T {
			return errorAt(outputAt(n.Larg, i), pgerrcode.DatatypeMismatch,
				"recursive query %q column %d has type %s in non-recursive term but type %s overall", name, i+1,
				typeText(e.columns[i].T), typeText(c.T)).
				withHint("Cast the output of the non-recursive term to the correct type.")
		}
	}
	return nil
}

// searches says that the query has SEARCH or CYCLE.
func (e *withEntry) searches() bool { return e.node.SearchClause != nil || e.node.CycleClause != nil }

// firstTerm binds the first term of a recursive query.
func (b *binder) firstTerm(e *withEntry, n *pgquery.SelectStmt) (*Query, error) {
	if !e.searches() {
		return b.selectStmt(e.scope, n, resolveUnknowns)
	}
	// The clauses are about names that the term must have; it is bound to learn them.
	plain, err := b.selectStmt(e.scope, n, resolveUnknowns)
	if err != nil {
		return nil, err
	}
	own, err := e.named(outputs(plain))
	if err != nil {
		return nil, err
	}
	if err := checkSearchLists(e.node, own); err != nil {
		return nil, err
	}
	if n, err = searchFirst(e.node, n); err != nil {
		return nil, err
	}
	return b.selectStmt(e.scope, n, resolveUnknowns)
}

// checkRecursiveTerm refuses what a recursive term cannot have.
func checkRecursiveTerm(e *withEntry, term *Query) error {
	name, at := e.node.Ctename, e.node.Location
	switch {
	case len(e.self) > 1:
		return errorAt(e.self[1], pgerrcode.InvalidRecursion, "recursive reference to query %q must not appear more than once", name)
	case term.Aggregated:
		return errorAt(aggregateAt(term), pgerrcode.InvalidRecursion, "aggregate functions are not allowed in a recursive query's recursive term")
	case !readsPlainly(term, e.cte):
		return errorAt(at, pgerrcode.InvalidRecursion, "recursive reference to query %q must not appear within a subquery or an outer join", name)
	}
	return nil
}

// aggregateAt is where the query's first aggregate stands.
func aggregateAt(q *Query) int32 {
	at := nowhere
	ownExprs(q, func(e Expr) {
		walk(e, func(e Expr) bool {
			if a, ok := e.(*Aggregate); ok && at == nowhere {
				at = a.at
			}
			return at == nowhere
		})
	})
	return at
}

// readsPlainly says that the query reads the CTE in its own FROM, and not on the
// side of an outer join that may have no row.
func readsPlainly(q *Query, c *CTE) bool {
	if slices.ContainsFunc(q.CTEs, func(inner *CTE) bool { return readsPlainly(inner.Query, c) }) {
		return true
	}
	if q.SetOp != nil && q.SetOp.Kind == Union {
		return readsPlainly(q.SetOp.Left, c) || readsPlainly(q.SetOp.Right, c)
	}
	var find func(f FromItem) bool
	find = func(f FromItem) bool {
		switch f := f.(type) {
		case *CTEScan:
			return f.CTE == c
		case *Join:
			return find(f.Left) && (f.Kind == InnerJoin || f.Kind == LeftJoin) ||
				find(f.Right) && (f.Kind == InnerJoin || f.Kind == RightJoin)
		case *SubqueryScan:
			return readsPlainly(f.Query, c)
		}
		return false
	}
	return slices.ContainsFunc(q.From, find)
}

// cteReference reads a WITH query in FROM.
func (b *binder) cteReference(sc *scope, e *withEntry, rv *pgquery.RangeVar) (FromItem, []*item, error) {
	name := e.node.Ctename
	switch e.state {
	case unbound:
		// A forward reference, which only WITH RECURSIVE allows.
		if err := b.bindWith(e, true); err != nil {
			return nil, nil, err
		}
	case inFirstTerm:
		if !namesItself(e.node.Ctequery.GetSelectStmt(), name) {
			return nil, nil, errorAt(e.node.Location, pgerrcode.FeatureNotSupported, "mutual recursion between WITH items is not implemented")
		}
		return nil, nil, errorAt(rv.Location, pgerrcode.InvalidRecursion,
			"recursive reference to query %q must not appear within its non-recursive term", name)
	case inRecursiveTerm:
		e.self = append(e.self, rv.Location)
	}
	alias := rv.Relname
	if rv.Alias != nil {
		alias = rv.Alias.Aliasname
	}
	scan := &CTEScan{RelationLabel: b.label(alias), CTE: e.cte, Cols: slices.Clone(e.columns)}
	columns := relationColumns(scan)
	for i := range columns {
		// Inside the query * does not give what SEARCH and CYCLE add, and nowhere what counts depth.
		added := e.state == inRecursiveTerm && e.searches() && i >= len(columns)-len(addedColumns(e.node))
		columns[i].apart = added || columns[i].name == depthColumn
	}
	items, err := sc.add(&item{name: alias, relation: scan, columns: columns}, rv.Alias)
	return scan, items, err
}
