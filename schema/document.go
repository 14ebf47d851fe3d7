package schema

import (
	"encoding/json"
	"fmt"
	"time"
)

// documentFormat is the format of every JSON value that this package stores; see
// docs/format/keyvalue.md. A reader refuses later ones.
const documentFormat = 1

// maxDocument bounds one document of the schema, under the limit of a KV value.
const maxDocument = 256 << 10

type (
	// headDocument is what a tenant's key holds: which version is current.
	headDocument struct {
		Format  int    `json:"format"`
		Version uint64 `json:"version"`
		Dropped bool   `json:"dropped,omitempty"`
	}
	// rootDocument is one version of a schema but for its metrics' content.
	rootDocument struct {
		Format            int               `json:"format"`
		Version           uint64            `json:"version"`
		Previous          uint64            `json:"previous"`
		CreatedAt         time.Time         `json:"created_at"`
		Who               string            `json:"who"`
		What              string            `json:"what"`
		Dropped           bool              `json:"dropped,omitempty"`
		MetricKeys        []string          `json:"metric_keys,omitempty"`
		TimestampAliases  []string          `json:"timestamp_aliases,omitempty"`
		TimestampPatterns []string          `json:"timestamp_patterns,omitempty"`
		RejectUndeclared  bool              `json:"reject_undeclared,omitempty"`
		Rules             []Rule            `json:"rules,omitempty"`
		SettingsVersion   uint64            `json:"settings_version"`
		Metrics           []metricReference `json:"metrics,omitempty"`
		Views             []*View           `json:"views,omitempty"`
		Access            []*Access         `json:"access,omitempty"`
		NextMetric        uint32            `json:"next_metric"`
		Generations       map[string]uint32 `json:"generations,omitempty"`
		FirstGeneration   uint32            `json:"first_generation,omitempty"`
		TopGenerations    map[string]uint32 `json:"top_generations,omitempty"`
	}
	// metricReference names a metric's document.
	metricReference struct {
		ID      uint32 `json:"id"`
		Version uint64 `json:"version"`
	}
	// metricDocument is one metric as one version left it.
	metricDocument struct {
		Format            int             `json:"format"`
		ID                uint32          `json:"id"`
		Version           uint64          `json:"version"`
		Name              string          `json:"name"`
		Aliases           []string        `json:"aliases,omitempty"`
		TimestampAliases  []string        `json:"timestamp_aliases,omitempty"`
		TimestampPatterns []string        `json:"timestamp_patterns,omitempty"`
		RejectMissingTime bool            `json:"reject_missing_time,omitempty"`
		Fields            []fieldDocument `json:"fields,omitempty"`
		NextField         int             `json:"next_field"`
		Comment           string          `json:"comment,omitempty"`
	}
	fieldDocument struct {
		Number  int              `json:"number"`
		Name    string           `json:"name"`
		Type    string           `json:"type"`
		Sources []sourceDocument `json:"sources"`
		Former  []string         `json:"former,omitempty"`
		Comment string           `json:"comment,omitempty"`
	}
	sourceDocument struct {
		Name    string `json:"name"`
		Convert string `json:"convert,omitempty"`
	}
)

// decodeDocument reads a stored JSON value of this package's format.
func decodeDocument(item Item, into any) error {
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(item.Value, &head); err != nil {
		return fmt.Errorf("decode %s: %w", item.Key, err)
	}
	if head.Format != documentFormat {
		return fmt.Errorf("decode %s: format %d, of which this version knows none", item.Key, head.Format)
	}
	if err := json.Unmarshal(item.Value, into); err != nil {
		return fmt.Errorf("decode %s: %w", item.Key, err)
	}
	return nil
}

func encodeHead(s *Snapshot) ([]byte, error) {
	return json.Marshal(headDocument{Format: documentFormat, Version: s.Version, Dropped: s.dropped})
}

