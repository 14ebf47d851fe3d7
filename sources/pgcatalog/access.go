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
	if who.Owner || who.name == systemRole || !o.isUsers() {
		return schema.Rights{Select: true, Observe: true}
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
	all := s.allObjects()
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
