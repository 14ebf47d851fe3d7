package postgres

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
	Merges     bool
	Hashes     bool // an equality by which rows can be joined by a merge, by a hash
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

// OperatorsByName are the operators of that name and kind. Not to be written to.
func OperatorsByName(name string, kind OperatorKind) []*Operator {
	return catalog().operatorsByName[operatorName{name, kind}]
}
