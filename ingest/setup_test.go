package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources/bolt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bundle is a fresh ingest over real stores, with the tenants acme and globex and a key of each.
type bundle struct {
	kv           *bolt.DB
	log          *stream.Disk
	schemas      *schema.Store
	keys         *ingest.Keys
	acme, globex ingest.Secret
	clock        atomic.Int64 // microseconds
	config       ingest.Config
	mux          *http.ServeMux
	handler      *ingest.Handler
}

// setup makes a bundle. edit may change the configuration of the handler.
func setup(tb testing.TB, edit func(*ingest.Config)) *bundle {
	tb.Helper()
	b := &bundle{}
	b.clock.Store(1_790_000_000_000_000)
	dir := tb.TempDir()
	var err error
	if b.kv, err = bolt.Open(bolt.Config{Path: filepath.Join(dir, "kv.bolt")}); err != nil {
		tb.Fatal(err)
	}
	closeAfter(tb, b.kv)
	if b.log, err = stream.OpenDisk(stream.DiskConfig{Dir: filepath.Join(dir, "raw"), Shards: 2}); err != nil {
		tb.Fatal(err)
	}
	closeAfter(tb, b.log)
	if b.schemas, err = schema.NewStore(b.kv, schema.StoreConfig{}); err != nil {
		tb.Fatal(err)
	}
	if b.keys, err = ingest.NewKeys(ingest.KeysConfig{KV: b.kv, Now: b.now}); err != nil {
		tb.Fatal(err)
	}
	for tenant, secret := range map[string]*ingest.Secret{"acme": &b.acme, "globex": &b.globex} {
		if err := b.schemas.AddTenant(tb.Context(), tenant); err != nil {
			tb.Fatal(err)
		}
		if *secret, _, err = b.keys.Add(tb.Context(), tenant, "", []ingest.Scope{ingest.ScopeIngest}); err != nil {
			tb.Fatal(err)
		}
	}
	b.config = ingest.Config{Log: b.log, Keys: b.keys, Schemas: b.schemas, KV: b.kv, Now: b.now}
	b.restart(tb, edit)
	return b
}

// restart makes the handler anew over the same stores.
func (b *bundle) restart(tb testing.TB, edit func(*ingest.Config)) {
	tb.Helper()
	config := b.config
	if edit != nil {
		edit(&config)
	}
	var err error
	if b.handler, err = ingest.New(config); err != nil {
		tb.Fatal(err)
	}
	b.mux = http.NewServeMux()
	b.handler.Mount(b.mux)
}

func closeAfter(tb testing.TB, c io.Closer) {
	tb.Helper()
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
	})
}

func (b *bundle) now() time.Time { return time.UnixMicro(b.clock.Load()) }

func (b *bundle) advance(d time.Duration) { b.clock.Add(d.Microseconds()) }

// post sends a body with headers given in pairs. The key is acme's unless the headers have one.
func (b *bundle) post(tb testing.TB, path string, body []byte, headers ...string) *httptest.ResponseRecorder {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+string(b.acme))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	b.mux.ServeHTTP(w, r)
	return w
}

// stored reads all raw records of the log.
func (b *bundle) stored(tb testing.TB) (all []record.Raw) {
	tb.Helper()
	b.eachStored(tb, func(_ stream.ShardID, raw *record.Raw) { all = append(all, *raw) })
	return all
}

// eachStored visits all raw records of the log, by shard.
func (b *bundle) eachStored(tb testing.TB, visit func(in stream.ShardID, raw *record.Raw)) {
	tb.Helper()
	shards, err := b.log.Shards(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	for _, shard := range shards {
		tail, err := b.log.Tail(tb.Context(), shard.ID, stream.Sequence{})
		if err != nil {
			tb.Fatal(err)
		}
		it, err := b.log.Iterate(tb.Context(), shard.ID, stream.FromOldest())
		if err != nil {
			tb.Fatal(err)
		}
		for last := (stream.Sequence{}); last.Compare(tail) < 0; {
			records, err := it.Next(tb.Context(), 100, 1<<20)
			if err != nil {
				tb.Fatal(err)
			}
			for _, r := range records {
				var raw record.Raw
				if err := record.DecodeRaw(bytes.Clone(r.Data), &raw); err != nil {
					tb.Fatal(err)
				}
				visit(r.Shard, &raw)
				last = r.Seq
			}
		}
		if err := it.Close(); err != nil {
			tb.Fatal(err)
		}
	}
}

// events lists the stored events as "index text".
func (b *bundle) events(tb testing.TB) []string {
	tb.Helper()
	var all []string
	for _, raw := range b.stored(tb) {
		for i, event := range raw.Events {
			all = append(all, fmt.Sprintf("%d %s", raw.Indexes[i], event))
		}
	}
	return all
}

// flakyLog is a log whose next Put fails, having stored the entries or not.
type flakyLog struct {
	stream.Log
	fail  atomic.Pointer[error]
	store atomic.Bool
	puts  atomic.Int64
}

var errPut = errors.New("put went wrong")

func (l *flakyLog) Put(ctx context.Context, entries []stream.Entry) ([]stream.Placed, error) {
	l.puts.Add(1)
	err := l.fail.Swap(nil)
	if err != nil && !l.store.Load() {
		return nil, *err
	}
	placed, putErr := l.Log.Put(ctx, entries)
	if err != nil {
		return nil, *err
	}
	return placed, putErr
}

func (l *flakyLog) failNext(err error, store bool) {
	l.store.Store(store)
	l.fail.Store(&err)
}

// slowLog is a log whose Put takes a while before it looks whether it is still waited for.
type slowLog struct{ stream.Log }

func (l slowLog) Put(ctx context.Context, entries []stream.Entry) ([]stream.Placed, error) {
	select {
	case <-ctx.Done():
	case <-time.After(50 * time.Millisecond):
	}
	return l.Log.Put(ctx, entries)
}
