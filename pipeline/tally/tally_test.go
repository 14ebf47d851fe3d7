package tally_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/tally"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources/bolt"
)

// count is what a process of the test has counted.
type count struct {
	tally.Head
	N int `json:"n"`
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

// TestTally adds up what two processes count: not before the second look, without the
// one that falls silent once it is taken for dead, and with it again when it was not.
func TestTally(t *testing.T) {
	t.Parallel()
	kv := newKV(t)
	counts := make([]count, 2)
	reporters := make([]*tally.Reporter, 2)
	for i := range reporters {
		reporters[i] = tally.NewReporter(kv, "counts/", func() tally.Report { return counts[i] }, slog.New(slog.DiscardHandler))
	}
	w := tally.NewWatcher[count](kv, "counts/")
	for n, step := range []struct {
		reports string // of which processes, each a second and ten more
		want    string // processes, whether all of them are known, counts a second
	}{
		{"", "0 false 0"},
		{"01", "2 true 20"}, // they began since
		{"01", "2 true 20"},
		{"0", "2 false 10"},
		{"0", "2 false 10"},
		{"0", "1 true 10"},
		{"0", "1 true 10"},
		{"01", "2 true 20"}, // it was only paused, and counted meanwhile
		{"", "2 false 0"},
		{"", "2 false 0"},
		{"", "0 false 0"},
	} {
		for _, name := range strings.Split(step.reports, "") {
			i := int(name[0] - '0')
			counts[i].Head = tally.NewHead(time.Duration(counts[i].Micros)*time.Microsecond + time.Second)
			counts[i].N += 10
			if err := reporters[i].Report(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		sum := 0.0
		complete, err := w.Look(t.Context(), func(before, now *count, seconds float64) { sum += float64(now.N-before.N) / seconds })
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(w.Processes(), complete, sum); got != step.want {
			t.Errorf("step %d: %s, want %s", n, got, step.want)
		}
	}
	// Between calls it is told once, and not again at once.
	due := tally.NewReporter(kv, "due/", func() tally.Report { return counts[0] }, slog.New(slog.DiscardHandler))
	for range 3 {
		if err := due.ReportDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		counts[0].N++
	}
	items, err := kv.List(t.Context(), "due/", "", 10)
	if err != nil || len(items) != 1 || !strings.Contains(string(items[0].Value), fmt.Sprintf(`"n":%d`, counts[0].N-3)) {
		t.Errorf("reports that were due: %+v, %v", items, err)
	}
	if _, err := kv.Put(t.Context(), "counts/x", []byte(`{"format": 2}`), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Look(t.Context(), func(_, _ *count, _ float64) {}); err == nil || !strings.Contains(err.Error(), "report counts/x cannot be read") {
		t.Errorf("a report of another version: %v", err)
	}
}
