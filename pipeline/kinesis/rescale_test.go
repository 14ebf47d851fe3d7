package kinesis_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/pipeline/kinesis"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/pipeline/tally"
	"github.com/fieldgate/fieldgate/schema"
)

// scaleTest is a stream with several writers, each as in a process of its own, and one
// that scales it.
type scaleTest struct {
	t       *testing.T
	url     string
	kv      schema.KV
	name    string
	log     bytes.Buffer
	writers []*scaleWriter
}

type scaleWriter struct {
	s *kinesis.Stream
	r *tally.Reporter
}

func newScaleTest(t *testing.T, shards, writers int) *scaleTest {
	t.Helper()
	st := &scaleTest{t: t, url: testdeps.KinesisLocal(t), kv: newKV(t)}
	first := newStream(t, st.url, shards, st.config)
	st.name = first.Name()
	st.writers = append(st.writers, &scaleWriter{first, kinesis.NewReporter(first)})
	for len(st.writers) < writers {
		s := st.open()
		st.writers = append(st.writers, &scaleWriter{s, kinesis.NewReporter(s)})
	}
	return st
}

func (st *scaleTest) config(c *kinesis.Config) {
	c.KV = st.kv
	if st.name != "" {
		c.Stream = st.name
	}
}

func (st *scaleTest) open() *kinesis.Stream { return newStream(st.t, st.url, 1, st.config) }

// scaleTarget is so low that the server takes enough for another shard, however slow a
// busy machine makes it: 10 KB a second.
const scaleTarget = 0.01

// rescaler is one of a process that takes over.
func (st *scaleTest) rescaler(dryRun bool, change ...func(*kinesis.RescalerConfig)) *kinesis.Rescaler {
	st.t.Helper()
	scaler, err := stream.NewScaler(stream.ScalerConfig{Target: scaleTarget})
	if err != nil {
		st.t.Fatal(err)
	}
	cfg := kinesis.RescalerConfig{Stream: st.open(), Scaler: scaler, DryRun: dryRun, Logger: slog.New(slog.NewTextHandler(&st.log, nil))}
	for _, c := range change {
		c(&cfg)
	}
	r, err := kinesis.NewRescaler(cfg)
	if err != nil {
		st.t.Fatal(err)
	}
	return r
}

// report has the writers tell what they have put by now.
func (st *scaleTest) report(writers ...*scaleWriter) {
	st.t.Helper()
	for _, w := range writers {
		if err := w.r.Report(st.t.Context()); err != nil {
			st.t.Fatal(err)
		}
	}
}

// look looks, and wants so many open shards then and the log to say something.
func (st *scaleTest) look(r *kinesis.Rescaler, open int, says string) {
	st.t.Helper()
	st.log.Reset()
	if err := r.Look(st.t.Context()); err != nil {
		st.t.Fatal(err)
	}
	untilActive(st.t, newClient(st.t, st.url), st.name)
	shards, err := st.open().Shards(st.t.Context())
	if err != nil {
		st.t.Fatal(err)
	}
	n := 0
	for _, s := range shards {
		if s.Open {
			n++
		}
	}
	if n != open || !strings.Contains(st.log.String(), says) || says == "" && st.log.Len() > 0 {
		st.t.Errorf("%d open shards, want %d; the log says, want %q:\n%s", n, open, says, &st.log)
	}
}

// TestRescale halves the shards of a stream into which its writers put nothing, after
// a dry run that says so and does nothing. Nothing is done while nobody reports, nor
// soon after a change, whichever process looks.
func TestRescale(t *testing.T) {
	t.Parallel()
	st := newScaleTest(t, 4, 2)
	dry, wet := st.rescaler(true), st.rescaler(false)
	for range 2 {
		st.look(dry, 4, "")
		st.look(wet, 4, "")
	}
	st.report(st.writers...)
	st.look(dry, 4, "dry run: the stream would be scaled")
	if !strings.Contains(st.log.String(), "there should be 2") {
		t.Errorf("the log says\n%s", &st.log)
	}
	st.look(wet, 2, "scaling the stream")
	st.report(st.writers...)
	st.look(wet, 2, "")
	st.look(dry, 2, "dry run: the number of shards would stay")
}

// TestRescaleByAllWriters doubles the shards of a stream of which each writer puts a
// part that one shard could take, forgets a writer that has died, and keeps the pause
// between changes in the next process.
func TestRescaleByAllWriters(t *testing.T) {
	t.Parallel()
	st := newScaleTest(t, 1, 3)
	wet, next := st.rescaler(false), st.rescaler(true)
	st.report(st.writers...)
	st.look(wet, 1, "")
	for n, w := range st.writers {
		for range 4 {
			put(t, w.s, uint64(n)<<62, strings.Repeat("x", 512<<10))
		}
	}
	st.report(st.writers...)
	st.look(wet, 2, "shards=2 writers=3")

	const soon = "but the last change was less than 15m0s ago"
	st.look(next, 2, "")
	st.report(st.writers...)
	st.look(next, 2, soon)
	alive := st.writers[:2]
	for range 2 {
		st.report(alive...)
		st.look(next, 2, "") // the third may only be unable to tell
	}
	st.report(alive...)
	st.look(next, 2, "writers=2")
	if !strings.Contains(st.log.String(), soon) {
		t.Errorf("the log says\n%s", &st.log)
	}
}
