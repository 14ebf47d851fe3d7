package planner

import (
	"slices"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/fieldgate/fieldgate/schema"
)

// using is the expression of ALTER COLUMN … TYPE … USING: what becomes of the
// field's values, which it names by `value` or by the field.
type using struct {
	text string
	// refs are where the text names the values, in order: from and to in bytes.
	refs [][2]int
	// plain: it gives the values as they are, or cast to the new type.
	plain bool
}

// readUsing finds the expression in a statement's text.
func readUsing(text string, n *pgquery.AlterTableCmd) (*using, error) {
	expr := n.Def.GetColumnDef().GetRawDefault()
	scan, err := pgquery.Scan(text)
	if err != nil {
		return nil, parseError(err)
	}
	from, to := 0, len(text)
	depth := 0
	for _, t := range scan.Tokens {
		if t.Token == pgquery.Token_USING && t.Start < locate(expr) {
			from, to, depth = int(t.End), len(text), 0
			continue
		}
		switch t.Token {
		case pgquery.Token_ASCII_40, pgquery.Token_ASCII_91:
			depth++
		case pgquery.Token_ASCII_41, pgquery.Token_ASCII_93:
			depth--
		case pgquery.Token_ASCII_44, pgquery.Token_ASCII_59: // , ;
			if depth == 0 && int(t.Start) > from && to == len(text) && t.Start > locate(expr) {
				to = int(t.Start)
			}
		}
	}
	u := &using{text: strings.TrimSpace(text[from:to])}
	parsed, err := parseExpr(u.text)
	if err != nil {
		return nil, err
	}
	return u, u.findRefs(parsed, n.Name)
}

// findRefs finds where an expression names the values.
func (u *using) findRefs(parsed *pgquery.Node, field string) error {
	isValue := func(n *pgquery.Node) bool {
		parts, star := nameParts(n.GetColumnRef().GetFields())
		return len(parts) == 1 && !star && (parts[0] == "value" || parts[0] == field)
	}
	starts := map[int32]bool{}
	visitNodes(parsed.ProtoReflect(), func(n *pgquery.Node) {
		if n.GetColumnRef() != nil && isValue(n) {
			starts[n.GetColumnRef().Location-int32(len(conversionPrefix))] = true
		}
	})
	scan, err := pgquery.Scan(u.text)
	if err != nil {
		return parseError(err)
	}
	for _, t := range scan.Tokens {
		if starts[t.Start] {
			u.refs = append(u.refs, [2]int{int(t.Start), int(t.End)})
		}
	}
	u.plain = parsed.GetColumnRef() != nil && isValue(parsed)
	return nil
}

// of is the conversion of a source that had one, or none.
func (u *using) of(before string) string {
	if u.plain {
		return before
	}
	value := "value"
	if before != "" {
		value = "(" + before + ")"
	}
	var b strings.Builder
	at := 0
	for _, r := range u.refs {
		b.WriteString(u.text[at:r[0]] + value)
		at = r[1]
	}
	return b.String() + u.text[at:]
}

// convertAll passes the values of all sources of a field through the expression.
func (u *using) convertAll(d *schema.Draft, table, field string) error {
	m, _ := d.Metric(table)
	f, _ := m.Field(field)
	sources := slices.Clone(f.Sources)
	for i := range sources {
		sources[i].Convert = u.of(sources[i].Convert)
	}
	return d.SetSources(table, field, sources)
}

// visitNodes visits the nodes of a parser's tree.
func visitNodes(m protoreflect.Message, visit func(*pgquery.Node)) {
	if n, ok := m.Interface().(*pgquery.Node); ok {
		visit(n)
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				visitNodes(v.List().Get(i).Message(), visit)
			}
		default:
			visitNodes(v.Message(), visit)
		}
		return true
	})
}
