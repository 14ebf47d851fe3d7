package schema

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Draft is a change of a tenant's schema in the making. Each method makes one
// declaration and leaves the draft as it was if it refuses: with an error that
// wraps ErrNotFound or ErrExists, or with *Invalid. A Draft is used by one
// goroutine, within the function given to Store.Change.
type Draft struct {
	base *Snapshot
	next *Snapshot
	// owned are the metrics of next that are copies of this draft's own.
	owned map[*Metric]struct{}
	// settings and changed say that the tenant's lists, or anything, differ.
	settings bool
	changed  bool

	checkPattern func(pattern string) error
}

func (s *Store) newDraft(base *Snapshot) *Draft {
	return &Draft{base: base, next: base.copyTop(), owned: map[*Metric]struct{}{}, checkPattern: s.cfg.CheckPattern}
}

// Base is the version that the draft started from.
func (d *Draft) Base() *Snapshot { return d.base }

// Metric finds a metric as the draft has it now. It must not be changed.
func (d *Draft) Metric(name string) (*Metric, bool) { return d.next.Metric(name) }

// Snapshot is the schema as the draft has it now, under the number of its base. It
// must not be changed.
func (d *Draft) Snapshot() *Snapshot { return d.next }

// MetricOfSent finds the metric of a sent name as the draft has it now. It must
// not be changed.
func (d *Draft) MetricOfSent(sent string) (*Metric, bool) { return d.next.MetricOfSent(sent) }

// edit gives the draft's own copy of a metric to change. The copy replaces the
// metric when change succeeds.
func (d *Draft) edit(name string, change func(m *Metric) error) error {
	i := slices.IndexFunc(d.next.Metrics, func(m *Metric) bool { return m.Name == name })
	if i < 0 {
		return d.notFound(name)
	}
	old := d.next.Metrics[i]
	m := old.clone()
	if err := change(m); err != nil {
		return err
	}
	if reflect.DeepEqual(m, old) {
		return nil
	}
	delete(d.owned, old)
	d.owned[m] = struct{}{}
	d.next.Metrics[i] = m
	d.changed = true
	return nil
}

// notFound says that there is no metric of that name, and which one has it as
// an alias.
func (d *Draft) notFound(name string) error {
	err := fmt.Errorf("%s: %w", whereMetric(name), ErrNotFound)
	if m, ok := d.next.MetricOfSent(name); ok {
		return &Invalid{
			Where:  whereMetric(name),
			Reason: "not found",
			Hint:   fmt.Sprintf("%q is an alias of metric %q.", name, m.Name),
			Err:    ErrNotFound,
		}
	}
	return err
}

// CreateMetric declares a metric: its name, aliases, timestamp lists, what
// becomes of events without a time, comment and fields (of which Number is not
// read). It becomes the last.
func (d *Draft) CreateMetric(m Metric) error {
	made := &Metric{
		ID:        d.next.nextMetric,
		Name:      m.Name,
		NextField: firstField,
		Comment:   m.Comment,

		RejectMissingTime: m.RejectMissingTime,
	}
	where := whereMetric(m.Name)
	if err := checkText(where, "the name", m.Name, maxName); err != nil {
		return err
	}
	if err := d.checkFree(m.Name, nil); err != nil {
		return err
	}
	if err := checkComment(where, m.Comment); err != nil {
		return err
	}
	if err := d.setAliases(made, m.Aliases); err != nil {
		return err
	}
	if err := setTimestampAliases(where, &made.TimestampAliases, m.TimestampAliases); err != nil {
		return err
	}
	if err := d.setTimestampPatterns(where, &made.TimestampPatterns, m.TimestampPatterns); err != nil {
		return err
	}
	for _, f := range m.Fields {
		if err := addField(made, f); err != nil {
			return err
		}
	}
	d.passAccess(UndeclaredTableOID(made.Name), TableOID(made))
	d.next.nextMetric++
	d.next.Metrics = append(d.next.Metrics, made)
	d.owned[made] = struct{}{}
	d.changed = true
	return nil
}

// DropMetric ends the table and the generation of its name and of all its
// aliases: what was stored under them is no longer read, what comes later goes
// to new datasets.
func (d *Draft) DropMetric(name string) error {
	m, ok := d.next.Metric(name)
	if !ok {
		return d.notFound(name)
	}
	d.next.Metrics = slices.DeleteFunc(d.next.Metrics, func(o *Metric) bool { return o == m })
	delete(d.owned, m)
	d.forgetAccess(TableOID(m))
	d.dropFromRules(m.Name)
	d.raise(m.Name)
	for _, a := range m.Aliases {
		d.raise(a)
	}
	return nil
}

