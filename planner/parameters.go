package planner

import (
	"slices"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// maxParameters is what the protocol can number (PQ_QUERY_PARAM_MAX_LIMIT), and
// maxParameterNumber what PostgreSQL itself keeps types for (parse_param.c).
const (
	maxParameters      = 65535
	maxParameterNumber = 1<<29 - 1
)

// Param is the value of one parameter of a statement that is executed.
type Param struct {
	Null   bool
	Binary bool
	Bytes  []byte
}

// parameters are the $n of one statement: types while it is prepared, where a
// use of $n decides its type if the client did not, and values when it runs.
type parameters struct {
	types []postgres.OID // 0: not decided
	// values has the constants of a statement that runs; nil while it is prepared.
	values []*Const
	// effects: functions do what they are called for, such as set_config.
	effects bool
}

// param binds $n.
func (b *binder) param(p *pgquery.ParamRef) (Expr, error) {
	n := int(p.Number)
	if b.params.values == nil && n > maxParameters && n <= maxParameterNumber {
		return nil, b.params.undecided() // no statement has one for each number
	}
	if b.params.values != nil || n < 1 || n > maxParameters {
		if n < 1 || n > len(b.params.values) {
			return nil, errorAt(p.Location, pgerrcode.UndefinedParameter, "there is no parameter $%d", n)
		}
		return b.params.values[n-1], nil
	}
	for len(b.params.types) < n {
		b.params.types = append(b.params.types, 0)
	}
	oid := b.params.types[n-1]
	switch _, known := postgres.TypeByOID(oid); {
	case oid == 0:
		oid = postgres.UnknownOID
	case !known && !b.isRowType(uint32(oid)):
		return nil, errorf(pgerrcode.InternalError, "cache lookup failed for type %d", uint32(oid)) // as PostgreSQL says it
	}
	return &ParamRef{T: plainType(oid), Number: n, at: p.Location}, nil
}

// decide gives an undecided parameter its type.
func (p *parameters) decide(e *ParamRef, oid postgres.OID) (*ParamRef, error) {
	switch known := p.types[e.Number-1]; known {
	case 0, postgres.UnknownOID:
		p.types[e.Number-1] = oid
	case oid:
	default:
		return nil, errorAt(e.at, pgerrcode.AmbiguousParameter, "inconsistent types deduced for parameter $%d", e.Number).
			withDetail("%s versus %s", known, oid)
	}
	return &ParamRef{T: plainType(oid), Number: e.Number, at: e.at}, nil
}

// check says that a parameter's type stayed undecided.
func (p *parameters) check() error {
	if slices.ContainsFunc(p.types, isUndecided) {
		return p.undecided()
	}
	return nil
}

func isUndecided(t postgres.OID) bool { return t == 0 || t == postgres.UnknownOID }

// undecided is the error for the first parameter without a type.
func (p *parameters) undecided() error {
	i := slices.IndexFunc(p.types, isUndecided)
	if i < 0 {
		i = len(p.types)
	}
	return errorf(pgerrcode.IndeterminateDatatype, "could not determine data type of parameter $%d", i+1)
}

// readParams makes constants of the values that a client sent.
func readParams(types []postgres.OID, params []Param, env postgres.Env) ([]*Const, error) {
	if len(params) < len(types) {
		return nil, errorf(pgerrcode.UndefinedParameter, "there is no parameter $%d", len(params)+1)
	}
	values := make([]*Const, len(types))
	for i, t := range types {
		if params[i].Null {
			values[i] = nullConst(plainType(t))
			continue
		}
		if isObjectType(elementType(t)) && !params[i].Binary {
			// Names are looked up when the statement is bound.
			values[i] = &Const{T: plainType(postgres.UnknownOID), Value: postgres.TextDatum(string(params[i].Bytes)), at: nowhere}
			continue
		}
		value, err := readParam(t, params[i], env)
		if err != nil {
			return nil, faultAt(nowhere, err)
		}
		values[i] = &Const{T: plainType(t), Value: value, at: nowhere}
	}
	return values, nil
}

func readParam(t postgres.OID, p Param, env postgres.Env) (postgres.Datum, error) {
	if p.Binary {
		return postgres.DecodeBinary(t, p.Bytes)
	}
	return postgres.ParseLiteral(t, -1, string(p.Bytes), env)
}
