package auth_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xdg-go/scram"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources/bolt"
	"github.com/fieldgate/fieldgate/wire/auth"
)

// bundle is a fresh store with users in two tenants: alice and both in acme, bob
// and both in globex.
type bundle struct {
	kv    schema.KV
	roles *auth.Roles
	now   time.Time
}

func setup(t *testing.T) *bundle {
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
	b := &bundle{kv: db, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	b.roles = b.newRoles(t)
	for _, u := range []struct {
		tenant, user string
		password     auth.Password
		owner        bool
	}{
		{"acme", "alice", "al-secret", true},
		{"acme", "both", "acme-secret", false},
		{"globex", "bob", "bo-secret", false},
		{"globex", "both", "globex-secret", true},
	} {
		if err := b.roles.AddUser(t.Context(), u.tenant, u.user, u.password, u.owner); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func (b *bundle) newRoles(t *testing.T) *auth.Roles {
	t.Helper()
	roles, err := auth.NewRoles(auth.Config{KV: b.kv, Now: func() time.Time { return b.now }})
	if err != nil {
		t.Fatal(err)
	}
	return roles
}

// login runs a whole exchange with the library's client and says how it ended.
func login(t *testing.T, roles *auth.Roles, tenant, user, password string) string {
	t.Helper()
	c, err := roles.NewConversation(t.Context(), auth.Login{Tenant: tenant, User: user})
	if err != nil {
		t.Fatal(err)
	}
	client, err := scram.SHA256.NewClientUnprepped("", password, "")
	if err != nil {
		t.Fatal(err)
	}
	return exchange(t, c, client.NewConversation())
}

func exchange(t *testing.T, c *auth.Conversation, client *scram.ClientConversation) string {
	t.Helper()
	message, err := client.Step("")
	if err != nil {
		t.Fatal(err)
	}
	for !client.Done() {
		answer, err := c.Step(message)
		if err != nil {
			if c.Valid() {
				t.Error("valid after an error")
			}
			if errors.Is(err, auth.ErrRefused) {
				return "refused"
			}
			return "malformed"
		}
		if message, err = client.Step(answer); err != nil {
			t.Fatalf("client: %v", err)
		}
	}
	if !client.Valid() || !c.Valid() {
		t.Fatalf("exchange done, client %t, server %t", client.Valid(), c.Valid())
	}
	role := c.Role()
	return fmt.Sprintf("%s@%s owner=%t", role.User, role.Tenant, role.Owner)
}

func TestLogin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		tenant, user, password, want string
	}{
		"owner":                              {"acme", "alice", "al-secret", "alice@acme owner=true"},
		"wrong password":                     {"acme", "alice", "al-secreT", "refused"},
		"empty password":                     {"acme", "alice", "", "refused"},
		"one name in two tenants":            {"acme", "both", "acme-secret", "both@acme owner=false"},
		"the same name in the other":         {"globex", "both", "globex-secret", "both@globex owner=true"},
		"the other tenant's password":        {"globex", "both", "acme-secret", "refused"},
		"another tenant's user":              {"globex", "alice", "al-secret", "alice@acme owner=true"},
		"another tenant's, wrong password":   {"globex", "alice", "x", "refused"},
		"no such database":                   {"nowhere", "bob", "bo-secret", "bob@globex owner=false"},
		"a database that no tenant can name": {"No/Where", "bob", "bo-secret", "bob@globex owner=false"},
		"no such user":                       {"acme", "mallory", "x", "refused"},
		"a user that cannot be":              {"acme", "mal\xfflory", "x", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := login(t, b.roles, c.tenant, c.user, c.password); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestPasswordPreparation has passwords that SASLprep changes, and refuses.
func TestPasswordPreparation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct{ set, typed string }{
		"a soft hyphen is mapped to nothing": {"I\u00adX", "IX"},
		"compatibility characters":           {"\u2168", "IX"},
		"emoji are taken as they are":        {"🌡🌡", "🌡🌡"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := b.roles.SetPassword(t.Context(), "acme", "alice", auth.Password(c.set)); err != nil {
				t.Fatal(err)
			}
			if got := login(t, b.roles, "acme", "alice", c.typed); got != "alice@acme owner=true" {
				t.Error(got)
			}
		})
	}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	names := func(tenant string) string {
		users, err := b.roles.Users(ctx, tenant)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, u := range users {
			list = append(list, fmt.Sprintf("%s@%s", u.User, u.Tenant))
		}
		return strings.Join(list, " ")
	}
	if got := names("acme"); got != "alice@acme both@acme" {
		t.Errorf("acme's users: %s", got)
	}
	if err := b.roles.AddUser(ctx, "acme", "both", "x", false); !errors.Is(err, schema.ErrExists) {
		t.Errorf("second user of a name: %v", err)
	}
	if got := login(t, b.roles, "acme", "both", "acme-secret"); got != "both@acme owner=false" {
		t.Errorf("after a refused second user: %s", got)
	}
	for _, name := range []string{"", strings.Repeat("u", 64), "a\x00b", "a\xffb"} {
		var invalid *schema.Invalid
		if err := b.roles.AddUser(ctx, "acme", name, "x", false); !errors.As(err, &invalid) {
			t.Errorf("user %q: %v", name, err)
		}
	}
	for _, password := range []auth.Password{"", auth.Password(strings.Repeat("p", 1025))} {
		var invalid *schema.Invalid
		if err := b.roles.AddUser(ctx, "acme", "new", password, false); !errors.As(err, &invalid) {
			t.Errorf("password of %d bytes: %v", len(password), err)
		}
	}
	if err := b.roles.DropUsers(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	if got := names("acme"); got != "" {
		t.Errorf("after dropping all: %s", got)
	}
	if got := names("globex"); got != "bob@globex both@globex" {
		t.Errorf("globex's users after acme's were dropped: %s", got)
	}
	for what, err := range map[string]error{
		"drop":     b.roles.DropUser(ctx, "acme", "alice"),
		"password": b.roles.SetPassword(ctx, "acme", "bob", "x"),
	} {
		if !errors.Is(err, schema.ErrNotFound) {
			t.Errorf("%s of a user that is not there: %v", what, err)
		}
	}
	if err := b.roles.AddUser(ctx, "acme", "alice", "again", false); err != nil {
		t.Errorf("adding a dropped user: %v", err)
	}
	if got := login(t, b.roles, "acme", "alice", "again"); got != "alice@acme owner=false" {
		t.Errorf("login of a user added again: %s", got)
	}
}

// TestOtherProcess drops a user in one process while another has it cached.
func TestOtherProcess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := b.newRoles(t)
	ctx := t.Context()
	if got := login(t, other, "acme", "alice", "al-secret"); got != "alice@acme owner=true" {
		t.Fatal(got)
	}
	if err := b.roles.DropUser(ctx, "acme", "alice"); err != nil {
		t.Fatal(err)
	}
	if got := login(t, b.roles, "acme", "alice", "al-secret"); got != "refused" {
		t.Errorf("at once in the process that dropped it: %s", got)
	}
	b.now = b.now.Add(4 * time.Second)
	if _, err := other.Role(ctx, "acme", "alice"); err != nil {
		t.Errorf("elsewhere after 4 s: %v", err)
	}
	b.now = b.now.Add(time.Second)
	if _, err := other.Role(ctx, "acme", "alice"); !errors.Is(err, schema.ErrNotFound) {
		t.Errorf("elsewhere after 5 s: %v", err)
	}
	if got := login(t, other, "acme", "alice", "al-secret"); got != "refused" {
		t.Errorf("elsewhere after 5 s: %s", got)
	}
}

// TestUnknownUser looks the same every time, in every process, and unlike others.
func TestUnknownUser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	challenge := func(roles *auth.Roles, tenant, user string) string {
		c, err := roles.NewConversation(t.Context(), auth.Login{Tenant: tenant, User: user})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := c.Step("n,,n=,r=nonce")
		if err != nil {
			t.Fatal(err)
		}
		_, saltAndIterations, _ := strings.Cut(answer, ",")
		return saltAndIterations
	}
	first := challenge(b.roles, "acme", "mallory")
	if again := challenge(b.newRoles(t), "acme", "mallory"); again != first {
		t.Errorf("another process says %s, the first said %s", again, first)
	}
	if known := challenge(b.roles, "acme", "alice"); len(known) != len(first) || !strings.HasSuffix(first, ",i=4096") {
		t.Errorf("a user has %s, an unknown one %s", known, first)
	}
	for _, other := range [][2]string{{"acme", "mallor"}, {"globex", "mallory"}} {
		if challenge(b.roles, other[0], other[1]) == first {
			t.Errorf("%v has the salt of mallory at acme", other)
		}
	}
}

func certificate(t *testing.T, ed bool) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	var public, private any
	if ed {
		p, k, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		public, private = p, k
	} else {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		public, private = k.Public(), k
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestChannelBinding(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cert := certificate(t, false)
	hash := sha256.Sum256(cert.Raw)
	bound := scram.ChannelBinding{Type: scram.ChannelBindingTLSServerEndpoint, Data: hash[:]}
	other := scram.ChannelBinding{Type: scram.ChannelBindingTLSServerEndpoint, Data: make([]byte, 32)}
	plain := func(c *scram.Client) *scram.ClientConversation { return c.NewConversation() }
	could := func(c *scram.Client) *scram.ClientConversation {
		return c.NewConversationAdvertisingChannelBinding()
	}
	with := func(binding scram.ChannelBinding) func(c *scram.Client) *scram.ClientConversation {
		return func(c *scram.Client) *scram.ClientConversation {
			return c.NewConversationWithChannelBinding(binding)
		}
	}
	for name, c := range map[string]struct {
		certificate *x509.Certificate
		mechanism   string
		client      func(*scram.Client) *scram.ClientConversation
		want        string
	}{
		"bound":                           {cert, auth.MechanismScramPlus, with(bound), "alice@acme owner=true"},
		"bound to another certificate":    {cert, auth.MechanismScramPlus, with(other), "refused"},
		"offered and not used":            {cert, auth.MechanismScram, plain, "alice@acme owner=true"},
		"offer hidden from the client":    {cert, auth.MechanismScram, could, "malformed"},
		"bound under the plain mechanism": {cert, auth.MechanismScram, with(bound), "malformed"},
		"plain under the bound mechanism": {cert, auth.MechanismScramPlus, plain, "malformed"},
		"no encryption":                   {nil, auth.MechanismScram, plain, "alice@acme owner=true"},
		"no encryption, client could":     {nil, auth.MechanismScram, could, "alice@acme owner=true"},
		"bound without encryption":        {nil, auth.MechanismScram, with(bound), "malformed"},
		"not offered":                     {nil, auth.MechanismScramPlus, with(bound), "not offered"},
		"no hash for the certificate":     {certificate(t, true), auth.MechanismScramPlus, with(bound), "not offered"},
		"unknown mechanism":               {cert, "SCRAM-SHA-1", plain, "not offered"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conversation, err := b.roles.NewConversation(t.Context(), auth.Login{Tenant: "acme", User: "alice", Certificate: c.certificate})
			if err != nil {
				t.Fatal(err)
			}
			offered := slices.Contains(conversation.Mechanisms(), c.mechanism)
			if err := conversation.Select(c.mechanism); err != nil {
				if offered || c.want != "not offered" {
					t.Errorf("select: %v", err)
				}
				return
			}
			client, err := scram.SHA256.NewClient("", "al-secret", "")
			if err != nil {
				t.Fatal(err)
			}
			if got := exchange(t, conversation, c.client(client)); got != c.want || !offered {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestMalformedMessages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, message := range []string{"", "n", "n,,", "n,,n=", "n,,n=,", "x,,n=,r=1", "n,,m=1,n=,r=1", "n,,n==,r=1", strings.Repeat(",", 500)} {
		c, err := b.roles.NewConversation(t.Context(), auth.Login{Tenant: "acme", User: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := c.Step(message); err == nil || errors.Is(err, auth.ErrRefused) {
			t.Errorf("first message %q: answer %q, %v", message, answer, err)
		}
		if _, err := c.Step("c=biws,r=1,p="); err == nil || c.Valid() {
			t.Errorf("after the first message %q: %v", message, err)
		}
	}
	for _, message := range []string{"", "c=biws", "c=biws,r=1,p=", "c=!,r=1,p=AAAA", "c=biws,r=1,p=!"} {
		c, err := b.roles.NewConversation(t.Context(), auth.Login{Tenant: "acme", User: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Step("n,,n=,r=nonce"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Step(message); err == nil || c.Valid() {
			t.Errorf("final message %q: %v", message, err)
		}
	}
}

// FuzzConversation lets nobody in who does not know the password.
func FuzzConversation(f *testing.F) {
	db, err := bolt.Open(bolt.Config{Path: filepath.Join(f.TempDir(), "kv.bolt")})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() }) // the process ends
	roles, err := auth.NewRoles(auth.Config{KV: db})
	if err == nil {
		err = roles.AddUser(f.Context(), "acme", "alice", "al-secret", true)
	}
	if err != nil {
		f.Fatal(err)
	}
	f.Add("n,,n=,r=nonce", "c=biws,r=nonce,p=AAAA")
	f.Add("y,a=x,n=a=2Cb,r=nonce,x=y", "c=eSws,r=,x=,p=")
	f.Add("p=tls-server-end-point,,n=,r=nonce", "c=cD10bHM=,r=nonce,p=")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, first, second string) {
		c, err := roles.NewConversation(t.Context(), auth.Login{Tenant: "acme", User: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Step(first); err == nil {
			_, err = c.Step(second)
			if err == nil || c.Valid() {
				t.Errorf("%q and %q let in", first, second)
			}
		}
	})
}

// TestSecretsDoNotPrint tries every way a secret could get into a log.
func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	const password = auth.Password("pa55word")
	verifier, err := auth.NewVerifier(password, 4096)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Password auth.Password
		Verifier auth.Verifier
	}
	h := holder{password, verifier}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", password, verifier, h)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "password", password, "verifier", verifier, "holder", h)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "password", password, "verifier", verifier, "holder", h)
	if err := json.NewEncoder(&out).Encode(h); err != nil {
		t.Fatal(err)
	}
	for _, secret := range append(strings.FieldsFunc(verifier.Text()[len("SCRAM-SHA-256$4096:"):], func(r rune) bool { return r == '$' || r == ':' }),
		string(password), fmt.Sprintf("%x", string(password)), fmt.Sprintf("%X", string(password)), "112 97 53") {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s is printed in:\n%s", secret, out.String())
		}
	}
	if n := strings.Count(out.String(), "[redacted]"); n < 24 {
		t.Errorf("[redacted] is printed %d times:\n%s", n, out.String())
	}
}

func TestVerifierText(t *testing.T) {
	t.Parallel()
	made, err := auth.NewVerifier("secret", 5000)
	if err != nil {
		t.Fatal(err)
	}
	read, err := auth.ParseVerifier(made.Text())
	if err != nil || read.Text() != made.Text() {
		t.Errorf("read back: %v", err)
	}
	for name, text := range map[string]string{
		"empty":             "",
		"md5":               "md5d41d8cd98f00b204e9800998ecf8427e",
		"another scheme":    strings.Replace(made.Text(), "SHA-256", "SHA-1", 1),
		"few iterations":    strings.Replace(made.Text(), "$5000:", "$1000:", 1),
		"no iterations":     strings.Replace(made.Text(), "$5000:", "$:", 1),
		"no salt":           made.Text()[:len("SCRAM-SHA-256$5000:")] + made.Text()[strings.LastIndex(made.Text(), "$"):],
		"cut":               made.Text()[:len(made.Text())-4],
		"one part too many": made.Text() + "$x",
	} {
		if _, err := auth.ParseVerifier(text); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

// TestFormat reads users that format 1 wrote: ünï/code with the password "geheim".
func TestFormat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	golden, err := os.ReadFile(filepath.Join("testdata", "format1.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(golden)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if _, err := b.kv.Put(t.Context(), key, []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	if got := login(t, b.roles, "initech", "ünï/code", "geheim"); got != "ünï/code@initech owner=true" {
		t.Error(got)
	}
	if got := login(t, b.roles, "acme", "ünï/code", "geheim"); got != "ünï/code@initech owner=true" {
		t.Errorf("by its name alone: %s", got)
	}
	c, err := b.roles.NewConversation(t.Context(), auth.Login{Tenant: "initech", User: "mallory"})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Step("n,,n=,r=nonce")
	if _, salt, _ := strings.Cut(answer, ","); err != nil || salt != "s=LJZWccCr939wNxf6xNScYw==,i=4096" {
		t.Errorf("an unknown user has %s, %v", salt, err)
	}
	users, err := b.roles.Users(t.Context(), "initech")
	if err != nil || len(users) != 1 || !users[0].CreatedAt.Equal(b.now) {
		t.Errorf("users %v, %v", users, err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, cfg := range map[string]auth.Config{
		"no store":       {},
		"too long a TTL": {KV: b.kv, TTL: 6 * time.Second},
		"negative TTL":   {KV: b.kv, TTL: -1},
		"too cheap":      {KV: b.kv, Iterations: 4095},
	} {
		if _, err := auth.NewRoles(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
