package lake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

const (
	// rowGroupRows is DuckDB's own row group: what it prunes and what a thread
	// takes.
	rowGroupRows = 122_880
	// maxFileRows and maxFileBytes cut files. Bytes are counted as the batches
	// hold them, of which zstd leaves about a quarter.
	maxFileRows  = 2_000_000
	maxFileBytes = 512 << 20
	// chunkRows is how many values are handed to a column writer at once.
	chunkRows = 4096
	// dictionarySample is how many values decide whether a text column gets a
	// dictionary: yes if at most a quarter of them are distinct.
	dictionarySample = 4096
)

// Write writes the rows, which must be sorted by time, as one file or several.
// Declared are the sent names that a declared field reads. The files are durable
// but listed nowhere until a Commit adds them.
func (s *Store) Write(ctx context.Context, ds schema.Dataset, batches []*sources.Batch, order []Row, declared map[string]bool) ([]*File, error) {
	total, rows := 0, 0
	for _, b := range batches {
		total += b.Bytes()
		rows += b.Rows
	}
	perFile := maxFileRows
	if rows > 0 {
		perFile = max(1, min(perFile, int(int64(maxFileBytes)*int64(rows)/int64(max(1, total)))))
	}
	l := planLayout(batches, declared)
	var files []*File
	for len(order) > 0 {
		n := min(perFile, len(order))
		f, err := s.writeFile(ctx, ds, l, batches, order[:n])
		if err != nil {
			return nil, err
		}
		files = append(files, f)
		order = order[n:]
	}
	return files, nil
}

// fileWriter writes one file.
type fileWriter struct {
	batches []*sources.Batch
	layout  layout
	writer  *parquet.Writer
	columns map[string]int // physical name to leaf index
	values  []parquet.Value
	scratch []byte
}

func (s *Store) writeFile(ctx context.Context, ds schema.Dataset, l layout, batches []*sources.Batch, order []Row) (*File, error) {
	f := &File{
		Key: prefix(ds) + dataPrefix + uniqueName() + dataSuffix, Rows: int64(len(order)),
		Times: sources.Bounds{Min: batches[order[0].Batch].TS[order[0].Row]}, CreatedAt: s.cfg.Now().UTC(),
	}
	last := order[len(order)-1]
	f.Times.Max = batches[last.Batch].TS[last.Row]
	l = l.presentIn(order)
	ids := newFilter(len(order))
	for _, r := range order {
		b := batches[r.Batch]
		ids.add(b.TS[r.Row], b.IDs[r.Row])
	}
	data, err := encodeFile(l, batches, order)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", f.Key, err)
	}
	f.Bytes = int64(len(data))
	f.describe(l, order)
	if _, err := s.cfg.Bucket.PutIf(ctx, f.filterKey(), ids, ""); err != nil {
		return nil, fmt.Errorf("write identity filter: %w", err)
	}
	if _, err := s.cfg.Bucket.PutIf(ctx, f.Key, data, ""); err != nil {
		return nil, fmt.Errorf("write file: %w", err)
	}
	return f, nil
}

// describe notes the file's columns and their statistics.
func (f *File) describe(l layout, order []Row) {
	f.Columns = []string{sources.ColumnTS, sources.ColumnID, sources.ColumnHash, sources.ColumnReceivedAt}
	f.Stats = map[string]sources.Stats{}
	for i := range l.own {
		f.Columns = append(f.Columns, l.own[i].name)
		if st, ok := l.own[i].stats(order); ok {
			f.Stats[l.own[i].name] = st
		}
	}
	f.More = []string{}
	if len(l.more) > 0 {
		f.Columns = append(f.Columns, sources.ColumnMore)
		for i := range l.more {
			f.More = append(f.More, l.more[i].name)
		}
	}
	slices.Sort(f.Columns)
}

// presentIn leaves out columns that no row of the file has: the layout is made
// for all files of a Write.
func (l layout) presentIn(order []Row) layout {
	absent := func(c outColumn) bool {
		return !slices.ContainsFunc(order, func(r Row) bool { return c.has(r) })
	}
	return layout{
		own:  slices.DeleteFunc(slices.Clone(l.own), absent),
		more: slices.DeleteFunc(slices.Clone(l.more), absent),
	}
}

