package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// command runs a command line of the program in this process, on a data
// directory, and returns what it prints. What has not ended after two minutes is
// ended.
func command(t *testing.T, dir, stdin string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := rootCommand()
	root.SetArgs(append(args, "--data", dir))
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	err := root.ExecuteContext(ctx)
	return out.String(), err
}

func must(t *testing.T, dir, stdin string, args ...string) string {
	t.Helper()
	out, err := command(t, dir, stdin, args...)
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	return out
}

// as connects as a user to a database.
func (i *instance) as(ctx context.Context, user, password, database string) (*pgconn.PgConn, error) {
	return pgconn.Connect(ctx, fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", user, password, i.c.PGAddr, database))
}

// addKey adds an API key, which is alone on standard output, and gives its ID too.
func addKey(t *testing.T, dir string, args ...string) (key, id string) {
	t.Helper()
	key = strings.TrimSuffix(must(t, dir, "", append([]string{"key", "add"}, args...)...), "\n")
	if !regexp.MustCompile(`^fg_\S+$`).MatchString(key) {
		t.Fatalf("key add prints %q, no key", key)
	}
	sum := sha256.Sum256([]byte(key))
	return key, hex.EncodeToString(sum[:6])
}

// TestTenants keeps two tenants apart, on a running server and on a stopped one.
func TestTenants(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := start(t, dir)
	keys, ids := map[string]string{}, map[string]string{}
	for _, tenant := range []string{"acme", "other"} {
		must(t, dir, "", "tenant", "add", tenant)
		keys[tenant], ids[tenant] = addKey(t, dir, "--tenant", tenant, "--device", "press 7")
		must(t, dir, "secret-"+tenant+"\n", "user", "add", "ann", "--tenant", tenant, "--owner", "--password-stdin")
		status, a := i.send(t, "/v1/events/press", `{"whose":"`+tenant+`"}`+"\n"+`{"_bad":1}`, "X-Api-Key", keys[tenant])
		if status != http.StatusOK || a.Accepted != 2 {
			t.Fatalf("post as %s: %d %+v", tenant, status, a)
		}
	}
	if list := must(t, dir, "", "tenant", "list"); list != "acme\ndemo\nother\n" {
		t.Errorf("tenants: %q", list)
	}
	if list := must(t, dir, "", "key", "list", "--tenant", "acme"); !strings.Contains(list, "press 7") || strings.Contains(list, keys["acme"]) || strings.Contains(list, "other") {
		t.Errorf("keys of acme:\n%s", list)
	}
	if all, one := must(t, dir, "", "user", "list"), must(t, dir, "", "user", "list", "--tenant", "acme"); strings.Count(all, "ann") != 2 ||
		!strings.Contains(all, "demo") || strings.Count(one, "ann") != 1 {
		t.Errorf("users of all tenants:\n%sof acme:\n%s", all, one)
	}
	for _, tenant := range []string{"acme", "other"} {
		conn, err := i.as(t.Context(), "ann", "secret-"+tenant, tenant)
		if err != nil {
			t.Fatal(err)
		}
		awaitRows(t, conn, `select whose from press`, tenant)
		awaitRows(t, conn, `select count(*) from errors.stream`, "1")
		awaitRows(t, conn, `select sent_name from fieldgate.observed_metrics`, "press")
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}

	refusals := map[string]string{}
	for _, database := range []string{"other", "never-made"} {
		_, err := i.as(t.Context(), "demo", "demo", database)
		e := serverError(err)
		if e == nil || e.Code != "3D000" {
			t.Fatalf("demo to %s: %v", database, err)
		}
		refusals[database] = strings.ReplaceAll(e.Message, database, "DB")
	}
	if refusals["other"] != refusals["never-made"] {
		t.Errorf("a tenant that exists is told from one that does not: %v", refusals)
	}
	if _, err := i.as(t.Context(), "ann", "secret-acme", "other"); err == nil {
		t.Error("acme's password lets into other")
	}
	if status, text := i.request(t, http.MethodGet, "/v1/schema", "", "X-Api-Key", keys["acme"]); status != http.StatusForbidden {
		t.Errorf("an ingest key reads the schema: %d %s", status, text)
	}

	must(t, dir, "", "key", "revoke", ids["acme"])
	for revoked := time.Now(); ; {
		late := time.Since(revoked) // before the request, whose answer may take long to come
		status, _ := i.request(t, http.MethodPost, "/v1/events/press", `{"late":1}`, "X-Api-Key", keys["acme"])
		if status == http.StatusUnauthorized {
			break
		}
		if late > 5*time.Second {
			t.Fatalf("a revoked key is still taken after 5 s: %d", status)
		}
	}
	i.close(t)
	must(t, dir, "", "user", "drop", "ann", "--tenant", "other") // on the stopped store
	i = start(t, dir)
	if _, err := i.as(t.Context(), "ann", "secret-other", "other"); serverError(err) == nil || serverError(err).Code != "28P01" {
		t.Errorf("a dropped user: %v", err)
	}

	must(t, dir, "", "tenant", "drop", "acme")
	must(t, dir, "", "tenant", "add", "acme")
	must(t, dir, "new\n", "user", "add", "ann", "--tenant", "acme", "--password-stdin")
	conn, err := i.as(t.Context(), "ann", "new", "acme")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), `select * from press`).ReadAll(); serverError(err) == nil || serverError(err).Code != "42P01" {
		t.Errorf("a tenant added again reads its predecessor's table: %v", err)
	}
}

