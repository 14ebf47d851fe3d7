package schema

import (
	"fmt"
	"slices"
)

const (
	// firstField is the first field's number; number 1 is the timestamp column.
	firstField = 2
	// maxFields is PostgreSQL's MaxHeapAttributeNumber, which counts dropped
	// columns; so does this, because numbers are not used again.
	maxFields = 1600
)

// AddField declares a field, the metric's last. Its Number is not read. Its own
// name becomes the first source if Sources does not list it. A field
// "timestamp" of type timestamptz means the column every metric has, and adds
// nothing.
func (d *Draft) AddField(metric string, f Field) error {
	return d.edit(metric, func(m *Metric) error { return addField(m, f) })
}

func addField(m *Metric, f Field) error {
	where := whereField(m.Name, f.Name)
	if err := checkFieldName(where, f.Name); err != nil {
		return err
	}
	if err := f.Type.check(where); err != nil {
		return err
	}
	if f.Name == TimestampField {
		return checkTimestampField(where, f)
	}
	if _, taken := m.Field(f.Name); taken {
		return fmt.Errorf("%s: %w", where, ErrFieldExists)
	}
	if err := checkComment(where, f.Comment); err != nil {
		return err
	}
	if m.NextField > maxFields {
		return tooManyFields(where)
	}
	made := Field{Number: m.NextField, Name: f.Name, Type: f.Type, Comment: f.Comment}
	if err := setSources(m, &made, f.Sources); err != nil {
		return err
	}
	m.NextField++
	m.Fields = append(m.Fields, made)
	return nil
}

// checkTimestampField accepts the column that is there already.
func checkTimestampField(where string, f Field) error {
	if f.Type != (Type{Name: "timestamptz"}) {
		return &Invalid{
			Where:  where,
			Reason: "timestamp is the built-in column of the event time, of type timestamptz",
			Err:    ErrFieldExists,
		}
	}
	if len(f.Sources) > 0 {
		return &Invalid{
			Where:  where,
			Reason: "the built-in column takes no sources",
			Hint:   "Set the timestamp aliases of the metric.",
		}
	}
	return nil
}

// DropField undeclares a field. What was stored under its sources stays, and is
// readable again when a field with them is declared.
func (d *Draft) DropField(metric, field string) error {
	return d.edit(metric, func(m *Metric) error {
		if _, err := findField(m, field); err != nil {
			return err
		}
		m.Fields = slices.DeleteFunc(m.Fields, func(f Field) bool { return f.Name == field })
		return nil
	})
}

// RenameField gives a field a new name, which becomes its first source. The old
// name stays a source, the next.
func (d *Draft) RenameField(metric, oldName, newName string) error {
	return d.edit(metric, func(m *Metric) error {
		f, err := findField(m, oldName)
		if err != nil {
			return err
		}
		where := whereField(metric, newName)
		if err := checkFieldName(where, newName); err != nil {
			return err
		}
		if _, taken := m.Field(newName); taken || newName == TimestampField {
			return fmt.Errorf("%s: %w", where, ErrFieldExists)
		}
		f.Name = newName
		f.Former = append(f.Former, oldName)
		own := Source{Name: newName}
		others := slices.DeleteFunc(f.Sources, func(s Source) bool {
			if s.Name == newName {
				own = s
			}
			return s.Name == newName
		})
		return setSources(m, f, slices.Insert(others, 0, own))
	})
}

// OrderFields puts the fields in the order of names, which are all of them.
// Numbers follow the order, so a field that now comes after one with a higher
// number gets a new number.
func (d *Draft) OrderFields(metric string, names []string) error {
	return d.edit(metric, func(m *Metric) error {
		if len(names) != len(m.Fields) {
			return &Invalid{Where: whereMetric(metric), Reason: fmt.Sprintf("%d fields are listed of %d", len(names), len(m.Fields))}
		}
		fields := make([]Field, 0, len(names))
		last := 0
		for _, name := range names {
			f, err := findField(m, name)
			if err != nil {
				return err
			}
			if f.Number == ordered {
				return &Invalid{Where: whereField(metric, name), Reason: "it is listed twice"}
			}
			next := *f
			f.Number = ordered
			if next.Number < last {
				if m.NextField > maxFields {
					return tooManyFields(whereField(metric, name))
				}
				next.Number = m.NextField
				m.NextField++
			}
			last = next.Number
			fields = append(fields, next)
		}
		m.Fields = fields
		return nil
	})
}

// ordered marks a field that OrderFields has placed.
const ordered = 0

func tooManyFields(where string) error {
	return &Invalid{Where: where, Reason: fmt.Sprintf("a metric has had at most %d fields, dropped ones included", maxFields)}
}

// ChangeFieldType changes how the stored values are read.
func (d *Draft) ChangeFieldType(metric, field string, t Type) error {
	return d.edit(metric, func(m *Metric) error {
		f, err := findField(m, field)
		if err != nil {
			return err
		}
		f.Type = t
		return t.check(whereField(metric, field))
	})
}

