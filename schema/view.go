package schema

import (
	"fmt"
	"reflect"
	"slices"
)

// View is a query with a name, over metrics and other views. What its text means is
// for the planner to say.
type View struct {
	// ID is of the same numbers as a metric's; OIDs derive from it.
	ID   uint32 `json:"id"`
	Name string `json:"name"`
	// Query is the text of its SELECT, Path the schemas in which that looks names up.
	Query string   `json:"query"`
	Path  []string `json:"path"`
	// Relations are the OIDs of the declared metrics and views that the query names, by
	// the names that they had when the view was made.
	Relations map[string]uint32 `json:"relations,omitempty"`
	Columns   []ViewColumn      `json:"columns"`
	Comment   string            `json:"comment,omitempty"`
	// Version is the schema version that last changed this view, 0 if that is not known.
	Version uint64 `json:"version,omitempty"`
}

// ViewColumn is an output of a view, as it was when the view was made: what devices
// send later, or owners add, does not change it.
type ViewColumn struct {
	Name string `json:"name"`
	// Output is the name that the query gave it, and Table and Attribute are the
	// column of a table that it shows as it is, or 0.
	Output    string `json:"output"`
	Table     uint32 `json:"table,omitempty"`
	Attribute int16  `json:"attribute,omitempty"`
	// TypeOID and Typmod are PostgreSQL's.
	TypeOID uint32 `json:"type"`
	Typmod  int32  `json:"typmod"`
	// Former are the names that the column had, by which other views may call it.
	Former  []string `json:"former,omitempty"`
	Comment string   `json:"comment,omitempty"`
}

// maxViewQuery bounds the text of a view's query.
const maxViewQuery = 32 << 10

// View finds a view by its name.
func (s *Snapshot) View(name string) (*View, bool) {
	i := slices.IndexFunc(s.Views, func(v *View) bool { return v.Name == name })
	if i < 0 {
		return nil, false
	}
	return s.Views[i], true
}

// ViewByOID finds a view by its OID.
func (s *Snapshot) ViewByOID(oid uint32) (*View, bool) {
	i := slices.IndexFunc(s.Views, func(v *View) bool { return ViewOID(v) == oid })
	if i < 0 {
		return nil, false
	}
	return s.Views[i], true
}

// MetricByOID finds a declared metric by the OID of its table.
func (s *Snapshot) MetricByOID(oid uint32) (*Metric, bool) {
	i := slices.IndexFunc(s.Metrics, func(m *Metric) bool { return TableOID(m) == oid })
	if i < 0 {
		return nil, false
	}
	return s.Metrics[i], true
}

// CreateView declares a view, or replaces the one of its name and keeps its comments,
// and the former names of its columns.
func (d *Draft) CreateView(v View, replace bool) error {
	where := whereView(v.Name)
	if err := checkText(where, "the name", v.Name, maxName); err != nil {
		return err
	}
	if err := checkText(where, "the query", v.Query, maxViewQuery); err != nil {
		return err
	}
	old, exists := d.next.View(v.Name)
	switch {
	case exists && !replace:
		return fmt.Errorf("%s: %w", where, ErrExists)
	case exists:
		v.ID, v.Version, v.Comment = old.ID, old.Version, old.Comment
		for i := range old.Columns {
			v.Columns[i].Former, v.Columns[i].Comment = old.Columns[i].Former, old.Columns[i].Comment
		}
		return d.editView(v.Name, func(made *View) { *made = v })
	}
	if err := d.checkFree(v.Name, nil); err != nil {
		return err
	}
	v.ID, v.Version = d.next.nextMetric, 0
	d.next.nextMetric++
	d.next.Views = append(slices.Clone(d.next.Views), &v)
	d.changed = true
	return nil
}

// DropView removes a view.
func (d *Draft) DropView(name string) error {
	v, ok := d.next.View(name)
	if !ok {
		return fmt.Errorf("%s: %w", whereView(name), ErrNotFound)
	}
	d.next.Views = slices.DeleteFunc(slices.Clone(d.next.Views), func(o *View) bool { return o == v })
	d.forgetAccess(ViewOID(v))
	d.changed = true
	return nil
}

// RenameView gives a view another name.
func (d *Draft) RenameView(oldName, newName string) error {
	if err := checkText(whereView(newName), "the name", newName, maxName); err != nil {
		return err
	}
	if _, taken := d.next.View(newName); taken {
		return fmt.Errorf("%s: %w", whereView(newName), ErrExists)
	}
	if err := d.checkFree(newName, nil); err != nil {
		return err
	}
	return d.editView(oldName, func(v *View) { v.Name = newName })
}

// CommentView sets or, with an empty text, removes a view's comment.
func (d *Draft) CommentView(name, comment string) error {
	if err := checkComment(whereView(name), comment); err != nil {
		return err
	}
	return d.editView(name, func(v *View) { v.Comment = comment })
}

// RenameViewColumn gives a column of a view another name.
func (d *Draft) RenameViewColumn(view, oldName, newName string) error {
	where := fmt.Sprintf("%s: column %q", whereView(view), newName)
	if err := checkText(where, "the name", newName, maxName); err != nil {
		return err
	}
	return d.editViewColumn(view, oldName, func(v *View, c *ViewColumn) error {
		if slices.ContainsFunc(v.Columns, func(o ViewColumn) bool { return o.Name == newName }) {
			return fmt.Errorf("%s: %w", where, ErrFieldExists)
		}
		for i := range v.Columns { // it is the name of this one from now on
			v.Columns[i].Former = slices.DeleteFunc(slices.Clone(v.Columns[i].Former), func(name string) bool { return name == newName })
		}
		c.Name, c.Former = newName, append(c.Former, oldName)
		return nil
	})
}

// CommentViewColumn sets or, with an empty text, removes the comment of a column.
func (d *Draft) CommentViewColumn(view, column, comment string) error {
	if err := checkComment(fmt.Sprintf("%s: column %q", whereView(view), column), comment); err != nil {
		return err
	}
	return d.editViewColumn(view, column, func(_ *View, c *ViewColumn) error {
		c.Comment = comment
		return nil
	})
}

func (d *Draft) editViewColumn(view, column string, change func(v *View, c *ViewColumn) error) error {
	v, ok := d.next.View(view)
	if !ok {
		return fmt.Errorf("%s: %w", whereView(view), ErrNotFound)
	}
	i := slices.IndexFunc(v.Columns, func(c ViewColumn) bool { return c.Name == column })
	if i < 0 {
		return fmt.Errorf("%s: column %q: %w", whereView(view), column, ErrFieldNotFound)
	}
	changed := *v
	changed.Columns = slices.Clone(v.Columns)
	if err := change(&changed, &changed.Columns[i]); err != nil {
		return err
	}
	return d.editView(view, func(v *View) { *v = changed })
}

func (d *Draft) editView(name string, change func(v *View)) error {
	i := slices.IndexFunc(d.next.Views, func(v *View) bool { return v.Name == name })
	if i < 0 {
		return fmt.Errorf("%s: %w", whereView(name), ErrNotFound)
	}
	v := *d.next.Views[i]
	change(&v)
	if reflect.DeepEqual(&v, d.next.Views[i]) {
		return nil
	}
	d.next.Views = slices.Clone(d.next.Views)
	d.next.Views[i] = &v
	d.changed = true
	return nil
}

func whereView(name string) string { return fmt.Sprintf("view %q", name) }
