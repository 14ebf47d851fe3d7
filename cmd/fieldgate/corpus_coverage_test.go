package main

import (
	"strings"
	"testing"

	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const (
	corpusLeast         = 1500 // queries
	corpusLeastRow      = 10   // for a difference
	corpusLeastFunction = 5    // that call a function
)

// corpusDifferences are the ways in which DuckDB is known to answer otherwise than
// PostgreSQL without an error. Each has queries of its own.
var corpusDifferences = []string{
	"int / int", "division by zero", "int overflow", "numeric division, avg, stddev, variance", "sum of integers", "unbounded numeric",
	"round(float8)", "cast numeric to int", "NULLS in ORDER BY DESC", "s ~ p", "SIMILAR TO", "LIKE escape", "regexp_matches",
	"split_part, decode, sha256", "substr", "format", "to_hex, md5, encode", "bytea literals", "date_trunc century", "date_trunc of date",
	"date ± int", "infinity, BC", "timestamptz input", "varchar(n), char(n)", "bool concat", "float text", "interval text",
	"SELECT generate_series", "FROM generate_series", "generate_series(int4)", "generate_series of timestamps", "array_length(empty)",
	"x = ALL(NULL)", "array_agg DISTINCT ORDER", "string_agg, array_agg ORDER BY", "json text", "j->>'k' binds", "alias in WHERE",
	"UNION types", "identifier case", "identifiers > 63 bytes", "float 1e400", "stddev_pop('inf')", "current_schema", "now()",
}

// corpusFunctions are those that DuckDB lacks or has with other arguments.
const corpusFunctions = `btrim initcap lpad rpad overlay quote_ident quote_literal quote_nullable regexp_match regexp_count regexp_substr
	regexp_like regexp_instr string_to_table octet_length to_char to_date to_timestamp to_number encode decode div scale min_scale trim_scale
	width_bucket sind cosd every date_bin make_interval make_timestamptz justify_hours justify_days justify_interval clock_timestamp
	statement_timestamp transaction_timestamp timeofday date_trunc substring array_to_string array_fill array_remove array_replace array_positions
	array_upper array_lower array_ndims array_dims cardinality unnest num_nulls pg_typeof json_build_object json_build_array json_agg
	json_object_agg row_to_json to_json to_jsonb jsonb_build_object jsonb_build_array jsonb_agg jsonb_object_agg jsonb_set jsonb_insert
	jsonb_strip_nulls jsonb_pretty jsonb_typeof jsonb_array_length jsonb_array_elements jsonb_array_elements_text jsonb_each jsonb_each_text
	jsonb_object_keys jsonb_object jsonb_extract_path rank dense_rank percent_rank cume_dist`

// TestCorpusCovers counts the queries of the corpus: no two differ in their literals
// alone, and every known difference and function has its share.
func TestCorpusCovers(t *testing.T) {
	t.Parallel()
	known := map[string]string{}
	rows, calls := map[string]int{}, map[string]int{}
	for _, path := range corpusFiles(t, "queries") {
		for _, q := range readCorpus(t, path) {
			fingerprint, err := pgquery.Fingerprint(q.sql)
			if err != nil {
				fingerprint = q.sql // PostgreSQL cannot read it either
			}
			if other := known[fingerprint]; other != "" {
				t.Errorf("%s and %s differ in their literals alone: %s", other, q.place, q.sql)
			}
			known[fingerprint] = q.place
			rows[q.row]++
			for name := range corpusCalls(q.sql) {
				calls[name]++
			}
		}
	}
	if len(known) < corpusLeast {
		t.Errorf("%d queries, want %d", len(known), corpusLeast)
	}
	for _, row := range corpusDifferences {
		if rows[row] < corpusLeastRow {
			t.Errorf("%q has %d queries, want %d", row, rows[row], corpusLeastRow)
		}
	}
	for name := range strings.FieldsSeq(corpusFunctions) {
		if calls[name] < corpusLeastFunction {
			t.Errorf("%s is called in %d queries, want %d", name, calls[name], corpusLeastFunction)
		}
	}
	t.Logf("%d queries", len(known))
}

// corpusCalls are the names of the functions that a query calls.
func corpusCalls(sql string) map[string]bool {
	names := map[string]bool{}
	tree, err := pgquery.Parse(sql)
	if err != nil {
		return names
	}
	var visit func(m protoreflect.Message)
	visit = func(m protoreflect.Message) {
		if call, ok := m.Interface().(*pgquery.FuncCall); ok {
			names[call.Funcname[len(call.Funcname)-1].GetString_().GetSval()] = true
		}
		m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			switch {
			case f.Message() == nil:
			case f.IsList():
				for i := range v.List().Len() {
					visit(v.List().Get(i).Message())
				}
			default:
				visit(v.Message())
			}
			return true
		})
	}
	visit(tree.ProtoReflect())
	return names
}
