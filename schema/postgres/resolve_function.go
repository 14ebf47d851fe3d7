package postgres

import (
	"strings"

	"github.com/jackc/pgerrcode"
)

// maxFunctionArgs is FUNC_MAX_ARGS of PostgreSQL's default build.
const maxFunctionArgs = 100

// CallOptions are the marks a function call can carry that bear on which function it means.
type CallOptions struct {
	Schema      string   // as written before the function's name, for messages
	Names       []string // the names of the last arguments, of those written name => value
	Variadic    bool     // the last argument is marked VARIADIC
	Star        bool     // f(*)
	WithinGroup bool     // the last arguments stand in WITHIN GROUP (ORDER BY …)
	// Procs are the functions of that name to choose among; nil: those of pg_catalog.
	Procs []*Proc
}

// display is a function's name as the call has it.
func (o CallOptions) display(name string) string {
	if o.Schema == "" {
		return name
	}
	return o.Schema + "." + name
}

// ResolvedProc is the function a call means.
type ResolvedProc struct {
	Proc      *Proc      // nil for a cast written as a function call: int4(x), date('today')
	Aggregate *Aggregate // for an aggregate
	// ArgTypes has one type for each parameter, in the function's order: what the argument is to be coerced to.
	// VARIADIC parameters are expanded, polymorphic ones resolved; those declared "any" keep the type they have.
	ArgTypes []OID
	// ArgOrder says which given argument each parameter takes, -1 for its default ([Proc.Default]); nil if the
	// parameters are the given arguments in their order.
	ArgOrder []int
	// VariadicFrom is the first of the parameters that PostgreSQL collects in one array, -1 if none.
	VariadicFrom int
	Ret          OID
}

// Default is the SQL expression for a parameter that was left out; empty if it has none.
func (p *Proc) Default(param int) string {
	defaults := p.Defaults()
	if i := param - len(p.Args) + len(defaults); i >= 0 && i < len(defaults) {
		return defaults[i]
	}
	return ""
}

// ResolveFunction finds the function, of pg_catalog unless opts has others, that a call means, by the manual's section 10.3. UnknownOID stands
// for a literal without a type; the arguments of an ordered-set aggregate are those before and in WITHIN GROUP. The
// error is an [*Error]: 42883 if there is none, 42725 if several are as good, 42809 if it cannot be called that way.
func ResolveFunction(name string, args []OID, opts CallOptions) (*ResolvedProc, error) {
	if len(args) > maxFunctionArgs {
		return nil, errorf(pgerrcode.TooManyArguments, "cannot pass more than %d arguments to a function", maxFunctionArgs)
	}
	if err := checkArgNames(opts.Names); err != nil {
		return nil, err
	}
	c, target, err := findFunction(name, args, opts)
	if err != nil {
		return nil, err
	}
	if target != 0 {
		if opts.Star {
			return nil, notAggregate(opts.display(name))
		}
		return &ResolvedProc{ArgTypes: []OID{target}, VariadicFrom: -1, Ret: target}, nil
	}
	r := &ResolvedProc{Proc: c.proc, ArgTypes: c.args, ArgOrder: c.order, VariadicFrom: -1}
	r.Aggregate, _ = AggregateByOID(c.proc.OID)
	if err := checkCallForm(name, r, len(args), opts); err != nil {
		return nil, err
	}
	actual := args
	if c.order != nil {
		r.ArgTypes = c.params
		actual = make([]OID, len(c.params))
		for param, arg := range c.order {
			actual[param] = c.params[param]
			if arg >= 0 {
				actual[param] = args[arg]
			}
		}
	}
	if opts.Variadic && c.proc.Variadic() == AnyOID && ElemOf(BaseOf(args[len(args)-1])) == 0 {
		return nil, errorf(pgerrcode.DatatypeMismatch, "VARIADIC argument must be an array")
	}
	if c.expanded && c.proc.Variadic() != AnyOID {
		r.VariadicFrom = len(c.proc.Args) - 1
	}
	if r.ArgTypes, r.Ret, err = resolvePolymorphic(actual, r.ArgTypes, c.proc.Ret); err != nil {
		return nil, err
	}
	r.ArgTypes = append([]OID(nil), r.ArgTypes...)
	for i, t := range r.ArgTypes {
		if t == AnyOID {
			r.ArgTypes[i] = actual[i]
		}
	}
	return r, nil
}

