package planner

import (
	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// namedWindow is one definition of a WINDOW clause.
type namedWindow struct {
	name   string
	window *Window
	framed bool
}

// The bits of WindowDef.frameOptions, from PostgreSQL's parsenodes.h.
const (
	frameNonDefault              = 0x00001
	frameRange                   = 0x00002
	frameRows                    = 0x00004
	frameGroups                  = 0x00008
	frameBetween                 = 0x00010 // both ends were written
	frameStartUnboundedPreceding = 0x00020
	frameEndUnboundedPreceding   = 0x00040
	frameStartUnboundedFollowing = 0x00080
	frameEndUnboundedFollowing   = 0x00100
	frameStartCurrentRow         = 0x00200
	frameEndCurrentRow           = 0x00400
	frameStartOffsetPreceding    = 0x00800
	frameEndOffsetPreceding      = 0x01000
	frameStartOffsetFollowing    = 0x02000
	frameEndOffsetFollowing      = 0x04000
	frameExcludeCurrentRow       = 0x08000
	frameExcludeGroup            = 0x10000
	frameExcludeTies             = 0x20000
)

// windowCall binds a window function, or an aggregate over a window.
func (b *binder) windowCall(sc *scope, c *callSite) (Expr, error) {
	n := c.node
	if n.Over == nil {
		return nil, errorAt(n.Location, pgerrcode.WrongObjectType, "window function %s requires an OVER clause", c.name)
	}
	if err := checkAllowed(sc, clauses[sc.clause].windows, "window functions", pgerrcode.WindowingError, n.Location); err != nil {
		return nil, err
	}
	switch {
	case n.AggDistinct:
		return nil, errorAt(n.Location, pgerrcode.FeatureNotSupported, "DISTINCT is not implemented for window functions")
	case n.AggWithinGroup:
		return nil, errorAt(n.Location, pgerrcode.FeatureNotSupported, "OVER is not supported for ordered-set aggregate %s", c.name)
	case len(n.AggOrder) > 0:
		return nil, errorAt(n.Location, pgerrcode.FeatureNotSupported, "aggregate ORDER BY is not implemented for window functions")
	case n.AggFilter != nil && c.proc.Aggregate == nil:
		return nil, errorAt(n.Location, pgerrcode.FeatureNotSupported, "FILTER is not implemented for non-aggregate window functions")
	}
	args, err := b.arguments(c)
	if err != nil {
		return nil, err
	}
	w := &WindowCall{T: plainType(c.proc.Ret), Proc: c.proc.Proc, Args: args, Star: n.AggStar, at: n.Location}
	for _, arg := range args {
		if inner := findWindowCall(arg); inner != nil {
			return nil, errorAt(inner.at, pgerrcode.WindowingError, "window function calls cannot be nested")
		}
	}
	if err := sc.refuseSets("window function", args); err != nil {
		return nil, err
	}
	if n.AggFilter != nil {
		if w.Filter, err = b.filter(sc, n.AggFilter); err != nil {
			return nil, err
		}
	}
	if w.Window, err = b.over(sc, n.Over); err != nil {
		return nil, err
	}
	sc.windowed = true
	return w, nil
}

// over binds OVER: a name, or a definition, which may build on a name.
func (b *binder) over(sc *scope, n *pgquery.WindowDef) (*Window, error) {
	if n.Name != "" {
		named, err := sc.window(n.Name, n.Location)
		if err != nil {
			return nil, err
		}
		return named.window, nil
	}
	w, _, err := b.window(sc, n)
	return w, err
}

func (sc *scope) window(name string, at int32) (*namedWindow, error) {
	for _, w := range sc.windows {
		if w.name == name {
			return w, nil
		}
	}
	return nil, errorAt(at, pgerrcode.UndefinedObject, "window %q does not exist", name)
}

// windowClause binds WINDOW name AS (…), ….
func (b *binder) windowClause(sc *scope, nodes []*pgquery.Node) error {
	for _, node := range nodes {
		n := node.GetWindowDef()
		if _, err := sc.window(n.Name, n.Location); err == nil {
			return errorAt(n.Location, pgerrcode.WindowingError, "window %q is already defined", n.Name)
		}
		w, framed, err := b.window(sc, n)
		if err != nil {
			return err
		}
		sc.windows = append(sc.windows, &namedWindow{name: n.Name, window: w, framed: framed})
	}
	return nil
}

// window binds a definition.
func (b *binder) window(sc *scope, n *pgquery.WindowDef) (w *Window, framed bool, err error) {
	defer sc.in(inWindow)()
	w = &Window{}
	if w.Partition, err = b.partition(sc, n.PartitionClause); err != nil {
		return nil, false, err
	}
	for _, node := range n.OrderClause {
		key, err := b.windowSortKey(sc, node.GetSortBy())
		if err != nil {
			return nil, false, err
		}
		w.Order = append(w.Order, key)
	}
	if n.Refname != "" {
		if err := w.inherit(sc, n); err != nil {
			return nil, false, err
		}
	}
	w.Frame, err = b.frame(sc, w, n)
	return w, n.FrameOptions&frameNonDefault != 0, err
}

// inherit takes partition and order from the window that the definition names.
func (w *Window) inherit(sc *scope, n *pgquery.WindowDef) error {
	base, err := sc.window(n.Refname, n.Location)
	switch {
	case err != nil:
		return err
	case len(w.Partition) > 0:
		return errorAt(n.Location, pgerrcode.WindowingError, "cannot override PARTITION BY clause of window %q", n.Refname)
	case len(w.Order) > 0 && len(base.window.Order) > 0:
		return errorAt(n.Location, pgerrcode.WindowingError, "cannot override ORDER BY clause of window %q", n.Refname)
	case base.framed:
		return errorAt(n.Location, pgerrcode.WindowingError, "cannot copy window %q because it has a frame clause", n.Refname)
	}
	w.Partition = base.window.Partition
	if len(w.Order) == 0 {
		w.Order = base.window.Order
	}
	return nil
}

func (b *binder) partition(sc *scope, nodes []*pgquery.Node) ([]Expr, error) {
	out, err := b.exprs(sc, nodes)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if out[i], err = b.resolve(out[i]); err != nil {
			return nil, err
		}
		if err := postgres.CheckEquality(out[i].Type().OID); err != nil {
			return nil, faultAt(locate(nodes[i]), err)
		}
		if postgres.CheckOrderable(out[i].Type().OID) != nil {
			e := errorf(pgerrcode.FeatureNotSupported, "could not implement window PARTITION BY")
			e.Detail = "Window partitioning columns must be of sortable datatypes."
			return nil, e
		}
	}
	return out, nil
}

