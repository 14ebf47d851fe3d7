package planner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// A view depends on what its query means in the version before a change: the tables,
// views and columns that it names or shows. As in PostgreSQL none of them can go, or
// get another type, from under it; and after the change its names must mean the same.

// use is a table or view that a query uses or, with an attribute number, a column of
// one.
type use struct {
	oid       uint32
	attribute int16
}

// use notes a use; OID 0 is of what is neither table nor view.
func (b *binder) use(oid uint32, attribute int16) {
	if b.uses != nil && oid != 0 {
		b.uses[use{oid, attribute}] = true
	}
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
	lost, err := p.lostViews(ctx, d)
	if err == nil && len(lost) > 0 {
		err = p.lostError(ctx, d, lost)
	}
	return err
}

// lostView is a view that a draft left as it was, and the first thing that it uses and
// the draft took away.
type lostView struct {
	view *schema.View
	what use
}

// lostViews are the views of a draft from which something was taken away. If there are
// none, the error says why a view cannot be.
func (p *Planner) lostViews(ctx context.Context, d *schema.Draft) ([]lostView, error) {
	var lost []lostView
	var first error
	for _, v := range d.Snapshot().Views {
		what, err := p.checkView(ctx, d, v)
		switch {
		case what != nil:
			lost = append(lost, lostView{v, *what})
		case first == nil:
			first = err
		}
	}
	if len(lost) > 0 {
		return lost, nil
	}
	return nil, first
}

// checkView looks at one view, and gives what of its uses is gone.
func (p *Planner) checkView(ctx context.Context, d *schema.Draft, v *schema.View) (gone *use, err error) {
	before, err := p.usesOf(ctx, d.Base(), v)
	if err == nil && slices.Contains(d.Base().Views, v) {
		return p.checkKept(ctx, d, v, before)
	}
	// It is another view than before, or could not be run then either.
	_, err = p.usesOf(ctx, d.Snapshot(), v)
	return nil, viewError(v, err)
}

// checkKept looks at a view that used this before, and gives what of it is gone.
func (p *Planner) checkKept(ctx context.Context, d *schema.Draft, v *schema.View, named map[use]bool) (gone *use, err error) {
	used := maps.Clone(named)
	for _, c := range v.Columns {
		if c.Table != 0 {
			used[use{c.Table, c.Attribute}] = true
		}
	}
	want := map[use]bool{}
	for _, u := range sortedUses(used) {
		now, there, err := usedNow(d, v, u)
		switch {
		case err != nil:
			return nil, err
		case !there:
			return &u, nil
		case named[u]:
			want[now] = true
		}
	}
	after, err := p.usesOf(ctx, d.Snapshot(), v)
	if err != nil {
		return nil, viewError(v, err)
	}
	maps.DeleteFunc(after, func(u use, _ bool) bool { return !isDeclared(d.Base(), u.oid) })
	if !maps.Equal(want, after) {
		return nil, viewError(v, errorf(pgerrcode.InvalidTableDefinition, "its names would no longer mean the same columns"))
	}
	return nil, nil
}

// usesOf are the uses that a view's query names, of what a version declares.
func (p *Planner) usesOf(ctx context.Context, s *schema.Snapshot, v *schema.View) (map[use]bool, error) {
	b := newBinder(p.lookupIn(ctx, s, v.Path), conversionEnvironment(), &parameters{values: []*Const{}})
	b.env.database = s.Tenant
	uses := map[use]bool{}
	b.uses = uses
	if _, err := b.viewQuery(v); err != nil {
		return nil, err
	}
	maps.DeleteFunc(uses, func(u use, _ bool) bool { return !isDeclared(s, u.oid) })
	return uses, nil
}

func isDeclared(s *schema.Snapshot, oid uint32) bool {
	_, isMetric := s.MetricByOID(oid)
	_, isView := s.ViewByOID(oid)
	return isMetric || isView
}

// sortedUses has relations before their columns.
func sortedUses(uses map[use]bool) []use {
	return slices.SortedFunc(maps.Keys(uses), func(a, b use) int {
		return int(int64(a.oid)-int64(b.oid))<<16 + int(a.attribute) - int(b.attribute)
	})
}

// usedNow is what a view's use in the version before is in a draft, in which a field
// may have another number; the error says that it has another type.
func usedNow(d *schema.Draft, v *schema.View, u use) (now use, there bool, err error) {
	before, wasMetric := d.Base().MetricByOID(u.oid)
	if !wasMetric {
		_, isView := d.Snapshot().ViewByOID(u.oid)
		_, wasView := d.Base().ViewByOID(u.oid)
		return u, isView || !wasView, nil
	}
	m, is := d.Snapshot().MetricByOID(u.oid)
	was := fieldNumbered(before, u.attribute)
	if !is || was == nil { // the table itself, or its timestamp
		return u, is, nil
	}
	f := fieldNumbered(m, u.attribute)
	if f == nil {
		if f, is = m.Field(was.Name); !is {
			return u, false, nil
		}
	}
	if f.Type != was.Type {
		return u, true, errorf(pgerrcode.FeatureNotSupported, "cannot alter type of a column used by a view or rule").
			withDetail("rule _RETURN on view %s depends on column %q", postgres.QuoteIdentifier(v.Name), was.Name)
	}
	return use{u.oid, int16(f.Number)}, true, nil
}

