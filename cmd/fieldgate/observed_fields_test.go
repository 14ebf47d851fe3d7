package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestObservedFields sees what was sent counted, before and after it is declared,
// compacted and started again.
func TestObservedFields(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := start(t, dir)
	var lines []string
	for n := range 1000 {
		value := fmt.Sprint(n % 400)
		switch n % 10 {
		case 7:
			value = fmt.Sprintf(`"%d"`, n)
		case 8:
			value = `"broken"`
		case 9:
			value = fmt.Sprintf("%d.5", 40_000+n)
		}
		lines = append(lines, fmt.Sprintf(`{"metrictype":"press","timestamp":%d,"seen":"2026-11-%02dT00:00:00Z","count":%s,"on":%t}`,
			1_700_000_000+n, 1+n%30, value, n%2 == 0))
	}
	i.post(t, lines)
	i.eventually(t, `select count(*) from press`, "1000")
	const counted = `select sent_name, kind, events, distinct_estimate, min, max, cast_failures from fieldgate.observed_fields
		where metric = 'press' and sent_name not in ('timestamp', 'metrictype') order by sent_name, kind`
	const before = `count|integer|700|279|0|396|
count|number|100|100|40009.5|40999.5|
count|text|200|101|107|broken|
on|boolean|1000|2|false|true|
seen|text|1000|30|2026-11-01T00:00:00Z|2026-11-30T00:00:00Z|`
	i.eventually(t, counted, before)
	i.query(t, `create table press (count smallint, seen timestamptz, "on" integer)`)
	after := strings.NewReplacer("396|", "396|0", "40999.5|", "40999.5|100", "broken|", "broken|100", "true|", "true|0", "30T00:00:00Z|", "30T00:00:00Z|0").
		Replace(before)
	check := func(i *instance) {
		t.Helper()
		i.eventually(t, counted, after)
		i.eventually(t, `select count(*) - count(count) from press`, "200")
		i.eventually(t, `select castable->>'timestamptz', castable->>'integer', declared, field from fieldgate.observed_fields where sent_name = 'seen'`, "1000||t|seen")
		i.eventually(t, `select castable->>'integer' from fieldgate.observed_fields where sent_name = 'count' and kind = 'text'`, "100")
	}
	check(i)
	i.query(t, `select fieldgate.compact()`)
	check(i)
	i.close(t)
	again := start(t, dir)
	check(again)
	again.post(t, lines) // copies are no events
	again.post(t, []string{`{"metrictype":"press","timestamp":1800000000,"count":70000}`})
	again.eventually(t, `select events, cast_failures from fieldgate.observed_fields where sent_name = 'count' and kind = 'integer'`, "701|1")
}
