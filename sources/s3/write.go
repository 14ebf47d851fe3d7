package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/sources/objstore"
)

const (
	// writeKey is the metadata that says which call wrote an object.
	writeKey = "fieldgate-write"

	// partsAtOnce is how many parts of one object are sent at a time.
	partsAtOnce = 4

	// createOnly is the condition of a write that replaces nothing.
	createOnly = "*"

	// askFirst is the size from which on a conditional write asks before it sends.
	// Servers refuse amid a long body and close the connection, which looks like a
	// write whose answer was lost.
	askFirst = 256 << 10
)

// errUnknown is returned where a conditional write may have happened and been
// replaced since.
var errUnknown = errors.New("the write may or may not have happened")

// write is one call of Put or PutIf.
type write struct {
	b    *Bucket
	key  string
	name *string
	data []byte
	// ifMatch or ifNoneMatch is the condition.
	ifMatch, ifNoneMatch *string
	id                   string
	// unseen says that an attempt ended without an answer that tells what became of
	// it.
	unseen bool
}

// Put implements objstore.Bucket.
func (b *Bucket) Put(ctx context.Context, key string, data []byte) (objstore.ETag, error) {
	return b.write(ctx, &write{key: key, data: data})
}

// PutIf implements objstore.Bucket.
func (b *Bucket) PutIf(ctx context.Context, key string, data []byte, match objstore.ETag) (objstore.ETag, error) {
	w := &write{key: key, data: data, ifNoneMatch: aws.String(createOnly)}
	if match != "" {
		w.ifMatch, w.ifNoneMatch = aws.String(string(match)), nil
	}
	return b.write(ctx, w)
}

// write repeats the attempt as long as it fails of the way and not of the request.
func (b *Bucket) write(ctx context.Context, w *write) (objstore.ETag, error) {
	name, err := b.begin(ctx, w.key)
	if err != nil {
		return "", err
	}
	w.b, w.name, w.id = b, name, rand.Text()
	if len(w.data) >= askFirst {
		if err := w.ask(ctx); err != nil {
			return "", fmt.Errorf("put object %s: %w", w.key, err)
		}
	}
	retry := b.cfg.Client.Options().Retryer
	for attempt := 1; ; attempt++ {
		tag, err := w.attempt(ctx)
		if err == nil {
			return tag, nil
		}
		again := isConflict(err) || retry.IsErrorRetryable(err)
		w.unseen = w.unseen || again && !isConflict(err)
		if !again || attempt == retry.MaxAttempts() {
			return "", fmt.Errorf("put object %s: %w", w.key, err)
		}
		if err := pause(ctx, retry, attempt, err); err != nil {
			return "", fmt.Errorf("put object %s: %w", w.key, err)
		}
	}
}

// ask says whether the condition, if there is one, does not hold already.
func (w *write) ask(ctx context.Context) error {
	if w.ifMatch == nil && w.ifNoneMatch == nil {
		return nil
	}
	info, err := w.b.head(ctx, w.key)
	if err != nil && !errors.Is(err, objstore.ErrNotFound) {
		return err
	}
	if string(info.ETag) != aws.ToString(w.ifMatch) {
		return objstore.ErrPrecondition
	}
	return nil
}

// attempt writes once and judges the answer.
func (w *write) attempt(ctx context.Context) (objstore.ETag, error) {
	send := w.put
	if len(w.data) > w.b.cfg.PartBytes {
		send = w.putParts
	}
	tag, err := send(ctx)
	err = mapped(err)
	refused := errors.Is(err, objstore.ErrPrecondition)
	// Replacing an object that is not there is refused as not found; a multipart
	// upload that is not there any more has been completed or given up.
	gone := errors.Is(err, objstore.ErrNotFound)
	switch {
	case w.unseen && (refused || gone):
		return w.look(ctx, err)
	case gone && w.ifMatch != nil && codeOf(err) != "NoSuchUpload":
		return "", fmt.Errorf("%w: %w", objstore.ErrPrecondition, err)
	}
	return tag, err
}

