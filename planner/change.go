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

// schemaChange is a statement that changes declarations: what it does to a draft,
// and what it says.
type schemaChange struct {
	tag  string
	what string // for the schema's history
	// edit changes the draft. It may be tried again on a newer one.
	edit func(d *schema.Draft) error
	// bound is edit of a statement that binds names.
	bound   func(ctx context.Context, d *schema.Draft) error
	notices []*Notice
}

// checkChange says, before it runs, whether this user may change the schema so.
func (s *Session) checkChange(st *Statement) error {
	if s.settings.get("transaction_read_only") == "on" {
		return errorf(pgerrcode.ReadOnlySQLTransaction, "cannot execute %s in a read-only transaction", strings.ToUpper(statementName(st.node)))
	}
	// Who is no owner may have been granted what they grant.
	if grant := st.node.GetGrantStmt(); grant == nil || grant.Objtype != pgquery.ObjectType_OBJECT_TABLE {
		if err := s.checkOwner("change its schema"); err != nil {
			return err
		}
	}
	_, err := s.newChange(st)
	return err
}

// change runs a statement that changes declarations.
func (s *Session) change(ctx context.Context, st *Statement) (*Result, error) {
	if err := s.preventInBlock(st); err != nil {
		return nil, err
	}
	c, err := s.newChange(st)
	if err != nil {
		return nil, err
	}
	if drop := st.node.GetDropStmt(); drop != nil && c.bound == nil {
		err = s.dropTables(ctx, c, drop)
	} else {
		err = s.changeSchema(ctx, c.what, func(d *schema.Draft) error {
			c.notices = nil
			if c.bound != nil {
				return c.bound(ctx, d)
			}
			return c.edit(d)
		})
	}
	if err != nil {
		return nil, err
	}
	return &Result{Tag: c.tag, Notices: c.notices}, nil
}

// newChange reads a statement that changes declarations.
func (s *Session) newChange(st *Statement) (*schemaChange, error) {
	switch n := st.node.GetNode().(type) {
	case *pgquery.Node_CreateStmt:
		return s.createTable(n.CreateStmt)
	case *pgquery.Node_AlterTableStmt:
		return s.alterTable(n.AlterTableStmt, st.Text)
	case *pgquery.Node_RenameStmt:
		return s.rename(n.RenameStmt)
	case *pgquery.Node_CommentStmt:
		return s.comment(n.CommentStmt)
	case *pgquery.Node_ViewStmt:
		return s.createView(n.ViewStmt, st.Text)
	case *pgquery.Node_GrantStmt:
		return s.grant(n.GrantStmt)
	case *pgquery.Node_CreatePolicyStmt:
		return s.createPolicy(n.CreatePolicyStmt, st.Text)
	case *pgquery.Node_AlterPolicyStmt:
		return s.alterPolicy(n.AlterPolicyStmt, st.Text)
	case *pgquery.Node_DropStmt:
		if n.DropStmt.RemoveType == pgquery.ObjectType_OBJECT_POLICY {
			return s.dropPolicy(n.DropStmt)
		}
		if n.DropStmt.RemoveType == pgquery.ObjectType_OBJECT_VIEW {
			return s.dropViews(n.DropStmt)
		}
		if n.DropStmt.RemoveType != pgquery.ObjectType_OBJECT_TABLE {
			return nil, unsupported(nowhere, "DROP %s", objectName(n.DropStmt.RemoveType))
		}
		return &schemaChange{tag: "DROP TABLE"}, nil
	}
	return nil, unsupported(nowhere, "%s", statementName(st.node))
}

// changeSchema makes the next version of the tenant's schema.
func (s *Session) changeSchema(ctx context.Context, what string, edit func(*schema.Draft) error) error {
	_, err := s.planner.cfg.Schemas.Change(ctx, s.id.Tenant, s.id.User, what, func(d *schema.Draft) error {
		if err := edit(d); err != nil {
			return err
		}
		return detached(s.planner.CheckDraft(ctx, d))
	})
	return changeError(err)
}

// changeError makes of what the schema refuses an error with its SQLSTATE, where
// the statement did not already.
func changeError(err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	code := ""
	switch {
	case errors.Is(err, schema.ErrFieldExists):
		code = pgerrcode.DuplicateColumn
	case errors.Is(err, schema.ErrFieldNotFound):
		code = pgerrcode.UndefinedColumn
	case errors.Is(err, schema.ErrUnknownType):
		code = pgerrcode.FeatureNotSupported
	case errors.Is(err, schema.ErrExists):
		code = pgerrcode.DuplicateTable
	case errors.Is(err, schema.ErrNotFound):
		code = pgerrcode.UndefinedTable
	}
	var invalid *schema.Invalid
	isInvalid := errors.As(err, &invalid)
	if code == "" {
		if !isInvalid {
			return err
		}
		code = pgerrcode.InvalidTableDefinition
	}
	e := &Error{Code: code, Message: err.Error(), Err: err}
	if isInvalid {
		e.Hint = invalid.Hint
	}
	return e
}

