package pgcatalog

import (
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

func procRows(b *builder) {
	addProcs(b, postgres.Procs(), catalogOID, implementationsByOID())
	addProcs(b, schema.Functions(), fieldgateOID, nil)
}

// internalLanguageOID is the language of functions of the server itself.
const internalLanguageOID = 12

// sqlLanguageOID is the language of functions with a body in SQL.
const sqlLanguageOID = 14

// usual is how most functions are implemented.
func usual() implementation {
	return implementation{language: internalLanguageOID, cost: 1, parallel: "s"}
}

// addProcs lists functions; special are those that are not implemented as most are.
func addProcs(b *builder, procs []postgres.Proc, namespace uint32, special map[postgres.OID]implementation) {
	for i := range procs {
		p := &procs[i]
		var allArgs, modes, names any
		if s := p.Signature; s != nil {
			if s.AllArgs != nil {
				allArgs = oids(s.AllArgs)
			}
			if s.Modes != "" {
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
		how, ok := special[p.OID]
		if !ok {
			how = usual()
		}
		if how.source == nil {
			how.source = p.Name
		}
		b.add("oid", p.OID, "proname", p.Name, "pronamespace", namespace, "proowner", systemRoleOID, "prolang", how.language,
			"procost", how.cost, "prorows", how.rows, "prosupport", how.support, "proleakproof", how.leakproof, "provariadic", p.Variadic(), "prokind", byte(p.Kind), "proisstrict", p.Strict, "proretset", p.ReturnsSet,
			"provolatile", byte(p.Volatility), "proparallel", how.parallel, "pronargs", len(p.Args), "pronargdefaults", len(p.Defaults()),
			"prorettype", p.Ret, "proargtypes", oids(p.Args), "proallargtypes", allArgs, "proargmodes", modes, "proargnames", names,
			"prosrc", how.source, "probin", how.binary, "prosqlbody", how.body, "proacl", how.acl)
	}
}
