package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
	"github.com/fieldgate/fieldgate/sources/objstore"
	"github.com/fieldgate/fieldgate/sources/s3"
)

// before puts a handler before a server: it answers itself, or calls next.
func before(t *testing.T, target string, handle func(w http.ResponseWriter, r *http.Request, next http.Handler)) string {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	next := &httputil.ReverseProxy{
		// The signature covers the host that the client asked for.
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(u); r.Out.Host = r.In.Host },
		Transport: transport, FlushInterval: -1,
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(w, r, next) }))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
		transport.CloseIdleConnections()
	})
	return srv.URL
}

// TestStorm writes, reads and counts while every fourth request meets a fault.
func TestStorm(t *testing.T) {
	t.Parallel()
	target := testdeps.VersityGW(t)
	bucket := makeBucket(t, target)
	p := faultproxy.Start(t, target, faultproxy.Random(7, faultproxy.Storm()))
	b := newBucket(t, s3.Config{Client: newClient(t, p.URL), Bucket: bucket, PartBytes: 5 << 20})
	large := bytes.Repeat([]byte("0123456789"), 1<<20)
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			key := fmt.Sprintf("storm/%d", i)
			_, err := b.Put(t.Context(), key, large)
			for range 5 {
				if err == nil {
					err = readsAs(t.Context(), b, key, large)
				}
			}
			for range 10 {
				if err == nil {
					err = increment(t.Context(), b, fmt.Sprintf("count/%d", i))
				}
			}
			errs[i] = err
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	clean := newBucket(t, s3.Config{Client: newClient(t, target), Bucket: bucket})
	for i := range errs {
		if got, _, err := objstore.Read(t.Context(), clean, fmt.Sprintf("count/%d", i)); err != nil || len(got) != 10 {
			t.Errorf("counter %d stands at %d, %v; want 10", i, len(got), err)
		}
	}
	if p.Seen(faultproxy.SlowDown) == 0 || p.Seen(faultproxy.CutAfter) == 0 || p.Seen(faultproxy.CutAnswer) == 0 {
		t.Error("the storm was none")
	}
}

func readsAs(ctx context.Context, b objstore.Bucket, key string, want []byte) error {
	got, _, err := objstore.Read(ctx, b, key)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s: other bytes than were written", key)
	}
	return nil
}

// increment adds a byte by compare-and-swap. Nobody else writes the key, so a
// condition that does not hold is a write that was thought to have failed.
func increment(ctx context.Context, b objstore.Bucket, key string) error {
	data, info, err := objstore.Read(ctx, b, key)
	if err != nil && !errors.Is(err, objstore.ErrNotFound) {
		return err
	}
	_, err = b.PutIf(ctx, key, append(data, 'x'), info.ETag)
	return err
}

// TestUnseenWrite loses the answers of conditional writes: who wrote learns it.
func TestUnseenWrite(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := start(t)
			bucket := makeBucket(t, target)
			lost := map[string]bool{}
			var mu sync.Mutex
			proxy := faultproxy.Start(t, target, nil)
			proxy.Set(func(r faultproxy.Request) faultproxy.Fault {
				mu.Lock()
				defer mu.Unlock()
				if r.Operation == http.MethodPut && !lost[r.Operation] {
					lost[r.Operation] = true
					return faultproxy.Fault{Kind: faultproxy.CutAfter}
				}
				return faultproxy.Fault{}
			})
			b := newBucket(t, s3.Config{Client: newClient(t, proxy.URL), Bucket: bucket})
			tag, err := b.PutIf(t.Context(), "root", []byte("one"), "")
			if err != nil {
				t.Fatalf("create: %v", err)
			}
			mu.Lock()
			lost[http.MethodPut] = false
			mu.Unlock()
			if tag, err = b.PutIf(t.Context(), "root", []byte("two"), tag); err != nil {
				t.Fatalf("replace: %v", err)
			}
			if head, err := b.Head(t.Context(), "root"); err != nil || head.ETag != tag {
				t.Fatalf("tag %s, want %s: %v", head.ETag, tag, err)
			}
			if proxy.Seen(faultproxy.CutAfter) != 2 {
				t.Fatal("no answer was lost")
			}
		})
	}
}

