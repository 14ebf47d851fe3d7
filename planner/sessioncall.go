package planner

import (
	"net/netip"
	"time"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// serverVersion is the PostgreSQL whose behaviour clients are promised.
const (
	serverVersion    = "15.18"
	serverVersionNum = "150018"
)

// sessionFunc computes a function of the session while a statement is bound.
type sessionFunc func(b *binder, c *callSite, args []*Const) (Expr, error)

// sessionFuncs are the functions, by name in pg_proc, whose answer the session
// knows. They become constants, so that engines see none of them.
var sessionFuncs = map[string]sessionFunc{
	"version":             sessionText(func(*environment) string { return "PostgreSQL " + serverVersion + " (Fieldgate)" }),
	"current_database":    sessionName(func(e *environment) string { return e.database }),
	"current_user":        sessionName(func(e *environment) string { return e.user }),
	"session_user":        sessionName(func(e *environment) string { return e.user }),
	"pg_client_encoding":  clientEncoding,
	"getdatabaseencoding": sessionName(func(*environment) string { return "UTF8" }),
	"current_schema":      currentSchema,
	"current_schemas":     currentSchemas,
	"current_setting":     currentSetting,
	"set_config":          setConfig,
	"getpgusername":       sessionName(func(e *environment) string { return e.user }),
	"pg_trigger_depth":    func(*binder, *callSite, []*Const) (Expr, error) { return intConst(postgres.Int4OID, 0), nil },
	"timeofday": sessionText(func(e *environment) string {
		return e.statement.In(e.zone()).Format("Mon Jan 02 15:04:05.000000 2006 MST")
	}),
	"current_query":            sessionText(func(e *environment) string { return e.query }),
	"get_current_ts_config":    currentTextSearchConfig,
	"pg_sleep":                 sleepFunc(sleepSeconds),
	"pg_sleep_for":             sleepFunc(sleepInterval),
	"pg_sleep_until":           sleepFunc(sleepUntil),
	"pg_notify":                pgNotify,
	"now":                      sessionTime(func(e *environment) time.Time { return e.now }),
	"transaction_timestamp":    sessionTime(func(e *environment) time.Time { return e.now }),
	"statement_timestamp":      sessionTime(func(e *environment) time.Time { return e.statement }),
	"clock_timestamp":          sessionTime(func(*environment) time.Time { return time.Now() }),
	"pg_postmaster_start_time": sessionTime(func(e *environment) time.Time { return e.started }),
	"pg_conf_load_time":        sessionTime(func(e *environment) time.Time { return e.started }),
	"pg_backend_pid": func(b *binder, _ *callSite, _ []*Const) (Expr, error) {
		return intConst(postgres.Int4OID, int64(b.env.pid)), nil
	},
	// Nothing that reads gets a number of its own, so one that grows stands for it.
	"txid_current": func(b *binder, _ *callSite, _ []*Const) (Expr, error) {
		return intConst(postgres.Int8OID, b.env.now.UnixMilli()), nil
	},
	"txid_current_if_assigned": func(*binder, *callSite, []*Const) (Expr, error) {
		return nullConst(plainType(postgres.Int8OID)), nil
	},
	"pg_current_xact_id_if_assigned": func(_ *binder, c *callSite, _ []*Const) (Expr, error) {
		return nullConst(plainType(c.proc.Ret)), nil
	},
	"inet_client_addr":       sessionAddress(func(e *environment) netip.AddrPort { return e.client }),
	"inet_client_port":       sessionPort(func(e *environment) netip.AddrPort { return e.client }),
	"inet_server_addr":       sessionAddress(func(e *environment) netip.AddrPort { return e.server }),
	"inet_server_port":       sessionPort(func(e *environment) netip.AddrPort { return e.server }),
	"pg_is_in_recovery":      func(*binder, *callSite, []*Const) (Expr, error) { return boolConst(false), nil },
	"pg_advisory_unlock_all": func(*binder, *callSite, []*Const) (Expr, error) { return textConst(postgres.VoidOID, ""), nil },
}

// sessionCall computes a call of such a function; not ok: it is none.
func (b *binder) sessionCall(c *callSite) (e Expr, ok bool, err error) {
	if c.name == "pg_typeof" {
		t := c.args[0].Type().OID
		if of := rowType(c.args[0]); of != 0 {
			t = postgres.OID(of)
		} else if row, ok := c.args[0].(*Row); ok && row.Table {
			return nil, true, unsupported(c.node.Location, "pg_typeof of a system catalog's row")
		}
		return &Const{T: plainType(postgres.RegtypeOID), Value: postgres.IntDatum(int64(t))}, true, nil
	}
	f, ok := sessionFuncs[c.name]
	if !ok {
		return nil, false, nil
	}
	args, err := b.arguments(c)
	if err != nil {
		return nil, true, err
	}
	values := make([]*Const, len(args))
	for i, arg := range args {
		if castOfParam(arg) {
			return nullConst(plainType(c.proc.Ret)), true, nil
		}
		switch arg := arg.(type) {
		case *Const:
			values[i] = arg
		case *ParamRef:
			// While it is prepared a statement has no values to ask with.
			return nullConst(plainType(c.proc.Ret)), true, nil
		default:
			if c.name == "current_setting" {
				return nil, false, nil // the catalog looks up what is no constant
			}
			return nil, true, unsupported(c.node.Location, "%s of what is no constant", c.name)
		}
	}
	e, err = f(b, c, values)
	return e, true, err
}

// castOfParam says that an expression is a parameter as another type.
func castOfParam(e Expr) bool {
	cast, ok := e.(*Cast)
	if !ok {
		return false
	}
	_, isParam := cast.Arg.(*ParamRef)
	return isParam || castOfParam(cast.Arg)
}

func sessionText(get func(*environment) string) sessionFunc {
	return func(b *binder, _ *callSite, _ []*Const) (Expr, error) {
		return textConst(postgres.TextOID, get(b.env)), nil
	}
}

func sessionName(get func(*environment) string) sessionFunc {
	return func(b *binder, _ *callSite, _ []*Const) (Expr, error) {
		return textConst(postgres.NameOID, get(b.env)), nil
	}
}

// clientEncoding is the setting as a name.
func clientEncoding(b *binder, _ *callSite, _ []*Const) (Expr, error) {
	name, err := b.env.setting("client_encoding")
	return textConst(postgres.NameOID, name), err
}

func sessionTime(get func(*environment) time.Time) sessionFunc {
	return func(b *binder, _ *callSite, _ []*Const) (Expr, error) { return timestampTZ(get(b.env)), nil }
}

// sessionAddress is the address of an end of the connection, without its zone.
func sessionAddress(get func(*environment) netip.AddrPort) sessionFunc {
	return func(b *binder, c *callSite, _ []*Const) (Expr, error) {
		end := get(b.env)
		if !end.IsValid() {
			return nullConst(plainType(postgres.InetOID)), nil
		}
		value, err := postgres.ParseLiteral(postgres.InetOID, -1, end.Addr().Unmap().WithZone("").String(), b.env.values)
		if err != nil {
			return nil, faultAt(c.node.Location, err)
		}
		return &Const{T: plainType(postgres.InetOID), Value: value, at: nowhere}, nil
	}
}

// sessionPort is its port.
func sessionPort(get func(*environment) netip.AddrPort) sessionFunc {
	return func(b *binder, _ *callSite, _ []*Const) (Expr, error) {
		end := get(b.env)
		if !end.IsValid() {
			return nullConst(plainType(postgres.Int4OID)), nil
		}
		return intConst(postgres.Int4OID, int64(end.Port())), nil
	}
}

func timestampTZ(t time.Time) *Const {
	return &Const{T: plainType(postgres.TimestampTZOID), Value: postgres.TimestampDatum(t.UnixMicro()), at: nowhere}
}

func currentSchema(b *binder, _ *callSite, _ []*Const) (Expr, error) {
	for _, s := range b.env.path {
		return textConst(postgres.NameOID, s), nil
	}
	return nullConst(plainType(postgres.NameOID)), nil
}

func currentSchemas(b *binder, _ *callSite, args []*Const) (Expr, error) {
	t := plainType(postgres.NameArrayOID)
	if args[0].Null {
		return nullConst(t), nil
	}
	path := b.env.path
	if args[0].Value.Int != 0 {
		path = b.names.path
	}
	array := &postgres.Array{Elem: postgres.NameOID}
	for _, s := range path {
		array.Items = append(array.Items, postgres.TextDatum(s))
	}
	if len(array.Items) > 0 {
		array.Dims = []postgres.Dimension{{Len: len(array.Items), Lower: 1}}
	}
	return &Const{T: t, Value: postgres.Datum{Kind: postgres.ArrayKind, Array: array}}, nil
}

func currentSetting(b *binder, _ *callSite, args []*Const) (Expr, error) {
	null := nullConst(plainType(postgres.TextOID))
	for _, arg := range args {
		if arg.Null {
			return null, nil
		}
	}
	value, err := b.env.setting(args[0].Value.Str)
	missingOK := len(args) == 2 && args[1].Value.Int != 0 || b.params.values == nil
	if missingOK && isCode(err, pgerrcode.UndefinedObject) {
		return null, nil
	}
	if err != nil {
		return nil, err
	}
	return textConst(postgres.TextOID, value), nil
}

// setConfig changes a setting when the statement runs, once.
func setConfig(b *binder, c *callSite, args []*Const) (Expr, error) {
	if b.env.set == nil {
		return nullConst(plainType(postgres.TextOID)), nil
	}
	name, value, local := args[0], args[1], args[2]
	if name.Null {
		return nil, errorAt(c.node.Location, pgerrcode.NullValueNotAllowedDataException, "SET requires parameter name")
	}
	text := ""
	if !value.Null {
		text = value.Value.Str
	}
	if err := b.env.set(name.Value.Str, text, !local.Null && local.Value.Int != 0); err != nil {
		return nil, err
	}
	now, err := b.env.setting(name.Value.Str)
	return textConst(postgres.TextOID, now), err
}

// sqlValue binds the functions that the grammar knows without parentheses.
func (b *binder) sqlValue(n *pgquery.SQLValueFunction) (Expr, error) {
	now, digits := b.env.now, n.Typmod
	if digits >= 0 {
		digits = min(digits, maxSeconds)
		now = now.Round(precision(digits))
	}
	switch n.Op {
	case pgquery.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP, pgquery.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N:
		e := timestampTZ(now)
		e.T.Typmod = digits
		return e, nil
	case pgquery.SQLValueFunctionOp_SVFOP_CURRENT_DATE:
		return b.today(plainType(postgres.DateOID), now)
	case pgquery.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP, pgquery.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:
		return b.today(Type{OID: postgres.TimestampOID, Typmod: digits}, now)
	case pgquery.SQLValueFunctionOp_SVFOP_LOCALTIME, pgquery.SQLValueFunctionOp_SVFOP_LOCALTIME_N:
		return b.clock(Type{OID: postgres.TimeOID, Typmod: digits}, now), nil
	case pgquery.SQLValueFunctionOp_SVFOP_CURRENT_TIME, pgquery.SQLValueFunctionOp_SVFOP_CURRENT_TIME_N:
		return b.clock(Type{OID: postgres.TimeTZOID, Typmod: digits}, now), nil
	case pgquery.SQLValueFunctionOp_SVFOP_CURRENT_ROLE, pgquery.SQLValueFunctionOp_SVFOP_CURRENT_USER,
		pgquery.SQLValueFunctionOp_SVFOP_USER, pgquery.SQLValueFunctionOp_SVFOP_SESSION_USER:
		return textConst(postgres.NameOID, b.env.user), nil
	case pgquery.SQLValueFunctionOp_SVFOP_CURRENT_CATALOG:
		return textConst(postgres.NameOID, b.env.database), nil
	case pgquery.SQLValueFunctionOp_SVFOP_CURRENT_SCHEMA:
		return currentSchema(b, nil, nil)
	}
	return nil, unsupported(n.Location, "this SQL value function")
}

// precision is the step of a number of digits of a second.
func precision(digits int32) time.Duration {
	step := time.Second
	for range digits {
		step /= 10
	}
	return step
}

// today is a moment as a date or timestamp of the session's zone.
func (b *binder) today(t Type, moment time.Time) (Expr, error) {
	value, ok := b.convertTime(postgres.TimestampDatum(moment.UnixMicro()), postgres.TimestampTZOID, t.OID)
	if !ok {
		return nil, errorf(pgerrcode.DatetimeFieldOverflow, "timestamp out of range")
	}
	return &Const{T: t, Value: value, at: nowhere}, nil
}

// clock is the time of day in the session's zone.
func (b *binder) clock(t Type, moment time.Time) Expr {
	moment = moment.In(b.zone())
	micros := int64(moment.Hour()*3600+moment.Minute()*60+moment.Second())*1_000_000 + int64(moment.Nanosecond()/1000)
	value := postgres.Datum{Kind: postgres.TimeKind, Int: micros}
	if t.OID == postgres.TimeTZOID {
		_, east := moment.Zone()
		value.Kind, value.Zone = postgres.TimeTZKind, int32(east)
	}
	return &Const{T: t, Value: value, at: nowhere}
}
