package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
	"github.com/fieldgate/fieldgate/schema/suggest"
	"github.com/fieldgate/fieldgate/schema/webhook"
	"github.com/fieldgate/fieldgate/sources/bolt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is two tenants, what their devices send, and what is suggested.
type world struct {
	kv       schema.KV
	schemas  *schema.Store
	observed *schema.Observed
	shard    *profile.Shard
	hooks    *webhook.Hooks
	advisor  *suggest.Advisor
	n        uint64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "kv.bolt")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{kv: db}
	if w.schemas, err = schema.NewStore(db, schema.StoreConfig{}); err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []string{"acme", "globex"} {
		if err := w.schemas.AddTenant(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
	}
	if w.observed, err = schema.NewObserved(db, schema.ObservedConfig{Schemas: w.schemas}); err != nil {
		t.Fatal(err)
	}
	profiles := profile.New(db, profile.Config{})
	w.shard = profiles.Shard(0)
	w.advisor, err = suggest.New(db, suggest.Config{Schemas: w.schemas, Observed: w.observed, Profiles: profiles})
	if err != nil {
		t.Fatal(err)
	}
	w.hooks = webhook.NewHooks(db, w.schemas, nil)
	return w
}

// send has a device send one value.
func (w *world) send(t *testing.T, tenant, metric string, v schema.Value) {
	t.Helper()
	w.n++
	e := &schema.Event{Dataset: schema.Dataset{Tenant: tenant, Metric: metric}, ReceivedAt: int64(w.n), Time: int64(w.n), Values: []schema.Value{v}}
	if err := w.shard.Note(t.Context(), e, profile.Position{0, 0, w.n}); err != nil {
		t.Fatal(err)
	}
	w.observed.Note(e)
}

func (w *world) declare(t *testing.T, tenant string, m schema.Metric) {
	t.Helper()
	_, err := w.schemas.Change(t.Context(), tenant, "test", "test", func(d *schema.Draft) error { return d.CreateMetric(m) })
	if err != nil {
		t.Fatal(err)
	}
}