func (c *outColumn) has(r Row) bool {
	if from := c.from[r.Batch]; from != nil && from.IsValid(int(r.Row)) {
		return true
	}
	if c.ints == nil {
		return false
	}
	from := c.ints[r.Batch]
	return from != nil && from.IsValid(int(r.Row))
}

func encodeFile(l layout, batches []*sources.Batch, order []Row) ([]byte, error) {
	schemaOf := fileSchema(l, order)
	var out bytes.Buffer
	w := &fileWriter{batches: batches, layout: l, columns: map[string]int{}, values: make([]parquet.Value, 0, chunkRows)}
	w.writer = parquet.NewWriter(&out, schemaOf,
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}),
		parquet.KeyValueMetadata("fieldgate.format", strconv.Itoa(formatVersion)),
		parquet.CreatedBy("fieldgate", strconv.Itoa(formatVersion), ""))
	for i, path := range schemaOf.Columns() {
		w.columns[path[0]] = i
	}
	for len(order) > 0 {
		n := min(rowGroupRows, len(order))
		if err := w.writeRowGroup(order[:n]); err != nil {
			return nil, err
		}
		order = order[n:]
	}
	if err := w.writer.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// fileSchema is the Parquet schema: physical columns in the order of their
// names, fields optional.
func fileSchema(l layout, order []Row) *parquet.Schema {
	group := parquet.Group{
		sources.ColumnTS:         parquet.TimestampAdjusted(parquet.Microsecond, false),
		sources.ColumnID:         parquet.UUID(),
		sources.ColumnHash:       parquet.UUID(),
		sources.ColumnReceivedAt: parquet.TimestampAdjusted(parquet.Microsecond, false),
	}
	for i := range l.own {
		c := &l.own[i]
		var node parquet.Node
		switch c.kind {
		case schema.KindInt:
			node = parquet.Int(64)
		case schema.KindNumber:
			node = parquet.Leaf(parquet.DoubleType)
		case schema.KindBool:
			node = parquet.Leaf(parquet.BooleanType)
		default:
			node = parquet.String()
			if c.repeats(order) {
				node = parquet.Encoded(node, &parquet.RLEDictionary)
			}
		}
		group[c.name] = parquet.Optional(node)
	}
	if len(l.more) > 0 {
		group[sources.ColumnMore] = parquet.Optional(parquet.String())
	}
	return parquet.NewSchema("events", group)
}

// repeats says that few of the column's texts are distinct, by a sample.
func (c *outColumn) repeats(order []Row) bool {
	distinct := map[string]struct{}{}
	seen := 0
	for i := 0; i < len(order) && seen < dictionarySample; i += max(1, len(order)/dictionarySample) {
		r := order[i]
		if from := c.from[r.Batch]; from != nil && from.IsValid(int(r.Row)) {
			distinct[string(from.Text[from.Offsets[r.Row]:from.Offsets[r.Row+1]])] = struct{}{}
			seen++
		}
	}
	return 4*len(distinct) <= seen
}

func (w *fileWriter) writeRowGroup(order []Row) error {
	if err := w.writeStamps(order); err != nil {
		return err
	}
	for i := range w.layout.own {
		if err := w.writeField(&w.layout.own[i], order); err != nil {
			return err
		}
	}
	if len(w.layout.more) > 0 {
		if err := w.writeMore(order); err != nil {
			return err
		}
	}
	return w.writer.Flush()
}

