package rest

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/schema"
)

// maxWhat bounds what is kept of a change's request.
const maxWhat = 200

// change makes a change of the key's tenant in the name of the key.
func (a *API) change(r *http.Request, key *ingest.Key, edit func(d *schema.Draft) error) (*schema.Snapshot, error) {
	return a.changeAs(r, key, r.Method+" "+r.URL.EscapedPath(), edit)
}

// keyName is what the history calls who changed the schema with a key.
func keyName(key *ingest.Key) string { return "API key " + key.ID }

// changeAs makes a change that the history calls what.
func (a *API) changeAs(r *http.Request, key *ingest.Key, what string, edit func(d *schema.Draft) error) (*schema.Snapshot, error) {
	return a.cfg.Schemas.Change(r.Context(), key.Tenant, keyName(key), what[:min(len(what), maxWhat)], func(d *schema.Draft) error {
		if err := edit(d); err != nil {
			return err
		}
		return a.cfg.Planner.CheckDraft(r.Context(), d)
	})
}

func (a *API) getSettings(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	s, err := a.cfg.Schemas.Current(r.Context(), key.Tenant)
	if err != nil {
		return err
	}
	return writeResource(w, http.StatusOK, s.SettingsVersion, settingsOf(s))
}

func (a *API) patchSettings(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	patch, err := readBody(w, r)
	if err != nil {
		return err
	}
	s, err := a.change(r, key, func(d *schema.Draft) error {
		if err := checkMatch(r, d.Base().SettingsVersion); err != nil {
			return err
		}
		var b settingsBody
		if err := mergePatch(settingsOf(d.Base()), patch, &b); err != nil {
			return err
		}
		return setSettings(d, &b)
	})
	if err != nil {
		return err
	}
	return writeResource(w, http.StatusOK, s.SettingsVersion, settingsOf(s))
}

func (a *API) listMetrics(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	s, err := a.cfg.Schemas.Current(r.Context(), key.Tenant)
	if err != nil {
		return err
	}
	bodies := make([]metricBody, len(s.Metrics))
	for i, m := range s.Metrics {
		bodies[i] = metricOf(m)
	}
	return writeResource(w, http.StatusOK, s.Version, bodies)
}

func (a *API) createMetric(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	data, err := readBody(w, r)
	if err != nil {
		return err
	}
	var b metricBody
	if err := decodeStrict(data, &b); err != nil {
		return err
	}
	s, err := a.change(r, key, func(d *schema.Draft) error {
		if err := checkMatch(r, d.Base().Version); err != nil {
			return err
		}
		return addMetric(d, &b)
	})
	if err != nil {
		return err
	}
	w.Header().Set("Location", metricPath(b.Name))
	return writeMetric(w, http.StatusCreated, s, b.Name)
}

func (a *API) getMetric(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	s, err := a.cfg.Schemas.Current(r.Context(), key.Tenant)
	if err != nil {
		return err
	}
	return writeMetric(w, http.StatusOK, s, r.PathValue("metric"))
}

func (a *API) patchMetric(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	patch, err := readBody(w, r)
	if err != nil {
		return err
	}
	var b metricBody
	s, err := a.change(r, key, func(d *schema.Draft) error {
		m, err := matchedMetric(r, d)
		if err != nil {
			return err
		}
		b = metricBody{}
		if err := mergePatch(metricOf(m), patch, &b); err != nil {
			return err
		}
		return changeMetric(d, m.Name, &b)
	})
	if err != nil {
		return err
	}
	return writeMetric(w, http.StatusOK, s, b.Name)
}

func (a *API) deleteMetric(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	_, err := a.change(r, key, func(d *schema.Draft) error {
		m, err := matchedMetric(r, d)
		if err != nil {
			return err
		}
		return d.DropMetric(m.Name)
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) createField(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	data, err := readBody(w, r)
	if err != nil {
		return err
	}
	var b fieldBody
	if err := decodeStrict(data, &b); err != nil {
		return err
	}
	metric := r.PathValue("metric")
	s, err := a.change(r, key, func(d *schema.Draft) error {
		m, err := matchedMetric(r, d)
		if err != nil {
			return err
		}
		f, err := b.field(m.Name)
		if err != nil {
			return err
		}
		return d.AddField(m.Name, f)
	})
	if err != nil {
		return err
	}
	if b.Name == schema.TimestampField { // the column was there
		b.Aliases = []aliasBody{}
		m, _ := s.Metric(metric)
		return writeResource(w, http.StatusOK, m.Version, b)
	}
	w.Header().Set("Location", metricPath(metric)+"/fields/"+url.PathEscape(b.Name))
	return writeField(w, http.StatusCreated, s, metric, b.Name)
}

func (a *API) patchField(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	patch, err := readBody(w, r)
	if err != nil {
		return err
	}
	var b fieldBody
	s, err := a.change(r, key, func(d *schema.Draft) error {
		m, err := matchedMetric(r, d)
		if err != nil {
			return err
		}
		f, ok := m.Field(r.PathValue("field"))
		if !ok {
			return fieldNotFound(m.Name, r.PathValue("field"))
		}
		b = fieldBody{}
		if err := mergePatch(fieldOf(f), patch, &b); err != nil {
			return err
		}
		return changeField(d, m.Name, f.Name, b)
	})
	if err != nil {
		return err
	}
	return writeField(w, http.StatusOK, s, r.PathValue("metric"), b.Name)
}

func (a *API) deleteField(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	_, err := a.change(r, key, func(d *schema.Draft) error {
		m, err := matchedMetric(r, d)
		if err != nil {
			return err
		}
		return d.DropField(m.Name, r.PathValue("field"))
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// matchedMetric finds the metric of a request that changes it, in the version
// that the request expects.
func matchedMetric(r *http.Request, d *schema.Draft) (*schema.Metric, error) {
	name := r.PathValue("metric")
	m, ok := d.Metric(name)
	if !ok {
		return nil, metricNotFound(d.Base(), name)
	}
	return m, checkMatch(r, m.Version)
}

func writeMetric(w http.ResponseWriter, status int, s *schema.Snapshot, name string) error {
	m, ok := s.Metric(name)
	if !ok {
		return metricNotFound(s, name)
	}
	return writeResource(w, status, m.Version, metricOf(m))
}

func writeField(w http.ResponseWriter, status int, s *schema.Snapshot, metric, name string) error {
	m, ok := s.Metric(metric)
	if !ok {
		return metricNotFound(s, metric)
	}
	f, ok := m.Field(name)
	if !ok {
		return fieldNotFound(metric, name)
	}
	return writeResource(w, status, m.Version, fieldOf(f))
}

func metricNotFound(s *schema.Snapshot, name string) error {
	e := &schema.Invalid{Where: fmt.Sprintf("metric %q", name), Reason: "not found", Err: schema.ErrNotFound}
	if m, ok := s.MetricOfSent(name); ok {
		e.Hint = fmt.Sprintf("%q is an alias of metric %q.", name, m.Name)
	}
	return e
}

func fieldNotFound(metric, name string) error {
	return fmt.Errorf("metric %q: field %q: %w", metric, name, schema.ErrFieldNotFound)
}

func metricPath(name string) string { return "/v1/schema/metrics/" + url.PathEscape(name) }
