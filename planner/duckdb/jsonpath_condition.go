package duckdb

import (
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// pathResult is what a condition is: jsonpath has three values too.
type pathResult int

const (
	isFalseCondition pathResult = iota
	isTrueCondition
	isUnknownCondition
)

func (p pathResult) value() pathValue {
	return pathValue{text: [...]string{"false", "true", "null"}[p]}
}

func conditionOf(b bool) pathResult {
	if b {
		return isTrueCondition
	}
	return isFalseCondition
}

// conditionOn is a condition with @ for a value.
func (r *pathRun) conditionOn(i *postgres.PathItem, v pathValue) (pathResult, error) {
	outer := r.current
	r.current = v
	defer func() { r.current = outer }()
	return r.condition(i, v)
}

func (r *pathRun) condition(i *postgres.PathItem, v pathValue) (pathResult, error) {
	switch i.Op {
	case postgres.PathAnd, postgres.PathOr:
		decides := conditionOf(i.Op == postgres.PathOr)
		left, err := r.condition(i.Left, v)
		if err != nil || left == decides {
			return left, err
		}
		right, err := r.condition(i.Right, v)
		if right == decides || left != isUnknownCondition {
			return right, err
		}
		return left, err
	case postgres.PathNot:
		result, err := r.condition(i.Left, v)
		if result != isUnknownCondition {
			result = conditionOf(result == isFalseCondition)
		}
		return result, err
	case postgres.PathIsUnknown:
		result, err := r.condition(i.Left, v)
		return conditionOf(result == isUnknownCondition), err
	case postgres.PathExists:
		return r.exists(i.Left, v)
	case postgres.PathLikeRegex:
		return r.predicate(i, v, func(a, _ pathValue) (pathResult, error) {
			if a.kind() != "string" {
				return isUnknownCondition, nil
			}
			matches, err := r.path.patterns[i].Text(unquoteJSON(a.text)).Match(0)
			if err != nil {
				err = patternError(err)
			}
			return conditionOf(matches), err
		})
	case postgres.PathStartsWith:
		return r.predicate(i, v, func(a, b pathValue) (pathResult, error) {
			if a.kind() != "string" || b.kind() != "string" {
				return isUnknownCondition, nil
			}
			return conditionOf(strings.HasPrefix(unquoteJSON(a.text), unquoteJSON(b.text))), nil
		})
	}
	return r.predicate(i, v, func(a, b pathValue) (pathResult, error) { return r.compare(i.Op, a, b) })
}

// quiet runs what may end for an error that makes a condition unknown.
func (r *pathRun) quiet(run func() error) (unknown bool, err error) {
	outer := r.silent
	r.silent = true
	err = run()
	r.silent = outer
	if err == errPathSilent { //nolint:errorlint // never wrapped
		return true, nil
	}
	return false, err
}

func (r *pathRun) exists(i *postgres.PathItem, v pathValue) (pathResult, error) {
	var values []pathValue
	var hit bool
	unknown, err := r.quiet(func() (err error) {
		if r.path.Strict { // all of it has to be without an error
			_, err = r.item(i, v, &values, false)
			hit = len(values) > 0
			return err
		}
		hit, err = r.item(i, v, nil, true)
		return err
	})
	if unknown {
		return isUnknownCondition, err
	}
	return conditionOf(hit), err
}

// predicate asks of each value that the left side finds with each of the right side (executePredicate).
func (r *pathRun) predicate(i *postgres.PathItem, v pathValue, test func(a, b pathValue) (pathResult, error)) (pathResult, error) {
	var left, right []pathValue
	unknown, err := r.quiet(func() (err error) {
		if left, err = r.unwrapped(i.Left, v); err != nil || i.Right == nil {
			right = []pathValue{{}}
			return err
		}
		if i.Op == postgres.PathStartsWith {
			_, err = r.item(i.Right, v, &right, !r.path.Strict)
			return err
		}
		right, err = r.unwrapped(i.Right, v)
		return err
	})
	if unknown || err != nil {
		return isUnknownCondition, err
	}
	holds, failed := false, false
	for _, a := range left {
		for _, b := range right {
			result, err := test(a, b)
			switch {
			case err != nil:
				return isUnknownCondition, err
			case result == isUnknownCondition && r.path.Strict:
				return result, nil
			case result == isTrueCondition && !r.path.Strict:
				return result, nil
			}
			holds, failed = holds || result == isTrueCondition, failed || result == isUnknownCondition
		}
	}
	if !holds && failed {
		return isUnknownCondition, nil
	}
	return conditionOf(holds), nil
}

// compare compares two values (compareItems).
func (r *pathRun) compare(op postgres.PathOp, a, b pathValue) (pathResult, error) {
	ka, kb := a.kind(), b.kind()
	sign := 0
	switch {
	case a.when != nil && b.when != nil:
		var ok bool
		var err error
		if sign, ok, err = r.compareMoments(a.when, b.when); err != nil || !ok {
			return isUnknownCondition, err
		}
	case ka != kb && (ka == "null" || kb == "null"):
		return conditionOf(op == postgres.PathNotEqual), nil
	case ka != kb || ka == "object" || ka == "array":
		return isUnknownCondition, nil
	case ka == "number":
		sign = parseDecimal(a.text).cmp(parseDecimal(b.text))
	case ka == "string":
		sign = strings.Compare(unquoteJSON(a.text), unquoteJSON(b.text))
	default: // false is before true
		sign = strings.Compare(a.text, b.text)
	}
	switch op {
	case postgres.PathEqual:
		return conditionOf(sign == 0), nil
	case postgres.PathNotEqual:
		return conditionOf(sign != 0), nil
	case postgres.PathLess:
		return conditionOf(sign < 0), nil
	case postgres.PathGreater:
		return conditionOf(sign > 0), nil
	case postgres.PathLessOrEqual:
		return conditionOf(sign <= 0), nil
	}
	return conditionOf(sign >= 0), nil
}
