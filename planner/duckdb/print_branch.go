package duckdb

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unsafe"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// maxGroups bounds the groups of files in one scan: a UNION ALL of many branches
// takes longer to plan than it saves.
const maxGroups = 8

// builtinColumns are the columns that every file and table has.
var builtinColumns = []string{sources.ColumnTS, sources.ColumnID, sources.ColumnReceivedAt}

// use is what a scan needs of the data: the builtins, and the physical names of
// its sources.
type use struct {
	builtins []string
	names    []string // sorted
}

func usedBy(s *planner.MetricScan) use {
	var u use
	source := func(sent string) {
		for _, k := range schema.Kinds {
			u.names = append(u.names, sources.PhysicalName(sent, k))
		}
	}
	for _, f := range s.Fields {
		switch f.Builtin {
		case "":
			for _, r := range f.Sources {
				source(r.Sent)
			}
		case planner.BuiltinMetric:
		case sources.ColumnID:
			source(sources.ColumnID)
			u.builtin(sources.ColumnID)
		default:
			u.builtin(f.Builtin)
		}
	}
	slices.Sort(u.names)
	u.names = slices.Compact(u.names)
	return u
}

func (u *use) builtin(column string) {
	if !slices.Contains(u.builtins, column) {
		u.builtins = append(u.builtins, column)
	}
}

// present filters the names in use out of a sorted list.
func (u *use) present(columns []string) []string {
	var out []string
	if len(u.names) < len(columns)/8 {
		for _, name := range u.names {
			if _, ok := slices.BinarySearch(columns, name); ok {
				out = append(out, name)
			}
		}
		return out
	}
	names := u.names
	for len(names) > 0 && len(columns) > 0 {
		switch c := strings.Compare(names[0], columns[0]); {
		case c < 0:
			names = names[1:]
		case c > 0:
			columns = columns[1:]
		default:
			out = append(out, names[0])
			names, columns = names[1:], columns[1:]
		}
	}
	return out
}

// columnLists are the lists of a file, by where they lie: files of one manifest
// share those that are equal, so few of ten thousand files need be looked at.
type columnLists struct{ columns, full, more, zeros *string }

func listsOf(f *sources.FileSplit) columnLists {
	return columnLists{unsafe.SliceData(f.Columns), unsafe.SliceData(f.Full), unsafe.SliceData(f.More), unsafe.SliceData(f.Zeros)}
}

// sorted is a list in order and without doubles.
func sorted(columns []string) []string {
	columns = slices.Clone(columns)
	slices.Sort(columns)
	return slices.Compact(columns)
}

func (p *printer) datasetBranches(s *planner.MetricScan, d planner.DatasetSplits) []*branch {
	u := usedBy(s)
	var files []*sources.FileSplit
	var batches []*sources.BatchSplit
	var out []*branch
	for _, split := range d.Splits {
		switch {
		case split.File != nil:
			files = append(files, split.File)
		case split.Batch != nil:
			batches = append(batches, split.Batch)
		}
	}
	out = append(out, p.batchBranches(s, &d.Dataset, u, batches, files)...)
	for _, g := range groupFiles(u, files) {
		out = append(out, p.fileBranch(s, u, g))
	}
	for _, b := range out {
		b.metric = d.Dataset.Metric
	}
	return out
}

// fileGroup is files that have the same of the names in use, or are too few to
// be told apart.
type fileGroup struct {
	files   []*sources.FileSplit
	columns []string // as columns of their own in some file
	full    []string // of those, the ones with a value in every row of all files
	more    []string // in _more of some file
	zeros   []string // of both, those with texts that have U+0000 in some file
	rows    int64
	// mixed: a column may be missing in some file.
	mixed bool
	// small: it is one of those that are put together.
	small bool
}

