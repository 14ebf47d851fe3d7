package kinesis_test

import (
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/pipeline/stream/streamtest"
)

// TestSlowStream is TestStream for the view of a consumer that may take its time.
func TestSlowStream(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, url string) {
		streamtest.Run(t, func(t *testing.T) stream.Log { return newStream(t, url, 2).Slow(1000) })
	})
}

func TestStream(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, url string) {
		streamtest.Run(t, func(t *testing.T) stream.Log { return newStream(t, url, 2) })
	})
}
