package planner

import (
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// proceduresNamed are the functions of a name, in the schema of the qualifier, or in
// pg_catalog if there is none.
func (b *binder) proceduresNamed(qualifier, name string, at int32) ([]*postgres.Proc, error) {
	switch qualifier {
	case "", schemaCatalog:
		return postgres.ProcsByName(name), nil
	case schemaFieldgate:
		var found []*postgres.Proc
		list := schema.Functions()
		for i := range list {
			if list[i].Name == name {
				found = append(found, &list[i])
			}
		}
		return found, nil
	}
	_, err := b.namedOID(postgres.RegnamespaceOID, qualifier, at)
	return nil, err
}

// procOID finds the only function of a name, as regproc reads it.
func (b *binder) procOID(qualifier, name, text string, at int32) (uint32, error) {
	procs, err := b.proceduresNamed(qualifier, name, at)
	switch {
	case err != nil:
		return 0, err
	case len(procs) == 0:
		return 0, errorAt(at, pgerrcode.UndefinedFunction, "function %q does not exist", text)
	case len(procs) > 1:
		return 0, errorAt(at, pgerrcode.AmbiguousFunction, "more than one function named %q", text)
	}
	return uint32(procs[0].OID), nil
}

// procedureOID finds a function by its name and the types of its arguments, as
// regprocedure reads them (parseNameAndArgTypes of PostgreSQL's regproc.c).
func (b *binder) procedureOID(text string, at int32) (uint32, error) {
	name, args, err := b.nameAndTypes(text, false, at)
	if err != nil {
		return 0, err
	}
	parts, ok := postgres.SplitIdentifier(name)
	if !ok || len(parts) > 2 {
		return 0, errorAt(at, pgerrcode.InvalidName, "invalid name syntax")
	}
	qualifier := ""
	if len(parts) == 2 {
		qualifier = parts[0]
	}
	procs, err := b.proceduresNamed(qualifier, parts[len(parts)-1], at)
	if err != nil {
		return 0, err
	}
	for _, p := range procs {
		if slices.Equal(p.Args, args) {
			return uint32(p.OID), nil
		}
	}
	return 0, errorAt(at, pgerrcode.UndefinedFunction, "function %q does not exist", text)
}

// nameAndTypes reads name(type, …); with none, NONE stands for a type that is missing.
func (b *binder) nameAndTypes(text string, none bool, at int32) (name string, types []postgres.OID, err error) {
	before := cutOutside(text, '(')
	if len(before) < 2 {
		return "", nil, errorAt(at, pgerrcode.InvalidTextRepresentation, "expected a left parenthesis")
	}
	list, closed := strings.CutSuffix(strings.TrimRight(text[len(before[0])+1:], " \t\r\n"), ")")
	if !closed {
		return "", nil, errorAt(at, pgerrcode.InvalidTextRepresentation, "expected a right parenthesis")
	}
	if strings.TrimSpace(list) == "" {
		return before[0], nil, nil
	}
	for _, word := range cutOutside(list, ',') {
		word = strings.TrimSpace(word)
		var t postgres.OID
		if !none || !strings.EqualFold(word, "none") {
			if t, err = b.typeOID(word, at); err != nil {
				return "", nil, err
			}
		}
		types = append(types, t)
	}
	return before[0], types, nil
}

// operatorsNamed are the operators of a name, which pg_catalog alone has.
func operatorsNamed(text string) []*postgres.Operator {
	name := strings.TrimPrefix(strings.TrimSpace(text), schemaCatalog+".")
	return slices.Concat(postgres.OperatorsByName(name, postgres.InfixOperator), postgres.OperatorsByName(name, postgres.PrefixOperator))
}

// operOID finds the only operator of a name, as regoper reads it.
func operOID(text string, at int32) (uint32, error) {
	switch found := operatorsNamed(text); len(found) {
	case 0:
		return 0, errorAt(at, pgerrcode.UndefinedFunction, "operator does not exist: %s", text)
	case 1:
		return uint32(found[0].OID), nil
	}
	return 0, errorAt(at, pgerrcode.AmbiguousFunction, "more than one operator named %s", text)
}

// operatorOID finds an operator by its name and the types of its operands, as
// regoperator reads them.
func (b *binder) operatorOID(text string, at int32) (uint32, error) {
	name, types, err := b.nameAndTypes(text, true, at)
	switch {
	case err != nil:
		return 0, err
	case len(types) == 1:
		return 0, errorAt(at, pgerrcode.UndefinedParameter, "missing argument").
			withHint("Use NONE to denote the missing argument of a unary operator.")
	case len(types) != 2:
		return 0, errorAt(at, pgerrcode.TooManyArguments, "too many arguments").withHint("Provide two argument types for operator.")
	}
	for _, o := range operatorsNamed(name) {
		if o.Left == types[0] && o.Right == types[1] {
			return uint32(o.OID), nil
		}
	}
	return 0, errorAt(at, pgerrcode.UndefinedFunction, "operator does not exist: %s", text)
}

// typeOID finds a type by its name in SQL, a pseudo-type too.
func (b *binder) typeOID(text string, at int32) (postgres.OID, error) {
	if parts, ok := postgres.SplitIdentifier(text); ok {
		if t, ok := postgres.TypeByName(parts[len(parts)-1]); ok && t.Kind == postgres.PseudoType {
			return t.OID, nil
		}
	}
	n, err := parseExpr("CAST(NULL AS " + text + ")")
	var t Type
	switch {
	case err == nil && n.GetTypeCast() == nil:
		err = errorAt(at, pgerrcode.UndefinedObject, "type %q does not exist", text)
	case err == nil:
		if t, err = b.typeName(n.GetTypeCast().TypeName); err != nil {
			if oid, ok := b.rowTypeOID(n.GetTypeCast().TypeName); ok {
				return oid, nil
			}
		}
	}
	var refused *Error
	if errors.As(err, &refused) {
		refused.offset, refused.Position = at+1, 0 // it was placed in the name, and not in the statement
	}
	return t.OID, err
}

// cutOutside cuts a text at a character wherever that stands outside of quotes and
// parentheses.
func cutOutside(text string, at byte) []string {
	var parts []string
	quoted, depth, from := false, 0, 0
	for i := range len(text) {
		c := text[i]
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == at && depth == 0:
			parts, from = append(parts, text[from:i]), i+1
		case c == '(':
			depth++
		case c == ')':
			depth--
		}
	}
	return append(parts, text[from:])
}
