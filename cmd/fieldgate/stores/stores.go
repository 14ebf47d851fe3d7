// Package stores opens what a configuration names: Stores, and over them the stages
// of the pipeline. It is for the programs below cmd, which share it; what they do
// with the parts is theirs.
package stores

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/pipeline/record"
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
	lockFile     = "LOCK"
	keyValueFile = "keyvalue.db"
	// StreamsFolder has the logs.
	StreamsFolder = "streams"
	// ObjectsFolder has the objects.
	ObjectsFolder = "objects"
	// CacheFolder has what queries have fetched of objects, unless the configuration
	// names another.
	CacheFolder = "cache"
)

// Stores are those of a process: what is embedded lies in its data directory.
type Stores struct {
	KV      schema.KV
	Objects objstore.Bucket
	// Path is where queries find an object as a file.
	Path func(key string) (string, error)
	// Cache and Files fetch objects for queries; nil where they are files already.
	Cache *objstore.Cache
	Files sources.Files
	// Raw, Staged and Errors are the logs; who only takes events has the raw one.
	// Records that are too large for them lie among the objects; only a raw log on
	// disk takes all.
	Raw, Staged, Errors *Log
	// Partition says which events meet in one shard of the raw and the staged log.
	Partition record.Partitioning
	Lake      *lake.Store
	// Tables have the recent events; nil: they are in memory.
	Tables *dynamodb.Tables
	// TablesScaler runs in one process at a time, of those that compact; TablesReporter,
	// if there is one, in each that uses Tables.
	TablesScaler   Runner
	TablesReporter Reporter
	now            func() time.Time // of the configuration
	closers        []io.Closer
	// firstRead is how many records an iterator of Kinesis reads at first; 0: as many
	// as it gets.
	firstRead int
}

// ErrInUse says that another server has the data directory.
var ErrInUse = errors.New("another fieldgate serves it; stop it, or name another directory with --data")

// Open opens a data directory, making it if need be, and what else the
// configuration names. The caller closes the stores.
func Open(ctx context.Context, c *config.Config, log *slog.Logger) (*Stores, error) {
	return (&Stores{now: c.Now}).open(ctx, c, log)
}

// OpenForCalls is Open for a program that is called with what the logs have, and
// reads in them only what it was not called with.
func OpenForCalls(ctx context.Context, c *config.Config, log *slog.Logger) (*Stores, error) {
	return (&Stores{now: c.Now, firstRead: 2}).open(ctx, c, log) // where it is, and what follows
}

func (s *Stores) open(ctx context.Context, c *config.Config, log *slog.Logger) (_ *Stores, err error) {
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
		return s, fmt.Errorf("data directory %s: %w", dir, ErrInUse)
	}
	if err != nil {
		return s, fmt.Errorf("lock data directory: %w", err)
	}
	s.closers = append(s.closers, lock)
	kv, closer, err := OpenKV(ctx, c)
	if err != nil {
		return s, err
	}
	s.KV, s.closers = kv, append(s.closers, closer)
	if err := s.openObjects(ctx, c, log); err != nil {
		return s, err
	}
	if err := s.openLogs(ctx, c, log); err != nil {
		return s, err
	}
	if !c.Has(config.RoleStage) && !c.Has(config.RoleCompact) && !c.Has(config.RoleGateway) {
		return s, nil // the rest is behind the raw log
	}
	// Where another process may compact the same, each statement asks for what is new.
	s.Lake, err = lake.New(lake.Config{Bucket: s.Objects, Path: s.Path, Exclusive: c.Alone(), Now: c.Now, Logger: log})
	if err == nil && c.Nearline.Kind == config.DynamoDB {
		err = s.openTables(ctx, c, log)
	}
	return s, err
}

// openObjects opens the bucket of objects.
func (s *Stores) openObjects(ctx context.Context, c *config.Config, log *slog.Logger) error {
	if c.Objects.Kind == config.S3 {
		return s.openS3(ctx, c, log)
	}
	d, err := objstore.OpenDir(objstore.DirConfig{Root: filepath.Join(c.DataDir, ObjectsFolder)})
	if err != nil {
		return err
	}
	s.Objects, s.Path = d, d.Path
	return nil
}

// Checkpoints are those of a log's consumers.
func (s *Stores) Checkpoints(log string) *pipeline.Checkpoints {
	return pipeline.NewCheckpoints(s.KV, log)
}

// Close closes the stores, last opened first.
func (s *Stores) Close() error {
	var err error
	for i := len(s.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, s.closers[i].Close())
	}
	s.closers = nil
	return err
}

// OpenKV opens the key-value store alone: also for commands while no server runs.
func OpenKV(ctx context.Context, c *config.Config) (schema.KV, io.Closer, error) {
	if c.KeyValue.Kind == config.DynamoDB {
		kv, err := openDynamoKV(ctx, c)
		if err != nil {
			return nil, nil, fmt.Errorf("open key-value store: %w", err)
		}
		return kv, notClosed{}, nil
	}
	if _, err := os.Stat(c.DataDir); err != nil {
		return nil, nil, fmt.Errorf("data directory: %w", err)
	}
	if err := complete(c.DataDir); err != nil {
		return nil, nil, err
	}
	db, err := bolt.Open(bolt.Config{Path: filepath.Join(c.DataDir, keyValueFile)})
	if err != nil {
		return nil, nil, fmt.Errorf("open key-value store: %w", err)
	}
	return db, db, nil
}

// complete refuses a data directory that has logs and no key-value store: with a new, empty one its tenants, their schemas and how
// far their events were handled would be forgotten without a word. The store is made before the logs.
func complete(dir string) error {
	path := filepath.Join(dir, keyValueFile)
	if info, err := os.Stat(path); err == nil && info.Size() > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	logs, err := os.ReadDir(filepath.Join(dir, StreamsFolder))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(logs) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%s is missing or empty, but %s has the logs of a server: put the file back from a backup of the directory, or name another directory with --data", path, dir)
}
