package kinesis_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awskinesis "github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
	"github.com/fieldgate/fieldgate/pipeline/kinesis"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// TestStorm puts from several writers while a good part of all requests goes
// wrong, and reads meanwhile. Every entry is there; those of one writer are in
// order where each stands first, since what is put again may be there twice.
func TestStorm(t *testing.T) {
	t.Parallel()
	for name, server := range servers {
		for _, seed := range []uint64{1, 2} {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				t.Parallel()
				p := faultproxy.Start(t, server(t), nil)
				s := newStream(t, p.URL, 2)
				rates := faultproxy.Storm()
				rates[faultproxy.ExpiredIterator] = 0.3
				p.Set(faultproxy.Random(seed, rates))
				const writers, puts, batch = 4, 20, 3
				var wg sync.WaitGroup
				for w := range writers {
					wg.Go(func() {
						for n := range puts {
							var entries []stream.Entry
							for i := range batch {
								// All of a writer are of one shard.
								entries = append(entries, stream.Entry{Hash: uint64(w%2) * math.MaxUint64, Data: fmt.Appendf(nil, "%d %d", w, n*batch+i)})
							}
							if _, err := s.Put(t.Context(), entries); err != nil {
								t.Errorf("put: %v", err)
								return
							}
						}
					})
				}
				next := make([]int, writers)
				for shard := range stream.ShardID(2) {
					readUntil(t, s, shard, func(data []byte) bool {
						var w, i int
						if _, err := fmt.Sscan(string(data), &w, &i); err != nil {
							t.Fatal(err)
						}
						if i > next[w] {
							t.Fatalf("writer %d: entry %d where %d was to come", w, i, next[w])
						}
						if i == next[w] {
							next[w]++
						}
						return next[shard] == puts*batch && next[shard+2] == puts*batch
					})
				}
				wg.Wait()
				// Of which kind there were how many depends on how many requests it took.
				if p.Seen(faultproxy.Partial)+p.Seen(faultproxy.ExpiredIterator) == 0 {
					t.Error("the storm did not blow")
				}
			})
		}
	}
}

// readUntil reads a shard, on after what went wrong, until done says so.
func readUntil(t *testing.T, s *kinesis.Stream, shard stream.ShardID, done func(data []byte) bool) {
	t.Helper()
	at := stream.Sequence{}
	for {
		it, err := s.Iterate(t.Context(), shard, stream.After(at))
		if err != nil {
			if errors.Is(err, stream.ErrTrimmed) || errors.Is(err, stream.ErrBeyondTail) || t.Context().Err() != nil {
				t.Fatal(err)
			}
			continue
		}
		for err == nil {
			var records []stream.Record
			records, err = it.Next(t.Context(), 7, math.MaxInt)
			for _, r := range records {
				if r.Seq.Compare(at) <= 0 {
					t.Fatalf("sequence %s follows %s", r.Seq, at)
				}
				at = r.Seq
				if done(r.Data) {
					_ = it.Close()
					return
				}
			}
		}
		_ = it.Close()
	}
}

// TestBusy holds that a Put ends with its context while Kinesis refuses it, and
// that its data are the caller's again.
func TestBusy(t *testing.T) {
	t.Parallel()
	p := faultproxy.Start(t, testdeps.Kinesalite(t), nil)
	s := newStream(t, p.URL, 1)
	refused := make(chan struct{}, 100)
	p.Set(func(r faultproxy.Request) faultproxy.Fault {
		if r.Operation != "PutRecords" {
			return faultproxy.Fault{}
		}
		refused <- struct{}{}
		return faultproxy.Fault{Kind: faultproxy.Partial, Share: 1}
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-refused
		cancel()
	}()
	data := []byte("before")
	_, err := s.Put(ctx, []stream.Entry{{Data: data}})
	if !errors.Is(err, stream.ErrBusy) || !errors.Is(err, context.Canceled) {
		t.Fatalf("put: %v, want ErrBusy and the context's error", err)
	}
	copy(data, "after!")
	p.Set(nil)
	put(t, s, 0, "next")
	readUntil(t, s, 0, func(data []byte) bool {
		if bytes.Equal(data, []byte("after!")) {
			t.Fatal("data changed after Put had returned were put")
		}
		return string(data) == "next"
	})
}

// TestFreed holds that an iterator never begins at the oldest record in place of
// one that is gone: unless it is known that nothing came between.
func TestFreed(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, url string) {
		kv := newKV(t)
		s := newStream(t, url, 1, func(c *kinesis.Config) { c.KV = kv })
		placed := put(t, s, 0, "kept")
		gone := placed.Seq
		gone[2] -= 1 << 42 // a second earlier, as the local servers number records
		if _, err := s.Iterate(t.Context(), 0, stream.After(gone)); !errors.Is(err, stream.ErrTrimmed) {
			t.Fatalf("iterate: %v, want ErrTrimmed", err)
		}
		past := gone
		past[2] |= 63
		shards, err := s.Shards(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for until, want := range map[time.Time]bool{time.Now(): true, time.Now().Add(-25 * time.Hour): false} {
			kv := newKV(t)
			again := newStream(t, url, 1, func(c *kinesis.Config) { c.KV, c.Stream = kv, s.Name() })
			value := fmt.Appendf(nil, `{"format":1,"after":"%s","until":%d}`, past, until.UnixMicro())
			if err := replace(t.Context(), kv, fmt.Sprintf("streams/%s/quiet/%020d", s.Name(), uint64(shards[0].ID)), value); err != nil {
				t.Fatal(err)
			}
			it, err := again.Iterate(t.Context(), 0, stream.After(gone))
			if (err == nil) != want {
				t.Fatalf("quiet until %s: %v", until, err)
			}
			if err != nil {
				continue
			}
			records, err := it.Next(t.Context(), 1, 1)
			if err != nil || records[0].Seq != placed.Seq {
				t.Errorf("quiet until %s: %v, %v", until, records, err)
			}
			_ = it.Close()
		}
	})
}

