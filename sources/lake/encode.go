package lake

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

const (
	// rowGroupRows is DuckDB's own row group: what it prunes and what a thread
	// takes. Where several files have the rows of one time, theirs are smaller.
	rowGroupRows = 122_880
	// chunkRows is how many values are handed to a column writer at once.
	chunkRows = 1024
	// dictionarySample is how many values decide whether a column gets a
	// dictionary: yes if at most a quarter of them are distinct.
	dictionarySample = 2048
	// dictionaryBytes is where a dictionary ends that the sample promised small.
	dictionaryBytes = 1 << 20
	// boundBytes is the longest text that may stand as a column's least or greatest
	// value. These lie in the footer, which every reader of the file reads whole.
	boundBytes = 256
	// rowBytes is about what a row takes in a file, to begin with.
	rowBytes = 64
)

// fileWriter writes one file.
type fileWriter struct {
	rows   *fileRows
	layout layout
	// perGroup is how many rows a row group has.
	perGroup int
	more     []*rowFields // by batch
	writer   *parquet.GenericWriter[any]
	columns  map[string]int // physical name to leaf index
	values   []parquet.Value
	scratch  []byte
	// stats are those of layout.own.
	stats []stats
	// textBytes sums up the texts of all rows.
	textBytes int64
}

func newFileWriter(rows *fileRows, l layout, perGroup int) *fileWriter {
	return &fileWriter{
		rows: rows, layout: l, perGroup: perGroup, more: moreFields(rows, l.more), columns: map[string]int{},
		values: make([]parquet.Value, 0, chunkRows), stats: make([]stats, len(l.own)),
	}
}

