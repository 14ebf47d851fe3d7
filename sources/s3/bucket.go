// Package s3 keeps objects on Amazon S3, or on a server that speaks its API:
// Bucket is an objstore.Bucket.
//
// A write is one PutObject, or a multipart upload if it is large; conditions are
// S3's If-Match and If-None-Match. Calls that may be repeated are, by the client's
// retryer; a conditional write that may have happened unseen is told apart from a
// refused one by a random number in the object's metadata. Readers of a whole
// object or a range go on where a cut or stalled connection left them, of the same
// version of the object.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/fieldgate/fieldgate/sources/objstore"
)

var _ objstore.Versioned = (*Bucket)(nil)

// Bucket is a bucket of S3, or a folder of one.
type Bucket struct {
	cfg Config
}

// New makes a Bucket. It asks nothing of the service; see Check.
func New(cfg Config) (*Bucket, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.Client = s3.New(cfg.Client.Options(), func(o *s3.Options) { o.Retryer = patient{o.Retryer} })
	return &Bucket{cfg: cfg}, nil
}

// Check says why the bucket cannot be used.
func (b *Bucket) Check(ctx context.Context) error {
	_, err := b.cfg.Client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.cfg.Bucket})
	if err != nil {
		return fmt.Errorf("bucket %s cannot be reached: it must exist, in the configured region, and the credentials must allow it: %w", b.cfg.Bucket, err)
	}
	return nil
}

// begin is the start of every method that takes a key: it gives S3's name.
func (b *Bucket) begin(ctx context.Context, key string) (*string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := objstore.ValidateKey(key); err != nil {
		return nil, err
	}
	return aws.String(b.cfg.Prefix + key), nil
}

// Get implements objstore.Bucket.
func (b *Bucket) Get(ctx context.Context, key string) (io.ReadCloser, objstore.Info, error) {
	r, info, err := b.open(ctx, key, 0, math.MaxInt64)
	if err != nil {
		return nil, objstore.Info{}, fmt.Errorf("get object %s: %w", key, err)
	}
	return r, info, nil
}

// GetRange implements objstore.Bucket.
func (b *Bucket) GetRange(ctx context.Context, key string, offset, size int64) (io.ReadCloser, error) {
	r, _, err := b.GetRangeInfo(ctx, key, offset, size)
	return r, err
}

// GetRangeInfo implements objstore.Versioned.
func (b *Bucket) GetRangeInfo(ctx context.Context, key string, offset, size int64) (io.ReadCloser, objstore.Info, error) {
	r, info, err := b.openRange(ctx, key, offset, size)
	if err != nil {
		return nil, objstore.Info{}, fmt.Errorf("get range of object %s: %w", key, err)
	}
	return r, info, nil
}

func (b *Bucket) openRange(ctx context.Context, key string, offset, size int64) (io.ReadCloser, objstore.Info, error) {
	if offset < 0 || size < 0 {
		return nil, objstore.Info{}, fmt.Errorf("%w: %d bytes from %d on", objstore.ErrRange, size, offset)
	}
	if size > 0 {
		return b.open(ctx, key, offset, size)
	}
	// S3 has no range without a byte.
	info, err := b.head(ctx, key)
	if err == nil && offset >= info.Size {
		err = fmt.Errorf("%w: %d of %d bytes", objstore.ErrRange, offset, info.Size)
	}
	return io.NopCloser(eofReader{}), info, err
}

type eofReader struct{}

func (eofReader) Read([]byte) (int, error) { return 0, io.EOF }

// Head implements objstore.Bucket.
func (b *Bucket) Head(ctx context.Context, key string) (objstore.Info, error) {
	info, err := b.head(ctx, key)
	if err != nil {
		return objstore.Info{}, fmt.Errorf("head object %s: %w", key, err)
	}
	return info, nil
}

func (b *Bucket) head(ctx context.Context, key string) (objstore.Info, error) {
	name, err := b.begin(ctx, key)
	if err != nil {
		return objstore.Info{}, err
	}
	out, err := b.cfg.Client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.cfg.Bucket, Key: name})
	if err != nil {
		return objstore.Info{}, mapped(err)
	}
	if out.ContentLength == nil {
		return objstore.Info{}, fmt.Errorf("object %s: %w", key, errNoLength)
	}
	return objstore.Info{
		Key: key, Size: *out.ContentLength, ETag: objstore.ETag(aws.ToString(out.ETag)), Modified: aws.ToTime(out.LastModified),
	}, nil
}

// Delete implements objstore.Bucket.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	name, err := b.begin(ctx, key)
	if err == nil {
		_, err = b.cfg.Client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.cfg.Bucket, Key: name})
	}
	if err = mapped(err); err != nil && !errors.Is(err, objstore.ErrNotFound) {
		return fmt.Errorf("delete object %s: %w", key, err)
	}
	return nil
}

// maxPage is how many objects S3 lists at once.
const maxPage = 1000

// List implements objstore.Bucket.
func (b *Bucket) List(ctx context.Context, prefix, after string, limit int) ([]objstore.Info, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in := &s3.ListObjectsV2Input{Bucket: &b.cfg.Bucket, Prefix: aws.String(b.cfg.Prefix + prefix)}
	if after != "" {
		in.StartAfter = aws.String(b.cfg.Prefix + after)
	}
	var infos []objstore.Info
	for len(infos) < limit {
		in.MaxKeys = aws.Int32(int32(min(limit-len(infos), maxPage)))
		out, err := b.cfg.Client.ListObjectsV2(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list objects under %s: %w", prefix, mapped(err))
		}
		for _, o := range out.Contents {
			infos = append(infos, objstore.Info{
				Key: aws.ToString(o.Key)[len(b.cfg.Prefix):], Size: aws.ToInt64(o.Size),
				ETag: objstore.ETag(aws.ToString(o.ETag)), Modified: aws.ToTime(o.LastModified),
			})
		}
		if !aws.ToBool(out.IsTruncated) || out.NextContinuationToken == nil {
			break
		}
		in.ContinuationToken = out.NextContinuationToken
	}
	return infos, nil
}
