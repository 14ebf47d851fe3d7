package sources

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

// Builder makes a Batch row by row. The zero Builder is ready.
type Builder struct {
	batch  Batch
	lookup map[columnKey]int
	// order holds, by the place of a value in its row, the columns that rows had
	// there last: the next row most often has one of them, and then no map is asked.
	// They are two, because two kinds of device may take turns.
	order [][2]int
	// reserved says that columns were made before a row had a value in them.
	reserved bool
}

type columnKey struct {
	sent string
	kind schema.Kind
}

// NewBuilder begins with rows without fields, which have no positions. It keeps
// the slices, which must be of one length.
func NewBuilder(ts, receivedAt []int64, ids, hashes []schema.ID) *Builder {
	b := &Builder{batch: Batch{Rows: len(ts), TS: ts, ReceivedAt: receivedAt, IDs: ids, Hashes: hashes}}
	if len(ts) > 0 {
		b.batch.Times = Bounds{Min: slices.Min(ts), Max: slices.Max(ts)}
	}
	return b
}

// Reserve makes room in an empty Builder for rows like those of an earlier
// batch, so that little grows while they are added.
func (b *Builder) Reserve(like *Batch) {
	d := &b.batch
	d.TS = make([]int64, 0, like.Rows)
	d.ReceivedAt = make([]int64, 0, like.Rows)
	d.IDs = make([]schema.ID, 0, like.Rows)
	d.Hashes = make([]schema.ID, 0, like.Rows)
	d.Positions = make([]stream.Position, 0, like.Rows)
	for i := range like.Columns {
		old := &like.Columns[i]
		if old.Count() < like.Rows/2 {
			continue
		}
		c := b.At(b.Column(old.Sent, old.Kind))
		c.Valid = make([]uint64, 0, cap(old.Valid))
		c.Ints = make([]int64, 0, len(old.Ints))
		c.Nums = make([]float64, 0, len(old.Nums))
		c.Offsets = make([]uint32, 0, len(old.Offsets))
		c.Text = make([]byte, 0, len(old.Text)+len(old.Text)/8)
	}
	b.reserved = true
}

// Len counts the rows so far.
func (b *Builder) Len() int { return b.batch.Rows }

// Bytes is about what the batch takes in memory once it is ended and its columns
// have their full length.
func (b *Builder) Bytes() int {
	n := b.batch.Rows * rowBytes
	for i := range b.batch.Columns {
		c := &b.batch.Columns[i]
		n += c.valueBytes()*b.batch.Rows + (b.batch.Rows+63)/64*8 + len(c.Text)
	}
	return n
}

// valueBytes is what a row takes in the column, be it null or not, without text.
func (c *Column) valueBytes() int {
	if c.Kind == schema.KindText || c.Kind == schema.KindJSON {
		return 4
	}
	return 8
}

// Add appends an event. Its texts are copied.
func (b *Builder) Add(e *schema.Event, at stream.Position) {
	row := b.AddRow(e.Time, e.ReceivedAt, e.ID, e.Hash, at)
	for i := range e.Values {
		v := &e.Values[i]
		c := b.columnAt(i, v.Name, v.Kind)
		switch v.Kind {
		case schema.KindInt, schema.KindBool:
			c.SetInt(row, v.Int)
		case schema.KindNumber:
			c.SetNum(row, v.Num)
		default:
			c.SetText(row, v.Text)
		}
	}
}

// AddRow appends a row without fields and returns its number.
func (b *Builder) AddRow(ts, receivedAt int64, id, hash schema.ID, at stream.Position) int {
	d := &b.batch
	if d.Rows == 0 {
		d.Times = Bounds{Min: math.MaxInt64, Max: math.MinInt64}
	}
	d.Times.Min, d.Times.Max = min(d.Times.Min, ts), max(d.Times.Max, ts)
	d.TS = append(d.TS, ts)
	d.ReceivedAt = append(d.ReceivedAt, receivedAt)
	d.IDs = append(d.IDs, id)
	d.Hashes = append(d.Hashes, hash)
	d.Positions = append(d.Positions, at)
	d.Rows++
	return d.Rows - 1
}

// CopyRow appends row r of another batch, without fields and position, and returns
// its number.
func (b *Builder) CopyRow(from *Batch, r uint32) int {
	return b.AddRow(from.TS[r], from.ReceivedAt[r], from.IDs[r], from.Hashes[r], stream.Position{})
}

// columnAt finds the column of the i-th value of a row, by the order of earlier
// rows if that still holds.
func (b *Builder) columnAt(i int, sent string, kind schema.Kind) *Column {
	if i < len(b.order) {
		for _, n := range b.order[i] {
			if c := &b.batch.Columns[n]; c.Kind == kind && c.Sent == sent {
				return c
			}
		}
	}
	n := b.Column(sent, kind)
	if i < len(b.order) {
		b.order[i] = [2]int{n, b.order[i][0]}
	} else if i == len(b.order) {
		b.order = append(b.order, [2]int{n, n})
	}
	return &b.batch.Columns[n]
}

