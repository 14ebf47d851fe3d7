package pipeline

import (
	"context"
	"fmt"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema/profile"
	"github.com/fieldgate/fieldgate/sources/nearline"
)

// profileShare is how much of its time a shard may spend on writing profiles: one
// part in so many.
const profileShare = 20

// profiler profiles the events of one shard, and keeps the checkpoint up to which
// all of them are counted durably. A nil profiler does nothing.
type profiler struct {
	shard *profile.Shard
	stand *stand
	saver *saver
	// counted is up to where an earlier run has counted.
	counted stream.Sequence
}

// profiler begins to profile a shard; nil if nothing is to be. Where no run has
// profiled before, it begins behind what was noted.
func (in *input) profiler(ctx context.Context, st *stand, checkpoints stream.Checkpoints, noted stream.Sequence) (*profiler, error) {
	if in.cfg.Profiles == nil || in.name != LogStaged {
		return nil, nil
	}
	p := &profiler{shard: in.cfg.Profiles.Shard(uint64(st.shard)), stand: st, counted: noted}
	p.saver = &saver{
		checkpoints: checkpoints, consumer: ConsumerProfile, shard: st.shard, every: in.cfg.ProfilesEvery, stand: st, before: p.flush,
		share: profileShare,
	}
	found := false
	err := st.until(ctx, "load checkpoint", func(ctx context.Context) error {
		at, ok, err := in.checkpoints.Load(ctx, ConsumerProfile, st.shard)
		if ok {
			p.counted, found = at, true
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load checkpoint: %w", err)
	}
	if !found { // retention waits for it
		p.saver.moved(p.counted)
	}
	return p, nil
}

// note counts a stored event of what devices sent.
func (p *profiler) note(ctx context.Context, r *nearline.Row) error {
	if p == nil || r.Event.Dataset.Namespace != "" || r.Position.Seq.Compare(p.counted) <= 0 {
		return nil
	}
	return p.stand.until(ctx, "profile", func(ctx context.Context) error {
		return p.shard.Note(ctx, &r.Event, profile.Position(r.Position.Seq))
	})
}

func (p *profiler) flush(ctx context.Context) error {
	return p.shard.Flush(ctx, profile.Position(p.saver.at))
}

// moved says that all records up to seq are noted.
func (p *profiler) moved(seq stream.Sequence) {
	if p != nil && seq.Compare(p.counted) > 0 {
		p.saver.moved(seq)
	}
}

func (p *profiler) last(ctx context.Context) error {
	if p == nil {
		return nil
	}
	defer p.shard.End()
	return p.saver.last(ctx)
}
