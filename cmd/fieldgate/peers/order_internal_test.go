package peers

import (
	"log/slog"
	"slices"
	"testing"

	"github.com/fieldgate/fieldgate/planner"
)

// listener notes what its sessions hear.
type listener struct {
	Local
	heard []string
}

func (l *listener) Deliver(_ string, messages []planner.Notification) {
	for _, m := range messages {
		l.heard = append(l.heard, m.Payload)
	}
}

// TestLateNotifications: what a gateway has not waited for is not heard after what it
// sent next, nor twice. An earlier version's comes as it comes.
func TestLateNotifications(t *testing.T) {
	t.Parallel()
	l := &listener{}
	p := New(Config{Local: l, Logger: slog.New(slog.DiscardHandler)})
	for _, q := range []struct {
		from    string
		number  uint64
		payload string
	}{
		{"one", 1, "first"},
		{"one", 3, "third"},
		{"one", 2, "late"},
		{"one", 3, "twice"},
		{"one", 4, "fourth"},
		{"two", 1, "another's"},
		{"", 0, "earlier"},
		{"", 0, "earlier"},
	} {
		notices := []notice{{"acme", []planner.Notification{{Payload: q.payload}}}}
		if _, err := p.reply(&question{Notify: notices, From: q.from, Number: q.number}); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"first", "third", "fourth", "another's", "earlier", "earlier"}; !slices.Equal(l.heard, want) {
		t.Errorf("heard %q, want %q", l.heard, want)
	}
}
