package duckdb_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// repeated joins n copies of a text, in which # stands for the number of the copy.
func repeated(n int, separator, text string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = strings.ReplaceAll(text, "#", fmt.Sprint(i+1))
	}
	return strings.Join(parts, separator)
}

// TestLongExpressions: what clients make of many terms is planned in a time that is
// about in proportion, and means the same as a few. The answers are PostgreSQL's,
// which is asked again if FIELDGATE_TEST_POSTGRES names one.
func TestLongExpressions(t *testing.T) {
	t.Parallel()
	const (
		n    = 600
		rows = " FROM (VALUES (1, 2::bigint, 0.5::float8, 'x1', 1::int2), (NULL, NULL, NULL, NULL, NULL), (3, 4, 1e300, 'x3', 2)) AS t(a, b, f, s, i)"
		most = " FROM (VALUES (2147483647, 'x')) AS t(a, s)"
	)
	server := connect(t)
	e := newEngine(t, t.TempDir())
	for name, test := range map[string]struct{ sql, want string }{
		"sum":           {"SELECT " + repeated(n, "+", "a") + ", " + repeated(n, "+", "b") + rows, "integer|bigint\n600|1200\nNULL|NULL\n1800|2400\n"},
		"sum of int2":   {"SELECT " + repeated(n, " + ", "i::int2") + rows, "smallint\n600\nNULL\n1200\n"},
		"sum of floats": {"SELECT " + repeated(n, "+", "f") + " > 299" + rows, "boolean\nt\nNULL\nt\n"},
		"differences":   {"SELECT a - " + repeated(n, "-", "#") + rows, "integer\n-180299\nNULL\n-180297\n"},
		"in turn":       {"SELECT " + repeated(n/2, " + ", "a * # - b") + " - i" + rows, "bigint\n44549\nNULL\n134248\n"},
		"constants":     {"SELECT " + repeated(n, "+", "1") + ", " + repeated(n, "*", "1") + ", " + repeated(n, "||", "'#'") + " LIKE '%599600'", "integer|integer|boolean\n600|1|t\n"},
		"texts":         {"SELECT md5(" + repeated(n, " || ", "s || #") + ")" + rows, "text\n6efc4593d56859f440c0a72f9dbebf56\nNULL\n8b19edf9156eb6d4c4775b114f176551\n"},
		"too large":     {"SELECT a + " + repeated(n, " + ", "1") + " - " + repeated(n, " - ", "1") + most, "22003\n"},
		"pairs":         {"SELECT a" + rows + " WHERE " + repeated(n, " OR ", "(a = # AND s = 'x#')"), "integer\n1\n3\n"},
		"no pairs":      {"SELECT a" + rows + " WHERE NOT (" + repeated(n, " OR ", "(a = # AND s = 'x#')") + ")", "integer\n"},
		"unknown":       {"SELECT a, (" + repeated(n, " OR ", "(a = # AND s = 'y')") + ") IS NULL" + rows, "integer|boolean\n1|f\nNULL|t\n3|f\n"},
		"rows":          {"SELECT a" + rows + " WHERE (a, s) IN (" + repeated(n, ", ", "(#, 'x#')") + ")", "integer\n1\n3\n"},
		"no rows":       {"SELECT a" + rows + " WHERE (a, s) NOT IN (" + repeated(n, ", ", "(#, 'y#')") + ")", "integer\n1\n3\n"},
		"joined":        {"SELECT count(*)" + rows + " JOIN (VALUES (1, 'x1'), (2, 'x2')) AS u(c, d) ON " + repeated(n, " OR ", "(a = # AND d = 'x#')"), "bigint\n1\n"},
		"groups":        {"SELECT s, count(*)" + rows + " GROUP BY s HAVING " + repeated(n, " OR ", "(min(a) = # AND s = 'x#')") + " ORDER BY s", "text|bigint\nx1|1\nx3|1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			want := test.want
			if server != nil {
				want = askServer(t, server, test.sql, "")
			}
			began := time.Now()
			got := askEngine(t, e, test.sql, nil)
			if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			// It would take minutes; a busy machine has a part of one.
			if took := time.Since(began); took > time.Minute {
				t.Errorf("took %v", took)
			}
		})
	}
}
