package testdeps_test

import (
	"fmt"
	"net"
	"net/url"
	"testing"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// TestServersOutliveClients has clients leave amid requests, as processes do that are
// killed. The servers answer others all the same.
func TestServersOutliveClients(t *testing.T) {
	for name, start := range map[string]func(testing.TB) string{"dynalite": testdeps.Dynalite, "kinesalite": testdeps.Kinesalite} {
		t.Run(name, func(t *testing.T) {
			at, err := url.Parse(start(t))
			if err != nil {
				t.Fatal(err)
			}
			for range 20 {
				nc, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at.Host)
				if err != nil {
					t.Fatalf("the server is gone: %v", err)
				}
				_, err = fmt.Fprintf(nc, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000\r\n\r\nthe beginning", at.Host)
				if err != nil {
					t.Fatal(err)
				}
				if err := nc.(*net.TCPConn).SetLinger(0); err != nil {
					t.Fatal(err)
				}
				if err := nc.Close(); err != nil {
					t.Fatal(err)
				}
			}
			nc, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at.Host)
			if err != nil {
				t.Fatalf("the server is gone: %v", err)
			}
			defer func() { _ = nc.Close() }()
			if _, err := fmt.Fprintf(nc, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", at.Host); err != nil {
				t.Fatal(err)
			}
			if n, err := nc.Read(make([]byte, 16)); n == 0 {
				t.Errorf("no answer: %v", err)
			}
		})
	}
}
