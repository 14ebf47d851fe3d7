package sources

import (
	"context"

	"github.com/fieldgate/fieldgate/schema"
)

// Catalog is the port to relations that are computed and not stored: pg_catalog,
// information_schema and the views of schema fieldgate.
type Catalog interface {
	// Relation finds a relation by schema and name, both as folded by the parser.
	Relation(schemaName, name string) (CatalogRelation, bool)
}

// CatalogRelation is one computed relation.
type CatalogRelation interface {
	OID() uint32
	Columns() []CatalogColumn
	// Rows computes the relation as the view's user sees it. A value is nil or of
	// the Go type that its column's type says: bool, int64 (integers, oid, reg*,
	// timestamps in microseconds since 1970 UTC), float64, string (text, name,
	// "char", json), []string, []int64.
	Rows(ctx context.Context, view *CatalogView) ([][]any, error)
}

// CatalogColumn is a column of a computed relation.
type CatalogColumn struct {
	Name    string
	TypeOID uint32
}

// CatalogView is who looks at the catalog, and at what.
type CatalogView struct {
	Snapshot *schema.Snapshot
	User     string
	// SessionID is the backend's process id.
	SessionID int32
	// Settings are the session's parameters by name.
	Settings map[string]string
}
