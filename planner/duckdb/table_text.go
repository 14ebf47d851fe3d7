package duckdb

import (
	"fmt"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// addTexts: string functions.
func (t *tables) addTexts() {
	t.functionTexts(
		"lower(text)", "fg_lower($1)", "upper(text)", "fg_upper($1)", "initcap(text)", "fg_initcap($1)", "reverse(text)", "fg_reverse($1)",
		"length(bpchar)", "CAST(length(rtrim($1, ' ')) AS INTEGER)", "length(text)", "CAST(length($1) AS INTEGER)", "char_length(text)", "CAST(length($1) AS INTEGER)",
		"character_length(text)", "CAST(length($1) AS INTEGER)", "octet_length(text)", "CAST(strlen($1) AS INTEGER)",
		"normalize(text, text)", "fg_normalize($1, $2)", "is_normalized(text, text)", "fg_is_normalized($1, $2)",
		"bit_length(text)", "CAST(strlen($1) * 8 AS INTEGER)", "bit_length(bytea)", "CAST(octet_length($1) * 8 AS INTEGER)",
		"length(bytea)", "CAST(octet_length($1) AS INTEGER)", "octet_length(bytea)", "CAST(octet_length($1) AS INTEGER)",
		"substr(text, int4)", "fg_substr($1, $2)", "substring(text, int4)", "fg_substr($1, $2)",
		"substr(text, int4, int4)", "fg_substr($1, $2, $3)", "substring(text, int4, int4)", "fg_substr($1, $2, $3)",
		"position(text, text)", "fg_strpos($1, $2)", "strpos(text, text)", "fg_strpos($1, $2)",
		"left(text, int4)", "fg_left($1, $2)", "right(text, int4)", "fg_right($1, $2)",
		"lpad(text, int4)", "fg_lpad($1, $2, ' ')", "rpad(text, int4)", "fg_rpad($1, $2, ' ')",
		"lpad(text, int4, text)", "fg_lpad($1, $2, $3)", "rpad(text, int4, text)", "fg_rpad($1, $2, $3)",
		"btrim(text)", "fg_btrim($1, ' ')", "ltrim(text)", "fg_ltrim($1, ' ')", "rtrim(text)", "fg_rtrim($1, ' ')",
		"btrim(text, text)", "fg_btrim($1, $2)", "ltrim(text, text)", "fg_ltrim($1, $2)", "rtrim(text, text)", "fg_rtrim($1, $2)",
		"replace(text, text, text)", "fg_replace($1, $2, $3)", "split_part(text, text, int4)", "fg_split_part($1, $2, $3)",
		"repeat(text, int4)", "fg_repeat($1, $2)", "md5(text)", "md5($1)", "md5(bytea)", "fg_md5($1)",
		"starts_with(text, text)", "starts_with($1, $2)", "ascii(text)", "fg_ascii($1)", "chr(int4)", "fg_chr($1)",
		"translate(text, text, text)", "fg_translate($1, $2, $3)",
		"overlay(text, text, int4, int4)", "fg_overlay($1, $2, $3, $4)",
		"overlay(text, text, int4)", "fg_overlay($1, $2, $3, CAST(length($2) AS INTEGER))",
		"to_hex(int4)", "fg_to_hex(CAST($1 AS BIGINT) & 4294967295)", "to_hex(int8)", "fg_to_hex($1)",
		"quote_ident(text)", "fg_quote_ident($1)", "quote_literal(text)", "fg_quote_literal($1)",
		"quote_nullable(text)", "coalesce(fg_quote_literal($1), 'NULL')",
		"char_length(bpchar)", "CAST(length(rtrim($1, ' ')) AS INTEGER)", "character_length(bpchar)", "CAST(length(rtrim($1, ' ')) AS INTEGER)",
		"octet_length(bpchar)", "CAST(strlen($1) AS INTEGER)", "textlen(text)", "CAST(length($1) AS INTEGER)",
		"convert_from(bytea, name)", "fg_convert_from($1, $2)", "convert_to(text, name)", "fg_convert_to($1, $2)", "length(bytea, name)", "CAST(length(fg_convert_from($1, $2)) AS INTEGER)",
		"encode(bytea, text)", "fg_encode($1, $2)", "decode(text, text)", "fg_decode($1, $2)",
		"unistr(text)", "fg_unistr($1)",
		"sha256(bytea)", "unhex(sha256($1))", "gen_random_uuid()", "uuid()",
	)
	t.operatorTexts(
		"||(text, text)", "($1 || $2)", "^@(text, text)", "starts_with($1, $2)", "||(bytea, bytea)", "($1 || $2)",
	)
	t.operator("||(text, anynonarray)", func(s *site) printed { return printed{sql: "(" + s.args[0].sql + " || " + s.castText(1) + ")"} })
	t.operator("||(anynonarray, text)", func(s *site) printed { return printed{sql: "(" + s.castText(0) + " || " + s.args[1].sql + ")"} })
	t.function(`concat("any")`, func(s *site) printed {
		if s.variadic {
			return printed{sql: "fg_array_to_string(" + s.elementTexts(0) + ", '', CAST(NULL AS VARCHAR))"}
		}
		return printed{sql: "concat(" + strings.Join(s.outputs(0), ", ") + ")"}
	})
	t.function(`concat_ws(text, "any")`, func(s *site) printed {
		if s.variadic {
			return printed{sql: "fg_array_to_string(" + s.elementTexts(1) + ", " + s.args[0].sql + ", CAST(NULL AS VARCHAR))"}
		}
		return printed{sql: "concat_ws(" + strings.Join(append([]string{s.args[0].sql}, s.outputs(1)...), ", ") + ")"}
	})
	t.function(`format(text, "any")`, func(s *site) printed {
		if f, constant := constantText(s.nodes[0]); constant && !s.variadic {
			if around, plain := formatTexts(f, len(s.args)-1); plain {
				return concatAround(around, s.outputs(1))
			}
		}
		list := "CAST([" + strings.Join(s.outputs(1), ", ") + "] AS VARCHAR[])"
		if s.variadic {
			list = "coalesce(" + s.elementTexts(1) + ", CAST([] AS VARCHAR[]))"
		}
		return printed{sql: "fg_format(" + s.args[0].sql + ", " + list + ")"}
	})
	t.function("quote_literal(anyelement)", func(s *site) printed { return printed{sql: "fg_quote_literal(" + s.castText(0) + ")"} })
	t.function("quote_nullable(anyelement)", func(s *site) printed {
		return printed{sql: "coalesce(fg_quote_literal(" + s.castText(0) + "), 'NULL')"}
	})
	t.function("format(text)", template("fg_format($1, CAST([] AS VARCHAR[]))"))
}

// concatAround puts values between texts; NULL is no text.
func concatAround(texts, values []string) printed {
	parts := []string{quoteString(texts[0])}
	for i, value := range values {
		parts = append(parts, value, quoteString(texts[i+1]))
	}
	return printed{sql: "concat(" + strings.Join(parts, ", ") + ")"}
}

// addBytes: functions of bytea.
func (t *tables) addBytes() {
	each("substring substr", func(name string) {
		t.functionTexts(sig(name, "bytea", "int4"), "fg_bytes_part($1, $2)", sig(name, "bytea", "int4", "int4"), "fg_bytes_part($1, $2, $3)")
	})
	t.functionTexts(
		"btrim(bytea, bytea)", "fg_bytes_btrim($1, $2)", "ltrim(bytea, bytea)", "fg_bytes_ltrim($1, $2)", "rtrim(bytea, bytea)", "fg_bytes_rtrim($1, $2)",
		"overlay(bytea, bytea, int4, int4)", "fg_bytes_overlay($1, $2, $3, $4)",
		"overlay(bytea, bytea, int4)", "fg_bytes_overlay($1, $2, $3, CAST(octet_length($2) AS INTEGER))",
		"position(bytea, bytea)", "fg_bytes_position($1, $2)",
		"get_byte(bytea, int4)", "fg_get_byte($1, $2)", "set_byte(bytea, int4, int4)", "fg_set_byte($1, $2, $3)",
		"get_bit(bytea, int8)", "fg_get_bit($1, $2)", "set_bit(bytea, int8, int4)", "fg_set_bit($1, $2, $3)", "bit_count(bytea)", "fg_bit_count($1)",
		"sha224(bytea)", "fg_sha224($1)", "sha384(bytea)", "fg_sha384($1)", "sha512(bytea)", "fg_sha512($1)",
		"like_escape(bytea, bytea)", "fg_like_escape($1, $2)",
		"int2send(int2)", "fg_send($1)", "int4send(int4)", "fg_send($1)", "int8send(int8)", "fg_send($1)",
		"float4send(float4)", "fg_send($1)", "float8send(float8)", "fg_send($1)",
	)
	t.operatorTexts("~~(bytea, bytea)", "fg_like($1, $2)", "!~~(bytea, bytea)", "(NOT fg_like($1, $2))")
}

// castText is argument i cast to text.
func (s *site) castText(i int) string {
	return s.p.cast(s.args[i], s.types[i], planner.Type{OID: postgres.TextOID, Typmod: -1}, true, false).sql
}

// output is argument i as its type prints it, which for bool is shorter than the
// cast.
func (s *site) output(i int) string {
	if s.types[i].OID == postgres.BoolOID {
		return "(CASE WHEN " + s.args[i].sql + " THEN 't' WHEN NOT " + s.args[i].sql + " THEN 'f' END)"
	}
	if t := s.types[i].OID; t == postgres.BPCharOID || t == postgres.InetOID {
		return s.args[i].sql
	}
	return s.castText(i)
}

func (s *site) outputs(from int) []string {
	var out []string
	for i := from; i < len(s.args); i++ {
		out = append(out, s.output(i))
	}
	return out
}

// addPatterns: LIKE, regular expressions and SIMILAR TO.
func (t *tables) addPatterns() {
	for operator, l := range map[string]like{
		"~~": {"like_escape", "~~", false}, "!~~": {"like_escape", "~~", true},
		"~~*": {"ilike_escape", "", false}, "!~~*": {"ilike_escape", "", true},
	} {
		t.operator(sig(operator, "text", "text"), l.print)
		t.operator(sig(operator, "name", "text"), l.print)
	}
	for name, l := range map[string]like{"like": {"like_escape", "~~", false}, "notlike": {"like_escape", "~~", true}} {
		t.function(sig(name, "text", "text"), l.print)
		t.function(sig(name, "name", "text"), l.print)
	}
	t.functionTexts("like(bytea, bytea)", "fg_like($1, $2)", "notlike(bytea, bytea)", "(NOT fg_like($1, $2))")
	t.function("like_escape(text, text)", likeEscape)
	for operator, m := range map[string]regexMatch{"~": {"", false}, "!~": {"", true}, "~*": {"i", false}, "!~*": {"i", true}} {
		t.operator(sig(operator, "text", "text"), m.print)
		t.operator(sig(operator, "name", "text"), m.print)
	}
	t.functionTexts(
		"similar_to_escape(text)", `fg_similar($1, '\')`, "similar_to_escape(text, text)", "fg_similar($1, $2)",
		"regexp_match(text, text)", "fg_regexp_match($1, $2, '')", "regexp_match(text, text, text)", "fg_regexp_match($1, $2, $3)",
		"regexp_matches(text, text)", matchLists("''"), "regexp_matches(text, text, text)", matchLists("$3"),
		"regexp_replace(text, text, text)", "fg_regexp_replace($1, $2, $3, '')", "regexp_replace(text, text, text, text)", "fg_regexp_replace($1, $2, $3, $4)",
		"regexp_replace(text, text, text, int4)", "fg_regexp_replace($1, $2, $3, $4, 1, '')",
		"regexp_replace(text, text, text, int4, int4)", "fg_regexp_replace($1, $2, $3, $4, $5, '')",
		"regexp_replace(text, text, text, int4, int4, text)", "fg_regexp_replace($1, $2, $3, $4, $5, $6)",
		"substring(text, text)", "fg_regexp_substring($1, $2)", "substring(text, text, text)", "fg_regexp_substring($1, fg_similar($2, $3))",
		"regexp_count(text, text)", "fg_regexp_count($1, $2, 1, '')", "regexp_count(text, text, int4)", "fg_regexp_count($1, $2, $3, '')",
		"regexp_count(text, text, int4, text)", "fg_regexp_count($1, $2, $3, $4)",
		"regexp_like(text, text)", "fg_matches($1, $2, '')", "regexp_like(text, text, text)", "fg_matches($1, $2, $3)",
		"regexp_substr(text, text)", "fg_regexp_substr($1, $2, 1, 1, '', 0)", "regexp_substr(text, text, int4)", "fg_regexp_substr($1, $2, $3, 1, '', 0)",
		"regexp_substr(text, text, int4, int4)", "fg_regexp_substr($1, $2, $3, $4, '', 0)",
		"regexp_substr(text, text, int4, int4, text)", "fg_regexp_substr($1, $2, $3, $4, $5, 0)",
		"regexp_substr(text, text, int4, int4, text, int4)", "fg_regexp_substr($1, $2, $3, $4, $5, $6)",
		"regexp_instr(text, text)", "fg_regexp_instr($1, $2, 1, 1, 0, '', 0)", "regexp_instr(text, text, int4)", "fg_regexp_instr($1, $2, $3, 1, 0, '', 0)",
		"regexp_instr(text, text, int4, int4)", "fg_regexp_instr($1, $2, $3, $4, 0, '', 0)",
		"regexp_instr(text, text, int4, int4, int4)", "fg_regexp_instr($1, $2, $3, $4, $5, '', 0)",
		"regexp_instr(text, text, int4, int4, int4, text)", "fg_regexp_instr($1, $2, $3, $4, $5, $6, 0)",
		"regexp_instr(text, text, int4, int4, int4, text, int4)", "fg_regexp_instr($1, $2, $3, $4, $5, $6, $7)",
	)
	each("regexp_split_to_array regexp_split_to_table", func(name string) {
		t.functionTexts(
			sig(name, "text", "text"), "fg_regexp_split($1, $2, '', '"+name+"')",
			sig(name, "text", "text", "text"), "fg_regexp_split($1, $2, $3, '"+name+"')",
		)
	})
}

// matchLists is regexp_matches: a list of arrays.
func matchLists(flags string) string {
	return "list_transform(fg_regexp_matches($1, $2, " + flags + "), lambda m: fg_array_items(m))"
}

// like is one of the operators of LIKE and ILIKE.
type like struct {
	function string
	plain    string // DuckDB's operator without an escape
	not      bool
}

// print prints LIKE. A constant pattern without escapes becomes DuckDB's plain
// operator, which it turns into a search for a prefix or a part where it can.
func (l like) print(s *site) printed {
	not := ""
	if l.not {
		not = "NOT "
	}
	pattern, constant := constantText(s.nodes[1])
	switch {
	case constant && !strings.Contains(pattern, `\`) && l.plain != "":
		return printed{sql: "(" + not + "(" + s.args[0].sql + " " + l.plain + " " + quoteString(pattern) + "))"}
	case constant && checkLike(pattern) != nil:
		// The escape at the end is an error where something is left to match it.
		more := quoteString(strings.TrimSuffix(pattern, `\`) + "_%")
		fails := raise(pgerrcode.InvalidEscapeSequence, "LIKE pattern must not end with escape character")
		return printed{sql: fmt.Sprintf(`(CASE WHEN %s(%s, %s, '\') THEN CAST(%s AS BOOLEAN) WHEN %s IS NOT NULL THEN %t END)`,
			l.function, s.args[0].sql, more, fails, s.args[0].sql, l.not)}
	case constant:
		return printed{sql: "(" + not + l.function + "(" + s.args[0].sql + ", " + quoteString(pattern) + `, '\'))`}
	}
	return printed{sql: "(" + not + l.function + "(" + s.args[0].sql + ", fg_like_check(" + s.args[1].sql + `), '\'))`}
}

// likeEscape turns a pattern with another escape into one with a backslash.
func likeEscape(s *site) printed {
	pattern, ok := constantText(s.nodes[0])
	escape, okEscape := constantText(s.nodes[1])
	if !ok || !okEscape {
		return printed{sql: "fg_text_like_escape(" + s.args[0].sql + ", " + s.args[1].sql + ")"}
	}
	converted, err := convertEscape(pattern, escape)
	if err != nil {
		return s.p.fail(err)
	}
	return printed{sql: quoteString(converted)}
}

// regexMatch is one of the operators ~.
type regexMatch struct {
	flags string
	not   bool
}

// print prints ~. A constant pattern is translated here and searched by DuckDB.
func (m regexMatch) print(s *site) printed {
	not := ""
	if m.not {
		not = "NOT "
	}
	text, constant, err := constantPattern(s.nodes[1])
	if err != nil {
		return s.p.fail(err)
	}
	if !constant {
		return printed{sql: "(" + not + "fg_matches(" + s.args[0].sql + ", " + s.args[1].sql + ", " + quoteString(m.flags) + "))"}
	}
	p, err := compilePattern(text, m.flags)
	if err != nil {
		return s.p.fail(err)
	}
	if re2, ok := p.exact.RE2(); ok {
		return printed{sql: "(" + not + "regexp_matches(" + s.args[0].sql + ", " + quoteString(re2) + "))"}
	}
	return printed{sql: "(" + not + "fg_matches(" + s.args[0].sql + ", " + quoteString(text) + ", " + quoteString(m.flags) + "))"}
}

// constantPattern is a pattern known now: a constant, or one of SIMILAR TO.
func constantPattern(e planner.Expr) (text string, ok bool, err error) {
	f, isCall := e.(*planner.Func)
	if !isCall || f.Proc.Name != "similar_to_escape" {
		text, ok = constantText(e)
		return text, ok, nil
	}
	escape := `\`
	if text, ok = constantText(f.Args[0]); !ok {
		return "", false, nil
	}
	if len(f.Args) > 1 {
		if escape, ok = constantText(f.Args[1]); !ok {
			return "", false, nil
		}
	}
	text, err = similarPattern(text, escape)
	return text, err == nil, err
}