// run posts until the test or the returned function ends it.
func (w *world) run(t *testing.T) (stop func()) {
	t.Helper()
	s, err := webhook.NewSender(webhook.Config{
		Hooks: w.hooks, Advisor: w.advisor, Schemas: w.schemas, Interval: time.Millisecond, FirstRetry: time.Millisecond, LastRetry: 4 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// received is a post as a server got it.
type received struct {
	delivery, signature, body string
}

// ids lists tenant, kind and subject of each suggestion of a post.
func (r received) subjects(t *testing.T) string {
	t.Helper()
	var n struct {
		Tenant      string
		Suggestions []struct {
			ID           int64
			Kind, Metric string
			Sent         string `json:"sent_name"`
		}
	}
	if err := json.Unmarshal([]byte(r.body), &n); err != nil {
		t.Fatal(err)
	}
	out := n.Tenant
	for _, s := range n.Suggestions {
		out += fmt.Sprintf(" %d:%s:%s:%s", s.ID, s.Kind, s.Metric, s.Sent)
	}
	return out
}

// listen is a server that answers what status says and passes on what it gets.
func listen(t *testing.T, status func(r *http.Request) int) (string, <-chan received) {
	t.Helper()
	got := make(chan received, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		code := status(r)
		if code/100 == 3 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(code)
		got <- received{r.Header.Get(webhook.DeliveryHeader), r.Header.Get(webhook.SignatureHeader), string(body)}
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func always(code int) func(*http.Request) int { return func(*http.Request) int { return code } }

func TestNotifications(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const secret = "it is a secret"
	url, got := listen(t, always(204))
	if err := w.hooks.Set(t.Context(), "acme", url, secret, "test"); err != nil {
		t.Fatal(err)
	}
	stop := w.run(t)
	want := func(subjects string) {
		t.Helper()
		r := <-got
		if s := r.subjects(t); s != subjects {
			t.Errorf("told of %s, want %s", s, subjects)
		}
		at, signature, _ := strings.Cut(strings.TrimPrefix(r.signature, "t="), ",v1=")
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(at + "." + r.body))
		if signature != hex.EncodeToString(mac.Sum(nil)) {
			t.Errorf("signature %s", r.signature)
		}
	}
	w.send(t, "globex", "theirs", schema.Value{Name: "x", Kind: 'i'})
	w.send(t, "acme", "press", schema.Value{Name: "force", Kind: 'i', Int: 5})
	want("acme 1:metric:press:press")
	w.declare(t, "acme", schema.Metric{Name: "press", Fields: []schema.Field{{Name: "force", Type: schema.Type{Name: "smallint"}}}})
	w.send(t, "acme", "press", schema.Value{Name: "speed", Kind: 'i', Int: 5})
	want("acme 2:field:press:speed")
	w.send(t, "acme", "press", schema.Value{Name: "force", Kind: 's', Text: []byte("7")})
	want("acme 3:type:press:force")
	for range 10 {
		w.send(t, "acme", "press", schema.Value{Name: "force", Kind: 's', Text: []byte("much")})
	}
	want("acme 4:casts:press:force")
	// Nothing is told twice, by a later sender neither.
	stop()
	stop = w.run(t)
	w.send(t, "acme", "press", schema.Value{Name: "speed", Kind: 'i', Int: 6})
	w.send(t, "acme", "drill", schema.Value{Name: "x", Kind: 'i'})
	want("acme 5:metric:drill:drill")
	stop()
	if _, err := w.hooks.Get(t.Context(), "globex"); !errors.Is(err, webhook.ErrNone) {
		t.Errorf("the other tenant's webhook: %v", err)
	}
	if hook, err := w.hooks.Get(t.Context(), "acme"); err != nil || hook.DeliveredAt.IsZero() || hook.Error != "" {
		t.Errorf("webhook %+v, %v", hook, err)
	}
}

// TestRetries has a server that fails twice, redirects once and then takes it: the
// same suggestions under the same delivery.
func TestRetries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	codes := make(chan int, 10)
	for _, code := range []int{500, 429, 307, 200} {
		codes <- code
	}
	url, got := listen(t, func(r *http.Request) int {
		if r.URL.Path != "/" {
			t.Errorf("a redirect is followed to %s", r.URL.Path)
		}
		return <-codes
	})
	w.send(t, "acme", "a", schema.Value{Name: "x", Kind: 'i'})
	w.send(t, "acme", "b", schema.Value{Name: "x", Kind: 's', Text: []byte("t")})
	if err := w.hooks.Set(t.Context(), "acme", url+"/", "", "test"); err != nil {
		t.Fatal(err)
	}
	stop := w.run(t)
	first := <-got
	for range 3 {
		r := <-got
		if r.delivery != first.delivery || r.subjects(t) != "acme 1:metric:a:a 2:metric:b:b" || r.signature != "" {
			t.Errorf("again: %+v, first %+v", r, first)
		}
	}
	stop()
}

// TestDeadWebhook has a tenant whose server does not answer: others are told.
func TestDeadWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	release := make(chan struct{})
	dead := make(chan struct{}, 100)
	stuck := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		dead <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer stuck.Close()
	defer close(release)
	url, got := listen(t, always(200))
	for tenant, to := range map[string]string{"acme": stuck.URL, "globex": url} {
		w.send(t, tenant, "m", schema.Value{Name: "x", Kind: 'i'})
		if err := w.hooks.Set(t.Context(), tenant, to, "", "test"); err != nil {
			t.Fatal(err)
		}
	}
	stop := w.run(t)
	<-dead
	if s := (<-got).subjects(t); s != "globex 1:metric:m:m" {
		t.Errorf("told of %s", s)
	}
	stop()
}

func TestHooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, url := range []string{"", "ftp://example.com/", "example.com", "http://", "https://user@example.com/", "https://example.com/#x", "http://x/" + strings.Repeat("y", 3000), "http://%zz/"} {
		var invalid *schema.Invalid
		if err := w.hooks.Set(t.Context(), "acme", url, "", "test"); !errors.As(err, &invalid) {
			t.Errorf("%q: %v", url, err)
		}
	}
	if err := w.hooks.Drop(t.Context(), "acme"); !errors.Is(err, webhook.ErrNone) {
		t.Errorf("drop of none: %v", err)
	}
	if err := w.hooks.Set(t.Context(), "acme", "https://example.com/x", "s", "test"); err != nil {
		t.Fatal(err)
	}
	if err := w.schemas.DropTenant(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if err := w.schemas.AddTenant(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if hook, err := w.hooks.Get(t.Context(), "acme"); !errors.Is(err, webhook.ErrNone) {
		t.Errorf("a new tenant of the name has %+v, %v", hook, err)
	}
	golden, err := os.ReadFile("testdata/format1.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.kv.Put(t.Context(), "webhooks/globex", golden, 0); err != nil {
		t.Fatal(err)
	}
	hook, err := w.hooks.Get(t.Context(), "globex")
	if err != nil || hook.URL != "https://example.com/" || hook.Secret != "s" || hook.SetBy != "demo" || hook.Error != "the answer is 500" || hook.DeliveredAt.Second() != 1 {
		t.Errorf("format 1 reads %+v, %v", hook, err)
	}
}