// TestUnseenLoss loses the answer of a conditional write that another replaces
// before it is asked about: that it did not happen must not be said.
func TestUnseenLoss(t *testing.T) {
	t.Parallel()
	target := testdeps.VersityGW(t)
	bucket := makeBucket(t, target)
	other := newBucket(t, s3.Config{Client: newClient(t, target), Bucket: bucket})
	var lost atomic.Bool
	proxy := before(t, target, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method != http.MethodPut || lost.Swap(true) {
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(httptest.NewRecorder(), r)
		if _, err := other.Put(r.Context(), "root", []byte("theirs")); err != nil {
			t.Error(err)
		}
		panic(http.ErrAbortHandler)
	})
	b := newBucket(t, s3.Config{Client: newClient(t, proxy), Bucket: bucket})
	if _, err := b.PutIf(t.Context(), "root", []byte("ours"), ""); err == nil || errors.Is(err, objstore.ErrPrecondition) {
		t.Errorf("create: %v, want neither success nor ErrPrecondition", err)
	}
}

// TestConflict answers conditional writes as S3 does while another is under way.
func TestConflict(t *testing.T) {
	t.Parallel()
	target := testdeps.VersityGW(t)
	var conflicts atomic.Int32
	proxy := before(t, target, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		conditional := r.Header.Get("If-None-Match") + r.Header.Get("If-Match")
		if conditional != "" && r.Method != http.MethodGet && conflicts.Add(1)%3 != 0 {
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, "<Error><Code>ConditionalRequestConflict</Code></Error>")
			return
		}
		next.ServeHTTP(w, r)
	})
	b := newBucket(t, s3.Config{Client: newClient(t, proxy), Bucket: makeBucket(t, target), PartBytes: 5 << 20})
	for _, size := range []int{10, 6 << 20} {
		key, data := fmt.Sprintf("size/%d", size), make([]byte, size)
		tag, err := b.PutIf(t.Context(), key, data, "")
		if err != nil {
			t.Fatalf("create: %v", err)
		}
		if _, err := b.PutIf(t.Context(), key, data, ""); !errors.Is(err, objstore.ErrPrecondition) {
			t.Errorf("create again: %v, want ErrPrecondition", err)
		}
		if _, err := b.PutIf(t.Context(), key, append(data, 1), tag); err != nil {
			t.Errorf("replace: %v", err)
		}
	}
}

