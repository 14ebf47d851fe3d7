package kinesis_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// TestWaitingReadsLittle asks what waits in a shard with many records, as a process
// that has read none of them does: the answer costs one read of two records, not one of
// all, since the shard's readers need what Kinesis allows.
func TestWaitingReadsLittle(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, url string) {
		var mu sync.Mutex
		var limits []int
		writer, reader := newReader(t, url, func(r faultproxy.Request) faultproxy.Fault {
			if r.Operation != "GetRecords" {
				return faultproxy.Fault{}
			}
			var in struct{ Limit int }
			if err := json.Unmarshal(r.Body, &in); err != nil {
				t.Errorf("GetRecords %s: %v", r.Body, err)
			}
			mu.Lock()
			defer mu.Unlock()
			limits = append(limits, in.Limit)
			return faultproxy.Fault{}
		})
		before := time.Now().Add(-time.Minute).UnixMicro()
		var placed []stream.Placed
		for range 30 {
			p, err := writer.Put(t.Context(), []stream.Entry{{Data: []byte(strings.Repeat("x", 1000))}})
			if err != nil {
				t.Fatal(err)
			}
			placed = append(placed, p...)
		}
		ask := func(after stream.Sequence) int64 {
			t.Helper()
			mu.Lock()
			limits = nil
			mu.Unlock()
			at, err := reader.Waiting(t.Context(), placed[0].Shard, after)
			if err != nil {
				t.Fatal(err)
			}
			if len(limits) != 1 || limits[0] != 2 {
				t.Errorf("after %s it was read %d times, for %v records", after, len(limits), limits)
			}
			return at
		}
		last := int64(0)
		for _, after := range []stream.Sequence{{}, placed[0].Seq, placed[28].Seq} {
			at := ask(after)
			if at < before || at > time.Now().Add(time.Minute).UnixMicro() || at < last {
				t.Errorf("after %s waits what arrived at %d", after, at)
			}
			last = at
		}
		if at := ask(placed[29].Seq); at != 0 {
			t.Errorf("after the last record waits what arrived at %d", at)
		}
		if at, err := reader.Waiting(t.Context(), placed[0].Shard, stream.EndOfShard); at != 0 || err != nil {
			t.Errorf("after the end of a shard waits what arrived at %d, %v", at, err)
		}
	})
}
