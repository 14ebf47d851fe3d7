package duckdb

import (
	"fmt"
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// addSupport: functions that PostgreSQL's types are made of, which queries can call as well: hashes, binary forms, the
// comparisons behind indexes.
func (t *tables) addSupport() {
	for function, typ := range map[string]string{
		"hashchar": `"char"`, "hashint2": "int2", "hashint4": "int4", "hashint8": "int8", "hashfloat4": "float4", "hashfloat8": "float8",
		"hashoid": "oid", "hashoidvector": "oidvector", "hashname": "name", "hashtext": "text", "hashbpchar": "bpchar", "hashtid": "tid",
		"hashinet": "inet", "hashmacaddr": "macaddr", "hashmacaddr8": "macaddr8", "hash_numeric": "numeric", "timestamp_hash": "timestamp",
		"time_hash": "time", "timetz_hash": "timetz", "interval_hash": "interval", "uuid_hash": "uuid", "jsonb_hash": "jsonb",
		"hash_array": "anyarray", "hash_range": "anyrange", "hash_multirange": "anymultirange",
	} {
		t.arrays(sig(function, typ), func(s *site) printed {
			return printed{sql: fmt.Sprintf("fg_hash(%s, %d)", s.keptText(0), s.types[0].OID)}
		})
		extended := function + "_extended"
		if !strings.Contains(function, "_") {
			extended = function + "extended"
		}
		t.arrays(sig(extended, typ, "int8"), func(s *site) printed {
			return printed{sql: fmt.Sprintf("fg_hash(%s, %d, %s)", s.keptText(0), s.types[0].OID, s.args[1].sql)}
		})
	}
	for function, typ := range map[string]string{
		"boolsend": "bool", "byteasend": "bytea", "textsend": "text", "varcharsend": "varchar", "bpcharsend": "bpchar", "namesend": "name", "charsend": `"char"`,
		"oidsend": "oid", "xidsend": "xid", "cidsend": "cid", "tidsend": "tid", "date_send": "date", "time_send": "time", "timetz_send": "timetz",
		"timestamp_send": "timestamp", "timestamptz_send": "timestamptz", "interval_send": "interval", "numeric_send": "numeric", "uuid_send": "uuid",
		"json_send": "json", "jsonb_send": "jsonb", "jsonpath_send": "jsonpath", "inet_send": "inet", "cidr_send": "cidr", "macaddr_send": "macaddr",
		"macaddr8_send": "macaddr8", "bit_send": "bit", "varbit_send": "varbit", "tsvectorsend": "tsvector", "tsquerysend": "tsquery",
		"int2vectorsend": "int2vector", "oidvectorsend": "oidvector", "array_send": "anyarray", "range_send": "anyrange", "multirange_send": "anymultirange",
	} {
		t.arrays(sig(function, typ), func(s *site) printed {
			return printed{sql: fmt.Sprintf("fg_send_type(%s, %d)", s.keptText(0), s.types[0].OID)}
		})
	}
	each("regclass regcollation regconfig regdictionary regnamespace regoperator regoper regprocedure regproc regrole regtype", func(typ string) {
		t.function(sig(typ+"send", typ), template("fg_send_type(CAST($1 AS VARCHAR), 26)"))
	})
	t.addCompareSupport()
}

// addCompareSupport: what is 0 for equal values and else has a sign.
func (t *tables) addCompareSupport() {
	for function, args := range map[string]string{
		"btboolcmp": "bool bool", "btint4cmp": "int4 int4", "btint8cmp": "int8 int8", "btint24cmp": "int2 int4", "btint28cmp": "int2 int8", "btint42cmp": "int4 int2",
		"btint48cmp": "int4 int8", "btint82cmp": "int8 int2", "btint84cmp": "int8 int4", "btfloat4cmp": "float4 float4", "btfloat8cmp": "float8 float8",
		"btfloat48cmp": "float4 float8", "btfloat84cmp": "float8 float4", "btoidcmp": "oid oid", "date_cmp": "date date",
		"date_cmp_timestamp": "date timestamp", "date_cmp_timestamptz": "date timestamptz", "timestamp_cmp": "timestamp timestamp",
		"timestamp_cmp_date": "timestamp date", "timestamp_cmp_timestamptz": "timestamp timestamptz", "timestamptz_cmp": "timestamptz timestamptz",
		"timestamptz_cmp_date": "timestamptz date", "timestamptz_cmp_timestamp": "timestamptz timestamp", "time_cmp": "time time", "timetz_cmp": "timetz timetz",
		"interval_cmp": "interval interval", "numeric_cmp": "numeric numeric", "macaddr_cmp": "macaddr macaddr", "macaddr8_cmp": "macaddr8 macaddr8",
		"jsonb_cmp": "jsonb jsonb", "btarraycmp": "anyarray anyarray",
	} {
		a, b, _ := strings.Cut(args, " ")
		t.arrays(sig(function, a, b), compareSign)
	}
	t.functionTexts(
		"btint2cmp(int2, int2)", "(CAST($1 AS INTEGER) - CAST($2 AS INTEGER))",
		"bttextcmp(text, text)", "fg_strcmp($1, $2)", "bttext_pattern_cmp(text, text)", "fg_strcmp($1, $2)",
		"btnamecmp(name, name)", "fg_strcmp($1, $2)", "btnametextcmp(name, text)", "fg_strcmp($1, $2)",
		"bttextnamecmp(text, name)", "fg_strcmp($1, $2)",
		"bpcharcmp(bpchar, bpchar)", "fg_strcmp(rtrim($1, ' '), rtrim($2, ' '))",
		"btbpchar_pattern_cmp(bpchar, bpchar)", "fg_strcmp(rtrim($1, ' '), rtrim($2, ' '))",
		"byteacmp(bytea, bytea)", "fg_memcmp($1, $2)",
		"uuid_cmp(uuid, uuid)", fmt.Sprintf("fg_memcmp(fg_send_type(CAST($1 AS VARCHAR), %[1]d), fg_send_type(CAST($2 AS VARCHAR), %[1]d))", postgres.UUIDOID),
		`btcharcmp("char", "char")`, fmt.Sprintf("fg_memcmp(fg_send_type($1, %[1]d), fg_send_type($2, %[1]d))", postgres.CharOID),
	)
}

// compareSign compares by key: -1, 0 or 1.
func compareSign(s *site) printed {
	l, r := s.p.sides(s.types[0], s.moment(0), s.types[1], s.moment(1))
	return printed{sql: "CAST(CASE WHEN " + l + " < " + r + " THEN -1 WHEN " + l + " > " + r + " THEN 1 WHEN " + l + " = " + r + " THEN 0 END AS INTEGER)"}
}

// keptText is argument i as text that ParseLiteral reads whatever is set in the session.
func (s *site) keptText(i int) string {
	if t := s.types[i]; postgres.ElemOf(t.OID) != 0 && !isVector(t.OID) {
		return s.p.shaped(t, s.args[i]).sql
	}
	return s.p.standard(func() string { return s.output(i) })
}
