package pgcatalog

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// registered finds an object by its name.
type registered func(p *pin, name string) (int64, error)

// registeredFunctions read the names of objects: the types' own input fails where
// there is no such object, to_regclass and its like give NULL.
func registeredFunctions() map[string]lookupFunc {
	all := map[string]lookupFunc{}
	for kind, find := range map[string]registered{
		"class": tableNumber, "namespace": namespaceNumber, "role": roleNumber, "type": typeNumber,
		"proc": procNumber, "procedure": procedureNumber, "oper": operNumber, "operator": operatorNumber,
		"collation": collationNumber,
	} {
		all["reg"+kind+"in(cstring)"] = plain(func(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
			text := strings.TrimSpace(args.Texts[0])
			oid, ok := writtenNumber(text)
			if !ok {
				var err error
				if oid, err = find(p, text); err != nil {
					return nullResult(), err
				}
			}
			return intResult(oid), nil
		})
		all["to_reg"+kind+"(text)"] = plain(func(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
			oid, err := find(p, args.Texts[0]) // a number names nothing
			var e *postgres.Error
			switch {
			case err == nil:
				return intResult(oid), nil
			case errors.As(err, &e) && e.Code == pgerrcode.InvalidName:
				return nullResult(), err
			}
			return nullResult(), nil
		})
	}
	return all
}

// writtenNumber is the number that stands in place of a name; a hyphen is 0.
func writtenNumber(text string) (int64, bool) {
	if text == "-" {
		return 0, true
	}
	if text == "" || text[0] < '0' || text[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 32)
	return int64(n), err == nil
}

func undefined(code, format string, args ...any) error {
	return &postgres.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func tableNumber(p *pin, name string) (int64, error) {
	o, err := p.table(name)
	if err != nil {
		return 0, err
	}
	return int64(o.oid), nil
}

// oneIdentifier reads a name without a qualifier.
func oneIdentifier(text string) (string, error) {
	parts, ok := postgres.SplitIdentifier(text)
	if !ok || len(parts) != 1 {
		return "", undefined(pgerrcode.InvalidName, "invalid name syntax")
	}
	return parts[0], nil
}

func namespaceNumber(_ *pin, text string) (int64, error) {
	name, err := oneIdentifier(text)
	switch {
	case err != nil:
		return 0, err
	case !slices.Contains(namespaces(), name):
		return 0, undefined(pgerrcode.InvalidSchemaName, "schema %q does not exist", name)
	}
	return int64(namespaceOID(name)), nil
}

func roleNumber(p *pin, text string) (int64, error) {
	name, err := oneIdentifier(text)
	if err != nil {
		return 0, err
	}
	r, err := p.state.roleNamed(name)
	return int64(r.oid), err
}

// typeNumber finds a type by its name in SQL or in the catalog, with or without
// its schema.
func typeNumber(p *pin, text string) (int64, error) {
	name := text
	// What is quoted or qualified is a name of the catalog.
	if parts, ok := postgres.SplitIdentifier(strings.TrimSuffix(text, "[]")); ok {
		name = parts[len(parts)-1]
		if len(parts) == 2 {
			if t, ok := postgres.TypeByQualifiedName(parts[0], name); ok && !strings.HasSuffix(text, "[]") {
				return int64(t.OID), nil
			}
			if parts[0] != schemaCatalog {
				return p.rowTypeNumber(text, text)
			}
		}
		if strings.HasSuffix(text, "[]") {
			name += "[]"
		}
	}
	t, ok := postgres.TypeByName(name)
	if !ok {
		return p.rowTypeNumber(text, name)
	}
	return int64(t.OID), nil
}

// rowTypeNumber finds the type of a table's rows, or of arrays of them, by the table's name.
func (p *pin) rowTypeNumber(text, shown string) (int64, error) {
	table, isArray := strings.CutSuffix(text, "[]")
	o, err := p.table(table)
	switch {
	case err != nil || o.rowType == 0:
		return 0, undefined(pgerrcode.UndefinedObject, "type %q does not exist", shown)
	case isArray:
		return int64(o.arrayType), nil
	}
	return int64(o.rowType), nil
}

// The columns of pg_collation.
const (
	collationOID = iota
	collationName
)

func collationNumber(p *pin, text string) (int64, error) {
	parts, ok := postgres.SplitIdentifier(text)
	if !ok {
		return 0, undefined(pgerrcode.InvalidName, "invalid name syntax")
	}
	if len(parts) == 1 || len(parts) == 2 && parts[0] == schemaCatalog {
		if found := p.rowsOf("pg_collation").whereName(parts[len(parts)-1]); len(found) > 0 {
			return found[0].integer(collationOID), nil
		}
	}
	return 0, undefined(pgerrcode.UndefinedObject, "collation %q for encoding \"UTF8\" does not exist", text)
}

func collationText(p *pin, oid int64) (string, bool) {
	found := p.rowsOf("pg_collation").whereFirst(oid)
	if len(found) == 0 {
		return "", false
	}
	return postgres.QuoteIdentifier(found[0].text(collationName)), true
}

// typeText is the name of a type that is known, qualified if it must be.
func typeText(p *pin, oid int64) (string, bool) {
	if o, ok := p.state.names().byRowType[oid]; ok {
		text := p.relationText(o)
		if oid == int64(o.arrayType) {
			text += "[]"
		}
		return text, true
	}
	if _, ok := postgres.TypeByOID(postgres.OID(oid)); !ok {
		return "", false
	}
	return postgres.OID(oid).String(), true
}

// formatType prints a type, with a modifier if one is given.
func formatType(modified bool) lookupFunc {
	return plain(func(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
		oid := postgres.OID(args.Ints[0])
		if _, ok := p.state.names().byRowType[args.Ints[0]]; ok {
			text, _ := typeText(p, args.Ints[0])
			return textResult(text), nil
		}
		if modified {
			return textResult(postgres.FormatType(oid, int32(args.Ints[1]))), nil
		}
		return textResult(oid.String()), nil
	})
}

func procNumber(_ *pin, text string) (int64, error) {
	procs := postgres.ProcsByName(unqualified(text))
	switch len(procs) {
	case 0:
		return 0, undefined(pgerrcode.UndefinedFunction, "function %q does not exist", text)
	case 1:
		return int64(procs[0].OID), nil
	}
	return 0, undefined(pgerrcode.AmbiguousFunction, "more than one function named %q", text)
}

func procedureNumber(_ *pin, text string) (int64, error) {
	name, types, ok := nameAndTypes(text)
	for _, f := range postgres.ProcsByName(name) {
		if ok && slices.Equal(f.Args, types) {
			return int64(f.OID), nil
		}
	}
	return 0, undefined(pgerrcode.UndefinedFunction, "function %q does not exist", text)
}

func operNumber(_ *pin, text string) (int64, error) {
	found := operatorsNamed(unqualified(text))
	switch len(found) {
	case 0:
		return 0, undefined(pgerrcode.UndefinedFunction, "operator does not exist: %s", text)
	case 1:
		return int64(found[0].OID), nil
	}
	return 0, undefined(pgerrcode.AmbiguousFunction, "more than one operator named %s", text)
}

func operatorNumber(_ *pin, text string) (int64, error) {
	name, types, ok := nameAndTypes(text)
	for _, o := range operatorsNamed(name) {
		if ok && slices.Equal([]postgres.OID{o.Left, o.Right}, types) {
			return int64(o.OID), nil
		}
	}
	return 0, undefined(pgerrcode.UndefinedFunction, "operator does not exist: %s", text)
}
