package pgcatalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// lookupFunc binds a function to what a statement sees.
type lookupFunc func(ctx context.Context, p *pin) (sources.CatalogFunction, error)

// plainFunc is a function that needs no preparation.
type plainFunc func(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error)

func plain(f plainFunc) lookupFunc {
	return func(_ context.Context, p *pin) (sources.CatalogFunction, error) {
		return func(args sources.CatalogArgs) (sources.CatalogResult, error) { return f(p, args) }, nil
	}
}

// over is a function that looks into a relation of pg_catalog.
func over(relation string, f func(p *pin, all *table, args sources.CatalogArgs) (sources.CatalogResult, error)) lookupFunc {
	return func(_ context.Context, p *pin) (sources.CatalogFunction, error) {
		all := p.rowsOf(relation)
		return func(args sources.CatalogArgs) (sources.CatalogResult, error) { return f(p, all, args) }, nil
	}
}

// Function finds a function.
func (p *pin) Function(ctx context.Context, signature string) (sources.CatalogFunction, error) {
	f, ok := p.catalog.functions[signature]
	if !ok {
		return nil, fmt.Errorf("no function %s of the catalog", signature)
	}
	return f(ctx, p)
}

// lookupFunctions are the functions of pg_catalog that look something up in the
// relations, by signature.
func lookupFunctions() map[string]lookupFunc {
	all := map[string]lookupFunc{
		"pg_get_userbyid(oid)": plain(userByID),

		"current_setting(text)":          plain(currentSetting),
		"current_setting(text, boolean)": plain(currentSetting),

		"obj_description(oid, name)":    over("pg_description", objectDescription),
		"shobj_description(oid, name)":  over("pg_shdescription", sharedDescription),
		"obj_description(oid)":          over("pg_description", anyDescription),
		"col_description(oid, integer)": over("pg_description", columnDescription),

		"pg_table_is_visible(oid)": plain(func(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
			o, ok := p.state.names().byOID[args.Ints[0]]
			if !ok {
				return nullResult(), nil
			}
			return boolResult(p.isVisible(o)), nil
		}),
		"pg_type_is_visible(oid)": over("pg_type", typeIsVisible),
		"pg_function_is_visible(oid)": over("pg_proc", func(p *pin, all *table, args sources.CatalogArgs) (sources.CatalogResult, error) {
			const namespace = 2
			found := all.whereFirst(args.Ints[0])
			if len(found) == 0 {
				return nullResult(), nil
			}
			schemaName, _ := schemaOf(found[0].integer(namespace))
			return boolResult(slices.Contains(p.view.Path, schemaName)), nil
		}),

		"pg_get_function_result(oid)":             procText(resultOf),
		"pg_get_function_arguments(oid)":          procText(func(p *postgres.Proc) string { return argumentsOf(p, true) }),
		"pg_get_function_identity_arguments(oid)": procText(func(p *postgres.Proc) string { return argumentsOf(p, false) }),
		"pg_get_viewdef(oid)":                     plain(viewDefinition),
		"pg_get_viewdef(oid, boolean)":            plain(viewDefinition),
		"pg_get_viewdef(oid, integer)":            plain(wrappedViewDefinition),
		"pg_get_viewdef(text)":                    plain(namedViewDefinition),
		"pg_get_viewdef(text, boolean)":           plain(namedViewDefinition),
		"pg_get_serial_sequence(text, text)":      plain(serialSequence),

		"regclassout(regclass)":         registeredOut((*pin).relationTextOf),
		"regnamespaceout(regnamespace)": registeredOut(func(_ *pin, oid int64) (string, bool) { return schemaOf(oid) }),
		"regprocedureout(regprocedure)": registeredOut(procedureText),
		"regoperout(regoper)":           registeredOut(operText),
		"regoperatorout(regoperator)":   registeredOut(operatorText),
		"regcollationout(regcollation)": registeredOut(collationText),
		"regtypeout(regtype)":           registeredOut(typeText),
		"format_type(oid)":              formatType(false),
		"format_type(oid, integer)":     formatType(true),
		"regroleout(regrole)": registeredOut(func(p *pin, oid int64) (string, bool) {
			r, ok := p.state.role(oid)
			return r.name, ok
		}),
	}
	for kind, relation := range map[string]string{
		"operator": "pg_operator", "collation": "pg_collation", "opclass": "pg_opclass", "opfamily": "pg_opfamily",
		"conversion": "pg_conversion", "ts_parser": "pg_ts_parser", "ts_dict": "pg_ts_dict", "ts_template": "pg_ts_template",
		"ts_config": "pg_ts_config", "statistics_obj": "pg_statistic_ext",
	} {
		all["pg_"+kind+"_is_visible(oid)"] = plain(exists(relation))
	}
	maps.Copy(all, definitionFunctions())
	maps.Copy(all, registeredFunctions())
	maps.Copy(all, sizeFunctions())
	maps.Copy(all, privilegeFunctions())
	maps.Copy(all, signalFunctions())
	return all
}

// viewDefinition prints the query of a view by its number, pretty if the second
// argument says so.
func viewDefinition(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
	return p.definitionOf(args.Ints[0], args.Ints[1] != 0, 0), nil
}

// wrappedViewDefinition prints it pretty, its lists wrapped beyond so many characters.
func wrappedViewDefinition(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
	return p.definitionOf(args.Ints[0], true, int(args.Ints[1])), nil
}

