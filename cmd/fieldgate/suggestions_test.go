package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// TestSuggestions answers suggestions by SQL: what is accepted is declared, what is
// dismissed does not come back, and both survive a restart.
func TestSuggestions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := start(t, dir)
	var lines []string
	for n := range 600 {
		celsius := 15 + float64(n*37%200)/10
		name, value := "temp", celsius
		if n%2 == 1 {
			name, value = "temp_f", celsius*1.8+32
		}
		lines = append(lines, fmt.Sprintf(`{"metrictype":"thermo","timestamp":%d,"%s":%.4f,"opened":"2026-11-%02dT00:00:00Z","serial":"A%d","note":"%d"}`,
			1_700_000_000+n, name, value, 1+n%28, n, n))
	}
	i.post(t, lines)
	const list = `select kind, metric, field, sent_name, type, convert from fieldgate.suggestions order by id`
	i.eventually(t, list, `metric|thermo||thermo||
alias|thermo|temp|temp_f|double precision|(value - 32) * 5 / 9`)
	i.query(t, `create table thermo (temp double precision)`)
	i.eventually(t, list+` desc limit 3`, `field|thermo|serial|serial|text|
field|thermo|opened|opened|timestamptz|
field|thermo|note|note|bigint|`)
	id := func(sent string) string {
		t.Helper()
		return i.query(t, `select id from fieldgate.suggestions where sent_name = '`+sent+`'`)
	}
	// The suggestion may be made before all events are counted.
	i.eventually(t, `select evidence->>'events', evidence->>'because', confidence > 0.5 from fieldgate.suggestions where kind = 'alias'`,
		"300|similar names, never in one event, and values of one range in another unit|t")
	alias := id("temp_f")
	i.query(t, `select fieldgate.accept(`+alias+`)`)
	if got := i.query(t, `select count(temp), round(min(temp)::numeric, 3), round(max(temp)::numeric, 3) from thermo`); got != "600|15.000|34.900" {
		t.Errorf("after the alias was accepted: %s", got)
	}
	if got := i.query(t, `select changed_by, change from fieldgate.schema_history where current`); got != "demo|accept suggestion "+alias+": temp_f is thermo.temp" {
		t.Errorf("history: %s", got)
	}
	i.query(t, `select fieldgate.accept(id => `+id("opened")+`)`)
	if got := i.query(t, `select pg_typeof(opened), count(*) from thermo where opened >= '2026-11-28' group by 1`); got != "timestamp with time zone|21" {
		t.Errorf("after the field was accepted: %s", got)
	}
	serial := id("serial")
	i.query(t, `select fieldgate.dismiss(`+serial+`)`)
	const left = "field|thermo|note|note|bigint|"
	i.eventually(t, list, left)
	for sql, code := range map[string]string{
		`select fieldgate.accept(` + serial + `)`: "55000", `select fieldgate.accept(9999)`: "42704", `begin; select fieldgate.dismiss(1)`: "25001",
	} {
		if _, err := i.tryQuery(t, sql); serverError(err) == nil || serverError(err).Code != code {
			t.Errorf("%s: %v, want %s", sql, err, code)
		}
	}
	// A name that users ask for, one that is sent under a similar name.
	for range 3 {
		if _, err := i.tryQuery(t, `select notes, missing_thing from thermo`); err == nil {
			t.Error("a name that does not exist is found")
		}
		if _, err := i.tryQuery(t, `select sn from thermo`); err == nil {
			t.Error("a name that does not exist is found")
		}
	}
	i.eventually(t, `select sent_name, evidence->>'asked', evidence->'users'->>0 from fieldgate.suggestions where kind = 'missing' order by 1`, "notes|3|demo\nsn|3|demo")
	if _, err := i.tryQuery(t, `select fieldgate.accept(`+id("sn")+`)`); serverError(err) == nil || serverError(err).Code != "55000" {
		t.Errorf("a name that nothing is like is accepted: %v", err)
	}
	i.query(t, `select fieldgate.dismiss(`+id("sn")+`)`)
	i.query(t, `select fieldgate.dismiss(`+id("notes")+`)`)
	i.close(t)
	again := start(t, dir)
	again.post(t, []string{`{"metrictype":"thermo","timestamp":1800000000,"temp":true,"serial":"A0"}`})
	again.eventually(t, list, left+"\ntype|thermo|temp|temp|double precision|")
}

// TestAsMetricAndError sends later events elsewhere.
func TestAsMetricAndError(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	event := func(n int, more string) []string {
		return []string{fmt.Sprintf(`{"metrictype":"press","timestamp":%d,"force":%d%s}`, 1_700_000_000+n, n, more)}
	}
	i.query(t, `create table press (force integer)`)
	i.post(t, event(1, `,"alarm":"hot"`))
	i.eventually(t, `select kind from fieldgate.suggestions where sent_name = 'alarm'`, "field")
	id := i.query(t, `select id from fieldgate.suggestions where sent_name = 'alarm'`)
	i.query(t, `select fieldgate.as_metric(`+id+`, 'alarms')`)
	i.post(t, event(2, `,"alarm":"cold"`))
	i.post(t, event(3, ""))
	i.eventually(t, `select force, alarm from alarms`, "2|cold")
	i.eventually(t, `select force from press order by 1`, "1\n3")
	i.query(t, `select fieldgate.as_error('press', 'debug')`)
	i.post(t, event(4, `,"debug":1`))
	i.eventually(t, `select kind, metric, reason from errors.stream`, `malformed|press|error by rule: events of "press" that have "debug" are errors`)
	i.query(t, `alter table press rename to presses`)
	i.post(t, event(5, `,"debug":1`))
	i.eventually(t, `select count(*) from errors.stream`, "2")
	i.query(t, `select fieldgate.drop_error(metric => 'press', sent_name => 'debug')`)
	i.post(t, event(6, `,"debug":1`))
	i.eventually(t, `select force from presses order by 1`, "1\n3\n6")
	if _, err := i.tryQuery(t, `select fieldgate.drop_error('press', 'debug')`); err == nil {
		t.Error("a rule that is not there is undone")
	}
	if _, settings := i.request(t, http.MethodGet, "/v1/schema", ""); !strings.Contains(settings, `"rules":[{"metric":"presses","sent_name":"alarm","to":"alarms"}]`) {
		t.Errorf("settings: %s", settings)
	}
	if status, answer := i.request(t, http.MethodPatch, "/v1/schema", `{"rules":[]}`); status != http.StatusOK || strings.Contains(answer, "rules") {
		t.Errorf("rules removed: %d %s", status, answer)
	}
}

