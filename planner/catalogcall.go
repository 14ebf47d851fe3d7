package planner

import (
	"context"
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// The functions that print the identifiers of objects whose names are a tenant's
// own, by type, and those that read names where they are not known beforehand.
var objectOutputs = map[postgres.OID]string{
	postgres.RegclassOID:     "regclassout(regclass)",
	postgres.RegnamespaceOID: "regnamespaceout(regnamespace)",
	postgres.RegroleOID:      "regroleout(regrole)",
	postgres.RegtypeOID:      "regtypeout(regtype)",
	postgres.RegcollationOID: "regcollationout(regcollation)",
	postgres.RegprocedureOID: "regprocedureout(regprocedure)",
	postgres.RegoperOID:      "regoperout(regoper)",
	postgres.RegoperatorOID:  "regoperatorout(regoperator)",
}

var objectInputs = map[postgres.OID]string{
	postgres.RegclassOID:     "regclassin(cstring)",
	postgres.RegnamespaceOID: "regnamespacein(cstring)",
	postgres.RegroleOID:      "regrolein(cstring)",
	postgres.RegtypeOID:      "regtypein(cstring)",
	postgres.RegprocOID:      "regprocin(cstring)",
	postgres.RegprocedureOID: "regprocedurein(cstring)",
	postgres.RegoperOID:      "regoperin(cstring)",
	postgres.RegoperatorOID:  "regoperatorin(cstring)",
	postgres.RegcollationOID: "regcollationin(cstring)",
}

// catalogCall makes the call of a function that looks into the catalog; not ok:
// the function does not.
func (b *binder) catalogCall(c *callSite) (e Expr, ok bool, err error) {
	types := make([]string, len(c.proc.Proc.Args))
	for i, t := range c.proc.Proc.Args {
		types[i] = t.String()
	}
	signature := c.proc.Proc.Name + "(" + strings.Join(types, ", ") + ")"
	if b.names.catalog == nil || !b.names.catalog.HasFunction(signature) {
		return nil, false, nil
	}
	args, err := b.arguments(c)
	if err != nil {
		return nil, true, err
	}
	if c.proc.Proc.Name == "format_type" {
		return b.formatType(signature, args), true, nil
	}
	if text, ok := args[0].(*Const); ok && text.T.OID == postgres.TextOID && isObjectType(c.proc.Ret) {
		e, err := b.maybeObject(text, plainType(c.proc.Ret))
		return e, true, err
	}
	return b.newCatalogCall(signature, plainType(c.proc.Ret), args...), true, nil
}

// formatType makes the call of format_type, which is not strict: without a modifier it
// gives the type's name alone.
func (b *binder) formatType(signature string, args []Expr) Expr {
	text := plainType(postgres.TextOID)
	bare := b.newCatalogCall("format_type(oid)", text, args[0])
	if c, ok := args[1].(*Const); ok && c.Null {
		return bare
	}
	modified := b.newCatalogCall(signature, text, args...)
	if _, ok := args[1].(*Const); ok {
		return modified
	}
	return &Case{T: text, Whens: []When{{Cond: &IsNull{Arg: args[1]}, Result: bare}}, Else: modified}
}

// maybeObject is what to_regclass and its like give for a literal: NULL where there
// is no such object. What is no name is an error all the same.
func (b *binder) maybeObject(text *Const, t Type) (Expr, error) {
	if text.Null {
		return nullConst(t), nil
	}
	oid, err := b.objectNamed(text.Value.Str, t.OID, nowhere)
	switch {
	case isMissing(err, t.OID):
		return nullConst(t), nil
	case err != nil:
		return nil, err
	}
	return &Const{T: t, Value: postgres.IntDatum(int64(oid)), at: nowhere}, nil
}

func (b *binder) newCatalogCall(signature string, t Type, args ...Expr) *CatalogCall {
	call := &CatalogCall{T: t, Signature: signature, Args: args}
	b.lookups = append(b.lookups, call)
	return call
}

// objectText gives the text of an object's identifier, if the catalog knows that.
func (b *binder) objectText(e Expr) (Expr, bool) {
	if e == nil {
		return nil, false
	}
	signature, ok := objectOutputs[e.Type().OID]
	if !ok || b.names.catalog == nil {
		return nil, false
	}
	return b.newCatalogCall(signature, plainType(postgres.TextOID), e), true
}

// objectOf reads the name of an object from a text that rows give.
func (b *binder) objectOf(e Expr, t Type) (Expr, bool) {
	signature, ok := objectInputs[t.OID]
	if _, literal := e.(*Const); !ok || literal || b.names.catalog == nil || category(e.Type().OID) != postgres.StringCategory {
		return nil, false
	}
	return b.newCatalogCall(signature, t, e), true
}

// pinCatalog computes what the plan reads of the catalog.
func pinCatalog(ctx context.Context, p *Plan, bound *boundQuery) error {
	if len(p.Catalogs) == 0 && len(bound.lookups) == 0 {
		return nil
	}
	pin, err := bound.names.pinned()
	if err != nil {
		return err
	}
	for _, scan := range p.Catalogs {
		if scan.Rows, err = pin.Rows(ctx, scan.Relation); err != nil {
			return unreadable(ctx, "the state of the system", err)
		}
	}
	selectRows(p.Catalogs, bound.equalities)
	for _, call := range bound.lookups {
		if call.Function, err = pin.Function(ctx, call.Signature); err != nil {
			return err
		}
	}
	return nil
}

// objectOID finds the object of a relation of pg_catalog whose column has a name.
func objectOID(ctx context.Context, catalog sources.Catalog, pin sources.CatalogPin, relation, column, name string) (uint32, bool, error) {
	r, ok := catalog.Relation(schemaCatalog, relation)
	if !ok {
		return 0, false, nil
	}
	rows, err := pin.Rows(ctx, r)
	if err != nil {
		return 0, false, err
	}
	place := func(name string) int {
		return slices.IndexFunc(r.Columns(), func(c sources.CatalogColumn) bool { return c.Name == name })
	}
	for _, block := range rows.BlocksText(place(column), []string{name}) {
		if found := block.WhereText(place(column), name); len(found) > 0 {
			return uint32(block.Column(place("oid")).IntAt(int(found[0]))), true, nil
		}
	}
	return 0, false, nil
}

// catalogView is the catalog's view of this session.
func (s *Session) catalogView(ctx context.Context, names *lookup) *sources.CatalogView {
	env := s.environment()
	return &sources.CatalogView{
		Snapshot:  names.snapshot,
		User:      s.id.User,
		Limited:   !s.id.Owner,
		Path:      names.path,
		SessionID: s.activity.client.PID,
		Now:       s.planner.cfg.Now(),
		Settings:  s.settings.snapshot,
		Setting:   s.settings.show,
		Cursors:   s.openCursors,
		Prepared:  s.namedStatements,
		Activity:  s.others,
		Channels:  s.activity.listening,
		Definition: func(v *schema.View, pretty bool, wrap int) string {
			return s.viewDefinition(ctx, names.snapshot, v, pretty, wrap)
		},
		Object: func(typeName, name string, missing bool) (oid uint32, ok bool, err error) {
			t, _ := postgres.TypeByName(typeName)
			return newBinder(names, env, newParameters(nil)).object(t.OID, name, missing)
		},
		Signal: s.signal,
	}
}

// object finds an object by its name, or, unless it may be missing, by its number.
func (b *binder) object(kind postgres.OID, name string, missing bool) (oid uint32, ok bool, err error) {
	if !missing {
		oid, err = b.objectOID(name, kind, nowhere)
		return oid, err == nil, err
	}
	oid, err = b.objectNamed(name, kind, nowhere)
	if isMissing(err, kind) {
		return 0, false, nil
	}
	return oid, err == nil, err
}
