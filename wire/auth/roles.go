package auth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/fieldgate/fieldgate/schema"
)

const (
	usersPrefix = "users/"
	namesPrefix = "user_names/"
	decoyKey    = "auth/decoy"

	// maxTTL bounds how long a dropped user or an old password can still log in.
	maxTTL = 5 * time.Second
	// maxUser is PostgreSQL's longest identifier.
	maxUser = 63
	// maxPassword bounds the work of one hash.
	maxPassword = 1024

	decoyBytes = 32
	cacheSize  = 10_000
	pageSize   = 500
	// writeAttempts bounds how often a change starts anew when another process
	// changes the same user.
	writeAttempts = 10
)

// Config configures Roles.
type Config struct {
	// KV keeps the users. Required.
	KV schema.KV
	// TTL is how long a user is believed to be as last read. Default, and most,
	// 5 s.
	TTL time.Duration
	// Iterations is the cost of new verifiers. Default, and least, 4,096.
	Iterations int
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.TTL == 0 {
		c.TTL = maxTTL
	}
	if c.Iterations == 0 {
		c.Iterations = minIterations
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.KV == nil:
		return errors.New("roles: no key-value store")
	case c.TTL < 0 || c.TTL > maxTTL:
		return fmt.Errorf("roles: TTL %v is not between 0 and %v", c.TTL, maxTTL)
	case c.Iterations < minIterations:
		return fmt.Errorf("roles: %d iterations, at least %d are needed", c.Iterations, minIterations)
	}
	return nil
}

// Role is a SQL user of a tenant.
type Role struct {
	Tenant, User string
	// Owner may change the schema.
	Owner     bool
	CreatedAt time.Time
}

// Roles are the SQL users of all tenants. A name means one user in each tenant.
type Roles struct {
	cfg   Config
	cache *lru.Cache[userKey, cached]
}

type userKey struct {
	tenant, user string
}

// cached is a user as the store had it at a time; nil: it had none.
type cached struct {
	account *account
	at      time.Time
}

// account is a role with what proves it.
type account struct {
	Role
	verifier Verifier
	version  uint64
}

// userDocument is the stored form of an account.
type userDocument struct {
	Format    int       `json:"format"`
	Tenant    string    `json:"tenant"`
	User      string    `json:"user"`
	Owner     bool      `json:"owner"`
	Verifier  string    `json:"verifier"`
	CreatedAt time.Time `json:"created_at"`
}

// documentFormat is the format of the values of this package; see
// docs/format/keyvalue.md.
const documentFormat = 1

// NewRoles returns the users that cfg.KV keeps. It reads nothing yet.
func NewRoles(cfg Config) (*Roles, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cache, err := lru.New[userKey, cached](cacheSize)
	if err != nil {
		return nil, fmt.Errorf("make cache of users: %w", err)
	}
	return &Roles{cfg: cfg, cache: cache}, nil
}

// AddUser makes a user. schema.ErrExists if the tenant has one of that name. That
// there is such a tenant is for the caller to know.
func (r *Roles) AddUser(ctx context.Context, tenant, user string, password Password, owner bool) error {
	if err := schema.CheckTenant(tenant); err != nil {
		return err
	}
	if err := checkUser(user); err != nil {
		return err
	}
	verifier, err := r.newVerifier(password)
	if err != nil {
		return err
	}
	// The name is listed first: a listed name without a user does no harm.
	_, err = r.cfg.KV.Put(ctx, nameKey(tenant, user), []byte(`{"format":1}`), 0)
	if err != nil && !errors.Is(err, schema.ErrConflict) {
		return fmt.Errorf("add user: %w", err)
	}
	err = r.write(ctx, &account{
		Role:     Role{Tenant: tenant, User: user, Owner: owner, CreatedAt: r.cfg.Now().UTC().Truncate(time.Microsecond)},
		verifier: verifier,
	})
	if errors.Is(err, schema.ErrConflict) {
		return fmt.Errorf("user %q: %w", user, schema.ErrExists)
	}
	return err
}

// SetPassword gives a user another password. schema.ErrNotFound if there is no
// such user.
func (r *Roles) SetPassword(ctx context.Context, tenant, user string, password Password) error {
	verifier, err := r.newVerifier(password)
	if err != nil {
		return err
	}
	return r.change(ctx, tenant, user, func(a *account) error {
		a.verifier = verifier
		return r.write(ctx, a)
	})
}

