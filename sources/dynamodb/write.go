package dynamodb

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources/nearline"
)

const (
	// batchItems is how many items a BatchWriteItem takes.
	batchItems = 25

	// bucketRows is how many rows a second of a dataset go into one bucket before
	// there are twice as many: a partition takes 1,000 write units a second.
	bucketRows   = 500
	bucketWindow = 10 * time.Second
	maxBits      = 6

	// maxNoted bounds what a writer remembers of what it has noted.
	maxNoted = 100_000
)

// Write implements nearline.Tables. Rows are Stored, whatever is there: see
// Tables. A row whose week has no table goes to the late rows at once, so that no
// row waits for a table to be made.
func (t *Tables) Write(ctx context.Context, rows []nearline.Row) ([]nearline.Outcome, error) {
	pending := make([]*nearline.Row, len(rows))
	for i := range rows {
		pending[i] = &rows[i]
	}
	for len(pending) > 0 {
		gone, err := t.writeOnce(ctx, pending)
		if err != nil {
			return nil, fmt.Errorf("write recent rows: %w", err)
		}
		if pending = gone; len(gone) > 0 {
			// The clock of whoever dropped their tables is ahead.
			if err := t.loadWeeks(ctx); err != nil {
				return nil, err
			}
			if err := t.checkGone(gone); err != nil {
				return nil, fmt.Errorf("write recent rows: %w", err)
			}
		}
	}
	outcomes := make([]nearline.Outcome, len(rows))
	for i := range outcomes {
		outcomes[i] = nearline.Stored
	}
	return outcomes, nil
}

// checkGone says that a table is missing of which the registry says that it is
// there.
func (t *Tables) checkGone(rows []*nearline.Row) error {
	for _, r := range rows {
		if e, _ := t.weeks.get(weekOf(r.Event.Time)); e.State == weekOpen {
			return fmt.Errorf("table %s: %w", t.placeOf(weekOf(r.Event.Time)).rows, errMissing)
		}
	}
	return nil
}

// placed is a row and where it goes.
type placed struct {
	row       *nearline.Row
	place     place
	dataset   string
	partition []byte
}

// writeOnce writes rows, and gives those whose table turned out to be gone.
func (t *Tables) writeOnce(ctx context.Context, rows []*nearline.Row) (gone []*nearline.Row, err error) {
	all, entries, err := t.placeRows(ctx, rows)
	if err != nil {
		return nil, err
	}
	missing, err := t.note(ctx, entries)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		all = slices.DeleteFunc(all, func(p placed) bool {
			if !missing[p.place.rows] {
				return false
			}
			gone = append(gone, p.row)
			return true
		})
	}
	var mu sync.Mutex
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(t.cfg.Parallel)
	// A batch is of one table: one that is gone must not take others' rows along.
	slices.SortStableFunc(all, func(a, b placed) int { return compareText(a.place.rows, b.place.rows) })
	for len(all) > 0 {
		n := 1
		for n < min(len(all), batchItems) && all[n].place.rows == all[0].place.rows {
			n++
		}
		batch := all[:n]
		all = all[n:]
		g.Go(func() error {
			err := t.writeBatch(within, batch)
			if !hasCode(err, codeNotFound) || batch[0].place.isLate {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, p := range batch {
				gone = append(gone, p.row)
			}
			t.weeks.set(batch[0].place.week, weekEntry{State: weekDropped})
			return nil
		})
	}
	return gone, g.Wait()
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// placeRows finds where rows go, and what is to be noted of them first.
func (t *Tables) placeRows(ctx context.Context, rows []*nearline.Row) ([]placed, map[noteKey]*note, error) {
	places := map[week]place{}
	keys := map[schema.Dataset]string{}
	entries := map[noteKey]*note{}
	out := make([]placed, len(rows))
	for i, r := range rows {
		e := &r.Event
		key, ok := keys[e.Dataset]
		if !ok {
			key = datasetKey(&e.Dataset)
			keys[e.Dataset] = key
			if err := t.meet(ctx, e.Dataset, key); err != nil {
				return nil, nil, err
			}
		}
		w := weekOf(e.Time)
		at, ok := places[w]
		if !ok {
			var err error
			if at, err = t.writable(ctx, w); err != nil {
				return nil, nil, err
			}
			places[w] = at
		}
		bits := t.noted.spread(key, at.rows, t.cfg.Now())
		n := noteKey{table: at.rows, dataset: key, hour: at.hourOf(e.Time), shard: r.Position.Shard, bits: bits}
		entry := entries[n]
		if entry == nil {
			entry = &note{place: at}
			entries[n] = entry
		}
		entry.rows++
		if r.Position.Seq.Compare(entry.last) > 0 {
			entry.last = r.Position.Seq
		}
		out[i] = placed{row: r, place: at, dataset: key, partition: bucketPartition(key, bucketOf(&e.ID, bits))}
	}
	return out, entries, nil
}

// writable is where rows of a week go now.
func (t *Tables) writable(ctx context.Context, w week) (place, error) {
	now := t.cfg.Now()
	if !t.takesRows(w, now) {
		return t.late(), nil
	}
	e, ok := t.weeks.get(w)
	if !ok || e.State == weekMaking {
		if now.Sub(t.weeks.since()) < time.Second {
			return t.late(), nil
		}
		if err := t.loadWeeks(ctx); err != nil {
			return place{}, err
		}
		e = weekEntry{}
		e, _ = t.weeks.get(w)
	}
	if e.State != weekOpen {
		return t.late(), nil
	}
	return t.placeOf(w), nil
}

// writeBatch writes rows of one table.
func (t *Tables) writeBatch(ctx context.Context, rows []placed) error {
	table := rows[0].place.rows
	requests := make([]types.WriteRequest, len(rows))
	for i := range rows {
		p := &rows[i]
		sort := rowKey(&p.row.Event, &p.row.Position)
		value := appendRow(make([]byte, 0, 256), &p.row.Event)
		if len(value) > maxInline {
			var err error
			if value, err = t.spill(ctx, objectKey(p.place.folder, p.partition, sort), value); err != nil {
				return err
			}
		}
		requests[i] = types.WriteRequest{PutRequest: &types.PutRequest{
			Item: item{attrPartition: blob(p.partition), attrSort: blob(sort), attrValue: blob(value)},
		}}
	}
	return t.batchWrite(ctx, table, requests)
}

// batchWrite makes requests until none is left unprocessed. They are at most
// batchItems.
func (t *Tables) batchWrite(ctx context.Context, table string, requests []types.WriteRequest) error {
	for attempt := 0; ; attempt++ {
		out, err := call(ctx, t.api.BatchWriteItem, &awsdynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{table: requests},
		})
		if err != nil {
			return wrapCall("write to table", table, err)
		}
		left := out.UnprocessedItems[table]
		if len(left) == 0 {
			return nil
		}
		if len(left) < len(requests) {
			attempt = 0
		}
		requests = left
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// noteKey names an entry of a dataset's index.
type noteKey struct {
	table   string // of the rows
	dataset string
	hour    int64
	shard   stream.ShardID
	bits    uint8
}

// note is what an entry is to say.
type note struct {
	place place
	last  stream.Sequence
	rows  int
}

// notes is what a writer remembers of what it has noted, and how fast datasets
// are written.
type notes struct {
	mu      sync.Mutex
	last    map[noteKey]stream.Sequence
	met     map[string]bool // datasets, and tables with datasets
	spreads map[string]*spread
}

// spread is how many buckets a dataset's rows go into, 2^bits, and how many came
// since a moment.
type spread struct {
	began time.Time
	rows  int
	bits  uint8
}

// spread counts a row, and says into how many buckets its dataset goes.
func (n *notes) spread(dataset, table string, now time.Time) uint8 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.spreads == nil || len(n.spreads) > maxNoted {
		n.spreads = map[string]*spread{}
	}
	key := table + dataset
	s := n.spreads[key]
	if s == nil {
		s = &spread{began: now}
		n.spreads[key] = s
	}
	if now.Sub(s.began) > bucketWindow {
		s.began, s.rows = now, 0
	}
	s.rows++
	if s.bits < maxBits && s.rows > bucketRows*int(bucketWindow/time.Second)<<s.bits {
		s.bits++
	}
	return s.bits
}

// isNoted says that an entry says as much already.
func (n *notes) isNoted(k noteKey, last stream.Sequence) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last[k].Compare(last) >= 0
}

