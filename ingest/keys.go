package ingest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/fieldgate/fieldgate/schema"
)

// ErrUnknownKey means that nobody has the API key, or not any more.
var ErrUnknownKey = errors.New("unknown API key")

// Scope is something that an API key allows.
type Scope string

// The scopes.
const (
	ScopeIngest Scope = "ingest" // send events
	ScopeQuery  Scope = "query"  // run SQL
	ScopeSchema Scope = "schema" // read and change declarations
)

// AllScopes are what the key of development mode has.
func AllScopes() []Scope { return []Scope{ScopeIngest, ScopeQuery, ScopeSchema} }

// ParseScopes reads the names of scopes, at least one.
func ParseScopes(names []string) ([]Scope, error) {
	var scopes []Scope
	for _, name := range names {
		s := Scope(name)
		if !slices.Contains(AllScopes(), s) {
			return nil, fmt.Errorf("no scope %q; there are ingest, query and schema", name)
		}
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	if len(scopes) == 0 {
		return nil, errors.New("a key needs a scope; there are ingest, query and schema")
	}
	return scopes, nil
}

// Secret is an API key as its holder sends it. It does not show in logs.
type Secret string

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

const (
	secretPrefix = "fg_"
	secretLength = 32
	// secretLetters keep an API key one word wherever it is pasted: 190 bits in 32 of them.
	secretLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// newSecret makes an API key.
func newSecret() Secret {
	b := make([]byte, 0, secretLength)
	var random [2 * secretLength]byte
	for len(b) < secretLength {
		_, _ = rand.Read(random[:]) // never fails (crypto/rand since Go 1.24)
		for _, r := range random {
			// The remainder would favour the first letters, so what lies beyond their last multiple is dropped.
			if int(r) < 256/len(secretLetters)*len(secretLetters) && len(b) < secretLength {
				b = append(b, secretLetters[int(r)%len(secretLetters)])
			}
		}
	}
	return Secret(secretPrefix + string(b))
}

// Key is what is known of an API key. The key itself is not: only its hash is stored.
type Key struct {
	ID        string // the first digits of the hash, to name the key by
	Tenant    string
	Device    string // whatever its owner calls the holder, or ""
	Scopes    []Scope
	CreatedAt time.Time
}

// Allows says whether the key has the scope.
func (k *Key) Allows(scope Scope) bool { return slices.Contains(k.Scopes, scope) }

const (
	keyFolder  = "key/" // in the key-value store, followed by the hash in hexadecimal
	keyVersion = 1      // of the values there
	idDigits   = 12     // of the hash, that are a key's ID
	keyPage    = 500    // keys listed at once
)

// storedKey is the value kept of a key.
type storedKey struct {
	Version   int       `json:"version"`
	Tenant    string    `json:"tenant"`
	Device    string    `json:"device,omitempty"`
	Scopes    []Scope   `json:"scopes"`
	CreatedAt time.Time `json:"created_at"`
}

// KeysConfig is what Keys needs and may be told.
type KeysConfig struct {
	// KV keeps the keys. It must be given.
	KV schema.KV
	// TTL is how long a key that was looked up is believed without looking again, and so the longest that a revocation
	// by another process takes to act. Default: 4 s.
	TTL time.Duration
	// CacheSize is how many looked up keys are remembered. Default: 10,000.
	CacheSize int
	// Now tells the time. Default: time.Now.
	Now func() time.Time
}

func (c KeysConfig) withDefaults() KeysConfig {
	if c.TTL == 0 {
		c.TTL = 4 * time.Second
	}
	if c.CacheSize == 0 {
		c.CacheSize = 10_000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c *KeysConfig) validate() error {
	if c.KV == nil {
		return errors.New("keys: no key-value store")
	}
	if c.TTL < 0 || c.CacheSize < 0 {
		return fmt.Errorf("keys: negative TTL %v or cache size %d", c.TTL, c.CacheSize)
	}
	return nil
}

// Keys are the API keys of all tenants. All methods may be called at once from many goroutines.
type Keys struct {
	cfg   KeysConfig
	cache *lru.Cache[[sha256.Size]byte, cachedKey]
}

type cachedKey struct {
	key   *Key // nil: there is no such key
	until time.Time
}

// NewKeys returns the keys in a key-value store.
func NewKeys(cfg KeysConfig) (*Keys, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cache, err := lru.New[[sha256.Size]byte, cachedKey](cfg.CacheSize)
	if err != nil {
		return nil, fmt.Errorf("make cache of keys: %w", err)
	}
	return &Keys{cfg: cfg, cache: cache}, nil
}

// Add makes a key for a tenant. The secret is not stored and cannot be had again.
func (k *Keys) Add(ctx context.Context, tenant, device string, scopes []Scope) (Secret, Key, error) {
	secret := newSecret()
	key, err := k.put(ctx, secret, storedKey{Tenant: tenant, Device: device, Scopes: scopes}, 0)
	if err != nil {
		return "", Key{}, fmt.Errorf("add key: %w", err)
	}
	return secret, key, nil
}

// AddFixed makes sure that a well-known key, that of development mode, is the tenant's and has the scopes.
func (k *Keys) AddFixed(ctx context.Context, secret Secret, tenant string, scopes []Scope) error {
	for {
		item, err := k.cfg.KV.Get(ctx, keyFolder+hexHash(secret))
		if err != nil && !errors.Is(err, schema.ErrNotFound) {
			return fmt.Errorf("read fixed key: %w", err)
		}
		_, err = k.put(ctx, secret, storedKey{Tenant: tenant, Scopes: scopes}, item.Version)
		if !errors.Is(err, schema.ErrConflict) {
			return err
		}
	}
}

// put stores a key if it is at the expected version.
func (k *Keys) put(ctx context.Context, secret Secret, s storedKey, expect uint64) (Key, error) {
	s.Version, s.CreatedAt = keyVersion, k.cfg.Now().UTC()
	value, err := json.Marshal(s)
	if err != nil {
		return Key{}, fmt.Errorf("encode key: %w", err)
	}
	hash := hexHash(secret)
	if _, err := k.cfg.KV.Put(ctx, keyFolder+hash, value, expect); err != nil {
		return Key{}, fmt.Errorf("store key: %w", err)
	}
	k.cache.Remove(sha256.Sum256([]byte(secret)))
	return s.key(hash), nil
}

func (s *storedKey) key(hash string) Key {
	return Key{ID: hash[:idDigits], Tenant: s.Tenant, Device: s.Device, Scopes: s.Scopes, CreatedAt: s.CreatedAt}
}

func hexHash(secret Secret) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Lookup finds the key that a request brought. ErrUnknownKey if there is none.
func (k *Keys) Lookup(ctx context.Context, secret Secret) (*Key, error) {
	hash := sha256.Sum256([]byte(secret))
	now := k.cfg.Now()
	cached, ok := k.cache.Get(hash)
	if !ok || !now.Before(cached.until) {
		key, err := k.read(ctx, hex.EncodeToString(hash[:]))
		if err != nil {
			return nil, err
		}
		cached = cachedKey{key: key, until: now.Add(k.cfg.TTL)}
		k.cache.Add(hash, cached)
	}
	if cached.key == nil {
		return nil, ErrUnknownKey
	}
	return cached.key, nil
}

// read reads a key; nil if there is none.
func (k *Keys) read(ctx context.Context, hash string) (*Key, error) {
	item, err := k.cfg.KV.Get(ctx, keyFolder+hash)
	if errors.Is(err, schema.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	key, err := decodeKey(item)
	if err != nil {
		return nil, err
	}
	return &key, nil
}

func decodeKey(item schema.Item) (Key, error) {
	var s storedKey
	if err := json.Unmarshal(item.Value, &s); err != nil {
		return Key{}, fmt.Errorf("decode key %s: %w", item.Key, err)
	}
	hash := strings.TrimPrefix(item.Key, keyFolder)
	if s.Version != keyVersion || len(hash) < idDigits {
		return Key{}, fmt.Errorf("decode key %s: version %d is not known", item.Key, s.Version)
	}
	return s.key(hash), nil
}

// List gives the keys of a tenant, or of all tenants if tenant is "", by tenant and age.
func (k *Keys) List(ctx context.Context, tenant string) ([]Key, error) {
	var keys []Key
	err := k.each(ctx, keyFolder, func(_ schema.Item, key Key) error {
		if tenant == "" || key.Tenant == tenant {
			keys = append(keys, key)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	slices.SortFunc(keys, func(a, b Key) int {
		if c := strings.Compare(a.Tenant, b.Tenant); c != 0 {
			return c
		}
		return a.CreatedAt.Compare(b.CreatedAt)
	})
	return keys, nil
}

// each visits the stored keys whose names begin with prefix.
func (k *Keys) each(ctx context.Context, prefix string, visit func(schema.Item, Key) error) error {
	for after := ""; ; {
		items, err := k.cfg.KV.List(ctx, prefix, after, keyPage)
		if err != nil {
			return err
		}
		for _, item := range items {
			key, err := decodeKey(item)
			if err != nil {
				return err
			}
			if err := visit(item, key); err != nil {
				return err
			}
			after = item.Key
		}
		if len(items) < keyPage {
			return nil
		}
	}
}

// Revoke ends the key of an ID; schema.ErrNotFound if there is none. In this process it acts at once, in others when
// they look next.
func (k *Keys) Revoke(ctx context.Context, id string) error {
	found := false
	if len(id) == idDigits {
		err := k.each(ctx, keyFolder+id, func(item schema.Item, _ Key) error {
			found = true
			return k.remove(ctx, item)
		})
		if err != nil {
			return fmt.Errorf("revoke key %s: %w", id, err)
		}
	}
	if !found {
		return fmt.Errorf("key %q: %w", id, schema.ErrNotFound)
	}
	return nil
}

// RevokeAll ends all keys of a tenant.
func (k *Keys) RevokeAll(ctx context.Context, tenant string) error {
	err := k.each(ctx, keyFolder, func(item schema.Item, key Key) error {
		if key.Tenant != tenant {
			return nil
		}
		return k.remove(ctx, item)
	})
	if err != nil {
		return fmt.Errorf("revoke keys of tenant %s: %w", tenant, err)
	}
	return nil
}

func (k *Keys) remove(ctx context.Context, item schema.Item) error {
	err := k.cfg.KV.Delete(ctx, item.Key, item.Version)
	if err != nil && !errors.Is(err, schema.ErrNotFound) {
		return fmt.Errorf("delete key: %w", err)
	}
	var hash [sha256.Size]byte
	if _, err := hex.Decode(hash[:], []byte(strings.TrimPrefix(item.Key, keyFolder))); err != nil {
		return fmt.Errorf("delete key: %w", err)
	}
	k.cache.Remove(hash)
	return nil
}
