package main

import (
	"context"
	"crypto/rand"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
)

// onS3 has a server keep its objects in a new bucket of versitygw.
func onS3(t *testing.T) func(*config.Config) {
	t.Helper()
	return onS3At(t, testdeps.VersityGW(t))
}

// onS3At is onS3 with the S3 server at url.
func onS3At(t *testing.T, url string) func(*config.Config) {
	t.Helper()
	access, err := stores.AWSConfig(t.Context(), "us-east-1", url)
	if err != nil {
		t.Fatal(err)
	}
	bucket := "b-" + strings.ToLower(rand.Text())
	client := awss3.NewFromConfig(access, func(o *awss3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	return func(c *config.Config) {
		c.Objects.Kind, c.Objects.Bucket, c.Objects.Endpoint, c.Objects.PathStyle = config.S3, bucket, url, true
	}
}

// TestQuickStartOnS3 is TestQuickStart with the objects on S3.
func TestQuickStartOnS3(t *testing.T) {
	t.Parallel()
	c := config.Default()
	onS3(t)(&c)
	testQuickStart(t, environment(&c)...)
}

// TestEarthquakesOnS3 is TestEarthquakes with its objects on S3.
func TestEarthquakesOnS3(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testEarthquakes(t, dir, onS3(t))
	if _, err := filepath.Glob(filepath.Join(dir, stores.ObjectsFolder, "*")); err != nil {
		t.Fatal(err)
	}
	if n := countFiles(t, filepath.Join(dir, stores.ObjectsFolder)); n > 0 {
		t.Errorf("%d objects lie in the data directory", n)
	}
	if n := countFiles(t, filepath.Join(dir, stores.CacheFolder)); n == 0 {
		t.Error("nothing was fetched for queries")
	}
}

// TestEarthquakesOnS3InStorm is it while every fourth request of S3 meets a fault.
func TestEarthquakesOnS3InStorm(t *testing.T) {
	t.Parallel()
	s3 := onS3(t)
	var proxy *faultproxy.Proxy
	testEarthquakes(t, t.TempDir(), s3, func(c *config.Config) {
		if proxy == nil {
			proxy = faultproxy.Start(t, c.Objects.Endpoint, faultproxy.Random(11, faultproxy.Storm()))
		}
		c.Objects.Endpoint = proxy.URL
	})
	if proxy.Seen(faultproxy.CutAfter) == 0 || proxy.Seen(faultproxy.SlowDown) == 0 {
		t.Error("the storm was none")
	}
}

// TestKillOnS3 is TestKill with the objects on S3.
func TestKillOnS3(t *testing.T) {
	t.Parallel()
	torture{acked: 40_000, batch: 100, rounds: 8, adjust: onS3(t)}.run(t)
}

func countFiles(t *testing.T, dir string) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if d != nil && !d.IsDir() {
			n++
		}
		if d == nil {
			return nil // not there
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestS3TenantsApart holds that each tenant's cached files lie in a folder of its
// own, the only one that its queries may open.
func TestS3TenantsApart(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir(), onS3(t))
	i.post(t, []string{`{"metrictype":"reading","_id":1,"n":1}`})
	i.eventually(t, `select count(*) from reading`, `1`)
	i.query(t, `select fieldgate.compact()`)
	if got := i.query(t, `select n from reading`); got != `1` {
		t.Errorf("a row of the lake is %s", got)
	}
	cached := filepath.Join(i.c.DataDir, stores.CacheFolder)
	if own, all := countFiles(t, filepath.Join(cached, "lake", "demo")), countFiles(t, cached); own == 0 || all != own+1 {
		t.Errorf("%d files in the tenant's folder, %d in the cache, want one more, the lock", own, all)
	}
}

// TestS3BucketOfAnother starts a second data directory on a bucket that has one.
func TestS3BucketOfAnother(t *testing.T) {
	t.Parallel()
	bucket := onS3(t)
	i := start(t, t.TempDir(), bucket)
	i.close(t)
	c := config.Default()
	bucket(&c)
	c.DataDir = t.TempDir()
	_, err := stores.Open(t.Context(), &c, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "belongs to another data directory") {
		t.Errorf("open: %v, want whose it is", err)
	}
	c.Objects.Prefix = "other/"
	s, err := stores.Open(t.Context(), &c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	c.DataDir = i.c.DataDir
	c.Objects.Prefix = ""
	if s, err = stores.Open(t.Context(), &c, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatalf("open what is one's own: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestS3Missing(t *testing.T) {
	t.Parallel()
	adjust := onS3(t)
	c := config.Default()
	adjust(&c)
	c.Objects.Bucket = "no-such-bucket"
	c.DataDir = t.TempDir()
	if _, err := stores.Open(context.WithoutCancel(t.Context()), &c, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "no-such-bucket") {
		t.Errorf("open: %v, want the bucket's name", err)
	}
}
