package ingest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/ingest"
)

// What version 1 kept in the key-value store is read by every later version.
func TestGoldenValues(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	name := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:])
	}
	for file, key := range map[string]string{
		"key-1.json":         "key/" + name("fg_golden"),
		"idempotency-1.json": "idempotency/acme/" + name("golden"),
	} {
		value, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.kv.Put(t.Context(), key, value, 0); err != nil {
			t.Fatal(err)
		}
	}
	key, err := b.keys.Lookup(t.Context(), "fg_golden")
	if err != nil {
		t.Fatal(err)
	}
	if key.Tenant != "acme" || key.Device != "gateway 7" || !key.Allows(ingest.ScopeIngest) || !key.Allows(ingest.ScopeQuery) ||
		key.Allows(ingest.ScopeSchema) || !key.CreatedAt.Equal(time.Unix(1_790_000_000, 0)) {
		t.Errorf("key %+v", key)
	}
	w := b.post(t, "/v1/events/m", []byte(`{"a":1}`), "Idempotency-Key", "golden")
	if w.Code != http.StatusOK || w.Body.String() != `{"receipt":"GOLDENRECEIPT0000001","accepted":1,"rejected":[]}`+"\n" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if got := b.events(t); len(got) > 0 {
		t.Errorf("stored %q", got)
	}
}
