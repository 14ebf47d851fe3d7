package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/sources"
)

// clockSkew is by how much the clocks of two machines may differ.
const clockSkew = time.Hour

// closesBefore is how long before it may be dropped a week takes no more rows:
// longer than clocks differ and any write takes.
const closesBefore = 24 * time.Hour

// firstWeek is the oldest week that has a table at a time.
func (t *Tables) firstWeek(now time.Time) week {
	return weekOf(now.UnixMicro()) - week(t.cfg.Retention)
}

// dropsAt is when a week may be dropped, by the clock.
func (t *Tables) dropsAt(w week) time.Time {
	return time.UnixMicro((w + 1 + week(t.cfg.Retention)).start())
}

// takesRows says that rows of a week belong into a table of its own: it is not
// more than one ahead of the clock's, and not closed.
func (t *Tables) takesRows(w week, now time.Time) bool {
	return w <= weekOf(now.UnixMicro())+1 && w >= t.firstWeek(now) && now.Before(t.dropsAt(w).Add(-closesBefore))
}

// makeWeeks makes the tables of the weeks that take rows. One that cannot be made
// holds up no other.
func (t *Tables) makeWeeks(ctx context.Context) error {
	now := t.cfg.Now()
	order, known := t.weeks.all()
	tables := 0
	for _, w := range order {
		if known[w].State != weekDropped {
			tables++
		}
	}
	var g errgroup.Group
	for w := weekOf(now.UnixMicro()) + 1; w >= t.firstWeek(now); w-- {
		e, ok := known[w]
		if !t.takesRows(w, now) || ok && e.State != weekMaking {
			continue
		}
		if !ok {
			if tables >= t.cfg.MaxTables {
				t.cfg.Logger.Error("no table for a week: there are as many as are allowed", "week", w.String(), "tables", tables)
				continue
			}
			tables++
		}
		g.Go(func() error { return t.makeWeek(ctx, w, e, ok) })
	}
	return g.Wait()
}

// makeWeek registers a week, makes its table, and opens it.
func (t *Tables) makeWeek(ctx context.Context, w week, e weekEntry, registered bool) error {
	if !registered {
		e = weekEntry{State: weekMaking}
		if err := t.saveWeek(ctx, w, e); err != nil {
			return t.another(ctx, err)
		}
		e, _ = t.weeks.get(w)
	}
	throughput, err := t.newCapacity(ctx, w)
	if err != nil {
		return err
	}
	if _, err := t.makeTable(ctx, t.placeOf(w).rows, throughput); err != nil {
		return err
	}
	e.State = weekOpen
	if err := t.saveWeek(ctx, w, e); err != nil {
		return t.another(ctx, err)
	}
	t.cfg.Logger.Info("made the table of a week", "week", w.String())
	return nil
}

// another takes over what another process has registered meanwhile.
func (t *Tables) another(ctx context.Context, err error) error {
	if errors.Is(err, errRaced) {
		return t.loadWeeks(ctx)
	}
	return err
}

