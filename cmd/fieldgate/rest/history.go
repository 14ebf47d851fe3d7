package rest

import (
	"net/http"
	"time"

	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/schema"
)

// versionBody is a version of the schema.
type versionBody struct {
	Version   uint64    `json:"version"`
	Previous  uint64    `json:"previous,omitempty"`
	ChangedAt time.Time `json:"changed_at"`
	ChangedBy string    `json:"changed_by"`
	Change    string    `json:"change"`
}

// restoreBody asks for a version.
type restoreBody struct {
	Version uint64 `json:"version" must:"be,positive"`
}

func (a *API) getHistory(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	versions, err := a.cfg.Schemas.History(r.Context(), key.Tenant)
	if err != nil {
		return err
	}
	bodies := make([]versionBody, len(versions))
	for i, v := range versions {
		bodies[i] = versionBody{Version: v.Version, Previous: v.Previous, ChangedAt: v.CreatedAt, ChangedBy: v.Who, Change: v.What}
	}
	return writeResource(w, http.StatusOK, versions[0].Version, bodies)
}

func (a *API) restore(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	data, err := readBody(w, r)
	if err != nil {
		return err
	}
	var b restoreBody
	if err := decodeStrict(data, &b); err != nil {
		return err
	}
	old, err := a.cfg.Schemas.Earlier(r.Context(), key.Tenant, b.Version)
	if err != nil {
		return err
	}
	s, err := a.change(r, key, func(d *schema.Draft) error {
		if err := checkMatch(r, d.Base().Version); err != nil {
			return err
		}
		return d.Restore(old)
	})
	if err != nil {
		return err
	}
	return writeResource(w, http.StatusOK, s.Version, settingsOf(s))
}