// groupFiles puts files with the same names together. The groups with most rows
// stay by themselves; the rest is one. Files keep their order in a group.
func groupFiles(u use, files []*sources.FileSplit) []*fileGroup {
	bySignature := map[string]*fileGroup{}
	var groups []*fileGroup
	of := make([]*fileGroup, len(files))
	add := func(i int, g *fileGroup) {
		of[i] = g
		g.files = append(g.files, files[i])
		g.rows += files[i].Rows
	}
	known := map[columnLists]*fileGroup{}
	for i, f := range files {
		lists := listsOf(f)
		if g, ok := known[lists]; ok {
			add(i, g)
			continue
		}
		columns, full, more, zeros := u.present(f.Columns), u.present(f.Full), u.present(f.More), u.present(f.Zeros)
		signature := strings.Join(columns, ",") + ";" + strings.Join(full, ",") + ";" + strings.Join(more, ",") + ";" + strings.Join(zeros, ",")
		g, ok := bySignature[signature]
		if !ok {
			g = &fileGroup{columns: columns, full: full, more: more, zeros: zeros}
			bySignature[signature] = g
			groups = append(groups, g)
		}
		add(i, g)
		known[lists] = g
	}
	if len(groups) <= maxGroups {
		return groups
	}
	slices.SortStableFunc(groups, func(a, b *fileGroup) int { return cmp.Compare(b.rows, a.rows) })
	rest := &fileGroup{mixed: true}
	for _, g := range groups[maxGroups-1:] {
		rest.columns, rest.more, rest.zeros = append(rest.columns, g.columns...), append(rest.more, g.more...), append(rest.zeros, g.zeros...)
		g.small = true
	}
	rest.columns, rest.more, rest.zeros = sorted(rest.columns), sorted(rest.more), sorted(rest.zeros)
	for i, f := range files {
		if of[i].small {
			rest.files = append(rest.files, f)
		}
	}
	return append(groups[:maxGroups-1:maxGroups-1], rest)
}

func (p *printer) fileBranch(s *planner.MetricScan, u use, g *fileGroup) *branch {
	b := &branch{read: map[string]string{}, full: g.full}
	columns := slices.Clone(g.columns)
	times := sources.Bounds{Min: math.MaxInt64, Max: math.MinInt64}
	for _, f := range g.files {
		times = sources.Bounds{Min: min(times.Min, f.Times.Min), Max: max(times.Max, f.Times.Max)}
	}
	for _, c := range u.builtins {
		b.read[c] = quoteName(c)
	}
	for _, c := range g.columns {
		b.read[c] = quoteName(c)
	}
	for _, c := range g.more {
		extracted := "json_extract_string(" + sources.ColumnMore + `, '$."` + c + `"')`
		if t := physicalType(c); t != "VARCHAR" {
			extracted = "TRY_CAST(" + extracted + " AS " + t + ")"
		}
		if own, ok := b.read[c]; ok {
			extracted = "coalesce(" + own + ", " + extracted + ")"
		}
		b.read[c] = extracted
	}
	for _, c := range g.zeros { // PostgreSQL has no text with U+0000
		b.read[c] = "CASE WHEN NOT contains(" + b.read[c] + ", chr(0)) THEN " + b.read[c] + " END"
	}
	if len(g.more) > 0 {
		columns = append(columns, sources.ColumnMore)
	}
	b.where = append(b.where, boundsConditions(s.Bounds, times.Intersect(asked(p.over, s)), quoteName(sources.ColumnTS))...)
	columns = append(slices.Clone(u.builtins), columns...)
	// A scan has a column even if none is read.
	declared := append([]string{sources.ColumnTS}, withoutTS(slices.Clone(columns))...)
	if len(b.where) > 0 {
		columns = declared
	}
	b.where = append(b.where, pruning(s, b, g)...)
	p.reading(g.files, s.Bounds, columns)
	b.from = readFiles(g.files, declared, g.mixed)
	return b
}

// reading notes what a scan of files reads. Row groups without a time in the bounds
// are not read: either all times of the files lie in them or there is a condition
// on the time, beside the scan or the query's own, by which DuckDB leaves out the
// same ones.
func (p *printer) reading(files []*sources.FileSplit, bounds sources.Bounds, columns []string) {
	if !p.fetches {
		return
	}
	p.reads = slices.Grow(p.reads, len(files))
	for _, f := range files {
		p.reads = append(p.reads, sources.FileRead{File: f, Columns: columns, Bounds: bounds})
	}
}

func withoutTS(columns []string) []string {
	return slices.DeleteFunc(columns, func(c string) bool { return c == sources.ColumnTS })
}

