package compact

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

const (
	// listPage is how many keys are listed at once.
	listPage = 1000
	// idleAfter is how old a shard's floor may get while nothing comes; then the
	// log is asked again, so that a quiet shard does not make listings longer.
	idleAfter = 2 * time.Hour
	// clockSlack is how far the log's clock may be behind ours.
	clockSlack = time.Hour
	// gapPause is the least time between two looks at the whole archive because of
	// a gap.
	gapPause = time.Minute
)

// shardLinks is what a pass has to do in one shard.
type shardLinks struct {
	stream.Shard
	start stream.Sequence // its checkpoint
	want  stream.Sequence // up to where a forced pass goes
	links []link
	gap   bool
	// whole: the shard is closed, and the archive holds it to its end.
	whole bool
}

// end is how far the shard's links reach.
func (s *shardLinks) end() stream.Sequence {
	if len(s.links) == 0 {
		return s.start
	}
	return s.links[len(s.links)-1].to
}

// cut leaves out the links from the n-th on.
func (s *shardLinks) cut(n int) { s.links, s.whole = s.links[:n], false }

// findLinks lists the archive past the checkpoints, parents before their
// children. If ends are asked for, the archive should reach them (stream.EndOfShard is
// where a closed shard ends); short says where it does not.
func (p *pass) findLinks(ctx context.Context) (short, err error) {
	ends := p.ends
	found, err := p.findShards(ctx)
	if err != nil {
		return nil, err
	}
	err = eachShard(ctx, found, func(ctx context.Context, s *shardLinks) (err error) {
		if s.want = ends[s.ID]; s.want != stream.EndOfShard {
			return nil
		}
		if s.want, err = p.cfg.Log.Tail(ctx, s.ID, s.start); err != nil {
			return fmt.Errorf("find the end of shard %d: %w", s.ID, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := p.chainFrom(ctx, found, p.listFrom()); err != nil {
		return nil, err
	}
	lacks := func(s *shardLinks) bool { return s.gap || s.end().Compare(s.want) < 0 }
	if slices.ContainsFunc(found, lacks) && (ends != nil || p.cfg.Now().Sub(p.listedAll) >= gapPause) {
		// A straggler: the object with what is missing may begin long before the
		// checkpoint. It is worth a look at the whole archive.
		p.listedAll = p.cfg.Now()
		if err := p.chainFrom(ctx, found, ""); err != nil {
			return nil, err
		}
	}
	for _, s := range found {
		if s.gap {
			p.cfg.Logger.Error("the archive lacks records; the shard stands until they are delivered",
				"stage", p.cfg.Stage, "shard", uint64(s.ID), "after", s.end().String())
			if p.cfg.Events.Gap != nil {
				p.cfg.Events.Gap(s.ID, s.end())
			}
		}
		if ends != nil && lacks(s) {
			short = errors.Join(short, fmt.Errorf("shard %d of stage %s after %s: %w", s.ID, p.cfg.Stage, s.end(), ErrIncomplete))
		}
	}
	if ends == nil && p.cfg.Reached != nil {
		for _, s := range found {
			s.links = reached(s.links, p.cfg.Reached(s.ID), p.all)
		}
	}
	p.shards, err = p.parentsFirst(ctx, found)
	return short, err
}

// reached are the links up to a position; the last one in part, if that is wanted.
func reached(links []link, at stream.Sequence, partly bool) []link {
	for n := range links {
		l := &links[n]
		if l.through.Compare(at) <= 0 {
			continue
		}
		if partly && l.from.Compare(at) < 0 {
			l.to = at
			n++
		}
		return links[:n]
	}
	return links
}

// unfinished lists the shards with their checkpoints, without those that are
// closed and compacted to their end.
func (c *Compactor) unfinished(ctx context.Context) ([]*shardLinks, error) {
	shards, err := c.cfg.Log.Shards(ctx)
	if err != nil {
		return nil, fmt.Errorf("list shards: %w", err)
	}
	at, err := c.cfg.Checkpoints.All(ctx, Consumer)
	if err != nil {
		return nil, fmt.Errorf("list checkpoints: %w", err)
	}
	found := make([]*shardLinks, 0, len(shards))
	for _, s := range shards {
		if start := at[s.ID]; start != stream.EndOfShard {
			found = append(found, &shardLinks{Shard: s, start: start})
		}
	}
	return found, nil
}

// findShards lists the shards that are not finished, and sees to their floors.
func (c *Compactor) findShards(ctx context.Context) ([]*shardLinks, error) {
	found, err := c.unfinished(ctx)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(c.floors, func(id stream.ShardID, _ time.Time) bool {
		return !slices.ContainsFunc(found, func(s *shardLinks) bool { return s.ID == id })
	})
	var mu sync.Mutex // guards the floors
	return found, eachShard(ctx, found, func(ctx context.Context, s *shardLinks) error {
		mu.Lock()
		floor, ok := c.floors[s.ID]
		mu.Unlock()
		if ok && c.cfg.Now().Sub(floor) < idleAfter+clockSlack {
			return nil
		}
		floor, err := c.floorOf(ctx, s.ID, s.start)
		if err != nil {
			return fmt.Errorf("look into shard %d: %w", s.ID, err)
		}
		mu.Lock()
		defer mu.Unlock()
		c.floors[s.ID] = floor
		return nil
	})
}

// eachShard does something for several shards at once, which a stream that was split
// and merged often has many of.
func eachShard(ctx context.Context, shards []*shardLinks, do func(ctx context.Context, s *shardLinks) error) error {
	const atOnce = 8
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, s := range shards {
		g.Go(func() error { return do(within, s) })
	}
	return g.Wait()
}

// floorOf asks the log when it took the first record past the checkpoint. An
// object that begins there lies in that hour. If the log has none, what comes
// will be of now.
func (c *Compactor) floorOf(ctx context.Context, shard stream.ShardID, start stream.Sequence) (time.Time, error) {
	tail, err := c.cfg.Log.Tail(ctx, shard, start)
	if err != nil {
		return time.Time{}, err
	}
	if tail.Compare(start) <= 0 {
		return c.cfg.Now().Add(-clockSlack), nil
	}
	it, err := c.cfg.Log.Iterate(ctx, shard, stream.After(start))
	if errors.Is(err, stream.ErrTrimmed) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	records, err := it.Next(ctx, 1, 1)
	if err = errors.Join(err, it.Close()); err != nil {
		return time.Time{}, err
	}
	return time.UnixMicro(records[0].ArrivedAt), nil
}

// listFrom is where a listing starts: at the earliest floor.
func (c *Compactor) listFrom() string {
	var first time.Time
	started := false
	for _, floor := range c.floors {
		if !started || floor.Before(first) {
			first, started = floor, true
		}
	}
	if first.IsZero() {
		return ""
	}
	return record.HourPrefix(c.cfg.Stage, first)
}

// chainFrom lists the archive from a key on and chains what each shard has.
func (p *pass) chainFrom(ctx context.Context, shards []*shardLinks, from string) error {
	objects := map[stream.ShardID][]object{}
	starts := map[stream.ShardID]stream.Sequence{}
	for _, s := range shards {
		starts[s.ID] = s.start
	}
	for after := from; ; {
		infos, err := p.cfg.Bucket.List(ctx, record.ArchivePrefix(p.cfg.Stage), after, listPage)
		if err != nil {
			return fmt.Errorf("list the archive: %w", err)
		}
		for _, info := range infos {
			after = info.Key
			o, err := record.ParseObjectKey(info.Key)
			if err != nil {
				// Not ours; if something of ours is missing there is a gap.
				p.errs = append(p.errs, fmt.Errorf("list the archive: %w", err))
				continue
			}
			if o.Through.Compare(starts[o.Shard]) > 0 {
				objects[o.Shard] = append(objects[o.Shard], object{key: info.Key, hour: o.Hour, after: o.After, through: o.Through})
			}
		}
		if len(infos) < listPage {
			break
		}
	}
	for _, s := range shards {
		s.links, s.gap = chain(objects[s.ID], s.start)
	}
	return nil
}

// parentsFirst orders shards so that a shard comes after its parents, and leaves
// out those whose parents the archive does not hold to their end: of two events
// of one identity the one in the parent is the first.
func (c *Compactor) parentsFirst(ctx context.Context, found []*shardLinks) ([]*shardLinks, error) {
	slices.SortFunc(found, func(a, b *shardLinks) int { return cmp.Compare(a.ID, b.ID) })
	waits := map[stream.ShardID]bool{} // for listed shards not yet in ordered
	for _, s := range found {
		waits[s.ID] = true
	}
	var ordered []*shardLinks
	for more := true; more; {
		more = false
		for _, s := range found {
			if !waits[s.ID] || slices.ContainsFunc(s.Parents, func(p stream.ShardID) bool { return waits[p] }) {
				continue
			}
			ordered, more = append(ordered, s), true
			if s.Open {
				delete(waits, s.ID)
				continue
			}
			tail, err := c.cfg.Log.Tail(ctx, s.ID, s.start)
			if err != nil {
				return nil, fmt.Errorf("find the end of shard %d: %w", s.ID, err)
			}
			if s.whole = s.end().Compare(tail) >= 0; s.whole {
				delete(waits, s.ID)
			}
		}
		found = slices.DeleteFunc(slices.Clone(found), func(s *shardLinks) bool { return slices.Contains(ordered, s) })
	}
	return ordered, nil
}

// summary is what an object holds of each dataset.
type summary map[schema.Dataset]share

// share is one dataset's part of an object.
type share struct {
	bytes  int64
	oldest int64 // earliest arrival, microseconds since 1970 UTC
}

// summaryOf reads what an object holds, or remembers it.
func (c *Compactor) summaryOf(ctx context.Context, o object) (summary, error) {
	if known, ok := c.summaries[o.key]; ok {
		return known, nil
	}
	var sum summary
	err := c.openObject(ctx, o, func(r *record.StagedReader) error {
		sum = summary{}
		for _, d := range r.Summary().Datasets {
			sum[d.Dataset] = share{bytes: d.Bytes, oldest: d.OldestReceivedAt}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.summaries[o.key] = sum
	return sum, nil
}

// eachEvent calls visit with every event of an object, in order, until it returns
// false.
func (c *Compactor) eachEvent(ctx context.Context, o object, visit func(e *schema.Event, at stream.Position) bool) error {
	return c.openObject(ctx, o, func(r *record.StagedReader) error {
		return r.Read(func(at stream.Position, e *schema.Event) bool { return visit(e, at) })
	})
}

func (c *Compactor) openObject(ctx context.Context, o object, use func(*record.StagedReader) error) error {
	body, _, err := c.cfg.Bucket.Get(ctx, o.key)
	if err != nil {
		return fmt.Errorf("read the archive: %w", err)
	}
	r, err := record.NewStagedReader(body)
	if err != nil {
		return fmt.Errorf("read %s: %w", o.key, errors.Join(err, body.Close()))
	}
	err = use(r)
	r.Close()
	if err = errors.Join(err, body.Close()); err != nil {
		return fmt.Errorf("read %s: %w", o.key, err)
	}
	return nil
}
