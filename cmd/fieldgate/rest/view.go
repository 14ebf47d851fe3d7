package rest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/schema"
)

type (
	// viewBody is a view.
	viewBody struct {
		Name  string `json:"name" must:"filled"`
		Query string `json:"query" must:"filled"`
		// Columns are what the first outputs of the query are called.
		Columns []columnBody `json:"columns"`
		Comment string       `json:"comment,omitempty"`
	}
	// columnBody is a column of a view: a JSON string, or an object if it has a comment.
	columnBody struct {
		Name    string `json:"name"`
		Comment string `json:"comment"`
	}
)

// MarshalJSON writes a column without a comment as its name alone.
func (c columnBody) MarshalJSON() ([]byte, error) {
	type object columnBody
	return encodeNamed(c.Name, c.Comment, object(c))
}

// UnmarshalJSON reads both forms.
func (c *columnBody) UnmarshalJSON(data []byte) error {
	type object columnBody
	return decodeNamed(data, &c.Name, &c.Comment, (*object)(c), "a column of a view is a JSON string, or an object with name and comment")
}

func viewOf(v *schema.View) viewBody {
	body := viewBody{Name: v.Name, Query: v.Query, Columns: make([]columnBody, len(v.Columns)), Comment: v.Comment}
	for i, c := range v.Columns {
		body.Columns[i] = columnBody{c.Name, c.Comment}
	}
	return body
}

// addView declares what a body says.
func addView(ctx context.Context, p Planner, d *schema.Draft, b *viewBody) error {
	if _, taken := d.Snapshot().View(b.Name); taken {
		return fmt.Errorf("view %q: %w", b.Name, schema.ErrExists)
	}
	if m, taken := d.MetricOfSent(b.Name); taken {
		return fmt.Errorf("metric %q: %w", m.Name, schema.ErrExists)
	}
	if err := p.DeclareView(ctx, d, b.Name, b.Query, b.columns(), false); err != nil {
		return err
	}
	return commentOnView(d, b)
}

func (b *viewBody) columns() []string {
	out := make([]string, len(b.Columns))
	for i, c := range b.Columns {
		out[i] = c.Name
	}
	return out
}

// changeView makes a view into what a body says. Columns are matched by their place;
// another query keeps them, and can add others at the end.
func changeView(ctx context.Context, p Planner, d *schema.Draft, v *schema.View, b *viewBody) error {
	where := fmt.Sprintf("view %q", v.Name)
	if b.Name != v.Name {
		if err := d.RenameView(v.Name, b.Name); err != nil {
			return err
		}
	}
	switch {
	case len(b.Columns) < len(v.Columns):
		return &schema.Invalid{Where: where, Reason: "columns of a view cannot be dropped", Hint: "Drop the view, and declare it anew."}
	case len(b.Columns) > len(v.Columns) && b.Query == v.Query:
		return &schema.Invalid{Where: where, Reason: fmt.Sprintf("%d columns are listed of %d", len(b.Columns), len(v.Columns))}
	}
	for i, c := range v.Columns {
		if b.Columns[i].Name == c.Name {
			continue
		}
		if err := d.RenameViewColumn(b.Name, c.Name, b.Columns[i].Name); err != nil {
			return err
		}
	}
	if b.Query != v.Query {
		if err := p.DeclareView(ctx, d, b.Name, b.Query, b.columns(), true); err != nil {
			return err
		}
	}
	return commentOnView(d, b)
}

func commentOnView(d *schema.Draft, b *viewBody) error {
	for _, c := range b.Columns {
		if err := d.CommentViewColumn(b.Name, c.Name, c.Comment); err != nil {
			return err
		}
	}
	return d.CommentView(b.Name, b.Comment)
}

func (a *API) listViews(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	s, err := a.cfg.Schemas.Current(r.Context(), key.Tenant)
	if err != nil {
		return err
	}
	bodies := make([]viewBody, len(s.Views))
	for i, v := range s.Views {
		bodies[i] = viewOf(v)
	}
	return writeResource(w, http.StatusOK, s.Version, bodies)
}

func (a *API) createView(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	data, err := readBody(w, r)
	if err != nil {
		return err
	}
	var b viewBody
	if err := decodeStrict(data, &b); err != nil {
		return err
	}
	s, err := a.change(r, key, func(d *schema.Draft) error {
		if err := checkMatch(r, d.Base().Version); err != nil {
			return err
		}
		return addView(r.Context(), a.cfg.Planner, d, &b)
	})
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/schema/views/"+url.PathEscape(b.Name))
	return writeView(w, http.StatusCreated, s, b.Name)
}

func (a *API) getView(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	s, err := a.cfg.Schemas.Current(r.Context(), key.Tenant)
	if err != nil {
		return err
	}
	return writeView(w, http.StatusOK, s, r.PathValue("view"))
}

func (a *API) patchView(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	patch, err := readBody(w, r)
	if err != nil {
		return err
	}
	var b viewBody
	s, err := a.change(r, key, func(d *schema.Draft) error {
		v, err := matchedView(r, d)
		if err != nil {
			return err
		}
		b = viewBody{}
		if err := mergePatch(viewOf(v), patch, &b); err != nil {
			return err
		}
		return changeView(r.Context(), a.cfg.Planner, d, v, &b)
	})
	if err != nil {
		return err
	}
	return writeView(w, http.StatusOK, s, b.Name)
}

func (a *API) deleteView(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	_, err := a.change(r, key, func(d *schema.Draft) error {
		v, err := matchedView(r, d)
		if err != nil {
			return err
		}
		return d.DropView(v.Name)
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// matchedView finds the view of a request that changes it, in the version that the
// request expects.
func matchedView(r *http.Request, d *schema.Draft) (*schema.View, error) {
	name := r.PathValue("view")
	v, ok := d.Snapshot().View(name)
	if !ok {
		return nil, viewNotFound(name)
	}
	return v, checkMatch(r, v.Version)
}

func writeView(w http.ResponseWriter, status int, s *schema.Snapshot, name string) error {
	v, ok := s.View(name)
	if !ok {
		return viewNotFound(name)
	}
	return writeResource(w, status, v.Version, viewOf(v))
}

func viewNotFound(name string) error { return fmt.Errorf("view %q: %w", name, schema.ErrNotFound) }
