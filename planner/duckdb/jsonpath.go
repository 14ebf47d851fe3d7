package duckdb

import (
	"errors"
	"time"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/schema/postgres/are"
)

// A jsonpath runs over jsonb as PostgreSQL's does (jsonpath_exec.c): an item of the path is applied to one value at a
// time, and what is found goes on to the next.

// pathValue is a value that a path comes upon: a text of jsonb, or what datetime() made.
type pathValue struct {
	text string
	when *pathMoment
}

func (v pathValue) kind() string {
	if v.when != nil {
		return v.when.oid.String()
	}
	return kindOfJSON(v.text)
}

func (v pathValue) isContainer() bool {
	kind := v.kind()
	return kind == "object" || kind == "array"
}

// json is the value as jsonb.
func (v pathValue) json() string {
	if v.when != nil {
		return string(postgres.AppendJSONString(nil, v.when.String()))
	}
	return v.text
}

func numberValue(d decimal) pathValue { return pathValue{text: string(d.append(nil))} }

// number is the value as a number; not ok: it is none.
func (v pathValue) number() (d decimal, ok bool) {
	if v.kind() != "number" {
		return decimal{}, false
	}
	return parseDecimal(v.text), true
}

func stringValue(s string) pathValue {
	return pathValue{text: string(postgres.AppendJSONString(nil, s))}
}

// each calls yield with the elements of an array or the values of an object.
func (v pathValue) each(yield func(pathValue) bool) {
	if v.kind() == "array" {
		elements(v.text, func(e string) bool { return yield(pathValue{text: e}) })
		return
	}
	members(v.text, func(_, e string) bool { return yield(pathValue{text: e}) })
}

// compiledPath is a path with the patterns of its like_regex compiled.
type compiledPath struct {
	*postgres.JSONPath
	patterns map[*postgres.PathItem]*are.Regex
}

func compilePath(text string) (*compiledPath, error) {
	path, err := postgres.ParseJSONPath(text)
	if err != nil {
		return nil, err
	}
	p := &compiledPath{path, map[*postgres.PathItem]*are.Regex{}}
	return p, p.compile(path.Root)
}

func (p *compiledPath) compile(i *postgres.PathItem) error {
	if i == nil {
		return nil
	}
	if i.Op == postgres.PathLikeRegex {
		re, err := are.Compile(i.Text, i.Flags.Regex())
		if err != nil {
			return patternError(err)
		}
		p.patterns[i] = re
	}
	for _, part := range []*postgres.PathItem{i.Left, i.Right, i.Next} {
		if err := p.compile(part); err != nil {
			return err
		}
	}
	for _, s := range i.Subscripts {
		if err := p.compile(s.From); err != nil {
			return err
		}
		if err := p.compile(s.To); err != nil {
			return err
		}
	}
	return nil
}

// pathRun is one run of a path over a value.
type pathRun struct {
	path *compiledPath
	vars string
	root pathValue
	// current is what @ is; last the last subscript of the innermost array, -1 outside any.
	current pathValue
	last    int
	lenient bool // a structure that is not there finds nothing
	silent  bool // what is wrong ends the run without an error
	// zoned: times with and without a zone compare, by zone.
	zoned bool
	zone  *time.Location
	base  pathBase
	// objects is the number of the next object that keyvalue() makes.
	objects int64
}

// pathBase is the object by which keyvalue() numbers those in it.
type pathBase struct {
	text string
	id   int64
}

// errPathSilent ends a silent run, or the part of one whose errors mean that a condition is unknown.
var errPathSilent = errors.New("jsonpath found what it cannot use")

// fail is an error, or a silent end.
func (r *pathRun) fail(code, format string, args ...any) error {
	if r.silent {
		return errPathSilent
	}
	return errorf(code, format, args...)
}

// found gathers values; nil: only whether there is one matters.
type found = *[]pathValue

// takesNoArray says that an item is applied to the elements of an array that it meets.
func takesNoArray(op postgres.PathOp) bool {
	switch op {
	case postgres.PathKey, postgres.PathAnyKey, postgres.PathFilter, postgres.PathAbs, postgres.PathFloor, postgres.PathCeiling,
		postgres.PathDouble, postgres.PathDatetime, postgres.PathKeyValue:
		return true
	}
	return false
}

