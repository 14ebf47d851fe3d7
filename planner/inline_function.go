package planner

import (
	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
)

// inlinedFunctions are set-returning functions whose rows are those of a query; $1 is
// the argument. No table is partitioned here.
var inlinedFunctions = map[string]string{
	"pg_options_to_table": `SELECT split_part(o, '=', 1) AS option_name, CASE WHEN strpos(o, '=') > 0 THEN substr(o, strpos(o, '=') + 1) END AS option_value
		FROM unnest($1::text[]) AS o`,
	"pg_partition_tree": `SELECT NULL::pg_catalog.regclass AS relid, NULL::pg_catalog.regclass AS parentrelid, NULL::bool AS isleaf, NULL::int4 AS level
		WHERE $1::pg_catalog.regclass IS NULL AND false`,
	"pg_partition_ancestors": `SELECT NULL::pg_catalog.regclass AS relid WHERE $1::pg_catalog.regclass IS NULL AND false`,
	"ts_token_type":          `SELECT tokid, alias, description FROM pg_catalog."ts_token_type()" WHERE parser = $1::oid`,
	"ts_token_type(text)": `SELECT tokid, alias, description FROM pg_catalog."ts_token_type()"
		WHERE parser = (SELECT oid FROM pg_catalog.pg_ts_parser WHERE prsname = $1)`,
}

// inlinedFunction is the query in FROM that a call there stands for; nil: none.
func inlinedFunction(n *pgquery.RangeFunction, call *pgquery.FuncCall) (*pgquery.RangeSubselect, error) {
	parts, _ := nameParts(call.Funcname)
	name := parts[len(parts)-1]
	if len(call.Args) != 1 || n.Ordinality || len(parts) > 1 && parts[0] != schemaCatalog {
		return nil, nil
	}
	text, ok := inlinedFunctions[name]
	if byName, has := inlinedFunctions[name+"(text)"]; has && call.Args[0].GetAConst().GetSval() != nil {
		text = byName
	}
	if !ok {
		return nil, nil
	}
	parsed, err := pgquery.Parse(text)
	if err != nil {
		return nil, parseError(err)
	}
	var arguments []*pgquery.Node
	visitNodes(parsed.ProtoReflect(), func(p *pgquery.Node) {
		if p.GetParamRef() != nil {
			arguments = append(arguments, p)
		}
	})
	for _, p := range arguments {
		p.Node = call.Args[0].Node
	}
	alias := n.Alias
	if alias == nil {
		alias = &pgquery.Alias{Aliasname: name}
	}
	return &pgquery.RangeSubselect{Lateral: true, Subquery: parsed.Stmts[0].Stmt, Alias: alias}, nil
}

// listeningSelect is SELECT pg_listening_channels(), as clients write it, with the call
// in FROM; other statements are as they were.
func listeningSelect(n *pgquery.SelectStmt) *pgquery.SelectStmt {
	const name = "pg_listening_channels"
	if len(n.TargetList) != 1 || len(n.FromClause) > 0 {
		return n
	}
	call := n.TargetList[0].GetResTarget().GetVal().GetFuncCall()
	parts, _ := nameParts(call.GetFuncname())
	if len(call.GetArgs()) > 0 || len(parts) == 0 || parts[len(parts)-1] != name || len(parts) > 1 && parts[0] != schemaCatalog {
		return n
	}
	moved, _ := proto.Clone(n).(*pgquery.SelectStmt)
	val := moved.TargetList[0].GetResTarget().Val
	item := pgquery.MakeListNode([]*pgquery.Node{{Node: val.Node}, {}})
	val.Node = &pgquery.Node_ColumnRef{ColumnRef: &pgquery.ColumnRef{Fields: []*pgquery.Node{pgquery.MakeStrNode(name)}}}
	function := &pgquery.RangeFunction{Functions: []*pgquery.Node{item}}
	moved.FromClause = []*pgquery.Node{{Node: &pgquery.Node_RangeFunction{RangeFunction: function}}}
	return moved
}