// look finds out whether an attempt whose answer was not seen did write what is
// there.
func (w *write) look(ctx context.Context, refusal error) (objstore.ETag, error) {
	out, err := w.b.cfg.Client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &w.b.cfg.Bucket, Key: w.name})
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", errUnknown, err)
	case out.Metadata[writeKey] == w.id:
		return objstore.ETag(aws.ToString(out.ETag)), nil
	case w.ifMatch == nil && w.ifNoneMatch == nil:
		return "", refusal
	}
	return "", errUnknown
}

func once(o *s3.Options) { o.Retryer = aws.NopRetryer{} }

func (w *write) put(ctx context.Context) (objstore.ETag, error) {
	c := &w.b.cfg
	out, err := c.Client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &c.Bucket, Key: w.name, Body: bytes.NewReader(w.data), IfMatch: w.ifMatch, IfNoneMatch: w.ifNoneMatch,
		Metadata: map[string]string{writeKey: w.id}, StorageClass: types.StorageClass(c.StorageClass),
		ServerSideEncryption: types.ServerSideEncryption(c.Encryption), SSEKMSKeyId: given(c.KMSKeyID), BucketKeyEnabled: asked(c.BucketKey),
	}, once)
	if err != nil {
		return "", err
	}
	return objstore.ETag(aws.ToString(out.ETag)), nil
}

// given is a setting that is left out where it is empty.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func asked(b bool) *bool {
	if !b {
		return nil
	}
	return &b
}

// putParts sends the object in parts. An upload that fails is given up, so that
// its parts are not paid for.
func (w *write) putParts(ctx context.Context) (objstore.ETag, error) {
	c := &w.b.cfg
	created, err := c.Client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &c.Bucket, Key: w.name, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		Metadata: map[string]string{writeKey: w.id}, StorageClass: types.StorageClass(c.StorageClass),
		ServerSideEncryption: types.ServerSideEncryption(c.Encryption), SSEKMSKeyId: given(c.KMSKeyID), BucketKeyEnabled: asked(c.BucketKey),
	})
	if err != nil {
		return "", fmt.Errorf("begin upload: %w", err)
	}
	tag, err := w.upload(ctx, created.UploadId)
	if err == nil {
		return tag, nil
	}
	stop := context.WithoutCancel(ctx)
	_, aborted := c.Client.AbortMultipartUpload(stop, &s3.AbortMultipartUploadInput{Bucket: &c.Bucket, Key: w.name, UploadId: created.UploadId}, once)
	if aborted != nil && statusOf(aborted) != http.StatusNotFound {
		// The bucket's lifecycle rule for unfinished uploads takes it.
		err = fmt.Errorf("%w (and giving the upload up: %w)", err, aborted)
	}
	return "", err
}

func (w *write) upload(ctx context.Context, id *string) (objstore.ETag, error) {
	c := &w.b.cfg
	// S3 allows 10,000 parts, of an object far larger than what memory holds.
	parts := make([]types.CompletedPart, (len(w.data)+c.PartBytes-1)/c.PartBytes)
	g, sending := errgroup.WithContext(ctx)
	g.SetLimit(partsAtOnce)
	for i := range parts {
		g.Go(func() error {
			number := aws.Int32(int32(i + 1))
			data := w.data[i*c.PartBytes : min((i+1)*c.PartBytes, len(w.data))]
			out, err := c.Client.UploadPart(sending, &s3.UploadPartInput{
				Bucket: &c.Bucket, Key: w.name, UploadId: id, PartNumber: number, Body: bytes.NewReader(data),
				ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
			})
			if err != nil {
				return fmt.Errorf("upload part %d: %w", i+1, err)
			}
			parts[i] = types.CompletedPart{ETag: out.ETag, PartNumber: number, ChecksumCRC32: out.ChecksumCRC32}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return "", err
	}
	out, err := c.Client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &c.Bucket, Key: w.name, UploadId: id, IfMatch: w.ifMatch, IfNoneMatch: w.ifNoneMatch,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}, once)
	if err != nil {
		return "", fmt.Errorf("complete upload: %w", err)
	}
	return objstore.ETag(aws.ToString(out.ETag)), nil
}
