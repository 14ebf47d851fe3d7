package postgres

import "strings"

// TypeKind is pg_type.typtype.
type TypeKind byte

// The kinds of types.
const (
	BaseType       TypeKind = 'b'
	CompositeType  TypeKind = 'c'
	DomainType     TypeKind = 'd'
	EnumType       TypeKind = 'e'
	MultirangeType TypeKind = 'm'
	PseudoType     TypeKind = 'p'
	RangeType      TypeKind = 'r'
)

// Category is pg_type.typcategory, which the resolution rules group types by.
type Category byte

// The categories of built-in types; 0 stands for no type at all.
const (
	ArrayCategory     Category = 'A'
	BooleanCategory   Category = 'B'
	CompositeCategory Category = 'C'
	DateTimeCategory  Category = 'D'
	EnumCategory      Category = 'E'
	GeometricCategory Category = 'G'
	NetworkCategory   Category = 'I'
	NumericCategory   Category = 'N'
	PseudoCategory    Category = 'P'
	RangeCategory     Category = 'R'
	StringCategory    Category = 'S'
	TimespanCategory  Category = 'T'
	UserCategory      Category = 'U'
	BitStringCategory Category = 'V'
	UnknownCategory   Category = 'X'
	InternalCategory  Category = 'Z'
)

// Type is a row of pg_type.
type Type struct {
	OID        OID
	Name       string
	Namespace  string // empty for pg_catalog
	Layout     Layout
	Kind       TypeKind
	Category   Category
	Preferred  bool  // preferred within its category
	Delim      byte  // between the elements of an array of this type
	Elem       OID   // what subscripting gives, 0 if nothing
	Array      OID   // the array type over this type, 0 if none
	Base       OID   // a domain's type, 0 otherwise
	BaseTypmod int32 // a domain's type modifier, -1 if none
	NotNull    bool  // a domain that refuses NULL
	Collation  OID   // the type's default collation, 0 if it has none
	Procs      TypeProcs
}

// Layout is how PostgreSQL stores values of a type, as pg_type tells it; clients read Len.
type Layout struct {
	Len     int16 // bytes, -1 for varlena, -2 for a C string
	ByVal   bool
	Align   byte // c, s, i or d
	Storage byte // p, e, m or x
}

// TypeProcs names a type's support functions in pg_catalog; empty where the type has none.
type TypeProcs struct {
	Input, Output, Receive, Send, TypmodIn, TypmodOut, Analyze, Subscript string
}

// Range is a row of pg_range: a range type, what it ranges over, and its multirange type.
type Range struct {
	Type, Subtype, Multirange OID
}

// arraySubscript is the support function that makes a type a true array; other types with elements (name, point) are
// only subscriptable.
const arraySubscript = "array_subscript_handler"

// IsArray says whether the type is an array type, int2vector and oidvector included.
func (t *Type) IsArray() bool {
	return t.Elem != 0 && t.Procs.Subscript == arraySubscript
}

// Types are all built-in types by OID: those of pg_catalog, and the domains of information_schema. Not to be written to.
func Types() []Type { return typeTable }

// Ranges are the built-in range types. Not to be written to.
func Ranges() []Range { return rangeTable }

// sqlNames are the names that PostgreSQL's grammar, not its catalog, gives to types.
var sqlNames = map[string]OID{
	"bigint":                      Int8OID,
	"bit varying":                 VarbitOID,
	"boolean":                     BoolOID,
	"character":                   BPCharOID,
	"character varying":           VarcharOID,
	"dec":                         NumericOID,
	"decimal":                     NumericOID,
	"double precision":            Float8OID,
	"float":                       Float8OID,
	"int":                         Int4OID,
	"integer":                     Int4OID,
	"real":                        Float4OID,
	"smallint":                    Int2OID,
	"time with time zone":         TimeTZOID,
	"time without time zone":      TimeOID,
	"timestamp with time zone":    TimestampTZOID,
	"timestamp without time zone": TimestampOID,
}

// TypeByOID finds a built-in type.
func TypeByOID(oid OID) (*Type, bool) {
	t, ok := catalog().typesByOID[oid]
	return t, ok
}

// TypeByName finds a type of pg_catalog by its catalog name (int4, _int4) or by its SQL name (integer, integer[]), in
// lower case and without a modifier. "char" is the one-byte type of that name, as it is in the catalog.
func TypeByName(name string) (*Type, bool) {
	if t, ok := catalog().typesByName[name]; ok {
		return t, true
	}
	if oid, ok := sqlNames[name]; ok {
		return TypeByOID(oid)
	}
	if elem, ok := strings.CutSuffix(name, "[]"); ok {
		if t, ok := TypeByName(elem); ok && t.Array != 0 {
			return TypeByOID(t.Array)
		}
	}
	return nil, false
}

// TypeByQualifiedName finds a type by namespace and catalog name.
func TypeByQualifiedName(namespace, name string) (*Type, bool) {
	if namespace == "pg_catalog" {
		t, ok := catalog().typesByName[name]
		return t, ok
	}
	for i := range typeTable {
		if t := &typeTable[i]; t.Namespace == namespace && t.Name == name {
			return t, true
		}
	}
	return nil, false
}

// ArrayOf is the array type over a type, 0 if there is none.
func ArrayOf(elem OID) OID {
	if t, ok := TypeByOID(elem); ok {
		return t.Array
	}
	return 0
}

// ElemOf is the element type of an array type, 0 if the type is no array.
func ElemOf(array OID) OID {
	if t, ok := TypeByOID(array); ok && t.IsArray() {
		return t.Elem
	}
	return 0
}

// BaseOf is the type under a domain, through domains over domains; any other type is its own base.
func BaseOf(oid OID) OID {
	for {
		t, ok := TypeByOID(oid)
		if !ok || t.Kind != DomainType {
			return oid
		}
		oid = t.Base
	}
}

// CategoryOf is a type's category and whether the type is the preferred one in it.
func CategoryOf(oid OID) (category Category, preferred bool) {
	if t, ok := TypeByOID(oid); ok {
		return t.Category, t.Preferred
	}
	return 0, false
}
