package planner

import (
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// Type is a PostgreSQL type with its modifier (-1: none).
type Type struct {
	OID    postgres.OID
	Typmod int32
}

// Expr is a bound scalar expression. Its type is PostgreSQL's.
type Expr interface {
	Type() Type
}

// The expressions. Every argument is already coerced: where PostgreSQL would
// insert a cast, a Cast stands in the tree.
type (
	// Const is a literal or a value folded at bind time, in canonical form.
	Const struct {
		T     Type
		Null  bool
		Value postgres.Datum

		at int32 // where a literal stands in the text
	}
	// ParamRef is the statement's $Number. It stands only in the tree of a Prepare;
	// a plan that runs has the parameter's Const.
	ParamRef struct {
		T      Type
		Number int

		at int32
	}
	// Column is column Index of a relation of this query or an enclosing one.
	// Relations are told apart by identity, so no level is counted.
	Column struct {
		T        Type
		Relation Relation
		Index    int

		at int32
	}
	// Output is output column Index of the query's set operation or targets; it
	// stands in ORDER BY only.
	Output struct {
		T     Type
		Index int
	}
	// SentValue is `value` in a source's conversion.
	SentValue struct {
		T Type
	}
	// Func is a call of a function that is neither aggregate nor window function.
	Func struct {
		T    Type
		Proc *postgres.Proc
		Args []Expr
		// Variadic: the last argument is the array of a VARIADIC call.
		Variadic bool
	}
	// CatalogCall calls a function that looks something up in the catalog. Its
	// arguments are integers, booleans and texts; a NULL among them gives NULL.
	CatalogCall struct {
		T Type
		// Signature is the function's, as sources.CatalogPin takes it.
		Signature string
		Args      []Expr
		// Function is set when the plan is pinned.
		Function sources.CatalogFunction
	}
	// Op is an operator call; Left is nil for a prefix operator.
	Op struct {
		T           Type
		Operator    *postgres.Operator
		Left, Right Expr
	}
	// Cast converts Arg to T, by a function, binary coercion or text I/O as
	// PostgreSQL's pg_cast says.
	Cast struct {
		T        Type
		Arg      Expr
		Explicit bool
	}
	// Logic is AND, OR (two or more Args) or NOT (one).
	Logic struct {
		Kind LogicKind
		Args []Expr
	}
	// IsNull is IS [NOT] NULL.
	IsNull struct {
		Arg Expr
		Not bool
	}
	// IsBool is IS [NOT] TRUE, FALSE or UNKNOWN.
	IsBool struct {
		Arg  Expr
		Test BoolTest
		Not  bool
	}
	// IsDistinct is IS [NOT] DISTINCT FROM; Operator is the equality.
	IsDistinct struct {
		Operator    *postgres.Operator
		Left, Right Expr
		Not         bool
	}
	// Case is a searched CASE; the simple form has its equalities spelled out.
	Case struct {
		T     Type
		Whens []When
		Else  Expr // nil: NULL
	}
	// When is one arm of a Case.
	When struct {
		Cond, Result Expr
	}
	// Coalesce is the first non-null argument.
	Coalesce struct {
		T    Type
		Args []Expr
	}
	// NullIf is NULL where Operator says the arguments are equal.
	NullIf struct {
		T           Type
		Operator    *postgres.Operator
		Left, Right Expr
	}
	// MinMax is GREATEST or LEAST.
	MinMax struct {
		T        Type
		Greatest bool
		Args     []Expr
	}
	// In is Left [NOT] IN (List); Operator is = (or <> for NOT IN).
	In struct {
		Operator *postgres.Operator
		Left     Expr
		List     []Expr
		Not      bool
	}
	// Quantified is Left Operator ANY|ALL (array).
	Quantified struct {
		Operator *postgres.Operator
		Left     Expr
		Array    Expr
		All      bool
	}
	// Array is ARRAY[...].
	Array struct {
		T     Type
		Elems []Expr
	}
	// Subscript is Arg[Index][...], or the slice Arg[Index:Upper][...] if Slice, of
	// which bounds that are not given are nil.
	Subscript struct {
		T            Type
		Arg          Expr
		Index, Upper []Expr
		Slice        bool
	}
	// Row is ROW(...), of type record. Names are those of a row that has any, and
	// Whole the relation whose whole row it is, if it is one. Of a Table the type is not
	// record but one that the table has: RowType, or 0 where it is not known.
	Row struct {
		Elems   []Expr
		Names   []string
		Whole   Relation
		Table   bool
		RowType uint32
		// Null: the value is NULL, and not a row of NULLs.
		Null bool
		// Present is a column of Whole that no row of it has NULL; nil: none is known.
		Present Expr
	}
	// RecordField is field Index of a value of type record.
	RecordField struct {
		T     Type
		Arg   Expr
		Index int
	}
	// JSONField is the member Key of a JSON object as json_populate_record reads it;
	// Base, if it is not nil, is what it is if the object has no such.
	JSONField struct {
		T          Type
		JSON, Base Expr
		Key        string
		// Function is whose call it is part of.
		Function string
	}
	// RowCompare compares two rows column by column; Operators has one a column.
	RowCompare struct {
		Operators   []*postgres.Operator
		Name        string // =, <>, <, <=, >, >=
		Left, Right []Expr
	}
	// Subquery is a query in an expression.
	Subquery struct {
		T    Type
		Kind SubqueryKind
		// Left and Operators belong to IN, ANY and ALL: one a column of Query.
		Left      []Expr
		Operators []*postgres.Operator
		Query     *Query
	}
	// Aggregate is an aggregate call.
	Aggregate struct {
		T        Type
		Proc     *postgres.Proc
		Args     []Expr
		Star     bool
		Distinct bool
		// Order is the ORDER BY inside the call, or that of WITHIN GROUP.
		Order       []SortKey
		WithinGroup bool
		Filter      Expr

		at int32
	}
	// WindowCall is an aggregate or window function over a window.
	WindowCall struct {
		T      Type
		Proc   *postgres.Proc
		Args   []Expr
		Star   bool
		Filter Expr
		Window *Window

		at int32
	}
	// Grouping is GROUPING(...).
	Grouping struct {
		Args []Expr

		places []int32 // of the arguments
	}
)

// LogicKind tells the forms of Logic apart.
type LogicKind int

// The forms of Logic.
const (
	And LogicKind = iota
	Or
	Not
)

// BoolTest is what IsBool tests for.
type BoolTest int

// The tests of IsBool.
const (
	IsTrue BoolTest = iota
	IsFalse
	IsUnknown
)

// SubqueryKind tells the forms of Subquery apart.
type SubqueryKind int

// The forms of Subquery.
const (
	SubqueryScalar SubqueryKind = iota
	SubqueryExists
	SubqueryAny // Left Operators ANY (Query); IN is = ANY
	SubqueryAll
	SubqueryArray // ARRAY(Query)
)

// SortKey is one key of an ORDER BY. PostgreSQL's default for NULLs is already
// resolved: last ascending, first descending.
type SortKey struct {
	Expr       Expr
	Desc       bool
	NullsFirst bool
}

// Window is a window definition, inline or named.
type Window struct {
	Partition []Expr
	Order     []SortKey
	Frame     *Frame // nil: the default frame
}

// Frame is an explicit frame clause.
type Frame struct {
	Mode             string // ROWS, RANGE, GROUPS
	Start, End       FrameBound
	Exclude          string // "", CURRENT ROW, GROUP, TIES
	StartOff, EndOff Expr   // for the bounds with an offset
}

// FrameBound is one end of a Frame.
type FrameBound int

// The ends of a Frame.
const (
	UnboundedPreceding FrameBound = iota
	OffsetPreceding
	CurrentRow
	OffsetFollowing
	UnboundedFollowing
)
