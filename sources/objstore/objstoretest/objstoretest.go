// Package objstoretest holds the conformance suite of objstore.Bucket: every implementation passes Run.
package objstoretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/sources/objstore"
)

// Run tests buckets that newBucket makes: each empty, each for one test.
func Run(t *testing.T, newBucket func(t *testing.T) objstore.Bucket) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, b objstore.Bucket){
		"PutGet":             testPutGet,
		"Sizes":              testSizes,
		"NotFound":           testNotFound,
		"Range":              testRange,
		"Conditions":         testConditions,
		"ConditionLarge":     testConditionLarge,
		"ConditionRace":      testConditionRace,
		"CounterRace":        testCounterRace,
		"List":               testList,
		"ListPages":          testListPages,
		"Delete":             testDelete,
		"DeletePutRace":      testDeletePutRace,
		"ReaderKeepsVersion": testReaderKeepsVersion,
		"InvalidKeys":        testInvalidKeys,
		"CancelledContext":   testCancelledContext,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newBucket(t))
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, b objstore.Bucket, key, data string) objstore.ETag {
	t.Helper()
	tag, err := b.Put(t.Context(), key, []byte(data))
	must(t, err)
	if tag == "" {
		t.Fatalf("put %s: no tag", key)
	}
	return tag
}

func get(t *testing.T, b objstore.Bucket, key string) string {
	t.Helper()
	data, _, err := objstore.Read(t.Context(), b, key)
	must(t, err)
	return string(data)
}

func testPutGet(t *testing.T, b objstore.Bucket) {
	before := time.Now().Add(-time.Minute)
	for _, key := range []string{"a", "folder/deep/er/b.parquet", "name with space+%=&?#'\"é✓", strings.Repeat("k", 200)} {
		for _, data := range []string{"one", "two", ""} {
			tag := put(t, b, key, data)
			read, info, err := objstore.Read(t.Context(), b, key)
			must(t, err)
			head, err := b.Head(t.Context(), key)
			must(t, err)
			if string(read) != data || info.ETag != tag || head.ETag != tag {
				t.Fatalf("%q: read %q with tag %s, head %s; want %q with %s", key, read, info.ETag, head.ETag, data, tag)
			}
			if head.Key != key || info.Key != key || head.Size != int64(len(data)) || info.Size != head.Size {
				t.Fatalf("%q: head %+v, get %+v", key, head, info)
			}
			if head.Modified.Before(before) || head.Modified.After(time.Now().Add(time.Minute)) {
				t.Fatalf("%q: modified %s", key, head.Modified)
			}
		}
	}
}

func testSizes(t *testing.T, b objstore.Bucket) {
	for _, size := range []int{0, 1, 4095, 1 << 20, 1<<20 + 1, 3 << 20} {
		key, data := fmt.Sprintf("size/%d", size), bytes.Repeat([]byte("0123456"), size/7+1)[:size]
		tag, err := b.Put(t.Context(), key, data)
		must(t, err)
		read, info, err := objstore.Read(t.Context(), b, key)
		must(t, err)
		if !bytes.Equal(read, data) || info.ETag != tag {
			t.Fatalf("size %d: read %d bytes with tag %s, want %s", size, len(read), info.ETag, tag)
		}
	}
}

func testNotFound(t *testing.T, b objstore.Bucket) {
	put(t, b, "folder/object", "x")
	for _, key := range []string{"none", "folder", "folder/object/below", "folder/objec"} {
		if _, _, err := b.Get(t.Context(), key); !errors.Is(err, objstore.ErrNotFound) {
			t.Errorf("get %s: %v, want ErrNotFound", key, err)
		}
		if _, err := b.GetRange(t.Context(), key, 0, 1); !errors.Is(err, objstore.ErrNotFound) {
			t.Errorf("get range of %s: %v, want ErrNotFound", key, err)
		}
		if _, err := b.Head(t.Context(), key); !errors.Is(err, objstore.ErrNotFound) {
			t.Errorf("head %s: %v, want ErrNotFound", key, err)
		}
		if err := b.Delete(t.Context(), key); err != nil {
			t.Errorf("delete %s: %v, want nil", key, err)
		}
	}
	if got := get(t, b, "folder/object"); got != "x" {
		t.Errorf("the neighbour is %q now", got)
	}
}

