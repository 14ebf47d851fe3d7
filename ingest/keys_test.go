package ingest_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/schema"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.advance(time.Minute)
	secret, key, err := b.keys.Add(t.Context(), "acme", "gateway 7", []ingest.Scope{ingest.ScopeQuery})
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^fg_[0-9A-Za-z]{32}$`).MatchString(string(secret)) || len(key.ID) != 12 {
		t.Errorf("secret %q, id %q", string(secret), key.ID)
	}
	found, err := b.keys.Lookup(t.Context(), secret)
	if err != nil || fmt.Sprint(*found) != fmt.Sprint(key) || !found.CreatedAt.Equal(b.now()) || !found.Allows(ingest.ScopeQuery) || found.Allows(ingest.ScopeIngest) {
		t.Errorf("found %+v, %v, want %+v", found, err, key)
	}
	if _, err := b.keys.Lookup(t.Context(), secret+"x"); !errors.Is(err, ingest.ErrUnknownKey) {
		t.Errorf("unknown key: %v", err)
	}
	listed := func(tenant string) []string {
		t.Helper()
		keys, err := b.keys.List(t.Context(), tenant)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, k := range keys {
			names = append(names, k.Tenant+":"+k.Device)
		}
		return names
	}
	if got := listed(""); !slices.Equal(got, []string{"acme:", "acme:gateway 7", "globex:"}) {
		t.Errorf("listed %q", got)
	}
	if got := listed("globex"); !slices.Equal(got, []string{"globex:"}) {
		t.Errorf("listed %q", got)
	}
	if err := b.keys.Revoke(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.keys.Lookup(t.Context(), secret); !errors.Is(err, ingest.ErrUnknownKey) {
		t.Errorf("revoked key: %v", err)
	}
	for _, id := range []string{key.ID, "", key.ID[:4], "key/"} {
		if err := b.keys.Revoke(t.Context(), id); !errors.Is(err, schema.ErrNotFound) {
			t.Errorf("revoke %q: %v, want ErrNotFound", id, err)
		}
	}
	if err := b.keys.RevokeAll(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if got := listed(""); !slices.Equal(got, []string{"globex:"}) {
		t.Errorf("listed %q", got)
	}
}

// A key that another process revokes, or adds, is believed for at most 5 seconds.
func TestKeysElsewhere(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	other, err := ingest.NewKeys(ingest.KeysConfig{KV: b.kv, Now: b.now})
	if err != nil {
		t.Fatal(err)
	}
	if w := b.post(t, "/v1/events", []byte(`{}`)); w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	keys, err := other.List(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Revoke(t.Context(), keys[0].ID); err != nil {
		t.Fatal(err)
	}
	b.advance(5 * time.Second)
	if w := b.post(t, "/v1/events", []byte(`{}`)); w.Code != http.StatusUnauthorized {
		t.Errorf("after 5 seconds: status %d: %s", w.Code, w.Body)
	}
	if err := other.AddFixed(t.Context(), b.acme, "acme", ingest.AllScopes()); err != nil {
		t.Fatal(err)
	}
	b.advance(5 * time.Second)
	if w := b.post(t, "/v1/events", []byte(`{}`)); w.Code != http.StatusOK {
		t.Errorf("added again: status %d: %s", w.Code, w.Body)
	}
}

func TestKeysFixed(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for _, scopes := range [][]ingest.Scope{{ingest.ScopeQuery}, ingest.AllScopes()} {
		if err := b.keys.AddFixed(t.Context(), "demo-key", "acme", scopes); err != nil {
			t.Fatal(err)
		}
		key, err := b.keys.Lookup(t.Context(), "demo-key")
		if err != nil || key.Tenant != "acme" || !slices.Equal(key.Scopes, scopes) {
			t.Errorf("key %+v, %v", key, err)
		}
	}
	keys, err := b.keys.List(t.Context(), "acme")
	if err != nil || len(keys) != 2 {
		t.Errorf("keys %+v, %v", keys, err)
	}
}

// The secret is neither stored nor logged.
func TestKeysSecret(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	items, err := b.kv.List(t.Context(), "", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		if strings.Contains(item.Key, string(b.acme)) || bytes.Contains(item.Value, []byte(b.acme)) {
			t.Errorf("%s holds the secret", item.Key)
		}
	}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("added", "key", b.acme)
	if strings.Contains(out.String(), string(b.acme)) || !strings.Contains(out.String(), "redacted") {
		t.Errorf("logged %s", out.String())
	}
}

func TestParseScopes(t *testing.T) {
	t.Parallel()
	got, err := ingest.ParseScopes([]string{"query", "ingest", "query"})
	if err != nil || !slices.Equal(got, []ingest.Scope{ingest.ScopeQuery, ingest.ScopeIngest}) {
		t.Errorf("scopes %v, %v", got, err)
	}
	for _, names := range [][]string{nil, {"admin"}, {"query", ""}} {
		if got, err := ingest.ParseScopes(names); err == nil {
			t.Errorf("%q are %v", names, got)
		}
	}
}
