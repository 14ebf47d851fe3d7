package planner

import (
	"context"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// textRows are rows of text that the planner itself answers with.
type textRows struct {
	chunk *Chunk
}

var _ Rows = (*textRows)(nil)

// newTextRows makes a result of rows that all have the columns' width.
func newTextRows(columns []ResultColumn, rows [][]string) *textRows {
	c := &Chunk{Rows: len(rows), Columns: make([]Vector, len(columns))}
	for i, col := range columns {
		v := Vector{T: col.T, Bytes: make([][]byte, len(rows))}
		for r, row := range rows {
			v.Bytes[r] = []byte(row[i])
		}
		c.Columns[i] = v
	}
	return &textRows{chunk: c}
}

// Next returns the rows once.
func (r *textRows) Next(context.Context) (*Chunk, error) {
	c := r.chunk
	r.chunk = nil
	if c == nil || c.Rows == 0 {
		return nil, nil
	}
	return c, nil
}

// Close does nothing: there is nothing to free.
func (r *textRows) Close() error { return nil }

func textColumn(name string) ResultColumn {
	return ResultColumn{Name: name, T: plainType(postgres.TextOID)}
}

// planRows are an engine's rows, with which the plan's pins end.
type planRows struct {
	Rows
	plan *Plan
}

// Next returns the engine's next rows, with the texts of objects.
func (r *planRows) Next(ctx context.Context) (*Chunk, error) {
	c, err := r.Rows.Next(ctx)
	if c != nil && len(r.plan.objects) > 0 {
		if err := r.plan.objects.add(r.plan.Columns, c); err != nil {
			return nil, err
		}
	}
	return c, err
}

// Close frees the rows and then what they read from.
func (r *planRows) Close() error {
	err := r.Rows.Close()
	r.plan.Release()
	return err
}
