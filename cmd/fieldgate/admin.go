package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/rest"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/wire/auth"
)

// admin does what the tenant, key and user commands ask for: in the server, when
// one has the data directory, else in the command itself.
type admin struct {
	schemas *schema.Store
	roles   *auth.Roles
	keys    *ingest.Keys
	// dropped is told of a dropped tenant, to end what runs for it. Optional.
	dropped func(tenant string) error
	// plans knows what the SQL in a schema means.
	plans rest.Planner
}

// adminRequest is one command. It travels over the admin socket as JSON.
type adminRequest struct {
	Command  string
	Tenant   string   `json:",omitempty"`
	Name     string   `json:",omitempty"`
	Device   string   `json:",omitempty"`
	Scopes   []string `json:",omitempty"`
	Owner    bool     `json:",omitempty"`
	Password string   `json:",omitempty"`
	// File is a schema, for "schema apply"; the answer is a schemaAnswer in JSON.
	File *schemaFile `json:",omitempty"`
}

// newAdmin makes an admin over a key-value store.
func newAdmin(kv schema.KV) (*admin, error) {
	schemas, err := schema.NewStore(kv, schema.StoreConfig{CheckPattern: record.CheckPattern})
	if err != nil {
		return nil, err
	}
	roles, err := auth.NewRoles(auth.Config{KV: kv})
	if err != nil {
		return nil, err
	}
	keys, err := ingest.NewKeys(ingest.KeysConfig{KV: kv})
	if err != nil {
		return nil, err
	}
	observed, err := schema.NewObserved(kv, schema.ObservedConfig{Schemas: schemas})
	if err != nil {
		return nil, err
	}
	plans, err := planner.New(planner.Config{Schemas: schemas, Observed: observed})
	if err != nil {
		return nil, err
	}
	return &admin{schemas: schemas, roles: roles, keys: keys, plans: plans}, nil
}

// do carries out a command and returns what it prints.
func (a *admin) do(ctx context.Context, r adminRequest) (string, error) {
	switch r.Command {
	case "tenant add":
		return "", a.schemas.AddTenant(ctx, r.Name)
	case "tenant list":
		names, err := a.schemas.Tenants(ctx)
		return lines(names), err
	case "tenant drop":
		return "", a.dropTenant(ctx, r.Name)
	case "key add":
		return a.addKey(ctx, r)
	case "key list":
		return a.listKeys(ctx, r.Tenant)
	case "key revoke":
		return "", a.keys.Revoke(ctx, r.Name)
	case "user add":
		if err := a.needTenant(ctx, r.Tenant); err != nil {
			return "", err
		}
		return "", a.roles.AddUser(ctx, r.Tenant, r.Name, auth.Password(r.Password), r.Owner)
	case "user passwd":
		return "", a.roles.SetPassword(ctx, r.Tenant, r.Name, auth.Password(r.Password))
	case "user drop":
		return "", a.roles.DropUser(ctx, r.Tenant, r.Name)
	case "user list":
		return a.listUsers(ctx, r.Tenant)
	case "schema dump":
		return a.dumpSchema(ctx, r.Tenant)
	case "schema apply":
		answer, err := a.applySchema(ctx, r.Tenant, r.File)
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(answer)
		return string(text), err
	default:
		return "", fmt.Errorf("unknown command %q", r.Command)
	}
}

func lines(items []string) string {
	if len(items) == 0 {
		return ""
	}
	return strings.Join(items, "\n") + "\n"
}

func (a *admin) needTenant(ctx context.Context, tenant string) error {
	ok, err := a.schemas.HasTenant(ctx, tenant)
	if err == nil && !ok {
		err = fmt.Errorf("tenant %q: %w", tenant, schema.ErrNotFound)
	}
	return err
}

