package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// SpillConfig says what is spilled where.
type SpillConfig struct {
	// Log of staged records, and its name, LogStaged or LogErrors.
	Log  stream.Log
	Name string
	// Bucket takes the records that are too large for the log.
	Bucket objstore.Bucket
	// Max is the size in bytes of the largest record that stays in the log.
	// Default record.StagedMax.
	Max int
	// Grace is how long an object stays that no record points to: longer than a
	// Put takes. Default 2 h.
	Grace time.Duration
	// Interval is the pause between two sweeps. Default 10 min.
	Interval time.Duration
	Logger   *slog.Logger
	Now      func() time.Time
}

// Spill is a log of staged records of any size: one that is too large lies in an
// object, which is durable before the log has the pointer to it. Who reads sees
// the record itself. Run sweeps objects that no record points to any more, or
// never did.
type Spill struct {
	stream.Log
	cfg SpillConfig
}

var _ stream.Log = (*Spill)(nil)

// NewSpill makes a Spill over a log.
func NewSpill(cfg SpillConfig) (*Spill, error) {
	if cfg.Log == nil || cfg.Name == "" || cfg.Bucket == nil || cfg.Logger == nil {
		return nil, errors.New("spill: log, its name, bucket and logger are needed")
	}
	if cfg.Max == 0 {
		cfg.Max = record.StagedMax
	}
	if cfg.Grace == 0 {
		cfg.Grace = 2 * time.Hour
	}
	if cfg.Interval == 0 {
		cfg.Interval = 10 * time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Spill{Log: cfg.Log, cfg: cfg}, nil
}

// Put implements stream.Log.
func (s *Spill) Put(ctx context.Context, entries []stream.Entry) ([]stream.Placed, error) {
	var spilled []stream.Entry
	for i := range entries {
		if len(entries[i].Data) <= s.cfg.Max {
			continue
		}
		if spilled == nil {
			spilled = slices.Clone(entries)
		}
		pointer := record.PointTo(s.cfg.Name, s.cfg.Now(), entries[i].Data)
		// The key names the bytes, so what is there already is the same.
		if _, err := s.cfg.Bucket.PutIf(ctx, pointer.Key, entries[i].Data, ""); err != nil && !errors.Is(err, objstore.ErrPrecondition) {
			return nil, fmt.Errorf("put a staged record of %d bytes: %w", len(entries[i].Data), err)
		}
		spilled[i].Data = pointer.Append(nil)
	}
	if spilled != nil {
		entries = spilled
	}
	return s.Log.Put(ctx, entries)
}

// over is the Spill over another view of its log.
func (s *Spill) over(log stream.Log) *Spill { return &Spill{Log: log, cfg: s.cfg} }

// Iterate implements stream.Log.
func (s *Spill) Iterate(ctx context.Context, shard stream.ShardID, start stream.Start) (stream.Iterator, error) {
	it, err := s.Log.Iterate(ctx, shard, start)
	if err != nil {
		return nil, err
	}
	return &spillIterator{Iterator: it, bucket: s.cfg.Bucket, folder: record.SpillPrefix(s.cfg.Name)}, nil
}

// spillIterator fetches what records point to.
type spillIterator struct {
	stream.Iterator
	bucket objstore.Bucket
	folder string // of the log's spilled records
	// rest are records that the log has given and the caller has not got: large
	// ones fill a Next sooner than their pointers.
	rest []stream.Record
}

// Next implements stream.Iterator. After an error the caller opens another
// iterator: what could not be fetched is not lost.
func (it *spillIterator) Next(ctx context.Context, maxRecords, maxBytes int) ([]stream.Record, error) {
	if len(it.rest) == 0 {
		records, err := it.Iterator.Next(ctx, maxRecords, maxBytes)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(records, it.isPointer) {
			records = slices.Clone(records) // they are the log's
		}
		it.rest = records
	}
	size := 0
	for n := range it.rest {
		r := &it.rest[n]
		pointer, is := it.pointer(r.Data)
		length := len(r.Data)
		if is {
			length = pointer.Size
		}
		if n > 0 && (size+length > maxBytes || n >= maxRecords) {
			return it.give(n), nil
		}
		size += length
		if !is {
			continue
		}
		var err error
		if r.Data, err = it.fetch(ctx, &pointer); err != nil {
			r.Data = pointer.Append(nil)
			return nil, fmt.Errorf("record %s lies in an object: %w", r.Seq, err)
		}
	}
	return it.give(len(it.rest)), nil
}

// pointer reads a pointer to a record of this log. A raw record can begin like
// one, but then has no such key.
func (it *spillIterator) pointer(data []byte) (record.StagedPointer, bool) {
	p, is, err := record.ParseStagedPointer(data)
	return p, is && err == nil && strings.HasPrefix(p.Key, it.folder)
}

func (it *spillIterator) isPointer(r stream.Record) bool {
	_, is := it.pointer(r.Data)
	return is
}

// give takes n records off the rest.
func (it *spillIterator) give(n int) []stream.Record {
	out := it.rest[:n:n]
	it.rest = it.rest[n:]
	return out
}

// fetchBehind is for how long a fetch goes on when the Next has ended that began it. Who
// comes again and again for less time than the fetch takes would never get the record.
const fetchBehind = 5 * time.Second

func (it *spillIterator) fetch(ctx context.Context, p *record.StagedPointer) ([]byte, error) {
	within, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(fetchBehind, cancel) })()
	data, _, err := objstore.Read(within, it.bucket, p.Key)
	if err != nil {
		return nil, err
	}
	return data, p.Check(data)
}

