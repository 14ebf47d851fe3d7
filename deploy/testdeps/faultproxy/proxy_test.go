package faultproxy_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
)

// newClient is a client that does not try again.
func newClient(t *testing.T, url string) *kinesis.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return kinesis.New(kinesis.Options{
		Region: "us-east-1", BaseEndpoint: &url, HTTPClient: &http.Client{Transport: transport}, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

// newStream makes a stream of two shards, whose name begins so, and returns its name and
// number. The server is the process', in which the test may run twice.
func newStream(t *testing.T, c *kinesis.Client, name string) (stream, arn string) {
	t.Helper()
	name += "-" + rand.Text()
	if _, err := c.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: &name, ShardCount: aws.Int32(2)}); err != nil {
		t.Fatal(err)
	}
	err := kinesis.NewStreamExistsWaiter(c, func(o *kinesis.StreamExistsWaiterOptions) { o.MinDelay = 20 * time.Millisecond }).
		Wait(t.Context(), &kinesis.DescribeStreamInput{StreamName: &name}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	summary, err := c.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return name, *summary.StreamDescriptionSummary.StreamARN
}

func putRecords(ctx context.Context, c *kinesis.Client, stream string, n int) (*kinesis.PutRecordsOutput, error) {
	in := &kinesis.PutRecordsInput{StreamName: &stream}
	for i := range n {
		in.Records = append(in.Records, types.PutRecordsRequestEntry{
			Data: fmt.Appendf(nil, "record %d", i), PartitionKey: aws.String("key"), ExplicitHashKey: aws.String("0"),
		})
	}
	return c.PutRecords(ctx, in)
}

// readShard reads the first shard from its beginning.
func readShard(t *testing.T, c *kinesis.Client, stream string) []string {
	t.Helper()
	it, err := c.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
		StreamName: &stream, ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range out.Records {
		all = append(all, string(r.Data))
	}
	return all
}

// TestFaults has one request meet each kind of fault, and says what the client
// makes of it and how many records there are.
func TestFaults(t *testing.T) {
	t.Parallel()
	server := testdeps.Kinesalite(t)
	for _, tt := range []struct {
		kind faultproxy.Kind
		code string // of the error that the client gets; "": one of the connection
		ok   bool
		kept []int // how many of ten records are there
	}{
		{faultproxy.None, "", true, []int{10}},
		{faultproxy.Slow, "", true, []int{10}},
		{faultproxy.Late, "", true, []int{10}},
		{faultproxy.Halting, "", true, []int{10}},
		{faultproxy.SlowDown, "", true, []int{10}}, // not of Kinesis
		{faultproxy.ExpiredIterator, "", true, []int{10}},
		{faultproxy.InternalError, "InternalFailure", false, []int{0}},
		{faultproxy.Throttled, "ProvisionedThroughputExceededException", false, []int{0}},
		{faultproxy.CutBefore, "", false, []int{0}},
		{faultproxy.CutAfter, "", false, []int{10}},
		{faultproxy.CutAnswer, "", false, []int{10}},
		{faultproxy.Partial, "", true, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}},
	} {
		t.Run(fmt.Sprint(tt.kind), func(t *testing.T) {
			t.Parallel()
			p := faultproxy.Start(t, server, func(r faultproxy.Request) faultproxy.Fault {
				if r.Operation != "PutRecords" {
					return faultproxy.Fault{}
				}
				return faultproxy.Fault{Kind: tt.kind, Delay: time.Millisecond}
			})
			c := newClient(t, p.URL)
			stream, _ := newStream(t, c, fmt.Sprintf("faults-%d", tt.kind))
			out, err := putRecords(t.Context(), c, stream, 10)
			if (err == nil) != tt.ok {
				t.Fatalf("put: %v", err)
			}
			var api smithy.APIError
			if errors.As(err, &api) != (tt.code != "") || api != nil && api.ErrorCode() != tt.code {
				t.Fatalf("put: %v, want %q", err, tt.code)
			}
			kept := readShard(t, c, stream)
			if !slices.Contains(tt.kept, len(kept)) {
				t.Fatalf("%d records are there, want one of %v", len(kept), tt.kept)
			}
			if err != nil {
				return
			}
			if int(*out.FailedRecordCount) != 10-len(kept) {
				t.Errorf("%d are said to have failed, and %d are there", *out.FailedRecordCount, len(kept))
			}
			for i, r := range out.Records {
				if (r.ErrorCode == nil) != slices.Contains(kept, fmt.Sprintf("record %d", i)) {
					t.Errorf("record %d: error %v, kept %v", i, aws.ToString(r.ErrorCode), kept)
				}
			}
		})
	}
}

// TestRandom holds that a seed decides, and that what does not suit an operation
// leaves its rates to what does.
func TestRandom(t *testing.T) {
	t.Parallel()
	one, again, other := faultproxy.Random(1, faultproxy.Storm()), faultproxy.Random(1, faultproxy.Storm()), faultproxy.Random(2, faultproxy.Storm())
	differ := 0
	seen := map[faultproxy.Kind]int{}
	for n := range uint64(2000) {
		r := faultproxy.Request{Number: n, Operation: "PutRecords"}
		if one(r) != again(r) {
			t.Fatalf("request %d: %v, then %v", n, one(r), again(r))
		}
		if one(r) != other(r) {
			differ++
		}
		seen[one(r).Kind]++
	}
	if differ == 0 {
		t.Error("another seed decides the same")
	}
	if seen[faultproxy.SlowDown]+seen[faultproxy.ExpiredIterator] > 0 || seen[faultproxy.Partial] < 200 || seen[faultproxy.Throttled] < 50 {
		t.Errorf("kinds of fault: %v", seen)
	}
}

// TestSubscribe reads a shard by fan-out, which kinesis-local alone does not do
// in a way that the SDK understands.
func TestSubscribe(t *testing.T) {
	t.Parallel()
	p := faultproxy.Start(t, testdeps.KinesisLocal(t), nil)
	c := newClient(t, p.URL)
	stream, arn := newStream(t, c, "subscribe")
	if _, err := putRecords(t.Context(), c, stream, 3); err != nil {
		t.Fatal(err)
	}
	consumer, err := c.RegisterStreamConsumer(t.Context(), &kinesis.RegisterStreamConsumerInput{StreamARN: &arn, ConsumerName: aws.String("reader")})
	if err != nil {
		t.Fatal(err)
	}
	for active := false; !active; {
		d, err := c.DescribeStreamConsumer(t.Context(), &kinesis.DescribeStreamConsumerInput{ConsumerARN: consumer.Consumer.ConsumerARN})
		if err != nil {
			t.Fatal(err)
		}
		active = d.ConsumerDescription.ConsumerStatus == types.ConsumerStatusActive
	}
	sub, err := c.SubscribeToShard(t.Context(), &kinesis.SubscribeToShardInput{
		ConsumerARN: consumer.Consumer.ConsumerARN, ShardId: aws.String("shardId-000000000000"),
		StartingPosition: &types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon},
	})
	if err != nil {
		t.Fatal(err)
	}
	events := sub.GetStream()
	got := 0
	for event := range events.Events() {
		if e, ok := event.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent); ok {
			got += len(e.Value.Records)
		}
		if got >= 3 {
			break
		}
	}
	if err := events.Close(); err != nil {
		t.Error(err)
	}
	if got != 3 {
		t.Fatalf("%d records, want 3: %v", got, events.Err())
	}
}
