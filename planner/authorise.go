package planner

import (
	"context"

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
func (s *Session) checkUtility(ctx context.Context, st *Statement) error {
	switch n := st.node.GetNode().(type) {
	case *pgquery.Node_TransactionStmt, *pgquery.Node_VariableSetStmt, *pgquery.Node_DiscardStmt,
		*pgquery.Node_DeallocateStmt, *pgquery.Node_UnlistenStmt, *pgquery.Node_ListenStmt, *pgquery.Node_NotifyStmt,
		*pgquery.Node_PrepareStmt, *pgquery.Node_ClosePortalStmt:
		return nil
	case *pgquery.Node_CreateStmt, *pgquery.Node_AlterTableStmt, *pgquery.Node_RenameStmt, *pgquery.Node_DropStmt, *pgquery.Node_CommentStmt,
		*pgquery.Node_ViewStmt, *pgquery.Node_GrantStmt, *pgquery.Node_CreatePolicyStmt, *pgquery.Node_AlterPolicyStmt:
		return s.checkChange(st)
	case *pgquery.Node_InsertStmt, *pgquery.Node_UpdateStmt, *pgquery.Node_DeleteStmt, *pgquery.Node_MergeStmt,
		*pgquery.Node_TruncateStmt, *pgquery.Node_CreateTableAsStmt:
		return withIngestHint(unsupported(nowhere, "%s", writeName(st.node)))
	case *pgquery.Node_CopyStmt:
		return checkCopy(n.CopyStmt)
	case *pgquery.Node_CallStmt:
		return s.refuseCall(ctx, n.CallStmt.Funccall)
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
