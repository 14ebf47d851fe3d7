package planner

import (
	"sync"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// Plan is a statement ready to run: the bound tree, its scans pinned.
type Plan struct {
	Tenant string
	Query  *Query
	// Beforehand are calls over constants that must be computed, for the errors they
	// may give, before the query runs.
	Beforehand []Expr
	// Columns describe the result.
	Columns []ResultColumn
	Metrics []*MetricScan
	// Catalogs are the computed relations that the tree reads.
	Catalogs []*CatalogScan
	// Empty says that the result is known to have no rows, and Absent are relations that
	// are in no FROM, since an outer join is known to find no rows of theirs.
	Empty  bool
	Absent map[Relation]bool
	// TimeZone is the session's zone, an IANA name or a fixed offset as
	// PostgreSQL's TimeZone takes it.
	TimeZone string
	// Values is how the session reads and prints values.
	Values postgres.Env

	objects objectTexts // of the result's columns
	pin     sources.Pin
	release sync.Once
}

// Release ends the plan's pins. It may be called more than once.
func (p *Plan) Release() {
	p.release.Do(func() {
		if p.pin != nil {
			p.pin.Release()
		}
	})
}
