package schema

import "time"

// Snapshot is one version of a tenant's schema. It is immutable: whoever changes
// a schema does so through Store, which makes the next version.
type Snapshot struct {
	Tenant    string    `json:"-"`
	Version   uint64    `json:"-"`
	CreatedAt time.Time `json:"-"`
	// MetricKeys, TimestampAliases and TimestampPatterns are ordered: the first
	// that an event has, or that matches, decides.
	MetricKeys        []string
	TimestampAliases  []string
	TimestampPatterns []string
	// Metrics are in the order they were declared.
	Metrics []*Metric
	// Generations holds, for every sent metric name whose table was ever dropped,
	// the number of its current generation. Absent names are in generation 0.
	Generations map[string]uint32
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
	// Fields are in declared order.
	Fields []Field
	// NextField is the attribute number the next new field gets.
	NextField int
	Comment   string
	// Version is the schema version that last changed this metric.
	Version uint64
}

// Field is a declared SQL column of a metric.
type Field struct {
	// Number is the attribute number, unique within the metric and never reused;
	// number 1 is the timestamp column, so fields start at 2.
	Number  int
	Name    string
	Type    Type
	Sources []Source // own name first, then aliases in declared order
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
	for _, m := range s.Metrics {
		if m.Name == name {
			return m, true
		}
	}
	return nil, false
}

// MetricOfSent finds the declared metric that a sent metric name belongs to, by
// its name or one of its aliases.
func (s *Snapshot) MetricOfSent(sent string) (*Metric, bool) {
	for _, m := range s.Metrics {
		if m.Name == sent {
			return m, true
		}
		for _, a := range m.Aliases {
			if a == sent {
				return m, true
			}
		}
	}
	return nil, false
}

// Dataset is the current dataset of a sent metric name.
func (s *Snapshot) Dataset(sent string) Dataset {
	return Dataset{Tenant: s.Tenant, Metric: sent, Generation: s.Generations[sent]}
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