// DropUser ends a user. Nobody logs in as it after the TTL; who is logged in
// stays so until Role is asked again. schema.ErrNotFound if there is no such user.
func (r *Roles) DropUser(ctx context.Context, tenant, user string) error {
	err := r.change(ctx, tenant, user, func(a *account) error {
		return r.cfg.KV.Delete(ctx, accountKey(tenant, user), a.version)
	})
	if err != nil {
		return err
	}
	item, err := r.cfg.KV.Get(ctx, nameKey(tenant, user))
	if err == nil {
		err = r.cfg.KV.Delete(ctx, item.Key, item.Version)
	}
	if err != nil && !errors.Is(err, schema.ErrNotFound) && !errors.Is(err, schema.ErrConflict) {
		return fmt.Errorf("drop name of user %q: %w", user, err)
	}
	return nil
}

// DropUsers ends all users of a tenant.
func (r *Roles) DropUsers(ctx context.Context, tenant string) error {
	users, err := r.Users(ctx, tenant)
	if err != nil {
		return err
	}
	for _, u := range users {
		if err := r.DropUser(ctx, tenant, u.User); err != nil && !errors.Is(err, schema.ErrNotFound) {
			return err
		}
	}
	return nil
}

// Users lists the users of a tenant, by name.
func (r *Roles) Users(ctx context.Context, tenant string) ([]Role, error) {
	return r.list(ctx, usersPrefix+tenant+"/")
}

// AllUsers lists the users of all tenants, by tenant and name.
func (r *Roles) AllUsers(ctx context.Context) ([]Role, error) {
	return r.list(ctx, usersPrefix)
}

func (r *Roles) list(ctx context.Context, prefix string) ([]Role, error) {
	var roles []Role
	for after := ""; ; {
		items, err := r.cfg.KV.List(ctx, prefix, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("list users: %w", err)
		}
		for _, item := range items {
			after = item.Key
			a, err := decodeAccount(item)
			if err != nil {
				return nil, err
			}
			roles = append(roles, a.Role)
		}
		if len(items) < pageSize {
			return roles, nil
		}
	}
}

// Role says what a user is, as of at most the TTL ago. schema.ErrNotFound if
// there is no such user (any more).
func (r *Roles) Role(ctx context.Context, tenant, user string) (Role, error) {
	a, err := r.lookup(ctx, tenant, user)
	if err != nil {
		return Role{}, err
	}
	if a == nil {
		return Role{}, userNotFound(user)
	}
	return a.Role, nil
}

// Current says what a user is now, as the store has it. schema.ErrNotFound if there
// is no such user (any more).
func (r *Roles) Current(ctx context.Context, tenant, user string) (Role, error) {
	a, err := r.read(ctx, tenant, user)
	if err != nil {
		return Role{}, err
	}
	return a.Role, nil
}

// Verifier returns what proves a user, as of at most the TTL ago. A user that
// does not exist has one as well, always the same, that nothing can prove.
func (r *Roles) Verifier(ctx context.Context, tenant, user string) (Verifier, error) {
	a, err := r.lookup(ctx, tenant, user)
	if err != nil {
		return Verifier{}, err
	}
	if a != nil {
		return a.verifier, nil
	}
	secret, err := r.decoySecret(ctx)
	if err != nil {
		return Verifier{}, err
	}
	return decoy(secret, tenant, user, r.cfg.Iterations), nil
}