func (p *pin) definitionOf(oid int64, pretty bool, wrap int) sources.CatalogResult {
	o, ok := p.state.names().byOID[oid]
	if !ok || o.view == nil {
		return nullResult()
	}
	return textResult(p.definition(o, pretty, wrap).(string))
}

// definition is a view's query as pg_get_viewdef gives it; nil: it is computed.
func (p *pin) definition(o *object, pretty bool, wrap int) any {
	switch {
	case o.view == nil:
		return nil
	case p.view.Definition == nil:
		return " " + o.view.Query + ";"
	}
	return p.view.Definition(o.view, pretty, wrap)
}

// namedViewDefinition takes the view's name.
func namedViewDefinition(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
	o, err := p.table(args.Texts[0])
	if err != nil {
		return nullResult(), err
	}
	return p.definitionOf(int64(o.oid), args.Ints[0] != 0, 0), nil
}

func userByID(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
	if r, ok := p.state.role(args.Ints[0]); ok {
		return textResult(r.name), nil
	}
	return textResult(fmt.Sprintf("unknown (OID=%d)", args.Ints[0])), nil
}

// The columns of pg_description.
const (
	descriptionObject = iota
	descriptionClass
	descriptionSub
	descriptionText
)

// findDescription finds a comment; class -1 takes that of any catalog.
func findDescription(all *table, object, class, sub int64) sources.CatalogResult {
	for _, r := range all.whereFirst(object) {
		if (class < 0 || r.integer(descriptionClass) == class) && r.integer(descriptionSub) == sub {
			return textResult(r.text(descriptionText))
		}
	}
	return nullResult()
}

func objectDescription(p *pin, all *table, args sources.CatalogArgs) (sources.CatalogResult, error) {
	class, ok := p.catalog.relations[relationName{schemaCatalog, args.Texts[0]}]
	if !ok {
		return nullResult(), nil
	}
	return findDescription(all, args.Ints[0], int64(class.oid), 0), nil
}

// sharedDescription finds the comment on what all databases share.
func sharedDescription(p *pin, all *table, args sources.CatalogArgs) (sources.CatalogResult, error) {
	const class, text = 1, 2
	of, ok := p.catalog.relations[relationName{schemaCatalog, args.Texts[0]}]
	if !ok {
		return nullResult(), nil
	}
	for _, r := range all.whereFirst(args.Ints[0]) {
		if r.integer(class) == int64(of.oid) {
			return textResult(r.text(text)), nil
		}
	}
	return nullResult(), nil
}

func anyDescription(_ *pin, all *table, args sources.CatalogArgs) (sources.CatalogResult, error) {
	return findDescription(all, args.Ints[0], -1, 0), nil
}

func columnDescription(_ *pin, all *table, args sources.CatalogArgs) (sources.CatalogResult, error) {
	return findDescription(all, args.Ints[0], classCatalogOID, args.Ints[1]), nil
}

// exists says of an object of a relation, whose first column is its number, that
// it is visible: what is there is in pg_catalog, which is in every path.
func exists(relation string) plainFunc {
	return func(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
		if len(p.rowsOf(relation).whereFirst(args.Ints[0])) == 0 {
			return nullResult(), nil
		}
		return boolResult(true), nil
	}
}

func typeIsVisible(p *pin, all *table, args sources.CatalogArgs) (sources.CatalogResult, error) {
	const name, namespace = 1, 2
	found := all.whereFirst(args.Ints[0])
	if len(found) == 0 {
		return nullResult(), nil
	}
	alike := all.whereName(found[0].text(name))
	for _, s := range p.view.Path {
		for _, r := range alike {
			if r.integer(namespace) == int64(namespaceOID(s)) {
				return boolResult(r == found[0]), nil
			}
		}
	}
	return boolResult(false), nil
}

func (p *pin) relationTextOf(oid int64) (string, bool) {
	o, ok := p.state.names().byOID[oid]
	if !ok {
		return "", false
	}
	return p.relationText(o), true
}

// registeredOut prints the number of an object as its name.
func registeredOut(name func(p *pin, oid int64) (string, bool)) lookupFunc {
	return plain(func(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
		oid := args.Ints[0]
		if oid == 0 {
			return textResult("-"), nil
		}
		if text, ok := name(p, oid); ok {
			return textResult(text), nil
		}
		return textResult(strconv.FormatInt(oid, 10)), nil
	})
}

// serialSequence knows no sequence, but whether there is such a column.
func serialSequence(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
	o, err := p.table(args.Texts[0])
	if err != nil {
		return nullResult(), err
	}
	if !o.hasAttribute(args.Texts[1]) {
		return nullResult(), noColumn(args.Texts[1], o)
	}
	return nullResult(), nil
}

func noColumn(name string, o *object) error {
	return &postgres.Error{
		Code:    pgerrcode.UndefinedColumn,
		Message: fmt.Sprintf("column %q of relation %q does not exist", name, o.name),
	}
}

// hasAttribute says whether there is a column of the name.
func (o *object) hasAttribute(name string) bool {
	return slices.ContainsFunc(o.attributes, func(a attribute) bool { return a.name == name })
}

// currentSetting is a setting of the session; what is not there is NULL if the second
// argument says so.
func currentSetting(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
	value, err := p.view.Setting(args.Texts[0])
	if err != nil {
		if len(args.Ints) > 0 && args.Ints[0] != 0 {
			return nullResult(), nil
		}
		return nullResult(), err
	}
	return textResult(value), nil
}
