package compact

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
)

const (
	// maxStale is how often a pass is worked out because another committer was
	// faster, before it is left to the next look.
	maxStale = 6
	// maxFailures is how many datasets may fail in a pass; then what is wrong is
	// not with them.
	maxFailures = 8
)

// pass is the state of one pass over the archive.
type pass struct {
	*Compactor
	demand
	shards []*shardLinks
	// done is how far each shard has been read in this pass.
	done sources.Watermarks
	// versions are the manifests of the datasets met, as last read or committed.
	versions map[schema.Dataset]*lake.Version
	// due are the datasets that go in this pass, and passed those of them whose
	// watermarks are behind what was read.
	due, passed map[schema.Dataset]bool
	// groups gather the new rows of the due datasets; bytes is what they take.
	groups map[schema.Dataset]*group
	bytes  int
	// touched are the datasets that got files, failed those that are left alone
	// for the rest of the pass, and errs say why.
	touched, failed map[schema.Dataset]bool
	errs            []error
}

// demand is what is asked of a pass. The zero demand compacts what is due.
type demand struct {
	// all compacts every dataset, due or not.
	all bool
	// ends, if given, are how far the archive must reach; the pass compacts up to
	// its end. Without ends it leaves what memory has not come to.
	ends sources.Watermarks
}

// pass compacts datasets up to the end of the chains and moves the checkpoints. It
// returns the datasets that got files.
func (c *Compactor) pass(ctx context.Context, of demand) ([]schema.Dataset, error) {
	p := &pass{
		Compactor: c, demand: of, done: sources.Watermarks{}, versions: map[schema.Dataset]*lake.Version{}, passed: map[schema.Dataset]bool{},
		groups: map[schema.Dataset]*group{}, touched: map[schema.Dataset]bool{}, failed: map[schema.Dataset]bool{},
	}
	short, err := p.findLinks(ctx)
	if err != nil {
		return nil, err
	}
	if short != nil {
		p.errs = append(p.errs, short)
	}
	p.forgetSummaries()
	if err = p.findDue(ctx); err == nil {
		err = p.run(ctx)
	}
	return slices.Collect(maps.Keys(p.touched)), errors.Join(append(p.errs, err)...)
}

// run reads and commits. The error is one that ends the pass.
func (p *pass) run(ctx context.Context) error {
	for _, s := range p.shards {
		for n, l := range s.links {
			unread, err := p.readLink(ctx, s.ID, l)
			if err != nil {
				return err
			}
			if unread != nil {
				p.errs = append(p.errs, unread)
				s.cut(n)
				break
			}
			p.done[s.ID] = l.to
		}
	}
	if err := p.flush(ctx, 0); err != nil {
		return err
	}
	if err := p.moveCheckpoints(ctx); err != nil {
		return err
	}
	return p.trimTail(ctx)
}

// fail leaves a dataset alone, or ends the pass: when it is cancelled, or when so
// much fails that it is not the datasets.
func (p *pass) fail(ctx context.Context, ds schema.Dataset, err error) error {
	err = fmt.Errorf("compact %s of tenant %s: %w", ds.Metric, ds.Tenant, err)
	if ctx.Err() != nil || len(p.failed) >= maxFailures {
		return err
	}
	p.errs = append(p.errs, err)
	p.failed[ds] = true
	delete(p.due, ds)
	delete(p.passed, ds)
	if g := p.groups[ds]; g != nil {
		p.bytes -= g.bytes
		delete(p.groups, ds)
	}
	return nil
}

// findDue finds the datasets that go now.
func (p *pass) findDue(ctx context.Context) error {
	p.due = map[schema.Dataset]bool{}
	pending := map[schema.Dataset]share{}
	for _, s := range p.shards {
		for n, l := range s.links {
			sum, err := p.summaryOf(ctx, l.object)
			if err != nil {
				if ctx.Err() != nil {
					return err
				}
				p.errs = append(p.errs, err)
				s.cut(n)
				break
			}
			inTheWay := len(s.links)-n > p.cfg.MaxObjects
			for ds, part := range sum {
				v, err := p.version(ctx, ds)
				if err != nil {
					return err
				}
				if v == nil || v.Watermark(s.ID).Compare(l.to) >= 0 {
					continue
				}
				all, ok := pending[ds]
				if !ok || part.oldest < all.oldest {
					all.oldest = part.oldest
				}
				all.bytes += part.bytes
				pending[ds] = all
				if p.all || inTheWay {
					p.due[ds] = true
				}
			}
		}
	}
	tooOld := p.cfg.Now().Add(-p.cfg.MaxAge).UnixMicro()
	for ds, sum := range pending {
		if sum.bytes >= p.cfg.MinBytes || sum.oldest <= tooOld {
			p.due[ds] = true
		}
	}
	return p.takeDue(ctx)
}

// takeDue leaves those of the due datasets that other processes compact.
func (p *pass) takeDue(ctx context.Context) error {
	if p.cfg.Leases == nil {
		return nil
	}
	others, err := p.shared.begin(ctx)
	if err != nil {
		return err
	}
	maps.DeleteFunc(p.shared.left, func(ds schema.Dataset, _ time.Time) bool { return !p.due[ds] })
	for ds := range p.due {
		mine, err := p.shared.take(ctx, ds, others)
		if err != nil {
			return err
		}
		if !mine {
			delete(p.due, ds)
			continue
		}
		// Who had the lease before may have moved the manifest since it was read.
		delete(p.versions, ds)
		if _, err := p.version(ctx, ds); err != nil {
			return err
		}
	}
	return nil
}

