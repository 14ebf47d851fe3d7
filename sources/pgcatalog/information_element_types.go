package pgcatalog

import "github.com/fieldgate/fieldgate/schema/postgres"

// elementTypeRows tell of the elements of columns that are arrays.
func elementTypeRows(s *state, b *builder) {
	for _, o := range s.allObjects() {
		for _, a := range o.attributes {
			elem := postgres.ElemOf(a.typeOID)
			t, ok := postgres.TypeByOID(elem)
			if array, _ := postgres.TypeByOID(a.typeOID); !ok || !array.IsArray() {
				continue
			}
			b.add("object_catalog", s.snapshot.Tenant, "object_schema", o.schema, "object_name", o.name, "object_type", "TABLE",
				"collection_type_identifier", decimal(a.number), "data_type", elem.String(),
				"udt_catalog", s.snapshot.Tenant, "udt_schema", qualifier(t), "udt_name", t.Name, "dtd_identifier", "a"+decimal(a.number))
		}
	}
}
