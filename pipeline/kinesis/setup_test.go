package kinesis_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awskinesis "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"go.uber.org/goleak"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
	"github.com/fieldgate/fieldgate/pipeline/kinesis"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources/bolt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// servers are the local servers by name.
var servers = map[string]func(t testing.TB) string{
	"kinesis-local": testdeps.KinesisLocal,
	"kinesalite":    testdeps.Kinesalite,
}

// eachServer runs a test on every server.
func eachServer(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, server(t))
		})
	}
}

func newClient(t *testing.T, url string) *awskinesis.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return awskinesis.New(awskinesis.Options{
		Region: "us-east-1", BaseEndpoint: &url, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

// streams counts the streams of this process, whose names differ.
var streams atomic.Int64

// newStream opens a new stream of n shards that is read without pauses.
func newStream(t *testing.T, url string, n int, change ...func(*kinesis.Config)) *kinesis.Stream {
	t.Helper()
	cfg := kinesis.Config{
		Client: newClient(t, url), Stream: fmt.Sprintf("%s-%d", strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-")), streams.Add(1)),
		Shards: n, Poll: 10 * time.Millisecond, Reads: 1000, Logger: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&cfg)
	}
	return openStream(t, cfg)
}

func openStream(t *testing.T, cfg kinesis.Config) *kinesis.Stream {
	t.Helper()
	s, err := kinesis.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// newReader opens a new stream of one shard twice: writer asks the server, and reader asks it
// through a proxy that does what faults says.
func newReader(t *testing.T, url string, faults func(faultproxy.Request) faultproxy.Fault) (writer, reader *kinesis.Stream) {
	t.Helper()
	writer = newStream(t, url, 1)
	proxy := faultproxy.Start(t, url, faults)
	return writer, newStream(t, proxy.URL, 1, func(c *kinesis.Config) { c.Stream = writer.Name() })
}

// untilActive waits until a stream may be changed again.
func untilActive(t *testing.T, c *awskinesis.Client, name string) {
	t.Helper()
	err := awskinesis.NewStreamExistsWaiter(c, func(o *awskinesis.StreamExistsWaiterOptions) { o.MinDelay = 10 * time.Millisecond }).
		Wait(context.WithoutCancel(t.Context()), &awskinesis.DescribeStreamInput{StreamName: aws.String(name)}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
}

func newKV(t *testing.T) schema.KV {
	t.Helper()
	db, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "kv.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// replace stores a value whatever there is.
func replace(ctx context.Context, kv schema.KV, key string, value []byte) error {
	item, err := kv.Get(ctx, key)
	if err != nil && !errors.Is(err, schema.ErrNotFound) {
		return err
	}
	_, err = kv.Put(ctx, key, value, item.Version)
	return err
}
