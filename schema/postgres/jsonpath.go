package postgres

import (
	"fmt"
	"math"
)

// JSONPath is a value of type jsonpath.
type JSONPath struct {
	// Strict: what a path asks for and a value does not have is an error; else the path is lax.
	Strict bool
	Root   *PathItem
}

// PathOp says what an item of a jsonpath does.
type PathOp int

// The operators of jsonpath, in the order of PostgreSQL's JsonPathItemType.
const (
	PathNull PathOp = iota
	PathString
	PathNumber
	PathBool // Text is true or false
	PathAnd
	PathOr
	PathNot
	PathIsUnknown
	PathEqual
	PathNotEqual
	PathLess
	PathGreater
	PathLessOrEqual
	PathGreaterOrEqual
	PathAdd
	PathSub
	PathMul
	PathDiv
	PathMod
	PathPlus  // unary
	PathMinus // unary
	PathAnyArray
	PathAnyKey
	PathIndexArray
	PathAny
	PathKey
	PathCurrent
	PathRoot
	PathVariable
	PathFilter
	PathExists
	PathType
	PathSize
	PathAbs
	PathFloor
	PathCeiling
	PathDouble
	PathDatetime
	PathKeyValue
	PathLast
	PathStartsWith
	PathLikeRegex
)

// PathItem is an item of a jsonpath and, by Next, what is applied to its results.
type PathItem struct {
	Op PathOp
	// Text is that of a key, a string, a variable, a number as numeric prints it, a pattern, or datetime's template.
	Text string
	// Left is the argument, or the left one; a filter's and exists' condition.
	Left, Right *PathItem
	// Subscripts are those of PathIndexArray.
	Subscripts []PathRange
	// First and Last are the levels of PathAny; PathLastLevel is the leaves'.
	First, Last uint32
	Flags       PathFlags // of PathLikeRegex
	Templated   bool      // PathDatetime has a template
	Next        *PathItem
}

// PathRange is a subscript, or with To those from one to another.
type PathRange struct {
	From, To *PathItem
}

// PathLastLevel is the level "last" of PathAny.
const PathLastLevel = math.MaxUint32

// PathFlags are the flags of like_regex.
type PathFlags struct {
	IgnoreCase, DotAll, Multiline, Expanded, Quoted bool
}

// pathSymbols are how binary operators are written.
var pathSymbols = map[PathOp]string{
	PathAnd: "&&", PathOr: "||", PathEqual: "==", PathNotEqual: "!=", PathLess: "<", PathGreater: ">", PathLessOrEqual: "<=",
	PathGreaterOrEqual: ">=", PathAdd: "+", PathSub: "-", PathMul: "*", PathDiv: "/", PathMod: "%", PathStartsWith: "starts with",
	PathPlus: "+", PathMinus: "-",
}

// pathMethods are the methods without arguments.
var pathMethods = map[PathOp]string{
	PathType: "type", PathSize: "size", PathAbs: "abs", PathFloor: "floor", PathCeiling: "ceiling", PathDouble: "double", PathKeyValue: "keyvalue",
}

// String is the operator as it is written.
func (op PathOp) String() string {
	if s, ok := pathSymbols[op]; ok {
		return s
	}
	return pathMethods[op]
}

// priority is operationPriority in PostgreSQL's jsonpath.c.
func (op PathOp) priority() int {
	switch op {
	case PathOr:
		return 0
	case PathAnd:
		return 1
	case PathEqual, PathNotEqual, PathLess, PathGreater, PathLessOrEqual, PathGreaterOrEqual, PathStartsWith:
		return 2
	case PathAdd, PathSub:
		return 3
	case PathMul, PathDiv, PathMod:
		return 4
	case PathPlus, PathMinus:
		return 5
	}
	return 6
}

// Append appends the path as it prints.
func (p *JSONPath) Append(dst []byte) []byte {
	if p.Strict {
		dst = append(dst, "strict "...)
	}
	return p.Root.append(dst, false, true)
}

