package duckdb

import (
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// addTextSearch: a tsvector and a tsquery are text as they print. The binder has given each call its configuration.
func (t *tables) addTextSearch() {
	configured := func(signature, text string) {
		t.function(signature, func(s *site) printed {
			name, ok := s.textSearchConfig()
			if !ok {
				return printed{sql: "NULL"}
			}
			s.args[0] = printed{sql: quoteString(name)}
			return printed{sql: s.fill(text)}
		})
	}
	configured("to_tsvector(regconfig, text)", "fg_to_tsvector($1, $2)")
	each("json jsonb", func(j string) {
		configured(sig("to_tsvector", "regconfig", j), "fg_json_to_tsvector($1, $2, '[\"string\"]')")
		configured(sig(j+"_to_tsvector", "regconfig", j, "jsonb"), "fg_json_to_tsvector($1, $2, $3)")
	})
	each("to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery", func(f string) {
		configured(sig(f, "regconfig", "text"), "fg_"+f+"($1, $2)")
	})
	each("@@ @@@", func(o string) {
		t.operatorTexts(sig(o, "tsvector", "tsquery"), "fg_ts_match($1, $2)", sig(o, "tsquery", "tsvector"), "fg_ts_match($2, $1)")
	})
	t.functionTexts(
		"ts_match_vq(tsvector, tsquery)", "fg_ts_match($1, $2)", "ts_match_qv(tsquery, tsvector)", "fg_ts_match($2, $1)",
		"length(tsvector)", "fg_tsvector_length($1)", "strip(tsvector)", "fg_tsvector_strip($1)", `setweight(tsvector, "char")`, "fg_tsvector_setweight($1, $2)",
		"tsvector_to_array(tsvector)", "fg_tsvector_words($1)", "array_to_tsvector(text[])", "fg_tsvector_of($1)",
		"numnode(tsquery)", "fg_tsquery_nodes($1)", "querytree(tsquery)", "fg_tsquery_indexable($1)",
		"tsquery_phrase(tsquery, tsquery, int4)", "fg_tsquery_phrase($1, $2, $3)",
	)
	each("ts_rank ts_rank_cd", func(f string) {
		t.functionTexts(sig(f, "tsvector", "tsquery"), "fg_"+f+"($1, $2, 0)", sig(f, "tsvector", "tsquery", "int4"), "fg_"+f+"($1, $2, $3)")
		weighted := func(normalization string) entry {
			return func(s *site) printed {
				return printed{sql: s.fill("fg_" + f + "($2, $3, " + normalization + ", " + s.p.shaped(s.types[0], s.args[0]).sql + ")")}
			}
		}
		t.arrays(sig(f, "_float4", "tsvector", "tsquery"), weighted("0"))
		t.arrays(sig(f, "_float4", "tsvector", "tsquery", "int4"), weighted("$4"))
	})
	t.both("||(tsvector, tsvector)", "tsvector_concat", template("fg_tsvector_concat($1, $2)"))
	t.both("&&(tsquery, tsquery)", "tsquery_and", template("fg_tsquery_and($1, $2)"))
	t.both("||(tsquery, tsquery)", "tsquery_or", template("fg_tsquery_or($1, $2)"))
	t.both("<->(tsquery, tsquery)", "tsquery_phrase", template("fg_tsquery_phrase($1, $2, 1)"))
	t.both("!!(tsquery)", "tsquery_not", template("fg_tsquery_not($1)"))
}

// textSearchConfig is the configuration that argument 0 is.
func (s *site) textSearchConfig() (string, bool) {
	oid, ok := constantInt(s.nodes[0])
	if !ok {
		s.refuse("%s with a configuration that is no constant", s.name)
		return "", false
	}
	c, ok := postgres.TSConfigByOID(postgres.OID(oid))
	if !ok || c.Name != "simple" && c.Name != "english" {
		s.refuse("the text search configuration %s", postgres.AppendRegistered(nil, postgres.RegconfigOID, postgres.OID(oid)))
		return "", false
	}
	return c.Name, true
}
