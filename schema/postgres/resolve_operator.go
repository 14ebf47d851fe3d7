package postgres

import "github.com/jackc/pgerrcode"

// ResolvedOperator is the operator an expression means.
type ResolvedOperator struct {
	*Operator
	LeftType, RightType OID // what the operands are to be coerced to, polymorphism resolved; LeftType 0 for a prefix operator
	ResultType          OID
}

// ResolveOperator finds the operator of pg_catalog for operand types, by the manual's section 10.2. A left operand of 0
// asks for a prefix operator; UnknownOID stands for a literal without a type. The error is an [*Error]: 42883 if there
// is none, 42725 if several are as good.
func ResolveOperator(name string, left, right OID) (*ResolvedOperator, error) {
	o, err := findOperator(name, left, right)
	if err != nil {
		return nil, err
	}
	actual, declared := []OID{left, right}, []OID{o.Left, o.Right}
	if left == 0 {
		actual, declared = actual[1:], declared[1:]
	}
	resolved, result, err := resolvePolymorphic(actual, declared, o.Result)
	if err != nil {
		return nil, err
	}
	r := &ResolvedOperator{Operator: o, RightType: resolved[len(resolved)-1], ResultType: result}
	if left != 0 {
		r.LeftType = resolved[0]
	}
	return r, nil
}

// ResolveArrayOperator finds the operator of "left op ANY (array)" and "left op ALL (array)": the one for the array's
// elements, which must answer boolean. RightType is the array's type.
func ResolveArrayOperator(name string, left, array OID) (*ResolvedOperator, error) {
	elem := UnknownOID
	if array != UnknownOID {
		if elem = ElemOf(BaseOf(array)); elem == 0 {
			return nil, errorf(pgerrcode.WrongObjectType, "op ANY/ALL (array) requires array on right side")
		}
	}
	r, err := ResolveOperator(name, left, elem)
	if err != nil {
		return nil, err
	}
	if r.ResultType != BoolOID {
		return nil, errorf(pgerrcode.WrongObjectType, "op ANY/ALL (array) requires operator to yield boolean")
	}
	if proc, ok := ProcByOID(r.Code); ok && proc.ReturnsSet {
		return nil, errorf(pgerrcode.WrongObjectType, "op ANY/ALL (array) requires operator not to return a set")
	}
	elem = r.RightType
	if r.RightType = ArrayOf(elem); r.RightType == 0 {
		return nil, errorf(pgerrcode.UndefinedObject, "could not find array type for data type %s", elem)
	}
	return r, nil
}

func findOperator(name string, left, right OID) (*Operator, error) {
	if o := exactOperator(name, left, right); o != nil {
		return o, nil
	}
	actual, kind := []OID{left, right}, InfixOperator
	if left == 0 {
		actual, kind = actual[1:], PrefixOperator
	}
	var candidates []candidate
	for _, o := range OperatorsByName(name, kind) {
		c := candidate{operator: o, args: []OID{o.Left, o.Right}}
		if left == 0 {
			c.args = c.args[1:]
		}
		candidates = append(candidates, c)
	}
	candidates = keepCoercible(actual, candidates)
	switch len(candidates) {
	case 0:
		return nil, operatorNotFound(name, left, right)
	case 1:
		return candidates[0].operator, nil
	}
	if best, ok := selectCandidate(actual, candidates); ok {
		return best.operator, nil
	}
	return nil, errorf(pgerrcode.AmbiguousFunction, "operator is not unique: %s", operatorSignature(name, left, right)).
		withHint("Could not choose a best candidate operator. You might need to add explicit type casts.")
}

// exactOperator finds the operator for exactly these types, an unknown operand of an infix operator being taken for the
// type of the other one.
func exactOperator(name string, left, right OID) *Operator {
	assumed := true
	switch {
	case left == UnknownOID && right != UnknownOID:
		left = right
	case right == UnknownOID && left != UnknownOID && left != 0:
		right = left
	default:
		assumed = false
	}
	if o, ok := catalog().operatorsByTypes[operatorKey{name, left, right}]; ok {
		return o
	}
	if base := BaseOf(left); assumed && base != left {
		return catalog().operatorsByTypes[operatorKey{name, base, base}]
	}
	return nil
}

func operatorNotFound(name string, left, right OID) *Error {
	e := errorf(pgerrcode.UndefinedFunction, "operator does not exist: %s", operatorSignature(name, left, right))
	if left == 0 {
		return e.withHint("No operator matches the given name and argument type. You might need to add an explicit type cast.")
	}
	return e.withHint("No operator matches the given name and argument types. You might need to add explicit type casts.")
}

func operatorSignature(name string, left, right OID) string {
	s := name + " " + right.String()
	if left != 0 {
		s = left.String() + " " + s
	}
	return s
}
