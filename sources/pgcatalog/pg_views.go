package pgcatalog

import "context"

// viewRows lists the views. Those that are computed have no text.
func viewRows(_ context.Context, p *pin, b *builder) error {
	for _, o := range p.state.allObjects() {
		if o.kind == 'v' {
			b.add("schemaname", o.schema, "viewname", o.name, "viewowner", namespaceOwner(o.schema, p.state.owner).name,
				"definition", p.definition(o, false, 0))
		}
	}
	return nil
}
