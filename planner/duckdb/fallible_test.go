package duckdb_test

import "testing"

// TestFailuresOfOtherRows reads columns that have dictionaries in their file through
// functions that fail for some of the values, in rows that are kept away.
func TestFailuresOfOtherRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	labels := []string{"21", "off", "", "unavailable", "7", "[1,2]", "{}"}
	var events []fields
	for n := range 700 {
		events = append(events, fields{"label": labels[n%len(labels)], "n": n % 5, "big": n % 3})
	}
	w.inFile(0, events...)
	for _, tt := range []struct {
		sql  string
		want []string
	}{
		{`SELECT sum(label::int) FROM weather WHERE label = '21' OR label = '7'`, []string{"[2800]"}},
		{`SELECT sum(CASE WHEN label ~ '^\d+$' THEN label::int ELSE 0 END) FROM weather`, []string{"[2800]"}},
		{`SELECT sum(label::numeric) FILTER (WHERE label ~ '^\d+$') FROM weather`, []string{"[2800]"}},
		{`SELECT count(*) FROM weather WHERE label ~ '^\d+$' AND label::float8 > 10`, []string{"[100]"}},
		{`SELECT label::float8, count(*) FROM weather WHERE label ~ '^\d+$' GROUP BY 1 ORDER BY 1`, []string{"[7 100]", "[21 100]"}},
		{`SELECT sum(CASE WHEN label LIKE '[%' THEN jsonb_array_length(label::jsonb) ELSE 0 END) FROM weather`, []string{"[200]"}},
		{`SELECT sum(60 / n) FROM weather WHERE n > 0`, []string{"[17500]"}},
		{`SELECT sum(CASE WHEN n <> 0 THEN 60 / n ELSE 0 END) FROM weather`, []string{"[17500]"}},
		{`SELECT sum(CASE WHEN big > 0 THEN 10 % big END) FROM weather`, []string{"[0]"}},
		{`SELECT count(sqrt(n - 2)) FROM weather WHERE n >= 2`, []string{"[420]"}},
		{`SELECT count(split_part('a,b,c', ',', n)) FROM weather WHERE n <> 0`, []string{"[560]"}},
		{`SELECT count(a.label::int) FROM weather a JOIN (VALUES (21), (7)) v(x) ON v.x::text = a.label`, []string{"[200]"}},
		{`SELECT count(*) FROM (SELECT label FROM weather WHERE label ~ '^\d+$') s JOIN (VALUES (21), (8)) v(x) ON v.x = s.label::int`, []string{"[100]"}},
	} {
		w.want(tt.sql, tt.want...)
	}
	for _, sql := range []string{`SELECT sum(label::int) FROM weather WHERE label <> 'off'`, `SELECT sum(60 / n) FROM weather`} {
		if _, err := ask(t.Context(), w.session, sql); err == nil {
			t.Errorf("%s: no error", sql)
		}
	}
}
