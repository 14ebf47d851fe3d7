package planner

import (
	"fmt"
	"io"
	"sort"
	"sync/atomic"

	"github.com/jackc/pgerrcode"
)

// SpoolFile is a temporary file that nobody else sees and that is gone once it is
// closed.
type SpoolFile interface {
	io.Writer
	io.ReaderAt
	io.Closer
}

// storeBuffer is what a store keeps in memory before it makes a file, and what it
// gathers before it writes to that.
const storeBuffer = 256 << 10

// space is what the stores of all sessions may use together.
type space struct {
	open func() (SpoolFile, error) // nil: there are no files
	max  int64
	used atomic.Int64
}

// store keeps chunks of rows, in memory as long as they are few and in a file
// beyond. One goroutine uses it.
type store struct {
	space  *space
	file   SpoolFile
	filed  int64 // bytes in file
	buf    []byte
	chunks []storedChunk
	rows   int64
}

// storedChunk is where a chunk lies, and how many rows lie before it.
type storedChunk struct {
	at, size int64
	first    int64
}

func newStore(s *space) *store { return &store{space: s} }

// hasRoom says that a chunk more can be stored.
func (s *store) hasRoom() bool {
	return s.space.used.Load() < s.space.max && (s.space.open != nil || len(s.buf) < storeBuffer)
}

// add stores a copy of a chunk; 53400 if there is no space left.
func (s *store) add(c *Chunk) error {
	if !s.hasRoom() {
		return errorf(pgerrcode.ConfigurationLimitExceeded, "the rows that cursors keep exceed %d kB", s.space.max>>10).
			withHint("Declare cursors without SCROLL, fetch their rows sooner, or close them.")
	}
	at := s.filed + int64(len(s.buf))
	before := len(s.buf)
	s.buf = appendChunk(s.buf, c)
	size := int64(len(s.buf) - before)
	s.space.used.Add(size)
	s.chunks = append(s.chunks, storedChunk{at: at, size: size, first: s.rows})
	s.rows += int64(c.Rows)
	if len(s.buf) < storeBuffer || s.space.open == nil {
		return nil
	}
	return s.write()
}

// write moves what is in memory to the file.
func (s *store) write() error {
	if s.file == nil {
		f, err := s.space.open()
		if err != nil {
			return fmt.Errorf("make file for a cursor's rows: %w", err)
		}
		s.file = f
	}
	n, err := s.file.Write(s.buf)
	if err != nil {
		return fmt.Errorf("write a cursor's rows: %w", err)
	}
	s.filed += int64(n)
	s.buf = s.buf[:0]
	return nil
}

// load reads a chunk back. It is the caller's.
func (s *store) load(i int) (*Chunk, error) {
	c := s.chunks[i]
	data := make([]byte, c.size)
	if c.at >= s.filed {
		copy(data, s.buf[c.at-s.filed:])
	} else if _, err := s.file.ReadAt(data, c.at); err != nil {
		return nil, fmt.Errorf("read a cursor's rows: %w", err)
	}
	return decodeChunk(data), nil
}

// find is the chunk that holds a stored row.
func (s *store) find(row int64) int {
	return sort.Search(len(s.chunks), func(i int) bool { return s.chunks[i].first > row }) - 1
}

// close gives the space back.
func (s *store) close() error {
	s.space.used.Add(-s.filed - int64(len(s.buf)))
	file := s.file
	*s = store{space: s.space}
	if file == nil {
		return nil
	}
	return file.Close()
}
