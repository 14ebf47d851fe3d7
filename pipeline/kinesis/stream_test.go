package kinesis_test

import (
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/pipeline/stream/streamtest"
)

func TestStream(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, url string) {
		streamtest.Run(t, func(t *testing.T) stream.Log { return newStream(t, url, 2) })
	})
}
