package planner

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// runUtility runs what is no query: settings, transactions, schema changes.
func (s *Session) runUtility(ctx context.Context, p *Prepared) (*Result, error) {
	switch n := p.Statement.node.GetNode().(type) {
	case *pgquery.Node_TransactionStmt:
		return s.transactionStmt(n.TransactionStmt)
	case *pgquery.Node_VariableSetStmt:
		r, err := s.setStmt(n.VariableSetStmt)
		if r != nil {
			r.Notices = append(r.Notices, s.settings.takeNotices()...)
		}
		return r, err
	case *pgquery.Node_VariableShowStmt:
		return s.showStmt(n.VariableShowStmt)
	case *pgquery.Node_DiscardStmt:
		return s.discard(n.DiscardStmt)
	case *pgquery.Node_DeallocateStmt:
		return s.deallocate(n.DeallocateStmt)
	case *pgquery.Node_PrepareStmt:
		return s.prepareStmt(ctx, p.Statement, n.PrepareStmt)
	case *pgquery.Node_ExecuteStmt:
		return s.runExecute(ctx, n.ExecuteStmt)
	case *pgquery.Node_FetchStmt:
		return s.fetch(ctx, n.FetchStmt)
	case *pgquery.Node_CopyStmt:
		return s.runCopy(ctx, n.CopyStmt)
	case *pgquery.Node_UnlistenStmt:
		s.listen(listenOp{channel: n.UnlistenStmt.Conditionname})
		return &Result{Tag: "UNLISTEN"}, nil
	case *pgquery.Node_ListenStmt:
		s.listen(listenOp{listen: true, channel: n.ListenStmt.Conditionname})
		return &Result{Tag: "LISTEN"}, nil
	case *pgquery.Node_NotifyStmt:
		return s.notifyStmt(n.NotifyStmt)
	case *pgquery.Node_ClosePortalStmt:
		return s.closeCursor(n.ClosePortalStmt)
	}
	return s.change(ctx, p.Statement)
}

// setStmt runs SET and RESET in their forms.
func (s *Session) setStmt(n *pgquery.VariableSetStmt) (*Result, error) {
	r := &Result{Tag: "SET"}
	if n.IsLocal && !s.tx.block && !s.tx.implicit {
		r.Notices = append(r.Notices, &Notice{
			Severity: "WARNING", Code: pgerrcode.NoActiveSQLTransaction, Message: "SET LOCAL can only be used in transaction blocks",
		})
		_, _, err := s.settings.check(n.Name, strings.Join(constTexts(n.Args), ", "))
		return r, err
	}
	switch n.Kind {
	case pgquery.VariableSetKind_VAR_SET_VALUE:
		value, err := setValue(n)
		if err != nil {
			return nil, err
		}
		return r, s.settings.set(n.Name, value, n.IsLocal)
	case pgquery.VariableSetKind_VAR_SET_DEFAULT:
		return r, s.settings.reset(n.Name, n.IsLocal)
	case pgquery.VariableSetKind_VAR_SET_CURRENT:
		return r, s.settings.set(n.Name, s.settings.get(strings.ToLower(n.Name)), n.IsLocal)
	case pgquery.VariableSetKind_VAR_SET_MULTI:
		return r, s.setMulti(r, n)
	case pgquery.VariableSetKind_VAR_RESET:
		return &Result{Tag: "RESET"}, s.settings.reset(n.Name, false)
	case pgquery.VariableSetKind_VAR_RESET_ALL:
		s.settings.resetAll()
		return &Result{Tag: "RESET"}, nil
	}
	return nil, unsupported(nowhere, "this form of SET")
}

// setValue is the value of SET as text; a list is joined, as for search_path.
func setValue(n *pgquery.VariableSetStmt) (string, error) {
	if n.Name == "timezone" && len(n.Args) == 1 {
		if cast := n.Args[0].GetTypeCast(); cast != nil {
			return intervalZone(cast)
		}
	}
	values := constTexts(n.Args)
	if n.Name == "search_path" {
		for i, v := range values {
			values[i] = postgres.QuoteIdentifier(v)
		}
	}
	if len(values) > 1 && n.Name != "search_path" && !strings.EqualFold(n.Name, "datestyle") {
		return "", errorf(pgerrcode.InvalidParameterValue, "SET %s takes only one argument", n.Name)
	}
	return strings.Join(values, ", "), nil
}

