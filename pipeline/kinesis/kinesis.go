// Package kinesis is stream.Log on Amazon Kinesis Data Streams.
//
// A Stream is one Kinesis stream. Entries that are put at once, by whomever, go
// together into records in the format of the Kinesis Producer Library, because a
// record costs as much as 25 KB of it do; a record holds entries of one shard's
// hash range. Each shard has one record under way, so that a record that Kinesis
// refuses for the time being is put again before those behind it, and the order
// stays.
//
// A sequence is Kinesis' number of a record times 64, plus the entry's place in
// the record; so no record holds more than 64. docs/format/kinesis.md has the
// bytes.
//
// Kinesis answers who asks for what it has freed with the oldest it has. So an
// iterator begins at the very record that it is to read on from, and where that
// is gone it fails, unless it is known that nothing came after it: see quiet.go.
package kinesis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// Limits of Kinesis ("Quotas and limits", Kinesis developer guide).
const (
	// maxRecords and maxRequestBytes are those of one PutRecords.
	maxRecords      = 500
	maxRequestBytes = 5 << 20
	// maxRecordBytes is a record's data and partition key.
	maxRecordBytes = 1 << 20
	// MaxEntry is the largest entry.
	MaxEntry = maxRecordBytes - entryOverhead
	// readsPerSecond are those of a shard, by all who poll it.
	readsPerSecond = 5
)

// Config says which stream, and how it is written and read. Client, Stream and
// Logger must be given.
type Config struct {
	Client *kinesis.Client
	// Stream is its name. One that does not exist is made.
	Stream string
	// Shards are those of a stream that is made; 0 makes an on-demand one.
	Shards int
	// Retention is how long the stream keeps records, in whole hours from 24 on.
	// Default: as it is.
	Retention time.Duration
	// KV keeps up to when quiet shards were seen to have nothing new, so that a
	// checkpoint at a record which has been freed since is no gap, and counts the
	// calls of which Kinesis allows the account few. Optional; without it every such
	// checkpoint is a gap, and no process knows of another's calls.
	KV schema.KV
	// Poll is the pause between two reads of a shard that has nothing new. Default
	// 200 ms.
	Poll time.Duration
	// Reads is how often a second this process may read a shard, by all iterators but
	// those of Slow. Default 5, which is what Kinesis allows all processes together.
	Reads float64
	// FirstRead is how many records an iterator that goes on after a record reads at
	// first, that one included. Who only looks whether it is followed by another wants
	// 2. Default 10,000, which is what Kinesis gives at most.
	FirstRead int
	// FanOut is the name under which iterators subscribe to shards (enhanced
	// fan-out) instead of polling them; "" polls. It is registered if need be. One
	// subscription of a name has a shard at a time, so each consumer of a log wants
	// a Stream with a name of its own.
	FanOut string
	// Requests is how many PutRecords are under way at most. Default 4.
	Requests int
	// PendingBytes bounds what waits to be put. Default 64 MB.
	PendingBytes int
	// ShardsAge is how old the list of shards may be. Default 10 s.
	ShardsAge time.Duration
	Logger    *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Poll == 0 {
		c.Poll = 200 * time.Millisecond
	}
	if c.Reads == 0 {
		c.Reads = readsPerSecond
	}
	if c.FirstRead == 0 {
		c.FirstRead = readLimit
	}
	if c.Requests == 0 {
		c.Requests = 4
	}
	if c.PendingBytes == 0 {
		c.PendingBytes = 64 << 20
	}
	if c.ShardsAge == 0 {
		c.ShardsAge = 10 * time.Second
	}
	return c
}

func (c *Config) validate() error {
	switch {
	case c.Client == nil || c.Stream == "" || c.Logger == nil:
		return errors.New("kinesis: client, stream and logger are needed")
	case c.Shards < 0 || c.Poll < 0 || c.Reads < 0 || c.FirstRead < 0 || c.Requests < 0 || c.PendingBytes < 0 || c.ShardsAge < 0:
		return errors.New("kinesis: a limit is negative")
	case c.Retention != 0 && (c.Retention < 24*time.Hour || c.Retention > 8760*time.Hour || c.Retention%time.Hour != 0):
		return fmt.Errorf("kinesis: a retention of %s; it is 24 to 8760 whole hours", c.Retention)
	}
	return nil
}

// Stream is an open stream.
type Stream struct {
	cfg     Config
	arn     string
	fanOut  string    // consumer's ARN; "" polls
	created time.Time // when the stream was made
	opened  time.Time // here
	// onDemand: Kinesis sees to the number of shards itself.
	onDemand bool
	// retention is how long the stream keeps records.
	retention time.Duration

	listing listing
	writer  writer
	pace    *pacer

	mu     sync.Mutex
	states map[stream.ShardID]*state
}

var _ stream.Log = (*Stream)(nil)

