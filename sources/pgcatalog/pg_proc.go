package pgcatalog

import (
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

func procRows(b *builder) {
	addProcs(b, postgres.Procs(), catalogOID)
	addProcs(b, schema.Functions(), fieldgateOID)
}

func addProcs(b *builder, procs []postgres.Proc, namespace uint32) {
	for i := range procs {
		p := &procs[i]
		var allArgs, modes, names any
		if s := p.Signature; s != nil {
			if s.AllArgs != nil {
				allArgs = oids(s.AllArgs)
				letters := make([]string, len(s.Modes))
				for i := range s.Modes {
					letters[i] = s.Modes[i : i+1]
				}
				modes = letters
			}
			if s.Names != nil {
				names = s.Names
			}
		}
		b.add("oid", p.OID, "proname", p.Name, "pronamespace", namespace, "proowner", systemRoleOID, "prolang", internalLanguageOID,
			"procost", float64(1), "provariadic", p.Variadic(), "prokind", byte(p.Kind), "proisstrict", p.Strict, "proretset", p.ReturnsSet,
			"provolatile", byte(p.Volatility), "proparallel", "s", "pronargs", len(p.Args), "pronargdefaults", len(p.Defaults()),
			"prorettype", p.Ret, "proargtypes", oids(p.Args), "proallargtypes", allArgs, "proargmodes", modes, "proargnames", names,
			"prosrc", p.Name)
	}
}