// describedFiles is how many files are read by the columns that the first one's
// footer tells: planning a list of columns takes DuckDB half a millisecond, which
// counts where a statement is short.
const describedFiles = 16

// readFiles prints one scan of files with exactly these columns; one that a file
// does not have, if they are mixed, is NULL there; columns have the types of their
// names in every file.
func readFiles(files []*sources.FileSplit, columns []string, mixed bool) string {
	const separators, rest = len(", ''"), 1 << 10
	size := rest
	for _, f := range files {
		size += len(f.Path) + separators
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteString("read_parquet([")
	for i, f := range files {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('\'')
		if strings.IndexByte(f.Path, '\'') < 0 {
			b.WriteString(f.Path)
		} else {
			b.WriteString(strings.ReplaceAll(f.Path, "'", "''"))
		}
		b.WriteByte('\'')
	}
	if !mixed && len(files) <= describedFiles {
		b.WriteString("], hive_partitioning = false)")
		return b.String()
	}
	b.WriteString("], schema = MAP {")
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		kind := "VARCHAR"
		if c != sources.ColumnMore {
			kind = physicalType(c)
		}
		fmt.Fprintf(&b, "%s: {name: %s, type: '%s', default_value: NULL}", quoteString(c), quoteString(c), kind)
	}
	b.WriteString("})")
	return b.String()
}

// pruning prints the physical filters that hold in a group: those on a column
// that alone gives every field which reads its name.
func pruning(s *planner.MetricScan, b *branch, g *fileGroup) []string {
	var out []string
	for _, f := range s.Filters {
		sent, _, err := sources.ParsePhysicalName(f.Column)
		if err != nil || f.Texts != nil || !slices.Contains(g.columns, f.Column) || slices.Contains(g.more, f.Column) {
			continue
		}
		alone := true
		for i := range s.Fields {
			alone = alone && readsOnly(&s.Fields[i], sent, f.Column, b)
		}
		if !alone {
			continue
		}
		if !math.IsInf(f.Min, -1) {
			out = append(out, fmt.Sprintf("%s >= %s", quoteName(f.Column), floatLiteral(f.Min)))
		}
		if !math.IsInf(f.Max, 1) {
			out = append(out, fmt.Sprintf("%s <= %s", quoteName(f.Column), floatLiteral(f.Max)))
		}
	}
	return out
}

func floatLiteral(f float64) string { return "CAST('" + floatText(f, false) + "' AS DOUBLE)" }

// readsOnly says that a field does not read the sent name, or reads this column
// of it and nothing else.
func readsOnly(f *planner.ScanField, sent, column string, b *branch) bool {
	reads, others := false, false
	for _, s := range f.Sources {
		for _, k := range schema.Kinds {
			name := sources.PhysicalName(s.Sent, k)
			if _, ok := b.read[name]; ok && name != column {
				others = true
			}
		}
		reads = reads || s.Sent == sent
	}
	return !reads || !others
}

// notInFiles says that no file has a row's time and identity.
func (p *printer) notInFiles(row string, files []*sources.FileSplit) string {
	columns := []string{sources.ColumnTS, sources.ColumnID}
	p.reading(files, sources.Unbounded(), columns)
	return "NOT EXISTS (SELECT 1 FROM " + readFiles(files, columns, false) +
		" AS l WHERE l._ts = " + row + "._ts AND l._id = " + row + "._id)"
}

func overlapping(files []*sources.FileSplit, bounds sources.Bounds) []*sources.FileSplit {
	var out []*sources.FileSplit
	for _, f := range files {
		if f.Times.Overlaps(bounds) {
			out = append(out, f)
		}
	}
	return out
}

