package suggest

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/schema"
)

// TestFormat reads what format 1 wrote, and writes the same.
func TestFormat(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile("testdata/format1.tsv")
	if err != nil {
		t.Fatal(err)
	}
	answered := time.Date(2026, 11, 28, 12, 0, 1, 0, time.UTC)
	want := []*document{
		{
			Format: 1, About: identity{Class: className, Metric: "press", Generation: 2, Sent: "temp_f"}, Kind: KindAlias, Metric: "press", Field: "temp",
			Sent: "temp_f", Type: "double precision", Convert: "(value - 32) * 5 / 9", Confidence: 0.7, Evidence: json.RawMessage(`{"events":300}`),
			CreatedAt: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC), State: StateAccepted, AnsweredBy: "demo", AnsweredAt: &answered, Notified: true,
			number: 1, version: 5,
		},
		{
			Format: 1, About: identity{Class: classType, Metric: "press", Sent: "on", Value: "text"}, Kind: KindType, Metric: "press", Field: "on",
			Sent: "on", Type: "boolean", Confidence: 1, Evidence: json.RawMessage(`{}`), CreatedAt: time.Date(2026, 11, 28, 12, 0, 0, 1000, time.UTC),
			number: 2, version: 5,
		},
	}
	n := 0
	for line := range strings.Lines(string(golden)) {
		at, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		d, err := decode(schema.Item{Key: at, Value: []byte(value), Version: 5}, folder("acme"))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(d, want[n]) {
			t.Errorf("%s reads\n%+v, want\n%+v", at, d, want[n])
		}
		written, err := json.Marshal(want[n])
		if err != nil || string(written) != value || key("acme", d.number) != at {
			t.Errorf("writes %s\t%s, %v\nformat 1 is\n%s", key("acme", d.number), written, err, line)
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d documents", n)
	}
}
