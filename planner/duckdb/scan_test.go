package duckdb_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
)

// places are the ways in which events can lie when they are read.
var places = map[string]func(w *world, first int, events ...fields){
	"batch": func(w *world, first int, events ...fields) { w.inBatch(first, events...) },
	"file":  func(w *world, first int, events ...fields) { w.inFile(first, events...) },
	"one file each": func(w *world, first int, events ...fields) {
		for i, e := range events {
			w.inFile(first+i, e)
		}
	},
	"all": func(w *world, first int, events ...fields) {
		for i, e := range events {
			if i%2 == 0 {
				w.inFile(first+i, e)
			} else {
				w.inBatch(first+i, e)
			}
		}
	},
}

func everywhere(t *testing.T, settings map[string]string, test func(w *world, put func(first int, events ...fields))) {
	t.Parallel()
	for name, put := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, settings)
			test(w, func(first int, events ...fields) { put(w, first, events...) })
		})
	}
}

// TestKindsOfOneName: whatever kind a device sends, the field reads as a cast to
// its type, or NULL.
func TestKindsOfOneName(t *testing.T) {
	everywhere(t, nil, func(w *world, put func(int, ...fields)) {
		put(0,
			fields{"temp": 20}, fields{"temp": 20.5}, fields{"temp": "21.5"}, fields{"temp": true}, fields{"temp": "warm"},
			fields{"temp": jsonText("[1]")}, fields{"temp_f": 50}, fields{"temp_f": "212"}, fields{"temp": 1.0, "temp_f": 50}, fields{})
		w.want("SELECT temp FROM weather ORDER BY timestamp",
			"[20]", "[20.5]", "[21.5]", "[NULL]", "[NULL]", "[NULL]", "[10]", "[100]", "[1]", "[NULL]")
		w.want("SELECT count(*), count(temp), avg(temp) FROM weather", "[10 6 28.833333333333332]")
		w.want("SELECT temp FROM weather WHERE temp > 20 ORDER BY temp", "[20.5]", "[21.5]", "[100]")
		w.want("SELECT timestamp, temp FROM weather ORDER BY timestamp DESC LIMIT 2", "[2024-01-01 00:09:00+00 NULL]", "[2024-01-01 00:08:00+00 1]")
	})
}

// TestCasts: what a text, a number or a truth value reads as in every type.
func TestCasts(t *testing.T) {
	everywhere(t, nil, func(w *world, put func(int, ...fields)) {
		put(0,
			fields{"n": " 12 ", "big": "9223372036854775807", "label": 20, "short": "abcdef", "flag": "off", "at": "2024-02-03 04:05+01", "local": "2024-02-03 04:05", "day": "2024-02-03"},
			fields{"n": "12.7", "big": "9223372036854775808", "label": 20.0, "short": 12345, "flag": true, "at": 5, "local": "x", "day": "2024-02-30"},
			fields{"n": 2.5, "big": 2.5, "label": 0.1, "short": true, "flag": 1, "at": "infinity", "local": true, "day": jsonText("[]")},
			fields{"n": 3.5, "big": 1e19, "label": true, "flag": "maybe", "f": 0.1},
			fields{"n": 3000000000, "big": "1_000", "label": jsonText(`{"a":[]}`), "f": "1e60"},
			fields{"n": "0x1F", "big": true, "label": ""},
			fields{"n": true, "big": "1e3", "f": 1e300})
		w.want("SELECT n, big, label, short, flag FROM weather ORDER BY timestamp",
			"[12 9223372036854775807 20 abc f]", "[NULL NULL 20 123 t]", "[2 2 0.1 tru t]", "[4 NULL true NULL NULL]",
			`[NULL NULL {"a":[]} NULL NULL]`, "[NULL NULL  NULL NULL]", "[1 NULL NULL NULL NULL]")
		w.want("SELECT at, local, day FROM weather ORDER BY timestamp LIMIT 3",
			"[2024-02-03 03:05:00+00 2024-02-03 04:05:00 2024-02-03]", "[NULL NULL NULL]", "[infinity NULL NULL]")
		w.want("SELECT f FROM weather WHERE f IS NOT NULL", "[0.1]")
	})
}