// Open opens a stream, and makes it first if it does not exist. ctx bounds the
// opening alone.
func Open(ctx context.Context, cfg Config) (*Stream, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.Client = kinesis.New(cfg.Client.Options(), func(o *kinesis.Options) {
		if o.Retryer != nil {
			o.Retryer = retryer{o.Retryer}
		}
		if cfg.KV != nil {
			o.APIOptions = append(slices.Clip(o.APIOptions), (&budget{kv: cfg.KV, stream: cfg.Stream, seen: map[string]windowSeen{}}).limit)
		}
	})
	// A second's worth may come at once.
	s := &Stream{cfg: cfg, opened: time.Now(), states: map[stream.ShardID]*state{}, pace: newPacer(cfg.Reads, time.Second)}
	s.listing.turn = make(chan struct{}, 1)
	s.writer.start(ctx, s)
	if err := patiently(ctx, func() error { return s.prepare(ctx) }); err != nil {
		return nil, fmt.Errorf("open stream %s: %w", cfg.Stream, err)
	}
	return s, nil
}

// attempts is how often what passes may go wrong in a row where somebody waits for
// an answer.
const attempts = 10

// patiently tries f again while what goes wrong passes.
func patiently(ctx context.Context, f func() error) error {
	for attempt := 1; ; attempt++ {
		err := f()
		if err == nil || !passes(err) || attempt == attempts {
			return err
		}
		if err := sleep(ctx, pauseAfter(attempt)); err != nil {
			return err
		}
	}
}

// prepare sees that the stream is there and as it is configured. It may be called
// again after an error.
func (s *Stream) prepare(ctx context.Context) error {
	summary, err := s.describe(ctx)
	if isNotFound(err) {
		summary, err = s.create(ctx)
	}
	if err == nil && summary.StreamStatus != types.StreamStatusActive && summary.StreamStatus != types.StreamStatusUpdating {
		summary, err = s.untilActive(ctx)
	}
	if err != nil {
		return err
	}
	s.arn, s.created = *summary.StreamARN, aws.ToTime(summary.StreamCreationTimestamp)
	s.onDemand = summary.StreamModeDetails != nil && summary.StreamModeDetails.StreamMode == types.StreamModeOnDemand
	s.retention = time.Duration(aws.ToInt32(summary.RetentionPeriodHours)) * time.Hour
	if err := s.setRetention(ctx); err != nil {
		return fmt.Errorf("set retention: %w", err)
	}
	if err := s.adopt(ctx); err != nil {
		return err
	}
	if s.cfg.FanOut == "" {
		return nil
	}
	if s.fanOut, err = s.register(ctx); err != nil {
		return fmt.Errorf("register consumer %s: %w", s.cfg.FanOut, err)
	}
	return nil
}

// Name is the stream's.
func (s *Stream) Name() string { return s.cfg.Stream }

// Close ends what is under way; whoever waits in Put gets ErrClosed. Iterators are
// their owners' to close.
func (s *Stream) Close() error {
	s.writer.close()
	return nil
}

func (s *Stream) describe(ctx context.Context) (*types.StreamDescriptionSummary, error) {
	out, err := s.cfg.Client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &s.cfg.Stream})
	if err != nil {
		return nil, err
	}
	return out.StreamDescriptionSummary, nil
}

func (s *Stream) create(ctx context.Context) (*types.StreamDescriptionSummary, error) {
	in := &kinesis.CreateStreamInput{StreamName: &s.cfg.Stream}
	if s.cfg.Shards == 0 {
		in.StreamModeDetails = &types.StreamModeDetails{StreamMode: types.StreamModeOnDemand}
	} else {
		count, err := shardCount(s.cfg.Shards)
		if err != nil {
			return nil, err
		}
		in.ShardCount = &count
	}
	_, err := s.cfg.Client.CreateStream(ctx, in)
	var exists *types.ResourceInUseException // another process made it just now
	if err != nil && !errors.As(err, &exists) {
		return nil, fmt.Errorf("make it: %w", err)
	}
	return s.untilActive(ctx)
}

// untilActive waits until the stream can be used. An account may describe streams
// twenty times a second, so the pauses grow.
func (s *Stream) untilActive(ctx context.Context) (*types.StreamDescriptionSummary, error) {
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		summary, err := s.describe(ctx)
		if err != nil && !isNotFound(err) { // a stream just made may not be known everywhere
			return nil, err
		}
		if err == nil && summary.StreamStatus == types.StreamStatusActive {
			return summary, nil
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

func (s *Stream) setRetention(ctx context.Context) error {
	wanted := s.cfg.Retention
	hours := int32(wanted / time.Hour)
	switch {
	case wanted == 0 || wanted == s.retention:
		return nil
	case wanted > s.retention:
		_, err := s.cfg.Client.IncreaseStreamRetentionPeriod(ctx, &kinesis.IncreaseStreamRetentionPeriodInput{
			StreamName: &s.cfg.Stream, RetentionPeriodHours: &hours,
		})
		if err != nil {
			return err
		}
	default:
		_, err := s.cfg.Client.DecreaseStreamRetentionPeriod(ctx, &kinesis.DecreaseStreamRetentionPeriodInput{
			StreamName: &s.cfg.Stream, RetentionPeriodHours: &hours,
		})
		if err != nil {
			return err
		}
	}
	// What was freed under a shorter one stays freed: until the next start the
	// shorter of the two counts.
	s.retention = min(s.retention, wanted)
	return nil
}

func shardCount(n int) (int32, error) {
	if n < 1 || n > math.MaxInt32 {
		return 0, fmt.Errorf("a stream of %d shards", n)
	}
	return int32(n), nil
}

// sleep returns after the pause, or with the cause of ctx's end.
func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