func (b *binder) windowSortKey(sc *scope, n *pgquery.SortBy) (SortKey, error) {
	e, err := b.expr(sc, n.Node)
	if err != nil {
		return SortKey{}, err
	}
	if e, err = b.resolve(e); err != nil {
		return SortKey{}, err
	}
	return b.sortKey(e, n)
}

// frame binds an explicit frame clause; nil: there is none.
func (b *binder) frame(sc *scope, w *Window, n *pgquery.WindowDef) (*Frame, error) {
	o := n.FrameOptions
	if o&frameNonDefault == 0 {
		return nil, nil
	}
	f := &Frame{Mode: "RANGE", Start: frameStart(o), End: frameEnd(o)}
	switch {
	case o&frameRows != 0:
		f.Mode = "ROWS"
	case o&frameGroups != 0:
		f.Mode = "GROUPS"
		if len(w.Order) == 0 {
			return nil, errorAt(n.Location, pgerrcode.WindowingError, "GROUPS mode requires an ORDER BY clause")
		}
	}
	f.Exclude = frameExclusion(o)
	var err error
	if f.StartOff, err = b.frameOffset(sc, w, f.Mode, n.StartOffset, n.Location); err != nil {
		return nil, err
	}
	f.EndOff, err = b.frameOffset(sc, w, f.Mode, n.EndOffset, n.Location)
	return f, err
}