// TestConversions: a conversion reads value and other fields, and gives nothing
// where nothing was sent.
func TestConversions(t *testing.T) {
	everywhere(t, nil, func(w *world, put func(int, ...fields)) {
		w.rows(`SELECT fieldgate.add_alias('weather', 'f', 't', 'CASE WHEN n < 2 THEN (value - 32) * 5 / 9 ELSE value END')`)
		w.rows(`SELECT fieldgate.add_alias('weather', 'big', 'state', 'CASE value WHEN ''on'' THEN 1 ELSE 0 END')`)
		w.rows(`SELECT fieldgate.add_alias('weather', 'price', 'cents', 'value / 100')`)
		w.rows(`SELECT fieldgate.add_alias('weather', 'label', 'code', '''fixed''')`)
		w.rows(`SELECT fieldgate.add_alias('weather', 'at', 'at_s', 'to_timestamp(value)')`)
		w.rows(`SELECT fieldgate.add_alias('weather', 'amount', 'both', 'value * price')`)
		put(0,
			fields{"n": 1, "t": 212}, fields{"n": 2, "t": 21.5}, fields{"t": 20}, fields{"n": "x", "t": "22"},
			fields{"state": "on"}, fields{"state": true}, fields{"big": 7, "state": "on"}, fields{},
			fields{"cents": 1999, "both": 2}, fields{"code": 5}, fields{"at_s": 1700000000}, fields{"at_s": "soon"}, fields{"cents": "many"})
		w.want("SELECT f FROM weather ORDER BY timestamp LIMIT 5", "[100]", "[21.5]", "[20]", "[22]", "[NULL]")
		w.want("SELECT big FROM weather ORDER BY timestamp OFFSET 4 LIMIT 4", "[1]", "[0]", "[7]", "[NULL]")
		w.want("SELECT price, amount, label FROM weather ORDER BY timestamp OFFSET 8 LIMIT 2", "[19.99 39.98 NULL]", "[NULL NULL fixed]")
		w.want("SELECT at FROM weather ORDER BY timestamp OFFSET 10 LIMIT 2", "[2023-11-14 22:13:20+00]", "[NULL]")
		w.want("SELECT count(*), count(f), count(price), count(label) FROM weather", "[13 4 1 1]")
		w.want("SELECT count(*) FROM weather WHERE f > 50", "[1]")
	})
}

// TestLinearConversions: arithmetic with constants rounds, and fails, as operator
// by operator; what fails reads NULL.
func TestLinearConversions(t *testing.T) {
	everywhere(t, nil, func(w *world, put func(int, ...fields)) {
		w.rows(`ALTER TABLE weather ADD COLUMN y double precision`)
		for sent, conversion := range map[string]string{
			"a": "(value - 32) * 5 / 9", "b": "100 - value", "c": "value * 1e200 * 1e200", "d": "value * 1e-200 * 1e-200 + 5",
			"e": "value / 0", "g": "value / 3", "h": "-3 * value + 0.1", "i": "((value + 1) * 2 - 3) / 4 + 5",
		} {
			w.rows(fmt.Sprintf(`SELECT fieldgate.add_alias('weather', 'y', '%s', '%s')`, sent, conversion))
		}
		kinds := []fields{
			{"a": 32},
			{"a": 33},
			{"a": 212.5},
			{"a": 1.7e308},
			{"b": 100},
			{"b": "Infinity"},
			{"b": "NaN"},
			{"c": 1e-300},
			{"c": 0},
			{"c": 1},
			{"d": 0},
			{"d": 1},
			{"d": 1e300},
			{"e": 1},
			{"e": "NaN"},
			{"g": 1},
			{"g": "4.9e-324"},
			{"h": 0.1},
			{"i": 2.5},
			{"i": "x"},
			{"i": "-Infinity"},
		}
		var events []fields
		for n := range 5 * len(kinds) { // doubles are converted many at once, and the rest of a vector one by one
			event := maps.Clone(kinds[n%len(kinds)])
			event["n"] = n % len(kinds)
			events = append(events, event)
		}
		put(0, events...)
		w.want("SELECT y FROM weather GROUP BY n, y ORDER BY n",
			"[0]", "[0.5555555555555556]", "[100.27777777777777]", "[NULL]", "[0]", "[-Infinity]", "[NaN]",
			"[1e+100]", "[0]", "[NULL]", "[5]", "[NULL]", "[5]", "[NULL]", "[NaN]",
			"[0.3333333333333333]", "[NULL]", "[-0.20000000000000004]", "[6]", "[NULL]", "[-Infinity]")
	})
}

// TestFirstOfDoubles: of several sources the first that is not NULL counts, whichever
// are there.
func TestFirstOfDoubles(t *testing.T) {
	everywhere(t, nil, func(w *world, put func(int, ...fields)) {
		w.rows(`ALTER TABLE weather ADD COLUMN y double precision`)
		w.rows(`SELECT fieldgate.add_alias('weather', 'y', 'a')`)
		w.rows(`SELECT fieldgate.add_alias('weather', 'y', 'b', 'value + 0.25')`)
		random := rand.New(rand.NewPCG(3, 9))
		var events []fields
		var want []string
		for n := range 250 {
			event, first := fields{}, "NULL"
			for i, name := range []string{"b", "a", "y"} { // the last first
				if n > 160 && random.IntN(2) == 0 || n <= 160 && n/40%4 == i {
					event[name] = n + i*1000
					if first = fmt.Sprint(n + i*1000); name == "b" {
						first += ".25"
					} else if n%3 == 0 { // of two kinds
						event[name], first = float64(n+i*1000)+0.5, first+".5"
					}
				}
			}
			events, want = append(events, event), append(want, "["+first+"]")
		}
		put(0, events...)
		w.want("SELECT y FROM weather ORDER BY timestamp", want...)
	})
}

