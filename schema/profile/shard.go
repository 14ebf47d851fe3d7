package profile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/schema"
)

// Position stands for a record of a shard, as its sequence number does, most
// significant word first.
type Position [3]uint64

// Compare is -1, 0 or +1 as p is before, at or after o.
func (p Position) Compare(o Position) int { return slices.Compare(p[:], o[:]) }

// flushers is how many profiles are written at a time.
const flushers = 8

// Shard profiles the events of one shard of the log. One goroutine notes and
// flushes; others may read.
type Shard struct {
	profiles *Profiles
	number   uint64
	casts    *castCache
	// last is the profile of the event before.
	last *live
	tick uint64

	mu   sync.Mutex // guards what follows
	live map[schema.Dataset]*live
}

// Note counts an event whose record stands at a position, unless it is counted
// already. It keeps nothing of e. It reads the dataset's profile if it is not in
// memory.
func (s *Shard) Note(ctx context.Context, e *schema.Event, at Position) error {
	l := s.last
	if l == nil || l.dataset != e.Dataset {
		var err error
		if l, err = s.open(ctx, e.Dataset); err != nil {
			return err
		}
		s.last = l
	}
	if at.Compare(l.stored.through) <= 0 {
		return nil
	}
	s.tick++
	l.used = s.tick
	l.note(e, s.casts)
	return nil
}

// open finds the profile of a dataset in memory, or reads or begins it.
func (s *Shard) open(ctx context.Context, ds schema.Dataset) (*live, error) {
	if l := s.find(ds); l != nil {
		return l, nil
	}
	stored, err := s.profiles.load(ctx, ds, func(shard uint64) bool { return shard == s.number })
	if err != nil && !errors.Is(err, errTorn) {
		return nil, err
	}
	l := newLive(ds)
	if of, ok := stored[s.number]; ok {
		switch {
		case of.document != nil:
			if l, err = restore(ds, of.document, of.chunks); err != nil {
				return nil, err
			}
		case err != nil:
			// What is torn while nobody else writes it stays so. It is lost, and begun anew.
			of.through = Position{}
		}
		l.stored = of.storedProfile
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[l.dataset] = l
	return l, nil
}

func (s *Shard) find(ds schema.Dataset) *live {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[ds]
}

// Flush makes what was noted durable, as counted up to a position: that of the
// last record of which all events were noted.
func (s *Shard) Flush(ctx context.Context, through Position) error {
	all := s.all()
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(flushers)
	for _, l := range all {
		if !l.isDirty() {
			continue
		}
		group.Go(func() error {
			err := s.profiles.write(within, l, s.number, through)
			if errors.Is(err, schema.ErrConflict) {
				// Another process has this shard; what it counted stands.
				s.forget(l)
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("write profiles: %w", err)
	}
	s.evict(all)
	return nil
}

// End says that this process profiles the shard no more: what is to be known of it
// is what is written.
func (s *Shard) End() {
	s.profiles.mu.Lock()
	defer s.profiles.mu.Unlock()
	if s.profiles.shards[s.number] == s {
		delete(s.profiles.shards, s.number)
	}
}

func (s *Shard) all() []*live {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*live, 0, len(s.live))
	for _, l := range s.live {
		out = append(out, l)
	}
	return out
}

func (l *live) isDirty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dirty
}

func (s *Shard) forget(l *live) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, l.dataset)
	if s.last == l {
		s.last = nil
	}
}

// evict drops the profiles that were used longest ago from memory, all of which
// are written, until the rest fits.
func (s *Shard) evict(all []*live) {
	total := 0
	sizes := make(map[*live]int, len(all))
	for _, l := range all {
		sizes[l] = l.bytes()
		total += sizes[l]
	}
	slices.SortFunc(all, func(a, b *live) int { return cmp.Compare(a.used, b.used) })
	for _, l := range all {
		if total <= s.profiles.cfg.ShardBytes {
			return
		}
		s.forget(l)
		total -= sizes[l]
	}
}
