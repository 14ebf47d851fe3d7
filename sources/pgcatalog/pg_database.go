package pgcatalog

import "slices"

const (
	encodingUTF8 = 6
	locale       = "C.UTF-8"
)

// databaseRows lists the one tenant that the user may know of, and the templates that
// every PostgreSQL has, to which nobody connects here.
func databaseRows(s *state, b *builder) {
	add := func(oid, owner uint32, name string, template bool, acl any) {
		b.add("oid", oid, "datname", name, "datdba", owner, "encoding", encodingUTF8, "datlocprovider", "c", "datistemplate", template,
			"datallowconn", !template, "datconnlimit", -1, "dattablespace", defaultTablespaceOID, "datcollate", locale, "datctype", locale, "datacl", acl)
	}
	add(databaseOID(s.snapshot.Tenant), s.owner.oid, s.snapshot.Tenant, false, nil)
	for _, t := range templates() {
		add(t.oid, systemRoleOID, t.name, true, []string{"=c/" + systemRole, systemRole + "=CTc/" + systemRole})
	}
}

type template struct {
	oid           uint32
	name, comment string
}

func templates() []template {
	return []template{{4, "template0", "unmodifiable empty database"}, {1, "template1", "default template for new databases"}}
}

func isTemplate(name string) bool {
	return slices.ContainsFunc(templates(), func(t template) bool { return t.name == name })
}

// databaseCatalogOID is pg_database, which shared descriptions point into.
const databaseCatalogOID = 1262

func sharedDescriptionRows(b *builder) {
	for _, t := range templates() {
		b.add("objoid", t.oid, "classoid", databaseCatalogOID, "description", t.comment)
	}
}