// lookup finds a user, nil if there is none, as of at most the TTL ago.
func (r *Roles) lookup(ctx context.Context, tenant, user string) (*account, error) {
	key := userKey{tenant: tenant, user: user}
	now := r.cfg.Now()
	if c, ok := r.cache.Get(key); ok && now.Sub(c.at) < r.cfg.TTL {
		return c.account, nil
	}
	a, err := r.read(ctx, tenant, user)
	if errors.Is(err, schema.ErrNotFound) {
		a, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	r.cache.Add(key, cached{account: a, at: now})
	return a, nil
}

// elsewhere finds the first other tenant that has a user of that name, nil if
// none has.
func (r *Roles) elsewhere(ctx context.Context, tenant, user string) (*account, error) {
	prefix := namesPrefix + url.PathEscape(user) + "/"
	for after := ""; ; {
		items, err := r.cfg.KV.List(ctx, prefix, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("list tenants of user: %w", err)
		}
		for _, item := range items {
			after = item.Key
			other := strings.TrimPrefix(item.Key, prefix)
			if other == tenant {
				continue
			}
			a, err := r.lookup(ctx, other, user)
			if err != nil || a != nil {
				return a, err
			}
		}
		if len(items) < pageSize {
			return nil, nil
		}
	}
}

// read finds a user in the store. schema.ErrNotFound if there is none.
func (r *Roles) read(ctx context.Context, tenant, user string) (*account, error) {
	if checkUser(user) != nil || schema.CheckTenant(tenant) != nil {
		return nil, userNotFound(user)
	}
	item, err := r.cfg.KV.Get(ctx, accountKey(tenant, user))
	if errors.Is(err, schema.ErrNotFound) {
		return nil, userNotFound(user)
	}
	if err != nil {
		return nil, fmt.Errorf("read user %q: %w", user, err)
	}
	return decodeAccount(item)
}

// change reads a user and changes it, anew if another process comes between.
func (r *Roles) change(ctx context.Context, tenant, user string, change func(*account) error) error {
	defer r.cache.Remove(userKey{tenant: tenant, user: user})
	var err error
	for range writeAttempts {
		var a *account
		if a, err = r.read(ctx, tenant, user); err != nil {
			return err
		}
		if err = change(a); !errors.Is(err, schema.ErrConflict) {
			break
		}
	}
	if errors.Is(err, schema.ErrNotFound) {
		return userNotFound(user)
	}
	if err != nil {
		return fmt.Errorf("change user %q: %w", user, err)
	}
	return nil
}

// write stores the account at its version.
func (r *Roles) write(ctx context.Context, a *account) error {
	data, err := json.Marshal(userDocument{
		Format:    documentFormat,
		Tenant:    a.Tenant,
		User:      a.User,
		Owner:     a.Owner,
		Verifier:  a.verifier.Text(),
		CreatedAt: a.CreatedAt,
	})
	if err != nil {
		return fmt.Errorf("encode user %q: %w", a.User, err)
	}
	_, err = r.cfg.KV.Put(ctx, accountKey(a.Tenant, a.User), data, a.version)
	r.cache.Remove(userKey{tenant: a.Tenant, user: a.User})
	return err
}

func decodeAccount(item schema.Item) (*account, error) {
	var doc userDocument
	if err := json.Unmarshal(item.Value, &doc); err != nil {
		return nil, fmt.Errorf("decode %s: %w", item.Key, err)
	}
	if doc.Format != documentFormat {
		return nil, fmt.Errorf("decode %s: format %d, of which this version knows none", item.Key, doc.Format)
	}
	verifier, err := ParseVerifier(doc.Verifier)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", item.Key, err)
	}
	return &account{
		Role:     Role{Tenant: doc.Tenant, User: doc.User, Owner: doc.Owner, CreatedAt: doc.CreatedAt},
		verifier: verifier,
		version:  item.Version,
	}, nil
}

func (r *Roles) newVerifier(password Password) (Verifier, error) {
	if password == "" || len(password) > maxPassword {
		return Verifier{}, &schema.Invalid{Where: "password", Reason: fmt.Sprintf("a password has 1 to %d bytes", maxPassword)}
	}
	return NewVerifier(password, r.cfg.Iterations)
}

// decoySecret is what decoys are made from. It is made once for all processes,
// so that an unknown user looks the same to each of them and after a restart.
func (r *Roles) decoySecret(ctx context.Context) ([]byte, error) {
	type decoyDocument struct {
		Format int    `json:"format"`
		Secret []byte `json:"secret"`
	}
	for {
		item, err := r.cfg.KV.Get(ctx, decoyKey)
		if err == nil {
			var doc decoyDocument
			if err := json.Unmarshal(item.Value, &doc); err != nil || doc.Format != documentFormat || len(doc.Secret) != decoyBytes {
				return nil, fmt.Errorf("decode %s: not of format %d", decoyKey, documentFormat)
			}
			return doc.Secret, nil
		}
		if !errors.Is(err, schema.ErrNotFound) {
			return nil, fmt.Errorf("read secret of unknown users: %w", err)
		}
		doc := decoyDocument{Format: documentFormat, Secret: make([]byte, decoyBytes)}
		if _, err := rand.Read(doc.Secret); err != nil {
			return nil, fmt.Errorf("make secret of unknown users: %w", err)
		}
		data, err := json.Marshal(doc)
		if err != nil {
			return nil, fmt.Errorf("encode secret of unknown users: %w", err)
		}
		if _, err := r.cfg.KV.Put(ctx, decoyKey, data, 0); err != nil && !errors.Is(err, schema.ErrConflict) {
			return nil, fmt.Errorf("write secret of unknown users: %w", err)
		}
	}
}

func checkUser(user string) error {
	if user == "" || len(user) > maxUser || !utf8.ValidString(user) || strings.IndexByte(user, 0) >= 0 {
		return &schema.Invalid{
			Where:  fmt.Sprintf("user %q", user),
			Reason: fmt.Sprintf("a user's name has 1 to %d bytes of valid UTF-8", maxUser),
		}
	}
	return nil
}

func userNotFound(user string) error { return fmt.Errorf("user %q: %w", user, schema.ErrNotFound) }

func accountKey(tenant, user string) string { return usersPrefix + tenant + "/" + url.PathEscape(user) }

func nameKey(tenant, user string) string { return namesPrefix + url.PathEscape(user) + "/" + tenant }
