package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/fieldgate/fieldgate/sources/objstore"
)

// errStalled is why a body's request is given up.
var errStalled = errors.New("the connection brought nothing")

// errNoLength says that an answer does not say how long an object is.
var errNoLength = errors.New("the answer lacks Content-Length, which S3 always sends; look at proxies before it")

// body reads a range of one version of an object. Where the connection fails or
// stalls, it asks for the rest.
type body struct {
	b    *Bucket
	ctx  context.Context //nolint:containedctx // of the call that opened it, for the requests of the rest
	name *string
	etag *string

	at, end  int64 // what is still to come
	current  io.ReadCloser
	cancel   context.CancelCauseFunc // ends the current request
	stall    *time.Timer
	stalled  func() bool
	failures int // since the last byte
}

// open asks for size bytes from offset on, or as many as there are.
func (b *Bucket) open(ctx context.Context, key string, offset, size int64) (*body, objstore.Info, error) {
	name, err := b.begin(ctx, key)
	if err != nil {
		return nil, objstore.Info{}, err
	}
	r := &body{b: b, ctx: ctx, name: name, at: offset, end: math.MaxInt64}
	if size < math.MaxInt64-offset {
		r.end = offset + size
	}
	out, err := r.request()
	if err != nil {
		return nil, objstore.Info{}, readError(err)
	}
	if out.ContentLength == nil {
		// Not an empty object: something on the way has taken the length off.
		return nil, objstore.Info{}, errors.Join(fmt.Errorf("object %s: %w", key, errNoLength), r.Close())
	}
	r.etag = out.ETag
	total := offset + *out.ContentLength
	r.end = total
	if out.ContentRange != nil {
		if total, err = totalOf(*out.ContentRange); err != nil {
			return nil, objstore.Info{}, errors.Join(err, r.Close())
		}
	}
	return r, objstore.Info{
		Key: key, Size: total, ETag: objstore.ETag(aws.ToString(out.ETag)), Modified: aws.ToTime(out.LastModified),
	}, nil
}

// totalOf reads an object's size off an answer's range: bytes 0-9/443.
func totalOf(contentRange string) (int64, error) {
	_, total, _ := strings.Cut(contentRange, "/")
	n, err := strconv.ParseInt(total, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("content range %q: %w", contentRange, err)
	}
	return n, nil
}

// request asks for what is still to come.
func (r *body) request() (*s3.GetObjectOutput, error) {
	in := &s3.GetObjectInput{Bucket: &r.b.cfg.Bucket, Key: r.name, IfMatch: r.etag}
	switch {
	case r.end < math.MaxInt64:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", r.at, r.end-1))
	case r.at > 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", r.at))
	}
	ctx, cancel := context.WithCancelCause(r.ctx)
	out, err := r.b.cfg.Client.GetObject(ctx, in, func(o *s3.Options) { o.DisableLogOutputChecksumValidationSkipped = true })
	if err != nil {
		cancel(nil)
		return nil, err
	}
	r.current, r.cancel = out.Body, cancel
	r.stall = time.AfterFunc(r.b.cfg.StallTime, func() { cancel(errStalled) })
	r.stalled = func() bool { return errors.Is(context.Cause(ctx), errStalled) }
	return out, nil
}

// Read implements io.Reader.
func (r *body) Read(p []byte) (int, error) {
	for {
		if r.at >= r.end {
			return 0, r.finish()
		}
		if r.current == nil {
			if _, err := r.request(); err != nil {
				return 0, readError(err)
			}
		}
		if int64(len(p)) > r.end-r.at {
			p = p[:r.end-r.at]
		}
		r.stall.Reset(r.b.cfg.StallTime)
		n, err := r.current.Read(p)
		r.stall.Stop()
		r.at += int64(n)
		if n > 0 {
			r.failures = 0
			return n, nil // an error comes again, if it matters
		}
		if err == nil {
			return 0, nil
		}
		switch {
		case errors.Is(err, io.EOF):
			err = io.ErrUnexpectedEOF
		case r.stalled():
			err = errStalled
		}
		if err := r.failed(err); err != nil {
			return 0, err
		}
	}
}

// finish reads the end of the answer, where the checksum of a whole object is
// verified, and after which the connection can be used again.
func (r *body) finish() error {
	if r.current != nil {
		r.stall.Reset(r.b.cfg.StallTime)
		if _, err := io.Copy(io.Discard, r.current); err != nil {
			return fmt.Errorf("end of object %s: %w", *r.name, err)
		}
		r.drop()
	}
	return io.EOF
}

// failed drops the connection and waits before the next, or says why there is to
// be none.
func (r *body) failed(err error) error {
	if r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	r.drop()
	r.failures++
	retry := r.b.cfg.Client.Options().Retryer
	if r.failures >= retry.MaxAttempts() {
		return fmt.Errorf("read object %s at byte %d: %w", *r.name, r.at, err)
	}
	return pause(r.ctx, retry, r.failures, err)
}

func (r *body) drop() {
	if r.current == nil {
		return
	}
	r.stall.Stop()
	r.cancel(nil)
	_ = r.current.Close() // it was only read from
	r.current = nil
}

// Close implements io.Closer.
func (r *body) Close() error {
	r.drop()
	r.end = r.at
	return nil
}

// pause waits as long as the retryer wants to after an attempt that failed.
func pause(ctx context.Context, retry aws.Retryer, attempt int, cause error) error {
	delay, err := retry.RetryDelay(attempt, cause)
	if err != nil {
		return fmt.Errorf("delay of attempt %d: %w", attempt, err)
	}
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
