package pgcatalog

import (
	"github.com/fieldgate/fieldgate/schema"
)

// eachPolicy visits the policies of all tables.
func eachPolicy(s *state, visit func(o *object, p *schema.Policy)) {
	for _, o := range s.objects {
		a := s.snapshot.AccessTo(o.oid)
		if a == nil || !o.isUsers() {
			continue
		}
		for j := range a.Policies {
			visit(o, &a.Policies[j])
		}
	}
}

// policyRows list the policies. A policy has no number of its own but that of its
// table and name.
func policyRows(s *state, b *builder) {
	eachPolicy(s, func(o *object, p *schema.Policy) {
		roles := make([]int64, 0, len(p.Roles))
		for _, name := range p.Roles {
			oid := int64(0)
			if name != schema.Public {
				oid = int64(roleOID(name))
			}
			roles = append(roles, oid)
		}
		b.add("oid", roleOID(o.name+"\x00"+p.Name), "polname", p.Name, "polrelid", o.oid, "polcmd", "r",
			"polpermissive", !p.Restrictive, "polroles", roles, "polqual", "("+p.Using+")")
	})
}

func policyViewRows(s *state, b *builder) {
	eachPolicy(s, func(o *object, p *schema.Policy) {
		roles := make([]string, 0, len(p.Roles))
		for _, name := range p.Roles {
			if name == schema.Public {
				name = "public"
			}
			roles = append(roles, name)
		}
		permissive := "PERMISSIVE"
		if p.Restrictive {
			permissive = "RESTRICTIVE"
		}
		b.add("schemaname", o.schema, "tablename", o.name, "policyname", p.Name, "permissive", permissive, "roles", roles,
			"cmd", "SELECT", "qual", "("+p.Using+")")
	})
}
