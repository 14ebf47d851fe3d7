package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// objectReader reads an object's ranges as parquet-go wants them.
type objectReader struct {
	ctx    context.Context //nolint:containedctx // io.ReaderAt has no context; the reader lives for one call
	bucket objstore.Bucket
	key    string
}

func (r *objectReader) ReadAt(p []byte, off int64) (int, error) {
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

// open opens a file of the lake.
func (s *Store) open(ctx context.Context, f *File) (*parquet.File, error) {
	file, err := parquet.OpenFile(&objectReader{ctx: ctx, bucket: s.cfg.Bucket, key: f.Key}, f.Bytes,
		parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(1<<20))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", f.Key, err)
	}
	return file, nil
}

// readIdentities calls visit with the identity and hash of every row.
func (s *Store) readIdentities(ctx context.Context, f *File, visit func(ts int64, id, hash schema.ID)) error {
	file, err := s.open(ctx, f)
	if err != nil {
		return err
	}
	for _, group := range file.RowGroups() {
		rows, err := readStamps(file, group, false)
		if err != nil {
			return fmt.Errorf("read %s: %w", f.Key, err)
		}
		for i := range rows.ts {
			visit(rows.ts[i], rows.ids[i], rows.hashes[i])
		}
	}
	return nil
}

// stamps are the columns that every row has.
type stamps struct {
	ts, receivedAt []int64
	ids, hashes    []schema.ID
}

func readStamps(file *parquet.File, group parquet.RowGroup, arrival bool) (*stamps, error) {
	n := group.NumRows()
	s := &stamps{ts: make([]int64, n), ids: make([]schema.ID, n), hashes: make([]schema.ID, n)}
	err := errors.Join(
		eachValue(file, group, sources.ColumnTS, func(r int, v parquet.Value) error { s.ts[r] = v.Int64(); return nil }),
		eachValue(file, group, sources.ColumnID, func(r int, v parquet.Value) error { s.ids[r] = idOf(v); return nil }),
		eachValue(file, group, sources.ColumnHash, func(r int, v parquet.Value) error { s.hashes[r] = idOf(v); return nil }),
	)
	if err == nil && arrival {
		s.receivedAt = make([]int64, n)
		err = eachValue(file, group, sources.ColumnReceivedAt, func(r int, v parquet.Value) error { s.receivedAt[r] = v.Int64(); return nil })
	}
	return s, err
}

func idOf(v parquet.Value) (id schema.ID) {
	copy(id[:], v.ByteArray())
	return id
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
	rows, err := readStamps(file, group, true)
	if err != nil {
		return nil, err
	}
	var builder sources.Builder
	for i := range rows.ts {
		builder.AddRow(rows.ts[i], rows.receivedAt[i], rows.ids[i], rows.hashes[i], stream.Position{})
	}
	var hasMore bool
	for _, path := range file.Schema().Columns() {
		name := path[0]
		if name == sources.ColumnMore {
			hasMore = true
		}
		if strings.HasPrefix(name, "_") {
			continue
		}
		sent, kind, err := sources.ParsePhysicalName(name)
		if err != nil {
			return nil, err
		}
		c := builder.At(builder.Column(sent, kind))
		err = eachValue(file, group, name, func(r int, v parquet.Value) error {
			setValue(c, r, v)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if hasMore {
		err := eachValue(file, group, sources.ColumnMore, func(r int, v parquet.Value) error {
			if v.IsNull() {
				return nil
			}
			return setMore(&builder, r, v.ByteArray())
		})
		if err != nil {
			return nil, err
		}
	}
	return builder.Batch(), nil
}

func setValue(c *sources.Column, r int, v parquet.Value) {
	switch {
	case v.IsNull():
	case c.Kind == schema.KindInt:
		c.SetInt(r, v.Int64())
	case c.Kind == schema.KindNumber:
		c.SetNum(r, v.Double())
	case c.Kind == schema.KindBool && v.Boolean():
		c.SetInt(r, 1)
	case c.Kind == schema.KindBool:
		c.SetInt(r, 0)
	default:
		c.SetText(r, v.ByteArray())
	}
}

// setMore takes the fields of one _more object apart.
func setMore(builder *sources.Builder, row int, object []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(object, &fields); err != nil {
		return err
	}
	for name, raw := range fields {
		sent, kind, err := sources.ParsePhysicalName(name)
		if err != nil {
			return err
		}
		c := builder.At(builder.Column(sent, kind))
		switch kind {
		case schema.KindInt:
			v, err := strconv.ParseInt(string(raw), 10, 64)
			if err != nil {
				return err
			}
			c.SetInt(row, v)
		case schema.KindNumber:
			v, err := strconv.ParseFloat(string(raw), 64)
			if err != nil || math.IsInf(v, 0) {
				return fmt.Errorf("number %s", raw)
			}
			c.SetNum(row, v)
		case schema.KindBool:
			v := int64(0)
			if string(raw) == "true" {
				v = 1
			}
			c.SetInt(row, v)
		default:
			var text string
			if err := json.Unmarshal(raw, &text); err != nil {
				return err
			}
			c.SetText(row, []byte(text))
		}
	}
	return nil
}

// eachValue calls visit with every value of a column of a row group, by row. The
// value is valid during the call: its page goes back to a pool.
func eachValue(file *parquet.File, group parquet.RowGroup, name string, visit func(r int, v parquet.Value) error) error {
	leaf, ok := file.Schema().Lookup(name)
	if !ok {
		return fmt.Errorf("column %s: not in the file", name)
	}
	pages := group.ColumnChunks()[leaf.ColumnIndex].Pages()
	defer func() { _ = pages.Close() }() // it was only read from
	var values [1024]parquet.Value
	for row, rows := 0, int(group.NumRows()); row < rows; {
		page, err := pages.ReadPage()
		if err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
		for reader, ended := page.Values(), false; !ended; {
			n, err := reader.ReadValues(values[:])
			if err != nil && !errors.Is(err, io.EOF) {
				return fmt.Errorf("column %s: %w", name, err)
			}
			ended = err != nil || n == 0
			for _, v := range values[:n] {
				if row == rows {
					return fmt.Errorf("column %s: more values than rows", name)
				}
				if err := visit(row, v); err != nil {
					return fmt.Errorf("column %s, row %d: %w", name, row, err)
				}
				row++
			}
		}
		parquet.Release(page)
	}
	return nil
}
