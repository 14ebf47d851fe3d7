package rest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/rest"
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// session is a planner session whose answers are given. The SQL is a list of
// statements, separated by semicolons.
type session struct {
	id         planner.Identity
	paramTypes []postgres.OID
	parse      error
	execute    func(ctx context.Context, params []planner.Param) (*planner.Result, error)
	closed     chan<- string
}

func (s *session) Parse(_ context.Context, sql string) ([]*planner.Statement, error) {
	var out []*planner.Statement
	for text := range strings.SplitSeq(sql, ";") {
		if text != "" {
			out = append(out, &planner.Statement{Text: text})
		}
	}
	return out, s.parse
}

func (s *session) Prepare(_ context.Context, st *planner.Statement, _ []postgres.OID) (*planner.Prepared, error) {
	return &planner.Prepared{Statement: st, ParamTypes: s.paramTypes}, nil
}

func (s *session) Execute(ctx context.Context, _ *planner.Prepared, params []planner.Param) (*planner.Result, error) {
	return s.execute(ctx, params)
}

func (s *session) Close() { s.closed <- "session" }

// rows gives its chunks, then its error.
type rows struct {
	chunks []*planner.Chunk
	err    error
	closed chan<- string
}

func (r *rows) Next(context.Context) (*planner.Chunk, error) {
	if len(r.chunks) == 0 {
		return nil, r.err
	}
	c := r.chunks[0]
	r.chunks = r.chunks[1:]
	return c, nil
}

func (r *rows) Close() error {
	r.closed <- "rows"
	return nil
}

// answer makes the API's sessions answer with chunks, then an error, and gives
// what is closed after it.
func (b *bundle) answer(columns []planner.ResultColumn, err error, chunks ...*planner.Chunk) <-chan string {
	closed := make(chan string, 10)
	b.sessions = func(id planner.Identity) (rest.Session, error) {
		return &session{id: id, closed: closed, execute: func(context.Context, []planner.Param) (*planner.Result, error) {
			return &planner.Result{Columns: columns, Tag: "SELECT", Rows: &rows{chunks: chunks, err: err, closed: closed}}, nil
		}}, nil
	}
	return closed
}

func column(name string, oid postgres.OID) planner.ResultColumn {
	return planner.ResultColumn{Name: name, T: planner.Type{OID: oid, Typmod: -1}}
}

// everyType is a row of values, one of NULLs, and one of what JSON cannot say.
func everyType() (columns []planner.ResultColumn, chunk *planner.Chunk) {
	first := []uint64{0b101}
	add := func(name string, oid postgres.OID, v planner.Vector) {
		columns = append(columns, column(name, oid))
		v.T = planner.Type{OID: oid, Typmod: -1}
		if v.Valid == nil {
			v.Valid = first
		}
		chunk.Columns = append(chunk.Columns, v)
	}
	chunk = &planner.Chunk{Rows: 3}
	add("bool", postgres.BoolOID, planner.Vector{Bools: []bool{true, false, false}})
	add("int2", postgres.Int2OID, planner.Vector{Int16s: []int16{-2, 0, 2}})
	add("int4", postgres.Int4OID, planner.Vector{Int32s: []int32{-4, 0, 4}})
	add("int8", postgres.Int8OID, planner.Vector{Int64s: []int64{math.MaxInt64, 0, math.MinInt64}})
	add("float4", postgres.Float4OID, planner.Vector{Float32s: []float32{0.1, 0, float32(math.Inf(-1))}})
	add("float8", postgres.Float8OID, planner.Vector{Float64s: []float64{1e300, 0, math.NaN()}})
	add("numeric", postgres.NumericOID, planner.Vector{Numerics: []planner.Numeric{{Lo: 1050, Scale: 2}, {}, {Hi: -1, Lo: math.MaxUint64, Scale: 3}}})
	add("big", postgres.NumericOID, planner.Vector{Bytes: [][]byte{[]byte("12345678901234567890123456789012345678901234567890.5"), nil, []byte("NaN")}})
	add("text", postgres.TextOID, planner.Vector{Bytes: [][]byte{[]byte("a \"b\",\n\\\t\x01é🌡"), nil, {}}})
	add("broken", postgres.TextOID, planner.Vector{Bytes: [][]byte{[]byte("a\xffb"), nil, []byte(`\.`)}})
	add("timestamptz", postgres.TimestampTZOID, planner.Vector{Int64s: []int64{1795435201500000, 0, math.MaxInt64}})
	add("timestamp", postgres.TimestampOID, planner.Vector{Int64s: []int64{0, 0, -1}})
	add("date", postgres.DateOID, planner.Vector{Int32s: []int32{0, 0, -719529}})
	add("time", postgres.TimeOID, planner.Vector{Int64s: []int64{3661000001, 0, 0}})
	add("interval", postgres.IntervalOID, planner.Vector{Intervals: []planner.Interval{{Months: 14, Days: 3, Micros: 4_500_000}, {}, {}}})
	add("uuid", postgres.UUIDOID, planner.Vector{UUIDs: [][16]byte{{0xab, 1}, {}, {}}})
	add("bytea", postgres.ByteaOID, planner.Vector{Bytes: [][]byte{{0, 255}, nil, {}}})
	add("json", postgres.JSONOID, planner.Vector{Bytes: [][]byte{[]byte("{\"a\": [1,\n 2]}"), nil, []byte("not JSON")}})
	add("jsonb", postgres.JSONBOID, planner.Vector{Bytes: [][]byte{[]byte(`{"a": null}`), nil, []byte(`"x"`)}})
	add("texts", postgres.TextArrayOID, planner.Vector{Lists: &planner.ListVector{
		Offsets: []uint64{0, 0, 0}, Lengths: []uint64{3, 0, 0},
		Elems: planner.Vector{Valid: []uint64{0b101}, Bytes: [][]byte{[]byte("a"), nil, []byte(`b,"c"`)}},
	}})
	add("grid", postgres.Int4ArrayOID, planner.Vector{Bytes: [][]byte{[]byte("{{1,2},{3,4}}"), nil, []byte("[0:1]={5,NULL}")}})
	return columns, chunk
}

