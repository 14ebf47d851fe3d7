package planner

import "github.com/fieldgate/fieldgate/schema/postgres"

// What a view's query is, in the form in which PostgreSQL keeps and prints one: names
// resolved, casts put in, but as it was written otherwise.
type (
	viewQuery struct {
		ctes       []viewCTE
		recursive  bool
		rels       []*viewRel // in the order of the range table
		targets    []viewTarget
		distinct   bool
		distinctOn []*viewExpr
		from       []viewFrom
		where      *viewExpr
		groupBy    []viewGroup
		groupOnce  bool // GROUP BY DISTINCT
		having     *viewExpr
		windows    []*viewWindow // those that have a name
		order      []viewSort
		limit      *viewExpr
		offset     *viewExpr
		ties       bool
		values     [][]*viewExpr
		set        *viewSet
	}
	viewCTE struct {
		name         string
		columns      []string
		materialized string
		query        *viewQuery
	}
	viewTarget struct {
		expr *viewExpr
		name string
	}
	// viewSort is a key of an ORDER BY; output is the number of the output that it is,
	// or 0.
	viewSort struct {
		expr       *viewExpr
		output     int
		desc       bool
		nullsFirst bool
	}
	// viewGroup is an item of GROUP BY: an expression, or grouping sets of a kind.
	viewGroup struct {
		kind  groupKind
		exprs []*viewExpr
		sets  []viewGroup
	}
	viewSet struct {
		word        string
		all         bool
		left, right *viewQuery
	}
	viewWindow struct {
		name, base string
		partition  []*viewExpr
		order      []viewSort
		frame      string // its mode, "" for the default one
		between    bool
		start, end string
		startOff   *viewExpr
		endOff     *viewExpr
		exclude    string
	}
	// viewFrom is an item of FROM: one of both.
	viewFrom struct {
		rel  *viewRel
		join *viewJoin
	}
	viewJoin struct {
		kind        JoinKind
		left, right viewFrom
		using       []string
		usingAlias  string
		on          *viewExpr
		alias       string
		columns     []string // that the alias lists
	}
	// viewRel is a relation in FROM. Of a join it is the one that its alias names.
	viewRel struct {
		kind  relKind
		alias string // as it was given, or ""
		// name is what it is called without an alias; "": nothing.
		name     string
		schema   string
		columns  []string
		real     []string // of a table: what its columns are called
		listed   bool     // the alias lists columns
		lateral  bool
		only     bool
		query    *viewQuery
		calls    []*viewExpr
		numbered bool // WITH ORDINALITY
		assigned string
	}
)

type relKind int

const (
	tableRel relKind = iota
	queryRel
	valuesRel
	functionRel
	cteRel
	joinRel
)

type groupKind int

const (
	groupPlain groupKind = iota
	groupEmpty
	groupSimple
	groupRollup
	groupCube
	groupSets
)

type viewKind int

const (
	varView viewKind = iota
	constView
	opView
	boolView
	distinctView
	arrayOpView
	callView
	syntaxView // a function in SQL's own syntax
	castView
	caseView
	arrayView
	rowView
	rowCompareView
	keywordCallView // COALESCE, GREATEST, LEAST, NULLIF, GROUPING
	testView        // IS NULL, IS TRUE
	subscriptView
	collateView
	queryView
	aggregateView
	windowView
	wordView // CURRENT_DATE
)

// viewExpr is an expression.
type viewExpr struct {
	kind viewKind
	t    Type
	// name is that of the column, operator or function, or the words of a test.
	name string
	rel  *viewRel
	args []*viewExpr
	// value is a constant's; its text is that of the session that asks.
	value *Const
	// implicit: nobody wrote the cast.
	implicit bool
	// upper are the ends of slices beside args[1:]; nil: an index.
	upper []*viewExpr
	slice bool
	// argNames belong to the last arguments.
	argNames   []string
	variadic   bool
	star       bool
	distinct   bool
	order      []viewSort
	within     bool
	filter     *viewExpr
	window     *viewWindow
	query      *viewQuery
	subquery   SubqueryKind
	explicitly bool // of EXTRACT and its like: which form
}

func constantOf(c *Const) *viewExpr { return &viewExpr{kind: constView, t: c.T, value: c} }

// isUntyped says that an expression is a literal without a type.
func (e *viewExpr) isUntyped() bool { return e.kind == constView && e.t.OID == postgres.UnknownOID }
