package rest

import (
	"encoding/json"
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/fieldgate/fieldgate/schema"
)

// Document is a schema as a file: the settings, and the metrics in their order.
// Views are not in it.
type Document struct {
	body documentBody
}

// documentBody is the JSON of a Document, and, member by member, its YAML.
type documentBody struct {
	settingsBody
	Metrics []metricBody `json:"metrics"`
}

// DocumentOf is the document that declares what a version declares.
func DocumentOf(s *schema.Snapshot) Document {
	d := Document{documentBody{settingsBody: settingsOf(s), Metrics: make([]metricBody, len(s.Metrics))}}
	for i, m := range s.Metrics {
		d.body.Metrics[i] = metricOf(m)
	}
	return d
}

// ParseDocument reads YAML. Members that it does not know are an error.
func ParseDocument(text []byte) (Document, error) {
	var members map[string]any
	if err := yaml.Unmarshal(text, &members); err != nil {
		return Document{}, fmt.Errorf("read schema: %w", err)
	}
	data, err := json.Marshal(members)
	if err != nil {
		return Document{}, fmt.Errorf("read schema: %w", err)
	}
	var d Document
	if members == nil {
		return d, nil
	}
	if err := decodeStrict(data, &d.body); err != nil {
		return Document{}, fmt.Errorf("read schema: %w", err)
	}
	return d, nil
}

// YAML is the document's text, which ParseDocument reads.
func (d Document) YAML() (string, error) {
	data, err := json.Marshal(d.body)
	if err != nil {
		return "", fmt.Errorf("write schema: %w", err)
	}
	var node yaml.Node // JSON is YAML, and a node keeps the order of its members
	if err := yaml.Unmarshal(data, &node); err != nil {
		return "", fmt.Errorf("write schema: %w", err)
	}
	blockStyle(&node)
	text, err := yaml.Marshal(&node)
	if err != nil {
		return "", fmt.Errorf("write schema: %w", err)
	}
	return string(text), nil
}

// blockStyle has a node written by indentation, and texts in quotes only where they
// need them.
func blockStyle(n *yaml.Node) {
	if n.Kind != yaml.SequenceNode || len(n.Content) > 0 {
		n.Style = 0
	}
	for _, c := range n.Content {
		blockStyle(c)
	}
}

// Apply makes a draft declare what the document does. Metrics that it does not list
// stay, unless prune drops them.
func (d Document) Apply(draft *schema.Draft, prune bool) error {
	if err := setSettings(draft, &d.body.settingsBody); err != nil {
		return err
	}
	listed := map[string]bool{}
	for i := range d.body.Metrics {
		listed[d.body.Metrics[i].Name] = true
	}
	if prune {
		for _, m := range append([]*schema.Metric(nil), draft.Snapshot().Metrics...) {
			if listed[m.Name] {
				continue
			}
			if err := draft.DropMetric(m.Name); err != nil {
				return err
			}
		}
	}
	for i := range d.body.Metrics {
		b := &d.body.Metrics[i]
		put := func() error { return addMetric(draft, b) }
		if _, there := draft.Metric(b.Name); there {
			put = func() error { return changeMetric(draft, b.Name, b) }
		}
		if err := put(); err != nil {
			return err
		}
	}
	return nil
}