func (w *fileWriter) encode() ([]byte, error) {
	out := bytes.NewBuffer(make([]byte, 0, rowBytes*len(w.rows.order)))
	schemaOf := w.schema()
	options := []parquet.WriterOption{
		schemaOf,
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest, Concurrency: 1}),
		parquet.DictionaryMaxBytes(dictionaryBytes),
		parquet.DataPageStatistics(false), // those of chunks and of the column index say as much, and are what readers ask
		parquet.KeyValueMetadata("fieldgate.format", strconv.Itoa(formatVersion)),
		parquet.CreatedBy("fieldgate", strconv.Itoa(formatVersion), ""),
	}
	for _, column := range w.unbounded() {
		options = append(options, parquet.SkipPageBounds(column))
	}
	w.writer = parquet.NewGenericWriter[any](out, options...)
	for i, path := range schemaOf.Columns() {
		w.columns[path[0]] = i
	}
	for order := w.rows.order; len(order) > 0; {
		n := min(w.perGroup, len(order))
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

// unbounded are the columns without least and greatest value: those by which
// nothing is pruned, and those of long texts.
func (w *fileWriter) unbounded() []string {
	columns := []string{sources.ColumnID, sources.ColumnHash, sources.ColumnMore}
	for i := range w.layout.own {
		if c := &w.layout.own[i]; c.kind == schema.KindJSON || c.kind == schema.KindText && c.longest() > boundBytes {
			columns = append(columns, c.name)
		}
	}
	return columns
}

// schema is the Parquet schema: physical columns in the order of their names, and
// optional unless every row has them.
func (w *fileWriter) schema() *parquet.Schema {
	// Times are nearly sorted, so their differences are small; hashes are as
	// random as can be, so nothing compresses them.
	stamp := parquet.Encoded(parquet.TimestampAdjusted(parquet.Microsecond, false), &parquet.DeltaBinaryPacked)
	hash := parquet.Compressed(parquet.UUID(), &parquet.Uncompressed)
	group := parquet.Group{
		sources.ColumnTS: stamp, sources.ColumnReceivedAt: stamp, sources.ColumnID: hash, sources.ColumnHash: hash,
	}
	for i := range w.layout.own {
		c := &w.layout.own[i]
		node := parquet.String()
		switch c.kind {
		case schema.KindInt:
			node = parquet.Int(64)
		case schema.KindNumber:
			node = parquet.Leaf(parquet.DoubleType)
		case schema.KindBool:
			node = parquet.Leaf(parquet.BooleanType)
		}
		if c.kind != schema.KindBool && c.repeats(w.rows.order) {
			node = parquet.Encoded(node, &parquet.RLEDictionary)
		}
		if !w.isFull(c) {
			node = parquet.Optional(node)
		}
		group[c.name] = node
	}
	if len(w.layout.more) > 0 {
		group[sources.ColumnMore] = parquet.Optional(parquet.String())
	}
	return parquet.NewSchema("events", group)
}

// repeats says that few of the column's values are distinct, by a sample.
func (c *outColumn) repeats(order []Row) bool {
	distinct := map[string]struct{}{}
	seen := 0
	var word [8]byte
	for i := 0; i < len(order) && seen < dictionarySample; i += max(1, len(order)/dictionarySample) {
		value := word[:]
		var ok bool
		switch c.kind {
		case schema.KindInt:
			var v int64
			v, ok = c.integer(order[i])
			binary.LittleEndian.PutUint64(value, uint64(v))
		case schema.KindNumber:
			var v float64
			v, ok = c.number(order[i])
			binary.LittleEndian.PutUint64(value, math.Float64bits(v))
		default:
			value, ok = c.text(order[i])
		}
		if !ok {
			continue
		}
		seen++
		if _, known := distinct[string(value)]; !known {
			distinct[string(value)] = struct{}{}
		}
	}
	return 4*len(distinct) <= seen
}

func (w *fileWriter) writeRowGroup(order []Row) error {
	if err := w.writeStamps(order); err != nil {
		return err
	}
	for i := range w.layout.own {
		if err := w.writeField(i, order); err != nil {
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
	batches := w.rows.batches
	stamps := []struct {
		name  string
		value func(r Row) parquet.Value
	}{
		{sources.ColumnTS, func(r Row) parquet.Value { return parquet.Int64Value(batches[r.Batch].TS[r.Row]) }},
		{sources.ColumnReceivedAt, func(r Row) parquet.Value { return parquet.Int64Value(batches[r.Batch].ReceivedAt[r.Row]) }},
		{sources.ColumnID, func(r Row) parquet.Value { return parquet.FixedLenByteArrayValue(batches[r.Batch].IDs[r.Row][:]) }},
		{sources.ColumnHash, func(r Row) parquet.Value { return parquet.FixedLenByteArrayValue(batches[r.Batch].Hashes[r.Row][:]) }},
	}
	for _, stamp := range stamps {
		column := w.columns[stamp.name]
		err := w.write(column, order, func(rows []Row) {
			for _, r := range rows {
				w.values = append(w.values, stamp.value(r)) // no levels: the column is required
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// isFull says that every row has a value in the column.
func (w *fileWriter) isFull(c *outColumn) bool { return c.present == len(w.rows.order) }

// writeField writes one of the file's own columns. In one that is not full, absent
// values have definition level 0.
func (w *fileWriter) writeField(field int, order []Row) error {
	c := &w.layout.own[field]
	column := w.columns[c.name]
	null := parquet.NullValue().Level(0, 0, column)
	full := w.isFull(c)
	return w.write(column, order, func(rows []Row) {
		w.values = w.values[:len(rows)]
		if full {
			w.fillField(field, rows)
			return
		}
		for i := range w.values {
			w.values[i] = null
		}
		w.fillField(field, rows)
		for i := range w.values {
			if v := &w.values[i]; !v.IsNull() {
				*v = v.Level(0, 1, column)
			}
		}
	})
}

// fillField sets w.values to those of the rows that have one, without levels.
func (w *fileWriter) fillField(field int, rows []Row) {
	c, st, values := &w.layout.own[field], &w.stats[field], w.values
	switch c.kind {
	case schema.KindInt:
		for i, r := range rows {
			if v, ok := c.integer(r); ok {
				st.addInt(v)
				values[i] = parquet.Int64Value(v)
			}
		}
	case schema.KindNumber:
		for i, r := range rows {
			if v, ok := c.number(r); ok {
				st.addNum(v)
				values[i] = parquet.DoubleValue(v)
			}
		}
	case schema.KindBool:
		for i, r := range rows {
			if v, ok := c.integer(r); ok {
				values[i] = parquet.BooleanValue(v != 0)
			}
		}
	default:
		for i, r := range rows {
			if v, ok := c.text(r); ok {
				w.textBytes += int64(len(v))
				values[i] = parquet.ByteArrayValue(v)
			}
		}
	}
}

// writeMore writes the JSON objects of the names without a column.
func (w *fileWriter) writeMore(order []Row) error {
	column := w.columns[sources.ColumnMore]
	null := parquet.NullValue().Level(0, 0, column)
	return w.write(column, order, func(rows []Row) {
		w.scratch = w.scratch[:0]
		for _, r := range rows {
			start := len(w.scratch)
			w.scratch = w.appendMore(w.scratch, r)
			if len(w.scratch) == start {
				w.values = append(w.values, null)
				continue
			}
			object := w.scratch[start:len(w.scratch):len(w.scratch)]
			w.textBytes += int64(len(object))
			w.values = append(w.values, parquet.ByteArrayValue(object).Level(0, 1, column))
		}
	})
}

// write hands a column its values in chunks, which fill appends to w.values.
func (w *fileWriter) write(column int, order []Row, fill func(rows []Row)) error {
	to := w.writer.ColumnWriters()[column]
	for len(order) > 0 {
		n := min(chunkRows, len(order))
		w.values = w.values[:0]
		fill(order[:n])
		if _, err := to.WriteRowValues(w.values); err != nil {
			return fmt.Errorf("column %d: %w", column, err)
		}
		order = order[n:]
	}
	return nil
}
