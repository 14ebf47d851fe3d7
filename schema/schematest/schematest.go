// Package schematest holds the conformance suite of schema.KV: every
// implementation passes RunKV. It has a KV with a fault, too.
package schematest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fieldgate/fieldgate/schema"
)

// RunKV tests stores that newKV makes: each empty, each for one test.
func RunKV(t *testing.T, newKV func(t *testing.T) schema.KV) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, kv schema.KV){
		"PutGet":              testPutGet,
		"Expectations":        testExpectations,
		"Delete":              testDelete,
		"VersionsAfterDelete": testVersionsAfterDelete,
		"List":                testList,
		"ListPages":           testListPages,
		"ListOrder":           testListOrder,
		"Limits":              testLimits,
		"ValuesAreCopies":     testValuesAreCopies,
		"CounterRace":         testCounterRace,
		"CreateRace":          testCreateRace,
		"MixedRace":           testMixedRace,
		"CancelledContext":    testCancelledContext,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newKV(t))
		})
	}
}

func put(t *testing.T, kv schema.KV, key, value string, expect uint64) uint64 {
	t.Helper()
	version, err := kv.Put(t.Context(), key, []byte(value), expect)
	if err != nil {
		t.Fatalf("put %q expecting %d: %v", key, expect, err)
	}
	return version
}

func get(t *testing.T, kv schema.KV, key string) schema.Item {
	t.Helper()
	item, err := kv.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	if item.Key != key {
		t.Fatalf("get %q: item says key %q", key, item.Key)
	}
	return item
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: error %v, want %v", what, err, want)
	}
}

func testPutGet(t *testing.T, kv schema.KV) {
	_, err := kv.Get(t.Context(), "absent")
	wantErr(t, "get of an absent key", err, schema.ErrNotFound)
	for _, key := range []string{"a", "a/b", "space and ünïcode ✓/%2F", strings.Repeat("k", schema.MaxKey)} {
		first := put(t, kv, key, "one", 0)
		if first < 1 {
			t.Fatalf("first version of %q is %d", key, first)
		}
		second := put(t, kv, key, "", first)
		if second <= first {
			t.Fatalf("versions of %q: %d, then %d", key, first, second)
		}
		if item := get(t, kv, key); len(item.Value) != 0 || item.Version != second {
			t.Fatalf("get %q: %q at %d, want an empty value at %d", key, item.Value, item.Version, second)
		}
		third := put(t, kv, key, "three\x00\xff", second)
		if item := get(t, kv, key); string(item.Value) != "three\x00\xff" || item.Version != third {
			t.Fatalf("get %q: %q at %d, want three at %d", key, item.Value, item.Version, third)
		}
	}
}

func testExpectations(t *testing.T, kv schema.KV) {
	_, err := kv.Put(t.Context(), "k", nil, 7)
	wantErr(t, "put of an absent key expecting 7", err, schema.ErrConflict)
	first := put(t, kv, "k", "one", 0)
	second := put(t, kv, "k", "two", first)
	for _, expect := range []uint64{0, first, second + 1} {
		_, err := kv.Put(t.Context(), "k", []byte("other"), expect)
		wantErr(t, fmt.Sprintf("put at %d expecting %d", second, expect), err, schema.ErrConflict)
	}
	if item := get(t, kv, "k"); string(item.Value) != "two" || item.Version != second {
		t.Fatalf("refused writes left %q at %d", item.Value, item.Version)
	}
}

func testDelete(t *testing.T, kv schema.KV) {
	wantErr(t, "delete of an absent key", kv.Delete(t.Context(), "k", 1), schema.ErrNotFound)
	version := put(t, kv, "k", "one", 0)
	put(t, kv, "other", "stays", 0)
	wantErr(t, "delete expecting another version", kv.Delete(t.Context(), "k", version+1), schema.ErrConflict)
	if err := kv.Delete(t.Context(), "k", version); err != nil {
		t.Fatal(err)
	}
	_, err := kv.Get(t.Context(), "k")
	wantErr(t, "get of a deleted key", err, schema.ErrNotFound)
	wantErr(t, "second delete", kv.Delete(t.Context(), "k", version), schema.ErrNotFound)
	_, err = kv.Put(t.Context(), "k", nil, version)
	wantErr(t, "put of a deleted key expecting its version", err, schema.ErrConflict)
	get(t, kv, "other")
}

