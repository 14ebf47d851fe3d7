package pgcatalog

import "context"

func informationViewRows(_ context.Context, p *pin, b *builder) error {
	for _, o := range p.state.allObjects() {
		if o.kind == 'v' {
			b.add("table_catalog", p.state.snapshot.Tenant, "table_schema", o.schema, "table_name", o.name,
				"view_definition", p.definition(o, false, 0), "check_option", "NONE",
				"is_updatable", "NO", "is_insertable_into", "NO", "is_trigger_updatable", "NO", "is_trigger_deletable", "NO",
				"is_trigger_insertable_into", "NO")
		}
	}
	return nil
}