// TestSuggestionsOverHTTP answers by REST, and keeps two tenants apart.
func TestSuggestionsOverHTTP(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := start(t, dir)
	must(t, dir, "", "tenant", "add", "other")
	key, _ := addKey(t, dir, "--tenant", "other", "--scope", "schema")
	i.post(t, []string{`{"metrictype":"mine","x":1}`, `{"metrictype":"mine","x":2,"y":"a"}`, `{"metrictype":"second","x":2,"y":"a"}`})
	i.eventually(t, `select metric from fieldgate.suggestions order by id`, "mine\nsecond")
	id := i.query(t, `select id from fieldgate.suggestions where metric = 'mine'`)
	status, answer := i.request(t, http.MethodGet, "/v1/schema/suggestions", "")
	if status != http.StatusOK || !strings.Contains(answer, `"kind":"metric","metric":"mine"`) {
		t.Errorf("suggestions: %d %s", status, answer)
	}
	path := "/v1/schema/suggestions/" + id
	for _, c := range []struct {
		method, path, body, key string
		status                  int
	}{
		{http.MethodGet, "/v1/schema/suggestions", "", key, 200},
		{http.MethodPost, path + "/accept", "", key, 404},
		{http.MethodPost, path + "/as_metric", `{"nam":"x"}`, "demo-key", 400},
		{http.MethodPost, path + "/as_metric", `{"name":"ours"}`, "demo-key", 204},
		{http.MethodPost, path + "/accept", "", "demo-key", 409},
		{http.MethodPost, "/v1/schema/suggestions/x/dismiss", "", "demo-key", 404},
		{http.MethodPost, "/v1/schema/suggestions/777/dismiss", "", "demo-key", 404},
	} {
		status, answer := i.request(t, c.method, c.path, c.body, "X-Api-Key", c.key)
		if status != c.status {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.path, status, answer, c.status)
		}
		if c.key == key && c.status == 200 && answer != "[]\n" {
			t.Errorf("another tenant sees %s", answer)
		}
	}
	i.eventually(t, `select x, y from ours order by x`, "1|\n2|a")
	i.eventually(t, `select metric from fieldgate.suggestions`, "second")
}

// TestWebhook is told of a new metric, by what SQL and REST have set.
func TestWebhook(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	got := make(chan string, 10)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- r.URL.Path + " " + r.Header.Get("Fieldgate-Signature")[:2] + " " + string(body)
	}))
	t.Cleanup(s.Close)
	i.query(t, `select fieldgate.set_webhook('`+s.URL+`/sql', secret => 'abc')`)
	i.post(t, []string{`{"metrictype":"press","force":1}`})
	if text := <-got; !strings.HasPrefix(text, `/sql t= {"tenant":"demo"`) || !strings.Contains(text, `"id":1,"kind":"metric","metric":"press"`) {
		t.Errorf("told %s", text)
	}
	i.eventually(t, `select url, signed, set_by, delivered_at is not null, error from fieldgate.webhook`, s.URL+"/sql|t|demo|t|")
	status, answer := i.request(t, http.MethodPut, "/v1/schema/webhook", `{"url":"`+s.URL+`/rest","secret":"def"}`)
	if status != http.StatusOK || strings.Contains(answer, "def") {
		t.Errorf("set by REST: %d %s", status, answer)
	}
	i.post(t, []string{`{"metrictype":"drill","force":1}`})
	if text := <-got; !strings.HasPrefix(text, `/rest t= `) || strings.Contains(text, "press") {
		t.Errorf("told %s", text)
	}
	i.query(t, `select fieldgate.drop_webhook()`)
	if status, answer := i.request(t, http.MethodGet, "/v1/schema/webhook", ""); status != http.StatusNotFound {
		t.Errorf("after the drop: %d %s", status, answer)
	}
	if _, err := i.tryQuery(t, `select fieldgate.set_webhook('file:///etc/passwd')`); serverError(err) == nil || serverError(err).Code != "22023" {
		t.Errorf("a file: %v", err)
	}
}

// TestPsqlSuggestions uses psql as an owner would.
func TestPsqlSuggestions(t *testing.T) {
	t.Parallel()
	testdeps.Psql(t)
	i := start(t, t.TempDir())
	i.post(t, []string{`{"metrictype":"press","force":1}`})
	i.eventually(t, `select count(*) from fieldgate.suggestions`, "1")
	got := i.psql(t, `\df+ fieldgate.*`, `\d fieldgate.suggestions`, `select * from fieldgate.suggestions`, `select fieldgate.accept(1)`, `\d press`)
	for _, want := range []string{
		"Declares what the suggestion says", "drop_error", "as_metric", "confidence | double precision", "| metric | press", "force | bigint",
	} {
		if words := strings.Join(strings.Fields(got), " "); !strings.Contains(words, want) {
			t.Errorf("psql does not show %q:\n%s", want, got)
		}
	}
}
