package pgcatalog

import (
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// routineRows are the functions of pg_catalog that are neither aggregates nor
// window functions.
func routineRows(s *state, b *builder) {
	database := s.snapshot.Tenant
	for _, p := range postgres.Procs() {
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
		dataType := postgres.FormatType(p.Ret, -1)
		if t.IsArray() {
			dataType = "ARRAY"
		}
		b.add("specific_catalog", database, "specific_schema", schemaCatalog, "specific_name", p.Name+"_"+decimal(int(p.OID)),
			"routine_catalog", database, "routine_schema", schemaCatalog, "routine_name", p.Name, "routine_type", kind,
			"data_type", dataType, "type_udt_catalog", database, "type_udt_schema", qualifier(t), "type_udt_name", t.Name,
			"dtd_identifier", "0", "routine_body", "EXTERNAL", "external_language", strings.ToUpper("internal"), "parameter_style", "GENERAL",
			"is_deterministic", yesOrNo(p.Volatility == postgres.Immutable), "sql_data_access", "MODIFIES", "is_null_call", yesOrNo(p.Strict),
			"schema_level_routine", "YES", "max_dynamic_result_sets", 0, "security_type", "INVOKER", "as_locator", "NO",
			"is_udt_dependent", "NO")
	}
}
