// Package faultproxy stands between an AWS client and one of the local servers
// that tests use, and does to their requests what AWS does on a bad day: it
// throttles, takes only a part of a batch, fails, is slow, answers late, cuts
// connections before or after the work is done, and lets shard iterators expire. The local
// servers do none of this.
//
// What happens to a request is decided by a function of its number and
// operation; Random is one that follows a seed. The proxy also repairs an answer
// without which a client of kinesis-local cannot subscribe to a shard.
package faultproxy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Request is what a decision can go by.
type Request struct {
	// Number counts the proxy's requests from 1.
	Number uint64
	// Operation is an action of Kinesis or DynamoDB, such as PutRecords; of S3,
	// which names none, it is the HTTP method.
	Operation string
	// Path is the URL's: of S3, the bucket and the object's key.
	Path string
	// Range is the header by which a part of an object is asked for, such as
	// bytes=0-99.
	Range string
	// Body is what was sent, nil of SubscribeToShard. It is not to be changed.
	Body []byte
}

// Decide says what happens to a request. It may be called from many goroutines.
type Decide func(r Request) Fault

// Proxy is one proxy before one server.
type Proxy struct {
	// URL is where clients find it.
	URL string

	target  *url.URL
	client  *http.Client
	forward *httputil.ReverseProxy
	close   func()
	ended   context.Context //nolint:containedctx // ends the requests under way when the test has
	decide  atomic.Pointer[Decide]
	number  atomic.Uint64

	mu   sync.Mutex
	seen map[Kind]int
}

// Start starts a proxy before the server at target, which ends with the test. A
// nil decide lets everything through.
func Start(t testing.TB, target string, decide Decide) *Proxy {
	t.Helper()
	p, err := Open(t.Context(), target, decide)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// Open is Start for programs that are no test: Close ends the proxy, not ctx.
func Open(ctx context.Context, target string, decide Decide) (*Proxy, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("fault proxy before %s: %w", target, err)
	}
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}
	ended, end := context.WithCancel(context.WithoutCancel(ctx))
	p := &Proxy{target: to, client: &http.Client{Transport: transport}, ended: ended, seen: map[Kind]int{}}
	p.forward = &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1,
		// The client signed the host that it knows, so it stays.
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p.Set(decide)
	server := httptest.NewServer(p)
	p.close = func() {
		end()
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	}
	p.URL = server.URL
	return p, nil
}

// Close ends the proxy and what is under way.
func (p *Proxy) Close() { p.close() }

// Set has another function decide from the next request on.
func (p *Proxy) Set(decide Decide) {
	if decide == nil {
		decide = func(Request) Fault { return Fault{} }
	}
	p.decide.Store(&decide)
}

// Seen counts the faults of a kind that happened.
func (p *Proxy) Seen(kind Kind) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[kind]
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The target of an AWS request is the service and its version, a point, and
	// the action.
	operation := r.Method
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		operation = target[strings.LastIndexByte(target, '.')+1:]
	}
	request := Request{Number: p.number.Add(1), Operation: operation, Path: r.URL.Path, Range: r.Header.Get("Range")}
	if operation != "SubscribeToShard" {
		var done context.CancelFunc
		r, request.Body, done = p.received(r)
		defer done()
	}
	fault := (*p.decide.Load())(request)
	if !fault.Kind.suits(operation) {
		fault = Fault{}
	}
	if fault.Kind != None {
		p.mu.Lock()
		p.seen[fault.Kind]++
		p.mu.Unlock()
	}
	switch fault.Kind {
	case Slow:
		pause(r.Context(), fault.Delay)
		p.pass(w, r, operation)
	case Late:
		a := p.ask(r, r.Body, r.ContentLength)
		pause(r.Context(), fault.Delay)
		a.pass(w)
	case Halting:
		p.halt(w, r, fault.Delay)
	case InternalError, SlowDown, Throttled, ExpiredIterator, LimitExceeded:
		refuse(w, r, fault.Kind)
	case Empty:
		w.WriteHeader(http.StatusOK)
	case CutBefore:
		panic(http.ErrAbortHandler)
	case CutAfter, CutAnswer:
		p.cut(w, r, fault.Kind)
	case Partial:
		p.partial(w, r, operation, request.Number, fault.Share)
	default:
		p.pass(w, r, operation)
	}
}

// received is a request that has come in whole, which a server handles even if
// its client is gone by then. Kinesalite would end itself if a request broke off.
func (p *Proxy) received(r *http.Request) (whole *http.Request, body []byte, done context.CancelFunc) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	stop := context.AfterFunc(p.ended, cancel)
	whole = r.WithContext(ctx)
	whole.Body, whole.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return whole, body, func() {
		stop()
		cancel()
	}
}

// pass lets a request through.
func (p *Proxy) pass(w http.ResponseWriter, r *http.Request, operation string) {
	if operation == "SubscribeToShard" {
		p.subscribe(w, r)
		return
	}
	p.forward.ServeHTTP(w, r)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
