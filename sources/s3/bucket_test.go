package s3_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"go.uber.org/goleak"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/sources/objstore"
	"github.com/fieldgate/fieldgate/sources/objstore/objstoretest"
	"github.com/fieldgate/fieldgate/sources/s3"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// servers are those that every test of behaviour passes on.
var servers = map[string]func(testing.TB) string{"versitygw": testdeps.VersityGW, "minio": testdeps.MinIO}

// newClient is a client of a local server, through whatever stands before it.
func newClient(t *testing.T, url string) *awss3.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	return awss3.New(awss3.Options{
		Region: "us-east-1", BaseEndpoint: &url, UsePathStyle: true, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider(testdeps.S3AccessKeyID, testdeps.S3SecretAccessKey, ""),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff, o.RateLimiter = 8, 20*time.Millisecond, ratelimit.None
		}),
	})
}

// makeBucket makes a bucket of a new name.
func makeBucket(t *testing.T, url string) string {
	t.Helper()
	name := "b-" + strings.ToLower(rand.Text())
	if _, err := newClient(t, url).CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return name
}

func newBucket(t *testing.T, cfg s3.Config) *s3.Bucket {
	t.Helper()
	b, err := s3.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBucket(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := start(t)
			for prefix, cfg := range map[string]s3.Config{"whole": {}, "folder": {Prefix: "some/folder/"}} {
				t.Run(prefix, func(t *testing.T) {
					t.Parallel()
					objstoretest.Run(t, func(t *testing.T) objstore.Bucket {
						t.Helper()
						own := cfg
						own.Client, own.Bucket = newClient(t, url), makeBucket(t, url)
						return newBucket(t, own)
					})
				})
			}
		})
	}
}

// TestParts writes objects of several parts, with and without conditions.
func TestParts(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := start(t)
			bucket := makeBucket(t, url)
			b := newBucket(t, s3.Config{Client: newClient(t, url), Bucket: bucket, PartBytes: 5 << 20})
			large := bytes.Repeat([]byte("0123456789abcde"), 12<<20/15)
			tag, err := b.PutIf(t.Context(), "large", large, "")
			if err != nil {
				t.Fatal(err)
			}
			read, info, err := objstore.Read(t.Context(), b, "large")
			if err != nil || !bytes.Equal(read, large) || info.ETag != tag {
				t.Fatalf("read %d bytes with tag %s: %v; want %d with %s", len(read), info.ETag, err, len(large), tag)
			}
			if _, err := b.PutIf(t.Context(), "large", large, ""); !errors.Is(err, objstore.ErrPrecondition) {
				t.Errorf("create again: %v, want ErrPrecondition", err)
			}
			large[0] = 'x'
			second, err := b.PutIf(t.Context(), "large", large, tag)
			if err != nil || second == tag {
				t.Fatalf("replace: %v, tag %s after %s", err, second, tag)
			}
			if _, err := b.PutIf(t.Context(), "large", large, tag); !errors.Is(err, objstore.ErrPrecondition) {
				t.Errorf("replace by an old tag: %v, want ErrPrecondition", err)
			}
			if _, err := b.Put(t.Context(), "large", large); err != nil {
				t.Error(err)
			}
			left, err := newClient(t, url).ListMultipartUploads(t.Context(), &awss3.ListMultipartUploadsInput{Bucket: &bucket})
			if err != nil || len(left.Uploads) > 0 {
				t.Errorf("unfinished uploads: %v, %v", left, err)
			}
		})
	}
}
