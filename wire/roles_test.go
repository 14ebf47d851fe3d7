package wire_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/fieldgate/fieldgate/sources/bolt"
	"github.com/fieldgate/fieldgate/wire/auth"
)

// newRoles has alice in acme and bob in globex, each with the password secret.
func newRoles(t testing.TB) *auth.Roles {
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
	roles, err := auth.NewRoles(auth.Config{KV: db})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context())
	for user, tenant := range map[string]string{"alice": "acme", "bob": "globex"} {
		if err := roles.AddUser(ctx, tenant, user, "secret", true); err != nil {
			t.Fatal(err)
		}
	}
	return roles
}
