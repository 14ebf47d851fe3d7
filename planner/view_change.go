package planner

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

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
		return s.planner.declareView(ctx, d, v, &viewSource{n.Query.GetSelectStmt(), s.environment(), aliasNames(n.Aliases), n.Replace})
	}
	return c, nil
}

// viewSource is what a view is made of: its query, what that is bound in, and names
// for the first columns.
type viewSource struct {
	query   *pgquery.SelectStmt
	env     *environment
	columns []string
	// replace: one of the name may be there.
	replace bool
}

// DeclareView declares a view of a name and a query, of which the first columns are
// called columns, or with replace makes one that is there into it, as CREATE OR REPLACE
// VIEW does. The error is an *Error, or one of the draft's.
func (p *Planner) DeclareView(ctx context.Context, d *schema.Draft, name, query string, columns []string, replace bool) error {
	n, err := parseView(query)
	if err != nil {
		return err
	}
	if n.IntoClause != nil {
		return errorf(pgerrcode.FeatureNotSupported, "views must not contain SELECT INTO")
	}
	env := conversionEnvironment()
	env.database = d.Snapshot().Tenant
	v := schema.View{Name: name, Query: query, Path: catalogPath([]string{schemaPublic})}
	return placeError(p.declareView(ctx, d, v, &viewSource{n, env, columns, replace}), query)
}

func (p *Planner) declareView(ctx context.Context, d *schema.Draft, v schema.View, from *viewSource) error {
	names := p.lookupIn(ctx, d.Snapshot(), v.Path)
	names.noted = map[string]uint32{}
	q, err := newBinder(names, from.env, &parameters{values: []*Const{}}).query(from.query)
	if err != nil {
		return err
	}
	if p.cfg.Engine != nil {
		if err := p.cfg.Engine.Check(ctx, q); err != nil {
			return err
		}
	}
	v.Relations = names.noted
	if v.Columns, err = viewColumns(q, from.columns); err != nil {
		return err
	}
	if old, exists := d.Snapshot().View(v.Name); exists {
		if !from.replace {
			return errorf(pgerrcode.DuplicateTable, "relation %q already exists", v.Name)
		}
		if err := checkReplaced(old, &v); err != nil {
			return err
		}
	}
	if _, exists := d.MetricOfSent(v.Name); exists {
		if from.replace {
			return errorf(pgerrcode.WrongObjectType, "%q is not a view", v.Name)
		}
		return errorf(pgerrcode.DuplicateTable, "relation %q already exists", v.Name)
	}
	return d.CreateView(v, from.replace)
}

func aliasNames(nodes []*pgquery.Node) []string {
	out := make([]string, len(nodes))
	for i, n := range nodes {
		out[i] = n.GetString_().GetSval()
	}
	return out
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
func viewColumns(q *Query, aliases []string) ([]schema.ViewColumn, error) {
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
			c.Name = aliases[i]
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

// dropViews reads DROP VIEW.
func (s *Session) dropViews(n *pgquery.DropStmt) (*schemaChange, error) {
	var names []string
	for _, o := range n.Objects {
		name, err := s.publicTable(rangeVarOf(listTexts(o)))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
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
		return s.cascade(ctx, c, d, n.Behavior)
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
