package duckdb

import (
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// addCatalog: what clients ask of the catalog beyond its relations and beyond the
// functions that look something up in them. Nothing in it has a definition to
// print but what the relations say.
func (t *tables) addCatalog() {
	const null = "CAST(NULL AS VARCHAR)"
	t.functionTexts(
		"pg_get_expr(pg_node_tree, oid)", "$1", "pg_get_expr(pg_node_tree, oid, bool)", "$1",
		"pg_get_indexdef(oid)", null, "pg_get_indexdef(oid, int4, bool)", null,
		"pg_get_ruledef(oid)", null, "pg_get_ruledef(oid, bool)", null,
		"pg_get_triggerdef(oid)", null, "pg_get_triggerdef(oid, bool)", null,
		"pg_get_partkeydef(oid)", null, "pg_get_statisticsobjdef_columns(oid)", null,
		"pg_get_statisticsobjdef(oid)", null, "pg_tablespace_location(oid)", "(CASE WHEN $1 IS NOT NULL THEN '' END)",
		"parse_ident(text, bool)", "fg_parse_ident($1, $2)",
		"pg_encoding_to_char(int4)", "fg_encoding_name($1)", "pg_char_to_encoding(name)", "fg_encoding_number($1)",
		"pg_relation_is_publishable(regclass)", "($1 <> $1)", "pg_relation_is_updatable(regclass, bool)", "CAST(CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN 0 END AS INTEGER)",
		"pg_size_bytes(text)", "fg_size_bytes($1)", "pg_size_pretty(int8)", "fg_size_pretty($1)", "pg_size_pretty(numeric)", "fg_size_pretty($1)",
		"pg_current_logfile()", null, "pg_current_logfile(text)", null, "pg_notification_queue_usage()", "CAST(0 AS DOUBLE)",
		"pg_last_wal_receive_lsn()", null, "pg_last_wal_replay_lsn()", null, "pg_last_xact_replay_timestamp()", "CAST(NULL AS TIMESTAMP)",
		"pg_jit_available()", "false", "pg_encoding_max_length(int4)", "(CASE WHEN $1 = 6 THEN CAST(4 AS INTEGER) END)",
		"pg_relation_filenode(regclass)", "CAST(NULL AS BIGINT)", "pg_relation_filepath(regclass)", null, "pg_collation_actual_version(oid)", null,
		"pg_get_partition_constraintdef(oid)", null, "pg_get_function_arg_default(oid, int4)", null, "pg_get_replica_identity_index(regclass)", "CAST(NULL AS BIGINT)",
		"pg_partition_root(regclass)", "CAST(NULL AS BIGINT)", "pg_filenode_relation(oid, oid)", "CAST(NULL AS BIGINT)",
		"pg_is_other_temp_schema(oid)", "($1 <> $1)", "pg_my_temp_schema()", "CAST(0 AS BIGINT)",
		"pg_blocking_pids(int4)", "(CASE WHEN $1 IS NOT NULL THEN CAST([] AS INTEGER[]) END)", "pg_safe_snapshot_blocking_pids(int4)", "(CASE WHEN $1 IS NOT NULL THEN CAST([] AS INTEGER[]) END)",
	)
	t.addStatisticCounters()
}

// addStatisticCounters: what PostgreSQL counts of its tables, functions and processes, of which nothing is counted here: it
// says 0 of numbers, and NULL of times.
func (t *tables) addStatisticCounters() {
	for _, p := range postgres.Procs() {
		if !strings.HasPrefix(p.Name, "pg_stat_get_") || p.ReturnsSet || p.Kind != postgres.FunctionProc || len(p.Args) > 1 {
			continue
		}
		if _, known := t.functions[p.OID]; known || len(p.Args) == 1 && p.Args[0] != postgres.OIDOID {
			continue
		}
		zero := "0"
		switch p.Ret {
		case postgres.Int8OID, postgres.Float8OID:
			if len(p.Args) == 1 {
				zero = "CASE WHEN $1 IS NOT NULL THEN 0 END"
			}
		case postgres.TimestampTZOID:
			zero = "NULL"
		default:
			continue
		}
		t.functions[p.OID] = template("CAST(" + zero + " AS " + physical(p.Ret) + ")")
	}
}
