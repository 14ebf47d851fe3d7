package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// maxRanges is how many ranges of hours are read of one bucket: nearer ones are
// read together, with what lies between.
const maxRanges = 8

var (
	// errMissing says that a table is not there of which the registry says so.
	errMissing = errors.New("the table is missing, though no one dropped it")
	// errTooMany says that a statement would read more recent rows than it may.
	errTooMany = errors.New("more recent rows than one statement may read; narrow its time, or compact first")
)

// readRow is a row as it was read: of its event what the key says, and the value that
// says the rest. Copies and what the lake has are left out by their keys alone.
type readRow struct {
	event schema.Event
	at    stream.Position
	value []byte
}

// compareRows orders rows by identity, and copies of one by position.
func compareRows(a, b *readRow) int {
	switch {
	case a.event.Time < b.event.Time:
		return -1
	case a.event.Time > b.event.Time:
		return 1
	}
	if c := a.event.ID.Compare(b.event.ID); c != 0 {
		return c
	}
	return a.at.Compare(b.at)
}

// places are where rows of the bounds may lie: the weeks that have a table, then
// the late rows.
func (t *Tables) places(ctx context.Context, bounds sources.Bounds) ([]place, error) {
	if t.mustLoad(bounds) {
		if err := t.loadWeeks(ctx); err != nil {
			return nil, err
		}
	}
	var out []place
	order, known := t.weeks.all()
	for _, w := range order {
		if known[w].State == weekOpen && w.bounds().Overlaps(bounds) {
			out = append(out, t.placeOf(w))
		}
	}
	return append(out, t.late()), nil
}

// mustLoad says that a week of the bounds may have got a table since the registry
// was read. Of weeks before the clock's none gets one any more.
func (t *Tables) mustLoad(bounds sources.Bounds) bool {
	now := t.cfg.Now().Add(clockSkew)
	for w := t.firstWeek(t.cfg.Now().Add(-clockSkew)); w <= weekOf(now.UnixMicro())+1; w++ {
		if e, ok := t.weeks.get(w); w.bounds().Overlaps(bounds) && (!ok || e.State == weekMaking) {
			return true
		}
	}
	return false
}

// found is what the indexes say of the bounds.
type found struct {
	place   place
	entries []entry
	bits    uint8 // rows lie in up to 2^bits buckets
}

// look reads the indexes of all places.
func (t *Tables) look(ctx context.Context, dataset string, bounds sources.Bounds) ([]found, error) {
	places, err := t.places(ctx, bounds)
	if err != nil {
		return nil, err
	}
	out := make([]found, len(places))
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(t.cfg.Parallel)
	for i, at := range places {
		g.Go(func() error {
			entries, err := t.entries(within, at, dataset, bounds)
			if err != nil {
				return t.readError(within, at, err)
			}
			out[i] = found{place: at, entries: entries}
			for _, e := range entries {
				out[i].bits = max(out[i].bits, e.bits)
			}
			return nil
		})
	}
	return out, g.Wait()
}

// readError says what it means that a read failed. A table that is gone was
// dropped, since its rows are in the lake, or is missing.
func (t *Tables) readError(ctx context.Context, at place, err error) error {
	if !hasCode(err, codeNotFound) || at.isLate {
		return wrapCall("read table", at.rows, err)
	}
	if err := t.loadWeeks(ctx); err != nil {
		return err
	}
	if e, _ := t.weeks.get(at.week); e.State == weekOpen {
		return fmt.Errorf("table %s: %w", at.rows, errMissing)
	}
	return fmt.Errorf("table %s was dropped: %w", at.rows, sources.ErrMoved)
}

// rowReader gathers the rows of several queries.
type rowReader struct {
	tables *Tables

	mu    sync.Mutex
	rows  []*readRow
	bytes int
	names []string // of the tables that were read
}

// read reads the rows of hours of the places for which wanted says so, within
// bounds.
func (t *Tables) read(ctx context.Context, dataset string, in []found, bounds sources.Bounds, wanted func(e *entry) bool) (*rowReader, error) {
	r := &rowReader{tables: t}
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(t.cfg.Parallel)
	for i := range in {
		f := &in[i]
		ranges := f.ranges(bounds, wanted)
		if len(ranges) > 0 {
			r.names = append(r.names, f.place.rows)
		}
		for _, hours := range ranges {
			for bucket := range 1 << f.bits {
				g.Go(func() error {
					if err := r.query(within, f.place, bucketPartition(dataset, byte(bucket)), hours); err != nil {
						return t.readError(within, f.place, err)
					}
					return nil
				})
			}
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return r, nil
}

// ranges are the times to read: those of the wanted hours within the bounds. Late
// rows of a dataset are few and far between, so they are read in one range.
func (f *found) ranges(bounds sources.Bounds, wanted func(e *entry) bool) []sources.Bounds {
	var hours []sources.Bounds
	for i := range f.entries {
		if e := &f.entries[i]; wanted(e) {
			hours = append(hours, f.place.entryBounds(e.hour).Intersect(bounds))
		}
	}
	var set sources.TimeSet
	set.Add(hours...)
	most := maxRanges
	if f.place.isLate {
		most = 1
	}
	set.Reduce(most)
	return set
}

// query reads one range of one bucket.
func (r *rowReader) query(ctx context.Context, at place, partition []byte, bounds sources.Bounds) error {
	from, to := rowRange(bounds)
	in := r.tables.between(at.rows, partition, from, to)
	in.ProjectionExpression = aws.String("s, v") // the partition is known
	out, err := call(ctx, r.tables.api.Query, in)
	for err == nil {
		page := out
		in.ExclusiveStartKey = page.LastEvaluatedKey
		if in.ExclusiveStartKey == nil {
			return r.take(ctx, at, partition, page)
		}
		// The next page comes while this one's large values do.
		var taking errgroup.Group
		taking.Go(func() error { return r.take(ctx, at, partition, page) })
		out, err = call(ctx, r.tables.api.Query, in)
		err = errors.Join(err, taking.Wait())
	}
	return err
}

// take adds the rows of a page.
func (r *rowReader) take(ctx context.Context, at place, partition []byte, page *awsdynamodb.QueryOutput) error {
	rows := make([]readRow, len(page.Items))
	bytes := 0
	for i, found := range page.Items {
		row := &rows[i]
		sort, value := bytesOf(found, attrSort), bytesOf(found, attrValue)
		if err := parseRowKey(sort, &row.event, &row.at); err != nil {
			return err
		}
		if isSpilled(value) {
			var err error
			if value, err = r.tables.fetch(ctx, objectKey(at.folder, partition, sort), value); err != nil {
				return err
			}
		}
		row.value = value
		bytes += len(value) + rowKeyBytes
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bytes += bytes; r.bytes > r.tables.cfg.ReadBytes {
		return errTooMany
	}
	for i := range rows {
		r.rows = append(r.rows, &rows[i])
	}
	return nil
}

// unique keeps of copies the one that came first.
func unique(rows []*readRow) []*readRow {
	slices.SortFunc(rows, compareRows)
	return slices.CompactFunc(rows, func(a, b *readRow) bool { return a.event.Time == b.event.Time && a.event.ID == b.event.ID })
}
