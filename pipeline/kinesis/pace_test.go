package kinesis_test

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// TestSlow has an iterator of a consumer that may take its time wait for an hour, while
// entries are put through the same stream: none of them has it read. Who ends the wait
// and comes back is given them at once.
func TestSlow(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, url string) {
		var reads atomic.Int64
		proxy := faultproxy.Start(t, url, func(r faultproxy.Request) faultproxy.Fault {
			if r.Operation == "GetRecords" {
				reads.Add(1)
			}
			return faultproxy.Fault{}
		})
		s := newStream(t, proxy.URL, 1)
		put := func() stream.ShardID {
			t.Helper()
			placed, err := s.Put(t.Context(), []stream.Entry{{Data: []byte("entry")}})
			if err != nil {
				t.Fatal(err)
			}
			return placed[0].Shard
		}
		it, err := s.Slow(1.0/3600).Iterate(t.Context(), put(), stream.FromOldest())
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := it.Close(); err != nil {
				t.Error(err)
			}
		}()
		if records, err := it.Next(t.Context(), 100, 1<<20); err != nil || len(records) != 1 {
			t.Fatalf("read %d records, %v, want one", len(records), err)
		}
		before := reads.Load()
		ctx, end := context.WithCancel(t.Context())
		waited := make(chan error)
		go func() {
			_, err := it.Next(ctx, 100, 1<<20)
			waited <- err
		}()
		const more = 30
		for range more {
			put()
		}
		end()
		if err := <-waited; !errors.Is(err, context.Canceled) {
			t.Fatalf("a wait that was ended gives %v", err)
		}
		if n := reads.Load() - before; n > 0 {
			t.Errorf("it was read %d times while others put", n)
		}
		if records, err := it.Next(t.Context(), 100, 1<<20); err != nil || len(records) != more {
			t.Errorf("read %d records, %v, want %d", len(records), err, more)
		}
	})
}

// TestShortWaits has a consumer come again and again for less time than reads of a shard
// are apart, or than an answer takes. It is given what is put all the same.
func TestShortWaits(t *testing.T) {
	t.Parallel()
	const wait = 20 * time.Millisecond
	for name, test := range map[string]struct {
		answers time.Duration // how long a read takes at least
		reads   float64       // a second
	}{
		"reads are apart":   {reads: 2},
		"answers take long": {answers: 10 * wait, reads: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := faultproxy.Start(t, testdeps.Kinesalite(t), func(r faultproxy.Request) faultproxy.Fault {
				if r.Operation == "GetRecords" {
					return faultproxy.Fault{Kind: faultproxy.Slow, Delay: test.answers}
				}
				return faultproxy.Fault{}
			})
			s := newStream(t, proxy.URL, 1)
			shards, err := s.Shards(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			it, err := s.Slow(test.reads).Iterate(t.Context(), shards[0].ID, stream.FromOldest())
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := it.Close(); err != nil {
					t.Error(err)
				}
			}()
			for n := range 6 { // more than may be read at once
				put(t, s, 0, strconv.Itoa(n))
				deadline := time.Now().Add(time.Minute)
				for given := false; !given; {
					ctx, cancel := context.WithTimeout(t.Context(), wait)
					records, err := it.Next(ctx, 100, 1<<20)
					cancel()
					if err != nil && !errors.Is(err, context.DeadlineExceeded) {
						t.Fatalf("entry %d: %v", n, err)
					}
					if time.Now().After(deadline) {
						t.Fatalf("entry %d is not given", n)
					}
					for _, r := range records {
						switch string(r.Data) {
						case strconv.Itoa(n):
							given = true
						case strconv.Itoa(n - 1): // a copy, as of a Put whose answer got lost
						default:
							t.Fatalf("entry %d: %q is given", n, r.Data)
						}
					}
				}
			}
		})
	}
}
