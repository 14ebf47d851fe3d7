package duckdb

// addCatalog: what clients ask of the catalog beyond its relations and beyond the
// functions that look something up in them. Nothing in it has a definition to
// print but what the relations say.
func (t *tables) addCatalog() {
	const null = "CAST(NULL AS VARCHAR)"
	t.functionTexts(
		"format_type(oid, int4)", "fg_format_type($1, $2)",
		"pg_get_expr(pg_node_tree, oid)", "$1", "pg_get_expr(pg_node_tree, oid, bool)", "$1",
		"shobj_description(oid, name)", null,
		"pg_get_constraintdef(oid)", null, "pg_get_constraintdef(oid, bool)", null,
		"pg_get_indexdef(oid)", null, "pg_get_indexdef(oid, int4, bool)", null,
		"pg_get_ruledef(oid)", null, "pg_get_ruledef(oid, bool)", null,
		"pg_get_triggerdef(oid)", null, "pg_get_triggerdef(oid, bool)", null,
		"pg_get_partkeydef(oid)", null, "pg_get_function_sqlbody(oid)", null, "pg_get_statisticsobjdef_columns(oid)", null,
		"pg_get_statisticsobjdef(oid)", null, "pg_tablespace_location(oid)", "''",
		"parse_ident(text, bool)", "fg_parse_ident($1, $2)",
		"pg_encoding_to_char(int4)", "(CASE WHEN $1 = 6 THEN 'UTF8' ELSE '' END)", "pg_char_to_encoding(name)", "(CASE WHEN upper($1) IN ('UTF8', 'UTF-8') THEN 6 ELSE -1 END)",
		"pg_relation_is_publishable(regclass)", "false", "pg_relation_is_updatable(regclass, bool)", "CAST(0 AS INTEGER)",
		"pg_stat_get_numscans(oid)", "CAST(0 AS BIGINT)",
		"pg_size_bytes(text)", "fg_size_bytes($1)", "pg_size_pretty(int8)", "fg_size_pretty($1)",
		"pg_is_other_temp_schema(oid)", "false", "pg_my_temp_schema()", "CAST(0 AS BIGINT)",
	)
}
