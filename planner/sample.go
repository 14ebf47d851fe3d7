package planner

import (
	"fmt"
	"math"
	"strconv"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// sampled is the name of a table behind its TABLESAMPLE.
const sampled = "*SAMPLED*"

// sample binds a table with TABLESAMPLE as a query over it that leaves rows out: by chance, or with REPEATABLE by the hash of
// what tells a row from others, so that the same seed gives the same rows as long as they are there. SYSTEM, which takes
// blocks of rows in PostgreSQL, takes rows as BERNOULLI does.
func (b *binder) sample(sc *scope, n *pgquery.RangeTableSample) (FromItem, []*item, error) {
	rv := n.Relation.GetRangeVar()
	t, err := b.sampledTable(sc, rv)
	if err != nil {
		return nil, nil, err
	}
	parts, _ := nameParts(n.Method)
	method := parts[len(parts)-1]
	if method != "bernoulli" && method != "system" {
		return nil, nil, errorAt(n.Location, pgerrcode.UndefinedObject, "tablesample method %s does not exist", dotted(parts))
	}
	if len(n.Args) != 1 {
		return nil, nil, errorAt(n.Location, pgerrcode.InvalidTablesampleArgument, "tablesample method %s requires 1 argument, not %d", method, len(n.Args))
	}
	share, err := b.sampleNumber(sc, n.Args[0], postgres.Float4OID, "TABLESAMPLE")
	switch {
	case err != nil:
		return nil, nil, err
	case share == nil:
		return nil, nil, errorf(pgerrcode.InvalidTablesampleArgument, "TABLESAMPLE parameter cannot be null")
	case !(*share >= 0 && *share <= 100):
		return nil, nil, errorf(pgerrcode.InvalidTablesampleArgument, "sample percentage must be between 0 and 100")
	}
	condition := fmt.Sprintf("pg_catalog.random() * 100 < %s", strconv.FormatFloat(*share, 'g', -1, 64))
	if n.Repeatable != nil {
		seed, err := b.sampleNumber(sc, n.Repeatable, postgres.Float8OID, "REPEATABLE")
		switch {
		case err != nil:
			return nil, nil, err
		case seed == nil:
			return nil, nil, errorf(pgerrcode.InvalidTablesampleRepeat, "TABLESAMPLE REPEATABLE parameter cannot be null")
		}
		condition = repeatableSample(t, *share, *seed)
	}
	return b.sampleQuery(sc, rv, condition)
}

// sampledTable finds the table of a TABLESAMPLE.
func (b *binder) sampledTable(sc *scope, rv *pgquery.RangeVar) (*table, error) {
	wrong := errorAt(rv.Location, pgerrcode.FeatureNotSupported, "TABLESAMPLE clause can only be applied to tables and materialized views")
	if rv.Schemaname == "" && sc.with.find(rv.Relname) != nil {
		return nil, wrong
	}
	t, err := b.names.table(rv.Schemaname, rv.Relname, rv.Location)
	if err == nil && t.view != nil {
		return nil, wrong
	}
	return t, err
}

// sampleNumber is the number that an argument is; nil: NULL.
func (b *binder) sampleNumber(sc *scope, n *pgquery.Node, oid postgres.OID, what string) (*float64, error) {
	e, err := b.expr(newScope(sc.outer), n)
	if err != nil {
		return nil, err
	}
	if given := e.Type(); given.OID != postgres.UnknownOID && category(given.OID) != postgres.NumericCategory {
		return nil, errorAt(locate(n), pgerrcode.DatatypeMismatch, "argument of %s must be type %s, not type %s", what, typeText(plainType(oid)), typeText(given))
	}
	as := postgres.Float8OID
	if e.Type().OID == postgres.UnknownOID {
		as = oid // for what its error says
	}
	if e, err = b.coerce(e, plainType(as), postgres.Assignment, locate(n)); err != nil {
		return nil, err
	}
	c, ok := e.(*Const)
	switch {
	case isParamRef(e):
		return new(float64), nil // while it is prepared
	case !ok:
		return nil, unsupported(locate(n), "%s with an argument that is no constant", what)
	case c.Null:
		return nil, nil
	}
	return &c.Value.Float, nil
}

func isParamRef(e Expr) bool {
	_, ok := e.(*ParamRef)
	return ok || castOfParam(e)
}

// repeatableSample is the condition that takes a share of a table's rows by their hash.
func repeatableSample(t *table, share, seed float64) string {
	// An event is told from others by its time and id, a row of the catalog by all of it.
	var row string
	if t.metric == nil {
		row = "pg_catalog.concat_ws(','"
		for _, c := range t.catalog.Columns() {
			row += fmt.Sprintf(`, "%s".%s`, sampled, postgres.QuoteIdentifier(c.Name))
		}
		row += ")"
	} else {
		row = fmt.Sprintf(`"%[1]s"._id || pg_catalog.date_part('epoch', "%[1]s"."timestamp")`, sampled)
	}
	hash, err := postgres.Hash(postgres.Float8OID, postgres.FloatDatum(seed), 0)
	if err != nil {
		return "false" // a float has a hash
	}
	return fmt.Sprintf("pg_catalog.hashtextextended(%s, %d) & %d < %d", row, uint32(hash), uint32(math.MaxUint32), int64(share/100*(1<<32)))
}

// sampleQuery binds the query of the rows of a table that a condition holds for, under the table's name.
func (b *binder) sampleQuery(sc *scope, rv *pgquery.RangeVar, condition string) (FromItem, []*item, error) {
	where, err := parseExpr(condition)
	if err != nil {
		return nil, nil, err
	}
	all, err := parseExpr("*")
	if err != nil {
		return nil, nil, err
	}
	inner := &pgquery.RangeVar{
		Schemaname: rv.Schemaname, Relname: rv.Relname, Catalogname: rv.Catalogname, Inh: rv.Inh, Relpersistence: rv.Relpersistence,
		Location: rv.Location, Alias: &pgquery.Alias{Aliasname: sampled},
	}
	alias := rv.Alias
	if alias == nil {
		alias = &pgquery.Alias{Aliasname: rv.Relname}
	}
	return b.rangeSubselect(sc, &pgquery.RangeSubselect{Alias: alias, Subquery: pgSelect(&pgquery.SelectStmt{
		TargetList:  []*pgquery.Node{target(all, "")},
		FromClause:  []*pgquery.Node{{Node: &pgquery.Node_RangeVar{RangeVar: inner}}},
		WhereClause: where,
	})})
}

func pgSelect(s *pgquery.SelectStmt) *pgquery.Node {
	s.LimitOption, s.Op = pgquery.LimitOption_LIMIT_OPTION_DEFAULT, max(s.Op, pgquery.SetOperation_SETOP_NONE)
	return &pgquery.Node{Node: &pgquery.Node_SelectStmt{SelectStmt: s}}
}

func target(value *pgquery.Node, name string) *pgquery.Node {
	return &pgquery.Node{Node: &pgquery.Node_ResTarget{ResTarget: &pgquery.ResTarget{Name: name, Val: value, Location: nowhere}}}
}