// batchBranches read rows in Go memory.
func (p *printer) batchBranches(s *planner.MetricScan, ds *schema.Dataset, u use, batches []*sources.BatchSplit, files []*sources.FileSplit) []*branch {
	if len(batches) == 0 {
		return nil
	}
	var names []string
	times := sources.Bounds{Min: math.MaxInt64, Max: math.MinInt64}
	for _, b := range batches {
		times = sources.Bounds{Min: min(times.Min, b.Batch.Times.Min), Max: max(times.Max, b.Batch.Times.Max)}
		for i := range b.Batch.Columns {
			names = append(names, b.Batch.Columns[i].Name)
		}
	}
	names = u.present(sorted(names))
	columns := append(slices.Clone(u.builtins), names...)
	if !slices.Contains(columns, sources.ColumnTS) {
		columns = append(columns, sources.ColumnTS)
	}
	near := overlapping(files, times.Intersect(s.Bounds))
	if len(near) == 0 {
		batches = gather(batches, columns)
	}
	read := map[string]string{}
	for _, c := range columns {
		read[c] = quoteName(c)
	}
	// The statement has the condition on time too, and nearline has left out what
	// lies far from it.
	// Of a slice it has none.
	var sliced []string
	if p.slice != nil {
		sliced = boundsConditions(*p.slice, times, quoteName(sources.ColumnTS))
	}
	constants := p.hoisted.of(s)
	var out []*branch
	if p.copied != nil && len(constants) == 0 {
		var scan *copyScan
		if scan, batches = p.copiedOf(ds, columns, batches, len(near) > 0); scan != nil {
			out = scan.branches(read, sliced)
		}
		if len(batches) == 0 {
			return out
		}
	}
	sure, suspect := newBatchSource(columns, constants), newBatchSource(withIdentity(columns), constants)
	for _, b := range batches {
		clean, doubtful := split(b, len(near) > 0)
		if doubtful == nil {
			sure.add(b.Batch, b.Select)
			continue
		}
		sure.add(b.Batch, clean)
		suspect.add(b.Batch, doubtful)
	}
	out = append(out, &branch{from: p.registerRows(sure), read: read, where: sliced})
	if suspect.count > 0 {
		name := p.name("b")
		out = append(out, &branch{
			from: p.registerRows(suspect) + " AS " + name, read: read,
			where: []string{p.notInFiles(name, near)},
		})
	}
	return out
}

// copiedOf has what can be read from a table read from there, and leaves the other
// batches: parts of some, those that the open segment shows, and those with rows that
// are to be looked up in files.
func (p *printer) copiedOf(ds *schema.Dataset, columns []string, batches []*sources.BatchSplit, files bool) (scan *copyScan, left []*sources.BatchSplit) {
	var whole []*sources.BatchSplit
	for _, b := range batches {
		if mayCopy(b) && (!files || len(b.Suspect) == 0) {
			whole = append(whole, b)
		} else {
			left = append(left, b)
		}
	}
	scan, whole = p.copied(ds, columns, whole)
	return scan, append(left, whole...)
}

// branches read the table.
func (s *copyScan) branches(read map[string]string, where []string) (out []*branch) {
	for _, r := range s.ranges {
		inRange := fmt.Sprintf("%s BETWEEN %d AND %d", columnRun, r[0], r[1])
		out = append(out, &branch{from: s.table.name, read: read, where: append(slices.Clone(where), inRange)})
	}
	return out
}

func withIdentity(columns []string) []string {
	if slices.Contains(columns, sources.ColumnID) {
		return columns
	}
	return append(slices.Clone(columns), sources.ColumnID)
}

// split tells the rows of a batch that must be looked up in files from the
// others. doubtful is nil if there are none.
func split(b *sources.BatchSplit, files bool) (clean, doubtful []uint32) {
	if len(b.Suspect) == 0 || !files {
		return nil, nil
	}
	suspect := make(map[uint32]bool, len(b.Suspect))
	for _, r := range b.Suspect {
		suspect[r] = true
	}
	clean = []uint32{}
	visit := func(r uint32) {
		if suspect[r] {
			doubtful = append(doubtful, r)
		} else {
			clean = append(clean, r)
		}
	}
	if b.Select == nil {
		for r := range b.Batch.Rows {
			visit(uint32(r))
		}
	}
	for _, r := range b.Select {
		visit(r)
	}
	return clean, doubtful
}

// registerRows makes a row source readable by the statement.
func (p *printer) registerRows(s rowSource) string {
	n := p.number()
	p.rows.add(n, s)
	p.shapes = append(p.shapes, s.columns())
	return fmt.Sprintf("%s(CAST(%d AS BIGINT))", rowsFunction, n)
}
