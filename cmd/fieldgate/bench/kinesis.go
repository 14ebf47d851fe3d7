package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awskinesis "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/pipeline/kinesis"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

const (
	// kinesisBytes are put in a round by each side, in requests of every size.
	kinesisBytes  = 8 << 20
	kinesisShards = 4
	// kinesisCalls are under way at once, PutRecords of either side.
	kinesisCalls = 4
	// kinesisCallers put at once into the log, one entry each, as HTTP requests do.
	kinesisCallers = 64
	// bareRecords is what a bare PutRecords has, unless bytes bound it.
	bareRecords = 500
	bareBytes   = 4 << 20
)

// kinesisSizes are those of entries: an event that comes alone, a request of some,
// one of five hundred.
func kinesisSizes() []int { return []int{300, 5_000, 60_000} }

// benchKinesis puts entries into the log on kinesalite, as ingest does for each
// request, and so does a bare loop of PutRecords with a record an entry.
func benchKinesis(ctx context.Context, o options, out io.Writer) error {
	url, err := testdeps.StartKinesalite()
	if err != nil {
		return err
	}
	client := awskinesis.New(awskinesis.Options{
		Region: "us-east-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	log, err := kinesis.Open(ctx, kinesis.Config{
		Client: client, Stream: "bench", Shards: kinesisShards, Requests: kinesisCalls, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d MB a round and size, %d rounds interleaved, kinesalite, %d shards, %d PutRecords at once; MB/s.\n\n"+
		"| bytes an entry | log, %d callers | bare PutRecords, a record an entry | ratio of medians | ratios |\n| --- | --- | --- | --- | --- |\n",
		kinesisBytes>>20, o.rounds, kinesisShards, kinesisCalls, kinesisCallers)
	for _, size := range kinesisSizes() {
		if err != nil {
			break
		}
		err = benchKinesisSize(ctx, o, out, log, client, size)
	}
	return errors.Join(err, log.Close())
}

func benchKinesisSize(ctx context.Context, o options, out io.Writer, log *kinesis.Stream, client *awskinesis.Client, size int) error {
	entries := make([]stream.Entry, kinesisBytes/size)
	random := rand.New(rand.NewPCG(1, uint64(size)))
	for i := range entries {
		data := make([]byte, size)
		for j := range data {
			data[j] = byte(' ' + random.IntN(90))
		}
		entries[i] = stream.Entry{Hash: random.Uint64(), Data: data}
	}
	var ours, bares, ratios []float64
	for range o.rounds {
		began := time.Now()
		if err := putEntries(ctx, log, entries); err != nil {
			return err
		}
		between := time.Now()
		if err := putBare(ctx, client, log.Name(), entries); err != nil {
			return err
		}
		our, bare := between.Sub(began).Seconds(), time.Since(between).Seconds()
		ours, bares = append(ours, kinesisBytes/our/1e6), append(bares, kinesisBytes/bare/1e6)
		ratios = append(ratios, bare/our)
	}
	our, bare, ratio := spreadOf(ours), spreadOf(bares), spreadOf(ratios)
	_, err := fmt.Fprintf(out, "| %d | %s | %s | %.2f | %s |\n", size, our.format(1), bare.format(1), our.median/bare.median, ratio.format(2))
	return err
}

// putEntries puts every entry by a call of its own.
func putEntries(ctx context.Context, log stream.Log, entries []stream.Entry) error {
	var next atomic.Int64
	g, within := errgroup.WithContext(ctx)
	for range kinesisCallers {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(entries) {
					return nil
				}
				if _, err := log.Put(within, entries[i:i+1]); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// putBare puts records as full requests, so many at once.
func putBare(ctx context.Context, client *awskinesis.Client, name string, entries []stream.Entry) error {
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(kinesisCalls)
	n := min(bareRecords, bareBytes/len(entries[0].Data))
	for from := 0; from < len(entries); from += n {
		g.Go(func() error {
			in := &awskinesis.PutRecordsInput{StreamName: &name}
			for _, e := range entries[from:min(from+n, len(entries))] {
				in.Records = append(in.Records, types.PutRecordsRequestEntry{Data: e.Data, PartitionKey: aws.String(fmt.Sprint(e.Hash))})
			}
			out, err := client.PutRecords(within, in)
			if err == nil && aws.ToInt32(out.FailedRecordCount) > 0 {
				err = errors.New("the server refused records")
			}
			return err
		})
	}
	return g.Wait()
}
