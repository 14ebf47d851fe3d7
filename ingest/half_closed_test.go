package ingest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/ingest"
)

// A sender that ends its half of the connection behind its request still reads: it is told what became of the events, and
// never 200 for what is not stored.
func TestEventsHalfClosed(t *testing.T) {
	t.Parallel()
	const event = `{"half":1}`
	tests := []struct {
		name, headers string
		length        int // as the headers say
		status        int
		answer        string
		stored        int
	}{
		{name: "whole", length: len(event), status: http.StatusOK, answer: `"accepted":1`, stored: 1},
		{name: "whole, idempotent", headers: "Idempotency-Key: k\r\n", length: len(event), status: http.StatusOK, answer: `"accepted":1`, stored: 1},
		{name: "cut", length: len(event) + 1, status: http.StatusBadRequest, answer: "the body ended early"},
		{name: "cut, gzip", headers: "Content-Encoding: gzip\r\n", length: len(event) + 1, status: http.StatusBadRequest, answer: "cannot be read"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(c *ingest.Config) { c.Log = slowLog{c.Log} })
			server := httptest.NewServer(b.mux)
			defer server.Close()
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, err := fmt.Fprintf(conn, "POST /v1/events HTTP/1.1\r\nHost: fieldgate\r\nX-Api-Key: %s\r\n%sContent-Length: %d\r\n\r\n%s",
				b.acme, test.headers, test.length, event); err != nil {
				t.Fatal(err)
			}
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status || !strings.Contains(string(body), test.answer) {
				t.Errorf("status %d: %q", response.StatusCode, body)
			}
			if got := b.events(t); len(got) != test.stored {
				t.Errorf("stored %q", got)
			}
		})
	}
}
