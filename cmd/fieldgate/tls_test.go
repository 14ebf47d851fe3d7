package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// authority issues certificates for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a := &authority{key: key, pool: x509.NewCertPool()}
	a.cert = a.sign(t, template, template, key)
	a.pool.AddCert(a.cert)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) sign(t *testing.T, template, parent *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// issue makes a certificate for localhost with a serial number.
func (a *authority) issue(t *testing.T, serial int64) tls.Certificate {
	t.Helper()
	key := newKey(t)
	cert := a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, key)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

func writePEM(t *testing.T, name, kind string, der []byte) {
	t.Helper()
	// In one step, as those do that renew certificates.
	if err := os.WriteFile(name+".new", pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

func writePair(t *testing.T, p config.TLSPair, pair tls.Certificate) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, p.Key, "PRIVATE KEY", key)
	writePEM(t, p.Cert, "CERTIFICATE", pair.Certificate[0])
}

// TestTLSFiles renews the server's certificate under running connections, asks for
// clients' certificates, and turns away who comes without TLS.
func TestTLSFiles(t *testing.T) {
	t.Parallel()
	a, dir := newAuthority(t), t.TempDir()
	files := config.TLSPair{
		Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key"), ClientCA: filepath.Join(dir, "ca"), Mode: config.TLSRequire, ClientCert: config.ClientCertRequest,
	}
	writePair(t, files, a.issue(t, 100))
	writePEM(t, files.ClientCA, "CERTIFICATE", a.cert.Raw)
	i := start(t, t.TempDir(), func(c *config.Config) { c.TLS = files })
	login := func(client *tls.Config, parameters string) (*pgconn.PgConn, error) {
		cfg, err := pgconn.ParseConfig("postgres://demo:demo@" + i.c.PGAddr + "/demo?sslmode=require" + parameters)
		if err != nil {
			t.Fatal(err)
		}
		cfg.TLSConfig = client
		conn, err := pgconn.ConnectConfig(t.Context(), cfg)
		if err == nil {
			t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
		}
		return conn, err
	}
	plain := func() *tls.Config {
		return &tls.Config{RootCAs: a.pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	}
	serial := func(conn *pgconn.PgConn) int64 {
		state := conn.Conn().(*tls.Conn).ConnectionState()
		return state.PeerCertificates[0].SerialNumber.Int64()
	}
	old, err := login(plain(), "&channel_binding=require")
	if err != nil {
		t.Fatal(err)
	}
	if got := serial(old); got != 100 {
		t.Errorf("certificate %d", got)
	}
	_, err = login(nil, "")
	wantCode(t, "a session without TLS", err, "28000")

	own := plain()
	own.Certificates = []tls.Certificate{a.issue(t, 7)}
	if _, err := login(own, ""); err != nil {
		t.Errorf("with a certificate: %v", err)
	}
	foreign := plain()
	foreign.Certificates = []tls.Certificate{newAuthority(t).issue(t, 8)}
	foreign.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &foreign.Certificates[0], nil }
	if _, err := login(foreign, ""); err == nil {
		t.Error("a certificate of a foreign authority was taken")
	}

	// A broken renewal changes nothing, a good one serves the next connection.
	writePEM(t, files.Cert, "CERTIFICATE", []byte("broken"))
	time.Sleep(2 * tlsCheckEvery) //nolint:forbidigo // files are looked at by the clock
	conn, err := login(plain(), "")
	if err != nil {
		t.Fatalf("while the files are broken: %v", err)
	}
	if got := serial(conn); got != 100 {
		t.Errorf("certificate %d while the files are broken", got)
	}
	writePair(t, files, a.issue(t, 101))
	for deadline := time.Now().Add(visibleWithin); serial(conn) != 101; {
		if conn, err = login(plain(), "&channel_binding=require"); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("a renewed certificate is not shown")
		}
	}
	if got := ask(t, old, "SELECT 1"); got != "1" {
		t.Errorf("a connection from before: %s", got)
	}
}

// TestClientCertificateRequired lets nobody in without one.
func TestClientCertificateRequired(t *testing.T) {
	t.Parallel()
	a, dir := newAuthority(t), t.TempDir()
	files := config.TLSPair{
		Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key"), ClientCA: filepath.Join(dir, "ca"), ClientCert: config.TLSRequire,
	}
	pair := a.issue(t, 100)
	writePair(t, files, pair)
	writePEM(t, files.ClientCA, "CERTIFICATE", a.cert.Raw)
	loaded, err := loadTLS(files)
	if err != nil {
		t.Fatal(err)
	}
	for name, certificates := range map[string][]tls.Certificate{"without": nil, "with": {a.issue(t, 7)}} {
		client, server := net.Pipe()
		failed := make(chan error, 1)
		go func() { failed <- tls.Server(server, loaded).HandshakeContext(t.Context()) }()
		c := tls.Client(client, &tls.Config{RootCAs: a.pool, ServerName: "localhost", Certificates: certificates, MinVersion: tls.VersionTLS12})
		go func() {
			if err := c.HandshakeContext(t.Context()); err == nil {
				_, _ = c.Read(make([]byte, 1))
			}
		}()
		if err := <-failed; (err == nil) != (name == "with") {
			t.Errorf("%s a certificate: %v", name, err)
		}
		_ = client.Close()
	}
}

// TestTLSText holds that a setting may be the PEM text itself, and that the key in it is not told in an error.
func TestTLSText(t *testing.T) {
	t.Parallel()
	a, dir := newAuthority(t), t.TempDir()
	named := config.TLSPair{Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key"), ClientCA: filepath.Join(dir, "ca")}
	writePair(t, named, a.issue(t, 100))
	writePEM(t, named.ClientCA, "CERTIFICATE", a.cert.Raw)
	var text config.TLSPair
	for from, to := range map[string]*string{named.Cert: &text.Cert, named.Key: &text.Key, named.ClientCA: &text.ClientCA} {
		pem, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		*to = string(pem)
	}
	files, err := newTLSFiles(text, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	config := files.current()
	if len(config.Certificates) != 1 || config.Certificates[0].Leaf.SerialNumber.Int64() != 100 || !config.ClientCAs.Equal(a.pool) {
		t.Errorf("loaded %d certificates", len(config.Certificates))
	}
	broken := text
	broken.Key = text.Key[:len(text.Key)/2]
	if _, err := loadTLS(broken); err == nil || strings.Contains(err.Error(), broken.Key[30:50]) {
		t.Errorf("half a key: %v", err)
	}
}
