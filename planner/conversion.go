package planner

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// checkConversions says why a conversion of a metric that a draft changed cannot
// be: an *Error, with a position in the conversion's own text. What other fields
// it names must exist, so this is also what keeps a field that one needs from being
// dropped.
func (p *Planner) checkConversions(ctx context.Context, d *schema.Draft) error {
	names := p.lookupIn(ctx, d.Snapshot(), nil)
	for _, m := range d.Snapshot().Metrics {
		if slices.Contains(d.Base().Metrics, m) {
			continue
		}
		for i := range m.Fields {
			if err := p.checkConversionsOf(ctx, names, m, &m.Fields[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkConversionsOf binds what reads a field, and asks the engine.
func (p *Planner) checkConversionsOf(ctx context.Context, names *lookup, m *schema.Metric, f *schema.Field) error {
	if !slices.ContainsFunc(f.Sources, func(s schema.Source) bool { return s.Convert != "" }) {
		return nil
	}
	b := newBinder(names, conversionEnvironment(), &parameters{values: []*Const{}})
	table := names.declared(m)
	scan := b.newMetricScan(table, m.Name)
	i := slices.IndexFunc(table.columns, func(c metricColumn) bool { return c.attribute == int16(f.Number) })
	e, err := b.useColumn(scan, table, table.columns[i])
	if err != nil || p.cfg.Engine == nil {
		return err
	}
	return p.cfg.Engine.Check(ctx, &Query{Targets: []Target{{Expr: e, Name: f.Name}}, From: []FromItem{scan}})
}

// conversion is a source's conversion, and the type of the field it is for.
type conversion struct {
	expr string
	t    Type
}

// conversionEnvironment is the one that conversions are bound in, so that they mean
// the same to every session.
func conversionEnvironment() *environment { return &environment{values: postgres.DefaultEnv()} }

// conversion binds a source's conversion, or finds it bound; the tree is shared and
// never changed, unless it names other fields, which belong to one scan.
func (b *binder) conversion(scan *MetricScan, table *metricTable, c conversion) (Expr, error) {
	cache := b.names.conversions
	if cache != nil {
		if e, ok := cache.Get(c); ok {
			return e, nil
		}
	}
	n, err := parseExpr(c.expr)
	if err != nil {
		return nil, inConversionText(err, c.expr)
	}
	var first error
	for _, input := range conversionInputs(c.t.OID) {
		e, err := b.bindConversion(scan, table, n, c.t, input)
		if err == nil {
			if cache != nil && !hasColumns(e) {
				cache.Add(c, e)
			}
			return e, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, inConversionText(first, c.expr)
}

// conversionInputs are the types that `value` can have for a field, of which the
// first that fits the expression counts: a double for a number, the field's own
// type for any other, so that units convert; a double, to make times, intervals and
// truth values of numbers; text as it was sent.
func conversionInputs(field postgres.OID) []postgres.OID {
	first := field
	if category(field) == postgres.NumericCategory {
		first = postgres.Float8OID
	}
	out := []postgres.OID{first}
	for _, other := range []postgres.OID{postgres.Float8OID, postgres.TextOID} {
		if first != other {
			out = append(out, other)
		}
	}
	return out
}

// bindConversion binds a conversion: an immutable scalar expression over `value`
// and the fields of its metric. Its result becomes the field's type.
func (b *binder) bindConversion(scan *MetricScan, table *metricTable, n *pgquery.Node, t Type, input postgres.OID) (Expr, error) {
	inner := newBinder(b.names, conversionEnvironment(), &parameters{values: []*Const{}})
	inner.converting = b.converting
	sc := newScope(nil)
	sc.clause, sc.value = inConversion, &SentValue{T: plainType(input)}
	it := &item{name: table.name, relation: scan, metric: table, columns: table.items(), nameVisible: true, columnsVisible: true}
	sc.items, sc.all = []*item{it}, []*item{it}
	before := slices.Clone(scan.Fields)
	e, err := inner.expr(sc, n)
	if err == nil {
		e, err = inner.resolve(e)
	}
	if err == nil {
		err = checkConversion(e, t)
	}
	if err == nil {
		e, err = inner.coerce(e, t, postgres.Explicit, locate(n))
	}
	if err != nil {
		scan.Fields = before
	}
	var fault *Error
	if errors.As(err, &fault) && fault.offset == 0 && !fault.inner {
		fault.offset = locate(n) + 1
	}
	return e, err
}

// conversionPrefix is what parseExpr puts before an expression.
const conversionPrefix = "SELECT "

// inConversionText makes an error's position count in the expression alone.
func inConversionText(err error, expr string) error {
	var e *Error
	if !errors.As(err, &e) || e.inner {
		return err
	}
	_ = placeError(err, conversionPrefix+expr) // e is in err
	e.Position = max(1, e.Position-int32(len(conversionPrefix)))
	e.inner = true
	return err
}

// checkConversion refuses what would make a stored value read differently from
// one time to another, and what cannot become the field's type.
func checkConversion(e Expr, t Type) error {
	if !postgres.CanCoerce(e.Type().OID, t.OID, postgres.Explicit) {
		return errorf(pgerrcode.DatatypeMismatch, "the conversion gives type %s, which cannot become %s", e.Type().OID, t.OID)
	}
	var err error
	walk(e, func(e Expr) bool {
		switch e := e.(type) {
		case *Subquery:
			err = unsupported(nowhere, "a subquery in a conversion")
		case *Func:
			err = checkImmutable(e.Proc, nowhere)
		case *Op:
			if p, ok := postgres.ProcByOID(e.Operator.Code); ok {
				err = checkImmutable(p, nowhere)
			}
		case *Cast:
			err = checkImmutableCast(e)
		}
		return err == nil
	})
	return err
}

func checkImmutable(p *postgres.Proc, at int32) error {
	if p.Volatility == postgres.Immutable {
		return nil
	}
	return errorAt(at, pgerrcode.InvalidObjectDefinition, "a conversion must be immutable, and function %s is not", p.Name)
}

// checkImmutableCast looks at what a cast runs: its function, or the output and
// input functions of its types.
func checkImmutableCast(e *Cast) error {
	from, to := e.Arg.Type().OID, e.T.OID
	path, _ := postgres.FindPathway(from, to, postgres.Explicit)
	immutable := true
	switch path.Method {
	case postgres.CallFunction:
		p, ok := postgres.ProcByOID(path.Func)
		immutable = !ok || p.Volatility == postgres.Immutable
	case postgres.CoerceViaIO:
		out, _ := postgres.TypeByOID(from)
		in, _ := postgres.TypeByOID(to)
		for _, name := range []string{out.Procs.Output, in.Procs.Input} {
			for _, p := range postgres.ProcsByName(name) {
				immutable = immutable && p.Volatility == postgres.Immutable
			}
		}
	}
	if immutable {
		return nil
	}
	return errorf(pgerrcode.InvalidObjectDefinition, "a conversion must be immutable, and the cast from %s to %s is not", from, to)
}

// convertedSource binds a source of a column that is converted.
func (b *binder) convertedSource(scan *MetricScan, table *metricTable, c metricColumn, s schema.Source) (Expr, error) {
	if slices.Contains(b.converting, c.name) {
		return nil, errorf(pgerrcode.InvalidObjectDefinition, "the conversions of field %q refer to the field itself", c.name)
	}
	outer := b.converting
	b.converting = append(slices.Clone(outer), c.name)
	defer func() { b.converting = outer }()
	e, err := b.conversion(scan, table, conversion{s.Convert, c.t})
	var known *Error
	if errors.As(err, &known) && !known.named {
		known.named = true
		known.Message = fmt.Sprintf("conversion of %q for column %q of relation %q: %s", s.Name, c.name, table.name, known.Message)
	}
	return e, err
}

// literalPlace is where in a statement byte `inner` of a literal's value stands, if
// a plain literal stands at a byte of the statement; else where the literal begins.
func literalPlace(text string, at int32, value string, inner int) int32 {
	if at < 0 || int(at) >= len(text) || text[at] != '\'' {
		return at
	}
	pos := int(at) + 1
	for i := range min(inner, len(value)) {
		if pos >= len(text) || text[pos] != value[i] {
			return at
		}
		if value[i] == '\'' {
			pos++
		}
		pos++
	}
	return int32(pos)
}

// detached is an error in a conversion that stands nowhere in the statement.
func detached(err error) error {
	var e *Error
	if errors.As(err, &e) && e.inner && e.Position > 0 {
		e.Detail = fmt.Sprintf("The fault lies at character %d of the conversion.", e.Position)
		e.Position, e.offset = 0, 0
	}
	return err
}

// nullOfNull says that an expression is NULL where the sent value is, whatever other
// fields are.
func nullOfNull(e Expr) bool {
	strict := false
	switch e := e.(type) {
	case *SentValue:
		return true
	case *Cast:
		return nullOfNull(e.Arg)
	case *Func:
		strict = e.Proc.Strict
	case *Op:
		p, ok := postgres.ProcByOID(e.Operator.Code)
		strict = ok && p.Strict
	}
	return strict && slices.ContainsFunc(children(e), func(arg Expr) bool { return arg != nil && nullOfNull(arg) })
}
