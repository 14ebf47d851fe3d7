package schema

import (
	"maps"
	"slices"
	"time"
)

// Snapshot is one version of a tenant's schema. It is immutable: whoever changes
// a schema does so through Store, which makes the next version.
type Snapshot struct {
	Tenant    string
	Version   uint64
	CreatedAt time.Time
	// Who made this version, and What was done, in words.
	Who, What string
	// Previous is the version that this one was made from, 0 for the first.
	// Versions rise, but not always by one.
	Previous uint64
	// MetricKeys, TimestampAliases and TimestampPatterns are ordered: the first
	// that an event has, or that matches, decides.
	MetricKeys        []string
	TimestampAliases  []string
	TimestampPatterns []string
	// RejectUndeclared refuses events of metrics that nobody declared.
	RejectUndeclared bool
	// Rules send events to other metrics, or make errors of them.
	Rules []Rule
	// SettingsVersion is the version that last changed one of the lists, or what
	// becomes of undeclared metrics.
	SettingsVersion uint64
	// Metrics are in the order they were declared.
	Metrics []*Metric
	// Views are in the order they were made.
	Views []*View
	// Access says who may read what, of the tables and views that anything was decided
	// of.
	Access []*Access
	// Generations holds, for every sent metric name whose table was ever dropped,
	// the number of its current generation. Absent names are in FirstGeneration,
	// which is 0 unless the tenant was dropped and added again.
	Generations     map[string]uint32
	FirstGeneration uint32

	// topGenerations holds, for names whose generation was lowered by a restore, the
	// highest that they ever had.
	topGenerations map[string]uint32

	nextMetric uint32 // the ID that the next new metric gets
	dropped    bool   // the version that a drop of the tenant made
	bySent     map[string]*Metric
}

// Metric is a declared kind of event: a SQL table.
type Metric struct {
	// ID is unique within the tenant and never reused; OIDs derive from it.
	ID uint32
	// Name is the table's name; it is also the sent name of its own dataset.
	Name string
	// Aliases are further sent names whose events belong to the table.
	Aliases           []string
	TimestampAliases  []string
	TimestampPatterns []string
	// RejectMissingTime refuses events without a time of their own, which otherwise
	// get that of their arrival.
	RejectMissingTime bool
	// Fields are in declared order.
	Fields []Field
	// NextField is the attribute number the next new field gets.
	NextField int
	Comment   string
	// Version is the schema version that last changed this metric.
	Version uint64
}

// Field is a declared SQL column of a metric. A sent name is a source of one
// field of a metric at most.
type Field struct {
	// Number is the attribute number, unique within the metric and never reused;
	// number 1 is the timestamp column, so fields start at 2.
	Number int
	Name   string
	Type   Type
	// Sources are in the order in which they are asked for a value. The own name is
	// one of them, the first unless the owner put it elsewhere.
	Sources []Source
	// Former are the names that the field had: sources whose names still mean the
	// field, whatever their conversion.
	Former  []string
	Comment string
}

// Source is one sent name that can give a field its value.
type Source struct {
	Name string
	// Convert is a SQL expression over `value`, or "" for the value itself.
	Convert string
}

// Type is the declared type of a field, by PostgreSQL's name and modifiers.
type Type struct {
	// Name is the canonical name: boolean, smallint, integer, bigint, real,
	// "double precision", numeric, text, varchar, timestamptz, timestamp, date,
	// time, interval, uuid, bytea, json, jsonb.
	Name string
	// Precision is p of numeric(p,s) or n of varchar(n); 0 if none was given.
	Precision int
	Scale     int
}

// Metric finds a declared metric by its name.
func (s *Snapshot) Metric(name string) (*Metric, bool) {
	m, ok := s.MetricOfSent(name)
	return m, ok && m.Name == name
}

// MetricOfSent finds the declared metric that a sent metric name belongs to, by
// its name or one of its aliases.
func (s *Snapshot) MetricOfSent(sent string) (*Metric, bool) {
	if s.bySent != nil {
		m, ok := s.bySent[sent]
		return m, ok
	}
	for _, m := range s.Metrics {
		if m.Name == sent || slices.Contains(m.Aliases, sent) {
			return m, true
		}
	}
	return nil, false
}

// Dataset is the current dataset of a sent metric name.
func (s *Snapshot) Dataset(sent string) Dataset {
	return Dataset{Tenant: s.Tenant, Metric: sent, Generation: s.generation(sent)}
}

// ErrorDataset is the current dataset behind the tenant's errors.stream.
func (s *Snapshot) ErrorDataset() Dataset {
	d := ErrorDataset(s.Tenant)
	d.Generation = s.FirstGeneration
	return d
}

// Datasets are the datasets whose union is the table of m: its own and its
// aliases'.
func (s *Snapshot) Datasets(m *Metric) []Dataset {
	out := make([]Dataset, 0, 1+len(m.Aliases))
	out = append(out, s.Dataset(m.Name))
	for _, a := range m.Aliases {
		out = append(out, s.Dataset(a))
	}
	return out
}

// Field finds a field by its name.
func (m *Metric) Field(name string) (*Field, bool) {
	for i := range m.Fields {
		if m.Fields[i].Name == name {
			return &m.Fields[i], true
		}
	}
	return nil, false
}

// FieldOfSource finds the field that a sent name is a source of. There is one at
// most.
func (m *Metric) FieldOfSource(sent string) (*Field, bool) {
	for i := range m.Fields {
		for _, s := range m.Fields[i].Sources {
			if s.Name == sent {
				return &m.Fields[i], true
			}
		}
	}
	return nil, false
}

func (s *Snapshot) generation(sent string) uint32 {
	if g, ok := s.Generations[sent]; ok {
		return g
	}
	return s.FirstGeneration
}

// index makes lookups by sent name fast; it is called before s is shared.
func (s *Snapshot) index() {
	s.bySent = make(map[string]*Metric, len(s.Metrics))
	for _, m := range s.Metrics {
		s.bySent[m.Name] = m
		for _, a := range m.Aliases {
			s.bySent[a] = m
		}
	}
}

// copyTop copies s so that its lists and maps can be changed; metrics are shared.
func (s *Snapshot) copyTop() *Snapshot {
	c := *s
	c.MetricKeys = slices.Clone(s.MetricKeys)
	c.TimestampAliases = slices.Clone(s.TimestampAliases)
	c.TimestampPatterns = slices.Clone(s.TimestampPatterns)
	c.Metrics = slices.Clone(s.Metrics)
	c.Generations = maps.Clone(s.Generations)
	if c.Generations == nil {
		c.Generations = map[string]uint32{}
	}
	c.bySent = nil
	return &c
}

// clone copies m whole.
func (m *Metric) clone() *Metric {
	c := *m
	c.Aliases = slices.Clone(m.Aliases)
	c.TimestampAliases = slices.Clone(m.TimestampAliases)
	c.TimestampPatterns = slices.Clone(m.TimestampPatterns)
	c.Fields = slices.Clone(m.Fields)
	for i := range c.Fields {
		c.Fields[i].Sources = slices.Clone(m.Fields[i].Sources)
		c.Fields[i].Former = slices.Clone(m.Fields[i].Former)
	}
	return &c
}