func testVersionsAfterDelete(t *testing.T, kv schema.KV) {
	highest := uint64(0)
	for round := range 3 {
		version := put(t, kv, "k", "v", 0)
		if version <= highest {
			t.Fatalf("round %d: version %d after a delete at %d", round, version, highest)
		}
		for range round + 1 {
			version = put(t, kv, "k", "v", version)
		}
		// A writer that read the key before the delete must not overwrite its successor.
		if err := kv.Delete(t.Context(), "k", version); err != nil {
			t.Fatal(err)
		}
		highest = version
	}
}

func keys(items []schema.Item) string {
	var list []string
	for _, item := range items {
		list = append(list, item.Key+"="+string(item.Value))
	}
	return strings.Join(list, " ")
}

func testList(t *testing.T, kv schema.KV) {
	for _, key := range []string{"a/1", "a/2", "a/2/x", "a/3", "a0", "b/1", "a"} {
		put(t, kv, key, "v"+key, 0)
	}
	gone := put(t, kv, "a/25", "gone", 0)
	if err := kv.Delete(t.Context(), "a/25", gone); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, prefix, after string
		limit               int
		want                string
	}{
		{"folder", "a/", "", 10, "a/1=va/1 a/2=va/2 a/2/x=va/2/x a/3=va/3"},
		{"after", "a/", "a/1", 10, "a/2=va/2 a/2/x=va/2/x a/3=va/3"},
		{"after a key that is not there", "a/", "a/15", 10, "a/2=va/2 a/2/x=va/2/x a/3=va/3"},
		{"after the last", "a/", "a/3", 10, ""},
		{"after beyond the prefix", "a/", "b", 10, ""},
		{"after before the prefix", "b/", "a/1", 10, "b/1=vb/1"},
		{"limit", "a/", "a/1", 2, "a/2=va/2 a/2/x=va/2/x"},
		{"prefix is a key", "a", "", 2, "a=va a/1=va/1"},
		{"everything", "", "", 100, "a=va a/1=va/1 a/2=va/2 a/2/x=va/2/x a/3=va/3 a0=va0 b/1=vb/1"},
		{"nothing", "c/", "", 10, ""},
	} {
		items, err := kv.List(t.Context(), c.prefix, c.after, c.limit)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := keys(items); got != c.want {
			t.Errorf("%s: %s; want %s", c.name, got, c.want)
		}
		for _, item := range items {
			if item.Version != get(t, kv, item.Key).Version {
				t.Errorf("%s: %q listed at version %d", c.name, item.Key, item.Version)
			}
		}
	}
}

func testListPages(t *testing.T, kv schema.KV) {
	const n = 57
	for i := range n {
		put(t, kv, fmt.Sprintf("p/%03d", i), "v", 0)
	}
	seen := 0
	for after := ""; ; {
		items, err := kv.List(t.Context(), "p/", after, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			if want := fmt.Sprintf("p/%03d", seen); item.Key != want {
				t.Fatalf("key %q, want %q", item.Key, want)
			}
			seen++
			after = item.Key
		}
		if len(items) < 10 {
			break
		}
	}
	if seen != n {
		t.Fatalf("%d keys in pages, want %d", seen, n)
	}
}

func testListOrder(t *testing.T, kv schema.KV) {
	order := []string{"o/", "o/\x01", "o/ ", "o/%", "o/-", "o/A", "o/Z", "o/a", "o/aa", "o/b", "o/é", "o/✓", "o/🌡"}
	if !slices.IsSorted(order) {
		t.Fatal("the test's own keys are not in the order of their bytes")
	}
	for _, i := range []int{5, 2, 12, 0, 9, 1, 11, 3, 10, 4, 8, 6, 7} {
		put(t, kv, order[i], "", 0)
	}
	items, err := kv.List(t.Context(), "o/", "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range items {
		got = append(got, item.Key)
	}
	if !slices.Equal(got, order) {
		t.Fatalf("order %q, want %q", got, order)
	}
}

