package stores

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
	"github.com/fieldgate/fieldgate/sources/s3"
)

// openS3 opens a bucket of S3 and the cache through which queries read it.
func (s *Stores) openS3(ctx context.Context, c *config.Config, log *slog.Logger) error {
	o := &c.Objects
	access, err := AWSConfig(ctx, o.Region, o.Endpoint)
	if err != nil {
		return fmt.Errorf("objects: %w", err)
	}
	bucket, err := s3.New(s3.Config{
		Client: awss3.NewFromConfig(access, func(options *awss3.Options) { options.UsePathStyle = o.PathStyle }),
		Bucket: o.Bucket, Prefix: o.Prefix, Encryption: o.SSE, KMSKeyID: o.KMSKeyID, BucketKey: o.BucketKey, StorageClass: o.StorageClass,
	})
	if err != nil {
		return err
	}
	if err := bucket.Check(ctx); err != nil {
		return fmt.Errorf("objects: %w", err)
	}
	if err := claimBucket(ctx, bucket, s.KV); err != nil {
		return fmt.Errorf("objects: %w", err)
	}
	dir := o.CacheDir
	if dir == "" {
		dir = filepath.Join(c.DataDir, CacheFolder)
	}
	s.Cache, err = objstore.OpenCache(objstore.CacheConfig{Bucket: bucket, Dir: dir, MaxBytes: int64(o.CacheMB) << 20, Logger: log})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, s.Cache)
	if s.Files, err = lake.NewFiles(s.Cache, 0); err != nil {
		return err
	}
	s.Objects, s.Path = bucket, s.Cache.Path
	return nil
}

// ownerKey is, in the key-value store and in the bucket, the name by which the
// store owns the bucket.
const ownerKey = "owner"

// ownerFormat is that of docs/format/keyvalue.md.
const ownerFormat = 1

type ownerValue struct {
	Format int    `json:"format"`
	Name   string `json:"name"`
}

// claimBucket refuses a bucket that holds the objects of another key-value store.
// Their watermarks speak of a log that is not this one's: what has the same
// numbers here would be taken for compacted, and never be found.
func claimBucket(ctx context.Context, bucket objstore.Bucket, kv schema.KV) error {
	own, err := ownName(ctx, kv)
	if err != nil {
		return fmt.Errorf("name of the key-value store: %w", err)
	}
	data, err := json.Marshal(own)
	if err != nil {
		return err
	}
	_, err = bucket.PutIf(ctx, ownerKey, data, "")
	if err == nil {
		return nil
	}
	// Mostly it is there already.
	claimed, _, readErr := objstore.Read(ctx, bucket, ownerKey)
	if readErr != nil {
		return fmt.Errorf("claim the bucket: %w", errors.Join(err, readErr))
	}
	var owner ownerValue
	if err := json.Unmarshal(claimed, &owner); err != nil {
		return fmt.Errorf("object %s: %w", ownerKey, err)
	}
	if owner != own {
		return errors.New("the bucket's folder belongs to another data directory: set another objects.prefix, or the data_dir that it was used with")
	}
	return nil
}

// ownName is the store's name, made when it is first asked for.
func ownName(ctx context.Context, kv schema.KV) (ownerValue, error) {
	own := ownerValue{ownerFormat, rand.Text()}
	data, err := json.Marshal(own)
	if err != nil {
		return own, err
	}
	_, err = kv.Put(ctx, ownerKey, data, 0)
	if !errors.Is(err, schema.ErrConflict) {
		return own, err
	}
	item, err := kv.Get(ctx, ownerKey)
	if err != nil {
		return own, err
	}
	return own, json.Unmarshal(item.Value, &own)
}
