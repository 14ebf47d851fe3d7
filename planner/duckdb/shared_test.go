package duckdb_test

import (
	"strings"
	"testing"
)

// TestNestedCalls puts calls that use an argument more than once into each other, 24 deep,
// wherever an expression can stand. Spelled out, one would have gigabytes of text.
func TestNestedCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.inFile(0, fields{"label": "7"}, fields{"label": "x"}, fields{"label": "21"})
	nest := func(before, after string) func(string) string {
		return func(arg string) string { return strings.Repeat(before, 24) + arg + strings.Repeat(after, 24) }
	}
	for _, same := range []func(string) string{
		nest("nullif(", ", -1)"),
		nest("CAST(extract(epoch FROM make_interval(secs => CAST(", " AS float8))) AS bigint)"),
	} {
		for sql, want := range map[string][]string{
			"SELECT " + same("g") + " FROM generate_series(1, 2) g":                                                                              {"[1]", "[2]"},
			"SELECT " + same("g % 2") + ", count(*) FROM generate_series(1, 3) g GROUP BY " + same("g % 2"):                                      {"[0 1]", "[1 2]"},
			"SELECT DISTINCT " + same("g % 2") + " FROM generate_series(1, 3) g":                                                                 {"[0]", "[1]"},
			"SELECT (SELECT max(" + same("o.g + i") + ") FROM generate_series(1, 2) i) FROM generate_series(1, 2) o(g)":                          {"[3]", "[4]"},
			"SELECT " + same("(SELECT max(i) + g - g FROM generate_series(1, g) i)") + " FROM generate_series(1, 2) g":                           {"[1]", "[2]"},
			"SELECT " + same("sum(g)") + ", sum(" + same("g") + ") FROM generate_series(1, 3) g":                                                 {"[6 6]"},
			"SELECT " + same("sum(g) OVER ()") + " FROM generate_series(1, 2) g":                                                                 {"[3]", "[3]"},
			"SELECT CASE WHEN g < 3 THEN g ELSE " + same("1 / (g - g)") + " END FROM generate_series(1, 2) g":                                    {"[1]", "[2]"},
			"SELECT " + same("g") + " FROM generate_series(1, 4) g WHERE " + same("g") + " > 2 AND " + same("g") + " < " + same("g + 1"):         {"[3]", "[4]"},
			"SELECT " + same("NULL::int") + " IS NULL":                                                                                           {"[t]"},
			"SELECT label FROM weather WHERE label ~ '^[0-9]+$' AND " + same("CAST(label AS int)") + " > 7":                                      {"[21]"},
			"SELECT a.g FROM generate_series(1, 3) a(g) JOIN generate_series(2, 9) b(g) ON " + same("a.g") + " = " + same("b.g"):                 {"[2]", "[3]"},
			"SELECT a.g FROM generate_series(1, 3) a(g) WHERE EXISTS (SELECT 1 FROM generate_series(3, 9) b(g) WHERE b.g = " + same("a.g") + ")": {"[3]"},
		} {
			w.want(sql+" ORDER BY 1", want...)
		}
		w.want("SELECT DISTINCT "+same("g % 2")+" FROM generate_series(1, 3) g ORDER BY "+same("g % 2")+" DESC", "[1]", "[0]")
		w.want("SELECT "+same("g % 2")+" FROM generate_series(1, 3) g GROUP BY "+same("g % 2")+" ORDER BY "+same("g % 2")+" DESC", "[1]", "[0]")
	}
}

// TestLongConstants calls functions that use an argument more than once over constants
// as long as what is computed before a call.
func TestLongConstants(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	digits := "1" + strings.Repeat("0", 8<<10)
	w.want("SELECT to_json("+digits+"::numeric) #>> '{}' = '"+digits+"'", "[t]")
	w.want("SELECT to_json(n) #>> '{}' = '"+digits+"' FROM (VALUES ("+digits+"::numeric)) v(n)", "[t]")
	w.want("SELECT to_json(-("+digits+"::numeric + g)) #>> '{}' = '-"+digits[:len(digits)-1]+"3' FROM generate_series(3, 3) g", "[t]")
}
