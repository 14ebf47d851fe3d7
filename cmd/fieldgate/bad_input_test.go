package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// answer is what POST /v1/events says.
type answer struct {
	Accepted int
	Rejected []struct {
		Index  int
		Reason string
	}
	Detail string
}

func (i *instance) send(t *testing.T, path, body string, header ...string) (int, answer) {
	t.Helper()
	status, text := i.request(t, http.MethodPost, path, body, header...)
	var a answer
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatalf("%d %s: %v", status, text, err)
	}
	return status, a
}

// TestBadEvents sends what devices should not, each beside a good event where
// that is possible: the good one is a row, the bad one is answered or is a row of
// errors.stream with its exact bytes, and nothing is lost.
func TestBadEvents(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	tests := []struct {
		name, body string
		accepted   int
		rejected   string // part of the reason; "": nothing is rejected
		malformed  string // part of errors.stream's reason; "": no error row
	}{
		{name: "broken JSON amid NDJSON", body: `{"good":1}` + "\n" + `{"bad":` + "\n" + `{"good":2}`, accepted: 2, rejected: "unexpected end"},
		{name: "too large an event", body: `{"good":1}` + "\n" + `{"big":"` + strings.Repeat("x", 1<<20) + `"}`, accepted: 1, rejected: "1048576"},
		{name: "nesting bomb", body: `{"good":1}` + "\n" + strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000), accepted: 1, rejected: "deep"},
		{name: "NaN", body: `{"good":1}` + "\n" + `{"x":NaN}`, accepted: 1, rejected: "value was expected"},
		{name: "lone surrogate", body: `{"good":1}` + "\n" + `{"x":"\ud800"}`, accepted: 1, rejected: "surrogate"},
		{name: "invalid UTF-8", body: `{"good":1}` + "\n" + "{\"x\":\"\xff\"}", accepted: 1, rejected: "UTF-8"},
		{name: "colliding names", body: `[{"good":1},{"a.b":1,"a":{"b":2}}]`, accepted: 2, malformed: "a.b"},
		{name: "a key given twice", body: `[{"good":1},{"twice":1,"twice":2}]`, accepted: 2, malformed: "twice"},
		{name: "reserved names", body: `[{"good":1},{"_ts":1,"_more":2}]`, accepted: 2, malformed: "_more"},
		{name: "time unreadable", body: `[{"good":1},{"timestamp":"yesterday"}]`, accepted: 2, malformed: "yesterday"},
		{name: "2^53+1 and 2^64", body: `[{"good":1},{"exact":9007199254740993,"over":18446744073709551616}]`, accepted: 2},
	}
	events, errorRows := 0, 0
	for n, test := range tests {
		metric := fmt.Sprintf("case%d", n)
		status, a := i.send(t, "/v1/events/"+metric, test.body)
		if status != http.StatusOK || a.Accepted != test.accepted {
			t.Errorf("%s: status %d, %d accepted, want %d; %+v", test.name, status, a.Accepted, test.accepted, a)
			continue
		}
		if (test.rejected == "") != (len(a.Rejected) == 0) || len(a.Rejected) > 0 && !strings.Contains(a.Rejected[0].Reason, test.rejected) {
			t.Errorf("%s: rejected %+v, want a reason with %q", test.name, a.Rejected, test.rejected)
		}
		good := test.accepted
		if test.malformed != "" {
			good--
			errorRows++
			i.eventually(t, fmt.Sprintf(`select count(*) from errors.stream where kind = 'malformed' and reason like '%%%s%%' and metric = '%s'`, test.malformed, metric), "1")
		}
		events += good
		i.eventually(t, `select count(*) from `+metric, itoa(good))
	}
	if got := i.query(t, `select count(*) from errors.stream`); got != itoa(errorRows) {
		t.Errorf("%s error rows, want %d", got, errorRows)
	}
	if got, want := i.query(t, `select exact, over from case10 where exact is not null`), `9007199254740993|18446744073709551616`; got != want {
		t.Errorf("large numbers read %s, want %s", got, want)
	}
	if got, want := i.query(t, `select event, encode(event_bytes, 'hex') from errors.stream where metric = 'case7'`),
		fmt.Sprintf("%s|%x", `{"twice":1,"twice":2}`, `{"twice":1,"twice":2}`); got != want {
		t.Errorf("the event with a key given twice reads %s, want its exact bytes %s", got, want)
	}
}