// AddSource adds a sent name that can give the field its value, after those it
// has.
func (d *Draft) AddSource(metric, field string, s Source) error {
	return d.edit(metric, func(m *Metric) error {
		f, err := findField(m, field)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(f.Sources, func(o Source) bool { return o.Name == s.Name }) {
			return fmt.Errorf("%s: source %q: %w", whereField(metric, field), s.Name, ErrFieldExists)
		}
		return setSources(m, f, append(f.Sources, s))
	})
}

// DropSource removes a sent name from those that give the field its value. The
// field's own name is one as long as the field has it.
func (d *Draft) DropSource(metric, field, sent string) error {
	return d.edit(metric, func(m *Metric) error {
		f, err := findField(m, field)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(f.Sources, func(s Source) bool { return s.Name == sent })
		switch {
		case i < 0:
			return &Invalid{Where: whereField(metric, field), Reason: fmt.Sprintf("source %q: not found", sent), Err: ErrFieldNotFound}
		case sent == field:
			return &Invalid{
				Where:  whereField(metric, field),
				Reason: "a field's own name is always one of its sources",
				Hint:   "Rename the field, or drop it.",
			}
		}
		return setSources(m, f, slices.Delete(f.Sources, i, i+1))
	})
}

// SetConversion replaces the conversion of one of the field's sources; "" is none.
func (d *Draft) SetConversion(metric, field, sent, convert string) error {
	return d.edit(metric, func(m *Metric) error {
		f, err := findField(m, field)
		if err != nil {
			return err
		}
		for i := range f.Sources {
			if f.Sources[i].Name == sent {
				f.Sources[i].Convert = convert
				return checkSource(whereField(metric, field), f.Sources[i])
			}
		}
		return &Invalid{Where: whereField(metric, field), Reason: fmt.Sprintf("source %q: not found", sent), Err: ErrFieldNotFound}
	})
}

// SetSources replaces the field's sources. Its own name comes first unless the
// list has it elsewhere.
func (d *Draft) SetSources(metric, field string, sources []Source) error {
	return d.edit(metric, func(m *Metric) error {
		f, err := findField(m, field)
		if err != nil {
			return err
		}
		return setSources(m, f, sources)
	})
}

// setSources checks and takes the sources of f, whose name is already set.
func setSources(m *Metric, f *Field, sources []Source) error {
	where := whereField(m.Name, f.Name)
	ordered := make([]Source, 0, len(sources)+1)
	if !slices.ContainsFunc(sources, func(s Source) bool { return s.Name == f.Name }) {
		ordered = append(ordered, Source{Name: f.Name})
	}
	seen := map[string]struct{}{}
	for _, s := range sources {
		if err := checkSource(where, s); err != nil {
			return err
		}
		if _, twice := seen[s.Name]; twice {
			return &Invalid{Where: where, Reason: fmt.Sprintf("source %q is listed twice", s.Name)}
		}
		seen[s.Name] = struct{}{}
		ordered = append(ordered, s)
	}
	for _, s := range ordered {
		if err := checkSourceFree(m, f, s.Name); err != nil {
			return err
		}
	}
	f.Sources = ordered
	f.Former = slices.DeleteFunc(f.Former, func(name string) bool {
		_, is := seen[name]
		return !is || name == f.Name
	})
	if len(f.Former) == 0 {
		f.Former = nil
	}
	return nil
}

func checkSource(where string, s Source) error {
	if s.Name != "" { // which JSON has, and SQL cannot name
		if err := checkSentField(where, s.Name); err != nil {
			return err
		}
	}
	if s.Convert == "" {
		return nil
	}
	return checkText(where, "a conversion", s.Convert, maxConvert)
}

// checkSourceFree refuses a sent name that another field already reads: the name
// could then mean either.
func checkSourceFree(m *Metric, f *Field, sent string) error {
	for i := range m.Fields {
		other := &m.Fields[i]
		if other.Number == f.Number || !slices.ContainsFunc(other.Sources, func(s Source) bool { return s.Name == sent }) {
			continue
		}
		invalid := &Invalid{
			Where:  whereField(m.Name, f.Name),
			Reason: fmt.Sprintf("%q is a source of field %q", sent, other.Name),
			Err:    ErrFieldExists,
		}
		if sent == other.Name {
			invalid.Reason = fmt.Sprintf("source %q is a field of its own", sent)
			invalid.Hint = fmt.Sprintf("Drop field %q first.", other.Name)
		} else {
			invalid.Hint = fmt.Sprintf("Query it as %q, or take the source from field %q with fieldgate.set_sources first.", other.Name, other.Name)
		}
		return invalid
	}
	return nil
}

// findField finds a field to change.
func findField(m *Metric, name string) (*Field, error) {
	if name == TimestampField {
		return nil, &Invalid{Where: whereField(m.Name, name), Reason: "the built-in column cannot be changed"}
	}
	f, ok := m.Field(name)
	if !ok {
		return nil, fmt.Errorf("%s: %w", whereField(m.Name, name), ErrFieldNotFound)
	}
	return f, nil
}
