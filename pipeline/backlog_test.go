package pipeline_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline"
)

// TestBacklog refuses events once some have waited too long for a stage, and once
// nobody has measured that for as long, and takes them again when the stages have
// caught up.
func TestBacklog(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	var log bytes.Buffer
	ahead := time.Duration(0)
	cfg := pipeline.BacklogConfig{
		KV: h.kv, Limit: time.Hour, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Now: func() time.Time { return time.Now().Add(ahead) },
	}
	gate, err := pipeline.NewBacklogGate(cfg)
	if err != nil {
		t.Fatal(err)
	}
	short := cfg
	short.Limit = time.Millisecond
	impatient, err := pipeline.NewBacklogGate(short)
	if err != nil {
		t.Fatal(err)
	}
	meter, err := pipeline.NewBacklogMeter(short, &pipeline.Positions{
		Raw: h.raw, Staged: h.staged, Errors: h.errors, RawCheckpoints: h.checkpoints(pipeline.LogRaw),
		StagedCheckpoints: h.checkpoints(pipeline.LogStaged), ErrorsCheckpoints: h.checkpoints(pipeline.LogErrors),
	})
	if err != nil {
		t.Fatal(err)
	}
	look := func(g *pipeline.BacklogGate, want string) {
		t.Helper()
		if err := g.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := g.Err(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("the gate says %v, want %q", err, want)
		}
	}
	measure := func() {
		t.Helper()
		if err := meter.Measure(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	look(gate, "") // nothing was ever measured: from now on
	ahead = 59 * time.Minute
	look(gate, "")
	ahead = time.Hour
	look(gate, "it is not known how far the stages are")
	ahead = 0

	h.post(t, "r1", `{"a":1}`)
	<-time.After(5 * time.Millisecond)
	measure()
	look(gate, "")
	look(impatient, "is behind in shard")
	if said := log.String(); !strings.Contains(said, "level=ERROR msg=\"stages are behind\" stage=") {
		t.Errorf("the log says %q", said)
	}

	stop := h.run(t)
	h.visible(t)
	if err := h.drain.Delivery.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	measure()
	ahead = -time.Minute // what was just measured has no age
	look(impatient, "")
}
