package pipeline

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// progress is how far a stage has got in each shard of a log, for who waits.
type progress struct {
	mu     sync.Mutex
	shards map[stream.ShardID]mark
	// began has where each shard was first.
	began   map[stream.ShardID]stream.Sequence
	changed chan struct{} // closed at the next change; nil if nobody waits
}

// mark is the last record a stage is done with.
type mark struct {
	seq       stream.Sequence
	arrivedAt int64 // microseconds since 1970 UTC; 0 if not known
}

func newProgress() *progress {
	return &progress{shards: map[stream.ShardID]mark{}, began: map[stream.ShardID]stream.Sequence{}}
}

// advance notes that everything up to the mark is done. It does not go back.
func (p *progress) advance(shard stream.ShardID, to mark) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, known := p.shards[shard]
	switch {
	case !known:
		p.began[shard] = to.seq
	case at.seq.Compare(to.seq) >= 0:
		return
	}
	p.shards[shard] = to
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

// seen gives where a shard is, or else where the consumer's checkpoint is.
func (p *progress) seen(checkpoints stream.Checkpoints, consumer string) seenFunc {
	return func(ctx context.Context, shard stream.ShardID) (stream.Sequence, error) {
		if m, begun := p.at(shard); begun {
			return m.seq, nil
		}
		return savedAt(checkpoints, consumer)(ctx, shard)
	}
}

// savedAt gives where the consumer's checkpoint of a shard is.
func savedAt(checkpoints stream.Checkpoints, consumer string) seenFunc {
	return func(ctx context.Context, shard stream.ShardID) (stream.Sequence, error) {
		at, _, err := checkpoints.Load(ctx, consumer, shard)
		return at, err
	}
}

// finish notes that a closed shard is done.
func (p *progress) finish(shard stream.ShardID) {
	last, _ := p.at(shard)
	p.advance(shard, mark{stream.EndOfShard, last.arrivedAt})
}

// at gives how far a shard is; false if the stage has not begun it.
func (p *progress) at(shard stream.ShardID) (mark, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, known := p.shards[shard]
	return m, known
}

// covers says that the stage has done all of a shard's records in (after, through].
func (p *progress) covers(shard stream.ShardID, after, through stream.Sequence) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	began, known := p.began[shard]
	return known && began.Compare(after) <= 0 && p.shards[shard].seq.Compare(through) >= 0
}

// ends are the last sequences of shards at some moment.
type ends map[stream.ShardID]stream.Sequence

// seenFunc gives a sequence that a shard has had, or zero: its end is looked for
// from there on.
type seenFunc func(ctx context.Context, shard stream.ShardID) (stream.Sequence, error)

// endsAtOnce is how many shards' ends are looked for at once.
const endsAtOnce = 16

// endsOf reads where the shards of a log end now. A closed one ends with
// stream.EndOfShard, which a stage's mark is when it has read the shard: nothing
// is read to know that, however many there are.
func endsOf(ctx context.Context, log stream.Log, seen seenFunc) (ends, error) {
	out := ends{}
	for {
		shards, err := log.Shards(ctx)
		if err != nil {
			return nil, fmt.Errorf("list shards: %w", err)
		}
		shards = slices.DeleteFunc(slices.Clone(shards), func(s stream.Shard) bool { _, known := out[s.ID]; return known })
		if len(shards) == 0 {
			return out, nil
		}
		tails := make([]stream.Sequence, len(shards))
		g, within := errgroup.WithContext(ctx)
		g.SetLimit(endsAtOnce)
		for i, s := range shards {
			if tails[i] = stream.EndOfShard; !s.Open {
				continue
			}
			g.Go(func() error {
				known, err := seen(within, s.ID)
				if err == nil {
					tails[i], err = log.Tail(within, s.ID, known)
				}
				if err != nil {
					return fmt.Errorf("read the end of shard %d: %w", s.ID, err)
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			return nil, err
		}
		for i, s := range shards {
			out[s.ID] = tails[i]
		}
		// One that was listed as open may have ended before the call: what was put
		// since then is in its children, which a list has from now on.
	}
}

// wait returns when every shard has reached its end.
func (p *progress) wait(ctx context.Context, to ends) error {
	for {
		changed := p.behind(to)
		if changed == nil {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// savedPause is the pause between two looks at checkpoints that others save.
const savedPause = 200 * time.Millisecond

// waitSaved returns when the consumer's checkpoint of every shard, whoever saves
// it, has reached its end.
func waitSaved(ctx context.Context, checkpoints stream.Checkpoints, consumer string, to ends) error {
	for {
		saved, err := hasSaved(ctx, checkpoints, consumer, to)
		if saved || err != nil {
			return err
		}
		if err := wait(ctx, savedPause); err != nil {
			return err
		}
	}
}

// hasSaved says that the consumer's checkpoint of every shard is at its end. All are
// listed at once: a stream that was resharded often has many shards.
func hasSaved(ctx context.Context, checkpoints stream.Checkpoints, consumer string, to ends) (bool, error) {
	at, err := checkpoints.All(ctx, consumer)
	if err != nil {
		return false, err
	}
	for shard, end := range to {
		if at[shard].Compare(end) < 0 {
			return false, nil
		}
	}
	return true, nil
}

// behind gives a channel that is closed at the next change, or nil if every shard
// has reached its end.
func (p *progress) behind(to ends) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	for shard, end := range to {
		if at, known := p.shards[shard]; !known && !end.IsZero() || at.seq.Compare(end) < 0 {
			if p.changed == nil {
				p.changed = make(chan struct{})
			}
			return p.changed
		}
	}
	return nil
}
