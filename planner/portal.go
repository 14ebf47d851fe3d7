package planner

import (
	"context"
	"time"

	"github.com/jackc/pgerrcode"
)

// Portal is a statement on its way, whose rows are taken in steps: made by a Bind
// message or by DECLARE. It is used by one goroutine at a time.
type Portal struct {
	Name string
	// Prepared is what it runs. Its Statement is nil for a text without one.
	Prepared *Prepared
	// Formats are the formats in which the client wants the columns; nil: text.
	Formats []int16

	open   func(ctx context.Context) (*Result, error)
	drop   func() // frees what open would have used; nil: nothing
	result *Result
	feed   feed
	// Where it stands: before the first row, past the last, and how many rows lie
	// behind, as PostgreSQL counts them (PortalRunSelect of pquery.c).
	atStart, atEnd bool
	pos            int64
	failed         bool

	// What DECLARE said, and when.
	declared, hold, scroll, binary bool
	held                           bool // its transaction was committed
	level                          int  // savepoints around it
	created                        time.Time
}

// NewPortal makes a portal, whose result open begins once the first row is asked
// for.
func NewPortal(name string, p *Prepared, formats []int16, open func(ctx context.Context) (*Result, error)) *Portal {
	return &Portal{Name: name, Prepared: p, Formats: formats, open: open, atStart: true}
}

// Columns describe the portal's rows; nil: it returns none.
func (p *Portal) Columns() []ResultColumn { return p.Prepared.Columns }

// Started says that the portal's statement was begun.
func (p *Portal) Started() bool { return p.result != nil }

// Start begins the portal's statement, if that is not done yet. Its result must be
// what was described. ctx governs the beginning alone.
func (p *Portal) Start(ctx context.Context) (*Result, error) {
	if p.failed {
		return nil, p.cannotRun()
	}
	if p.result != nil {
		return p.result, nil
	}
	r, err := p.open(ctx)
	if err != nil {
		p.failed = true
		return nil, err
	}
	p.result, p.drop = r, nil
	p.feed.rows = r.Rows
	// What COPY copies has columns that Describe does not tell of.
	if r.Copy == nil && !sameColumns(r.Columns, p.Columns()) {
		p.failed = true
		return nil, errPlanChanged()
	}
	return r, nil
}

func (p *Portal) cannotRun() error {
	return errorf(pgerrcode.ObjectNotInPrerequisiteState, "portal %q cannot be run", p.Name)
}

// Take gives the next rows of a portal that was started, up to limit of them; 0:
// all. Closing them leaves the portal as it then stands.
func (p *Portal) Take(limit int64) Rows {
	if p.atEnd {
		return &window{p: p, ended: true}
	}
	return &window{p: p, limit: limit}
}

// Suspended says that a portal has, or may have, rows that were not taken yet.
func (p *Portal) Suspended() bool { return p.result != nil && !p.feed.empty() }

// Close ends what the portal runs and frees what it keeps. It may be called twice.
func (p *Portal) Close() error {
	if p.drop != nil {
		p.drop()
		p.drop = nil
	}
	p.failed = true
	return p.feed.close()
}

// forward takes up to n rows (0: all) and drops them.
func (p *Portal) forward(ctx context.Context, n int64) (int64, error) {
	return countRows(ctx, p.Take(n))
}

// window are rows of a portal, from where it stands on.
type window struct {
	p     *Portal
	limit int64 // 0: all
	taken int64
	ended bool
}

// Next returns the next rows and moves the portal past them.
func (w *window) Next(ctx context.Context) (*Chunk, error) {
	if w.ended {
		return nil, nil
	}
	var left int64
	if w.limit > 0 {
		if left = w.limit - w.taken; left == 0 {
			w.ended = true
			return nil, nil
		}
	}
	c, err := w.p.feed.take(ctx, left)
	switch {
	case err != nil:
		w.ended, w.p.failed = true, true
		return nil, err
	case c == nil:
		w.ended, w.p.atEnd = true, true
		return nil, nil
	}
	w.taken += int64(c.Rows)
	w.p.atStart = false
	w.p.pos += int64(c.Rows)
	return c, nil
}

// Close leaves the rest to the portal.
func (w *window) Close() error {
	w.ended = true
	return nil
}

// reverse are rows of a portal that can scroll, from where it stands backward.
type reverse struct {
	p     *Portal
	limit int64 // 0: all
	taken int64
	ended bool
}

// Next returns the rows before, the nearest first.
func (r *reverse) Next(context.Context) (*Chunk, error) {
	p := r.p
	if r.ended || r.limit > 0 && r.taken == r.limit {
		return nil, nil
	}
	if p.atStart {
		r.ended = true
		return nil, nil
	}
	// Past the end, the row before is the last one; on a row, the one before it.
	from := p.pos - 1
	if p.atEnd {
		from = p.pos
	}
	var left int64
	if r.limit > 0 {
		left = r.limit - r.taken
	}
	c, err := p.feed.takeBackward(from, left)
	switch {
	case err != nil:
		r.ended, p.failed = true, true
		return nil, err
	case c == nil:
		r.ended = true
		p.atStart, p.atEnd, p.pos = true, false, 0
		p.feed.seek(0)
		return nil, nil
	}
	r.taken += int64(c.Rows)
	p.atEnd = false
	p.pos = from - int64(c.Rows) + 1
	p.feed.seek(p.pos)
	return c, nil
}

// Close leaves the portal where it stands.
func (r *reverse) Close() error {
	r.ended = true
	return nil
}
