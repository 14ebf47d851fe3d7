package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// SEARCH and CYCLE add columns to a recursive query, which follow from the columns that the clause names: so both terms are
// read as queries whose outputs are the terms' own and these (as in rewriteSearchCycle.c).

// The names of the terms, and of a column that no query can name.
const (
	firstTerm   = "*TLOCRN*"
	secondTerm  = "*TROCRN*"
	depthColumn = "*DEPTH*"
)

// addedColumn is a column of a SEARCH or CYCLE clause: its value in the first term, and in each row of the second.
type addedColumn struct {
	name, first, next string
	// firstNode and nextNode are those that have nodes of the statement in them.
	firstNode, nextNode *pgquery.Node
}

// addedColumns are the columns that the clauses of a WITH query add; the one that counts depth is the last.
func addedColumns(c *pgquery.CommonTableExpr) []addedColumn {
	var out []addedColumn
	if s := c.SearchClause; s != nil {
		names := quotedNames(s.SearchColList)
		seq := postgres.QuoteIdentifier(s.SearchSeqColumn)
		if s.SearchBreadthFirst {
			out = append(out, addedColumn{name: s.SearchSeqColumn, first: "ROW(0::pg_catalog.int8, " + names + ")", next: fmt.Sprintf("ROW(\"%s\" + 1, %s)", depthColumn, names)})
		} else {
			out = append(out, addedColumn{name: s.SearchSeqColumn, first: "ARRAY[ROW(" + names + ")]", next: seq + " || ROW(" + names + ")"})
		}
	}
	if y := c.CycleClause; y != nil {
		row, path := "ROW("+quotedNames(y.CycleColList)+")", postgres.QuoteIdentifier(y.CyclePathColumn)
		met := caseNode(row+" = ANY ("+path+")", y.CycleMarkValue, y.CycleMarkDefault)
		none := caseNode("false", y.CycleMarkValue, y.CycleMarkDefault) // the default, as the type of both
		out = append(out,
			addedColumn{name: y.CycleMarkColumn, firstNode: none, nextNode: met},
			addedColumn{name: y.CyclePathColumn, first: "ARRAY[" + row + "]", next: path + " || " + row})
	}
	if s := c.SearchClause; s != nil && s.SearchBreadthFirst {
		out = append(out, addedColumn{name: depthColumn, first: "0::pg_catalog.int8", next: fmt.Sprintf("\"%s\" + 1", depthColumn)})
	}
	return out
}

func quotedNames(list []*pgquery.Node) string {
	var names []string
	for _, n := range list {
		names = append(names, postgres.QuoteIdentifier(n.GetString_().GetSval()))
	}
	return strings.Join(names, ", ")
}

// caseNode is CASE WHEN condition THEN value ELSE other END.
func caseNode(condition string, value, other *pgquery.Node) *pgquery.Node {
	when, err := parseExpr(condition)
	if err != nil {
		return other // cannot be: the condition is made of quoted names
	}
	return &pgquery.Node{Node: &pgquery.Node_CaseExpr{CaseExpr: &pgquery.CaseExpr{
		Args:      []*pgquery.Node{{Node: &pgquery.Node_CaseWhen{CaseWhen: &pgquery.CaseWhen{Expr: when, Result: value, Location: nowhere}}}},
		Defresult: other, Location: nowhere,
	}}}
}

// withAdded makes a term a query over itself that has the added columns.
func withAdded(term *pgquery.SelectStmt, alias *pgquery.Alias, columns []*pgquery.Node, added []addedColumn, first bool) (*pgquery.SelectStmt, error) {
	targets := slices.Clone(columns)
	for _, c := range added {
		text, node := c.next, c.nextNode
		if first {
			text, node = c.first, c.firstNode
		}
		if node == nil {
			var err error
			if node, err = parseExpr(text); err != nil {
				return nil, err
			}
		}
		targets = append(targets, target(node, c.name))
	}
	return pgSelect(&pgquery.SelectStmt{TargetList: targets, FromClause: []*pgquery.Node{{Node: &pgquery.Node_RangeSubselect{
		RangeSubselect: &pgquery.RangeSubselect{Subquery: pgSelect(term), Alias: alias},
	}}}}).GetSelectStmt(), nil
}

// searchFirst is the first term with the columns that SEARCH and CYCLE add.
func searchFirst(c *pgquery.CommonTableExpr, term *pgquery.SelectStmt) (*pgquery.SelectStmt, error) {
	all, err := parseExpr("*")
	if err != nil {
		return nil, err
	}
	alias := &pgquery.Alias{Aliasname: firstTerm, Colnames: c.Aliascolnames}
	return withAdded(term, alias, []*pgquery.Node{target(all, "")}, addedColumns(c), true)
}