// awaitRows runs a query until its only value is want.
func awaitRows(t *testing.T, conn *pgconn.PgConn, sql, want string) {
	t.Helper()
	var got string
	var err error
	for deadline := time.Now().Add(visibleWithin); time.Now().Before(deadline); <-time.After(askedEvery) {
		var results []*pgconn.Result
		if results, err = conn.Exec(t.Context(), sql).ReadAll(); err == nil && len(results[0].Rows) == 1 {
			if got = string(results[0].Rows[0][0]); got == want {
				return
			}
		}
	}
	t.Fatalf("%s: got %q, %v, want %q", sql, got, err, want)
}

// TestSecondServer sees that one data directory has one server.
func TestSecondServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, dir)
	out, err := command(t, dir, "", "serve", "--dev", "--http-addr", "127.0.0.1:0", "--pg-addr", "127.0.0.1:0")
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second server: %q, %v, want an error that names the directory", out, err)
	}
}

// TestKeyValueStoreMissing loses, and damages, the file that says whose the events of a directory are.
func TestKeyValueStoreMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := start(t, dir)
	i.post(t, []string{`{"metrictype":"kept","timestamp":1764000000}`})
	i.close(t)
	file := filepath.Join(dir, "keyvalue.db")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	refused := func(what, words string) {
		t.Helper()
		for _, args := range [][]string{
			{"serve", "--dev", "--http-addr", "127.0.0.1:0", "--pg-addr", "127.0.0.1:0"},
			{"tenant", "list"},
		} {
			out, err := command(t, dir, "", args...)
			if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), words) {
				t.Errorf("%s: %s: %q, %v, want an error that names the file and says %q", what, args[0], out, err, words)
			}
		}
	}
	refused("missing", "is missing")
	if _, err := os.Stat(file); err == nil {
		t.Error("there is a new file, and the next server would start with it")
	}
	// Of a file that has just grown, up to half is room for what is to come.
	for what, damaged := range map[string][]byte{"empty": nil, "cut": whole[:len(whole)/4], "overwritten": bytes.Repeat([]byte("none"), len(whole)/4)} {
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(what, "put")
		if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, damaged) {
			t.Errorf("%s: the file was changed: %v", what, err)
		}
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, dir).eventually(t, `select count(*) from kept`, "1")
}
