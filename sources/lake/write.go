package lake

import (
	"context"
	"fmt"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

const (
	// MaxFileRows is how many rows a file has at most.
	MaxFileRows = 2_000_000
	// MaxFileBytes cuts files by their bytes as the batches hold them, of which a
	// file has about a quarter.
	MaxFileBytes = 512 << 20
)

// Write writes the rows, which must stand as Order has them, as one file or
// several. Declared are the sent names that a declared field reads. The files
// are durable but listed nowhere until a Commit adds them.
func (s *Store) Write(ctx context.Context, ds schema.Dataset, batches []*sources.Batch, order []Row, declared map[string]bool) ([]*File, error) {
	total, rows := 0, 0
	for _, b := range batches {
		total += b.Bytes()
		rows += b.Rows
	}
	perFile := MaxFileRows
	if total > 0 {
		perFile = max(1, min(perFile, int(int64(MaxFileBytes)*int64(rows)/int64(total))))
	}
	var files []*File
	for len(order) > 0 {
		n := min(perFile, len(order))
		divided := pieces(newFileRows(batches, order[:n]))
		for _, rows := range divided {
			f, err := s.writeFile(ctx, ds, newFileRows(batches, rows), len(divided), declared)
			if err != nil {
				return nil, err
			}
			files = append(files, f)
		}
		order = order[n:]
	}
	return files, nil
}

// writeFile writes one of the files that the rows of a stretch of time were
// divided into.
func (s *Store) writeFile(ctx context.Context, ds schema.Dataset, rows *fileRows, pieces int, declared map[string]bool) (*File, error) {
	f := &File{
		Key: prefix(ds) + dataPrefix + uniqueName() + dataSuffix, Rows: int64(len(rows.order)), Pieces: pieces, CreatedAt: s.cfg.Now().UTC(),
	}
	first, last := rows.order[0], rows.order[len(rows.order)-1]
	f.Times = sources.Bounds{Min: rows.batches[first.Batch].TS[first.Row], Max: rows.batches[last.Batch].TS[last.Row]}
	ids := newFilter(len(rows.order))
	for _, r := range rows.order {
		b := rows.batches[r.Batch]
		ids.add(b.TS[r.Row], &b.IDs[r.Row])
	}
	perGroup := groupRows(pieces)
	rows.gather(perGroup)
	w := newFileWriter(rows, planLayout(rows, declared), perGroup)
	data, err := w.encode()
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", f.Key, err)
	}
	f.Bytes, f.footer = int64(len(data)), footerOf(data)
	f.describe(w)
	if _, err := s.cfg.Bucket.PutIf(ctx, f.filterKey(), ids, ""); err != nil {
		return nil, fmt.Errorf("write identity filter: %w", err)
	}
	if _, err := s.cfg.Bucket.PutIf(ctx, f.Key, data, ""); err != nil {
		return nil, fmt.Errorf("write file: %w", err)
	}
	return f, nil
}

// describe notes the file's columns, their statistics, and what its rows take in
// memory when they are read back.
func (f *File) describe(w *fileWriter) {
	f.Columns = []string{sources.ColumnTS, sources.ColumnID, sources.ColumnHash, sources.ColumnReceivedAt}
	f.Stats, f.Zeros = map[string]sources.Stats{}, []string{}
	for i := range w.layout.own {
		c := &w.layout.own[i]
		f.Columns = append(f.Columns, c.name)
		if st, ok := w.stats[i].of(c.kind); ok {
			f.Stats[c.name] = st
		}
		switch {
		case c.hasZero():
			f.Zeros = append(f.Zeros, c.name) // which may read as NULL
		case w.isFull(c):
			f.Full = append(f.Full, c.name)
		}
	}
	f.More = []string{}
	if len(w.layout.more) > 0 {
		f.Columns = append(f.Columns, sources.ColumnMore)
		for i := range w.layout.more {
			c := &w.layout.more[i]
			f.More = append(f.More, c.name)
			if c.hasZero() {
				f.Zeros = append(f.Zeros, c.name)
			}
		}
	}
	slices.Sort(f.Columns)
	slices.Sort(f.Zeros)
	const stampBytes, valueBytes = 48, 8
	columns := int64(len(w.layout.own) + len(w.layout.more))
	f.Memory = f.Rows*(stampBytes+columns*valueBytes) + w.textBytes
}
