package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestDebugDoorServesProfiles(t *testing.T) {
	t.Parallel()
	addr := freeAddr(t)
	start(t, t.TempDir(), func(c *config) { c.DebugAddr = addr })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/debug/pprof/goroutine?debug=1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), ".serveDebug") {
		t.Errorf("the goroutines do not show the debug door: %.200s", text)
	}
}

func TestDebugDoorIsForLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		addr string
		ok   bool
	}{{"", true}, {"127.0.0.1:6060", true}, {"localhost:6060", true}, {":6060", false}, {"192.0.2.1:6060", false}, {"6060", false}} {
		cfg := defaultConfig()
		cfg.DebugAddr = c.addr
		if err := cfg.validate(); (err == nil) != c.ok {
			t.Errorf("debug_addr %q: %v", c.addr, err)
		}
	}
}