// searchSecond is the second term with them. What its row came from has them already, and where CYCLE has met a row
// before, nothing comes from it.
func searchSecond(e *withEntry, term *pgquery.SelectStmt) (*pgquery.SelectStmt, error) {
	c, added := e.node, addedColumns(e.node)
	if term.Op != pgquery.SetOperation_SETOP_NONE {
		return nil, errorAt(c.Location, pgerrcode.FeatureNotSupported, "with a SEARCH or CYCLE clause, the right side of the UNION must be a SELECT")
	}
	from := selfName(term.FromClause, c.Ctename)
	if from == "" {
		return nil, errNotTop(c)
	}
	inner, ok := proto.Clone(term).(*pgquery.SelectStmt)
	if !ok {
		return nil, errorf(pgerrcode.InternalError, "a term is no SELECT")
	}
	alias := &pgquery.Alias{Aliasname: secondTerm}
	var own []*pgquery.Node
	for _, column := range e.columns[:len(e.columns)-len(added)] {
		alias.Colnames = append(alias.Colnames, pgquery.MakeStrNode(column.Name))
		own = append(own, target(columnNode(secondTerm, column.Name), column.Name))
	}
	for _, column := range added {
		inner.TargetList = append(inner.TargetList, target(columnNode(from, column.name), column.name))
		alias.Colnames = append(alias.Colnames, pgquery.MakeStrNode(column.name))
	}
	out, err := withAdded(inner, alias, own, added, false)
	if err != nil || c.CycleClause == nil {
		return out, err
	}
	out.WhereClause = &pgquery.Node{Node: &pgquery.Node_AExpr{AExpr: &pgquery.A_Expr{
		Kind: pgquery.A_Expr_Kind_AEXPR_OP, Name: []*pgquery.Node{pgquery.MakeStrNode("<>")},
		Lexpr: columnNode(secondTerm, c.CycleClause.CycleMarkColumn), Rexpr: c.CycleClause.CycleMarkValue, Location: nowhere,
	}}}
	return out, nil
}

func errNotTop(c *pgquery.CommonTableExpr) error {
	return errorAt(nowhere, pgerrcode.FeatureNotSupported,
		"with a SEARCH or CYCLE clause, the recursive reference to WITH query %q must be at the top level of its right-hand SELECT", c.Ctename)
}

func columnNode(table, name string) *pgquery.Node {
	return pgquery.MakeColumnRefNode([]*pgquery.Node{pgquery.MakeStrNode(table), pgquery.MakeStrNode(name)}, nowhere)
}

// selfName is the name under which FROM has a query that reads itself; "": it does not.
func selfName(from []*pgquery.Node, name string) string {
	for _, n := range from {
		switch n := n.GetNode().(type) {
		case *pgquery.Node_RangeVar:
			switch {
			case n.RangeVar.Relname != name || n.RangeVar.Schemaname != "":
			case n.RangeVar.Alias != nil:
				return n.RangeVar.Alias.Aliasname
			default:
				return name
			}
		case *pgquery.Node_JoinExpr:
			if found := selfName([]*pgquery.Node{n.JoinExpr.Larg, n.JoinExpr.Rarg}, name); found != "" {
				return found
			}
		}
	}
	return ""
}

// checkSearchLists checks the columns that SEARCH and CYCLE name against those of the first term.
func checkSearchLists(c *pgquery.CommonTableExpr, own []RelationColumn) error {
	list := func(what string, names []*pgquery.Node, at int32) error {
		for i, n := range names {
			name := n.GetString_().GetSval()
			if !hasColumn(own, name) {
				return errorAt(at, pgerrcode.SyntaxError, "%s column %q not in WITH query column list", what, name)
			}
			if slices.ContainsFunc(names[:i], func(n *pgquery.Node) bool { return n.GetString_().GetSval() == name }) {
				return errorAt(at, pgerrcode.DuplicateColumn, "%s column %q specified more than once", what, name)
			}
		}
		return nil
	}
	if s := c.SearchClause; s != nil {
		if err := list("search", s.SearchColList, s.Location); err != nil {
			return err
		}
	}
	y := c.CycleClause
	if y == nil {
		return nil
	}
	if err := list("cycle", y.CycleColList, y.Location); err != nil {
		return err
	}
	s := c.SearchClause
	switch {
	case y.CycleMarkColumn == y.CyclePathColumn:
		return errorAt(y.Location, pgerrcode.SyntaxError, "cycle mark column name and cycle path column name are the same")
	case s != nil && s.SearchSeqColumn == y.CycleMarkColumn:
		return errorAt(s.Location, pgerrcode.SyntaxError, "search sequence column name and cycle mark column name are the same")
	case s != nil && s.SearchSeqColumn == y.CyclePathColumn:
		return errorAt(s.Location, pgerrcode.SyntaxError, "search sequence column name and cycle path column name are the same")
	}
	return nil
}

func hasColumn(columns []RelationColumn, name string) bool {
	return slices.ContainsFunc(columns, func(c RelationColumn) bool { return c.Name == name })
}

// checkSearchNames checks the names of the columns that the clauses add to those of the query's own.
func checkSearchNames(c *pgquery.CommonTableExpr, own []RelationColumn) error {
	used := func(what, name string, at int32) error {
		return errorAt(at, pgerrcode.SyntaxError, "%s column name %q already used in WITH query column list", what, name)
	}
	s, y := c.SearchClause, c.CycleClause
	if s != nil && hasColumn(own, s.SearchSeqColumn) {
		return used("search sequence", s.SearchSeqColumn, s.Location)
	}
	if y == nil {
		return nil
	}
	switch {
	case hasColumn(own, y.CycleMarkColumn):
		return used("cycle mark", y.CycleMarkColumn, y.Location)
	case hasColumn(own, y.CyclePathColumn):
		return used("cycle path", y.CyclePathColumn, y.Location)
	}
	return nil
}
