package planner

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema"
)

// skipped is the code of a notice that something was not there to act on.
const skipped = pgerrcode.SuccessfulCompletion

func columnMissing(table, column string) *Error {
	return errorf(pgerrcode.UndefinedColumn, "column %q of relation %q does not exist", column, table)
}

func columnExists(table, column string) *Error {
	return errorf(pgerrcode.DuplicateColumn, "column %q of relation %q already exists", column, table)
}

// objectName is the word that SQL has for a kind of object.
func objectName(t pgquery.ObjectType) string {
	return strings.ReplaceAll(strings.TrimPrefix(t.String(), "OBJECT_"), "_", " ")
}

// onTable makes a change of a table that must exist, unless missing is fine.
func (s *Session) onTable(rv *pgquery.RangeVar, what string, missingOK bool, edit func(c *schemaChange, d *schema.Draft, m *schema.Metric) error) (*schemaChange, error) {
	name, err := s.publicTable(rv)
	if err != nil {
		return nil, err
	}
	c := &schemaChange{tag: "ALTER TABLE", what: what + " metric " + name}
	c.edit = func(d *schema.Draft) error {
		m, ok := d.Metric(name)
		switch {
		case ok:
			return edit(c, d, m)
		case notTable(d, name) != nil:
			return notTable(d, name)
		case missingOK:
			c.notice(skipped, "relation %q does not exist, skipping", name)
			return nil
		}
		return notDeclared(d, name, rv.Location)
	}
	return c, nil
}

// fieldEdit is one command of ALTER TABLE on a column.
type fieldEdit func(c *schemaChange, d *schema.Draft, table string) error

