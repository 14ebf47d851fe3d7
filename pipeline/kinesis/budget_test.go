package kinesis_test

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	awskinesis "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/pipeline/kinesis"
)

// callTimes notes when calls of each operation leave.
type callTimes struct {
	next http.RoundTripper
	mu   sync.Mutex
	at   map[string][]time.Time
}

func (c *callTimes) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	c.mu.Lock()
	c.at[operation] = append(c.at[operation], time.Now())
	c.mu.Unlock()
	return c.next.RoundTrip(r)
}

// mostInASecond is how many of the calls lie within a second.
func mostInASecond(at []time.Time) int {
	slices.SortFunc(at, time.Time.Compare)
	most, from := 0, 0
	for to := range at {
		for at[to].Sub(at[from]) >= time.Second {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

// TestCallBudget has many workers that start at once, and look for new shards all the
// time, stay under what Kinesis allows their account, and all get on.
func TestCallBudget(t *testing.T) {
	t.Parallel()
	url, kv := testdeps.Kinesalite(t), newKV(t)
	plain := newClient(t, url).Options()
	times := &callTimes{next: plain.HTTPClient.(*http.Client).Transport, at: map[string][]time.Time{}}
	config := func() kinesis.Config {
		options := plain.Copy()
		options.HTTPClient = &http.Client{Transport: times}
		return kinesis.Config{Client: awskinesis.New(options), Stream: "budget", Shards: 1, KV: kv, ShardsAge: time.Nanosecond, Logger: slog.New(slog.DiscardHandler)}
	}
	openStream(t, config())
	const workers, lists = 45, 6
	var g errgroup.Group
	for range workers {
		g.Go(func() error {
			s, err := kinesis.Open(t.Context(), config())
			if err != nil {
				return err
			}
			for range lists {
				if _, err := s.Shards(t.Context()); err != nil {
					return err
				}
			}
			return s.Close()
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for operation, of := range map[string]struct{ calls, allowed int }{
		"DescribeStreamSummary": {workers, 20}, "ListShards": {workers * lists, 1000},
	} {
		at := times.at[operation]
		if len(at) < of.calls {
			t.Errorf("%d calls of %s, want %d", len(at), operation, of.calls)
		}
		if most := mostInASecond(at); most > of.allowed {
			t.Errorf("%d calls of %s in a second, %d are allowed", most, operation, of.allowed)
		}
	}
}
