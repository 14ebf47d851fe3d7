package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/fieldgate/fieldgate/ingest"
)

// openAPIPath is where the API describes itself; no key is needed.
const openAPIPath = "/v1/openapi.json"

// operation is what one method of a resource does. The document is made of the same
// table as the routes, and of the types that bodies are read into.
type operation struct {
	handle  handleFunc
	summary string
	// body and answer have the types of the JSON that comes and goes; nil: none.
	body, answer any
	status       int
	// guarded: the resource has an entity tag, and If-Match is looked at.
	guarded bool
}

type object = map[string]any

// openAPI makes the OpenAPI 3.1 document of the resources.
func openAPI(resources map[string]resource) ([]byte, error) {
	paths := object{}
	schemas := object{}
	for path, res := range resources {
		item := object{}
		var parameters []object
		for part := range strings.SplitSeq(path, "/") {
			if name, is := strings.CutPrefix(part, "{"); is {
				parameters = append(parameters, object{
					"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": object{"type": "string"},
				})
			}
		}
		if parameters != nil {
			item["parameters"] = parameters
		}
		for method, op := range res.methods {
			item[strings.ToLower(method)] = describe(path, method, res.scope, op, schemas)
		}
		paths[path] = item
	}
	schemas["problem"] = schemaOf(reflect.TypeFor[problem](), schemas)
	return json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Fieldgate", "version": "1",
			"description": "Schema and queries of a tenant, the one of the API key.",
		},
		"paths": paths,
		"components": object{
			"schemas": schemas,
			"securitySchemes": object{
				"bearer": object{"type": "http", "scheme": "bearer"},
				"key":    object{"type": "apiKey", "in": "header", "name": "X-Api-Key"},
			},
		},
		"security": []object{{"bearer": []string{}}, {"key": []string{}}},
	}, "", "  ")
}

// describe is an operation of the document.
func describe(path, method string, scope ingest.Scope, op operation, schemas object) object {
	answer := object{"description": http.StatusText(op.status)}
	if op.answer != nil {
		answer["content"] = object{"application/json": object{"schema": reference(reflect.TypeOf(op.answer), schemas)}}
	}
	if op.guarded && op.status != http.StatusNoContent {
		answer["headers"] = object{"ETag": object{"schema": object{"type": "string"}}}
	}
	out := object{
		"operationId": strings.ToLower(method) + strings.NewReplacer("/v1", "", "/", "_", "{", "", "}", "").Replace(path),
		"summary":     op.summary,
		"description": fmt.Sprintf("Needs the scope %s.", scope),
		"responses": object{
			strconv.Itoa(op.status): answer,
			"default": object{
				"description": "a problem (RFC 9457)",
				"content":     object{"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/problem"}}},
			},
		},
	}
	if op.guarded && method != http.MethodGet {
		out["parameters"] = []object{{
			"name": "If-Match", "in": "header", "schema": object{"type": "string"},
			"description": "the ETag of the version that the change is meant for; 409 if it is not the current one",
		}}
	}
	if op.body != nil {
		media := "application/json"
		body := reference(reflect.TypeOf(op.body), schemas)
		if method == http.MethodPatch {
			media = "application/merge-patch+json"
		}
		out["requestBody"] = object{"required": true, "content": object{media: object{"schema": body}}}
	}
	return out
}

// reference is the schema of a type; one of a struct stands among the components.
func reference(t reflect.Type, schemas object) object {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[json.RawMessage]():
		return object{}
	}
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Uint64, reflect.Int, reflect.Int32, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Slice:
		return object{"type": "array", "items": reference(t.Elem(), schemas)}
	}
	name := strings.TrimSuffix(t.Name(), "Body")
	if _, known := schemas[name]; !known {
		schemas[name] = schemaOf(t, schemas)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// schemaOf is the schema of a struct: its members as encoding/json has them. The tag
// must says what a member must: be there, be filled (no empty text) or be positive.
func schemaOf(t reflect.Type, schemas object) object {
	properties, required := object{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			continue
		}
		properties[name] = reference(f.Type, schemas)
		if policies := f.Tag.Get("enum"); policies != "" {
			properties[name] = object{"type": "string", "enum": strings.Split(policies, ",")}
		}
		for must := range strings.SplitSeq(f.Tag.Get("must"), ",") {
			switch must {
			case "be":
				required = append(required, name)
			case "filled":
				properties[name] = object{"type": "string", "minLength": 1}
			case "positive":
				properties[name] = object{"type": "integer", "minimum": 1}
			}
		}
	}
	out := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		out["required"] = required
	}
	if t == reflect.TypeFor[aliasBody]() || t == reflect.TypeFor[columnBody]() {
		return object{"oneOf": []object{{"type": "string"}, out}}
	}
	return out
}

// serveOpenAPI answers with the document.
func serveOpenAPI(document []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document) // the client may be gone
	}
}
