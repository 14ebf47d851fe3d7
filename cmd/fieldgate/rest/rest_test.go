package rest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"go.uber.org/goleak"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/rest"
	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
	"github.com/fieldgate/fieldgate/schema/suggest"
	"github.com/fieldgate/fieldgate/schema/webhook"
	"github.com/fieldgate/fieldgate/sources/bolt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bundle is an API over a fresh store with two tenants, each with a key of all
// scopes named as the tenant, and keys acme-ingest, acme-query and acme-schema.
type bundle struct {
	url      string
	client   *http.Client
	schemas  *schema.Store
	sessions func(planner.Identity) (rest.Session, error)
}

func setup(t *testing.T) *bundle {
	t.Helper()
	db, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "kv.bolt")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &bundle{}
	if b.schemas, err = schema.NewStore(db, schema.StoreConfig{}); err != nil {
		t.Fatal(err)
	}
	observed, err := schema.NewObserved(db, schema.ObservedConfig{Schemas: b.schemas})
	if err != nil {
		t.Fatal(err)
	}
	plans, err := planner.New(planner.Config{Schemas: b.schemas, Observed: observed})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ingest.NewKeys(ingest.KeysConfig{KV: db})
	if err != nil {
		t.Fatal(err)
	}
	for tenant, scopes := range map[string][]ingest.Scope{"acme": ingest.AllScopes(), "globex": ingest.AllScopes()} {
		if err := b.schemas.AddTenant(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
		if err := keys.AddFixed(t.Context(), ingest.Secret(tenant), tenant, scopes); err != nil {
			t.Fatal(err)
		}
	}
	for _, scope := range ingest.AllScopes() {
		if err := keys.AddFixed(t.Context(), ingest.Secret("acme-"+scope), "acme", []ingest.Scope{scope}); err != nil {
			t.Fatal(err)
		}
	}
	advisor, err := suggest.New(db, suggest.Config{Schemas: b.schemas, Observed: observed, Profiles: profile.New(db, profile.Config{})})
	if err != nil {
		t.Fatal(err)
	}
	api, err := rest.New(rest.Config{
		Schemas:          b.schemas,
		Advisor:          advisor,
		Hooks:            webhook.NewHooks(db, b.schemas, nil),
		Planner:          plans,
		Keys:             keys,
		NewSession:       func(id planner.Identity) (rest.Session, error) { return b.sessions(id) },
		StatementTimeout: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	api.Register(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	b.url, b.client = server.URL, server.Client()
	return b
}

// do sends a request with a key.
func (b *bundle) do(t *testing.T, method, path, key, body string, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	response, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() }) // read by who wants it
	return response
}

func readAll(t *testing.T, r *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestSchema sends the requests of testdata/schema. A command is the method, with
// the arguments path, key (acme unless given) and match (If-Match); the input is
// the body. The output is the status, the headers that matter, and the body.
func TestSchema(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/schema", func(t *testing.T, path string) {
		b := setup(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			key := "acme"
			var path string
			var headers []string
			for _, arg := range d.CmdArgs {
				switch arg.Key {
				case "key":
					key = strings.Join(arg.Vals, "")
				case "match":
					headers = append(headers, "If-Match: "+strings.Join(arg.Vals, ","))
				default:
					path = arg.Key
				}
			}
			r := b.do(t, strings.ToUpper(d.Cmd), path, key, d.Input, headers...)
			var out strings.Builder
			fmt.Fprintln(&out, r.StatusCode)
			for _, name := range []string{"Content-Type", "ETag", "Location", "Allow", "WWW-Authenticate", "Retry-After"} {
				if value := r.Header.Get(name); value != "" {
					fmt.Fprintf(&out, "%s: %s\n", name, value)
				}
			}
			out.WriteString(readAll(t, r))
			return strings.TrimSuffix(out.String(), "\n") + "\n"
		})
	})
}

// TestWhoAndWhat are kept with the version that a request made.
func TestWhoAndWhat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if r := b.do(t, "POST", "/v1/schema/metrics", "acme", `{"name":"m"}`); r.StatusCode != http.StatusCreated {
		t.Fatal(readAll(t, r))
	}
	s, err := b.schemas.Current(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(s.Who, "API key ") || strings.Contains(s.Who, "acme") || s.What != "POST /v1/schema/metrics" {
		t.Errorf("who %q, what %q", s.Who, s.What)
	}
}

// TestLimits of the body of a request.
func TestLimits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"over 4 MiB":    {`{"name":"` + strings.Repeat("x", 4<<20) + `"}`, http.StatusRequestEntityTooLarge},
		"not UTF-8":     {"{\"name\":\"\xff\"}", http.StatusBadRequest},
		"deep nesting":  {strings.Repeat("[", 1<<20), http.StatusBadRequest},
		"two values":    {`{"name":"a"}{"name":"b"}`, http.StatusBadRequest},
		"nothing":       {"", http.StatusBadRequest},
		"half a value":  {`{"name":`, http.StatusBadRequest},
		"another value": {`"name"`, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := b.do(t, "POST", "/v1/schema/metrics", "acme", c.body)
			if body := readAll(t, r); r.StatusCode != c.want || r.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%d %s", r.StatusCode, body)
			}
		})
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	b := setup(t)
	plans := &planner.Planner{}
	sessions := func(planner.Identity) (rest.Session, error) { return nil, nil }
	for name, cfg := range map[string]rest.Config{
		"nothing":          {},
		"no webhooks":      {Schemas: b.schemas, Advisor: &suggest.Advisor{}, Keys: &ingest.Keys{}, Planner: plans, NewSession: sessions},
		"no suggestions":   {Schemas: b.schemas, Hooks: &webhook.Hooks{}, Keys: &ingest.Keys{}, Planner: plans, NewSession: sessions},
		"no keys":          {Schemas: b.schemas, Advisor: &suggest.Advisor{}, Hooks: &webhook.Hooks{}, Planner: plans, NewSession: sessions},
		"no check":         {Schemas: b.schemas, Advisor: &suggest.Advisor{}, Hooks: &webhook.Hooks{}, Keys: &ingest.Keys{}, NewSession: sessions},
		"negative timeout": {Schemas: b.schemas, Advisor: &suggest.Advisor{}, Hooks: &webhook.Hooks{}, Planner: plans, Keys: &ingest.Keys{}, NewSession: sessions, StatementTimeout: -1},
	} {
		if _, err := rest.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