func checkArgNames(names []string) error {
	for i, n := range names {
		for _, earlier := range names[:i] {
			if n == earlier {
				return errorf(pgerrcode.SyntaxError, "argument name %q used more than once", n)
			}
		}
	}
	return nil
}

func notAggregate(name string) *Error {
	return errorf(pgerrcode.WrongObjectType, "%s(*) specified, but %s is not an aggregate function", name, name)
}

// checkCallForm refuses an aggregate's call without arguments that lacks the star, and the star where it does not belong.
func checkCallForm(name string, r *ResolvedProc, args int, opts CallOptions) error {
	switch {
	case opts.Star && r.Proc.Kind == FunctionProc:
		return notAggregate(opts.display(name))
	case r.Aggregate != nil && args == 0 && !opts.Star && !opts.WithinGroup:
		return errorf(pgerrcode.WrongObjectType, "%s(*) must be used to call a parameterless aggregate function", opts.display(name))
	case r.Aggregate != nil && r.Aggregate.Kind != NormalAggregate && !opts.WithinGroup:
		return errorf(pgerrcode.WrongObjectType, "WITHIN GROUP is required for ordered-set aggregate %s", opts.display(name))
	case r.Aggregate != nil && r.Aggregate.Kind == NormalAggregate && opts.WithinGroup:
		return errorf(pgerrcode.WrongObjectType, "%s is not an ordered-set aggregate, so it cannot have WITHIN GROUP", opts.display(name))
	case r.Proc.Kind == ProcedureProc:
		return errorf(pgerrcode.WrongObjectType, "%s is a procedure", functionSignature(opts.display(name), r.Proc.Args, nil)).
			withHint("To call a procedure, use CALL.")
	}
	return nil
}

// findFunction finds the one function, or the type if the call is a cast in disguise.
func findFunction(name string, args []OID, opts CallOptions) (best candidate, castTo OID, err error) {
	candidates := functionCandidates(name, args, opts)
	for _, c := range candidates {
		if !c.unclear && sameTypes(c.args, args) {
			return c, 0, nil
		}
	}
	if t, ok := castInDisguise(name, args, opts); ok && opts.Procs == nil {
		return candidate{}, t, nil
	}
	candidates = keepCoercible(args, candidates)
	if len(candidates) == 0 {
		return candidate{}, 0, functionNotFound(name, args, opts)
	}
	best, ok := candidates[0], true
	if len(candidates) > 1 {
		best, ok = selectCandidate(args, candidates)
	}
	if !ok || best.unclear {
		return candidate{}, 0, errorf(pgerrcode.AmbiguousFunction, "function %s is not unique", functionSignature(opts.display(name), args, opts.Names)).
			withHint("Could not choose a best candidate function. You might need to add explicit type casts.")
	}
	return best, 0, nil
}

func functionNotFound(name string, args []OID, opts CallOptions) *Error {
	return errorf(pgerrcode.UndefinedFunction, "function %s does not exist", functionSignature(opts.display(name), args, opts.Names)).
		withHint("No function matches the given name and argument types. You might need to add explicit type casts.")
}

func functionSignature(name string, args []OID, names []string) string {
	var b strings.Builder
	b.WriteString(name)
	b.WriteByte('(')
	for i, t := range args {
		if i > 0 {
			b.WriteString(", ")
		}
		if n := i - len(args) + len(names); n >= 0 {
			b.WriteString(names[n])
			b.WriteString(" => ")
		}
		b.WriteString(t.String())
	}
	b.WriteByte(')')
	return b.String()
}

