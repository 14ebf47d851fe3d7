package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// answer is what 200 and the problems say.
type answer struct {
	Receipt  string             `json:"receipt"`
	Accepted int                `json:"accepted"`
	Rejected []record.Rejection `json:"rejected"`
	Status   int                `json:"status"`
	Title    string             `json:"title"`
	Type     string             `json:"type"`
	Detail   string             `json:"detail"`
}

func parse(tb testing.TB, w *httptest.ResponseRecorder) answer {
	tb.Helper()
	var a answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		tb.Fatalf("answer %q: %v", w.Body, err)
	}
	return a
}

func gzipped(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func zstdded(tb testing.TB, data []byte) []byte {
	tb.Helper()
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		tb.Fatal(err)
	}
	return e.EncodeAll(data, nil)
}

// zstdStream compresses as who does not know how much will come, and wants a window.
func zstdStream(tb testing.TB, data []byte, window int) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window))
	if err != nil {
		tb.Fatal(err)
	}
	_, err = w.Write(data)
	if err = errors.Join(err, w.Flush(), w.Close()); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestEvents(t *testing.T) {
	t.Parallel()
	broken := "{\"a\":1}\n{\"b\":}\r\n\r\n{\"c\":3}"
	large := `{"text":"` + strings.Repeat("x", 1<<20-len(`{"text":""}`)) + `"}`
	deep := `{"a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`
	fields := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"f%d":%d`, i, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	for _, c := range []struct {
		name     string
		body     []byte
		headers  []string
		accepted []string
		rejected string
	}{
		{"object", []byte(`{"a":1}`), nil, []string{`0 {"a":1}`}, `[]`},
		{"array", []byte(`[{"a":1}, {"b":2}]`), nil, []string{`0 {"a":1}`, `1 {"b":2}`}, `[]`},
		{"lines with CRLF", []byte("{\"a\":1}\r\n\r\n{\"b\":2}\r\n"), nil, []string{`0 {"a":1}`, `1 {"b":2}`}, `[]`},
		{"gzip", gzipped(t, []byte(`{"a":1}`)), []string{"Content-Encoding", "gzip"}, []string{`0 {"a":1}`}, `[]`},
		{"zstd", zstdded(t, []byte(`{"a":1}`)), []string{"Content-Encoding", "ZSTD"}, []string{`0 {"a":1}`}, `[]`},
		{"identity", []byte(`{"a":1}`), []string{"Content-Encoding", "identity"}, []string{`0 {"a":1}`}, `[]`},
		{"content types", []byte(`{"a":1}`), []string{"Content-Type", "application/vnd.device+json; charset=utf-8"}, []string{`0 {"a":1}`}, `[]`},
		{"NDJSON said to be JSON", []byte("{}\n{}"), []string{"Content-Type", "application/json"}, []string{"0 {}", "1 {}"}, `[]`},
		{"curl", []byte(`{"a":1}`), []string{"Content-Type", "application/x-www-form-urlencoded"}, []string{`0 {"a":1}`}, `[]`},
		{
			"broken JSON amid NDJSON", []byte(broken), nil,
			[]string{`0 {"a":1}`, `2 {"c":3}`},
			`[{"index":1,"reason":"a value was expected at byte 5"}]`,
		},
		{"NaN", []byte(`{"a":NaN}`), nil, nil, `[{"index":0,"reason":"a value was expected at byte 5"}]`},
		{
			"lone surrogate", []byte(`[{"a":"\ud800"},{"a":1}]`), nil,
			[]string{`1 {"a":1}`},
			`[{"index":0,"reason":"lone surrogate in a \\u escape at byte 6"}]`,
		},
		{"invalid UTF-8", []byte("{\"a\":\"\xff\"}\n{}"), nil, []string{"1 {}"}, `[{"index":0,"reason":"invalid UTF-8 at byte 7"}]`},
		{"1 MB", []byte(large), nil, []string{"0 " + large}, `[]`},
		{
			"1 MB and a byte", []byte(`{"a":1}` + "\n" + large[:len(large)-2] + `x"}` + "\n{}"), nil,
			[]string{`0 {"a":1}`, "2 {}"},
			`[{"index":1,"reason":"larger than 1048576 bytes"}]`,
		},
		{"nesting bomb", []byte("[" + deep + ",{}]"), nil, []string{"1 {}"}, `[{"index":0,"reason":"nested deeper than 32 at byte 36"}]`},
		{"2,000 fields", []byte(fields(2000)), nil, []string{"0 " + fields(2000)}, `[]`},
		{"2,001 fields", []byte(fields(2001)), nil, nil, `[{"index":0,"reason":"more than 2000 fields at byte 23789"}]`},
		{"what the raw stage judges", []byte(`{"_x":1,"a":1,"a":2,"timestamp":"soon","big":18446744073709551616,"odd":9007199254740993}`), nil, []string{
			`0 {"_x":1,"a":1,"a":2,"timestamp":"soon","big":18446744073709551616,"odd":9007199254740993}`,
		}, `[]`},
		{"empty array", []byte(`[]`), nil, nil, `[]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			w := b.post(t, "/v1/events", c.body, c.headers...)
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
				t.Fatalf("status %d, headers %v: %s", w.Code, w.Header(), w.Body)
			}
			a := parse(t, w)
			if a.Accepted != len(c.accepted) || len(a.Receipt) != 20 {
				t.Errorf("answer %s", w.Body)
			}
			if rejected, _ := json.Marshal(a.Rejected); string(rejected) != c.rejected {
				t.Errorf("rejected %s, want %s", rejected, c.rejected)
			}
			if got := b.events(t); !slices.Equal(got, c.accepted) {
				t.Errorf("stored %.300q, want %.300q", got, c.accepted)
			}
		})
	}
}

func TestEventsRefused(t *testing.T) {
	t.Parallel()
	bomb := bytes.Repeat([]byte(" "), 50<<20)
	events := strings.Repeat("{}\n", 501)
	for _, c := range []struct {
		name    string
		path    string
		body    []byte
		headers []string
		status  int
		detail  string
	}{
		{"no key", "", []byte(`{}`), []string{"Authorization", ""}, 401, "an API key is needed, as Authorization: Bearer KEY or X-Api-Key: KEY"},
		{"unknown key", "", []byte(`{}`), []string{"Authorization", "Bearer fg_nobody"}, 401, "unknown API key"},
		{"other scheme", "", []byte(`{}`), []string{"Authorization", "Basic ZGVtbw=="}, 401, "Authorization must be Bearer KEY"},
		{"501 events", "", []byte(events), nil, 413, "more than 500 events; send fewer a request"},
		{"5 MB and a byte", "", bytes.Repeat([]byte(" "), 5<<20+1), nil, 413, "the body has more than 5242880 bytes; send fewer events a request"},
		{"gzip bomb", "", gzipped(t, bomb), []string{"Content-Encoding", "gzip"}, 413, "the body has more than 5242880 bytes; send fewer events a request"},
		{"zstd bomb", "", zstdStream(t, bomb, 1<<20), []string{"Content-Encoding", "zstd"}, 413, "the body has more than 5242880 bytes; send fewer events a request"},
		{"zstd bomb in one segment", "", zstdded(t, bomb), []string{"Content-Encoding", "zstd"}, 413, "the body has more than 5242880 bytes; send fewer events a request"},
		{
			"zstd window", "", zstdStream(t, []byte(`{}`), 16<<20),
			[]string{"Content-Encoding", "zstd"},
			413,
			"the body's zstd frames need a window of more than 8388608 bytes; compress without --long and --ultra",
		},
		{
			"wrong encoding header", "", []byte(`{"a":"longer text"}`),
			[]string{"Content-Encoding", "gzip"},
			400,
			"Content-Encoding is gzip, but the body cannot be read as that: gzip: invalid header",
		},
		{
			"other encoding header", "", gzipped(t, []byte(`{}`)),
			[]string{"Content-Encoding", "zstd"},
			400,
			"Content-Encoding is zstd, but the body cannot be read as that: invalid input: magic number mismatch",
		},
		{
			"cut gzip", "", gzipped(t, []byte(`{"a":1}`))[:20],
			[]string{"Content-Encoding", "gzip"},
			400,
			"Content-Encoding is gzip, but the body cannot be read as that: unexpected EOF",
		},
		{
			"no encoding header", "", gzipped(t, []byte(`{}`)), nil, 400,
			"the body is neither a JSON object, nor an array of them, nor NDJSON; it looks compressed: is Content-Encoding: gzip missing?",
		},
		{"unknown encoding", "", []byte(`{}`), []string{"Content-Encoding", "br"}, 415, `Content-Encoding "br" is not supported; gzip, zstd and identity are`},
		{"XML", "", []byte(`<a/>`), []string{"Content-Type", "application/xml"}, 415, `Content-Type "application/xml" is not supported; send application/json or application/x-ndjson`},
		{"empty body", "", nil, nil, 400, "the body is neither a JSON object, nor an array of them, nor NDJSON"},
		{"garbage", "", []byte("hello"), nil, 400, "the body is neither a JSON object, nor an array of them, nor NDJSON"},
		{"long metric", "/" + strings.Repeat("m", 1025), []byte(`{}`), nil, 400, "the metric in the URL must be UTF-8 of at most 1024 bytes"},
		{"metric not in UTF-8", "/%ff", []byte(`{}`), nil, 400, "the metric in the URL must be UTF-8 of at most 1024 bytes"},
		{"empty Idempotency-Key", "", []byte(`{}`), []string{"Idempotency-Key", ""}, 400, "Idempotency-Key must have 1 to 255 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			w := b.post(t, "/v1/events"+c.path, c.body, c.headers...)
			if w.Code != c.status || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("status %d, headers %v", w.Code, w.Header())
			}
			a := parse(t, w)
			if a.Status != c.status || a.Title != http.StatusText(c.status) || a.Type != "about:blank" || a.Detail != c.detail {
				t.Errorf("problem %s\nwant %q", w.Body, c.detail)
			}
			if got := b.events(t); len(got) > 0 {
				t.Errorf("stored %q", got)
			}
		})
	}
}

func TestEventsStamps(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	first := parse(t, b.post(t, "/v1/events/thermo%2Fstat", []byte(`[{"a":1},{"b":}, {"c":3}]`)))
	b.advance(time.Second)
	if _, err := b.schemas.Change(t.Context(), "globex", "me", "set keys", func(d *schema.Draft) error {
		return d.CreateMetric(schema.Metric{Name: "m"})
	}); err != nil {
		t.Fatal(err)
	}
	second := parse(t, b.post(t, "/v1/events", []byte(`{"d":4}`), "Authorization", "", "X-Api-Key", string(b.globex)))
	acme, err := b.schemas.Current(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	globex, err := b.schemas.Current(t.Context(), "globex")
	if err != nil {
		t.Fatal(err)
	}
	want := []record.Raw{
		{
			Tenant: "acme", SchemaVersion: acme.Version, ArrivedAt: 1_790_000_000_000_000, Receipt: first.Receipt, Metric: "thermo/stat",
			Events: [][]byte{[]byte(`{"a":1}`), []byte(`{"c":3}`)}, Indexes: []uint32{0, 2},
		},
		{
			Tenant: "globex", SchemaVersion: globex.Version, ArrivedAt: 1_790_000_001_000_000, Receipt: second.Receipt,
			Events: [][]byte{[]byte(`{"d":4}`)}, Indexes: []uint32{0},
		},
	}
	got := b.stored(t)
	slices.SortFunc(got, func(a, b record.Raw) int { return int(a.ArrivedAt - b.ArrivedAt) })
	if fmt.Sprint(got) != fmt.Sprint(want) || first.Receipt == second.Receipt || acme.Version == globex.Version {
		t.Errorf("stored %+v\nwant   %+v", got, want)
	}
}

// A large request is several records of one shard, with the indexes of the request.
// TestEventsOfDevices has the events of a device lie in one shard, in the order in which they came, whichever of the
// names tells it and whether it is a number or text; those of a tenant, too.
func TestEventsOfDevices(t *testing.T) {
	t.Parallel()
	body := []byte(`[{"device":"a","n":1},{"meta":{"serial":7},"n":2},{"device":"b","n":3},{"device":"a","n":4},{"n":5},` +
		`{"device":"7","n":6},{"device":null,"meta":{"serial":"a"},"n":7},{"device":"","n":8}]`)
	byDevice := setup(t, func(c *ingest.Config) {
		c.Partition = record.Partitioning{By: record.ByDevice, DeviceNames: []string{"device", "meta.serial"}}
	})
	if a := parse(t, byDevice.post(t, "/v1/events", body)); a.Accepted != 8 {
		t.Fatalf("answer %+v", a)
	}
	numbers := func(raw record.Raw) (out []int) {
		for i, event := range raw.Events {
			var e struct{ N int }
			if err := json.Unmarshal(event, &e); err != nil || e.N != int(raw.Indexes[i])+1 {
				t.Errorf("event %s at index %d: %v", event, raw.Indexes[i], err)
			}
			out = append(out, e.N)
		}
		return out
	}
	var got []string
	for _, raw := range byDevice.stored(t) {
		got = append(got, fmt.Sprint(numbers(raw)))
	}
	slices.Sort(got)
	if want := []string{"[1 4 7]", "[2 6]", "[3]", "[5 8]"}; !slices.Equal(got, want) {
		t.Errorf("records of events %q, want %q", got, want)
	}

	byTenant := setup(t, func(c *ingest.Config) { c.Partition.By = record.ByTenant })
	shard := map[string]stream.ShardID{}
	for range 8 {
		byTenant.post(t, "/v1/events", []byte(`{"n":1}`))
		byTenant.post(t, "/v1/events", []byte(`{"n":1}`), "Authorization", "", "X-Api-Key", string(byTenant.globex))
	}
	byTenant.eachStored(t, func(in stream.ShardID, raw *record.Raw) {
		if at, seen := shard[raw.Tenant]; seen && at != in {
			t.Errorf("events of %s are in shards %d and %d", raw.Tenant, at, in)
		}
		shard[raw.Tenant] = in
	})
	if len(shard) != 2 {
		t.Errorf("found events of %v", shard)
	}
}

func TestEventsSplitRecords(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *ingest.Config) { c.RecordBytes = 20 })
	var body bytes.Buffer
	for i := range 9 {
		fmt.Fprintf(&body, "{\"a\":%d}\n", i)
	}
	body.WriteString(`{"long":"0123456789012345678901234567890123456789"}`)
	if a := parse(t, b.post(t, "/v1/events", body.Bytes())); a.Accepted != 10 {
		t.Fatalf("answer %+v", a)
	}
	records := b.stored(t)
	if len(records) != 6 {
		t.Errorf("%d records, want 6: two events of 7 bytes each, and the long one", len(records))
	}
	next := uint32(0)
	for _, r := range records {
		if r.Receipt != records[0].Receipt {
			t.Errorf("receipts %s and %s", r.Receipt, records[0].Receipt)
		}
		for _, index := range r.Indexes {
			if index != next {
				t.Errorf("index %d, want %d", index, next)
			}
			next++
		}
	}
}

func TestEventsScopes(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	secret, _, err := b.keys.Add(t.Context(), "acme", "dashboard", []ingest.Scope{ingest.ScopeQuery, ingest.ScopeSchema})
	if err != nil {
		t.Fatal(err)
	}
	if w := b.post(t, "/v1/events", []byte(`{}`), "Authorization", "bearer "+string(secret)); w.Code != http.StatusForbidden ||
		parse(t, w).Detail != "the API key does not have the scope ingest" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if err := b.schemas.DropTenant(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if w := b.post(t, "/v1/events", []byte(`{}`)); w.Code != http.StatusUnauthorized {
		t.Errorf("dropped tenant: status %d: %s", w.Code, w.Body)
	}
}

// When events cannot be stored the answer is 503 with Retry-After, never 200.
func TestEventsUnavailable(t *testing.T) {
	t.Parallel()
	var log flakyLog
	gate := error(nil)
	b := setup(t, func(c *ingest.Config) {
		log.Log = c.Log
		c.Log = &log
		c.Gate = func(context.Context) error { return gate }
	})
	check := func(what, detail string) {
		t.Helper()
		w := b.post(t, "/v1/events", []byte(`{"a":1}`))
		if a := parse(t, w); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || a.Detail != detail {
			t.Errorf("%s: status %d, headers %v: %s", what, w.Code, w.Header(), w.Body)
		}
	}
	for what, err := range map[string]error{"full disk": syscall.ENOSPC, "failed log": stream.ErrFailed, "closed log": stream.ErrClosed, "other": errPut} {
		log.failNext(fmt.Errorf("put: %w", err), false)
		check(what, "events cannot be stored at the moment")
	}
	log.failNext(errors.Join(stream.ErrBusy, syscall.ETIMEDOUT), false)
	check("busy log", "too many events are waiting to be stored")
	gate = errors.New("recent events fill the memory; compaction is under way")
	check("gate", gate.Error())
	gate = nil
	if w := b.post(t, "/v1/events", []byte(`{"a":1}`)); w.Code != http.StatusOK {
		t.Errorf("afterwards: status %d: %s", w.Code, w.Body)
	}
	if got := b.events(t); len(got) != 1 {
		t.Errorf("stored %q", got)
	}
}

// Requests wait for memory, and are refused with 503 when they wait too long.
func TestEventsMemory(t *testing.T) {
	t.Parallel()
	// The time of the bubble stands while the log writes, however long that takes.
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, func(c *ingest.Config) {
			c.BodyBytes, c.PendingBytes, c.PutTimeout = 1000, 2000, 50*time.Millisecond
		})
		first, firstBody := io.Pipe()
		done := make(chan int)
		go func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/events", first)
			r.Header.Set("X-Api-Key", string(b.acme))
			w := httptest.NewRecorder()
			b.mux.ServeHTTP(w, r)
			done <- w.Code
		}()
		if _, err := firstBody.Write([]byte(`{"a":`)); err != nil { // the first has its memory once it reads
			t.Fatal(err)
		}
		if w := b.post(t, "/v1/events", []byte(`{}`)); w.Code != http.StatusServiceUnavailable || parse(t, w).Detail != "too many requests at once" {
			t.Errorf("second: status %d: %s", w.Code, w.Body)
		}
		if _, err := firstBody.Write([]byte(`1}`)); err != nil {
			t.Fatal(err)
		}
		if err := firstBody.Close(); err != nil {
			t.Fatal(err)
		}
		if code := <-done; code != http.StatusOK {
			t.Errorf("first: status %d", code)
		}
		if w := b.post(t, "/v1/events", []byte(`{}`)); w.Code != http.StatusOK {
			t.Errorf("afterwards: status %d: %s", w.Code, w.Body)
		}
		if err := b.log.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestEventsRate(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *ingest.Config) { c.EventsPerSecond = 10 })
	send := func(n int, headers ...string) *httptest.ResponseRecorder {
		return b.post(t, "/v1/events", []byte(strings.Repeat("{}\n", n)), headers...)
	}
	if w := send(90); w.Code != http.StatusOK {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if w := send(45); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "4" {
		t.Errorf("status %d, headers %v", w.Code, w.Header())
	}
	if w := send(45, "Authorization", "Bearer "+string(b.globex)); w.Code != http.StatusOK {
		t.Errorf("another key: status %d: %s", w.Code, w.Body)
	}
	b.advance(3500 * time.Millisecond)
	if w := send(45); w.Code != http.StatusOK {
		t.Errorf("after the pause: status %d: %s", w.Code, w.Body)
	}
	b.advance(time.Hour)
	if w := send(300); w.Code != http.StatusOK {
		t.Errorf("more than the bucket holds: status %d: %s", w.Code, w.Body)
	}
	b.advance(20 * time.Second)
	if w := send(1); w.Code != http.StatusTooManyRequests {
		t.Errorf("in debt: status %d", w.Code)
	}
	b.advance(time.Second)
	if w := send(1); w.Code != http.StatusOK {
		t.Errorf("out of debt: status %d: %s", w.Code, w.Body)
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	w := httptest.NewRecorder()
	b.mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/events", http.NoBody))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: status %d", w.Code)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for name, edit := range map[string]func(*ingest.Config){
		"no log":     func(c *ingest.Config) { c.Log = nil },
		"no keys":    func(c *ingest.Config) { c.Keys = nil },
		"no schemas": func(c *ingest.Config) { c.Schemas = nil },
		"no KV":      func(c *ingest.Config) { c.KV = nil },
		"negative":   func(c *ingest.Config) { c.BodyBytes = -1 },
		"no memory":  func(c *ingest.Config) { c.PendingBytes = 1 << 20 },
	} {
		config := b.config
		edit(&config)
		if _, err := ingest.New(config); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