// alterTable reads ALTER TABLE with its commands.
func (s *Session) alterTable(n *pgquery.AlterTableStmt, text string) (*schemaChange, error) {
	if n.Objtype != pgquery.ObjectType_OBJECT_TABLE {
		return nil, unsupported(nowhere, "ALTER %s", objectName(n.Objtype))
	}
	edits := make([]fieldEdit, 0, len(n.Cmds))
	for _, node := range n.Cmds {
		edit, err := alterCommand(node.GetAlterTableCmd(), text)
		if err != nil {
			return nil, err
		}
		edits = append(edits, edit)
	}
	c, err := s.onTable(n.Relation, "alter", n.MissingOk, func(c *schemaChange, d *schema.Draft, m *schema.Metric) error {
		for _, edit := range edits {
			if err := edit(c, d, m.Name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || !slices.ContainsFunc(n.Cmds, dropsAll) {
		return c, err
	}
	c.bound = func(ctx context.Context, d *schema.Draft) error {
		if err := c.edit(d); err != nil {
			return err
		}
		return s.cascade(ctx, c, d, pgquery.DropBehavior_DROP_CASCADE)
	}
	return c, nil
}

// dropsAll says that a command of ALTER TABLE drops what depends on what it drops.
func dropsAll(n *pgquery.Node) bool {
	return n.GetAlterTableCmd().GetBehavior() == pgquery.DropBehavior_DROP_CASCADE
}

func alterCommand(n *pgquery.AlterTableCmd, text string) (fieldEdit, error) {
	switch n.Subtype {
	case pgquery.AlterTableType_AT_AddColumn:
		return addColumn(n)
	case pgquery.AlterTableType_AT_DropColumn:
		return dropColumn(n), nil
	case pgquery.AlterTableType_AT_AlterColumnType:
		return alterColumnType(n, text)
	case pgquery.AlterTableType_AT_SetRelOptions, pgquery.AlterTableType_AT_ResetRelOptions:
		return setOptions(n)
	case pgquery.AlterTableType_AT_EnableRowSecurity:
		return rowSecurity(schema.RowSecurityOn), nil
	case pgquery.AlterTableType_AT_DisableRowSecurity:
		return rowSecurity(schema.RowSecurityOff), nil
	}
	return nil, unsupported(nowhere, "ALTER TABLE … %s", words(strings.TrimPrefix(n.Subtype.String(), "AT_")))
}

func addColumn(n *pgquery.AlterTableCmd) (fieldEdit, error) {
	f, err := fieldOf(n.Def)
	if err != nil {
		return nil, err
	}
	return func(c *schemaChange, d *schema.Draft, table string) error {
		if err := checkNoSystemColumn(f.Name); err != nil {
			return err
		}
		m, _ := d.Metric(table)
		if _, exists := m.Field(f.Name); exists || f.Name == schema.TimestampField {
			if !n.MissingOk {
				return columnExists(table, f.Name)
			}
			c.notice(pgerrcode.DuplicateColumn, "column %q of relation %q already exists, skipping", f.Name, table)
			return nil
		}
		return d.AddField(table, f)
	}, nil
}

func dropColumn(n *pgquery.AlterTableCmd) fieldEdit {
	return func(c *schemaChange, d *schema.Draft, table string) error {
		m, _ := d.Metric(table)
		if _, exists := m.Field(n.Name); !exists && n.Name != schema.TimestampField {
			if !n.MissingOk {
				return columnMissing(table, n.Name)
			}
			c.notice(skipped, "column %q of relation %q does not exist, skipping", n.Name, table)
			return nil
		}
		return d.DropField(table, n.Name)
	}
}

func alterColumnType(n *pgquery.AlterTableCmd, text string) (fieldEdit, error) {
	def := n.Def.GetColumnDef()
	if def.GetCollClause() != nil {
		return nil, unsupported(nowhere, "COLLATE")
	}
	t, err := fieldTypeOf(def.GetTypeName())
	if err != nil {
		return nil, err
	}
	var expr *using
	if def.GetRawDefault() != nil {
		if expr, err = readUsing(text, n); err != nil {
			return nil, err
		}
		if cast := def.RawDefault.GetTypeCast(); cast != nil && cast.Arg.GetColumnRef() != nil {
			to, err := fieldTypeOf(cast.TypeName)
			expr.plain = err == nil && to == t && len(expr.refs) == 1
		}
	}
	return func(_ *schemaChange, d *schema.Draft, table string) error {
		m, _ := d.Metric(table)
		if _, exists := m.Field(n.Name); !exists && n.Name != schema.TimestampField {
			return columnMissing(table, n.Name)
		}
		if expr != nil && n.Name != schema.TimestampField {
			if err := expr.convertAll(d, table, n.Name); err != nil {
				return err
			}
		}
		return d.ChangeFieldType(table, n.Name, t)
	}, nil
}

// rename reads ALTER TABLE … RENAME TO and RENAME COLUMN.
func (s *Session) rename(n *pgquery.RenameStmt) (*schemaChange, error) {
	switch {
	case n.RenameType == pgquery.ObjectType_OBJECT_POLICY:
		return s.renamePolicy(n)
	case n.RenameType == pgquery.ObjectType_OBJECT_VIEW, n.RenameType == pgquery.ObjectType_OBJECT_TABLE:
		return s.renameRelation(n)
	case n.RenameType == pgquery.ObjectType_OBJECT_COLUMN && (n.RelationType == pgquery.ObjectType_OBJECT_TABLE || n.RelationType == pgquery.ObjectType_OBJECT_VIEW):
		return s.renameColumn(n)
	}
	return nil, unsupported(nowhere, "ALTER %s RENAME", objectName(n.RenameType))
}

// renameColumn reads ALTER TABLE and ALTER VIEW … RENAME COLUMN. The first takes a
// view too, as PostgreSQL's does.
func (s *Session) renameColumn(n *pgquery.RenameStmt) (*schemaChange, error) {
	return s.renameIn(n, "rename field "+n.Subname+" of", func(d *schema.Draft, m *schema.Metric) error {
		if _, exists := m.Field(n.Subname); !exists && n.Subname != schema.TimestampField {
			return errorf(pgerrcode.UndefinedColumn, "column %q does not exist", n.Subname)
		}
		if err := checkNoSystemColumn(n.Newname); err != nil {
			return err
		}
		if _, taken := m.Field(n.Newname); taken || n.Newname == schema.TimestampField {
			return columnExists(m.Name, n.Newname)
		}
		if err := renameInPolicies(d, m, n.Subname, n.Newname); err != nil {
			return err
		}
		return d.RenameField(m.Name, n.Subname, n.Newname)
	}, func(d *schema.Draft, v *schema.View) error {
		has := func(name string) bool {
			return slices.ContainsFunc(v.Columns, func(c schema.ViewColumn) bool { return c.Name == name })
		}
		switch {
		case !has(n.Subname):
			return errorf(pgerrcode.UndefinedColumn, "column %q does not exist", n.Subname)
		case has(n.Newname):
			return columnExists(v.Name, n.Newname)
		}
		return d.RenameViewColumn(v.Name, n.Subname, n.Newname)
	})
}

// renameRelation reads ALTER TABLE and ALTER VIEW … RENAME TO.
func (s *Session) renameRelation(n *pgquery.RenameStmt) (*schemaChange, error) {
	return s.renameIn(n, "rename", func(d *schema.Draft, m *schema.Metric) error {
		if isRelation(d, n.Newname) {
			return errorf(pgerrcode.DuplicateTable, "relation %q already exists", n.Newname)
		}
		return d.RenameMetric(m.Name, n.Newname)
	}, func(d *schema.Draft, v *schema.View) error {
		if isRelation(d, n.Newname) {
			return errorf(pgerrcode.DuplicateTable, "relation %q already exists", n.Newname)
		}
		return d.RenameView(v.Name, n.Newname)
	})
}

// isRelation says that a table or view has a name.
func isRelation(d *schema.Draft, name string) bool {
	_, isMetric := d.Metric(name)
	_, isView := d.Snapshot().View(name)
	return isMetric || isView
}

// renameIn makes a change of a table's names or, where one of the name is there, of a
// view's.
func (s *Session) renameIn(n *pgquery.RenameStmt, what string, ofTable func(*schema.Draft, *schema.Metric) error, ofView func(*schema.Draft, *schema.View) error) (*schemaChange, error) {
	isView := n.RenameType == pgquery.ObjectType_OBJECT_VIEW || n.RelationType == pgquery.ObjectType_OBJECT_VIEW
	c, err := s.onTable(n.Relation, what, n.MissingOk, func(_ *schemaChange, d *schema.Draft, m *schema.Metric) error {
		if isView && n.RenameType != pgquery.ObjectType_OBJECT_COLUMN { // for columns PostgreSQL takes either
			return errorf(pgerrcode.WrongObjectType, "%q is not a view", m.Name)
		}
		return ofTable(d, m)
	})
	if err != nil {
		return nil, err
	}
	if isView {
		c.tag = "ALTER VIEW"
	}
	table := c.edit
	c.edit = func(d *schema.Draft) error {
		if v, is := d.Snapshot().View(n.Relation.Relname); is {
			return ofView(d, v)
		}
		return table(d)
	}
	return c, nil
}

// dropTables runs DROP TABLE, of declared metrics and of such as were only sent.
func (s *Session) dropTables(ctx context.Context, c *schemaChange, n *pgquery.DropStmt) error {
	names := make([]string, 0, len(n.Objects))
	for _, o := range n.Objects {
		name, err := s.publicTable(rangeVarOf(listTexts(o)))
		if err != nil {
			return err
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	observed, err := s.planner.cfg.Observed.Metrics(ctx, s.id.Tenant)
	if err != nil {
		return err
	}
	return s.changeSchema(ctx, "drop metric "+strings.Join(names, ", "), func(d *schema.Draft) error {
		c.notices = nil
		for _, name := range names {
			if err := notTable(d, name); err != nil {
				return err
			}
			if _, declared := d.Metric(name); declared {
				if err := d.DropMetric(name); err != nil {
					return err
				}
				continue
			}
			_, alias := d.MetricOfSent(name)
			sent := slices.IndexFunc(observed, func(o schema.ObservedMetric) bool { return sentNameIs(o.Sent, name) })
			switch {
			case sent >= 0 && !alias:
				if err := d.EndGeneration(observed[sent].Sent); err != nil {
					return err
				}
			case n.MissingOk:
				c.notice(skipped, "table %q does not exist, skipping", name)
			default:
				return tableMissing(d, "table", name, nowhere)
			}
		}
		return s.cascade(ctx, c, d, n.Behavior)
	})
}