func fieldNumbered(m *schema.Metric, number int16) *schema.Field {
	i := slices.IndexFunc(m.Fields, func(f schema.Field) bool { return f.Number == int(number) })
	if i < 0 {
		return nil
	}
	return &m.Fields[i]
}

// viewError says that a view cannot be, or no longer; what is no *Error is its own.
func viewError(v *schema.View, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	return &Error{
		Code: pgerrcode.DependentObjectsStillExist, Message: "cannot make this change because other objects depend on what it changes",
		Detail: fmt.Sprintf("View %q: %s.", v.Name, e.Message), Hint: "Drop the view first.", Err: err,
	}
}

// dependent is a view that cannot be without something, and what that is.
type dependent struct {
	view *schema.View
	on   string
}

// dependents are the views that lost something, each followed by those that use it.
func (p *Planner) dependents(ctx context.Context, d *schema.Draft, lost []lostView) []dependent {
	var out []dependent
	uses := map[*schema.View]map[use]bool{}
	for _, v := range d.Snapshot().Views {
		uses[v], _ = p.usesOf(ctx, d.Base(), v) // what could not be run depends on nothing
	}
	var add func(dependent)
	add = func(found dependent) {
		if slices.ContainsFunc(out, func(o dependent) bool { return o.view == found.view }) {
			return
		}
		out = append(out, found)
		for _, v := range d.Snapshot().Views {
			if uses[v][use{oid: schema.ViewOID(found.view)}] {
				add(dependent{v, describeView(found.view)})
			}
		}
	}
	for _, l := range lost {
		add(dependent{l.view, l.what.describe(d.Base())})
	}
	return out
}

// lostError says, as PostgreSQL does, what cannot go and all that depends on it.
func (p *Planner) lostError(ctx context.Context, d *schema.Draft, lost []lostView) error {
	message := fmt.Sprintf("cannot drop %s because other objects depend on it", lost[0].what.describe(d.Base()))
	if slices.ContainsFunc(lost, func(l lostView) bool { return l.what != lost[0].what }) || dropped(d) > 1 {
		message = "cannot drop desired object(s) because other objects depend on them"
	}
	var lines []string
	for _, o := range p.dependents(ctx, d, lost) {
		lines = append(lines, fmt.Sprintf("%s depends on %s", describeView(o.view), o.on))
	}
	return &Error{
		Code: pgerrcode.DependentObjectsStillExist, Message: message,
		Detail: strings.Join(lines, "\n"), Hint: "Use DROP ... CASCADE to drop the dependent objects too.",
	}
}

// dropped is how many tables and views a draft drops.
func dropped(d *schema.Draft) int {
	n := 0
	for _, m := range d.Base().Metrics {
		if !isDeclared(d.Snapshot(), schema.TableOID(m)) {
			n++
		}
	}
	for _, v := range d.Base().Views {
		if !isDeclared(d.Snapshot(), schema.ViewOID(v)) {
			n++
		}
	}
	return n
}

func describeView(v *schema.View) string { return "view " + postgres.QuoteIdentifier(v.Name) }

// describe calls a used object as PostgreSQL does.
func (u use) describe(s *schema.Snapshot) string {
	if v, is := s.ViewByOID(u.oid); is {
		return describeView(v)
	}
	m, is := s.MetricByOID(u.oid)
	if !is {
		return "a table"
	}
	table := "table " + postgres.QuoteIdentifier(m.Name)
	if f := fieldNumbered(m, u.attribute); f != nil {
		return fmt.Sprintf("column %s of %s", f.Name, table)
	}
	return table
}

// cascade drops the views that can no longer be, if a statement says CASCADE.
func (s *Session) cascade(ctx context.Context, c *schemaChange, d *schema.Draft, behavior pgquery.DropBehavior) error {
	if behavior != pgquery.DropBehavior_DROP_CASCADE {
		return nil
	}
	lost, err := s.planner.lostViews(ctx, d)
	if err != nil {
		return err
	}
	var lines []string
	for _, o := range s.planner.dependents(ctx, d, lost) {
		lines = append(lines, "drop cascades to "+describeView(o.view))
		if err := d.DropView(o.view.Name); err != nil {
			return err
		}
	}
	switch len(lines) {
	case 0:
	case 1:
		c.notice(skipped, "%s", lines[0])
	default:
		c.notice(skipped, "drop cascades to %d other objects", len(lines))
		c.notices[len(c.notices)-1].Detail = strings.Join(lines, "\n")
	}
	return nil
}
