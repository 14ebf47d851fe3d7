package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// objectReader reads an object's ranges as parquet-go wants them.
type objectReader struct {
	ctx    context.Context //nolint:containedctx // io.ReaderAt has no context; the reader lives for one call
	bucket objstore.Bucket
	key    string
	end    tailReader // what of the object has been read already
}

func (r *objectReader) ReadAt(p []byte, off int64) (int, error) {
	if off >= r.end.from() {
		return r.end.ReadAt(p, off)
	}
	body, err := r.bucket.GetRange(r.ctx, r.key, off, int64(len(p)))
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(body, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, errors.Join(err, body.Close())
}

// open opens a file of the lake. What is read of it is as it was written, or an error:
// pages have checksums, and the manifest has the footer's.
func (s *Store) open(ctx context.Context, f *File) (*parquet.File, error) {
	footer, err := readFooter(ctx, s.cfg.Bucket, f)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", f.Key, err)
	}
	object := &objectReader{ctx: ctx, bucket: s.cfg.Bucket, key: f.Key, end: tailReader{footer, f.Bytes}}
	file, err := parquet.OpenFile(object, f.Bytes,
		parquet.SkipMagicBytes(footer != nil), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(1<<20))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", f.Key, err)
	}
	return file, nil
}

// groupTimes are the times of a row group, by its statistics.
func groupTimes(file *parquet.File, group parquet.RowGroup) (sources.Bounds, error) {
	leaf, ok := file.Schema().Lookup(sources.ColumnTS)
	if !ok {
		return sources.Bounds{}, fmt.Errorf("column %s: not in the file", sources.ColumnTS)
	}
	chunk, ok := group.ColumnChunks()[leaf.ColumnIndex].(*parquet.FileColumnChunk)
	if !ok {
		return sources.Unbounded(), nil
	}
	least, most, ok := chunk.Bounds()
	if !ok {
		return sources.Unbounded(), nil
	}
	return sources.Bounds{Min: least.Int64(), Max: most.Int64()}, nil
}

// stamps are the columns that every row has.
type stamps struct {
	ts, receivedAt []int64
	ids, hashes    []schema.ID
}

// readStamps reads the times of a row group, and those of the other stamps that
// are named.
func readStamps(file *parquet.File, group parquet.RowGroup, columns ...string) (*stamps, error) {
	s := &stamps{}
	err := readInts(file, group, sources.ColumnTS, &s.ts)
	for _, column := range columns {
		switch column {
		case sources.ColumnID:
			err = errors.Join(err, readIDs(file, group, column, &s.ids))
		case sources.ColumnHash:
			err = errors.Join(err, readIDs(file, group, column, &s.hashes))
		case sources.ColumnReceivedAt:
			err = errors.Join(err, readInts(file, group, column, &s.receivedAt))
		}
	}
	return s, err
}

func readInts(file *parquet.File, group parquet.RowGroup, column string, into *[]int64) error {
	*into = make([]int64, 0, group.NumRows())
	return eachPage(file, group, column, func(_ int, page parquet.Page) error {
		*into = append(*into, pageValues(page, (*encoding.Values).Int64)...)
		return nil
	})
}

func readIDs(file *parquet.File, group parquet.RowGroup, column string, into *[]schema.ID) error {
	*into = make([]schema.ID, 0, group.NumRows())
	return eachPage(file, group, column, func(_ int, page parquet.Page) error {
		for _, id := range pageValues(page, (*encoding.Values).Uint128) {
			*into = append(*into, id)
		}
		return nil
	})
}

// Read reads a whole file back, a batch a row group, in the file's order. The
// rows have no positions: they are past all watermarks.
func (s *Store) Read(ctx context.Context, f *File) ([]*sources.Batch, error) {
	file, err := s.open(ctx, f)
	if err != nil {
		return nil, err
	}
	batches := make([]*sources.Batch, 0, len(file.RowGroups()))
	for _, group := range file.RowGroups() {
		b, err := readBatch(file, group)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f.Key, err)
		}
		batches = append(batches, b)
	}
	return batches, nil
}

