package pgcatalog

import "github.com/fieldgate/fieldgate/schema/postgres"

func systemTypeRows(b *builder) {
	relations := make(map[postgres.OID]uint32, len(relationTable))
	for i := range relationTable {
		relations[postgres.OID(relationTable[i].rowType)] = relationTable[i].oid
	}
	for i := range postgres.Types() {
		t := &postgres.Types()[i]
		namespace := t.Namespace
		if namespace == "" {
			namespace = schemaCatalog
		}
		addType(b, t, namespace, systemRoleOID, relations[t.OID])
	}
	addRowTypes(b, systemObjects(), role{})
}

// typeRows are the row types of tables and the arrays of them.
func typeRows(s *state, b *builder) { addRowTypes(b, s.objects, s.owner) }

func addRowTypes(b *builder, objects []*object, tablesOwner role) {
	for _, o := range objects {
		if _, listed := postgres.TypeByOID(postgres.OID(o.rowType)); listed || o.rowType == 0 {
			continue
		}
		owner := namespaceOwner(o.schema, tablesOwner).oid
		layout := postgres.Layout{Len: -1, Align: 'd', Storage: 'x'}
		row := &postgres.Type{
			OID: postgres.OID(o.rowType), Name: o.name, Layout: layout, Kind: postgres.CompositeType, Category: postgres.CompositeCategory,
			Delim: ',', Array: postgres.OID(o.arrayType), BaseTypmod: -1,
			Procs: postgres.TypeProcs{Input: "record_in", Output: "record_out", Receive: "record_recv", Send: "record_send"},
		}
		addType(b, row, o.schema, owner, o.oid)
		if o.arrayType == 0 {
			continue
		}
		array := &postgres.Type{
			OID: postgres.OID(o.arrayType), Name: "_" + o.name, Layout: layout, Kind: postgres.BaseType, Category: postgres.ArrayCategory,
			Delim: ',', Elem: row.OID, BaseTypmod: -1,
			Procs: postgres.TypeProcs{
				Input: "array_in", Output: "array_out", Receive: "array_recv", Send: "array_send",
				Analyze: "array_typanalyze", Subscript: "array_subscript_handler",
			},
		}
		addType(b, array, o.schema, owner, 0)
	}
}

func addType(b *builder, t *postgres.Type, namespace string, owner, relation uint32) {
	b.add("oid", t.OID, "typname", t.Name, "typnamespace", namespaceOID(namespace), "typowner", owner, "typlen", t.Layout.Len,
		"typbyval", t.Layout.ByVal, "typtype", byte(t.Kind), "typcategory", byte(t.Category), "typispreferred", t.Preferred,
		"typisdefined", true, "typdelim", t.Delim, "typrelid", relation, "typsubscript", procOID(t.Procs.Subscript), "typelem", t.Elem,
		"typarray", t.Array, "typinput", procOID(t.Procs.Input), "typoutput", procOID(t.Procs.Output),
		"typreceive", procOID(t.Procs.Receive), "typsend", procOID(t.Procs.Send), "typmodin", procOID(t.Procs.TypmodIn),
		"typmodout", procOID(t.Procs.TypmodOut), "typanalyze", procOID(t.Procs.Analyze), "typalign", t.Layout.Align,
		"typstorage", t.Layout.Storage, "typnotnull", t.NotNull, "typbasetype", t.Base, "typtypmod", t.BaseTypmod,
		"typcollation", t.Collation, "typdefault", typeDefaults[t.Name])
}

// typeDefaults are the defaults of the domains that have one.
var typeDefaults = map[string]any{"time_stamp": "CURRENT_TIMESTAMP(2)"}
