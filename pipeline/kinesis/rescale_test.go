package kinesis_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/pipeline/kinesis"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// TestRescale halves the shards of a stream into which nothing is put, after a dry
// run that says so and does nothing.
func TestRescale(t *testing.T) {
	t.Parallel()
	url := testdeps.KinesisLocal(t)
	s := newStream(t, url, 4)
	open := func() int {
		n := 0
		shards, err := s.Shards(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, sh := range shards {
			if sh.Open {
				n++
			}
		}
		return n
	}
	for _, dryRun := range []bool{true, false} {
		scaler, err := stream.NewScaler(stream.ScalerConfig{})
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		r, err := kinesis.NewRescaler(kinesis.RescalerConfig{Stream: s, Scaler: scaler, DryRun: dryRun, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		untilActive(t, newClient(t, url), s.Name())
		want := 2
		if dryRun {
			want = 4
		}
		if got := open(); got != want || !strings.Contains(log.String(), "there should be 2") {
			t.Errorf("dry run %t: %d open shards, want %d; the log says\n%s", dryRun, got, want, &log)
		}
	}
}
