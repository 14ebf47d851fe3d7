package main

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
)

// onKinesis has a server keep its logs in new streams of a local server.
func onKinesis(t *testing.T, url string) func(*config.Config) {
	t.Helper()
	prefix := "f-" + strings.ToLower(rand.Text())
	return func(c *config.Config) {
		c.Stream.Kind, c.Stream.Endpoint, c.Stream.Prefix = config.Kinesis, url, prefix
		c.Stream.ReadsPerSecond = 50 // local servers do not count
	}
}

// TestQuickStartOnKinesis is TestQuickStart with the logs on Kinesis.
func TestQuickStartOnKinesis(t *testing.T) {
	t.Parallel()
	c := config.Default()
	onKinesis(t, testdeps.Kinesalite(t))(&c)
	testQuickStart(t, environment(&c)...)
}

// TestEarthquakesOnKinesis is TestEarthquakes with the logs on Kinesis.
func TestEarthquakesOnKinesis(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testEarthquakes(t, dir, onKinesis(t, testdeps.Kinesalite(t)))
	if _, err := os.Stat(filepath.Join(dir, stores.StreamsFolder)); !os.IsNotExist(err) {
		t.Errorf("the data directory has a log: %v", err)
	}
}

// TestLagOfUnreachable: a statement about how far the stages are does not wait for streams
// that are out of reach, as the stages themselves do.
func TestLagOfUnreachable(t *testing.T) {
	t.Parallel()
	for name, on := range map[string]func(*testing.T, string) func(*config.Config){"one process": onKinesis, "shared stores": onAWSWith} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var down atomic.Bool
			proxy := faultproxy.Start(t, testdeps.Kinesalite(t), func(faultproxy.Request) (f faultproxy.Fault) {
				if down.Load() {
					f.Kind = faultproxy.CutBefore
				}
				return f
			})
			i := start(t, t.TempDir(), on(t, proxy.URL))
			// It would be 57014 if it waited for longer.
			const lag = `set statement_timeout = '1min'; select count(distinct stage) > 2 from fieldgate.lag`
			if got := i.query(t, lag); got != "t" {
				t.Errorf("the stages are there: %s", got)
			}
			down.Store(true)
			_, err := i.tryQuery(t, lag)
			wantCode(t, "while the streams are out of reach", err, "58030")
			down.Store(false)
			i.eventually(t, lag, "t")
		})
	}
}
