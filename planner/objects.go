package planner

import (
	"errors"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// objectLiteral reads the name of an object of the catalog: 'pg_class'::regclass.
func (b *binder) objectLiteral(c *Const, t Type) (Expr, error) {
	oid, err := b.objectOID(c.Value.Str, t.OID, c.at)
	if err != nil {
		return nil, err
	}
	return &Const{T: t, Value: postgres.IntDatum(int64(oid)), at: c.at}, nil
}

// objectsLiteral reads an array of names: '{int4,text}'::regtype[].
func (b *binder) objectsLiteral(c *Const, t Type) (Expr, error) {
	value, err := postgres.ParseLiteral(postgres.TextArrayOID, -1, c.Value.Str, b.env.values)
	if err != nil {
		return nil, faultAt(c.at, err)
	}
	names := value.Array
	names.Elem = postgres.ElemOf(t.OID)
	for i := range names.Items {
		if names.Items[i].Kind == postgres.NullKind {
			continue
		}
		oid, err := b.objectOID(names.Items[i].Str, names.Elem, c.at)
		if err != nil {
			return nil, err
		}
		names.Items[i] = postgres.IntDatum(int64(oid))
	}
	return &Const{T: t, Value: value, at: c.at}, nil
}

// foldObjectCast converts a constant to an object's identifier.
func (b *binder) foldObjectCast(e *Cast, c *Const, at int32) (Expr, error) {
	switch c.Value.Kind {
	case postgres.IntKind:
		return &Const{T: e.T, Value: postgres.IntDatum(int64(uint32(c.Value.Int))), at: at}, nil
	case postgres.TextKind:
		return b.objectLiteral(&Const{T: c.T, Value: c.Value, at: at}, e.T)
	}
	return e, nil
}

// objectOID finds an object by its name, or by its number as text. A hyphen is the number
// 0, but for operators, of which one has that name.
func (b *binder) objectOID(text string, kind postgres.OID, at int32) (uint32, error) {
	if text == "-" && kind != postgres.RegoperOID && kind != postgres.RegoperatorOID {
		return 0, nil
	}
	if text != "" && strings.Trim(text, "0123456789") == "" {
		n, err := postgres.ParseLiteral(postgres.OIDOID, -1, text, b.env.values)
		return uint32(n.Int), faultAt(at, err)
	}
	return b.objectNamed(text, kind, at)
}

// objectNamed finds an object by its name.
func (b *binder) objectNamed(text string, kind postgres.OID, at int32) (uint32, error) {
	switch kind {
	case postgres.RegtypeOID:
		t, err := b.typeOID(text, at)
		return uint32(t), err
	case postgres.RegprocedureOID:
		return b.procedureOID(text, at)
	case postgres.RegoperatorOID:
		return b.operatorOID(text, at)
	}
	qualifier, name, err := b.objectName(text, kind, at)
	if err != nil {
		return 0, err
	}
	switch kind {
	case postgres.RegclassOID:
		return b.tableOID(qualifier, name, at)
	case postgres.RegprocOID:
		return b.procOID(qualifier, name, text, at)
	case postgres.RegoperOID:
		return b.operOID(qualifier, name, text, at)
	case postgres.RegconfigOID, postgres.RegdictionaryOID:
		return textSearchObject(kind, qualifier, name, text, at)
	case postgres.RegcollationOID:
		if qualifier != "" && qualifier != schemaCatalog {
			return 0, missingCollation(text, at)
		}
		return b.namedOID(kind, name, at)
	case postgres.RegnamespaceOID, postgres.RegroleOID:
		return b.namedOID(kind, name, at)
	}
	return 0, unsupported(at, "looking up a name as %s", kind)
}

func invalidName(at int32) *Error { return errorAt(at, pgerrcode.InvalidName, "invalid name syntax") }

// objectName takes a name apart. The name of the database itself may stand first, but not
// where the object is in no schema.
func (b *binder) objectName(text string, kind postgres.OID, at int32) (qualifier, name string, err error) {
	parts, ok := postgres.SplitIdentifier(text)
	if !ok || len(parts) > 1 && (kind == postgres.RegnamespaceOID || kind == postgres.RegroleOID) {
		return "", "", invalidName(at)
	}
	if kind != postgres.RegclassOID {
		err = b.checkQualified(parts, at)
	} else if len(parts) > 3 {
		err = errorAt(at, pgerrcode.SyntaxError, "improper relation name (too many dotted names): %s", dotted(parts))
	} else if len(parts) == 3 && parts[0] != b.env.database {
		err = errorAt(at, pgerrcode.FeatureNotSupported, "cross-database references are not implemented: %q", dotted(parts))
	}
	if err != nil {
		return "", "", err
	}
	if len(parts) > 1 {
		qualifier = parts[len(parts)-2]
	}
	return qualifier, parts[len(parts)-1], nil
}

// isMissing says that an error of objectNamed is that there is no such object, or more than
// one, and not that the name is none.
func isMissing(err error, kind postgres.OID) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case pgerrcode.UndefinedFunction, pgerrcode.AmbiguousFunction, pgerrcode.UndefinedTable, pgerrcode.InvalidSchemaName:
		return true
	case pgerrcode.UndefinedObject:
		// In lists of arguments it is a type that is missing.
		return kind != postgres.RegprocedureOID && kind != postgres.RegoperatorOID
	}
	return false
}

func missingCollation(name string, at int32) *Error {
	return errorAt(at, pgerrcode.UndefinedObject, "collation %q for encoding \"UTF8\" does not exist", name)
}

// namedOID finds a schema, a role or a collation.
func (b *binder) namedOID(kind postgres.OID, name string, at int32) (uint32, error) {
	relation, column := "pg_namespace", "nspname"
	missing := errorAt(at, pgerrcode.InvalidSchemaName, "schema %q does not exist", name)
	switch kind {
	case postgres.RegroleOID:
		relation, column = "pg_roles", "rolname"
		missing = errorAt(at, pgerrcode.UndefinedObject, "role %q does not exist", name)
	case postgres.RegcollationOID:
		relation, column = "pg_collation", "collname"
		missing = missingCollation(name, at)
	}
	if b.names.catalog == nil {
		return 0, missing
	}
	oid, ok, err := b.names.objectOID(relation, column, name)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, missing
	}
	return oid, nil
}

func (b *binder) tableOID(qualifier, name string, at int32) (uint32, error) {
	t, err := b.names.table(qualifier, name, at)
	switch {
	case err != nil:
		return 0, err
	case t.metric != nil:
		return t.metric.oid, nil
	case t.view != nil:
		return schema.ViewOID(t.view), nil
	}
	return t.catalog.OID(), nil
}
