package stream

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/sources/vfs"
)

const (
	metaName    = "META"
	metaFormat  = "fieldgate log"
	metaVersion = 1
	shardPrefix = "shard-"
)

func shardDir(dir string, id ShardID) string {
	return filepath.Join(dir, shardPrefix+strconv.FormatUint(uint64(id), 10))
}

// meta is the content of the META file.
type meta struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Shards  int    `json:"shards"`
}

func readMeta(fsys vfs.FS, dir string) (shards int, err error) {
	path := filepath.Join(dir, metaName)
	data, err := vfs.ReadFile(fsys, path)
	if err != nil {
		return 0, err
	}
	var m meta
	if err := json.Unmarshal(data, &m); err != nil {
		return 0, fmt.Errorf("read %s: %w", path, err)
	}
	switch {
	case m.Format != metaFormat:
		return 0, fmt.Errorf("read %s: format %q, want %q", path, m.Format, metaFormat)
	case m.Version != metaVersion:
		return 0, fmt.Errorf("read %s: version %d, this program reads %d", path, m.Version, metaVersion)
	case m.Shards < 1 || m.Shards > maxShards:
		return 0, fmt.Errorf("read %s: %d shards, want 1 to %d", path, m.Shards, maxShards)
	}
	return m.Shards, nil
}

// createLog makes each shard's first segment and then META, which says that all of them are there. What an attempt that
// did not get so far has left holds no record and is made anew; a directory without META that holds more is refused.
func createLog(cfg *DiskConfig) (shards int, err error) {
	shards = cfg.Shards
	if shards == 0 {
		shards = defaultShards
	}
	if err := refuseRecords(cfg.FS, cfg.Dir); err != nil {
		return 0, err
	}
	for id := range ShardID(shards) {
		dir := shardDir(cfg.Dir, id)
		if err := vfs.MakeDirs(cfg.FS, dir); err != nil {
			return 0, err
		}
		f, _, err := createSegment(cfg.FS, dir, segmentHeader{shard: id, base: 1})
		if err != nil {
			return 0, fmt.Errorf("make shard %d: %w", id, err)
		}
		if err := f.Close(); err != nil {
			return 0, fmt.Errorf("make shard %d: %w", id, err)
		}
	}
	data, err := json.Marshal(meta{Format: metaFormat, Version: metaVersion, Shards: shards})
	if err != nil {
		return 0, err
	}
	return shards, vfs.WriteFile(cfg.FS, filepath.Join(cfg.Dir, metaName), append(data, '\n'))
}

// refuseRecords is an error if a directory without META has segments that an unfinished creation cannot have left.
func refuseRecords(fsys vfs.FS, dir string) error {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), shardPrefix) {
			continue
		}
		bases, err := listSegments(fsys, filepath.Join(dir, entry.Name()))
		if err != nil {
			return err
		}
		for _, base := range bases {
			path := filepath.Join(dir, entry.Name(), segmentName(base))
			stat, err := fsys.Stat(path)
			if err != nil {
				return err
			}
			if base != 1 || stat.Size() > segmentHeaderBytes {
				return fmt.Errorf("%s holds records, but %s is gone", path, metaName)
			}
		}
	}
	return nil
}