// append prints an item and what follows it (printJsonPathItem in jsonpath.c).
func (i *PathItem) append(dst []byte, inKey, brackets bool) []byte {
	switch i.Op {
	case PathAnyKey, PathAny, PathKey:
		if inKey {
			dst = append(dst, '.')
		}
	}
	switch i.Op {
	case PathNull:
		dst = append(dst, "null"...)
	case PathBool:
		dst = append(dst, i.Text...)
	case PathString, PathKey:
		dst = AppendJSONString(dst, i.Text)
	case PathVariable:
		dst = AppendJSONString(append(dst, '$'), i.Text)
	case PathNumber:
		if i.Next != nil {
			dst = append(append(append(dst, '('), i.Text...), ')')
		} else {
			dst = append(dst, i.Text...)
		}
	case PathRoot:
		dst = append(dst, '$')
	case PathCurrent:
		dst = append(dst, '@')
	case PathLast:
		dst = append(dst, "last"...)
	case PathNot:
		dst = append(i.Left.append(append(dst, "!("...), false, false), ')')
	case PathIsUnknown:
		dst = append(i.Left.append(append(dst, '('), false, false), ") is unknown"...)
	case PathExists:
		dst = append(i.Left.append(append(dst, "exists ("...), false, false), ')')
	case PathFilter:
		dst = append(i.Left.append(append(dst, "?("...), false, false), ')')
	case PathAnyArray:
		dst = append(dst, "[*]"...)
	case PathAnyKey:
		dst = append(dst, '*')
	case PathIndexArray:
		dst = i.appendSubscripts(dst)
	case PathAny:
		dst = i.appendLevels(dst)
	case PathDatetime:
		dst = append(dst, ".datetime("...)
		if i.Templated {
			dst = AppendJSONString(dst, i.Text)
		}
		dst = append(dst, ')')
	case PathType, PathSize, PathAbs, PathFloor, PathCeiling, PathDouble, PathKeyValue:
		dst = append(append(append(dst, '.'), pathMethods[i.Op]...), "()"...)
	default:
		dst = i.appendOperator(dst, brackets)
	}
	if i.Next != nil {
		dst = i.Next.append(dst, true, true)
	}
	return dst
}

// appendOperator prints an operator of one or two arguments.
func (i *PathItem) appendOperator(dst []byte, brackets bool) []byte {
	operand := func(dst []byte, o *PathItem) []byte { return o.append(dst, false, o.Op.priority() <= i.Op.priority()) }
	if brackets {
		dst = append(dst, '(')
	}
	switch {
	case i.Op == PathLikeRegex:
		dst = AppendJSONString(append(operand(dst, i.Left), " like_regex "...), i.Text)
		dst = i.Flags.append(dst)
	case i.Right == nil:
		dst = operand(append(dst, pathSymbols[i.Op]...), i.Left)
	default:
		dst = append(operand(dst, i.Left), ' ')
		dst = operand(append(append(dst, pathSymbols[i.Op]...), ' '), i.Right)
	}
	if brackets {
		dst = append(dst, ')')
	}
	return dst
}

func (f PathFlags) append(dst []byte) []byte {
	if f == (PathFlags{}) {
		return dst
	}
	dst = append(dst, ` flag "`...)
	for _, flag := range []struct {
		set    bool
		letter byte
	}{{f.IgnoreCase, 'i'}, {f.DotAll, 's'}, {f.Multiline, 'm'}, {f.Expanded, 'x'}, {f.Quoted, 'q'}} {
		if flag.set {
			dst = append(dst, flag.letter)
		}
	}
	return append(dst, '"')
}

func (i *PathItem) appendSubscripts(dst []byte) []byte {
	dst = append(dst, '[')
	for n, s := range i.Subscripts {
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = s.From.append(dst, false, false)
		if s.To != nil {
			dst = s.To.append(append(dst, " to "...), false, false)
		}
	}
	return append(dst, ']')
}

func (i *PathItem) appendLevels(dst []byte) []byte {
	level := func(n uint32) string {
		if n == PathLastLevel {
			return "last"
		}
		return fmt.Sprint(n)
	}
	dst = append(dst, "**"...)
	switch {
	case i.First == 0 && i.Last == PathLastLevel:
		return dst
	case i.First == i.Last:
		return fmt.Appendf(dst, "{%s}", level(i.First))
	}
	return fmt.Appendf(dst, "{%s to %s}", level(i.First), level(i.Last))
}
