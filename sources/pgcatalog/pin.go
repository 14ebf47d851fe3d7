package pgcatalog

import (
	"context"
	"fmt"

	"github.com/fieldgate/fieldgate/sources"
)

// pin is what one statement sees.
type pin struct {
	catalog *Catalog
	view    *sources.CatalogView
	state   *state
}

var _ sources.CatalogPin = (*pin)(nil)

// Pin fixes what a statement sees.
func (c *Catalog) Pin(ctx context.Context, view *sources.CatalogView) (sources.CatalogPin, error) {
	s, err := c.state(ctx, view)
	if err != nil {
		return nil, err
	}
	return &pin{catalog: c, view: view, state: s}, nil
}

// Rows has the rows of a relation.
func (p *pin) Rows(ctx context.Context, of sources.CatalogRelation) (sources.CatalogRows, error) {
	r, ok := of.(*relation)
	if !ok {
		return nil, fmt.Errorf("a relation of type %T", of)
	}
	t := p.state.table(r)
	for i := range r.parts {
		if r.parts[i].own == nil {
			continue
		}
		b := newBuilder(r)
		if err := r.parts[i].own(ctx, p, b); err != nil {
			return nil, fmt.Errorf("compute %s.%s: %w", r.schema, r.name, err)
		}
		t.blocks = append(t.blocks, tableBlock{made: b.block()})
	}
	return t, nil
}

// rowsOf are the rows of a relation of pg_catalog, none of which differ from
// statement to statement.
func (p *pin) rowsOf(name string) *table {
	return p.state.table(p.catalog.relations[relationName{schemaCatalog, name}])
}