func testLimits(t *testing.T, kv schema.KV) {
	big := bytes.Repeat([]byte{0xa5}, schema.MaxValue)
	if _, err := kv.Put(t.Context(), "big", big, 0); err != nil {
		t.Fatalf("put of the longest value: %v", err)
	}
	if !bytes.Equal(get(t, kv, "big").Value, big) {
		t.Fatal("the longest value came back different")
	}
	for name, item := range map[string]schema.Item{
		"too long a value": {Key: "bigger", Value: append(big, 0)},
		"empty key":        {Key: ""},
		"too long a key":   {Key: strings.Repeat("k", schema.MaxKey+1)},
		"invalid UTF-8":    {Key: "k\xff"},
	} {
		if _, err := kv.Put(t.Context(), item.Key, item.Value, 0); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func testValuesAreCopies(t *testing.T, kv schema.KV) {
	value := []byte("one")
	if _, err := kv.Put(t.Context(), "k", value, 0); err != nil {
		t.Fatal(err)
	}
	value[0] = 'X'
	read := get(t, kv, "k")
	if string(read.Value) != "one" {
		t.Fatalf("the stored value followed its writer's slice: %q", read.Value)
	}
	read.Value[0] = 'Y'
	if again := get(t, kv, "k"); string(again.Value) != "one" {
		t.Fatalf("the stored value followed its reader's slice: %q", again.Value)
	}
}

// testCounterRace has writers that each add one, as an optimistic writer does.
func testCounterRace(t *testing.T, kv schema.KV) {
	const writers, rounds = 8, 15
	put(t, kv, "counter", "", 0)
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for added := 0; added < rounds; {
				item, err := kv.Get(t.Context(), "counter")
				if err != nil {
					t.Error(err)
					return
				}
				_, err = kv.Put(t.Context(), "counter", append(item.Value, 'x'), item.Version)
				switch {
				case err == nil:
					added++
				case !errors.Is(err, schema.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	if n := len(get(t, kv, "counter").Value); n != writers*rounds {
		t.Fatalf("%d additions kept of %d", n, writers*rounds)
	}
}

// testCreateRace has one creator win for each key.
func testCreateRace(t *testing.T, kv schema.KV) {
	const writers, count = 8, 20
	var won sync.Map
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range count {
				key := fmt.Sprintf("c/%d", i)
				me := fmt.Sprint(w)
				_, err := kv.Put(t.Context(), key, []byte(me), 0)
				switch {
				case err == nil:
					if other, twice := won.LoadOrStore(key, me); twice {
						t.Errorf("%s created by %s and %s", key, other, me)
					}
				case !errors.Is(err, schema.ErrConflict):
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	for i := range count {
		key := fmt.Sprintf("c/%d", i)
		winner, _ := won.Load(key)
		if got := string(get(t, kv, key).Value); got != winner {
			t.Errorf("%s holds %q, created by %v", key, got, winner)
		}
	}
}

// testMixedRace has writes that must fail beside writes that must not.
func testMixedRace(t *testing.T, kv schema.KV) {
	const writers, rounds = 8, 20
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			key := fmt.Sprintf("m/%d", w)
			version := uint64(0)
			for i := range rounds {
				next, err := kv.Put(t.Context(), key, fmt.Append(nil, i), version)
				if err != nil {
					t.Errorf("put %s at %d: %v", key, version, err)
					return
				}
				if _, err := kv.Put(t.Context(), key, nil, version); !errors.Is(err, schema.ErrConflict) {
					t.Errorf("put %s at the stale version %d: %v", key, version, err)
				}
				version = next
			}
		})
	}
	group.Wait()
	for w := range writers {
		if got := string(get(t, kv, fmt.Sprintf("m/%d", w)).Value); got != fmt.Sprint(rounds-1) {
			t.Errorf("writer %d: last value %s", w, got)
		}
	}
}

func testCancelledContext(t *testing.T, kv schema.KV) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := kv.Get(ctx, "k")
	wantErr(t, "get", err, context.Canceled)
	_, err = kv.List(ctx, "", "", 1)
	wantErr(t, "list", err, context.Canceled)
	_, err = kv.Put(ctx, "k", nil, 0)
	wantErr(t, "put", err, context.Canceled)
	wantErr(t, "delete", kv.Delete(ctx, "k", 1), context.Canceled)
	_, err = kv.Get(t.Context(), "k")
	wantErr(t, "get after a cancelled put", err, schema.ErrNotFound)
}
