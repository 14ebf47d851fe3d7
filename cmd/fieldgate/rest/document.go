package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/fieldgate/fieldgate/schema"
)

// Document is a schema as a file: the settings, and the metrics and views in their
// order.
type Document struct {
	body documentBody
}

// documentBody is the JSON of a Document, and, member by member, its YAML.
type documentBody struct {
	settingsBody
	Metrics []metricBody `json:"metrics"`
	Views   []viewBody   `json:"views,omitempty"`
}

// DocumentOf is the document that declares what a version declares.
func DocumentOf(s *schema.Snapshot) Document {
	d := Document{documentBody{settingsBody: settingsOf(s), Metrics: make([]metricBody, len(s.Metrics))}}
	for i, m := range s.Metrics {
		d.body.Metrics[i] = metricOf(m)
	}
	for _, v := range s.Views {
		d.body.Views = append(d.body.Views, viewOf(v))
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

// Apply makes a draft declare what the document does. Metrics and views that it does
// not list stay, unless prune drops them.
func (d Document) Apply(ctx context.Context, p Planner, draft *schema.Draft, prune bool) error {
	if err := setSettings(draft, &d.body.settingsBody); err != nil {
		return err
	}
	if prune {
		if err := d.prune(draft); err != nil {
			return err
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
	return d.applyViews(ctx, p, draft)
}

// prune drops what the document does not list.
func (d Document) prune(draft *schema.Draft) error {
	before := *draft.Snapshot()
	for _, v := range slices.Clone(before.Views) {
		if slices.ContainsFunc(d.body.Views, func(b viewBody) bool { return b.Name == v.Name }) {
			continue
		}
		if err := draft.DropView(v.Name); err != nil {
			return err
		}
	}
	for _, m := range slices.Clone(before.Metrics) {
		if slices.ContainsFunc(d.body.Metrics, func(b metricBody) bool { return b.Name == m.Name }) {
			continue
		}
		if err := draft.DropMetric(m.Name); err != nil {
			return err
		}
	}
	return nil
}

// applyViews declares the views, of which each may use others: those that cannot be
// yet are tried again after the others.
func (d Document) applyViews(ctx context.Context, p Planner, draft *schema.Draft) error {
	pending := d.body.Views
	for len(pending) > 0 {
		var left []viewBody
		var first error
		for i := range pending {
			err := putView(ctx, p, draft, &pending[i])
			if err != nil {
				left = append(left, pending[i])
				first = cmp.Or(first, err)
			}
		}
		if len(left) == len(pending) {
			return first
		}
		pending = left
	}
	return nil
}

// putView declares a view, or changes the one that has its name. Columns that are not
// listed are called as they are.
func putView(ctx context.Context, p Planner, draft *schema.Draft, b *viewBody) error {
	v, there := draft.Snapshot().View(b.Name)
	if !there {
		return addView(ctx, p, draft, b)
	}
	listed := *b
	for _, c := range v.Columns[min(len(b.Columns), len(v.Columns)):] {
		listed.Columns = append(slices.Clone(listed.Columns), columnBody{c.Name, c.Comment})
	}
	return changeView(ctx, p, draft, v, &listed)
}
