package pgcatalog

import (
	"slices"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// names find the tables and views of a state by what functions are asked with.
type names struct {
	byOID map[int64]*object
	// byRowType has them under the types of their rows and of arrays of these.
	byRowType map[int64]*object
	// byName has a metric under its aliases too.
	byName map[relationName]*object
}

func newNames(s *state) *names {
	all := s.allObjects()
	n := &names{
		byOID: make(map[int64]*object, len(all)), byRowType: make(map[int64]*object, 2*len(all)), byName: make(map[relationName]*object, len(all)),
	}
	for _, o := range all {
		n.byOID[int64(o.oid)] = o
		for _, t := range []uint32{o.rowType, o.arrayType} {
			if t != 0 {
				n.byRowType[int64(t)] = o
			}
		}
		n.byName[relationName{o.schema, o.name}] = o
	}
	for _, o := range all {
		for _, alias := range o.sent {
			key := relationName{o.schema, postgres.CutIdentifier(alias)}
			if _, taken := n.byName[key]; !taken {
				n.byName[key] = o
			}
		}
	}
	return n
}

// table finds a table or view by its name as text, as regclass reads it; 42P01 if
// there is none.
func (p *pin) table(text string) (*object, error) {
	parts, ok := postgres.SplitIdentifier(text)
	if !ok || len(parts) > 3 {
		return nil, &postgres.Error{Code: pgerrcode.InvalidName, Message: "invalid name syntax"}
	}
	n := p.state.names()
	name := parts[len(parts)-1]
	if len(parts) > 1 {
		if o, ok := n.byName[relationName{parts[len(parts)-2], name}]; ok {
			return o, nil
		}
	} else {
		for _, s := range p.view.Path {
			if o, ok := n.byName[relationName{s, name}]; ok {
				return o, nil
			}
		}
	}
	return nil, &postgres.Error{Code: pgerrcode.UndefinedTable, Message: `relation "` + dotted(parts) + `" does not exist`}
}

func dotted(parts []string) string {
	text := parts[0]
	for _, part := range parts[1:] {
		text += "." + part
	}
	return text
}

// isVisible says that the object's name alone, looked up in the path, finds it.
func (p *pin) isVisible(o *object) bool {
	for _, s := range p.view.Path {
		if found, ok := p.state.names().byName[relationName{s, o.name}]; ok {
			return found == o
		}
	}
	return false
}

// relationText is the name of a table or view, qualified if it must be.
func (p *pin) relationText(o *object) string {
	name := postgres.QuoteIdentifier(o.name)
	if p.isVisible(o) {
		return name
	}
	return postgres.QuoteIdentifier(o.schema) + "." + name
}

// schemaOf finds a schema by its number.
func schemaOf(oid int64) (string, bool) {
	i := slices.IndexFunc(namespaces(), func(name string) bool { return int64(namespaceOID(name)) == oid })
	if i < 0 {
		return "", false
	}
	return namespaces()[i], true
}

// role finds a role by its number.
func (s *state) role(oid int64) (role, bool) {
	return s.roleWhere(func(r role) bool { return int64(r.oid) == oid })
}

// roleNamed finds a role by its name.
func (s *state) roleNamed(name string) (role, error) {
	r, ok := s.roleWhere(func(r role) bool { return r.name == name })
	if !ok {
		return role{}, &postgres.Error{Code: pgerrcode.UndefinedObject, Message: `role "` + name + `" does not exist`}
	}
	return r, nil
}

func (s *state) roleWhere(is func(role) bool) (role, bool) {
	all := s.everyRole()
	i := slices.IndexFunc(all, is)
	if i < 0 {
		return role{}, false
	}
	return all[i], true
}

// Results of functions.

func textResult(text string) sources.CatalogResult { return sources.CatalogResult{Text: text} }

func intResult(n int64) sources.CatalogResult { return sources.CatalogResult{Int: n} }

func boolResult(b bool) sources.CatalogResult {
	if b {
		return sources.CatalogResult{Int: 1}
	}
	return sources.CatalogResult{}
}

func nullResult() sources.CatalogResult { return sources.CatalogResult{Null: true} }
