package planner

import (
	"context"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// The functions of schema fieldgate, which act on the tenant and so are called by
// a SELECT of nothing else.
const (
	adminCompact  = "compact"
	adminAddAlias = "add_alias"
)

func isAdminFunction(name string) bool { return name == adminCompact || name == adminAddAlias }

// adminCall finds the call in SELECT fieldgate.f(...); nil: it is another statement.
func adminCall(st *Statement) *pgquery.FuncCall {
	sel := st.node.GetSelectStmt()
	if sel == nil || len(sel.TargetList) != 1 {
		return nil
	}
	call := sel.TargetList[0].GetResTarget().GetVal().GetFuncCall()
	if call == nil {
		return nil
	}
	parts, _ := nameParts(call.Funcname)
	if len(parts) != 2 || parts[0] != schemaFieldgate || !isAdminFunction(parts[1]) || !isOneExpr(sel) {
		return nil
	}
	return call
}

func adminName(call *pgquery.FuncCall) string {
	parts, _ := nameParts(call.Funcname)
	return parts[1]
}

// prepareAdmin describes the call: its parameters are text, its result is void.
func (s *Session) prepareAdmin(p *Prepared, call *pgquery.FuncCall, given []postgres.OID) error {
	name := adminName(call)
	if err := s.checkOwner("call " + schemaFieldgate + "." + name); err != nil {
		return err
	}
	args := len(call.Args)
	if name == adminCompact && args != 0 || name == adminAddAlias && (args < 2 || args > 4) ||
		call.AggStar || call.AggDistinct || call.AggFilter != nil || call.Over != nil || len(call.AggOrder) > 0 {
		return errorAt(call.Location, pgerrcode.UndefinedFunction, "function %s.%s with %d arguments does not exist", schemaFieldgate, name, args).
			withHint("There are fieldgate.compact(), fieldgate.add_alias(metric, alias) and fieldgate.add_alias(metric, field, sent_name [, conversion]).")
	}
	params := newParameters(given)
	b := newBinder(&lookup{}, s.environment(), params)
	for _, arg := range call.Args {
		if _, err := b.adminArgument(arg); err != nil {
			return err
		}
	}
	if err := params.check(); err != nil {
		return err
	}
	p.ParamTypes = params.types
	p.Columns = []ResultColumn{{Name: name, T: plainType(postgres.VoidOID)}}
	return nil
}

// adminArgument binds an argument, which is text.
func (b *binder) adminArgument(n *pgquery.Node) (Expr, error) {
	e, err := b.expr(newScope(nil), n)
	if err != nil {
		return nil, err
	}
	return b.coerce(e, plainType(postgres.TextOID), postgres.Implicit, locate(n))
}

// runAdmin acts.
func (s *Session) runAdmin(ctx context.Context, p *Prepared, call *pgquery.FuncCall, values []*Const) (*Result, error) {
	b := newBinder(&lookup{}, s.environment(), &parameters{values: values})
	args := make([]string, len(call.Args))
	for i, n := range call.Args {
		e, err := b.adminArgument(n)
		if err != nil {
			return nil, err
		}
		c, ok := e.(*Const)
		if !ok || c.Null {
			return nil, errorAt(locate(n), pgerrcode.NullValueNotAllowedDataException, "an argument of %s.%s must be a text", schemaFieldgate, adminName(call))
		}
		args[i] = c.Value.Str
	}
	var err error
	if adminName(call) == adminCompact {
		err = s.compact(ctx)
	} else {
		err = s.addAlias(ctx, args)
	}
	if err != nil {
		return nil, err
	}
	return &Result{Rows: newTextRows(p.Columns, [][]string{{""}}), Columns: p.Columns, Tag: "SELECT"}, nil
}

func (s *Session) compact(ctx context.Context) error {
	if s.planner.cfg.Admin == nil {
		return unsupported(nowhere, "fieldgate.compact() on this server")
	}
	return s.planner.cfg.Admin.Compact(ctx, s.id.Tenant)
}

// addAlias gives a metric another sent name, or a field another source.
func (s *Session) addAlias(ctx context.Context, args []string) error {
	if s.tx.block {
		return errorf(pgerrcode.ActiveSQLTransaction, "%s.%s cannot run inside a transaction block", schemaFieldgate, adminAddAlias)
	}
	metric := args[0]
	if len(args) == 2 {
		return s.changeSchema(ctx, "add alias to metric "+metric, func(d *schema.Draft) error { return d.AddMetricAlias(metric, args[1]) })
	}
	source := schema.Source{Name: args[2]}
	if len(args) == 4 {
		source.Convert = args[3]
	}
	return s.changeSchema(ctx, "add source to field "+metric+"."+args[1], func(d *schema.Draft) error {
		if source.Convert != "" {
			if err := checkDraftConversion(d, metric, args[1], source.Convert); err != nil {
				return err
			}
		}
		return d.AddSource(metric, args[1], source)
	})
}

// checkDraftConversion checks a conversion against the field's type, if the field
// exists; whether it does is the draft's to say.
func checkDraftConversion(d *schema.Draft, metric, field, convert string) error {
	m, ok := d.Metric(metric)
	if !ok {
		return nil
	}
	f, ok := m.Field(field)
	if !ok {
		return nil
	}
	return CheckConversion(convert, f.Type)
}
