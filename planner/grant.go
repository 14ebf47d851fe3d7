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
)

// tablePrivileges are those that PostgreSQL has for tables. Rows come over HTTP, so
// only the first can be granted.
var tablePrivileges = []string{"select", "insert", "update", "delete", "truncate", "references", "trigger"}

// observePrivilege allows names that devices sent and nobody declared.
const observePrivilege = "observe"

// grant reads GRANT and REVOKE.
func (s *Session) grant(n *pgquery.GrantStmt) (*schemaChange, error) {
	tag := "REVOKE"
	if n.IsGrant {
		tag = "GRANT"
	}
	switch {
	case n.Targtype == pgquery.GrantTargetType_ACL_TARGET_DEFAULTS:
		return nil, unsupported(nowhere, "ALTER DEFAULT PRIVILEGES")
	case n.Objtype != pgquery.ObjectType_OBJECT_TABLE:
		return s.grantOther(n, tag)
	}
	privileges, err := readPrivileges(n)
	if err != nil {
		return nil, err
	}
	c := &schemaChange{tag: tag, what: strings.ToLower(tag) + " privileges"}
	c.bound = func(ctx context.Context, d *schema.Draft) error {
		names, err := s.lookup(ctx, s.settings.searchPath())
		if err != nil {
			return err
		}
		names.snapshot = d.Snapshot()
		if err := s.checkGrantor(names, n.Grantor); err != nil {
			return err
		}
		targets, err := s.grantTargets(names, n)
		if err != nil {
			return err
		}
		roles, err := s.roles(names, n.Grantees)
		if err != nil {
			return err
		}
		if n.IsGrant && n.GrantOption && slices.Contains(roles, schema.Public) {
			return errorf(pgerrcode.InvalidGrantOperation, "grant options can only be granted to roles")
		}
		for i := range targets {
			p, err := targets[i].privileges(privileges)
			if err != nil {
				return err
			}
			if p, err = s.allowed(c, n, d.Snapshot(), &targets[i], p); err != nil {
				return err
			}
			if p.None() {
				continue
			}
			for _, role := range roles {
				if err := s.changeGrant(d, n, targets[i].oid, role, p); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return c, nil
}

// grantor is who grants what this session does: an owner, or else its user.
func (s *Session) grantor() string {
	if s.id.Owner {
		return ""
	}
	return s.id.User
}

// checkGrantor reads GRANTED BY, which may name the session's user alone.
func (s *Session) checkGrantor(names *lookup, spec *pgquery.RoleSpec) error {
	if spec == nil {
		return nil
	}
	by, err := s.roles(names, []*pgquery.Node{{Node: &pgquery.Node_RoleSpec{RoleSpec: spec}}})
	if err == nil && by[0] != s.id.User {
		err = errorf(pgerrcode.FeatureNotSupported, "grantor must be current user")
	}
	return err
}

func (s *Session) changeGrant(d *schema.Draft, n *pgquery.GrantStmt, oid uint32, role string, p schema.Privileges) error {
	if n.IsGrant {
		err := d.Grant(oid, schema.Granting{Privileges: p, Role: role, Grantor: s.grantor(), Option: n.GrantOption})
		if errors.Is(err, schema.ErrCircularGrant) {
			return errorf(pgerrcode.InvalidGrantOperation, "%s", schema.ErrCircularGrant.Error())
		}
		return err
	}
	err := d.Revoke(oid, schema.Revoking{
		Privileges: p, Role: role, Grantor: s.grantor(), OptionOnly: n.GrantOption, Cascade: n.Behavior == pgquery.DropBehavior_DROP_CASCADE,
	})
	if errors.Is(err, schema.ErrDependentGrants) {
		return errorf(pgerrcode.DependentObjectsStillExist, "%s", schema.ErrDependentGrants.Error()).withHint("Use CASCADE to revoke them too.")
	}
	return err
}

// allowed are the privileges of a statement that this session may grant or revoke: an
// owner all, others what they have grant options on. Of the rest there is a warning, and
// an error if the user has no privilege at all.
func (s *Session) allowed(c *schemaChange, n *pgquery.GrantStmt, snapshot *schema.Snapshot, target *grantTarget, p schema.Privileges) (schema.Privileges, error) {
	if s.id.Owner {
		return p, nil
	}
	rights := snapshot.Rights(target.oid, s.id.User)
	may := p.AllowedBy(rights.Options)
	if p.Select || p.Observe {
		asked, got := schema.Privileges{Select: p.Select, Observe: p.Observe}, schema.Privileges{Select: may.Select, Observe: may.Observe}
		if got.None() && !rights.Select {
			return may, errorf(pgerrcode.InsufficientPrivilege, "permission denied for %s %s", target.kind, target.name)
		}
		warnGrant(c, n, asked, got, fmt.Sprintf("%q", target.name))
	}
	for _, column := range p.Columns {
		if slices.Contains(may.Columns, column) {
			continue
		}
		name := target.column(column)
		if !rights.Column(column) {
			return may, errorf(pgerrcode.InsufficientPrivilege, "permission denied for column %q of relation %q", name, target.name)
		}
		warnGrant(c, n, schema.Privileges{Select: true}, schema.Privileges{}, fmt.Sprintf("column %q of relation %q", name, target.name))
	}
	return may, nil
}

// warnGrant warns where a statement does less than it was asked to.
func warnGrant(c *schemaChange, n *pgquery.GrantStmt, asked, may schema.Privileges, what string) {
	code, verb := pgerrcode.PrivilegeNotGranted, "were granted"
	if !n.IsGrant {
		code, verb = pgerrcode.PrivilegeNotRevoked, "could be revoked"
	}
	switch {
	case may.None():
		c.warn(code, "no privileges %s for %s", verb, what)
	case !may.Equal(asked) && len(n.Privileges) > 0: // ALL are those that can be
		c.warn(code, "not all privileges %s for %s", verb, what)
	}
}

// grantOther reads a grant on what is no table. Everybody may use the schemas and
// connect to the tenant's database, so granting that changes nothing.
func (s *Session) grantOther(n *pgquery.GrantStmt, tag string) (*schemaChange, error) {
	if err := s.checkOwner("change its schema"); err != nil {
		return nil, err
	}
	if n.GrantOption {
		return nil, unsupported(nowhere, "a grant option on %s", objectName(n.Objtype))
	}
	had := map[pgquery.ObjectType]string{pgquery.ObjectType_OBJECT_SCHEMA: "usage", pgquery.ObjectType_OBJECT_DATABASE: "connect"}[n.Objtype]
	isHad := func(p *pgquery.Node) bool { return p.GetAccessPriv().GetPrivName() == had }
	if !n.IsGrant || had == "" || len(n.Privileges) == 0 || !slices.ContainsFunc(n.Privileges, isHad) || len(n.Privileges) > 1 {
		return nil, unsupported(nowhere, "%s ON %s", tag, objectName(n.Objtype)).
			withHint("Every user may use the schemas and connect. What can be granted is SELECT and observe, on tables.")
	}
	c := &schemaChange{tag: tag, what: "grant privileges"}
	c.bound = func(ctx context.Context, _ *schema.Draft) error {
		names, err := s.lookup(ctx, s.settings.searchPath())
		if err != nil {
			return err
		}
		for _, o := range n.Objects {
			name := o.GetString_().GetSval()
			switch {
			case n.Objtype == pgquery.ObjectType_OBJECT_SCHEMA && !isSchema(name):
				return errorf(pgerrcode.InvalidSchemaName, "schema %q does not exist", name)
			case n.Objtype == pgquery.ObjectType_OBJECT_DATABASE && name != s.id.Tenant:
				return errorf(pgerrcode.InvalidCatalogName, "database %q does not exist", name)
			}
		}
		_, err = s.roles(names, n.Grantees)
		return err
	}
	return c, nil
}

// privilegeList is what GRANT and REVOKE list: whole rights, and those on columns.
type privilegeList struct {
	selects, observes bool
	columns           []string
}

func readPrivileges(n *pgquery.GrantStmt) (privilegeList, error) {
	if len(n.Privileges) == 0 { // ALL
		return privilegeList{selects: true, observes: true}, nil
	}
	var list privilegeList
	for _, node := range n.Privileges {
		p := node.GetAccessPriv()
		var columns []string
		for _, c := range p.Cols {
			columns = append(columns, c.GetString_().GetSval())
		}
		name := strings.ToLower(p.PrivName)
		switch {
		case name == "" || name == "select": // ALL (columns)
			list.columns = append(list.columns, columns...)
			list.selects = list.selects || columns == nil
		case name == observePrivilege && columns == nil:
			list.observes = true
		case name == observePrivilege:
			return list, errorf(pgerrcode.InvalidGrantOperation, "invalid privilege type %s for column", name)
		case !slices.Contains(tablePrivileges, name):
			if slices.Contains([]string{"usage", "execute", "create", "connect", "temporary", "temp", "set", "alter system"}, name) {
				return list, errorf(pgerrcode.InvalidGrantOperation, "invalid privilege type %s for table", strings.ToUpper(name))
			}
			return list, errorf(pgerrcode.SyntaxError, "unrecognized privilege type %q", p.PrivName)
		case n.IsGrant:
			return list, withIngestHint(unsupported(nowhere, "GRANT %s", strings.ToUpper(name)))
		}
	}
	return list, nil
}

// grantTarget is a table or view that privileges are given on.
type grantTarget struct {
	oid        uint32
	kind, name string
	// columns are the names and attribute numbers of its columns.
	columns map[string]int
}

func (s *Session) grantTargets(names *lookup, n *pgquery.GrantStmt) ([]grantTarget, error) {
	tables, err := grantTables(names, n)
	if err != nil {
		return nil, err
	}
	out := make([]grantTarget, 0, len(tables))
	for _, t := range tables {
		if t.metric != nil && !s.id.Owner {
			r := names.snapshot.Rights(t.metric.oid, s.id.User)
			t.metric.unseen = !r.Observe
		}
		target, err := newGrantTarget(t)
		if err != nil {
			return nil, err
		}
		out = append(out, target)
	}
	return out, nil
}

// grantTables are the tables and views that a statement names.
func grantTables(names *lookup, n *pgquery.GrantStmt) ([]*table, error) {
	var out []*table
	for _, o := range n.Objects {
		if n.Targtype == pgquery.GrantTargetType_ACL_TARGET_ALL_IN_SCHEMA {
			name := o.GetString_().GetSval()
			if !isSchema(name) {
				return nil, errorf(pgerrcode.InvalidSchemaName, "schema %q does not exist", name)
			}
			in, err := names.grantable(name)
			if err != nil {
				return nil, err
			}
			out = append(out, in...)
			continue
		}
		rv := o.GetRangeVar()
		t, err := names.table(rv.Schemaname, rv.Relname, nowhere)
		if err != nil {
			return nil, err
		}
		if t.catalog != nil {
			return nil, errorf(pgerrcode.InsufficientPrivilege, "permission denied: %q is a system catalog", rv.Relname)
		}
		out = append(out, t)
	}
	return out, nil
}

// grantable are the tables and views of a schema.
func (l *lookup) grantable(schemaName string) ([]*table, error) {
	var tables []*table
	switch schemaName {
	case schemaErrors:
		tables = append(tables, &table{metric: l.errorTable()})
	case schemaPublic:
		for _, m := range l.snapshot.Metrics {
			tables = append(tables, &table{metric: l.declared(m)})
		}
		for _, v := range l.snapshot.Views {
			tables = append(tables, &table{view: v})
		}
		observed, err := l.observed()
		if err != nil {
			return nil, err
		}
		for i := range observed {
			if _, declared := l.snapshot.MetricOfSent(observed[i].Sent); !declared {
				tables = append(tables, &table{metric: l.undeclared(observed[i].Sent)})
			}
		}
	}
	return tables, nil
}

func newGrantTarget(t *table) (grantTarget, error) {
	target := grantTarget{columns: map[string]int{}}
	if t.view != nil {
		target.oid, target.kind, target.name = schema.ViewOID(t.view), "view", t.view.Name
		for i, c := range t.view.Columns {
			target.columns[c.Name] = i + 1
		}
		return target, nil
	}
	target.oid, target.kind, target.name = t.metric.oid, "table", t.metric.name
	if err := t.metric.expand(); err != nil {
		return target, err
	}
	for _, c := range t.metric.columns {
		target.columns[c.name] = int(c.attribute)
	}
	return target, nil
}

// column is the name of one of its columns.
func (t *grantTarget) column(attribute int) string {
	for name, number := range t.columns {
		if number == attribute {
			return name
		}
	}
	return ""
}

// privileges are those of a list, its columns by their numbers.
func (t *grantTarget) privileges(list privilegeList) (schema.Privileges, error) {
	p := schema.Privileges{Select: list.selects, Observe: list.observes}
	for _, name := range list.columns {
		attribute, ok := t.columns[name]
		if !ok {
			return p, columnMissing(t.name, name)
		}
		p.Columns = append(p.Columns, attribute)
	}
	return p, nil
}

// roles are the names of roles that a statement lists.
func (s *Session) roles(names *lookup, nodes []*pgquery.Node) ([]string, error) {
	var out []string
	for _, node := range nodes {
		spec := node.GetRoleSpec()
		switch spec.Roletype {
		case pgquery.RoleSpecType_ROLESPEC_PUBLIC:
			out = append(out, schema.Public)
			continue
		case pgquery.RoleSpecType_ROLESPEC_CSTRING:
			if _, ok, err := names.objectOID("pg_roles", "rolname", spec.Rolename); err != nil {
				return nil, err
			} else if !ok {
				return nil, errorf(pgerrcode.UndefinedObject, "role %q does not exist", spec.Rolename)
			}
			out = append(out, spec.Rolename)
		default: // CURRENT_USER and its like
			out = append(out, s.id.User)
		}
	}
	return out, nil
}
