package main

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
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
