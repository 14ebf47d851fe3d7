package postgres

// ProcKind is pg_proc.prokind.
type ProcKind byte

// The kinds of functions.
const (
	FunctionProc  ProcKind = 'f'
	AggregateProc ProcKind = 'a'
	WindowProc    ProcKind = 'w'
	ProcedureProc ProcKind = 'p'
)

// Volatility is pg_proc.provolatile.
type Volatility byte

// How much a function's answer may change between calls with the same arguments.
const (
	Immutable Volatility = 'i'
	Stable    Volatility = 's'
	Volatile  Volatility = 'v'
)

// Proc is a row of pg_proc: a function, aggregate, window function or procedure.
type Proc struct {
	OID         OID
	Name        string
	Kind        ProcKind
	Volatility  Volatility
	Strict      bool // NULL for any NULL argument, without being called
	ReturnsSet  bool
	Ret         OID
	Args        []OID      // input arguments
	Signature   *Signature // what only some functions have, nil if none of it
	Description string
}

// Signature is what goes beyond a plain list of input arguments.
type Signature struct {
	Variadic OID      // element type of the last argument if that is VARIADIC (AnyOID for "any"), else 0
	AllArgs  []OID    // input and output arguments, nil if all are input
	Modes    string   // one of i, o, b, v, t for each of AllArgs
	Names    []string // of AllArgs, or of the inputs if that is nil; nil if no argument has a name
	Defaults []string // expressions for the last input arguments, in SQL
}

// AggregateKind is pg_aggregate.aggkind.
type AggregateKind byte

// The kinds of aggregates.
const (
	NormalAggregate       AggregateKind = 'n'
	OrderedSetAggregate   AggregateKind = 'o'
	HypotheticalAggregate AggregateKind = 'h'
)

// Aggregate is a row of pg_aggregate.
type Aggregate struct {
	Proc       OID
	Kind       AggregateKind
	DirectArgs int // of an ordered-set aggregate, those before WITHIN GROUP
}

// Variadic is the element type of a last argument declared VARIADIC, 0 if there is none.
func (p *Proc) Variadic() OID {
	if p.Signature == nil {
		return 0
	}
	return p.Signature.Variadic
}

// Defaults are the SQL expressions of the last arguments that may be left out.
func (p *Proc) Defaults() []string {
	if p.Signature == nil {
		return nil
	}
	return p.Signature.Defaults
}

// Procs are all functions of pg_catalog by OID. Not to be written to.
func Procs() []Proc { return procTable }

// Aggregates are all rows of pg_aggregate. Not to be written to.
func Aggregates() []Aggregate { return aggregateTable }

// ProcByOID finds a function of pg_catalog.
func ProcByOID(oid OID) (*Proc, bool) {
	p, ok := catalog().procsByOID[oid]
	return p, ok
}

// ProcsByName are the functions of that name in pg_catalog. Not to be written to.
func ProcsByName(name string) []*Proc { return catalog().procsByName[name] }

// AggregateByOID finds what pg_aggregate says of a function, if it is an aggregate.
func AggregateByOID(proc OID) (*Aggregate, bool) {
	a, ok := catalog().aggregatesByProc[proc]
	return a, ok
}