// TestBadRequests sends what no event can be taken from.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	var bomb bytes.Buffer
	packer := gzip.NewWriter(&bomb)
	if _, err := packer.Write(bytes.Repeat([]byte(" "), 50<<20)); err != nil {
		t.Fatal(err)
	}
	if err := packer.Close(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path, body string
		header           []string
		status           int
		detail           string
	}{
		{name: "501 events", path: "/v1/events/m", body: strings.Repeat(`{"a":1}`+"\n", 501), status: http.StatusRequestEntityTooLarge, detail: "500"},
		{name: "wrong encoding header", path: "/v1/events/m", body: `{"a":1}`, header: []string{"Content-Encoding", "gzip"}, status: http.StatusBadRequest, detail: "gzip"},
		{name: "unknown encoding", path: "/v1/events/m", body: `{"a":1}`, header: []string{"Content-Encoding", "br"}, status: http.StatusUnsupportedMediaType, detail: "br"},
		{name: "gzip bomb", path: "/v1/events/m", body: bomb.String(), header: []string{"Content-Encoding", "gzip"}, status: http.StatusRequestEntityTooLarge},
		{name: "unknown key", path: "/v1/events/m", body: `{"a":1}`, header: []string{"X-Api-Key", "fg_nobody"}, status: http.StatusUnauthorized, detail: "key"},
		{name: "no events", path: "/v1/events/m", body: ``, status: http.StatusBadRequest},
		{name: "unknown path", path: "/v1/nothing", body: `{"a":1}`, status: http.StatusNotFound, detail: "nothing at this path"},
		{name: "slash in a name", path: "/v1/events/a/b", body: `{"a":1}`, status: http.StatusNotFound, detail: "%2F"},
		{name: "wrong method", path: "/healthz", body: `{"a":1}`, status: http.StatusMethodNotAllowed, detail: "GET"},
	}
	for _, test := range tests {
		status, a := i.send(t, test.path, test.body, test.header...)
		if status != test.status || !strings.Contains(a.Detail, test.detail) {
			t.Errorf("%s: %d %q, want %d with %q", test.name, status, a.Detail, test.status, test.detail)
		}
	}
	status, a := i.send(t, "/v1/events", `{"a":1}`)
	if status != http.StatusOK || a.Accepted != 1 {
		t.Errorf("metric missing: %d %+v", status, a)
	}
	i.eventually(t, `select count(*) from errors.stream where reason like '%metric%'`, "1")
}

// TestBadSQL asks what cannot be answered.
func TestBadSQL(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.post(t, []string{`{"metrictype":"thermo","device":"a","temp":20.5}`})
	i.eventually(t, `select count(*) from thermo`, "1")
	conn := i.dial(t)
	defer func() { _ = conn.Close(t.Context()) }()
	tests := []struct{ sql, code, message string }{
		{`selec 1`, "42601", `syntax error at or near "selec"`},
		{`select * from nothing`, "42P01", `relation "nothing" does not exist`},
		{`select tmp from thermo`, "42703", `column "tmp" does not exist`},
		{`select nofunc(temp) from thermo`, "42883", `function nofunc(double precision) does not exist`},
		{`select temp || device from thermo where temp = device`, "42883", `operator does not exist: double precision = text`},
		{`select sum(temp) from thermo where temp > 'warm'`, "22P02", `invalid input syntax for type double precision: "warm"`},
		{`select device, count(*) from thermo`, "42803", `column "thermo.device" must appear in the GROUP BY clause or be used in an aggregate function`},
		{`select 1/0`, "22012", `division by zero`},
		{`insert into thermo values (1)`, "0A000", ``},
		{`drop table nothing`, "42P01", `table "nothing" does not exist`},
	}
	for _, test := range tests {
		_, err := conn.Exec(t.Context(), test.sql).ReadAll()
		e := serverError(err)
		if e == nil || e.Code != test.code || test.message != "" && e.Message != test.message {
			t.Errorf("%s: %v, want %s %s", test.sql, err, test.code, test.message)
		}
	}
	if got := i.query(t, `select temp from thermo`); got != "20.5" {
		t.Errorf("afterwards temp is %s", got)
	}
}
