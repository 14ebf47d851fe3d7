package planner

import (
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// newMetricScan begins the scan of a metric; columns join it as they are met.
func (b *binder) newMetricScan(m *metricTable, label string) *MetricScan {
	scan := &MetricScan{
		RelationLabel: b.label(label),
		Name:          m.name,
		OID:           m.oid,
		Metric:        m.metric,
		Datasets:      m.datasets,
		Bounds:        sources.Unbounded(),
	}
	b.metrics = append(b.metrics, scan)
	return scan
}

// useColumn adds a column to a scan unless it is there, and refers to it.
func (b *binder) useColumn(scan *MetricScan, table *metricTable, c metricColumn) (Expr, error) {
	i := slices.IndexFunc(scan.Fields, func(f ScanField) bool {
		return f.Name == c.name && f.Attribute == c.attribute && f.Hidden == c.hidden
	})
	if i < 0 {
		field := ScanField{Name: c.name, T: c.t, Hidden: c.hidden, Attribute: c.attribute, Builtin: c.builtin}
		all, err := table.longer(c)
		if err != nil {
			return nil, err
		}
		for _, s := range all {
			read, err := b.sourceRead(scan, table, c, s)
			if err != nil {
				return nil, err
			}
			field.Sources = append(field.Sources, read)
		}
		i = len(scan.Fields)
		scan.Fields = append(scan.Fields, field)
	}
	return &Column{T: c.t, Relation: scan, Index: i}, nil
}

func (b *binder) sourceRead(scan *MetricScan, table *metricTable, c metricColumn, s schema.Source) (SourceRead, error) {
	if s.Convert == "" {
		return SourceRead{Sent: s.Name}, nil
	}
	convert, err := b.convertedSource(scan, table, c, s)
	if err != nil {
		return SourceRead{}, err
	}
	return SourceRead{Sent: s.Name, Convert: convert, Guard: !nullOfNull(convert)}, nil
}
