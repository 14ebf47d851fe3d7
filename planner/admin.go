package planner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// The functions of schema fieldgate act on the tenant, and so are called by a
// SELECT of nothing else. schema.Functions has their signatures.

// adminFunctions are the functions of schema fieldgate of one name.
func adminFunctions(name string) []*postgres.Proc {
	var out []*postgres.Proc
	list := schema.Functions()
	for i := range list {
		if list[i].Name == name {
			out = append(out, &list[i])
		}
	}
	return out
}

// isInspection says that the functions of a name stand in FROM.
func isInspection(name string) bool {
	list := adminFunctions(name)
	return len(list) > 0 && list[0].ReturnsSet
}

// adminKey tells the functions of one name apart.
func adminKey(p *postgres.Proc) string { return p.Name + "/" + strconv.Itoa(len(p.Args)) }

// adminCall finds the call in SELECT fieldgate.f(...); nil: it is another statement.
func adminCall(st *Statement) *pgquery.FuncCall {
	sel := st.node.GetSelectStmt()
	if sel == nil || !isOneTarget(sel) {
		return nil
	}
	call := sel.TargetList[0].GetResTarget().GetVal().GetFuncCall()
	if call == nil {
		return nil
	}
	parts, _ := nameParts(call.Funcname)
	if len(parts) != 2 || parts[0] != schemaFieldgate || adminFunctions(parts[1]) == nil || isInspection(parts[1]) {
		return nil
	}
	return call
}

// adminSite is a call of a function of schema fieldgate, bound.
type adminSite struct {
	proc *postgres.Proc
	// args has an expression for each parameter, nodes what it was written as, nil
	// for a default.
	args  []Expr
	nodes []*pgquery.Node
}

// adminSite binds a call.
func (b *binder) adminSite(call *pgquery.FuncCall) (*adminSite, error) {
	parts, _ := nameParts(call.Funcname)
	c := &callSite{node: call, name: parts[1]}
	if err := b.callArguments(newScope(nil), c); err != nil {
		return nil, err
	}
	var err error
	c.proc, err = postgres.ResolveFunction(c.name, c.types(), postgres.CallOptions{
		Schema: schemaFieldgate, Names: c.names, Variadic: call.FuncVariadic, Star: call.AggStar, WithinGroup: call.AggWithinGroup,
		Procs: adminFunctions(c.name),
	})
	if err != nil {
		return nil, faultAt(call.Location, err)
	}
	if err := c.checkPlain(); err != nil {
		return nil, err
	}
	args, err := b.arguments(c)
	if err != nil {
		return nil, err
	}
	site := &adminSite{proc: c.proc.Proc, args: args, nodes: make([]*pgquery.Node, len(args))}
	for i := range args {
		given := i
		if c.proc.ArgOrder != nil {
			given = c.proc.ArgOrder[i]
		}
		if given >= 0 {
			site.nodes[i] = call.Args[given]
			if named := site.nodes[i].GetNamedArgExpr(); named != nil {
				site.nodes[i] = named.Arg
			}
		}
	}
	return site, nil
}

// prepareAdmin describes the call: its parameters, and its result, which is void.
func (s *Session) prepareAdmin(p *Prepared, call *pgquery.FuncCall, given []postgres.OID) error {
	params := newParameters(given)
	site, err := newBinder(&lookup{}, s.environment(), params).adminSite(call)
	if err != nil {
		return err
	}
	if err := s.checkOwner("call " + schemaFieldgate + "." + site.proc.Name); err != nil {
		return err
	}
	if err := params.check(); err != nil {
		return err
	}
	name := p.Statement.node.GetSelectStmt().TargetList[0].GetResTarget().GetName()
	if name == "" {
		name = site.proc.Name
	}
	p.ParamTypes = params.types
	p.Columns = []ResultColumn{{Name: name, T: plainType(site.proc.Ret)}}
	return nil
}

