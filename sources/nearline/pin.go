package nearline

import (
	"context"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// pin is what one statement sees of the tail. It holds segments, which nobody
// changes; they go when it does.
type pin struct {
	tail     *Tail
	through  *through
	datasets map[schema.Dataset]view
}

// view is what a pin holds of one dataset.
type view struct {
	segments []*segment
	// absent is as the dataset's was; known says that it is.
	absent sources.TimeSet
	known  bool
}

// Pin implements sources.Nearline.
func (t *Tail) Pin(_ context.Context, datasets []schema.Dataset) (sources.Pin, error) {
	// First how far is written, then the rows: those are in the views.
	p := &pin{tail: t, through: t.through.clone(), datasets: make(map[schema.Dataset]view, len(datasets))}
	for _, name := range datasets {
		if _, twice := p.datasets[name]; twice {
			continue
		}
		if d := t.find(name); d != nil {
			p.datasets[name] = d.pin()
		}
	}
	return p, nil
}

// pin takes what readers see now.
func (d *dataset) pin() view {
	d.mu.Lock()
	defer d.mu.Unlock()
	return view{segments: d.segments(), absent: slices.Clone(d.absent), known: d.absentKnown}
}

// Splits implements sources.Pin.
func (p *pin) Splits(_ context.Context, name schema.Dataset, past sources.Watermarks, filter sources.Filter) (sources.Recent, error) {
	var out sources.Recent
	// The newest first: who wants those reads little more.
	for _, s := range slices.Backward(p.datasets[name].segments) {
		cover := s.spans.coverage(past)
		if cover == coveredAll {
			continue
		}
		from := past
		if cover == coveredNone {
			from = nil
		}
		if rows, ok := p.tail.selectRows(s, from, filter); ok {
			out.Splits = append(out.Splits, sources.Split{Batch: s.split(rows, s.suspect)})
		}
	}
	return out, nil
}

// Window implements sources.Pin. No row in it is suspect: the lake's row of the
// same identity would have a time that is absent here.
func (p *pin) Window(_ context.Context, name schema.Dataset, watermarks sources.Watermarks, filter sources.Filter) (sources.Recent, bool, error) {
	var out sources.Recent
	v, ok := p.datasets[name]
	if !ok || !v.known || v.absent.Overlaps(filter.Bounds) || !p.through.reaches(&name, watermarks) {
		return out, false, nil
	}
	for _, s := range slices.Backward(v.segments) {
		if rows, ok := p.tail.selectRows(s, nil, filter); ok {
			out.Splits = append(out.Splits, sources.Split{Batch: s.split(rows, nil)})
		}
	}
	return out, true, nil
}

// Release implements sources.Pin. The garbage collector does the rest.
func (p *pin) Release() {}