// Run makes tables ahead of need, drops those that are old and empty, and lets go
// of late rows that the lake holds, until ctx ends. Several processes may run it.
func (t *Tables) Run(ctx context.Context) error {
	k := keeper{Tables: t, covered: map[string]coverage{}}
	tick := time.NewTicker(t.cfg.Interval)
	defer tick.Stop()
	for {
		if err := k.keep(ctx); err != nil && ctx.Err() == nil {
			t.cfg.Logger.Error("keeping the tables of recent events will be tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// keeper is the state of a Run.
type keeper struct {
	*Tables
	// covered remembers, by dataset, watermarks that the lake had once, until they
	// are old enough for rows below them to go.
	covered map[string]coverage
}

// coverage are watermarks and when they were seen.
type coverage struct {
	marks sources.Watermarks
	seen  time.Time
}

// keep does what is to be done now. What fails is left to the next time, and
// hinders nothing else.
func (k *keeper) keep(ctx context.Context) error {
	if err := k.loadWeeks(ctx); err != nil {
		return err
	}
	err := k.makeWeeks(ctx)
	if k.cfg.Watermarks == nil {
		return err
	}
	order, known := k.weeks.all()
	for _, w := range order {
		if failed := k.age(ctx, w, known[w]); failed != nil {
			err = errors.Join(err, fmt.Errorf("age off week %s: %w", w, failed))
		}
	}
	return errors.Join(err, k.trimLate(ctx))
}

// age moves a week on: an open one that is closed by the clock is looked through
// for rows that the lake lacks, and dropped when it has had none for the grace. One
// that was never opened is dropped by the clock alone.
func (k *keeper) age(ctx context.Context, w week, e weekEntry) error {
	now := k.cfg.Now()
	switch {
	case e.State == weekDropping:
		return k.another(ctx, k.drop(ctx, w, e))
	case e.State == weekMaking && !now.Before(k.dropsAt(w)):
		// Its table could not be made, or who made it died: it has no rows.
		return k.beginDrop(ctx, w, e)
	case e.State != weekOpen || now.Before(k.dropsAt(w).Add(-closesBefore)):
		return nil
	}
	empty, err := k.isEmpty(ctx, k.placeOf(w))
	if err != nil {
		return err
	}
	switch {
	case empty && e.Emptied.IsZero():
		e.Emptied = now.UTC()
	case !empty && !e.Emptied.IsZero():
		e.Emptied = time.Time{} // a row came from a clock that is behind
	case empty && !now.Before(k.dropsAt(w)) && !now.Before(e.Emptied.Add(k.cfg.Grace)):
		return k.beginDrop(ctx, w, e)
	default:
		return nil
	}
	return k.another(ctx, k.saveWeek(ctx, w, e))
}

// beginDrop registers that a week is being dropped, and drops it.
func (k *keeper) beginDrop(ctx context.Context, w week, e weekEntry) error {
	e.State = weekDropping
	if err := k.saveWeek(ctx, w, e); err != nil {
		return k.another(ctx, err)
	}
	e, _ = k.weeks.get(w)
	return k.another(ctx, k.drop(ctx, w, e))
}

// drop deletes the table of a week that the registry says is being dropped.
func (k *keeper) drop(ctx context.Context, w week, e weekEntry) error {
	at := k.placeOf(w)
	_, err := call(ctx, k.api.DeleteTable, &awsdynamodb.DeleteTableInput{TableName: &at.rows})
	if err != nil && !hasCode(err, codeNotFound) && !hasCode(err, codeInUse) {
		return wrapCall("delete table", at.rows, err)
	}
	for attempt := 0; ; attempt++ {
		status, err := k.tableStatus(ctx, at.rows)
		if err != nil {
			return err
		}
		if status == "" {
			break
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
	if err := k.dropObjects(ctx, at.folder); err != nil {
		return err
	}
	e.State = weekDropped
	if err := k.saveWeek(ctx, w, e); err != nil {
		return err
	}
	k.cfg.Logger.Info("dropped the table of a week", "week", w.String())
	return nil
}

// isEmpty says that the lake holds all rows of a place.
func (k *keeper) isEmpty(ctx context.Context, at place) (bool, error) {
	datasets, err := k.datasets(ctx, at)
	if err != nil {
		return false, err
	}
	for _, key := range datasets {
		marks, err := k.watermarks(ctx, key)
		if err != nil {
			return false, err
		}
		entries, err := k.entries(ctx, at, key, sources.Unbounded())
		if err != nil {
			return false, wrapCall("read table", at.index, err)
		}
		for i := range entries {
			if entries[i].isPast(marks) {
				return false, nil
			}
		}
	}
	return true, nil
}

// datasets lists the keys of the datasets that a place has or had rows of.
func (t *Tables) datasets(ctx context.Context, at place) (keys []string, err error) {
	err = t.queryAll(ctx, &awsdynamodb.QueryInput{
		TableName: &at.index, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("p = :p"),
		ExpressionAttributeValues: item{":p": blob([]byte(datasetsPartition))},
	}, func(i item) error {
		keys = append(keys, string(bytesOf(i, attrValue)))
		return nil
	})
	if err != nil {
		return nil, wrapCall("list datasets of table", at.index, err)
	}
	return keys, nil
}

func (t *Tables) watermarks(ctx context.Context, key string) (sources.Watermarks, error) {
	ds, err := parseDatasetKey(key)
	if err != nil {
		return nil, err
	}
	marks, err := t.cfg.Watermarks(ctx, ds)
	if err != nil {
		return nil, fmt.Errorf("read watermarks of %s: %w", ds.Metric, err)
	}
	return marks, nil
}

// trimLate lets go of late rows that the lake has held for the grace.
func (k *keeper) trimLate(ctx context.Context) error {
	datasets, err := k.datasets(ctx, k.late())
	if err != nil {
		return err
	}
	now := k.cfg.Now()
	for _, key := range datasets {
		old, ok := k.covered[key]
		if !ok {
			marks, failed := k.watermarks(ctx, key)
			if failed != nil {
				err = errors.Join(err, failed)
				continue
			}
			k.covered[key] = coverage{marks: marks, seen: now}
			continue
		}
		if now.Before(old.seen.Add(k.cfg.Grace)) {
			continue
		}
		delete(k.covered, key)
		if failed := k.trimDataset(ctx, key, old.marks); failed != nil {
			err = errors.Join(err, fmt.Errorf("trim late rows of %s: %w", key, failed))
		}
	}
	return err
}

// trimDataset deletes the late rows of a dataset at or below watermarks, and the
// entries of hours that have no other.
func (k *keeper) trimDataset(ctx context.Context, key string, marks sources.Watermarks) error {
	at := k.late()
	entries, err := k.entries(ctx, at, key, sources.Unbounded())
	if err != nil {
		return wrapCall("read table", at.index, err)
	}
	f := found{place: at, entries: entries}
	var times []sources.Bounds
	hours := map[int64]bool{}
	for _, e := range entries {
		f.bits = max(f.bits, e.bits)
		if !e.isPast(marks) {
			times = append(times, at.entryBounds(e.hour))
			hours[e.hour] = true
		}
	}
	if len(times) == 0 {
		return nil
	}
	// First it is said that they are absent, then they are.
	if err := k.lose(ctx, key, times...); err != nil {
		return err
	}
	all := sources.Bounds{Min: times[0].Min, Max: times[len(times)-1].Max}
	for bucket := range 1 << f.bits {
		gone := func(r *readRow) bool { return hours[at.hourOf(r.event.Time)] && covered(r, marks) }
		if err := k.deleteRows(ctx, at, bucketPartition(key, byte(bucket)), all, gone); err != nil {
			return err
		}
	}
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(k.cfg.Parallel)
	for _, e := range entries {
		if e.isPast(marks) {
			continue
		}
		g.Go(func() error {
			_, err := call(within, k.api.DeleteItem, &awsdynamodb.DeleteItemInput{
				TableName: &at.index, Key: item{attrPartition: blob(indexPartition(key)), attrSort: blob(hourKey(e.hour, e.shard, e.bits))},
				ConditionExpression: aws.String("l = :l"), ExpressionAttributeValues: item{":l": blob(e.last.AppendBinary(nil))},
			})
			if err != nil && !hasCode(err, codeCondition) {
				return wrapCall("delete from table", at.index, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// deleteRows deletes the rows of a bucket that are gone.
func (k *keeper) deleteRows(ctx context.Context, at place, partition []byte, times sources.Bounds, gone func(r *readRow) bool) error {
	from, to := rowRange(times)
	in := k.between(at.rows, partition, from, to)
	var requests []types.WriteRequest
	flush := func() error {
		if len(requests) == 0 {
			return nil
		}
		err := k.batchWrite(ctx, at.rows, requests)
		requests = nil
		return err
	}
	err := k.queryAll(ctx, in, func(i item) error {
		sort := bytesOf(i, attrSort)
		var r readRow
		if err := parseRowKey(sort, &r.event, &r.at); err != nil {
			return err
		}
		if !gone(&r) {
			return nil
		}
		if isSpilled(bytesOf(i, attrValue)) && k.cfg.Bucket != nil {
			if err := k.cfg.Bucket.Delete(ctx, objectKey(at.folder, partition, sort)); err != nil {
				return fmt.Errorf("delete a late row's value: %w", err)
			}
		}
		requests = append(requests, types.WriteRequest{DeleteRequest: &types.DeleteRequest{
			Key: item{attrPartition: blob(partition), attrSort: blob(sort)},
		}})
		if len(requests) < batchItems {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}
