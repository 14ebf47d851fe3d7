package pipeline

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/sources"
)

// Positions tell how far the stages are by their checkpoints, whichever processes
// run them.
type Positions struct {
	Raw, Staged, Errors                                  stream.Log
	RawCheckpoints, StagedCheckpoints, ErrorsCheckpoints stream.Checkpoints
}

// Visible returns when every event acknowledged before the call is staged and in
// nearline, as a row or as an error row.
func (p *Positions) Visible(ctx context.Context) error {
	for _, of := range []struct{ log, consumer string }{
		{LogRaw, ConsumerRaw}, {LogStaged, ConsumerStaging}, {LogErrors, ConsumerStaging},
	} {
		log, checkpoints := p.log(of.log)
		to, err := endsOf(ctx, log, savedAt(checkpoints, of.consumer))
		if err != nil {
			return err
		}
		if err := waitSaved(ctx, checkpoints, of.consumer, to); err != nil {
			return err
		}
	}
	return nil
}

// log is a log by its name, and its checkpoints.
func (p *Positions) log(name string) (stream.Log, stream.Checkpoints) {
	switch name {
	case LogRaw:
		return p.Raw, p.RawCheckpoints
	case LogStaged:
		return p.Staged, p.StagedCheckpoints
	}
	return p.Errors, p.ErrorsCheckpoints
}

// Ends are where the shards of a log end now.
func (p *Positions) Ends(ctx context.Context, name string) (sources.Watermarks, error) {
	log, checkpoints := p.log(name)
	to, err := endsOf(ctx, log, savedAt(checkpoints, ConsumerDelivery))
	return sources.Watermarks(to), err
}

// HasArchived says that the archive of a log has all records up to ends.
func (p *Positions) HasArchived(ctx context.Context, name string, to sources.Watermarks) (bool, error) {
	_, checkpoints := p.log(name)
	return hasSaved(ctx, checkpoints, ConsumerDelivery, ends(to))
}

// Archived returns when the archive of a log has all records up to ends.
func (p *Positions) Archived(ctx context.Context, name string, to sources.Watermarks) error {
	_, checkpoints := p.log(name)
	return waitSaved(ctx, checkpoints, ConsumerDelivery, ends(to))
}

// Lag tells how far the stages are, as they last noted, by stage, log and shard. The
// age of what waits is that of the first record that is not handled.
func (p *Positions) Lag(ctx context.Context) ([]Lag, error) {
	var out []Lag
	now := time.Now()
	for _, of := range []struct{ stage, log, consumer string }{
		{StageRaw, LogRaw, ConsumerRaw},
		{StageStaging, LogStaged, ConsumerStaging},
		{StageStaging, LogErrors, ConsumerStaging},
		{StageDelivery, LogRaw, ConsumerDelivery},
		{StageDelivery, LogStaged, ConsumerDelivery},
		{StageDelivery, LogErrors, ConsumerDelivery},
	} {
		lags, err := p.lagOf(ctx, now, of.stage, of.log, of.consumer)
		if err != nil {
			return nil, fmt.Errorf("lag of stage %s: %w", of.stage, err)
		}
		out = append(out, lags...)
	}
	return out, nil
}

func (p *Positions) lagOf(ctx context.Context, now time.Time, stage, name, consumer string) ([]Lag, error) {
	log, checkpoints := p.log(name)
	shards, err := log.Shards(ctx)
	if err != nil {
		return nil, fmt.Errorf("list shards: %w", err)
	}
	all, err := checkpoints.All(ctx, consumer)
	if err != nil {
		return nil, err
	}
	out := make([]Lag, len(shards))
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(endsAtOnce)
	for i, shard := range shards {
		g.Go(func() error {
			at := all[shard.ID]
			arrivedAt, err := log.Waiting(within, shard.ID, at)
			if err != nil {
				return fmt.Errorf("read shard %d: %w", shard.ID, err)
			}
			out[i] = Lag{Stage: stage, Log: name, Shard: shard.ID, Position: at}
			if arrivedAt != 0 {
				out[i].Seconds = max(now.Sub(time.UnixMicro(arrivedAt)).Seconds(), 0)
			}
			return nil
		})
	}
	return out, g.Wait()
}