func frameStart(o int32) FrameBound {
	switch {
	case o&frameStartOffsetPreceding != 0:
		return OffsetPreceding
	case o&frameStartOffsetFollowing != 0:
		return OffsetFollowing
	case o&frameStartCurrentRow != 0:
		return CurrentRow
	case o&frameStartUnboundedFollowing != 0:
		return UnboundedFollowing
	}
	return UnboundedPreceding
}

func frameEnd(o int32) FrameBound {
	switch {
	case o&frameEndOffsetPreceding != 0:
		return OffsetPreceding
	case o&frameEndOffsetFollowing != 0:
		return OffsetFollowing
	case o&frameEndUnboundedFollowing != 0:
		return UnboundedFollowing
	case o&frameEndUnboundedPreceding != 0:
		return UnboundedPreceding
	}
	return CurrentRow
}

// frameExclusion is what is left out of a frame; empty: nothing.
func frameExclusion(o int32) string {
	switch {
	case o&frameExcludeCurrentRow != 0:
		return "CURRENT ROW"
	case o&frameExcludeGroup != 0:
		return "GROUP"
	case o&frameExcludeTies != 0:
		return "TIES"
	}
	return ""
}

// frameOffset binds the offset of PRECEDING or FOLLOWING; nil: there is none.
func (b *binder) frameOffset(sc *scope, w *Window, mode string, n *pgquery.Node, at int32) (Expr, error) {
	if n == nil {
		return nil, nil
	}
	e, err := b.expr(sc, n)
	if err != nil {
		return nil, err
	}
	if hasColumns(e) {
		return nil, errorAt(locate(n), pgerrcode.InvalidColumnReference, "argument of %s must not contain variables", mode)
	}
	if mode != "RANGE" {
		return b.coerceTo(e, postgres.Int8OID, mode, locate(n))
	}
	if len(w.Order) != 1 {
		return nil, errorAt(at, pgerrcode.WindowingError, "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column")
	}
	return b.rangeOffset(e, w.Order[0].Expr.Type().OID, locate(n))
}

// rangeOffset converts an offset to what is added to the ORDER BY column: an
// interval for dates and times, else the column's own type.
func (b *binder) rangeOffset(e Expr, column postgres.OID, at int32) (Expr, error) {
	offset := column
	if e.Type().OID == postgres.UnknownOID && category(column) == postgres.NumericCategory {
		return b.coerce(e, plainType(offset), postgres.Implicit, at)
	}
	switch column {
	case postgres.TimestampOID, postgres.TimestampTZOID, postgres.DateOID, postgres.TimeOID, postgres.TimeTZOID, postgres.IntervalOID:
		offset = postgres.IntervalOID
	case postgres.Int2OID, postgres.Int4OID, postgres.Int8OID:
		offset = postgres.Int8OID
	case postgres.Float4OID, postgres.Float8OID:
		offset = postgres.Float8OID
	case postgres.NumericOID:
	default:
		return nil, errorAt(at, pgerrcode.FeatureNotSupported,
			"RANGE with offset PRECEDING/FOLLOWING is not supported for column type %s", column)
	}
	if from := e.Type().OID; from != postgres.UnknownOID && !postgres.CanCoerce(from, offset, postgres.Implicit) {
		return nil, errorAt(at, pgerrcode.FeatureNotSupported,
			"RANGE with offset PRECEDING/FOLLOWING is not supported for column type %s and offset type %s", column, from).
			withHint("Cast the offset value to an appropriate type.")
	}
	return b.coerce(e, plainType(offset), postgres.Implicit, at)
}