// runAdmin acts.
func (s *Session) runAdmin(ctx context.Context, p *Prepared, call *pgquery.FuncCall, values []*Const) (*Result, error) {
	site, err := newBinder(&lookup{}, s.environment(), &parameters{values: values}).adminSite(call)
	if err != nil {
		return nil, err
	}
	args, err := site.values(p.Statement.Text)
	if err != nil {
		return nil, err
	}
	switch site.proc.Name {
	case "compact":
		err = s.compact(ctx)
	case "restore_schema":
		err = s.restoreSchema(ctx, args)
	case "set_webhook", "drop_webhook":
		err = s.changeWebhook(ctx, site.proc.Name, args)
	case "accept", "dismiss", "as_metric":
		err = s.answer(ctx, site.proc.Name, args)
	default:
		err = s.runAdminChange(ctx, site.proc, args)
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

// preventAdminInBlock refuses a function that changes the schema where that would
// have to be undone.
func (s *Session) preventAdminInBlock(name string) error {
	if !s.tx.block {
		return nil
	}
	return errorf(pgerrcode.ActiveSQLTransaction, "%s.%s cannot run inside a transaction block", schemaFieldgate, name)
}

// restoreSchema is fieldgate.restore_schema.
func (s *Session) restoreSchema(ctx context.Context, args *adminArgs) error {
	if err := s.preventAdminInBlock("restore_schema"); err != nil {
		return err
	}
	version := args.values[0].number
	old, err := s.planner.cfg.Schemas.Earlier(ctx, s.id.Tenant, uint64(max(version, 0)))
	if errors.Is(err, schema.ErrNotFound) {
		return errorf(pgerrcode.UndefinedObject, "schema version %d does not exist", version).withHint("fieldgate.schema_history lists the versions.")
	}
	if err != nil {
		return err
	}
	return s.changeSchema(ctx, fmt.Sprintf("restore version %d", version), func(d *schema.Draft) error { return d.Restore(old) })
}

// runAdminChange changes the schema.
func (s *Session) runAdminChange(ctx context.Context, proc *postgres.Proc, args *adminArgs) error {
	if err := s.preventAdminInBlock(proc.Name); err != nil {
		return err
	}
	change := adminChanges[adminKey(proc)]
	return s.changeSchema(ctx, change.what(args), func(d *schema.Draft) error {
		if err := change.edit(d, args); err != nil {
			return err
		}
		if change.conversion == nil {
			return nil
		}
		return args.transposed(s.planner.checkConversions(ctx, d), *change.conversion)
	})
}

// adminArgs are the values of a call's arguments.
type adminArgs struct {
	values []adminValue
	text   string // of the statement
}

// adminValue is a text, a number or a list of texts.
type adminValue struct {
	null   bool
	text   string
	number int64
	list   []adminValue
	at     int32
}

// values computes the arguments, which are constants. One whose default is not
// NULL must not be NULL either.
func (a *adminSite) values(text string) (*adminArgs, error) {
	out := &adminArgs{text: text, values: make([]adminValue, len(a.args))}
	for i, e := range a.args {
		v, ok := adminValueOf(e)
		v.at = locate(a.nodes[i])
		nullable := slices.Contains([]string{"conversion", "conversions", "secret"}, a.proc.Signature.Names[i])
		switch {
		case !ok:
			return nil, unsupported(v.at, "an argument of %s.%s that is not a constant", schemaFieldgate, a.proc.Name)
		case v.null && !nullable, !nullable && slices.ContainsFunc(v.list, func(v adminValue) bool { return v.null }):
			return nil, errorAt(v.at, pgerrcode.NullValueNotAllowedDataException, "argument %q of %s.%s must not be null",
				a.proc.Signature.Names[i], schemaFieldgate, a.proc.Name)
		}
		out.values[i] = v
	}
	return out, nil
}

func adminValueOf(e Expr) (v adminValue, ok bool) {
	switch e := e.(type) {
	case *Cast:
		if postgres.ElemOf(e.T.OID) != 0 || category(e.Arg.Type().OID) == postgres.StringCategory {
			return adminValueOf(e.Arg)
		}
	case *Array:
		for _, elem := range e.Elems {
			item, ok := adminValueOf(elem)
			if !ok || item.list != nil {
				return v, false
			}
			v.list = append(v.list, item)
		}
		return v, true
	case *Const:
		if e.Null || e.Value.Array == nil {
			return adminValue{null: e.Null, text: e.Value.Str, number: e.Value.Int}, true
		}
		for _, item := range e.Value.Array.Items {
			v.list = append(v.list, adminValue{null: item.Kind == postgres.NullKind, text: item.Str})
		}
		return v, true
	}
	return v, false
}

func (a *adminArgs) str(i int) string { return a.values[i].text }

func (a *adminArgs) strs(i int) []string {
	out := make([]string, len(a.values[i].list))
	for n, v := range a.values[i].list {
		out[n] = v.text
	}
	return out
}

// transposed has an error in SQL that argument i holds point into the statement,
// where the argument is a literal of it.
func (a *adminArgs) transposed(err error, i int) error {
	var e *Error
	if !errors.As(err, &e) || e.Position == 0 {
		return err
	}
	e.offset = literalPlace(a.text, a.values[i].at, a.values[i].text, int(e.Position)-1) + 1
	e.Position = 0
	return e
}
