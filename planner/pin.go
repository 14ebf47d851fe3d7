package planner

import (
	"context"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// pin fixes what the plan reads: nearline first, then the manifests, then the
// pinned rows past the manifests' watermarks, so that a row which moves from one
// to the other meanwhile is read exactly once. Catalog relations are computed.
func (s *Session) pin(ctx context.Context, p *Plan, bound *boundQuery) error {
	if err := pinCatalog(ctx, p, bound); err != nil {
		return err
	}
	datasets := datasetsOf(p.Metrics)
	if len(datasets) == 0 {
		return nil
	}
	var err error
	if p.pin, err = s.planner.cfg.Nearline.Pin(ctx, datasets); err != nil {
		return err
	}
	manifests := make(map[schema.Dataset]sources.Manifest, len(datasets))
	for _, ds := range datasets {
		if manifests[ds], err = s.planner.cfg.Lake.Load(ctx, ds); err != nil {
			return err
		}
	}
	for _, scan := range p.Metrics {
		for _, ds := range scan.Datasets {
			splits, err := splitsOf(ctx, p.pin, manifests[ds], ds, scan)
			if err != nil {
				return err
			}
			scan.Splits = append(scan.Splits, splits)
		}
	}
	return nil
}

// datasetsOf lists the datasets of all scans once.
func datasetsOf(scans []*MetricScan) []schema.Dataset {
	var out []schema.Dataset
	seen := map[schema.Dataset]bool{}
	for _, scan := range scans {
		for _, ds := range scan.Datasets {
			if !seen[ds] {
				seen[ds] = true
				out = append(out, ds)
			}
		}
	}
	return out
}

// splitsOf lists what a scan reads of one dataset: the hot window if that is all
// there is of the scan's time, else files, newest first, then the pinned rows
// that they do not hold. A scan without a beginning reads files, whose figures
// may be all it needs.
func splitsOf(ctx context.Context, pin sources.Pin, m sources.Manifest, ds schema.Dataset, scan *MetricScan) (DatasetSplits, error) {
	out := DatasetSplits{Dataset: ds}
	filter := sources.Filter{Bounds: scan.Bounds, Columns: scan.Filters}
	if b := scan.Bounds; b.Min != sources.Unbounded().Min && !m.Unstaged(b) {
		window, complete, err := pin.Window(ds, m.Watermarks(), filter)
		if err != nil {
			return out, err
		}
		if complete {
			return DatasetSplits{Dataset: ds, Splits: window, FilesKnown: m.FilesKnown(), Window: true}, nil
		}
	}
	files, known, err := m.Files(ctx, scan.Bounds)
	if err != nil {
		return out, err
	}
	out.FilesKnown = known
	for _, f := range files {
		out.Splits = append(out.Splits, sources.Split{File: f})
	}
	rows, err := pin.Splits(ds, m.Watermarks(), filter)
	if err != nil {
		return out, err
	}
	out.Splits = append(out.Splits, rows...)
	return out, nil
}
