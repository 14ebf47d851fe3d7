package planner

// picker makes chunks of some of the rows of others. It uses its memory again:
// what it gave is valid until it is asked again.
type picker struct {
	chunk Chunk
	order []int
}

// slice gives the rows from and up to before to.
func (p *picker) slice(c *Chunk, from, to int) *Chunk {
	p.order = p.order[:0]
	for i := from; i < to; i++ {
		p.order = append(p.order, i)
	}
	return p.pick(c)
}

// reversed gives the rows from last down to first.
func (p *picker) reversed(c *Chunk, first, last int) *Chunk {
	p.order = p.order[:0]
	for i := last; i >= first; i-- {
		p.order = append(p.order, i)
	}
	return p.pick(c)
}

func (p *picker) pick(c *Chunk) *Chunk {
	if len(p.chunk.Columns) != len(c.Columns) {
		p.chunk.Columns = make([]Vector, len(c.Columns))
	}
	p.chunk.Rows = len(p.order)
	for i := range c.Columns {
		pickVector(&p.chunk.Columns[i], &c.Columns[i], p.order)
	}
	return &p.chunk
}

func pickVector(out, v *Vector, order []int) {
	out.T = v.T
	out.Valid = pickValid(out.Valid, v, order)
	out.Bools = pickValues(out.Bools, v.Bools, order)
	out.Int16s = pickValues(out.Int16s, v.Int16s, order)
	out.Int32s = pickValues(out.Int32s, v.Int32s, order)
	out.Int64s = pickValues(out.Int64s, v.Int64s, order)
	out.Float32s = pickValues(out.Float32s, v.Float32s, order)
	out.Float64s = pickValues(out.Float64s, v.Float64s, order)
	out.Bytes = pickValues(out.Bytes, v.Bytes, order)
	out.Intervals = pickValues(out.Intervals, v.Intervals, order)
	out.UUIDs = pickValues(out.UUIDs, v.UUIDs, order)
	out.Numerics = pickValues(out.Numerics, v.Numerics, order)
	out.Lists = nil
	if l := v.Lists; l != nil {
		out.Lists = &ListVector{Offsets: pickValues(nil, l.Offsets, order), Lengths: pickValues(nil, l.Lengths, order), Elems: l.Elems}
	}
}

func pickValid(out []uint64, v *Vector, order []int) []uint64 {
	if v.Valid == nil {
		return nil
	}
	out = append(out[:0], make([]uint64, (len(order)+63)/64)...)
	for i, row := range order {
		if !v.IsNull(row) {
			out[i/64] |= 1 << (i % 64)
		}
	}
	return out
}

// pickValues is nil where nothing is to be picked from: which member of a vector
// is set says what it holds.
func pickValues[T any](out, values []T, order []int) []T {
	if values == nil {
		return nil
	}
	if out = out[:0]; out == nil {
		out = make([]T, 0, len(order))
	}
	for _, row := range order {
		out = append(out, values[row])
	}
	return out
}
