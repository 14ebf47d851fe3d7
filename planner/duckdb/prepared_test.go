package duckdb_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
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

// TestStatementsOverFilesAgain does so over files, which come to be more, beside
// recent rows and without.
func TestStatementsOverFilesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := func(n int) string { return start.Add(time.Duration(n) * time.Minute).Format(time.RFC3339) }
	const each = 50
	event := func(n int) fields {
		return fields{"label": fmt.Sprint("d", n%7), "big": n, "temp": float64(n) + 0.5}
	}
	rows := 0
	for round := range 24 {
		var events []fields
		for i := range each {
			events = append(events, event(rows+i))
		}
		w.recent = nil
		if round%4 == 3 {
			w.inBatch(rows, events...)
		} else {
			w.inFile(rows, events...)
			rows += each
		}
		total := rows
		if w.recent != nil {
			total += each
		}
		from, to := total/2-round, total-3*round%each
		device := fmt.Sprint("d", round%9)
		var timed, valued []string
		for n := range total {
			if event(n)["label"] != device {
				continue
			}
			if n >= from && n < to {
				timed = append(timed, fmt.Sprintf("[%d]", n))
			}
			if n > from && float64(n)+0.5 <= float64(to) {
				valued = append(valued, fmt.Sprintf("[%d]", n))
			}
		}
		w.want(fmt.Sprintf("SELECT big FROM weather WHERE label = '%s' AND timestamp >= '%s' AND timestamp < '%s' ORDER BY big", device, at(from), at(to)), timed...)
		w.want(fmt.Sprintf("SELECT big FROM weather WHERE label = '%s' AND big > %d::bigint AND temp <= %d::float8 ORDER BY 1", device, from, to), valued...)
		w.want(fmt.Sprintf("SELECT count(*) FROM weather WHERE timestamp > '%s' AND '%s' > timestamp", at(from), at(to)), fmt.Sprintf("[%d]", max(0, to-from-1)))
		w.want(fmt.Sprintf("SELECT big FROM weather WHERE timestamp = '%s' OR (timestamp <= '%s' AND label IS NULL)", at(from), at(to)), fmt.Sprintf("[%d]", from))
		if _, err := ask(t.Context(), w.session, fmt.Sprintf("SELECT 1 / (big - big) FROM weather WHERE label = '%s' AND timestamp < '%s'", "d1", at(to))); err == nil {
			t.Error("a division by zero is not told")
		}
		w.want(fmt.Sprintf("SELECT stddev(temp) > 0 FROM weather WHERE timestamp >= '%s'", at(from)), "[t]")
	}
}

// TestParametersPruneRowGroups asks twice, with other constants, for rows of row
// groups that can be read, while the columns of the others cannot.
func TestParametersPruneRowGroups(t *testing.T) {
	t.Parallel()
	const rows = 300_000 // of the second row group of three: 122,880 to 245,759
	w := newWorld(t, nil)
	events := make([]fields, rows)
	for n := range events {
		events[n] = fields{"big": n, "temp": float64(n) + 0.5}
	}
	w.inFile(0, events...)
	destroy(t, w.file(), 1, "i_big", "n_temp")
	at := func(n int) string { return start.Add(time.Duration(n) * time.Minute).Format(time.RFC3339) }
	for _, from := range []int{130_000, 150_000, 240_000} {
		to := from + 999
		want := fmt.Sprintf("[1000 %d %d]", from, to)
		w.want(fmt.Sprintf("SELECT count(*), min(big), max(big) FROM weather WHERE timestamp >= '%s' AND timestamp <= '%s'", at(from), at(to)), want)
		w.want(fmt.Sprintf("SELECT count(*), min(big), max(big) FROM weather WHERE big >= %d::bigint AND big <= %d::bigint", from, to), want)
		w.want(fmt.Sprintf("SELECT count(*), min(big), max(big) FROM weather WHERE temp > %d::float8 AND temp < %d::float8", from, to+1), want)
	}
	if _, err := ask(t.Context(), w.session, "SELECT count(big) FROM weather WHERE timestamp > '2024-01-01'"); err == nil {
		t.Error("what was overwritten can be read")
	}
}

// TestErrorsOfFiles: what a statement over files fails of while it starts has the
// status of its kind.
func TestErrorsOfFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.inFile(0, fields{"big": 1, "label": "x"}, fields{"big": 2, "label": "9223372036854775808"})
	for sql, code := range map[string]string{
		"SELECT (SELECT big FROM weather)":                        pgerrcode.CardinalityViolation,
		"SELECT 1 / (big - big) FROM weather":                     pgerrcode.DivisionByZero,
		"SELECT big + 9223372036854775807 FROM weather":           pgerrcode.NumericValueOutOfRange,
		"SELECT label::bigint FROM weather WHERE label = 'x'":     pgerrcode.InvalidTextRepresentation,
		"SELECT label::bigint FROM weather WHERE label LIKE '9%'": pgerrcode.NumericValueOutOfRange,
	} {
		for range 10 {
			_, err := ask(t.Context(), w.session, sql)
			var e *planner.Error
			if !errors.As(err, &e) || e.Code != code {
				t.Errorf("%s: %v, want %s", sql, err, code)
				break
			}
		}
	}
}
