package duckdb_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestPredicatesTurnedRound compares predicates on converted fields, which prune
// files by bounds turned round onto what was sent, with the same predicates behind
// OFFSET, where nothing is turned round: at values that rows have, where it matters
// on which side a boundary lies, and between.
func TestPredicatesTurnedRound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	sources := []struct{ field, kind, conversion string }{
		{"line", "double precision", "(value - 32) * 5 / 9"},
		{"falling", "double precision", "10 - value"},
		{"steep", "double precision", "value * -1e7 + 0.1"},
		{"flat", "double precision", "value / 3e9"},
		{"constant", "double precision", "value * 0 + 7"},
		{"bent", "double precision", "CASE WHEN value < 100 THEN value * 2 ELSE value / 2 END"},
		{"hill", "double precision", "value * (200 - value)"},
		{"whole", "integer", "value / 4"},
		{"single", "real", "value * 0.1"},
	}
	for _, s := range sources {
		w.rows(fmt.Sprintf("ALTER TABLE weather ADD COLUMN %s %s", s.field, s.kind))
		w.rows(fmt.Sprintf("SELECT fieldgate.add_alias('weather', '%s', '%s_raw', '%s')", s.field, s.field, s.conversion))
		w.rows(fmt.Sprintf("SELECT fieldgate.add_alias('weather', '%s', '%s_plain')", s.field, s.field))
	}
	random := rand.New(rand.NewPCG(7, 11))
	const files, each = 30, 20
	for f := range files {
		events := make([]fields, each)
		for i := range events {
			n := 7*f + i // files overlap
			e := fields{"big": f}
			for _, s := range sources {
				switch { // of integers alone, of fractions, of both, and of another source
				case f%5 == 4 && i%2 == 0:
					e[s.field+"_plain"] = n
				case f%3 == 0 || f%3 == 2 && i%2 == 0:
					e[s.field+"_raw"] = n
				default:
					e[s.field+"_raw"] = float64(n) + float64(random.IntN(8))/8
				}
			}
			events[i] = e
		}
		w.inFile(each*f, events...)
	}
	for _, s := range sources {
		values := w.rows(fmt.Sprintf("SELECT DISTINCT %s FROM weather WHERE %s IS NOT NULL", s.field, s.field))
		if len(values) == 0 {
			t.Fatalf("%s has no values", s.field)
		}
		for range 3 {
			a, b := values[random.IntN(len(values))][0], values[random.IntN(len(values))][0]
			for _, predicate := range []string{
				fmt.Sprintf("%s < '%s'", s.field, a), fmt.Sprintf("%s <= '%s'", s.field, a), fmt.Sprintf("%s > '%s'", s.field, a),
				fmt.Sprintf("%s >= '%s'", s.field, a), fmt.Sprintf("%s = '%s'", s.field, a), fmt.Sprintf("%s > %s + 0.3", s.field, a),
				fmt.Sprintf("%s BETWEEN '%s' AND '%s' AND big < 20", s.field, a, b), fmt.Sprintf("%s = '%s' OR %s > '%s'", s.field, a, s.field, b),
			} {
				const what = "SELECT count(*), sum(big), min(big), max(big) FROM "
				want := w.rows(what + "(SELECT * FROM weather OFFSET 0) AS w WHERE " + predicate)[0]
				w.want(what+"weather WHERE "+predicate, fmt.Sprint(want))
			}
		}
	}
}
