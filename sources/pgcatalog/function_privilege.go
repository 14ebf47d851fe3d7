package pgcatalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// privileges say what a role may do to a kind of objects: the privileges that
// there are, and those that everybody has who can see the object. Rows come and
// go by other ways than SQL, so no role may write them.
type privileges struct {
	kind  string // as in has_KIND_privilege
	known []string
	held  []string
	// owner are those that only an owner has.
	owner []string
	// find looks an object up by its name; 42P01 and the like if there is none.
	find func(p *pin, name string) error
	// has says whether there is an object of a number.
	has func(p *pin, oid int64) bool
	// table finds the object by its name or number, of kinds that grants are about;
	// nil: who can see an object has what is held.
	table func(p *pin, name string, oid int64) *object
}

func allPrivileges() []privileges {
	tables := []string{"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "RULE", observePrivilege}
	return []privileges{
		{kind: "table", known: tables, held: []string{"SELECT", observePrivilege}, find: findTable, has: hasTable, table: tableOf},
		{kind: "any_column", known: []string{"SELECT", "INSERT", "UPDATE", "REFERENCES"}, held: []string{"SELECT"}, find: findTable, has: hasTable, table: tableOf},
		{kind: "sequence", known: []string{"USAGE", "SELECT", "UPDATE"}, find: findTable, has: hasTable},
		{
			kind: "schema", known: []string{"CREATE", "USAGE"}, held: []string{"USAGE"}, owner: []string{"CREATE"},
			find: func(_ *pin, name string) error {
				return missingUnless(slices.Contains(namespaces(), name), pgerrcode.InvalidSchemaName, "schema", name)
			},
			has: func(_ *pin, oid int64) bool { _, ok := schemaOf(oid); return ok },
		},
		{
			kind: "database", known: []string{"CREATE", "TEMPORARY", "TEMP", "CONNECT"}, held: []string{"CONNECT"},
			find: func(p *pin, name string) error {
				return missingUnless(name == p.state.snapshot.Tenant || isTemplate(name), pgerrcode.InvalidCatalogName, "database", name)
			},
			has: hasRow("pg_database"),
		},
		{
			kind: "function", known: []string{"EXECUTE"}, held: []string{"EXECUTE"},
			find: func(_ *pin, name string) error {
				bare, _, _ := strings.Cut(strings.TrimPrefix(name, "pg_catalog."), "(")
				return missingUnless(len(postgres.ProcsByName(bare)) > 0, pgerrcode.UndefinedFunction, "function", name)
			},
			has: func(_ *pin, oid int64) bool { _, ok := postgres.ProcByOID(postgres.OID(oid)); return ok },
		},
		{
			kind: "language", known: []string{"USAGE"}, held: []string{"USAGE"},
			find: findNamed("pg_language", "language"), has: hasRow("pg_language"),
		},
		{
			kind: "type", known: []string{"USAGE"}, held: []string{"USAGE"},
			find: func(p *pin, name string) error {
				return missingUnless(len(p.rowsOf("pg_type").whereName(name)) > 0, pgerrcode.UndefinedObject, "type", name)
			},
			has: hasRow("pg_type"),
		},
		{
			kind: "tablespace", known: []string{"CREATE"},
			find: findNamed("pg_tablespace", "tablespace"), has: hasRow("pg_tablespace"),
		},
		{
			kind: "foreign_data_wrapper", known: []string{"USAGE"},
			find: findNamed("pg_foreign_data_wrapper", "foreign-data wrapper"), has: hasRow("pg_foreign_data_wrapper"),
		},
		{
			kind: "server", known: []string{"USAGE"},
			find: findNamed("pg_foreign_server", "server"), has: hasRow("pg_foreign_server"),
		},
	}
}

// privilegeFunctions are has_table_privilege and its like, and pg_has_role.
func privilegeFunctions() map[string]lookupFunc {
	all := map[string]lookupFunc{}
	for _, set := range allPrivileges() {
		name := "has_" + set.kind + "_privilege("
		for _, object := range []string{"text", "oid"} {
			all[name+object+", text)"] = plain(set.check("", object))
			for _, user := range []string{"name", "oid"} {
				all[name+user+", "+object+", text)"] = plain(set.check(user, object))
			}
		}
	}
	addColumnPrivileges(all)
	for _, user := range []string{"", "name", "oid"} {
		for _, of := range []string{"name", "oid"} {
			all["pg_has_role("+comma(user, of, "text")+")"] = plain(hasRole(user, of))
		}
	}
	return all
}

func comma(types ...string) string {
	return strings.Join(slices.DeleteFunc(types, func(t string) bool { return t == "" }), ", ")
}

// reader takes arguments in the order in which they were written.
type reader struct {
	args        sources.CatalogArgs
	ints, texts int
}

func (r *reader) int() int64   { r.ints++; return r.args.Ints[r.ints-1] }
func (r *reader) text() string { r.texts++; return r.args.Texts[r.texts-1] }

// role reads the role that is asked for, by the type of the argument; "": the
// session's.
func (r *reader) role(p *pin, typ string) (role, error) {
	switch typ {
	case "name":
		return p.state.roleNamed(r.text())
	case "oid":
		oid := r.int()
		found, ok := p.state.role(oid)
		if !ok {
			return role{}, &postgres.Error{Code: pgerrcode.UndefinedObject, Message: fmt.Sprintf("role with OID %d does not exist", oid)}
		}
		return found, nil
	}
	return p.state.roleNamed(p.view.User)
}

// check answers has_KIND_privilege for arguments of the types.
func (set *privileges) check(user, object string) plainFunc {
	return func(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
		r := &reader{args: args}
		who, err := r.role(p, user)
		if err != nil {
			return nullResult(), err
		}
		there, name, oid := true, "", int64(0)
		if object == "oid" {
			oid = r.int()
			there = set.has(p, oid)
		} else {
			name = r.text()
			if err := set.find(p, name); err != nil {
				return nullResult(), err
			}
		}
		may := func(_ string, grant bool) bool { return !grant || who.Owner }
		if set.table != nil && there {
			may = p.state.mayOn(set.table(p, name, oid), who, set.kind == "any_column")
		}
		held, err := set.holds(who, may, r.text())
		if err != nil || !there {
			return nullResult(), err
		}
		return boolResult(held), nil
	}
}

// holds says whether a role has one of the privileges that a text lists, of those that
// it may have.
func (set *privileges) holds(who role, may func(privilege string, grant bool) bool, list string) (bool, error) {
	held := false
	for word := range strings.SplitSeq(list, ",") {
		word = strings.TrimSpace(word)
		name, grant := strings.CutSuffix(strings.ToUpper(word), " WITH GRANT OPTION")
		if !slices.Contains(set.known, name) {
			return false, &postgres.Error{Code: pgerrcode.InvalidParameterValue, Message: fmt.Sprintf("unrecognized privilege type: %q", word)}
		}
		held = held || slices.Contains(set.held, name) && may(name, grant) || who.Owner && slices.Contains(set.owner, name)
	}
	return held, nil
}

// addColumnPrivileges adds has_column_privilege, whose column is a name or a
// number.
func addColumnPrivileges(all map[string]lookupFunc) {
	set := privileges{known: []string{"SELECT", "INSERT", "UPDATE", "REFERENCES"}, held: []string{"SELECT"}}
	for _, user := range []string{"", "name", "oid"} {
		for _, object := range []string{"text", "oid"} {
			for _, column := range []string{"text", "smallint"} {
				all["has_column_privilege("+comma(user, object, column, "text")+")"] = plain(set.checkColumn(user, object, column))
			}
		}
	}
}

func (set *privileges) checkColumn(user, table, column string) plainFunc {
	return func(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
		r := &reader{args: args}
		who, err := r.role(p, user)
		if err != nil {
			return nullResult(), err
		}
		var o *object
		if table == "oid" {
			o = p.state.names().byOID[r.int()]
		} else if o, err = p.table(r.text()); err != nil {
			return nullResult(), err
		}
		var is func(a attribute) bool
		if column == "text" {
			name := r.text()
			if o != nil && !o.hasAttribute(name) {
				return nullResult(), noColumn(name, o)
			}
			is = func(a attribute) bool { return a.name == name }
		} else {
			number := r.int()
			is = func(a attribute) bool { return int64(a.number) == number }
		}
		i := -1
		if o != nil {
			i = slices.IndexFunc(o.attributes, is)
		}
		held, err := set.holds(who, func(_ string, grant bool) bool {
			if i < 0 {
				return false
			}
			rights := p.state.rights(o, who)
			if grant {
				return who.Owner || rights.Options.Select || slices.Contains(rights.Options.Columns, o.attributes[i].number)
			}
			return rights.Column(o.attributes[i].number)
		}, r.text())
		if err != nil || i < 0 {
			return nullResult(), err
		}
		return boolResult(held), nil
	}
}

// hasRole: a role is a member of itself alone.
func hasRole(user, of string) plainFunc {
	return func(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
		r := &reader{args: args}
		who, err := r.role(p, user)
		if err != nil {
			return nullResult(), err
		}
		group, err := r.role(p, of)
		if err != nil {
			return nullResult(), err
		}
		known := privileges{known: []string{"USAGE", "MEMBER"}, held: []string{"USAGE", "MEMBER"}}
		if _, err := known.holds(who, func(string, bool) bool { return true }, r.text()); err != nil {
			return nullResult(), err
		}
		return boolResult(who.name == group.name), nil
	}
}

func findTable(p *pin, name string) error {
	_, err := p.table(name)
	return err
}

// tableOf finds a table that is there.
func tableOf(p *pin, name string, oid int64) *object {
	if name == "" {
		return p.state.names().byOID[oid]
	}
	o, err := p.table(name)
	if err != nil {
		return nil
	}
	return o
}

// observePrivilege allows names that devices sent and nobody declared; it is not one
// of PostgreSQL's.
const observePrivilege = "OBSERVE"

// mayOn says which privileges a role may have on a table, or on any column of it.
func (s *state) mayOn(o *object, who role, anyColumn bool) func(privilege string, grant bool) bool {
	r := s.rights(o, who)
	return func(privilege string, grant bool) bool {
		switch {
		case grant && who.Owner:
		case grant && privilege == observePrivilege:
			return r.Options.Observe
		case grant:
			return r.Options.Select || anyColumn && len(r.Options.Columns) > 0
		case privilege == observePrivilege:
			return r.Observe
		case anyColumn:
			return r.Any()
		}
		return r.Select
	}
}

func hasTable(p *pin, oid int64) bool { return p.state.names().byOID[oid] != nil }

func hasRow(relation string) func(p *pin, oid int64) bool {
	return func(p *pin, oid int64) bool { return len(p.rowsOf(relation).whereFirst(oid)) > 0 }
}

// findNamed looks a name up in the second column of a relation.
func findNamed(relation, kind string) func(p *pin, name string) error {
	return func(p *pin, name string) error {
		return missingUnless(len(p.rowsOf(relation).whereName(name)) > 0, pgerrcode.UndefinedObject, kind, name)
	}
}

func missingUnless(found bool, code, kind, name string) error {
	if found {
		return nil
	}
	return &postgres.Error{Code: code, Message: fmt.Sprintf("%s %q does not exist", kind, name)}
}
