package lake

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

var _ sources.Files = (*Files)(nil)

// Files fetches of the lake's files into a cache what statements read: of each file
// its footer, and the column chunks that the statement reads of the row groups
// which have rows within its bounds.
type Files struct {
	cache   *objstore.Cache
	footers *cache[string, *footer]
}

// footer says where in a file what lies.
type footer struct {
	tag    objstore.ETag
	at     objstore.Range
	groups []group
}

// group is a row group: its times and its column chunks.
type group struct {
	times  sources.Bounds
	chunks map[string]objstore.Range
}

// memory is about what a footer takes.
func (f *footer) memory() int {
	const entry, each = 200, 64
	n := entry
	for _, g := range f.groups {
		n += entry + each*len(g.chunks)
	}
	return n
}

// footersAtOnce is how many footers are read at a time.
const footersAtOnce = 16

// NewFiles fetches into the cache and keeps footers in that many bytes of memory; 0
// is 64 MB.
func NewFiles(files *objstore.Cache, footerBytes int) (*Files, error) {
	if footerBytes == 0 {
		footerBytes = 64 << 20
	}
	footers, err := newCache[string](footerBytes, (*footer).memory)
	if err != nil {
		return nil, err
	}
	return &Files{cache: files, footers: footers}, nil
}

// Fetch implements sources.Files.
func (s *Files) Fetch(ctx context.Context, reads []sources.FileRead) (release func(), err error) {
	for first := true; ; first = false {
		wants, err := s.wants(ctx, reads)
		if err != nil {
			return nil, roomError(err)
		}
		pin, err := s.cache.Fetch(ctx, wants)
		if errors.Is(err, objstore.ErrPrecondition) && first {
			// Some file is not the one whose footer was read.
			for _, w := range wants {
				s.footers.remove(w.Key)
			}
			continue
		}
		if err != nil {
			return nil, roomError(fmt.Errorf("fetch files: %w", err))
		}
		return pin.Release, nil
	}
}

// roomError tells who does not know the cache that it is full.
func roomError(err error) error {
	if errors.Is(err, objstore.ErrCacheFull) {
		return fmt.Errorf("%w: %w", sources.ErrNoRoom, err)
	}
	return err
}

// wants says where what is read lies, a want a file.
func (s *Files) wants(ctx context.Context, reads []sources.FileRead) ([]objstore.Want, error) {
	places := map[string]int{}
	var wants []objstore.Want
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(footersAtOnce)
	for _, r := range reads {
		if _, ok := places[r.File.Key]; !ok {
			places[r.File.Key] = len(wants)
			wants = append(wants, objstore.Want{Key: r.File.Key, Bytes: r.File.Bytes})
		}
	}
	for _, r := range reads {
		at := places[r.File.Key]
		known, ok := s.footers.get(r.File.Key)
		if ok {
			mu.Lock()
			known.want(&wants[at], r)
			mu.Unlock()
			continue
		}
		g.Go(func() error {
			f, err := s.footer(ctx, r.File)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			f.want(&wants[at], r)
			return nil
		})
	}
	return wants, g.Wait()
}

// want adds to a want what a read needs.
func (f *footer) want(w *objstore.Want, r sources.FileRead) {
	w.ETag = f.tag
	add := func(r objstore.Range) {
		if !slices.Contains(w.Ranges, r) {
			w.Ranges = append(w.Ranges, r)
		}
	}
	add(f.at)
	for _, g := range f.groups {
		if !g.times.Overlaps(r.Bounds) {
			continue
		}
		for _, c := range r.Columns {
			if chunk, ok := g.chunks[c]; ok {
				add(chunk)
			}
		}
	}
}

const (
	// wholeBytes is the size up to which a file is fetched whole: it takes no longer
	// than its footer.
	wholeBytes = 128 << 10
	// A footer takes about chunkEntry bytes for a column of a row group, schemaEntry
	// for a column, and a little more.
	chunkEntry  = 110
	schemaEntry = 60
	footerBase  = 1 << 10
	// trailer is the footer's length and the magic bytes at the end of a file.
	trailer = 8
)

// footer reads a file's footer through the cache.
func (s *Files) footer(ctx context.Context, file *sources.FileSplit) (*footer, error) {
	groups := file.Rows/rowGroupRows + 1
	size := footerBase + int64(len(file.Columns))*(schemaEntry+groups*chunkEntry)
	if file.Bytes <= wholeBytes {
		size = file.Bytes
	}
	size = min(size, file.Bytes)
	tail, tag, err := s.cache.Read(ctx, file.Key, file.Bytes, objstore.Range{Offset: file.Bytes - size, Size: size})
	if err != nil {
		return nil, fmt.Errorf("read footer of %s: %w", file.Key, err)
	}
	if len(tail) < trailer {
		return nil, fmt.Errorf("footer of %s: a file of %d bytes", file.Key, len(tail))
	}
	length := int64(binary.LittleEndian.Uint32(tail[len(tail)-trailer:])) + trailer
	if length > file.Bytes {
		return nil, fmt.Errorf("footer of %s: %d bytes of %d", file.Key, length, file.Bytes)
	}
	at := objstore.Range{Offset: file.Bytes - length, Size: length}
	if length > size {
		if tail, tag, err = s.cache.Read(ctx, file.Key, file.Bytes, at); err != nil {
			return nil, fmt.Errorf("read footer of %s: %w", file.Key, err)
		}
	}
	f, err := parseFooter(tail, file.Bytes)
	if err != nil {
		return nil, fmt.Errorf("footer of %s: %w", file.Key, err)
	}
	f.tag, f.at = tag, at
	s.footers.put(file.Key, f)
	return f, nil
}

// tailReader reads a file of which only the end is there.
type tailReader struct {
	tail []byte
	size int64
}

// from is where the end begins.
func (r *tailReader) from() int64 { return r.size - int64(len(r.tail)) }

func (r *tailReader) ReadAt(p []byte, off int64) (int, error) {
	from := off - r.from()
	if from < 0 || off > r.size {
		return 0, fmt.Errorf("byte %d is not part of the footer", off)
	}
	n := copy(p, r.tail[from:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func parseFooter(tail []byte, size int64) (*footer, error) {
	file, err := parquet.OpenFile(&tailReader{tail, size}, size,
		parquet.SkipMagicBytes(true), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	f := &footer{}
	names := file.Schema().Columns()
	for i, rows := range file.RowGroups() {
		g := group{chunks: map[string]objstore.Range{}}
		if g.times, err = groupTimes(file, rows); err != nil {
			return nil, err
		}
		for c := range file.Metadata().RowGroups[i].Columns {
			m := &file.Metadata().RowGroups[i].Columns[c].MetaData
			from := m.DataPageOffset
			if m.DictionaryPageOffset > 0 && m.DictionaryPageOffset < from {
				from = m.DictionaryPageOffset
			}
			chunk := objstore.Range{Offset: from, Size: m.TotalCompressedSize}
			if chunk.Offset < 0 || chunk.Size < 0 || chunk.End() > size {
				return nil, fmt.Errorf("column %s of row group %d lies outside the file", names[c][0], i)
			}
			g.chunks[names[c][0]] = chunk
		}
		f.groups = append(f.groups, g)
	}
	return f, nil
}
