package dynamodb_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/schematest"
	"github.com/fieldgate/fieldgate/sources/dynamodb"
)

func TestKV(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, url string) {
		schematest.RunKV(t, func(t *testing.T) schema.KV { return openKV(t, dynamodb.KVConfig{AWS: awsConfig(t, url)}) })
	})
}

// openKV opens a KV; without a table in cfg, one of its own.
func openKV(t *testing.T, cfg dynamodb.KVConfig) *dynamodb.KV {
	t.Helper()
	if cfg.Table == "" {
		cfg.Table = unique("keyvalue")
	}
	kv, err := dynamodb.OpenKV(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

// TestKVAmidFaults: a lone writer is told of no conflict and no version is used
// twice, whatever happens to its calls and their answers.
func TestKVAmidFaults(t *testing.T) {
	t.Parallel()
	rates := faultproxy.Storm()
	rates[faultproxy.CutAfter] = 0.15
	proxy := faultproxy.Start(t, testdeps.Dynalite(t), nil)
	kv := openKV(t, dynamodb.KVConfig{AWS: awsConfig(t, proxy.URL)})
	proxy.Set(faultproxy.Random(11, rates))
	var version uint64
	for round := range 60 {
		value := fmt.Append(nil, round)
		next, err := kv.Put(t.Context(), "a/key", value, version)
		if err != nil {
			t.Fatalf("put %d expecting %d: %v", round, version, err)
		}
		if next <= version {
			t.Fatalf("put %d: version %d after %d", round, next, version)
		}
		version = next
		item, err := kv.Get(t.Context(), "a/key")
		if err != nil || item.Version != version || !bytes.Equal(item.Value, value) {
			t.Fatalf("get %d: %q at %d, error %v; want version %d", round, item.Value, item.Version, err, version)
		}
		if round%10 == 9 {
			if err := kv.Delete(t.Context(), "a/key", version); err != nil {
				t.Fatalf("delete %d: %v", round, err)
			}
			if items, err := kv.List(t.Context(), "a/", "", 10); err != nil || len(items) != 0 {
				t.Fatalf("list after a delete: %v, error %v", items, err)
			}
			next, err := kv.Put(t.Context(), "a/key", nil, 0)
			if err != nil || next <= version {
				t.Fatalf("put after a delete at %d: version %d, error %v", version, next, err)
			}
			version = next
		}
	}
	for _, kind := range []faultproxy.Kind{faultproxy.Throttled, faultproxy.CutAfter, faultproxy.InternalError} {
		if proxy.Seen(kind) == 0 {
			t.Errorf("no fault of kind %d happened", kind)
		}
	}
}

// TestKVSlowClock: a clock that is behind the one that wrote before makes no
// version that was used.
func TestKVSlowClock(t *testing.T) {
	t.Parallel()
	url, table := testdeps.Dynalite(t), unique("keyvalue")
	now := time.Now()
	fast := openKV(t, dynamodb.KVConfig{AWS: awsConfig(t, url), Table: table, Now: func() time.Time { return now.Add(time.Hour) }})
	slow := openKV(t, dynamodb.KVConfig{AWS: awsConfig(t, url), Table: table, Now: func() time.Time { return now }})
	deleted, err := fast.Put(t.Context(), "k", nil, 0)
	if err == nil {
		err = fast.Delete(t.Context(), "k", deleted)
	}
	if err != nil {
		t.Fatal(err)
	}
	if version, err := slow.Put(t.Context(), "k", nil, 0); err != nil || version <= deleted {
		t.Fatalf("version %d after %d, error %v", version, deleted, err)
	}
}

// TestKVGivesUp: what is no answer is waited out until the context ends.
func TestKVGivesUp(t *testing.T) {
	t.Parallel()
	proxy := faultproxy.Start(t, testdeps.Dynalite(t), nil)
	kv := openKV(t, dynamodb.KVConfig{AWS: awsConfig(t, proxy.URL)})
	throttled := make(chan struct{})
	var once sync.Once
	proxy.Set(func(faultproxy.Request) faultproxy.Fault {
		once.Do(func() { close(throttled) })
		return faultproxy.Fault{Kind: faultproxy.Throttled}
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-throttled
		cancel()
	}()
	if _, err := kv.Get(ctx, "k"); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want that of the context", err)
	}
}
