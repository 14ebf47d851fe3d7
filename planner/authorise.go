package planner

import (
	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// checkOwner refuses a statement that only an owner may run.
func (s *Session) checkOwner(what string) error {
	if s.id.Owner {
		return nil
	}
	return errorf(pgerrcode.InsufficientPrivilege, "permission denied: only an owner of database %q may %s", s.id.Tenant, what)
}

// checkUtility refuses, before it runs, a statement that is not a query and not on
// the list, or that this user may not run.
func (s *Session) checkUtility(st *Statement) error {
	switch n := st.node.GetNode().(type) {
	case *pgquery.Node_TransactionStmt, *pgquery.Node_VariableSetStmt, *pgquery.Node_DiscardStmt,
		*pgquery.Node_DeallocateStmt, *pgquery.Node_UnlistenStmt:
		return nil
	case *pgquery.Node_ClosePortalStmt:
		if n.ClosePortalStmt.Portalname != "" {
			return errorf(pgerrcode.InvalidCursorName, "cursor %q does not exist", n.ClosePortalStmt.Portalname)
		}
		return nil
	case *pgquery.Node_CreateStmt, *pgquery.Node_AlterTableStmt, *pgquery.Node_RenameStmt, *pgquery.Node_DropStmt, *pgquery.Node_CommentStmt:
		return s.checkChange(st)
	case *pgquery.Node_InsertStmt, *pgquery.Node_UpdateStmt, *pgquery.Node_DeleteStmt, *pgquery.Node_MergeStmt,
		*pgquery.Node_TruncateStmt, *pgquery.Node_CreateTableAsStmt:
		return withIngestHint(unsupported(nowhere, "%s", writeName(st.node)))
	case *pgquery.Node_CopyStmt:
		if n.CopyStmt.IsFrom {
			return withIngestHint(unsupported(nowhere, "COPY FROM"))
		}
		return unsupported(nowhere, "COPY TO").withHint("POST /v1/query gives the rows of a query as CSV.")
	case *pgquery.Node_PrepareStmt, *pgquery.Node_ExecuteStmt:
		return unsupported(nowhere, "%s", statementName(st.node)).withHint("Drivers prepare statements by the protocol, without PREPARE.")
	case *pgquery.Node_DeclareCursorStmt, *pgquery.Node_FetchStmt:
		return unsupported(nowhere, "%s", statementName(st.node)).
			withHint("Results stream without a cursor. psql asks for cursors where FETCH_COUNT is set.")
	}
	return unsupported(nowhere, "%s", statementName(st.node))
}

// writeName is the command of a statement that writes data.
func writeName(n *pgquery.Node) string {
	if c := n.GetCreateTableAsStmt(); c != nil && c.IsSelectInto {
		return "SELECT INTO"
	}
	return statementName(n)
}
