package pgcatalog

import (
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// procText prints a function by its number.
func procText(text func(p *postgres.Proc) string) lookupFunc {
	return plain(func(_ *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
		f, _, ok := procedure(args.Ints[0])
		if !ok {
			return nullResult(), nil
		}
		return textResult(text(f)), nil
	})
}

// procedure finds a function of PostgreSQL's or of ours, and its schema.
func procedure(oid int64) (f *postgres.Proc, schemaName string, ok bool) {
	if f, ok := postgres.ProcByOID(postgres.OID(oid)); ok {
		return f, schemaCatalog, true
	}
	f, ok = schema.FunctionByOID(postgres.OID(oid))
	return f, schemaFieldgate, ok
}

// procedureText is a function as regprocedure prints it: its schema only where the
// name alone would not find it.
func procedureText(p *pin, oid int64) (string, bool) {
	f, schemaName, ok := procedure(oid)
	if !ok {
		return "", false
	}
	types := make([]string, len(f.Args))
	for i, t := range f.Args {
		types[i] = t.String()
	}
	text := postgres.QuoteIdentifier(f.Name) + "(" + strings.Join(types, ",") + ")"
	if !slices.Contains(p.view.Path, schemaName) {
		text = postgres.QuoteIdentifier(schemaName) + "." + text
	}
	return text, true
}

// resultOf is what a function returns, as CREATE FUNCTION says it.
func resultOf(f *postgres.Proc) string {
	if s := f.Signature; s != nil && strings.Contains(s.Modes, "t") {
		var columns []string
		for i, mode := range s.Modes {
			if mode == 't' {
				columns = append(columns, named(s, i, s.AllArgs[i]))
			}
		}
		return "TABLE(" + strings.Join(columns, ", ") + ")"
	}
	if f.ReturnsSet {
		return "SETOF " + f.Ret.String()
	}
	return f.Ret.String()
}

// argumentsOf lists a function's arguments as CREATE FUNCTION does, with their
// defaults, or without as what tells it from others of the name.
func argumentsOf(f *postgres.Proc, defaults bool) string {
	types, modes := f.Args, strings.Repeat("i", len(f.Args))
	s := f.Signature
	if s == nil {
		s = &postgres.Signature{}
	}
	if s.AllArgs != nil {
		types, modes = s.AllArgs, s.Modes
	}
	orderBy, repeated := -1, false
	if a, ok := postgres.AggregateByOID(f.OID); ok && a.Kind != postgres.NormalAggregate {
		orderBy = a.DirectArgs
		// A hypothetical-set aggregate takes its direct arguments once more to order by.
		repeated = s.Variadic != 0 && len(f.Args) == a.DirectArgs
	}
	var out strings.Builder
	input, printed := 0, 0
	for i, t := range types {
		mode := modes[i]
		if mode == 't' {
			continue
		}
		if input == orderBy && orderBy >= 0 && mode != 'o' {
			if printed > 0 {
				out.WriteByte(' ')
			}
			out.WriteString("ORDER BY ")
		} else if printed > 0 {
			out.WriteString(", ")
		}
		isVariadic := mode == 'v' || s.AllArgs == nil && s.Variadic != 0 && i == len(types)-1
		argument := modeWord(mode, isVariadic) + named(s, i, t)
		out.WriteString(argument)
		printed++
		if mode != 'o' {
			input++
			if n := input - 1 - (len(f.Args) - len(s.Defaults)); defaults && n >= 0 {
				out.WriteString(" DEFAULT " + s.Defaults[n])
			}
		}
		if repeated && input == len(f.Args) {
			out.WriteString(" ORDER BY " + argument)
			repeated = false
		}
	}
	return out.String()
}

func modeWord(mode byte, variadic bool) string {
	switch {
	case variadic:
		return "VARIADIC "
	case mode == 'o':
		return "OUT "
	case mode == 'b':
		return "INOUT "
	}
	return ""
}

func named(s *postgres.Signature, i int, t postgres.OID) string {
	if i < len(s.Names) && s.Names[i] != "" {
		return postgres.QuoteIdentifier(s.Names[i]) + " " + t.String()
	}
	return t.String()
}
