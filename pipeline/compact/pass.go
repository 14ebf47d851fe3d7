package compact

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
)

// maxStale is how often a pass is worked out anew because another committer was
// faster, before it is left to the next look.
const maxStale = 5

// summary is what an object holds of each dataset.
type summary map[schema.Dataset]share

// share is one dataset's part of an object.
type share struct {
	events int64
	bytes  int64
	oldest int64 // earliest arrival, microseconds since 1970 UTC
}

// pass is the state of one pass over the archive.
type pass struct {
	*Compactor
	// links are the chains past the checkpoints, and done how far each shard has
	// been read in this pass.
	links map[stream.ShardID][]link
	done  sources.Watermarks
	// versions are the manifests of the datasets met, as last read or committed.
	versions map[schema.Dataset]*lake.Version
	// groups gather the new rows of the due datasets.
	groups map[schema.Dataset]*group
	bytes  int
}

// group gathers one dataset's rows.
type group struct {
	builder sources.Builder
	seen    map[lake.Identity]schema.ID
	dropped int // duplicates among the rows read in this pass
}

// compactAll runs passes until nothing is due.
func (c *Compactor) compactAll(ctx context.Context, force bool) error {
	for stale := 0; ; {
		touched, err := c.onePass(ctx, force)
		if errors.Is(err, lake.ErrStale) && stale < maxStale {
			stale++
			continue
		}
		if err != nil {
			return err
		}
		return c.mergeSmall(ctx, touched)
	}
}

// onePass compacts the due datasets up to the end of the chains and moves the
// checkpoints. It returns the datasets that got files.
func (c *Compactor) onePass(ctx context.Context, force bool) ([]schema.Dataset, error) {
	p := &pass{
		Compactor: c, links: map[stream.ShardID][]link{}, done: sources.Watermarks{},
		versions: map[schema.Dataset]*lake.Version{}, groups: map[schema.Dataset]*group{},
	}
	if err := p.findLinks(ctx); err != nil {
		return nil, err
	}
	due, err := p.due(ctx, force)
	if err != nil {
		return nil, err
	}
	touched := slices.Collect(maps.Keys(due))
	for shard, links := range p.links {
		for _, l := range links {
			if p.holdsAny(l, due) {
				if err := p.read(ctx, l, due); err != nil {
					return touched, err
				}
			}
			p.done[shard] = l.through
			if p.bytes >= c.cfg.PassBytes {
				if err := p.flush(ctx); err != nil {
					return touched, err
				}
			}
		}
	}
	if err := p.flush(ctx); err != nil {
		return touched, err
	}
	return touched, p.moveCheckpoints(ctx)
}

// findLinks lists the archive past the checkpoints.
func (p *pass) findLinks(ctx context.Context) error {
	shards, err := p.cfg.Shards(ctx)
	if err != nil {
		return fmt.Errorf("list shards: %w", err)
	}
	objects, err := p.listObjects(ctx)
	if err != nil {
		return err
	}
	for _, s := range shards {
		start, _, err := p.cfg.Checkpoints.Load(ctx, Consumer, s.ID)
		if err != nil {
			return fmt.Errorf("load checkpoint: %w", err)
		}
		links, gap := chain(objects[s.ID], start)
		if gap {
			at := start
			if len(links) > 0 {
				at = links[len(links)-1].through
			}
			p.cfg.Logger.Error("the archive lacks records; the shard stands until they are delivered",
				"stage", p.cfg.Stage, "shard", uint64(s.ID), "after", at.String())
			if p.cfg.Events.Gap != nil {
				p.cfg.Events.Gap(s.ID, at)
			}
		}
		p.links[s.ID] = links
	}
	return nil
}

// due finds the datasets that go now.
func (p *pass) due(ctx context.Context, force bool) (map[schema.Dataset]bool, error) {
	pending := map[schema.Dataset]share{}
	for shard, links := range p.links {
		for _, l := range links {
			sum, err := p.summaryOf(ctx, l.object)
			if err != nil {
				return nil, err
			}
			for ds, part := range sum {
				v, err := p.version(ctx, ds)
				if err != nil {
					return nil, err
				}
				if v.Watermarks()[shard].Compare(l.through) >= 0 {
					continue
				}
				sum, ok := pending[ds]
				if !ok || part.oldest < sum.oldest {
					sum.oldest = part.oldest
				}
				sum.bytes += part.bytes
				pending[ds] = sum
			}
		}
	}
	tooOld := p.cfg.Now().Add(-p.cfg.MaxAge).UnixMicro()
	due := map[schema.Dataset]bool{}
	for ds, sum := range pending {
		if force || sum.bytes >= p.cfg.MinBytes || sum.oldest <= tooOld {
			due[ds] = true
		}
	}
	return due, nil
}

func (p *pass) version(ctx context.Context, ds schema.Dataset) (*lake.Version, error) {
	if v := p.versions[ds]; v != nil {
		return v, nil
	}
	v, err := p.cfg.Lake.Version(ctx, ds)
	if err != nil {
		return nil, err
	}
	p.versions[ds] = v
	return v, nil
}

func (p *pass) holdsAny(l link, due map[schema.Dataset]bool) bool {
	for ds := range p.summaries[l.key] {
		if due[ds] {
			return true
		}
	}
	return false
}

