package pgcatalog

import "github.com/fieldgate/fieldgate/schema/postgres"

func operatorRows(b *builder) {
	for _, o := range postgres.Operators() {
		b.add("oid", o.OID, "oprname", o.Name, "oprnamespace", catalogOID, "oprowner", systemRoleOID, "oprkind", byte(o.Kind),
			"oprleft", o.Left, "oprright", o.Right, "oprresult", o.Result, "oprcom", o.Commutator, "oprnegate", o.Negator,
			"oprcode", o.Code)
	}
}
