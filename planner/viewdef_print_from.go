package planner

import (
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

func (p *viewPrinter) from(f viewFrom) {
	if f.join != nil {
		p.join(f.join)
		return
	}
	r := f.rel
	if r.lateral {
		p.text("LATERAL ")
	}
	switch r.kind {
	case tableRel:
		if r.only {
			p.text("ONLY ")
		}
		p.text(p.relation(r))
	case queryRel:
		p.text("(")
		p.query(r.query, nil, true)
		p.text(")")
	case valuesRel:
		p.text("(")
		p.values(r.query.values)
		p.text(")")
	case functionRel:
		p.functions(r)
	case cteRel:
		p.text(postgres.QuoteIdentifier(r.name))
	}
	listed := r.listed
	switch r.kind {
	case tableRel:
		listed = !slices.Equal(r.columns, r.real[:min(len(r.real), len(r.columns))])
	case functionRel:
		listed = true
	case valuesRel:
		listed = listed || r.alias == ""
	}
	if r.alias != "" || r.assigned != r.name || r.kind == functionRel || r.kind == valuesRel || listed {
		p.text(" " + postgres.QuoteIdentifier(r.assigned))
	}
	if listed {
		p.columns(r.columns)
	}
}

// relation is a table's name, with its schema where the name alone means another.
func (p *viewPrinter) relation(r *viewRel) string {
	name := postgres.QuoteIdentifier(r.name)
	hidden := slices.ContainsFunc(p.ctes, func(names []string) bool { return slices.Contains(names, r.name) })
	if hidden || !slices.Contains(p.path, r.schema) {
		return postgres.QuoteIdentifier(r.schema) + "." + name
	}
	return name
}

func (p *viewPrinter) functions(r *viewRel) {
	if len(r.calls) == 1 {
		p.expr(r.calls[0], true)
	} else {
		p.text("ROWS FROM(")
		for i, c := range r.calls {
			if i > 0 {
				p.text(", ")
			}
			p.expr(c, true)
		}
		p.text(")")
	}
	if r.numbered {
		p.text(" WITH ORDINALITY")
	}
}

var viewJoinWords = map[JoinKind]string{InnerJoin: " JOIN ", LeftJoin: " LEFT JOIN ", RightJoin: " RIGHT JOIN ", FullJoin: " FULL JOIN "}

func (p *viewPrinter) join(j *viewJoin) {
	enclosed := !p.pretty || j.alias != ""
	p.text(strings.Repeat("(", btoi(enclosed)))
	p.from(j.left)
	if j.kind == InnerJoin && j.on == nil && j.using == nil {
		p.keyword(" CROSS JOIN ", -indentClause, indentClause, indentJoin)
	} else {
		p.keyword(viewJoinWords[j.kind], -indentClause, indentClause, indentJoin)
	}
	inner := p.pretty && j.right.join != nil && j.right.join.alias == ""
	p.text(strings.Repeat("(", btoi(inner)))
	p.from(j.right)
	p.text(strings.Repeat(")", btoi(inner)))
	switch {
	case j.using != nil:
		p.text(" USING ")
		p.columns(j.using)
		if j.usingAlias != "" {
			p.text(" AS " + postgres.QuoteIdentifier(j.usingAlias))
		}
	case j.on != nil:
		p.text(" ON ")
		p.text(strings.Repeat("(", btoi(!p.pretty)))
		p.expr(j.on, false)
		p.text(strings.Repeat(")", btoi(!p.pretty)))
	case j.kind != InnerJoin:
		p.text(" ON TRUE")
	}
	p.text(strings.Repeat(")", btoi(enclosed)))
	if j.alias != "" {
		p.text(" " + postgres.QuoteIdentifier(j.alias))
		p.columns(j.columns)
	}
}
