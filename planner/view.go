package planner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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
	path, params, viewing := b.names.path, b.params, b.viewing
	b.names.path, b.params, b.viewing = v.Path, &parameters{values: []*Const{}}, append(slices.Clone(viewing), v.Name)
	defer func() { b.names.path, b.params, b.viewing = path, params, viewing }()
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

// createView reads CREATE VIEW; the view's columns are those of its query now.
func (s *Session) createView(n *pgquery.ViewStmt, text string) (*schemaChange, error) {
	name, err := s.publicTable(n.View)
	if err != nil {
		return nil, err
	}
	at := n.View.Location
	switch {
	case n.View.Relpersistence == "t":
		return nil, unsupported(at, "CREATE TEMPORARY VIEW")
	case n.WithCheckOption != pgquery.ViewCheckOption_NO_CHECK_OPTION && n.WithCheckOption != pgquery.ViewCheckOption_VIEW_CHECK_OPTION_UNDEFINED:
		return nil, unsupported(at, "WITH CHECK OPTION")
	case len(n.Options) > 0:
		return nil, unsupported(at, "a view option")
	case n.Query.GetSelectStmt() == nil:
		return nil, unsupported(at, "a view of %s", statementName(n.Query))
	case n.Query.GetSelectStmt().GetIntoClause() != nil:
		return nil, errorf(pgerrcode.FeatureNotSupported, "views must not contain SELECT INTO")
	}
	query, err := viewText(text, at)
	if err != nil {
		return nil, err
	}
	if n.Query.GetSelectStmt().GetWithClause().GetRecursive() && !strings.HasPrefix(strings.ToUpper(query), "WITH") {
		return nil, unsupported(at, "CREATE RECURSIVE VIEW")
	}
	c := &schemaChange{tag: "CREATE VIEW", what: "create view " + name}
	c.bound = func(ctx context.Context, d *schema.Draft) error {
		v := schema.View{Name: name, Query: query, Path: catalogPath(s.settings.searchPath())}
		names := s.planner.lookupIn(ctx, d.Snapshot(), v.Path)
		q, err := newBinder(names, s.environment(), &parameters{values: []*Const{}}).query(n.Query.GetSelectStmt())
		if err != nil {
			return err
		}
		if err := s.checkEngine(q); err != nil {
			return err
		}
		if v.Columns, err = viewColumns(q, n.Aliases); err != nil {
			return err
		}
		if old, exists := d.Snapshot().View(name); exists {
			if !n.Replace {
				return errorf(pgerrcode.DuplicateTable, "relation %q already exists", name)
			}
			if err := checkReplaced(old, &v); err != nil {
				return err
			}
		}
		if _, exists := d.MetricOfSent(name); exists {
			if n.Replace {
				return errorf(pgerrcode.WrongObjectType, "%q is not a view", name)
			}
			return errorf(pgerrcode.DuplicateTable, "relation %q already exists", name)
		}
		return d.CreateView(v, n.Replace)
	}
	return c, nil
}

// viewText is the text of a view's query: what stands after AS.
func viewText(text string, at int32) (string, error) {
	scan, err := pgquery.Scan(text)
	if err != nil {
		return "", parseError(err)
	}
	from, to, depth := -1, len(text), 0
	for _, t := range scan.Tokens {
		if t.Start < at {
			continue
		}
		switch t.Token {
		case pgquery.Token_ASCII_40:
			depth++
		case pgquery.Token_ASCII_41:
			depth--
		case pgquery.Token_AS:
			if from < 0 && depth == 0 {
				from = int(t.End)
			}
		case pgquery.Token_ASCII_59: // ;
			if from >= 0 && to == len(text) {
				to = int(t.Start)
			}
		}
	}
	if from < 0 {
		return "", errorAt(at, pgerrcode.SyntaxError, "a view needs a query")
	}
	return strings.TrimSpace(text[from:to]), nil
}

// viewColumns are the outputs of a query as a view's columns.
func viewColumns(q *Query, aliases []*pgquery.Node) ([]schema.ViewColumn, error) {
	if len(aliases) > len(q.Targets) {
		return nil, errorf(pgerrcode.SyntaxError, "CREATE VIEW specifies more column names than columns")
	}
	seen := map[string]bool{}
	columns := make([]schema.ViewColumn, len(q.Targets))
	for i, t := range q.Targets {
		c := schema.ViewColumn{
			Name: t.Name, Output: t.Name, Table: t.TableOID, Attribute: t.Attribute,
			TypeOID: uint32(t.Expr.Type().OID), Typmod: t.Expr.Type().Typmod,
		}
		if i < len(aliases) {
			c.Name = aliases[i].GetString_().GetSval()
		}
		if seen[c.Name] {
			return nil, errorf(pgerrcode.DuplicateColumn, "column %q specified more than once", c.Name)
		}
		seen[c.Name] = true
		if pseudo, ok := postgres.TypeByOID(t.Expr.Type().OID); !ok || pseudo.Kind == postgres.PseudoType {
			return nil, errorf(pgerrcode.InvalidTableDefinition, "column %q has pseudo-type %s", c.Name, t.Expr.Type().OID)
		}
		columns[i] = c
	}
	return columns, nil
}

