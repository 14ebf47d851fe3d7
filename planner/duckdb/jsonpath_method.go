package duckdb

import (
	"fmt"
	"math"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// unwrapped is what an item finds, with elements instead of arrays if the path is lax.
func (r *pathRun) unwrapped(i *postgres.PathItem, v pathValue) ([]pathValue, error) {
	var values, out []pathValue
	if _, err := r.item(i, v, &values, !r.path.Strict); err != nil || r.path.Strict {
		return values, err
	}
	for _, v := range values {
		if v.kind() == "array" {
			v.each(func(e pathValue) bool { out = append(out, e); return true })
		} else {
			out = append(out, v)
		}
	}
	return out, nil
}

func (r *pathRun) arithmetic(i *postgres.PathItem, v pathValue, out found) (hit bool, err error) {
	left, err := r.unwrapped(i.Left, v)
	if err != nil {
		return false, err
	}
	right, err := r.unwrapped(i.Right, v)
	if err != nil {
		return false, err
	}
	var operands [2]decimal
	for n, side := range [][]pathValue{left, right} {
		ok := len(side) == 1
		if ok {
			operands[n], ok = side[0].number()
		}
		if !ok {
			return false, r.fail(pgerrcode.SingletonSQLJSONItemRequired, "%s operand of jsonpath operator %s is not a single numeric value",
				[]string{"left", "right"}[n], i.Op)
		}
	}
	a, b := operands[0], operands[1]
	var result decimal
	switch i.Op {
	case postgres.PathAdd:
		result = a.add(b)
	case postgres.PathSub:
		result = a.add(b.neg())
	case postgres.PathMul:
		result = a.mul(b)
	case postgres.PathDiv:
		result, err = a.div(b)
	default:
		result, err = a.mod(b)
	}
	if err == nil {
		result, err = result.checked()
	}
	if err != nil {
		if r.silent {
			err = errPathSilent
		}
		return false, err
	}
	return r.next(i, numberValue(result), out)
}

// signed applies a sign to each of an argument's values.
func (r *pathRun) signed(i *postgres.PathItem, v pathValue, out found) (hit bool, err error) {
	values, err := r.unwrapped(i.Left, v)
	if err != nil {
		return false, err
	}
	for _, v := range values {
		d, ok := v.number()
		switch {
		case !ok && out == nil && i.Next == nil:
			continue
		case !ok:
			return hit, r.fail(pgerrcode.SQLJSONNumberNotFound, "operand of unary jsonpath operator %s is not a numeric value", i.Op)
		case i.Op == postgres.PathMinus:
			d = d.neg()
		}
		one, err := r.next(i, numberValue(d), out)
		if hit = hit || one; err != nil || hit && out == nil {
			return hit, err
		}
	}
	return hit, nil
}

func (r *pathRun) method(i *postgres.PathItem, v pathValue, out found) (hit bool, err error) {
	switch i.Op {
	case postgres.PathType:
		return r.next(i, stringValue(v.kind()), out)
	case postgres.PathSize:
		size, isArray := 1, v.kind() == "array"
		switch {
		case isArray:
			size, _ = arrayLength(v.text)
		case !r.path.Strict:
		case r.lenient:
			return false, nil
		default:
			return false, r.fail(pgerrcode.SQLJSONArrayNotFound, "jsonpath item method .size() can only be applied to an array")
		}
		return r.next(i, numberValue(intDecimal(int64(size))), out)
	case postgres.PathDouble:
		if v, err = r.double(v); err != nil {
			return false, err
		}
		return r.next(i, v, out)
	case postgres.PathDatetime:
		if v, err = r.datetime(i, v); err != nil {
			return false, err
		}
		return r.next(i, v, out)
	case postgres.PathKeyValue:
		return r.keyvalue(i, v, out)
	}
	d, ok := v.number()
	if !ok {
		return false, r.fail(pgerrcode.NonNumericSQLJSONItem, "jsonpath item method .%s() can only be applied to a numeric value", i.Op)
	}
	switch i.Op {
	case postgres.PathAbs:
		d = d.abs()
	case postgres.PathFloor:
		d = d.floor()
	default:
		d = d.ceil()
	}
	return r.next(i, numberValue(d), out)
}

// double is the value as a double precision number can be.
func (r *pathRun) double(v pathValue) (pathValue, error) {
	text := v.text
	isString := v.kind() == "string"
	if isString {
		text = unquoteJSON(text)
	}
	if !isString && v.kind() != "number" {
		return pathValue{}, r.fail(pgerrcode.NonNumericSQLJSONItem, "jsonpath item method .double() can only be applied to a string or numeric value")
	}
	d, err := postgres.ParseLiteral(postgres.Float8OID, -1, text, postgres.DefaultEnv())
	switch valid := err == nil && !math.IsNaN(d.Float) && !math.IsInf(d.Float, 0); {
	case !isString && !valid:
		return pathValue{}, r.fail(pgerrcode.NonNumericSQLJSONItem, "numeric argument of jsonpath item method .double() is out of range for type double precision")
	case !valid:
		return pathValue{}, r.fail(pgerrcode.NonNumericSQLJSONItem, "string argument of jsonpath item method .double() is not a valid representation of a double precision number")
	case !isString:
		return v, nil
	}
	return numberValue(floatDecimal(d.Float, float8DecimalDigits)), nil
}

func (r *pathRun) keyvalue(i *postgres.PathItem, v pathValue, out found) (hit bool, err error) {
	if v.kind() != "object" {
		return false, r.fail(pgerrcode.SQLJSONObjectNotFound, "jsonpath item method .keyvalue() can only be applied to an object")
	}
	id := jsonbOffset(r.base.text, v.text) + r.base.id*keyValueBase
	members(v.text, func(key, value string) bool {
		object := fmt.Sprintf(`{"id": %d, "key": %s, "value": %s}`, id, key, value)
		r.objects++
		var one bool
		one, err = r.within(pathBase{object, r.objects - 1}, func() (bool, error) { return r.next(i, pathValue{text: object}, out) })
		hit = hit || one
		return err == nil && (!hit || out != nil)
	})
	return hit, err
}

// keyValueBase is what keyvalue() multiplies the number of its base by.
const keyValueBase = 10_000_000_000
