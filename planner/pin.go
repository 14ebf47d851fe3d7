package planner

import (
	"context"
	"errors"

	"github.com/jackc/pgerrcode"

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
	for tries := 0; ; tries++ {
		err := s.pinDatasets(ctx, p, datasets)
		if !errors.Is(err, sources.ErrMoved) || tries == maxMoves {
			return err
		}
		// The manifests that are loaded next have what nearline has no more.
		if p.pin != nil {
			p.pin.Release()
			p.pin = nil
		}
		for _, scan := range p.Metrics {
			scan.Splits = nil
		}
	}
}

// maxMoves is how often a statement is planned again because its rows moved from
// nearline to the lake meanwhile. It takes longer than the grace to meet one.
const maxMoves = 3

// unreadable is what a statement meets when the store of something that it needs fails: an
// answer without that would be another one.
func unreadable(ctx context.Context, what string, err error) error {
	var known *Error
	if err == nil || ctx.Err() != nil || errors.Is(err, sources.ErrMoved) || errors.As(err, &known) {
		return err
	}
	return &Error{
		Code: pgerrcode.IOError, Message: what + " cannot be read", Err: err,
		Hint: "The store may not answer at the moment: try again. The server's log has the cause.",
	}
}

// nearlineError is unreadable of recent events: the lake alone would be an answer
// without them.
func nearlineError(ctx context.Context, err error) error {
	return unreadable(ctx, "recent events", err)
}

// manifestError is unreadable of what lists the files of the lake.
func manifestError(ctx context.Context, err error) error {
	return unreadable(ctx, "the list of compacted events' files", err)
}

func (s *Session) pinDatasets(ctx context.Context, p *Plan, datasets []schema.Dataset) error {
	var err error
	if p.pin, err = s.planner.cfg.Nearline.Pin(ctx, datasets); err != nil {
		return nearlineError(ctx, err)
	}
	manifests := make(map[schema.Dataset]sources.Manifest, len(datasets))
	for _, ds := range datasets {
		if manifests[ds], err = s.planner.cfg.Lake.Load(ctx, ds); err != nil {
			return manifestError(ctx, err)
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
		window, complete, err := pin.Window(ctx, ds, m.Watermarks(), filter)
		if err != nil {
			return out, nearlineError(ctx, err)
		}
		out.Why = window.Why
		if complete {
			out.Splits, out.Tables, out.FilesKnown, out.Window = window.Splits, window.Tables, m.FilesKnown(), true
			return out, nil
		}
	}
	files, known, err := m.Files(ctx, scan.Bounds)
	if err != nil {
		return out, manifestError(ctx, err)
	}
	out.FilesKnown = known
	for _, f := range files {
		out.Splits = append(out.Splits, sources.Split{File: f})
	}
	recent, err := pin.Splits(ctx, ds, m.Watermarks(), filter)
	if err != nil {
		return out, nearlineError(ctx, err)
	}
	out.Splits, out.Tables = append(out.Splits, recent.Splits...), recent.Tables
	if out.Why == "" {
		out.Why = recent.Why
	}
	return out, nil
}
