package planner

import (
	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"
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
			return unsupported(n.Location, "the star of a composite value")
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

// newTarget is an output; a plain column of a metric says which one it is.
func newTarget(e Expr, name string) Target {
	t := Target{Expr: e, Name: name}
	if c, ok := e.(*Column); ok {
		if scan, ok := c.Relation.(*MetricScan); ok && scan.Fields[c.Index].Attribute > 0 {
			t.TableOID, t.Attribute = scan.OID, scan.Fields[c.Index].Attribute
		}
		if scan, ok := c.Relation.(*SubqueryScan); ok && scan.OID != 0 {
			t.TableOID, t.Attribute = scan.OID, int16(c.Index+1)
		}
	}
	return t
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
		return b.starItem(q, it)
	}
	found := false
	for _, it := range sc.items {
		if !it.columnsVisible {
			continue
		}
		found = true
		if err := b.starItem(q, it); err != nil {
			return err
		}
	}
	if !found {
		return errorAt(at, pgerrcode.SyntaxError, "SELECT * with no tables specified is not valid")
	}
	return nil
}

func (b *binder) starItem(q *Query, it *item) error {
	for i := range it.columns {
		e, err := b.column(it, i)
		if err != nil {
			return err
		}
		q.Targets = append(q.Targets, newTarget(e, it.columns[i].name))
	}
	return nil
}