// writeStamps writes the columns that every row has.
func (w *fileWriter) writeStamps(order []Row) error {
	stamps := []struct {
		name  string
		value func(b *sources.Batch, r uint32) parquet.Value
	}{
		{sources.ColumnTS, func(b *sources.Batch, r uint32) parquet.Value { return parquet.Int64Value(b.TS[r]) }},
		{sources.ColumnReceivedAt, func(b *sources.Batch, r uint32) parquet.Value { return parquet.Int64Value(b.ReceivedAt[r]) }},
		{sources.ColumnID, func(b *sources.Batch, r uint32) parquet.Value { return parquet.FixedLenByteArrayValue(b.IDs[r][:]) }},
		{sources.ColumnHash, func(b *sources.Batch, r uint32) parquet.Value { return parquet.FixedLenByteArrayValue(b.Hashes[r][:]) }},
	}
	for _, stamp := range stamps {
		column := w.columns[stamp.name]
		err := w.write(column, order, func(r Row) parquet.Value {
			return stamp.value(w.batches[r.Batch], r.Row).Level(0, 0, column)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// writeField writes one field column; absent values have definition level 0.
func (w *fileWriter) writeField(c *outColumn, order []Row) error {
	column := w.columns[c.name]
	null := parquet.NullValue().Level(0, 0, column)
	if c.kind == schema.KindNumber {
		return w.write(column, order, func(r Row) parquet.Value {
			if v, ok := c.number(r); ok {
				return parquet.DoubleValue(v).Level(0, 1, column)
			}
			return null
		})
	}
	return w.write(column, order, func(r Row) parquet.Value {
		from := c.from[r.Batch]
		if from == nil || !from.IsValid(int(r.Row)) {
			return null
		}
		switch c.kind {
		case schema.KindInt:
			return parquet.Int64Value(from.Ints[r.Row]).Level(0, 1, column)
		case schema.KindBool:
			return parquet.BooleanValue(from.Ints[r.Row] != 0).Level(0, 1, column)
		default:
			return parquet.ByteArrayValue(from.Text[from.Offsets[r.Row]:from.Offsets[r.Row+1]]).Level(0, 1, column)
		}
	})
}

// writeMore writes the JSON objects of the names without a column.
func (w *fileWriter) writeMore(order []Row) error {
	column := w.columns[sources.ColumnMore]
	null := parquet.NullValue().Level(0, 0, column)
	w.scratch = w.scratch[:0]
	return w.write(column, order, func(r Row) parquet.Value {
		start := len(w.scratch)
		w.scratch = w.appendMore(w.scratch, r)
		if len(w.scratch) == start {
			return null
		}
		return parquet.ByteArrayValue(w.scratch[start:len(w.scratch):len(w.scratch)]).Level(0, 1, column)
	})
}

// appendMore appends the object of one row, or nothing if it has none of the
// names. JSON kinds stand as text, so that they stay as they were sent.
func (w *fileWriter) appendMore(dst []byte, r Row) []byte {
	open := false
	for i := range w.layout.more {
		c := &w.layout.more[i]
		if !c.has(r) {
			continue
		}
		if open {
			dst = append(dst, ',')
		} else {
			dst = append(dst, '{')
			open = true
		}
		dst = append(dst, '"')
		dst = append(dst, c.name...) // escaped: nothing in it needs JSON's escapes
		dst = append(dst, `":`...)
		dst = c.appendJSON(dst, r)
	}
	if open {
		dst = append(dst, '}')
	}
	return dst
}

func (c *outColumn) appendJSON(dst []byte, r Row) []byte {
	if c.kind == schema.KindNumber {
		v, _ := c.number(r)
		return strconv.AppendFloat(dst, v, 'g', -1, 64)
	}
	from := c.from[r.Batch]
	switch c.kind {
	case schema.KindInt:
		return strconv.AppendInt(dst, from.Ints[r.Row], 10)
	case schema.KindBool:
		return strconv.AppendBool(dst, from.Ints[r.Row] != 0)
	default:
		text, err := json.Marshal(string(from.Text[from.Offsets[r.Row]:from.Offsets[r.Row+1]]))
		if err != nil {
			return append(dst, "null"...) // text always encodes
		}
		return append(dst, text...)
	}
}

// write hands a column its values in chunks.
func (w *fileWriter) write(column int, order []Row, value func(Row) parquet.Value) error {
	to := w.writer.ColumnWriters()[column]
	for len(order) > 0 {
		n := min(chunkRows, len(order))
		w.values = w.values[:0]
		for _, r := range order[:n] {
			w.values = append(w.values, value(r))
		}
		if _, err := to.WriteRowValues(w.values); err != nil {
			return fmt.Errorf("column %d: %w", column, err)
		}
		order = order[n:]
	}
	return nil
}
