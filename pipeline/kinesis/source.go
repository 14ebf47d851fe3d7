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

// errExpired says that a source has to be opened anew, where it was.
var errExpired = errors.New("source has expired")

// errEmpty says that an answer has nothing in it, as the SDK reads one without a
// body. Taken as it is, it would be the end of the shard.
var errEmpty = errors.New("kinesis: an empty answer")

// readLimit is how many records are read at once ("GetRecords", Kinesis API
// reference). They are at most 10 MB.
const readLimit = 10_000

// position is where a source begins.
type position struct {
	kind   types.ShardIteratorType
	number string    // of the AT_ and AFTER_SEQUENCE_NUMBER kinds
	at     time.Time // of AT_TIMESTAMP
}

// source gives the records of one shard.
type source interface {
	// read gives what comes next, which may be nothing. Ended by ctx, it has
	// consumed nothing. errExpired: the source is to be opened anew.
	read(ctx context.Context) (batch, error)
	close()
}

// batch is what a source gives at once.
type batch struct {
	records []types.Record
	tip     bool // nothing comes after it as of when it was asked for
	end     bool // nothing will
	asked   time.Time
}

func (s *Stream) open(ctx context.Context, id stream.ShardID, from position, limit int, pace *pacer) (source, error) {
	if s.fanOut != "" {
		return s.subscribe(ctx, id, from)
	}
	p := &poller{s: s, shard: id, limit: limit, pace: pace}
	if err := p.begin(ctx, from); err != nil {
		return nil, err // one that has not begun must not be read: it has no end
	}
	return p, nil
}

// poller reads a shard by GetRecords.
type poller struct {
	s     *Stream
	shard stream.ShardID
	limit int
	pace  *pacer
	// late is how many answers in a row did not come in time; each lowers what is asked
	// for to a part of it, and one that comes raises it again.
	late  int
	token *string // of the next read
	ended bool    // the shard is closed, and was read to its end
}

// lateShift lowers the limit to an eighth.
const lateShift = 3

// now is how many records are asked for next.
func (p *poller) now() int { return max(1, p.limit>>(lateShift*p.late)) }

func (p *poller) begin(ctx context.Context, from position) error {
	in := &kinesis.GetShardIteratorInput{
		StreamName: &p.s.cfg.Stream, ShardId: aws.String(shardName(p.shard)), ShardIteratorType: from.kind,
	}
	switch from.kind {
	case types.ShardIteratorTypeAtSequenceNumber, types.ShardIteratorTypeAfterSequenceNumber:
		in.StartingSequenceNumber = &from.number
	case types.ShardIteratorTypeAtTimestamp:
		in.Timestamp = &from.at
	}
	out, err := p.s.cfg.Client.GetShardIterator(ctx, in)
	if err != nil {
		return err
	}
	if out.ShardIterator == nil {
		return errEmpty
	}
	p.token, p.ended = out.ShardIterator, false
	return nil
}

func (p *poller) read(ctx context.Context) (batch, error) {
	if p.ended {
		return batch{end: true, tip: true}, nil
	}
	for attempt := 1; ; attempt++ {
		if err := p.pace.wait(ctx, p.shard); err != nil {
			return batch{}, err
		}
		asked := time.Now()
		in := &kinesis.GetRecordsInput{ShardIterator: p.token, Limit: aws.Int32(int32(p.now()))}
		out, err := p.s.cfg.Client.GetRecords(ctx, in, func(o *kinesis.Options) { o.Retryer = onceLate{o.Retryer} })
		switch {
		case err == nil && out.NextShardIterator == nil && out.MillisBehindLatest == nil:
			return batch{}, errEmpty
		case err == nil:
			p.late = max(0, p.late-1)
			p.token = out.NextShardIterator
			p.ended = p.token == nil
			return batch{records: out.Records, tip: p.ended || aws.ToInt64(out.MillisBehindLatest) == 0, end: p.ended, asked: asked}, nil
		case isExpired(err):
			return batch{}, errExpired
		case isLate(err) && ctx.Err() == nil && p.now() > 1:
			// Asked for as much again, who answers so slowly would never be done.
			p.late++
		case !isThrottled(err):
			return batch{}, err
		}
		if err := sleep(ctx, pauseAfter(attempt)); err != nil {
			return batch{}, err
		}
	}
}

func (p *poller) close() {}
