package wire_test

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/wire"
)

// TestConfig has each setting wrong alone.
func TestConfig(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	right := wire.Config{Listener: l, Roles: newRoles(t), NewSession: newScript().open, Logger: slog.New(slog.DiscardHandler)}
	if _, err := wire.New(right); err != nil {
		t.Errorf("nothing wrong: %v", err)
	}
	for name, wrong := range map[string]func(*wire.Config){
		"no listener":      func(c *wire.Config) { c.Listener = nil },
		"no roles":         func(c *wire.Config) { c.Roles = nil },
		"no sessions":      func(c *wire.Config) { c.NewSession = nil },
		"no logger":        func(c *wire.Config) { c.Logger = nil },
		"TLS without any":  func(c *wire.Config) { c.RequireTLS = true },
		"connections":      func(c *wire.Config) { c.MaxConnections = -1 },
		"startup timeout":  func(c *wire.Config) { c.StartupTimeout = -time.Second },
		"write timeout":    func(c *wire.Config) { c.WriteTimeout = -time.Second },
		"drain timeout":    func(c *wire.Config) { c.DrainTimeout = -time.Second },
		"spooling":         func(c *wire.Config) { c.SpoolAfter = -time.Second },
		"size of messages": func(c *wire.Config) { c.MaxMessageBytes = -1 },
	} {
		c := right
		wrong(&c)
		if _, err := wire.New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
