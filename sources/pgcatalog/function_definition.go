package pgcatalog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// definitionFunctions print what pg_proc and pg_constraint have.
func definitionFunctions() map[string]lookupFunc {
	body := func(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
		if text, ok := p.field("pg_proc", args.Ints[0], "prosqlbody").(string); ok {
			return textResult(text), nil
		}
		return nullResult(), nil
	}
	check := func(pretty bool) lookupFunc {
		return plain(func(_ *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
			for _, c := range domainChecks() {
				if int64(c.oid) == args.Ints[0] {
					if pretty && args.Ints[1] != 0 {
						return textResult("CHECK (" + c.pretty + ")"), nil
					}
					return textResult("CHECK " + c.condition), nil
				}
			}
			return nullResult(), nil
		})
	}
	return map[string]lookupFunc{
		"pg_get_functiondef(oid)":            plain(functionDefinition),
		"pg_get_function_sqlbody(oid)":       plain(body),
		"pg_get_constraintdef(oid)":          check(false),
		"pg_get_constraintdef(oid, boolean)": check(true),
	}
}

// field is the value of a column in the row of an object, by the OID that is the
// relation's first column; nil: NULL, or there is none.
func (p *pin) field(relation string, oid int64, column string) any {
	found := p.rowsOf(relation).whereFirst(oid)
	if len(found) == 0 {
		return nil
	}
	r := found[0]
	place := p.catalog.relations[relationName{schemaCatalog, relation}].places[column]
	values := &r.of.columns[place]
	switch {
	case !values.IsValid(r.at):
		return nil
	case values.Ints != nil:
		return values.IntAt(r.at)
	case values.Nums != nil:
		return values.Nums[values.Place(r.at)]
	}
	return values.TextAt(r.at)
}

// functionDefinition is the CREATE FUNCTION of a function, as PostgreSQL's ruleutils
// prints it. Ours are of this server, so that the body is the name that pg_proc has.
func functionDefinition(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
	f, schemaName, ok := procedure(args.Ints[0])
	if !ok {
		return nullResult(), nil
	}
	if f.Kind == postgres.AggregateProc {
		return nullResult(), &postgres.Error{Code: pgerrcode.WrongObjectType, Message: fmt.Sprintf("%q is an aggregate function", f.Name)}
	}
	of := func(column string) any { return p.field("pg_proc", args.Ints[0], column) }
	language, _ := of("prolang").(int64)
	name, _ := p.field("pg_language", language, "lanname").(string)
	var out strings.Builder
	fmt.Fprintf(&out, "CREATE OR REPLACE FUNCTION %s.%s(%s)\n RETURNS %s\n LANGUAGE %s\n", schemaName, postgres.QuoteIdentifier(f.Name),
		argumentsOf(f, true), resultOf(f), name)
	options := functionOptions(p, f, of)
	if options != "" {
		out.WriteString(options + "\n")
	}
	if body, ok := of("prosqlbody").(string); ok {
		out.WriteString(body + "\n")
		return textResult(out.String()), nil
	}
	out.WriteString("AS ")
	if library, ok := of("probin").(string); ok {
		out.WriteString("'" + library + "'" + ", ")
	}
	source, _ := of("prosrc").(string)
	fmt.Fprintf(&out, "$function$%s$function$\n", source)
	return textResult(out.String()), nil
}

// functionOptions are what CREATE FUNCTION says beside the body, where it is not what
// goes without saying.
func functionOptions(p *pin, f *postgres.Proc, of func(column string) any) string {
	var words []string
	word := func(is bool, text string) {
		if is {
			words = append(words, " "+text)
		}
	}
	leakproof, _ := of("proleakproof").(int64)
	parallel, _ := of("proparallel").(string)
	cost, _ := of("procost").(float64)
	rows, _ := of("prorows").(float64)
	support, _ := of("prosupport").(int64)
	usualCost, language := float64(1), of("prolang")
	if sql, ok := language.(int64); ok && sql == sqlLanguageOID {
		usualCost = 100
	}
	word(f.Kind == postgres.WindowProc, "WINDOW")
	word(f.Volatility == postgres.Immutable, "IMMUTABLE")
	word(f.Volatility == postgres.Stable, "STABLE")
	word(parallel == "s", "PARALLEL SAFE")
	word(parallel == "r", "PARALLEL RESTRICTED")
	word(f.Strict, "STRICT")
	word(leakproof != 0, "LEAKPROOF")
	word(cost != usualCost, "COST "+strconv.FormatFloat(cost, 'g', -1, 64))
	word(rows > 0 && rows != 1000, "ROWS "+strconv.FormatFloat(rows, 'g', -1, 64))
	if by, schemaName, ok := procedure(support); ok {
		name := postgres.QuoteIdentifier(by.Name)
		if !slices.Contains(p.view.Path, schemaName) {
			name = postgres.QuoteIdentifier(schemaName) + "." + name
		}
		word(true, "SUPPORT "+name)
	}
	return strings.Join(words, "")
}