const everyNDJSON = `{"bool":true,"int2":-2,"int4":-4,"int8":9223372036854775807,"float4":0.1,"float8":1e+300,"numeric":10.50,"big":12345678901234567890123456789012345678901234567890.5,"text":"a \"b\",\n\\\t\u0001é🌡","broken":"a�b","timestamptz":"2026-11-23 12:00:01.5+00","timestamp":"1970-01-01 00:00:00","date":"1970-01-01","time":"01:01:01.000001","interval":"1 year 2 mons 3 days 00:00:04.5","uuid":"ab010000-0000-0000-0000-000000000000","bytea":"\\x00ff","json":{"a":[1,2]},"jsonb":{"a":null},"texts":["a",null,"b,\"c\""],"grid":[[1,2],[3,4]]}
{"bool":null,"int2":null,"int4":null,"int8":null,"float4":null,"float8":null,"numeric":null,"big":null,"text":null,"broken":null,"timestamptz":null,"timestamp":null,"date":null,"time":null,"interval":null,"uuid":null,"bytea":null,"json":null,"jsonb":null,"texts":null,"grid":null}
{"bool":false,"int2":2,"int4":4,"int8":-9223372036854775808,"float4":"-Infinity","float8":"NaN","numeric":-0.001,"big":"NaN","text":"","broken":"\\.","timestamptz":"infinity","timestamp":"1969-12-31 23:59:59.999999","date":"0002-12-31 BC","time":"00:00:00","interval":"00:00:00","uuid":"00000000-0000-0000-0000-000000000000","bytea":"\\x","json":"not JSON","jsonb":"x","texts":[],"grid":[5,null]}
`