func readBatch(file *parquet.File, group parquet.RowGroup) (*sources.Batch, error) {
	held, err := readStamps(file, group, sources.ColumnID, sources.ColumnHash, sources.ColumnReceivedAt)
	if err != nil {
		return nil, err
	}
	builder := sources.NewBuilder(held.ts, held.receivedAt, held.ids, held.hashes)
	var hasMore bool
	for _, path := range file.Schema().Columns() {
		name := path[0]
		if strings.HasPrefix(name, "_") {
			hasMore = hasMore || name == sources.ColumnMore
			continue
		}
		sent, kind, err := sources.ParsePhysicalName(name)
		if err != nil {
			return nil, err
		}
		c := builder.At(builder.Column(sent, kind))
		err = eachPage(file, group, name, func(row int, page parquet.Page) error {
			readField(c, row, page)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if hasMore {
		more := &moreReader{builder: builder, columns: map[string]int{}}
		err := eachPage(file, group, sources.ColumnMore, func(row int, page parquet.Page) error {
			return eachText(page, func(i int, object []byte) error { return more.read(row+i, object) })
		})
		if err != nil {
			return nil, err
		}
	}
	return builder.Batch(), nil
}

// readField sets rows from row on to a page's values.
func readField(c *sources.Column, row int, page parquet.Page) {
	switch c.Kind {
	case schema.KindInt:
		values := pageValues(page, (*encoding.Values).Int64)
		eachPresent(page, func(i, n int) { c.SetInt(row+i, values[n]) })
	case schema.KindNumber:
		values := pageValues(page, (*encoding.Values).Double)
		eachPresent(page, func(i, n int) { c.SetNum(row+i, values[n]) })
	case schema.KindBool:
		data := page.Data()
		packed := data.Boolean()
		eachPresent(page, func(i, n int) { c.SetInt(row+i, int64(packed[n/8]>>(n%8)&1)) })
	default:
		_ = eachText(page, func(i int, text []byte) error { // never an error of ours
			c.SetText(row+i, text)
			return nil
		})
	}
}

// eachText calls visit with the texts of a page, which are valid during the call.
func eachText(page parquet.Page, visit func(i int, text []byte) error) error {
	data := page.Data()
	at := func(n int) int { return n }
	if dictionary := page.Dictionary(); dictionary != nil {
		indexes := data.Int32()
		at = func(n int) int { return int(indexes[n]) }
		data = dictionary.Page().Data()
	}
	text, offsets := data.ByteArray()
	var err error
	eachPresent(page, func(i, n int) {
		if n = at(n); err == nil {
			err = visit(i, text[offsets[n]:offsets[n+1]])
		}
	})
	return err
}

// pageValues are the values of a page, nulls left out.
func pageValues[T any](page parquet.Page, of func(*encoding.Values) []T) []T {
	data := page.Data()
	dictionary := page.Dictionary()
	if dictionary == nil {
		return of(&data)
	}
	all := dictionary.Page().Data()
	known := of(&all)
	indexes := data.Int32()
	values := make([]T, len(indexes))
	for i, n := range indexes {
		values[i] = known[n]
	}
	return values
}

// eachPresent calls visit with every row of a page that has a value, and the
// number of that value.
func eachPresent(page parquet.Page, visit func(i, n int)) {
	levels := page.DefinitionLevels()
	if levels == nil { // a required column
		for i := range int(page.NumRows()) {
			visit(i, i)
		}
		return
	}
	n := 0
	for i, level := range levels {
		if level > 0 {
			visit(i, n)
			n++
		}
	}
}

// eachPage calls visit with every page of a column of a row group and the number
// of its first row. The page is valid during the call.
func eachPage(file *parquet.File, group parquet.RowGroup, name string, visit func(row int, page parquet.Page) error) error {
	leaf, ok := file.Schema().Lookup(name)
	if !ok {
		return fmt.Errorf("column %s: not in the file", name)
	}
	pages := group.ColumnChunks()[leaf.ColumnIndex].Pages()
	defer func() { _ = pages.Close() }() // it was only read from
	for row := 0; row < int(group.NumRows()); {
		page, err := pages.ReadPage()
		if err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
		err = visit(row, page)
		row += int(page.NumRows())
		parquet.Release(page)
		if err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
	}
	return nil
}