// publicTable is the name of a table that can be changed: one of schema public.
func (s *Session) publicTable(rv *pgquery.RangeVar) (string, error) {
	switch {
	case rv.Catalogname != "" && rv.Catalogname != s.id.Tenant:
		return "", errorAt(rv.Location, pgerrcode.FeatureNotSupported, "cross-database references are not implemented: \"%s.%s.%s\"",
			rv.Catalogname, rv.Schemaname, rv.Relname)
	case rv.Schemaname == "" || rv.Schemaname == schemaPublic:
		return rv.Relname, nil
	case isSchema(rv.Schemaname):
		return "", errorAt(rv.Location, pgerrcode.InsufficientPrivilege, "permission denied for schema %s", rv.Schemaname)
	}
	return "", errorAt(rv.Location, pgerrcode.InvalidSchemaName, "schema %q does not exist", rv.Schemaname)
}

// createTable reads CREATE TABLE.
func (s *Session) createTable(n *pgquery.CreateStmt) (*schemaChange, error) {
	name, err := s.publicTable(n.Relation)
	if err != nil {
		return nil, err
	}
	at := n.Relation.Location
	switch {
	case n.Relation.Relpersistence == "t":
		return nil, withIngestHint(unsupported(at, "CREATE TEMPORARY TABLE"))
	case n.Relation.Relpersistence == "u":
		return nil, unsupported(at, "CREATE UNLOGGED TABLE")
	case len(n.InhRelations) > 0 || n.Partbound != nil || n.Partspec != nil:
		return nil, unsupported(at, "inheritance or partitioning")
	case n.OfTypename != nil:
		return nil, unsupported(at, "CREATE TABLE OF")
	case len(n.Constraints) > 0 || n.Tablespacename != "" || n.AccessMethod != "":
		return nil, unsupported(at, "a table constraint or tablespace")
	}
	m := schema.Metric{Name: name}
	if _, err := tableOptions(&m, n.Options); err != nil {
		return nil, err
	}
	for _, elt := range n.TableElts {
		f, err := fieldOf(elt)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(m.Fields, func(o schema.Field) bool { return o.Name == f.Name }) {
			return nil, errorf(pgerrcode.DuplicateColumn, "column %q specified more than once", f.Name)
		}
		if err := checkNoSystemColumn(f.Name); err != nil {
			return nil, err
		}
		m.Fields = append(m.Fields, f)
	}
	c := &schemaChange{tag: "CREATE TABLE", what: "create metric " + name}
	c.edit = func(d *schema.Draft) error {
		_, exists := d.Metric(name)
		if _, isView := d.Snapshot().View(name); exists || isView {
			if !n.IfNotExists {
				return errorAt(nowhere, pgerrcode.DuplicateTable, "relation %q already exists", name)
			}
			c.notice(pgerrcode.DuplicateTable, "relation %q already exists, skipping", name)
			return nil
		}
		return d.CreateMetric(m)
	}
	return c, nil
}

// checkNoSystemColumn refuses the name of a column that every table of PostgreSQL has.
func checkNoSystemColumn(name string) error {
	switch name {
	case "ctid", "xmin", "cmin", "xmax", "cmax", "tableoid":
		return errorf(pgerrcode.DuplicateColumn, "column name %q conflicts with a system column name", name)
	}
	return nil
}

func (c *schemaChange) notice(code, format string, args ...any) {
	c.notices = append(c.notices, &Notice{Severity: "NOTICE", Code: code, Message: fmt.Sprintf(format, args...)})
}

// warn is notice for what may not be what was meant.
func (c *schemaChange) warn(code, format string, args ...any) {
	c.notice(code, format, args...)
	c.notices[len(c.notices)-1].Severity = "WARNING"
}

// fieldOf reads a column definition.
func fieldOf(n *pgquery.Node) (schema.Field, error) {
	def := n.GetColumnDef()
	if def == nil {
		return schema.Field{}, unsupported(locate(n), "a table constraint or LIKE")
	}
	for _, c := range def.Constraints {
		if kind := c.GetConstraint().GetContype(); kind != pgquery.ConstrType_CONSTR_NULL {
			return schema.Field{}, unsupported(c.GetConstraint().GetLocation(), "a column constraint or default")
		}
	}
	if def.CollClause != nil || def.Compression != "" || def.StorageName != "" || len(def.Fdwoptions) > 0 {
		return schema.Field{}, unsupported(def.Location, "a column option")
	}
	t, err := fieldTypeOf(def.TypeName)
	return schema.Field{Name: def.Colname, Type: t}, err
}