// EndGeneration does for the sent name of an undeclared metric what DropMetric
// does for a declared one. That the name was ever sent is for the caller to know.
func (d *Draft) EndGeneration(sent string) error {
	if m, ok := d.next.MetricOfSent(sent); ok {
		return &Invalid{
			Where:  whereMetric(sent),
			Reason: fmt.Sprintf("the name belongs to metric %q", m.Name),
			Hint:   "Drop that metric, or its alias.",
			Err:    ErrExists,
		}
	}
	if err := checkText(whereMetric(sent), "the name", sent, maxSentName); err != nil {
		return err
	}
	d.raise(sent)
	return nil
}

func (d *Draft) raise(sent string) {
	d.forgetAccess(UndeclaredTableOID(sent))
	d.next.Generations[sent] = max(d.next.generation(sent), d.next.topGenerations[sent]) + 1
	d.changed = true
}

// RenameMetric gives a metric a new name. The old one stays an alias, the first,
// and its rows stay part of the table.
func (d *Draft) RenameMetric(oldName, newName string) error {
	err := d.edit(oldName, func(m *Metric) error {
		where := whereMetric(newName)
		if newName == oldName {
			return fmt.Errorf("%s: %w", where, ErrExists)
		}
		if err := checkText(where, "the name", newName, maxName); err != nil {
			return err
		}
		if err := d.checkFree(newName, m); err != nil {
			return err
		}
		others := slices.DeleteFunc(m.Aliases, func(a string) bool { return a == newName })
		m.Name = newName
		m.Aliases = append([]string{oldName}, others...)
		return nil
	})
	if err == nil {
		d.renameInRules(oldName, newName)
	}
	return err
}

// AddMetricAlias adds a sent name whose events belong to the table.
func (d *Draft) AddMetricAlias(metric, alias string) error {
	return d.edit(metric, func(m *Metric) error {
		if slices.Contains(m.Aliases, alias) {
			return fmt.Errorf("%s: alias %q: %w", whereMetric(metric), alias, ErrExists)
		}
		return d.setAliases(m, append(m.Aliases, alias))
	})
}

// DropMetricAlias removes a sent name from those whose events belong to the table.
// Its events are then those of an undeclared metric.
func (d *Draft) DropMetricAlias(metric, alias string) error {
	return d.edit(metric, func(m *Metric) error {
		i := slices.Index(m.Aliases, alias)
		if i < 0 {
			return &Invalid{Where: whereMetric(metric), Reason: fmt.Sprintf("alias %q: not found", alias), Err: ErrNotFound}
		}
		return d.setAliases(m, slices.Delete(slices.Clone(m.Aliases), i, i+1))
	})
}

// SetMetricAliases replaces the metric's aliases.
func (d *Draft) SetMetricAliases(metric string, aliases []string) error {
	return d.edit(metric, func(m *Metric) error { return d.setAliases(m, aliases) })
}

// setAliases checks and takes the aliases of m, whose name is already set.
func (d *Draft) setAliases(m *Metric, aliases []string) error {
	where := whereMetric(m.Name)
	err := checkList(where, "alias", aliases, func(where, alias string) error {
		if err := checkText(where, "an alias", alias, maxSentName); err != nil {
			return err
		}
		if alias == m.Name {
			return &Invalid{Where: where, Reason: "its own name is no alias", Err: ErrExists}
		}
		return d.checkFree(alias, m)
	})
	if err != nil {
		return err
	}
	for _, former := range m.Aliases {
		if !slices.Contains(aliases, former) {
			d.passAccess(TableOID(m), UndeclaredTableOID(former))
		}
	}
	m.Aliases = cloneList(aliases)
	return nil
}

// cloneList copies a list; an empty one is nil, so that equal lists are equal.
func cloneList(list []string) []string {
	return append([]string(nil), list...)
}

// checkFree refuses a name that belongs to a metric other than that with the ID
// of except.
func (d *Draft) checkFree(name string, except *Metric) error {
	if _, taken := d.next.View(name); taken {
		return fmt.Errorf("%s: %w", whereView(name), ErrExists)
	}
	owner, taken := d.next.MetricOfSent(name)
	if !taken || except != nil && owner.ID == except.ID {
		return nil
	}
	if owner.Name == name {
		return fmt.Errorf("%s: %w", whereMetric(name), ErrExists)
	}
	return &Invalid{
		Where:  whereMetric(name),
		Reason: fmt.Sprintf("the name is an alias of metric %q", owner.Name),
		Hint:   fmt.Sprintf("Remove the alias from metric %q first.", owner.Name),
		Err:    ErrExists,
	}
}

