package planner

import (
	"cmp"
	"slices"
	"sort"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// Clients ask the catalog for one table by joining several relations over
// identifiers. What equalities say is followed from scan to scan before the rows
// reach the engine, so that of a large tenant only the table's rows do.

// CatalogEqual says that a row can only be in the result if its column has one of
// the values, or any with NotNull.
type CatalogEqual struct {
	Column  int
	Ints    []int64
	Texts   []string
	NotNull bool
}

// CatalogPart is rows of a block.
type CatalogPart struct {
	Block sources.CatalogBlock
	// Rows lists them in order; nil: all of the block's.
	Rows []uint32
}

// Len counts the rows.
func (p *CatalogPart) Len() int {
	if p.Rows != nil {
		return len(p.Rows)
	}
	return p.Block.Len()
}

// Row is the i-th row's place in the block.
func (p *CatalogPart) Row(i int) int {
	if p.Rows != nil {
		return int(p.Rows[i])
	}
	return i
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
	if n, ok := condition.(*IsNull); ok && n.Not {
		if c, ok := n.Arg.(*Column); ok {
			if scan, ok := c.Relation.(*CatalogScan); ok && within(scan) {
				scan.Equal = append(scan.Equal, CatalogEqual{Column: c.Index, NotNull: true})
			}
		}
		return
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

// withoutSelected leaves out of a WHERE what the selection of catalog rows has made
// true: equalities of columns with constants, of scans that no outer join adds rows to.
func withoutSelected(where Expr, from []FromItem) Expr {
	if logic, ok := where.(*Logic); ok && logic.Kind == And {
		left := make([]Expr, 0, len(logic.Args))
		for _, arg := range logic.Args {
			if arg = withoutSelected(arg, from); arg != nil {
				left = append(left, arg)
			}
		}
		switch len(left) {
		case 0:
			return nil
		case 1:
			return left[0]
		case len(logic.Args):
			return where
		}
		and := *logic
		and.Args = left
		return &and
	}
	column, _, ok := catalogValues(where)
	if ok && slices.ContainsFunc(from, func(f FromItem) bool { return isInner(f, column.scan) }) {
		return nil
	}
	return where
}

// isInner says that a scan is an item of FROM, or joined in it such that none of its
// columns is NULL for want of a row.
func isInner(f FromItem, scan *CatalogScan) bool {
	j, ok := f.(*Join)
	if !ok {
		return f == FromItem(scan)
	}
	return (j.Kind == InnerJoin || j.Kind == LeftJoin) && isInner(j.Left, scan) ||
		(j.Kind == InnerJoin || j.Kind == RightJoin) && isInner(j.Right, scan)
}

// catalogColumnOf finds the column that an expression has the values of, through
// casts that change none.
func catalogColumnOf(e Expr) (catalogColumn, bool) {
	for {
		switch c := e.(type) {
		case *Cast:
			if from := c.Arg.Type(); comparedAsText(c.T.OID) != comparedAsText(from.OID) || comparedAsInt(c.T.OID) != comparedAsInt(from.OID) || cuts(c.T, from) {
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

// cuts says that a cast between types of text may shorten it.
func cuts(to, from Type) bool {
	if !comparedAsText(to.OID) {
		return false
	}
	return to.Typmod >= 0 && to.Typmod != from.Typmod || postgres.BaseOf(to.OID) == postgres.NameOID && postgres.BaseOf(from.OID) != postgres.NameOID
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
	for _, notNull := range []bool{false, true} { // which looks into all blocks
		for _, scan := range scans {
			for _, equal := range scan.Equal {
				if equal.NotNull == notNull {
					scan.keep(equal)
				}
			}
		}
	}
	for range scans {
		// What leaves fewest rows comes first, so that others look through these alone.
		slices.SortStableFunc(equalities, func(a, b catalogEquality) int { return cmp.Compare(a.fewest(), b.fewest()) })
		changed := false
		for _, e := range equalities {
			changed = e.follow() || changed
		}
		if !changed {
			break
		}
	}
	for _, scan := range scans {
		if scan.Narrowed {
			continue
		}
		for _, block := range scan.Rows.Blocks() {
			scan.Parts = append(scan.Parts, CatalogPart{Block: block})
		}
	}
}

// Len counts the rows that are read.
func (s *CatalogScan) Len() int {
	n := 0
	for i := range s.Parts {
		n += s.Parts[i].Len()
	}
	return n
}

// fewest is how many rows there are whose values can be followed.
func (e catalogEquality) fewest() int {
	if !e.from.Narrowed {
		return maxFollowed
	}
	return e.from.Len()
}

// follow keeps of one scan what equals the rows of another, if those are few, and
// says whether that left some out.
func (e catalogEquality) follow() bool {
	if !e.from.Narrowed || e.from.Rows == nil || e.to.Rows == nil {
		return false
	}
	few, before := e.from.Len(), e.to.Len()
	if few > maxFollowed || e.to.Narrowed && before <= few {
		return false
	}
	equal := CatalogEqual{Column: e.toColumn}
	for i := range e.from.Parts {
		part := &e.from.Parts[i]
		values := part.Block.Column(e.fromColumn)
		for i := range part.Len() {
			switch row := part.Row(i); {
			case !values.IsValid(row):
			case e.isText:
				equal.Texts = append(equal.Texts, values.TextAt(row))
			default:
				equal.Ints = append(equal.Ints, values.IntAt(row))
			}
		}
	}
	narrowed := e.to.Narrowed
	e.to.keep(equal)
	return !narrowed || e.to.Len() < before
}

// keep keeps the rows that have one of the values.
func (s *CatalogScan) keep(equal CatalogEqual) {
	slices.Sort(equal.Ints)
	slices.Sort(equal.Texts)
	equal.Ints, equal.Texts = slices.Compact(equal.Ints), slices.Compact(equal.Texts)
	parts := s.Parts
	if !s.Narrowed {
		for _, block := range equal.blocks(s.Rows) {
			parts = append(parts, CatalogPart{Block: block})
		}
	}
	s.Narrowed, s.Parts = true, nil
	for _, part := range parts {
		if part = equal.in(part); part.Len() > 0 {
			s.Parts = append(s.Parts, part)
		}
	}
}

// blocks are those that can have a row with one of the values, which are sorted.
func (e *CatalogEqual) blocks(rows sources.CatalogRows) []sources.CatalogBlock {
	switch {
	case e.NotNull:
		return rows.Blocks()
	case len(e.Texts) > 0:
		return rows.BlocksText(e.Column, e.Texts)
	case len(e.Ints) > 0:
		return rows.BlocksInt(e.Column, e.Ints)
	}
	return nil
}

// lookedUp is how many values are looked up one by one in a block; whether rows have
// one of more is asked row by row.
const lookedUp = 8

// in is the rows of a part that have one of the values, which are sorted.
func (e *CatalogEqual) in(part CatalogPart) CatalogPart {
	column := part.Block.Column(e.Column)
	if column.Same {
		if !e.has(column, 0) {
			part.Rows = []uint32{}
		}
		return part
	}
	found := []uint32{}
	if part.Rows == nil && !e.NotNull && len(e.Ints)+len(e.Texts) <= lookedUp {
		for _, value := range e.Ints {
			found = append(found, part.Block.WhereInt(e.Column, value)...)
		}
		for _, value := range e.Texts {
			found = append(found, part.Block.WhereText(e.Column, value)...)
		}
		slices.Sort(found)
		return CatalogPart{part.Block, found}
	}
	for i := range part.Len() {
		if row := part.Row(i); e.has(column, row) {
			found = append(found, uint32(row))
		}
	}
	if len(found) == part.Len() {
		return part
	}
	return CatalogPart{part.Block, found}
}

// has says that a row has one of the values.
func (e *CatalogEqual) has(column *sources.CatalogValues, row int) bool {
	switch {
	case !column.IsValid(row) || e.NotNull:
		return column.IsValid(row)
	case len(e.Texts) > 0:
		is := column.BytesAt(row)
		i := sort.Search(len(e.Texts), func(i int) bool { return e.Texts[i] >= string(is) })
		return i < len(e.Texts) && e.Texts[i] == string(is)
	case len(e.Ints) == 0:
		return false // not even one value, of whatever type
	}
	_, found := slices.BinarySearch(e.Ints, column.IntAt(row))
	return found
}