// checkReplaced lets CREATE OR REPLACE VIEW add columns at the end, and nothing else.
func checkReplaced(old, v *schema.View) error {
	if len(v.Columns) < len(old.Columns) {
		return errorf(pgerrcode.InvalidTableDefinition, "cannot drop columns from view")
	}
	for i, c := range old.Columns {
		now := v.Columns[i]
		switch {
		case now.Name != c.Name:
			return errorf(pgerrcode.InvalidTableDefinition, "cannot change name of view column %q to %q", c.Name, now.Name).
				withHint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.")
		case now.TypeOID != c.TypeOID || now.Typmod != c.Typmod:
			return errorf(pgerrcode.InvalidTableDefinition, "cannot change data type of view column %q from %s to %s", c.Name,
				typeText(Type{OID: postgres.OID(c.TypeOID), Typmod: c.Typmod}), typeText(Type{OID: postgres.OID(now.TypeOID), Typmod: now.Typmod}))
		}
	}
	return nil
}

// CheckDraft says why the conversions or views that a draft of the schema has
// cannot be, those that it left as they were among them: they may need what it took
// away. The error is an *Error; in a conversion it has a position in its text.
func (p *Planner) CheckDraft(ctx context.Context, d *schema.Draft) error {
	if err := p.checkConversions(ctx, d); err != nil {
		return err
	}
	if err := p.checkPolicies(ctx, d); err != nil {
		return err
	}
	return p.checkViews(ctx, d)
}

func (p *Planner) checkViews(ctx context.Context, d *schema.Draft) error {
	for _, v := range d.Snapshot().Views {
		if err := p.checkView(ctx, d, v); err != nil {
			return err
		}
	}
	return nil
}

func (p *Planner) checkView(ctx context.Context, d *schema.Draft, v *schema.View) error {
	b := newBinder(p.lookupIn(ctx, d.Snapshot(), v.Path), conversionEnvironment(), &parameters{values: []*Const{}})
	b.env.database = d.Snapshot().Tenant
	_, err := b.viewQuery(v)
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	hint := "Drop the view first."
	if e.Code == pgerrcode.FeatureNotSupported {
		return &Error{
			Code: e.Code, Message: "cannot alter type of a column used by a view or rule",
			Detail: fmt.Sprintf("View %q: %s.", v.Name, e.Message), Hint: hint, Err: err,
		}
	}
	return &Error{
		Code: pgerrcode.DependentObjectsStillExist, Message: "cannot make this change because other objects depend on what it removes",
		Detail: fmt.Sprintf("View %q: %s.", v.Name, e.Message), Hint: hint, Err: err,
	}
}

// dropDependents drops the views that can no longer be, until none is left: what
// CASCADE asks for.
func (s *Session) dropDependents(ctx context.Context, c *schemaChange, d *schema.Draft) error {
	for again := true; again; {
		again = false
		for _, v := range d.Snapshot().Views {
			err := s.planner.checkView(ctx, d, v)
			if err == nil {
				continue
			}
			var e *Error
			if !errors.As(err, &e) {
				return err
			}
			c.notice(skipped, "drop cascades to view %s", postgres.QuoteIdentifier(v.Name))
			if err := d.DropView(v.Name); err != nil {
				return err
			}
			again = true
		}
	}
	return nil
}

// dropViews reads DROP VIEW.
func (s *Session) dropViews(n *pgquery.DropStmt) (*schemaChange, error) {
	var names []string
	for _, o := range n.Objects {
		name, err := s.publicTable(rangeVarOf(listTexts(o)))
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	c := &schemaChange{tag: "DROP VIEW", what: "drop view " + strings.Join(names, ", ")}
	c.bound = func(ctx context.Context, d *schema.Draft) error {
		for _, name := range names {
			_, isView := d.Snapshot().View(name)
			_, isTable := d.Metric(name)
			switch {
			case isTable:
				return errorf(pgerrcode.WrongObjectType, "%q is not a view", name).withHint("Use DROP TABLE to remove a table.")
			case !isView && n.MissingOk:
				c.notice(skipped, "view %q does not exist, skipping", name)
				continue
			case !isView:
				return errorf(pgerrcode.UndefinedTable, "view %q does not exist", name)
			}
			if err := d.DropView(name); err != nil {
				return err
			}
		}
		if n.Behavior == pgquery.DropBehavior_DROP_CASCADE {
			return s.dropDependents(ctx, c, d)
		}
		return nil
	}
	return c, nil
}

// notTable is the error for a view where a table must stand; nil: there is no such
// view.
func notTable(d *schema.Draft, name string) error {
	if _, ok := d.Snapshot().View(name); !ok {
		return nil
	}
	return errorf(pgerrcode.WrongObjectType, "%q is not a table", name)
}
