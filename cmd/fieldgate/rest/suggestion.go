package rest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/schema/suggest"
)

type (
	// suggestionBody is a row of fieldgate.suggestions.
	suggestionBody struct {
		ID         int64           `json:"id"`
		Kind       string          `json:"kind"`
		Metric     string          `json:"metric"`
		Field      string          `json:"field,omitempty"`
		Sent       string          `json:"sent_name,omitempty"`
		Type       string          `json:"type,omitempty"`
		Convert    string          `json:"convert,omitempty"`
		Confidence float64         `json:"confidence"`
		Evidence   json.RawMessage `json:"evidence"`
		CreatedAt  time.Time       `json:"created_at"`
	}
	// nameBody is the name of a metric to make.
	nameBody struct {
		Name string `json:"name" must:"be,filled"`
	}
)

func (a *API) listSuggestions(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	list, err := a.cfg.Advisor.List(r.Context(), key.Tenant)
	if err != nil {
		return err
	}
	bodies := make([]suggestionBody, len(list))
	for i, s := range list {
		bodies[i] = suggestionBody(s)
	}
	return writeJSON(w, http.StatusOK, bodies)
}

func (a *API) acceptSuggestion(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	return a.answer(w, r, key, suggest.StateAccepted, func(id int64) (*suggest.Change, error) {
		return a.cfg.Advisor.Accept(r.Context(), key.Tenant, id)
	})
}

func (a *API) dismissSuggestion(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	return a.answer(w, r, key, suggest.StateDismissed, func(int64) (*suggest.Change, error) { return nil, nil })
}

func (a *API) suggestionAsMetric(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	data, err := readBody(w, r)
	if err != nil {
		return err
	}
	var b nameBody
	if err := decodeStrict(data, &b); err != nil {
		return err
	}
	return a.answer(w, r, key, suggest.StateAccepted, func(id int64) (*suggest.Change, error) {
		return a.cfg.Advisor.AsMetric(r.Context(), key.Tenant, id, b.Name)
	})
}

// answer makes the change that an answer is, if it is one, and settles the
// suggestion of the path.
func (a *API) answer(w http.ResponseWriter, r *http.Request, key *ingest.Key, state string, of func(id int64) (*suggest.Change, error)) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return &ingest.Problem{Status: http.StatusNotFound, Detail: "the id of a suggestion is a number"}
	}
	change, err := of(id)
	if err != nil {
		return err
	}
	if change != nil {
		if _, err := a.changeAs(r, key, change.What, change.Edit); err != nil {
			return err
		}
	}
	if err := a.cfg.Advisor.Settle(r.Context(), key.Tenant, id, state, keyName(key)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