// version is a dataset's manifest, or nil if the dataset has failed.
func (p *pass) version(ctx context.Context, ds schema.Dataset) (*lake.Version, error) {
	if v := p.versions[ds]; v != nil || p.failed[ds] {
		return v, nil
	}
	v, err := p.cfg.Lake.Version(ctx, ds)
	if err != nil {
		return nil, p.fail(ctx, ds, err)
	}
	p.versions[ds] = v
	return v, nil
}

// readLink takes the due events of an object that neither the links before it
// nor the lake hold, from memory or from the object. An object that cannot be read stops its shard: unread.
func (p *pass) readLink(ctx context.Context, shard stream.ShardID, l link) (unread, err error) {
	from := map[schema.Dataset]stream.Sequence{}
	for ds := range p.summaries[l.key] {
		if at := p.watermark(ds, shard); p.due[ds] && at.Compare(l.to) < 0 {
			from[ds] = at
			p.passed[ds] = true
		}
	}
	if len(from) == 0 {
		return nil, nil
	}
	held, ok := p.held(shard, l, from)
	if !ok {
		return p.readObject(ctx, shard, l, from)
	}
	for ds, rows := range held {
		p.bytes += p.group(ds).hold(rows)
	}
	return nil, p.relieve(ctx, shard, l.to)
}

// held gives the rows of a link if all of them are held in memory. from has the
// datasets that are wanted, and up to where each was compacted. It is all or
// nothing: what is committed while an object is read is committed of every
// dataset up to where it was read.
func (p *pass) held(shard stream.ShardID, l link, from map[schema.Dataset]stream.Sequence) (map[schema.Dataset][]sources.BatchSplit, bool) {
	if p.cfg.Held == nil {
		return nil, false
	}
	held := make(map[schema.Dataset][]sources.BatchSplit, len(from))
	for ds, after := range from {
		if after.Compare(l.from) < 0 {
			after = l.from
		}
		rows, ok := p.cfg.Held(ds, shard, after, l.to)
		if !ok {
			return nil, false
		}
		held[ds] = rows
	}
	return held, true
}

// readObject gathers events of an object. from has the datasets that are wanted,
// and up to where each was compacted.
func (p *pass) readObject(ctx context.Context, shard stream.ShardID, l link, from map[schema.Dataset]stream.Sequence) (unread, err error) {
	var last stream.Sequence
	unread = p.eachEvent(ctx, l.object, func(e *schema.Event, at stream.Position) bool {
		if err = ctx.Err(); err == nil && at.Seq.Compare(last) != 0 {
			err = p.relieve(ctx, shard, last)
			last = at.Seq
		}
		if err != nil || at.Seq.Compare(l.to) > 0 {
			return false
		}
		after, ok := from[e.Dataset]
		if !ok || at.Seq.Compare(l.from) <= 0 || at.Seq.Compare(after) <= 0 || p.failed[e.Dataset] {
			return true
		}
		p.bytes += p.group(e.Dataset).add(e, at)
		return true
	})
	return unread, err
}

// group is what has been gathered of a dataset.
func (p *pass) group(ds schema.Dataset) *group {
	g := p.groups[ds]
	if g == nil {
		g = &group{}
		p.groups[ds] = g
	}
	return g
}

// relieve commits the largest groups if what is gathered takes too much memory.
// All events of the shard up to a sequence have been gathered.
func (p *pass) relieve(ctx context.Context, shard stream.ShardID, through stream.Sequence) error {
	if p.bytes < p.cfg.PassBytes {
		return nil
	}
	if through.Compare(p.done[shard]) > 0 {
		p.done[shard] = through
	}
	return p.flush(ctx, p.cfg.PassBytes/2)
}

func (p *pass) watermark(ds schema.Dataset, shard stream.ShardID) stream.Sequence {
	if v := p.versions[ds]; v != nil {
		return v.Watermark(shard)
	}
	return stream.Sequence{}
}

// moveCheckpoints moves each shard's checkpoint over the objects of which every
// dataset is compacted: to the end of a closed shard when they are all.
func (p *pass) moveCheckpoints(ctx context.Context) error {
	for _, s := range p.shards {
		moved := 0
		for moved < len(s.links) && p.compacted(s.ID, s.links[moved]) {
			moved++
		}
		to := s.start
		if moved > 0 {
			to = s.links[moved-1].through
		}
		if s.whole && moved == len(s.links) {
			to = stream.EndOfShard
		}
		if to == s.start {
			continue
		}
		if err := p.cfg.Checkpoints.Save(ctx, Consumer, s.ID, to); err != nil {
			return fmt.Errorf("save checkpoint: %w", err)
		}
		// A shard's hours never go back.
		if moved > 0 && p.floors[s.ID].Before(s.links[moved-1].hour) {
			p.floors[s.ID] = s.links[moved-1].hour
		}
	}
	return nil
}

// compacted says that the lake holds everything of an object.
func (p *pass) compacted(shard stream.ShardID, l link) bool {
	for ds := range p.summaries[l.key] {
		if p.failed[ds] || p.watermark(ds, shard).Compare(l.through) < 0 {
			return false
		}
	}
	return true
}

// forgetSummaries keeps those of the objects that are still ahead.
func (p *pass) forgetSummaries() {
	ahead := map[string]bool{}
	for _, s := range p.shards {
		for _, l := range s.links {
			ahead[l.key] = true
		}
	}
	maps.DeleteFunc(p.summaries, func(key string, _ summary) bool { return !ahead[key] })
}

// trimTail tells the tail what the lake holds of every dataset met: also of those
// that an earlier pass committed and died before it could tell.
func (p *pass) trimTail(ctx context.Context) error {
	if p.cfg.Tail == nil {
		return nil
	}
	for ds, v := range p.versions {
		if err := p.cfg.Tail.Trim(ctx, ds, v.Watermarks()); err != nil {
			p.errs = append(p.errs, fmt.Errorf("trim %s in the tail: %w", ds.Metric, err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
