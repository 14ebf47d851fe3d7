package duckdb

// addCatalog: what clients ask of the catalog beyond its relations. Everything
// in it can be seen by who may look at it at all, and nothing in it has a
// definition to print but what the relations say.
func (t *tables) addCatalog() {
	each("table type function operator opclass opfamily conversion ts_parser ts_dict ts_template ts_config collation statistics_obj", func(kind string) {
		t.functionTexts("pg_"+kind+"_is_visible(oid)", "CAST(CASE WHEN $1 IS NOT NULL THEN true END AS BOOLEAN)")
	})
	const null = "CAST(NULL AS VARCHAR)"
	t.functionTexts(
		"format_type(oid, int4)", "fg_format_type($1, $2)",
		"pg_get_expr(pg_node_tree, oid)", "$1", "pg_get_expr(pg_node_tree, oid, bool)", "$1",
		"obj_description(oid, name)", null, "obj_description(oid)", null, "col_description(oid, int4)", null, "shobj_description(oid, name)", null,
		"pg_get_constraintdef(oid)", null, "pg_get_constraintdef(oid, bool)", null,
		"pg_get_indexdef(oid)", null, "pg_get_indexdef(oid, int4, bool)", null,
		"pg_get_viewdef(oid)", null, "pg_get_viewdef(oid, bool)", null, "pg_get_ruledef(oid)", null, "pg_get_triggerdef(oid)", null, "pg_get_triggerdef(oid, bool)", null,
		"pg_get_partkeydef(oid)", null, "pg_get_functiondef(oid)", null, "pg_get_statisticsobjdef_columns(oid)", null,
		"pg_get_serial_sequence(text, text)", null, "pg_tablespace_location(oid)", "''",
		"pg_get_function_result(oid)", null, "pg_get_function_arguments(oid)", null, "pg_get_function_identity_arguments(oid)", null,
		"pg_encoding_to_char(int4)", "(CASE WHEN $1 = 6 THEN 'UTF8' ELSE '' END)", "pg_char_to_encoding(name)", "(CASE WHEN upper($1) IN ('UTF8', 'UTF-8') THEN 6 ELSE -1 END)",
		"pg_relation_is_publishable(regclass)", "false", "pg_relation_is_updatable(regclass, bool)", "CAST(0 AS INTEGER)",
		"pg_size_pretty(int8)", "fg_size_pretty($1)",
		"pg_is_other_temp_schema(oid)", "false", "pg_my_temp_schema()", "CAST(0 AS BIGINT)",
	)
	each("database schema table column function language sequence tablespace any_column type foreign_data_wrapper server", func(kind string) {
		if kind == "column" {
			return
		}
		each("text oid", func(object string) {
			t.functionTexts(sig("has_"+kind+"_privilege", object, "text"), privilege)
			each("name oid", func(user string) { t.functionTexts(sig("has_"+kind+"_privilege", user, object, "text"), privilege) })
		})
	})
	t.functionTexts("pg_has_role(name, text)", "true", "pg_has_role(oid, text)", "true", "pg_has_role(name, oid, text)", "true", "pg_has_role(oid, oid, text)", "true")
}

// privilege: who sees an object in the catalog may use it.
const privilege = "true"