// Column returns the number of the column of (sent, kind), made if need be.
func (b *Builder) Column(sent string, kind schema.Kind) int {
	key := columnKey{sent, kind}
	if n, ok := b.lookup[key]; ok {
		return n
	}
	if b.lookup == nil {
		b.lookup = map[columnKey]int{}
	}
	n := len(b.batch.Columns)
	b.lookup[key] = n
	b.batch.Columns = append(b.batch.Columns, Column{Sent: sent, Kind: kind, Name: PhysicalName(sent, kind)})
	return n
}

// At returns column n, to set its value in the last row.
func (b *Builder) At(n int) *Column { return &b.batch.Columns[n] }

// Batch ends the batch and leaves the Builder empty.
func (b *Builder) Batch() *Batch {
	d := b.batch
	if b.reserved {
		d.Columns = slices.DeleteFunc(d.Columns, func(c Column) bool { return len(c.Valid) == 0 })
	}
	for i := range d.Columns {
		d.Columns[i].pad(d.Rows)
	}
	*b = Builder{}
	return &d
}

// View is the batch so far. Readers may use it while further rows are added: it
// shares what only grows and has its own copy of the bitmaps, whose last words
// still change.
func (b *Builder) View() *Batch {
	for i := range b.batch.Columns {
		b.batch.Columns[i].pad(b.batch.Rows)
	}
	d := b.batch
	d.Columns = slices.Clone(d.Columns)
	for i := range d.Columns {
		d.Columns[i].Valid = slices.Clone(d.Columns[i].Valid)
	}
	return &d
}

// SetInt sets row r, which is past all rows set before, to an integer or bool.
func (c *Column) SetInt(r int, v int64) {
	c.mark(r)
	c.Ints = append(extend(c.Ints, r), v)
}

// SetNum sets row r, which is past all rows set before, to a number.
func (c *Column) SetNum(r int, v float64) {
	c.mark(r)
	c.Nums = append(extend(c.Nums, r), v)
}

// SetText sets row r, which is past all rows set before, to a text. It copies v.
func (c *Column) SetText(r int, v []byte) {
	c.mark(r)
	if len(c.Offsets) == 0 {
		c.Offsets = append(c.Offsets, 0)
	}
	for len(c.Offsets) <= r {
		c.Offsets = append(c.Offsets, uint32(len(c.Text)))
	}
	c.Text = append(c.Text, v...)
	c.Offsets = append(c.Offsets, uint32(len(c.Text)))
}

func (c *Column) mark(r int) {
	c.Valid = extend(c.Valid, r/64+1)
	c.Valid[r/64] |= 1 << (r % 64)
}

// extend lengthens a slice with zeros to n elements, if it is shorter.
func extend[T any](s []T, n int) []T {
	if n > len(s) {
		s = append(s, make([]T, n-len(s))...)
	}
	return s
}

// pad gives the column its full length of rows.
func (c *Column) pad(rows int) {
	c.Valid = extend(c.Valid, (rows+63)/64)
	switch c.Kind {
	case schema.KindInt, schema.KindBool:
		c.Ints = extend(c.Ints, rows)
	case schema.KindNumber:
		c.Nums = extend(c.Nums, rows)
	default:
		for len(c.Offsets) <= rows {
			c.Offsets = append(c.Offsets, uint32(len(c.Text)))
		}
	}
}

// What a row takes before its fields: time, arrival, id and hash, and if it has
// one, its position.
const (
	stampBytes    = 8 + 8 + 16 + 16
	positionBytes = 40
	rowBytes      = stampBytes + positionBytes
)

// Bytes is about what the batch takes in memory.
func (b *Batch) Bytes() int {
	n := b.Rows*stampBytes + len(b.Positions)*positionBytes
	for i := range b.Columns {
		c := &b.Columns[i]
		n += 8*len(c.Valid) + 8*len(c.Ints) + 8*len(c.Nums) + 4*len(c.Offsets) + len(c.Text)
	}
	return n
}

// Count is the number of rows that have a value.
func (c *Column) Count() int {
	n := 0
	for _, word := range c.Valid {
		n += bits.OnesCount64(word)
	}
	return n
}

// Event takes row r apart again. Its texts point into the batch.
func (b *Batch) Event(r int, ds schema.Dataset) schema.Event {
	e := schema.Event{Dataset: ds, Time: b.TS[r], ReceivedAt: b.ReceivedAt[r], ID: b.IDs[r], Hash: b.Hashes[r]}
	for i := range b.Columns {
		c := &b.Columns[i]
		if !c.IsValid(r) {
			continue
		}
		v := schema.Value{Name: c.Sent, Kind: c.Kind}
		switch c.Kind {
		case schema.KindInt, schema.KindBool:
			v.Int = c.Ints[r]
		case schema.KindNumber:
			v.Num = c.Nums[r]
		default:
			v.Text = c.Text[c.Offsets[r]:c.Offsets[r+1]]
		}
		e.Values = append(e.Values, v)
	}
	slices.SortFunc(e.Values, func(x, y schema.Value) int { return cmp.Compare(x.Name, y.Name) })
	return e
}
