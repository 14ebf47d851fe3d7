package kinesis

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// register sees that the consumer of the fan-out exists, and returns its ARN.
func (s *Stream) register(ctx context.Context) (string, error) {
	out, err := s.cfg.Client.RegisterStreamConsumer(ctx, &kinesis.RegisterStreamConsumerInput{StreamARN: &s.arn, ConsumerName: &s.cfg.FanOut})
	var exists *types.ResourceInUseException
	if err != nil && !errors.As(err, &exists) {
		return "", err
	}
	in := &kinesis.DescribeStreamConsumerInput{StreamARN: &s.arn, ConsumerName: &s.cfg.FanOut}
	if err == nil {
		in = &kinesis.DescribeStreamConsumerInput{ConsumerARN: out.Consumer.ConsumerARN}
	}
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		d, err := s.cfg.Client.DescribeStreamConsumer(ctx, in)
		if err != nil {
			return "", err
		}
		if d.ConsumerDescription.ConsumerStatus == types.ConsumerStatusActive {
			return *d.ConsumerDescription.ConsumerARN, nil
		}
		if err := sleep(ctx, pause); err != nil {
			return "", err
		}
	}
}

// subscription reads a shard by events that Kinesis sends for five minutes.
type subscription struct {
	s      *Stream
	events *kinesis.SubscribeToShardEventStream
	end    bool
}

// subscribe waits while another subscription of the name has the shard: one that
// has just ended stays for some seconds.
func (s *Stream) subscribe(ctx context.Context, id stream.ShardID, from position) (source, error) {
	in := &kinesis.SubscribeToShardInput{
		ConsumerARN: &s.fanOut, ShardId: aws.String(shardName(id)),
		StartingPosition: &types.StartingPosition{Type: from.kind},
	}
	switch from.kind {
	case types.ShardIteratorTypeAtSequenceNumber, types.ShardIteratorTypeAfterSequenceNumber:
		in.StartingPosition.SequenceNumber = &from.number
	case types.ShardIteratorTypeAtTimestamp:
		in.StartingPosition.Timestamp = &from.at
	}
	for attempt := 1; ; attempt++ {
		// The events are not the opener's: they go on after ctx. close ends them.
		// A client of its own, because a client decodes all its subscriptions'
		// events into one buffer (smithy-go 1.28.8, eventstream.Codec).
		client := kinesis.New(s.cfg.Client.Options())
		out, err := client.SubscribeToShard(context.WithoutCancel(ctx), in)
		var taken *types.ResourceInUseException
		if err == nil {
			return &subscription{s: s, events: out.GetStream()}, nil
		}
		if !errors.As(err, &taken) && !isThrottled(err) {
			return nil, err
		}
		if err := sleep(ctx, pauseAfter(attempt)); err != nil {
			return nil, err
		}
	}
}

func (p *subscription) read(ctx context.Context) (batch, error) {
	if p.end {
		return batch{end: true, tip: true}, nil
	}
	for {
		var event types.SubscribeToShardEventStream
		var ok bool
		select {
		case event, ok = <-p.events.Events():
		case <-ctx.Done():
			return batch{}, context.Cause(ctx)
		}
		if !ok {
			// After five minutes, or when the connection was cut.
			return batch{}, errors.Join(errExpired, p.events.Err())
		}
		e, ok := event.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent)
		if !ok {
			continue
		}
		p.end = e.Value.ContinuationSequenceNumber == nil
		return batch{
			records: e.Value.Records, end: p.end, tip: p.end || aws.ToInt64(e.Value.MillisBehindLatest) == 0, asked: time.Now(),
		}, nil
	}
}

func (p *subscription) close() { _ = p.events.Close() }