// fieldTypeOf reads the type of a column.
func fieldTypeOf(n *pgquery.TypeName) (schema.Type, error) {
	bound, err := new(binder).typeName(n)
	if err != nil {
		return schema.Type{}, err
	}
	t, err := schema.ParseType(postgres.FormatType(bound.OID, bound.Typmod))
	if err == nil {
		return t, nil
	}
	e := errorAt(n.Location, pgerrcode.FeatureNotSupported, "no field can have type %s", typeText(bound))
	var invalid *schema.Invalid
	if errors.As(err, &invalid) {
		e.Hint = invalid.Hint
	}
	return t, e
}

// notDeclared is the error for a table that ALTER or COMMENT names and nobody
// declared.
func notDeclared(d *schema.Draft, name string, at int32) *Error {
	e := tableMissing(d, "relation", name, at)
	if e.Hint == "" {
		e.Hint = "Only a declared table can be changed. CREATE TABLE declares one, also for events that are there already."
	}
	return e
}

// tableMissing is the error for a table that is not there.
func tableMissing(d *schema.Draft, kind, name string, at int32) *Error {
	e := errorAt(at, pgerrcode.UndefinedTable, "%s %q does not exist", kind, name)
	if m, ok := d.MetricOfSent(name); ok {
		return e.withHint("%q is an alias of table %q.", name, m.Name)
	}
	return e
}

// comment reads COMMENT ON TABLE and COMMENT ON COLUMN.
func (s *Session) comment(n *pgquery.CommentStmt) (*schemaChange, error) {
	parts := listTexts(n.Object)
	field := ""
	switch n.Objtype {
	case pgquery.ObjectType_OBJECT_COLUMN:
		if len(parts) < 2 {
			return nil, errorf(pgerrcode.SyntaxError, "column name must be qualified")
		}
		parts, field = parts[:len(parts)-1], parts[len(parts)-1]
	case pgquery.ObjectType_OBJECT_TABLE, pgquery.ObjectType_OBJECT_VIEW:
	default:
		return nil, unsupported(nowhere, "COMMENT ON %s", objectName(n.Objtype))
	}
	name, err := s.publicTable(rangeVarOf(parts))
	if err != nil {
		return nil, err
	}
	c := &schemaChange{tag: "COMMENT", what: "comment on metric " + name}
	c.edit = func(d *schema.Draft) error {
		if v, isView := d.Snapshot().View(name); isView {
			return commentView(d, v, n, field)
		}
		m, ok := d.Metric(name)
		if !ok {
			return notDeclared(d, name, nowhere)
		}
		if n.Objtype == pgquery.ObjectType_OBJECT_VIEW {
			return errorf(pgerrcode.WrongObjectType, "%q is not a view", name)
		}
		if _, ok := m.Field(field); field != "" && !ok {
			return columnMissing(name, field)
		}
		return d.SetComment(name, field, n.Comment)
	}
	return c, nil
}

// commentView comments on a view, or on a column of it.
func commentView(d *schema.Draft, v *schema.View, n *pgquery.CommentStmt, column string) error {
	switch n.Objtype {
	case pgquery.ObjectType_OBJECT_TABLE:
		return notTable(d, v.Name)
	case pgquery.ObjectType_OBJECT_VIEW:
		return d.CommentView(v.Name, n.Comment)
	}
	if !slices.ContainsFunc(v.Columns, func(c schema.ViewColumn) bool { return c.Name == column }) {
		return columnMissing(v.Name, column)
	}
	return d.CommentViewColumn(v.Name, column, n.Comment)
}

// listTexts are the words of a list of names.
func listTexts(n *pgquery.Node) []string {
	var out []string
	for _, item := range n.GetList().GetItems() {
		out = append(out, item.GetString_().GetSval())
	}
	return out
}

// rangeVarOf is a dotted name as the parser gives tables.
func rangeVarOf(parts []string) *pgquery.RangeVar {
	rv := &pgquery.RangeVar{Location: nowhere}
	if n := len(parts); n > 0 {
		rv.Relname = parts[n-1]
		if n > 1 {
			rv.Schemaname = parts[n-2]
		}
		if n > 2 {
			rv.Catalogname = parts[n-3]
		}
	}
	return rv
}
