package pgcatalog

import (
	"slices"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

func operatorsNamed(name string) []*postgres.Operator {
	return slices.Concat(postgres.OperatorsByName(name, postgres.InfixOperator), postgres.OperatorsByName(name, postgres.PrefixOperator))
}

func operatorOf(oid int64) (*postgres.Operator, bool) {
	all := postgres.Operators()
	i := slices.IndexFunc(all, func(o postgres.Operator) bool { return int64(o.OID) == oid })
	if i < 0 {
		return nil, false
	}
	return &all[i], true
}

// operText is an operator's name, with its schema if others are called so too.
func operText(_ *pin, oid int64) (string, bool) {
	o, ok := operatorOf(oid)
	switch {
	case !ok:
		return "", false
	case len(operatorsNamed(o.Name)) > 1:
		return schemaCatalog + "." + o.Name, true
	}
	return o.Name, true
}

// operatorText is an operator's name with the types of its operands.
func operatorText(_ *pin, oid int64) (string, bool) {
	o, ok := operatorOf(oid)
	if !ok {
		return "", false
	}
	left := "NONE"
	if o.Left != 0 {
		left = o.Left.String()
	}
	return o.Name + "(" + left + "," + o.Right.String() + ")", true
}
