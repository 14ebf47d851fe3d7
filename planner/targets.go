package planner

import (
	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// targets binds a select list.
func (b *binder) targets(sc *scope, q *Query, list []*pgquery.Node) error {
	defer sc.in(inSelect)()
	for _, node := range list {
		n := node.GetResTarget()
		if parts, star := starOf(n.Val); star {
			if err := b.star(sc, q, parts, locate(n.Val)); err != nil {
				return err
			}
			continue
		}
		if ind := n.Val.GetAIndirection(); ind != nil && ind.Indirection[len(ind.Indirection)-1].GetAStar() != nil {
			if err := b.rowStar(sc, q, ind); err != nil {
				return err
			}
			continue
		}
		e, err := b.expr(sc, n.Val)
		if err != nil {
			return err
		}
		name := n.Name
		if name == "" {
			name = b.columnName(n.Val)
		}
		q.Targets = append(q.Targets, newTarget(e, name))
	}
	return nil
}

// rowStar makes an output of each field of a row: (row).*.
func (b *binder) rowStar(sc *scope, q *Query, ind *pgquery.A_Indirection) error {
	arg := ind.Arg
	if n := len(ind.Indirection) - 1; n > 0 {
		arg = &pgquery.Node{Node: &pgquery.Node_AIndirection{AIndirection: &pgquery.A_Indirection{Arg: ind.Arg, Indirection: ind.Indirection[:n]}}}
	}
	e, err := b.expr(sc, arg)
	if err != nil {
		return err
	}
	row := rowOf(e)
	if row == nil {
		if t, ok := postgres.TypeByOID(e.Type().OID); ok && t.Kind != postgres.CompositeType && t.OID != postgres.RecordOID {
			return errorAt(locate(arg), pgerrcode.WrongObjectType, "type %s is not composite", e.Type().OID)
		}
		return unsupported(locate(arg), "the star of a composite value")
	}
	for i, field := range row.Elems {
		if e != Expr(row) {
			field = &RecordField{T: field.Type(), Arg: e, Index: i}
		}
		q.Targets = append(q.Targets, newTarget(field, fieldName(row, i)))
	}
	return nil
}

// newTarget is an output; a plain column of a table says which one it is.
func newTarget(e Expr, name string) Target {
	t := Target{Expr: e, Name: name}
	c, ok := e.(*Column)
	if !ok {
		return t
	}
	switch r := c.Relation.(type) {
	case *MetricScan:
		if r.Fields[c.Index].Attribute > 0 {
			t.TableOID, t.Attribute = r.OID, r.Fields[c.Index].Attribute
		}
	case *CatalogScan:
		t.TableOID, t.Attribute = r.Relation.OID(), int16(c.Index+1)
	case *SubqueryScan:
		t.TableOID, t.Attribute = origin(r.Query, c.Index)
		if r.OID != 0 { // a view
			t.TableOID, t.Attribute = r.OID, int16(c.Index+1)
		}
	case *CTEScan:
		if r.CTE.Query != nil {
			t.TableOID, t.Attribute = origin(r.CTE.Query, c.Index)
		}
	}
	return t
}

// origin is the table's column that an output of a query plainly is.
func origin(q *Query, index int) (oid uint32, attribute int16) {
	if q.SetOp != nil || index >= len(q.Targets) {
		return 0, 0
	}
	return q.Targets[index].TableOID, q.Targets[index].Attribute
}

// starOf says that a target is * or t.*, and gives the qualifier.
func starOf(n *pgquery.Node) (parts []string, star bool) {
	ref := n.GetColumnRef()
	if ref == nil {
		return nil, false
	}
	return nameParts(ref.Fields)
}

// star adds the columns of all items, or of the one that is named.
func (b *binder) star(sc *scope, q *Query, parts []string, at int32) error {
	if len(parts) > 0 {
		it, err := b.itemOf(sc, parts, at)
		if err != nil {
			return err
		}
		return b.starItem(q, it, at)
	}
	found := false
	for _, it := range sc.items {
		if !it.columnsVisible {
			continue
		}
		found = true
		if err := b.starItem(q, it, at); err != nil {
			return err
		}
	}
	if !found {
		return errorAt(at, pgerrcode.SyntaxError, "SELECT * with no tables specified is not valid")
	}
	return nil
}

// starItem adds the columns of an item. A view does not use what a star stands for,
// but its outputs.
func (b *binder) starItem(q *Query, it *item, at int32) error {
	uses := b.uses
	b.uses = nil
	defer func() { b.uses = uses }()
	for i := range it.columns {
		if it.columns[i].apart {
			continue
		}
		b.trace.star(at, it, i)
		e, err := b.column(it, i)
		if err != nil {
			return err
		}
		q.Targets = append(q.Targets, newTarget(e, it.columns[i].name))
	}
	return nil
}
