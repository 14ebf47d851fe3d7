package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// TestPartitionByDevice has a reader of the streams find each device's events in
// one shard and in order, over splits and merges of shards while they came; those
// without a device are spread. By tenant, all lie in one shard.
func TestPartitionByDevice(t *testing.T) {
	t.Parallel()
	for _, by := range []string{config.PartitionByDevice, config.PartitionByTenant} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			on := onKinesis(t, testdeps.Kinesalite(t))
			testPartition(t, func(c *config.Config) {
				on(c)
				c.Stream.Shards, c.Stream.PartitionBy = 3, by
				if by == config.PartitionByDevice {
					c.Stream.DeviceNames = []string{"serial", "device.id"}
				}
			})
		})
	}
}

func testPartition(t *testing.T, adjust func(*config.Config)) {
	t.Helper()
	const devices, requests, each = 12, 12, 10
	i := start(t, t.TempDir(), adjust)
	r := &resharder{client: newResharder(t, 1, adjust).client, random: rand.New(rand.NewPCG(1, 1))}
	for request := range requests {
		var lines []string
		for n := range each {
			for d := range devices {
				device := fmt.Sprintf(`"serial":%d`, d)
				if (request+n)%2 == 0 { // it is the same as text, under the other name
					device = fmt.Sprintf(`"device":{"id":"%d"}`, d)
				}
				lines = append(lines, fmt.Sprintf(`{"metrictype":"m",%s,"n":%d}`, device, request*each+n))
			}
			lines = append(lines, fmt.Sprintf(`{"metrictype":"m","n":%d}`, request*each+n))
		}
		i.post(t, lines)
		if request%3 == 1 {
			for _, log := range []string{pipeline.LogRaw, pipeline.LogStaged} {
				for changed := false; !changed; { // the last change may be under way
					changed = r.change(t.Context(), i.c.Stream.Prefix+"-"+log) == nil
				}
			}
		}
	}
	i.eventually(t, `select count(*) from m`, fmt.Sprint(requests*each*(devices+1)))
	// Two events of one identity are one row, in however many shards they lie.
	for d := range devices {
		i.post(t, []string{fmt.Sprintf(`{"metrictype":"c","_id":"same","timestamp":1790000000,"serial":%d}`, d)})
	}
	i.eventually(t, `select count(*) from errors.stream where kind = 'conflict'`, fmt.Sprint(devices-1))
	i.query(t, `select fieldgate.compact()`)
	i.eventually(t, `select count(*) from c`, "1")
	i.close(t)

	log := slog.New(slog.DiscardHandler)
	st, err := stores.Open(t.Context(), &i.c, log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	for name, in := range map[string]stream.Log{pipeline.LogRaw: st.Raw, pipeline.LogStaged: st.Staged} {
		var w deviceWatch
		w.partition = st.Partition
		w.read(t, in, name == pipeline.LogRaw)
		w.check(t, name, devices, requests*each)
	}
}

// deviceWatch reads a stream as its other readers do.
type deviceWatch struct {
	partition record.Partitioning
	// last has the last number of each device, -1 before the first, and shards where its
	// events lie among shards that were open at once; count all events.
	last    map[string]int
	shards  map[string][]stream.ShardID
	count   int
	parents map[stream.ShardID][]stream.ShardID
}

// read reads the shards, parents first.
func (w *deviceWatch) read(t *testing.T, in stream.Log, raw bool) {
	t.Helper()
	w.last, w.shards = map[string]int{}, map[string][]stream.ShardID{}
	w.parents = map[stream.ShardID][]stream.ShardID{}
	shards, err := in.Shards(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(shards) < 5 {
		t.Errorf("%d shards: they were not split", len(shards))
	}
	for _, s := range shards {
		w.parents[s.ID] = s.Parents
		tail, err := in.Tail(t.Context(), s.ID, stream.Sequence{})
		if err != nil {
			t.Fatal(err)
		}
		if tail.IsZero() {
			continue
		}
		it, err := in.Iterate(t.Context(), s.ID, stream.After(stream.Sequence{}))
		if err != nil {
			t.Fatal(err)
		}
		for at := (stream.Sequence{}); at.Compare(tail) < 0; {
			records, err := it.Next(t.Context(), 1000, math.MaxInt)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range records {
				w.record(t, s.ID, r.Data, raw)
				at = r.Seq
			}
		}
		_ = it.Close()
	}
}

func (w *deviceWatch) record(t *testing.T, in stream.ShardID, data []byte, raw bool) {
	t.Helper()
	devices := map[string]bool{}
	note := func(tenant string, values []schema.Value) {
		device, n := "", -1
		for _, v := range values {
			switch {
			case v.Name == "n":
				n = int(v.Int)
			case v.Kind == schema.KindInt:
				device = fmt.Sprint(v.Int)
			case v.Name == "device.id":
				device = string(v.Text)
			}
		}
		if n < 0 {
			return
		}
		w.count++
		devices[device] = true
		if _, shared := w.partition.Hash(tenant, values); !shared {
			return
		}
		if last, seen := w.last[device]; seen && n <= last || !seen && n != 0 || seen && n > last+1 {
			t.Errorf("event %d of device %s comes after %d", n, device, last)
		}
		w.last[device] = n
		if !slices.Contains(w.shards[device], in) {
			w.shards[device] = append(w.shards[device], in)
		}
	}
	if raw {
		var r record.Raw
		if err := record.DecodeRaw(bytes.Clone(data), &r); err != nil {
			t.Fatal(err)
		}
		for _, event := range r.Events {
			values, err := new(record.Flattener).Flatten(nil, event)
			if err != nil {
				t.Fatal(err)
			}
			note(r.Tenant, values)
		}
	} else {
		err := record.DecodeStaged(data, func(_ uint32, e *schema.Event) bool {
			note(e.Dataset.Tenant, e.Values)
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if w.partition.By == record.ByDevice && len(devices) > 1 {
		t.Errorf("a record has events of devices %v", devices)
	}
}

// check holds that everything was found, and each device in one shard at a time.
func (w *deviceWatch) check(t *testing.T, log string, devices, events int) {
	t.Helper()
	if want := events * (devices + 1); w.count != want {
		t.Errorf("%s: %d events, want %d", log, w.count, want)
	}
	for device, shards := range w.shards {
		for n := range shards[:len(shards)-1] {
			if a, b := shards[n], shards[n+1]; !w.descends(b, a) {
				t.Errorf("%s: device %s is in shards %d and %d, which stand side by side", log, device, a, b)
			}
		}
	}
}

// descends says that a shard has come of another.
func (w *deviceWatch) descends(shard, of stream.ShardID) bool {
	return slices.ContainsFunc(w.parents[shard], func(p stream.ShardID) bool { return p == of || w.descends(p, of) })
}
