package ingest_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

// BenchmarkIngest sends batches of 100 events of about 300 bytes over 32 connections to a server in the same process,
// which answers when they are durable. An iteration is one event.
func BenchmarkIngest(b *testing.B) {
	const connections, batch = 32, 100
	bundle := setup(b, nil)
	server := httptest.NewServer(bundle.mux)
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: connections}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	r := rand.New(rand.NewPCG(1, 2))
	var body bytes.Buffer
	for i := range batch {
		fmt.Fprintf(&body, `{"metrictype":"thermostat","timestamp":%d,"device":"dev-%06d","temp":%.2f,"humidity":%.1f,"battery":%d,`+
			`"online":true,"firmware":"v4.12.%d","site":"building-%02d/floor-%d/room-%03d","rssi":-%d,"mode":"cooling","error":null,`+
			`"geo":{"lat":%.5f,"lon":%.5f},"note":"periodic report"}`+"\n",
			1_790_000_000_000+i*10, r.IntN(1000), 15+10*r.Float64(), 40+20*r.Float64(), r.IntN(100), r.IntN(9), r.IntN(20), r.IntN(9), r.IntN(400),
			40+r.IntN(50), 40+r.Float64(), -100+r.Float64())
	}
	send := func() error {
		request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL+"/v1/events", bytes.NewReader(body.Bytes()))
		if err != nil {
			return err
		}
		request.Header.Set("X-Api-Key", string(bundle.acme))
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, response.Body)
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", response.StatusCode)
		}
		return err
	}
	b.SetBytes(int64(body.Len() / batch))
	b.ReportAllocs()
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64((b.N + batch - 1) / batch))
	var wait sync.WaitGroup
	for range connections {
		wait.Go(func() {
			for left.Add(-1) >= 0 {
				if err := send(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
