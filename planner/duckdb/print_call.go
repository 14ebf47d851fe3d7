package duckdb

import (
	"fmt"
	"strings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// site is a place where a function, operator, cast or aggregate is called.
type site struct {
	p     *printer
	name  string
	args  []printed
	types []planner.Type
	nodes []planner.Expr
	ret   planner.Type
	// try: what PostgreSQL refuses is NULL.
	try bool
	// distinct, order, filter, its condition and over belong to aggregates and windows.
	distinct  bool
	order     string
	filter    string
	condition string
	over      string
	window    *planner.Window // of over
	explicit  bool
	// variadic: the last argument is the array of all further ones.
	variadic bool
}

// entry prints one function, operator, cast or aggregate.
type entry func(s *site) printed

// template is an entry that puts its arguments in the places $1 to $9. Numerics
// go in, and come out, as text.
func template(text string) entry {
	return func(s *site) printed {
		return printed{s.fill(text), textScale(s.ret)}
	}
}

// fill puts the arguments into a template.
func (s *site) fill(text string) string {
	pairs := make([]string, 0, 2*len(s.args)+2)
	for i := range s.args {
		pairs = append(pairs, fmt.Sprintf("$%d", i+1), s.text(i))
	}
	style := ""
	if s.p.style != "" {
		style = ", " + quoteString(s.p.style)
	}
	return strings.NewReplacer(append(pairs, "$zone", quoteString(s.p.zone), "$style", style)...).Replace(text)
}

// text is argument i, a numeric as text.
func (s *site) text(i int) string {
	if s.types[i].OID == postgres.NumericOID {
		return s.p.rescale(s.args[i], asText).sql
	}
	return s.args[i].sql
}

// refuse says that the function has no printing for these arguments.
func (s *site) refuse(format string, args ...any) printed {
	return s.p.fail(unsupported(format, args...))
}

// call prints an aggregate or window function with all that the query says of it.
func (s *site) call(name string, args ...string) string {
	distinct, order := "", ""
	if s.distinct {
		distinct = "DISTINCT "
	}
	if s.order != "" {
		order = " ORDER BY " + s.order
	}
	for i := range args {
		args[i] = s.where(args[i])
	}
	return name + "(" + distinct + strings.Join(args, ", ") + order + ")" + s.filter + s.over
}

func signatureOf(name string, types []postgres.OID) string {
	texts := make([]string, len(types))
	for i, t := range types {
		texts[i] = typeName(t)
	}
	return name + "(" + strings.Join(texts, ", ") + ")"
}

func typeName(oid postgres.OID) string {
	if oid == 0 {
		return ""
	}
	return oid.String()
}

func (p *printer) function(e *planner.Func) printed {
	if e.Proc.ReturnsSet {
		list := p.setReturning(e)
		return printed{"unnest(" + list.sql + ")", list.scale}
	}
	return p.callFunction(e)
}

// setReturning prints a set-returning function as the list of what it returns.
func (p *printer) setReturning(e *planner.Func) printed { return p.callFunction(e) }

func (p *printer) callFunction(e *planner.Func) printed {
	if e.Proc.Name == planner.JSONRecords {
		return printed{sql: "fg_json_records(" + join(p.exprs(e.Args)) + ")"}
	}
	entry, ok := printings().functions[e.Proc.OID]
	name := e.Proc.Name
	if !ok {
		entry, name, ok = implementation(e.Proc)
	}
	if out, null := p.withoutCall(e.Proc, e.Args, e.T); !ok && null {
		return out
	}
	if !ok || e.Variadic && !takesArray(e.Proc) {
		return p.fail(unsupported("function %s", signatureOf(e.Proc.Name, e.Proc.Args)))
	}
	s := p.site(name, e.Args, e.T)
	s.variadic = e.Variadic
	return p.shared(s.args, s.nodes, func() printed {
		if !printings().anyForm[e.Proc.OID] {
			s.lists()
		}
		return entry(s)
	})
}

// implementation prints a call of the function behind an operator, as int4pl is behind +, or behind a cast; name is the
// operator's.
func implementation(proc *postgres.Proc) (e entry, name string, ok bool) {
	for _, o := range postgres.Operators() {
		if o.Code != proc.OID {
			continue
		}
		if e, ok := printings().operators[o.OID]; ok {
			return e, o.Name, true
		}
	}
	for _, c := range postgres.Casts() {
		if c.Func == proc.OID && len(proc.Args) == 1 {
			return func(s *site) printed { return s.p.cast(s.args[0], s.types[0], s.ret, true, false) }, proc.Name, true
		}
	}
	return nil, "", false
}

// takesArray says that an entry prints VARIADIC with an array too.
func takesArray(proc *postgres.Proc) bool {
	switch proc.Name {
	case "concat", "concat_ws", "format", "num_nulls", "num_nonnulls", "json_build_array", "json_build_object", "jsonb_build_array", "jsonb_build_object",
		"json_extract_path", "json_extract_path_text", "jsonb_extract_path", "jsonb_extract_path_text":
		return true
	}
	_, multi, _ := postgres.RangeTypeOf(proc.Ret)
	return multi
}

// lists brings arrays of another form into that of lists, which is the only one that
// most functions know.
func (s *site) lists() {
	for i, t := range s.types {
		if postgres.ElemOf(t.OID) != 0 {
			s.args[i] = s.p.list(t, s.args[i])
		}
	}
}

func (p *printer) site(name string, args []planner.Expr, ret planner.Type) *site {
	outer := p.tableRows
	p.tableRows = showsNoType(name)
	s := &site{p: p, name: name, args: p.exprs(args), nodes: args, ret: ret}
	p.tableRows = outer
	for _, a := range args {
		s.types = append(s.types, a.Type())
	}
	return s
}

func (p *printer) operator(e *planner.Op) printed {
	if long, ok := p.chain(e); ok {
		return long
	}
	s := &site{p: p, name: e.Operator.Name, ret: e.T}
	if e.Left != nil {
		s.nodes = append(s.nodes, e.Left)
	}
	s.nodes = append(s.nodes, e.Right)
	s.args = p.exprs(s.nodes)
	for _, n := range s.nodes {
		s.types = append(s.types, n.Type())
	}
	if proc, ok := postgres.ProcByOID(e.Operator.Code); ok && printings().operators[e.Operator.OID] == nil {
		if out, null := p.withoutCall(proc, s.nodes, e.T); null {
			return out
		}
	}
	return p.shared(s.args, s.nodes, func() printed { return p.callOperator(e.Operator, s) })
}

// apply prints an operator over operands that are printed already.
func (p *printer) apply(o *postgres.Operator, lt planner.Type, l printed, rt planner.Type, r printed) printed {
	return p.callOperator(o, &site{
		p: p, name: o.Name, args: []printed{l, r}, types: []planner.Type{lt, rt}, nodes: []planner.Expr{nil, nil},
		ret: planner.Type{OID: o.Result, Typmod: -1},
	})
}

func (p *printer) callOperator(o *postgres.Operator, s *site) printed {
	entry, ok := printings().operators[o.OID]
	if !ok {
		return p.fail(unsupported("operator %s", operatorSignature(o)))
	}
	if !printings().anyForm[o.Code] {
		s.lists()
	}
	return entry(s)
}

func operatorSignature(o *postgres.Operator) string {
	if o.Left == 0 {
		return o.Name + " " + typeName(o.Right)
	}
	return typeName(o.Left) + " " + o.Name + " " + typeName(o.Right)
}
