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

// createPolicy reads CREATE POLICY, of such as say what can be read.
func (s *Session) createPolicy(n *pgquery.CreatePolicyStmt, text string) (*schemaChange, error) {
	switch {
	case n.WithCheck != nil:
		return nil, withIngestHint(unsupported(nowhere, "WITH CHECK"))
	case n.CmdName != "select" && n.CmdName != "all":
		return nil, withIngestHint(unsupported(nowhere, "CREATE POLICY … FOR %s", strings.ToUpper(n.CmdName)))
	}
	p := schema.Policy{Name: n.PolicyName, Restrictive: !n.Permissive, Using: "true", Path: catalogPath(s.settings.searchPath())}
	if n.Qual != nil {
		var err error
		if p.Using, err = policyText(text, n.Qual); err != nil {
			return nil, err
		}
	}
	return s.onPolicies(n.Table, "CREATE POLICY", func(ctx context.Context, names *lookup, d *schema.Draft, t *metricTable) error {
		var err error
		if p.Roles, err = s.roles(names, n.Roles); err != nil {
			return err
		}
		if err := s.checkPolicy(ctx, names, t, &p); err != nil {
			return err
		}
		err = d.CreatePolicy(t.oid, p)
		if errors.Is(err, schema.ErrExists) {
			return errorf(pgerrcode.DuplicateObject, "policy %q for table %q already exists", n.PolicyName, t.name)
		}
		return err
	})
}

// alterPolicy reads ALTER POLICY, which gives a policy other roles or another
// condition.
func (s *Session) alterPolicy(n *pgquery.AlterPolicyStmt, text string) (*schemaChange, error) {
	if n.WithCheck != nil {
		return nil, withIngestHint(unsupported(nowhere, "WITH CHECK"))
	}
	using := ""
	if n.Qual != nil {
		var err error
		if using, err = policyText(text, n.Qual); err != nil {
			return nil, err
		}
	}
	return s.onPolicies(n.Table, "ALTER POLICY", func(ctx context.Context, names *lookup, d *schema.Draft, t *metricTable) error {
		changed := schema.Policy{Using: using, Path: catalogPath(s.settings.searchPath())}
		var err error
		if changed.Roles, err = s.roles(names, n.Roles); err != nil {
			return err
		}
		if using != "" {
			if err := s.checkPolicy(ctx, names, t, &changed); err != nil {
				return err
			}
		}
		return policyMissing(t, n.PolicyName, d.ChangePolicy(t.oid, n.PolicyName, func(p *schema.Policy) {
			if len(changed.Roles) > 0 {
				p.Roles = changed.Roles
			}
			if using != "" {
				p.Using, p.Path = using, changed.Path
			}
		}))
	})
}

// renamePolicy reads ALTER POLICY … RENAME TO.
func (s *Session) renamePolicy(n *pgquery.RenameStmt) (*schemaChange, error) {
	return s.onPolicies(n.Relation, "ALTER POLICY", func(_ context.Context, _ *lookup, d *schema.Draft, t *metricTable) error {
		if a := d.Snapshot().AccessTo(t.oid); a != nil && a.HasPolicy(n.Newname) {
			return errorf(pgerrcode.DuplicateObject, "policy %q for table %q already exists", n.Newname, t.name)
		}
		return policyMissing(t, n.Subname, d.ChangePolicy(t.oid, n.Subname, func(p *schema.Policy) { p.Name = n.Newname }))
	})
}

// dropPolicy reads DROP POLICY.
func (s *Session) dropPolicy(n *pgquery.DropStmt) (*schemaChange, error) {
	parts := listTexts(n.Objects[0])
	name := parts[len(parts)-1]
	var c *schemaChange
	c, err := s.onPolicies(rangeVarOf(parts[:len(parts)-1]), "DROP POLICY", func(_ context.Context, _ *lookup, d *schema.Draft, t *metricTable) error {
		err := policyMissing(t, name, d.DropPolicy(t.oid, name))
		if err != nil && n.MissingOk {
			c.notice(skipped, "policy %q for relation %q does not exist, skipping", name, t.name)
			return nil
		}
		return err
	})
	return c, err
}

// rowSecurity reads ALTER TABLE … ENABLE and DISABLE ROW LEVEL SECURITY.
func rowSecurity(to schema.RowSecurity) fieldEdit {
	return func(_ *schemaChange, d *schema.Draft, table string) error {
		m, _ := d.Metric(table)
		d.SetRowSecurity(schema.TableOID(m), to)
		return nil
	}
}

func policyMissing(t *metricTable, name string, err error) error {
	if errors.Is(err, schema.ErrNotFound) {
		return errorf(pgerrcode.UndefinedObject, "policy %q for table %q does not exist", name, t.name)
	}
	return err
}

