package pgcatalog

import (
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// readerOf is the user, if that may not read everything, else "".
func readerOf(snapshot *schema.Snapshot, user string, limited bool) string {
	if !limited || len(snapshot.Access) == 0 {
		return ""
	}
	for _, a := range snapshot.Access {
		if r := snapshot.Rights(a.OID, user); !r.Observe {
			return user
		}
	}
	return ""
}

// rights are those of a role on a table or view.
func (s *state) rights(o *object, who role) schema.Rights {
	switch {
	case who.name == systemRole || who.Owner && o.isUsers():
		return schema.Rights{Select: true, Observe: true}
	case !o.isUsers():
		open := !isConcealed(o.schema, o.name)
		return schema.Rights{Select: open, Observe: open}
	}
	return s.snapshot.Rights(o.oid, who.name)
}

// isUsers says that an object is a tenant's own, and so has rights of its own.
func (o *object) isUsers() bool { return o.schema == schemaPublic || o.schema == schemaErrors }

// read are the rights of the state's reader.
func (s *state) read(o *object) schema.Rights {
	if s.reader == "" {
		return schema.Rights{Select: true, Observe: true}
	}
	return s.rights(o, role{name: s.reader})
}

// shown are the objects that the reader may read something of.
func (s *state) shown() []*object {
	all := slices.DeleteFunc(s.allObjects(), func(o *object) bool { return isConcealed(o.schema, o.name) })
	if s.reader == "" {
		return all
	}
	return slices.DeleteFunc(all, func(o *object) bool { r := s.read(o); return !r.Any() })
}

// acl is the access list of a table or view, as PostgreSQL writes it; nil: nobody
// decided anything. Who reads by default is listed as well, since an access list that
// is there says all.
func (s *state) acl(o *object) any {
	if s.snapshot.AccessTo(o.oid) == nil {
		return nil
	}
	list := []string{s.aclItem(s.owner.name, "", false)}
	granted := s.aclItems(o, schema.Public, func(g *schema.Grant) (bool, bool) { return g.Select, false })
	for _, who := range s.roles {
		if who.name == s.owner.name {
			continue
		}
		of := s.aclItems(o, who.name, func(g *schema.Grant) (bool, bool) { return g.Select, g.SelectOption })
		if r := s.rights(o, who); of == nil && r.Select && (who.Owner || r.Default) {
			of = []string{s.aclItem(who.name, "", false)}
		}
		list = append(list, of...)
	}
	return slices.Insert(list, 1, granted...)
}

// aclItems are those of a role: what it was granted, by each who did.
func (s *state) aclItems(o *object, grantee string, has func(g *schema.Grant) (held, option bool)) []string {
	a := s.snapshot.AccessTo(o.oid)
	if a == nil {
		return nil
	}
	var list []string
	for i := range a.Grants {
		g := &a.Grants[i]
		if held, option := has(g); g.Role == grantee && held {
			list = append(list, s.aclItem(grantee, g.Grantor, option))
		}
	}
	return list
}

// concealedRelations are those of pg_catalog and information_schema that PostgreSQL lets superusers alone read,
// of whom there are none.
var concealedRelations = map[string]bool{
	"pg_authid": true, "pg_backend_memory_contexts": true, "pg_config": true, "pg_file_settings": true, "pg_hba_file_rules": true,
	"pg_ident_file_mappings": true, "pg_largeobject": true, "pg_replication_origin_status": true, "pg_shadow": true,
	"pg_shmem_allocations": true, "pg_statistic": true, "pg_statistic_ext_data": true, "pg_user_mapping": true,
	"sql_parts": true, "transforms": true, "_pg_foreign_data_wrappers": true, "_pg_foreign_servers": true,
	"_pg_foreign_table_columns": true, "_pg_foreign_tables": true, "_pg_user_mappings": true,
}

// isConcealed says so of an object.
func isConcealed(schemaName, name string) bool {
	return (schemaName == schemaCatalog || schemaName == schemaInformation) && concealedRelations[name]
}

// systemACL is the access list that a relation of PostgreSQL's own comes with, if any.
func systemACL(o *object) any {
	if o.schema == schemaInformation && isConcealed(o.schema, o.name) {
		return nil
	}
	list := []string{systemRole + "=arwdDxt/" + systemRole}
	switch {
	case o.name == "pg_settings":
		list = append(list, "=rw/"+systemRole)
	case o.name == "pg_backend_memory_contexts" || o.name == "pg_shmem_allocations":
		list = append(list, "pg_read_all_stats=r/"+systemRole)
	case !isConcealed(o.schema, o.name):
		list = append(list, "=r/"+systemRole)
	}
	return list
}

// columnACL is the access list of a column: who may read it but not the table.
func (s *state) columnACL(o *object, number int) any {
	a := s.snapshot.AccessTo(o.oid)
	if a == nil {
		return nil
	}
	var list []string
	for i := range a.Grants {
		if g := &a.Grants[i]; slices.Contains(g.Columns, number) {
			list = append(list, s.aclItem(g.Role, g.Grantor, slices.Contains(g.ColumnOptions, number)))
		}
	}
	if list == nil {
		return nil
	}
	return list
}

// aclItem says that a role may read, by whose word, an owner's if that is empty, and
// whether it may grant that.
func (s *state) aclItem(grantee, grantor string, option bool) string {
	if grantee != schema.Public {
		grantee = postgres.QuoteIdentifier(grantee)
	}
	if grantor == "" {
		grantor = s.owner.name
	}
	privilege := "=r/"
	if option {
		privilege = "=r*/"
	}
	return grantee + privilege + postgres.QuoteIdentifier(grantor)
}

// rowSecurity says whether the policies of a table hold.
func (s *state) rowSecurity(o *object) bool {
	a := s.snapshot.AccessTo(o.oid)
	return a != nil && (a.RowSecurity == schema.RowSecurityOn || a.RowSecurity == schema.RowSecurityNamed && len(a.Policies) > 0)
}
