package planner

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

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
	qualifier, name, err := b.objectName(name, postgres.RegprocedureOID, at)
	if err != nil {
		return 0, err
	}
	procs, err := b.proceduresNamed(qualifier, name, at)
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
func (b *binder) operatorsNamed(qualifier, name string, at int32) ([]*postgres.Operator, error) {
	if qualifier != "" && qualifier != schemaCatalog {
		_, err := b.namedOID(postgres.RegnamespaceOID, qualifier, at)
		return nil, err
	}
	return slices.Concat(postgres.OperatorsByName(name, postgres.InfixOperator), postgres.OperatorsByName(name, postgres.PrefixOperator)), nil
}

// operOID finds the only operator of a name, as regoper reads it.
func (b *binder) operOID(qualifier, name, text string, at int32) (uint32, error) {
	found, err := b.operatorsNamed(qualifier, name, at)
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0:
		return 0, errorAt(at, pgerrcode.UndefinedFunction, "operator does not exist: %s", text)
	case len(found) > 1:
		return 0, errorAt(at, pgerrcode.AmbiguousFunction, "more than one operator named %s", text)
	}
	return uint32(found[0].OID), nil
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
	qualifier, name, err := b.objectName(name, postgres.RegoperatorOID, at)
	if err != nil {
		return 0, err
	}
	found, err := b.operatorsNamed(qualifier, name, at)
	if err != nil {
		return 0, err
	}
	for _, o := range found {
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
	name, err := parseTypeName(text)
	var refused *Error
	if err != nil {
		if errors.As(err, &refused) && at != nowhere {
			refused.offset, refused.Position = at+1, 0 // the text is a part of the statement
		}
		return 0, err
	}
	t, err := b.typeName(name)
	if err == nil {
		return t.OID, nil
	}
	if oid, ok := b.rowTypeOID(name); ok {
		return oid, nil
	}
	if errors.As(err, &refused) {
		refused.offset, refused.Position = at+1, 0 // it was placed in the name, and not in the statement
	}
	return 0, err
}

// parseTypeName parses the name of a type. Errors are placed in it.
func parseTypeName(text string) (*pgquery.TypeName, error) {
	const before, after = "CAST(NULL AS ", ")"
	if strings.TrimSpace(text) == "" {
		return nil, errorf(pgerrcode.SyntaxError, "invalid type name %q", text)
	}
	n, err := parseExpr(before + text + after)
	var syntax *Error
	if errors.As(err, &syntax) {
		placed := *syntax
		end := int32(utf8.RuneCountInString(text)) + 1
		placed.Position -= int32(len("SELECT " + before))
		if near, ok := strings.CutSuffix(placed.Message, after+`"`); ok && strings.HasPrefix(near, "unterminated") {
			placed.Message = near + `"`
		}
		if placed.Position >= end {
			placed.Position, placed.Message = end, "syntax error at end of input"
		}
		return nil, &placed
	}
	cast := n.GetTypeCast()
	switch {
	case err != nil:
		return nil, err
	case cast == nil:
		return nil, errorf(pgerrcode.SyntaxError, "syntax error at or near %q", after)
	case cast.TypeName.Setof:
		return nil, errorf(pgerrcode.SyntaxError, "invalid type name %q", text)
	}
	return cast.TypeName, nil
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
