package pipeline

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

const (
	// A shard that stands tries again after a pause that doubles from the least to
	// the greatest, less a random part of up to half.
	leastPause    = 50 * time.Millisecond
	greatestPause = 5 * time.Second

	// maxRefusals is how often a store may refuse a record before that counts.
	maxRefusals = 3
)

// stand is how the reader of one shard waits out what passes.
type stand struct {
	stage, log string
	shard      stream.ShardID
	events     *Events
}

// until tries f until it succeeds. It gives up when ctx ends, on what no waiting
// mends, and when a store refuses a record for the third time.
func (s *stand) until(ctx context.Context, doing string, f func(ctx context.Context) error) error {
	for attempt := 1; ; attempt++ {
		err := f(ctx)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case isFinal(err), isRefusal(err) && attempt >= maxRefusals:
			return err
		}
		pause := pauseAfter(attempt)
		s.events.Standing(StandingInfo{
			Stage: s.stage, Log: s.log, Shard: s.shard, Doing: doing, Attempt: attempt, Pause: pause, Err: err,
		})
		if err := wait(ctx, pause); err != nil {
			return err
		}
	}
}

// isFinal says that waiting does not mend the error: the log has to be opened
// anew.
func isFinal(err error) bool {
	return errors.Is(err, stream.ErrFailed) || errors.Is(err, stream.ErrClosed)
}

// isRefusal says that a store refused what it was given, not the moment.
func isRefusal(err error) bool { return errors.Is(err, stream.ErrTooLarge) }

func pauseAfter(attempt int) time.Duration {
	pause := greatestPause
	if doubled := leastPause << min(attempt-1, 20); doubled < pause {
		pause = doubled
	}
	return pause - rand.N(pause/2)
}

// wait returns after the pause, or with the cause of ctx's end.
func wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