// castInDisguise recognises a call of one argument that is named after a type: a literal of that type, or a conversion
// that needs no function or goes through text. Conversions that have a function have it under its own name.
func castInDisguise(name string, args []OID, opts CallOptions) (OID, bool) {
	if len(args) != 1 || opts.Names != nil {
		return 0, false
	}
	t, ok := catalog().typesByName[name]
	if !ok || t.Kind == CompositeType {
		return 0, false
	}
	if args[0] == UnknownOID {
		return t.OID, true
	}
	path, ok := FindPathway(args[0], t.OID, Explicit)
	switch {
	case !ok:
		return 0, false
	case path.Method == CoerceViaIO:
		toRecord := args[0] == RecordOID || isComposite(args[0])
		return t.OID, !toRecord || t.Category != StringCategory
	}
	return t.OID, path.Method == Relabel
}

// functionCandidates are the functions of that name that take that many arguments, with defaults and VARIADIC.
func functionCandidates(name string, args []OID, opts CallOptions) []candidate {
	procs := opts.Procs
	if procs == nil {
		procs = ProcsByName(name)
	}
	var candidates []candidate
	for _, p := range procs {
		c, ok := makeCandidate(p, args, opts)
		if !ok {
			continue
		}
		if i := sameCandidate(candidates, c); i >= 0 {
			// A function that takes the arguments one by one hides a variadic one; others as good are ambiguous.
			prev := &candidates[i]
			switch {
			case c.expanded && !prev.expanded:
			case !c.expanded && prev.expanded:
				*prev = c
			default:
				prev.unclear = true
			}
			continue
		}
		candidates = append(candidates, c)
	}
	return candidates
}

func sameCandidate(candidates []candidate, c candidate) int {
	for i := range candidates {
		if sameTypes(candidates[i].args, c.args) {
			return i
		}
	}
	return -1
}

func makeCandidate(p *Proc, args []OID, opts CallOptions) (candidate, bool) {
	if len(opts.Names) > 0 {
		return makeNamedCandidate(p, args, opts)
	}
	given, declared := len(args), len(p.Args)
	c := candidate{proc: p, args: p.Args}
	switch {
	case declared <= given && !opts.Variadic && p.Variadic() != 0:
		c.expanded = true
		c.args = append(make([]OID, 0, given), p.Args[:declared-1]...)
		for len(c.args) < given {
			c.args = append(c.args, p.Variadic())
		}
	case declared > given:
		if given+len(p.Defaults()) < declared {
			return candidate{}, false
		}
		c.args, c.params = p.Args[:given], p.Args
		c.order = make([]int, declared)
		for i := range c.order {
			c.order[i] = i
			if i >= given {
				c.order[i] = -1
			}
		}
	case declared != given:
		return candidate{}, false
	}
	return c, true
}

// makeNamedCandidate matches a call with named arguments: the positional ones first, each name to its parameter, the
// rest to defaults.
func makeNamedCandidate(p *Proc, args []OID, opts CallOptions) (candidate, bool) {
	declared, positional := len(p.Args), len(args)-len(opts.Names)
	if p.Signature == nil || len(args) > declared || p.Variadic() != 0 && !opts.Variadic {
		return candidate{}, false
	}
	c := candidate{proc: p, args: make([]OID, len(args)), params: p.Args, order: make([]int, declared)}
	for i := range c.order {
		c.order[i] = -1
		if i < positional {
			c.order[i], c.args[i] = i, p.Args[i]
		}
	}
	names := p.inputNames()
	for i, name := range opts.Names {
		param := -1
		for j, n := range names {
			if n == name {
				param = j
			}
		}
		if param < 0 || c.order[param] >= 0 {
			return candidate{}, false
		}
		c.order[param], c.args[positional+i] = positional+i, p.Args[param]
	}
	for i, arg := range c.order {
		if arg < 0 && p.Default(i) == "" {
			return candidate{}, false
		}
	}
	return c, true
}

// inputNames are the names of the input parameters in order.
func (p *Proc) inputNames() []string {
	if p.Signature == nil || p.Signature.AllArgs == nil {
		if p.Signature == nil {
			return nil
		}
		return p.Signature.Names
	}
	var names []string
	for i, n := range p.Signature.Names {
		switch p.Signature.Modes[i] {
		case 'i', 'b', 'v':
			names = append(names, n)
		}
	}
	return names
}

func sameTypes(a, b []OID) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
