package planner

import (
	"slices"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// textSearchSetting names the configuration of calls that name none.
const textSearchSetting = "default_text_search_config"

// textSearchObject finds a text search configuration or dictionary.
func textSearchObject(kind postgres.OID, qualifier, name, text string, at int32) (uint32, error) {
	known := qualifier == "" || qualifier == schemaCatalog
	what := "text search configuration"
	var oid postgres.OID
	if kind == postgres.RegconfigOID {
		c, ok := postgres.TSConfigByName(name)
		known, oid = known && ok, c.OID
	} else {
		what = "text search dictionary"
		d, ok := postgres.TSDictionaryByName(name)
		known, oid = known && ok, d.OID
	}
	if !known {
		return 0, errorAt(at, pgerrcode.UndefinedObject, "%s %q does not exist", what, text)
	}
	return uint32(oid), nil
}

// checkTextSearchConfig accepts the configurations that there are, and shows them with their schema.
func checkTextSearchConfig(p *parameter, _, value string) (string, error) {
	parts, ok := postgres.SplitIdentifier(value)
	if !ok || len(parts) > 2 || len(parts) == 2 && parts[0] != schemaCatalog {
		return "", invalidValue(p, value)
	}
	name := parts[len(parts)-1]
	if _, ok := postgres.TSConfigByName(name); !ok {
		return "", invalidValue(p, value)
	}
	return schemaCatalog + "." + name, nil
}

// textSearchConfig is the session's configuration as a constant.
func (b *binder) textSearchConfig(at int32) (Expr, error) {
	name, err := b.env.setting(textSearchSetting)
	if err != nil {
		return nil, err
	}
	oid, err := b.objectOID(name, postgres.RegconfigOID, at)
	return &Const{T: plainType(postgres.RegconfigOID), Value: postgres.IntDatum(int64(oid)), at: at}, err
}

// currentTextSearchConfig is get_current_ts_config().
func currentTextSearchConfig(b *binder, c *callSite, _ []*Const) (Expr, error) {
	return b.textSearchConfig(c.node.Location)
}

// configured finds the function of that name which takes a configuration before the arguments of p; nil: there is none.
func configured(p *postgres.Proc) *postgres.Proc {
	for _, other := range postgres.ProcsByName(p.Name) {
		if len(other.Args) == len(p.Args)+1 && other.Args[0] == postgres.RegconfigOID && slices.Equal(other.Args[1:], p.Args) {
			return other
		}
	}
	return nil
}

// withTextSearchConfig gives a call that leaves the configuration out the session's.
func (b *binder) withTextSearchConfig(f *Func, at int32) error {
	full := configured(f.Proc)
	if full == nil {
		return nil
	}
	config, err := b.textSearchConfig(at)
	if err != nil {
		return err
	}
	f.Proc, f.Args = full, append([]Expr{config}, f.Args...)
	return nil
}

// searchTexts has @@ between texts search them under the session's configuration.
func (b *binder) searchTexts(op *Op, at int32) error {
	code, ok := postgres.ProcByOID(op.Operator.Code)
	if !ok || code.Name != "ts_match_tt" && code.Name != "ts_match_tq" {
		return nil
	}
	call := func(name string, arg Expr) (Expr, error) {
		for _, p := range postgres.ProcsByName(name) {
			if slices.Equal(p.Args, []postgres.OID{postgres.TextOID}) {
				f := &Func{T: plainType(p.Ret), Proc: p, Args: []Expr{arg}}
				return f, b.withTextSearchConfig(f, at)
			}
		}
		return nil, unsupported(at, "function %s", name)
	}
	var err error
	if op.Left, err = call("to_tsvector", op.Left); err != nil {
		return err
	}
	if code.Name == "ts_match_tt" {
		if op.Right, err = call("plainto_tsquery", op.Right); err != nil {
			return err
		}
	}
	r, err := postgres.ResolveOperator(op.Operator.Name, postgres.TSVectorOID, postgres.TSQueryOID)
	if err == nil {
		op.Operator = r.Operator
	}
	return err
}
