package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

func systemClassRows(b *builder) {
	for _, o := range systemObjects() {
		addClass(b, &o, systemRoleOID)
	}
}

func (c *Catalog) classRows(ctx context.Context, view *sources.CatalogView, b *builder) error {
	owner, err := c.owner(ctx, view)
	if err != nil {
		return err
	}
	for _, o := range c.userObjects(view) {
		addClass(b, &o, owner.oid)
	}
	return nil
}

// addClass lists a table or view. Nothing is known of its size: reltuples is -1,
// as of a table that was never analysed.
func addClass(b *builder, o *object, owner uint32) {
	am, identity := 0, "n"
	if o.kind == 'r' {
		am = heapOID
		if !o.system() {
			identity = "d"
		}
	}
	last := 0
	for _, a := range o.attributes {
		last = max(last, a.number)
	}
	b.add("oid", o.oid, "relname", o.name, "relnamespace", namespaceOID(o.schema), "reltype", o.rowType, "relowner", owner,
		"relam", am, "reltuples", float64(-1), "relpersistence", "p", "relkind", o.kind, "relnatts", last,
		"relispopulated", true, "relreplident", identity)
}
