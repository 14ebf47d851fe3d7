package kinesis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// A quiet says of a shard that whatever comes after a record arrived at a time or
// later. While Kinesis still has all that arrived since, it is known that nothing
// after the record has been freed, though the record itself is. Iterators that
// read a shard to its end know that, and note it now and then: a shard that gets
// nothing for longer than Kinesis keeps records is read on when something comes.
//
// In the KV it is {"format": 1, "after": "123", "until": micros} under
// streams/{stream}/quiet/{shard, 20 digits}.
type quiet struct {
	After stream.Sequence // as past says; zero: the beginning of the shard
	Until time.Time
}

// quietFormat is the version of a stored quiet.
const quietFormat = 1

type storedQuiet struct {
	Format int             `json:"format"`
	After  stream.Sequence `json:"after"`
	Until  int64           `json:"until"` // microseconds since 1970 UTC
}

// quietShare is the part of the retention that is left for clocks that differ,
// and after which a quiet is saved again.
const quietShare = 8

// forever is until when a closed shard stays as it is.
func forever() time.Time { return time.UnixMicro(1 << 52) }

// freedBefore is a time such that Kinesis has what arrived since.
func (s *Stream) freedBefore(now time.Time) time.Time {
	return now.Add(-s.retention + s.retention/quietShare)
}

// nothingFreed says that nothing of the shard after a record has been freed; the
// zero sequence is the shard's beginning.
func (s *Stream) nothingFreed(ctx context.Context, sh *shard, after stream.Sequence) (bool, error) {
	since := s.freedBefore(time.Now())
	if after.IsZero() {
		if s.created.After(since) {
			return true, nil
		}
		// A shard that is listed was closed less than the retention ago, so its
		// children are younger than that.
		all, err := s.shards(ctx, s.cfg.ShardsAge)
		if err != nil {
			return false, err
		}
		for i := range all {
			for _, parent := range sh.Parents {
				if all[i].ID == parent {
					return true, nil
				}
			}
		}
	} else {
		after = past(after)
	}
	covers := func(q quiet) bool { return q.After == after && q.Until.After(since) }
	s.mu.Lock()
	known := s.state(sh.ID).quiet
	s.mu.Unlock()
	if covers(known) {
		return true, nil
	}
	stored, err := s.loadQuiet(ctx, sh.ID)
	return covers(stored), err
}

// sawNothing notes that a shard ended with a record when a batch was asked for.
// arrived is when the record did.
func (s *Stream) sawNothing(ctx context.Context, sh *shard, after stream.Sequence, arrived int64, b batch) {
	q := quiet{After: after, Until: b.asked}
	if b.end {
		q.Until = forever()
	}
	if !after.IsZero() {
		q.After = past(after)
	}
	share := s.retention / quietShare
	s.mu.Lock()
	st := s.state(sh.ID)
	if q.After.Compare(st.quiet.After) < 0 || q.After == st.quiet.After && q.Until.Before(st.quiet.Until) {
		s.mu.Unlock()
		return
	}
	st.quiet = q
	due := q.Until.Sub(time.UnixMicro(arrived)) > share && (st.saved.After != q.After || q.Until.Sub(st.saved.Until) > share)
	if due {
		st.saved = q
	}
	s.mu.Unlock()
	if !due || s.cfg.KV == nil {
		return
	}
	if err := s.saveQuiet(ctx, sh.ID, q); err != nil && ctx.Err() == nil {
		s.cfg.Logger.Warn("note that a shard is quiet", "stream", s.cfg.Stream, "shard", uint64(sh.ID), "err", err)
	}
}

func (s *Stream) quietKey(id stream.ShardID) string {
	return fmt.Sprintf("streams/%s/quiet/%020d", s.cfg.Stream, uint64(id))
}

// loadQuiet gives the stored quiet of a shard; a zero one if there is none.
func (s *Stream) loadQuiet(ctx context.Context, id stream.ShardID) (quiet, error) {
	if s.cfg.KV == nil {
		return quiet{}, nil
	}
	q, _, err := s.loadQuietItem(ctx, s.quietKey(id))
	return q, err
}

func (s *Stream) loadQuietItem(ctx context.Context, key string) (quiet, uint64, error) {
	item, err := s.cfg.KV.Get(ctx, key)
	if errors.Is(err, schema.ErrNotFound) {
		return quiet{}, 0, nil
	}
	if err != nil {
		return quiet{}, 0, fmt.Errorf("load %s: %w", key, err)
	}
	var v storedQuiet
	if err := json.Unmarshal(item.Value, &v); err != nil {
		return quiet{}, 0, fmt.Errorf("load %s: %w", key, err)
	}
	if v.Format != quietFormat {
		return quiet{}, 0, fmt.Errorf("load %s: format %d is not known here", key, v.Format)
	}
	return quiet{After: v.After, Until: time.UnixMicro(v.Until)}, item.Version, nil
}

// saveQuiet stores a quiet unless a later one is there.
func (s *Stream) saveQuiet(ctx context.Context, id stream.ShardID, q quiet) error {
	key := s.quietKey(id)
	value, err := json.Marshal(storedQuiet{quietFormat, q.After, q.Until.UnixMicro()})
	if err != nil {
		return err
	}
	for {
		stored, version, err := s.loadQuietItem(ctx, key)
		if err != nil {
			return err
		}
		order := q.After.Compare(stored.After)
		if version > 0 && (order < 0 || order == 0 && !q.Until.After(stored.Until)) {
			return nil
		}
		if _, err = s.cfg.KV.Put(ctx, key, value, version); !errors.Is(err, schema.ErrConflict) {
			return err
		}
	}
}

// adopt notes of a stream that this KV has not seen before that its shards are
// quiet up to now. Whatever they had was not put under this KV, without which
// nothing is acknowledged; so it is not missed if it is freed.
func (s *Stream) adopt(ctx context.Context) error {
	if s.cfg.KV == nil {
		return nil
	}
	key := fmt.Sprintf("streams/%s/adopted", s.cfg.Stream)
	_, err := s.cfg.KV.Get(ctx, key)
	if !errors.Is(err, schema.ErrNotFound) {
		return err
	}
	now := time.Now()
	shards, err := s.shards(ctx, s.cfg.ShardsAge)
	if err != nil {
		return err
	}
	for i := range shards {
		if err := s.saveQuiet(ctx, shards[i].ID, quiet{Until: now}); err != nil {
			return err
		}
	}
	value, err := json.Marshal(storedQuiet{Format: quietFormat, Until: now.UnixMicro()})
	if err != nil {
		return err
	}
	if _, err = s.cfg.KV.Put(ctx, key, value, 0); errors.Is(err, schema.ErrConflict) {
		return nil // another process has
	}
	return err
}
