package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	awskinesis "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/kinesis"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// TestConfigure reads what a server reads, leaves out what is a server's, and says
// what a function cannot do without.
func TestConfigure(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "f.yaml")
	text := "stream: {kind: kinesis, prefix: p, fan_out: true, scaling: auto}\nnearline: {kind: dynamodb}\nkeyvalue: {kind: dynamodb}\n" +
		"objects: {kind: s3, bucket: b}\npg_addr: 0.0.0.0:5433\ndev: true\nroles: [ingest]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := configure([]string{"FIELDGATE_CONFIG=" + file, "FIELDGATE_OBJECTS_BUCKET=other", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1000", "FIELDGATE_NEARLINE_CAPACITY=provisioned"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Stream.FanOut || c.Stream.Scaling != "auto" || c.Nearline.Scaling != "auto" || c.Dev || len(c.Roles) != 1 || c.Roles[0] != "stage" || c.Objects.Bucket != "other" || c.Limits.HeapMB != 700 {
		t.Errorf("configured as %+v", c)
	}
	for _, tt := range []struct {
		name    string
		environ []string
		want    string
	}{
		{"nothing said", nil, "set stream.kind: kinesis"},
		{"no such file", []string{"FIELDGATE_CONFIG=/no/such"}, "read configuration"},
		{"a setting that is not", []string{"FIELDGATE_STREAM_KIN=kinesis"}, "did you mean FIELDGATE_STREAM_KIND?"},
		{"no bucket", []string{"FIELDGATE_CONFIG=" + file, "FIELDGATE_OBJECTS_BUCKET="}, "objects.bucket: missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := configure(tt.environ); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v; want %q", err, tt.want)
			}
		})
	}
}

// TestPureGo holds that the program has neither the engine nor PostgreSQL's parser,
// which are C and slow to start.
func TestPureGo(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if .CgoFiles}}{{.ImportPath}}{{end}}", ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if packages := strings.Fields(string(out)); len(packages) > 0 {
		t.Errorf("needs C: %v", packages)
	}
	if out, err = exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output(); err != nil || !strings.Contains(string(out), "aws-lambda-go/lambda") {
		t.Fatalf("go list: %v", err)
	}
	for _, part := range []string{"duckdb", "pg_query", "/planner"} {
		if strings.Contains(string(out), part) {
			t.Errorf("it has a package of %s", part)
		}
	}
}

