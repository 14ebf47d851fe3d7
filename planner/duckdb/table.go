package duckdb

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// tables say how each function, operator, cast and aggregate of PostgreSQL is
// printed. They are filled by the files table_*.go, by signature.
type tables struct {
	functions  map[postgres.OID]entry
	operators  map[postgres.OID]entry
	aggregates map[postgres.OID]entry
	casts      map[castPair]entry
	// anyForm are the functions, and the functions of operators, whose printing knows
	// both forms of arrays.
	anyForm map[postgres.OID]bool
	// unknown are signatures that PostgreSQL does not have; a test holds it empty.
	unknown []string
}

type castPair struct {
	from, to postgres.OID
}

// The tables are built when first asked for.
var (
	buildPrintings sync.Once //nolint:gochecknoglobals // guards a lookup table
	allPrintings   *tables   //nolint:gochecknoglobals // a lookup table
)

// printings are the tables.
func printings() *tables {
	buildPrintings.Do(func() { allPrintings = newTables() })
	return allPrintings
}

func newTables() *tables {
	t := &tables{
		functions:  map[postgres.OID]entry{},
		operators:  map[postgres.OID]entry{},
		aggregates: map[postgres.OID]entry{},
		casts:      map[castPair]entry{},
		anyForm:    map[postgres.OID]bool{},
	}
	t.addComparisons()
	t.addNumbers()
	t.addMath()
	t.addNumerics()
	t.addTexts()
	t.addBytes()
	t.addPatterns()
	t.addTimes()
	t.addTimeTZ()
	t.addIntervals()
	t.addFormats()
	t.addArrays()
	t.addJSON()
	t.addJSONPaths()
	t.addTextSearch()
	t.addInet()
	t.addRanges()
	t.addBits()
	t.addRecords()
	t.addSupport()
	t.addNumberCasts()
	t.addTimeCasts()
	t.addTextCasts()
	t.addAggregates()
	t.addStatistics()
	t.addWindows()
	t.addSeries()
	t.addCatalog()
	return t
}

// Signatures of the tables name types as the catalog does: int4, timestamptz,
// text[] or _text.

func (t *tables) types(list string) ([]postgres.OID, bool) {
	var out []postgres.OID
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.Trim(strings.TrimSpace(name), `"`); name == "" {
			continue
		}
		typ, ok := postgres.TypeByName(name)
		if !ok {
			return nil, false
		}
		out = append(out, typ.OID)
	}
	return out, true
}

func cutSignature(signature string) (name, args string) {
	i := strings.LastIndexByte(signature, '(')
	return signature[:i], strings.TrimSuffix(signature[i+1:], ")")
}

// function adds a function by its signature.
func (t *tables) function(signature string, e entry) {
	name, list := cutSignature(signature)
	args, ok := t.types(list)
	for _, p := range postgres.ProcsByName(name) {
		if ok && slices.Equal(p.Args, args) {
			if p.Kind == postgres.FunctionProc {
				t.functions[p.OID] = e
			} else {
				t.aggregates[p.OID] = e
			}
			return
		}
	}
	t.unknown = append(t.unknown, signature)
}

// functionTexts adds functions with templates, which hold for all of them that
// are listed: signature, template, signature, template.
func (t *tables) functionTexts(pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		t.function(pairs[i], template(pairs[i+1]))
	}
}

// arrays adds a function, by its signature, that knows both forms of arrays.
func (t *tables) arrays(signature string, e entry) {
	t.function(signature, e)
	t.takesArrays(signature)
}

// takesArrays notes that a function knows both forms of arrays.
func (t *tables) takesArrays(signature string) {
	name, list := cutSignature(signature)
	args, ok := t.types(list)
	for _, p := range postgres.ProcsByName(name) {
		if ok && slices.Equal(p.Args, args) {
			t.anyForm[p.OID] = true
		}
	}
}

// arrayOperator adds an operator that knows both forms of arrays.
func (t *tables) arrayOperator(signature string, e entry) {
	t.operator(signature, e)
	name, list := cutSignature(signature)
	args, ok := t.types(list)
	for _, o := range postgres.OperatorsByName(name, postgres.InfixOperator) {
		if ok && o.Left == args[0] && o.Right == args[1] {
			t.anyForm[o.Code] = true
		}
	}
}

// operator adds an operator: "+(int4, int4)", or "-(int4)" for a prefix one.
func (t *tables) operator(signature string, e entry) {
	name, list := cutSignature(signature)
	args, ok := t.types(list)
	kind := postgres.InfixOperator
	if len(args) == 1 {
		kind, args = postgres.PrefixOperator, []postgres.OID{0, args[0]}
	}
	for _, o := range postgres.OperatorsByName(name, kind) {
		if ok && o.Left == args[0] && o.Right == args[1] {
			t.operators[o.OID] = e
			return
		}
	}
	t.unknown = append(t.unknown, "operator "+signature)
}

func (t *tables) operatorTexts(pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		t.operator(pairs[i], template(pairs[i+1]))
	}
}

// both adds an operator and the function that does the same.
func (t *tables) both(operator, function string, e entry) {
	_, args := cutSignature(operator)
	t.operator(operator, e)
	t.function(function+"("+args+")", e)
}

// cast adds a conversion: "int4->text".
func (t *tables) cast(signature string, e entry) {
	from, to, _ := strings.Cut(signature, "->")
	types, ok := t.types(from + "," + to)
	if !ok {
		t.unknown = append(t.unknown, "cast "+signature)
		return
	}
	t.casts[castPair{types[0], types[1]}] = e
}

// castTexts adds conversions by templates for the explicit cast and, behind a
// bar, for the one that gives NULL instead of an error: without it the first
// never fails.
func (t *tables) castTexts(pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		always, try, fails := strings.Cut(pairs[i+1], " | ")
		t.cast(pairs[i], func(s *site) printed {
			if s.try && fails {
				return printed{s.fill(try), textScale(s.ret)}
			}
			return printed{s.fill(always), textScale(s.ret)}
		})
	}
}

func each(list string, do func(name string)) {
	for name := range strings.FieldsSeq(list) {
		do(name)
	}
}

func eachPair(list string, do func(a, b string)) {
	each(list, func(a string) { each(list, func(b string) { do(a, b) }) })
}

func sig(name string, types ...string) string {
	return fmt.Sprintf("%s(%s)", name, strings.Join(types, ", "))
}
