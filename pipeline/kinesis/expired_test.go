package kinesis_test

import (
	"math/big"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awskinesis "github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// TestExpiredAndNotReopened has an iterator of Kinesis expire while no other can be
// had, so that Next fails, and the shard be split meanwhile: the next Next reads on where
// the iterator was. What cannot be opened has no end.
func TestExpiredAndNotReopened(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, url string) {
		var broken atomic.Bool
		writer, reader := newReader(t, url, func(r faultproxy.Request) faultproxy.Fault {
			switch {
			case !broken.Load():
			case r.Operation == "GetRecords":
				return faultproxy.Fault{Kind: faultproxy.ExpiredIterator}
			case r.Operation == "GetShardIterator":
				return faultproxy.Fault{Kind: faultproxy.InternalError}
			}
			return faultproxy.Fault{}
		})
		put := func(text string) stream.ShardID {
			t.Helper()
			placed, err := writer.Put(t.Context(), []stream.Entry{{Data: []byte(text)}})
			if err != nil {
				t.Fatal(err)
			}
			return placed[0].Shard
		}
		shard := put("a")
		it, err := reader.Iterate(t.Context(), shard, stream.FromOldest())
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := it.Close(); err != nil {
				t.Error(err)
			}
		}()
		read := func(want string) {
			t.Helper()
			records, err := it.Next(t.Context(), 1, 1)
			if err != nil || string(records[0].Data) != want {
				t.Fatalf("read %v, %v, want %q", records, err, want)
			}
		}
		read("a")
		broken.Store(true)
		// A Next that were ended before would leave its error to the next one.
		if records, err := it.Next(t.Context(), 1, 1); err == nil {
			t.Fatalf("read %v from a server that gives nothing", records)
		}
		put("b")
		put("c")
		client := newClient(t, url)
		half := new(big.Int).Lsh(big.NewInt(1), 127)
		_, err = client.SplitShard(t.Context(), &awskinesis.SplitShardInput{
			StreamName: aws.String(writer.Name()), ShardToSplit: aws.String("shardId-000000000000"), NewStartingHashKey: aws.String(half.String()),
		})
		if err != nil {
			t.Fatal(err)
		}
		untilActive(t, client, writer.Name())
		broken.Store(false)
		read("b")
		read("c")
	})
}
