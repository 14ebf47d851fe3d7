package planner

import (
	"slices"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Clients ask the catalog for one table by joining several relations over
// identifiers. What equalities say is followed from scan to scan before the rows
// reach the engine, so that of a large tenant only the table's rows do.

// CatalogEqual says that a row can only be in the result if its column has one of
// the values.
type CatalogEqual struct {
	Column int
	Ints   []int64
	Texts  []string
}

// catalogEquality says that rows of the scan to can only be in the result if
// their column equals that of some row of the scan from.
type catalogEquality struct {
	from, to             *CatalogScan
	fromColumn, toColumn int
	isText               bool
}

// catalogColumn is a column of a scan of the catalog, compared as text or integer.
type catalogColumn struct {
	scan   *CatalogScan
	index  int
	isText bool
}

// narrowCatalog notes what a condition that must be true says of the scans in an
// item of FROM.
func (p *pruner) narrowCatalog(condition Expr, f FromItem) {
	if logic, ok := condition.(*Logic); ok && logic.Kind == And {
		for _, arg := range logic.Args {
			p.narrowCatalog(arg, f)
		}
		return
	}
	if c, ok := condition.(*Case); ok {
		p.narrowCatalog(chosenArm(c), f)
		return
	}
	within := func(scan *CatalogScan) bool {
		found := false
		visitRelations(f, func(r Relation) { found = found || r == Relation(scan) })
		return found
	}
	if column, values, ok := catalogValues(condition); ok && within(column.scan) {
		values.Column = column.index
		column.scan.Equal = append(column.scan.Equal, values)
		return
	}
	op, ok := condition.(*Op)
	if !ok || op.Operator.Name != "=" || op.Left == nil {
		return
	}
	left, ok := catalogColumnOf(op.Left)
	if !ok {
		return
	}
	right, ok := catalogColumnOf(op.Right)
	if !ok || left.isText != right.isText {
		return
	}
	for _, pair := range [][2]catalogColumn{{left, right}, {right, left}} {
		from, to := pair[0], pair[1]
		if within(to.scan) {
			p.equalities = append(p.equalities, catalogEquality{from.scan, to.scan, from.index, to.index, from.isText})
		}
	}
}

// catalogColumnOf finds the column that an expression has the values of, through
// casts that change none.
func catalogColumnOf(e Expr) (catalogColumn, bool) {
	for {
		switch c := e.(type) {
		case *Cast:
			if comparedAsText(c.T.OID) != comparedAsText(c.Arg.Type().OID) || comparedAsInt(c.T.OID) != comparedAsInt(c.Arg.Type().OID) {
				return catalogColumn{}, false
			}
			e = c.Arg
		case *Column:
			scan, ok := c.Relation.(*CatalogScan)
			isText := comparedAsText(c.T.OID)
			return catalogColumn{scan, c.Index, isText}, ok && (isText || comparedAsInt(c.T.OID))
		default:
			return catalogColumn{}, false
		}
	}
}

func comparedAsText(oid postgres.OID) bool {
	switch postgres.BaseOf(oid) {
	case postgres.NameOID, postgres.TextOID, postgres.VarcharOID:
		return true
	}
	return false
}

func comparedAsInt(oid postgres.OID) bool {
	switch postgres.BaseOf(oid) {
	case postgres.OIDOID, postgres.Int2OID, postgres.Int4OID, postgres.Int8OID, postgres.RegclassOID, postgres.RegtypeOID, postgres.RegprocOID:
		return true
	}
	return false
}

// catalogValues reads "column = constant", IN and = ANY.
func catalogValues(e Expr) (column catalogColumn, values CatalogEqual, ok bool) {
	var constants []*Const
	var of Expr
	switch e := e.(type) {
	case *Op:
		if e.Operator.Name != "=" || e.Left == nil {
			return column, values, false
		}
		c, isConst := e.Right.(*Const)
		of = e.Left
		if !isConst {
			c, isConst = e.Left.(*Const)
			of = e.Right
		}
		if !isConst {
			return column, values, false
		}
		of, c = unquoted(of, c)
		constants = append(constants, c)
	case *In:
		if e.Not || e.Operator.Name != "=" {
			return column, values, false
		}
		for _, item := range e.List {
			c, isConst := item.(*Const)
			if !isConst {
				return column, values, false
			}
			constants = append(constants, c)
		}
		of = e.Left
	default:
		return column, values, false
	}
	if column, ok = catalogColumnOf(of); !ok {
		return column, values, false
	}
	for _, c := range constants {
		switch {
		case c.Null: // is never true
		case column.isText && c.Value.Kind == postgres.TextKind && comparedAsText(c.T.OID):
			values.Texts = append(values.Texts, c.Value.Str)
		case !column.isText && c.Value.Kind == postgres.IntKind && comparedAsInt(c.T.OID):
			values.Ints = append(values.Ints, c.Value.Int)
		default:
			return column, values, false
		}
	}
	return column, values, true
}

// chosenArm is the arm of a CASE that constants choose, nil if none does. Grafana
// asks by one whose condition is how many parts a literal name has.
func chosenArm(c *Case) Expr {
	for _, w := range c.Whens {
		op, ok := w.Cond.(*Op)
		if !ok || op.Operator.Name != "=" || op.Left == nil {
			return nil
		}
		parts, ok := literalParts(op.Left)
		want, isConst := op.Right.(*Const)
		if !ok || !isConst || want.Null || want.Value.Kind != postgres.IntKind {
			return nil
		}
		if int64(parts) == want.Value.Int {
			return w.Result
		}
	}
	return c.Else
}

// literalParts counts the parts of a name in array_length(parse_ident('a.b'), 1).
func literalParts(e Expr) (n int, ok bool) {
	length, ok := e.(*Func)
	if !ok || length.Proc.Name != "array_length" {
		return 0, false
	}
	ident, ok := length.Args[0].(*Func)
	dimension, isConst := length.Args[1].(*Const)
	if !ok || ident.Proc.Name != "parse_ident" || !isConst || dimension.Null || dimension.Value.Int != 1 {
		return 0, false
	}
	text, isText := ident.Args[0].(*Const)
	strict, isStrict := ident.Args[1].(*Const)
	if !isText || !isStrict || text.Null || strict.Null {
		return 0, false
	}
	parts, err := postgres.ParseIdent(text.Value.Str, strict.Value.Int != 0)
	return len(parts), err == nil
}

// unquoted takes quote_ident off a column that is compared with a constant, if the
// constant is what that makes of a name.
func unquoted(of Expr, c *Const) (Expr, *Const) {
	f, ok := of.(*Func)
	if !ok || f.Proc.Name != "quote_ident" || c.Null || c.Value.Kind != postgres.TextKind {
		return of, c
	}
	name := c.Value.Str
	if parts, ok := postgres.SplitIdentifier(name); ok && len(parts) == 1 {
		name = parts[0]
	}
	if postgres.QuoteIdentifier(name) != c.Value.Str {
		return of, c
	}
	return f.Args[0], &Const{T: c.T, Value: postgres.TextDatum(name)}
}

// maxFollowed bounds the rows of a scan whose values are followed to another.
const maxFollowed = 2000

// selectRows chooses the rows that scans of the catalog read: those with the
// constants that they need, then those that equal what is left of other scans.
func selectRows(scans []*CatalogScan, equalities []catalogEquality) {
	for _, scan := range scans {
		for _, equal := range scan.Equal {
			scan.keep(equal)
		}
	}
	for range scans {
		changed := false
		for _, e := range equalities {
			changed = e.follow() || changed
		}
		if !changed {
			return
		}
	}
}

// follow keeps of one scan what equals the rows of another, if those are few, and
// says whether that left some out.
func (e catalogEquality) follow() bool {
	if e.from.Select == nil || len(e.from.Select) > maxFollowed || e.from.Rows == nil || e.to.Rows == nil {
		return false
	}
	before := e.to.Rows.Len()
	if e.to.Select != nil {
		before = len(e.to.Select)
	}
	if before <= len(e.from.Select) && e.to.Select != nil {
		return false
	}
	values := e.from.Rows.Column(e.fromColumn)
	equal := CatalogEqual{Column: e.toColumn}
	for _, row := range e.from.Select {
		switch {
		case !values.IsValid(int(row)):
		case e.isText:
			equal.Texts = append(equal.Texts, values.TextAt(int(row)))
		default:
			equal.Ints = append(equal.Ints, values.Ints[row])
		}
	}
	e.to.keep(equal)
	return len(e.to.Select) < before
}

// keep keeps the rows that have one of the values.
func (s *CatalogScan) keep(equal CatalogEqual) {
	slices.Sort(equal.Ints)
	slices.Sort(equal.Texts)
	found := []uint32{}
	for _, value := range slices.Compact(equal.Ints) {
		found = append(found, s.Rows.WhereInt(equal.Column, value)...)
	}
	for _, value := range slices.Compact(equal.Texts) {
		found = append(found, s.Rows.WhereText(equal.Column, value)...)
	}
	slices.Sort(found)
	if s.Select != nil {
		found = intersect(s.Select, found)
	}
	s.Select = found
}

// intersect is what two sorted lists have in common.
func intersect(a, b []uint32) []uint32 {
	out := []uint32{}
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			out = append(out, a[0])
			a, b = a[1:], b[1:]
		}
	}
	return out
}
