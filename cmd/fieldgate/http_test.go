package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestSlowBody: a body that does not come is waited for no longer than its grace, one
// that comes slowly but steadily is read whole, and then the client is watched without
// a bound.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	const grace = 300 * time.Millisecond
	read := make(chan error, 1)
	srv := httptest.NewServer(&underWay{bodyGrace: grace, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		select {
		case <-time.After(2 * grace):
		case <-r.Context().Done():
			err = context.Cause(r.Context())
		}
		read <- err
		w.WriteHeader(http.StatusNoContent)
	})})
	defer srv.Close()
	send := func(pieces int) error {
		c, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		write := func(text string) {
			if _, err := io.WriteString(c, text); err != nil {
				t.Error(err)
			}
		}
		write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5120\r\n\r\n")
		for range pieces {
			write(strings.Repeat("x", 1024))
			<-time.After(grace / 3)
		}
		return <-read
	}
	if err := send(5); err != nil {
		t.Errorf("a slow body: %v", err)
	}
	if err := send(0); err == nil {
		t.Error("a body that never came was read")
	}
}
