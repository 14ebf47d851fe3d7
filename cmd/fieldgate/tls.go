package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// tlsCheckEvery is how long files are believed to be as last seen.
const tlsCheckEvery = time.Second

// tlsFiles is the TLS configuration that files say, read again when they change: a
// renewed certificate serves the next connection.
type tlsFiles struct {
	files config.TLSPair
	log   *slog.Logger
	now   func() time.Time

	config atomic.Pointer[tls.Config]

	looking sync.Mutex // held by who looks at the files
	seen    [3]fileStamp
	checked time.Time
}

// fileStamp tells versions of a file apart.
type fileStamp struct {
	modified time.Time
	size     int64
}

// newTLSFiles reads the files a first time.
func newTLSFiles(files config.TLSPair, log *slog.Logger) (*tlsFiles, error) {
	f := &tlsFiles{files: files, log: log, now: time.Now}
	var err error
	if f.seen, err = f.stamps(); err != nil {
		return nil, err
	}
	f.checked = f.now()
	loaded, err := loadTLS(files)
	f.config.Store(loaded)
	return f, err
}

// current is the configuration for the next connection. While a connection has the
// files looked at, others take what there is.
func (f *tlsFiles) current() *tls.Config {
	if f.looking.TryLock() {
		f.look()
		f.looking.Unlock()
	}
	return f.config.Load()
}

// look reads the files if they have changed. Files that cannot be used are logged,
// once, and the configuration before stays. f.looking is held.
func (f *tlsFiles) look() {
	now := f.now()
	if now.Sub(f.checked) < tlsCheckEvery {
		return
	}
	f.checked = now
	stamps, err := f.stamps()
	if err == nil && stamps == f.seen {
		return
	}
	f.seen = stamps
	var loaded *tls.Config
	if err == nil {
		loaded, err = loadTLS(f.files)
	}
	if err != nil {
		f.log.Error("TLS files not usable, the ones before stay", "err", err)
		return
	}
	f.log.Info("TLS files read again")
	f.config.Store(loaded)
}

func (f *tlsFiles) stamps() (stamps [3]fileStamp, err error) {
	for i, name := range []string{f.files.Cert, f.files.Key, f.files.ClientCA} {
		if name == "" || isPEM(name) {
			continue
		}
		info, statErr := os.Stat(name)
		if statErr != nil {
			err = errors.Join(err, statErr)
			continue
		}
		stamps[i] = fileStamp{info.ModTime(), info.Size()}
	}
	return stamps, err
}

// loadTLS reads the files.
func loadTLS(p config.TLSPair) (*tls.Config, error) {
	cert, certErr := readPEM(p.Cert)
	key, keyErr := readPEM(p.Key)
	if err := errors.Join(certErr, keyErr); err != nil {
		return nil, fmt.Errorf("load TLS certificate: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("load TLS certificate: %w", err)
	}
	loaded := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if p.ClientCA == "" {
		return loaded, nil
	}
	text, err := readPEM(p.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("load authorities of clients: %w", err)
	}
	loaded.ClientCAs = x509.NewCertPool()
	if !loaded.ClientCAs.AppendCertsFromPEM(text) {
		return nil, errors.New("load authorities of clients: tls.client_ca has no certificate")
	}
	loaded.ClientAuth = tls.VerifyClientCertIfGiven
	if p.ClientCert == config.TLSRequire {
		loaded.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return loaded, nil
}

// isPEM says that a setting is the PEM text itself, as a container gets a secret in its environment, not a file's name.
func isPEM(setting string) bool { return strings.HasPrefix(setting, "-----BEGIN ") }

// readPEM gives the text of a setting.
func readPEM(setting string) ([]byte, error) {
	if isPEM(setting) {
		return []byte(setting), nil
	}
	return os.ReadFile(setting)
}
