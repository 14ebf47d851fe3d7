package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/bolt"
	"github.com/fieldgate/fieldgate/sources/dynamodb"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
	"github.com/fieldgate/fieldgate/sources/vfs"
)

// What lies in a data directory.
const (
	lockFile      = "LOCK"
	keyValueFile  = "keyvalue.db"
	streamsFolder = "streams"
	objectsFolder = "objects"
	cacheFolder   = "cache"
	tempFolder    = "temp"
	adminSocket   = "admin.sock"
)

// stores are those of a server: what is embedded lies in its data directory.
type stores struct {
	kv      schema.KV
	objects objstore.Bucket
	// path is where queries find an object as a file.
	path func(key string) (string, error)
	// cache and files fetch objects for queries; nil where they are files already.
	cache *objstore.Cache
	files sources.Files
	// raw, staged and errors are the logs; who only takes events has the raw one.
	// Records that are too large for them lie among the objects; only a raw log on
	// disk takes all.
	raw, staged, errors *logStore
	lake                *lake.Store
	// tables have the recent events; nil: they are in memory.
	tables  *dynamodb.Tables
	closers []io.Closer
}

// errInUse says that another server has the data directory.
var errInUse = errors.New("another fieldgate serves it; stop it, or name another directory with --data")

// openStores opens a data directory, making it if need be, and what else the
// configuration names. The caller closes the stores.
func openStores(ctx context.Context, c *config, log *slog.Logger) (s *stores, err error) {
	s = &stores{}
	dir := c.DataDir
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s, fmt.Errorf("make data directory: %w", err)
	}
	lock, err := vfs.OS{}.Lock(filepath.Join(dir, lockFile))
	if errors.Is(err, vfs.ErrLocked) {
		return s, fmt.Errorf("data directory %s: %w", dir, errInUse)
	}
	if err != nil {
		return s, fmt.Errorf("lock data directory: %w", err)
	}
	s.closers = append(s.closers, lock)
	kv, closer, err := openKV(ctx, c)
	if err != nil {
		return s, err
	}
	s.kv, s.closers = kv, append(s.closers, closer)
	if err := s.openObjects(ctx, c, log); err != nil {
		return s, err
	}
	if err := s.openLogs(ctx, c, log); err != nil {
		return s, err
	}
	if !c.has(roleStage) && !c.has(roleCompact) && !c.has(roleGateway) {
		return s, nil // the rest is behind the raw log
	}
	// Where another process may compact the same, each statement asks for what is new.
	s.lake, err = lake.New(lake.Config{Bucket: s.objects, Path: s.path, Exclusive: c.alone(), Logger: log})
	if err == nil && c.Nearline.Kind == dynamoDBKind && (c.has(roleStage) || c.has(roleGateway)) {
		err = s.openTables(ctx, c, log)
	}
	return s, err
}

// openObjects opens the bucket of objects.
func (s *stores) openObjects(ctx context.Context, c *config, log *slog.Logger) error {
	if c.Objects.Kind == s3Kind {
		return s.openS3(ctx, c, log)
	}
	d, err := objstore.OpenDir(objstore.DirConfig{Root: filepath.Join(c.DataDir, objectsFolder)})
	if err != nil {
		return err
	}
	s.objects, s.path = d, d.Path
	return nil
}

// checkpoints are those of a log's consumers.
func (s *stores) checkpoints(log string) *pipeline.Checkpoints {
	return pipeline.NewCheckpoints(s.kv, log)
}

// Close closes the stores, last opened first.
func (s *stores) Close() error {
	var err error
	for i := len(s.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, s.closers[i].Close())
	}
	s.closers = nil
	return err
}

// openKV opens the key-value store alone: also for commands while no server runs.
func openKV(ctx context.Context, c *config) (schema.KV, io.Closer, error) {
	if c.KeyValue.Kind == dynamoDBKind {
		kv, err := openDynamoKV(ctx, c)
		if err != nil {
			return nil, nil, fmt.Errorf("open key-value store: %w", err)
		}
		return kv, notClosed{}, nil
	}
	if _, err := os.Stat(c.DataDir); err != nil {
		return nil, nil, fmt.Errorf("data directory: %w", err)
	}
	db, err := bolt.Open(bolt.Config{Path: filepath.Join(c.DataDir, keyValueFile)})
	if err != nil {
		return nil, nil, fmt.Errorf("open key-value store: %w", err)
	}
	return db, db, nil
}
