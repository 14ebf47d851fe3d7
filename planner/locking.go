package planner

import (
	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// lockingNames are the strengths of FOR UPDATE and its like.
var lockingNames = map[pgquery.LockClauseStrength]string{
	pgquery.LockClauseStrength_LCS_FORKEYSHARE:    "FOR KEY SHARE",
	pgquery.LockClauseStrength_LCS_FORSHARE:       "FOR SHARE",
	pgquery.LockClauseStrength_LCS_FORNOKEYUPDATE: "FOR NO KEY UPDATE",
	pgquery.LockClauseStrength_LCS_FORUPDATE:      "FOR UPDATE",
}

// locking checks FOR UPDATE and its like. Rows of tables are not locked here, since
// nothing changes them: a query that would lock some is refused when it runs, as
// PostgreSQL refuses it in a read-only transaction. One that has none to lock is answered.
func (b *binder) locking(sc *scope, q *Query, clauses []*pgquery.Node) error {
	for _, node := range clauses {
		n := node.GetLockingClause()
		strength := lockingNames[n.Strength]
		if len(sc.sets) > 0 {
			return lockingWith(strength, "set-returning functions in the target list")
		}
		if err := checkLocking(q, strength); err != nil {
			return err
		}
		if len(n.LockedRels) == 0 {
			for _, item := range q.From {
				if err := b.lockItem(item, strength); err != nil {
					return err
				}
			}
		}
		for _, rel := range n.LockedRels {
			if err := b.lockNamed(sc, rel.GetRangeVar(), strength); err != nil {
				return err
			}
		}
	}
	return nil
}

// lockNamed locks what OF names.
func (b *binder) lockNamed(sc *scope, rv *pgquery.RangeVar, strength string) error {
	if rv.Catalogname != "" || rv.Schemaname != "" {
		return errorAt(rv.Location, pgerrcode.SyntaxError, "%s must specify unqualified relation names", strength)
	}
	for _, it := range sc.items {
		if it.name != rv.Relname || !it.nameVisible {
			continue
		}
		what := ""
		switch it.relation.(type) {
		case nil:
			what = "a join"
		case *FunctionScan:
			what = "a function"
		case *CTEScan:
			what = "a WITH query"
		}
		if what != "" {
			return errorAt(rv.Location, pgerrcode.FeatureNotSupported, "%s cannot be applied to %s", strength, what)
		}
		return b.lockItem(it.relation, strength)
	}
	return errorAt(rv.Location, pgerrcode.UndefinedTable, "relation %q in %s clause not found in FROM clause", rv.Relname, strength)
}

// lockItem locks the tables of an item of FROM, and of the query that it may be.
func (b *binder) lockItem(item FromItem, strength string) error {
	var err error
	visitRelations(item, func(r Relation) {
		switch r := r.(type) {
		case *MetricScan, *CatalogScan:
			if b.denied == nil {
				b.denied = errorf(pgerrcode.ReadOnlySQLTransaction, "cannot execute SELECT %s in a read-only transaction", strength)
			}
		case *SubqueryScan:
			if failed := b.lockQuery(r.Query, strength); err == nil {
				err = failed
			}
		}
	})
	return err
}

func (b *binder) lockQuery(q *Query, strength string) error {
	if q.Values != nil {
		return nil
	}
	if err := checkLocking(q, strength); err != nil {
		return err
	}
	for _, item := range q.From {
		if err := b.lockItem(item, strength); err != nil {
			return err
		}
	}
	return nil
}

// checkLocking refuses a query whose rows are not those of its tables
// (CheckSelectLocking).
func checkLocking(q *Query, strength string) error {
	switch {
	case q.SetOp != nil:
		return lockingWith(strength, "UNION/INTERSECT/EXCEPT")
	case q.Values != nil:
		return errorf(pgerrcode.FeatureNotSupported, "%s cannot be applied to VALUES", strength)
	case q.Distinct || len(q.DistinctOn) > 0:
		return lockingWith(strength, "DISTINCT clause")
	case len(q.GroupBy) > 0 || q.GroupingSets != nil:
		return lockingWith(strength, "GROUP BY clause")
	case q.Having != nil:
		return lockingWith(strength, "HAVING clause")
	case q.Aggregated:
		return lockingWith(strength, "aggregate functions")
	case q.Windowed():
		return lockingWith(strength, "window functions")
	}
	return nil
}

func lockingWith(strength, what string) error {
	return errorf(pgerrcode.FeatureNotSupported, "%s is not allowed with %s", strength, what)
}