// onPolicies makes a change of a table's policies.
func (s *Session) onPolicies(rv *pgquery.RangeVar, tag string, edit func(ctx context.Context, names *lookup, d *schema.Draft, t *metricTable) error) (*schemaChange, error) {
	c := &schemaChange{tag: tag, what: strings.ToLower(tag) + " on " + rv.Relname}
	c.bound = func(ctx context.Context, d *schema.Draft) error {
		names, err := s.lookup(ctx, s.settings.searchPath())
		if err != nil {
			return err
		}
		names.snapshot = d.Snapshot()
		t, err := names.table(rv.Schemaname, rv.Relname, nowhere)
		switch {
		case err != nil:
			return err
		case t.catalog != nil:
			return errorf(pgerrcode.InsufficientPrivilege, "permission denied: %q is a system catalog", rv.Relname)
		case t.view != nil:
			return errorf(pgerrcode.WrongObjectType, "%q is not a table", rv.Relname)
		}
		if err := t.metric.expand(); err != nil {
			return err
		}
		return edit(ctx, names, d, t.metric)
	}
	return c, nil
}

// checkPolicy binds a policy's condition, and asks the engine.
func (s *Session) checkPolicy(ctx context.Context, names *lookup, t *metricTable, p *schema.Policy) error {
	b := newBinder(names, s.environment(), &parameters{values: []*Const{}})
	scan := b.newMetricScan(t, t.name)
	e, err := b.policy(scan, t, p.Using, p.Path)
	if err != nil {
		return err
	}
	return s.checkEngine(ctx, &Query{Targets: []Target{{Expr: e, Name: "policy"}}, From: []FromItem{scan}})
}

// policyText is the text of a policy's condition: what stands between the brackets
// after USING.
func policyText(text string, condition *pgquery.Node) (string, error) {
	scan, err := pgquery.Scan(text)
	if err != nil {
		return "", parseError(err)
	}
	from, depth, using := -1, 0, false
	for _, t := range scan.Tokens {
		switch {
		case from < 0 && t.Token == pgquery.Token_USING && t.Start < locate(condition):
			using = true
		case !using:
		case t.Token == pgquery.Token_ASCII_40:
			if depth == 0 {
				from = int(t.End)
			}
			depth++
		case t.Token == pgquery.Token_ASCII_41:
			if depth--; depth == 0 {
				return strings.TrimSpace(text[from:t.Start]), nil
			}
		}
	}
	return "", errorf(pgerrcode.SyntaxError, "the condition of a policy stands in brackets")
}

// renamedIn is the text of a policy's condition after a column of its table has
// another name.
func renamedIn(text, from, to string) (string, error) {
	parsed, err := parseExpr(text)
	if err != nil {
		return "", err
	}
	names := map[int32]int{} // the parts of the names that end in the column's, by their places
	visitNodes(parsed.ProtoReflect(), func(n *pgquery.Node) {
		parts, star := nameParts(n.GetColumnRef().GetFields())
		if len(parts) > 0 && !star && parts[len(parts)-1] == from {
			names[n.GetColumnRef().Location-int32(len(conversionPrefix))] = len(parts)
		}
	})
	scan, err := pgquery.Scan(text)
	if err != nil {
		return "", parseError(err)
	}
	var b strings.Builder
	at := int32(0)
	for i, t := range scan.Tokens {
		parts := names[t.Start]
		if last := i + 2*(parts-1); parts > 0 && last < len(scan.Tokens) {
			b.WriteString(text[at:scan.Tokens[last].Start] + postgres.QuoteIdentifier(to))
			at = scan.Tokens[last].End
		}
	}
	return b.String() + text[at:], nil
}

// renameInPolicies has the policies of a table name a column as it is called now.
func renameInPolicies(d *schema.Draft, m *schema.Metric, from, to string) error {
	a := d.Snapshot().AccessTo(schema.TableOID(m))
	if a == nil {
		return nil
	}
	for _, p := range a.Policies {
		using, err := renamedIn(p.Using, from, to)
		if err != nil {
			return err
		}
		if using == p.Using {
			continue
		}
		if err := d.ChangePolicy(a.OID, p.Name, func(p *schema.Policy) { p.Using = using }); err != nil {
			return err
		}
	}
	return nil
}

// checkPolicies says why a policy of a metric that a draft changed can no longer be.
func (p *Planner) checkPolicies(ctx context.Context, d *schema.Draft) error {
	for _, m := range d.Snapshot().Metrics {
		a := d.Snapshot().AccessTo(schema.TableOID(m))
		if a == nil || slices.Contains(d.Base().Metrics, m) {
			continue
		}
		for _, policy := range a.Policies {
			names := p.lookupIn(ctx, d.Snapshot(), policy.Path)
			table := names.declared(m)
			b := newBinder(names, conversionEnvironment(), &parameters{values: []*Const{}})
			_, err := b.policy(b.newMetricScan(table, m.Name), table, policy.Using, policy.Path)
			var e *Error
			if errors.As(err, &e) {
				return &Error{
					Code: pgerrcode.DependentObjectsStillExist, Message: "cannot make this change because other objects depend on what it removes",
					Detail: fmt.Sprintf("Policy %q on table %q: %s.", policy.Name, m.Name, e.Message), Hint: "Drop the policy first.", Err: err,
				}
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