// SetMetricKeys replaces the tenant's ordered metric keys: names of the fields
// that say an event's metric.
func (d *Draft) SetMetricKeys(keys []string) error {
	return d.editSettings(&d.next.MetricKeys, keys, func(where string) error {
		return checkList(where, "metric key", keys, checkSentField)
	})
}

// SetTimestampAliases replaces the ordered names of the fields that give an
// event's time: a metric's, or the tenant's if metric is empty.
func (d *Draft) SetTimestampAliases(metric string, aliases []string) error {
	if metric == "" {
		return d.editSettings(&d.next.TimestampAliases, aliases, func(where string) error {
			return checkList(where, "timestamp alias", aliases, checkSentField)
		})
	}
	return d.edit(metric, func(m *Metric) error {
		return setTimestampAliases(whereMetric(metric), &m.TimestampAliases, aliases)
	})
}

// SetTimestampPatterns replaces the ordered patterns that read times given as
// text: a metric's, or the tenant's if metric is empty.
func (d *Draft) SetTimestampPatterns(metric string, patterns []string) error {
	if metric == "" {
		return d.editSettings(&d.next.TimestampPatterns, patterns, func(where string) error {
			return d.checkPatterns(where, patterns)
		})
	}
	return d.edit(metric, func(m *Metric) error {
		return d.setTimestampPatterns(whereMetric(metric), &m.TimestampPatterns, patterns)
	})
}

// SetRejectUndeclared says whether events of metrics that nobody declared are
// refused.
func (d *Draft) SetRejectUndeclared(reject bool) error {
	if d.next.RejectUndeclared != reject {
		d.next.RejectUndeclared = reject
		d.settings, d.changed = true, true
	}
	return nil
}

// SetRejectMissingTime says whether events of a metric without a time of their own
// are refused.
func (d *Draft) SetRejectMissingTime(metric string, reject bool) error {
	return d.edit(metric, func(m *Metric) error {
		m.RejectMissingTime = reject
		return nil
	})
}

// SetComment sets or, with an empty text, removes the comment of a field, or of
// the metric if field is empty.
func (d *Draft) SetComment(metric, field, comment string) error {
	return d.edit(metric, func(m *Metric) error {
		if field == "" {
			m.Comment = comment
			return checkComment(whereMetric(metric), comment)
		}
		f, err := findField(m, field)
		if err != nil {
			return err
		}
		f.Comment = comment
		return checkComment(whereField(metric, field), comment)
	})
}

// editSettings replaces one of the tenant's lists after check.
func (d *Draft) editSettings(list *[]string, to []string, check func(where string) error) error {
	if slices.Equal(*list, to) {
		return nil
	}
	if err := check(fmt.Sprintf("tenant %q", d.next.Tenant)); err != nil {
		return err
	}
	*list = cloneList(to)
	d.settings, d.changed = true, true
	return nil
}

func setTimestampAliases(where string, list *[]string, to []string) error {
	if err := checkList(where, "timestamp alias", to, checkSentField); err != nil {
		return err
	}
	*list = cloneList(to)
	return nil
}

func (d *Draft) setTimestampPatterns(where string, list *[]string, to []string) error {
	if err := d.checkPatterns(where, to); err != nil {
		return err
	}
	*list = cloneList(to)
	return nil
}

func (d *Draft) checkPatterns(where string, patterns []string) error {
	return checkList(where, "timestamp pattern", patterns, func(where, pattern string) error {
		if err := checkText(where, "a timestamp pattern", pattern, maxPattern); err != nil {
			return err
		}
		if err := d.checkPattern(pattern); err != nil {
			return &Invalid{Where: where, Reason: fmt.Sprintf("timestamp pattern %q: %v", pattern, err), Err: err}
		}
		return nil
	})
}

func checkComment(where, comment string) error {
	if comment == "" {
		return nil
	}
	return checkText(where, "the comment", comment, maxComment)
}

// seal numbers the draft's result. It may be called again with another version.
func (d *Draft) seal(version uint64) *Snapshot {
	s := *d.next
	s.Version, s.Previous = version, d.base.Version
	s.Generations = maps.Clone(d.next.Generations)
	s.Metrics = slices.Clone(d.next.Metrics)
	for i, m := range s.Metrics {
		if _, own := d.owned[m]; own {
			sealed := *m
			sealed.Version = version
			s.Metrics[i] = &sealed
		}
	}
	s.Views = slices.Clone(d.next.Views)
	for i, v := range s.Views {
		if !slices.Contains(d.base.Views, v) {
			sealed := *v
			sealed.Version = version
			s.Views[i] = &sealed
		}
	}
	if d.settings {
		s.SettingsVersion = version
	}
	s.index()
	return &s
}
