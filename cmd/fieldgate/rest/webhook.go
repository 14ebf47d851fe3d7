package rest

import (
	"net/http"
	"time"

	"github.com/fieldgate/fieldgate/ingest"
)

// webhookBody is where new suggestions are posted to. The secret is only ever
// given to us; the members after it are only ever given by us.
type webhookBody struct {
	URL         string     `json:"url" must:"be,filled"`
	Secret      string     `json:"secret,omitempty"`
	Signed      bool       `json:"signed"`
	SetBy       string     `json:"set_by,omitempty"`
	SetAt       time.Time  `json:"set_at"`
	DeliveredAt *time.Time `json:"delivered_at,omitempty"`
	Error       string     `json:"error,omitempty"`
}

func (a *API) getWebhook(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	hook, err := a.cfg.Hooks.Get(r.Context(), key.Tenant)
	if err != nil {
		return err
	}
	b := webhookBody{URL: hook.URL, Signed: hook.Secret != "", SetBy: hook.SetBy, SetAt: hook.SetAt, Error: hook.Error}
	if !hook.DeliveredAt.IsZero() {
		b.DeliveredAt = &hook.DeliveredAt
	}
	return writeJSON(w, http.StatusOK, b)
}

func (a *API) putWebhook(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	data, err := readBody(w, r)
	if err != nil {
		return err
	}
	var b webhookBody
	if err := decodeStrict(data, &b); err != nil {
		return err
	}
	if err := a.cfg.Hooks.Set(r.Context(), key.Tenant, b.URL, b.Secret, keyName(key)); err != nil {
		return err
	}
	return a.getWebhook(w, r, key)
}

func (a *API) deleteWebhook(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	if err := a.cfg.Hooks.Drop(r.Context(), key.Tenant); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
