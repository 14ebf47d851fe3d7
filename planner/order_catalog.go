package planner

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// The blocks of a catalog relation are about one table each, so that the order by
// schema, table and column that clients ask for is an order of blocks. To sort a few
// hundred of these costs next to nothing, where the engine would copy and sort all rows.

// catalogKey is a key of an order by a column of a scan.
type catalogKey struct {
	column           int
	desc, nullsFirst bool
}

// sortCatalog puts what a query reads into the order that it asks for, and takes the
// ORDER BY off, if it is a query of one scan of the catalog whose blocks can be put
// in that order whole.
func sortCatalog(q *Query) {
	if len(q.OrderBy) == 0 || len(q.From) != 1 || q.SetOp != nil || q.Aggregated || q.Distinct || q.DistinctOn != nil || q.Ties || len(q.CTEs) > 0 {
		return
	}
	scan, ok := q.From[0].(*CatalogScan)
	if !ok || !isRowByRow(q) {
		return
	}
	keys := make([]catalogKey, len(q.OrderBy))
	for i, k := range q.OrderBy {
		column, ok := orderColumn(q, k.Expr)
		if !ok || column.scan != scan {
			return
		}
		keys[i] = catalogKey{column.index, k.Desc, k.NullsFirst}
	}
	if scan.sort(keys) {
		q.OrderBy, scan.Ordered = nil, true
	}
}

// isRowByRow says that each row of a query's result is of one row that it reads, and
// that these stay in their order: nothing joins them to others.
func isRowByRow(q *Query) bool {
	plain := true
	ownExprs(q, func(e Expr) {
		walk(e, func(e Expr) bool {
			switch e := e.(type) {
			case *WindowCall, *Subquery, *Aggregate:
				plain = false
			case *Func:
				plain = plain && !e.Proc.ReturnsSet
			}
			return plain
		})
	})
	return plain
}

// orderColumn finds the column that has the order of an expression.
func orderColumn(q *Query, e Expr) (catalogColumn, bool) {
	o, ok := e.(*Output)
	if !ok {
		return catalogColumnOf(e)
	}
	e = q.Targets[o.Index].Expr
	// A column less a constant has the column's order, if it has a value at all; the
	// output is computed, and fails if it has none.
	if op, ok := e.(*Op); ok && op.Left != nil && (op.Operator.Name == "-" || op.Operator.Name == "+") {
		if c, isConst := op.Right.(*Const); isConst && !c.Null && c.Value.Kind == postgres.IntKind && comparedAsInt(op.Type().OID) {
			e = op.Left
		}
	}
	return catalogColumnOf(e)
}

// sort orders the parts by the keys, and says whether that could be done.
func (s *CatalogScan) sort(keys []catalogKey) bool {
	// The first keys tell whole parts apart, those after them order a part's rows.
	whole := 0
	for whole < len(keys) && !slices.ContainsFunc(s.Parts, func(p CatalogPart) bool { return !p.Block.Column(keys[whole].column).Same }) {
		whole++
	}
	compare := func(a, b CatalogPart) int {
		for _, k := range keys[:whole] {
			if c := k.compare(a.Block.Column(k.column), 0, b.Block.Column(k.column), 0); c != 0 {
				return c
			}
		}
		return 0
	}
	parts := slices.Clone(s.Parts)
	slices.SortStableFunc(parts, compare)
	for i := range parts {
		if i > 0 && whole < len(keys) && compare(parts[i-1], parts[i]) == 0 {
			return false // their rows must be merged
		}
		parts[i].sort(keys[whole:])
	}
	s.Parts = parts
	return true
}

// sort orders the rows of a part.
func (p *CatalogPart) sort(keys []catalogKey) {
	compare := func(a, b uint32) int {
		for _, k := range keys {
			column := p.Block.Column(k.column)
			if c := k.compare(column, int(a), column, int(b)); c != 0 {
				return c
			}
		}
		return 0
	}
	rows := p.Rows
	if rows == nil {
		rows = make([]uint32, p.Len())
		for i := range rows {
			rows[i] = uint32(i)
		}
	}
	if !slices.IsSortedFunc(rows, compare) {
		p.Rows = slices.Clone(rows)
		slices.SortStableFunc(p.Rows, compare)
	}
}

func (k catalogKey) compare(a *sources.CatalogValues, rowA int, b *sources.CatalogValues, rowB int) int {
	validA, validB := a.IsValid(rowA), b.IsValid(rowB)
	if !validA || !validB {
		c := 0
		switch {
		case validA:
			c = -1
		case validB:
			c = 1
		}
		if k.nullsFirst {
			return -c
		}
		return c
	}
	c := 0
	if a.Ints != nil {
		c = cmp.Compare(a.IntAt(rowA), b.IntAt(rowB))
	} else {
		c = bytes.Compare(a.BytesAt(rowA), b.BytesAt(rowB))
	}
	if k.desc {
		return -c
	}
	return c
}

// Clients that ask for columns of tables through joins, and say nothing of an order,
// take them as they come. PostgreSQL finds them by an index on table and number.
var columnOrders = [][]string{{"attrelid", "attnum"}, {"table_schema", "table_name", "ordinal_position"}}

// orderColumns has a query that joins a relation of tables' columns with others, and says
// nothing of an order, give them by table and number.
func orderColumns(q *Query, absent map[Relation]bool) {
	if len(q.OrderBy) > 0 || q.SetOp != nil || q.Aggregated || q.Distinct || q.DistinctOn != nil || q.Values != nil {
		return
	}
	var relations []Relation
	for _, f := range q.From {
		visitRelations(f, func(r Relation) { relations = append(relations, r) })
	}
	if len(relations) < 2 {
		return
	}
	for _, r := range relations {
		scan, ok := r.(*CatalogScan)
		if !ok || absent[r] {
			continue
		}
		for _, names := range columnOrders {
			if keys := scan.keysNamed(names); keys != nil {
				q.OrderBy = keys
				return
			}
		}
	}
}

// keysNamed are an order by the columns, nil if the scan lacks one.
func (s *CatalogScan) keysNamed(names []string) []SortKey {
	keys := make([]SortKey, len(names))
	for i, name := range names {
		at := slices.IndexFunc(s.Cols, func(c RelationColumn) bool { return c.Name == name })
		if at < 0 {
			return nil
		}
		keys[i].Expr = &Column{Relation: s, Index: at, T: s.Cols[at].T}
	}
	return keys
}
