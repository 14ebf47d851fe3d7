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
)

// Authorizer finds the API key of a request and sees that it has the scope. Its
// errors are *ingest.Problem, or internal.
type Authorizer interface {
	Authorize(r *http.Request, scope ingest.Scope) (*ingest.Key, error)
}

var _ Authorizer = (*ingest.Keys)(nil)

// NewSessionFunc opens a planner session for one statement.
type NewSessionFunc func(id planner.Identity) (Session, error)

// Config configures an API.
type Config struct {
	// Schemas has what is declared. Required.
	Schemas *schema.Store
	// CheckDraft says why the conversions and views that a draft has cannot be.
	// Required.
	CheckDraft func(ctx context.Context, d *schema.Draft) error
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
	if c.Schemas == nil || c.CheckDraft == nil || c.Keys == nil || c.NewSession == nil {
		return errors.New("rest: schemas, a check of drafts, keys and sessions are needed")
	}
	if c.StatementTimeout < 0 || c.WriteTimeout < 0 {
		return errors.New("rest: negative timeout")
	}
	return nil
}

// API serves the resources.
type API struct {
	cfg Config
}

// New returns an API.
func New(cfg Config) (*API, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &API{cfg: cfg}, nil
}

// handleFunc serves one method of a resource for a key. It returns an error
// instead of writing one, as long as it has not begun to answer.
type handleFunc func(w http.ResponseWriter, r *http.Request, key *ingest.Key) error

// resource is what can be done at a path, by method.
type resource struct {
	scope   ingest.Scope
	methods map[string]handleFunc
}

// Register adds the resources to a server's.
func (a *API) Register(mux *http.ServeMux) {
	for path, res := range map[string]resource{
		"/v1/schema": {ingest.ScopeSchema, map[string]handleFunc{
			http.MethodGet:   a.getSettings,
			http.MethodPatch: a.patchSettings,
		}},
		"/v1/schema/history": {ingest.ScopeSchema, map[string]handleFunc{
			http.MethodGet: a.getHistory,
		}},
		"/v1/schema/restore": {ingest.ScopeSchema, map[string]handleFunc{
			http.MethodPost: a.restore,
		}},
		"/v1/schema/metrics": {ingest.ScopeSchema, map[string]handleFunc{
			http.MethodGet:  a.listMetrics,
			http.MethodPost: a.createMetric,
		}},
		"/v1/schema/metrics/{metric}": {ingest.ScopeSchema, map[string]handleFunc{
			http.MethodGet:    a.getMetric,
			http.MethodPatch:  a.patchMetric,
			http.MethodDelete: a.deleteMetric,
		}},
		"/v1/schema/metrics/{metric}/fields": {ingest.ScopeSchema, map[string]handleFunc{
			http.MethodPost: a.createField,
		}},
		"/v1/schema/metrics/{metric}/fields/{field}": {ingest.ScopeSchema, map[string]handleFunc{
			http.MethodPatch:  a.patchField,
			http.MethodDelete: a.deleteField,
		}},
		"/v1/query": {ingest.ScopeQuery, map[string]handleFunc{
			http.MethodPost: a.query,
		}},
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, res) })
	}
	mux.HandleFunc("/v1/schema/", func(w http.ResponseWriter, r *http.Request) {
		a.writeProblem(w, r, &ingest.Problem{Status: http.StatusNotFound, Detail: "there is no such resource"})
	})
}

func (a *API) serve(w http.ResponseWriter, r *http.Request, res resource) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet // the server leaves the body out
	}
	handle, ok := res.methods[method]
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
		err = handle(w, r, key)
	}
	switch {
	case errors.Is(err, errAborted):
		panic(http.ErrAbortHandler) // how package net/http is told to cut the connection
	case err != nil:
		a.writeProblem(w, r, err)
	}
}
