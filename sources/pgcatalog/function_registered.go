package pgcatalog

import (
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// registeredFunctions read the names of objects: the types' own input fails where
// there is no such object, to_regclass and its like give NULL.
func registeredFunctions() map[string]lookupFunc {
	all := map[string]lookupFunc{}
	for _, t := range []string{
		"regclass", "regnamespace", "regrole", "regtype", "regproc", "regprocedure", "regoper", "regoperator", "regcollation",
	} {
		all[t+"in(cstring)"] = registered(t, false)
		all["to_"+t+"(text)"] = registered(t, true)
	}
	return all
}

// registered finds an object by its name, as the input of a type.
func registered(typeName string, missing bool) lookupFunc {
	return plain(func(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
		oid, ok, err := p.view.Object(typeName, args.Texts[0], missing)
		if err != nil || !ok {
			return nullResult(), err
		}
		return intResult(int64(oid)), nil
	})
}

// The columns of pg_collation.
const (
	collationOID = iota
	collationName
)

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