func testRange(t *testing.T, b objstore.Bucket) {
	const data = "0123456789"
	put(t, b, "r", data)
	for _, tt := range []struct {
		offset, size int64
		want         string
	}{{0, 10, data}, {0, 1, "0"}, {3, 4, "3456"}, {9, 1, "9"}, {8, 100, "89"}, {0, 1 << 40, data}} {
		r, err := b.GetRange(t.Context(), "r", tt.offset, tt.size)
		must(t, err)
		got, err := io.ReadAll(r)
		must(t, errors.Join(err, r.Close()))
		if string(got) != tt.want {
			t.Errorf("range %d+%d: %q, want %q", tt.offset, tt.size, got, tt.want)
		}
	}
	for _, offset := range []int64{10, 11, -1} {
		if _, err := b.GetRange(t.Context(), "r", offset, 1); !errors.Is(err, objstore.ErrRange) {
			t.Errorf("range from %d on: %v, want ErrRange", offset, err)
		}
	}
}

func testConditions(t *testing.T, b objstore.Bucket) {
	ctx := t.Context()
	if _, err := b.PutIf(ctx, "root", []byte("x"), "no-such-tag"); !errors.Is(err, objstore.ErrPrecondition) {
		t.Fatalf("replace nothing: %v, want ErrPrecondition", err)
	}
	first, err := b.PutIf(ctx, "root", []byte("one"), "")
	must(t, err)
	if _, err := b.PutIf(ctx, "root", []byte("x"), ""); !errors.Is(err, objstore.ErrPrecondition) {
		t.Fatalf("create again: %v, want ErrPrecondition", err)
	}
	second, err := b.PutIf(ctx, "root", []byte("two"), first)
	must(t, err)
	if first == second {
		t.Fatalf("two contents, one tag %s", first)
	}
	if _, err := b.PutIf(ctx, "root", []byte("x"), first); !errors.Is(err, objstore.ErrPrecondition) {
		t.Fatalf("replace by an old tag: %v, want ErrPrecondition", err)
	}
	if got := get(t, b, "root"); got != "two" {
		t.Fatalf("content %q, want two", got)
	}
	head, err := b.Head(ctx, "root")
	must(t, err)
	_, err = b.PutIf(ctx, "root", []byte("three"), head.ETag)
	must(t, err)
	must(t, b.Delete(ctx, "root"))
	_, err = b.PutIf(ctx, "root", []byte("anew"), "")
	must(t, err)
}

func testConditionLarge(t *testing.T, b objstore.Bucket) {
	one, two := bytes.Repeat([]byte{1}, 2<<20), bytes.Repeat([]byte{2}, 2<<20)
	first, err := b.PutIf(t.Context(), "large", one, "")
	must(t, err)
	second, err := b.PutIf(t.Context(), "large", two, first)
	must(t, err)
	if _, err := b.PutIf(t.Context(), "large", one, first); !errors.Is(err, objstore.ErrPrecondition) || first == second {
		t.Fatalf("replace by an old tag: %v, want ErrPrecondition", err)
	}
}

// testConditionRace has many writers create one object: one of them does.
func testConditionRace(t *testing.T, b objstore.Bucket) {
	const writers = 16
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			_, errs[i] = b.PutIf(t.Context(), "root", fmt.Append(nil, i), "")
		})
	}
	wg.Wait()
	winner := slices.Index(errs, nil)
	if winner < 0 {
		t.Fatalf("nobody won: %v", errs[0])
	}
	for i, err := range errs {
		if i != winner && !errors.Is(err, objstore.ErrPrecondition) {
			t.Errorf("writer %d: %v, want ErrPrecondition", i, err)
		}
	}
	if got := get(t, b, "root"); got != fmt.Sprint(winner) {
		t.Errorf("content %s, want the winner's %d", got, winner)
	}
}

