package rest

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/suggest"
	"github.com/fieldgate/fieldgate/schema/webhook"
)

// Authorizer finds the API key of a request and sees that it has the scope. Its
// errors are *ingest.Problem, or internal.
type Authorizer interface {
	Authorize(r *http.Request, scope ingest.Scope) (*ingest.Key, error)
}

var _ Authorizer = (*ingest.Keys)(nil)

// NewSessionFunc opens a planner session for one statement.
type NewSessionFunc func(id planner.Identity) (Session, error)

// Planner knows what the SQL in declarations means.
type Planner interface {
	// CheckDraft says why the conversions and views that a draft has cannot be.
	CheckDraft(ctx context.Context, d *schema.Draft) error
	// DeclareView declares a view of a query, of which the first columns are called
	// columns, or makes one that is there into it.
	DeclareView(ctx context.Context, d *schema.Draft, name, query string, columns []string, replace bool) error
}

var _ Planner = (*planner.Planner)(nil)

// Config configures an API.
type Config struct {
	// Schemas has what is declared. Required.
	Schemas *schema.Store
	// Planner knows what the SQL in declarations means. Required.
	Planner Planner
	// Advisor has the suggestions and their answers. Required.
	Advisor *suggest.Advisor
	// Hooks has where owners are told of suggestions. Required.
	Hooks *webhook.Hooks
	// Keys says who may do what. Required.
	Keys Authorizer
	// NewSession opens the sessions of /v1/query. Required.
	NewSession NewSessionFunc
	// StatementTimeout bounds one statement, its rows included. Default 1 h.
	StatementTimeout time.Duration
	// WriteTimeout is how long a client may take none of a result's bytes before
	// it is cut off. Default 1 min.
	WriteTimeout time.Duration
	// Logger takes what clients are not told. Default: none.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.StatementTimeout == 0 {
		c.StatementTimeout = time.Hour
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = time.Minute
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	if c.Schemas == nil || c.Advisor == nil || c.Hooks == nil || c.Planner == nil || c.Keys == nil || c.NewSession == nil {
		return errors.New("rest: schemas, suggestions, webhooks, a planner, keys and sessions are needed")
	}
	if c.StatementTimeout < 0 || c.WriteTimeout < 0 {
		return errors.New("rest: negative timeout")
	}
	return nil
}

// API serves the resources.
type API struct {
	cfg      Config
	document []byte // in OpenAPI
}

// New returns an API.
func New(cfg Config) (*API, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	a := &API{cfg: cfg}
	var err error
	if a.document, err = openAPI(a.resources()); err != nil {
		return nil, err
	}
	return a, nil
}

// handleFunc serves one method of a resource for a key. It returns an error
// instead of writing one, as long as it has not begun to answer.
type handleFunc func(w http.ResponseWriter, r *http.Request, key *ingest.Key) error

// resource is what can be done at a path, by method.
type resource struct {
	scope   ingest.Scope
	methods map[string]operation
}

