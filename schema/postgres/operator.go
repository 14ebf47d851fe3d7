package postgres

import "sync"

// OperatorKind is pg_operator.oprkind.
type OperatorKind byte

// The kinds of operators.
const (
	InfixOperator  OperatorKind = 'b'
	PrefixOperator OperatorKind = 'l'
)

// Operator is a row of pg_operator.
type Operator struct {
	OID        OID
	Name       string
	Kind       OperatorKind
	Left       OID // 0 for a prefix operator
	Right      OID
	Result     OID
	Commutator OID // 0 if none
	Negator    OID // 0 if none
	Code       OID // the function that implements it
}

type operatorKey struct {
	name        string
	left, right OID
}

type operatorName struct {
	name string
	kind OperatorKind
}

// Operators are all operators of pg_catalog. Not to be written to.
func Operators() []Operator { return operatorTable }

var operatorsByTypes = sync.OnceValue(func() map[operatorKey]*Operator {
	m := make(map[operatorKey]*Operator, len(operatorTable))
	for i := range operatorTable {
		o := &operatorTable[i]
		m[operatorKey{o.Name, o.Left, o.Right}] = o
	}
	return m
})

var operatorsByName = sync.OnceValue(func() map[operatorName][]*Operator {
	m := make(map[operatorName][]*Operator)
	for i := range operatorTable {
		o := &operatorTable[i]
		k := operatorName{o.Name, o.Kind}
		m[k] = append(m[k], o)
	}
	return m
})

var operatorsByOID = sync.OnceValue(func() map[OID]*Operator {
	m := make(map[OID]*Operator, len(operatorTable))
	for i := range operatorTable {
		m[operatorTable[i].OID] = &operatorTable[i]
	}
	return m
})

// OperatorByOID finds an operator of pg_catalog.
func OperatorByOID(oid OID) (*Operator, bool) {
	o, ok := operatorsByOID()[oid]
	return o, ok
}

// OperatorsByName are the operators of that name and kind. Not to be written to.
func OperatorsByName(name string, kind OperatorKind) []*Operator {
	return operatorsByName()[operatorName{name, kind}]
}
