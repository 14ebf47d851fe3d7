package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

const (
	encodingUTF8 = 6
	locale       = "C.UTF-8"
)

// databaseRows lists the one database that the user may know of: its tenant's.
func (c *Catalog) databaseRows(ctx context.Context, view *sources.CatalogView, b *builder) error {
	owner, err := c.owner(ctx, view)
	if err != nil {
		return err
	}
	b.add("oid", nameOID(view.Snapshot.Tenant), "datname", view.Snapshot.Tenant, "datdba", owner.oid, "encoding", encodingUTF8,
		"datlocprovider", "c", "datallowconn", true, "datconnlimit", -1, "dattablespace", defaultTablespaceOID,
		"datcollate", locale, "datctype", locale)
	return nil
}
