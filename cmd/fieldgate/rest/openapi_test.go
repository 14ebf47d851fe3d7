package rest_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// document is what the test wants of OpenAPI.
type document struct {
	OpenAPI    string                                `json:"openapi"`
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		Schemas map[string]struct {
			Properties map[string]json.RawMessage `json:"properties"`
			Required   []string                   `json:"required"`
		} `json:"schemas"`
	} `json:"components"`
}

// operation is a method of a path.
type operation struct {
	OperationID string `json:"operationId"`
	RequestBody *struct {
		Content map[string]media `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content map[string]media `json:"content"`
	} `json:"responses"`
}

type media struct {
	Schema reference `json:"schema"`
}

type reference struct {
	Ref   string     `json:"$ref"`
	Items *reference `json:"items"`
}

func (r reference) name() string {
	if r.Items != nil {
		r = *r.Items
	}
	return strings.TrimPrefix(r.Ref, "#/components/schemas/")
}

// TestOpenAPI holds the document against the handlers: what it lists is served,
// what it does not list is not, bodies have the members that it says, and
// references lead somewhere.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.do(t, "GET", "/v1/openapi.json", "", "")
	var doc document
	if err := json.Unmarshal([]byte(readAll(t, r)), &doc); err != nil || r.StatusCode != http.StatusOK || doc.OpenAPI != "3.1.0" {
		t.Fatalf("%d, OpenAPI %q, %v", r.StatusCode, doc.OpenAPI, err)
	}
	if r := b.do(t, "POST", "/v1/schema/metrics", "acme",
		`{"name":"m","aliases":["mm"],"comment":"c","missing_time":"reject","fields":[{"name":"f","type":"text","comment":"c","aliases":[{"name":"g","convert":"upper(value)"}]}]}`); r.StatusCode != http.StatusCreated {
		t.Fatal(readAll(t, r))
	}
	if r := b.do(t, "POST", "/v1/schema/views", "acme", `{"name":"v","query":"select f from m","columns":[{"name":"g","comment":"c"}],"comment":"c"}`); r.StatusCode != http.StatusCreated {
		t.Fatal(readAll(t, r))
	}
	if r := b.do(t, "PUT", "/v1/schema/webhook", "acme", `{"url":"https://example.com/","secret":"s"}`); r.StatusCode != http.StatusOK {
		t.Fatal(readAll(t, r))
	}
	b.refused(t, &doc)
	operations := map[string]bool{}
	for path, item := range doc.Paths {
		url := strings.NewReplacer("{metric}", "m", "{field}", "f", "{view}", "v").Replace(path)
		for _, method := range []string{"get", "post", "patch", "put", "delete"} {
			text, listed := item[method]
			r := b.do(t, strings.ToUpper(method), url, "nobody", "")
			if served := r.StatusCode != http.StatusMethodNotAllowed; served != listed {
				t.Errorf("%s %s: listed %v, served %v", method, path, listed, served)
			}
			if !listed {
				continue
			}
			var op operation
			if err := json.Unmarshal(text, &op); err != nil {
				t.Fatal(err)
			}
			if operations[op.OperationID] {
				t.Errorf("operation %s is listed twice", op.OperationID)
			}
			operations[op.OperationID] = true
			if method == "get" {
				answer := op.Responses["200"].Content["application/json"].Schema
				checkMembers(t, path, readAll(t, b.do(t, "GET", url, "acme", "")), doc.Components.Schemas[answer.name()].Properties)
			}
			if op.RequestBody == nil {
				continue
			}
			for _, body := range op.RequestBody.Content {
				if _, known := doc.Components.Schemas[body.Schema.name()]; !known {
					t.Errorf("%s %s: schema %q is missing", method, path, body.Schema.name())
				}
			}
		}
	}
	if len(operations) < 20 {
		t.Errorf("%d operations", len(operations))
	}
}

// refused sees that what the document says must be is refused where it is not.
func (b *bundle) refused(t *testing.T, doc *document) {
	t.Helper()
	for _, tt := range []struct{ schema, member, method, path, body string }{
		{"webhook", "url", "PUT", "/v1/schema/webhook", `{"secret":"s"}`},
		{"rule", "sent_name", "PATCH", "/v1/schema", `{"rules":[{"metric":"m"}]}`},
		{"rule", "metric", "PATCH", "/v1/schema", `{"rules":[{"sent_name":"f"}]}`},
	} {
		if !slices.Contains(doc.Components.Schemas[tt.schema].Required, tt.member) {
			t.Errorf("the document does not say that %s has %s", tt.schema, tt.member)
		}
		if r := b.do(t, tt.method, tt.path, "acme", tt.body); r.StatusCode != http.StatusBadRequest {
			t.Errorf("%s %s %s: %d %s", tt.method, tt.path, tt.body, r.StatusCode, readAll(t, r))
		}
	}
	for _, body := range []string{
		`{"name":""}`, `{"name":"x","fields":[{"name":"","type":"text"}]}`, `{"name":"x","fields":[{"name":"y","type":""}]}`,
		`{"name":"x","fields":[{"name":"y","type":"text","aliases":[{"convert":"value"}]}]}`, `{"name":"\ud800"}`,
	} {
		if r := b.do(t, "POST", "/v1/schema/metrics", "acme", body); r.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, r.StatusCode, readAll(t, r))
		}
	}
}

// checkMembers sees that every member of an object, or of those in an array, is one
// of the schema's.
func checkMembers(t *testing.T, path, text string, properties map[string]json.RawMessage) {
	t.Helper()
	if !strings.HasPrefix(text, "[") {
		text = "[" + text + "]"
	}
	var objects []map[string]any
	if err := json.Unmarshal([]byte(text), &objects); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, o := range objects {
		for member := range o {
			if _, known := properties[member]; !known {
				t.Errorf("%s has a member %s that the document does not", path, member)
			}
		}
	}
}