// read takes the due events of an object that neither the links before it nor
// the lake hold.
func (p *pass) read(ctx context.Context, l link, due map[schema.Dataset]bool) error {
	watermarks := map[schema.Dataset]stream.Sequence{}
	for ds := range due {
		watermarks[ds] = p.versions[ds].Watermarks()[l.shard]
	}
	return p.eachEvent(ctx, l.object, func(e *schema.Event, at stream.Position) error {
		if !due[e.Dataset] || at.Seq.Compare(l.from) <= 0 || at.Seq.Compare(watermarks[e.Dataset]) <= 0 {
			return nil
		}
		g := p.groups[e.Dataset]
		if g == nil {
			g = &group{seen: map[lake.Identity]schema.ID{}}
			p.groups[e.Dataset] = g
		}
		key := lake.Identity{Time: e.Time, ID: e.ID}
		if first, ok := g.seen[key]; ok {
			g.dropped++
			return p.refuse(ctx, first, e, at)
		}
		g.seen[key] = e.Hash
		g.builder.Add(e, at)
		p.bytes += eventBytes(e)
		return nil
	})
}

// eventBytes is about what an event takes in a builder.
func eventBytes(e *schema.Event) int {
	const fixed, value = 128, 12
	n := fixed + value*len(e.Values)
	for i := range e.Values {
		n += len(e.Values[i].Text)
	}
	return n
}

// refuse drops an event whose identity is taken; with another body it is a
// conflict, and an error row.
func (p *pass) refuse(ctx context.Context, first schema.ID, e *schema.Event, at stream.Position) error {
	if first == e.Hash || p.cfg.Conflict == nil {
		return nil
	}
	if err := p.cfg.Conflict(ctx, e, at); err != nil {
		return fmt.Errorf("note conflict: %w", err)
	}
	return nil
}

// flush commits what was gathered, up to where each shard was read.
func (p *pass) flush(ctx context.Context) error {
	for ds, g := range p.groups {
		if err := p.commit(ctx, ds, g); err != nil {
			return fmt.Errorf("compact %s: %w", ds.Metric, err)
		}
		delete(p.groups, ds)
	}
	p.bytes = 0
	return nil
}

// commit writes one dataset's new rows and moves its watermarks.
func (p *pass) commit(ctx context.Context, ds schema.Dataset, g *group) error {
	v := p.versions[ds]
	batch := g.builder.Batch()
	order, duplicates, err := p.newRows(ctx, v, batch)
	if err != nil {
		return err
	}
	var files []*lake.File
	if len(order) > 0 {
		var declared map[string]bool
		if p.cfg.Declared != nil {
			if declared, err = p.cfg.Declared(ctx, ds); err != nil {
				return fmt.Errorf("read declared names: %w", err)
			}
		}
		if files, err = p.cfg.Lake.Write(ctx, ds, []*sources.Batch{batch}, order, declared); err != nil {
			return err
		}
	}
	from, to := v.Watermarks(), sources.Watermarks{}
	for shard, at := range p.done {
		if at.Compare(from[shard]) > 0 {
			to[shard] = at
		}
	}
	next, err := p.cfg.Lake.Commit(ctx, v, lake.Commit{Add: files, From: from, To: to})
	if err != nil {
		return err
	}
	p.versions[ds] = next
	if p.cfg.Events.Compacted != nil {
		p.cfg.Events.Compacted(ds, len(order), duplicates+g.dropped, len(files))
	}
	if p.cfg.Tail != nil {
		if err := p.cfg.Tail.Trim(ctx, ds, next.Watermarks()); err != nil {
			return fmt.Errorf("trim the tail: %w", err)
		}
	}
	return nil
}

// newRows sorts the rows that the lake does not hold yet by time.
func (p *pass) newRows(ctx context.Context, v *lake.Version, b *sources.Batch) (order []lake.Row, duplicates int, err error) {
	known, err := v.Known(ctx, b.TS, b.IDs)
	if err != nil {
		return nil, 0, err
	}
	order = make([]lake.Row, 0, b.Rows)
	for r := range b.Rows {
		first, ok := known[lake.Identity{Time: b.TS[r], ID: b.IDs[r]}]
		if !ok {
			order = append(order, lake.Row{Row: uint32(r)})
			continue
		}
		duplicates++
		if first != b.Hashes[r] {
			e := b.Event(r, v.Dataset())
			if err := p.refuse(ctx, first, &e, b.Positions[r]); err != nil {
				return nil, 0, err
			}
		}
	}
	slices.SortFunc(order, func(x, y lake.Row) int {
		return cmp.Or(cmp.Compare(b.TS[x.Row], b.TS[y.Row]), b.IDs[x.Row].Compare(b.IDs[y.Row]))
	})
	return order, duplicates, nil
}

// moveCheckpoints moves each shard's checkpoint over the objects of which every
// dataset is compacted.
func (p *pass) moveCheckpoints(ctx context.Context) error {
	for shard, links := range p.links {
		moved := 0
		for moved < len(links) && p.compacted(links[moved]) {
			moved++
		}
		if moved == 0 {
			continue
		}
		if err := p.cfg.Checkpoints.Save(ctx, Consumer, shard, links[moved-1].through); err != nil {
			return fmt.Errorf("save checkpoint: %w", err)
		}
		for _, l := range links[:moved] {
			delete(p.summaries, l.key)
		}
		p.passed[shard] = links[moved-1].key
	}
	return p.startListing()
}

// compacted says that the lake holds everything of an object.
func (p *pass) compacted(l link) bool {
	for ds := range p.summaries[l.key] {
		if p.versions[ds].Watermarks()[l.shard].Compare(l.through) < 0 {
			return false
		}
	}
	return true
}