// intervalZone reads SET TIME ZONE INTERVAL '+02:00' HOUR TO MINUTE.
func intervalZone(cast *pgquery.TypeCast) (string, error) {
	text := constText(cast.Arg)
	sign, rest := 1.0, strings.TrimPrefix(text, "+")
	if strings.HasPrefix(text, "-") {
		sign, rest = -1, text[1:]
	}
	hours, minutes := 0, 0
	if n, err := fmt.Sscanf(rest, "%d:%d", &hours, &minutes); n < 1 || err != nil && n < 1 {
		return "", errorf(pgerrcode.InvalidParameterValue, "invalid value for parameter \"TimeZone\": \"%s\"", text)
	}
	return zoneOfHours(sign * (float64(hours) + float64(minutes)/60)), nil
}

// constText is a constant of a utility statement as text.
func constText(n *pgquery.Node) string {
	c := n.GetAConst()
	if cast := n.GetTypeCast(); cast != nil {
		c = cast.Arg.GetAConst()
	}
	switch v := c.GetVal().(type) {
	case *pgquery.A_Const_Ival:
		return fmt.Sprint(v.Ival.Ival)
	case *pgquery.A_Const_Fval:
		return v.Fval.Fval
	case *pgquery.A_Const_Boolval:
		if v.Boolval.Boolval {
			return "on"
		}
		return "off"
	case *pgquery.A_Const_Sval:
		return v.Sval.Sval
	}
	switch n := n.GetNode().(type) {
	case *pgquery.Node_Boolean:
		return map[bool]string{true: "true", false: "false"}[n.Boolean.Boolval]
	case *pgquery.Node_Integer:
		return fmt.Sprint(n.Integer.Ival)
	case *pgquery.Node_Float:
		return n.Float.Fval
	}
	return n.GetString_().GetSval()
}

func constTexts(nodes []*pgquery.Node) []string {
	out := make([]string, len(nodes))
	for i, n := range nodes {
		out[i] = constText(n)
	}
	return out
}

// setMulti runs SET TRANSACTION and SET SESSION CHARACTERISTICS.
func (s *Session) setMulti(r *Result, n *pgquery.VariableSetStmt) error {
	switch n.Name {
	case "TRANSACTION":
		if !s.tx.block && !s.tx.implicit {
			r.Notices = append(r.Notices, &Notice{
				Severity: "WARNING", Code: pgerrcode.NoActiveSQLTransaction, Message: "SET TRANSACTION can only be used in transaction blocks",
			})
			return nil
		}
		return s.transactionModes(n.Args)
	case "SESSION CHARACTERISTICS":
		for _, o := range n.Args {
			d := o.GetDefElem()
			if err := s.settings.set("default_"+d.GetDefname(), constText(d.GetArg()), false); err != nil {
				return err
			}
		}
		return nil
	}
	return unsupported(nowhere, "SET %s", n.Name)
}

func (s *Session) discard(n *pgquery.DiscardStmt) (*Result, error) {
	switch n.Target {
	case pgquery.DiscardMode_DISCARD_ALL:
		if s.tx.block || s.tx.implicit {
			return nil, errorf(pgerrcode.ActiveSQLTransaction, "DISCARD ALL cannot run inside a transaction block")
		}
		s.settings.resetAll()
		clear(s.statements)
		s.listen(listenOp{})
		return &Result{Tag: "DISCARD ALL"}, s.closeAll()
	case pgquery.DiscardMode_DISCARD_PLANS:
		return &Result{Tag: "DISCARD PLANS"}, nil
	case pgquery.DiscardMode_DISCARD_SEQUENCES:
		return &Result{Tag: "DISCARD SEQUENCES"}, nil
	}
	return &Result{Tag: "DISCARD TEMP"}, nil
}

// showColumns are the columns of SHOW.
func (s *Session) showColumns(n *pgquery.VariableShowStmt) ([]ResultColumn, error) {
	if strings.EqualFold(n.Name, "all") {
		return []ResultColumn{textColumn("name"), textColumn("setting"), textColumn("description")}, nil
	}
	if _, err := s.settings.show(n.Name); err != nil {
		return nil, err
	}
	name := n.Name
	if p, ok := parameters15()[strings.ToLower(n.Name)]; ok {
		name = p.name
	}
	return []ResultColumn{textColumn(name)}, nil
}

func (s *Session) showStmt(n *pgquery.VariableShowStmt) (*Result, error) {
	columns, err := s.showColumns(n)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	if len(columns) == 1 {
		value, err := s.settings.show(n.Name)
		if err != nil {
			return nil, err
		}
		rows = [][]string{{value}}
	} else {
		for _, v := range s.settings.all() {
			rows = append(rows, []string{v.Name, v.Value, parameters15()[strings.ToLower(v.Name)].description})
		}
	}
	return &Result{Rows: newTextRows(columns, rows), Columns: columns, Tag: "SHOW"}, nil
}