// put brings entries into a new stream of one shard and gives what a mapping reads.
func put(t *testing.T, entries int) (*stores.Log, []types.Record) {
	t.Helper()
	testdeps.AWSKeys(t, "id", "secret")
	access, err := stores.AWSConfig(t.Context(), "us-east-1", testdeps.Kinesalite(t))
	if err != nil {
		t.Fatal(err)
	}
	client, name := awskinesis.NewFromConfig(access), "f-"+strings.ToLower(rand.Text())
	s, err := kinesis.Open(t.Context(), kinesis.Config{Client: client, Stream: name, Shards: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	// Together, and so in records of 64, and one more by itself.
	all := make([]stream.Entry, entries)
	for i := range all {
		all[i] = stream.Entry{Hash: uint64(i), Data: []byte{byte(i)}}
	}
	for _, part := range [][]stream.Entry{all[:entries-1], all[entries-1:]} {
		if _, err := s.Put(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	it, err := client.GetShardIterator(t.Context(), &awskinesis.GetShardIteratorInput{
		StreamName: &name, ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := client.GetRecords(t.Context(), &awskinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
	if err != nil {
		t.Fatal(err)
	}
	return &stores.Log{Log: s, Name: pipeline.LogRaw, Kinesis: s}, out.Records
}

func eventOf(stream string, records []types.Record) events.KinesisEvent {
	var event events.KinesisEvent
	for _, r := range records {
		event.Records = append(event.Records, events.KinesisEventRecord{
			EventID: "shardId-000000000000:" + *r.SequenceNumber, EventSourceArn: "arn:aws:kinesis:us-east-1:000000000000:stream/" + stream,
			Kinesis: events.KinesisRecord{
				SequenceNumber: *r.SequenceNumber, PartitionKey: *r.PartitionKey, Data: r.Data,
				ApproximateArrivalTimestamp: events.SecondsEpochTime{Time: *r.ApproximateArrivalTimestamp},
			},
		})
	}
	return event
}

// TestFailures names the first record that is not handled whole, wherever among its
// entries the stage stopped.
func TestFailures(t *testing.T) {
	const entries = 131 // in records of 64, 64, 2 and 1
	log, records := put(t, entries)
	if len(records) != 4 {
		t.Fatalf("%d records, want 4", len(records))
	}
	fails := errors.New("the store does not answer")
	for _, tt := range []struct {
		name    string
		handled int // entries
		err     error
		want    int // record; -1: none
	}{
		{"all", entries, nil, -1},
		{"nothing", 0, fails, 0},
		{"within the first", 10, fails, 0},
		{"the first", 64, fails, 1},
		{"within the second", 65, fails, 1},
		{"all but the last", entries - 1, fails, 3},
		{"all, and its checkpoint is not saved", entries, fails, 3},
		{"until the deadline", 128, errDeadline, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &handler{log: slog.New(slog.DiscardHandler), logs: map[string]*stores.Log{log.Kinesis.Name(): log}}
			h.stage = func(_ context.Context, b pipeline.Batch) (through stream.Sequence, err error) {
				if len(b.Records) != entries || b.Log != pipeline.LogRaw || b.Records[70].Data[0] != 70 {
					t.Errorf("the stage got %d records of %s", len(b.Records), b.Log)
				}
				if tt.handled > 0 {
					through = b.Records[tt.handled-1].Seq
				}
				return through, tt.err
			}
			response, err := h.handle(t.Context(), eventOf(log.Kinesis.Name(), records))
			if err != nil {
				t.Fatal(err)
			}
			var want []events.KinesisBatchItemFailure
			if tt.want >= 0 {
				want = append(want, events.KinesisBatchItemFailure{ItemIdentifier: *records[tt.want].SequenceNumber})
			}
			if got := response.BatchItemFailures; len(got) != len(want) || len(got) > 0 && got[0] != want[0] || got == nil {
				t.Errorf("failures %v, want %v", got, want)
			}
		})
	}
}

// TestAnotherEvent is an error of the function: it is mapped to what it does not read.
func TestAnotherEvent(t *testing.T) {
	t.Parallel()
	h := &handler{log: slog.New(slog.DiscardHandler), logs: map[string]*stores.Log{"f-raw": {}}}
	for _, r := range []events.KinesisEventRecord{
		{EventID: "shardId-000000000000:1", EventSourceArn: "arn:aws:kinesis:us-east-1:000000000000:stream/f-staged"},
		{EventID: "1", EventSourceArn: "arn:aws:kinesis:us-east-1:000000000000:stream/f-raw/consumer/c:1"},
	} {
		if _, err := h.handle(t.Context(), events.KinesisEvent{Records: []events.KinesisEventRecord{r}}); err == nil {
			t.Errorf("%v was handled", r)
		}
	}
	if response, err := h.handle(t.Context(), events.KinesisEvent{}); err != nil || len(response.BatchItemFailures) > 0 {
		t.Errorf("nothing: %v, %v", response, err)
	}
}

// TestReserve ends the work before the deadline, of which a short one leaves two
// thirds.
func TestReserve(t *testing.T) {
	t.Parallel()
	for total, want := range map[time.Duration]time.Duration{time.Minute: 48 * time.Second, 3 * time.Second: 2 * time.Second} {
		ctx, cancel := context.WithTimeout(t.Context(), total)
		work, done := withReserve(ctx)
		deadline, _ := work.Deadline()
		if left := time.Until(deadline); left > want || left < want-time.Second {
			t.Errorf("of %s there are %s to work, want %s", total, left, want)
		}
		done()
		cancel()
	}
}
