package planner

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// viewScan binds a view as a query in FROM, whose columns are those that the view
// had when it was made.
func (b *binder) viewScan(v *schema.View, label string, at int32) (*SubqueryScan, error) {
	q, err := b.viewQuery(v)
	if err != nil {
		var e *Error
		if errors.As(err, &e) {
			e.offset, e.Position = at+1, 0
			e.Detail = fmt.Sprintf("The query of view %q can no longer be run.", v.Name)
		}
		return nil, err
	}
	scan := b.newSubqueryScan(q, label, false)
	scan.OID = schema.ViewOID(v)
	return scan, nil
}

// viewQuery binds a view's query, and gives its targets the view's columns.
func (b *binder) viewQuery(v *schema.View) (*Query, error) {
	if slices.Contains(b.viewing, v.Name) {
		return nil, errorf(pgerrcode.InvalidObjectDefinition, "infinite recursion detected in rules for relation %q", v.Name)
	}
	n, err := parseView(v.Query)
	if err != nil {
		return nil, err
	}
	outer, names := *b, *b.names
	b.params, b.viewing = &parameters{values: []*Const{}}, append(slices.Clone(b.viewing), v.Name)
	b.names.path, b.names.meant, b.names.noted = v.Path, v.Relations, nil
	if len(outer.viewing) > 0 {
		b.uses, b.trace = nil, nil
	}
	if b.trace != nil {
		b.trace.root = n
	}
	defer func() {
		b.params, b.viewing, b.uses, b.trace = outer.params, outer.viewing, outer.uses, outer.trace
		b.names.path, b.names.meant, b.names.noted = names.path, names.meant, names.noted
	}()
	q, err := b.query(n)
	if err != nil {
		return nil, err
	}
	return b.viewTargets(v, q)
}

// viewTargets picks the outputs that the view had, under its names. A query whose
// outputs are others by now becomes the source of one that has them.
func (b *binder) viewTargets(v *schema.View, q *Query) (*Query, error) {
	picked := make([]int, len(v.Columns))
	same := len(v.Columns) == len(q.Targets)
	for i, c := range v.Columns {
		at := slices.IndexFunc(q.Targets, func(t Target) bool {
			return c.Table != 0 && t.TableOID == c.Table && t.Attribute == c.Attribute && t.Name == c.Output
		})
		if at < 0 {
			at = slices.IndexFunc(q.Targets, func(t Target) bool { return t.Name == c.Output })
		}
		if at < 0 && c.Table != 0 {
			at = slices.IndexFunc(q.Targets, func(t Target) bool { return t.TableOID == c.Table && t.Attribute == c.Attribute })
		}
		if at < 0 {
			at = slices.IndexFunc(q.Targets, func(t Target) bool { return b.names.wasCalled(t, c.Output) })
		}
		if at < 0 {
			return nil, errorf(pgerrcode.UndefinedColumn, "column %q does not exist", c.Output)
		}
		if t := q.Targets[at].Expr.Type(); uint32(t.OID) != c.TypeOID || t.Typmod != c.Typmod {
			return nil, errorf(pgerrcode.FeatureNotSupported, "column %q of view %q was of type %s and is of type %s",
				c.Name, v.Name, typeText(Type{OID: postgres.OID(c.TypeOID), Typmod: c.Typmod}), typeText(t))
		}
		picked[i] = at
		same = same && at == i
	}
	if same {
		for i, c := range v.Columns {
			q.Targets[i].Name = c.Name
		}
		return q, nil
	}
	inner := b.newSubqueryScan(q, v.Name, false)
	outer := &Query{From: []FromItem{inner}}
	for i, at := range picked {
		t := q.Targets[at].Expr.Type()
		outer.Targets = append(outer.Targets, Target{Expr: &Column{T: t, Relation: inner, Index: at}, Name: v.Columns[i].Name})
	}
	return outer, nil
}

// wasCalled says that an output is a field that had a name.
func (l *lookup) wasCalled(t Target, name string) bool {
	for _, m := range l.snapshot.Metrics {
		if t.TableOID == 0 || schema.TableOID(m) != t.TableOID {
			continue
		}
		return slices.ContainsFunc(m.Fields, func(f schema.Field) bool {
			return int16(f.Number) == t.Attribute && slices.Contains(f.Former, name)
		})
	}
	return false
}

func parseView(text string) (*pgquery.SelectStmt, error) {
	statements, err := parse(text)
	if err != nil {
		return nil, err
	}
	if len(statements) != 1 || statements[0].node.GetSelectStmt() == nil {
		return nil, errorf(pgerrcode.SyntaxError, "the query of a view is one SELECT")
	}
	return statements[0].node.GetSelectStmt(), nil
}