// Run sweeps until ctx ends.
func (s *Spill) Run(ctx context.Context) error {
	tick := time.NewTicker(s.cfg.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if _, err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Logger.Error("sweep of spilled records will be tried again", "log", s.cfg.Name, "err", err)
		}
	}
}

// Sweep deletes the objects of hours so long ago that every record which could
// point to them has left the log.
func (s *Spill) Sweep(ctx context.Context) (deleted int, err error) {
	before, err := s.oldest(ctx)
	if err != nil {
		return 0, err
	}
	before = before.Add(-s.cfg.Grace - time.Hour)
	const page = 1000
	for after := ""; ; {
		infos, err := s.cfg.Bucket.List(ctx, record.SpillPrefix(s.cfg.Name), after, page)
		if err != nil {
			return deleted, fmt.Errorf("list spilled records: %w", err)
		}
		for _, info := range infos {
			after = info.Key
			hour, err := record.SpillHour(s.cfg.Name, info.Key)
			if err != nil {
				return deleted, err
			}
			if !hour.Before(before) {
				return deleted, nil // the keys are in the order of hours
			}
			if err := s.cfg.Bucket.Delete(ctx, info.Key); err != nil {
				return deleted, fmt.Errorf("delete a spilled record: %w", err)
			}
			deleted++
		}
		if len(infos) < page {
			return deleted, nil
		}
	}
}

// oldest is when the log took the oldest record that it still has, or now.
func (s *Spill) oldest(ctx context.Context) (time.Time, error) {
	oldest := s.cfg.Now()
	shards, err := s.Shards(ctx)
	if err != nil {
		return oldest, fmt.Errorf("list shards: %w", err)
	}
	for _, shard := range shards {
		first, err := s.Oldest(ctx, shard.ID)
		if err != nil {
			return oldest, fmt.Errorf("find the oldest record: %w", err)
		}
		tail, err := s.Tail(ctx, shard.ID, stream.Sequence{})
		if err != nil {
			return oldest, fmt.Errorf("find the newest record: %w", err)
		}
		if first.Compare(tail) > 0 {
			continue // it has none
		}
		it, err := s.Log.Iterate(ctx, shard.ID, stream.FromOldest())
		if err != nil {
			return oldest, fmt.Errorf("read the oldest record: %w", err)
		}
		records, err := it.Next(ctx, 1, 1)
		if err == nil && time.UnixMicro(records[0].ArrivedAt).Before(oldest) {
			oldest = time.UnixMicro(records[0].ArrivedAt)
		}
		if err = errors.Join(err, it.Close()); err != nil {
			return oldest, fmt.Errorf("read the oldest record: %w", err)
		}
	}
	return oldest, nil
}
