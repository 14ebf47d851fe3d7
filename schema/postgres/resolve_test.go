package postgres_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// operandTypes are the types that questions are made of; unknown stands for a bare NULL.
var operandTypes = strings.Fields(`unknown unknown bool bytea "char" name int8 int2 int4 text oid json jsonb float4 float8 numeric money
	bpchar varchar date time timestamp timestamptz interval timetz uuid bit varbit inet point regclass xid
	_bool _int4 _int8 _text _varchar _float8 _numeric _timestamptz _jsonb int4range tstzrange int4multirange
	information_schema.sql_identifier information_schema.cardinal_number`)

// A question about resolution, and how we answer it.
type question struct {
	sql     string
	resolve func() (postgres.OID, error)
}

func typeOID(t *testing.T, name string) postgres.OID {
	t.Helper()
	namespace, bare, ok := strings.Cut(name, ".")
	if !ok {
		namespace, bare = "pg_catalog", strings.Trim(name, `"`)
	}
	typ, ok := postgres.TypeByQualifiedName(namespace, bare)
	if !ok {
		t.Fatalf("no type %s", name)
	}
	return typ.OID
}

func nullOf(name string) string {
	if name == "unknown" {
		return "null"
	}
	return "null::" + name
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func operatorQuestions(t *testing.T, r *rand.Rand, n int) []question {
	var names []string
	for _, o := range postgres.Operators() {
		names = append(names, o.Name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	daily := strings.Fields("+ - * / % ^ = <> < > <= >= || ~ ~~ ~~* -> ->> @> && #>>")
	var all []question
	for range n {
		name := pick(r, daily)
		if r.IntN(3) == 0 {
			name = pick(r, names)
		}
		left, right := pick(r, operandTypes), pick(r, operandTypes)
		if r.IntN(3) == 0 {
			right = left
		}
		q := question{sql: fmt.Sprintf("select %s %s %s", nullOf(left), name, nullOf(right))}
		leftOID, rightOID := typeOID(t, left), typeOID(t, right)
		// The grammar has no prefix form of the comparisons and of the infix arithmetic.
		if r.IntN(10) == 0 && !slices.Contains(strings.Fields("* / % ^ = <> < > <= >="), name) {
			q.sql, leftOID = fmt.Sprintf("select %s %s", name, nullOf(right)), 0
		}
		q.resolve = func() (postgres.OID, error) {
			o, err := postgres.ResolveOperator(name, leftOID, rightOID)
			if err != nil {
				return 0, err
			}
			return o.ResultType, nil
		}
		all = append(all, q)
	}
	return all
}

// argumentType proposes a type for a parameter: often the declared one, else any.
func argumentType(r *rand.Rand, declared postgres.OID) string {
	typ, ok := postgres.TypeByOID(declared)
	if ok && typ.Kind != postgres.PseudoType && r.IntN(5) < 3 {
		if typ.Namespace == "" && typ.Name == "char" {
			return `"char"`
		}
		return typ.Name
	}
	if r.IntN(2) == 0 {
		switch declared {
		case postgres.AnyArrayOID, postgres.AnyCompatibleArrayOID:
			return pick(r, []string{"_int4", "_text", "_float8"})
		case postgres.AnyRangeOID:
			return "int4range"
		}
	}
	return pick(r, operandTypes)
}

func functionQuestions(t *testing.T, r *rand.Rand, n int) []question {
	var all []question
	for len(all) < n {
		p := &postgres.Procs()[r.IntN(len(postgres.Procs()))]
		internal := func(oid postgres.OID) bool {
			return oid == postgres.InternalOID || oid == postgres.CStringOID || oid == postgres.TriggerOID
		}
		// Names that the grammar reads as something else than a call, and calls that cannot be described, stay out.
		if slices.ContainsFunc(p.Args, internal) || p.Ret == postgres.RecordOID || internal(p.Ret) || p.Kind == postgres.ProcedureProc ||
			p.Signature != nil && p.Signature.AllArgs != nil && p.Variadic() == 0 || p.Name == "dense_rank" && p.Kind == postgres.AggregateProc {
			continue
		}
		declared := slices.Clone(p.Args)
		switch r.IntN(12) {
		case 0:
			declared = append(declared, postgres.TextOID)
		case 1:
			if len(declared) > 0 {
				declared = declared[:len(declared)-1]
			}
		}
		all = append(all, functionQuestion(t, r, p, declared))
	}
	return all
}

func functionQuestion(t *testing.T, r *rand.Rand, p *postgres.Proc, declared []postgres.OID) question {
	var args []string
	var oids []postgres.OID
	for _, d := range declared {
		name := argumentType(r, d)
		args = append(args, nullOf(name))
		oids = append(oids, typeOID(t, name))
	}
	var opts postgres.CallOptions
	if p.Variadic() != 0 && len(args) > 0 && r.IntN(2) == 0 {
		opts.Variadic = true
		args[len(args)-1] = "variadic " + args[len(args)-1]
	}
	if p.Signature != nil && p.Signature.AllArgs == nil && !opts.Variadic && len(p.Signature.Names) >= len(args) {
		for i := r.IntN(len(args) + 1); i < len(args); i++ {
			if name := p.Signature.Names[i]; name != "" {
				opts.Names = append(opts.Names, name)
				args[i] = `"` + name + `" => ` + args[i]
			} else {
				opts.Names = nil
				break
			}
		}
		if opts.Names == nil {
			for i := range args {
				_, arg, ok := strings.Cut(args[i], " => ")
				if ok {
					args[i] = arg
				}
			}
		}
	}
	call := fmt.Sprintf(`pg_catalog."%s"(%s)`, p.Name, strings.Join(args, ", "))
	opts.Schema = "pg_catalog"
	if a, ok := postgres.AggregateByOID(p.OID); ok && a.Kind != postgres.NormalAggregate && len(args) == len(p.Args) {
		opts.WithinGroup = true
		if a.Kind == postgres.OrderedSetAggregate {
			call = fmt.Sprintf(`pg_catalog."%s"(%s) within group (order by %s)`, p.Name,
				strings.Join(args[:a.DirectArgs], ", "), strings.Join(args[a.DirectArgs:], ", "))
		} else {
			args[0], opts.Variadic = strings.TrimPrefix(args[0], "variadic "), false
			call = fmt.Sprintf(`pg_catalog."%s"(%s) within group (order by %s)`, p.Name, args[0], args[0])
			oids = append(oids, oids[0])
		}
	}
	if p.Kind == postgres.WindowProc {
		call += " over ()"
	}
	return question{"select " + call, func() (postgres.OID, error) {
		f, err := postgres.ResolveFunction(p.Name, oids, opts)
		if err == nil && opts.WithinGroup {
			err = postgres.CheckOrderable(f.ArgTypes[len(f.ArgTypes)-1])
		}
		if err != nil {
			return 0, err
		}
		return f.Ret, nil
	}}
}

func castQuestions(t *testing.T, r *rand.Rand, n int) []question {
	var all []question
	for range n {
		from, to := pick(r, operandTypes[2:]), pick(r, operandTypes[2:])
		source, target := typeOID(t, from), typeOID(t, to)
		all = append(all, question{fmt.Sprintf("select (%s)::%s", nullOf(from), to), func() (postgres.OID, error) {
			if !postgres.CanCoerce(source, target, postgres.Explicit) {
				return 0, &postgres.Error{Code: pgerrcode.CannotCoerce, Message: fmt.Sprintf("cannot cast type %s to %s", source, target)}
			}
			return target, nil
		}})
	}
	return all
}

func commonTypeQuestions(t *testing.T, r *rand.Rand, n int) []question {
	var all []question
	for range n {
		var names, nulls []string
		var oids []postgres.OID
		for range 2 + r.IntN(2) {
			name := pick(r, operandTypes)
			if len(names) > 0 && r.IntN(2) == 0 {
				name = names[0]
			}
			names, nulls, oids = append(names, name), append(nulls, nullOf(name)), append(oids, typeOID(t, name))
		}
		q := question{}
		context := "COALESCE"
		switch r.IntN(3) {
		case 0:
			q.sql = "select coalesce(" + strings.Join(nulls, ", ") + ")"
		case 1:
			context = "UNION"
			oids = oids[:2]
			q.sql = fmt.Sprintf("select %s union all select %s", nulls[0], nulls[1])
		default:
			context = "CASE"
			q.sql = "select case when random() > 1 then " + strings.Join(nulls[1:], " when random() > 2 then ") + " else " + nulls[0] + " end"
		}
		q.resolve = func() (postgres.OID, error) { return postgres.SelectCommonType(oids, context) }
		all = append(all, q)
	}
	return all
}

func orderQuestions(_ *testing.T, r *rand.Rand, n int) []question {
	var all []question
	for range n {
		typ := pick(r, postgres.Types())
		name := `"` + typ.Name + `"`
		if typ.Namespace != "" {
			name = typ.Namespace + "." + name
		}
		if elem, ok := postgres.TypeByOID(typ.Elem); ok && typ.IsArray() {
			typ.Kind = elem.Kind
		}
		if typ.Kind == postgres.PseudoType || typ.Kind == postgres.CompositeType {
			continue
		}
		all = append(all, question{fmt.Sprintf("select 1 from (select null::%s x) t order by x", name), func() (postgres.OID, error) {
			return postgres.Int4OID, postgres.CheckOrderable(typ.OID)
		}}, question{fmt.Sprintf("select 1 from (select null::%s x) t group by x", name), func() (postgres.OID, error) {
			return postgres.Int4OID, postgres.CheckEquality(typ.OID)
		}})
	}
	return all
}

// describe asks a server for the type of a statement's only column, without running it.
func describe(t *testing.T) func(*pgx.Conn, string) string {
	return func(conn *pgx.Conn, sql string) string {
		d, err := conn.PgConn().Prepare(t.Context(), "", sql, nil)
		if err != nil {
			return verdictOf(err)
		}
		return postgres.OID(d.Fields[0].DataTypeOID).String()
	}
}

func (q question) answer() string {
	oid, err := q.resolve()
	var e *postgres.Error
	switch {
	case errors.As(err, &e):
		return errorVerdict(e.Code, e.Message)
	case err != nil:
		return "not an answer: " + err.Error()
	}
	// A row description shows the type under a domain.
	return postgres.BaseOf(oid).String()
}

// TestResolve compares what operators, functions, casts and alternatives resolve to with what a real PostgreSQL 15
// answered; where one can be started it asks that about many more.
func TestResolve(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		stored, live int
		generate     func(*testing.T, *rand.Rand, int) []question
	}{
		{"operators", 800, 8000, operatorQuestions},
		{"functions", 800, 8000, functionQuestions},
		{"casts", 500, 5000, castQuestions},
		{"order", 60, 500, orderQuestions},
		{"common_types", 400, 5000, commonTypeQuestions},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			questions := c.generate(t, rand.New(rand.NewPCG(1, 2)), c.stored)
			checkVerdicts(t, c.name+".tsv", sqlOf(questions), describe(t), func(i int) string { return questions[i].answer() })
		})
		t.Run(c.name+"/live", func(t *testing.T) {
			t.Parallel()
			questions := c.generate(t, rand.New(rand.NewPCG(3, 4)), c.live**live)
			compareLive(t, sqlOf(questions), describe(t), func(i int) string { return questions[i].answer() },
				func(got, want string) bool { return got == want })
		})
	}
}

func sqlOf(questions []question) []string {
	list := make([]string, len(questions))
	for i, q := range questions {
		list[i] = q.sql
	}
	return list
}
