package pgcatalog

import "context"

// checkConstraintRows list the conditions on tables that their owners see.
func checkConstraintRows(_ context.Context, p *pin, b *builder) error {
	p.eachNotNull(func(o *object, column, name string) {
		b.add("constraint_catalog", p.state.snapshot.Tenant, "constraint_schema", o.schema, "constraint_name", name, "check_clause", column+" IS NOT NULL")
	})
	return nil
}

// tableConstraintRows list them by table. Tables have no keys.
func tableConstraintRows(_ context.Context, p *pin, b *builder) error {
	database := p.state.snapshot.Tenant
	p.eachNotNull(func(o *object, _, name string) {
		b.add("constraint_catalog", database, "constraint_schema", o.schema, "constraint_name", name, "table_catalog", database, "table_schema", o.schema,
			"table_name", o.name, "constraint_type", "CHECK", "is_deferrable", "NO", "initially_deferred", "NO", "enforced", "YES")
	})
	return nil
}