// resources are the API, by path.
func (a *API) resources() map[string]resource {
	const get, post, patch, put, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete
	ok, created, gone := http.StatusOK, http.StatusCreated, http.StatusNoContent
	return map[string]resource{
		"/v1/schema": {ingest.ScopeSchema, map[string]operation{
			get:   {a.getSettings, "the settings of all metrics", nil, settingsBody{}, ok, true},
			patch: {a.patchSettings, "change the settings of all metrics", settingsBody{}, settingsBody{}, ok, true},
		}},
		"/v1/schema/history": {ingest.ScopeSchema, map[string]operation{
			get: {a.getHistory, "the versions of the schema, the current one first", nil, []versionBody{}, ok, true},
		}},
		"/v1/schema/restore": {ingest.ScopeSchema, map[string]operation{
			post: {a.restore, "declare what an earlier version had declared", restoreBody{}, settingsBody{}, ok, true},
		}},
		"/v1/schema/views": {ingest.ScopeSchema, map[string]operation{
			get:  {a.listViews, "the views", nil, []viewBody{}, ok, true},
			post: {a.createView, "declare a view", viewBody{}, viewBody{}, created, true},
		}},
		"/v1/schema/views/{view}": {ingest.ScopeSchema, map[string]operation{
			get:    {a.getView, "a view", nil, viewBody{}, ok, true},
			patch:  {a.patchView, "change a view", viewBody{}, viewBody{}, ok, true},
			remove: {a.deleteView, "drop a view", nil, nil, gone, true},
		}},
		"/v1/schema/metrics": {ingest.ScopeSchema, map[string]operation{
			get:  {a.listMetrics, "the declared metrics", nil, []metricBody{}, ok, true},
			post: {a.createMetric, "declare a metric", metricBody{}, metricBody{}, created, true},
		}},
		"/v1/schema/metrics/{metric}": {ingest.ScopeSchema, map[string]operation{
			get:    {a.getMetric, "a metric", nil, metricBody{}, ok, true},
			patch:  {a.patchMetric, "change a metric", metricBody{}, metricBody{}, ok, true},
			remove: {a.deleteMetric, "end a metric's generation", nil, nil, gone, true},
		}},
		"/v1/schema/metrics/{metric}/fields": {ingest.ScopeSchema, map[string]operation{
			post: {a.createField, "declare a field", fieldBody{}, fieldBody{}, created, true},
		}},
		"/v1/schema/metrics/{metric}/fields/{field}": {ingest.ScopeSchema, map[string]operation{
			patch:  {a.patchField, "change a field", fieldBody{}, fieldBody{}, ok, true},
			remove: {a.deleteField, "undeclare a field", nil, nil, gone, true},
		}},
		"/v1/schema/suggestions": {ingest.ScopeSchema, map[string]operation{
			get: {a.listSuggestions, "what may be worth declaring and is not answered yet", nil, []suggestionBody{}, ok, false},
		}},
		"/v1/schema/suggestions/{id}/accept": {ingest.ScopeSchema, map[string]operation{
			post: {a.acceptSuggestion, "declare what a suggestion says", nil, nil, gone, false},
		}},
		"/v1/schema/suggestions/{id}/dismiss": {ingest.ScopeSchema, map[string]operation{
			post: {a.dismissSuggestion, "answer a suggestion, so that it does not come back", nil, nil, gone, false},
		}},
		"/v1/schema/suggestions/{id}/as_metric": {ingest.ScopeSchema, map[string]operation{
			post: {a.suggestionAsMetric, "make what a suggestion is about a metric of its own", nameBody{}, nil, gone, false},
		}},
		"/v1/schema/webhook": {ingest.ScopeSchema, map[string]operation{
			get:    {a.getWebhook, "where new suggestions are posted to", nil, webhookBody{}, ok, false},
			put:    {a.putWebhook, "have new suggestions posted to a URL", webhookBody{}, webhookBody{}, ok, false},
			remove: {a.deleteWebhook, "end the posting of suggestions", nil, nil, gone, false},
		}},
		"/v1/query": {ingest.ScopeQuery, map[string]operation{
			post: {a.query, "run one statement; rows are NDJSON, JSON or CSV, by Accept", queryBody{}, nil, ok, false},
		}},
	}
}

// Register adds the resources to a server's.
func (a *API) Register(mux *http.ServeMux) {
	for path, res := range a.resources() {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, res) })
	}
	mux.HandleFunc("GET "+openAPIPath, serveOpenAPI(a.document))
	mux.HandleFunc("/v1/schema/", func(w http.ResponseWriter, r *http.Request) {
		a.writeProblem(w, r, &ingest.Problem{Status: http.StatusNotFound, Detail: "there is no such resource"})
	})
}

func (a *API) serve(w http.ResponseWriter, r *http.Request, res resource) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet // the server leaves the body out
	}
	op, ok := res.methods[method]
	if !ok {
		allowed := slices.Sorted(maps.Keys(res.methods))
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		a.writeProblem(w, r, &ingest.Problem{
			Status: http.StatusMethodNotAllowed,
			Detail: "this resource knows " + strings.Join(allowed, " and "),
		})
		return
	}
	key, err := a.cfg.Keys.Authorize(r, res.scope)
	if err == nil {
		err = op.handle(w, r, key)
	}
	switch {
	case errors.Is(err, errAborted):
		panic(http.ErrAbortHandler) // how package net/http is told to cut the connection
	case err != nil:
		a.writeProblem(w, r, err)
	}
}
