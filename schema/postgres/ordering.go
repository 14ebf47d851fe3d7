package postgres

import (
	"slices"

	"github.com/jackc/pgerrcode"
)

// CheckOrderable is nil if values of the type have an order, and otherwise the error of ORDER BY, 42883.
func CheckOrderable(oid OID) error {
	if hasOperatorClass(oid, btreeTable) {
		return nil
	}
	return errorf(pgerrcode.UndefinedFunction, "could not identify an ordering operator for type %s", oid).
		withHint("Use an explicit ordering operator or modify the query.")
}

// CheckEquality is nil if values of the type can be told equal, and otherwise the error of GROUP BY and DISTINCT, 42883.
func CheckEquality(oid OID) error {
	if hasOperatorClass(oid, btreeTable) || hasOperatorClass(oid, hashTable) {
		return nil
	}
	return errorf(pgerrcode.UndefinedFunction, "could not identify an equality operator for type %s", oid)
}

// hasOperatorClass says whether a type, or one it is binary-coercible to, has a default operator class. Arrays are as
// good as their elements; a row type is taken for good, as its columns decide.
func hasOperatorClass(oid OID, types []OID) bool {
	oid = BaseOf(oid)
	if slices.Contains(types, oid) {
		return true
	}
	if elem := ElemOf(oid); elem != 0 {
		return hasOperatorClass(elem, types)
	}
	return slices.ContainsFunc(types, func(t OID) bool { return BinaryCoercible(oid, t) })
}
