package objstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// indexVersion is that of docs/format/cache.md.
const indexVersion = 1

// index is the file beside an object's.
type index struct {
	Format int         `json:"format"`
	Size   int64       `json:"size"`
	ETag   ETag        `json:"etag"`
	Spans  []indexSpan `json:"spans"`
}

type indexSpan struct {
	Offset int64  `json:"offset"`
	Size   int64  `json:"size"`
	CRC32C uint32 `json:"crc32c"`
}

// writeIndex replaces an entry's index. It is not synced: what a crash makes of it and of the file, the sums tell.
func (c *Cache) writeIndex(e *entry) error {
	x := index{Format: indexVersion, Size: e.size, ETag: e.tag}
	for _, s := range e.spans {
		x.Spans = append(x.Spans, indexSpan{s.Offset, s.Size, s.sum})
	}
	data, err := json.Marshal(x)
	if err != nil {
		return err
	}
	path, err := c.Path(e.key)
	if err != nil {
		return err
	}
	path += indexSuffix
	f, err := c.cfg.FS.Create(path + tempSuffix)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return c.cfg.FS.Rename(path+tempSuffix, path)
}

// readIndex makes an entry of an index that an earlier process left, and says when that was written.
func (c *Cache) readIndex(key string) (e *entry, age int64, err error) {
	path, err := c.Path(key)
	if err != nil {
		return nil, 0, err
	}
	f, err := c.cfg.FS.Open(filepath.Clean(path + indexSuffix))
	if err != nil {
		return nil, 0, err
	}
	data, err := io.ReadAll(f)
	stat, statErr := f.Stat()
	if err := errors.Join(err, statErr, f.Close()); err != nil {
		return nil, 0, err
	}
	var x index
	if err := json.Unmarshal(data, &x); err != nil {
		return nil, 0, fmt.Errorf("index: %w", err)
	}
	if x.Format != indexVersion {
		return nil, 0, fmt.Errorf("index of format %d, where this version has %d", x.Format, indexVersion)
	}
	e = newEntry(key, x.Size)
	e.tag = x.ETag
	for _, s := range x.Spans {
		e.spans = append(e.spans, span{Range: Range{s.Offset, s.Size}, sum: s.CRC32C})
	}
	if !e.plausible() {
		return nil, 0, errors.New("index: spans out of order")
	}
	return e, stat.ModTime().UnixNano(), nil
}

// plausible says that spans are in order, apart, and inside the object.
func (e *entry) plausible() bool {
	end := int64(0)
	for _, s := range e.spans {
		if s.Offset < end || s.Size <= 0 || s.End() > e.size {
			return false
		}
		end = s.End()
	}
	return e.tag != ""
}