// TestFanOut reads by subscriptions.
func TestFanOut(t *testing.T) {
	t.Parallel()
	p := faultproxy.Start(t, testdeps.KinesisLocal(t), nil)
	s := newStream(t, p.URL, 1, func(c *kinesis.Config) { c.FanOut = "reader" })
	first := put(t, s, 0, "one")
	it, err := s.Iterate(t.Context(), 0, stream.After(stream.Sequence{}))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"one", "two", "three"} {
		if i > 0 {
			put(t, s, 0, want)
		}
		records, err := it.Next(t.Context(), 1, 1)
		if err != nil || string(records[0].Data) != want {
			t.Fatalf("record %d: %v, %v; want %q", i, records, err, want)
		}
	}
	_ = it.Close()
	after, err := s.Iterate(t.Context(), 0, stream.After(first.Seq))
	if err != nil {
		t.Fatal(err)
	}
	records, err := after.Next(t.Context(), 1, 1)
	if err != nil || string(records[0].Data) != "two" {
		t.Fatalf("after the first: %v, %v", records, err)
	}
	_ = after.Close()
}

// TestLostConnectionIsNoEnd cuts every connection by which a shard is read, and
// empties answers: neither is the end of the shard.
func TestLostConnectionIsNoEnd(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]faultproxy.Kind{"cut": faultproxy.CutBefore, "empty": faultproxy.Empty} {
		for _, operation := range []string{"GetRecords", "GetShardIterator"} {
			t.Run(name+" "+operation, func(t *testing.T) {
				t.Parallel()
				p := faultproxy.Start(t, testdeps.Kinesalite(t), nil)
				s := newStream(t, p.URL, 1)
				placed := put(t, s, 0, "one")
				it, err := s.Iterate(t.Context(), 0, stream.After(stream.Sequence{}))
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = it.Close() }()
				if _, err := it.Next(t.Context(), 1, 1); err != nil {
					t.Fatal(err)
				}
				p.Set(func(r faultproxy.Request) faultproxy.Fault {
					switch r.Operation {
					case operation:
						return faultproxy.Fault{Kind: kind}
					case "GetRecords":
						return faultproxy.Fault{Kind: faultproxy.ExpiredIterator} // has the iterator opened anew
					default:
						return faultproxy.Fault{}
					}
				})
				if records, err := it.Next(t.Context(), 1, 1); err == nil || errors.Is(err, io.EOF) {
					t.Errorf("records %v, error %v; the shard is open", records, err)
				}
				p.Set(nil)
				put(t, s, 0, "two")
				if it, err = s.Iterate(t.Context(), 0, stream.After(placed.Seq)); err != nil {
					t.Fatal(err)
				}
				records, err := it.Next(t.Context(), 1, 1)
				if err != nil || string(records[0].Data) != "two" {
					t.Errorf("after it: %v, %v", records, err)
				}
				_ = it.Close()
			})
		}
	}
}

// TestReadsLessWhereAnswersAreLate has a server take longer for many records than the
// client waits. They are read a few at a time, and no answer is waited for twice.
func TestReadsLessWhereAnswersAreLate(t *testing.T) {
	t.Parallel()
	const records, patience, most = 30, 2 * time.Second, 20
	server := testdeps.Kinesalite(t)
	writer, p := newStream(t, server, 1), faultproxy.Start(t, server, nil)
	reader := newStream(t, p.URL, 1, func(c *kinesis.Config) {
		c.Stream = writer.Name()
		transport := &http.Transport{ResponseHeaderTimeout: patience}
		t.Cleanup(transport.CloseIdleConnections)
		c.Client = awskinesis.New(awskinesis.Options{
			Region: "us-east-1", BaseEndpoint: &p.URL, HTTPClient: &http.Client{Transport: transport}, Retryer: retry.NewStandard(),
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		})
	})
	for n := range records {
		put(t, writer, 0, fmt.Sprint(n))
	}
	p.Set(func(r faultproxy.Request) faultproxy.Fault {
		var asked struct{ Limit int }
		if r.Operation != "GetRecords" || json.Unmarshal(r.Body, &asked) != nil || asked.Limit <= most {
			return faultproxy.Fault{}
		}
		return faultproxy.Fault{Kind: faultproxy.Late, Delay: 10 * patience}
	})
	it, err := reader.Iterate(t.Context(), 0, stream.After(stream.Sequence{}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = it.Close() }()
	for n := 0; n < records; {
		got, err := it.Next(t.Context(), 1, records)
		if err != nil {
			t.Fatalf("after %d records: %v", n, err)
		}
		for _, r := range got {
			if string(r.Data) != fmt.Sprint(n) {
				t.Fatalf("record %d is %q", n, r.Data)
			}
			n++
		}
	}
	// Three of the first read, and one of each that asks for more again.
	if n := p.Seen(faultproxy.Late); n == 0 || n > 3+records/most+2 {
		t.Errorf("%d answers were late", n)
	}
}
