package ingest_test

import (
	"context"
	"slices"
	"testing"

	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// emptyLog takes everything and keeps nothing.
type emptyLog struct{ stream.Log }

func (emptyLog) Put(_ context.Context, entries []stream.Entry) ([]stream.Placed, error) {
	return make([]stream.Placed, len(entries)), nil
}

// Whatever is sent, the answer is 200 or says what is wrong with the request; it is never our fault.
func FuzzEvents(f *testing.F) {
	b := setup(f, func(c *ingest.Config) {
		c.Log = emptyLog{}
		c.BodyBytes = 64 << 10
	})
	for _, body := range []string{`{"a":1}`, "{}\n{}\r\n\n", `[{},{"a":}]`, "", "\xff", `{"a":"\ud800"}`} {
		f.Add([]byte(body), "", "", "m")
		f.Add(gzipped(f, []byte(body)), "gzip", "application/json", "")
		f.Add(zstdded(f, []byte(body)), "zstd", "text/plain", "%2F")
	}
	f.Fuzz(func(t *testing.T, body []byte, encoding, contentType, key string) {
		headers := []string{"Content-Encoding", encoding, "Content-Type", contentType}
		w := b.post(t, "/v1/events", body, append(headers, "X-Api-Key", "")...)
		if !slices.Contains([]int{200, 400, 413, 415}, w.Code) {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		parse(t, w)
		if w := b.post(t, "/v1/events", body, append(headers, "X-Api-Key", key)...); key != "" && w.Code != 401 {
			t.Errorf("with key %q: status %d: %s", key, w.Code, w.Body)
		}
	})
}