// next goes on with a value behind an item.
func (r *pathRun) next(i *postgres.PathItem, v pathValue, out found) (hit bool, err error) {
	if i.Next != nil {
		return r.item(i.Next, v, out, !r.path.Strict)
	}
	if out != nil {
		*out = append(*out, v)
	}
	return true, nil
}

// item applies an item to a value; unwrap says that arrays give their elements where an item wants no array. It stops at
// the first value found if out is nil.
func (r *pathRun) item(i *postgres.PathItem, v pathValue, out found, unwrap bool) (hit bool, err error) {
	if unwrap && takesNoArray(i.Op) && v.kind() == "array" {
		return r.descend(i, v, out, 1, 1, 1, r.lenient, false)
	}
	switch i.Op {
	case postgres.PathNull:
		return r.next(i, pathValue{text: "null"}, out)
	case postgres.PathBool, postgres.PathNumber:
		return r.next(i, pathValue{text: i.Text}, out)
	case postgres.PathString:
		return r.next(i, stringValue(i.Text), out)
	case postgres.PathVariable:
		return r.variable(i, out)
	case postgres.PathRoot:
		return r.within(pathBase{text: r.root.text}, func() (bool, error) { return r.next(i, r.root, out) })
	case postgres.PathCurrent:
		return r.next(i, r.current, out)
	case postgres.PathLast:
		return r.next(i, numberValue(intDecimal(int64(r.last))), out)
	case postgres.PathKey:
		return r.key(i, v, out)
	case postgres.PathAnyArray, postgres.PathAnyKey, postgres.PathAny:
		return r.wildcard(i, v, out)
	case postgres.PathIndexArray:
		return r.subscripts(i, v, out)
	case postgres.PathFilter:
		result, err := r.conditionOn(i.Left, v)
		if err != nil || result != isTrueCondition {
			return false, err
		}
		return r.next(i, v, out)
	case postgres.PathAdd, postgres.PathSub, postgres.PathMul, postgres.PathDiv, postgres.PathMod:
		return r.arithmetic(i, v, out)
	case postgres.PathPlus, postgres.PathMinus:
		return r.signed(i, v, out)
	case postgres.PathType, postgres.PathSize, postgres.PathAbs, postgres.PathFloor, postgres.PathCeiling, postgres.PathDouble,
		postgres.PathDatetime, postgres.PathKeyValue:
		return r.method(i, v, out)
	}
	result, err := r.condition(i, v)
	if err != nil {
		return false, err
	}
	return r.next(i, result.value(), out)
}

// within runs with another base for keyvalue().
func (r *pathRun) within(base pathBase, run func() (bool, error)) (bool, error) {
	outer := r.base
	r.base = base
	defer func() { r.base = outer }()
	return run()
}

func (r *pathRun) variable(i *postgres.PathItem, out found) (hit bool, err error) {
	text, ok := member(r.vars, i.Text)
	if !ok {
		return false, errorf(pgerrcode.UndefinedObject, "could not find jsonpath variable %q", i.Text)
	}
	return r.within(pathBase{r.vars, 1}, func() (bool, error) { return r.next(i, pathValue{text: text}, out) })
}

func (r *pathRun) key(i *postgres.PathItem, v pathValue, out found) (hit bool, err error) {
	if v.kind() == "object" {
		if value, ok := member(v.text, i.Text); ok {
			return r.next(i, pathValue{text: value}, out)
		}
		if r.lenient {
			return false, nil
		}
		return false, r.fail(pgerrcode.SQLJSONMemberNotFound, "JSON object does not contain key %q", i.Text)
	}
	if r.lenient {
		return false, nil
	}
	return false, r.fail(pgerrcode.SQLJSONMemberNotFound, "jsonpath member accessor can only be applied to an object")
}