// testCounterRace counts by compare-and-swap: no increment is lost.
func testCounterRace(t *testing.T, b objstore.Bucket) {
	const writers, rounds = 4, 10
	put(t, b, "n", "0")
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for i := range writers {
		wg.Go(func() {
			for range rounds {
				if errs[i] = increment(t.Context(), b); errs[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	must(t, errors.Join(errs...))
	if got := get(t, b, "n"); got != fmt.Sprint(writers*rounds) {
		t.Fatalf("counted to %s, want %d", got, writers*rounds)
	}
}

func increment(ctx context.Context, b objstore.Bucket) error {
	for {
		data, info, err := objstore.Read(ctx, b, "n")
		if err != nil {
			return err
		}
		var n int
		if _, err := fmt.Sscan(string(data), &n); err != nil {
			return err
		}
		_, err = b.PutIf(ctx, "n", fmt.Append(nil, n+1), info.ETag)
		if !errors.Is(err, objstore.ErrPrecondition) {
			return err
		}
	}
}

func keysOf(infos []objstore.Info) []string {
	keys := make([]string, len(infos))
	for i, info := range infos {
		keys[i] = info.Key
	}
	return keys
}

func testList(t *testing.T, b objstore.Bucket) {
	// In the order of bytes, in which a folder's slash stands between '-' and '0'.
	all := []string{"a-b", "a/k1", "a/k2", "a/k2-", "a/k2.x/y", "a/k3/x", "a/k3/y/z", "a0", "b", "é"}
	for _, key := range []int{4, 0, 9, 2, 7, 1, 3, 8, 6, 5} {
		put(t, b, all[key], all[key])
	}
	for _, tt := range []struct {
		name, prefix, after string
		limit               int
		want                []string
	}{
		{"all", "", "", 100, all},
		{"folder", "a/", "", 100, all[1:7]},
		{"part of a name", "a/k2", "", 100, all[2:5]},
		{"deep part of a name", "a/k3/y/", "", 100, all[6:7]},
		{"no slash", "a", "", 100, all[:8]},
		{"after a key", "a/", "a/k1", 2, all[2:4]},
		{"after a key in a folder", "", "a/k3/x", 100, all[6:]},
		{"after what is no key", "a/", "a/k25", 100, all[5:7]},
		{"after a folder", "", "a/k3/", 1, all[5:6]},
		{"after the last", "", "é", 100, nil},
		{"prefix of nothing", "c", "", 100, nil},
		{"prefix below an object", "b/", "", 100, nil},
		{"limit", "", "", 3, all[:3]},
		{"no limit left", "", "", 0, nil},
	} {
		infos, err := b.List(t.Context(), tt.prefix, tt.after, tt.limit)
		must(t, err)
		if got := keysOf(infos); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		for _, info := range infos {
			if info.Size != int64(len(info.Key)) || info.Modified.IsZero() {
				t.Errorf("%s: %+v, want the size and a time", tt.name, info)
			}
		}
	}
}

func testListPages(t *testing.T, b objstore.Bucket) {
	var want []string
	for i := range 25 {
		key := fmt.Sprintf("p/%d/%02d", i%3, i)
		put(t, b, key, "x")
		want = append(want, key)
	}
	slices.Sort(want)
	var got []string
	for after := ""; ; {
		page, err := b.List(t.Context(), "p/", after, 4)
		must(t, err)
		got = append(got, keysOf(page)...)
		if len(page) < 4 {
			break
		}
		after = page[len(page)-1].Key
	}
	if !slices.Equal(got, want) {
		t.Fatalf("pages give %q, want %q", got, want)
	}
}

func testDelete(t *testing.T, b objstore.Bucket) {
	put(t, b, "d/e/one", "1")
	put(t, b, "d/e/two", "2")
	for range 2 {
		must(t, b.Delete(t.Context(), "d/e/one"))
	}
	if _, err := b.Head(t.Context(), "d/e/one"); !errors.Is(err, objstore.ErrNotFound) {
		t.Fatalf("head of what is deleted: %v", err)
	}
	if got := get(t, b, "d/e/two"); got != "2" {
		t.Fatalf("the neighbour is %q now", got)
	}
	must(t, b.Delete(t.Context(), "d/e/two"))
	infos, err := b.List(t.Context(), "", "", 10)
	must(t, err)
	if len(infos) != 0 {
		t.Fatalf("left: %q", keysOf(infos))
	}
	put(t, b, "d", "a folder's name is free once the folder is empty")
}

// testDeletePutRace empties and fills one folder at once: no write fails for a folder that has just gone.
func testDeletePutRace(t *testing.T, b objstore.Bucket) {
	const writers, rounds = 4, 15
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			key := fmt.Sprintf("f/g/%d", i)
			for range rounds {
				if _, errs[i] = b.Put(t.Context(), key, []byte("x")); errs[i] != nil {
					return
				}
				if errs[i] = b.Delete(t.Context(), key); errs[i] != nil {
					return
				}
			}
			_, errs[i] = b.Put(t.Context(), key, []byte("x"))
		})
	}
	wg.Wait()
	must(t, errors.Join(errs...))
	infos, err := b.List(t.Context(), "f/", "", 10)
	must(t, err)
	if len(infos) != writers {
		t.Fatalf("found %q, want %d keys", keysOf(infos), writers)
	}
}

func testReaderKeepsVersion(t *testing.T, b objstore.Bucket) {
	old := strings.Repeat("old", 1<<19)
	put(t, b, "v", old)
	r, info, err := b.Get(t.Context(), "v")
	must(t, err)
	if _, err := io.ReadFull(r, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	put(t, b, "v", "new")
	rest, err := io.ReadAll(r)
	must(t, errors.Join(err, r.Close()))
	if string(rest) != old[3:] || info.Size != int64(len(old)) {
		t.Fatalf("the reader gave %d more bytes, not all of them old", len(rest))
	}
}

func testInvalidKeys(t *testing.T, b objstore.Bucket) {
	for name, key := range map[string]string{
		"empty":            "",
		"escape":           "../x",
		"escape within":    "a/../../x",
		"dot":              "a/./b",
		"hidden":           "a/.b",
		"absolute":         "/a",
		"trailing slash":   "a/",
		"double slash":     "a//b",
		"backslash":        `a\b`,
		"null":             "a\x00b",
		"newline":          "a\nb",
		"not UTF-8":        "a\xff",
		"too long":         strings.Repeat("a/", objstore.MaxKeyBytes),
		"too long segment": strings.Repeat("a", 224),
	} {
		_, err := b.Put(t.Context(), key, nil)
		if !errors.Is(err, objstore.ErrKey) {
			t.Errorf("%s: put: %v, want ErrKey", name, err)
		}
		if _, err := b.PutIf(t.Context(), key, nil, ""); !errors.Is(err, objstore.ErrKey) {
			t.Errorf("%s: put if: %v, want ErrKey", name, err)
		}
		if _, _, err := b.Get(t.Context(), key); !errors.Is(err, objstore.ErrKey) {
			t.Errorf("%s: get: %v, want ErrKey", name, err)
		}
		if _, err := b.Head(t.Context(), key); !errors.Is(err, objstore.ErrKey) {
			t.Errorf("%s: head: %v, want ErrKey", name, err)
		}
		if err := b.Delete(t.Context(), key); !errors.Is(err, objstore.ErrKey) {
			t.Errorf("%s: delete: %v, want ErrKey", name, err)
		}
	}
}

func testCancelledContext(t *testing.T, b objstore.Bucket) {
	put(t, b, "c", "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Put(ctx, "c", []byte("y")); !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v", err)
	}
	if _, _, err := b.Get(ctx, "c"); !errors.Is(err, context.Canceled) {
		t.Errorf("get: %v", err)
	}
	if _, err := b.List(ctx, "", "", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("list: %v", err)
	}
	if got := get(t, b, "c"); got != "x" {
		t.Errorf("content %q, want x", got)
	}
}