// TestStall reads through a connection that brings half of the object and then
// nothing.
func TestStall(t *testing.T) {
	t.Parallel()
	target := testdeps.VersityGW(t)
	bucket := makeBucket(t, target)
	data := bytes.Repeat([]byte("0123456789"), 100_000)
	var requests atomic.Int32
	proxy := before(t, target, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method != http.MethodGet || requests.Add(1) > 1 {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		_, _ = w.Write(data[:len(data)/2])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	b := newBucket(t, s3.Config{Client: newClient(t, proxy), Bucket: bucket, StallTime: time.Second})
	if _, err := b.Put(t.Context(), "k", data); err != nil {
		t.Fatal(err)
	}
	if err := readsAs(t.Context(), b, "k", data); err != nil {
		t.Fatal(err)
	}
	if requests.Load() < 2 {
		t.Error("the object came without a second request")
	}
}

// TestReplacedWhileRead replaces an object whose reader has lost its connection:
// it does not go on with other bytes.
func TestReplacedWhileRead(t *testing.T) {
	t.Parallel()
	target := testdeps.VersityGW(t)
	bucket := makeBucket(t, target)
	data := bytes.Repeat([]byte("0123456789"), 100_000)
	direct := newBucket(t, s3.Config{Client: newClient(t, target), Bucket: bucket})
	tag, err := direct.Put(t.Context(), "k", data)
	if err != nil {
		t.Fatal(err)
	}
	var requests atomic.Int32
	proxy := before(t, target, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if requests.Add(1) > 1 {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Header().Set("Etag", string(tag))
		_, _ = w.Write(data[:len(data)/2])
		if _, err := direct.Put(r.Context(), "k", bytes.Repeat([]byte("x"), len(data))); err != nil {
			t.Error(err)
		}
		panic(http.ErrAbortHandler)
	})
	b := newBucket(t, s3.Config{Client: newClient(t, proxy), Bucket: bucket})
	if _, _, err := objstore.Read(t.Context(), b, "k"); !errors.Is(err, objstore.ErrPrecondition) {
		t.Fatalf("read: %v, want ErrPrecondition", err)
	}
}

// TestSettings has a server see what is asked of it; that it keeps it is seen of
// MinIO, which has encryption.
func TestSettings(t *testing.T) {
	t.Parallel()
	target := testdeps.VersityGW(t)
	bucket := makeBucket(t, target)
	for _, tt := range []struct {
		name string
		cfg  s3.Config
		want map[string]string
	}{
		{"nothing", s3.Config{}, map[string]string{}},
		{"AES256", s3.Config{Encryption: "AES256", StorageClass: "INTELLIGENT_TIERING"}, map[string]string{
			"X-Amz-Server-Side-Encryption": "AES256", "X-Amz-Storage-Class": "INTELLIGENT_TIERING",
		}},
		{"KMS", s3.Config{Encryption: "aws:kms", KMSKeyID: "some-key", BucketKey: true, StorageClass: "STANDARD_IA"}, map[string]string{
			"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "some-key",
			"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "true", "X-Amz-Storage-Class": "STANDARD_IA",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			seen := map[string]http.Header{}
			cfg := tt.cfg
			cfg.Client = newClient(t, before(t, target, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				switch {
				case r.Method == http.MethodPost && r.URL.Query().Has("uploads"):
					mu.Lock()
					seen["multipart"] = r.Header
					mu.Unlock()
				case r.Method == http.MethodPut && !r.URL.Query().Has("partNumber"):
					mu.Lock()
					seen["put"] = r.Header
					mu.Unlock()
				}
				next.ServeHTTP(w, r)
			}))
			cfg.Bucket, cfg.PartBytes, cfg.Prefix = bucket, 5<<20, strings.ToLower(tt.name)+"/"
			b := newBucket(t, cfg)
			for key, size := range map[string]int{"small": 1, "large": 6 << 20} {
				if _, err := b.Put(t.Context(), key, make([]byte, size)); err != nil {
					t.Fatal(err)
				}
			}
			for _, way := range []string{"put", "multipart"} {
				if seen[way] == nil {
					t.Fatalf("no %s seen", way)
				}
				for _, header := range []string{
					"X-Amz-Server-Side-Encryption", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id",
					"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled", "X-Amz-Storage-Class",
				} {
					if got := seen[way].Get(header); got != tt.want[header] {
						t.Errorf("%s: %s is %q, want %q", way, header, got, tt.want[header])
					}
				}
			}
		})
	}
}

func TestEncrypted(t *testing.T) {
	t.Parallel()
	target := testdeps.MinIO(t)
	bucket := makeBucket(t, target)
	client := newClient(t, target)
	for encryption, key := range map[string]string{"AES256": "", "aws:kms": testdeps.MinIOKey} {
		b := newBucket(t, s3.Config{Client: client, Bucket: bucket, Encryption: encryption, KMSKeyID: key, PartBytes: 5 << 20})
		for name, size := range map[string]int{"small": 3, "large": 6 << 20} {
			tag, err := b.PutIf(t.Context(), name, make([]byte, size), "")
			if err != nil {
				t.Fatal(err)
			}
			out, err := client.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: &bucket, Key: &name})
			if err != nil || string(out.ServerSideEncryption) != encryption || !strings.HasSuffix(aws.ToString(out.SSEKMSKeyId), key) {
				t.Errorf("%s, %s: %+v, %v", encryption, name, out, err)
			}
			if _, err := b.PutIf(t.Context(), name, make([]byte, size), tag); err != nil {
				t.Errorf("%s: replace %s: %v", encryption, name, err)
			}
			if err := b.Delete(t.Context(), name); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	target := testdeps.VersityGW(t)
	if err := newBucket(t, s3.Config{Client: newClient(t, target), Bucket: makeBucket(t, target)}).Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := newBucket(t, s3.Config{Client: newClient(t, target), Bucket: "no-such-bucket"}).Check(t.Context()); err == nil {
		t.Error("a bucket that is not there passes")
	}
}

func TestBadConfig(t *testing.T) {
	t.Parallel()
	client := newClient(t, "http://127.0.0.1:1")
	for name, cfg := range map[string]s3.Config{
		"no client":            {Bucket: "b"},
		"no bucket":            {Client: client},
		"prefix without slash": {Client: client, Bucket: "b", Prefix: "p"},
		"absolute prefix":      {Client: client, Bucket: "b", Prefix: "/p/"},
		"small parts":          {Client: client, Bucket: "b", PartBytes: 1},
		"encryption":           {Client: client, Bucket: "b", Encryption: "rot13"},
		"key without KMS":      {Client: client, Bucket: "b", Encryption: "AES256", KMSKeyID: "k"},
	} {
		if _, err := s3.New(cfg); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

// TestLostConnectionIsNoEnd cuts every connection once an object has begun: the
// reader is told of no end.
func TestLostConnectionIsNoEnd(t *testing.T) {
	t.Parallel()
	target := testdeps.VersityGW(t)
	bucket := makeBucket(t, target)
	data := bytes.Repeat([]byte("0123456789"), 100_000)
	var begun atomic.Bool
	proxy := before(t, target, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		switch {
		case r.Method != http.MethodGet:
			next.ServeHTTP(w, r)
			return
		case begun.CompareAndSwap(false, true):
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			_, _ = w.Write(data[:len(data)/2])
			_ = http.NewResponseController(w).Flush()
		}
		panic(http.ErrAbortHandler)
	})
	b := newBucket(t, s3.Config{Client: newClient(t, proxy), Bucket: bucket})
	if _, err := b.Put(t.Context(), "k", data); err != nil {
		t.Fatal(err)
	}
	body, _, err := b.Get(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	n, err := io.Copy(io.Discard, body)
	if err == nil || errors.Is(err, io.EOF) || n >= int64(len(data)) {
		t.Errorf("read %d bytes of %d: %v", n, len(data), err)
	}
}

// TestNoLength: an answer without a length is not an empty object.
func TestNoLength(t *testing.T) {
	t.Parallel()
	target := testdeps.VersityGW(t)
	bucket := makeBucket(t, target)
	var chunked atomic.Bool
	proxy := before(t, target, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !chunked.Load() {
			next.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		maps.Copy(w.Header(), answer.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(answer.Code)
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write(answer.Body.Bytes())
	})
	b := newBucket(t, s3.Config{Client: newClient(t, proxy), Bucket: bucket})
	if _, err := b.Put(t.Context(), "k", []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	chunked.Store(true)
	_, _, err := objstore.Read(t.Context(), b, "k")
	_, headErr := b.Head(t.Context(), "k")
	for doing, err := range map[string]error{"read": err, "head": headErr} {
		if err == nil || !strings.Contains(err.Error(), "Content-Length") {
			t.Errorf("%s: %v, want what is missing", doing, err)
		}
	}
}