func encodeRoot(s *Snapshot) ([]byte, error) {
	doc := rootDocument{
		Format:            documentFormat,
		Version:           s.Version,
		Previous:          s.Previous,
		CreatedAt:         s.CreatedAt.UTC(),
		Who:               s.Who,
		What:              s.What,
		Dropped:           s.dropped,
		MetricKeys:        s.MetricKeys,
		TimestampAliases:  s.TimestampAliases,
		TimestampPatterns: s.TimestampPatterns,
		RejectUndeclared:  s.RejectUndeclared,
		Rules:             s.Rules,
		SettingsVersion:   s.SettingsVersion,
		Views:             s.Views,
		Access:            s.Access,
		NextMetric:        s.nextMetric,
		Generations:       s.Generations,
		FirstGeneration:   s.FirstGeneration,
		TopGenerations:    s.topGenerations,
	}
	for _, m := range s.Metrics {
		doc.Metrics = append(doc.Metrics, metricReference{ID: m.ID, Version: m.Version})
	}
	return json.Marshal(doc)
}

// snapshot is the document's version of a tenant's schema, its metrics missing.
func (doc *rootDocument) snapshot(tenant string) *Snapshot {
	return &Snapshot{
		Tenant:            tenant,
		Version:           doc.Version,
		CreatedAt:         doc.CreatedAt,
		Who:               doc.Who,
		What:              doc.What,
		Previous:          doc.Previous,
		MetricKeys:        doc.MetricKeys,
		TimestampAliases:  doc.TimestampAliases,
		TimestampPatterns: doc.TimestampPatterns,
		RejectUndeclared:  doc.RejectUndeclared,
		Rules:             doc.Rules,
		SettingsVersion:   doc.SettingsVersion,
		Metrics:           make([]*Metric, 0, len(doc.Metrics)),
		Views:             doc.Views,
		Access:            doc.Access,
		Generations:       doc.Generations,
		FirstGeneration:   doc.FirstGeneration,
		topGenerations:    doc.TopGenerations,
		nextMetric:        doc.NextMetric,
		dropped:           doc.Dropped,
	}
}

func encodeMetric(m *Metric) ([]byte, error) {
	doc := metricDocument{
		Format:            documentFormat,
		ID:                m.ID,
		Version:           m.Version,
		Name:              m.Name,
		Aliases:           m.Aliases,
		TimestampAliases:  m.TimestampAliases,
		TimestampPatterns: m.TimestampPatterns,
		RejectMissingTime: m.RejectMissingTime,
		NextField:         m.NextField,
		Comment:           m.Comment,
	}
	for _, f := range m.Fields {
		fd := fieldDocument{Number: f.Number, Name: f.Name, Type: f.Type.String(), Former: f.Former, Comment: f.Comment}
		for _, s := range f.Sources {
			fd.Sources = append(fd.Sources, sourceDocument(s))
		}
		doc.Fields = append(doc.Fields, fd)
	}
	return json.Marshal(doc)
}

func decodeMetric(item Item) (*Metric, error) {
	var doc metricDocument
	if err := decodeDocument(item, &doc); err != nil {
		return nil, err
	}
	m := &Metric{
		ID:                doc.ID,
		Name:              doc.Name,
		Aliases:           doc.Aliases,
		TimestampAliases:  doc.TimestampAliases,
		TimestampPatterns: doc.TimestampPatterns,
		RejectMissingTime: doc.RejectMissingTime,
		NextField:         doc.NextField,
		Comment:           doc.Comment,
		Version:           doc.Version,
	}
	for _, fd := range doc.Fields {
		t, err := ParseType(fd.Type)
		if err != nil {
			return nil, fmt.Errorf("decode %s: field %q: %w", item.Key, fd.Name, err)
		}
		f := Field{Number: fd.Number, Name: fd.Name, Type: t, Former: fd.Former, Comment: fd.Comment}
		for _, s := range fd.Sources {
			f.Sources = append(f.Sources, Source(s))
		}
		m.Fields = append(m.Fields, f)
	}
	return m, nil
}
