package objstore

import (
	"cmp"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"
)

// Range is a run of an object's bytes.
type Range struct{ Offset, Size int64 }

// End is the offset of the first byte after it.
func (r Range) End() int64 { return r.Offset + r.Size }

// span is a range that a file holds.
type span struct {
	Range
	sum uint32 // CRC32C
	// sound says that the bytes were seen to have the sum while the file was as it is now.
	sound bool
}

// entry is an object of which a file holds parts.
type entry struct {
	key  string
	size int64 // of the object

	pins int // under Cache.mu

	busy chan struct{} // holds one while somebody works on the file and on what follows
	tag  ETag          // "" before anything was fetched
	// spans are in order and do not overlap.
	spans []span
	left  stamp // the file as it was left
}

func newEntry(key string, size int64) *entry {
	return &entry{key: key, size: size, busy: make(chan struct{}, 1)}
}

// acquire waits for the right to work on the file.
func (e *entry) acquire(ctx context.Context) error {
	select {
	case e.busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *entry) free() { <-e.busy }

// bytes is what the file holds. Called by who works on the file, or while nobody does.
func (e *entry) bytes() int64 {
	var n int64
	for _, s := range e.spans {
		n += s.Size
	}
	return n
}

// stamp tells whether a file has been changed by others.
type stamp struct {
	info  fs.FileInfo
	size  int64
	mtime time.Time
}

func stampOf(info fs.FileInfo) stamp { return stamp{info, info.Size(), info.ModTime()} }

func (s stamp) equal(o stamp) bool {
	return s.info != nil && o.info != nil && s.size == o.size && s.mtime.Equal(o.mtime) && os.SameFile(s.info, o.info)
}

// add puts a fetched span in its place.
func (e *entry) add(s span) {
	at, _ := slices.BinarySearchFunc(e.spans, s.Offset, func(s span, offset int64) int { return cmp.Compare(s.Offset, offset) })
	e.spans = slices.Insert(e.spans, at, s)
}

// compare doubts all spans if the file is not as it was left.
func (e *entry) compare(now stamp) {
	if now.equal(e.left) {
		return
	}
	for i := range e.spans {
		e.spans[i].sound = false
	}
	e.left = now
}

// doubtful says that a span which touches the ranges is to be verified.
func (e *entry) doubtful(ranges []Range) bool {
	return slices.ContainsFunc(e.spans, func(s span) bool { return !s.sound && s.touches(ranges) })
}

// holdsMore says that the file holds spans of which the ranges want nothing. Called by who works on the file, or while nobody
// does.
func (e *entry) holdsMore(ranges []Range) bool {
	return slices.ContainsFunc(e.spans, func(s span) bool { return !s.touches(ranges) })
}

func (s *span) touches(ranges []Range) bool {
	return slices.ContainsFunc(ranges, func(r Range) bool { return r.Offset < s.End() && s.Offset < r.End() })
}

// verify sees to it that the spans which touch the ranges are what was fetched, and drops those that are not. It returns
// how many bytes it dropped.
func (e *entry) verify(f io.ReaderAt, ranges []Range) (dropped int64, err error) {
	buffer := make([]byte, 256<<10)
	for i := 0; i < len(e.spans); {
		s := &e.spans[i]
		if !s.sound && s.touches(ranges) {
			sum, err := checksum(f, s.Range, buffer)
			if err != nil {
				return dropped, fmt.Errorf("verify cached object %s: %w", e.key, err)
			}
			if s.sound = sum == s.sum; !s.sound {
				dropped += s.Size
				e.spans = slices.Delete(e.spans, i, i+1)
				continue
			}
		}
		i++
	}
	return dropped, nil
}

// checksum is the CRC32C of a range of a file; of one that is cut off it is another.
func checksum(f io.ReaderAt, r Range, buffer []byte) (uint32, error) {
	sum := crc32.New(castagnoli)
	n, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{io.NewSectionReader(f, r.Offset, r.Size)}, buffer)
	if n < r.Size {
		return ^sum.Sum32(), err
	}
	return sum.Sum32(), err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli) //nolint:gochecknoglobals // a table, made once

// missing are the parts of the ranges that the file does not hold, in order.
func (e *entry) missing(ranges []Range) []Range {
	ranges = slices.Clone(ranges)
	slices.SortFunc(ranges, func(a, b Range) int { return cmp.Compare(a.Offset, b.Offset) })
	var out []Range
	var at int64 // up to here everything is held or listed
	spans := e.spans
	for _, r := range ranges {
		at = max(at, r.Offset)
		for at < r.End() {
			for len(spans) > 0 && spans[0].End() <= at {
				spans = spans[1:]
			}
			if len(spans) > 0 && spans[0].Offset <= at {
				at = spans[0].End()
				continue
			}
			end := r.End()
			if len(spans) > 0 {
				end = min(end, spans[0].Offset)
			}
			out = append(out, Range{at, end - at})
			at = end
		}
	}
	return out
}

const (
	// pieceBytes is the largest range that one request asks for: a large one comes faster in several.
	pieceBytes = 8 << 20
	// gapBytes is the widest gap between two ranges that is read too, to save a request. It takes a request 20 to 50 ms
	// to begin, in which a connection brings that much.
	gapBytes = 1 << 20
	// gapShare is what all gaps may come to, as a share of what is needed.
	gapShare = 0.1
)

// coalesce joins neighbouring ranges, the closest first, and cuts what is too large for one request. held are what gaps
// must not reach into.
func coalesce(ranges []Range, held []span) []Range {
	type gap struct {
		before int
		size   int64
	}
	var needed int64
	var gaps []gap
	for i, r := range ranges {
		needed += r.Size
		if i == 0 {
			continue
		}
		between := Range{ranges[i-1].End(), r.Offset - ranges[i-1].End()}
		crosses := slices.ContainsFunc(held, func(s span) bool { return s.Offset < between.End() && between.Offset < s.End() })
		if between.Size <= gapBytes && !crosses {
			gaps = append(gaps, gap{i, between.Size})
		}
	}
	slices.SortFunc(gaps, func(a, b gap) int { return cmp.Compare(a.size, b.size) })
	spare := int64(float64(needed) * gapShare)
	joined := map[int]bool{}
	for _, g := range gaps {
		if spare -= g.size; spare < 0 {
			break
		}
		joined[g.before] = true
	}
	var runs []Range
	for i, r := range ranges {
		if joined[i] {
			runs[len(runs)-1].Size = r.End() - runs[len(runs)-1].Offset
		} else {
			runs = append(runs, r)
		}
	}
	var out []Range
	for _, r := range runs {
		pieces := (r.Size + pieceBytes - 1) / pieceBytes
		for i := range pieces {
			from := r.Offset + r.Size*i/pieces
			out = append(out, Range{from, r.Offset + r.Size*(i+1)/pieces - from})
		}
	}
	return out
}