func TestFormats(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSuffix(everyNDJSON, "\n"), "\n")
	everyCSV := "bool,int2,int4,int8,float4,float8,numeric,big,text,broken,timestamptz,timestamp,date,time,interval,uuid,bytea,json,jsonb,texts,grid\n" +
		"t,-2,-4,9223372036854775807,0.1,1e+300,10.50,12345678901234567890123456789012345678901234567890.5,\"a \"\"b\"\",\n\\\t\x01é🌡\",a\xffb," +
		"2026-11-23 12:00:01.5+00,1970-01-01 00:00:00,1970-01-01,01:01:01.000001,1 year 2 mons 3 days 00:00:04.5,ab010000-0000-0000-0000-000000000000,\\x00ff," +
		"\"{\"\"a\"\": [1,\n 2]}\",\"{\"\"a\"\": null}\",\"{a,NULL,\"\"b,\\\"\"c\\\"\"\"\"}\",\"{{1,2},{3,4}}\"\n" +
		",,,,,,,,,,,,,,,,,,,,\n" +
		"f,2,4,-9223372036854775808,-Infinity,NaN,-0.001,NaN,\"\",\\.,infinity,1969-12-31 23:59:59.999999,0002-12-31 BC,00:00:00,00:00:00," +
		"00000000-0000-0000-0000-000000000000,\\x,not JSON,\"\"\"x\"\"\",{},\"[0:1]={5,NULL}\"\n"
	everyJSON := "[\n" + strings.Join(lines, ",\n") + "\n]\n"
	for name, c := range map[string]struct{ accept, contentType, body string }{
		"nothing asked":     {"", "application/x-ndjson", everyNDJSON},
		"anything":          {"*/*", "application/x-ndjson", everyNDJSON},
		"ndjson":            {"application/x-ndjson", "application/x-ndjson", everyNDJSON},
		"json":              {"application/json", "application/json", everyJSON},
		"csv":               {"text/csv", "text/csv; charset=utf-8; header=present", everyCSV},
		"preferred by q":    {"application/json;q=0.5, text/csv;q=0.9, */*;q=0.1", "text/csv; charset=utf-8; header=present", everyCSV},
		"one of those":      {"text/html, application/json", "application/json", everyJSON},
		"excluded by q":     {"text/csv;q=0, */*", "application/x-ndjson", everyNDJSON},
		"range of text":     {"text/*", "text/csv; charset=utf-8; header=present", everyCSV},
		"with a parameter":  {"application/json; charset=utf-8", "application/json", everyJSON},
		"what no one knows": {"text/html", "application/problem+json", `{"type":"about:blank","title":"Not Acceptable","status":406,"detail":"a result is application/x-ndjson, application/json or text/csv"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			columns, chunk := everyType()
			closed := b.answer(columns, nil, chunk)
			var headers []string
			if c.accept != "" {
				headers = append(headers, "Accept: "+c.accept)
			}
			r := b.do(t, "POST", "/v1/query", "acme", `{"sql":"select"}`, headers...)
			body := readAll(t, r)
			if r.Header.Get("Content-Type") != c.contentType || body != c.body {
				t.Errorf("%d %s\n%s\nwant %s\n%s", r.StatusCode, r.Header.Get("Content-Type"), body, c.contentType, c.body)
			}
			if r.StatusCode == http.StatusOK {
				if first, second := <-closed, <-closed; first != "rows" || second != "session" {
					t.Errorf("closed %s, then %s", first, second)
				}
			}
		})
	}
}

func ints(values ...int32) *planner.Chunk {
	return &planner.Chunk{Rows: len(values), Columns: []planner.Vector{{Int32s: values}}}
}

func TestShapes(t *testing.T) {
	t.Parallel()
	one := []planner.ResultColumn{column("n", postgres.Int4OID)}
	same := []planner.ResultColumn{column("a", postgres.Int4OID), column("a", postgres.Int4OID), column("a_2", postgres.Int4OID), column("a", postgres.Int4OID)}
	wide := ints(1)
	for range 3 {
		wide.Columns = append(wide.Columns, wide.Columns[0])
	}
	odd := []planner.ResultColumn{column("?column?", postgres.TextOID), column(`a "b",`, postgres.TextOID)}
	texts := &planner.Chunk{Rows: 1, Columns: []planner.Vector{{Bytes: [][]byte{[]byte("x")}}, {Bytes: [][]byte{nil}, Valid: []uint64{0}}}}
	alone := &planner.Chunk{Rows: 2, Columns: []planner.Vector{{Bytes: [][]byte{[]byte(`\.`), {}}}}}
	const cardinalNumber = postgres.OID(13221) // a domain over integer
	catalog := []planner.ResultColumn{
		column("xid", postgres.XIDOID), column("type", postgres.RegtypeOID), column("proc", postgres.RegprocOID),
		column("class", postgres.RegclassOID), column("types", postgres.OIDVectorOID), column("n", cardinalNumber),
	}
	objects := &planner.Chunk{Rows: 1, Columns: []planner.Vector{
		{Int64s: []int64{7}},
		{Int64s: []int64{23}, Bytes: [][]byte{[]byte("integer")}},
		{Int64s: []int64{1242}},
		{Int64s: []int64{1259}, Bytes: [][]byte{[]byte("pg_class")}},
		{Lists: &planner.ListVector{Offsets: []uint64{0}, Lengths: []uint64{2}, Elems: planner.Vector{Int64s: []int64{25, 26}}}},
		{Int32s: []int32{4}},
	}}
	const objectJSON = `{"xid":"7","type":"integer","proc":"boolin","class":"pg_class","types":"25 26","n":4}`
	for name, c := range map[string]struct {
		columns           []planner.ResultColumn
		chunks            []*planner.Chunk
		ndjson, json, csv string
	}{
		"no rows":          {one, nil, "", "[\n]\n", "n\n"},
		"no columns":       {nil, []*planner.Chunk{{Rows: 2}}, "{}\n{}\n", "[\n{},\n{}\n]\n", "\n\n"},
		"chunks":           {one, []*planner.Chunk{ints(1, 2), ints(), ints(3)}, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n", "[\n{\"n\":1},\n{\"n\":2},\n{\"n\":3}\n]\n", "n\n1\n2\n3\n"},
		"one name, thrice": {same, []*planner.Chunk{wide}, "{\"a\":1,\"a_3\":1,\"a_2\":1,\"a_4\":1}\n", "[\n{\"a\":1,\"a_3\":1,\"a_2\":1,\"a_4\":1}\n]\n", "a,a,a_2,a\n1,1,1,1\n"},
		"the catalog's":    {catalog, []*planner.Chunk{objects}, objectJSON + "\n", "[\n" + objectJSON + "\n]\n", "xid,type,proc,class,types,n\n7,integer,boolin,pg_class,25 26,4\n"},
		"odd names":        {odd, []*planner.Chunk{texts}, "{\"?column?\":\"x\",\"a \\\"b\\\",\":null}\n", "[\n{\"?column?\":\"x\",\"a \\\"b\\\",\":null}\n]\n", "?column?,\"a \"\"b\"\",\"\nx,\n"},
		"COPY's end":       {odd[:1], []*planner.Chunk{alone}, "{\"?column?\":\"\\\\.\"}\n{\"?column?\":\"\"}\n", "[\n{\"?column?\":\"\\\\.\"},\n{\"?column?\":\"\"}\n]\n", "?column?\n\"\\.\"\n\"\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for accept, want := range map[string]string{"application/x-ndjson": c.ndjson, "application/json": c.json, "text/csv": c.csv} {
				b := setup(t)
				b.answer(c.columns, nil, c.chunks...)
				r := b.do(t, "POST", "/v1/query", "acme", `{"sql":"select"}`, "Accept: "+accept)
				if got := readAll(t, r); got != want {
					t.Errorf("%s: %q, want %q", accept, got, want)
				}
			}
		})
	}
}

// TestErrorAfterRows is told in NDJSON's last line and cuts the other formats.
func TestErrorAfterRows(t *testing.T) {
	t.Parallel()
	fault := &planner.Error{Code: "22012", Message: "division by zero", Hint: "do not"}
	for accept, want := range map[string]string{
		"application/x-ndjson": "{\"n\":1}\n" + `{"error":{"type":"about:blank","title":"Bad Request","status":400,"detail":"division by zero","hint":"do not","sqlstate":"22012"}}` + "\n",
		"application/json":     "[\n{\"n\":1}",
		"text/csv":             "n\n1\n",
	} {
		b := setup(t)
		closed := b.answer([]planner.ResultColumn{column("n", postgres.Int4OID)}, fault, ints(1))
		r := b.do(t, "POST", "/v1/query", "acme", `{"sql":"select"}`, "Accept: "+accept)
		body, err := io.ReadAll(r.Body)
		if r.StatusCode != http.StatusOK || string(body) != want {
			t.Errorf("%s: %d %q, want %q", accept, r.StatusCode, body, want)
		}
		if cut := accept != "application/x-ndjson"; cut != errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: the body ends with %v", accept, err)
		}
		if first, second := <-closed, <-closed; first != "rows" || second != "session" {
			t.Errorf("%s: closed %s, then %s", accept, first, second)
		}
	}
}

// TestErrorBeforeRows has the status of its SQLSTATE.
func TestErrorBeforeRows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		status int
		want   string
	}{
		{&planner.Error{Code: "42P01", Message: "relation \"x\" does not exist", Position: 15, Hint: "h", Detail: "d"}, 400, `"detail":"relation \"x\" does not exist","hint":"h","sqlstate":"42P01","position":15,"more":"d"`},
		{&planner.Error{Code: "22P02", Message: "m"}, 400, `"sqlstate":"22P02"`},
		{&planner.Error{Code: "0A000", Message: "m"}, 400, `"sqlstate":"0A000"`},
		{&planner.Error{Code: "54001", Message: "m"}, 400, `"sqlstate":"54001"`},
		{&planner.Error{Code: "42501", Message: "m"}, 403, `"sqlstate":"42501"`},
		{&planner.Error{Code: "57014", Message: "m"}, 504, `"sqlstate":"57014"`},
		{&planner.Error{Code: "57P01", Message: "m"}, 503, `"sqlstate":"57P01"`},
		{&planner.Error{Code: "53200", Message: "m"}, 503, `"sqlstate":"53200"`},
		{&planner.Error{Code: "40001", Message: "m"}, 503, `"sqlstate":"40001"`},
		{&planner.Error{Code: "58030", Message: "m"}, 500, `"sqlstate":"58030"`},
		{&planner.Error{Code: "XX000", Message: "m"}, 500, `"sqlstate":"XX000"`},
		{fmt.Errorf("wrapped: %w", context.DeadlineExceeded), 504, `"sqlstate":"57014"`},
		{errors.New("secret cause"), 500, `"detail":"the server failed; its log says why"`},
	} {
		b := setup(t)
		b.answer(nil, c.err)
		r := b.do(t, "POST", "/v1/query", "acme", `{"sql":"select"}`, "Accept: text/csv")
		body := readAll(t, r)
		if r.StatusCode != c.status || !strings.Contains(body, c.want) || strings.Contains(body, "secret") || r.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%v: %d %s, want %d %s", c.err, r.StatusCode, body, c.status, c.want)
		}
		if (r.StatusCode == 503) != (r.Header.Get("Retry-After") != "") {
			t.Errorf("%v: Retry-After %q", c.err, r.Header.Get("Retry-After"))
		}
	}
}

func TestQueryRequests(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key, body string
		status    int
	}{
		"fine":                  {"acme", `{"sql":"select"}`, 200},
		"scope query alone":     {"acme-query", `{"sql":"select"}`, 200},
		"no key":                {"", `{"sql":"select"}`, 401},
		"unknown key":           {"nobody", `{"sql":"select"}`, 401},
		"scope ingest alone":    {"acme-ingest", `{"sql":"select"}`, 403},
		"scope schema alone":    {"acme-schema", `{"sql":"select"}`, 403},
		"no statement":          {"acme", `{"sql":""}`, 400},
		"two statements":        {"acme", `{"sql":"select;select"}`, 400},
		"no SQL":                {"acme", `{}`, 400},
		"unknown member":        {"acme", `{"sql":"select","parameters":[]}`, 400},
		"SQL is no text":        {"acme", `{"sql":1}`, 400},
		"too many values":       {"acme", `{"sql":"select","params":[1]}`, 400},
		"parameters no list":    {"acme", `{"sql":"select","params":{"a":1}}`, 400},
		"not JSON":              {"acme", `select`, 400},
		"parameters of null":    {"acme", `{"sql":"select","params":null}`, 200},
		"larger than it may be": {"acme", `{"sql":"` + strings.Repeat("x", 4<<20) + `"}`, 413},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.answer(nil, nil)
			r := b.do(t, "POST", "/v1/query", c.key, c.body)
			if body := readAll(t, r); r.StatusCode != c.status {
				t.Errorf("%d %s, want %d", r.StatusCode, body, c.status)
			}
		})
	}
	b := setup(t)
	if r := b.do(t, "GET", "/v1/query", "acme", ""); r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d, Allow %q", r.StatusCode, r.Header.Get("Allow"))
	}
}

// TestIdentity is the key's: its tenant, and an owner if it has the scope schema.
func TestIdentity(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{"acme": "acme true", "globex": "globex true", "acme-query": "acme false"} {
		b := setup(t)
		var got planner.Identity
		b.sessions = func(id planner.Identity) (rest.Session, error) {
			got = id
			return nil, &planner.Error{Code: "42501", Message: "no"}
		}
		if r := b.do(t, "POST", "/v1/query", key, `{"sql":"select"}`); r.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", key, r.StatusCode)
		}
		if fmt.Sprint(got.Tenant, " ", got.Owner) != want || !strings.HasPrefix(got.User, "api_key_") {
			t.Errorf("%s: %v", key, got)
		}
	}
}

func TestParams(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		oid        postgres.OID
		json, want string
	}{
		"null":                {postgres.TextOID, `null`, "NULL"},
		"text":                {postgres.TextOID, `"a\n\u00e9"`, "a\né"},
		"empty text":          {postgres.TextOID, `""`, ""},
		"number":              {postgres.NumericOID, `-1.50`, "-1.50"},
		"big number":          {postgres.Int8OID, `9223372036854775807`, "9223372036854775807"},
		"number as text":      {postgres.Int8OID, `"42"`, "42"},
		"truth":               {postgres.BoolOID, `true`, "true"},
		"object":              {postgres.JSONBOID, `{"a": [1, "x"]}`, `{"a": [1, "x"]}`},
		"list for jsonb":      {postgres.JSONBOID, `[1, 2]`, `[1, 2]`},
		"list of integers":    {postgres.Int4ArrayOID, `[1, null, 3]`, "{1,NULL,3}"},
		"list of texts":       {postgres.TextArrayOID, `["a", "b \"c\", \\", "", "null", null]`, `{a,"b \"c\", \\","","null",NULL}`},
		"list of lists":       {postgres.Int4ArrayOID, `[[1, 2], [3, 4]]`, "{{1,2},{3,4}}"},
		"empty list":          {postgres.TextArrayOID, `[]`, "{}"},
		"array in PostgreSQL": {postgres.TextArrayOID, `"{a,b}"`, "{a,b}"},
		"list of jsonb":       {postgres.ArrayOf(postgres.JSONBOID), `[{"a":1},[1]]`, `{"{\"a\":1}",[1]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			closed := make(chan string, 10)
			var got []planner.Param
			b.sessions = func(planner.Identity) (rest.Session, error) {
				return &session{closed: closed, paramTypes: []postgres.OID{c.oid}, execute: func(_ context.Context, params []planner.Param) (*planner.Result, error) {
					got = params
					return &planner.Result{Tag: "SET"}, nil
				}}, nil
			}
			r := b.do(t, "POST", "/v1/query", "acme", `{"sql":"select","params":[`+c.json+`]}`)
			if body := readAll(t, r); r.StatusCode != http.StatusOK || body != "" {
				t.Fatalf("%d %s", r.StatusCode, body)
			}
			text := "NULL"
			if len(got) == 1 && !got[0].Null {
				text = string(got[0].Bytes)
			}
			if text != c.want || got[0].Binary {
				t.Errorf("%s, want %s", text, c.want)
			}
		})
	}
}

// endless gives rows until its context ends.
type endless struct{ closed chan<- string }

func (e *endless) Next(ctx context.Context) (*planner.Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return ints(make([]int32, 2048)...), nil
}

func (e *endless) Close() error {
	e.closed <- "rows"
	return nil
}

// TestClientGoes stops a query whose client is gone, after the first rows came
// before the last.
func TestClientGoes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	closed := make(chan string, 10)
	b.sessions = func(planner.Identity) (rest.Session, error) {
		return &session{closed: closed, execute: func(context.Context, []planner.Param) (*planner.Result, error) {
			return &planner.Result{Columns: []planner.ResultColumn{column("n", postgres.Int4OID)}, Rows: &endless{closed}}, nil
		}}, nil
	}
	for _, accept := range []string{"application/x-ndjson", "text/csv"} {
		r := b.do(t, "POST", "/v1/query", "acme", `{"sql":"select"}`, "Accept: "+accept)
		if _, err := io.ReadFull(r.Body, make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		if err := r.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if first, second := <-closed, <-closed; first != "rows" || second != "session" {
			t.Errorf("closed %s, then %s", first, second)
		}
	}
}
