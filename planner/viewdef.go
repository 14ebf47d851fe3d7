package planner

import (
	"context"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// viewDefinition is a view's query as PostgreSQL prints it: its names are those of
// now, qualified; casts are spelled out, and a star is its columns. Pretty leaves out
// parentheses; wrap is the length beyond which a list goes on on another line, 0 always,
// and less never. A query with something of which PostgreSQL's form is not known here is
// given as it was written.
func (s *Session) viewDefinition(ctx context.Context, snapshot *schema.Snapshot, v *schema.View, pretty bool, wrap int) string {
	written := " " + v.Query + ";"
	env := conversionEnvironment()
	env.database, env.user, env.path = snapshot.Tenant, s.id.User, s.settings.searchPath()
	b := newBinder(s.planner.lookupIn(ctx, snapshot, v.Path), env, &parameters{values: []*Const{}})
	b.trace = newTrace()
	trace := b.trace
	if _, err := b.viewQuery(v); err != nil {
		return written
	}
	builder := &viewBuilder{b: newBinder(b.names, env, b.params), trace: trace, rels: map[*item]*viewRel{}}
	builder.b.scalars = b.scalars
	q, err := builder.query(trace.root, nil)
	if err != nil {
		return written
	}
	return printView(q, v, catalogPath(s.settings.searchPath()), s.settings.values(s.planner.cfg.Now()), pretty, wrap)
}

func printView(q *viewQuery, v *schema.View, path []string, env postgres.Env, pretty bool, wrap int) string {
	p := &viewPrinter{pretty: pretty, wrap: wrap, path: path, env: env}
	columns := make([]string, len(v.Columns))
	for i, c := range v.Columns {
		columns[i] = c.Name
	}
	p.query(q, columns, true)
	p.text(";")
	return p.out.String()
}