// TestBytes: bytes are base64, or what PostgreSQL writes.
func TestBytes(t *testing.T) {
	everywhere(t, nil, func(w *world, put func(int, ...fields)) {
		w.rows(`ALTER TABLE weather ADD COLUMN raw bytea`)
		put(0, fields{"raw": "aGVsbG8="}, fields{"raw": `\x68656c6c6f`}, fields{"raw": "hello!"}, fields{"raw": 5}, fields{"raw": ""})
		w.want("SELECT raw FROM weather ORDER BY timestamp", `[\x68656c6c6f]`, `[\x68656c6c6f]`, "[NULL]", "[NULL]", `[\x]`)
	})
}

// TestNumerics: numeric keeps the scale of each value, numeric(10,2) its own.
func TestNumerics(t *testing.T) {
	everywhere(t, nil, func(w *world, put func(int, ...fields)) {
		put(0,
			fields{"amount": 20, "price": 20}, fields{"amount": "1.50", "price": "1.505"}, fields{"amount": 0.1, "price": 0.125},
			fields{"amount": "NaN", "price": "NaN"}, fields{"amount": "x", "price": 1e9}, fields{"amount": "1.5"})
		w.want("SELECT amount, price FROM weather ORDER BY timestamp",
			"[20 20.00]", "[1.50 1.51]", "[0.1 0.13]", "[NaN NaN]", "[NULL NULL]", "[1.5 NULL]")
		w.want("SELECT sum(amount), avg(price), max(price) FROM weather WHERE amount <> 'NaN'", "[23.10 7.2133333333333333 20.00]")
		w.want("SELECT amount::float8, count(*) FROM weather WHERE amount < 10 GROUP BY amount ORDER BY amount", "[0.1 1]", "[1.5 2]")
	})
}

// TestDocuments: JSON, uuid and interval fields.
func TestDocuments(t *testing.T) {
	everywhere(t, nil, func(w *world, put func(int, ...fields)) {
		put(0,
			fields{"doc": jsonText(`{"b":1,"a":[1,2]}`), "uid": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "gap": "1 day 2:00"},
			fields{"doc": 5, "uid": "x", "gap": "x"}, fields{"doc": `"text"`}, fields{"doc": "text"}, fields{"doc": true})
		w.want("SELECT doc, uid, gap FROM weather ORDER BY timestamp",
			`[{"a": [1, 2], "b": 1} a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 1 day 02:00:00]`, "[5 NULL NULL]", `["text" NULL NULL]`, "[NULL NULL NULL]", "[true NULL NULL]")
		w.want("SELECT doc -> 'a' ->> 1 FROM weather WHERE doc ? 'a'", "[2]")
	})
}

// TestHiddenColumns: identity, arrival and metric can be named.
func TestHiddenColumns(t *testing.T) {
	everywhere(t, nil, func(w *world, put func(int, ...fields)) {
		put(1, fields{"temp": 1}, fields{"_id": "own"}, fields{"_id": 7})
		w.want("SELECT _id, _received_at, _metric FROM weather ORDER BY timestamp",
			"[00000000000000000000000000000001 2024-01-01 00:01:00.000001+00 weather]", "[own 2024-01-01 00:02:00.000001+00 weather]", "[7 2024-01-01 00:03:00.000001+00 weather]")
	})
}

// TestBounds: bounds on the time leave out what lies outside, wherever it lies.
func TestBounds(t *testing.T) {
	everywhere(t, nil, func(w *world, put func(int, ...fields)) {
		var events []fields
		for n := range 60 {
			events = append(events, fields{"temp": n})
		}
		put(0, events...)
		w.want("SELECT count(*), min(temp), max(temp) FROM weather WHERE timestamp >= '2024-01-01 00:10Z' AND timestamp < '2024-01-01 00:20Z'", "[10 10 19]")
		w.want("SELECT count(*) FROM weather WHERE timestamp > '2025-01-01Z'", "[0]")
		w.want("SELECT temp FROM weather WHERE temp BETWEEN 57.5 AND 58.5", "[58]")
		w.want("SELECT date_trunc('hour', timestamp), count(*) FROM weather GROUP BY 1", "[2024-01-01 00:00:00+00 60]")
	})
}

