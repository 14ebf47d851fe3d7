package duckdb_test

import (
	"fmt"
	"testing"
)

// TestStatementsAgain runs the same statements over rows in memory with other
// constants, other rows and other columns, beside ones that fail or are not read
// to the end: what was kept prepared answers for now.
func TestStatementsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := func(n int) string { return fmt.Sprintf("2024-01-01 %02d:%02d:00Z", n/60, n%60) }
	for round := range 40 {
		w.recent = nil
		for b := range 3 {
			var events []fields
			for i := range 20 {
				e := fields{"label": fmt.Sprint("d", i%5), "big": 100*round + 20*b + i, "temp": float64(i) + 0.5}
				if round%2 == 1 {
					e["n"] = i
				}
				events = append(events, e)
			}
			split := w.inBatch(20*b, events...)
			if b == round%3 || round%5 == 0 {
				split.Select = []uint32{0, 1, 2, 3, 4, 5, 10}
			}
		}
		rows := func(n, b int) bool { // that the splits have
			s := w.recent[b].Batch.Select
			return s == nil || n < 6 || n == 10
		}
		total := 0
		for b := range 3 {
			for i := range 20 {
				if rows(i, b) {
					total++
				}
			}
		}
		w.want("SELECT count(*) FROM weather", fmt.Sprintf("[%d]", total))
		w.want("SELECT count(*) FROM (SELECT big FROM weather LIMIT 30) AS w", fmt.Sprintf("[%d]", min(total, 30)))
		device, from := fmt.Sprint("d", round%6), round%30
		var want []string
		sum := 0
		for b := range 3 {
			for i := range 20 {
				if rows(i, b) && fmt.Sprint("d", i%5) == device && 20*b+i >= from && float64(i)+0.5 < 15 {
					want = append(want, fmt.Sprintf("[%d]", 100*round+20*b+i))
					sum += 100*round + 20*b + i
				}
			}
		}
		sql := fmt.Sprintf("SELECT big FROM weather WHERE label = '%s' AND timestamp >= '%s' AND temp < 15.0::float8 AND big >= %d::bigint", device, at(from), 100*round)
		w.want(sql+" ORDER BY big", want...)
		if want != nil {
			w.want(fmt.Sprintf("SELECT sum(big) FROM weather WHERE (label = '%s' OR label = '%s') AND timestamp >= '%s' AND temp < 15.0::float8", device, device, at(from)), fmt.Sprintf("[%d]", sum))
			w.want(fmt.Sprintf("SELECT count(*) FROM weather WHERE label = '%s' AND timestamp >= '%s' AND NOT temp >= 15.0::float8 AND big > (SELECT min(big) - 1 FROM weather WHERE label = '%s')", device, at(from), device), fmt.Sprintf("[%d]", len(want)))
		}
		if _, err := ask(t.Context(), w.session, fmt.Sprintf("SELECT 1 / (big - big) FROM weather WHERE label = 'd%d'", round%5)); err == nil {
			t.Error("a division by zero is not told")
		}
		unread, err := run(t.Context(), w.session, sql)
		if err != nil {
			t.Fatal(err)
		}
		if err := unread.Close(); err != nil {
			t.Fatal(err)
		}
		w.want(fmt.Sprintf("SELECT count(n) > 0 FROM weather WHERE label <> 'd%d'", round), fmt.Sprintf("[%s]", map[bool]string{true: "t", false: "f"}[round%2 == 1]))
	}
}
