package planner

import (
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// Query is a bound SELECT, VALUES or set operation.
type Query struct {
	CTEs    []*CTE
	Targets []Target // the outputs
	// From lists the comma-separated items; none: one row without columns.
	From         []FromItem
	Where        Expr
	GroupBy      []Expr
	GroupingSets [][]Expr // of ROLLUP, CUBE and GROUPING SETS, expanded; nil: plain GROUP BY
	Having       Expr
	// Aggregated: the query groups, even if GroupBy is empty.
	Aggregated bool
	Distinct   bool
	DistinctOn []Expr
	OrderBy    []SortKey
	Limit      Expr // bigint; nil: no limit
	Offset     Expr
	// Ties: rows that tie with the last of Limit in OrderBy come too.
	Ties bool
	// Guarded: the query is what a user may see of a table. Each output is a Case that
	// is NULL where Where is not true.
	Guarded bool
	// SetOp, if set, is the query; Targets then are Outputs with its types, and
	// From to DistinctOn are empty.
	SetOp *SetOp
	// Values, if set, are the rows of a VALUES list; Targets as with SetOp.
	Values [][]Expr
}

// RowValue is the one value of a query that has no table and computes it from the row
// around it; nil: the query is another one.
func (q *Query) RowValue() Expr {
	if len(q.Targets) != 1 || len(q.From) > 0 || q.SetOp != nil || q.Values != nil || q.Where != nil || q.Aggregated || q.Limit != nil ||
		q.Offset != nil || len(q.CTEs) > 0 {
		return nil
	}
	value := q.Targets[0].Expr
	if !hasColumns(value) || isVolatile(value) || contains(value, func(e Expr) bool { _, ok := e.(*WindowCall); return ok }) {
		return nil
	}
	return value
}

// Target is one output column.
type Target struct {
	Expr Expr
	Name string
	// TableOID and Attribute say which table's column it plainly is; 0 if none.
	TableOID  uint32
	Attribute int16
}

// SetOp is UNION, INTERSECT or EXCEPT. Both sides give columns of the types of
// the parent's targets, cast where needed.
type SetOp struct {
	Kind        SetOpKind
	All         bool
	Left, Right *Query
}

// SetOpKind tells set operations apart.
type SetOpKind int

// The set operations.
const (
	Union SetOpKind = iota
	Intersect
	Except
)

// CTE is one WITH query. Label is unique within the plan.
type CTE struct {
	Label        string
	Name         string
	Query        *Query
	Recursive    bool
	Materialized bool // asked for by MATERIALIZED
}

// FromItem is a Relation or a *Join.
type FromItem interface {
	fromItem()
}

// Join is a join of two items. USING and NATURAL are already spelled out in On.
type Join struct {
	Kind        JoinKind
	Left, Right FromItem
	On          Expr // nil: a cross join
}

// JoinKind tells joins apart.
type JoinKind int

// The joins.
const (
	InnerJoin JoinKind = iota
	LeftJoin
	RightJoin
	FullJoin
)

func (*Join) fromItem() {}

// Relation is what columns come from. Label is unique within the plan, Columns
// are those that Column.Index counts.
type Relation interface {
	FromItem
	Label() string
	Columns() []RelationColumn
}

// RelationColumn is one column of a Relation.
type RelationColumn struct {
	Name string
	T    Type
	// Hidden columns are not in * but can be named.
	Hidden bool
}

// The relations.
type (
	// MetricScan reads the events of a metric. Its columns are added as the
	// binder meets them, so only used ones are there.
	MetricScan struct {
		RelationLabel string
		Name          string
		OID           uint32
		// Metric is nil for an undeclared one.
		Metric   *schema.Metric
		Datasets []schema.Dataset
		// Unseen: the user may not know what names devices sent.
		Unseen bool
		Fields []ScanField
		// Bounds limit the event time; set by the prune rule.
		Bounds sources.Bounds
		// Filters are conjuncts of WHERE over one source of one kind, turned
		// round onto the physical column; they only prune.
		Filters []PhysicalFilter
		// Splits are the pieces to read, by dataset; set when the plan is pinned.
		Splits []DatasetSplits
	}
	// CatalogScan reads a computed relation.
	CatalogScan struct {
		RelationLabel string
		Relation      sources.CatalogRelation
		Cols          []RelationColumn
		// Equal are what rows must have to be in the result, set by the prune rule;
		// the conditions stay in the query.
		Equal []CatalogEqual
		// Rows are fixed when the plan is pinned, and Parts are those to read. Narrowed
		// says that equalities have left some out, Ordered that they are to be read in
		// their order.
		Rows     sources.CatalogRows
		Parts    []CatalogPart
		Narrowed bool
		Ordered  bool
	}
	// SubqueryScan is a query in FROM.
	SubqueryScan struct {
		RelationLabel string
		Query         *Query
		Cols          []RelationColumn
		Lateral       bool
		// OID is that of the view whose query this is, else 0.
		OID uint32
	}
	// CTEScan reads a WITH query.
	CTEScan struct {
		RelationLabel string
		CTE           *CTE
		Cols          []RelationColumn
	}
	// FunctionScan is a set-returning function in FROM.
	FunctionScan struct {
		RelationLabel string
		Call          *Func
		// More are further calls whose rows stand beside those of Call, NULL where
		// one gives fewer; each has one column.
		More       []*Func
		Cols       []RelationColumn
		Ordinality bool
		Lateral    bool
		// Listed: the call stands in the select list, where its rows are made as they
		// are asked for.
		Listed bool
	}
)

// ScanField is one column that a MetricScan gives.
type ScanField struct {
	Name   string
	T      Type
	Hidden bool
	// Attribute is the field's attribute number, 0 if undeclared.
	Attribute int16
	// Builtin is the physical column behind timestamp (_ts), _received_at, _id
	// and _metric, or "" for a field read from Sources. The column _id has both:
	// what the device sent under that name, else the identity.
	Builtin string
	// Sources are tried in order; the first non-null after conversion and cast
	// wins.
	Sources []SourceRead
}

// BuiltinMetric is the Builtin of the hidden column _metric: the dataset's sent
// metric name. The other builtins are named as their physical columns.
const BuiltinMetric = "_metric"

// SourceRead is one source of a field: the coalesce of the kinds of a sent name,
// each cast to T as PostgreSQL's explicit cast would, NULL where it would refuse.
type SourceRead struct {
	Sent string
	// Convert is the bound conversion over SentValue and columns of the scan, or
	// nil.
	Convert Expr
	// Guard: the conversion could give a value where nothing was sent, which must
	// stay NULL.
	Guard bool
}

// PhysicalFilter is a condition on a physical column, a range widened for
// rounding. Where the column alone gives its field, a row that does not meet it
// cannot satisfy the statement; every source of a field has its own.
type PhysicalFilter = sources.ColumnFilter

// DatasetSplits are the splits of one dataset of a scan.
type DatasetSplits struct {
	Dataset schema.Dataset
	Splits  []sources.Split
	// FilesKnown counts the files of the manifest, read or not.
	FilesKnown int
	// Window: nearline alone has all rows of the scan's bounds.
	Window bool
	// Tables are those of recent rows that were read, and Why is nearline's reason
	// for or against answering alone.
	Tables []string
	Why    string
}

func (s *MetricScan) fromItem()   {}
func (s *CatalogScan) fromItem()  {}
func (s *SubqueryScan) fromItem() {}
func (s *CTEScan) fromItem()      {}
func (s *FunctionScan) fromItem() {}

// Label returns the scan's label.
func (s *MetricScan) Label() string { return s.RelationLabel }

// Label returns the scan's label.
func (s *CatalogScan) Label() string { return s.RelationLabel }

// Label returns the scan's label.
func (s *SubqueryScan) Label() string { return s.RelationLabel }

// Label returns the scan's label.
func (s *CTEScan) Label() string { return s.RelationLabel }

// Label returns the scan's label.
func (s *FunctionScan) Label() string { return s.RelationLabel }

// Columns lists the fields met so far.
func (s *MetricScan) Columns() []RelationColumn {
	out := make([]RelationColumn, len(s.Fields))
	for i, f := range s.Fields {
		out[i] = RelationColumn{Name: f.Name, T: f.T, Hidden: f.Hidden}
	}
	return out
}

// Columns lists the relation's columns.
func (s *CatalogScan) Columns() []RelationColumn { return s.Cols }

// Columns lists the query's outputs.
func (s *SubqueryScan) Columns() []RelationColumn { return s.Cols }

// Columns lists the WITH query's outputs.
func (s *CTEScan) Columns() []RelationColumn { return s.Cols }

// Columns lists the function's outputs, ordinality last.
func (s *FunctionScan) Columns() []RelationColumn { return s.Cols }

// ResultColumn describes one column of a result, as RowDescription sends it.
type ResultColumn struct {
	Name      string
	T         Type
	TableOID  uint32
	Attribute int16
	// RowType is the type of the table whose rows T, a record or an array of such,
	// stands for; 0: of none.
	RowType uint32
}

// Size is PostgreSQL's typlen of the column's type.
func (c ResultColumn) Size() int16 {
	if t, ok := postgres.TypeByOID(c.T.OID); ok {
		return t.Layout.Len
	}
	return -1
}