func (n *notes) noted(k noteKey, last stream.Sequence) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.last == nil || len(n.last) > maxNoted {
		n.last = map[noteKey]stream.Sequence{}
	}
	if last.Compare(n.last[k]) > 0 {
		n.last[k] = last
	}
}

// isMet says whether something was met before.
func (n *notes) isMet(key string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.met[key]
}

func (n *notes) meet(key string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.met == nil || len(n.met) > maxNoted {
		n.met = map[string]bool{}
	}
	n.met[key] = true
}

// note says in the indexes, before rows are written, up to which positions they
// will stand. missing are the tables of weeks that turned out to be gone.
func (t *Tables) note(ctx context.Context, entries map[noteKey]*note) (missing map[string]bool, err error) {
	var mu sync.Mutex
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(t.cfg.Parallel)
	for k, n := range entries {
		if t.noted.isNoted(k, n.last) {
			continue
		}
		g.Go(func() error {
			err := t.noteOne(within, k, n)
			if !hasCode(err, codeNotFound) || n.place.isLate {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if missing == nil {
				missing = map[string]bool{}
			}
			missing[k.table] = true
			t.weeks.set(n.place.week, weekEntry{State: weekDropped})
			return nil
		})
	}
	return missing, g.Wait()
}

func (t *Tables) noteOne(ctx context.Context, k noteKey, n *note) error {
	directory := k.table + "\x00" + k.dataset
	if !t.noted.isMet(directory) {
		_, err := call(ctx, t.api.PutItem, &awsdynamodb.PutItemInput{
			TableName: &n.place.index, Item: datasetItem(k.dataset),
		})
		if err != nil {
			return wrapCall("note a dataset in table", n.place.index, err)
		}
		t.noted.meet(directory)
	}
	// The greatest position stays, whoever comes last: a writer that lost its shard
	// may still be at work.
	last := blob(n.last.AppendBinary(nil))
	_, err := call(ctx, t.api.UpdateItem, &awsdynamodb.UpdateItemInput{
		TableName: &n.place.index, Key: item{attrPartition: blob(indexPartition(k.dataset)), attrSort: blob(hourKey(k.hour, k.shard, k.bits))},
		UpdateExpression: aws.String("SET l = :l ADD c :c"), ConditionExpression: aws.String("attribute_not_exists(l) OR l < :l"),
		ExpressionAttributeValues: item{":l": last, ":c": number(uint64(n.rows))},
	})
	if err != nil && !hasCode(err, codeCondition) {
		return wrapCall("note positions in table", n.place.index, err)
	}
	t.noted.noted(k, n.last)
	return nil
}