// TestZoneOfSession: days are those of the session's zone.
func TestZoneOfSession(t *testing.T) {
	everywhere(t, map[string]string{"TimeZone": "America/New_York"}, func(w *world, put func(int, ...fields)) {
		put(299, fields{"at": "2024-07-01 00:00"}, fields{})
		w.want("SELECT timestamp::date, date_trunc('day', timestamp), extract(hour from timestamp) FROM weather ORDER BY timestamp",
			"[2023-12-31 2023-12-31 00:00:00-05 23]", "[2024-01-01 2024-01-01 00:00:00-05 0]")
		w.want("SELECT at FROM weather WHERE at IS NOT NULL", "[2024-07-01 00:00:00-04]")
	})
}

func TestNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.want("SELECT * FROM weather")
	w.want("SELECT count(*), sum(n), avg(amount) FROM weather", "[0 NULL NULL]")
}

// TestSuspects: a row that may stand in a file too is read once.
func TestSuspects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.inFile(0, fields{"temp": 0}, fields{"temp": 1}, fields{"temp": 2})
	w.inBatch(1, fields{"temp": 1}, fields{"temp": 2}, fields{"temp": 3}).Suspect = []uint32{0, 1, 2}
	w.inBatch(3, fields{"temp": 4.0})
	w.want("SELECT temp FROM weather ORDER BY temp", "[0]", "[1]", "[2]", "[3]", "[4]")
	w.want("SELECT temp FROM weather WHERE timestamp >= '2024-01-01 00:02Z' ORDER BY temp", "[2]", "[3]", "[4]")
	w.want("SELECT count(*) FROM weather", "[5]")
}

// TestPartsOfSplits: selected rows of a batch.
func TestPartsOfSplits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.inBatch(0, fields{"label": "a"}, fields{"label": "b", "n": 1}, fields{"label": "a long text that is not inline"}, fields{}).Select = []uint32{1, 2, 3}
	w.inBatch(10, fields{"n": 10}, fields{"n": 11}, fields{"n": 12}, fields{"n": 13}).Select = []uint32{1, 2}
	w.want("SELECT n, label FROM weather ORDER BY timestamp", "[1 b]", "[NULL a long text that is not inline]", "[NULL NULL]", "[11 NULL]", "[12 NULL]")
}

// TestManyColumnSets: files of more column sets than there are groups, and names
// that lie in the JSON column.
func TestManyColumnSets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for n := range 40 {
		e := fields{"temp": n}
		switch n % 4 {
		case 1:
			e["temp"] = float64(n) + 0.5
		case 2:
			e["temp"] = "2"
		case 3:
			e["temp_f"] = 32
			delete(e, "temp")
		}
		if n%5 == 0 {
			e["n"] = n
		}
		if n%7 == 0 {
			e["label"] = "x"
		}
		w.inFile(n, e)
	}
	w.want("SELECT count(temp), sum(temp), sum(n), count(label) FROM weather", "[40 395 140 6]")
	e := fields{"temp": 7, "label": "more", "n": 1.5, "flag": true, "doc": jsonText(`{"k":[1]}`)}
	for n := range 200 {
		e["other"+strings.Repeat("x", n)] = n
	}
	w.inFile(100, e)
	w.want("SELECT temp, label, n, flag, doc FROM weather WHERE timestamp = '2024-01-01 01:40Z'", `[7 more 2 t {"k": [1]}]`)
}

// TestPlansPrune: a condition on a field of one kind stands in the scan of the
// files, and files are listed newest first.
func TestPlansPrune(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.inFile(0, fields{"temp": 1.5}, fields{"temp": 2.5})
	w.inFile(10, fields{"temp": "x"})
	for condition, parts := range map[string][]string{
		// What the query itself compares with a constant needs no condition beside the scan.
		"temp > 2 AND timestamp > '2024-01-01 00:00:30Z'":                                    {`\"n_temp\" >= CAST('`, `.c2 > CAST('2024-01-01 00:00:30.000000' AS TIMESTAMP)`},
		"timestamp > '2024-01-01 00:00:30Z' OR temp > 2 AND timestamp > '2024-01-01 00:01Z'": {`\"_ts\" >= CAST('2024-01-01 00:00:30.000001' AS TIMESTAMP)`},
	} {
		plan := w.rows("EXPLAIN (VERBOSE, FORMAT JSON) SELECT count(*) FROM weather WHERE " + condition)[0][0]
		for _, part := range parts {
			if !strings.Contains(plan, part) {
				t.Errorf("no %s in %s", part, plan)
			}
		}
	}
}