// dropTenant ends a tenant, then its keys and users.
func (a *admin) dropTenant(ctx context.Context, tenant string) error {
	if err := a.schemas.DropTenant(ctx, tenant); err != nil {
		return err
	}
	err := errors.Join(a.keys.RevokeAll(ctx, tenant), a.roles.DropUsers(ctx, tenant))
	if a.dropped != nil {
		err = errors.Join(err, a.dropped(tenant))
	}
	return err
}

func (a *admin) addKey(ctx context.Context, r adminRequest) (string, error) {
	if err := a.needTenant(ctx, r.Tenant); err != nil {
		return "", err
	}
	scopes, err := ingest.ParseScopes(r.Scopes)
	if err != nil {
		return "", err
	}
	secret, key, err := a.keys.Add(ctx, r.Tenant, r.Device, scopes)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s\nid %s; the key is shown this once\n", secret, key.ID), nil
}

func (a *admin) listKeys(ctx context.Context, tenant string) (string, error) {
	keys, err := a.keys.List(ctx, tenant)
	if err != nil {
		return "", err
	}
	return table("ID\tTENANT\tDEVICE\tSCOPES\tCREATED", func(row func(...any)) {
		for _, k := range keys {
			row(k.ID, k.Tenant, k.Device, k.Scopes, k.CreatedAt.UTC().Format(time.RFC3339))
		}
	})
}

// listUsers prints the users of a tenant, or with "" of all.
func (a *admin) listUsers(ctx context.Context, tenant string) (string, error) {
	list := a.roles.AllUsers
	if tenant != "" {
		list = func(ctx context.Context) ([]auth.Role, error) { return a.roles.Users(ctx, tenant) }
	}
	users, err := list(ctx)
	if err != nil {
		return "", err
	}
	return table("USER\tTENANT\tOWNER", func(row func(...any)) {
		for _, u := range users {
			row(u.User, u.Tenant, u.Owner)
		}
	})
}

// table lines up rows under a header.
func table(header string, fill func(row func(cells ...any))) (string, error) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, err := fmt.Fprintln(w, header)
	fill(func(cells ...any) {
		for i, c := range cells {
			if i > 0 {
				_, err = fmt.Fprint(w, "\t")
			}
			_, err = fmt.Fprint(w, c)
		}
		_, err = fmt.Fprintln(w)
	})
	err = errors.Join(err, w.Flush())
	return b.String(), err
}

// ServeHTTP answers commands that come over the admin socket. Who can open the
// socket may do everything: it lies in the data directory, which is the owner's.
func (a *admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request adminRequest
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	output, err := a.do(r.Context(), request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	_, _ = io.WriteString(w, output) // the command is done, whether its caller hears or not
}

// runAdmin carries out a command on a data directory: by the server that has it,
// or else on the stopped store.
func runAdmin(ctx context.Context, c *config.Config, r adminRequest) (string, error) {
	output, err := askServer(ctx, c.DataDir, r)
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED) {
		return output, err
	}
	kv, closer, err := stores.OpenKV(ctx, c)
	if err != nil {
		return "", err
	}
	a, err := newAdmin(kv)
	if err == nil {
		output, err = a.do(ctx, r)
	}
	return output, errors.Join(err, closer.Close())
}

// askServer sends the command over the admin socket.
func askServer(ctx context.Context, dir string, r adminRequest) (string, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socketPath(dir))
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://admin/", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	res, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask the running server: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // it was read to its end
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return "", fmt.Errorf("ask the running server: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return "", errors.New(strings.TrimSpace(string(answer)))
	}
	return string(answer), nil
}

// adminSocket is the name of the admin socket in a data directory.
const adminSocket = "admin.sock"

// socketPath is where the admin socket lies. Unix socket addresses are short
// (108 bytes on Linux), so a deep directory is named relative to this one.
func socketPath(dir string) string {
	path := filepath.Join(dir, adminSocket)
	if absolute, err := filepath.Abs(path); err == nil {
		if wd, err := filepath.Abs("."); err == nil {
			if relative, err := filepath.Rel(wd, absolute); err == nil && len(relative) < len(path) {
				return relative
			}
		}
	}
	return path
}
