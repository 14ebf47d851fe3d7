package pgcatalog

import (
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// routineRows are the functions of pg_catalog that are neither aggregates nor
// window functions.
func routineRows(database string, b *builder) {
	for _, p := range usableProcs() {
		kind := any("FUNCTION")
		switch p.Kind {
		case postgres.ProcedureProc:
			kind = "PROCEDURE"
		case postgres.AggregateProc, postgres.WindowProc:
			kind = nil
		}
		t, ok := postgres.TypeByOID(p.Ret)
		if !ok {
			continue
		}
		dataType := p.Ret.String()
		if t.IsArray() {
			dataType = "ARRAY"
		}
		b.add("specific_catalog", database, "specific_schema", schemaCatalog, "specific_name", specificName(&p),
			"routine_catalog", database, "routine_schema", schemaCatalog, "routine_name", p.Name, "routine_type", kind,
			"data_type", dataType, "type_udt_catalog", database, "type_udt_schema", qualifier(t), "type_udt_name", t.Name,
			"dtd_identifier", "0", "routine_body", "EXTERNAL", "external_language", strings.ToUpper("internal"), "parameter_style", "GENERAL",
			"is_deterministic", yesOrNo(p.Volatility == postgres.Immutable), "sql_data_access", "MODIFIES", "is_null_call", yesOrNo(p.Strict),
			"schema_level_routine", "YES", "max_dynamic_result_sets", 0, "security_type", "INVOKER", "as_locator", "NO",
			"is_udt_dependent", "NO")
	}
}

// usableProcs are the functions of pg_catalog that everybody may call.
func usableProcs() []postgres.Proc {
	special := implementationsByOID()
	return slices.DeleteFunc(slices.Clone(postgres.Procs()), func(p postgres.Proc) bool {
		acl, ok := special[p.OID].acl.([]string)
		return ok && !slices.Contains(acl, "=X/"+systemRole)
	})
}

// specificName tells a function from others of its name.
func specificName(p *postgres.Proc) string { return p.Name + "_" + decimal(int(p.OID)) }

// parameterRows are the arguments of those functions, and what they return through them.
func parameterRows(database string, b *builder) {
	for _, p := range usableProcs() {
		types, modes, names := p.Args, "", []string(nil)
		if p.Signature != nil {
			if p.Signature.AllArgs != nil {
				types, modes = p.Signature.AllArgs, p.Signature.Modes
			}
			names = p.Signature.Names
		}
		for i, oid := range types {
			t, ok := postgres.TypeByOID(oid)
			if !ok {
				continue
			}
			mode, name, dataType := "IN", any(nil), oid.String()
			if i < len(modes) {
				mode = map[byte]string{'i': "IN", 'v': "IN", 'o': "OUT", 't': "OUT", 'b': "INOUT"}[modes[i]]
			}
			if i < len(names) {
				name = orNull(names[i])
			}
			if t.IsArray() {
				dataType = "ARRAY"
			}
			b.add("specific_catalog", database, "specific_schema", schemaCatalog, "specific_name", specificName(&p), "ordinal_position", i+1,
				"parameter_mode", mode, "is_result", "NO", "as_locator", "NO", "parameter_name", name, "data_type", dataType,
				"udt_catalog", database, "udt_schema", qualifier(t), "udt_name", t.Name, "dtd_identifier", decimal(i+1))
		}
	}
}

// routinePrivilegeRows say that everybody may call them.
func routinePrivilegeRows(database string, b *builder) {
	for _, p := range usableProcs() {
		b.add("grantor", systemRole, "grantee", granteeName(""), "specific_catalog", database, "specific_schema", schemaCatalog,
			"specific_name", specificName(&p), "routine_catalog", database, "routine_schema", schemaCatalog, "routine_name", p.Name,
			"privilege_type", "EXECUTE", "is_grantable", "NO")
	}
}
