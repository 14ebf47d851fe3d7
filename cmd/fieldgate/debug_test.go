package main

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

func TestDebugDoorServesProfiles(t *testing.T) {
	t.Parallel()
	addr := freeAddr(t)
	start(t, t.TempDir(), func(c *config.Config) { c.DebugAddr = addr })
	for path, want := range map[string]string{"/debug/pprof/goroutine?debug=1": ".serveDebug", "/debug/vars": `"HeapInuse":`} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s does not show %s: %.200s", path, want, text)
		}
	}
}

func TestDebugDoorIsForLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		addr string
		ok   bool
	}{{"", true}, {"127.0.0.1:6060", true}, {"localhost:6060", true}, {":6060", false}, {"192.0.2.1:6060", false}, {"6060", false}} {
		cfg := config.Default()
		cfg.DebugAddr = c.addr
		if err := cfg.Validate(nil); (err == nil) != c.ok {
			t.Errorf("debug_addr %q: %v", c.addr, err)
		}
	}
}
