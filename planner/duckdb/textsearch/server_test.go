package textsearch_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/planner/duckdb/textsearch"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

var (
	questions = flag.Int("questions", 3000, "how many texts to ask PostgreSQL about")
	seed      = flag.Uint64("seed", 1, "which texts")
)

func connect(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), testdeps.Server(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

// ask is one text of PostgreSQL's, or its error's message.
func ask(t *testing.T, conn *pgx.Conn, sql string, args ...any) string {
	t.Helper()
	var out string
	err := conn.QueryRow(t.Context(), sql, args...).Scan(&out)
	var fault *pgconn.PgError
	if errors.As(err, &fault) {
		return fault.Message
	}
	if err != nil {
		t.Fatalf("%s %q: %v", sql, args, err)
	}
	return out
}

// pick joins up to n of the pieces.
func pick(r *rand.Rand, n int, pieces []string) string {
	var b strings.Builder
	for range 1 + r.IntN(n) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// TestTokens makes texts of what the parser looks for, and compares the tokens.
func TestTokens(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	r := rand.New(rand.NewPCG(*seed, 0))
	pieces := strings.Split("a|b|Word|é|日|\u0301|\u093e|1|23|0|.|.|-|-|/|/|@|:|_|~|+|e|E|x|<|>|</|<br|<script>|</script>|<style |=|\"|'|\\|!|!--|--|?|#|&|&amp;|&#x1;|;| | |\n|www.|.com|http://|%|,|(|*|ab1|x-y|1.2|²|٣|^|\u00a0", "|")
	for range *questions {
		text := pick(r, 12, pieces)
		want := ask(t, conn, `SELECT coalesce(string_agg(tokid || ' ' || quote_literal(token), ' '), '') FROM ts_parse('default', $1)`, text)
		var got []string
		for kind, token := range textsearch.Tokens(text) {
			got = append(got, fmt.Sprintf("%d %s", kind, ask(t, conn, "SELECT quote_literal($1::text)", token)))
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%q:\n      got %s\nPostgreSQL %s", text, g, want)
		}
	}
}

// laterThanServer says that a character was added to Unicode, or reclassed, after the version that Debian 12's C library knows (14).
func laterThanServer(c rune) bool {
	return c == 0xcf3 || c == 0xece || c >= 0x10efd && c <= 0x10eff || c >= 0x1123f && c <= 0x11241 || c >= 0x11f00 && c <= 0x11f59 ||
		c >= 0x1342f && c <= 0x13455 || c >= 0x1b132 && c <= 0x1b155 || c >= 0x1df25 && c <= 0x1df2a || c >= 0x1e030 && c <= 0x1e08f ||
		c >= 0x1e4d0 && c <= 0x1e4f9 || c == 0x2b739
}

// TestCharacters compares what every character is between two letters, where it may end the word, and at its beginning.
func TestCharacters(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	different := 0
	for from := rune(1); from < 0x30000; from += 0x1000 {
		var texts []string
		for c := from; c < from+0x1000; c++ {
			if utf8.ValidRune(c) && !laterThanServer(c) {
				texts = append(texts, string(c)+"a"+string(c)+"b")
			}
		}
		if len(texts) == 0 {
			continue
		}
		rows, err := conn.Query(t.Context(), `SELECT (SELECT string_agg(tokid || ':' || length(token), ' ') FROM ts_parse('default', x)) FROM unnest($1::text[]) WITH ORDINALITY u(x, n) ORDER BY n`, texts)
		if err != nil {
			t.Fatal(err)
		}
		answers, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range answers {
			var got []string
			for kind, token := range textsearch.Tokens(texts[i]) {
				got = append(got, fmt.Sprintf("%d:%d", kind, utf8.RuneCountInString(token)))
			}
			if g := strings.Join(got, " "); g != want {
				if different++; different < 40 {
					t.Errorf("%U: got %s, PostgreSQL %s", []rune(texts[i])[0], g, want)
				}
			}
		}
	}
	if different > 0 {
		t.Errorf("%d characters differ", different)
	}
}

// TestLexemes compares to_tsvector of made-up English words.
func TestLexemes(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	r := rand.New(rand.NewPCG(*seed, 1))
	stems := strings.Fields(`comp gener arsen commun run happ fly dy skat conduct relat valenc digit oper feed agreea plaster motor hop tan fall hiss fizz fail fil
		skies news inning outing cann herring earring proceed exceed succeed gentl ugl earl onl singl sky bias andes atlas hope rate y bey say enjoy knack quick`)
	ends := strings.Fields(`s es ed ing ingly edly eed eedly y ies ied ly li ational ization ousness iveness fulness biliti alism aliti logi entli ousli ful less ement ment ent ant
		ence ance able ible ism ate iti ous ive ize ion tion sion al er ic ss us 's ' est ication 1 é`)
	for range *questions {
		var b strings.Builder
		for range 1 + r.IntN(4) {
			b.WriteString(stems[r.IntN(len(stems))])
			for range r.IntN(3) {
				b.WriteString(ends[r.IntN(len(ends))])
			}
			b.WriteString([]string{" ", "-", ", ", " the "}[r.IntN(4)])
		}
		for _, name := range []string{"english", "simple"} {
			want := ask(t, conn, "SELECT to_tsvector($1::regconfig, $2)::text", name, b.String())
			config, _ := textsearch.ConfigNamed(name)
			v, err := config.Vector(b.String())
			if err != nil {
				t.Fatal(err)
			}
			if got := string(v.Append(nil)); got != want {
				t.Errorf("%q:\n      got %s\nPostgreSQL %s", b.String(), got, want)
			}
		}
	}
}

func queryOf(q *postgres.TSQuery, err error) string {
	if err != nil {
		return err.Error()
	}
	return q.String()
}

// TestQueries compares how queries are read in every syntax, and what they match.
func TestQueries(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	r := rand.New(rand.NewPCG(*seed, 2))
	english, _ := textsearch.ConfigNamed("english")
	texts := map[string]func(string) string{
		"$1::tsquery": func(s string) string { return queryOf(postgres.ParseTSQuery(s)) },
		"to_tsquery('english', $1)": func(s string) string {
			return queryOf(english.Query(s, postgres.TSQuerySyntax, postgres.TSPhrase))
		},
		"plainto_tsquery('english', $1)": func(s string) string {
			return queryOf(english.Query(s, postgres.TSPlainSyntax, postgres.TSAnd))
		},
		"phraseto_tsquery('english', $1)": func(s string) string {
			return queryOf(english.Query(s, postgres.TSPlainSyntax, postgres.TSPhrase))
		},
		"websearch_to_tsquery('english', $1)": func(s string) string {
			return queryOf(english.Query(s, postgres.TSWebSyntax, postgres.TSPhrase))
		},
	}
	pieces := strings.Split("a|cat|dog|the|fat-rat|rats|or|OR|of|é|&|&|\\||\\||!|!|<->|<2>|<0>|(|)|'|''|\"|:|:*|:A|:bD|-| | | | |x:1|\\|,|<|>", "|")
	valid, matched := 0, 0
	for range *questions {
		text := strings.Trim(pick(r, 12, pieces), "\x00")
		for sql, read := range texts {
			want := ask(t, conn, "SELECT ("+sql+")::text", text)
			got := read(text)
			if got != want {
				t.Errorf("%s of %q:\n      got %s\nPostgreSQL %s", sql, text, got, want)
			}
			q, err := postgres.ParseTSQuery(got)
			if err != nil || got == "" {
				continue
			}
			valid++
			document := pick(r, 6, []string{"'cat':1,4A ", "'dog':2B ", "'rat':3 ", "'a':2,5 ", "'fat':2 ", "'cat' ", "'é':1C ", "'or':7 ", "'catalog':6 "})
			v, err := postgres.ParseTSVector(document)
			if err != nil {
				t.Fatal(err)
			}
			if want := ask(t, conn, "SELECT $1::tsvector::text", document); want != string(v.Append(nil)) {
				t.Errorf("%q: got %s, PostgreSQL %s", document, v.Append(nil), want)
			}
			want = ask(t, conn, "SELECT ($1::tsvector @@ $2::tsquery)::text", document, got)
			if m := fmt.Sprint(textsearch.Match(v, q)); m != want {
				t.Errorf("%s @@ %s: got %s, PostgreSQL %s", document, got, m, want)
			}
			if want == "true" {
				matched++
			}
		}
	}
	t.Logf("%d queries, %d matched", valid, matched)
}