func (r *pathRun) wildcard(i *postgres.PathItem, v pathValue, out found) (hit bool, err error) {
	kind := v.kind()
	switch i.Op {
	case postgres.PathAnyArray:
		switch {
		case kind == "array":
			return r.descend(i.Next, v, out, 1, 1, 1, r.lenient, !r.path.Strict)
		case !r.path.Strict:
			return r.next(i, v, out)
		case r.lenient:
			return false, nil
		}
		return false, r.fail(pgerrcode.SQLJSONArrayNotFound, "jsonpath wildcard array accessor can only be applied to an array")
	case postgres.PathAnyKey:
		switch {
		case kind == "object":
			return r.descend(i.Next, v, out, 1, 1, 1, r.lenient, !r.path.Strict)
		case r.lenient:
			return false, nil
		}
		return false, r.fail(pgerrcode.SQLJSONObjectNotFound, "jsonpath wildcard member accessor can only be applied to an object")
	}
	if i.First == 0 {
		outer := r.lenient
		r.lenient = true
		hit, err = r.next(i, v, out)
		r.lenient = outer
		if err != nil || hit && out == nil {
			return hit, err
		}
	}
	if !v.isContainer() {
		return hit, nil
	}
	more, err := r.descend(i.Next, v, out, 1, i.First, i.Last, true, !r.path.Strict)
	return hit || more, err
}

// descend applies an item, or none, to what a value has in it, at levels first to last (executeAnyItem).
func (r *pathRun) descend(i *postgres.PathItem, v pathValue, out found, level, first, last uint32, lenient, unwrap bool) (hit bool, err error) {
	if level > last {
		return false, nil
	}
	leaves := first == postgres.PathLastLevel && last == postgres.PathLastLevel
	v.each(func(e pathValue) bool {
		if level >= first || leaves && !e.isContainer() {
			switch {
			case i != nil:
				outer := r.lenient
				r.lenient = lenient
				var one bool
				one, err = r.item(i, e, out, unwrap)
				hit, r.lenient = hit || one, outer
			case out != nil:
				*out, hit = append(*out, e), true
			default:
				hit = true
			}
		}
		if err != nil || hit && out == nil {
			return false
		}
		if level < last && e.isContainer() {
			var more bool
			more, err = r.descend(i, e, out, level+1, first, last, lenient, unwrap)
			hit = hit || more
		}
		return err == nil && (!hit || out != nil)
	})
	return hit, err
}

func (r *pathRun) subscripts(i *postgres.PathItem, v pathValue, out found) (hit bool, err error) {
	size, isArray := arrayLength(v.text)
	if v.when != nil {
		isArray = false
	}
	switch {
	case isArray:
	case !r.path.Strict:
		size = 1
	case r.lenient:
		return false, nil
	default:
		return false, r.fail(pgerrcode.SQLJSONArrayNotFound, "jsonpath array accessor can only be applied to an array")
	}
	outer := r.last
	r.last = size - 1
	defer func() { r.last = outer }()
	for _, s := range i.Subscripts {
		from, err := r.index(s.From, v)
		if err != nil {
			return hit, err
		}
		to := from
		if s.To != nil {
			if to, err = r.index(s.To, v); err != nil {
				return hit, err
			}
		}
		if !r.lenient && (from < 0 || from > to || to >= size) {
			return hit, r.fail(pgerrcode.InvalidSQLJSONSubscript, "jsonpath array subscript is out of bounds")
		}
		for n := max(from, 0); n <= min(to, size-1); n++ {
			e := v
			if isArray {
				text, _ := element(v.text, n)
				e = pathValue{text: text}
			}
			one, err := r.next(i, e, out)
			if hit = hit || one; err != nil || hit && out == nil {
				return hit, err
			}
		}
	}
	return hit, nil
}

// index evaluates a subscript.
func (r *pathRun) index(i *postgres.PathItem, v pathValue) (int, error) {
	var values []pathValue
	if _, err := r.item(i, v, &values, !r.path.Strict); err != nil {
		return 0, err
	}
	if len(values) == 1 {
		if d, ok := values[0].number(); ok {
			n, err := decimalInt(d.trunc(0), 32, "integer")
			if err != nil {
				return 0, r.fail(pgerrcode.InvalidSQLJSONSubscript, "jsonpath array subscript is out of integer range")
			}
			return int(n), nil
		}
	}
	return 0, r.fail(pgerrcode.InvalidSQLJSONSubscript, "jsonpath array subscript is not a single numeric value")
}
